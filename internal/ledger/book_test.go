package ledger_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

const day = 24 * time.Hour

// asked is one range query.
type asked struct {
	Expr       string
	Start, End time.Time
	Step       time.Duration
}

// regular is a source in which each minute has two events and one point. It
// remembers what it was asked.
type regular struct {
	mu    sync.Mutex
	asked []asked
}

func (r *regular) Range(_ context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	r.mu.Lock()
	r.asked = append(r.asked, asked{expr, start, end, step})
	r.mu.Unlock()
	minutes := step.Minutes()
	lanes := map[string]float64{"events": 2 * minutes, "good": minutes}
	if expr == "bucket" {
		lanes[promql.LaneMinutes] = minutes
	}
	var out model.Matrix
	for lane, value := range lanes {
		stream := &model.SampleStream{Metric: model.Metric{promql.LaneLabel: model.LabelValue(lane)}}
		for at := start; !at.After(end); at = at.Add(step) {
			stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.TimeFromUnix(at.Unix()), Value: model.SampleValue(value)})
		}
		out = append(out, stream)
	}
	return out, nil
}

// fixed are queries that are known.
type fixed promql.Reads

func (f fixed) ID() string                   { return f.Minute }
func (f fixed) Reads() (promql.Reads, error) { return promql.Reads(f), nil }

// regularTerms are read from a regular source.
func regularTerms(longest time.Duration, grid slo.Grid) ledger.Terms {
	return ledger.Terms{
		Queries: fixed{Minute: "minute", Bucket: "bucket", ExactMinute: "exact", ExactBucket: "exact"},
		Formula: compile.Formula{Points: []compile.Term{{Lane: "good", Weight: 1}}, Events: []compile.Term{{Lane: "events", Weight: 1}}},
		Grid:    grid, Longest: longest,
	}
}

