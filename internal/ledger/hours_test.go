package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// openBetween adds up the open minutes one by one.
func (t truth) openBetween(from, to time.Time) ledger.Stretch {
	out := ledger.Stretch{Start: from, End: to}
	always := truth{points: t.points, events: t.events, aux: t.aux}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if t.open(at) {
			minute := always.between(at, at.Add(time.Minute))
			out.Sums, out.Covered = out.Sums.Add(minute.Sums), out.Covered+minute.Covered
		}
	}
	return out
}

// drawCalendar draws none, or one that opens for a part of most days of a world: at
// full hours, at half past, or at any minute, so that buckets are open in part; with
// a day that is closed and an event in between.
func drawCalendar(t *rapid.T, w *ledgertest.World) *v1alpha1.CalendarSpec {
	step := rapid.SampledFrom([]int{0, 0, 60, 30, 1}).Draw(t, "open by")
	if step == 0 {
		return nil
	}
	clock := func(what string) string {
		minute := step * rapid.IntRange(0, 1439/step).Draw(t, what)
		return fmt.Sprintf("%02d:%02d", minute/60, minute%60)
	}
	out := &v1alpha1.CalendarSpec{
		TimeZone: v1alpha1.TimeZone(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham"}).Draw(t, "zone of hours")),
		Weekly: []v1alpha1.WeeklyHours{{
			Days: v1alpha1.Weekdays, Open: v1alpha1.OpeningTime(clock("opens")), Close: v1alpha1.ClosingTime(clock("closes")),
		}},
	}
	if rapid.Bool().Draw(t, "holiday") {
		out.Holidays = []v1alpha1.Holiday{{Date: v1alpha1.HolidayDate(w.Start.AddDate(0, 0, 1).Format(time.DateOnly))}}
	}
	if minutes := rapid.IntRange(0, 300).Draw(t, "event"); minutes > 0 {
		at := w.Start.Add(time.Duration(rapid.IntRange(0, int(w.Length/time.Minute)).Draw(t, "event at")) * time.Minute)
		const layout = "20060102T150400Z"
		out.ICalendar = fmt.Sprintf("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:%s\nDTEND:%s\nEND:VEVENT\nEND:VCALENDAR\n",
			at.Format(layout), at.Add(time.Duration(minutes)*time.Minute).Format(layout))
	}
	return out
}

// onTheWall reads a calendar as a person does, by Go's time package.
func onTheWall(t rapid.TB, c *v1alpha1.CalendarSpec) func(time.Time) bool {
	if c == nil {
		return nil
	}
	location, err := time.LoadLocation(string(c.TimeZone))
	if err != nil {
		t.Fatal(err)
	}
	from, to := eventOf(t, c)
	opens, closes := string(c.Weekly[0].Open), string(c.Weekly[0].Close)
	return func(begin time.Time) bool {
		local := begin.In(location)
		now, date := local.Format("15:04"), v1alpha1.HolidayDate(local.Format(time.DateOnly))
		within := opens <= now && now < closes
		if closes <= opens { // over midnight
			within = opens <= now || now < closes
		}
		holiday := slices.ContainsFunc(c.Holidays, func(h v1alpha1.Holiday) bool { return h.Date == date })
		return within && !holiday && (begin.Before(from) || !begin.Before(to))
	}
}

// eventOf is when the event of a calendar is, if it has one.
func eventOf(t rapid.TB, c *v1alpha1.CalendarSpec) (from, to time.Time) {
	if c.ICalendar == "" {
		return from, to
	}
	var first, last string
	if _, err := fmt.Sscanf(c.ICalendar, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:%s\nDTEND:%s\n", &first, &last); err != nil {
		t.Fatal(err)
	}
	from, _ = time.Parse("20060102T150405Z", first)
	to, _ = time.Parse("20060102T150405Z", last)
	return from, to
}

// heard is a store that notes what it was asked.
type heard struct {
	*ledgertest.Store
	mu      sync.Mutex // a refresh asks from several goroutines
	queries []string
}

func (a *heard) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	a.mu.Lock()
	a.queries = append(a.queries, expr)
	a.mu.Unlock()
	return a.Store.Range(ctx, expr, start, end, step)
}

// office is a calendar of an hour a day.
func office(opens, closes string) *v1alpha1.CalendarSpec {
	return &v1alpha1.CalendarSpec{TimeZone: "UTC", Weekly: []v1alpha1.WeeklyHours{{
		Days: v1alpha1.Weekdays, Open: v1alpha1.OpeningTime(opens), Close: v1alpha1.ClosingTime(closes),
	}}}
}

// TestClosedCostsNothing reads a world of a day whose first hour is open, minute by
// minute: after it nothing is asked.
func TestClosedCostsNothing(t *testing.T) {
	start := time.Date(2026, 5, 28, 8, 0, 0, 0, time.UTC)
	w, store := storeOf(t, start, 4*time.Hour)
	plan := planDuring(t, store, objective(kinds["EventsGood"], ledgertest.OnKnownTarget, rolling(48*time.Hour)), office("08:00", "09:00"), w.End())
	book, q := ledger.NewBook(ledger.TermsOf(plan)), &heard{Store: store}
	read := func(to time.Time) int {
		before := len(q.queries)
		if err := book.Refresh(t.Context(), q, to.Add(-48*time.Hour), to); err != nil {
			t.Fatal(err)
		}
		return len(q.queries) - before
	}
	if n := read(start.Add(30 * time.Minute)); n == 0 {
		t.Errorf("nothing was asked while it was open")
	}
	read(start.Add(time.Hour))
	for at := start.Add(61 * time.Minute); at.Before(w.End()); at = at.Add(time.Minute) {
		if n := read(at); n > 0 {
			t.Fatalf("%d queries at %s, when it was closed", n, at)
		}
	}
	want := truth{open: onTheWall(t, office("08:00", "09:00"))}
	want.events = kinds["EventsGood"].truth(countingIn(w, ledgertest.OnKnownTarget)).events
	if got := book.Since(start); got.Sums.Events != want.openBetween(start, w.End()).Sums.Events || got.Sums.Events == 0 {
		t.Errorf("Since(): %v events, want %v", got.Sums.Events, want.openBetween(start, w.End()).Sums.Events)
	}
}

