package evaluate

import (
	"math"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// ExclusionOutcome is where an exclusion stands.
type ExclusionOutcome struct {
	State v1alpha1.ExclusionState
	// Objectives is how many of those that were given it is for.
	Objectives int
	// Next is the stretch that is under way, or the next one; nil where none is.
	Next *slo.Span
	// Turn is when something of this changes by itself, zero where nothing does.
	Turn time.Time
}

// Exclusion tells where an exclusion stands at the time now, and for how many
// objectives it is. A mistake in its spec is a *compile.Error.
func Exclusion(x *v1alpha1.Exclusion, objectives []v1alpha1.Objective, now time.Time) (ExclusionOutcome, error) {
	stretches, err := compile.StretchesOf(x)
	if err != nil {
		return ExclusionOutcome{}, err
	}
	chooses, err := compile.Chooser(x)
	if err != nil {
		return ExclusionOutcome{}, err
	}
	var out ExclusionOutcome
	for i := range objectives {
		if chooses(&objectives[i]) {
			out.Objectives++
		}
	}
	next, ok := stretches.Next(now)
	if ok {
		out.Next, out.Turn = &next, next.End
	}
	switch {
	case !ok && x.Spec.Withdrawn != nil:
		out.State = v1alpha1.ExclusionWithdrawn
	case !ok:
		out.State = v1alpha1.ExclusionEnded
	case now.Before(x.Spec.From.Time):
		out.State, out.Turn = v1alpha1.ExclusionPlanned, next.Start
	default:
		out.State = v1alpha1.ExclusionActive
	}
	return out, nil
}

// reasonOfNone is why there is no attainment.
func reasonOfNone(p *compile.Plan, s ledger.Stretch) string {
	open, excluded := openMinutes(p, s), excludedMinutes(p, s)
	switch {
	case p.Hours != nil && open == 0:
		return v1alpha1.ReasonNotOpenYet
	case excluded > 0 && excluded == open:
		return v1alpha1.ReasonExcluded
	case s.Covered > 0:
		return v1alpha1.ReasonInsufficientData
	default:
		return v1alpha1.ReasonNoData
	}
}

// compare tells what exclusions leave out, and what would be without them.
func (v *Verdict) compare(p *compile.Plan, s ledger.Stretch) {
	excluded := excludedMinutes(p, s)
	if excluded == 0 {
		return
	}
	v.Excluded = excluded / openMinutes(p, s)
	v.Raw = &Figures{Attainment: math.NaN(), BudgetRemaining: math.NaN(), Events: s.Raw.Events}
	if attainment, ok := s.Raw.Attainment(); ok {
		v.Raw.Attainment, v.Raw.BudgetRemaining = attainment, slo.BudgetRemaining(attainment, p.Target)
	}
}
