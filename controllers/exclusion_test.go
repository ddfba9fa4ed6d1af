package controllers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// anExclusion is one of all objectives of the service storefront, from and to some
// time from now.
func anExclusion(ns, name string, from, to time.Duration, change ...func(*v1alpha1.ExclusionSpec)) *v1alpha1.Exclusion {
	now := time.Now().UTC().Truncate(time.Second)
	x := &v1alpha1.Exclusion{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: v1alpha1.ExclusionSpec{
			Services: []v1alpha1.Label{"storefront"}, From: metav1.NewTime(now.Add(from)), To: metav1.NewTime(now.Add(to)),
			Reason: "a test", Approver: "tests@example.com",
		},
	}
	for _, c := range change {
		c(&x.Spec)
	}
	return x
}

// stands waits until an exclusion is in a phase, for so many objectives.
func stands(t *testing.T, x *v1alpha1.Exclusion, phase v1alpha1.ExclusionPhase, objectives int32) {
	t.Helper()
	await(t, x, string(phase), func(x *v1alpha1.Exclusion) bool {
		return x.Status.Phase == phase && ptr.Deref(x.Status.Objectives, -1) == objectives && x.Status.ObservedGeneration == x.Generation
	})
}

func TestExclusionPhases(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "exclusion-phases")
	bySelector := func(s *v1alpha1.ExclusionSpec) {
		s.Services, s.Selector = nil, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "web"}}
	}
	lost := anObjective(ns, "lost")
	lost.Labels = map[string]string{"team": "web"}
	create(t, anObjective(ns, "page-speed"), lost)
	planned, active := anExclusion(ns, "planned", time.Hour, 2*time.Hour), anExclusion(ns, "active", -time.Hour, time.Hour, bySelector)
	begins, ends := anExclusion(ns, "begins", 2*time.Second, time.Hour), anExclusion(ns, "ends", -time.Hour, 2*time.Second)
	wrong := anExclusion(ns, "wrong", -time.Hour, 0, func(s *v1alpha1.ExclusionSpec) {
		s.Recurrence = &v1alpha1.Recurrence{Every: v1alpha1.ExclusionDaily, TimeZone: "Mars/Olympus"}
	})
	create(t, planned, active, begins, ends, wrong)

	stands(t, planned, v1alpha1.ExclusionPlanned, 2)
	stands(t, active, v1alpha1.ExclusionActive, 1)
	stands(t, begins, v1alpha1.ExclusionActive, 2)
	stands(t, ends, v1alpha1.ExclusionEnded, 2)
	await(t, wrong, "Stalled", func(x *v1alpha1.Exclusion) bool {
		return strings.Contains(conditionsOf(x.Status.Conditions), "Stalled=True InvalidTimeZone: spec.recurrence.timeZone: \"Mars/Olympus\" is no time zone")
	})
	for _, x := range []*v1alpha1.Exclusion{planned, active, begins, ends, wrong} {
		if said := complaints(context.Background(), x); len(said) > 0 {
			t.Errorf("the conditions of %s are not as they should be: %q", x.Name, said)
		}
	}

	// For whom it is follows labels and what there is.
	update(t, lost, func(o *v1alpha1.Objective) { o.Labels = map[string]string{"team": "app"} })
	stands(t, active, v1alpha1.ExclusionActive, 0)
	update(t, lost, func(o *v1alpha1.Objective) { o.Labels = map[string]string{"team": "web"} })
	stands(t, active, v1alpha1.ExclusionActive, 1)
	if err := env.admin.Delete(context.Background(), lost); err != nil {
		t.Fatal(err)
	}
	stands(t, active, v1alpha1.ExclusionActive, 0)
	stands(t, planned, v1alpha1.ExclusionPlanned, 1)

	refuses(t, ends, "nothing of its spec changes any more but withdrawn", func(x *v1alpha1.Exclusion) { x.Spec.Reason = "another" })
	refuses(t, begins, "from and, of one that comes again", func(x *v1alpha1.Exclusion) { x.Spec.From = planned.Spec.From })
	update(t, ends, func(x *v1alpha1.Exclusion) { x.Spec.Withdrawn = &v1alpha1.Withdrawal{Reason: "nothing happened", By: "tests"} })
	stands(t, ends, v1alpha1.ExclusionWithdrawn, 1)
	refuses(t, ends, "the exclusion was withdrawn and is a record", func(x *v1alpha1.Exclusion) { x.Spec.Withdrawn = nil })
}

// refuses changes an object, which the API server must refuse with these words.
func refuses(t *testing.T, x *v1alpha1.Exclusion, words string, change func(*v1alpha1.Exclusion)) {
	t.Helper()
	before := x.DeepCopy()
	after := x.DeepCopy()
	change(after)
	err := env.admin.Patch(context.Background(), after, client.MergeFrom(before))
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("the API server says %v, want %q in it", err, words)
	}
}
