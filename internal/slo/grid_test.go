package slo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestGridFor(t *testing.T) {
	type args struct {
		window Window
		now    string
	}
	const now = "2026-07-01T00:00:00Z"
	calendar := func(name string) Window { return Window{Calendar: Month, Location: zone(t, name)} }
	cases := map[string]struct {
		reason string
		args   args
		want   Grid
	}{
		"Rolling": {
			reason: "A rolling window has no boundaries of its own.",
			args:   args{Window{Rolling: 28 * day, Location: zone(t, "Asia/Kolkata")}, now},
			want:   Grid{Width: time.Hour},
		},
		"UTC":      {reason: "Whole hours.", args: args{Window{Calendar: Week}, now}, want: Grid{Width: time.Hour}},
		"Berlin":   {reason: "Summer time moves by whole hours.", args: args{calendar("Europe/Berlin"), now}, want: Grid{Width: time.Hour}},
		"Kolkata":  {reason: "Hours begin at half past in UTC.", args: args{calendar("Asia/Kolkata"), now}, want: Grid{Width: time.Hour, Offset: 30 * time.Minute}},
		"StJohns":  {reason: "Half past, west of Greenwich.", args: args{calendar("America/St_Johns"), now}, want: Grid{Width: time.Hour, Offset: 30 * time.Minute}},
		"Nepal":    {reason: "A quarter past in UTC.", args: args{calendar("Asia/Kathmandu"), now}, want: Grid{Width: time.Hour, Offset: 45 * time.Minute}},
		"Chatham":  {reason: "Quarters that move by whole hours.", args: args{calendar("Pacific/Chatham"), now}, want: Grid{Width: time.Hour, Offset: 45 * time.Minute}},
		"LordHowe": {reason: "Summer time of half an hour.", args: args{calendar("Australia/Lord_Howe"), now}, want: Grid{Width: 30 * time.Minute}},
		"Pyongyang": {
			reason: "North Korea moved by half an hour in May 2018, within reach of the window.",
			args:   args{calendar("Asia/Pyongyang"), "2018-12-01T00:00:00Z"}, want: Grid{Width: 30 * time.Minute},
		},
		"PyongyangAfter": {
			reason: "Long after the move whole hours do again.",
			args:   args{calendar("Asia/Pyongyang"), now}, want: Grid{Width: time.Hour},
		},
		"OddZone": {
			reason: "A fixed offset in seconds is still cut into hours of that zone.",
			args:   args{Window{Calendar: Month, Location: time.FixedZone("odd", -44*60-30)}, now},
			want:   Grid{Width: time.Hour, Offset: 15*time.Minute + 30*time.Second},
		},
		"OddMove": {
			reason: "Liberia's move of 44m30s in 1972 would ask for half minutes; minutes are the least.",
			args:   args{calendar("Africa/Monrovia"), "1972-03-01T00:00:00Z"}, want: Grid{Width: time.Minute, Offset: 30 * time.Second},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := GridFor(tc.args.window, instant(t, tc.args.now))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nGridFor(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGridIndex(t *testing.T) {
	hours := Grid{Width: time.Hour}
	kolkata := Grid{Width: time.Hour, Offset: 30 * time.Minute}
	type args struct {
		grid Grid
		at   string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   int64
	}{
		"OnTheEdge":      {reason: "A minute that ends on an edge is the last of its bucket.", args: args{hours, "1970-01-01T01:00:00Z"}, want: 0},
		"AfterTheEdge":   {reason: "The next minute opens the next bucket.", args: args{hours, "1970-01-01T01:01:00Z"}, want: 1},
		"JustAfter":      {reason: "So does any instant after the edge.", args: args{hours, "1970-01-01T01:00:00.000000001Z"}, want: 1},
		"Epoch":          {reason: "The epoch ends the bucket before it.", args: args{hours, "1970-01-01T00:00:00Z"}, want: -1},
		"BeforeTheEpoch": {reason: "Buckets go on below zero.", args: args{hours, "1969-12-31T22:30:00Z"}, want: -2},
		"EdgeBelowZero":  {reason: "Edges below zero close their bucket too.", args: args{hours, "1969-12-31T23:00:00Z"}, want: -2},
		"KolkataEdge":    {reason: "Its edges are at half past.", args: args{kolkata, "1970-01-01T00:30:00Z"}, want: 0},
		"KolkataAfter":   {reason: "Its edges are at half past.", args: args{kolkata, "1970-01-01T00:31:00Z"}, want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.grid.Index(instant(t, tc.args.at))); diff != "" {
				t.Errorf("\n%s\nIndex(%s): -want, +got:\n%s", tc.reason, tc.args.at, diff)
			}
		})
	}
}

func TestGridStart(t *testing.T) {
	type args struct {
		grid Grid
		k    int64
	}
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Zero":     {reason: "Bucket 0 begins at the epoch.", args: args{Grid{Width: time.Hour}, 0}, want: "1970-01-01T00:00:00Z"},
		"Negative": {reason: "Buckets go on below zero.", args: args{Grid{Width: time.Hour}, -2}, want: "1969-12-31T22:00:00Z"},
		"Offset":   {reason: "East of Greenwich buckets begin earlier.", args: args{Grid{Width: time.Hour, Offset: 30 * time.Minute}, 1}, want: "1970-01-01T00:30:00Z"},
		"Narrow":   {reason: "Half-hour buckets.", args: args{Grid{Width: 30 * time.Minute}, 3}, want: "1970-01-01T01:30:00Z"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.args.grid.Start(tc.args.k).Format(time.RFC3339Nano)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nStart(%d): -want, +got:\n%s", tc.reason, tc.args.k, diff)
			}
		})
	}
}

