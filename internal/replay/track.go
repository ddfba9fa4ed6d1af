// Package replay tells what would have been: from what was counted over a stretch of
// time it finds the verdicts of each moment and the alerts that a ruler would have
// fired. It is pure, and judges by the operator's own code.
package replay

import (
	"time"

	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// Track is a history of which any stretch can be summed at once.
type Track struct {
	history *ledger.History
	// counted and recorded are running sums: of the cells before each index, first
	// buckets and then minutes. They are without the minutes that do not count, and raw
	// is with them.
	counted, recorded, raw []running
	// data is the index behind the last cell that has data, up to each index.
	data []int
}

// running is sums so far. Each is a number and what rounding has taken from it, so
// that the difference of two is as exact as if only what is between was summed.
type running struct {
	points, events, aux        exact
	covered, invalid, excluded int
}

// exact is a sum of two numbers, the second of which is too small for the first.
type exact struct{ high, low float64 }

// plus adds a number. Source: Knuth's two-sum, "The Art of Computer Programming",
// volume 2, section 4.2.2, theorem B.
func (e exact) plus(x float64) exact {
	sum := e.high + x
	part := sum - e.high
	return exact{sum, e.low + (e.high - (sum - part)) + (x - part)}
}

func (e exact) minus(o exact) float64 { return (e.high - o.high) + (e.low - o.low) }

func (r running) plus(s ledger.Left, invalid bool) running {
	r.points, r.events, r.aux = r.points.plus(s.Sums.Points), r.events.plus(s.Sums.Events), r.aux.plus(s.Sums.Aux)
	r.covered += s.Covered
	r.excluded += s.Excluded
	if invalid {
		r.invalid++
	}
	return r
}

func (r running) minus(o running) slo.Sums {
	return slo.Sums{Points: r.points.minus(o.points), Events: r.events.minus(o.events), Aux: r.aux.minus(o.aux)}
}

// NewTrack prepares a history.
func NewTrack(h *ledger.History) *Track {
	cells := append(append([]ledger.Cell{}, h.Buckets...), h.Minutes...)
	whole := func(i int) ledger.Left { return ledger.Left{Sums: cells[i].Sums, Covered: cells[i].Covered} }
	left := func(i int) ledger.Left {
		if part, ok := h.Left[i]; ok {
			return part
		}
		return whole(i)
	}
	t := &Track{history: h, raw: sumsOf(cells, whole), data: make([]int, 1, len(cells)+1)}
	t.counted = t.raw
	if len(h.Left) > 0 {
		t.counted = sumsOf(cells, left)
	}
	t.recorded = t.counted
	if len(h.Recorded) > 0 {
		t.recorded = sumsOf(cells, func(i int) ledger.Left {
			out := left(i)
			if other, ok := h.Recorded[i-len(h.Buckets)]; ok && out.Excluded == 0 {
				out.Sums = other
			}
			return out
		})
	}
	for i, c := range cells {
		last := t.data[i]
		if c.Covered > 0 {
			last = i + 1
		}
		t.data = append(t.data, last)
	}
	return t
}

// sumsOf adds up cells one after the other, of which what counts is given by their
// index.
func sumsOf(cells []ledger.Cell, counts func(int) ledger.Left) []running {
	out := make([]running, 1, len(cells)+1)
	for i, c := range cells {
		out = append(out, out[i].plus(counts(i), c.Invalid))
	}
	return out
}

// index is the number of cells up to a moment. Before the minutes it must be the
// edge of a bucket.
func (t *Track) index(at time.Time) int {
	h := t.history
	if !at.After(h.Fine) {
		return max(int(at.Sub(h.From)/h.Grid.Width), 0)
	}
	return len(h.Buckets) + min(int(at.Sub(h.Fine)/time.Minute), len(h.Minutes))
}

// end is when the cell before an index ends.
func (t *Track) end(index int) time.Time {
	h := t.history
	if index <= len(h.Buckets) {
		return h.From.Add(time.Duration(index) * h.Grid.Width)
	}
	return h.Fine.Add(time.Duration(index-len(h.Buckets)) * time.Minute)
}

// Recorded is what a ruler that looks at the minutes after start up to end sums.
func (t *Track) Recorded(start, end time.Time) slo.Sums {
	return t.recorded[t.index(end)].minus(t.recorded[t.index(start)])
}

// LastData is the end of the last minute up to a moment that has data; zero where
// none has.
func (t *Track) LastData(at time.Time) time.Time {
	index := t.data[t.index(at)]
	if index == 0 {
		return time.Time{}
	}
	return t.end(index)
}

// At is the account that the operator would have had at a moment, of a window.
func (t *Track) At(at time.Time, window slo.Window) evaluate.Account {
	return account{track: t, at: at.Truncate(time.Minute), start: t.edge(window.Span(at).Start)}
}

// edge is where reading begins for a stretch that begins at a moment.
func (t *Track) edge(at time.Time) time.Time {
	return t.history.Grid.Start(t.history.Grid.Index(at.Truncate(time.Minute).Add(time.Minute)))
}

// account is a track up to a moment.
type account struct {
	track     *Track
	at, start time.Time
}

// Since sums as a book does.
func (a account) Since(start time.Time) ledger.Stretch {
	if !start.Before(a.at) {
		return ledger.Stretch{Start: a.at, End: a.at}
	}
	start = start.Truncate(time.Minute)
	if a.at.Sub(start) > a.track.history.Exact {
		start = a.track.edge(start)
	}
	first, last := a.track.index(start), a.track.index(a.at)
	from, to := a.track.counted[first], a.track.counted[last]
	out := ledger.Stretch{
		Sums: to.minus(from), Covered: to.covered - from.covered, Excluded: to.excluded - from.excluded, Start: start, End: a.at,
		Spared: a.track.history.Spared(slo.Span{Start: start, End: a.at}),
	}
	if out.Excluded > 0 {
		out.Raw = a.track.raw[last].minus(a.track.raw[first])
	}
	return out
}

// Invalid says whether samples of the window were left out.
func (a account) Invalid() bool {
	t := a.track
	return t.counted[t.index(a.at)].invalid > t.counted[t.index(a.start)].invalid
}

// LastData is zero where the window has none.
func (a account) LastData() time.Time {
	if last := a.track.LastData(a.at); last.After(a.start) {
		return last
	}
	return time.Time{}
}
