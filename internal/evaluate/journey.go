package evaluate

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// JourneyMember is an objective of a journey, and what is known of it.
type JourneyMember struct {
	Name v1alpha1.Name
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

// Kept is the share of a promise that is kept: attainment over target, both ratios
// in [0,1], and never more than 1. So objectives of all targets can be compared:
// 60% of 75% is 0.8, 98% of 99.9% is 0.981.
func Kept(attainment, target float64) float64 {
	return max(0, min(1, attainment/target))
}

// StageOutcome is how a stage is.
type StageOutcome struct {
	Name    v1alpha1.Label
	Verdict v1alpha1.StageVerdict
	// Critical says that a violation of the stage breaks the journey.
	Critical bool
	// Empty says that the stage has no objective.
	Empty bool
	// Score is in [0,1] and NaN where an objective is not known.
	Score float64
	// Recovered is how much of the score the stage By gave back.
	Recovered float64
	By        v1alpha1.Label
	// Whole says that all of the loss is made up for.
	Whole bool
	// Missed are the objectives that are violated, the worst first, and Unknown those
	// that nobody knows, by name.
	Missed, Unknown []JourneyMember

	product, service side
	// known is the score of what is known, share how much of a loss of the product is
	// made up for, budget the least that is left.
	known, share, budget, weight float64
}

// open says that something of the stage is not known.
func (s *StageOutcome) open() bool { return s.Empty || len(s.Unknown) > 0 }

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
	out.Budget, out.ExhaustsAt = out.budget(members)
	return out
}

// side is what the objectives of one perspective come to.
type side struct {
	// any says that there are objectives, unknown that some are not known, missed that
	// some are violated, and vague that of one of these nobody knows how much.
	any, unknown, missed, vague bool
	// score is the least share kept of those that are known.
	score float64
}

func sideOf(members []JourneyMember, other v1alpha1.Perspective) side {
	s := side{score: 1}
	for i := range members {
		m := &members[i]
		if m.Perspective != other {
			s.any = true
			s.unknown = s.unknown || m.Outcome == Unknown
			s.missed = s.missed || m.Outcome == Missed
			s.vague = s.vague || m.Outcome == Missed && math.IsNaN(m.Kept)
			s.score = min(s.score, m.share())
		}
	}
	return s
}

// met says that there are objectives and that all of them hold.
func (s side) met() bool { return s.any && !s.unknown && !s.missed }

// whole is the score, NaN where it is not known of all.
func (s side) whole() float64 {
	if s.unknown || s.vague || !s.any {
		return math.NaN()
	}
	return s.score
}

// figure is the score of a member alone, NaN where it is not known.
func (m *JourneyMember) figure() float64 {
	switch m.Outcome {
	case Met:
		return 1
	case Missed:
		return m.Kept
	default:
		return math.NaN()
	}
}

// share is what a member brings to the order of stages. One that is not known
// brings nothing, and a violation of which nobody knows how much, the worst.
func (m *JourneyMember) share() float64 {
	switch figure := m.figure(); {
	case !math.IsNaN(figure):
		return figure
	case m.Outcome == Missed:
		return 0
	default:
		return 1
	}
}

// judgeStage sorts the objectives of a stage, without recovery.
func judgeStage(stage *v1alpha1.JourneyStage, members []JourneyMember) StageOutcome {
	s := StageOutcome{
		Name: stage.Name, Critical: stage.Importance == v1alpha1.ImportanceCritical, Empty: len(members) == 0,
		product: sideOf(members, v1alpha1.PerspectiveCX), service: sideOf(members, v1alpha1.PerspectiveUX),
		budget: math.Inf(1), weight: float64(stage.Weight),
	}
	for i := range members {
		switch m := members[i]; m.Outcome {
		case Missed:
			s.Missed = append(s.Missed, m)
		case Unknown:
			s.Unknown = append(s.Unknown, m)
		case Met:
		}
		if b := members[i].Budget; b < s.budget { // NaN is not
			s.budget = b
		}
	}
	byName := func(a, b JourneyMember) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(s.Missed, func(a, b JourneyMember) int { return cmp.Or(cmp.Compare(a.share(), b.share()), byName(a, b)) })
	slices.SortFunc(s.Unknown, byName)
	return s
}

