package evaluate_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

var now = time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC)

// account is an account with the same traffic in every minute.
type account struct {
	// sums are those of the whole window; shorter stretches have their share.
	sums    slo.Sums
	window  time.Duration
	covered float64
	invalid bool
	data    time.Time
}

func (a account) Since(start time.Time) ledger.Stretch {
	share := float64(now.Sub(start)) / float64(a.window)
	return ledger.Stretch{
		Start: start, End: now, Covered: int(a.covered * now.Sub(start).Minutes()),
		Sums: slo.Sums{Points: a.sums.Points * share, Events: a.sums.Events * share, Aux: a.sums.Aux * share},
	}
}

func (a account) Invalid() bool { return a.invalid }

func (a account) LastData() time.Time { return a.data }

const window = 28 * 24 * time.Hour

func aPlan(change ...func(*compile.Plan)) *compile.Plan {
	p := &compile.Plan{
		Unit: slo.Percent, Target: 0.75, Window: slo.Window{Rolling: window}, MinimumEvents: 1,
		Tiers: slo.Tiers(0.75, window),
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func TestEvaluateOutcome(t *testing.T) {
	type want struct {
		Outcome evaluate.Outcome
		Reason  string
		Band    v1alpha1.Band
	}
	confident := func(p *compile.Plan) { p.Level, p.Target = 0.95, 0.80 }
	banded := func(p *compile.Plan) { p.Banded = true }
	cases := map[string]struct {
		reason string
		plan   *compile.Plan
		sums   slo.Sums
		// gap says that no minute has data.
		gap  bool
		want want
	}{
		"Met": {
			reason: "the attainment is above the target", plan: aPlan(), sums: slo.Sums{Points: 80, Events: 100},
			want: want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood},
		},
		"MetExactly": {
			reason: "an attainment equal to the target meets it", plan: aPlan(), sums: slo.Sums{Points: 75, Events: 100},
			want: want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood},
		},
		"MissedByOne": {
			reason: "one event too few", plan: aPlan(), sums: slo.Sums{Points: 749_999, Events: 1_000_000},
			want: want{evaluate.Missed, v1alpha1.ReasonTargetMissed, v1alpha1.BandPoor},
		},
		"NeedsImprovement": {
			reason: "p75 lies between threshold and poorAbove", plan: aPlan(banded), sums: slo.Sums{Points: 60, Events: 100, Aux: 90},
			want: want{evaluate.Missed, v1alpha1.ReasonTargetMissed, v1alpha1.BandNeedsImprovement},
		},
		"Poor": {
			reason: "p75 lies beyond poorAbove", plan: aPlan(banded), sums: slo.Sums{Points: 60, Events: 100, Aux: 70},
			want: want{evaluate.Missed, v1alpha1.ReasonTargetMissed, v1alpha1.BandPoor},
		},
		"TooFewEvents": {
			reason: "minimumEvents guards against a verdict from a handful",
			plan:   aPlan(func(p *compile.Plan) { p.MinimumEvents = 100 }), sums: slo.Sums{Points: 99, Events: 99},
			want: want{Reason: v1alpha1.ReasonInsufficientData},
		},
		"Idle": {
			reason: "data without an event is idle, not absent", plan: aPlan(),
			want: want{Reason: v1alpha1.ReasonInsufficientData},
		},
		"Absent": {
			reason: "no minute has data", plan: aPlan(), gap: true,
			want: want{Reason: v1alpha1.ReasonNoData},
		},
		"MorePointsThanEvents": {
			reason: "good that is no part of total must not read as met", plan: aPlan(), sums: slo.Sums{Points: 120, Events: 100},
			want: want{Reason: v1alpha1.ReasonInconsistentData},
		},
		"ConfidentlyMet": {
			reason: "450 of 500 is at least 87.1%", plan: aPlan(confident), sums: slo.Sums{Points: 450, Events: 500},
			want: want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood},
		},
		"Inconclusive": {
			reason: "18 of 20 is 69.9% to 97.2%, which holds 80%", plan: aPlan(confident), sums: slo.Sums{Points: 18, Events: 20},
			want: want{Reason: v1alpha1.ReasonInconclusive},
		},
		"ConfidentlyMissed": {
			reason: "300 of 500 is at most 64.2%", plan: aPlan(confident), sums: slo.Sums{Points: 300, Events: 500},
			want: want{evaluate.Missed, v1alpha1.ReasonTargetMissed, v1alpha1.BandPoor},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			covered := 1.0
			if tc.gap {
				covered = 0
			}
			v := evaluate.Evaluate(tc.plan, account{sums: tc.sums, window: window, covered: covered}, now)
			if diff := cmp.Diff(tc.want, want{v.Outcome, v.Reason, v.Band}); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestEvaluateFigures checks the numbers of one verdict against the formulas of
// the package slo, worked out by hand.
func TestEvaluateFigures(t *testing.T) {
	v := evaluate.Evaluate(aPlan(), account{sums: slo.Sums{Points: 900, Events: 1000}, window: window, covered: 0.5, invalid: true}, now)
	approx := cmpopts.EquateApprox(1e-9, 0)
	got := map[string]float64{
		"attainment": v.Attainment, "budget remaining": v.BudgetRemaining, "events": v.Events, "coverage": v.Coverage,
	}
	want := map[string]float64{
		"attainment": 0.9, "budget remaining": 0.6 /* 1 - 0.1/0.25 */, "events": 1000, "coverage": 0.5,
	}
	if diff := cmp.Diff(want, got, approx); diff != "" {
		t.Errorf("figures: -want +got:\n%s", diff)
	}
	if !v.Invalid {
		t.Error("samples that were left out are not told of")
	}
	if len(v.Burns) == 0 {
		t.Fatal("no burn rates")
	}
	for _, burn := range v.Burns {
		if diff := cmp.Diff(0.4, burn.Rate, approx); diff != "" {
			t.Errorf("burn rate over %s: -want +got:\n%s", burn.Window, diff)
		}
	}
	// The rest of the budget, 0.6, lasts 0.6/0.4 windows: beyond one window
	// everything in it will have changed.
	if !v.ExhaustsAt.IsZero() {
		t.Errorf("exhaustsAt = %s, want none", v.ExhaustsAt)
	}
}

func TestEvaluateExhaustion(t *testing.T) {
	v := evaluate.Evaluate(aPlan(), account{sums: slo.Sums{Points: 800, Events: 1000}, window: window, covered: 1}, now)
	// Burning 0.2/0.25 = 0.8 of the budget in a window, 0.2 is left: a quarter
	// of a window.
	if want := now.Add(window / 4); v.ExhaustsAt.Sub(want).Abs() > time.Minute {
		t.Errorf("exhaustsAt = %s, want %s", v.ExhaustsAt, want)
	}
}

// TestEvaluateNetPromoter takes the published example: 50% promoters and 20%
// detractors of 200 answers are 30 within 10.8.
func TestEvaluateNetPromoter(t *testing.T) {
	p := aPlan(func(p *compile.Plan) {
		p.Unit, p.Interval, p.Level, p.Target = slo.NetPromoter, compile.IntervalNetPromoter, 0.95, 0.60
	})
	const promoters, passives, detractors = 100, 60, 40
	v := evaluate.Evaluate(p, account{
		sums:   slo.Sums{Points: promoters + passives/2.0, Events: promoters + passives + detractors, Aux: promoters},
		window: window, covered: 1,
	}, now)
	score := func(ratio float64) float64 { return math.Round((200*ratio-100)*10) / 10 }
	got := []float64{score(v.Attainment), score(v.Lowest), score(v.Highest)}
	if diff := cmp.Diff([]float64{30, 19.2, 40.8}, got); diff != "" {
		t.Errorf("score and interval: -want +got:\n%s", diff)
	}
	if v.Reason != v1alpha1.ReasonInconclusive {
		t.Errorf("reason = %s for a target of 20 within the interval, want %s", v.Reason, v1alpha1.ReasonInconclusive)
	}
}

// TestEvaluateEmptyWindow is the first moment of a calendar window.
func TestEvaluateEmptyWindow(t *testing.T) {
	p := aPlan(func(p *compile.Plan) { p.Window = slo.Window{Calendar: slo.Month, Location: time.UTC} })
	v := evaluate.Evaluate(p, ledger.NewBook(ledger.Terms{Grid: slo.Grid{Width: time.Hour}, Longest: window, Formula: compile.Formula{}}), now)
	if v.Outcome != evaluate.Unknown || !math.IsNaN(v.Attainment) {
		t.Errorf("verdict = %+v, want an unknown one without an attainment", v)
	}
}
