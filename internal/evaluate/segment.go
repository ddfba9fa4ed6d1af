package evaluate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// Segment is what was found of one segment.
type Segment struct {
	// Value is that of the label; it is empty for all other events together.
	Value string
	// Outcome is Unknown where there are too few events, and such a segment decides
	// nothing.
	Outcome Outcome
	// Reason is one of the reasons of v1alpha1.ConditionMet.
	Reason string
	// Attainment and BudgetRemaining are NaN without events.
	Attainment, BudgetRemaining, Events float64

	band v1alpha1.Band
}

// Grouped judges an objective by its account and those of its segments. Where the
// promise is kept to every segment, one that misses the target breaks it, and one
// that has the events and no clear attainment leaves it open; a promise that the
// whole does not keep is not kept.
func Grouped(p *compile.Plan, account Account, parts []ledger.Part, now time.Time) Verdict {
	v := Evaluate(p, account, now)
	start := p.Window.Span(now).Start
	for _, part := range parts {
		s := segmentOf(p, part.Value, part.Since(start).Sums)
		if part.Value != "" || s.Events > 0 {
			v.Segments = append(v.Segments, s)
		}
	}
	slices.SortFunc(v.Segments, func(a, b Segment) int { return worse(p, a, b) })
	if p.Group.Every {
		v.bySegments()
	}
	return v
}

func segmentOf(p *compile.Plan, value string, sums slo.Sums) Segment {
	v := Verdict{Attainment: math.NaN(), BudgetRemaining: math.NaN(), Reason: v1alpha1.ReasonInsufficientData}
	if attainment, ok := sums.Attainment(); ok {
		v.Attainment, v.BudgetRemaining = attainment, slo.BudgetRemaining(attainment, p.Target)
		v.judge(p, sums)
	}
	return Segment{
		Value: value, Outcome: v.Outcome, Reason: v.Reason, Events: sums.Events,
		Attainment: v.Attainment, BudgetRemaining: v.BudgetRemaining, band: v.Band,
	}
}

// worse puts the segments that miss the target first, then the known ones by what
// they attain. Two that read the same are in the order of their values, so that the
// order does not change while no figure does.
func worse(p *compile.Plan, a, b Segment) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	if shown(p, a) != shown(p, b) {
		return cmp.Compare(sure(a), sure(b))
	}
	return cmp.Compare(a.Value, b.Value)
}

// shown is a segment's attainment as a person reads it.
func shown(p *compile.Plan, s Segment) string {
	if math.IsNaN(s.Attainment) {
		return ""
	}
	return p.Unit.FormatAgainst(s.Attainment, p.Target)
}

// sure puts what has no attainment behind all that has.
func sure(s Segment) float64 {
	if math.IsNaN(s.Attainment) {
		return math.Inf(1)
	}
	return s.Attainment
}

// Ranks of segments, the worst first.
const (
	missing = iota
	unclear // has the events, and no clear attainment
	meeting
	small // has too few events
)

func rank(s Segment) int {
	switch {
	case s.Outcome == Missed:
		return missing
	case s.Outcome == Met:
		return meeting
	case s.Reason == v1alpha1.ReasonInsufficientData:
		return small
	default:
		return unclear
	}
}

func worst(a, b v1alpha1.Band) v1alpha1.Band {
	if a == v1alpha1.BandPoor {
		return a
	}
	return b
}

// bySegments turns the verdict on the whole into one on every segment.
func (v *Verdict) bySegments() {
	if v.Outcome == Missed {
		return
	}
	band, open := v1alpha1.Band(""), ""
	for _, s := range v.Segments {
		switch rank(s) {
		case missing:
			band = worst(band, s.band)
		case unclear:
			open = s.Reason
		}
	}
	switch {
	case band != "":
		v.Outcome, v.Reason, v.Band = Missed, v1alpha1.ReasonSegmentMissed, band
	case v.Outcome == Met && open != "":
		v.Outcome, v.Reason, v.Band = Unknown, open, ""
	}
}
