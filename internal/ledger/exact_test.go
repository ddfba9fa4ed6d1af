package ledger_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// scrapeIntervals are those that people use, from the shortest to the longest
// for which counting is promised to be exact.
var scrapeIntervals = []time.Duration{
	5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	37 * time.Second, 45 * time.Second, time.Minute, 90 * time.Second, 2 * time.Minute,
}

// mostScrapes bounds the scrapes of a pod in a world, so that a hundred worlds
// take less than a minute: 7 hours at 5 s, 20 hours at 15 s, 30 hours from 22 s.
const mostScrapes = 5000

func drawIncident(slots int, length time.Duration) *rapid.Generator[ledgertest.Incident] {
	return rapid.Custom(func(t *rapid.T) ledgertest.Incident {
		kinds := []ledgertest.IncidentKind{
			ledgertest.Replace, ledgertest.Discover, ledgertest.Restart, ledgertest.Fail, ledgertest.Silence,
		}
		return ledgertest.Incident{
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Slot: rapid.IntRange(0, slots-1).Draw(t, "slot"),
			At:   time.Duration(rapid.Int64Range(0, length.Milliseconds()).Draw(t, "at")) * time.Millisecond,
			For:  time.Duration(rapid.IntRange(0, longest.Draw(t, "longest")).Draw(t, "for")) * time.Millisecond,
		}
	})
}

// longest is what bounds an incident, in milliseconds: a restart that no scrape
// sees, one that some see, and an hour's quarter without a pod.
var longest = rapid.SampledFrom([]int{4_000, 60_000, 900_000})

// drawIncidents draws from none to one every five minutes.
func drawIncidents(t *rapid.T, slots int, length time.Duration) []ledgertest.Incident {
	apart := rapid.SampledFrom([]time.Duration{400, 60, 15, 5}).Draw(t, "minutes apart")
	n := min(int(length/(apart*time.Minute)), 100)
	return rapid.SliceOfN(drawIncident(slots, length), n/2, n).Draw(t, "incidents")
}

func drawWorld(t *rapid.T, signal ledgertest.Signal) *ledgertest.World {
	scrape := rapid.SampledFrom(scrapeIntervals).Draw(t, "scrape")
	hours := rapid.IntRange(1, min(30, int(mostScrapes*scrape/time.Hour))).Draw(t, "hours")
	length := time.Duration(hours)*time.Hour + time.Duration(rapid.IntRange(0, 59).Draw(t, "minutes"))*time.Minute
	slots := rapid.IntRange(1, 3).Draw(t, "slots")
	return ledgertest.New(ledgertest.Config{
		Seed:   rapid.Uint64().Draw(t, "seed"),
		Start:  time.UnixMilli(1_780_000_000_000 + rapid.Int64Range(0, 7_200_000).Draw(t, "start")).UTC(),
		Length: length, Scrape: scrape, Slots: slots, Signals: []ledgertest.Signal{signal},
		Incidents: drawIncidents(t, slots, length),
		LongLE:    rapid.Bool().Draw(t, "longLE"),
	})
}

// trial is one objective over one world.
type trial struct {
	*rapid.T
	world  *ledgertest.World
	store  *ledgertest.Store
	terms  ledger.Terms
	window time.Duration
	truth  truth
	book   *ledger.Book
	kind   kind
	policy ledgertest.Policy
	oldest time.Time // what the book must hold begins here
	plan   *compile.Plan
	ruler  *ruler       // nil where none records
	broken atomic.Int64 // the query that fails; none at 0
	// excluded is what the book is to leave out from its next refresh on.
	// settled is what it left out when it was read last.
	excluded, settled []slo.Span
}

var errInjected = errors.New("connection reset")

func (c *trial) fail() error {
	if c.broken.Load() > 0 && c.broken.Add(-1) == 0 {
		return errInjected
	}
	return nil
}

// refresh reads up to a moment and compares the window, and a part of it, with
// the truth.
func (c *trial) refresh(to time.Time) {
	c.Helper()
	end, err := c.read(to.Add(-c.window), to)
	if err != nil {
		c.Fatalf("Refresh(%s): %v", to, err)
	}
	if got := c.book.Cursor(); !got.Equal(end) {
		c.Fatalf("Cursor(): %s, want %s", got, end)
	}
	c.settled = c.excluded
	c.oldest = to.Truncate(time.Minute).Add(-c.window)
	c.compare("window", c.oldest)
	part := time.Duration(rapid.IntRange(1, int(end.Sub(c.oldest)/time.Minute)).Draw(c.T, "part")) * time.Minute
	c.compare("part", end.Add(-part))
}

