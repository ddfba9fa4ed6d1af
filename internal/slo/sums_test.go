package slo

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSumsAdd(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   [2]Sums
		want   Sums
	}{
		"LaneByLane": {
			reason: "Each lane is summed on its own.",
			args:   [2]Sums{{Points: 1, Events: 2, Aux: 3}, {Points: 10, Events: 20, Aux: 30}},
			want:   Sums{Points: 11, Events: 22, Aux: 33},
		},
		"Zero": {
			reason: "The zero value changes nothing.",
			args:   [2]Sums{{Points: 1.5, Events: 2}, {}},
			want:   Sums{Points: 1.5, Events: 2},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args[0].Add(tc.args[1])); diff != "" {
				t.Errorf("\n%s\nAdd(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// result is a ratio that may not exist.
type result struct {
	Value float64
	OK    bool
}

func TestAttainment(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   Sums
		want   result
	}{
		"TaskSuccess": {
			reason: "Ten completed tasks of ten are everything.",
			args:   Sums{Points: 10, Events: 10},
			want:   result{Value: 1, OK: true},
		},
		"ApdexSample": {
			reason: "60 satisfied, 30 tolerating and 10 frustrated of 100 are the published 0.75.",
			args:   Sums{Points: 60 + 30*0.5, Events: 100},
			want:   result{Value: 0.75, OK: true},
		},
		"NothingEarned": {
			reason: "All events bad is 0, which is not the same as no events.",
			args:   Sums{Events: 7},
			want:   result{Value: 0, OK: true},
		},
		"NoEvents": {
			reason: "Idle is not bad: without events there is no ratio.",
			args:   Sums{},
			want:   result{},
		},
		"NegativeEvents": {
			reason: "Fewer than no events have no ratio.",
			args:   Sums{Points: -1, Events: -1},
			want:   result{},
		},
		"NaNEvents": {
			reason: "NaN is no number of events.",
			args:   Sums{Points: 1, Events: math.NaN()},
			want:   result{},
		},
		"NaNPoints": {
			reason: "NaN is no number of points.",
			args:   Sums{Points: math.NaN(), Events: 1},
			want:   result{},
		},
		"InfiniteEvents": {
			reason: "Infinitely many events would make any loss vanish.",
			args:   Sums{Points: 1, Events: math.Inf(1)},
			want:   result{},
		},
		"InfinitePoints": {
			reason: "Infinitely many points are a broken expression.",
			args:   Sums{Points: math.Inf(-1), Events: 1},
			want:   result{},
		},
		"NoiseAbove": {
			reason: "Rounding noise above 1 is clamped.",
			args:   Sums{Points: 1 + 1e-12, Events: 1},
			want:   result{Value: 1, OK: true},
		},
		"NoiseBelow": {
			reason: "Rounding noise below 0 is clamped.",
			args:   Sums{Points: -1e-12, Events: 1},
			want:   result{Value: 0, OK: true},
		},
		"PointsBeyondEvents": {
			reason: "More points than events is a mistake that must stay visible.",
			args:   Sums{Points: 3, Events: 2},
			want:   result{Value: 1.5, OK: true},
		},
		"PointsBelowZero": {
			reason: "Negative points are a mistake that must stay visible.",
			args:   Sums{Points: -1, Events: 2},
			want:   result{Value: -0.5, OK: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			value, ok := tc.args.Attainment()
			if diff := cmp.Diff(tc.want, result{Value: value, OK: ok}); diff != "" {
				t.Errorf("\n%s\nAttainment(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMeets(t *testing.T) {
	type args struct{ ratio, target float64 }
	cases := map[string]struct {
		reason string
		args   args
		want   bool
	}{
		"Above":  {reason: "Above is met.", args: args{0.76, 0.75}, want: true},
		"Equal":  {reason: "A promise kept exactly is kept.", args: args{1999.0 / 2000, 0.9995}, want: true},
		"Below":  {reason: "Below is missed.", args: args{0.7499, 0.75}, want: false},
		"NaN":    {reason: "What is not a number meets nothing.", args: args{math.NaN(), 0.75}, want: false},
		"Tie":    {reason: "A tie broken by rounding is a tie.", args: args{0.1 + 0.2 - 3e-16, 0.3}, want: true},
		"OneBad": {reason: "One event in 10^9 still decides.", args: args{0.75 - 1e-9, 0.75}, want: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Meets(tc.args.ratio, tc.args.target)); diff != "" {
				t.Errorf("\n%s\nMeets(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// Splitting a window into buckets must not change the verdict, so a sum over the
// minutes of a mean score has to tie with its target however it was cut.
func TestMeetsSurvivesBucketing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lowest, highest := 1.0, 5.0
		scores := rapid.SliceOfN(rapid.IntRange(1, 5), 1, 2000).Draw(t, "scores")
		var bucketed Sums
		total := 0
		for _, score := range scores {
			total += score
			bucketed = bucketed.Add(Sums{Points: (float64(score) - lowest) / (highest - lowest), Events: 1})
		}
		mean := float64(total) / float64(len(scores))
		attainment, ok := bucketed.Attainment()
		if target := (mean - lowest) / (highest - lowest); !ok || !Meets(attainment, target) {
			t.Fatalf("attainment %v does not meet its own mean %v", attainment, target)
		}
	})
}
