package slo

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// office is open from 8 to 18 on working days, and on Saturday night.
var office = Weekly(
	Opening{0, 480, 1080}, Opening{1, 480, 1080}, Opening{2, 480, 1080}, Opening{3, 480, 1080}, Opening{4, 480, 1080},
	Opening{5, 22 * 60, 3 * 60},
)

// open reads a wall clock as Go's time package shows it.
func open(h *Hours, begin time.Time) bool {
	local := begin.In(h.Location)
	for _, s := range h.Closed {
		if !begin.Before(s.Start) && begin.Before(s.End) {
			return false
		}
	}
	year, month, dom := local.Date()
	times, special := h.Dates[Date{year, month, dom}]
	if !special {
		times, special = h.Dates[Date{0, month, dom}]
	}
	if !special {
		times = h.Weekly[(local.Weekday()+6)%7]
	}
	now := local.Hour()*60 + local.Minute()
	return slices.ContainsFunc(times, func(t DayTime) bool { return t.From <= now && now < t.To })
}

func TestWeekly(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []Opening
		want   [7][]DayTime
	}{
		"None":     {reason: "Nothing is never open."},
		"Day":      {reason: "A working day.", args: []Opening{{0, 480, 1080}}, want: [7][]DayTime{{{480, 1080}}}},
		"Night":    {reason: "A night belongs to two days.", args: []Opening{{4, 1320, 360}}, want: [7][]DayTime{4: {{1320, 1440}}, 5: {{0, 360}}}},
		"Sunday":   {reason: "The day after Sunday is Monday.", args: []Opening{{6, 1320, 360}}, want: [7][]DayTime{0: {{0, 360}}, 6: {{1320, 1440}}}},
		"Midnight": {reason: "Midnight at the end is of the day itself.", args: []Opening{{1, 1320, 0}}, want: [7][]DayTime{1: {{1320, 1440}}}},
		"Round":    {reason: "From 8 to 8 is a day long.", args: []Opening{{1, 480, 480}}, want: [7][]DayTime{1: {{480, 1440}}, 2: {{0, 480}}}},
		"Whole":    {reason: "A whole day.", args: []Opening{{2, 0, 1440}}, want: [7][]DayTime{2: {{0, 1440}}}},
		"Overlap":  {reason: "What overlaps or touches is one.", args: []Opening{{0, 600, 720}, {0, 480, 600}, {0, 500, 520}, {0, 800, 900}}, want: [7][]DayTime{{{480, 720}, {800, 900}}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Weekly(c.args...)); diff != "" {
				t.Errorf("%s Weekly(): -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestOpenIsTheClockOnTheWall compares every minute of a year with Go's time package.
func TestOpenIsTheClockOnTheWall(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham", "America/Havana", "Africa/Cairo"} {
		t.Run(name, func(t *testing.T) {
			h := &Hours{
				Location: zone(t, name), Weekly: office,
				Dates:  map[Date][]DayTime{{0, 12, 25}: nil, {2026, 12, 24}: {{480, 720}}, {0, 12, 24}: nil, {2026, 10, 25}: {{0, 1440}}},
				Closed: []Span{{instant(t, "2026-06-01T09:30:00Z"), instant(t, "2026-06-03T10:07:00Z")}},
			}
			year := Span{Start: instant(t, "2026-01-01T00:00:00Z"), End: instant(t, "2027-01-01T00:00:00Z")}
			var want []Span
			minutes := 0
			for at := year.Start; at.Before(year.End); at = at.Add(time.Minute) {
				if open(h, at) {
					minutes++
					want = extend(want, Span{Start: at, End: at.Add(time.Minute)})
				}
			}
			if diff := cmp.Diff(want, h.Spans(year)); diff != "" {
				t.Errorf("Spans(): -want, +got:\n%s", diff)
			}
			if got := h.OpenMinutes(year); got != minutes {
				t.Errorf("OpenMinutes(): %d, want %d", got, minutes)
			}
		})
	}
}

// TestHoursOfAnySpan looks at short spans in all zones that are odd, in which a
// clock is set forward, back, or at midnight.
func TestHoursOfAnySpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string, most int) int { return rapid.IntRange(0, most).Draw(t, what) }
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		h := &Hours{Location: loc, Dates: map[Date][]DayTime{}}
		var openings []Opening
		for range draw("openings", 5) {
			openings = append(openings, Opening{draw("day", 6), draw("from", 1439), draw("to", 1440)})
		}
		h.Weekly = Weekly(openings...)
		start := time.Unix(1_700_000_000+int64(draw("start", 80_000_000)), 0).UTC().Truncate(time.Minute)
		within := Span{Start: start, End: start.Add(time.Duration(draw("minutes", 3*1440)) * time.Minute)}
		if draw("special", 1) == 1 {
			year, month, dom := start.Add(30 * time.Hour).In(loc).Date()
			from := draw("special from", 1439)
			h.Dates[Date{year * draw("every year", 1), month, dom}] = []DayTime{{from, from + 1 + draw("special length", 1439-from)}}
		}
		if n := draw("closed", 300); n > 0 {
			at := start.Add(time.Duration(draw("closed from", 2000)) * time.Minute)
			h.Closed = []Span{{at, at.Add(time.Duration(n) * time.Minute)}}
		}
		checkSpan(t, h, within)
	})
}

