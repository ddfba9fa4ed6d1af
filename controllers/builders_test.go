package controllers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// patience is how long a test waits for something that must come.
const patience = 3 * time.Minute

// aSource builds a MetricSource named "prometheus".
func aSource(namespace, url string, change ...func(*v1alpha1.MetricSourceSpec)) *v1alpha1.MetricSource {
	s := &v1alpha1.MetricSource{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prometheus"},
		Spec:       v1alpha1.MetricSourceSpec{URL: url},
	}
	for _, c := range change {
		c(&s.Spec)
	}
	return s
}

// anObjective builds an objective on page speed that the stories' storefront
// meets: about 84% of its pages show within 2.5 s.
func anObjective(namespace, name string, change ...func(*v1alpha1.ObjectiveSpec)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "storefront", Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web",
			SourceRef: &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: "prometheus"},
			Indicator: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
				Histogram: `web_vitals_lcp_seconds{namespace="long-hold"}`, Threshold: "2.5",
			}},
			Target: "75%",
			Window: v1alpha1.Window{Rolling: "28d"},
		},
	}
	for _, c := range change {
		c(&o.Spec)
	}
	return o
}

func target(t v1alpha1.Target) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) { s.Target = t }
}

func indicator(in v1alpha1.ObjectiveIndicator) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) { s.Indicator = in }
}

func rolling(w v1alpha1.RollingWindow) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) { s.Window = v1alpha1.Window{Rolling: w} }
}

// await reads an object until a condition of it holds, and returns what was
// read.
func await[T client.Object](t testing.TB, o T, what string, holds func(T) bool) T {
	t.Helper()
	return awaitWithin(t, patience, o, what, holds)
}

// awaitWithin is await with a patience of its own.
func awaitWithin[T client.Object](t testing.TB, patience time.Duration, o T, what string, holds func(T) bool) T {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := env.admin.Get(context.Background(), client.ObjectKeyFromObject(o), o)
		if err == nil && holds(o) {
			return o
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not come within %s; the object is\n%s", what, patience, describe(o))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// settled waits until an objective's Met has the reason.
func settled(t testing.TB, o *v1alpha1.Objective, reason string) *v1alpha1.Objective {
	t.Helper()
	return await(t, o, "Met with reason "+reason, func(o *v1alpha1.Objective) bool {
		met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
		return met != nil && met.Reason == reason && met.ObservedGeneration == o.Generation
	})
}

// describe prints the status of an object of any kind, for failures and logs.
func describe(o client.Object) string {
	switch o := o.(type) {
	case *v1alpha1.Objective:
		return fmt.Sprintf("attainment %q budget %q events %d coverage %q\n%s", o.Status.Attainment, o.Status.BudgetRemaining,
			ptr.Deref(o.Status.Events, 0), o.Status.Coverage, conditionsOf(o.Status.Conditions))
	case *v1alpha1.Gate:
		return gateText(o) + "\n" + conditionsOf(o.Status.Conditions)
	case *v1alpha1.Journey:
		return journeyText(o) + "\n" + conditionsOf(o.Status.Conditions)
	case interface{ GetConditions() []metav1.Condition }:
		return conditionsOf(o.GetConditions())
	default:
		return o.GetName()
	}
}

func conditionsOf(conditions []metav1.Condition) string {
	out := ""
	for _, c := range conditions {
		out += fmt.Sprintf("  %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	return out
}

// named gives a source another name.
func named(name string, s *v1alpha1.MetricSource) *v1alpha1.MetricSource {
	s.Name = name
	return s
}

// from has an objective use the MetricSource of a name.
func from(name v1alpha1.Name) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) {
		s.SourceRef = &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: name}
	}
}

// shared has an objective use the ClusterMetricSource of a name.
func shared(name v1alpha1.Name) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) {
		s.SourceRef = &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindClusterMetricSource, Name: name}
	}
}

// forbidden builds a ClusterMetricSource named "closed" that no namespace of the
// tests may use.
func forbidden() *v1alpha1.ClusterMetricSource {
	return &v1alpha1.ClusterMetricSource{
		ObjectMeta: metav1.ObjectMeta{Name: "closed"},
		Spec: v1alpha1.ClusterMetricSourceSpec{
			MetricSourceSpec:  v1alpha1.MetricSourceSpec{URL: env.prom.URL},
			AllowedNamespaces: &v1alpha1.AllowedNamespaces{Names: []v1alpha1.Label{"elsewhere"}},
		},
	}
}

func histogram(s v1alpha1.Selector) func(*v1alpha1.ObjectiveSpec) {
	return func(spec *v1alpha1.ObjectiveSpec) { spec.Indicator.Distribution.Histogram = s }
}

// request asks for an evaluation now and waits for the answer.
func request(t testing.TB, o *v1alpha1.Objective, value string) *v1alpha1.Objective {
	t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.ReconcileRequestAnnotation, value)
	if err := env.admin.Patch(context.Background(), o, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		t.Fatal(err)
	}
	return await(t, o, "lastHandledReconcileAt="+value, func(o *v1alpha1.Objective) bool {
		return o.Status.LastHandledReconcileAt == value
	})
}