func refresh(t *testing.T, b *ledger.Book, q ledger.Querier, from, to time.Time) {
	t.Helper()
	if err := b.Refresh(context.Background(), q, from, to); err != nil {
		t.Fatalf("Refresh(%s, %s): %v", from, to, err)
	}
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// TestRefreshAsks checks which queries a refresh needs.
func TestRefreshAsks(t *testing.T) {
	hours, halfPast := slo.Grid{Width: time.Hour}, slo.Grid{Width: time.Hour, Offset: 30 * time.Minute}
	at := func(hour, minute int) time.Time {
		return monday.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	}
	type step struct{ from, to time.Time }
	cases := map[string]struct {
		reason string
		terms  ledger.Terms
		before []step
		args   step
		want   []asked
	}{
		"ShortWindow": {
			reason: "A window of up to a day is read by minutes, from the beginning of a bucket.",
			terms:  regularTerms(6*time.Hour, hours), args: step{at(0, 30), at(6, 30)},
			want: []asked{{"minute", at(0, 1), at(6, 30), time.Minute}},
		},
		"LongWindow": {
			reason: "A longer one by weeks of buckets, and minutes of the last hours.",
			terms:  regularTerms(10*day, hours), args: step{at(0, 0), at(240, 20)},
			want: []asked{
				{"bucket", at(1, 0), at(168, 0), time.Hour}, {"bucket", at(169, 0), at(237, 0), time.Hour},
				{"minute", at(237, 1), at(240, 20), time.Minute},
			},
		},
		"ZoneAtHalfPast": {
			reason: "Buckets begin where the zone's hours do.",
			terms:  regularTerms(2*day, halfPast), args: step{at(0, 30), at(48, 20)},
			want: []asked{{"bucket", at(1, 30), at(44, 30), time.Hour}, {"minute", at(44, 31), at(48, 20), time.Minute}},
		},
		"Tick": {
			reason: "A tick reads the minute that is new.",
			terms:  regularTerms(10*day, hours), before: []step{{at(0, 0), at(240, 20)}}, args: step{at(0, 1), at(240, 21)},
			want: []asked{{"minute", at(240, 21), at(240, 21), time.Minute}},
		},
		"WithinAMinute": {
			reason: "Within the same minute there is nothing to read.",
			terms:  regularTerms(10*day, hours), before: []step{{at(0, 0), at(240, 20)}}, args: step{at(0, 0), at(240, 20).Add(59 * time.Second)},
		},
		"Backwards": {
			reason: "Nor when a clock was set back.",
			terms:  regularTerms(10*day, hours), before: []step{{at(0, 0), at(240, 20)}}, args: step{at(0, 0), at(239, 0)},
		},
		"AfterAPause": {
			reason: "After a pause it goes on where it stopped: the rest of the bucket, buckets, minutes.",
			terms:  regularTerms(10*day, hours), before: []step{{at(0, 0), at(240, 20)}}, args: step{at(10, 0), at(250, 20)},
			want: []asked{
				{"bucket", at(242, 0), at(247, 0), time.Hour}, {"minute", at(240, 21), at(241, 0), time.Minute},
				{"minute", at(247, 1), at(250, 20), time.Minute},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			book := ledger.NewBook(tc.terms)
			for _, s := range tc.before {
				refresh(t, book, &regular{}, s.from, s.to)
			}
			source := &regular{}
			refresh(t, book, source, tc.args.from, tc.args.to)
			sorted := cmp.Transformer("set", func(in []asked) map[asked]int {
				out := map[asked]int{}
				for _, a := range in {
					out[a]++
				}
				return out
			})
			if diff := cmp.Diff(tc.want, source.asked, sorted, cmp.AllowUnexported(asked{})); diff != "" {
				t.Errorf("\n%s\nqueries: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAnswersAreShort checks that no query, however long the window, asks for
// more than the 11,000 points that a Prometheus answers with.
func TestAnswersAreShort(t *testing.T) {
	for _, longest := range []time.Duration{time.Hour, day, day + time.Hour, 28 * day, 400 * day} {
		for _, width := range []time.Duration{time.Minute, 15 * time.Minute, time.Hour} {
			if longest > 28*day && width < 15*time.Minute {
				continue // no zone has it: half a million buckets
			}
			source := &regular{}
			book := ledger.NewBook(regularTerms(longest, slo.Grid{Width: width}))
			refresh(t, book, source, monday.Add(-longest), monday)
			for _, a := range source.asked {
				if points := int(a.End.Sub(a.Start)/a.Step) + 1; points > 11_000 {
					t.Errorf("window %s in buckets of %s asks for %d points of %s", longest, width, points, a.Expr)
				}
			}
			got := book.Since(monday.Add(-longest))
			want := ledger.Stretch{
				Sums:  slo.Sums{Points: longest.Minutes(), Events: 2 * longest.Minutes()},
				Start: monday.Add(-longest), End: monday, Covered: int(longest / time.Minute),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("window %s in buckets of %s: Since(...): -want, +got:\n%s", longest, width, diff)
			}
		}
	}
}

// TestBooksForget lets a book live for three windows: it holds the last one and
// grows no more after the first.
func TestBooksForget(t *testing.T) {
	const window = 7 * day
	book := ledger.NewBook(regularTerms(window, slo.Grid{Width: time.Hour}))
	source, full := &regular{}, 0
	for at := monday; at.Before(monday.Add(3 * window)); at = at.Add(17 * time.Minute) {
		refresh(t, book, source, at.Add(-window), at)
		got := book.Since(at.Add(-window))
		if want := at.Sub(got.Start).Minutes(); got.Sums.Points != want || got.Covered != int(want) {
			t.Fatalf("Since(%s): %v points, %d minutes, want %v", at.Add(-window), got.Sums.Points, got.Covered, want)
		}
		switch {
		case at.Sub(monday) < 2*time.Hour:
			full = book.Bytes()
		case book.Bytes() > full+64:
			t.Fatalf("Bytes(): %d at %s, want no more than %d", book.Bytes(), at, full)
		}
	}
}

// TestPauseLongerThanWindow checks that minutes which were never read are gaps,
// not what the ring held hours before.
func TestPauseLongerThanWindow(t *testing.T) {
	book := ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour}))
	source := &regular{}
	refresh(t, book, source, monday, monday.Add(5*time.Hour))
	// The window has moved on: nobody asks for what lies between.
	end := monday.Add(10 * time.Hour)
	refresh(t, book, source, end.Add(-time.Hour), end)
	start := end.Add(-3 * time.Hour)
	want := ledger.Stretch{Sums: slo.Sums{Points: 60, Events: 120}, Start: start, End: end, Covered: 60}
	if diff := cmp.Diff(want, book.Since(start)); diff != "" {
		t.Errorf("Since(...): -want, +got:\n%s", diff)
	}
}

func TestSince(t *testing.T) {
	empty := ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour}))
	full := ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour}))
	refresh(t, full, &regular{}, monday.Add(-28*day), monday)
	stretch := func(start time.Time) ledger.Stretch {
		minutes := monday.Sub(start).Minutes()
		return ledger.Stretch{Sums: slo.Sums{Points: minutes, Events: 2 * minutes}, Start: start, End: monday, Covered: int(minutes)}
	}
	type args struct {
		book  *ledger.Book
		start time.Time
	}
	cases := map[string]struct {
		reason string
		args   args
		want   ledger.Stretch
	}{
		"Unread":      {reason: "A book that was not read holds nothing.", args: args{empty, monday}},
		"Now":         {reason: "Since the cursor there is nothing.", args: args{full, monday}, want: ledger.Stretch{Start: monday, End: monday}},
		"Future":      {reason: "Nor after it.", args: args{full, monday.Add(time.Hour)}, want: ledger.Stretch{Start: monday, End: monday}},
		"Minute":      {reason: "The last minute.", args: args{full, monday.Add(-time.Minute)}, want: stretch(monday.Add(-time.Minute))},
		"Seconds":     {reason: "A start within a minute takes the whole of it.", args: args{full, monday.Add(-90 * time.Second)}, want: stretch(monday.Add(-2 * time.Minute))},
		"ThreeHours":  {reason: "The longest stretch that is told by minutes.", args: args{full, monday.Add(-3 * time.Hour)}, want: stretch(monday.Add(-3 * time.Hour))},
		"LongerThan3": {reason: "A longer one takes whole buckets, and says from where.", args: args{full, monday.Add(-3*time.Hour - time.Minute)}, want: stretch(monday.Add(-4 * time.Hour))},
		"Window":      {reason: "All of it.", args: args{full, monday.Add(-28 * day)}, want: stretch(monday.Add(-28 * day))},
		"BeforeBook": {
			reason: "What was before is not known: it is not covered.", args: args{full, monday.Add(-29 * day)},
			want: ledger.Stretch{Sums: stretch(monday.Add(-28 * day)).Sums, Start: monday.Add(-29 * day), End: monday, Covered: 28 * 24 * 60},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.book.Since(tc.args.start)); diff != "" {
				t.Errorf("\n%s\nSince(%s): -want, +got:\n%s", tc.reason, tc.args.start, diff)
			}
		})
	}
}

