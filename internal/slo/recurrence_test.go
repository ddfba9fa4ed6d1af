package slo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func stretch(t *testing.T, from, to string) Span {
	t.Helper()
	return Span{Start: moment(t, from), End: moment(t, to)}
}

func TestRecurrenceWithin(t *testing.T) {
	type args struct {
		from, to string
		every    Calendar
		zone     string
		until    string
		// since and before bound what is asked for.
		since, before string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   []string
	}{
		"Once": {
			reason: "a stretch that does not come again is there once",
			args:   args{from: "2026-03-01T10:00:00Z", to: "2026-03-01T11:00:00Z", since: "2026-02-01T00:00:00Z", before: "2026-04-01T00:00:00Z"},
			want:   []string{"2026-03-01T10:00:00Z/1h0m0s"},
		},
		"Over": {
			reason: "and not once it is over",
			args:   args{from: "2026-03-01T10:00:00Z", to: "2026-03-01T11:00:00Z", since: "2026-03-01T11:00:00Z", before: "2026-04-01T00:00:00Z"},
		},
		"InPart": {
			reason: "one that is in the span in part is given whole",
			args:   args{from: "2026-03-01T10:00:00Z", to: "2026-03-01T11:00:00Z", since: "2026-03-01T10:59:00Z", before: "2026-03-01T10:59:30Z"},
			want:   []string{"2026-03-01T10:00:00Z/1h0m0s"},
		},
		"DailyThroughSpring": {
			reason: "02:00 to 03:00 is skipped whole in the night of the change, and an hour earlier in UTC after it",
			args: args{
				from: "2026-03-01T01:00:00Z", to: "2026-03-01T02:00:00Z", every: Day, zone: "Europe/Berlin",
				since: "2026-03-28T00:00:00Z", before: "2026-03-31T00:00:00Z",
			},
			want: []string{"2026-03-28T01:00:00Z/1h0m0s", "2026-03-30T00:00:00Z/1h0m0s"},
		},
		"CutBySpring": {
			reason: "01:30 to 02:30 ends at 03:00, which is half an hour later",
			args: args{
				from: "2026-03-01T00:30:00Z", to: "2026-03-01T01:30:00Z", every: Day, zone: "Europe/Berlin",
				since: "2026-03-29T00:00:00Z", before: "2026-03-30T00:00:00Z",
			},
			want: []string{"2026-03-29T00:30:00Z/30m0s", "2026-03-29T23:30:00Z/1h0m0s"},
		},
		"LongerInAutumn": {
			reason: "01:00 to 04:00 lasts four hours in the night of the change",
			args: args{
				from: "2026-10-01T23:00:00Z", to: "2026-10-02T02:00:00Z", every: Day, zone: "Europe/Berlin",
				since: "2026-10-24T00:00:00Z", before: "2026-10-26T12:00:00Z",
			},
			want: []string{"2026-10-23T23:00:00Z/3h0m0s", "2026-10-24T23:00:00Z/4h0m0s", "2026-10-26T00:00:00Z/3h0m0s"},
		},
		"HalfAnHour": {
			reason: "Lord Howe's clock changes by half an hour: 01:00 there is 14:00 UTC in summer and 14:30 in winter",
			args: args{
				from: "2026-03-27T14:00:00Z", to: "2026-03-27T15:00:00Z", every: Week, zone: "Australia/Lord_Howe",
				since: "2026-04-01T00:00:00Z", before: "2026-04-15T00:00:00Z",
			},
			want: []string{"2026-04-03T14:00:00Z/1h0m0s", "2026-04-10T14:30:00Z/1h0m0s"},
		},
		"MonthEnd": {
			reason: "the 31st is there in months that have one, and through midnight",
			args: args{
				from: "2026-01-31T22:00:00Z", to: "2026-02-01T02:00:00Z", every: Month,
				since: "2026-01-01T00:00:00Z", before: "2026-08-01T00:00:00Z",
			},
			want: []string{"2026-01-31T22:00:00Z/4h0m0s", "2026-03-31T22:00:00Z/4h0m0s", "2026-05-31T22:00:00Z/4h0m0s", "2026-07-31T22:00:00Z/4h0m0s"},
		},
		"Until": {
			reason: "none begins at until or later",
			args: args{
				from: "2026-01-01T10:00:00Z", to: "2026-01-01T11:00:00Z", every: Day, until: "2026-01-03T10:00:00Z",
				since: "2026-01-01T00:00:00Z", before: "2027-01-01T00:00:00Z",
			},
			want: []string{"2026-01-01T10:00:00Z/1h0m0s", "2026-01-02T10:00:00Z/1h0m0s"},
		},
		"LastMonths": {
			reason: "nor does a month without such a day hide the end",
			args: args{
				from: "2026-01-31T10:00:00Z", to: "2026-01-31T11:00:00Z", every: Month, until: "2026-02-10T00:00:00Z",
				since: "2026-02-01T00:00:00Z", before: "2027-01-01T00:00:00Z",
			},
		},
		"YearsLater": {
			reason: "a stretch of years ago still comes every week",
			args: args{
				from: "2016-01-04T10:00:00Z", to: "2016-01-04T11:00:00Z", every: Week,
				since: "2026-01-05T11:00:00Z", before: "2026-01-13T00:00:00Z",
			},
			want: []string{"2026-01-12T10:00:00Z/1h0m0s"},
		},
		"WholeDays": {
			reason: "days without a gap",
			args: args{
				from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", every: Day,
				since: "2026-01-05T00:00:00Z", before: "2026-01-07T00:00:00Z",
			},
			want: []string{"2026-01-05T00:00:00Z/24h0m0s", "2026-01-06T00:00:00Z/24h0m0s"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := Recurrence{First: stretch(t, tc.args.from, tc.args.to), Every: tc.args.every}
			if tc.args.zone != "" {
				zone, err := time.LoadLocation(tc.args.zone)
				if err != nil {
					t.Fatal(err)
				}
				r.Location = zone
			}
			if tc.args.until != "" {
				r.Until = moment(t, tc.args.until)
			}
			var got []string
			for _, s := range r.Within(stretch(t, tc.args.since, tc.args.before)) {
				got = append(got, s.Start.UTC().Format(time.RFC3339)+"/"+s.End.Sub(s.Start).String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRecurrenceByTheClock holds stretches against the clock on the wall, minute by
// minute around a year's changes of offset.
func TestRecurrenceByTheClock(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			// 00:40 to 04:10 holds every hour that a clock there skips or shows twice.
			first := Span{Start: time.Date(2026, 1, 10, 0, 40, 0, 0, zone), End: time.Date(2026, 1, 10, 4, 10, 0, 0, zone)}
			r := Recurrence{First: first, Every: Day, Location: zone}
			for at := first.Start; at.Year() == 2026; {
				_, change := at.ZoneBounds()
				if change.IsZero() {
					change = at.AddDate(0, 3, 0)
				}
				compareByTheClock(t, r, Span{Start: change.AddDate(0, 0, -2).UTC(), End: change.AddDate(0, 0, 2).UTC()})
				at = change.In(zone)
			}
		})
	}
}

func compareByTheClock(t *testing.T, r Recurrence, span Span) {
	t.Helper()
	stretches := r.Within(Span{Start: span.Start.Add(-24 * time.Hour), End: span.End})
	for at := span.Start; at.Before(span.End); at = at.Add(time.Minute) {
		hour, minute, _ := at.In(r.Location).Clock()
		want := hour*60+minute >= 40 && hour*60+minute < 4*60+10
		got := false
		for _, s := range stretches {
			got = got || s.Holds(at.Add(time.Minute))
		}
		if got != want {
			t.Fatalf("the minute that begins at %s is in a stretch: %t, want %t", at.In(r.Location), got, want)
		}
	}
}

func TestSpanMinutes(t *testing.T) {
	cases := map[string]struct {
		reason, from, to string
		want             Span
	}{
		"Whole":  {"whole minutes stay", "2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z", stretch(t, "2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z")},
		"Touch":  {"what is touched is taken whole", "2026-01-01T10:00:59Z", "2026-01-01T10:05:01Z", stretch(t, "2026-01-01T10:00:00Z", "2026-01-01T10:06:00Z")},
		"Within": {"even of one minute", "2026-01-01T11:00:10+01:00", "2026-01-01T11:00:20+01:00", stretch(t, "2026-01-01T10:00:00Z", "2026-01-01T10:01:00Z")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, stretch(t, tc.from, tc.to).Minutes()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	hours := func(pairs ...int) []Span {
		var out []Span
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, Span{Start: time.Unix(int64(3600*pairs[i]), 0).UTC(), End: time.Unix(int64(3600*pairs[i+1]), 0).UTC()})
		}
		return out
	}
	cases := map[string]struct {
		reason     string
		args, want []Span
	}{
		"None":    {reason: "nothing of nothing"},
		"Order":   {"in order", hours(5, 6, 1, 2), hours(1, 2, 5, 6)},
		"Overlap": {"what overlaps is one", hours(1, 4, 2, 5), hours(1, 5)},
		"Inside":  {"what is inside of another is gone", hours(1, 9, 2, 3, 4, 5), hours(1, 9)},
		"Touch":   {"what touches is one", hours(1, 2, 2, 3), hours(1, 3)},
		"Empty":   {"what is empty or backwards is nothing", hours(1, 1, 3, 2, 4, 5), hours(4, 5)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Merge(tc.args)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
