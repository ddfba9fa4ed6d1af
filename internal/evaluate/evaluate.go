// Package evaluate judges: a plan, what the ledger holds and the time give a
// verdict. It is pure; the operator, the command line and the tests call the
// same code.
package evaluate

import (
	"math"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// Outcome is whether a promise holds.
type Outcome int

const (
	// Unknown is the outcome where the data does not say.
	Unknown Outcome = iota
	// Met is an attainment of at least the target.
	Met
	// Missed is an attainment below the target.
	Missed
)

// Account gives what was counted since a moment.
type Account interface {
	Since(start time.Time) ledger.Stretch
	Invalid() bool
	// LastData is the end of the last minute that has data, zero where none has.
	LastData() time.Time
}

// Burn is how fast the budget burns over a window.
type Burn struct {
	Window time.Duration
	Rate   float64
}

// TierState is how a tier stands at the end of the verdict's window, by the same
// terms as the rules that a ruler evaluates.
type TierState struct {
	Tier slo.Tier
	// Long and Short are the burn rates over the tier's windows, NaN without events.
	Long, Short float64
	// Bad is how many points the events of the long window failed to earn.
	Bad float64
	// Burning says that both burn rates are above the tier's factor, and that Bad
	// is no handful. During an exclusion nothing burns.
	Burning bool
}

// Figures are the numbers of an attainment.
type Figures struct {
	// Attainment and BudgetRemaining are NaN where there are no events.
	Attainment, BudgetRemaining, Events float64
}

// Verdict is what was found. Ratios are in [0,1] and NaN where there are no
// events; only Unit knows how they are written.
type Verdict struct {
	Outcome Outcome
	// Reason is one of the reasons of v1alpha1.ConditionMet.
	Reason string

	Unit               slo.Unit
	Target, Attainment float64
	// BudgetRemaining is a share of the whole budget, negative when overspent.
	BudgetRemaining float64
	// ExhaustsAt is zero when the budget lasts.
	ExhaustsAt time.Time
	Burns      []Burn
	// Tiers are those of the plan, in its order, with data or without.
	Tiers []TierState
	// Lowest and Highest bound the attainment at Level; Level 0 asks for none.
	Level           slo.Level
	Lowest, Highest float64

	Events, MinimumEvents float64
	// Coverage is the share of the window's minutes that have data, of those that are
	// open, where the objective has a calendar, and not excluded.
	Coverage float64
	// Excluded is the share of the window's minutes that is left out, and Raw what it
	// would be with them; nil where nothing is left out.
	Excluded float64
	Raw      *Figures
	Window   slo.Span
	// Segments are the worst first; there are none where the plan is not grouped.
	Segments []Segment
	// Band is empty where the outcome is not known.
	Band v1alpha1.Band
	// Estimated says that a count is interpolated between bucket boundaries.
	Estimated bool
	// Invalid says that samples of NaN or infinity were left out as gaps.
	Invalid bool
	// LastData is the end of the last minute that has data, zero where none has.
	LastData time.Time
	At       time.Time
}

// Evaluate judges an objective by its account at the time now.
func Evaluate(p *compile.Plan, account Account, now time.Time) Verdict {
	span := p.Window.Span(now)
	s := account.Since(span.Start)
	if s.End.IsZero() { // nothing was read yet
		s.Start, s.End = span.Start, span.End
	}
	v := Verdict{
		Unit: p.Unit, Target: p.Target, Level: p.Level, MinimumEvents: p.MinimumEvents,
		Events: s.Sums.Events, Coverage: coverage(p, s), Window: slo.Span{Start: s.Start, End: s.End},
		Attainment: math.NaN(), BudgetRemaining: math.NaN(), At: now, Invalid: account.Invalid(),
		Estimated: p.Histogram != nil && p.Histogram.Interpolated, LastData: account.LastData(),
	}
	v.Tiers = tiers(p, account, v.Window.End)
	v.Burns = burns(v.Tiers)
	v.compare(p, s)
	attainment, ok := s.Sums.Attainment()
	if !ok {
		v.Reason = reasonOfNone(p, s)
		return v
	}
	v.Attainment = attainment
	v.BudgetRemaining = slo.BudgetRemaining(attainment, p.Target)
	v.spend(p, now)
	v.judge(p, s.Sums)
	return v
}

func coverage(p *compile.Plan, s ledger.Stretch) float64 {
	minutes := openMinutes(p, s) - excludedMinutes(p, s)
	if minutes <= 0 {
		return 0
	}
	return float64(s.Covered) / minutes
}

// tiers finds how each tier of the plan stands at the end of what was read.
func tiers(p *compile.Plan, account Account, end time.Time) []TierState {
	out := make([]TierState, len(p.Tiers))
	quiet := p.Quiet(end, 0)
	for i, tier := range p.Tiers {
		long := account.Since(end.Add(-whole(tier.Long))).Sums
		short := account.Since(end.Add(-whole(tier.Short))).Sums
		s := TierState{Tier: tier, Long: burn(long, p.Target), Short: burn(short, p.Target), Bad: long.Events - long.Points}
		// NaN is above nothing.
		s.Burning = !quiet && s.Long > tier.Factor && s.Short > tier.Factor && s.Bad >= p.Alerts.MinimumBadEvents
		out[i] = s
	}
	return out
}

// whole is a window in the whole minutes that are counted.
func whole(window time.Duration) time.Duration {
	return max(window.Round(time.Minute), time.Minute)
}

func burn(s slo.Sums, target float64) float64 {
	rate, ok := slo.BurnRate(s, target)
	if !ok {
		return math.NaN()
	}
	return rate
}

// burns are the burn rates over the long windows of tiers. These reach back
// beyond a calendar window that has just begun.
func burns(tiers []TierState) []Burn {
	seen := map[time.Duration]bool{}
	var out []Burn
	for _, t := range tiers {
		window := whole(t.Tier.Long)
		if math.IsNaN(t.Long) || seen[window] {
			continue
		}
		seen[window] = true
		out = append(out, Burn{Window: window, Rate: t.Long})
	}
	return out
}

// spend finds from the longest burn rate when the budget runs out.
func (v *Verdict) spend(p *compile.Plan, now time.Time) {
	if n := len(v.Burns); n > 0 {
		v.ExhaustsAt, _ = slo.ExhaustsAt(now, v.BudgetRemaining, v.Burns[n-1].Rate, p.Window.Period(now))
	}
}

func (v *Verdict) judge(p *compile.Plan, s slo.Sums) {
	if v.Attainment < 0 || v.Attainment > 1 {
		v.Reason = v1alpha1.ReasonInconsistentData
		return
	}
	if s.Events < p.MinimumEvents {
		v.Reason = v1alpha1.ReasonInsufficientData
		return
	}
	low, high := bounds(p, s, v.Attainment)
	if p.Level > 0 {
		v.Lowest, v.Highest = low, high
	}
	switch {
	case slo.Meets(low, p.Target):
		v.Outcome, v.Reason = Met, v1alpha1.ReasonTargetMet
	case slo.Meets(high, p.Target):
		v.Outcome, v.Reason = Unknown, v1alpha1.ReasonInconclusive
		return
	default:
		v.Outcome, v.Reason = Missed, v1alpha1.ReasonTargetMissed
	}
	v.Band = band(p, s, v.Outcome)
}

// bounds are what an attainment is judged by: its interval where confidence is
// asked for, and itself where not.
func bounds(p *compile.Plan, s slo.Sums, attainment float64) (low, high float64) {
	if p.Level == 0 {
		return attainment, attainment
	}
	if p.Interval == compile.IntervalNetPromoter {
		promoters := s.Aux
		detractors := s.Events + promoters - 2*s.Points
		return slo.NetPromoterInterval(promoters, detractors, s.Events, p.Level)
	}
	return slo.Wilson(s.Points, s.Events, p.Level)
}

// band is good when the target is met, and poor when it would be missed even
// if the events up to poorAbove counted.
func band(p *compile.Plan, s slo.Sums, outcome Outcome) v1alpha1.Band {
	switch {
	case outcome == Met:
		return v1alpha1.BandGood
	case p.Banded && slo.Meets(s.Aux/s.Events, p.Target):
		return v1alpha1.BandNeedsImprovement
	default:
		return v1alpha1.BandPoor
	}
}