func checkSpan(t *rapid.T, h *Hours, within Span) {
	t.Helper()
	var want []Span
	for at := within.Start; at.Before(within.End); at = at.Add(time.Minute) {
		if open(h, at) {
			want = extend(want, Span{Start: at, End: at.Add(time.Minute)})
		}
	}
	got := h.Spans(within)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Spans(%v): -want, +got:\n%s", within, diff)
	}
	// The week, changed by the exceptions, is the same.
	plain := &Hours{Location: h.Location, Weekly: h.Weekly}
	closed, opened := h.Exceptions(within)
	if diff := cmp.Diff(want, Merge(slices.Concat(subtract(plain.Spans(within), closed), opened))); diff != "" {
		t.Fatalf("Exceptions(%v): -want, +got:\n%s", within, diff)
	}
	next, changes := h.NextChange(within.Start, within.End)
	for at := within.Start; at.Before(within.End); at = at.Add(time.Minute) {
		if open(h, at) != open(h, within.Start) {
			if !changes || !next.Equal(at) {
				t.Fatalf("NextChange(%v): %s, %t, want %s", within, next, changes, at)
			}
			return
		}
	}
	if changes {
		t.Fatalf("NextChange(%v): %s, want none", within, next)
	}
}

func TestNextChange(t *testing.T) {
	berlin := &Hours{Location: zone(t, "Europe/Berlin"), Weekly: office, Dates: map[Date][]DayTime{{0, 12, 25}: nil, {0, 12, 26}: nil}}
	always := &Hours{Location: time.UTC}
	for i := range always.Weekly {
		always.Weekly[i] = []DayTime{{0, 1440}}
	}
	type args struct {
		hours        *Hours
		after, until string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Opens":   {reason: "In the morning.", args: args{berlin, "2026-03-02T03:00:00Z", "2026-04-01T00:00:00Z"}, want: "2026-03-02T07:00:00Z"},
		"Closes":  {reason: "In the evening.", args: args{berlin, "2026-03-02T07:00:00Z", "2026-04-01T00:00:00Z"}, want: "2026-03-02T17:00:00Z"},
		"Midday":  {reason: "Seconds do not matter.", args: args{berlin, "2026-03-02T16:59:59Z", "2026-04-01T00:00:00Z"}, want: "2026-03-02T17:00:00Z"},
		"Summer":  {reason: "On Monday clocks are an hour ahead.", args: args{berlin, "2026-03-29T03:00:00Z", "2026-04-01T00:00:00Z"}, want: "2026-03-30T06:00:00Z"},
		"Holiday": {reason: "Christmas is a long weekend, but for the night to Sunday, of which a part is no holiday.", args: args{berlin, "2026-12-24T17:00:00Z", "2027-04-01T00:00:00Z"}, want: "2026-12-26T23:00:00Z"},
		"Later":   {reason: "Not before the end.", args: args{berlin, "2026-12-24T17:00:00Z", "2026-12-25T00:00:00Z"}},
		"Always":  {reason: "What is always open never changes.", args: args{always, "2026-01-01T00:00:00Z", "2027-04-01T00:00:00Z"}},
		"Never":   {reason: "Nor what is never.", args: args{&Hours{Location: time.UTC}, "2026-01-01T00:00:00Z", "2027-04-01T00:00:00Z"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := c.args.hours.NextChange(instant(t, c.args.after), instant(t, c.args.until))
			text := ""
			if ok {
				text = got.Format(time.RFC3339)
			}
			if diff := cmp.Diff(c.want, text); diff != "" {
				t.Errorf("%s NextChange(): -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestOffsets(t *testing.T) {
	year := Span{Start: instant(t, "2026-01-01T00:00:00Z"), End: instant(t, "2027-01-01T00:00:00Z")}
	cases := map[string]struct {
		reason string
		args   string
		want   []Offset
	}{
		"Berlin":   {reason: "An hour in March, and back in October.", args: "Europe/Berlin", want: []Offset{{year.Start, 3600}, {instant(t, "2026-03-29T01:00:00Z"), 7200}, {instant(t, "2026-10-25T01:00:00Z"), 3600}}},
		"LordHowe": {reason: "Half an hour in April, and back in October.", args: "Australia/Lord_Howe", want: []Offset{{year.Start, 39600}, {instant(t, "2026-04-04T15:00:00Z"), 37800}, {instant(t, "2026-10-03T15:30:00Z"), 39600}}},
		"Kolkata":  {reason: "None at all.", args: "Asia/Kolkata", want: []Offset{{year.Start, 19800}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, (&Hours{Location: zone(t, c.args)}).Offsets(year)); diff != "" {
				t.Errorf("%s Offsets(): -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestGridOfHours(t *testing.T) {
	type args struct {
		zone   string
		weekly [7][]DayTime
		window Window
		dates  map[Date][]DayTime
	}
	rolling := Window{Rolling: 28 * day}
	cases := map[string]struct {
		reason string
		args   args
		want   Grid
	}{
		"Hours":    {reason: "Whole hours in a zone of whole hours.", args: args{"Europe/Berlin", office, rolling, nil}, want: Grid{Width: time.Hour}},
		"Kolkata":  {reason: "Whole hours there begin at half past.", args: args{"Asia/Kolkata", office, rolling, nil}, want: Grid{Width: time.Hour, Offset: 30 * time.Minute}},
		"Chatham":  {reason: "And here at a quarter past.", args: args{"Pacific/Chatham", office, rolling, nil}, want: Grid{Width: time.Hour, Offset: 45 * time.Minute}},
		"LordHowe": {reason: "Half an hour is what its clock moves.", args: args{"Australia/Lord_Howe", office, rolling, nil}, want: Grid{Width: 30 * time.Minute}},
		"HalfPast": {reason: "From half past to half past.", args: args{"Europe/Berlin", Weekly(Opening{0, 510, 1050}), rolling, nil}, want: Grid{Width: time.Hour, Offset: 30 * time.Minute}},
		"Quarter":  {reason: "A quarter of an hour is fine enough.", args: args{"Europe/Berlin", Weekly(Opening{0, 480, 1035}), rolling, nil}, want: Grid{Width: 15 * time.Minute}},
		"Odd":      {reason: "Finer is not worth it.", args: args{"Europe/Berlin", Weekly(Opening{0, 480, 1037}), rolling, nil}, want: Grid{Width: time.Hour}},
		"Holiday":  {reason: "A date ends at midnight.", args: args{"Europe/Berlin", Weekly(Opening{0, 510, 1050}), rolling, map[Date][]DayTime{{0, 12, 25}: nil}}, want: Grid{Width: 30 * time.Minute}},
		"Month":    {reason: "The window has its own midnight, in another zone.", args: args{"Asia/Kolkata", office, Window{Calendar: Month}, nil}, want: Grid{Width: 30 * time.Minute}},
		"Never":    {reason: "Nothing to fit.", args: args{"Asia/Kolkata", [7][]DayTime{}, rolling, nil}, want: Grid{Width: time.Hour}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := &Hours{Location: zone(t, c.args.zone), Weekly: c.args.weekly, Dates: c.args.dates}
			got := h.Grid(c.args.window, instant(t, "2026-03-02T12:00:00Z"))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s Grid(): -want, +got:\n%s", c.reason, diff)
			}
			checkGrid(t, h, got)
		})
	}
}

// checkGrid looks for an edge of the hours that is none of the grid, unless it is
// one that a change of the clock makes, or the grid is one that does not fit.
func checkGrid(t *testing.T, h *Hours, g Grid) {
	t.Helper()
	year := Span{Start: instant(t, "2026-01-01T00:00:00Z"), End: instant(t, "2027-01-01T00:00:00Z")}
	for _, s := range h.Spans(year) {
		set := slices.ContainsFunc(h.Offsets(year), func(o Offset) bool { return o.From.Equal(s.End) })
		set = set || s.End.Equal(year.End)
		if edge := g.Start(g.Index(s.End) + 1).Equal(s.End); !edge && !set && s.End.Sub(s.Start)%finest == 0 {
			t.Fatalf("hours end at %s, which is no edge of %v", s.End, g)
		}
	}
}
