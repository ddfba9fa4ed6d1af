package replay

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// sifted is a history of two days in hours and six hours in minutes, with what counts
// of it, and the same as if what does not count had not been.
func sifted(cells []ledger.Cell, out []slo.Span) (with, without *ledger.History) {
	const hours, minutes = 48, 360
	at := func(end time.Time) ledger.Cell { return cells[int(end.Unix()/60)%len(cells)] }
	counts := func(end time.Time) bool {
		for _, s := range out {
			if s.Holds(end) {
				return false
			}
		}
		return true
	}
	with = steady(hours, minutes, at)
	without = steady(hours, minutes, func(end time.Time) ledger.Cell {
		if counts(end) {
			return at(end)
		}
		return ledger.Cell{}
	})
	with.Exact, without.Exact, with.Left = 3*time.Hour, 3*time.Hour, map[int]ledger.Left{}
	for i, cell := range append(without.Buckets, without.Minutes...) {
		from, length := with.From.Add(time.Duration(i)*time.Hour), 60
		if i >= hours {
			from, length = begin.Add(time.Duration(i-hours)*time.Minute), 1
		}
		left := ledger.Left{Sums: cell.Sums, Covered: cell.Covered}
		for n := range length {
			if !counts(from.Add(time.Duration(n+1) * time.Minute)) {
				left.Excluded++
			}
		}
		if left.Excluded > 0 {
			with.Left[i] = left
		}
	}
	return with, without
}

// TestExcludedIsAsIfItHadNotBeen draws what happened and what is excluded of it: the
// figures of each moment are those of a world in which it did not happen, and beside
// them are those of the world as it was.
func TestExcludedIsAsIfItHadNotBeen(t *testing.T) {
	moved := 0
	plain := planOf(t, objective(failures, "99%", "36h"), begin)
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Cell {
			events := rapid.IntRange(0, 300).Draw(t, "events")
			return ledger.Cell{Sums: slo.Sums{Events: float64(events), Points: float64(events - rapid.IntRange(0, events/20).Draw(t, "bad"))}, Covered: min(events, 1)}
		}), 7, 97).Draw(t, "minutes")
		var out []slo.Span
		for range rapid.IntRange(0, 6).Draw(t, "exclusions") {
			from := begin.Add(time.Duration(rapid.IntRange(-49*60, 370).Draw(t, "from")) * time.Minute)
			out = append(out, slo.Span{Start: from, End: from.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "length")) * time.Minute)})
		}
		out = slo.Merge(out)
		plan := *plain
		plan.Excluded = out
		with, without := sifted(cells, out)
		whole := *with
		whole.Left = nil
		from := begin.Add(30 * time.Minute)
		got := Run(with, []Segment{{&plan, from, with.To}}, 7*time.Minute)
		want := Run(without, []Segment{{plain, from, with.To}}, 7*time.Minute)
		raw := Run(&whole, []Segment{{plain, from, with.To}}, 7*time.Minute)
		if diff := cmp.Diff(want, got, append(roughly, cmpopts.IgnoreFields(Replay{}, "Last", "Alerts"), cmpopts.IgnoreFields(Point{}, "Excluded", "Raw"))...); diff != "" {
			t.Fatalf("-as if it had not been, +excluded:\n%s", diff)
		}
		moved += beside(t, got.Points, raw.Points)
	})
	if moved == 0 {
		t.Error("no figure was moved: nothing is shown")
	}
}

// beside compares the figures beside those that count with the ones of a world in
// which all counts, and gives how many differ from those that count.
func beside(t *rapid.T, got, raw []Point) int {
	moved := 0
	for i, p := range got {
		want := evaluate.Figures{Attainment: raw[i].Attainment, BudgetRemaining: raw[i].Budget}
		if p.Raw == nil {
			if p.Excluded != 0 || !same(p.Attainment, want.Attainment) {
				t.Fatalf("at %s: %v is excluded, and nothing is beside it", p.At, p.Excluded)
			}
			continue
		}
		if !same(p.Raw.Attainment, want.Attainment) || !same(p.Raw.BudgetRemaining, want.BudgetRemaining) {
			t.Fatalf("at %s: with all minutes %+v, want %+v", p.At, *p.Raw, want)
		}
		if !same(p.Attainment, want.Attainment) {
			moved++
		}
	}
	return moved
}
