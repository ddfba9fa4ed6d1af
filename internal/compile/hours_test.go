package compile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones under test must not depend on the machine

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// weekOf is a calendar of a zone: working days, a night in which clocks are set, and
// holidays of each kind.
func weekOf(zone v1alpha1.TimeZone) *v1alpha1.CalendarSpec {
	return &v1alpha1.CalendarSpec{
		TimeZone: zone,
		Weekly: []v1alpha1.WeeklyHours{
			{Days: []v1alpha1.Weekday{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}, Open: "08:00", Close: "18:30"},
			{Days: []v1alpha1.Weekday{"Saturday", "Sunday"}, Open: "21:15", Close: "02:31"},
			{Days: []v1alpha1.Weekday{"Wednesday"}, Open: "00:00", Close: "24:00"},
			{Days: []v1alpha1.Weekday{"Sunday"}, Open: "02:45", Close: "03:10"},
		},
		Holidays: []v1alpha1.Holiday{
			{Date: "12-25"}, {Date: "10-07", Hours: []v1alpha1.HolidayHours{{Open: "06:00", Close: "07:30"}, {Open: "20:00", Close: "24:00"}}},
			{Date: "2026-04-01"}, {Date: "2026-10-27", Hours: []v1alpha1.HolidayHours{{Open: "00:00", Close: "24:00"}}},
		},
		ICalendar: calendarText("DTSTART:20260402T101500Z\nDTEND:20260402T114500Z\nRRULE:FREQ=YEARLY", "DTSTART;VALUE=DATE:20250316\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=3MO"),
	}
}

func calendarText(events ...string) string {
	out := "BEGIN:VCALENDAR\n"
	for _, e := range events {
		out += "BEGIN:VEVENT\n" + e + "\nEND:VEVENT\n"
	}
	return out + "END:VCALENDAR\n"
}

// wall says of a minute whether weekOf is open, as a person reads it off a clock on
// the wall and a sheet of paper, by Go's time package.
func wall(location *time.Location, begin time.Time) bool {
	local := begin.In(location)
	if utc := begin.UTC().Format("01-02 15:04"); utc >= "04-02 10:15" && utc < "04-02 11:45" {
		return false
	}
	if open, special := onTheSheet(local); special {
		return open
	}
	return inTheWeek(local)
}

// inTheWeek is the week as on the sheet.
func inTheWeek(local time.Time) bool {
	clock := local.Format("15:04")
	switch local.Weekday() {
	case time.Wednesday:
		return true
	case time.Saturday:
		return clock >= "21:15"
	case time.Sunday:
		return clock >= "21:15" || clock < "02:31" || clock >= "02:45" && clock < "03:10"
	case time.Monday:
		return clock < "02:31" || duringOffice(clock)
	default:
		return duringOffice(clock)
	}
}

func duringOffice(clock string) bool { return clock >= "08:00" && clock < "18:30" }

// onTheSheet tells the days that are not like others.
func onTheSheet(local time.Time) (open, special bool) {
	clock := local.Format("15:04")
	third := local.Month() == time.March && local.Weekday() == time.Monday && local.Day() > 14 && local.Day() < 22
	switch date := local.Format(time.DateOnly); {
	case third, date == "2026-04-01", date[5:] == "12-25":
		return false, true
	case date[5:] == "10-07":
		return clock >= "06:00" && clock < "07:30" || clock >= "20:00", true
	case date == "2026-10-27":
		return true, true
	default:
		return false, false
	}
}

// during compiles an objective with a calendar.
func during(t *testing.T, calendar *v1alpha1.CalendarSpec, now time.Time) *compile.Plan {
	t.Helper()
	in := input(objective(events("", "bad_total", "all_total")))
	in.Objective.Spec.CalendarRef = &v1alpha1.CalendarReference{Name: "desk"}
	in.Calendar, in.Now = calendar, now
	plan, err := compile.Compile(in)
	if err != nil {
		t.Fatalf("Compile(): %v", err)
	}
	return plan
}

