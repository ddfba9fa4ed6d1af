package ledger_test

import (
	"context"
	"slices"
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