// Every instant lies in exactly the bucket that Index names, and every bucket is one
// width long.
func TestGridIndexInvertsStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]time.Duration{time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}).Draw(t, "width")
		offset := time.Duration(rapid.Int64Range(0, int64(width/time.Second)-1).Draw(t, "offset")) * time.Second
		g := Grid{Width: width, Offset: offset}
		at := time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos"))
		k := g.Index(at)
		start, end := g.Start(k), g.Start(k+1)
		if !start.Before(at) || end.Before(at) || end.Sub(start) != width {
			t.Fatalf("%v: bucket %d of %v covers (%v, %v]", at, k, g, start, end)
		}
		if last := g.Index(end); last != k {
			t.Fatalf("the edge %v closes bucket %d, want %d", end, last, k)
		}
	})
}

// No bucket ever straddles the boundary of a calendar unit: in any zone, whatever
// the day on which the grid was chosen, the boundaries of the current and of the
// past units are edges. This is what makes a month that begins at 18:30 UTC exact.
func TestGridHoldsEveryBoundaryInEveryZone(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		for _, unit := range units {
			all := boundaries(unit, loc)
			for i, start := range all[:len(all)-1] {
				for _, now := range []time.Time{start.Add(time.Minute), all[i+1].Add(-time.Minute)} {
					w := Window{Calendar: unit, Location: loc}
					g := GridFor(w, now)
					if edge := g.Start(g.Index(w.Span(now).Start) + 1); !edge.Equal(start) {
						t.Fatalf("%s %s at %v: %v has no edge at %v", name, unit, now, g, start)
					}
					if g.Width < 15*time.Minute {
						t.Fatalf("%s %s at %v: %v is finer than any present zone needs", name, unit, now, g)
					}
				}
			}
		}
	}
}

// A season must not change the grid, or every ledger would be rebuilt twice a year.
func TestGridIgnoresTheSeason(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"} {
		w := Window{Calendar: Week, Location: zone(t, name)}
		want := GridFor(w, instant(t, "2024-01-01T00:00:00Z"))
		for now := instant(t, "2024-01-01T00:00:00Z"); now.Year() < 2027; now = now.Add(day) {
			if diff := cmp.Diff(want, GridFor(w, now)); diff != "" {
				t.Fatalf("%s at %v: -want, +got:\n%s", name, now, diff)
			}
		}
	}
}