// minutes are those of a span, each step apart, at whose end an expression has a
// value, by Prometheus' own engine over no data at all.
func minutes(t *testing.T, engine *promql.Engine, expr string, within slo.Span, step time.Duration) map[int64]bool {
	t.Helper()
	empty := storage.QueryableFunc(func(int64, int64) (storage.Querier, error) { return storage.NoopQuerier(), nil })
	query, err := engine.NewRangeQuery(t.Context(), empty, nil, expr, within.Start.Add(time.Minute), within.End, step)
	if err != nil {
		t.Fatalf("NewRangeQuery(%s): %v", expr, err)
	}
	defer query.Close()
	matrix, err := query.Exec(t.Context()).Matrix()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	out := map[int64]bool{}
	for _, series := range matrix {
		for _, p := range series.Floats {
			out[p.T/1000] = true
		}
	}
	return out
}

func newEngine(t *testing.T) *promql.Engine {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: 10 * time.Minute, Parser: parser.NewParser(parser.Options{})})
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

// shifts are the moments in 2026 at which a zone's offset changes and, of a zone
// without any, those at which Berlin's does.
func shifts(t *testing.T, location *time.Location) []time.Time {
	t.Helper()
	year := slo.Span{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	var out []time.Time
	for _, o := range (&slo.Hours{Location: location}).Offsets(year)[1:] {
		out = append(out, o.From)
	}
	if len(out) == 0 {
		out = []time.Time{time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)}
	}
	return out
}

// TestOpenIsTheClockOnTheWall has Prometheus' engine evaluate the expression of a
// calendar for every minute of the two weeks around each change of offset, and
// compares it with Go's time package.
func TestOpenIsTheClockOnTheWall(t *testing.T) {
	const fortnight = 14 * 24 * time.Hour
	engine := newEngine(t)
	compared, open := 0, 0
	for _, zone := range fiveZones {
		changes := shifts(t, zoneOf(t, zone))
		if len(changes) != 2 {
			t.Fatalf("%s has %d changes of its offset", zone, len(changes))
		}
		for _, shift := range changes {
			within := slo.Span{Start: shift.Add(-fortnight), End: shift.Add(fortnight)}
			// A ruler has the expression of the month before at the latest.
			plan := during(t, weekOf(zone), within.Start.AddDate(0, -1, 0))
			n, opened := compareMinutes(t, engine, plan, zoneOf(t, zone), within, time.Minute)
			compared, open = compared+n, open+opened
		}
	}
	t.Logf("%d minutes around 10 changes of offset in 5 zones, %d of them open: the same by Prometheus' engine and by Go's time package", compared, open)
	if compared != 10*28*24*60 || open == 0 || open == compared {
		t.Errorf("compared %d minutes, %d open", compared, open)
	}
}

var fiveZones = []v1alpha1.TimeZone{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"}

func zoneOf(t *testing.T, name v1alpha1.TimeZone) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(string(name))
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// compareMinutes compares minutes of a span, a step apart, by the expression of a plan
// and by its hours with what the wall says. It gives how many there are, and how many
// of them are open.
func compareMinutes(t *testing.T, engine *promql.Engine, plan *compile.Plan, location *time.Location, within slo.Span, step time.Duration) (compared, open int) {
	t.Helper()
	expr, err := plan.Recipe.Hours.Open()
	if err != nil {
		t.Fatal(err)
	}
	got := minutes(t, engine, expr, within, step)
	for begin := within.Start; begin.Before(within.End); begin = begin.Add(step) {
		want := wall(location, begin)
		if got[begin.Add(time.Minute).Unix()] != want {
			t.Fatalf("minute from %s: open is %t, want %t, by %s", begin.In(location), !want, want, expr)
		}
		if plan.Hours.Open(begin) != want {
			t.Fatalf("minute from %s: Open() is %t, want %t", begin.In(location), !want, want)
		}
		compared++
		if want {
			open++
		}
	}
	return compared, open
}

// TestOpenOfAYear compares minutes of a whole year by the expressions of its quarters,
// each of which is asked for its own month and the two after it. The minutes are a
// number apart that has no factor in common with an hour.
func TestOpenOfAYear(t *testing.T) {
	const step = 17 * time.Minute
	engine := newEngine(t)
	for _, zone := range fiveZones {
		compared, open := 0, 0
		for month := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); month.Year() == 2026; month = month.AddDate(0, 3, 0) {
			within := slo.Span{Start: month, End: month.AddDate(0, 3, 0)}
			n, opened := compareMinutes(t, engine, during(t, weekOf(zone), month), zoneOf(t, zone), within, step)
			compared, open = compared+n, open+opened
		}
		t.Logf("%s: %d of %d minutes of a year are open", zone, open, compared)
	}
}

