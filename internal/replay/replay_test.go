package replay

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// steady is a history of the same cell each minute, with buckets before begin.
func steady(hours, minutes int, cell func(at time.Time) ledger.Cell) *ledger.History {
	h := &ledger.History{
		Grid: slo.Grid{Width: time.Hour}, From: begin.Add(-time.Duration(hours) * time.Hour), Fine: begin,
		To: begin.Add(time.Duration(minutes) * time.Minute), Exact: 24 * time.Hour,
	}
	for i := range hours * 60 {
		c := cell(h.From.Add(time.Duration(i+1) * time.Minute))
		if i%60 == 0 {
			h.Buckets = append(h.Buckets, ledger.Cell{})
		}
		b := &h.Buckets[i/60]
		b.Sums, b.Covered, b.Invalid = b.Sums.Add(c.Sums), b.Covered+c.Covered, b.Invalid || c.Invalid
	}
	for i := range minutes {
		h.Minutes = append(h.Minutes, cell(begin.Add(time.Duration(i+1)*time.Minute)))
	}
	return h
}

// outage is 100 events a minute of which a share fails in a stretch.
func outage(from, to time.Time, share float64) func(time.Time) ledger.Cell {
	return func(at time.Time) ledger.Cell {
		bad := 0.0
		if at.After(from) && !at.After(to) {
			bad = 100 * share
		}
		return ledger.Cell{Sums: slo.Sums{Points: 100 - bad, Events: 100}, Covered: 1}
	}
}

// TestRun replays a day with an outage of an hour.
func TestRun(t *testing.T) {
	plan := planOf(t, objective(failures, "99%", "1d"), begin)
	from := begin.Add(36 * time.Hour)
	h := steady(0, 60*60, outage(begin.Add(38*time.Hour), begin.Add(39*time.Hour), 0.5))
	got := Run(h, []Segment{{plan, from, h.To}}, 6*time.Hour)
	// 3,000 of 144,000 events failed, which is 2.0833% where 1% is allowed. The hour
	// is in the window to the end, and the budget was spent within half of it.
	lowest := Point{At: begin.Add(39 * time.Hour), Attainment: 1 - 3000.0/144000, Budget: 1 - 3000.0/1440}
	if diff := cmp.Diff(lowest, got.Lowest, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("the lowest budget: -want, +got:\n%s", diff)
	}
	// Spent from the 29th minute on, in which the 1,450th event failed.
	if want := 24*time.Hour - 2*time.Hour - 28*time.Minute; got.Spent != want {
		t.Errorf("out of budget for %s, want %s", got.Spent, want)
	}
	var points []Point
	for i := range 4 {
		p := Point{At: begin.Add(time.Duration(42+6*i) * time.Hour), Attainment: lowest.Attainment, Budget: lowest.Budget, Outcome: evaluate.Missed}
		points = append(points, p)
	}
	if diff := cmp.Diff(points, got.Points, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("points: -want, +got:\n%s", diff)
	}
	checkPages(t, got.Alerts)
}

// checkPages expects two pages within the hour of the outage.
func checkPages(t *testing.T, all []Episode) {
	t.Helper()
	pages := slices.DeleteFunc(slices.Clone(all), func(e Episode) bool { return e.Severity != rules.Critical })
	if len(pages) != 2 {
		t.Errorf("%d pages, want 2: %+v", len(pages), all)
	}
	for _, e := range pages {
		if e.Start.Before(begin.Add(38*time.Hour)) || e.Start.After(begin.Add(39*time.Hour)) || e.Open || e.Begun || e.Length() < 30*time.Minute {
			t.Errorf("a page at another time: %+v", e)
		}
	}
}

func TestRunOfNothing(t *testing.T) {
	plan := planOf(t, objective(failures, "99%", "1d"), begin)
	h := steady(24, 90, func(time.Time) ledger.Cell { return ledger.Cell{} })
	got := Run(h, []Segment{{plan, begin, h.To}}, time.Hour)
	nothing := func(after time.Duration) Point {
		return Point{At: begin.Add(after), Attainment: math.NaN(), Budget: math.NaN()}
	}
	want := Replay{Lowest: Point{Attainment: math.NaN(), Budget: math.NaN()}, Points: []Point{nothing(time.Hour), nothing(90 * time.Minute)}}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.IgnoreFields(Replay{}, "Last")); diff != "" {
		t.Errorf("without data nothing is known, and nothing fires: -want, +got:\n%s", diff)
	}
	if got.Last.Reason != v1alpha1.ReasonNoData {
		t.Errorf("the last verdict: %s", got.Last.Reason)
	}
}

