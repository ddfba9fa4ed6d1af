package compile_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones under test must not depend on the machine

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// mistake is what an *Error says; the zero value stands for no error.
type mistake struct{ Reason, Field, Message string }

func mistakeOf(t *testing.T, err error) mistake {
	t.Helper()
	if err == nil {
		return mistake{}
	}
	var e *compile.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is a %T, want *compile.Error", err, err)
	}
	if !errors.Is(err, e.Err) || err.Error() != e.Field+": "+e.Err.Error() {
		t.Errorf("%q does not hold its field and its cause %q", err, e.Err)
	}
	return mistake{e.Reason, e.Field, e.Err.Error()}
}

func TestCompileRefuses(t *testing.T) {
	const call = `"rate(x_total[5m])" is a call of rate: write the plain counter selector inside it, such as x_total`
	nps := func(promoters, detractors, responses v1alpha1.Selector) v1alpha1.ObjectiveIndicator {
		return v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{
			Promoters: promoters, Detractors: detractors, Responses: responses,
		}}}
	}
	histogram := func(s v1alpha1.Selector) v1alpha1.ObjectiveIndicator {
		return v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: s, Threshold: "1"}}
	}
	good := events("good_total", "", "x_total")
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Objective
		want   mistake
	}{
		"NoKind": {
			reason: "An indicator has a kind; the schema says so first.", args: objective(v1alpha1.ObjectiveIndicator{}),
			want: mistake{"InvalidSpec", "spec.indicator", "no kind is set: set one of events, distribution, apdex, score, state, queries, ref"},
		},
		"FunctionInTotal": {
			reason: "A function call stands where a selector is needed.", args: objective(events("good_total", "", "rate(x_total[5m])")),
			want: mistake{"InvalidQuery", "spec.indicator.events.total", call},
		},
		"FunctionInGood": {
			reason: "The field at fault is named.", args: objective(events("rate(x_total[5m])", "", "x_total")),
			want: mistake{"InvalidQuery", "spec.indicator.events.good", call},
		},
		"TypoInBad": {
			reason: "So is where it breaks.", args: objective(events("", `x_total{code="500}`, "x_total")),
			want: mistake{"InvalidQuery", "spec.indicator.events.bad", `parse "x_total{code=\"500}": 1:14: parse error: unterminated quoted string`},
		},
		"TooLong": {
			reason: "4,097 characters are not parsed.", args: objective(events(v1alpha1.Selector(strings.Repeat("x", 4097)), "", "x_total")),
			want: mistake{"InvalidQuery", "spec.indicator.events.good", "the expression has 4097 characters: write at most 4096, or record a part of it as a rule"},
		},
		"OtherNamespace": {
			reason: "A selector of another tenant's data is refused.", args: objective(events("good_total", "", `x_total{namespace="bank"}`)),
			want: mistake{
				"InvalidQuery", "spec.indicator.events",
				`the metric source confines every query to namespace="shop": remove the matcher on "namespace" (conflicting label matcher: ` +
					`label matcher "namespace=\"bank\"" conflicts with injected matcher "namespace=\"shop\"")`,
			},
		},
		"OtherNamespaceOfHistogram": {
			reason: "Before any of its boundaries are read.", args: objective(histogram(`x{namespace="bank"}`)),
			want: mistake{
				"InvalidQuery", "spec.indicator.distribution",
				`the metric source confines every query to namespace="shop": remove the matcher on "namespace" (conflicting label matcher: ` +
					`label matcher "namespace=\"bank\"" conflicts with injected matcher "namespace=\"shop\"")`,
			},
		},
		"FunctionInHistogram": {
			reason: "A histogram is a selector too.", args: objective(histogram("rate(x_total[5m])")),
			want: mistake{"InvalidQuery", "spec.indicator.distribution.histogram", call},
		},
		"Threshold": {
			reason: "A threshold is a number.", args: objective(distribution("fast", "", false)),
			want: mistake{"InvalidSpec", "spec.indicator.distribution.threshold", `"fast" is no number: write one such as "2.5"`},
		},
		"ThresholdNaN": {
			reason: "And a finite one.", args: objective(distribution("NaN", "", false)),
			want: mistake{"InvalidSpec", "spec.indicator.distribution.threshold", `"NaN" is no number: write one such as "2.5"`},
		},
		"PoorAbove": {
			reason: "So is the one of the third band.", args: objective(distribution("1", "Inf", false)),
			want: mistake{"InvalidSpec", "spec.indicator.distribution.poorAbove", `"Inf" is no number: write one such as "2.5"`},
		},
		"Satisfied": {
			reason: "So are those of Apdex.", args: objective(apdex("x", "", "", false), target("0.85")),
			want: mistake{"InvalidSpec", "spec.indicator.apdex.satisfied", `"x" is no number: write one such as "2.5"`},
		},
		"Tolerated": {
			reason: "Both of them.", args: objective(apdex("1", "x", "", false), target("0.85")),
			want: mistake{"InvalidSpec", "spec.indicator.apdex.tolerated", `"x" is no number: write one such as "2.5"`},
		},
		"Failed": {
			reason: "Failures are matchers.", args: objective(apdex("1", "", "{code=5}", false), target("0.85")),
			want: mistake{"InvalidQuery", "spec.indicator.apdex.failed", `parse "{code=5}": 1:7: parse error: unexpected character inside braces: '5'`},
		},
		"ApdexHistogram": {
			reason: "Its histogram is a selector.", args: objective(v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "rate(x_total[5m])", Satisfied: "1"}}),
			want: mistake{"InvalidQuery", "spec.indicator.apdex.histogram", call},
		},
		"MeanSum": {
			reason: "A mean has two counters.", args: objective(v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Sum: "rate(x_total[5m])", Count: "n", Lowest: "1", Highest: "5"}}}),
			want: mistake{"InvalidQuery", "spec.indicator.score.mean.sum", call},
		},
		"MeanLowest": {
			reason: "Its scale is of numbers.", args: objective(mean("one", "5"), target("4")),
			want: mistake{"InvalidSpec", "spec.indicator.score.mean.lowest", `"one" is no number: write one such as "2.5"`},
		},
		"MeanHighest": {
			reason: "At both ends.", args: objective(mean("1", "five"), target("4")),
			want: mistake{"InvalidSpec", "spec.indicator.score.mean.highest", `"five" is no number: write one such as "2.5"`},
		},
		"MeanScale": {
			reason: "And rises.", args: objective(mean("5", "1"), target("4")),
			want: mistake{"InvalidSpec", "spec.indicator.score.mean.highest", "build scale from 5 to 1: lowest must be at least 1 below highest, and both within ±1000"},
		},
		"Promoters": {
			reason: "A Net Promoter Score has three counters.", args: objective(nps("rate(x_total[5m])", "x", "x"), target("30")),
			want: mistake{"InvalidQuery", "spec.indicator.score.netPromoter.promoters", call},
		},
		"Detractors": {
			reason: "Each is named.", args: objective(nps("x", "rate(x_total[5m])", "x"), target("30")),
			want: mistake{"InvalidQuery", "spec.indicator.score.netPromoter.detractors", call},
		},
		"Responses": {
			reason: "Each is named.", args: objective(nps("x", "x", "rate(x_total[5m])"), target("30")),
			want: mistake{"InvalidQuery", "spec.indicator.score.netPromoter.responses", call},
		},
		"StateQuery": {
			reason: "A state has one value at a time.", args: objective(v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "up[5m]", Operator: "Equal", Value: "1"}}),
			want: mistake{"InvalidQuery", "spec.indicator.state.query", `"up[5m]" gives a range vector: write an expression that gives an instant vector or a scalar`},
		},
		"StateValue": {
			reason: "The value goes into the query: only a number may.", args: objective(v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "up", Operator: "Equal", Value: "1 or up"}}),
			want: mistake{"InvalidSpec", "spec.indicator.state.value", `"1 or up" is no number: write one such as "2.5"`},
		},
		"QueriesPoints": {
			reason: "An expression is checked.", args: objective(v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: "increase(x[$interval)", Events: "increase(y[$interval])"}}),
			want: mistake{"InvalidQuery", "spec.indicator.queries.points", `parse "increase(x[1m)": 1:14: parse error: unexpected ")" in subquery or range, expected ":" or "]"`},
		},
		"QueriesEvents": {
			reason: "Both are.", args: objective(v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: "increase(x[$interval])", Events: "y[$interval]"}}),
			want: mistake{"InvalidQuery", "spec.indicator.queries.events", `"y[1m]" gives a range vector: write an expression that gives an instant vector or a scalar`},
		},
		"TargetWholly": {
			reason: "All of it leaves no budget.", args: objective(good, target("100%")),
			want: mistake{"InvalidTarget", "spec.target", `target "100%" leaves no error budget: choose one below 100%, like "75%"`},
		},
		"TargetInAnotherUnit": {
			reason: "30 of what?", args: objective(good, target("30")),
			want: mistake{"InvalidTarget", "spec.target", `target "30" is a plain number, but this indicator is measured in percent: write it like "75%"`},
		},
		"PercentOfAScore": {
			reason: "A score is not a percentage.", args: objective(netPromoter(), target("30%")),
			want: mistake{"InvalidTarget", "spec.target", `target "30%" is a percentage, but this indicator is measured as a Net Promoter Score: write it like "30"`},
		},
		"Window": {
			reason: "Windows are from an hour to 400 days long.", args: objective(good, window(v1alpha1.Window{Rolling: "500d"})),
			want: mistake{"InvalidSpec", "spec.window.rolling", `check window: rolling "500d" is not between 1h and 400d`},
		},
		"WindowTypo": {
			reason: "And are durations.", args: objective(good, window(v1alpha1.Window{Rolling: "month"})),
			want: mistake{"InvalidSpec", "spec.window.rolling", `parse duration "month": "month" does not begin with a whole number: write it like "28d" or "1h30m"`},
		},
		"Zone": {
			reason: "A time zone must exist.", args: objective(good, month("Mars/Olympus")),
			want: mistake{"InvalidTimeZone", "spec.window.calendar.timeZone", `"Mars/Olympus" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`},
		},
		"LocalZone": {
			reason: "The zone of the machine is nobody's.", args: objective(good, month("Local")),
			want: mistake{"InvalidTimeZone", "spec.window.calendar.timeZone", `"Local" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`},
		},
		"Confidence": {
			reason: "A level is a percentage.", args: objective(good, func(o *v1alpha1.Objective) { o.Spec.Confidence = "high" }),
			want: mistake{"InvalidSpec", "spec.confidence", `parse confidence: "high" is not a decimal number: write it like "95%"`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan, err := compile.Compile(input(tc.args))
			if diff := cmp.Diff(tc.want, mistakeOf(t, err)); diff != "" {
				t.Errorf("\n%s\nCompile(...): -want, +got:\n%s", tc.reason, diff)
			}
			if err == nil {
				t.Errorf("\n%s\nCompile(...): %v, want none", tc.reason, plan)
			}
		})
	}
}

