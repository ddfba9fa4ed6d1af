package controllers_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// pageSpeed builds the Indicator of anObjective, with its threshold as a parameter.
func pageSpeed(namespace string) *v1alpha1.Indicator {
	return &v1alpha1.Indicator{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "page-speed"},
		Spec: v1alpha1.IndicatorSpec{
			Parameters: []v1alpha1.Parameter{
				{Name: "namespace"},
				{Name: "threshold", Type: v1alpha1.ParameterTypeNumber, Default: new(v1alpha1.ParameterValue("2.5"))},
			},
			Template: v1alpha1.IndicatorTemplate{Distribution: &v1alpha1.DistributionTemplate{
				Histogram: `web_vitals_lcp_seconds{namespace="${namespace}"}`, Threshold: "${threshold}",
			}},
		},
	}
}

// refers has an objective use the Indicator page-speed.
func refers(given map[string]v1alpha1.ParameterValue) func(*v1alpha1.ObjectiveSpec) {
	return indicator(v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{
		Kind: v1alpha1.IndicatorKindIndicator, Name: "page-speed", Parameters: given,
	}})
}

// update changes an object as its owner would.
func update[T client.Object](t *testing.T, o T, change func(T)) {
	t.Helper()
	before, _ := o.DeepCopyObject().(T)
	change(o)
	if err := env.admin.Patch(context.Background(), o, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// awaitCondition waits for the reason of a condition and gives its message.
func awaitCondition(t *testing.T, o *v1alpha1.Objective, condition, reason string) string {
	t.Helper()
	await(t, o, condition+" with reason "+reason, func(o *v1alpha1.Objective) bool {
		c := meta.FindStatusCondition(o.Status.Conditions, condition)
		return c != nil && c.Reason == reason && o.Status.ObservedGeneration == o.Generation
	})
	return meta.FindStatusCondition(o.Status.Conditions, condition).Message
}

// TestIndicators takes an objective through the life of its indicator: it is not
// there, comes, is used wrongly, changes, breaks, is mended and goes.
func TestIndicators(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "indicators")
	create(t, aSource(ns, env.prom.URL))
	inline := anObjective(ns, "inline")
	o := anObjective(ns, "by-reference", refers(nil))
	create(t, inline, o)

	says := func(got, want string) {
		t.Helper()
		t.Log(got)
		if !strings.Contains(got, want) {
			t.Errorf("the condition says %q, want %q in it", got, want)
		}
	}
	says(awaitCondition(t, o, v1alpha1.ConditionReconciling, v1alpha1.ReasonIndicatorNotFound),
		"spec.indicator.ref: Indicator indicators/page-speed does not exist: create it, or name another")

	shared := pageSpeed(ns)
	create(t, shared)
	says(awaitCondition(t, o, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidParameter), "namespace is missing and has no default: add it, a String")

	update(t, o, func(o *v1alpha1.Objective) {
		refers(map[string]v1alpha1.ParameterValue{"namespace": `"} or vector(1) #`})(&o.Spec)
	})
	settled(t, o, v1alpha1.ReasonNoData)

	update(t, o, func(o *v1alpha1.Objective) {
		refers(map[string]v1alpha1.ParameterValue{"namespace": "long-hold"})(&o.Spec)
	})
	settled(t, o, v1alpha1.ReasonTargetMet)
	settled(t, inline, v1alpha1.ReasonTargetMet)
	if o.Status.Attainment != inline.Status.Attainment || *o.Status.Events < *inline.Status.Events-1000 {
		t.Errorf("by reference: %s, inline: %s", describe(o), describe(inline))
	}
	t.Logf("within 2.5 s: %s", o.Status.Attainment)

	within, generation := o.Status.Attainment, o.Generation
	update(t, shared, func(i *v1alpha1.Indicator) { i.Spec.Parameters[1].Default = new(v1alpha1.ParameterValue("4")) })
	await(t, o, "another attainment", func(o *v1alpha1.Objective) bool { return o.Status.Attainment != within && o.Status.Attainment != "" })
	t.Logf("within 4 s: %s", o.Status.Attainment)
	if o.Generation != generation || o.Status.Attainment <= within {
		t.Errorf("generation %d, attainment %s, was %d and %s: more pages are within 4 s", o.Generation, o.Status.Attainment, generation, within)
	}

	update(t, shared, func(i *v1alpha1.Indicator) { i.Spec.Template.Distribution.Histogram = `rate(x{a="${namespace}"}[5m])` })
	says(awaitCondition(t, o, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidQuery), "Indicator indicators/page-speed: spec.template.distribution.histogram: ")
	update(t, shared, func(i *v1alpha1.Indicator) { i.Spec.Template = pageSpeed(ns).Spec.Template })
	settled(t, o, v1alpha1.ReasonTargetMet)

	if err := env.admin.Delete(context.Background(), shared); err != nil {
		t.Fatal(err)
	}
	awaitCondition(t, o, v1alpha1.ConditionReconciling, v1alpha1.ReasonIndicatorNotFound)
}

// TestClusterIndicators uses one of the catalogue as it ships.
func TestClusterIndicators(t *testing.T) {
	if out, err := env.kubectl("apply", "--server-side", "-k", "../config/indicators"); err != nil {
		t.Fatalf("install the catalogue: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := env.kubectl("delete", "-k", "../config/indicators"); err != nil {
			t.Errorf("remove the catalogue: %v: %s", err, out)
		}
	})
	startOperator(t)
	ns := namespace(t, "cluster-indicators")
	create(t, aSource(ns, env.prom.URL))
	// The world has no label app: its histogram is told apart by nothing.
	o := anObjective(ns, "web-lcp", indicator(v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{Kind: v1alpha1.IndicatorKindClusterIndicator, Name: "web-lcp"}}), target("1%"))
	create(t, o)
	settled(t, o, v1alpha1.ReasonTargetMet)
	t.Log(describe(o))
	out, err := env.kubectl("get", "cxi")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Log(out)
	if lines := strings.Count(out, "\n"); lines != 39 {
		t.Errorf("kubectl lists %d lines, want a heading and 38 indicators", lines)
	}
}
