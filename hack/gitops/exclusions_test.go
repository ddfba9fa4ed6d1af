package gitops_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

// exclusion takes one through what happens to it. It is as the API server makes it
// before anything does.
func exclusion(events ...func(*v1alpha1.Exclusion)) *v1alpha1.Exclusion {
	x := &v1alpha1.Exclusion{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Exclusion"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "migration", Generation: 2},
		Spec: v1alpha1.ExclusionSpec{
			Services: []v1alpha1.Label{"checkout"}, From: metav1.NewTime(now), To: metav1.NewTime(now.Add(time.Hour)),
			Reason: "The database moves.", Approver: "ops",
		},
		Status: v1alpha1.ExclusionStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(x)
	}
	return x
}

// stands is a look at the exclusion, some time after it began.
func stands(after time.Duration) func(*v1alpha1.Exclusion) {
	return func(x *v1alpha1.Exclusion) {
		objectives := []v1alpha1.Objective{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}, Spec: v1alpha1.ObjectiveSpec{Service: "checkout"}}}
		outcome, err := evaluate.Exclusion(x, objectives, now.Add(after))
		if err != nil {
			panic(err)
		}
		status.Exclusion(x, outcome)
	}
}

// exclusions are the states of an Exclusion.
func exclusions() map[string]state {
	const unseen, waits, done, fails = "the operator has not seen this spec yet", "Progressing", "Healthy", "Degraded"
	changed := func(x *v1alpha1.Exclusion) { x.Generation++ }
	invalid := func(x *v1alpha1.Exclusion) {
		status.InvalidExclusion(x, v1alpha1.ReasonInvalidTimeZone, "no such zone")
	}
	withdrawn := func(x *v1alpha1.Exclusion) {
		x.Spec.Withdrawn = &v1alpha1.Withdrawal{Reason: "nothing happened", By: "ops"}
	}
	return map[string]state{
		"NotSeen": {"the operator has not begun", exclusion(), health{waits, waits, unseen, "InProgress"}},
		"Changed": {"a phase is about the spec that it was of", exclusion(stands(-time.Hour), changed), health{waits, waits, unseen, "InProgress"}},
		"Planned": {"nothing has begun", exclusion(stands(-time.Hour)), health{done, done, "Planned: the exclusion has not begun", "Current"}},
		"Active":  {"it is on", exclusion(stands(time.Minute)), health{done, done, "Active: the exclusion has begun and is not over", "Current"}},
		"Ended": {"it is over", exclusion(stands(time.Hour)),
			health{done, done, "Ended: the exclusion is over and a record: it can be withdrawn, and not changed otherwise", "Current"}},
		"Withdrawn": {"it was taken back", exclusion(withdrawn, stands(time.Hour)),
			health{done, done, "Withdrawn: the exclusion was withdrawn: its time counts again", "Current"}},
		"Invalid": {"a person must mend the spec", exclusion(invalid), health{fails, fails, "InvalidTimeZone: no such zone", "Failed"}},
		"Mended":  {"and then it is as if nothing had been", exclusion(invalid, changed, stands(time.Minute)), health{done, done, "Active: the exclusion has begun and is not over", "Current"}},
		"Deleted": {"a finalizer of somebody else holds it", exclusion(stands(time.Hour), func(x *v1alpha1.Exclusion) {
			x.Finalizers, x.DeletionTimestamp = []string{"example.com/slow"}, new(metav1.NewTime(now))
		}), health{waits, waits, "the exclusion is being deleted", "Terminating"}},
	}
}
