package metrics

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/source"
)

var (
	speed   = plan("shop", "checkout-page-speed", "checkout", "UX", "web")
	hold    = plan("shop", "hold-time", "support", "CX", "")
	local   = compile.SourceKey{Kind: v1alpha1.SourceKindMetricSource, Namespace: "shop", Name: "prometheus"}
	shared  = compile.SourceKey{Kind: v1alpha1.SourceKindClusterMetricSource, Name: "default"}
	evening = time.Date(2025, time.March, 1, 18, 30, 0, 0, time.UTC)
)

func plan(namespace, name, service, perspective, touchpoint string) *compile.Plan {
	return &compile.Plan{
		Key:     types.NamespacedName{Namespace: namespace, Name: name},
		Service: service, Perspective: perspective, Touchpoint: touchpoint,
	}
}

// ruled is a plan whose alerts a ruler evaluates.
func ruled(p compile.Plan) *compile.Plan {
	p.Ruled, p.Alerts.AbsentAfter = true, time.Hour
	return &p
}

// absentAfter is a plan that tells of data that is not there any more.
func absentAfter(p compile.Plan, after time.Duration) *compile.Plan {
	p.Alerts.AbsentAfter = after
	return &p
}

func tier(severity slo.Severity, long time.Duration, burning bool) evaluate.TierState {
	return evaluate.TierState{Tier: slo.Tier{Severity: severity, Long: long}, Burning: burning}
}

// tiered is a verdict with tiers alone.
func tiered(tiers ...evaluate.TierState) evaluate.Verdict {
	v := empty()
	v.Tiers = tiers
	return v
}

// whole is a verdict in which every figure is known.
func whole() evaluate.Verdict {
	return evaluate.Verdict{
		Outcome: evaluate.Met, Target: 0.75, Attainment: 0.813, BudgetRemaining: 0.252,
		Events: 1200, Coverage: 0.99, At: evening,
		Burns: []evaluate.Burn{{Window: time.Hour, Rate: 0.5}, {Window: 72 * time.Hour, Rate: 0.75}},
	}
}

// empty is the verdict on a window without a sample.
func empty() evaluate.Verdict {
	return evaluate.Verdict{
		Outcome: evaluate.Unknown, Target: 0.75, Attainment: math.NaN(), BudgetRemaining: math.NaN(), At: evening,
	}
}

// inSegments is a verdict with two segments, one of which has no event yet.
func inSegments() evaluate.Verdict {
	v := empty()
	v.Segments = []evaluate.Segment{
		{Value: "watch", Attainment: math.NaN(), BudgetRemaining: math.NaN()},
		{Value: "smart \"fridge\"", Outcome: evaluate.Missed, Attainment: 0.5, BudgetRemaining: -1, Events: 20},
	}
	return v
}

func missed() evaluate.Verdict {
	v := whole()
	v.Outcome, v.Attainment, v.BudgetRemaining, v.Burns = evaluate.Missed, 0.5, -1, v.Burns[:1]
	return v
}

const (
	speedLabels  = `namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",touchpoint="web"`
	holdLabels   = `namespace="shop",objective="hold-time",perspective="CX",service="support",touchpoint=""`
	fridgeLabels = `namespace="shop",objective="hold-time",perspective="CX",segment="smart \"fridge\"",service="support",touchpoint=""`
	watchLabels  = `namespace="shop",objective="hold-time",perspective="CX",segment="watch",service="support",touchpoint=""`
	localLabels  = `kind="MetricSource",namespace="shop",source="prometheus"`
)

