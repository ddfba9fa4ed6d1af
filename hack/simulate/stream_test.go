package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSeriesValue(t *testing.T) {
	type shown map[string]float64
	cases := map[string]struct {
		reason string
		stream stream
		counts []float64
		want   shown
	}{
		"Histogram": {
			reason: "buckets are cumulative, the sum takes each observation at its bucket's value",
			stream: histogram("wait", 1, []pair{{"type", "cold"}}, bucket{1, 0.5, 1, 1}, bucket{5, 2, 0, 0}, bucket{inf, 8, 0, 0}),
			counts: []float64{3, 2, 1},
			want: shown{
				`wait_bucket{le="1.0",type="cold"}`: 3, `wait_bucket{le="5.0",type="cold"}`: 5, `wait_bucket{le="+Inf",type="cold"}`: 6,
				`wait_sum{type="cold"}`: 13.5, `wait_count{type="cold"}`: 6,
			},
		},
		"Tally": {
			reason: "one series for each outcome",
			stream: tally("done", "outcome", 1, nil, outcome{"yes", 1, 1}, outcome{"no", 0, 0}),
			counts: []float64{7, 2},
			want:   shown{`done{outcome="yes"}`: 7, `done{outcome="no"}`: 2},
		},
		"Share": {
			reason: "the part never exceeds the whole",
			stream: share("contacts", "transfers", 1, []pair{{"channel", "phone"}}, 0.5, 0.5),
			counts: []float64{4, 6},
			want:   shown{`contacts{channel="phone"}`: 10, `transfers{channel="phone"}`: 4},
		},
		"Ratings": {
			reason: "two ones and a five are three answers and seven stars",
			stream: ratings("stars", 1, 0.5, 0, 0, 0, 0.5),
			counts: []float64{2, 0, 0, 0, 1},
			want:   shown{"stars_sum": 7, "stars_count": 3},
		},
		"Level": {
			reason: "a gauge that stands still shows its level",
			stream: level("users", 12_000, []pair{{"app", "a"}}),
			counts: []float64{1},
			want:   shown{`users{app="a"}`: 12_000},
		},
		"Reading": {
			reason: "a gauge shows its last draw",
			stream: reading("probe_success", 0.5),
			counts: []float64{0, 1},
			want:   shown{"probe_success": 0},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := shown{}
			for _, s := range c.stream.series {
				got[s.name+braces(s.labels)] = s.value(c.counts)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestPoisson(t *testing.T) {
	cases := map[string]struct {
		reason string
		mean   float64
	}{
		"Nothing":   {reason: "no time, no events", mean: 0},
		"Rare":      {reason: "a mean far below one", mean: 0.01},
		"Frequent":  {reason: "a mean drawn in one part", mean: 12},
		"LongSleep": {reason: "a mean whose exp(-mean) would be zero", mean: 2000},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			const draws = 20_000
			sum := 0
			for range draws {
				sum += poisson(r, c.mean)
			}
			// Five standard errors: the seed is fixed, so this passes or fails for good.
			margin := cmpopts.EquateApprox(0, 5*math.Sqrt(c.mean/draws))
			if diff := cmp.Diff(c.mean, float64(sum)/draws, margin); diff != "" {
				t.Errorf("%s: mean of draws: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestDrawFollowsLoad(t *testing.T) {
	s := share("all", "bad", 1000, nil, 0.1, 0.5)
	cases := map[string]struct {
		reason          string
		load            float64
		events, badness float64
	}{
		"Asleep": {reason: "no load, no events", load: 0, events: 0, badness: 0},
		"Half":   {reason: "between quiet and busy the share is in between", load: 0.5, events: 50_000, badness: 0.3},
		"Busy":   {reason: "at full load the busy share holds", load: 1, events: 100_000, badness: 0.5},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			counts := make([]float64, 2)
			s.draw(rand.New(rand.NewPCG(3, 4)), counts, c.load, 100)
			all := counts[0] + counts[1]
			if math.Abs(all-c.events) > 5*math.Sqrt(c.events) {
				t.Errorf("%s: want about %v events, got %v", c.reason, c.events, all)
			}
			if all > 0 && math.Abs(counts[0]/all-c.badness) > 0.01 {
				t.Errorf("%s: want a share of about %v, got %v", c.reason, c.badness, counts[0]/all)
			}
		})
	}
}

func TestRhythm(t *testing.T) {
	at := func(s string) time.Time {
		moment, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	cases := map[string]struct {
		reason string
		rhythm rhythm
		at     time.Time
		want   float64
	}{
		"MondayNoon":     {reason: "the busiest moment is 1", rhythm: allDay, at: at("2026-03-02T13:00:00Z"), want: 1},
		"MondayNight":    {reason: "the quietest hour is 6%", rhythm: allDay, at: at("2026-03-02T01:00:00Z"), want: 0.06},
		"SundayNoon":     {reason: "Sunday has 60% of a Monday", rhythm: allDay, at: at("2026-03-01T13:00:00Z"), want: 0.6},
		"OtherZone":      {reason: "a moment is the same in every zone", rhythm: allDay, at: at("2026-03-02T18:30:00+05:30"), want: 1},
		"DeskClosed":     {reason: "before eight nobody answers", rhythm: officeHours, at: at("2026-03-02T07:59:59Z"), want: 0},
		"DeskOpen":       {reason: "an open desk is as busy as everything else", rhythm: officeHours, at: at("2026-03-02T13:00:00Z"), want: 1},
		"DeskClosedLate": {reason: "at eight in the evening the desk closes", rhythm: officeHours, at: at("2026-03-02T20:00:00Z"), want: 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.rhythm(c.at), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}
