package controllers_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/cli"
)

// ordered is what a journey needs, and the journey: objectives with an indicator of
// their own and with that of others, with a calendar, of the product and of service, by
// name and by label, and one that decides nothing.
func ordered(t *testing.T, ns string) (manifests string, journey *v1alpha1.Journey) {
	t.Helper()
	speed := &v1alpha1.Indicator{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "speed"}}
	speed.Spec = v1alpha1.IndicatorSpec{
		Perspective: v1alpha1.PerspectiveUX, Template: v1alpha1.IndicatorTemplate{Distribution: &v1alpha1.DistributionTemplate{
			Histogram: `web_vitals_lcp_seconds{namespace="long-hold"}`, Threshold: "2.5",
		}},
	}
	source := aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule), func(s *v1alpha1.MetricSourceSpec) {
		s.Rules.GroupPrefix, s.Rules.Labels = "promises", map[string]v1alpha1.ObjectLabel{"region": "north"}
		s.Rules.ObjectLabels = map[string]v1alpha1.ObjectLabel{"release": "monitoring"}
	})
	refers := indicator(v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{Kind: v1alpha1.IndicatorKindIndicator, Name: "speed"}})
	fast, kind := anObjective(ns, "fast", refers), anObjective(ns, "kind", service, during("desk"))
	kind.Labels = map[string]string{"stage": "phone"}
	journey = aJourney(ns, "order", passes("web", v1alpha1.ImportanceCritical, "fast", "short"), chosenFor("phone", "phone"),
		passes("mail", v1alpha1.ImportanceNormal, "dull"))
	journey.Spec.Stages[1].Importance = v1alpha1.ImportanceCritical
	journey.Spec.Aggregation, journey.Spec.Completion = v1alpha1.AggregationCompletion, "done"
	recoveredBy(journey, v1alpha1.Recovery{Stage: "web", By: "phone", Cap: "50%"})
	for _, o := range []struct {
		client.Object
		kind string
	}{
		{speed, "Indicator"}, {mornings(ns), "Calendar"}, {source, "MetricSource"}, {fast, "Objective"}, {kind, "Objective"},
		{anObjective(ns, "short", rolling("1d"), target("60%")), "Objective"}, {anObjective(ns, "done", target("50%")), "Objective"},
		{anObjective(ns, "dull"), "Objective"}, {journey, "Journey"},
	} {
		manifests += created(t, o.Object, o.kind)
	}
	return manifests, journey
}

// printedRules gives the objects that render prints.
func printedRules(t *testing.T, manifests string) []monitoringv1.PrometheusRule {
	t.Helper()
	var out, told bytes.Buffer
	p := cli.Program{In: strings.NewReader(manifests), Out: &out, Err: &told, Now: time.Now}
	if code := p.Run(t.Context(), []string{"render", "-f", "-", "-o", "prometheusrule"}); code != cli.Done {
		t.Fatalf("render ends with %d: %s", code, told.String())
	}
	var all []monitoringv1.PrometheusRule
	for text := range strings.SplitSeq(out.String(), "\n---\n") {
		var o monitoringv1.PrometheusRule
		if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// TestCommandLineRendersAlike has the operator install the rules of a journey and of its
// objectives, and the command line print them: they are the same.
func TestCommandLineRendersAlike(t *testing.T) {
	definePrometheusRules(t)
	startOperator(t)
	ns := namespace(t, "rendered-alike")
	manifests, journey := ordered(t, ns)

	journeyRule(t, journey, "to be made", there)
	objects := printedRules(t, manifests)
	var names []string
	for _, got := range objects {
		names = append(names, got.Name)
		want := rule(t, anObjective(ns, got.Name), "to be made", there)
		if diff := cmp.Diff(want.Spec, got.Spec); diff != "" {
			t.Errorf("%s: -operator, +command:\n%s", got.Name, diff)
		}
		got.Labels["app.kubernetes.io/managed-by"] = want.Labels["app.kubernetes.io/managed-by"]
		if diff := cmp.Diff(want.Labels, got.Labels); diff != "" {
			t.Errorf("labels of %s: -operator, +command:\n%s", got.Name, diff)
		}
	}
	if diff := cmp.Diff([]string{"done", "dull", "fast", "kind", "short", "order.journey"}, names); diff != "" {
		t.Errorf("objects: -want, +command:\n%s", diff)
	}
	last := objects[len(objects)-1].Spec.Groups[0]
	t.Logf("%d objects are the same; group %s has %d rules, the last one %s", len(objects), last.Name, len(last.Rules), last.Rules[len(last.Rules)-1].Alert)
}
