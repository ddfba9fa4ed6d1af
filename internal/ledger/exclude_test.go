package ledger_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// forgetful is a source that has forgotten what was before a moment.
type forgetful struct {
	uneven
	before time.Time
}

func (f *forgetful) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	for !start.Add(-step).Before(f.before) || start.After(end) {
		return f.uneven.Range(ctx, expr, start, end, step)
	}
	return f.Range(ctx, expr, start.Add(step), end, step)
}

// without is what a book has between two moments when spans are left out.
func (u *uneven) without(out []slo.Span, start, end time.Time) ledger.Stretch {
	want := ledger.Stretch{Start: start, End: end}
	for at := start.Add(time.Minute); !at.After(end); at = at.Add(time.Minute) {
		sums := slo.Sums{Points: u.in(at), Events: u.in(at)}
		want.Raw = want.Raw.Add(sums)
		if slices.ContainsFunc(out, func(s slo.Span) bool { return s.Holds(at) }) {
			want.Excluded++
			continue
		}
		want.Sums, want.Covered = want.Sums.Add(sums), want.Covered+1
	}
	if want.Excluded == 0 {
		want.Raw = slo.Sums{}
	}
	return want
}

// TestForgottenMinutes excludes a part of hours that a book has and whose minutes its
// source may have forgotten since.
func TestForgottenMinutes(t *testing.T) {
	now := monday.Add(10 * day)
	span := func(from, to time.Duration) slo.Span { return slo.Span{Start: monday.Add(from), End: monday.Add(to)} }
	// A part of an hour, three whole hours, and a part of another.
	exclusion := []slo.Span{span(26*time.Hour+15*time.Minute, 30*time.Hour+30*time.Minute)}
	first, last := span(26*time.Hour+15*time.Minute, 27*time.Hour), span(30*time.Hour, 30*time.Hour+30*time.Minute)
	type want struct{ Out, Spared []slo.Span }
	cases := map[string]struct {
		reason string
		args   time.Duration
		want   want
	}{
		"Kept": {
			reason: "Minutes that the source has are left out.", args: 26 * time.Hour, want: want{Out: exclusion},
		},
		"Hour": {
			reason: "An hour without minutes counts whole, and the hours beside it do not.", args: 27 * time.Hour,
			want: want{Out: []slo.Span{span(27*time.Hour, 30*time.Hour+30*time.Minute)}, Spared: []slo.Span{first}},
		},
		"PartOfAnHour": {
			reason: "So does one whose last minutes are all that is left.", args: 26*time.Hour + 50*time.Minute,
			want: want{Out: []slo.Span{span(27*time.Hour, 30*time.Hour+30*time.Minute)}, Spared: []slo.Span{first}},
		},
		"All": {
			reason: "What is excluded whole needs no minutes.", args: 31 * time.Hour,
			want: want{Out: []slo.Span{span(27*time.Hour, 30*time.Hour)}, Spared: []slo.Span{first, last}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			q, b := &forgetful{}, ledger.NewBook(regularTerms(10*day, slo.Grid{Width: time.Hour}))
			check := func(what string, now time.Time, left want) {
				t.Helper()
				refresh(t, b, q, now.Add(-10*day), now)
				want := q.without(left.Out, now.Add(-10*day), now)
				want.Spared = left.Spared
				if diff := cmp.Diff(want, b.Since(now.Add(-10*day))); diff != "" {
					t.Errorf("%s %s: Since(): -want, +got:\n%s", tc.reason, what, diff)
				}
			}
			check("Before", now, want{})
			q.before = monday.Add(tc.args)
			b.Exclude(exclusion)
			check("Excluded", now, tc.want)
			asked := q.asked.Load()
			check("Again", now, tc.want)
			if n := q.asked.Load() - asked; n > 0 {
				t.Errorf("%s %d queries for what is known", tc.reason, n)
			}
			check("An hour later", now.Add(time.Hour), tc.want)
			b.Exclude([]slo.Span{span(26*time.Hour, 31*time.Hour)})
			check("Whole hours", now.Add(time.Hour), want{Out: []slo.Span{span(26*time.Hour, 31*time.Hour)}})
			b.Exclude(nil)
			check("Taken back", now.Add(time.Hour), want{})
		})
	}
}

