package docs_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// kindOf is the kind that a page under docs/spec is about.
var kindOf = map[string]string{
	"docs/spec/objective.md":           "Objective",
	"docs/spec/metricsource.md":        "MetricSource",
	"docs/spec/indicator.md":           "Indicator",
	"docs/spec/clustermetricsource.md": "ClusterMetricSource",
	"docs/spec/gate.md":                "Gate",
	"docs/spec/journey.md":             "Journey",
	"docs/spec/calendar.md":            "Calendar",
	"docs/spec/exclusion.md":           "Exclusion",
}

// whole are specs to which the pages' fragments are added.
var whole = map[string]string{
	"Objective": `
service: checkout
perspective: UX
indicator: {events: {good: 'good_total', total: 'all_total'}}
target: 75%
window: {rolling: 28d}`,
	"Gate":                `objectives: {names: [page-speed]}`,
	"Journey":             `stages: [{name: web, objectives: {names: [page-speed]}}]`,
	"Indicator":           `template: {events: {good: a, total: b}}`,
	"Calendar":            `timeZone: Europe/Berlin`,
	"MetricSource":        `url: http://prometheus.monitoring.svc:9090`,
	"ClusterMetricSource": `url: http://prometheus.monitoring.svc:9090`,
}

// examples are the objects that a page shows. On a kind's own page a block
// without apiVersion is a part of a spec.
func examples(t *testing.T, p page) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, b := range p.blocks {
		if b.language != "yaml" {
			continue
		}
		for text := range strings.SplitSeq(b.text, "\n---\n") {
			object := decode(t, text)
			version, complete := object["apiVersion"]
			kind, ours := kindOf[p.path]
			switch {
			case complete && version == v1alpha1.GroupVersion.String():
				out = append(out, object)
			case !complete && ours:
				spec := decode(t, whole[kind])
				maps.Copy(spec, object)
				out = append(out, map[string]any{
					"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind,
					"metadata": map[string]any{"name": "example"}, "spec": spec,
				})
			}
		}
	}
	return out
}

// faults is what is wrong with an example: what the API server refuses, and what the
// operator does not understand.
func faults(t *testing.T, object map[string]any) []string {
	t.Helper()
	kind, _ := object["kind"].(string)
	if plurals[kind] == "" {
		return []string{"there is no kind " + kind}
	}
	if refused := define(t, kind).refusals(t, object); len(refused) > 0 {
		return refused
	}
	switch kind {
	case "Objective":
		return misunderstood(t, object)
	case "Indicator", "ClusterIndicator":
		return mistakesOf(t, object)
	case "Calendar":
		return closedOf(t, object)
	default:
		return nil
	}
}

// misunderstood is what the operator does not understand of an objective.
func misunderstood(t *testing.T, object map[string]any) []string {
	t.Helper()
	objective := &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, objective); err != nil {
		return []string{err.Error()}
	}
	input := compile.Input{Objective: objective, Source: &v1alpha1.MetricSourceSpec{}, Now: time.Now()}
	if ref := objective.Spec.Indicator.Ref; ref != nil {
		input.Indicator = shipped(t)[string(ref.Name)]
	}
	if objective.Spec.CalendarRef != nil {
		input.Calendar = &v1alpha1.CalendarSpec{Weekly: []v1alpha1.WeeklyHours{{Days: v1alpha1.Weekdays, Open: "08:00", Close: "18:00"}}}
	}
	if _, err := compile.Compile(input); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// closedOf is what the operator does not understand of a calendar.
func closedOf(t *testing.T, object map[string]any) []string {
	t.Helper()
	calendar := &v1alpha1.Calendar{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, calendar); err != nil {
		return []string{err.Error()}
	}
	if _, err := compile.HoursOf(&calendar.Spec, time.Now()); err != nil {
		return []string{err.Error()}
	}
	return nil
}

func TestExamplesAreAccepted(t *testing.T) {
	shown := map[string]int{}
	for _, p := range pages(t) {
		for _, object := range examples(t, p) {
			kind, _ := object["kind"].(string)
			shown[path.Join(p.path, kind)]++
			for _, fault := range faults(t, object) {
				t.Errorf("%s: %s: %v", p.path, fault, object)
			}
		}
	}
	for file, kind := range kindOf {
		if shown[path.Join(file, kind)] == 0 {
			t.Errorf("%s shows no %s", file, kind)
		}
	}
}

// TestTablesHaveTheColumns compares what kubectl is shown to print with the
// columns of the definition.
func TestTablesHaveTheColumns(t *testing.T) {
	normal, wide := []string{"NAME"}, []string{"NAME"}
	for _, column := range define(t, "Objective").crd.Spec.Versions[0].AdditionalPrinterColumns {
		name := strings.ToUpper(column.Name)
		wide = append(wide, name)
		if column.Priority == 0 {
			normal = append(normal, name)
		}
	}
	found := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			for line := range strings.Lines(b.text) {
				header := strings.TrimPrefix(line, "NAMESPACE")
				if !strings.Contains(line, "PERSPECTIVE") {
					continue
				}
				found++
				if got := strings.Fields(header); !slices.Equal(got, normal) && !slices.Equal(got, wide) {
					t.Errorf("%s shows the columns %v, kubectl prints %v", p.path, got, normal)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no page shows what kubectl prints")
	}
}

func TestFaultyExamplesAreFound(t *testing.T) {
	const head = "apiVersion: experience.slo/v1alpha1\nkind: Objective\nmetadata: {name: a}\nspec:\n"
	const good = "  service: a\n  perspective: UX\n  target: 75%\n  window: {rolling: 28d}\n  indicator: {events: {good: a, total: b}}\n"
	cases := map[string]struct {
		reason, text string
		want         string
	}{
		"Good":     {"nothing to say", head + good, ""},
		"Unknown":  {"a field that the API does not have", head + good + "  colour: red\n", "spec.colour: unknown field"},
		"Schema":   {"a value that the schema does not allow", head + strings.Replace(good, "UX", "UI", 1), `spec.perspective: Unsupported value: "UI"`},
		"Rule":     {"a rule across fields", head + strings.Replace(good, "75%", "100%", 1), "a target of 100% has no error budget"},
		"Selector": {"PromQL that is no selector", head + strings.Replace(good, "good: a", "good: 'rate(a[5m])'", 1), "is a call of rate"},
		"Kind":     {"a kind that does not exist", strings.Replace(head, "Objective", "Promise", 1) + good, "there is no kind Promise"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := faults(t, decode(t, c.text))
			found := slices.ContainsFunc(got, func(fault string) bool { return c.want != "" && strings.Contains(fault, c.want) })
			if found == (c.want == "") || (c.want == "" && len(got) > 0) {
				t.Errorf("%s: want %q, got %q", c.reason, c.want, got)
			}
		})
	}
}

func TestFragmentsCompleteASpec(t *testing.T) {
	p := parsePage("docs/spec/objective.md", "```yaml\ntarget: 90%\n```\n\n```yaml\napiVersion: v1\nkind: Namespace\n```\n")
	got := examples(t, p)
	if len(got) != 1 {
		t.Fatalf("want the fragment alone, got %v", got)
	}
	spec, _ := got[0]["spec"].(map[string]any)
	if diff := cmp.Diff([]any{"90%", "checkout"}, []any{spec["target"], spec["service"]}); diff != "" {
		t.Errorf("target and service: -want, +got:\n%s", diff)
	}
}
