package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// foreignFolder holds the manifests of each format.
const foreignFolder = "../convert/testdata"

// slothOf is a document with one SLO.
func slothOf(name, objective, bad string) string {
	return `version: prometheus/v1
service: shop
slos:
- name: ` + name + `
  objective: ` + objective + `
  sli:
    events:
      error_query: ` + bad + `
      total_query: sum(rate(a_total[{{.window}}]))
  alerting: {}
---
`
}

const badRequests = `sum(rate(a_total{code="500"}[{{.window}}]))`

// TestConvertedPassesValidate converts all manifests of each format, and gives
// what is printed to validate.
func TestConvertedPassesValidate(t *testing.T) {
	for _, from := range []string{"sloth", "pyrra", "openslo"} {
		names, err := filepath.Glob(filepath.Join(foreignFolder, from, "*.yaml"))
		if err != nil || len(names) < 10 {
			t.Fatalf("%d manifests of %s, and %v: want ten at least", len(names), from, err)
		}
		objects := 0
		for _, name := range names {
			got := do(t, "", "convert", "-f", name, "--from", from, "--skip-invalid", "-n", "shop")
			if strings.Contains(name, "refused") != (strings.Contains(got.Err, ": error: ")) {
				t.Errorf("%s: ends with %d: %s", name, got.Code, got.Err)
			}
			if got.Out == "" {
				continue
			}
			checked := do(t, got.Out, "validate", "-f", "-")
			if checked.Code != Done || checked.Out != "" {
				t.Errorf("%s: what is printed is refused: %s%s", name, checked.Out, checked.Err)
			}
			objects += strings.Count(got.Out, "kind: Objective\n")
		}
		if objects < 10 {
			t.Errorf("%s: %d objectives were printed: the test sees too few", from, objects)
		}
	}
}

// TestConvertEnds checks what is printed, what is told and how it ends.
func TestConvertEnds(t *testing.T) {
	good, bad := slothOf("good", "99", badRequests), slothOf("bad", "100", badRequests)
	cases := map[string]struct {
		reason, in string
		args       []string
		code       int
		// out is how many objectives are printed, and told is a part of what is told.
		out  int
		told string
	}{
		"Good":       {reason: "all is converted", in: good, out: 1, told: "objects: 1, notes: 4, fields not converted: 0, errors: 0\n"},
		"Refused":    {reason: "with one mistake nothing is printed", in: good + bad, code: Invalid, told: "stdin:16: error: slos[0].objective: 100: it is 100%, which leaves no error budget"},
		"Silent":     {reason: "and the remedy is told", in: good + bad, code: Invalid, told: "nothing is printed: mend the errors, or give --skip-invalid"},
		"Skipped":    {reason: "unless the rest is asked for; it is a failure all the same", in: good + bad, args: []string{"--skip-invalid"}, code: Invalid, out: 1, told: "errors: 1\n"},
		"Admission":  {reason: "what the API server would refuse is refused", in: good + slothOf(strings.Repeat("a", 300), "98", badRequests), code: Done, out: 2, told: "it becomes"},
		"LongQuery":  {reason: "a query that is too long", in: slothOf("a", "99", `sum(rate(a_total{x="`+strings.Repeat("y", 5000)+`"}[{{.window}}]))`), code: Invalid, told: "write at most 4096"},
		"Twice":      {reason: "two objectives of one name", in: good + good, code: Invalid, told: "stdin:15: error: Objective shop/shop-good: metadata.name: \"shop-good\": it is at stdin:4 too"},
		"SkipTwice":  {reason: "neither of which can be meant", in: good + good, args: []string{"--skip-invalid"}, code: Invalid, told: "errors: 1\n"},
		"Other":      {reason: "nothing of the format", in: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", code: Invalid, told: "nothing was converted: no objective of sloth is among the documents"},
		"Empty":      {reason: "nothing at all", in: "", code: Invalid, told: "nothing was converted"},
		"Broken":     {reason: "no YAML", in: good + "a: [\n", code: Invalid, told: "stdin:12: error: decode: yaml: line 1"},
		"NoObject":   {reason: "YAML that is no object", in: "- a\n", code: Invalid, told: "stdin:1: error: decode: there is no object"},
		"NoFormat":   {reason: "the format must be told", in: good, args: []string{"--from", ""}, code: Unusable, told: `--from "": write sloth, pyrra or openslo`},
		"Format":     {reason: "and known", in: good, args: []string{"--from", "nobl9"}, code: Unusable, told: `--from "nobl9": write`},
		"Output":     {reason: "an output that is none", in: good, args: []string{"-o", "xml"}, code: Unusable, told: "write one of yaml, json"},
		"View":       {reason: "a perspective that is none", in: good, args: []string{"--perspective", "DX"}, code: Unusable, told: `--perspective "DX": write UX or CX`},
		"Touchpoint": {reason: "a touchpoint that is no label", in: good, args: []string{"--touchpoint", "Web!"}, code: Unusable, told: `--touchpoint "Web!": use lower-case`},
		"Service":    {reason: "a service that is none", in: good, args: []string{"--service", "A"}, code: Unusable, told: `--service "A": use lower-case`},
		"Window":     {reason: "a window that is none", in: good, args: []string{"--window", "soon"}, code: Unusable, told: `--window "soon": `},
		"LongWindow": {reason: "or too long", in: good, args: []string{"--window", "900d"}, code: Unusable, told: `--window "900d": `},
		"Source":     {reason: "a source of no kind", in: good, args: []string{"--source", "Prometheus/a"}, code: Unusable, told: `--source "Prometheus/a": write`},
		"NoFile":     {reason: "a file that is not there", in: good, args: []string{"-f", "gone.yaml"}, code: Unusable, told: "gone.yaml"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, tc.in, append([]string{"convert", "-f", "-", "-n", "shop", "--from", "sloth"}, tc.args...)...)
			if got.Code != tc.code || strings.Count(got.Out, "kind: Objective\n") != tc.out || !strings.Contains(got.Err, tc.told) {
				t.Errorf("%s: ends with %d, want %d; want %d objectives, and to be told %q:\n%s%s", tc.reason, got.Code, tc.code, tc.out, tc.told, got.Out, got.Err)
			}
		})
	}
}

