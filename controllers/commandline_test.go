package controllers_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/cli"
	"github.com/experience-slo/operator/internal/compile"
)

// shippedStories are the stories of which the tests' Prometheus holds the world.
var shippedStories = []string{"app-mismatch", "flight", "laptop", "long-hold", "photo-editor"}

// shippedObjectives are those of the demo and of the stories. Each is of a source of its
// story, and refers to an indicator of the namespace.
func shippedObjectives(t *testing.T, namespace string) []*v1alpha1.Objective {
	t.Helper()
	all := documents[v1alpha1.Objective](t, "hack/demo/manifests/*.yaml")
	for _, story := range shippedStories {
		for _, o := range documents[v1alpha1.Objective](t, "config/samples/stories/"+story+"/objectives.yaml") {
			o.Namespace = story
			all = append(all, o)
		}
	}
	var out []*v1alpha1.Objective
	for _, o := range all {
		// One has a mistake, as some do, for which the command line judges none.
		if o.Kind != "Objective" || o.Name == "delivery" {
			continue
		}
		if ref := o.Spec.Indicator.Ref; ref != nil {
			ref.Kind = v1alpha1.IndicatorKindIndicator
		}
		out = append(out, anObjective(namespace, o.Namespace+"-"+o.Name, func(s *v1alpha1.ObjectiveSpec) {
			*s = o.Spec
			s.SourceRef = &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: v1alpha1.Name(o.Namespace)}
		}))
	}
	return out
}

// alikeSources are one that sees everything, and one of each story.
func alikeSources(namespace string) []*v1alpha1.MetricSource {
	out := []*v1alpha1.MetricSource{aSource(namespace, env.prom.URL)}
	for _, story := range shippedStories {
		s := aSource(namespace, env.prom.URL, func(s *v1alpha1.MetricSourceSpec) {
			s.Matchers = []v1alpha1.LabelMatcher{{Label: "namespace", Value: story}}
		})
		s.Name = story
		out = append(out, s)
	}
	return out
}

// shippedIndicators are those of the catalogue and of the stories, in a namespace.
func shippedIndicators(t *testing.T, namespace string) []*v1alpha1.Indicator {
	t.Helper()
	var out []*v1alpha1.Indicator
	for _, i := range append(documents[v1alpha1.Indicator](t, "config/indicators/*.yaml"), documents[v1alpha1.Indicator](t, "config/samples/stories/*/indicators.yaml")...) {
		if i.Spec.Perspective != "" {
			out = append(out, &v1alpha1.Indicator{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: i.Name}, Spec: i.Spec})
		}
	}
	return out
}

// documents reads the manifests in some files of the project.
func documents[T any](t *testing.T, pattern string) []T {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no file is found by %s: %v", pattern, err)
	}
	var out []T
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var o T
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			out = append(out, o)
		}
	}
	return out
}

// otherObjectives are of the kinds, windows and faults that the demo has none of.
func otherObjectives(namespace string) []*v1alpha1.Objective {
	lcp := v1alpha1.Selector(`web_vitals_lcp_seconds{namespace="long-hold"}`)
	return []*v1alpha1.Objective{
		anObjective(namespace, "queries", indicator(v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{
			Points: `sum(increase(ux_task_total{namespace="flight",outcome="success"}[$interval]))`,
			Events: `sum(increase(ux_task_total{namespace="flight"}[$interval]))`,
		}})),
		anObjective(namespace, "mean", target("4.2"), indicator(v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{
			Sum: `cx_review_score_sum{namespace="app-mismatch"}`, Count: `cx_review_score_count{namespace="app-mismatch"}`, Lowest: "1", Highest: "5",
		}}})),
		anObjective(namespace, "interpolated", indicator(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
			Histogram: lcp, Threshold: "2", PoorAbove: "4", Interpolate: new(true),
		}})),
		anObjective(namespace, "interpolated-absent", indicator(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
			Histogram: "absent_seconds", Threshold: "2", Interpolate: new(true),
		}})),
		anObjective(namespace, "month", func(s *v1alpha1.ObjectiveSpec) {
			s.Window = v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Month", TimeZone: "Asia/Kolkata"}}
		}),
		anObjective(namespace, "absent", indicator(v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "absent_total", Total: "absent_total"}})),
		anObjective(namespace, "no-boundary", indicator(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: lcp, Threshold: "3"}})),
		anObjective(namespace, "no-query", indicator(v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{
			Query: `up * on (namespace) up`, Operator: "Equal", Value: "1",
		}})),
	}
}

