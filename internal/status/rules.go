package status

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// RulesLoaded says that the ruler evaluates an objective's rules.
func RulesLoaded() metav1.Condition {
	return condition(v1alpha1.ConditionRulesLoaded, metav1.ConditionTrue, v1alpha1.ReasonRulesLoaded,
		"the ruler records the objective and evaluates its alerts")
}

// RulesPending says what the rules wait for.
func RulesPending(message string) metav1.Condition {
	return condition(v1alpha1.ConditionRulesLoaded, metav1.ConditionUnknown, v1alpha1.ReasonRulesPending, message)
}

// RulesUnseen says why it cannot be known whether the rules are evaluated.
func RulesUnseen(message string) metav1.Condition {
	return condition(v1alpha1.ConditionRulesLoaded, metav1.ConditionUnknown, v1alpha1.ReasonSourceUnavailable, message)
}

// RulesNotLoaded says why the rules are not evaluated: the reason is one of
// those of v1alpha1.ConditionRulesLoaded when False.
func RulesNotLoaded(reason, message string) metav1.Condition {
	return condition(v1alpha1.ConditionRulesLoaded, metav1.ConditionFalse, reason, message)
}

// Rules writes the condition of an objective's rules, which are those of a
// generation of its spec. It changes no other condition: rules that are not
// loaded leave the object Ready, because the operator measures without them.
func Rules(o *v1alpha1.Objective, generation int64, c metav1.Condition) {
	c.ObservedGeneration = generation
	meta.SetStatusCondition(&o.Status.Conditions, c)
}

// NoRules removes the condition of an objective that has no rules.
func NoRules(o *v1alpha1.Objective) {
	meta.RemoveStatusCondition(&o.Status.Conditions, v1alpha1.ConditionRulesLoaded)
}

// HasRules says whether the status has the condition.
func HasRules(o *v1alpha1.Objective) bool {
	return meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRulesLoaded) != nil
}

// RulesJudged says whether the status tells what a ruler does with the rules of a
// generation, and not only whether they were installed.
func RulesJudged(o *v1alpha1.Objective, generation int64) bool {
	c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRulesLoaded)
	return c != nil && c.ObservedGeneration == generation && slices.Contains(
		[]string{v1alpha1.ReasonRulesLoaded, v1alpha1.ReasonRulesNotLoaded, v1alpha1.ReasonRuleFailing}, c.Reason)
}
