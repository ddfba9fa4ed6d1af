package evaluate

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// StageOutcome is how a stage is.
type StageOutcome struct {
	Name    v1alpha1.Label
	Verdict v1alpha1.StageVerdict
	// Namespace is that of the stage's objectives, empty for the journey's own.
	Namespace v1alpha1.Label
	// Critical says that a violation of the stage breaks the journey.
	Critical bool
	// Empty says that the stage has no objective.
	Empty bool
	// Score is in [0,1] and NaN where an objective is not known.
	Score float64
	// Recovered is how much of the score the stage By gave back. By is set too where it
	// would, were the product violated.
	Recovered float64
	By        v1alpha1.Label
	// Whole says that By makes up for all of a loss of the product: whether that is met,
	// violated or not known makes no difference to the stage.
	Whole bool
	// Missed are the objectives that are violated, the worst first, and Unknown those
	// that nobody knows, by name.
	Missed, Unknown []JourneyMember

	product, service side
	// known is the score of what is known, share how much of a loss of the product is
	// made up for, budget the least that is left.
	known, share, budget, weight float64
}

// Open says that something is not known that the stage depends on.
func (s *StageOutcome) Open() bool {
	return s.Empty || s.service.unknown || s.product.unknown && !s.Whole
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
		Name: stage.Name, Namespace: stage.Objectives.Namespace, Critical: stage.Importance == v1alpha1.ImportanceCritical, Empty: len(members) == 0,
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

// recoverStages lets good service make up for a poor product: of the edges by
// stages whose service is met, the one that gives back the most. It asks of other
// stages nothing but their service, which nothing makes up for, so that edges
// cannot wait for each other.
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
		if stages[by].service.met() && share > stage.share {
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
	if s.Whole { // of which a sum of shares may miss the last bit
		product = 1
	}
	s.known = min(product, s.service.score)
	s.Recovered = s.known - lost
	s.Score = s.known
	if s.Open() || s.product.vague && !s.Whole || s.service.vague {
		s.Score = math.NaN()
	}
	s.Verdict = s.verdict()
}

func (s *StageOutcome) verdict() v1alpha1.StageVerdict {
	switch {
	case s.service.missed || s.product.missed && s.By == "":
		return v1alpha1.StageViolated
	case s.product.missed:
		return v1alpha1.StageRecovered
	case s.Empty || len(s.Unknown) > 0:
		return v1alpha1.StageUnknown
	default:
		return v1alpha1.StageHolding
	}
}

// Anyway says that the stage is as good as met although its product is not known:
// By makes up for that whatever it is.
func (s *StageOutcome) Anyway() bool { return s.Verdict == v1alpha1.StageUnknown && !s.Open() }
