package compile_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// TestPublishedExamples applies plans to counts that have been published
// together with their result, or follow from a published definition:
//   - Net Promoter Score, 100·(p₊−p₋) with 9–10 promoters and 0–6 detractors
//     (Reichheld, "The One Number You Need to Grow", 2003); the shares .5 and .2
//     of 200 answers are those of the margin of ±10.8 in the confidence tests;
//   - CSAT as the share of ratings 4 and 5, whose 18 of 20 and 450 of 500 are
//     those of Wilson's interval in the confidence tests;
//   - Apdex, (satisfied + tolerating/2)/all (Apdex Technical Specification 1.1),
//     in the form of prometheus.io/docs/practices/histograms;
//   - Core Web Vitals: at least 75% of views within 2.5 s (web.dev/vitals).
func TestPublishedExamples(t *testing.T) {
	type args struct {
		objective *v1alpha1.Objective
		lanes     map[string]float64
	}
	type want struct {
		Sums  slo.Sums
		Shown string
	}
	nps := objective(netPromoter(), target("30"))
	csat := objective(events(`csat_total{rating=~"4|5"}`, "", "csat_total"))
	index := objective(apdex("1", "", "", false), target("0.85"))
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"NPS": {
			reason: "Half promoters and a fifth detractors.",
			args:   args{nps, map[string]float64{"events": 200, "promoters": 100, "detractors": 40}},
			want:   want{slo.Sums{Points: 130, Events: 200, Aux: 100}, "30"},
		},
		"NPSHighest": {
			reason: "Promoters only.",
			args:   args{nps, map[string]float64{"events": 10, "promoters": 10}},
			want:   want{slo.Sums{Points: 10, Events: 10, Aux: 10}, "100"},
		},
		"NPSLowest": {
			reason: "Detractors only.",
			args:   args{nps, map[string]float64{"events": 10, "detractors": 10}},
			want:   want{slo.Sums{Points: 0, Events: 10}, "-100"},
		},
		"NPSPassive": {
			reason: "Passives only: neither more nor less than 0.",
			args:   args{nps, map[string]float64{"events": 10}},
			want:   want{slo.Sums{Points: 5, Events: 10}, "0"},
		},
		"CSAT18Of20":   {reason: "Top two boxes.", args: args{csat, map[string]float64{"events": 20, "good": 18}}, want: want{slo.Sums{Points: 18, Events: 20}, "90%"}},
		"CSAT450Of500": {reason: "Top two boxes.", args: args{csat, map[string]float64{"events": 500, "good": 450}}, want: want{slo.Sums{Points: 450, Events: 500}, "90%"}},
		"MeanOfStars": {
			reason: "1·2 + 2·1 + 3·2 + 4·5 + 5·10 over 20 ratings are 4.0 stars.",
			args:   args{objective(mean("1", "5"), target("4.2")), map[string]float64{"events": 20, "sum": 80}},
			want:   want{slo.Sums{Points: 15, Events: 20}, "4"},
		},
		"CustomerEffort": {
			reason: "A mean of 5.5 on the scale from 1 to 7.",
			args:   args{objective(mean("1", "7"), target("5")), map[string]float64{"events": 12, "sum": 66}},
			want:   want{slo.Sums{Points: 9, Events: 12}, "5.5"},
		},
		"Apdex": {
			reason: "60 satisfied, 30 tolerating, 10 frustrated: the worked example of the Wikipedia article.",
			args:   args{index, map[string]float64{"events": 100, "satisfied": 60, "tolerated": 90}},
			want:   want{slo.Sums{Points: 75, Events: 100}, "0.75"},
		},
		"ApdexExcellent": {
			reason: "170 satisfied and 20 tolerating of 200.",
			args:   args{index, map[string]float64{"events": 200, "satisfied": 170, "tolerated": 190}},
			want:   want{slo.Sums{Points: 180, Events: 200}, "0.9"},
		},
		"LargestContentfulPaint": {
			reason: "Three views of four within 2.5 s.",
			args:   args{objective(distribution("2.5", "4", false)), map[string]float64{"events": 4000, "good": 3000, "tolerable": 3600}},
			want:   want{slo.Sums{Points: 3000, Events: 4000, Aux: 3600}, "75%"},
		},
		"NoErrorEver": {
			reason: "Errors that never happened have no series and are none.",
			args:   args{objective(events("", "errors_total", "requests_total")), map[string]float64{"events": 50}},
			want:   want{slo.Sums{Points: 50, Events: 50}, "100%"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan := bound(t, tc.args.objective)
			sums, finite := plan.Formula.Sums(tc.args.lanes)
			if !finite {
				t.Fatalf("\n%s\nSums(%v): not finite", tc.reason, tc.args.lanes)
			}
			ratio, ok := sums.Attainment()
			if !ok {
				t.Fatalf("\n%s\nAttainment of %v: none", tc.reason, sums)
			}
			if diff := cmp.Diff(tc.want, want{sums, plan.Unit.Format(ratio)}); diff != "" {
				t.Errorf("\n%s\nSums(%v): -want, +got:\n%s", tc.reason, tc.args.lanes, diff)
			}
		})
	}
}

func TestFormulaSums(t *testing.T) {
	formula := compile.Formula{Points: []compile.Term{{Lane: "a", Weight: 1}, {Lane: "b", Weight: -1}}, Events: []compile.Term{{Lane: "a", Weight: 1}}}
	cases := map[string]struct {
		reason string
		args   map[string]float64
		want   bool
	}{
		"Numbers":  {reason: "Finite lanes have sums.", args: map[string]float64{"a": 2, "b": 1}, want: true},
		"Missing":  {reason: "A lane that is not there is 0.", args: map[string]float64{"a": 2}, want: true},
		"NaN":      {reason: "NaN is no number.", args: map[string]float64{"a": 2, "b": math.NaN()}},
		"Infinity": {reason: "Nor is infinity.", args: map[string]float64{"a": math.Inf(1)}},
		"Opposite": {reason: "Nor are two that cancel.", args: map[string]float64{"a": math.Inf(1), "b": math.Inf(1)}},
		"Unused":   {reason: "What the formula does not read does not matter.", args: map[string]float64{"a": 1, "c": math.NaN()}, want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, got := formula.Sums(tc.args); got != tc.want {
				t.Errorf("\n%s\nSums(%v): finite %t, want %t", tc.reason, tc.args, got, tc.want)
			}
		})
	}
}
