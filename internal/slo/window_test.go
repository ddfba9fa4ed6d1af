package slo

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones under test must not depend on the machine

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// zones are what the calendar is tested in: both hemispheres, both sides of the date
// line, offsets of whole, half and quarter hours, clock changes of half an hour and
// of two hours, changes at midnight (Asuncion, Beirut, Cairo, Havana, Santiago, Sao
// Paulo), one on the first of a month, and zones moved by law.
var zones = []string{
	"UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Istanbul",
	"Europe/Volgograd", "Africa/Cairo", "Africa/Casablanca", "Africa/Juba", "America/New_York",
	"America/St_Johns", "America/Sao_Paulo", "America/Asuncion", "America/Santiago", "America/Havana",
	"America/Caracas", "America/Phoenix", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Beirut",
	"Asia/Gaza", "Asia/Tokyo", "Asia/Pyongyang", "Australia/Lord_Howe", "Australia/Eucla",
	"Australia/Adelaide", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Apia", "Pacific/Niue",
	"Pacific/Marquesas", "Antarctica/Troll", "Antarctica/Casey",
}

var units = []Calendar{Week, Month, Quarter, Year}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func instant(tb testing.TB, text string) time.Time {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

func TestWindowValidate(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   Window
		want   string
	}{
		"Rolling":  {reason: "The usual window.", args: Window{Rolling: 28 * day}},
		"Shortest": {reason: "An hour is the least.", args: Window{Rolling: time.Hour}},
		"Longest":  {reason: "400 days are the most.", args: Window{Rolling: 400 * day}},
		"Calendar": {reason: "A calendar unit.", args: Window{Calendar: Quarter}},
		"Both": {
			reason: "One window.", args: Window{Rolling: 28 * day, Calendar: Month},
			want: "check window: it is both rolling (28d) and calendar (Month): keep one",
		},
		"Neither": {
			reason: "One window.", args: Window{Location: time.UTC},
			want: "check window: it is neither rolling nor calendar: choose one",
		},
		"Unknown": {
			reason: "Units are named exactly.", args: Window{Calendar: "month"},
			want: `check window: unknown calendar unit "month": choose Week, Month, Quarter or Year`,
		},
		"TooShort": {
			reason: "Less than an hour.", args: Window{Rolling: 59 * time.Minute},
			want: `check window: rolling "59m" is not between 1h and 400d`,
		},
		"TooLong": {
			reason: "More than 400 days.", args: Window{Rolling: 401 * day},
			want: `check window: rolling "401d" is not between 1h and 400d`,
		},
		"Negative": {
			reason: "Windows look back.", args: Window{Rolling: -time.Hour},
			want: `check window: rolling "-1h" is not between 1h and 400d`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, message(tc.args.Validate())); diff != "" {
				t.Errorf("\n%s\nValidate(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWindowRolling(t *testing.T) {
	now := instant(t, "2026-03-29T02:30:00Z")
	w := Window{Rolling: 28 * day, Location: zone(t, "Europe/Berlin")}
	if diff := cmp.Diff(Span{Start: now.Add(-28 * day), End: now}, w.Span(now)); diff != "" {
		t.Errorf("a rolling window ends now and pays no heed to clock changes\n-want, +got:\n%s", diff)
	}
	if w.Period(now) != 28*day || w.Longest() != 28*day {
		t.Errorf("Period %v, Longest %v, want both %v", w.Period(now), w.Longest(), 28*day)
	}
}

func TestWindowCalendar(t *testing.T) {
	type args struct {
		unit Calendar
		zone string
		now  string
	}
	type want struct {
		Start, Period string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"BerlinMarch": {
			reason: "March loses an hour when summer time begins.",
			args:   args{Month, "Europe/Berlin", "2026-03-31T21:59:00Z"},
			want:   want{"2026-03-01T00:00:00+01:00", "30d23h"},
		},
		"BerlinApril": {
			reason: "A minute later it is April, in summer time.",
			args:   args{Month, "Europe/Berlin", "2026-03-31T22:00:00Z"},
			want:   want{"2026-04-01T00:00:00+02:00", "30d"},
		},
		"BerlinOctober": {
			reason: "October gains the hour back.",
			args:   args{Month, "Europe/Berlin", "2026-10-25T01:30:00Z"},
			want:   want{"2026-10-01T00:00:00+02:00", "31d1h"},
		},
		"BerlinWeek": {
			reason: "The week of the change is an hour short.",
			args:   args{Week, "Europe/Berlin", "2026-03-29T12:00:00Z"},
			want:   want{"2026-03-23T00:00:00+01:00", "6d23h"},
		},
		"NewYorkNovember": {
			reason: "Summer time ends on the first of November itself.",
			args:   args{Month, "America/New_York", "2026-11-15T12:00:00Z"},
			want:   want{"2026-11-01T00:00:00-04:00", "30d1h"},
		},
		"NewYorkQuarter": {
			reason: "The first quarter loses an hour in March.",
			args:   args{Quarter, "America/New_York", "2026-02-14T00:00:00Z"},
			want:   want{"2026-01-01T00:00:00-05:00", "89d23h"},
		},
		"NewYorkLastQuarter": {
			reason: "The last quarter is the longest: 92 days and an hour.",
			args:   args{Quarter, "America/New_York", "2026-12-31T23:00:00Z"},
			want:   want{"2026-10-01T00:00:00-04:00", "92d1h"},
		},
		"KolkataMonth": {
			reason: "A month begins at 18:30 UTC of the day before.",
			args:   args{Month, "Asia/Kolkata", "2026-02-28T18:30:00Z"},
			want:   want{"2026-03-01T00:00:00+05:30", "31d"},
		},
		"KolkataBefore": {
			reason: "A second earlier it was February.",
			args:   args{Month, "Asia/Kolkata", "2026-02-28T18:29:59Z"},
			want:   want{"2026-02-01T00:00:00+05:30", "28d"},
		},
		"LordHoweApril": {
			reason: "Summer time there is half an hour.",
			args:   args{Month, "Australia/Lord_Howe", "2026-04-20T00:00:00Z"},
			want:   want{"2026-04-01T00:00:00+11:00", "30d30m"},
		},
		"LordHoweYear": {
			reason: "Both changes in one year cancel out.",
			args:   args{Year, "Australia/Lord_Howe", "2026-06-01T00:00:00Z"},
			want:   want{"2026-01-01T00:00:00+11:00", "365d"},
		},
		"LeapMonth": {
			reason: "February of a leap year.",
			args:   args{Month, "UTC", "2028-02-29T12:00:00Z"},
			want:   want{"2028-02-01T00:00:00Z", "29d"},
		},
		"LeapYear": {
			reason: "A leap year.",
			args:   args{Year, "Europe/London", "2028-12-31T23:59:59Z"},
			want:   want{"2028-01-01T00:00:00Z", "366d"},
		},
		"CenturyYear": {
			reason: "2100 is no leap year.",
			args:   args{Year, "UTC", "2100-05-05T00:00:00Z"},
			want:   want{"2100-01-01T00:00:00Z", "365d"},
		},
		"WeekOverNewYear": {
			reason: "ISO week 2026-W53 holds the first of January 2027.",
			args:   args{Week, "UTC", "2027-01-01T12:00:00Z"},
			want:   want{"2026-12-28T00:00:00Z", "7d"},
		},
		"WeekOneEarly": {
			reason: "ISO week 2025-W01 begins in December 2024.",
			args:   args{Week, "UTC", "2025-01-01T00:00:00Z"},
			want:   want{"2024-12-30T00:00:00Z", "7d"},
		},
		"WeekSunday": {
			reason: "Sunday is the last day of a week.",
			args:   args{Week, "UTC", "2026-03-08T23:59:59Z"},
			want:   want{"2026-03-02T00:00:00Z", "7d"},
		},
		"WeekMonday": {
			reason: "Monday is the first.",
			args:   args{Week, "UTC", "2026-03-09T00:00:00Z"},
			want:   want{"2026-03-09T00:00:00Z", "7d"},
		},
		"AsuncionNoMidnight": {
			reason: "On 1 October 2017 clocks went from 00:00 to 01:00, so the month began at 01:00 and was an hour short.",
			args:   args{Month, "America/Asuncion", "2017-10-15T00:00:00Z"},
			want:   want{"2017-10-01T01:00:00-03:00", "30d23h"},
		},
		"AsuncionBeforeIt": {
			reason: "And the month before ended then.",
			args:   args{Month, "America/Asuncion", "2017-10-01T03:59:59Z"},
			want:   want{"2017-09-01T00:00:00-04:00", "30d"},
		},
		"HavanaTwoMidnights": {
			reason: "On 1 November 2020 midnight came twice; the month began with the first.",
			args:   args{Month, "America/Havana", "2020-11-20T00:00:00Z"},
			want:   want{"2020-11-01T00:00:00-04:00", "30d1h"},
		},
		"ApiaSkippedDay": {
			reason: "Samoa had no 30 December 2011.",
			args:   args{Month, "Pacific/Apia", "2011-12-31T00:00:00Z"},
			want:   want{"2011-12-01T00:00:00-10:00", "30d"},
		},
		"TrollOctober": {
			reason: "Winter time there is two hours back.",
			args:   args{Month, "Antarctica/Troll", "2026-10-31T00:00:00Z"},
			want:   want{"2026-10-01T00:00:00+02:00", "31d2h"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := Window{Calendar: tc.args.unit, Location: zone(t, tc.args.zone)}
			now := instant(t, tc.args.now)
			got := want{w.Span(now).Start.Format(time.RFC3339), FormatDuration(w.Period(now))}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nSpan(%s).Start, Period: -want, +got:\n%s", tc.reason, tc.args.now, diff)
			}
			if end := w.Span(now).End; !end.Equal(now) {
				t.Errorf("\n%s\nSpan(...).End = %v, want %v", tc.reason, end, now)
			}
		})
	}
}

func TestWindowWithoutLocationIsUTC(t *testing.T) {
	now := instant(t, "2026-03-01T00:30:00+01:00")
	got := Window{Calendar: Month}.Span(now)
	want := Span{Start: instant(t, "2026-02-01T00:00:00Z"), End: now}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// firstOfDay finds the first instant of a local day the slow way: a quarter of an
// hour at a time, until the wall calendar shows that day or a later one.
func firstOfDay(year int, month time.Month, dom int, loc *time.Location) time.Time {
	want := time.Date(year, month, dom, 0, 0, 0, 0, time.UTC)
	at := want.Add(-30 * time.Hour)
	for {
		y, m, d := at.In(loc).Date()
		if !time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Before(want) {
			return at
		}
		at = at.Add(15 * time.Minute)
	}
}

// boundaries lists the first instants of every calendar unit of ten years, found the
// slow way.
func boundaries(unit Calendar, loc *time.Location) []time.Time {
	var out []time.Time
	for date := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC); date.Year() < 2027; date = date.AddDate(0, 0, 1) {
		year, month, dom := date.Date()
		first := map[Calendar]bool{
			Week:    date.Weekday() == time.Monday,
			Month:   dom == 1,
			Quarter: dom == 1 && month%3 == 1,
			Year:    dom == 1 && month == time.January,
		}
		if first[unit] {
			out = append(out, firstOfDay(year, month, dom, loc))
		}
	}
	return out
}

// In every zone, a unit holds every instant from its boundary to the next one, its
// period is the distance between them, and Longest is not exceeded.
func TestWindowCoversTenYearsInEveryZone(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		for _, unit := range units {
			w := Window{Calendar: unit, Location: loc}
			all := boundaries(unit, loc)
			for i, start := range all[:len(all)-1] {
				next := all[i+1]
				middle := start.Add(next.Sub(start) / 2)
				for _, now := range []time.Time{start, start.Add(time.Second), middle, next.Add(-time.Nanosecond)} {
					if got := w.Span(now).Start; !got.Equal(start) {
						t.Fatalf("%s %s at %v begins at %v, want %v", name, unit, now, got, start)
					}
					if got := w.Period(now); got != next.Sub(start) || got > w.Longest() {
						t.Fatalf("%s %s at %v lasts %v, want %v and at most %v",
							name, unit, now, got, next.Sub(start), w.Longest())
					}
				}
			}
		}
	}
}

// A week of the calendar is the week that ISO 8601 numbers.
func TestWeeksAreISOWeeks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 8_000_000_000).Draw(t, "now"), 0).UTC()
		start := Window{Calendar: Week}.Span(now).Start
		year, week := now.ISOWeek()
		startYear, startWeek := start.ISOWeek()
		beforeYear, beforeWeek := start.Add(-time.Second).ISOWeek()
		if year != startYear || week != startWeek || (year == beforeYear && week == beforeWeek) {
			t.Fatalf("%v is in %d-W%d, but its week begins at %v", now, year, week, start)
		}
	})
}

func TestEarlierAndLater(t *testing.T) {
	a := time.Unix(60, 0)
	cases := map[string]struct {
		reason                string
		b, earliest, furthest time.Time
	}{
		"Before": {"the second comes first", a.Add(-1), a.Add(-1), a},
		"After":  {"the first comes first", a.Add(1), a, a.Add(1)},
		"Equal":  {"of equal ones the first is as good", a.UTC(), a, a},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Earlier(a, tc.b); !got.Equal(tc.earliest) {
				t.Errorf("%s: Earlier() = %s, want %s", tc.reason, got, tc.earliest)
			}
			if got := Later(a, tc.b); !got.Equal(tc.furthest) {
				t.Errorf("%s: Later() = %s, want %s", tc.reason, got, tc.furthest)
			}
		})
	}
}