func TestCompile(t *testing.T) {
	plan, err := compile.Compile(input(objective(netPromoter(), target("30"), month("Asia/Kolkata"), func(o *v1alpha1.Objective) {
		o.Spec.MinimumEvents = 30
		o.Spec.Confidence = "95%"
		o.Spec.Perspective = v1alpha1.PerspectiveCX
	})))
	if err != nil {
		t.Fatal(err)
	}
	type facts struct {
		Key                              types.NamespacedName
		UID                              types.UID
		Generation                       int64
		Source                           string
		Service, Perspective, Touchpoint string
		Unit                             string
		Target                           float64
		Start                            time.Time
		Grid                             slo.Grid
		MinimumEvents                    float64
		Level                            slo.Level
		Interval                         compile.IntervalMethod
		Banded, Histogram                bool
	}
	want := facts{
		Key: types.NamespacedName{Namespace: "shop", Name: "promise"}, UID: "1", Generation: 3,
		Source: "ClusterMetricSource default", Service: "checkout", Perspective: "CX", Touchpoint: "web",
		Unit: "nps", Target: 0.65,
		Start: time.Date(2026, 2, 28, 18, 30, 0, 0, time.UTC), Grid: slo.Grid{Width: time.Hour, Offset: 30 * time.Minute},
		MinimumEvents: 30, Level: 0.95, Interval: compile.IntervalNetPromoter,
	}
	got := facts{
		plan.Key, plan.UID, plan.Generation, plan.Source.String(), plan.Service, plan.Perspective, plan.Touchpoint,
		plan.Unit.String(), plan.Target, plan.Window.Span(now).Start.UTC(), plan.Grid, plan.MinimumEvents, plan.Level,
		plan.Interval, plan.Banded, plan.Histogram != nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Compile(...): -want, +got:\n%s", diff)
	}
}

