package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// conditioned is an object whose status has conditions.
type conditioned interface {
	client.Object
	GetConditions() []metav1.Condition
}

// patchStatus writes what changed in the status of an object, and nothing when
// nothing did. It fails with a conflict when the object was written since it
// was read, so that no state is judged by old data.
func patchStatus(ctx context.Context, c client.Client, before, after conditioned) error {
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	if err := c.Status().Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	logStalled(ctx, before.GetConditions(), after.GetConditions())
	return nil
}

// logStalled writes to the log what a person must see to, a mistake or a release that
// did not pass, once for each time that the condition says something else or of another
// generation. It is no error of the operator's: reconcilers return none for it, so that
// what is logged and counted as an error is what the operator could not do.
func logStalled(ctx context.Context, before, after []metav1.Condition) {
	old, now := meta.FindStatusCondition(before, v1alpha1.ConditionStalled), meta.FindStatusCondition(after, v1alpha1.ConditionStalled)
	if now == nil || equality.Semantic.DeepEqual(old, now) {
		return
	}
	ctrl.LoggerFrom(ctx).Info("stalled", "reason", now.Reason, "message", now.Message)
}

// announced are the conditions whose changes are announced.
var announced = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionMet, v1alpha1.ConditionRulesLoaded,
	v1alpha1.ConditionRetentionSufficient, v1alpha1.ConditionClockInSync,
}

// announce emits an event for each condition that changed. What is only awaited
// is no news.
func announce(recorder events.EventRecorder, o runtime.Object, before, after []metav1.Condition) {
	for _, kind := range announced {
		old, now := meta.FindStatusCondition(before, kind), meta.FindStatusCondition(after, kind)
		if now == nil || !isNews(old, now) {
			continue
		}
		if kind == v1alpha1.ConditionMet && sameReason(after, now.Reason) {
			continue // Ready says it already
		}
		recorder.Eventf(o, nil, severityOf(now), now.Reason, "Evaluate", "%s", now.Message)
	}
}

func isNews(old, now *metav1.Condition) bool {
	switch {
	case now.Reason == v1alpha1.ReasonEvaluationPending || now.Reason == v1alpha1.ReasonRulesPending:
		return false
	case old == nil:
		return !isUsual(now.Reason)
	case now.Reason == v1alpha1.ReasonEvaluated && old.Reason == v1alpha1.ReasonEvaluationPending:
		return false // as above
	default:
		return old.Status != now.Status || old.Reason != now.Reason
	}
}

// isUsual says whether a reason is no news in itself: of an objective's first
// evaluation the verdict is, and of a source that it answers.
func isUsual(reason string) bool {
	switch reason {
	case v1alpha1.ReasonEvaluated, v1alpha1.ReasonUnderstood, v1alpha1.ReasonRetentionSufficient, v1alpha1.ReasonClockInSync:
		return true
	default:
		return false
	}
}

func severityOf(c *metav1.Condition) string {
	if c.Status == metav1.ConditionFalse || (c.Status == metav1.ConditionUnknown && c.Reason == v1alpha1.ReasonSourceUnavailable) {
		return corev1.EventTypeWarning
	}
	return corev1.EventTypeNormal
}

func sameReason(conditions []metav1.Condition, reason string) bool {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == reason
}
