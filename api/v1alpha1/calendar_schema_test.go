package v1alpha1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
)

// plainCalendar is a valid calendar that sets nothing it does not have to.
const plainCalendar = `
apiVersion: experience.slo/v1alpha1
kind: Calendar
metadata: {name: support-hours, namespace: shop}
spec:
  weekly:
  - {days: [Monday], open: "08:00", close: "18:00"}
`

const (
	opensForm   = `write hours and minutes from "00:00" to "23:59", such as "08:00", in quotes`
	closesForm  = `write hours and minutes from "00:00" to "24:00", such as "18:00", in quotes`
	holidayForm = `write a date such as "2026-12-25", or "12-25" for that day of every year, in quotes`
	withinDay   = `close must be after open: the hours of a holiday end with its day, at "24:00" at the latest`
)

// aWeek is the weekly hours of one entry.
func aWeek(opens, closes string, days ...any) edits {
	return edits{"spec.weekly": []any{map[string]any{"days": days, "open": opens, "close": closes}}}
}

// aHoliday is one holiday, with hours unless they are empty.
func aHoliday(date, opens, closes string) edits {
	holiday := map[string]any{"date": date}
	if opens != "" {
		holiday["hours"] = []any{map[string]any{"open": opens, "close": closes}}
	}
	return edits{"spec.holidays": []any{holiday}}
}

func manyHolidays(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = map[string]any{"date": fmt.Sprintf("%d-12-25", 1600+i)}
	}
	return out
}

// calendarMistakes are what the API server must refuse of a calendar, and exactly how.
func calendarMistakes() map[string]mistake {
	many := make([]any, 29)
	for i := range many {
		many[i] = map[string]any{"days": []any{"Monday"}, "open": "08:00", "close": "18:00"}
	}
	return map[string]mistake{
		"ZoneForm":      {"a zone has a name", edits{"spec.timeZone": "UTC+2 (Berlin)"}, []string{"spec.timeZone: timeZone must be an IANA name such as Asia/Kolkata"}},
		"NoDays":        {"hours of no day", aWeek("08:00", "18:00"), []string{"spec.weekly[0].days: should have at least 1 items"}},
		"Day":           {"days are written out", aWeek("08:00", "18:00", "Mon"), []string{`spec.weekly[0].days[0]: supported values: "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"`}},
		"DayTwice":      {"each once", aWeek("08:00", "18:00", "Monday", "Monday"), []string{"spec.weekly[0].days[1]: Duplicate value"}},
		"ManyEntries":   {"four for each day are plenty", edits{"spec.weekly": many}, []string{"spec.weekly: must have at most 28 items"}},
		"OpensLate":     {"the end of the day is no beginning", aWeek("24:00", "18:00", "Monday"), []string{"spec.weekly[0].open: " + opensForm}},
		"OpensForm":     {"24 hours, not twice 12", aWeek("8 am", "18:00", "Monday"), []string{"spec.weekly[0].open: should be at least 5 chars long", "spec.weekly[0].open: " + opensForm}},
		"ClosesForm":    {"no such minute", aWeek("08:00", "18:60", "Monday"), []string{"spec.weekly[0].close: " + closesForm}},
		"ClosesLate":    {"a day has no more hours", aWeek("08:00", "24:01", "Monday"), []string{"spec.weekly[0].close: " + closesForm}},
		"Date":          {"dates are as ISO 8601 has them", aHoliday("25.12.2026", "", ""), []string{"spec.holidays[0].date: " + holidayForm}},
		"Month":         {"there is no such month", aHoliday("13-01", "", ""), []string{"spec.holidays[0].date: " + holidayForm}},
		"DateTwice":     {"a day is one or the other", edits{"spec.holidays": []any{map[string]any{"date": "12-25"}, map[string]any{"date": "12-25"}}}, []string{"spec.holidays[1]: Duplicate value"}},
		"ManyHolidays":  {"as many as a year has days", edits{"spec.holidays": manyHolidays(367)}, []string{"spec.holidays: must have at most 366 items"}},
		"HolidayNight":  {"a holiday ends with its day", aHoliday("12-31", "20:00", "02:00"), []string{"spec.holidays[0].hours[0]: " + withinDay}},
		"LongICalendar": {"64 KiB are a hundred years of holidays", edits{"spec.iCalendar": strings.Repeat("x", 65537)}, []string{"spec.iCalendar: may not be more than 65536 bytes"}},
		"Unknown":       {"a misspelt field would mean that nothing is closed", edits{"spec.holiday": []any{}}, []string{"spec.holiday: unknown field"}},
	}
}

func TestRefusedCalendars(t *testing.T) {
	d := load(t, "calendars")
	for name, tc := range calendarMistakes() {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainCalendar)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdmittedCalendars lists calendars that must be taken, and the spec that they
// have once defaults are filled in.
func TestAdmittedCalendars(t *testing.T) {
	but := func(change func(*CalendarSpec)) CalendarSpec {
		s := CalendarSpec{TimeZone: "UTC", Weekly: []WeeklyHours{{Days: []Weekday{Monday}, Open: "08:00", Close: "18:00"}}}
		change(&s)
		return s
	}
	cases := map[string]struct {
		reason string
		edits  edits
		want   CalendarSpec
	}{
		"Plain": {reason: "UTC is the zone of who names none", want: but(func(*CalendarSpec) {})},
		"Night": {
			reason: "hours may pass midnight", edits: aWeek("22:00", "06:00", "Friday", "Saturday"),
			want: but(func(s *CalendarSpec) {
				s.Weekly = []WeeklyHours{{Days: []Weekday{Friday, Saturday}, Open: "22:00", Close: "06:00"}}
			}),
		},
		"WholeDay": {
			reason: "a whole day ends at midnight", edits: aWeek("00:00", "24:00", "Sunday"),
			want: but(func(s *CalendarSpec) {
				s.Weekly = []WeeklyHours{{Days: []Weekday{Sunday}, Open: "00:00", Close: "24:00"}}
			}),
		},
		"ShortDay": {
			reason: "a holiday may have hours", edits: aHoliday("12-24", "08:00", "24:00"),
			want: but(func(s *CalendarSpec) {
				s.Holidays = []Holiday{{Date: "12-24", Hours: []HolidayHours{{Open: "08:00", Close: "24:00"}}}}
			}),
		},
		"NoWeek": {
			reason: "what is open on some dates alone has no week", edits: edits{"spec.weekly": nil, "spec.timeZone": "Asia/Kolkata"},
			want: CalendarSpec{TimeZone: "Asia/Kolkata"},
		},
	}
	d := load(t, "calendars")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainCalendar))
			if complaints := d.admit(t, object); len(complaints) > 0 {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := Calendar{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Spec); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if got.Status.ObservedGeneration != -1 {
				t.Errorf("observedGeneration = %d before anybody looked, want -1", got.Status.ObservedGeneration)
			}
		})
	}
}