// nights are those of ten days, from a moment after midnight on.
func nights(from, length time.Duration) []slo.Span {
	var out []slo.Span
	for d := range time.Duration(9) {
		start := monday.Add(d*day + from)
		out = append(out, slo.Span{Start: start, End: start.Add(length)})
	}
	return out
}

// crowd is a source that tells how many queries were under way at once, and fails
// those after a number.
type crowd struct {
	uneven
	mu            sync.Mutex
	under, most   int
	asked, answer int
}

func (c *crowd) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	c.mu.Lock()
	c.under, c.asked = c.under+1, c.asked+1
	c.most = max(c.most, c.under)
	fails := c.asked > c.answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.under--
		c.mu.Unlock()
	}()
	if fails {
		return nil, errInjected
	}
	return c.uneven.Range(ctx, expr, start, end, step)
}

// TestExclusionAsks counts the queries that nights of nine days need, and has some of
// them fail.
func TestExclusionAsks(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []slo.Span
		want   int
	}{
		"OneHour":  {reason: "A part of an hour is a query a night.", args: nights(2*time.Hour+15*time.Minute, 30*time.Minute), want: 9},
		"TwoHours": {reason: "So are the parts of two with whole hours between.", args: nights(22*time.Hour+15*time.Minute, 4*time.Hour), want: 9},
		"Whole":    {reason: "Whole hours need none.", args: nights(2*time.Hour, 2*time.Hour)},
		"Close":    {reason: "Parts that are a few hours apart are read together, a day at the most.", args: slo.Merge(append(nights(2*time.Hour+15*time.Minute, time.Minute), nights(8*time.Hour+15*time.Minute, time.Minute)...)), want: 9},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := monday.Add(10 * day)
			q, b := &crowd{answer: 1000}, ledger.NewBook(regularTerms(10*day, slo.Grid{Width: time.Hour}))
			refresh(t, b, q, now.Add(-10*day), now)
			check := func(what string, now time.Time, out []slo.Span) {
				t.Helper()
				if diff := cmp.Diff(q.without(out, monday, now), b.Since(now.Add(-10*day))); diff != "" {
					t.Errorf("%s %s: Since(): -want, +got:\n%s", tc.reason, what, diff)
				}
			}
			before := q.asked
			b.Exclude(tc.args)
			if tc.want > 0 { // of the queries for new minutes and parts, the last three fail
				now = now.Add(time.Minute)
				q.answer = before + 1 + tc.want - 3
				if err := b.Refresh(t.Context(), q, now.Add(-10*day), now); !errors.Is(err, errInjected) {
					t.Errorf("%s Refresh(): %v, want %v", tc.reason, err, errInjected)
				}
				check("When some failed", now, nil)
				if failed := q.asked - q.answer; failed < 1 || failed > 3 {
					t.Errorf("%s %d queries after one had failed", tc.reason, failed)
				}
				before, q.answer = q.asked-(tc.want-3), 1000
			}
			refresh(t, b, q, now.Add(-10*day), now)
			check("Read", now, tc.args)
			if diff := cmp.Diff(tc.want, q.asked-before); diff != "" {
				t.Errorf("%s queries: -want, +got:\n%s", tc.reason, diff)
			}
			if q.most > 4 {
				t.Errorf("%s %d queries at once", tc.reason, q.most)
			}
		})
	}
}

// TestExclusionAtStart has a query fail while a book is empty: it stays so, since it
// has no figures of before, and does not ask again for what it was told.
func TestExclusionAtStart(t *testing.T) {
	now, out := monday.Add(10*day), nights(2*time.Hour+15*time.Minute, 30*time.Minute)
	q, b := &crowd{answer: 3 + 6}, ledger.NewBook(regularTerms(10*day, slo.Grid{Width: time.Hour}))
	b.Exclude(out)
	if err := b.Refresh(t.Context(), q, now.Add(-10*day), now); !errors.Is(err, errInjected) {
		t.Errorf("Refresh(): %v, want %v", err, errInjected)
	}
	if at := b.Cursor(); !at.IsZero() {
		t.Errorf("Cursor(): %s, want none", at)
	}
	before := q.asked
	q.answer = 1000
	refresh(t, b, q, now.Add(-10*day), now)
	if diff := cmp.Diff(q.without(out, now.Add(-10*day), now), b.Since(now.Add(-10*day))); diff != "" {
		t.Errorf("Since(): -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff(3+3, q.asked-before); diff != "" {
		t.Errorf("queries: -want, +got:\n%s", diff)
	}
}
