package compile_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// TestBind binds indicators to boundaries and applies the formula to what the
// lanes would hold: a hundred events, of which as many percent are within each
// boundary as the lane's name says.
func TestBind(t *testing.T) {
	usual := promql.Boundaries{0.5, 1, 2.5, 4, 10}
	type args struct {
		indicator  v1alpha1.ObjectiveIndicator
		boundaries promql.Boundaries
		lanes      map[string]float64
	}
	type want struct {
		Sums         slo.Sums
		Interpolated bool
		Banded       bool
		Err          mistake
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"OnBoundary": {
			reason: "A threshold that is a boundary is one bucket.",
			args:   args{distribution("2.5", "", false), usual, map[string]float64{"events": 100, "good": 75}},
			want:   want{Sums: slo.Sums{Points: 75, Events: 100}},
		},
		"OtherSpelling": {
			reason: "1.0 is 1.",
			args:   args{distribution("1.0", "", false), usual, map[string]float64{"events": 100, "good": 40}},
			want:   want{Sums: slo.Sums{Points: 40, Events: 100}},
		},
		"ThirdBand": {
			reason: "poorAbove counts beside the points.",
			args:   args{distribution("2.5", "4", false), usual, map[string]float64{"events": 100, "good": 75, "tolerable": 90}},
			want:   want{Sums: slo.Sums{Points: 75, Events: 100, Aux: 90}, Banded: true},
		},
		"OffBoundary": {
			reason: "A threshold between boundaries is an error that names them.",
			args:   args{indicator: distribution("2", "", false), boundaries: usual},
			want: want{Err: mistake{"InvalidThreshold", "spec.indicator.distribution.threshold",
				"2 is no bucket boundary of page_seconds: the nearest boundaries are 1 and 2.5; use one of them, add the bucket, or set interpolate: true for an estimate"}},
		},
		"BelowBoundaries": {
			reason: "Below the lowest there is one to name.",
			args:   args{indicator: distribution("0.1", "", false), boundaries: usual},
			want: want{Err: mistake{"InvalidThreshold", "spec.indicator.distribution.threshold",
				"0.1 is no bucket boundary of page_seconds: the nearest boundary is 0.5; use one of them, add the bucket, or set interpolate: true for an estimate"}},
		},
		"PoorOffBoundary": {
			reason: "The field at fault is named.",
			args:   args{indicator: distribution("2.5", "20", false), boundaries: usual},
			want: want{Banded: true, Err: mistake{"InvalidThreshold", "spec.indicator.distribution.poorAbove",
				"20 is no bucket boundary of page_seconds: the nearest boundary is 10; use one of them, add the bucket, or set interpolate: true for an estimate"}},
		},
		"NoBoundaries": {
			reason: "A histogram without series yet is taken at its word: its data decides later.",
			args:   args{distribution("2", "", false), nil, map[string]float64{"events": 100, "good": 75}},
			want:   want{Sums: slo.Sums{Points: 75, Events: 100}},
		},
		"Interpolated": {
			reason: "Two thirds of the way from 1 to 2.5 hold two thirds of what lies between.",
			args:   args{distribution("2", "", true), usual, map[string]float64{"events": 100, "good_below": 40, "good_above": 70}},
			want:   want{Sums: slo.Sums{Points: 60, Events: 100}, Interpolated: true},
		},
		"InterpolatedBelow": {
			reason: "Below the lowest boundary values are taken to begin at 0.",
			args:   args{distribution("0.25", "", true), usual, map[string]float64{"events": 100, "good": 30}},
			want:   want{Sums: slo.Sums{Points: 15, Events: 100}, Interpolated: true},
		},
		"InterpolatedAbove": {
			reason: "Above the highest nothing bounds the estimate.",
			args:   args{indicator: distribution("20", "", true), boundaries: usual},
			want: want{Err: mistake{"InvalidThreshold", "spec.indicator.distribution.threshold",
				"20 is no bucket boundary of page_seconds: the nearest boundary is 10; lower the value or add a bucket above it"}},
		},
		"InterpolatedOnBoundary": {
			reason: "A boundary needs no estimate.",
			args:   args{distribution("2.5", "", true), usual, map[string]float64{"events": 100, "good": 75}},
			want:   want{Sums: slo.Sums{Points: 75, Events: 100}},
		},
		"Apdex": {
			reason: "60 satisfied, 30 tolerating and 10 frustrated are 0.75.",
			args:   args{apdex("1", "", "", false), usual, map[string]float64{"events": 100, "satisfied": 60, "tolerated": 90}},
			want:   want{Sums: slo.Sums{Points: 75, Events: 100}},
		},
		"ApdexFailed": {
			reason: "A fast failure satisfies nobody.",
			args: args{apdex("1", "", `{code=~"5.."}`, false), usual, map[string]float64{
				"events": 100, "satisfied": 60, "tolerated": 90, "satisfied_failed": 10, "tolerated_failed": 20,
			}},
			want: want{Sums: slo.Sums{Points: 60, Events: 100}},
		},
		"ApdexFourTimes": {
			reason: "Without tolerated it is four times satisfied, and the error says so.",
			args:   args{indicator: apdex("0.5", "", "", false), boundaries: usual},
			want: want{Err: mistake{"InvalidThreshold", "spec.indicator.apdex.satisfied (four times)",
				"2 is no bucket boundary of page_seconds: the nearest boundaries are 1 and 2.5; use one of them, add the bucket, or set interpolate: true for an estimate"}},
		},
		"ApdexTolerated": {
			reason: "Or what is written.",
			args:   args{apdex("0.5", "2.5", "", false), usual, map[string]float64{"events": 100, "satisfied": 50, "tolerated": 70}},
			want:   want{Sums: slo.Sums{Points: 60, Events: 100}},
		},
		"ApdexInterpolated": {
			reason: "Each of its two values may lie between boundaries.",
			args: args{apdex("0.5", "", "", true), usual, map[string]float64{
				"events": 100, "satisfied": 50, "tolerated_below": 60, "tolerated_above": 90,
			}},
			want: want{Sums: slo.Sums{Points: 65, Events: 100}, Interpolated: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := objective(tc.args.indicator)
			if tc.args.indicator.Apdex != nil {
				o.Spec.Target = "0.85"
			}
			plan, err := compile.Compile(input(o))
			if err != nil {
				t.Fatal(err)
			}
			got := want{Err: mistakeOf(t, plan.Bind(tc.args.boundaries)), Interpolated: plan.Histogram.Interpolated, Banded: plan.Banded}
			if got.Err == (mistake{}) {
				var finite bool
				if got.Sums, finite = plan.Formula.Sums(tc.args.lanes); !finite {
					t.Errorf("\n%s\nSums(%v): not finite", tc.reason, tc.args.lanes)
				}
				checkLanes(t, plan, tc.args.lanes)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("\n%s\nBind(%v): -want, +got:\n%s", tc.reason, tc.args.boundaries, diff)
			}
		})
	}
}

