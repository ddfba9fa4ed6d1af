package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestUnreadableGrant has the owner of a source for all namespaces write a selector that
// nobody can read: the source and the objectives say so, those that are allowed by name
// are measured, no rules are taken away, and all is well once it is mended.
func TestUnreadableGrant(t *testing.T) {
	definePrometheusRules(t)
	op := startOperator(t)
	named, chosen := namespace(t, "grant-named"), namespace(t, "grant-chosen")
	source := clusterSource(t, "grant", func(s *v1alpha1.ClusterMetricSourceSpec) {
		s.Rules.Output = v1alpha1.RulesOutputPrometheusRule
		s.AllowedNamespaces = &v1alpha1.AllowedNamespaces{
			Names:    []v1alpha1.Label{v1alpha1.Label(named)},
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": chosen}},
		}
	})
	kept, lost := anObjective(named, "kept", shared("grant")), anObjective(chosen, "lost", shared("grant"))
	create(t, kept, lost)
	settled(t, kept, v1alpha1.ReasonTargetMet)
	settled(t, lost, v1alpha1.ReasonTargetMet)
	before := rule(t, lost, "to be made", there)

	update(t, source, func(s *v1alpha1.ClusterMetricSource) { s.Spec.AllowedNamespaces.Selector = unreadable() })
	settled(t, lost, v1alpha1.ReasonSourceNotAllowed)
	const why = `spec.allowedNamespaces.selector: "Contains" is not a valid label selector operator`
	want := `True SourceNotAllowed: spec.sourceRef: ClusterMetricSource grant does not tell whether it allows namespace "grant-chosen": ` +
		`ask its owner to mend it, or use another source: ` + why
	if diff := cmp.Diff(want, worded(lost.Status.Conditions)["Stalled"]); diff != "" {
		t.Errorf("the objective: -want, +got:\n%s", diff)
	}
	await(t, source, "Stalled", func(s *v1alpha1.ClusterMetricSource) bool {
		return worded(s.Status.Conditions)["Stalled"] == "True InvalidSpec: "+why
	})
	await(t, lost, "rules that wait", func(o *v1alpha1.Objective) bool {
		return strings.Contains(worded(o.Status.Conditions)["RulesLoaded"], "rules that are installed stay until it does")
	})
	if after := rule(t, lost, "to stay", there); after.UID != before.UID || after.ResourceVersion != before.ResourceVersion {
		t.Error("the rules were written")
	}
	if got := request(t, kept, "again"); meta.IsStatusConditionFalse(got.Status.Conditions, v1alpha1.ConditionReady) {
		t.Errorf("a namespace that is allowed by name:\n%s", describe(got))
	}

	// Of whom may use it, the source is looked after.
	expected := func() float64 {
		patch(t, source, annotation(fmt.Sprint(time.Now().UnixNano())))
		count, _ := counted(t, op, source)
		return count
	}
	eventually(t, "one that is expected", func() bool { return expected() == 1 })
	create(t, anObjective(named, "more", shared("grant")))
	eventually(t, "two that are expected", func() bool { return expected() == 2 })

	update(t, source, func(s *v1alpha1.ClusterMetricSource) { s.Spec.AllowedNamespaces.Selector = &metav1.LabelSelector{} })
	settled(t, lost, v1alpha1.ReasonTargetMet)
	await(t, source, "Ready", func(s *v1alpha1.ClusterMetricSource) bool {
		return meta.IsStatusConditionTrue(s.Status.Conditions, v1alpha1.ConditionReady)
	})
}
