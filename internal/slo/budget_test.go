package slo

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// approx compares figures to as many digits as their sources print.
func approx(margin float64) cmp.Option { return cmpopts.EquateApprox(0, margin) }

func TestBudgetRemaining(t *testing.T) {
	type args struct{ attainment, target float64 }
	cases := map[string]struct {
		reason string
		args   args
		want   float64
	}{
		"Untouched": {reason: "No loss leaves the whole budget.", args: args{1, 0.999}, want: 1},
		"Design":    {reason: "81.3% against 75% has lost 18.7 of 25 points.", args: args{0.813, 0.75}, want: 0.252},
		"Spent":     {reason: "Meeting the target exactly spends everything.", args: args{0.75, 0.75}, want: 0},
		"Overspent": {reason: "Missing the target overspends.", args: args{0.65, 0.75}, want: -0.4},
		"AllBad":    {reason: "A total failure costs 1/(1-target) budgets.", args: args{0, 0.99}, want: -99},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := BudgetRemaining(tc.args.attainment, tc.args.target)
			if diff := cmp.Diff(tc.want, got, approx(1e-9)); diff != "" {
				t.Errorf("\n%s\nBudgetRemaining(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFormatBudget(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   float64
		want   string
	}{
		"Design":       {reason: "One decimal is enough.", args: 0.252, want: "25.2%"},
		"Round":        {reason: "Zeros say nothing.", args: 0.5, want: "50%"},
		"Full":         {reason: "Nothing lost is everything left.", args: 1, want: "100%"},
		"NearlyFull":   {reason: "A loss must not read as none.", args: 0.99996, want: "99.996%"},
		"BarelyBroken": {reason: "One loss in 10^10 still shows.", args: 1 - 1e-10, want: "99.999999%"},
		"Empty":        {reason: "Spent exactly.", args: 0, want: "0%"},
		"Noise":        {reason: "Rounding noise is not overspending.", args: -1e-16, want: "0%"},
		"NearlyEmpty":  {reason: "Something left must not read as nothing.", args: 0.0004, want: "0.04%"},
		"BarelyOver":   {reason: "Overspending must not read as empty.", args: -0.0004, want: "-0.04%"},
		"TinyOver":     {reason: "Overspending must not read as empty.", args: -1e-10, want: "-0.000001%"},
		"Overspent":    {reason: "A negative budget keeps its sign.", args: -0.4, want: "-40%"},
		"FarOver":      {reason: "A tight target is overspent many times.", args: -999, want: "-99900%"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, FormatBudget(tc.args)); diff != "" {
				t.Errorf("\n%s\nFormatBudget(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParseBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		remaining := rapid.Float64Range(-1000, 1).Draw(t, "remaining")
		text := FormatBudget(remaining)
		got, err := ParseBudget(text)
		written, _ := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || math.Abs(got-remaining) > 0.0005+1e-9 || math.Abs(got-written/100) > 1e-12 {
			t.Fatalf("ParseBudget(%q) = %v (%v), want %v%%, the rounded %v", text, got, err, written, remaining)
		}
	})
	for _, text := range []string{"", "0.25", "much", "%"} {
		if got, err := ParseBudget(text); err == nil {
			t.Errorf("ParseBudget(%q) = %v, want an error", text, got)
		}
	}
}

func TestFormatBudgetKeepsTheSign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		remaining := rapid.Float64Range(-2, 1).Draw(t, "remaining")
		shown := FormatBudget(remaining)
		if over := remaining < -tieNoise; over != strings.HasPrefix(shown, "-") {
			t.Fatalf("FormatBudget(%v) = %q", remaining, shown)
		}
		if full := remaining >= 1-tieNoise; full != (shown == "100%") {
			t.Fatalf("FormatBudget(%v) = %q", remaining, shown)
		}
	})
}