// judgedAt is the moment of an objective's figures, or about now where it has none.
func judgedAt(o *v1alpha1.Objective) time.Time {
	if o.Status.Window != nil {
		return o.Status.Window.End.Time
	}
	return time.Now().Add(-time.Minute)
}

// TestCommandLineJudgesAlike has the operator and the command line judge the same
// objectives at the same moment: every field of the status is the same.
func TestCommandLineJudgesAlike(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "alike")
	others, indicators := "", map[v1alpha1.Name]*v1alpha1.IndicatorSpec{}
	for _, source := range alikeSources(ns) {
		others += created(t, source, "MetricSource")
	}
	for _, i := range shippedIndicators(t, ns) {
		others += created(t, i, "Indicator")
		indicators[v1alpha1.Name(i.Name)] = &i.Spec
	}
	all := append(shippedObjectives(t, ns), otherObjectives(ns)...)
	kinds, outcomes := map[string]bool{}, map[metav1.ConditionStatus]bool{}
	texts := make([]string, len(all))
	for i, o := range all {
		texts[i] = created(t, o, "Objective")
	}
	for i, o := range all {
		kinds[kindOf(t, o, indicators)] = true
		t.Run(o.Name, func(t *testing.T) {
			await(t, o, "a verdict", func(o *v1alpha1.Objective) bool {
				met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
				return met != nil && met.Reason != v1alpha1.ReasonEvaluationPending && met.Reason != v1alpha1.ReasonSourceUnavailable
			})
			want, got := o.Status, judgedByCommand(t, others+texts[i], judgedAt(o))
			outcomes[meta.FindStatusCondition(want.Conditions, v1alpha1.ConditionMet).Status] = true
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime", "ObservedGeneration"),
				cmpopts.SortSlices(func(a, b metav1.Condition) bool { return a.Type < b.Type }),
				cmpopts.IgnoreFields(v1alpha1.ObjectiveStatus{}, "ObservedGeneration")); diff != "" {
				t.Errorf("the figures of one moment differ: -operator, +command:\n%s", diff)
			}
		})
	}
	t.Logf("%d objectives of %d kinds are judged alike", len(all), len(kinds))
	if len(kinds) != 7 || len(outcomes) != 3 {
		t.Errorf("not all is compared: kinds %v, outcomes %v", kinds, outcomes)
	}
}

// created creates an object and gives its manifest.
func created(t *testing.T, o client.Object, kind string) string {
	t.Helper()
	o.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	text, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	create(t, o)
	return string(text) + "---\n"
}

// kindOf names the kind of an objective's indicator, also of one that it refers to.
func kindOf(t *testing.T, o *v1alpha1.Objective, indicators map[v1alpha1.Name]*v1alpha1.IndicatorSpec) string {
	t.Helper()
	input := compile.Input{Objective: o}
	if ref := o.Spec.Indicator.Ref; ref != nil {
		input.Indicator = indicators[ref.Name]
	}
	resolved, err := compile.Resolve(input)
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	in := resolved.Spec.Indicator
	for kind, is := range map[string]bool{
		"events": in.Events != nil, "distribution": in.Distribution != nil, "apdex": in.Apdex != nil, "state": in.State != nil,
		"queries": in.Queries != nil, "mean": in.Score != nil && in.Score.Mean != nil, "netPromoter": in.Score != nil && in.Score.NetPromoter != nil,
	} {
		if is {
			return kind
		}
	}
	return ""
}

// judgedByCommand gives the status that evaluate prints of one objective.
func judgedByCommand(t *testing.T, manifests string, at time.Time) v1alpha1.ObjectiveStatus {
	t.Helper()
	var out, told bytes.Buffer
	p := cli.Program{In: strings.NewReader(manifests), Out: &out, Err: &told, Now: time.Now}
	p.Run(t.Context(), []string{"evaluate", "-f", "-", "-o", "yaml", "--at", at.Format(time.RFC3339)})
	var found struct{ Items []v1alpha1.Objective }
	if err := yaml.Unmarshal(out.Bytes(), &found); err != nil || len(found.Items) != 1 {
		t.Fatalf("%d objectives, %v: %s", len(found.Items), err, told.String())
	}
	return found.Items[0].Status
}