func TestKeyOf(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   *v1alpha1.SourceReference
		want   compile.SourceKey
		text   string
	}{
		"Default": {
			reason: "Without a reference it is the cluster's default.",
			want:   compile.SourceKey{Kind: "ClusterMetricSource", Name: "default"}, text: "ClusterMetricSource default",
		},
		"Namespaced": {
			reason: "A MetricSource is in the objective's namespace.",
			args:   &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: "prometheus"},
			want:   compile.SourceKey{Kind: "MetricSource", Namespace: "shop", Name: "prometheus"}, text: "MetricSource shop/prometheus",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := compile.KeyOf(objective(events("a", "", "b"), func(o *v1alpha1.Objective) { o.Spec.SourceRef = tc.args }))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nKeyOf(...): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.text, got.String()); diff != "" {
				t.Errorf("\n%s\nString(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestBindsItself checks that kinds without boundaries are ready once compiled.
func TestBindsItself(t *testing.T) {
	for name, o := range everyKind {
		plan, err := compile.Compile(input(o))
		if err != nil {
			t.Fatal(err)
		}
		before := plan.Recipe
		if diff := cmp.Diff(plan.Histogram == nil, before != nil); diff != "" {
			t.Errorf("%s: has queries before Bind: -want, +got:\n%s", name, diff)
		}
		if plan.Histogram != nil {
			continue
		}
		if err := plan.Bind(nil); err != nil {
			t.Errorf("%s: Bind(nil): %v", name, err)
		}
		if before != plan.Recipe {
			t.Errorf("%s: Bind(nil) changes queries", name)
		}
	}
}
