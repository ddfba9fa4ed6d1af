package ledgertest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is a moment so many seconds after the epoch.
func at(seconds int64) time.Time { return time.Unix(seconds, 0) }

// worldOf is a world with one counter on one target, whose scrapes are given in
// seconds.
func worldOf(counter, up, started []point) *World {
	w := &World{}
	t := &target{instance: "a"}
	t.up, t.started = w.newSeries(t, "up"), w.newSeries(t, "process_start_time_seconds")
	c := w.newSeries(t, "x_total", "code", "200")
	for _, s := range []struct {
		into *series
		from []point
	}{{t.up, up}, {t.started, started}, {c, counter}} {
		for _, p := range s.from {
			p.at *= second
			s.into.points = append(s.into.points, p)
		}
	}
	return w
}

func TestMovement(t *testing.T) {
	upSince := func(seconds int64) []point {
		var out []point
		for ; seconds < 2000; seconds += 30 {
			out = append(out, point{at: seconds, value: 1})
		}
		return out
	}
	old, young := []point{{at: 0, value: -9000}}, []point{{at: 0, value: 900}}
	type want struct {
		Moved   map[int64]float64
		Covered int
	}
	cases := map[string]struct {
		reason      string
		counter, up []point
		started     []point
		policy      Policy
		want        want
	}{
		"Growth": {
			reason: "Differences belong to the minute of the later sample, one on the edge to the minute that ends there.", started: old, up: upSince(0),
			counter: []point{{at: 960, value: 1}, {at: 990, value: 3}, {at: 1020, value: 6}, {at: 1021, value: 10}},
			want:    want{Moved: map[int64]float64{16: 1, 17: 5, 18: 4}, Covered: 7},
		},
		"Reset": {
			reason: "A lower value was counted from zero, an equal one not at all.", started: old, up: upSince(0),
			counter: []point{{at: 950, value: 7}, {at: 1000, value: 2}, {at: 1010, value: 2}, {at: 1070, value: 5}},
			want:    want{Moved: map[int64]float64{16: 7, 17: 2, 18: 3}, Covered: 7},
		},
		"Unknown": {
			reason: "An old process whose target was not yet scraped brings a past that is not counted.", started: old, up: upSince(930),
			counter: []point{{at: 930, value: 7}, {at: 960, value: 9}},
			want:    want{Moved: map[int64]float64{16: 2}, Covered: 5},
		},
		"KnownAtTheEdge": {
			reason: "A scrape at the very end of the minute before makes the target known.", started: old, up: upSince(900),
			counter: []point{{at: 930, value: 7}},
			want:    want{Moved: map[int64]float64{16: 7}, Covered: 5},
		},
		"FailedBefore": {
			reason: "A target whose last scrape failed is not known.", started: old,
			up:      []point{{at: 870, value: 1}, {at: 900, value: 0}, {at: 930, value: 1}},
			counter: []point{{at: 930, value: 7}},
			want:    want{Moved: map[int64]float64{}, Covered: 5},
		},
		"GoneBefore": {
			reason: "Nor is one that was gone.", started: old,
			up:      []point{{at: 870, value: 1}, {at: 900, stale: true}, {at: 930, value: 1}},
			counter: []point{{at: 930, value: 7}},
			want:    want{Moved: map[int64]float64{}, Covered: 5},
		},
		"Young": {
			reason: "A process younger than five minutes at the end of the minute counts from zero.", started: young, up: upSince(930),
			counter: []point{{at: 930, value: 7}},
			want:    want{Moved: map[int64]float64{16: 7}, Covered: 5},
		},
		"NoLongerYoung": {
			reason: "At exactly five minutes it is not.", started: []point{{at: 0, value: 660}}, up: upSince(930),
			counter: []point{{at: 930, value: 7}},
			want:    want{Moved: map[int64]float64{}, Covered: 5},
		},
		"FromZero":      {reason: "Always, under this policy.", started: old, up: upSince(930), policy: FromZero, counter: []point{{at: 930, value: 7}}, want: want{Moved: map[int64]float64{16: 7}, Covered: 5}},
		"Ignore":        {reason: "Never, under this one.", started: young, up: upSince(0), policy: Ignore, counter: []point{{at: 930, value: 7}, {at: 931, value: 8}}, want: want{Moved: map[int64]float64{16: 1}, Covered: 5}},
		"StaleMarkers":  {reason: "A stale marker is no sample.", started: old, up: upSince(0), counter: []point{{at: 930, value: 7}, {at: 960, stale: true}, {at: 1050, value: 9}}, want: want{Moved: map[int64]float64{16: 7, 18: 2}, Covered: 7}},
		"BackInSight":   {reason: "Five minutes later the old value is in sight.", started: old, up: upSince(0), counter: []point{{at: 930, value: 7}, {at: 1230, value: 9}}, want: want{Moved: map[int64]float64{16: 7, 21: 2}, Covered: 10}},
		"BackOutOfView": {reason: "After more than six it is a new series.", started: old, up: upSince(0), counter: []point{{at: 930, value: 7}, {at: 1290, value: 9}}, want: want{Moved: map[int64]float64{16: 7, 22: 9}, Covered: 10}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := worldOf(tc.counter, tc.up, tc.started).Movement(tc.policy, "x_total", "code", "200")
			got := want{Moved: map[int64]float64{}, Covered: m.Covered(at(0), at(3600))}
			total := 0.0
			for n := range int64(60) {
				if moved := m.Sum(at(n*60-60), at(n*60)); moved != 0 {
					got.Moved[n] = moved
					total += moved
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nmovement by minutes: -want, +got:\n%s", tc.reason, diff)
			}
			if sum := m.Sum(at(0), at(3600)); sum != total {
				t.Errorf("\n%s\nSum(...) of the hour: %v, want %v", tc.reason, sum, total)
			}
		})
	}
}

// TestMovementLeavesDomain checks that a world in which the truth is a matter of
// opinion is refused.
func TestMovementLeavesDomain(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Movement(...): no panic, want one for a series that is back after 330 s")
		}
	}()
	up := []point{{at: 0, value: 1}}
	worldOf([]point{{at: 930, value: 7}, {at: 1260, value: 9}}, up, up).Movement(OnKnownTarget, "x_total")
}

func TestMovementSelects(t *testing.T) {
	up := []point{{at: 900, value: 1}}
	w := worldOf([]point{{at: 930, value: 7}}, up, up)
	for name, tc := range map[string]struct {
		metric string
		pairs  []string
		want   float64
	}{
		"All": {metric: "x_total", want: 7}, "Label": {metric: "x_total", pairs: []string{"code", "200"}, want: 7},
		"OtherLabel": {metric: "x_total", pairs: []string{"code", "500"}}, "OtherMetric": {metric: "y_total"},
	} {
		if got := w.Movement(FromZero, tc.metric, tc.pairs...).Sum(at(0), at(3600)); got != tc.want {
			t.Errorf("%s: Movement(%s, %v): %v, want %v", name, tc.metric, tc.pairs, got, tc.want)
		}
	}
}
