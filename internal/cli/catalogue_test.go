package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const catalogueFolder = "../../config/indicators"

// catalogue reads the indicators that are shipped, by name.
func catalogue(t *testing.T) map[string]*v1alpha1.ClusterIndicator {
	t.Helper()
	paths, err := filepath.Glob(catalogueFolder + "/*.yaml")
	if err != nil || len(paths) < 30 {
		t.Fatalf("list the catalogue: %v, %d files", err, len(paths))
	}
	out := map[string]*v1alpha1.ClusterIndicator{}
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		i := &v1alpha1.ClusterIndicator{}
		if err := yaml.UnmarshalStrict([]byte(read(t, path)), i); err != nil {
			t.Fatalf("decode %s: %v", path, err)
		}
		if i.Name+".yaml" != filepath.Base(path) {
			t.Errorf("%s holds %q", path, i.Name)
		}
		out[i.Name] = i
	}
	return out
}

// catalogueCase is a test of the catalogue.
type catalogueCase struct {
	Name   string
	Series []any
	Expect []struct {
		Met, Attainment any
		Events          int
	}
}

// casesOf reads the tests of an indicator.
func casesOf(t *testing.T, name string) []catalogueCase {
	t.Helper()
	var file struct{ Tests []catalogueCase }
	text := read(t, catalogueFolder+"/tests/"+name+".yaml")
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatalf("decode the tests of %s: %v", name, err)
	}
	if !strings.Contains(text, "- ../"+name+".yaml") {
		t.Errorf("the tests of %s are of another indicator", name)
	}
	return file.Tests
}

// rows are what a case expects, each of which must be a figure.
func (c catalogueCase) rows(t *testing.T, name string, met map[any]bool) (out [][]cell) {
	t.Helper()
	for _, e := range c.Expect {
		if e.Attainment == nil || e.Events == 0 {
			t.Errorf("%q expects no figure", c.Name)
		}
		met[e.Met] = true
		out = append(out, cells(name, fmt.Sprint(e.Met), fmt.Sprint(e.Attainment), strconv.Itoa(e.Events), c.Name))
	}
	return out
}

// TestCatalogueTests runs the tests of the catalogue: of each indicator a case in
// which its promise is kept and one in which it is broken, with the figure, on
// simulated data of the metrics that it says it expects.
func TestCatalogueTests(t *testing.T) {
	got := do(t, "", "test", catalogueFolder+"/tests", "-o", "json")
	var results []testResult
	if err := json.Unmarshal([]byte(got.Out), &results); err != nil || got.Code != Done {
		t.Fatalf("the catalogue's tests: %v: %+v", err, got)
	}
	passed := map[string]bool{}
	for _, r := range results {
		passed[r.Name] = r.Passed
	}
	table := [][]cell{cells("INDICATOR", "MET", "ATTAINMENT", "EVENTS", "CASE")}
	all, ran := catalogue(t), 0
	for _, name := range sorted(all) {
		met := map[any]bool{}
		for _, c := range casesOf(t, name) {
			simulated(t, all[name], c)
			table = append(table, c.rows(t, name, met)...)
			if !passed[c.Name] {
				t.Errorf("%q did not pass", c.Name)
			}
			ran++
		}
		if !met[true] || !met[false] {
			t.Errorf("%s has cases of %v alone", name, met)
		}
	}
	if ran != len(results) {
		t.Errorf("%d tests are of indicators, and %d ran", ran, len(results))
	}
	t.Logf("%d tests of %d indicators passed\n%s", ran, len(all), painter{}.table(table))
}

// simulated complains of a case without one of the metrics that its indicator expects.
func simulated(t *testing.T, i *v1alpha1.ClusterIndicator, c catalogueCase) {
	t.Helper()
	series := fmt.Sprint(c.Series)
	for _, metric := range strings.FieldsFunc(i.Annotations["experience.slo/metric"], func(r rune) bool { return r == ',' || r == ' ' }) {
		if metric != "to" && !strings.Contains(series, metric) {
			t.Errorf("%q simulates no %s", c.Name, metric)
		}
	}
}

// promiseBy is an objective that uses an indicator as it comes.
func promiseBy(i *v1alpha1.ClusterIndicator) string {
	var given []string
	for _, p := range i.Spec.Parameters {
		if p.Default == nil {
			given = append(given, fmt.Sprintf("%s: %q", p.Name, "x"))
		}
	}
	target := i.Spec.DefaultTarget
	if target == "" {
		target = "50%"
	}
	return fmt.Sprintf(`---
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: %s, namespace: shop}
spec:
  service: shop
  perspective: %s
  indicator: {ref: {kind: ClusterIndicator, name: %s, parameters: {%s}}}
  target: %q
  window: {rolling: %s}
  minimumEvents: %d
`, i.Name, i.Spec.Perspective, i.Name, strings.Join(given, ", "), target, i.Spec.DefaultWindow, *i.Spec.MinimumEvents)
}

// TestCatalogueRenders has Prometheus' checkers read the rules of an objective on
// each indicator, with its own target and window.
func TestCatalogueRenders(t *testing.T) {
	all := catalogue(t)
	var objectives strings.Builder
	for _, name := range sorted(all) {
		objectives.WriteString(promiseBy(all[name]))
	}
	path := filepath.Join(t.TempDir(), "objectives.yaml")
	if err := os.WriteFile(path, []byte(objectives.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"validate", "render"} {
		got := do(t, "", command, "-f", catalogueFolder, "-f", path)
		if got.Code != Done {
			t.Fatalf("%s: %s%s", command, got.Out, got.Err)
		}
		if command == "render" {
			for name := range all {
				if !strings.Contains(got.Out, "shop/"+name) {
					t.Errorf("there are no rules of %s", name)
				}
			}
			checkRules(t, got.Out)
		}
	}
}

// TestCatalogueSays checks that readers are told what they need.
func TestCatalogueSays(t *testing.T) {
	text := read(t, catalogueFolder+"/kustomization.yaml")
	for name, i := range catalogue(t) {
		if !strings.Contains(text, "- "+name+".yaml\n") {
			t.Errorf("kustomization.yaml leaves %s out", name)
		}
		for _, gap := range unsaid(i) {
			t.Errorf("%s does not say %s", name, gap)
		}
	}
}

// unsaid are the things that an indicator does not tell its readers.
func unsaid(i *v1alpha1.ClusterIndicator) []string {
	s := i.Spec
	said := map[string]bool{
		"metric": i.Annotations["experience.slo/metric"] != "", "exporter": i.Annotations["experience.slo/exporter"] != "",
		"source":        i.Annotations["experience.slo/source"] != "",
		"basis":         slices.Contains([]string{"Published", "Benchmark", "Judgement", "None"}, i.Annotations["experience.slo/basis"]),
		"description":   s.Description != "",
		"perspective":   s.Perspective != "",
		"unit":          s.Unit != "",
		"defaultWindow": s.DefaultWindow != "", "minimumEvents": s.MinimumEvents != nil,
		// How many go on to the next step differs from funnel to funnel.
		"defaultTarget": (s.DefaultTarget == "") == (i.Name == "funnel-step"),
	}
	for _, p := range s.Parameters {
		said["what "+string(p.Name)+" is for"] = p.Description != ""
	}
	return slices.DeleteFunc(sorted(said), func(what string) bool { return said[what] })
}
