package evaluate

import (
	"math"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// Measured is what the status of an objective says to a journey. A status of another
// generation says nothing. Unit is asked for the unit of its figures.
func (s Staged) Measured(unit func(*v1alpha1.Objective) (slo.Unit, error)) JourneyMember {
	m, o := s.Unmeasured(), s.Objective
	if o == nil {
		return m
	}
	met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
	if met == nil || o.Status.ObservedGeneration != o.Generation {
		return m
	}
	o = WorstOff(o)
	m.Reason, m.Attainment, m.Target = met.Reason, o.Status.Attainment, o.Status.Target
	switch met.Status {
	case metav1.ConditionTrue:
		m.Outcome = Met
	case metav1.ConditionFalse:
		m.Outcome = Missed
	default:
		return m
	}
	m.Kept, m.Budget = keptOf(o, unit), budgetOf(o)
	if at := o.Status.ExhaustsAt; at != nil {
		m.ExhaustsAt = at.Time
	}
	return m
}

// keptOf reads the share of the promise that is kept from what is written on the
// objective, NaN where it cannot be read. So a journey's figures can be found again
// from what kubectl shows, and a restart of the operator changes none.
func keptOf(o *v1alpha1.Objective, unit func(*v1alpha1.Objective) (slo.Unit, error)) float64 {
	in, err := unit(o)
	if err != nil {
		return math.NaN()
	}
	attainment, err := in.ParseFloor(o.Status.Attainment)
	if err != nil {
		return math.NaN()
	}
	target, err := in.Parse(o.Status.Target)
	if err != nil {
		return math.NaN()
	}
	return Kept(attainment, target)
}

// WorstOff gives an objective as those see it to whom the promise is broken: where
// segments break it, with the figures of the worst of them. By those of the whole,
// which keeps it, a journey would make up for something that was never lost.
func WorstOff(o *v1alpha1.Objective) *v1alpha1.Objective {
	met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
	if met == nil || met.Reason != v1alpha1.ReasonSegmentMissed || len(o.Status.Segments) == 0 {
		return o
	}
	out := *o
	worst := o.Status.Segments[0]
	out.Status.Attainment, out.Status.BudgetRemaining, out.Status.ExhaustsAt = worst.Attainment, worst.BudgetRemaining, nil
	return &out
}

// budgetOf reads the share of the error budget that is left.
func budgetOf(o *v1alpha1.Objective) float64 {
	share, err := slo.ParseBudget(o.Status.BudgetRemaining)
	if err != nil {
		return math.NaN()
	}
	return share
}
