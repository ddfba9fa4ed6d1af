package cli

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// promise is how a promise stands, the worst first.
type promise int

const (
	promiseBroken promise = iota
	promiseUnknown
	promiseKept
)

// standing reads how a promise stands. A verdict on an older spec is none.
func standing(o *v1alpha1.Objective) promise {
	met := metCondition(o)
	switch {
	case met == nil || met.ObservedGeneration != 0 && met.ObservedGeneration != o.Generation:
		return promiseUnknown
	case met.Status == metav1.ConditionTrue:
		return promiseKept
	case met.Status == metav1.ConditionFalse:
		return promiseBroken
	default:
		return promiseUnknown
	}
}

// word is how tables say it.
func (s promise) word() string {
	return [...]string{"Violated", "Unknown", "Met"}[s]
}

// metCondition is the condition that says whether the promise is kept; nil where nobody
// has said anything yet.
func metCondition(o *v1alpha1.Objective) *metav1.Condition {
	return meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
}

// worst orders objectives: broken promises first, those that lost most before the
// others; then those of which nobody knows; then kept ones, those with the least
// budget first.
func worst(objectives []v1alpha1.Objective) {
	slices.SortStableFunc(objectives, func(a, b v1alpha1.Objective) int {
		return cmp.Or(
			cmp.Compare(standing(&a), standing(&b)),
			cmp.Compare(budgetOf(&a), budgetOf(&b)),
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name),
		)
	})
}

// noBudget orders objectives without a figure behind those that have one.
const noBudget = 2

// budgetOf is the share of the budget that is left, negative where more than all
// of it is spent.
func budgetOf(o *v1alpha1.Objective) float64 {
	if share, ok := shareOf(o.Status.BudgetRemaining); ok {
		return share
	}
	return noBudget
}

// shareOf reads "25.2%" as 0.252.
func shareOf(text string) (float64, bool) {
	number, percent := strings.CutSuffix(text, "%")
	value, err := strconv.ParseFloat(number, 64)
	return value / 100, percent && err == nil
}
