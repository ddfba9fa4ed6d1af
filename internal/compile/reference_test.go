package compile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

type parameters = map[string]v1alpha1.ParameterValue

// refers builds an objective that refers to the ClusterIndicator web-lcp.
func refers(given parameters, options ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	return objective(v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{
		Kind: v1alpha1.IndicatorKindClusterIndicator, Name: "web-lcp", Parameters: given,
	}}, options...)
}

// indicator builds one of a histogram with an app and a threshold.
func indicator(options ...func(*v1alpha1.IndicatorSpec)) *v1alpha1.IndicatorSpec {
	spec := &v1alpha1.IndicatorSpec{
		Parameters: []v1alpha1.Parameter{
			{Name: "app", Description: "the app."},
			{Name: "threshold", Type: v1alpha1.ParameterTypeNumber, Default: new(v1alpha1.ParameterValue("2.5"))},
		},
		Template: v1alpha1.IndicatorTemplate{Distribution: &v1alpha1.DistributionTemplate{
			Histogram: `lcp_seconds{app="${app}"}`, Threshold: "${threshold}", PoorAbove: "4",
		}},
	}
	for _, option := range options {
		option(spec)
	}
	return spec
}

func templated(t v1alpha1.IndicatorTemplate, declared ...v1alpha1.Parameter) func(*v1alpha1.IndicatorSpec) {
	return func(s *v1alpha1.IndicatorSpec) { s.Template, s.Parameters = t, declared }
}

func declared(change func(*v1alpha1.Parameter)) func(*v1alpha1.IndicatorSpec) {
	return func(s *v1alpha1.IndicatorSpec) { change(&s.Parameters[0]) }
}

// TestSameAsInline compiles each member by reference and by itself.
func TestSameAsInline(t *testing.T) {
	app := v1alpha1.Parameter{Name: "app"}
	limit := v1alpha1.Parameter{Name: "limit", Type: v1alpha1.ParameterTypeNumber}
	within := v1alpha1.Parameter{Name: "within", Type: v1alpha1.ParameterTypeDuration}
	given := parameters{"app": "shop"}
	limited := parameters{"app": "shop", "limit": "0.25"}
	cases := map[string]struct {
		reason string
		spec   *v1alpha1.IndicatorSpec
		given  parameters
		inline v1alpha1.ObjectiveIndicator
		target v1alpha1.Target
	}{
		"Events": {"bad of all", indicator(templated(v1alpha1.IndicatorTemplate{Events: &v1alpha1.EventsIndicator{Bad: `bad_total{app="${app}"}`, Total: `all_total{app="${app}"}`}}, app)), given,
			events("", `bad_total{app="shop"}`, `all_total{app="shop"}`), "75%"},
		"Distribution": {"a default", indicator(), given,
			v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: `lcp_seconds{app="shop"}`, Threshold: "2.5", PoorAbove: "4"}}, "75%"},
		"Apdex": {"numbers and matchers", indicator(templated(v1alpha1.IndicatorTemplate{Apdex: &v1alpha1.ApdexTemplate{Histogram: "h_seconds", Satisfied: "${limit}", Tolerated: "2.5", Failed: `{code="${app}"}`}}, app, limit)), limited,
			v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "h_seconds", Satisfied: "0.25", Tolerated: "2.5", Failed: `{code="shop"}`}}, "0.85"},
		"Mean": {"two counters", indicator(templated(v1alpha1.IndicatorTemplate{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Sum: `s{a="${app}"}`, Count: `c{a="${app}"}`, Lowest: "1", Highest: "5"}}}, app)), given,
			v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Sum: `s{a="shop"}`, Count: `c{a="shop"}`, Lowest: "1", Highest: "5"}}}, "4"},
		"NetPromoter": {"three", indicator(templated(v1alpha1.IndicatorTemplate{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{Promoters: `p{a="${app}"}`, Detractors: `d{a="${app}"}`, Responses: "r"}}}, app)), given,
			v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{Promoters: `p{a="shop"}`, Detractors: `d{a="shop"}`, Responses: "r"}}}, "30"},
		"State": {"a range and a value", indicator(templated(v1alpha1.IndicatorTemplate{State: &v1alpha1.StateTemplate{Query: "max_over_time(q[${within}])", Operator: v1alpha1.OperatorLessThan, Value: "${limit}", NoData: v1alpha1.NoDataBad}}, limit, within)), parameters{"limit": "5", "within": "10m"},
			v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "max_over_time(q[10m])", Operator: v1alpha1.OperatorLessThan, Value: "5", NoData: v1alpha1.NoDataBad}}, "99%"},
		"Queries": {"over $interval", indicator(templated(v1alpha1.IndicatorTemplate{Queries: &v1alpha1.QueriesIndicator{Points: `increase(p{a="${app}"}[$interval])`, Events: "increase(e[$interval])"}}, app)), given,
			v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: `increase(p{a="shop"}[$interval])`, Events: "increase(e[$interval])"}}, "95%"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := compile.CheckIndicator(tc.spec); err != nil {
				t.Errorf("%s: CheckIndicator: %v", tc.reason, err)
			}
			in := input(refers(tc.given, target(tc.target)))
			in.Indicator = tc.spec
			a, err := compile.Compile(in)
			if err != nil {
				t.Fatal(err)
			}
			b, err := compile.Compile(input(objective(tc.inline, target(tc.target))))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*compile.Plan{a, b} {
				if err := p.Bind(promql.NewBoundaries([]string{"0.25", "2.5", "4", "+Inf"})); err != nil {
					t.Fatal(err)
				}
			}
			if unit, err := compile.UnitOf(in); err != nil || unit != b.Unit {
				t.Errorf("%s: by reference the unit is %v (%v), want %v", tc.reason, unit, err, b.Unit)
			}
			if a.Recipe.ID() != b.Recipe.ID() {
				t.Errorf("%s: by reference it counts something else: %+v, %+v", tc.reason, a.Recipe.Lanes, b.Recipe.Lanes)
			}
		})
	}
}

