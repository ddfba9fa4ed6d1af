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
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/cli"
)

// shippedObjectives are those of the demo, which are on the world that the tests'
// Prometheus holds.
func shippedObjectives(t *testing.T, namespace string) []*v1alpha1.Objective {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "hack", "demo", "manifests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*v1alpha1.Objective
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			o := &v1alpha1.Objective{}
			if err := yaml.Unmarshal([]byte(document), o); err != nil {
				t.Fatal(err)
			}
			// One has a mistake, as some do, for which the command line judges none.
			if o.Kind == "Objective" && o.Name != "delivery" {
				out = append(out, anObjective(namespace, o.Namespace+"-"+o.Name, func(s *v1alpha1.ObjectiveSpec) {
					ref := s.SourceRef
					*s = o.Spec
					s.SourceRef = ref
				}))
			}
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
	source := aSource(ns, env.prom.URL)
	source.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "MetricSource"}
	sourceText, err := yaml.Marshal(source)
	if err != nil {
		t.Fatal(err)
	}
	create(t, source)
	all := append(shippedObjectives(t, ns), otherObjectives(ns)...)
	kinds, outcomes := map[string]bool{}, map[metav1.ConditionStatus]bool{}
	texts := make([]string, len(all))
	for i, o := range all {
		o.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Objective"}
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
		create(t, o)
	}
	for i, o := range all {
		kinds[kindOf(o)] = true
		t.Run(o.Name, func(t *testing.T) {
			await(t, o, "a verdict", func(o *v1alpha1.Objective) bool {
				met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
				return met != nil && met.Reason != v1alpha1.ReasonEvaluationPending && met.Reason != v1alpha1.ReasonSourceUnavailable
			})
			want, got := o.Status, judgedByCommand(t, string(sourceText)+"---\n"+texts[i], judgedAt(o))
			outcomes[meta.FindStatusCondition(want.Conditions, v1alpha1.ConditionMet).Status] = true
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime", "ObservedGeneration"),
				cmpopts.SortSlices(func(a, b metav1.Condition) bool { return a.Type < b.Type }),
				cmpopts.IgnoreFields(v1alpha1.ObjectiveStatus{}, "ObservedGeneration")); diff != "" {
				t.Errorf("the figures of one moment differ: -operator, +command:\n%s", diff)
			}
		})
	}
	if len(kinds) != 7 || len(outcomes) != 3 {
		t.Errorf("not all is compared: kinds %v, outcomes %v", kinds, outcomes)
	}
}

// kindOf names the kind of an objective's indicator.
func kindOf(o *v1alpha1.Objective) string {
	in := o.Spec.Indicator
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
