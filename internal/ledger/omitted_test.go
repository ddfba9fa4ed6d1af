package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// TestHistoryLeavesOut compares what counts of each minute and each bucket with what
// was scraped in the minutes that are left.
func TestHistoryLeavesOut(t *testing.T) {
	w, store := historical(t)
	span := func(from, to time.Duration) slo.Span { return slo.Span{Start: march.Add(from), End: march.Add(to)} }
	out := []slo.Span{
		span(-time.Hour, 12*time.Minute), span(40*time.Minute, 41*time.Minute), // parts of the first hour
		span(59*time.Minute, 2*time.Hour+1*time.Minute),             // all of the second
		span(2*time.Hour+58*time.Minute, 3*time.Hour+7*time.Minute), // to where it is by the minute
		span(5*time.Hour, 5*time.Hour+20*time.Minute), span(7*time.Hour-time.Minute, 9*time.Hour),
	}
	for _, name := range []string{"EventsBad", "Distribution", "Apdex"} {
		k := kinds[name]
		truth := k.truth(func(metric string, pairs ...string) *ledgertest.Movement {
			return w.Movement(ledgertest.OnKnownTarget, metric, pairs...)
		})
		h, err := ledger.ReadHistory(t.Context(), store, termsIn(t, store, k, w.End()), ledger.Past{From: march, Fine: march.Add(3 * time.Hour), To: w.End(), Excluded: out})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range append(h.Buckets, h.Minutes...) {
			from, length := march.Add(time.Duration(i)*time.Hour), time.Hour
			if i >= len(h.Buckets) {
				from, length = h.Fine.Add(time.Duration(i-len(h.Buckets))*time.Minute), time.Minute
			}
			checkCell(t, name, truth, c, from, length)
			want := truth.without(out, from, from.Add(length))
			got, some := h.Left[i]
			if !some {
				got = ledger.Left{Sums: c.Sums, Covered: c.Covered}
			}
			if diff := cmp.Diff(ledger.Left{Sums: want.Sums, Covered: want.Covered, Excluded: want.Excluded}, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("%s: %s from %s: -scraped, +history:\n%s", name, length, from.Format("15:04"), diff)
			}
		}
		if len(h.Left) != 3+7+20+1 {
			t.Errorf("%s: %d cells are left out in part or whole, want 31", name, len(h.Left))
		}
	}
}

// coarse is a source that has the minutes since a moment alone, and sums of before.
type coarse struct {
	uneven
	before time.Time
}

func (c *coarse) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	if expr == "minute" {
		start = slo.Later(start, c.before.Add(step))
	}
	if start.After(end) {
		return nil, nil
	}
	return c.uneven.Range(ctx, expr, start, end, step)
}

// summed is what a history has as a book gives it.
func summed(h *ledger.History) ledger.Stretch {
	out := ledger.Stretch{Start: h.From, End: h.To, Spared: h.Spared(slo.Span{Start: h.From, End: h.To})}
	for i, c := range append(h.Buckets, h.Minutes...) {
		left, some := h.Left[i]
		if !some {
			left = ledger.Left{Sums: c.Sums, Covered: c.Covered}
		}
		out.Raw, out.Sums = out.Raw.Add(c.Sums), out.Sums.Add(left.Sums)
		out.Covered, out.Excluded = out.Covered+left.Covered, out.Excluded+left.Excluded
	}
	if out.Excluded == 0 {
		out.Raw = slo.Sums{}
	}
	return out
}

// TestHistoryLeavesOutAsABook draws exclusions, and up to when a source has forgotten
// minutes: a history has what a book has, to the event.
func TestHistoryLeavesOutAsABook(t *testing.T) {
	const length = 40 * time.Hour
	spared, left := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(-60, int(length/time.Minute)+60)
		var spans []slo.Span
		for range rapid.IntRange(0, 5).Draw(t, "exclusions") {
			from := monday.Add(time.Duration(minutes.Draw(t, "from")) * time.Minute)
			spans = append(spans, slo.Span{Start: from, End: from.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "length")) * time.Minute)})
		}
		spans = slo.Merge(spans)
		now := monday.Add(length)
		fine := now.Add(-3 * time.Hour)
		terms := regularTerms(length, slo.Grid{Width: time.Hour})
		// A book has some more by the minute than it sums, and makes its latest buckets of
		// that.
		known := fine.Add(-terms.Grid.Width)
		q := &coarse{before: monday.Add(time.Duration(rapid.IntRange(0, int(known.Sub(monday)/time.Minute)).Draw(t, "forgotten")) * time.Minute)}
		book := ledger.NewBook(terms)
		book.Exclude(spans)
		if err := book.Refresh(context.Background(), q, monday, now); err != nil {
			t.Fatal(err)
		}
		h, err := ledger.ReadHistory(context.Background(), q, terms, ledger.Past{From: monday, Fine: fine, To: now, Excluded: spans})
		if err != nil {
			t.Fatal(err)
		}
		want := book.Since(monday)
		if diff := cmp.Diff(want, summed(h)); diff != "" {
			t.Fatalf("-book, +history:\n%s", diff)
		}
		spared, left = spared+len(want.Spared), left+want.Excluded
	})
	if spared == 0 || left == 0 {
		t.Errorf("%d minutes left out, %d stretches that could not be: nothing is shown", left, spared)
	}
}

// TestHistoryLeavesOutOrFails has each query fail that is asked for exclusions.
func TestHistoryLeavesOutOrFails(t *testing.T) {
	now, out := monday.Add(10*day), nights(2*time.Hour+15*time.Minute, 30*time.Minute)
	terms := regularTerms(10*day, slo.Grid{Width: time.Hour})
	past := ledger.Past{From: monday, Fine: now.Add(-3 * time.Hour), To: now}
	plain := &crowd{answer: 1000}
	if _, err := ledger.ReadHistory(t.Context(), plain, terms, past); err != nil {
		t.Fatal(err)
	}
	past.Excluded = out
	whole := &crowd{answer: 1000}
	if _, err := ledger.ReadHistory(t.Context(), whole, terms, past); err != nil || whole.asked-plain.asked != len(out) {
		t.Errorf("%d queries more for %d nights: %v", whole.asked-plain.asked, len(out), err)
	}
	for n := plain.asked; n < whole.asked; n++ {
		if h, err := ledger.ReadHistory(t.Context(), &crowd{answer: n}, terms, past); !errors.Is(err, errInjected) || h != nil {
			t.Errorf("query %d fails: %v, %v", n+1, h, err)
		}
	}
}