// TestRunSkipsTooFewEvents has a budget that a single event spent, of too few to be
// judged.
func TestRunSkipsTooFewEvents(t *testing.T) {
	plan := planOf(t, objective(failures, "99%", "1d", func(s *v1alpha1.ObjectiveSpec) { s.MinimumEvents = 50 }), begin)
	h := steady(24, 120, func(at time.Time) ledger.Cell {
		if at.Before(begin.Add(time.Minute)) {
			return ledger.Cell{}
		}
		points := 1.0
		if at.Equal(begin.Add(time.Minute)) {
			points = 0
		}
		return ledger.Cell{Sums: slo.Sums{Points: points, Events: 1}, Covered: 1}
	})
	got := Run(h, []Segment{{plan, begin, h.To}}, time.Hour)
	// From the 50th event to the 99th, one of them bad is more than one in a hundred.
	if got.Spent != 50*time.Minute || !got.Lowest.At.Equal(begin.Add(50*time.Minute)) {
		t.Errorf("out of budget for %s, lowest at %s", got.Spent, got.Lowest.At)
	}
}

// TestSegments has an alert go on where a plan follows another, unless that has no
// such alert.
func TestSegments(t *testing.T) {
	before := planOf(t, objective(failures, "99%", "1d"), begin)
	after := planOf(t, objective(failures, "99%", "28d"), begin)
	h := steady(28*24, 300, outage(begin.Add(-200*time.Hour), begin.Add(time.Hour), 1))
	middle := begin.Add(30 * time.Minute)
	same := Run(h, []Segment{{before, begin, middle}, {before, middle, h.To}}, time.Hour)
	whole := Run(h, []Segment{{before, begin, h.To}}, time.Hour)
	if diff := cmp.Diff(whole.Alerts, same.Alerts); diff != "" || len(whole.Alerts) == 0 {
		t.Errorf("a plan that follows itself changes alerts: -whole, +parts:\n%s", diff)
	}
	for _, e := range whole.Alerts {
		if !e.Begun || e.Open {
			t.Errorf("an alert that fired before: %+v", e)
		}
	}
	other := Run(h, []Segment{{before, begin, middle}, {after, middle, h.To}}, time.Hour)
	for _, e := range other.Alerts[:len(whole.Alerts)] {
		if !e.End.Equal(middle) {
			t.Errorf("an alert that the next plan has not goes on: %+v", e)
		}
	}
	if len(other.Alerts) <= len(whole.Alerts) {
		t.Errorf("the next plan has no alerts: %+v", other.Alerts)
	}
}

func TestOpenAlerts(t *testing.T) {
	plan := planOf(t, objective(failures, "99%", "1d"), begin)
	h := steady(24, 65, outage(begin.Add(30*time.Minute), begin.Add(24*time.Hour), 1))
	for _, e := range Run(h, []Segment{{plan, begin, h.To}}, time.Hour).Alerts {
		if !e.Open || e.Begun || !e.End.Equal(h.To) {
			t.Errorf("an alert that fires at the end: %+v", e)
		}
	}
}

// TestExactSums adds numbers of any size, and takes a part of them out again.
func TestExactSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 1e12)), 1, 300).Draw(t, "numbers")
		from := rapid.IntRange(0, len(numbers)-1).Draw(t, "from")
		sums, want := []exact{{}}, new(big.Float).SetPrec(2000)
		for i, x := range numbers {
			sums = append(sums, sums[i].plus(x))
			if i >= from {
				want.Add(want, big.NewFloat(x))
			}
		}
		exactly, _ := want.Float64()
		if got := sums[len(numbers)].minus(sums[from]); math.Abs(got-exactly) > 1e-15*exactly+1e-18 {
			t.Fatalf("%v, want %v", got, exactly)
		}
	})
}