const ofIndicator = "ClusterIndicator web-lcp: "

func TestReferenceRefuses(t *testing.T) {
	type args struct {
		spec    *v1alpha1.IndicatorSpec
		given   parameters
		options []func(*v1alpha1.Objective)
	}
	given := parameters{"app": "shop"}
	page := func(o *v1alpha1.Objective) {
		o.Spec.Target, o.Spec.Alerting = "4", &v1alpha1.Alerting{Page: &v1alpha1.AlertTier{}}
	}
	mean := templated(v1alpha1.IndicatorTemplate{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Sum: "s", Count: "c", Lowest: "1", Highest: "5"}}})
	wild := func(s *v1alpha1.IndicatorSpec) { s.Parameters[0].Type = "Regex" }
	cases := map[string]struct {
		reason string
		args   args
		want   mistake
	}{
		"NotFound":   {"there is no such indicator", args{nil, given, nil}, mistake{"IndicatorNotFound", "spec.indicator.ref", "ClusterIndicator web-lcp does not exist: create it, or name another"}},
		"Missing":    {"a parameter without a default", args{indicator(), nil, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters", "app is missing and has no default: add it, a String (the app)"}},
		"Unknown":    {"a parameter that is none", args{indicator(), parameters{"app": "shop", "ap": "x"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.ap", "the indicator has no such parameter: its parameters are app, threshold"}},
		"NoneAtAll":  {"where there are none", args{indicator(mean), given, []func(*v1alpha1.Objective){target("4")}}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", "the indicator has no such parameter: it has no parameters"}},
		"Number":     {"no number", args{indicator(), parameters{"app": "shop", "threshold": "2.5 or vector(1)"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.threshold", `"2.5 or vector(1)" is no Number: write one such as "2.5"`}},
		"NaN":        {"nor is this", args{indicator(), parameters{"app": "shop", "threshold": "NaN"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.threshold", `"NaN" is no Number: write one such as "2.5"`}},
		"Regex":      {"no regular expression", args{indicator(wild), parameters{"app": "("}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", "\"(\" is no Regex: error parsing regexp: missing closing ): `(`"}},
		"Pattern":    {"what the pattern leaves out", args{indicator(declared(func(p *v1alpha1.Parameter) { p.Pattern = "[a-z]+" })), parameters{"app": "shop-1"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", `"shop-1" does not match the pattern [a-z]+: write a String (the app)`}},
		"Interval":   {"the range of a query, which would be one", args{indicator(), parameters{"app": "a$interval"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", `"a$interval" holds $interval, which is the range of a query: leave it out`}},
		"Newline":    {"a line break", args{indicator(), parameters{"app": "a\nb"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", `"a\nb" holds a line break or another control character: leave it out`}},
		"Long":       {"ten kilobytes", args{indicator(), parameters{"app": v1alpha1.ParameterValue(strings.Repeat("x", 10_000))}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", "it has 10000 bytes: write at most 256"}},
		"Bytes":      {"no text", args{indicator(), parameters{"app": "\xff"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref.parameters.app", "it is no UTF-8: write plain text"}},
		"Order":      {"numbers that cannot stand together", args{indicator(), parameters{"app": "shop", "threshold": "5"}, nil}, mistake{"InvalidParameter", "spec.indicator.ref", ofIndicator + "spec.template.distribution.poorAbove: 4 must be greater than threshold, which is 5: give other parameters"}},
		"Page":       {"a survey never pages", args{indicator(mean), nil, []func(*v1alpha1.Objective){page}}, mistake{"InvalidSpec", "spec.alerting.page", "it cannot be set for a score: surveys never page, use alerting.ticket"}},
		"Target":     {"a target in another unit", args{indicator(), given, []func(*v1alpha1.Objective){target("4")}}, mistake{"InvalidTarget", "spec.target", `target "4" is a plain number, but this indicator is measured in percent: write it like "75%"`}},
		"BadDefault": {"the indicator's own fault", args{indicator(func(s *v1alpha1.IndicatorSpec) { s.Parameters[1].Default = new(v1alpha1.ParameterValue("x")) }), given, nil}, mistake{"InvalidIndicator", "spec.indicator.ref", ofIndicator + `spec.parameters[1].default: "x" is no Number: write one such as "2.5"`}},
		"BadPattern": {"a pattern that is none", args{indicator(declared(func(p *v1alpha1.Parameter) { p.Pattern = "(" })), given, nil}, mistake{"InvalidIndicator", "spec.indicator.ref", ofIndicator + "spec.parameters[0].pattern: error parsing regexp: missing closing ): `(`"}},
		"Unused":     {"a parameter without effect", args{indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Histogram = "h" }), given, nil}, mistake{"InvalidIndicator", "spec.indicator.ref", ofIndicator + "spec.parameters[0]: the template uses no ${app}: use it, or remove the parameter"}},
		"Undeclared": {"a reference to nothing", args{indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Histogram = `h{a="${ap}"}` }), given, nil}, mistake{"InvalidIndicator", "spec.indicator.ref", ofIndicator + "spec.template.distribution.histogram: ${ap} is no parameter: add it to spec.parameters"}},
		"WrongType":  {"a text for a number", args{indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Threshold = "${app}" }), given, nil}, mistake{"InvalidIndicator", "spec.indicator.ref", ofIndicator + "spec.template.distribution.threshold: ${app} is no parameter of type Number: add it to spec.parameters"}},
		"Selector":   {"a template that no objective could have", args{indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Histogram = `rate(h{app="${app}"}[5m])` }), given, nil}, mistake{"InvalidQuery", "spec.indicator.ref", ofIndicator + `spec.template.distribution.histogram: "rate(h{app=\"shop\"}[5m])" is a call of rate: write the plain counter selector inside it, such as h{app="shop"}`}},
		"Confined":   {"a parameter leads nowhere that the source does not allow", args{indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Histogram = `h{namespace="${app}"}` }), parameters{"app": "bank"}, nil}, mistake{"InvalidQuery", "spec.indicator.ref", ofIndicator + `spec.template.distribution: the metric source confines every query to namespace="shop": remove the matcher on "namespace" (conflicting label matcher: label matcher "namespace=\"bank\"" conflicts with injected matcher "namespace=\"shop\"")`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := input(refers(tc.args.given, tc.args.options...))
			in.Indicator = tc.args.spec
			plan, err := compile.Compile(in)
			var got *compile.Error
			if !errors.As(err, &got) {
				t.Fatalf("%s: Compile(...) = %v, %v", tc.reason, plan, err)
			}
			if diff := cmp.Diff(tc.want, mistake{got.Reason, got.Field, got.Err.Error()}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestReferenceBinds has the indicator named when its threshold is no boundary.
func TestReferenceBinds(t *testing.T) {
	in := input(refers(parameters{"app": "shop", "threshold": "3"}))
	in.Indicator = indicator()
	plan, err := compile.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	want := "spec.indicator.ref: " + ofIndicator + "spec.template.distribution.threshold: 3 is no bucket boundary of lcp_seconds: "
	if err := plan.Bind(promql.NewBoundaries([]string{"2.5", "4", "+Inf"})); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Bind: %v, want it to begin with %q", err, want)
	}
}

func TestCheckIndicator(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   *v1alpha1.IndicatorSpec
		want   string
	}{
		"Good":       {"a parameter is taken to have a value", indicator(), ""},
		"Pattern":    {"whatever its pattern", indicator(declared(func(p *v1alpha1.Parameter) { p.Pattern = "[0-9]{7}" })), ""},
		"BadPattern": {"unless it is none", indicator(declared(func(p *v1alpha1.Parameter) { p.Pattern = "[" })), "spec.parameters[0].pattern: error parsing regexp: missing closing ]: `[`"},
		"Selector":   {"fields are those of the indicator", indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Histogram = `rate(h{app="${app}"}[5m])` }), `spec.template.distribution.histogram: "rate(h{app=\"a\"}[5m])" is a call of rate: write the plain counter selector inside it, such as h{app="a"}`},
		"Unused":     {"what nothing uses", indicator(func(s *v1alpha1.IndicatorSpec) { s.Template.Distribution.Threshold = "2.5" }), "spec.parameters[1]: the template uses no ${threshold}: use it, or remove the parameter"},
		"Order":      {"numbers are compared where all are known", indicator(templated(v1alpha1.IndicatorTemplate{Apdex: &v1alpha1.ApdexTemplate{Histogram: "h", Satisfied: "1", Tolerated: "0.5"}})), "spec.template.apdex.tolerated: 0.5 must be greater than satisfied, which is 1: give other parameters"},
		"Zero":       {"nobody is satisfied in no time", indicator(templated(v1alpha1.IndicatorTemplate{Apdex: &v1alpha1.ApdexTemplate{Histogram: "h", Satisfied: "0"}})), "spec.template.apdex.satisfied: 0 must be greater than zero, which is 0: give other parameters"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := compile.CheckIndicator(tc.spec); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