// TestConvertFlags finds what flags say in the objective.
func TestConvertFlags(t *testing.T) {
	const slo = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: a}
spec:
  target: "99"
  window: 4w
  indicator: {ratio: {errors: {metric: 'a_total{code="500"}'}, total: {metric: a_total}}}
`
	for reason, tc := range map[string]struct {
		args []string
		want v1alpha1.Objective
	}{
		"none":                   {want: v1alpha1.Objective{Spec: v1alpha1.ObjectiveSpec{Service: "a", Perspective: "UX"}}},
		"perspective and others": {args: []string{"--perspective", "CX", "--touchpoint", "phone", "--service", "support"}, want: v1alpha1.Objective{Spec: v1alpha1.ObjectiveSpec{Service: "support", Perspective: "CX", Touchpoint: "phone"}}},
		"a cluster's source":     {args: []string{"--source", "big"}, want: v1alpha1.Objective{Spec: v1alpha1.ObjectiveSpec{Service: "a", Perspective: "UX", SourceRef: &v1alpha1.SourceReference{Kind: "ClusterMetricSource", Name: "big"}}}},
		"a namespace's source":   {args: []string{"--source", "MetricSource/small"}, want: v1alpha1.Objective{Spec: v1alpha1.ObjectiveSpec{Service: "a", Perspective: "UX", SourceRef: &v1alpha1.SourceReference{Kind: "MetricSource", Name: "small"}}}},
	} {
		got := do(t, slo, append([]string{"convert", "-f", "-", "--from", "pyrra"}, tc.args...)...)
		var o v1alpha1.Objective
		if err := yaml.UnmarshalStrict([]byte(got.Out), &o); err != nil || o.Namespace != "" {
			t.Fatalf("%s: namespace %q, %v: %s", reason, o.Namespace, err, got.Err)
		}
		said := v1alpha1.Objective{Spec: v1alpha1.ObjectiveSpec{Service: o.Spec.Service, Perspective: o.Spec.Perspective, Touchpoint: o.Spec.Touchpoint, SourceRef: o.Spec.SourceRef}}
		if diff := cmp.Diff(tc.want, said); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", reason, diff)
		}
	}
}

// TestConvertAsJSON prints one list, which validate takes too.
func TestConvertAsJSON(t *testing.T) {
	got := do(t, slothOf("a", "99", badRequests)+slothOf("b", "98", badRequests), "convert", "-f", "-", "--from", "sloth", "-o", "json")
	var list struct {
		APIVersion, Kind string
		Items            []v1alpha1.Objective
	}
	if err := json.Unmarshal([]byte(got.Out), &list); err != nil {
		t.Fatal(err)
	}
	if list.APIVersion != "v1" || list.Kind != "List" || len(list.Items) != 2 || list.Items[1].Spec.Target != "98%" {
		t.Errorf("the list is another: %s", got.Out)
	}
	if checked := do(t, got.Out, "validate", "-f", "-"); checked.Code != Done {
		t.Errorf("the list is refused: %s", checked.Out)
	}
}

// TestDocsShowNotes finds what the page shows in what is told of the manifests.
func TestDocsShowNotes(t *testing.T) {
	golden, shown := "", 0
	for _, from := range []string{"sloth", "pyrra", "openslo"} {
		names, err := filepath.Glob(filepath.Join(foreignFolder, from, "*.golden"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			golden += read(t, name)
		}
	}
	for line := range strings.Lines(read(t, "../../docs/cli.md")) {
		if !strings.Contains(line, "-latency.yaml:") && !strings.Contains(line, "-refused.yaml:") {
			continue
		}
		if shown++; !strings.Contains(golden, line) {
			t.Errorf("the program does not say: %s", line)
		}
	}
	if shown < 2 {
		t.Errorf("the page shows %d notes: want one of each kind", shown)
	}
}