// recoverStages lets good service make up for a poor product: of the edges to a
// stage whose service is met, the one that gives back the most.
func recoverStages(edges []v1alpha1.Recovery, stages []StageOutcome) {
	at := map[v1alpha1.Label]int{}
	for i := range stages {
		at[stages[i].Name] = i
	}
	for _, edge := range edges {
		from, known := at[edge.Stage]
		by, knownBy := at[edge.By]
		if !known || !knownBy {
			continue
		}
		stage, share := &stages[from], shareOf(edge.Cap)
		if !stage.product.missed || !stages[by].service.met() {
			continue
		}
		if share > stage.share {
			stage.share, stage.By, stage.Whole = share, edge.By, share >= 1
		}
	}
}

// shareOf reads a cap, whose form the schema checks.
func shareOf(text v1alpha1.RecoveryCap) float64 {
	percent, err := strconv.Atoi(strings.TrimSuffix(string(text), "%"))
	if err != nil {
		return 0
	}
	return max(0, min(1, float64(percent)/100))
}

// conclude finds score and verdict of a stage, once it is known what makes up for
// what. Service that is violated at the stage itself is never made up for.
func (s *StageOutcome) conclude() {
	lost := min(s.product.score, s.service.score)
	product := s.product.score + s.share*(1-s.product.score)
	if s.Whole {
		product = 1
	}
	s.known = min(product, s.service.score)
	s.Recovered = s.known - lost
	s.Score = s.known
	if s.open() || s.product.vague || s.service.vague {
		s.Score = math.NaN()
	}
	switch {
	case s.service.missed || s.product.missed && s.By == "":
		s.Verdict = v1alpha1.StageViolated
	case s.product.missed:
		s.Verdict = v1alpha1.StageRecovered
	case s.open():
		s.Verdict = v1alpha1.StageUnknown
	default:
		s.Verdict = v1alpha1.StageHolding
	}
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
	case s.open():
		return unsure
	default:
		return holding
	}
}

// compare finds the pattern. Recovery does not change it: the product is as poor as
// it was.
func (o *JourneyOutcome) compare() v1alpha1.JourneyPattern {
	var product, service side
	for i := range o.Stages {
		product, service = product.and(o.Stages[i].product), service.and(o.Stages[i].service)
	}
	if c := o.Completion; c != nil {
		alone := []JourneyMember{*c}
		product, service = product.and(sideOf(alone, v1alpha1.PerspectiveCX)), service.and(sideOf(alone, v1alpha1.PerspectiveUX))
	}
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

// budget is the least that is left of the objectives that count, and when the first
// of these budgets runs out. Those of a product that is made up for in full do not
// count.
func (o *JourneyOutcome) budget(members map[v1alpha1.Label][]JourneyMember) (least float64, exhausts time.Time) {
	var counted []JourneyMember
	for i := range o.Stages {
		s := &o.Stages[i]
		for _, m := range members[s.Name] {
			if !s.Whole || m.Perspective != v1alpha1.PerspectiveUX {
				counted = append(counted, m)
			}
		}
	}
	if o.Completion != nil {
		counted = []JourneyMember{*o.Completion}
	}
	least = math.Inf(1)
	for _, m := range counted {
		if m.Outcome == Unknown || math.IsNaN(m.Budget) {
			return math.NaN(), time.Time{}
		}
		least = min(least, m.Budget)
		if at := m.ExhaustsAt; !at.IsZero() && (exhausts.IsZero() || at.Before(exhausts)) {
			exhausts = at
		}
	}
	switch {
	case math.IsInf(least, 1):
		return math.NaN(), time.Time{}
	case least <= 0:
		return least, time.Time{} // it has run out already
	default:
		return least, exhausts
	}
}
