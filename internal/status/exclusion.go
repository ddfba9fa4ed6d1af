package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
)

// states are the reason and the words of each state.
var states = map[v1alpha1.ExclusionState][2]string{
	v1alpha1.ExclusionPlanned:   {v1alpha1.ReasonPlanned, "the exclusion has not begun"},
	v1alpha1.ExclusionActive:    {v1alpha1.ReasonActive, "the exclusion has begun and is not over"},
	v1alpha1.ExclusionEnded:     {v1alpha1.ReasonEnded, "the exclusion is over and a record: it can be withdrawn, and not changed otherwise"},
	v1alpha1.ExclusionWithdrawn: {v1alpha1.ReasonWithdrawn, "the exclusion was withdrawn: its time counts again"},
}

// Exclusion writes where an exclusion stands.
func Exclusion(x *v1alpha1.Exclusion, o evaluate.ExclusionOutcome) {
	s := &x.Status
	objectives := int32(o.Objectives)
	s.ObservedGeneration, s.State, s.Objectives, s.Next = x.Generation, o.State, &objectives, nil
	if o.Next != nil {
		s.Next = &v1alpha1.ExclusionSpan{From: metav1.NewTime(o.Next.Start.UTC()), To: metav1.NewTime(o.Next.End.UTC())}
	}
	words := states[o.State]
	message := words[1]
	if x.Spec.Withdrawn != nil && x.Spec.Withdrawn.At != nil {
		message = withdrawal(o.State, message)
	}
	if objectives == 0 {
		message += "; it is for no objective that there is: look at spec.selector, spec.objectives and spec.services"
	}
	replace(x, Ready(words[0], message))
}

// withdrawal words the state of an exclusion that is taken back from a moment on.
func withdrawal(state v1alpha1.ExclusionState, message string) string {
	if state == v1alpha1.ExclusionWithdrawn {
		return "the exclusion was withdrawn: its time counts again since spec.withdrawn.at"
	}
	return message + "; it is withdrawn: its time counts again from spec.withdrawn.at on"
}

// InvalidExclusion writes what a person must mend. The state stays: what may change
// of the spec depends on it.
func InvalidExclusion(x *v1alpha1.Exclusion, reason, message string) {
	x.Status.ObservedGeneration, x.Status.Objectives, x.Status.Next = x.Generation, nil, nil
	replace(x, NotReady(reason, message), Stalled(reason, message))
}
