package ledger_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// uneven is a source in which each minute has a number of events of its own.
type uneven struct{ asked atomic.Int64 }

// in is the truth: the events of the minute that ends at a moment.
func (*uneven) in(end time.Time) float64 {
	return float64(rand.New(rand.NewPCG(1, uint64(end.Unix()))).IntN(1000))
}

func (u *uneven) between(start, end time.Time) float64 {
	sum := 0.0
	for at := start.Add(time.Minute); !at.After(end); at = at.Add(time.Minute) {
		sum += u.in(at)
	}
	return sum
}

func (u *uneven) Range(_ context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	u.asked.Add(1)
	lanes := map[string]*model.SampleStream{}
	for _, lane := range []string{"events", "good", promql.LaneMinutes} {
		lanes[lane] = &model.SampleStream{Metric: model.Metric{promql.LaneLabel: model.LabelValue(lane)}}
	}
	for at := start; !at.After(end); at = at.Add(step) {
		sum := u.between(at.Add(-step), at)
		for lane, value := range map[string]float64{"events": sum, "good": sum, promql.LaneMinutes: step.Minutes()} {
			lanes[lane].Values = append(lanes[lane].Values, model.SamplePair{Timestamp: model.TimeFromUnix(at.Unix()), Value: model.SampleValue(value)})
		}
	}
	out := model.Matrix{lanes["events"], lanes["good"]}
	if expr == "bucket" {
		out = append(out, lanes[promql.LaneMinutes])
	}
	return out, nil
}

// counted refreshes a book and checks a sum against the truth.
func counted(t *testing.T, u *uneven, b *ledger.Book, from, since, end, to time.Time) {
	t.Helper()
	refresh(t, b, u, from, to)
	got, ok := b.Between(since, end)
	if !ok {
		t.Fatalf("Between(%s, %s) at %s: not held", since, end, to)
	}
	upTo := end
	if to.Before(end) {
		upTo = to
	}
	want := ledger.Stretch{Start: since, End: upTo, Covered: int(upTo.Sub(since).Minutes())}
	want.Sums.Events = u.between(since, upTo)
	want.Sums.Points = want.Sums.Events
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Between(%s, %s) at %s: -want, +got:\n%s", since, end, to, diff)
	}
}

// TestBetweenIsExact counts from a minute on for as long as a gate may take, in
// books of several windows that began before and after that, over pauses, and in
// a new book half way.
func TestBetweenIsExact(t *testing.T) {
	start := monday.Add(9*time.Hour + 17*time.Minute)
	end := start.Add(day)
	cases := map[string]struct {
		reason  string
		longest time.Duration
		grid    slo.Grid
		// before is how long the book was read when counting began.
		before time.Duration
	}{
		"Month":     {reason: "minutes are kept for three hours alone", longest: 28 * day, grid: slo.Grid{Width: time.Hour}, before: 2 * day},
		"HalfHours": {reason: "buckets may be shorter, and begin at odd times", longest: 31 * day, grid: slo.Grid{Width: 30 * time.Minute, Offset: 10 * time.Minute}, before: time.Hour},
		"Hour":      {reason: "a window that is shorter than the check", longest: time.Hour, grid: slo.Grid{Width: time.Hour}, before: 10 * time.Minute},
		"Fresh":     {reason: "an objective that is as new as the gate", longest: 28 * day, grid: slo.Grid{Width: time.Hour}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			u := &uneven{}
			b := ledger.NewBook(regularTerms(tc.longest, tc.grid))
			from := func(to time.Time) time.Time {
				if window := to.Add(-tc.longest); window.Before(start) {
					return window
				}
				return start
			}
			refresh(t, b, u, from(start.Add(-tc.before)), start.Add(-tc.before))
			refresh(t, b, u, from(start), start)
			asked := u.asked.Load()
			b.Keep(day + time.Hour)
			if u.asked.Load() != asked {
				t.Errorf("Keep asked %d queries", u.asked.Load()-asked)
			}
			at := start
			for _, pause := range []time.Duration{time.Minute, time.Minute, 59 * time.Minute, 4 * time.Hour, time.Minute, 7 * time.Hour, 17 * time.Minute} {
				at = at.Add(pause)
				counted(t, u, b, from(at), start, end, at)
			}
			// The process is killed, and another one reads everything anew.
			b = ledger.NewBook(regularTerms(tc.longest, tc.grid))
			b.Keep(day + time.Hour)
			counted(t, u, b, from(at), start, end, at)
			for ; at.Before(end.Add(time.Hour)); at = at.Add(53 * time.Minute) {
				counted(t, u, b, from(at), start, end, at)
			}
		})
	}
}