// storeOf is a world of requests without incidents, and a store of it.
func storeOf(t *testing.T, start time.Time, length time.Duration) (*ledgertest.World, *ledgertest.Store) {
	t.Helper()
	w := ledgertest.New(ledgertest.Config{
		Seed: 1, Start: start, Length: length, Scrape: 15 * time.Second, Slots: 1, Signals: []ledgertest.Signal{ledgertest.Requests},
	})
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Write(w); err != nil {
		t.Fatal(err)
	}
	return w, store
}

// TestRenewedHours keeps a book over the end of a month, with which the text of its
// queries is renewed and their meaning is not.
func TestRenewedHours(t *testing.T) {
	start := time.Date(2026, 5, 31, 22, 0, 0, 0, time.UTC)
	w, store := storeOf(t, start, 4*time.Hour)
	at := func(now time.Time, calendar *v1alpha1.CalendarSpec) *ledger.Book {
		plan := planDuring(t, store, objective(kinds["EventsGood"], ledgertest.OnKnownTarget, rolling(3*time.Hour)), calendar, now)
		return books.Book(plan)
	}
	calendar := office("22:30", "01:00")
	calendar.Holidays = []v1alpha1.Holiday{{Date: "08-20"}}
	q := &heard{Store: store}
	read := func(b *ledger.Book, to time.Time) string {
		t.Helper()
		if err := b.Refresh(t.Context(), q, to.Add(-3*time.Hour), to); err != nil {
			t.Fatal(err)
		}
		return q.queries[len(q.queries)-1]
	}
	before := start.Add(90 * time.Minute)
	old := at(before, calendar)
	first := read(old, before)
	after := start.Add(150 * time.Minute)
	renewed := at(after, calendar)
	if renewed != old {
		t.Errorf("a new month began a new book")
	}
	if second := read(renewed, after); second == first {
		t.Errorf("the book asks what it asked last month: %s", second)
	}
	want := kinds["EventsGood"].truth(countingIn(w, ledgertest.OnKnownTarget))
	want.open = onTheWall(t, office("22:30", "01:00"))
	if diff := cmp.Diff(want.between(start, after), renewed.Since(start)); diff != "" {
		t.Errorf("Since(): -want, +got:\n%s", diff)
	}
	calendar.Holidays[0].Name = "A day off"
	if at(after, calendar) != old {
		t.Errorf("a name began a new book")
	}
	calendar.Holidays[0].Date = "08-21"
	if at(after, calendar) == old {
		t.Errorf("a calendar that means something else has the book of the other")
	}
}

// books are those of TestRenewedHours.
var books = ledger.New()

// TestHoursAtOnce fills a book of five days at once, over a change of the clock, and
// compares it with the minutes one by one: with buckets that are open as a whole, as
// hours or quarters of them, and with such as are open in part.
func TestHoursAtOnce(t *testing.T) {
	start := time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)
	w, store := storeOf(t, start, 5*24*time.Hour)
	cases := map[string]struct {
		reason string
		args   *v1alpha1.CalendarSpec
		want   slo.Grid
	}{
		"Hours":    {reason: "From 8 to 18.", args: office("08:00", "18:00"), want: slo.Grid{Width: time.Hour}},
		"Quarters": {reason: "From a quarter past 8 on.", args: office("08:15", "18:00"), want: slo.Grid{Width: 15 * time.Minute}},
		"Minutes":  {reason: "At odd minutes.", args: office("08:07", "18:01"), want: slo.Grid{Width: time.Hour}},
		"Night":    {reason: "Over midnight, through the hour that is skipped.", args: office("22:00", "06:00"), want: slo.Grid{Width: time.Hour}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.args.TimeZone = "Europe/Berlin"
			plan := planDuring(t, store, objective(kinds["EventsGood"], ledgertest.OnKnownTarget, rolling(28*24*time.Hour)), c.args, w.End())
			if diff := cmp.Diff(c.want, plan.Grid); diff != "" {
				t.Errorf("%s Grid: -want, +got:\n%s", c.reason, diff)
			}
			book := ledger.NewBook(ledger.TermsOf(plan))
			if err := book.Refresh(t.Context(), store, w.End().Add(-28*24*time.Hour), w.End()); err != nil {
				t.Fatal(err)
			}
			want := kinds["EventsGood"].truth(countingIn(w, ledgertest.OnKnownTarget))
			want.open = onTheWall(t, c.args)
			got := book.Since(start)
			if diff := cmp.Diff(want.between(got.Start, got.End), got); diff != "" || got.Sums.Events == 0 {
				t.Errorf("%s Since(): -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}