// read brings the book up to a moment and gives the end of its last minute.
func (c *trial) read(from, to time.Time) (time.Time, error) {
	if c.ruler == nil {
		return to.Truncate(time.Minute), c.book.Refresh(context.Background(), c.store, from, to)
	}
	return c.ruler.read(c, from, to)
}

// compare compares all since a moment with the truth, by ==.
func (c *trial) compare(what string, start time.Time) {
	c.Helper()
	got := c.book.Since(start)
	if got.Start.After(start) || start.Sub(got.Start) >= c.terms.Grid.Width {
		c.Fatalf("Since(%s): begins at %s, want that or less than a bucket before", start, got.Start)
	}
	if diff := cmp.Diff(c.truth.without(c.excluded, got.Start, got.End), got); diff != "" {
		c.Fatalf("%s: Since(%s): -want, +got:\n%s", what, start, diff)
	}
}

// refreshBroken has one query of a refresh fail. The book must stay as it was, go on
// with what it left out before, or be complete when the refresh needed fewer queries.
func (c *trial) refreshBroken(to time.Time, query int) {
	c.Helper()
	before, start := c.book.Cursor(), to.Truncate(time.Minute).Add(-c.window)
	want := c.book.Since(start)
	c.broken.Store(int64(query))
	_, err := c.read(to.Add(-c.window), to)
	c.broken.Store(0)
	switch {
	case err == nil:
		c.settled = c.excluded
		c.compare("refresh without a failure", start)
	case !errors.Is(err, errInjected):
		c.Fatalf("Refresh(%s): %v, want %v", to, err, errInjected)
	case !c.book.Cursor().Equal(before):
		if before.IsZero() {
			c.Fatalf("Cursor() of an empty book after a failure: %s", c.book.Cursor())
		}
		got := c.book.Since(start)
		if diff := cmp.Diff(c.truth.without(c.settled, got.Start, got.End), got); diff != "" {
			c.Fatalf("Since(%s) after a failure to exclude: -want, +got:\n%s", start, diff)
		}
	default:
		if diff := cmp.Diff(want, c.book.Since(start)); diff != "" {
			c.Fatalf("Since(%s) after a failure: -want, +got:\n%s", start, diff)
		}
	}
}

// live is a controller's life: a first backfill at some moment, then refreshes
// at all distances, some of which fail at first, and restarts, after each of
// which the book is made anew. What is excluded changes from time to time.
func (c *trial) live() {
	c.Helper()
	end := c.world.End()
	first := rapid.IntRange(0, int(c.world.Length/time.Second)).Draw(c.T, "first")
	for at := c.world.Start.Add(time.Duration(first) * time.Second); at.Before(end); {
		if c.ruler != nil {
			c.ruler.record(c, at)
		}
		switch rapid.SampledFrom([]string{"tick", "tick", "tick", "tick", "failure", "restart", "exclude"}).Draw(c.T, "step") {
		case "failure":
			c.refreshBroken(at, rapid.IntRange(1, 4).Draw(c.T, "query"))
		case "restart":
			c.open()
		case "exclude":
			c.excluded = c.drawExcluded()
			c.book.Exclude(c.excluded)
			if rapid.Bool().Draw(c.T, "fails") {
				c.refreshBroken(at, rapid.IntRange(1, 4).Draw(c.T, "query"))
			}
		}
		c.refresh(at)
		longest := rapid.SampledFrom([]int{2, 20, 300}).Draw(c.T, "pace")
		at = at.Add(time.Duration(rapid.IntRange(60, 60*longest).Draw(c.T, "distance")) * time.Second)
	}
	c.refresh(end)
}

// minutes compares each minute that the book can still tell apart.
func (c *trial) minutes() {
	c.Helper()
	end := c.book.Cursor()
	later := c.book.Since(end)
	for start := end.Add(-time.Minute); !start.Before(c.oldest); start = start.Add(-time.Minute) {
		got := c.book.Since(start)
		if !got.Start.Equal(start) {
			return // older than the minutes that are kept
		}
		minute := got.Sums
		minute.Points -= later.Sums.Points
		minute.Events -= later.Sums.Events
		minute.Aux -= later.Sums.Aux
		want := c.truth.without(c.excluded, start, start.Add(time.Minute))
		if diff := cmp.Diff(want.Sums, minute); diff != "" {
			c.Fatalf("minute after %s: -want, +got:\n%s", start, diff)
		}
		if covered := got.Covered - later.Covered; covered != want.Covered {
			c.Fatalf("minute after %s: covered %d, want %d", start, covered, want.Covered)
		}
		later = got
	}
}