// checkLanes checks that the queries answer the lanes that a case supposes.
func checkLanes(t *testing.T, plan *compile.Plan, supposed map[string]float64) {
	t.Helper()
	asked := map[string]bool{}
	for _, terms := range [][]compile.Term{plan.Formula.Points, plan.Formula.Events, plan.Formula.Aux} {
		for _, term := range terms {
			asked[term.Lane] = true
		}
	}
	given := map[string]bool{}
	for lane := range supposed {
		given[lane] = true
	}
	if diff := cmp.Diff(asked, given); diff != "" {
		t.Errorf("lanes: -of the formula, +of the case:\n%s", diff)
	}
}

// TestBindWaits checks that an estimate waits for boundaries, and that a plan
// can be bound again when they change.
func TestBindWaits(t *testing.T) {
	plan, err := compile.Compile(input(objective(distribution("2", "", true))))
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Bind(nil); !errors.Is(err, compile.ErrNoBoundaries) {
		t.Errorf("Bind(nil): %v, want %v", err, compile.ErrNoBoundaries)
	}
	for _, step := range []struct {
		boundaries promql.Boundaries
		want       bool
	}{{promql.Boundaries{1, 2.5}, true}, {promql.Boundaries{1, 2, 2.5}, false}, {promql.Boundaries{1, 4}, true}} {
		if err := plan.Bind(step.boundaries); err != nil {
			t.Fatalf("Bind(%v): %v", step.boundaries, err)
		}
		if diff := cmp.Diff(step.want, plan.Histogram.Interpolated); diff != "" {
			t.Errorf("Bind(%v): Interpolated, -want, +got:\n%s", step.boundaries, diff)
		}
	}
}
