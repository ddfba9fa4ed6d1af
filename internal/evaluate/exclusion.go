package evaluate

import (
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// ExclusionOutcome is where an exclusion stands.
type ExclusionOutcome struct {
	Phase v1alpha1.ExclusionPhase
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
	case x.Spec.Withdrawn != nil:
		out.Phase = v1alpha1.ExclusionWithdrawn
	case !ok:
		out.Phase = v1alpha1.ExclusionEnded
	case now.Before(x.Spec.From.Time):
		out.Phase, out.Turn = v1alpha1.ExclusionPlanned, next.Start
	default:
		out.Phase = v1alpha1.ExclusionActive
	}
	return out, nil
}