// worldsOfAKind is how many worlds each kind of indicator is tried on, unless
// -rapid.checks says otherwise.
const worldsOfAKind = "20"

// rapidAsked says that the number of worlds was given on the command line.
var rapidAsked bool

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Visit(func(f *flag.Flag) { rapidAsked = rapidAsked || f.Name == "rapid.checks" })
	if !rapidAsked {
		if err := flag.Set("rapid.checks", worldsOfAKind); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestBooksAreExact simulates worlds of pods that are replaced, restart in
// place, are discovered late, and whose scrapes fail or stay away, and compares
// each kind of indicator with what was scraped: by ==, in points, events, the
// third count and covered minutes, whatever the steps in which it was read. See
// ledgertest.World for what the worlds leave out.
//
// rapid prints the seed of a failure.
func TestBooksAreExact(t *testing.T) {
	var all tally
	t.Run("Kinds", func(t *testing.T) {
		for name, k := range kinds {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) {
					c := newTrial(rt, k)
					defer c.close()
					c.live()
					c.minutes()
					lived := c.book
					c.open()
					c.refresh(c.world.End())
					start := c.book.Cursor().Add(-c.window)
					if diff := cmp.Diff(lived.Since(start), c.book.Since(start)); diff != "" {
						rt.Fatalf("reading bit by bit and backfill at the end: -bits, +backfill:\n%s", diff)
					}
					all.count(name, c)
				})
			})
		}
	})
	t.Log(all.String())
}

func newTrial(t *rapid.T, k kind) *trial {
	c := &trial{T: t, kind: k, world: drawWorld(t, k.signal)}
	dir, err := os.MkdirTemp("", "ledgertest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if c.store, err = ledgertest.Open(dir); err != nil {
		t.Fatal(err)
	}
	if err := c.store.Write(c.world); err != nil {
		t.Fatal(err)
	}
	c.store.Fail = c.fail
	c.policy = c.drawPolicy()
	calendar := drawCalendar(t, c.world)
	c.plan = planDuring(t, c.store, objective(k, c.policy, c.drawWindow()), calendar, c.world.End())
	c.terms = ledger.TermsOf(c.plan)
	c.truth = k.truth(countingIn(c.world, c.policy))
	c.truth.open = onTheWall(t, calendar)
	c.open()
	return c
}

// open begins an empty book, as a restart does.
func (c *trial) open() {
	c.book, c.settled = ledger.NewBook(c.terms), nil
	c.book.Exclude(c.excluded)
}

// drawExcluded draws stretches of minutes and hours that may overlap, before, in and
// after what was scraped, or none.
func (c *trial) drawExcluded() []slo.Span {
	minutes := int(c.world.Length / time.Minute)
	var out []slo.Span
	for range rapid.IntRange(0, 4).Draw(c.T, "exclusions") {
		start := c.world.Start.Truncate(time.Minute).Add(time.Duration(rapid.IntRange(-60, minutes).Draw(c.T, "exclusion")) * time.Minute)
		if rapid.Bool().Draw(c.T, "whole hours") {
			start = start.Truncate(time.Hour)
		}
		length := rapid.SampledFrom([]int{1, 20, 60, 120, 600}).Draw(c.T, "exclusion's minutes")
		out = append(out, slo.Span{Start: start, End: start.Add(time.Duration(length) * time.Minute)})
	}
	return slo.Merge(out)
}

func (c *trial) drawPolicy() ledgertest.Policy {
	return rapid.SampledFrom([]ledgertest.Policy{
		ledgertest.OnKnownTarget, ledgertest.OnKnownTarget, ledgertest.FromZero, ledgertest.Ignore,
	}).Draw(c.T, "policy")
}

// drawWindow draws windows that are kept by the minute, up to a day, and longer
// ones that are kept by hours of UTC, by hours that begin at half past, and by
// half hours. What is asked for are the last hours of the longer ones.
func (c *trial) drawWindow() v1alpha1.Window {
	window := rapid.SampledFrom([]string{"short", "long", "Asia/Kolkata", "Australia/Lord_Howe"}).Draw(c.T, "window")
	hours := rapid.IntRange(1, 30)
	switch window {
	case "short":
		hours = rapid.IntRange(1, 24)
	case "long":
		hours = rapid.IntRange(25, 30)
	}
	c.window = time.Duration(hours.Draw(c.T, "window hours")) * time.Hour
	if window == "short" || window == "long" {
		return rolling(c.window)
	}
	return week(v1alpha1.TimeZone(window))
}

func (c *trial) close() {
	if err := c.store.Close(); err != nil {
		c.Errorf("Close(): %v", err)
	}
}