// TestBetweenHoldsOrSaysSo shows when a sum cannot be had to the minute.
func TestBetweenHoldsOrSaysSo(t *testing.T) {
	now := monday.Add(100 * time.Minute)
	type want struct {
		Held bool
		Sums slo.Sums
	}
	cases := map[string]struct {
		reason     string
		keep       time.Duration
		start, end time.Duration
		want       want
	}{
		"Recent":    {reason: "two hours are kept anyway", start: -2 * time.Hour, want: want{true, slo.Sums{Points: 120, Events: 240}}},
		"Ended":     {reason: "an end in the past is an end", start: -2 * time.Hour, end: -time.Hour, want: want{true, slo.Sums{Points: 60, Events: 120}}},
		"Future":    {reason: "a check that has not begun has no events", start: time.Minute, end: time.Hour, want: want{Held: true}},
		"Now":       {reason: "nor one that begins now", end: time.Hour, want: want{Held: true}},
		"TooOld":    {reason: "four hours are not", start: -4 * time.Hour},
		"KeptLater": {reason: "and keeping more from now on brings none back", keep: day, start: -4 * time.Hour},
		"KeptLong":  {reason: "two days are the most", keep: 30 * day, start: -3 * day},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour}))
			if _, held := b.Between(now, now); held {
				t.Error("an empty book holds something")
			}
			refresh(t, b, &regular{}, now.Add(-28*day), now)
			b.Keep(tc.keep)
			got, held := b.Between(now.Add(tc.start), now.Add(tc.end))
			if diff := cmp.Diff(tc.want, want{held, got.Sums}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestKeepChangesNoFigure shows that sums over a window are the same whether
// minutes are kept for somebody else or not.
func TestKeepChangesNoFigure(t *testing.T) {
	u := &uneven{}
	plain, kept := ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour})), ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour}))
	kept.Keep(day)
	to := monday.Add(31 * time.Minute)
	for range 5 {
		refresh(t, plain, u, to.Add(-28*day), to)
		refresh(t, kept, u, to.Add(-28*day), to)
		for _, back := range []time.Duration{time.Minute, time.Hour, 3 * time.Hour, 5*time.Hour + 7*time.Minute, 20 * time.Hour, 28 * day} {
			if diff := cmp.Diff(plain.Since(to.Add(-back)), kept.Since(to.Add(-back))); diff != "" {
				t.Errorf("Since(-%s): -plain, +kept:\n%s", back, diff)
			}
		}
		to = to.Add(83 * time.Minute)
	}
	t.Logf("%d bytes, with minutes of a day %d", plain.Bytes(), kept.Bytes())
}

// TestBookSince shows when a book is begun anew for a check.
func TestBookSince(t *testing.T) {
	store := story(t, "requests_total{a} 1x4")
	o := objective(errorRate, ledgertest.OnKnownTarget, rolling(28*day))
	plan := planOf(t, store, o, storyEnd)
	other := func() *compile.Plan {
		changed := o.DeepCopy()
		changed.Spec.NewSeries = v1alpha1.NewSeriesFromZero
		return planOf(t, store, changed, storyEnd)
	}
	cases := map[string]struct {
		reason string
		plan   *compile.Plan
		since  time.Duration
		want   bool
	}{
		"Begins":   {reason: "a check that begins now takes the book as it is", plan: plan, want: true},
		"Recent":   {reason: "and so does one that began two hours ago", plan: plan, since: -2 * time.Hour, want: true},
		"Old":      {reason: "one of four hours needs minutes that are gone", plan: plan, since: -4 * time.Hour},
		"OtherWay": {reason: "another way to count is another book anyway", plan: other()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := ledger.New()
			first := l.Book(plan)
			refresh(t, first, store, monday.Add(-28*day), monday)
			got := l.BookSince(tc.plan, monday.Add(tc.since), 5*time.Hour)
			if (got == first) != tc.want {
				t.Errorf("%s: the same %t, want %t", tc.reason, got == first, tc.want)
			}
			if l.Held(plan.Key) != got || l.BookSince(tc.plan, monday.Add(tc.since), 5*time.Hour) != got {
				t.Errorf("%s: the book is not the one that is held from then on", tc.reason)
			}
			refresh(t, got, store, monday.Add(-28*day), monday)
			if l.BookSince(tc.plan, monday.Add(tc.since), 5*time.Hour) != got {
				t.Errorf("%s: the book was begun anew although it holds all", tc.reason)
			}
		})
	}
	l := ledger.New()
	if l.Held(plan.Key) != nil {
		t.Error("an empty ledger holds a book")
	}
}
