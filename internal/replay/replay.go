package replay

import (
	"math"
	"slices"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// Segment is a time with one plan. The tiers of a calendar window are those of its
// week, month, quarter or year.
type Segment struct {
	Plan *compile.Plan
	// Start and End bound the segment; a minute that ends at Start is not in it.
	Start, End time.Time
}

// Point is the verdict of a moment.
type Point struct {
	At time.Time
	// Attainment and Budget are NaN where there are no events.
	Attainment, Budget float64
	Outcome            evaluate.Outcome
	// Excluded is the share of the window that does not count, and Raw what it would be
	// with that; nil where all of it counts.
	Excluded float64
	Raw      *evaluate.Figures
}

// Replay is what would have been.
type Replay struct {
	// Last is the verdict at the end, by the last segment's plan.
	Last evaluate.Verdict
	// Points are the verdicts at each step, and at the end.
	Points []Point
	// Lowest is the moment with the least budget, of those with enough events to be
	// judged. It is NaN where there is none.
	Lowest Point
	// Spent is for how long no budget was left, by the minute.
	Spent  time.Duration
	Alerts []Episode
}

// Reach is how far back of a moment a plan looks: for its window, and by the minute
// for its alerts.
func Reach(p *compile.Plan, from time.Time) (buckets, minutes time.Time) {
	buckets, minutes = p.Window.Span(from).Start, from.Add(-ledger.TermsOf(p).Exact())
	for _, w := range rules.Watches(p) {
		late, _ := w.Delays(p, from)
		minutes = slo.Earlier(minutes, from.Add(-w.Long-late))
	}
	if p.Alerts.AbsentAfter > 0 {
		minutes = slo.Earlier(minutes, absentSince(p, quietSince(p, from)))
	}
	return slo.Earlier(buckets, minutes), minutes
}

// quietSince is since when nobody is told of absent data at a moment.
func quietSince(p *compile.Plan, at time.Time) time.Time {
	for _, s := range slices.Backward(p.Excluded) {
		if s.Start.Before(at) && at.Before(s.End.Add(p.Alerts.AbsentAfter+time.Minute)) {
			at = s.Start
		}
	}
	return at
}

// absentSince is when data can have been there last that is absent for as long as it
// takes to tell.
func absentSince(p *compile.Plan, from time.Time) time.Time {
	back := p.Alerts.AbsentAfter + rules.AbsenceWatch
	if p.Hours == nil {
		return from.Add(-back)
	}
	need := int((back + rules.AbsenceWatch) / time.Minute)
	for back < slo.MaxRolling && p.Hours.OpenMinutes(slo.Span{Start: from.Add(-back), End: from}) < need {
		back = min(2*back, slo.MaxRolling)
	}
	return from.Add(-back)
}

// Run replays segments, in the order of time and without a gap between them.
func Run(h *ledger.History, segments []Segment, step time.Duration) Replay {
	track := NewTrack(h)
	out := Replay{Lowest: Point{Budget: math.NaN(), Attainment: math.NaN()}}
	r := &ruler{track: track, from: segments[0].Start, bells: map[Alert]*bell{}}
	for _, s := range segments {
		out.judge(track, s, step)
		r.run(s.Plan, s.Start, s.End)
	}
	last := segments[len(segments)-1]
	out.Last = evaluate.Evaluate(last.Plan, track.At(last.End, last.Plan.Window), last.End)
	if n := len(out.Points); n == 0 || out.Points[n-1].At.Before(last.End) {
		out.Points = append(out.Points, pointOf(out.Last))
	}
	out.Alerts = r.episodes(last.End)
	return out
}

// judge finds the verdict of each step, and the budget of each minute.
func (r *Replay) judge(t *Track, s Segment, step time.Duration) {
	for at := s.Start.Truncate(step).Add(step); !at.After(s.End); at = at.Add(step) {
		r.Points = append(r.Points, pointOf(evaluate.Evaluate(s.Plan, t.At(at, s.Plan.Window), at)))
	}
	for at := s.Start.Add(time.Minute); !at.After(s.End); at = at.Add(time.Minute) {
		sums := t.At(at, s.Plan.Window).Since(s.Plan.Window.Span(at).Start).Sums
		attainment, ok := sums.Attainment()
		if !ok || sums.Events < s.Plan.MinimumEvents {
			continue
		}
		budget := slo.BudgetRemaining(attainment, s.Plan.Target)
		if !slo.Meets(attainment, s.Plan.Target) {
			r.Spent += time.Minute
		}
		if math.IsNaN(r.Lowest.Budget) || budget < r.Lowest.Budget {
			r.Lowest = Point{At: at, Attainment: attainment, Budget: budget}
		}
	}
}

func pointOf(v evaluate.Verdict) Point {
	return Point{At: v.At, Attainment: v.Attainment, Budget: v.BudgetRemaining, Outcome: v.Outcome, Excluded: v.Excluded, Raw: v.Raw}
}
