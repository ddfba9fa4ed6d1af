package convert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// converted converts a document that makes one objective at most, and gives what
// is told of its fields.
func converted(from Format, text string) (o *v1alpha1.Objective, told string) {
	result := Convert([]Document{{File: "a", Line: 1, Text: []byte(text)}}, options(from))
	for _, object := range result.Objects {
		if found, ok := object.Value.(*v1alpha1.Objective); ok {
			o = found
		}
	}
	for _, n := range result.Notes {
		if n.File != "" {
			told += fmt.Sprintf("%s: %s: %s\n", n.Severity, n.Field, n.Text)
		}
	}
	return o, told
}

// slothWith is a plain document whose SLI is the given one.
func slothWith(sli map[string]any) string {
	text, err := json.Marshal(map[string]any{"version": "prometheus/v1", "service": "shop", "slos": []any{
		map[string]any{"name": "a", "objective": 99, "sli": sli, "alerting": map[string]any{}},
	}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// shownAs is an indicator in short.
func shownAs(in v1alpha1.ObjectiveIndicator) string {
	switch {
	case in.Events != nil && in.Events.Bad != "":
		return fmt.Sprintf("bad %s of %s", in.Events.Bad, in.Events.Total)
	case in.Events != nil:
		return fmt.Sprintf("good %s of %s", in.Events.Good, in.Events.Total)
	case in.Distribution != nil:
		return fmt.Sprintf("%s within %s", in.Distribution.Histogram, in.Distribution.Threshold)
	case in.Queries != nil:
		return fmt.Sprintf("points %s events %s", in.Queries.Points, in.Queries.Events)
	case in.State != nil:
		return fmt.Sprintf("%s %s %s", in.State.Query, in.State.Operator, in.State.Value)
	default:
		return ""
	}
}

// TestEventQueries reads bad and total as people write them. W stands for the
// window.
func TestEventQueries(t *testing.T) {
	type args struct{ bad, total string }
	cases := map[string]struct {
		reason string
		args   args
		// want is the indicator in short, or a part of what is told where there is none.
		want string
	}{
		"Rate":           {"the usual form", args{`sum(rate(x{code="500"}[W]))`, "sum(rate(x[W]))"}, `bad x{code="500"} of x`},
		"Increase":       {"increase is as good", args{`sum(increase(x{code="500"}[W]))`, "sum(increase(x[W]))"}, `bad x{code="500"} of x`},
		"Bare":           {"without a sum", args{`rate(x{code="500"}[W])`, "rate(x[W])"}, `bad x{code="500"} of x`},
		"Parentheses":    {"in parentheses", args{`((sum((rate(x{code="500"}[W])))))`, "(sum(rate(x[W])))"}, `bad x{code="500"} of x`},
		"Fixed":          {"a fixed range counts the same events", args{`sum(rate(x{code="500"}[5m]))`, "sum(rate(x[5m]))"}, `bad x{code="500"} of x`},
		"Zero":           {"a zero for what is not there", args{`sum(rate(x{code="500"}[W])) or vector(0)`, "sum(rate(x[W])) > 0"}, `bad x{code="500"} of x`},
		"OnZero":         {"a zero by no labels", args{`sum(rate(x{code="500"}[W])) or on() vector(0)`, "sum(rate(x[W]))"}, `bad x{code="500"} of x`},
		"Good":           {"all but the good", args{`sum(rate(x[W])) - sum(rate(x{code="200"}[W]))`, "sum(rate(x[W]))"}, `good x{code="200"} of x`},
		"GoodOrder":      {"matchers in another order", args{`sum(rate(x{a="1",b="2"}[W])) - sum(rate(y[W]))`, `sum(rate(x{b="2",a="1"}[W]))`}, `good y of x{a="1",b="2"}`},
		"Scaled":         {"both times sixty", args{`sum(rate(x{code="500"}[W])) * 60`, "sum(rate(x[W])) * 60"}, `bad x{code="500"} of x`},
		"Divided":        {"or a part of it", args{`sum(rate(x{code="500"}[W])) / 4`, "sum(rate(x[W])) / 4"}, `bad x{code="500"} of x`},
		"Weighed":        {"bad ones count twice", args{`sum(rate(x{code="500"}[W])) * 2`, "sum(rate(x[W]))"}, `points sum(increase(x[$interval])) - (sum(2 * label_replace(increase(x{code="500"}[$interval]), "term", "1", "", "")) or vector(0)) events sum(increase(x[$interval]))`},
		"Alternatives":   {"two values of a label", args{`sum(rate(x{code="5.0"}[W])) + sum(rate(x{code="503"}[W]))`, "sum(rate(x[W]))"}, `bad x{code=~"5\\.0|503"} of x`},
		"TotalOfTwo":     {"a total of good and bad", args{`sum(rate(x{r="bad"}[W]))`, `sum(rate(x{r="bad"}[W])) + sum(rate(x{r="good"}[W]))`}, `good x{r="good"} of x{r=~"bad|good"}`},
		"TwoLabels":      {"two labels differ", args{`sum(rate(x{a="1",b="1"}[W])) + sum(rate(x{a="2",b="2"}[W]))`, "sum(rate(x[W]))"}, "points sum(increase(x[$interval])) - "},
		"Twice":          {"the same counter twice", args{`sum(rate(x{a="1"}[W])) + sum(rate(x{a="1"}[W]))`, "sum(rate(x[W]))"}, `points sum(increase(x[$interval])) - (sum(2 * label_replace(increase(x{a="1"}[$interval])`},
		"Names":          {"two names", args{`sum(rate(x_errors[W]))`, "sum(rate(x[W])) + sum(rate(y[W]))"}, `points sum(label_replace(increase(x[$interval]), "term", "1", "", "") or label_replace(increase(y[$interval]), "term", "2", "", "")) - (sum(increase(x_errors[$interval])) or vector(0)) events`},
		"Bucket":         {"a bucket", args{`sum(rate(h_count{a="1"}[W])) - sum(rate(h_bucket{le="0.25",a="1"}[W]))`, `sum(rate(h_count{a="1"}[W]))`}, `h{a="1"} within 0.25`},
		"LongBucket":     {"a boundary with an exponent", args{`sum(rate(h_count[W])) - sum(rate(h_bucket{le="1e+06"}[W]))`, `sum(rate(h_count[W]))`}, `h within 1000000`},
		"Infinite":       {"the endless bucket is the total", args{`sum(rate(h_bucket{le="+Inf"}[W])) - sum(rate(h_bucket{le="1.0"}[W]))`, `sum(rate(h_bucket{le="+Inf"}[W]))`}, `h within 1`},
		"OtherBucket":    {"a bucket of another selection", args{`sum(rate(h_count[W])) - sum(rate(h_bucket{le="1",a="2"}[W]))`, `sum(rate(h_count[W]))`}, `good h_bucket{a="2",le="1"} of h_count`},
		"SeveralBuckets": {"a boundary that is a pattern", args{`sum(rate(h_count[W])) - sum(rate(h_bucket{le=~"1|1.0"}[W]))`, `sum(rate(h_count[W]))`}, `good h_bucket{le=~"1|1.0"} of h_count`},
		"InfiniteGood":   {"a good bucket that is all", args{`sum(rate(h_count[W])) - sum(rate(h_bucket{le="+Inf"}[W]))`, `sum(rate(h_count[W]))`}, `good h_bucket{le="+Inf"} of h_count`},
		"Spaces":         {"the window with spaces", args{`sum(rate(x{code="500"}[{{ .window }}]))`, "sum(rate(x[{{- .window -}}]))"}, `bad x{code="500"} of x`},
		"NonLinear":      {"no sum of counters", args{"sum(rate(x[W])) - sum(clamp_max(rate(y[W]), 1))", "sum(rate(x[W]))"}, "points sum(60 * (sum(rate(x[$interval])))) - (sum(60 * (sum(rate(x[$interval])) - sum(clamp_max(rate(y[$interval]), 1)))) or vector(0)) events sum(60 * (sum(rate(x[$interval]))))"},
		"Inside":         {"a difference that matches labels", args{"sum(rate(x[W]) - rate(y[W]))", "sum(rate(x[W]))"}, "events sum(60 * (sum(rate(x[$interval]))))"},
		"Subquery":       {"a subquery over the window", args{"sum_over_time(x[W:1m])", "count_over_time(x[W:1m])"}, "points sum(count_over_time(x[$interval:1m])) - (sum(sum_over_time(x[$interval:1m])) or vector(0)) events sum(count_over_time(x[$interval:1m]))"},
		"Irate":          {"irate is a second's too", args{"sum(irate(y[W]))", "sum(rate(x[W])) - sum(rate(x[W] offset 1m))"}, "points sum(60 * (sum(rate(x[$interval])) - sum(rate(x[$interval] offset 1m)))) - (sum(60 * (sum(irate(y[$interval])))) or vector(0)) events sum(60 * (sum(rate(x[$interval]))"},
		"Deriv":          {"the slope of a gauge", args{"sum(deriv(y[W]))", "sum(rate(x[W]))"}, "error: slos[0].sli.events.error_query: deriv is the slope of a gauge"},
		"DerivTotal":     {"in the total", args{"sum(rate(y[W]))", "sum(deriv(x[W]))"}, "error: slos[0].sli.events.total_query: deriv is the slope of a gauge"},
		"NoWindow":       {"nothing with the window", args{"sum(x > 2)", "count(x)"}, "its range is not the window"},
		"Offset":         {"an offset cannot be counted", args{`sum(rate(x{a="1"}[5m] offset 5m))`, "sum(rate(x[5m]))"}, "its range is not the window"},
		"AnyName":        {"nor a pattern of names", args{`sum(rate({__name__=~"x.*"}[5m]))`, "sum(rate(x[5m]))"}, "its range is not the window"},
		"Mixed":          {"a rate of an increase", args{"sum(increase(x_errors[W]))", "sum(rate(x[W]))"}, "it is an increase and the total is a rate"},
		"Template":       {"other templates", args{"sum(rate(x[{{.range}}]))", "sum(rate(x[W]))"}, "it holds a template"},
		"WindowOffset":   {"the window as an offset", args{`sum(rate(x{a="1"}[W] offset {{.window}}))`, "sum(rate(x[W]))"}, "error: slos[0].sli.events.error_query: the window stands elsewhere than as a range"},
		"WindowStep":     {"as a step", args{"sum_over_time(x[W:1m])", "count_over_time(x[5m:{{.window}}])"}, "error: slos[0].sli.events.total_query: the window stands elsewhere than as a range"},
		"WindowNumber":   {"as a number", args{"sum_over_time(x[W]) * {{.window}}", "count_over_time(x[W])"}, "error: slos[0].sli.events.error_query: the window stands elsewhere than as a range"},
		"WindowName":     {"in a name", args{"x:rate{{.window}}", "sum(rate(x[W]))"}, "error: slos[0].sli.events.error_query: the window stands elsewhere than as a range"},
		"WindowLabel":    {"in the value of a label", args{`sum(rate(x{over="{{.window}}"}[W]))`, "sum(rate(x[W]))"}, "error: slos[0].sli.events.error_query: the window stands elsewhere than as a range"},
		"Syntax":         {"no PromQL", args{"sum(rate(x[W])", "sum(rate(x[W]))"}, "unclosed left parenthesis"},
		"Missing":        {"nothing", args{"", "sum(rate(x[W]))"}, "slos[0].sli.events.error_query"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			window := strings.NewReplacer("[W", "[{{.window}}")
			o, told := converted(Sloth, slothWith(map[string]any{"events": map[string]any{
				"error_query": window.Replace(tc.args.bad), "total_query": window.Replace(tc.args.total),
			}}))
			got := told
			if o != nil {
				got = shownAs(o.Spec.Indicator)
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("%s: want %s\ngot %s", tc.reason, tc.want, got)
			}
		})
	}
}

// TestRatioQueries reads ratios that are computed already.
func TestRatioQueries(t *testing.T) {
	cases := map[string]struct{ reason, args, want string }{
		"Division":     {"bad by total", `sum(rate(x{code="500"}[W])) / sum(rate(x[W]))`, `bad x{code="500"} of x`},
		"Parentheses":  {"in parentheses", `(sum(rate(x{code="500"}[W])) / sum(rate(x[W]))) or vector(0)`, `bad x{code="500"} of x`},
		"Inverse":      {"one less good by total", `1 - (sum(rate(x{code="200"}[W])) / sum(rate(x[W])))`, `good x{code="200"} of x`},
		"InverseOne":   {"the one in parentheses", `(1) - sum(rate(x{code="200"}[W])) / sum(rate(x[W]))`, `good x{code="200"} of x`},
		"TwiceInverse": {"twice", `1 - (1 - sum(rate(x{code="500"}[W])) / sum(rate(x[W])))`, `bad x{code="500"} of x`},
		"Latency":      {"a bucket", `1 - sum(rate(h_bucket{le="1"}[W])) / sum(rate(h_count[W]))`, "h within 1"},
		"Average":      {"a mean over the window", `avg_over_time(r[W])`, "points sum(1 - (avg_over_time(r[$interval]))) events sum((avg_over_time(r[$interval])) * 0 + 1)"},
		"Gauge":        {"a gauge", `job:errors:ratio`, "points sum(1 - (avg_over_time(job:errors:ratio[$interval]))) events"},
		"GaugeZero":    {"a gauge that is no failure where it is absent", `(r{a="1"}) or on() vector(0)`, `points sum(1 - (avg_over_time(r{a="1"}[$interval]))) or vector(1) events sum((avg_over_time(r{a="1"}[$interval])) * 0 + 1) or vector(1)`},
		"AverageZero":  {"a mean of it", `avg_over_time(r[W]) or vector(0)`, `points sum(1 - (avg_over_time(r[$interval]))) or vector(1) events sum((avg_over_time(r[$interval])) * 0 + 1) or vector(1)`},
		"GaugeOffset":  {"a gauge of another time", `r offset 5m`, "points sum(1 - (avg_over_time(r[$interval] offset 5m))) events"},
		"Mixed":        {"a ratio of a rate and an increase", `sum(rate(x[W])) / sum(increase(y[W]))`, "points sum(1 - (sum(rate(x[$interval])) / sum(increase(y[$interval])))) events"},
		"WindowOffset": {"the window as an offset", `avg_over_time(r[W] offset {{.window}})`, "error: slos[0].sli.raw.error_ratio_query: the window stands elsewhere than as a range"},
		"NoWindow":     {"no window to put the minute in", `max(r)`, "its window is not a range of it"},
		"Syntax":       {"no PromQL", `r[`, "parse"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, told := converted(Sloth, slothWith(map[string]any{"raw": map[string]any{"error_ratio_query": strings.ReplaceAll(tc.args, "[W", "[{{.window}}")}}))
			got := told
			if o != nil {
				got = shownAs(o.Spec.Indicator)
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("%s: want %s\ngot %s", tc.reason, tc.want, got)
			}
		})
	}
}

// TestAbsentRatios keeps what a ratio of good events says where it is absent, or
// tells that it cannot.
func TestAbsentRatios(t *testing.T) {
	const never, nothing = "so it is never absent to alerting.dataAbsent", "its 0 is all bad: it weighs nothing here"
	cases := map[string]struct {
		reason, kind, args string
		// want is the indicator in short, and told a part of what is told.
		want, told string
	}{
		"Gauge":          {"a gauge", "success", "r", "points sum((avg_over_time(r[$interval]))) events sum((avg_over_time(r[$interval])) * 0 + 1)", ""},
		"GaugeZero":      {"bad where it is absent", "success", "r or vector(0)", "points sum((avg_over_time(r[$interval]))) or vector(0) events sum((avg_over_time(r[$interval])) * 0 + 1) or vector(1)", never},
		"FailureZero":    {"good where it is absent", "failure", "r or vector(0)", "points sum(1 - (avg_over_time(r[$interval]))) or vector(1) events sum((avg_over_time(r[$interval])) * 0 + 1) or vector(1)", never},
		"Division":       {"events", "success", "sum(rate(g[5m])) / sum(rate(x[5m]))", "good g of x", ""},
		"DivisionZero":   {"bad without events", "success", "(sum(rate(g[5m])) / sum(rate(x[5m]))) or vector(0)", "good g of x", nothing},
		"DivisionGood":   {"good without events", "failure", "(sum(rate(b[5m])) / sum(rate(x[5m]))) or vector(0)", "bad b of x", ""},
		"Inverse":        {"one less what is good without events", "success", "1 - (sum(rate(b[5m])) / sum(rate(x[5m])) or vector(0))", "bad b of x", ""},
		"InverseZero":    {"or bad", "success", "(1 - sum(rate(b[5m])) / sum(rate(x[5m]))) or vector(0)", "bad b of x", nothing},
		"InverseFailure": {"one less what is bad without events", "failure", "1 - (sum(rate(g[5m])) / sum(rate(x[5m])) or vector(0))", "good g of x", nothing},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			raw := fmt.Sprintf("rawType: %s, raw: {metricSource: {type: Prometheus, spec: {query: %q}}}, x:", tc.kind, tc.args)
			o, told := converted(OpenSLO, openSLOWith("good:", raw, "total: {metricSource: {type: Prometheus, spec: {query: x}}}", "y: 1"))
			if o == nil {
				t.Fatalf("%s: it is refused: %s", tc.reason, told)
			}
			if diff := cmp.Diff(tc.want, shownAs(o.Spec.Indicator)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			for _, note := range []string{never, nothing} {
				if strings.Contains(told, note) != (note == tc.told) {
					t.Errorf("%s: want to be told %q, got\n%s", tc.reason, tc.told, told)
				}
			}
		})
	}
}