// TestInvalidPasses checks that a book tells of NaN while its window holds it.
func TestInvalidPasses(t *testing.T) {
	store := story(t, "good{a} 3x15"+strings.Repeat(" NaN", 7)+" 3x400\nall{a} 4x400")
	o := objective(kind{indicator: v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: "good", Events: "all"}}, target: "99%"},
		ledgertest.OnKnownTarget, rolling(time.Hour))
	book := ledger.NewBook(ledger.TermsOf(planOf(t, store, o, storyEnd)))
	type told struct {
		Minute  int
		Invalid bool
	}
	var got []told
	for _, minute := range []int{1, 3, 4, 5, 6, 60, 64, 65, 66} {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		refresh(t, book, store, epoch, at)
		got = append(got, told{minute, book.Invalid()})
	}
	want := []told{{1, false}, {3, false}, {4, true}, {5, true}, {6, true}, {60, true}, {64, true}, {65, false}, {66, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Invalid(): -want, +got:\n%s", diff)
	}
}

// TestSpellingChanges follows a histogram whose boundary is written 1 up to an
// upgrade of Prometheus and 1.0 from then on.
func TestSpellingChanges(t *testing.T) {
	store := story(t, `h_bucket{a,le="1"} 100+1x20 stale
h_bucket{a,le="1.0"} _x21 121+1x19
h_bucket{a,le="+Inf"} 200+2x40
h_count{a} 200+2x40
process_start_time_seconds{a} -10000x40
up{a} 1x40`)
	o := objective(kind{indicator: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: "h", Threshold: "1"}}, target: "75%"},
		ledgertest.OnKnownTarget, rolling(28*day))
	for form, f := range forms {
		o.Spec.Window = rolling(f.window)
		book := ledger.NewBook(ledger.TermsOf(planOf(t, store, o, epoch.Add(10*time.Minute))))
		refresh(t, book, store, epoch, storyEnd)
		if diff := cmp.Diff(found{slo.Sums{Points: 40, Events: 80}, 14, false}, foundIn(book)); diff != "" {
			t.Errorf("%s: book: -want, +got:\n%s", form, diff)
		}
	}
}