func TestReach(t *testing.T) {
	cases := map[string]struct {
		reason           string
		objective        *v1alpha1.Objective
		buckets, minutes time.Duration
	}{
		"Day":    {"a book sums a day by the minute", objective(failures, "99%", "1d"), 24 * time.Hour, 24 * time.Hour},
		"Month":  {"the longest alert looks at three days, a minute late", objective(failures, "99.9%", "28d"), 28 * 24 * time.Hour, 72*time.Hour + time.Minute},
		"Absent": {"data can be awaited for longer than that", objective(failures, "99%", "4h", keeping(0, 1)), 4 * time.Hour, 4 * time.Hour},
		"Late": {"absence looks back too", objective(failures, "99%", "4h", func(s *v1alpha1.ObjectiveSpec) { s.Perspective = v1alpha1.PerspectiveCX }),
			24*time.Hour + 5*time.Minute, 24*time.Hour + 5*time.Minute},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			buckets, minutes := Reach(planOf(t, tc.objective, begin), begin)
			if begin.Sub(buckets) != tc.buckets || begin.Sub(minutes) != tc.minutes {
				t.Errorf("%s: %s and %s, want %s and %s", tc.reason, begin.Sub(buckets), begin.Sub(minutes), tc.buckets, tc.minutes)
			}
		})
	}
}

// TestReachOfExclusions has rules that leave minutes out look at older ones, and data
// that went away before or in an exclusion be told of after it.
func TestReachOfExclusions(t *testing.T) {
	span := func(from, to time.Duration) slo.Span { return slo.Span{Start: begin.Add(-from), End: begin.Add(-to)} }
	month, hours := objective(failures, "99.9%", "28d"), objective(failures, "99%", "4h", keeping(0, 1))
	cases := map[string]struct {
		reason   string
		args     *v1alpha1.Objective
		excluded []slo.Span
		want     time.Duration
	}{
		"Sifted":  {"minutes of slower groups are two minutes old", month, []slo.Span{span(72*time.Hour, 70*time.Hour)}, 72*time.Hour + 2*time.Minute},
		"Over":    {"no window reaches it any more", month, []slo.Span{span(90*time.Hour, 75*time.Hour)}, 72*time.Hour + time.Minute},
		"Quiet":   {"data can have been there last before it began", hours, []slo.Span{span(10*time.Hour, -time.Hour)}, 10*time.Hour + 25*time.Minute},
		"Ended":   {"for twenty minutes after its end nobody is told", hours, []slo.Span{span(10*time.Hour, 20*time.Minute)}, 10*time.Hour + 25*time.Minute},
		"Chained": {"nor between two that are not far apart", hours, []slo.Span{span(20*time.Hour, 10*time.Hour+20*time.Minute), span(10*time.Hour, 0)}, 20*time.Hour + 25*time.Minute},
		"Apart":   {"of two that are far apart the first has its own time", hours, []slo.Span{span(40*time.Hour, 39*time.Hour), span(10*time.Hour, 0)}, 10*time.Hour + 25*time.Minute},
		"Told":    {"who was to be told was told", hours, []slo.Span{span(10*time.Hour, 21*time.Minute)}, 4 * time.Hour},
		"ToCome":  {"what is to come takes nothing back", hours, []slo.Span{span(-time.Hour, -2*time.Hour)}, 4 * time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan := planOf(t, tc.args, begin)
			plan.Excluded = tc.excluded
			if _, minutes := Reach(plan, begin); begin.Sub(minutes) != tc.want {
				t.Errorf("%s: %s, want %s", tc.reason, begin.Sub(minutes), tc.want)
			}
		})
	}
}

func BenchmarkRun(b *testing.B) {
	plan := planOf(b, objective(failures, "99.9%", "28d"), begin)
	h := steady(28*24, 28*24*60, outage(begin.Add(14*24*time.Hour), begin.Add(15*24*time.Hour), 0.1))
	b.ReportAllocs()
	for b.Loop() {
		Run(h, []Segment{{plan, begin.Add(4 * 24 * time.Hour), h.To}}, time.Hour)
	}
}