func TestBurnRate(t *testing.T) {
	type args struct {
		sums   Sums
		target float64
	}
	cases := map[string]struct {
		reason string
		args   args
		want   result
	}{
		"OnBudget": {
			reason: "Losing exactly the allowance burns at 1.",
			args:   args{Sums{Points: 75, Events: 100}, 0.75},
			want:   result{Value: 1, OK: true},
		},
		"Workbook": {
			reason: "1.44% errors against 99.9% are the SRE workbook's 14.4.",
			args:   args{Sums{Points: 9856, Events: 10000}, 0.999},
			want:   result{Value: 14.4, OK: true},
		},
		"Ceiling": {
			reason: "A 75% target can never burn faster than 4.",
			args:   args{Sums{Events: 100}, 0.75},
			want:   result{Value: 4, OK: true},
		},
		"Idle": {
			reason: "Without events nothing burns and nothing is known.",
			args:   args{Sums{}, 0.75},
			want:   result{},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			value, ok := BurnRate(tc.args.sums, tc.args.target)
			if diff := cmp.Diff(tc.want, result{Value: value, OK: ok}, approx(1e-9)); diff != "" {
				t.Errorf("\n%s\nBurnRate(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExhaustsAt(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	type args struct {
		remaining, burn float64
		period          time.Duration
	}
	type want struct {
		At time.Time
		OK bool
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Formula": {
			reason: "Half the budget at a burn of 7 lasts a fourteenth of the window.",
			args:   args{0.5, 7, 28 * day},
			want:   want{now.Add(2 * day), true},
		},
		"OnBudget": {
			reason: "A whole budget at a burn of 1 lasts exactly one window.",
			args:   args{1, 1, 28 * day},
			want:   want{now.Add(28 * day), true},
		},
		"Later": {
			reason: "Beyond one window everything in it will have changed.",
			args:   args{1, 0.99, 28 * day},
		},
		"Spent":     {reason: "What is spent cannot run out.", args: args{0, 2, 28 * day}},
		"Overspent": {reason: "What is overspent cannot run out.", args: args{-0.5, 2, 28 * day}},
		"NoBurn":    {reason: "Nothing burns.", args: args{0.5, 0, 28 * day}},
		"Negative":  {reason: "Points beyond events burn backwards.", args: args{0.5, -1, 28 * day}},
		"NaNBurn":   {reason: "NaN predicts nothing.", args: args{0.5, math.NaN(), 28 * day}},
		"NaNLeft":   {reason: "NaN predicts nothing.", args: args{math.NaN(), 1, 28 * day}},
		"Infinite": {
			reason: "An infinite burn ends it now.",
			args:   args{0.5, math.Inf(1), 28 * day},
			want:   want{now, true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			at, ok := ExhaustsAt(now, tc.args.remaining, tc.args.burn, tc.args.period)
			if diff := cmp.Diff(tc.want, want{at, ok}); diff != "" {
				t.Errorf("\n%s\nExhaustsAt(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// Budget and burn are two views of one loss, whatever the counts and the target.
func TestBudgetAndBurnIdentities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.IntRange(1, 1_000_000).Draw(t, "events")
		points := rapid.IntRange(0, events).Draw(t, "points")
		target := rapid.Float64Range(0.01, 0.99999).Draw(t, "target")
		sums := Sums{Points: float64(points), Events: float64(events)}
		attainment, _ := sums.Attainment()
		remaining := BudgetRemaining(attainment, target)
		burn, ok := BurnRate(sums, target)
		if !ok || math.Abs(remaining+burn-1) > 1e-9 {
			t.Fatalf("remaining %v and burn %v are not 1 together", remaining, burn)
		}
		if met := attainment >= target; met != (remaining >= -1e-9) && math.Abs(remaining) > 1e-6 {
			t.Fatalf("attainment %v, target %v, but %v remains", attainment, target, remaining)
		}
		if ceiling := 1 / (1 - target); burn > ceiling*(1+1e-12) {
			t.Fatalf("burn %v is above the ceiling %v", burn, ceiling)
		}
	})
}

// Burning on until the predicted time spends exactly what was left.
func TestExhaustsAtSpendsWhatRemains(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		remaining := rapid.Float64Range(1e-6, 1).Draw(t, "remaining")
		burn := rapid.Float64Range(1e-6, 1000).Draw(t, "burn")
		period := time.Duration(rapid.IntRange(1, 400).Draw(t, "days")) * day
		at, ok := ExhaustsAt(now, remaining, burn, period)
		if ok != (burn >= remaining) {
			t.Fatalf("remaining %v at burn %v: ok = %v", remaining, burn, ok)
		}
		if !ok {
			return
		}
		spent := burn * float64(at.Sub(now)) / float64(period)
		if math.Abs(spent-remaining) > 1e-6*remaining+1e-9*burn || at.Sub(now) > period {
			t.Fatalf("%v spends %v of %v", at.Sub(now), spent, remaining)
		}
	})
}