// exposition gives the registry's metrics as Prometheus would read them, without
// help, types and the buckets of histograms.
func exposition(t *testing.T, reg *prometheus.Registry) []string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	var text strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatalf("write %s: %v", f.GetName(), err)
		}
	}
	lines := []string{}
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestObjective(t *testing.T) {
	type args struct{ record func(*Recorder) }
	cases := map[string]struct {
		reason string
		args   args
		want   []string
	}{
		"Known": {
			reason: "every figure of a verdict has a series with the objective's labels, in name order",
			args:   args{func(r *Recorder) { r.Objective(speed, whole()) }},
			want: []string{
				"experience_objective_attainment_ratio{" + speedLabels + "} 0.813",
				"experience_objective_budget_remaining_ratio{" + speedLabels + "} 0.252",
				"experience_objective_burn_rate{" + speedLabels + `,window="1h"} 0.5`,
				"experience_objective_burn_rate{" + speedLabels + `,window="3d"} 0.75`,
				"experience_objective_coverage_ratio{" + speedLabels + "} 0.99",
				"experience_objective_events{" + speedLabels + "} 1200",
				"experience_objective_last_evaluation_timestamp_seconds{" + speedLabels + "} 1.7408538e+09",
				"experience_objective_met{" + speedLabels + "} 1",
				"experience_objective_target_ratio{" + speedLabels + "} 0.75",
			},
		},
		"Excluded": {
			reason: "what is left out, and what would be with it",
			args: args{func(r *Recorder) {
				v := empty()
				v.Excluded, v.Raw = 0.032, &evaluate.Figures{Attainment: 0.7, BudgetRemaining: -0.2, Events: 1200}
				r.Objective(hold, v)
			}},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_excluded_ratio{" + holdLabels + "} 0.032",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_raw_attainment_ratio{" + holdLabels + "} 0.7",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"AllExcluded": {
			reason: "of nothing there is no attainment, with it or without",
			args: args{func(r *Recorder) {
				v := empty()
				v.Excluded, v.Raw = 1, &evaluate.Figures{Attainment: math.NaN(), BudgetRemaining: math.NaN()}
				r.Objective(hold, v)
			}},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_excluded_ratio{" + holdLabels + "} 1",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"Segments": {
			reason: "each segment has the figures that are known, under the value of its label",
			args:   args{func(r *Recorder) { r.Objective(hold, inSegments()) }},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_segment_attainment_ratio{" + fridgeLabels + "} 0.5",
				"experience_objective_segment_budget_remaining_ratio{" + fridgeLabels + "} -1",
				"experience_objective_segment_events{" + fridgeLabels + "} 20",
				"experience_objective_segment_events{" + watchLabels + "} 0",
				"experience_objective_segment_met{" + fridgeLabels + "} 0",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"SegmentsGone": {
			reason: "a segment that is gone has no series any more",
			args:   args{func(r *Recorder) { r.Objective(hold, inSegments()); r.Objective(hold, empty()) }},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"NoData": {
			reason: "a figure that is not known has no series: neither 0 nor NaN",
			args:   args{func(r *Recorder) { r.Objective(hold, empty()) }},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"Replaced": {
			reason: "a later verdict leaves nothing of the former one, not even a burn window it lacks",
			args: args{func(r *Recorder) {
				r.Objective(speed, whole())
				r.Objective(speed, missed())
			}},
			want: []string{
				"experience_objective_attainment_ratio{" + speedLabels + "} 0.5",
				"experience_objective_budget_remaining_ratio{" + speedLabels + "} -1",
				"experience_objective_burn_rate{" + speedLabels + `,window="1h"} 0.5`,
				"experience_objective_coverage_ratio{" + speedLabels + "} 0.99",
				"experience_objective_events{" + speedLabels + "} 1200",
				"experience_objective_last_evaluation_timestamp_seconds{" + speedLabels + "} 1.7408538e+09",
				"experience_objective_met{" + speedLabels + "} 0",
				"experience_objective_target_ratio{" + speedLabels + "} 0.75",
			},
		},
		"RelabelledKeepsOneSet": {
			reason: "an objective whose service changed has series under its new labels alone",
			args: args{func(r *Recorder) {
				r.Objective(plan("shop", "hold-time", "desk", "CX", "phone"), whole())
				r.Objective(hold, empty())
			}},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"Forgotten": {
			reason: "an objective's series go with it, and another's stay",
			args: args{func(r *Recorder) {
				r.Objective(speed, whole())
				r.Objective(hold, empty())
				r.ForgetObjective(speed.Key)
			}},
			want: []string{
				"experience_objective_coverage_ratio{" + holdLabels + "} 0",
				"experience_objective_events{" + holdLabels + "} 0",
				"experience_objective_last_evaluation_timestamp_seconds{" + holdLabels + "} 1.7408538e+09",
				"experience_objective_target_ratio{" + holdLabels + "} 0.75",
			},
		},
		"ForgottenUnknown": {
			reason: "forgetting what was never there is no mistake",
			args:   args{func(r *Recorder) { r.ForgetObjective(hold.Key) }},
			want:   []string{},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewPedanticRegistry()
			tc.args.record(New(reg))
			if diff := cmp.Diff(tc.want, exposition(t, reg)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObjectiveTiers(t *testing.T) {
	const name = "experience_objective_tier_burning"
	type args struct {
		plan    *compile.Plan
		verdict evaluate.Verdict
	}
	cases := map[string]struct {
		reason string
		args   args
		want   []string
	}{
		"Unruled": {
			reason: "each tier of an objective that no ruler records has a series, by the labels of alerts",
			args: args{speed, tiered(tier(slo.Page, time.Hour, true), tier(slo.Page, 6*time.Hour, false),
				tier(slo.Ticket, 24*time.Hour, true), tier(slo.Ticket, 72*time.Hour, false))},
			want: []string{
				name + `{namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",severity="critical",touchpoint="web",window="1h"} 1`,
				name + `{namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",severity="critical",touchpoint="web",window="6h"} 0`,
				name + `{namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",severity="warning",touchpoint="web",window="1d"} 1`,
				name + `{namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",severity="warning",touchpoint="web",window="3d"} 0`,
			},
		},
		"Ruled": {
			reason: "where a ruler fires the alerts, the operator's metrics must not fire them again",
			args:   args{ruled(*speed), tiered(tier(slo.Page, time.Hour, true))},
		},
		"SameWindow": {
			reason: "tiers that differ by their factor alone are one series, which burns when one of them does",
			args: args{speed, tiered(tier(slo.Page, 12*time.Minute, false), tier(slo.Page, 12*time.Minute, true),
				tier(slo.Ticket, 12*time.Minute, true), tier(slo.Ticket, 12*time.Minute, false))},
			want: []string{
				name + `{namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",severity="critical",touchpoint="web",window="12m"} 1`,
				name + `{namespace="shop",objective="checkout-page-speed",perspective="UX",service="checkout",severity="warning",touchpoint="web",window="12m"} 1`,
			},
		},
		"None": {reason: "an objective without tiers has no series", args: args{speed, tiered()}},
	}
	for title, tc := range cases {
		t.Run(title, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, recorded(t, tc.args.plan, tc.args.verdict, name)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObjectiveData(t *testing.T) {
	const last, after = "experience_objective_last_data_timestamp_seconds", "experience_objective_data_absent_seconds"
	seen := empty()
	seen.LastData = evening.Add(-time.Hour)
	type args struct {
		plan    *compile.Plan
		verdict evaluate.Verdict
	}
	cases := map[string]struct {
		reason string
		args   args
		want   []string
	}{
		"Seen": {
			reason: "when there was data last, and how old it may be",
			args:   args{absentAfter(*speed, 90*time.Minute), seen},
			want:   []string{after + "{" + speedLabels + "} 5400", last + "{" + speedLabels + "} 1.7408502e+09"},
		},
		"Never": {
			reason: "what was never there is idle, not absent: it has no time, and 1970 would be a lie",
			args:   args{absentAfter(*speed, time.Hour), empty()},
			want:   []string{after + "{" + speedLabels + "} 3600"},
		},
		"Off":   {reason: "no time that it may be absent where the alert is off", args: args{speed, seen}, want: []string{last + "{" + speedLabels + "} 1.7408502e+09"}},
		"Ruled": {reason: "nor where a ruler has the alert", args: args{ruled(*speed), seen}, want: []string{last + "{" + speedLabels + "} 1.7408502e+09"}},
	}
	for title, tc := range cases {
		t.Run(title, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, recorded(t, tc.args.plan, tc.args.verdict, last, after)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// recorded gives the lines of some metrics after one verdict.
func recorded(t *testing.T, p *compile.Plan, v evaluate.Verdict, names ...string) []string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	New(reg).Objective(p, v)
	var out []string
	for _, line := range exposition(t, reg) {
		if name, _, _ := strings.Cut(line, "{"); slices.Contains(names, name) {
			out = append(out, line)
		}
	}
	return out
}

func TestSource(t *testing.T) {
	type args struct{ record func(*Recorder) }
	cases := map[string]struct {
		reason string
		args   args
		want   []string
	}{
		"Success": {
			reason: "a query that succeeds is counted with its time and bytes, and makes no error series",
			args: args{func(r *Recorder) {
				r.Query(local, source.Observation{Duration: 250 * time.Millisecond, Bytes: 512})
			}},
			want: []string{
				"experience_source_query_duration_seconds_sum{" + localLabels + "} 0.25",
				"experience_source_query_duration_seconds_count{" + localLabels + "} 1",
				"experience_source_response_bytes_total{" + localLabels + "} 512",
			},
		},
		"Failures": {
			reason: "failures are counted by reason, and take time too",
			args: args{func(r *Recorder) {
				r.Query(shared, source.Observation{Duration: time.Second, Reason: source.ReasonTimeout})
				r.Query(shared, source.Observation{Duration: time.Second, Reason: source.ReasonTimeout})
				r.Query(shared, source.Observation{Reason: source.ReasonUnauthorized, Bytes: 9})
			}},
			want: []string{
				`experience_source_query_duration_seconds_sum{kind="ClusterMetricSource",namespace="",source="default"} 2`,
				`experience_source_query_duration_seconds_count{kind="ClusterMetricSource",namespace="",source="default"} 3`,
				`experience_source_query_errors_total{kind="ClusterMetricSource",namespace="",reason="Timeout",source="default"} 2`,
				`experience_source_query_errors_total{kind="ClusterMetricSource",namespace="",reason="Unauthorized",source="default"} 1`,
				`experience_source_response_bytes_total{kind="ClusterMetricSource",namespace="",source="default"} 9`,
			},
		},
		"LastTick": {
			reason: "the gauges of a tick show the last one",
			args: args{func(r *Recorder) {
				r.Tick(local, 40, 10, time.Second)
				r.Tick(local, 4, 3, 1500*time.Millisecond)
			}},
			want: []string{
				"experience_source_tick_duration_seconds{" + localLabels + "} 1.5",
				"experience_source_tick_objectives{" + localLabels + "} 3",
				"experience_source_tick_queries{" + localLabels + "} 4",
			},
		},
		"Rules": {
			reason: "the gauges of rules show the last count",
			args: args{func(r *Recorder) {
				r.Rules(local, 10, 10)
				r.Rules(local, 12, 10)
			}},
			want: []string{
				"experience_source_rules_expected{" + localLabels + "} 12",
				"experience_source_rules_loaded{" + localLabels + "} 10",
			},
		},
		"ForgottenRules": {
			reason: "a source that has no ruler any more has no count of rules, and keeps its ticks",
			args: args{func(r *Recorder) {
				r.Rules(local, 12, 10)
				r.Rules(shared, 1, 0)
				r.Tick(local, 4, 3, time.Second)
				r.ForgetRules(local)
			}},
			want: []string{
				`experience_source_rules_expected{kind="ClusterMetricSource",namespace="",source="default"} 1`,
				`experience_source_rules_loaded{kind="ClusterMetricSource",namespace="",source="default"} 0`,
				"experience_source_tick_duration_seconds{" + localLabels + "} 1",
				"experience_source_tick_objectives{" + localLabels + "} 3",
				"experience_source_tick_queries{" + localLabels + "} 4",
			},
		},
		"Forgotten": {
			reason: "all series of a source go with it, and those of one with the same name elsewhere stay",
			args: args{func(r *Recorder) {
				same := compile.SourceKey{Kind: shared.Kind, Name: local.Name}
				r.Query(same, source.Observation{Reason: source.ReasonServer})
				r.Tick(same, 1, 1, time.Second)
				r.Rules(same, 1, 1)
				r.Tick(local, 4, 3, time.Second)
				r.ForgetSource(same)
			}},
			want: []string{
				"experience_source_tick_duration_seconds{" + localLabels + "} 1",
				"experience_source_tick_objectives{" + localLabels + "} 3",
				"experience_source_tick_queries{" + localLabels + "} 4",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewPedanticRegistry()
			tc.args.record(New(reg))
			if diff := cmp.Diff(tc.want, exposition(t, reg)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
