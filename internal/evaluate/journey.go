package evaluate

import (
	"math"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// JourneyMember is an objective of a journey, and what is known of it.
type JourneyMember struct {
	// Namespace is empty for the journey's own.
	Namespace v1alpha1.Label
	Name      v1alpha1.Name
	// Perspective is empty where there is no such objective: it may be either.
	Perspective v1alpha1.Perspective
	// Outcome is that of the objective's Met, and Reason its reason.
	Outcome Outcome
	Reason  string
	// Kept is the share of the promise that is kept, by Kept; NaN where it is not
	// known. It counts only where the outcome is Missed: one that is met is whole.
	Kept float64
	// Attainment and Target are as they are written.
	Attainment, Target string
	// Budget is the share of the error budget that is left, NaN where it is not known.
	Budget float64
	// ExhaustsAt is zero where the budget lasts.
	ExhaustsAt time.Time
}

// String gives "page-speed", or "support/hold-time" for one of another namespace.
func (m *JourneyMember) String() string { return nameWithin(m.Namespace, m.Name) }

// Kept is the share of a promise that is kept: attainment over target, both ratios
// in [0,1], and never more than 1. So objectives of all targets can be compared:
// 60% of 75% is 0.8, 98% of 99.9% is 0.981.
func Kept(attainment, target float64) float64 {
	return max(0, min(1, attainment/target))
}

// JourneyOutcome is how a journey is. Scores are in [0,1]; they and the budget are
// NaN where something that they are over is not known.
type JourneyOutcome struct {
	Verdict v1alpha1.JourneyVerdict
	// Pattern is empty where product and service cannot be compared.
	Pattern v1alpha1.JourneyPattern
	// Weakest is empty where nothing is known.
	Weakest v1alpha1.Label
	UX, CX  float64
	Budget  float64
	// ExhaustsAt is zero where the budgets last.
	ExhaustsAt time.Time
	Stages     []StageOutcome
	// Completion is the objective that measures the journey, nil where there is none.
	Completion *JourneyMember
}

// Journey judges a journey by what is known of its objectives, which members holds
// by stage. Completion is the objective of spec.completion and nil without one. The
// formulas and their reasons are in docs/spec/journey.md.
func Journey(spec *v1alpha1.JourneySpec, members map[v1alpha1.Label][]JourneyMember, completion *JourneyMember) JourneyOutcome {
	out := JourneyOutcome{Completion: completion}
	for i := range spec.Stages {
		stage := &spec.Stages[i]
		out.Stages = append(out.Stages, judgeStage(stage, members[stage.Name]))
	}
	recoverStages(spec.Recovery, out.Stages)
	for i := range out.Stages {
		out.Stages[i].conclude()
	}
	out.Verdict = out.judge()
	out.Pattern = out.compare()
	out.Weakest = weakest(out.Stages)
	out.UX, out.CX = out.scores(spec.Aggregation)
	out.Budget, out.ExhaustsAt = leastBudget(out.counted(members))
	return out
}

// UnknownObjectives counts the objectives that are not known, each once.
func (o *JourneyOutcome) UnknownObjectives() int {
	seen := map[string]bool{}
	for i := range o.Stages {
		for _, m := range o.Stages[i].Unknown {
			seen[m.String()] = true
		}
	}
	if o.Completion != nil && o.Completion.Outcome == Unknown {
		seen[o.Completion.String()] = true
	}
	return len(seen)
}

// journeyVerdicts are in the order from the best to the worst. Nothing known to be
// bad is hidden by what is not known, and nothing unknown is taken for good.
var journeyVerdicts = []v1alpha1.JourneyVerdict{
	v1alpha1.JourneyHolding, v1alpha1.JourneyUnknown, v1alpha1.JourneyDegraded, v1alpha1.JourneyBroken,
}

const (
	holding = iota
	unsure
	degraded
	broken
)

// judge takes the worst of what follows from the stages.
func (o *JourneyOutcome) judge() v1alpha1.JourneyVerdict {
	worst := holding
	for i := range o.Stages {
		worst = max(worst, o.Stages[i].consequence())
	}
	if o.Completion != nil {
		worst = max(worst, map[Outcome]int{Met: holding, Unknown: unsure, Missed: broken}[o.Completion.Outcome])
	}
	return journeyVerdicts[worst]
}

// consequence is what follows from a stage for the journey.
func (s *StageOutcome) consequence() int {
	switch {
	case s.Verdict == v1alpha1.StageViolated && s.Critical:
		return broken
	case s.Verdict == v1alpha1.StageViolated || s.Verdict == v1alpha1.StageRecovered && !s.Whole:
		return degraded
	case s.Open():
		return unsure
	default:
		return holding
	}
}

// compare finds the pattern. Recovery does not change it: the product is as poor as
// it was.
func (o *JourneyOutcome) compare() v1alpha1.JourneyPattern {
	product, service := o.sides()
	switch {
	case product.missed && service.missed:
		return v1alpha1.PatternBrokenJourney
	case product.missed && service.met():
		return v1alpha1.PatternPoorProductGoodService
	case product.met() && service.missed:
		return v1alpha1.PatternGoodProductPoorService
	case product.met() && service.met():
		return v1alpha1.PatternConsistent
	default:
		return ""
	}
}

// sides are what all objectives of the journey come to, by perspective.
func (o *JourneyOutcome) sides() (product, service side) {
	for i := range o.Stages {
		product, service = product.and(o.Stages[i].product), service.and(o.Stages[i].service)
	}
	if c := o.Completion; c != nil {
		alone := []JourneyMember{*c}
		product, service = product.and(sideOf(alone, v1alpha1.PerspectiveCX)), service.and(sideOf(alone, v1alpha1.PerspectiveUX))
	}
	return product, service
}

func (s side) and(t side) side {
	return side{any: s.any || t.any, unknown: s.unknown || t.unknown, missed: s.missed || t.missed}
}

// weakest is the stage with the lowest score; among equals the one with the least
// budget left, and then the first.
func weakest(stages []StageOutcome) v1alpha1.Label {
	var found *StageOutcome
	for i := range stages {
		s := &stages[i]
		if s.Verdict == v1alpha1.StageUnknown {
			continue
		}
		if found == nil || s.known < found.known || s.known == found.known && s.budget < found.budget {
			found = s
		}
	}
	if found == nil {
		return ""
	}
	return found.Name
}

// counted are the objectives whose budgets are the journey's. Those of a product that
// is or would be made up for in full cost it nothing.
func (o *JourneyOutcome) counted(members map[v1alpha1.Label][]JourneyMember) []JourneyMember {
	if o.Completion != nil {
		return []JourneyMember{*o.Completion}
	}
	var out []JourneyMember
	for i := range o.Stages {
		s := &o.Stages[i]
		for _, m := range members[s.Name] {
			if !s.Whole || m.Perspective != v1alpha1.PerspectiveUX {
				out = append(out, m)
			}
		}
	}
	return out
}

// leastBudget is the least that is left of the objectives' budgets, and when the
// first of these runs out; NaN where one is not known.
func leastBudget(counted []JourneyMember) (least float64, exhausts time.Time) {
	least = math.NaN()
	for i, m := range counted {
		if m.Outcome == Unknown || math.IsNaN(m.Budget) {
			return math.NaN(), time.Time{}
		}
		if i == 0 || m.Budget < least {
			least = m.Budget
		}
		if at := m.ExhaustsAt; !at.IsZero() && (exhausts.IsZero() || at.Before(exhausts)) {
			exhausts = at
		}
	}
	if least <= 0 {
		exhausts = time.Time{} // it has run out already
	}
	return least, exhausts
}
