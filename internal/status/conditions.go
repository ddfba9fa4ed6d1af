// Package status words what the operator knows as conditions and fields. Each
// condition has one constructor, so that type, status and reason always belong
// together; messages are the same for the same state and carry no figure that
// moves.
package status

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// maxMessage is the length of the longest message that a status keeps.
const maxMessage = 1024

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: shorten(message)}
}

func shorten(message string) string {
	if len(message) > maxMessage {
		return strings.ToValidUTF8(message[:maxMessage-3], "") + "..." // whole characters
	}
	return message
}

// Ready says that an object is understood and its figures stand.
func Ready(reason, message string) metav1.Condition {
	return condition(v1alpha1.ConditionReady, metav1.ConditionTrue, reason, message)
}

// NotReady says that figures are missing or too old.
func NotReady(reason, message string) metav1.Condition {
	return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
}

// Reconciling says what the operator waits for.
func Reconciling(reason, message string) metav1.Condition {
	return condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason, message)
}

// Stalled says what a person must change.
func Stalled(reason, message string) metav1.Condition {
	return condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
}

// Met says that the promise holds.
func Met(target string) metav1.Condition {
	return condition(v1alpha1.ConditionMet, metav1.ConditionTrue, v1alpha1.ReasonTargetMet,
		fmt.Sprintf("the attainment is at least the target of %s", target))
}

// Missed says that the promise is broken.
func Missed(target string) metav1.Condition {
	return condition(v1alpha1.ConditionMet, metav1.ConditionFalse, v1alpha1.ReasonTargetMissed,
		fmt.Sprintf("the attainment is below the target of %s", target))
}

// SegmentsMissed says that the promise is broken to some of those it was made to.
func SegmentsMissed(target, which string) metav1.Condition {
	return condition(v1alpha1.ConditionMet, metav1.ConditionFalse, v1alpha1.ReasonSegmentMissed,
		fmt.Sprintf("the attainment is below the target of %s for %s", target, which))
}

// Undecided says why it is not known whether the promise holds.
func Undecided(reason, message string) metav1.Condition {
	return condition(v1alpha1.ConditionMet, metav1.ConditionUnknown, reason, message)
}

// object is what conditions are written on.
type object interface {
	metav1.Object
	GetConditions() []metav1.Condition
	SetConditions([]metav1.Condition)
}

// replace sets conditions for the object's generation and removes the passing
// ones, Reconciling and Stalled, that are not among them. One that stays keeps
// its place and the time of its last change.
func replace(o object, conditions ...metav1.Condition) {
	all := o.GetConditions()
	for _, passing := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if meta.FindStatusCondition(conditions, passing) == nil {
			meta.RemoveStatusCondition(&all, passing)
		}
	}
	for _, c := range conditions {
		c.ObservedGeneration = o.GetGeneration()
		meta.SetStatusCondition(&all, c)
	}
	o.SetConditions(all)
}