// TestRefreshCancelled checks that a refresh ends with its context and leaves
// the book as it was.
func TestRefreshCancelled(t *testing.T) {
	store := story(t, "requests_total{a} 1000+1x40\nup{a} 1x40")
	book := ledger.NewBook(ledger.TermsOf(planOf(t, store, objective(errorRate, ledgertest.OnKnownTarget, rolling(28*day)), storyEnd)))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := book.Refresh(ctx, store, epoch, storyEnd); err == nil {
		t.Error("Refresh(...): no error, want that the query was cancelled")
	}
	if !book.Cursor().IsZero() {
		t.Errorf("Cursor(): %s, want none", book.Cursor())
	}
}

func TestLedger(t *testing.T) {
	store := story(t, "requests_total{a} 1x4")
	plan := func(name string, change func(o *v1alpha1.Objective)) *compile.Plan {
		o := objective(errorRate, ledgertest.OnKnownTarget, rolling(28*day))
		o.Name = name
		change(o)
		return planOf(t, store, o, storyEnd)
	}
	same := func(*v1alpha1.Objective) {}
	l := ledger.New()
	first := l.Book(plan("a", same))
	cases := map[string]struct {
		reason string
		args   *compile.Plan
		want   bool
	}{
		"Same":   {reason: "An objective that was read again keeps its book.", args: plan("a", same), want: true},
		"Target": {reason: "A new target is judged by the same book.", args: plan("a", func(o *v1alpha1.Objective) { o.Spec.Target = "95%" }), want: true},
		"Other":  {reason: "Another objective has its own.", args: plan("b", same)},
		"Window": {reason: "Another window needs another book.", args: plan("a", func(o *v1alpha1.Objective) { o.Spec.Window = rolling(day) })},
		"Policy": {reason: "So does another way to count.", args: plan("a", func(o *v1alpha1.Objective) { o.Spec.NewSeries = v1alpha1.NewSeriesFromZero })},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			again := l.Book(plan("a", same)) // whatever the other cases did
			got := l.Book(tc.args)
			if (got == again) != tc.want {
				t.Errorf("\n%s\nBook(...): the same %t, want %t", tc.reason, got == again, tc.want)
			}
		})
	}
	l.Drop(types.NamespacedName{Namespace: "shop", Name: "a"})
	l.Drop(types.NamespacedName{Namespace: "shop", Name: "b"})
	if got := l.Bytes(); got != 0 {
		t.Errorf("Bytes() of an empty ledger: %d, want 0", got)
	}
	if second := l.Book(plan("a", same)); second == first || l.Bytes() != second.Bytes() {
		t.Errorf("Book(...) after Drop: the same %t, want a new one; Bytes(): %d, want %d", second == first, l.Bytes(), second.Bytes())
	}
}

// TestBooksAreShared refreshes and reads a book from several goroutines.
func TestBooksAreShared(t *testing.T) {
	book := ledger.NewBook(regularTerms(28*day, slo.Grid{Width: time.Hour}))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for n := range 50 {
				to := monday.Add(time.Duration(i+4*n) * time.Minute)
				if err := book.Refresh(context.Background(), &regular{}, to.Add(-28*day), to); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			for range 200 {
				s := book.Since(monday.Add(-day))
				if 2*s.Sums.Points != s.Sums.Events || float64(s.Covered) != s.Sums.Points {
					t.Errorf("Since(...): %v is torn", s)
				}
				_, _, _ = book.Bytes(), book.Cursor(), book.Invalid()
			}
		})
	}
	group.Wait()
}
