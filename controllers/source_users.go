package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// users tells of the objectives that use a source. It is nil while the evaluator
// does not know all of them.
func (r *sourceReconciler) users(ctx context.Context, o sourceObject, live *Live) (*status.Users, error) {
	key := keyOf(o)
	if known, err := r.knowsAll(ctx, key); err != nil || !known {
		return nil, err
	}
	users := &status.Users{}
	if plan := r.evaluator.Longest(key); plan != nil {
		users.Longest = plan.Window
	}
	if rules := o.SourceSpec().Rules; rules.Recorded() {
		expected, loaded, missing := r.evaluator.RulesOf(key)
		users.Rules = &status.SourceRules{
			Output: rules.Output, Expected: expected, Loaded: loaded,
			Missing: live.health.overdue(missing, r.clock.Now()),
			Unknown: expected > 0 && loaded == 0 && len(missing) == 0,
		}
	}
	return users, nil
}

// knowsAll says whether the evaluator has taken each objective of a source that
// it is going to measure.
func (r *sourceReconciler) knowsAll(ctx context.Context, key compile.SourceKey) (bool, error) {
	found := &v1alpha1.ObjectiveList{}
	// They are read alone: thousands need not be copied twice a minute.
	if err := r.List(ctx, found, client.MatchingFields{sourceIndex: key.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list objectives of %s: %w", key, err)
	}
	for i := range found.Items {
		o := &found.Items[i]
		if measurable(o) && r.evaluator.entry(client.ObjectKeyFromObject(o)) == nil {
			return false, nil
		}
	}
	return true, nil
}

// measurable says whether the evaluator is going to measure an objective as it is.
func measurable(o *v1alpha1.Objective) bool {
	waits := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReconciling)
	return !o.Suspended() && o.DeletionTimestamp.IsZero() &&
		!meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionStalled) &&
		(waits == nil || waits.Reason != v1alpha1.ReasonIndicatorNotFound)
}

// count keeps the metrics of a source's rules, which exist while it is known
// what the ruler has loaded.
func (r *sourceReconciler) count(key compile.SourceKey, found status.Findings, err error) {
	switch {
	case err != nil, found.Users != nil && found.Users.Rules == nil:
		r.sources.recorder.ForgetRules(key)
	case found.Users != nil && !found.Users.Rules.Unknown:
		r.sources.recorder.Rules(key, found.Users.Rules.Expected, found.Users.Rules.Loaded)
	}
}
