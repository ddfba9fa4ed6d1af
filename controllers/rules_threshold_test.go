package controllers_test

import (
	"context"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestChangedThreshold changes the threshold of an objective that has rules to
// one that is no bucket boundary, and back: nobody is judged, and nobody paged,
// by a bucket that does not exist.
func TestChangedThreshold(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "changed-threshold")
	bindWriter(t, ns)
	create(t, aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputConfigMap)))
	o := anObjective(ns, "page-speed")
	create(t, o)
	settled(t, o, v1alpha1.ReasonTargetMet)
	const file = "changed-threshold.page-speed.yaml"
	awaitFiles(t, ns, file)
	attained := o.Status.Attainment

	changeThreshold(t, o, "2.2")
	settled(t, o, v1alpha1.ReasonInvalidThreshold)
	awaitFiles(t, ns, file)
	for _, m := range ruleMaps(t, ns) {
		if text := m.Data[file]; strings.Contains(text, "2.2") || !strings.Contains(text, `le="2.5"`) {
			t.Errorf("a mistake in a threshold changed the rules:\n%s", text)
		}
	}

	changeThreshold(t, o, "2.5")
	settled(t, o, v1alpha1.ReasonTargetMet)
	if o.Status.Attainment != attained {
		t.Errorf("attainment: %s, want %s as before", o.Status.Attainment, attained)
	}
}

func changeThreshold(t *testing.T, o *v1alpha1.Objective, threshold v1alpha1.Decimal) {
	t.Helper()
	before := o.DeepCopy()
	o.Spec.Indicator.Distribution.Threshold = threshold
	if err := env.admin.Patch(context.Background(), o, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}