// TestGroupsAreTold tells where groups are counted together, and not where the
// query itself does so.
func TestGroupsAreTold(t *testing.T) {
	const note = "all groups are counted together"
	events := func(bad, total string) map[string]any {
		return map[string]any{"events": map[string]any{"error_query": bad, "total_query": total}}
	}
	raw := func(ratio string) map[string]any {
		return map[string]any{"raw": map[string]any{"error_ratio_query": ratio}}
	}
	cases := map[string]struct {
		reason string
		args   map[string]any
		want   bool
	}{
		"Events":    {"a sum for each job", events("sum by (job) (rate(x_errors[5m]))", "sum by (job) (rate(x[5m]))"), true},
		"Total":     {"of the total alone", events("sum(rate(x_errors[5m]))", "sum without (pod) (rate(x[5m]))"), true},
		"NoSum":     {"no sum of counters", events("sum by (job) (irate(x_errors[$window]))", "sum by (job) (irate(x[$window]))"), true},
		"Division":  {"a ratio for each job", raw("sum by (job) (rate(x_errors[5m])) / sum by (job) (rate(x[5m]))"), true},
		"Inverse":   {"one less it", raw("1 - (sum by (job) (rate(y[5m])) / sum by (job) (rate(x[5m])))"), true},
		"Average":   {"the worst of each job", raw("max by (job) (avg_over_time(r[$window]))"), true},
		"Highest":   {"the groups that are worst", raw("topk(3, sum by (job) (avg_over_time(r[$window])))"), true},
		"None":      {"no groups", events("sum(rate(x_errors[5m]))", "sum(rate(x[5m]))"), false},
		"NoneRaw":   {"nor in a ratio", raw("sum(rate(x_errors[5m])) / sum(rate(x[5m]))"), false},
		"Added":     {"groups that are added up", events("sum(sum by (job) (rate(x_errors[5m])))", "sum(rate(x[5m]))"), false},
		"AddedRaw":  {"in a ratio", raw("sum(sum by (job) (rate(x_errors[5m]))) / sum(rate(x[5m]))"), false},
		"AllAtOnce": {"the worst of all groups", raw("max(sum by (job) (avg_over_time(r[$window])))"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, told := converted(Sloth, slothWith(tc.args))
			if o == nil || strings.Contains(told, note) != tc.want {
				t.Errorf("%s: want to be told: %t, got an objective: %t, and\n%s", tc.reason, tc.want, o != nil, told)
			}
		})
	}
}

// TestPlaceholders are how windows are written.
func TestPlaceholders(t *testing.T) {
	for _, text := range []string{"{{.window}}", "{{ .window }}", "{{-.window-}}", "$window", "${window}", "$interval", "$__rate_interval", "$__range", "$__interval", "${__rate_interval}"} {
		q, err := parseQuery("rate(x[" + text + "])")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff("rate(x[$interval])", q.overInterval()); diff != "" || !q.windowed {
			t.Errorf("%s: -want, +got:\n%s", text, diff)
		}
	}
	for _, text := range []string{"$windows", "{{.windows}}", "$other", "{{window}}"} {
		if q, err := parseQuery("rate(x[" + text + "])"); err == nil {
			t.Errorf("%s is taken for a window: %s", text, q.overInterval())
		}
	}
	if q, err := parseQuery("rate(x[5m])"); err != nil || q.windowed {
		t.Errorf("a fixed range is taken for the window: %v, %v", q, err)
	}
}
