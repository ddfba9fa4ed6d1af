package compile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// always is a calendar that is open but for the events.
func always(zone v1alpha1.TimeZone, events ...string) *v1alpha1.CalendarSpec {
	return &v1alpha1.CalendarSpec{
		TimeZone: zone, Weekly: []v1alpha1.WeeklyHours{{Days: v1alpha1.Weekdays, Open: "00:00", Close: "24:00"}},
		ICalendar: calendarText(events...),
	}
}

// closedIn are the stretches of 2026 that are closed, in the calendar's zone.
func closedIn(t *testing.T, spec *v1alpha1.CalendarSpec) []string {
	t.Helper()
	hours, err := compile.HoursOf(spec, now)
	if err != nil {
		t.Fatalf("HoursOf(): %v", err)
	}
	first := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, hours.Location) }
	closed, _ := hours.Exceptions(slo.Span{Start: first(2026), End: first(2027)})
	var out []string
	for _, s := range closed {
		const layout = "01-02 15:04"
		out = append(out, s.Start.In(hours.Location).Format(layout)+" to "+s.End.In(hours.Location).Format(layout))
	}
	return out
}

func TestEvents(t *testing.T) {
	const zone = v1alpha1.TimeZone("Europe/Berlin")
	cases := map[string]struct {
		reason string
		args   []string
		want   []string
	}{
		"None":     {reason: "A calendar without events closes nothing."},
		"Day":      {reason: "A date is a day.", args: []string{"DTSTART;VALUE=DATE:20261225"}, want: []string{"12-25 00:00 to 12-26 00:00"}},
		"Plain":    {reason: "A date is one without being called so.", args: []string{"DTSTART:20261225"}, want: []string{"12-25 00:00 to 12-26 00:00"}},
		"Days":     {reason: "DTEND is the first day after.", args: []string{"DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227"}, want: []string{"12-25 00:00 to 12-27 00:00"}},
		"Weeks":    {reason: "A week of holidays.", args: []string{"DTSTART:20260803\nDURATION:P2W"}, want: []string{"08-03 00:00 to 08-17 00:00"}},
		"ThreeDay": {reason: "Some days.", args: []string{"DTSTART:20260803\nDURATION:P3D"}, want: []string{"08-03 00:00 to 08-06 00:00"}},
		"ShortDay": {reason: "A day of 23 hours is a whole one.", args: []string{"DTSTART:20260329"}, want: []string{"03-29 00:00 to 03-30 00:00"}},
		"Moment":   {reason: "From one moment to another, in UTC.", args: []string{"DTSTART:20260601T100000Z\nDTEND:20260601T113000Z"}, want: []string{"06-01 12:00 to 06-01 13:30"}},
		"Floating": {reason: "Without a zone it is the calendar's.", args: []string{"DTSTART:20260601T100000\nDURATION:PT1H30M"}, want: []string{"06-01 10:00 to 06-01 11:30"}},
		"Zone":     {reason: "With a zone it is that one's.", args: []string{"DTSTART;TZID=\"Asia/Kolkata\":20260601T100000\nDTEND;TZID=Asia/Kolkata:20260601T110000"}, want: []string{"06-01 06:30 to 06-01 07:30"}},
		"Seconds":  {reason: "A minute of which a second is closed is closed.", args: []string{"DTSTART:20260601T100030\nDTEND:20260601T100101"}, want: []string{"06-01 10:00 to 06-01 10:02"}},
		"Yearly":   {reason: "Every year since long ago.", args: []string{"DTSTART:19991003\nRRULE:FREQ=YEARLY"}, want: []string{"10-03 00:00 to 10-04 00:00"}},
		"Fourth":   {reason: "The fourth Thursday of November.", args: []string{"DTSTART:20101125\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"}, want: []string{"11-26 00:00 to 11-27 00:00"}},
		"Last":     {reason: "The last Monday of May.", args: []string{"DTSTART:20100531\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO"}, want: []string{"05-25 00:00 to 05-26 00:00"}},
		"Until":    {reason: "Until a day, which is in it.", args: []string{"DTSTART:20260105\nRRULE:FREQ=MONTHLY;UNTIL=20260305"}, want: []string{"01-05 00:00 to 01-06 00:00", "02-05 00:00 to 02-06 00:00", "03-05 00:00 to 03-06 00:00"}},
		"Count":    {reason: "Three times.", args: []string{"DTSTART:20260105\nRRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO"}, want: []string{"01-05 00:00 to 01-06 00:00", "01-12 00:00 to 01-13 00:00", "01-19 00:00 to 01-20 00:00"}},
		"Daily":    {reason: "Days on end are one stretch.", args: []string{"DTSTART:20260105\nRRULE:FREQ=DAILY;COUNT=4"}, want: []string{"01-05 00:00 to 01-09 00:00"}},
		"Summer": {reason: "An event goes by the clock of its zone, before and after it is set.", args: []string{"DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2"},
			want: []string{"03-28 12:00 to 03-28 13:00", "03-29 12:00 to 03-29 13:00"}},
		"Except": {reason: "But for some.", args: []string{"DTSTART:20260105\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;VALUE=DATE:20260112\nEXDATE:20260119,20270101"}, want: []string{"01-05 00:00 to 01-06 00:00"}},
		"More":   {reason: "And some more.", args: []string{"DTSTART:20260105\nRDATE;VALUE=DATE:20260403,20260406"}, want: []string{"01-05 00:00 to 01-06 00:00", "04-03 00:00 to 04-04 00:00", "04-06 00:00 to 04-07 00:00"}},
		"Past":   {reason: "What was long ago closes nothing.", args: []string{"DTSTART:20101225"}},
		"Cancelled": {reason: "Nor what was called off.", args: []string{"DTSTART:20261225\nSTATUS:CANCELLED", "STATUS:CONFIRMED\nDTSTART:20261226"},
			want: []string{"12-26 00:00 to 12-27 00:00"}},
		"Folded": {reason: "Long lines go on after a blank or a tab.", args: []string{"SUMMARY:A long\n  name\nDTSTART;VALUE=\n\tDATE:2026\n 1225"}, want: []string{"12-25 00:00 to 12-26 00:00"}},
		"Returns": {reason: "Lines may end as RFC 5545 wants.", args: []string{"DTSTART:20261225\r\nSUMMARY;X=\"a:b;c\":Christmas\r\nTRANSP:TRANSPARENT"},
			want: []string{"12-25 00:00 to 12-26 00:00"}},
		"Alarm": {reason: "What an alarm says is its own.", args: []string{"DTSTART:20261225\nBEGIN:VALARM\nDURATION:PT5M\nEND:VALARM"}, want: []string{"12-25 00:00 to 12-26 00:00"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, closedIn(t, always(zone, c.args...))); diff != "" {
				t.Errorf("%s closed: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestOtherComponents passes over what is no event, such as the definition of a zone.
func TestOtherComponents(t *testing.T) {
	spec := always("UTC")
	spec.ICalendar = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:19701025T030000\nEND:STANDARD\nEND:VTIMEZONE\n" +
		"BEGIN:VTODO\nDTSTART:20260101\nEND:VTODO\nBEGIN:VEVENT\nDTSTART:20260102\nEND:VEVENT\nEND:VCALENDAR\n" +
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260103\nEND:VEVENT\nEND:VCALENDAR"
	if diff := cmp.Diff([]string{"01-02 00:00 to 01-04 00:00"}, closedIn(t, spec)); diff != "" {
		t.Errorf("closed: -want, +got:\n%s", diff)
	}
}

// TestHolidaysBeforeEvents has both say something of one date.
func TestHolidaysBeforeEvents(t *testing.T) {
	morning := []v1alpha1.HolidayHours{{Open: "08:00", Close: "12:00"}}
	spec := always("UTC", "DTSTART:20261224\nDTEND:20261227", "DTSTART:20261226T090000Z\nDTEND:20261226T100000Z")
	spec.Holidays = []v1alpha1.Holiday{{Date: "12-24", Hours: morning}, {Date: "2026-12-26", Hours: morning}, {Date: "12-26"}}
	hours, err := compile.HoursOf(spec, now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	day := func(dom int) time.Time { return time.Date(2026, 12, dom, 0, 0, 0, 0, time.UTC) }
	for _, s := range hours.Spans(slo.Span{Start: day(24), End: day(27)}) {
		got = append(got, s.Start.Format("02 15:04")+" to "+s.End.Format("02 15:04"))
	}
	want := []string{"24 08:00 to 24 12:00", "26 08:00 to 26 09:00", "26 10:00 to 26 12:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open: -want, +got:\n%s", diff)
	}
}

// TestMistakesOfADate has mistakes come and go with the date, and says so of them and of
// no others.
func TestMistakesOfADate(t *testing.T) {
	shut := always("UTC", "DTSTART:20200101\nRRULE:FREQ=DAILY;UNTIL=20290601")
	often := always("UTC", "DTSTART:20200101T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20270101T000000Z")
	type want struct {
		Reason string
		Dated  bool
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.CalendarSpec
		now    time.Time
		want   want
	}{
		"Shut":         {"nothing is open for years", shut, now, want{v1alpha1.ReasonNeverOpen, true}},
		"OpensInAYear": {"and then it is", shut, time.Date(2028, 9, 1, 0, 0, 0, 0, time.UTC), want{}},
		"Often":        {"there are too many stretches in the years around", often, now, want{v1alpha1.ReasonInvalidCalendar, true}},
		"OftenLongAgo": {"and then they are over", often, time.Date(2028, 9, 1, 0, 0, 0, 0, time.UTC), want{}},
		"Zone":         {"no date makes a zone of it", always("Mars/Phobos"), now, want{v1alpha1.ReasonInvalidTimeZone, false}},
		"Event":        {"nor an event of this", always("UTC", "SUMMARY:x"), now, want{v1alpha1.ReasonInvalidCalendar, false}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got want
			_, err := compile.HoursOf(tc.args, tc.now)
			if mistake, ok := errors.AsType[*compile.Error](err); ok {
				got = want{mistake.Reason, mistake.Dated}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %v: -want, +got:\n%s", tc.reason, err, diff)
			}
		})
	}
}

func TestCalendarMistakes(t *testing.T) {
	event := func(lines string) *v1alpha1.CalendarSpec { return always("UTC", lines) }
	but := func(change func(*v1alpha1.CalendarSpec)) *v1alpha1.CalendarSpec {
		c := always("UTC")
		change(c)
		return c
	}
	text := func(text string) *v1alpha1.CalendarSpec {
		return but(func(c *v1alpha1.CalendarSpec) { c.ICalendar = text })
	}
	const invalid, ical = v1alpha1.ReasonInvalidCalendar, "spec.iCalendar: "
	const rule = ical + "event at line 2: RRULE:"
	cases := map[string]struct {
		reason string
		args   *v1alpha1.CalendarSpec
		want   string
		kind   string
	}{
		"Zone":       {"no such zone", but(func(c *v1alpha1.CalendarSpec) { c.TimeZone = "Mars/Phobos" }), `spec.timeZone: "Mars/Phobos" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`, v1alpha1.ReasonInvalidTimeZone},
		"Local":      {"the operator's own zone is nobody's", but(func(c *v1alpha1.CalendarSpec) { c.TimeZone = "Local" }), `spec.timeZone: "Local" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`, v1alpha1.ReasonInvalidTimeZone},
		"Date":       {"February has no 30th", but(func(c *v1alpha1.CalendarSpec) { c.Holidays = []v1alpha1.Holiday{{Date: "02-29"}, {Date: "02-30"}} }), `spec.holidays[1].date: "02-30" is no date: write one such as "2026-12-25", or "12-25" for that day of every year`, invalid},
		"Leap":       {"nor every year a 29th", but(func(c *v1alpha1.CalendarSpec) { c.Holidays = []v1alpha1.Holiday{{Date: "2026-02-29"}} }), `spec.holidays[0].date: "2026-02-29" is no date: write one such as "2026-12-25", or "12-25" for that day of every year`, invalid},
		"Times":      {"what the schema did not see", but(func(c *v1alpha1.CalendarSpec) { c.Weekly[0].Open = "8" }), `spec.weekly[0]: Monday from "8" to "24:00": write days from Monday to Sunday, and times such as "08:00"`, invalid},
		"Never":      {"no hours at all", but(func(c *v1alpha1.CalendarSpec) { c.Weekly = nil }), "spec: no minute is open, in the year past or the one ahead: add hours to spec.weekly, or remove what closes them", v1alpha1.ReasonNeverOpen},
		"NeverAgain": {"all of them closed", event("DTSTART:20200101\nRRULE:FREQ=DAILY"), "spec: no minute is open, in the year past or the one ahead: add hours to spec.weekly, or remove what closes them", v1alpha1.ReasonNeverOpen},
		"TooMany":    {"what comes every week belongs elsewhere", event("DTSTART:20200101T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"), "spec: holidays and events make more than 500 stretches that are not as the week says, in two years and a half: put what comes every week into spec.weekly", invalid},
		"NoCalendar": {"an event alone", text("BEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT"), ical + "line 1: it is outside of a calendar: begin with BEGIN:VCALENDAR", invalid},
		"NoColon":    {"a line of something else", text("BEGIN:VCALENDAR\nholidays\nEND:VCALENDAR"), ical + `line 2: "holidays" has no colon: write a line such as DTSTART;VALUE=DATE:20261225`, invalid},
		"NoEnd":      {"a text that was cut", text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225"), ical + "VEVENT does not end: add END:VEVENT", invalid},
		"NoBegin":    {"ends that do not fit", text("BEGIN:VCALENDAR\nEND:VEVENT"), ical + "line 2: END:VEVENT has no BEGIN", invalid},
		"NoStart":    {"an event that is never", event("SUMMARY:x"), ical + "event at line 2: it has no DTSTART: write one such as DTSTART;VALUE=DATE:20261225", invalid},
		"NoLength":   {"a moment is no stretch", event("DTSTART:20261225T120000Z"), ical + "event at line 2: it does not end after it begins, lasts longer than a year, or is no whole number of days: write a DTEND, which is the first day or moment after it", invalid},
		"Backwards":  {"an end before the beginning", event("DTSTART:20261225\nDTEND:20261224"), ical + "event at line 2: it does not end after it begins, lasts longer than a year, or is no whole number of days: write a DTEND, which is the first day or moment after it", invalid},
		"HalfDay":    {"half a day is no date", event("DTSTART:20261225\nDURATION:PT12H"), ical + "event at line 2: it does not end after it begins, lasts longer than a year, or is no whole number of days: write a DTEND, which is the first day or moment after it", invalid},
		"Mixed":      {"a date and a moment", event("DTSTART:20261225\nDTEND:20261226T120000Z"), ical + "event at line 2: DTSTART and DTEND are not both dates or both moments", invalid},
		"MixedList":  {"in a list, too", event("DTSTART:20261225\nEXDATE:20261226T120000Z"), ical + `event at line 2: EXDATE:"20261226T120000Z" and DTSTART are not both dates or both moments`, invalid},
		"Duration":   {"as people say it", event("DTSTART:20261225\nDURATION:2 days"), ical + `event at line 2: DURATION:"2 days" is no duration: write one such as P1D or PT4H`, invalid},
		"Windows":    {"a zone as Windows calls it", event("DTSTART;TZID=W. Europe Standard Time:20261225T120000\nDURATION:PT1H"), ical + `event at line 2: DTSTART:"20261225T120000" is no date or moment from 1970 to 2200: write one such as 20261225, 20261224T140000 or 20261224T130000Z, with a TZID that is an IANA name`, invalid},
		"Ancient":    {"before there were seconds", event("DTSTART:00010101"), ical + `event at line 2: DTSTART:"00010101" is no date or moment from 1970 to 2200: write one such as 20261225, 20261224T140000 or 20261224T130000Z, with a TZID that is an IANA name`, invalid},
		"Override":   {"one occurrence that is otherwise", event("DTSTART:20261225\nRECURRENCE-ID:20261225"), ical + "event at line 2: RECURRENCE-ID is not understood: write such an event without a rule, and its date in EXDATE of the other", invalid},
		"Frequency":  {"every second would take forever", event("DTSTART:20261225\nRRULE:FREQ=SECONDLY"), rule + `"FREQ=SECONDLY": FREQ must be YEARLY, MONTHLY, WEEKLY or DAILY`, invalid},
		"Part":       {"a part that can make a rule impossible", event("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYSETPOS=400"), rule + `"FREQ=YEARLY;BYSETPOS=400": "BYSETPOS" is not understood with FREQ=YEARLY: write the dates themselves, in RDATE`, invalid},
		"Interval":   {"once in a thousand years", event("DTSTART:20261225\nRRULE:FREQ=YEARLY;INTERVAL=1000"), rule + `"FREQ=YEARLY;INTERVAL=1000": INTERVAL must be from 1 to 100`, invalid},
		"Leaps":      {"in years that are never leap years", event("DTSTART:20230101\nRRULE:FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29"), rule + `"FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29": not every month or year has that day, and INTERVAL may pass over those that do: write the dates themselves, in RDATE`, invalid},
		"NoSuchDay":  {"on a day that is not there", event("DTSTART:20260101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), rule + `"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": no month that it names has that day`, invalid},
		"Sixth":      {"the sixth Monday", event("DTSTART:20260101\nRRULE:FREQ=MONTHLY;BYDAY=6MO"), rule + `"FREQ=MONTHLY;BYDAY=6MO": BYDAY counts to 5 at the most with these parts`, invalid},
		"Some":       {"Mondays, and the first Wednesday", event("DTSTART:20260101\nRRULE:FREQ=MONTHLY;BYDAY=MO,1WE"), rule + `"FREQ=MONTHLY;BYDAY=MO,1WE": BYDAY counts some days and not others: write two events`, invalid},
		"Both":       {"a Friday the 13th", event("DTSTART:20260213\nRRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"), rule + `"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13": BYDAY and BYMONTHDAY are not understood together: write the dates themselves, in RDATE`, invalid},
		"Recurring":  {"more than fifty that recur", always("UTC", strings.Split(strings.TrimSuffix(strings.Repeat("DTSTART:20261225\nRRULE:FREQ=YEARLY|", 51), "|"), "|")...), ical + "more than 50 events recur: write the dates themselves", invalid},
		"Events":     {"more than a thousand", always("UTC", strings.Split(strings.TrimSuffix(strings.Repeat("DTSTART:20261225|", 1001), "|"), "|")...), ical + "it has more than 1000 events: leave out those that are over", invalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := compile.HoursOf(c.args, now)
			mistake, ok := errors.AsType[*compile.Error](err)
			if !ok {
				t.Fatalf("%s: HoursOf(): %v, want a mistake", c.reason, err)
			}
			if diff := cmp.Diff([]string{c.kind, c.want}, []string{mistake.Reason, mistake.Error()}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestMistakesOfCalendars compiles objectives whose calendar, or its absence, is at
// fault: they name it.
func TestMistakesOfCalendars(t *testing.T) {
	named := func(name v1alpha1.Name) *v1alpha1.CalendarReference { return &v1alpha1.CalendarReference{Name: name} }
	cases := map[string]struct {
		reason         string
		own, indicator *v1alpha1.CalendarReference
		calendar       *v1alpha1.CalendarSpec
		want           string
	}{
		"Missing":          {"a calendar that is not there", named("desk"), nil, nil, "spec.calendarRef: Calendar shop/desk does not exist: create it, or name another"},
		"MissingIndicator": {"one that the indicator names", nil, named("phones"), nil, "spec.calendarRef: Calendar shop/phones does not exist: create it, or name another"},
		"Own":              {"the objective's own comes first", named("desk"), named("phones"), nil, "spec.calendarRef: Calendar shop/desk does not exist: create it, or name another"},
		"Mistake":          {"a mistake in it", named("desk"), nil, &v1alpha1.CalendarSpec{TimeZone: "Nowhere"}, `spec.calendarRef: Calendar shop/desk: spec.timeZone: "Nowhere" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`},
		"Good":             {"nothing is wrong", nil, named("phones"), always("UTC"), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			in := input(refers(parameters{"app": "shop"}))
			in.Objective.Spec.CalendarRef, in.Calendar, in.Indicator = c.own, c.calendar, indicator()
			in.Indicator.CalendarRef = c.indicator
			plan, err := compile.Compile(in)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
			if err == nil && (plan.Calendar != "phones" || plan.Hours == nil) {
				t.Errorf("%s: calendar %q, hours %v", c.reason, plan.Calendar, plan.Hours)
			}
		})
	}
}

// TestRulesRecur draws rules: each is refused, or recurs within some years of its
// start, so that looking for what recurs ends.
func TestRulesRecur(t *testing.T) {
	taken, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{"FREQ=" + rapid.SampledFrom([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}).Draw(t, "frequency")}
		maybe := func(name string, values *rapid.Generator[string]) {
			if rapid.Bool().Draw(t, "with "+name) {
				parts = append(parts, name+"="+strings.Join(rapid.SliceOfN(values, 1, 3).Draw(t, name), ","))
			}
		}
		number := func(low, high int) *rapid.Generator[string] {
			return rapid.Map(rapid.IntRange(low, high), func(n int) string { return fmt.Sprint(n) })
		}
		maybe("BYMONTH", number(1, 12))
		maybe("BYMONTHDAY", rapid.OneOf(number(1, 31), number(-31, -1)))
		maybe("BYDAY", rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"", "", "1", "5", "-1", "-5", "53", "54"}).Draw(t, "nth") + rapid.SampledFrom([]string{"MO", "WE", "SU"}).Draw(t, "day")
		}))
		if rapid.Bool().Draw(t, "with INTERVAL") {
			parts = append(parts, fmt.Sprintf("INTERVAL=%d", rapid.IntRange(1, 12).Draw(t, "interval")))
		}
		start := time.Date(2020, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "dom"), 0, 0, 0, 0, time.UTC)
		text := strings.Join(parts, ";")
		if _, err := compile.HoursOf(always("UTC", "DTSTART:"+start.Format("20060102")+"\nRRULE:"+text), now); err != nil {
			refused++
			return
		}
		taken++
		rule, err := rrule.StrToRRule("DTSTART:" + start.Format("20060102T150405Z") + "\nRRULE:" + text)
		if err != nil {
			t.Fatal(err)
		}
		if first := rule.After(start, true); first.IsZero() || first.After(start.AddDate(60, 0, 0)) {
			t.Fatalf("%s from %s recurs first at %s", text, start, first)
		}
	})
	if taken == 0 || refused == 0 {
		t.Errorf("%d rules were taken and %d refused: nothing is shown of the others", taken, refused)
	}
}

// FuzzICalendar reads any text: it is a mistake or has hours, and soon.
func FuzzICalendar(f *testing.F) {
	f.Add(calendarText("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY", "DTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:PT1H\nEXDATE:20260328T120000"))
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;\"")
	f.Add("BEGIN:VCALENDAR\r\n \t\r\nEND:VCALENDAR")
	f.Fuzz(func(t *testing.T, text string) {
		spec := always("Europe/Berlin")
		if spec.ICalendar = text; len(text) > 65536 {
			return
		}
		hours, err := compile.HoursOf(spec, now)
		if _, ok := errors.AsType[*compile.Error](err); err != nil && !ok {
			t.Errorf("HoursOf(%q): %v is no mistake", text, err)
		}
		if err == nil && hours.OpenMinutes(slo.Span{Start: now.AddDate(-1, 0, 0), End: now.AddDate(1, 0, 0)}) == 0 {
			t.Errorf("HoursOf(%q): never open, and no mistake", text)
		}
	})
}