// TestOpenWithinAMinute asks at the pace of scraping: the minute that ends is told of
// up to its end, and not the one that begins there.
func TestOpenWithinAMinute(t *testing.T) {
	engine := newEngine(t)
	plan := during(t, weekOf("Europe/Berlin"), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	expr, err := plan.Recipe.Hours.Open()
	if err != nil {
		t.Fatal(err)
	}
	opens := time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)
	var got []string
	for _, at := range []time.Duration{-5, 0, 5, 60, 10*3600 + 1800, 10*3600 + 1805} {
		query, err := engine.NewInstantQuery(t.Context(), storage.QueryableFunc(func(int64, int64) (storage.Querier, error) { return storage.NoopQuerier(), nil }),
			nil, expr, opens.Add(at*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		vector, err := query.Exec(t.Context()).Vector()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %t", int(at), len(vector) > 0))
		query.Close()
	}
	if diff := cmp.Diff([]string{"-5 false", "0 false", "5 true", "60 true", "37800 true", "37805 false"}, got); diff != "" {
		t.Errorf("open, by seconds after it opens: -want, +got:\n%s", diff)
	}
}

// TestRecipesOfCalendars keeps recorded numbers and books apart by what a calendar
// means, and by nothing else.
func TestRecipesOfCalendars(t *testing.T) {
	march, may := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)
	edit := func(change func(*v1alpha1.CalendarSpec)) *v1alpha1.CalendarSpec {
		c := weekOf("Europe/Berlin")
		change(c)
		return c
	}
	base := during(t, weekOf("Europe/Berlin"), march).Recipe
	cases := map[string]struct {
		reason string
		args   *v1alpha1.CalendarSpec
		now    time.Time
		want   bool
	}{
		"Same":     {"nothing changed", weekOf("Europe/Berlin"), march, true},
		"Month":    {"another month has another text", weekOf("Europe/Berlin"), may, true},
		"Name":     {"what a day is called", edit(func(c *v1alpha1.CalendarSpec) { c.Holidays[0].Name = "Christmas" }), march, true},
		"Order":    {"in which order hours are written", edit(func(c *v1alpha1.CalendarSpec) { slices.Reverse(c.Weekly); slices.Reverse(c.Holidays) }), march, true},
		"Stamp":    {"when a calendar was exported", edit(func(c *v1alpha1.CalendarSpec) { c.ICalendar = "\n" + c.ICalendar }), march, true},
		"Zone":     {"another clock", weekOf("Europe/Lisbon"), march, false},
		"Hours":    {"other hours", edit(func(c *v1alpha1.CalendarSpec) { c.Weekly[0].Close = "18:00" }), march, false},
		"Holidays": {"other holidays", edit(func(c *v1alpha1.CalendarSpec) { c.Holidays[0].Date = "12-24" }), march, false},
		"Events":   {"other events", edit(func(c *v1alpha1.CalendarSpec) { c.ICalendar = "" }), march, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := during(t, c.args, c.now).Recipe.ID() == base.ID(); got != c.want {
				t.Errorf("%s: the same recipe is %t, want %t", c.reason, got, c.want)
			}
		})
	}
	plain, err := compile.Compile(input(objective(events("", "bad_total", "all_total"))))
	if err != nil {
		t.Fatal(err)
	}
	if plain.Recipe.ID() == base.ID() || plain.Hours != nil || plain.Calendar != "" {
		t.Errorf("an objective without a calendar has the recipe of one with it")
	}
	first, _ := base.Hours.Open()
	second, _ := during(t, weekOf("Europe/Berlin"), may).Recipe.Hours.Open()
	again, _ := during(t, weekOf("Europe/Berlin"), march.AddDate(0, 0, 15)).Recipe.Hours.Open()
	if first == second || first != again {
		t.Errorf("the text is not renewed each month, and then alone")
	}
}
