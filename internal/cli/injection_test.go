package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// fate is what becomes of a parameter's value: it is refused, by the API server or
// by the operator, or stays a value.
type fate string

const (
	byServer   fate = "API server"
	byOperator fate = "operator"
	staysValue fate = "value"
)

// fates are those of one value given as a parameter of each type.
type fates struct{ String, Regex, Number, Duration fate }

// attacked is an indicator that uses a parameter of each type wherever one may stand.
var attacked = v1alpha1.IndicatorSpec{
	Parameters: []v1alpha1.Parameter{
		{Name: "string", Default: new(v1alpha1.ParameterValue("a"))},
		{Name: "regex", Type: v1alpha1.ParameterTypeRegex, Default: new(v1alpha1.ParameterValue("a"))},
		{Name: "number", Type: v1alpha1.ParameterTypeNumber, Default: new(v1alpha1.ParameterValue("1"))},
		{Name: "duration", Type: v1alpha1.ParameterTypeDuration, Default: new(v1alpha1.ParameterValue("1m"))},
	},
	Template: v1alpha1.IndicatorTemplate{Queries: &v1alpha1.QueriesIndicator{
		Points: `sum(increase(good_total{a="${string}",b=~"${string}|x",c=~"${regex}",d!~"y${regex}"}[$interval])) * ${number}`,
		Events: "sum(increase({__name__=\"${string}\",a=`${string}`}[$interval] offset ${duration})) + max_over_time(b[${duration}:1m])",
	}},
}

// TestInjections gives values that are made to be more than values, through the
// admission of a real API server and through the operator's compiler: each is refused
// or stays what it is, and the query that it is put into keeps its shape.
func TestInjections(t *testing.T) {
	namespace := space(t)
	refused := fates{byOperator, byOperator, byOperator, byOperator}
	text := fates{staysValue, staysValue, byOperator, byOperator}
	long := fates{byServer, byServer, byServer, byServer}
	cases := map[string]struct {
		reason, value string
		want          fates
	}{
		"Plain":       {"what is meant", "checkout", text},
		"Quotes":      {"the end of a string, and more", `"} or vector(1) #`, text},
		"Single":      {"in other quotes", `'} or vector(1) #`, text},
		"Backtick":    {"and in those of raw strings", "`} or vector(1) #", text},
		"Matcher":     {"a matcher more", `a",namespace!="`, text},
		"Backslash":   {"an escape of the quote behind it; a regular expression cannot end so", `\`, fates{staysValue, byOperator, byOperator, byOperator}},
		"Escaped":     {"an escape and a quote", `\"} or vector(1) #`, text},
		"Group":       {"the end of the group that a pattern is put into", `a)|(?:.*`, fates{staysValue, byOperator, byOperator, byOperator}},
		"Everything":  {"a pattern may match everything: that is what it is for", ".*", text},
		"Flags":       {"and have flags", "(?i)a|b", text},
		"Repeat":      {"but be no heap of automata", "((a{100}){100}){100}", fates{staysValue, byOperator, byOperator, byOperator}},
		"Reference":   {"a reference to another parameter", "${number}", fates{staysValue, staysValue, byOperator, byOperator}},
		"Interval":    {"and to the range of a query", "a$interval", refused},
		"Template":    {"what Prometheus' templates would expand", `{{ query "up" }}`, text},
		"Group1":      {"what a replacement would expand", "$1${1}", fates{staysValue, staysValue, byOperator, byOperator}},
		"Newline":     {"a line break, and a line of its own", "a\n} or vector(1)\n#", refused},
		"Return":      {"half of one", "a\rb", refused},
		"Nothing":     {"the end of a string in C", "a\x00b", refused},
		"Escape":      {"what colours a terminal", "\x1b[31m", refused},
		"Cyrillic":    {"letters of any script", "магазин", text},
		"Mirror":      {"which turns round what is behind it on a screen, and in no query", "a\u202eb", text},
		"Separator":   {"a line break of Unicode's, which is none of PromQL's", "a\u2028b", text},
		"Emoji":       {"four bytes each", "🛒", text},
		"Limit":       {"as long as it may be", strings.Repeat("x", 256), text},
		"Long":        {"a byte more", strings.Repeat("x", 257), long},
		"Longest":     {"10 kB", strings.Repeat("x", 10_000), long},
		"LongLetters": {"200 letters of two bytes, which the API server counts as 200", strings.Repeat("я", 200), refused},
		"Empty":       {"nothing at all is no name of a metric", "", fates{byOperator, staysValue, byOperator, byOperator}},
		"Number":      {"a number", "-2.5", fates{staysValue, staysValue, staysValue, byOperator}},
		"Exponent":    {"one in other words", "1e400", text},
		"NotANumber":  {"none", "NaN", text},
		"Sum":         {"two of them", "1 or vector(1)", text},
		"Duration":    {"a duration", "5m", fates{staysValue, staysValue, byOperator, staysValue}},
		"Negative":    {"one that leads into the future", "-5m", text},
		"Zero":        {"one that is none", "0s", text},
		"Subquery":    {"the end of a range, and a range behind it", "5m] or x[1m", fates{staysValue, byOperator, byOperator, byOperator}},
	}
	plane := dryRun(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := fates{}
			for _, parameter := range []struct {
				name string
				fate *fate
			}{{"string", &got.String}, {"regex", &got.Regex}, {"number", &got.Number}, {"duration", &got.Duration}} {
				outcome, says := attack(t, plane, namespace, parameter.name, tc.value)
				*parameter.fate = outcome
				t.Logf("%-20.40q as %-8s  %-10s  %.200s", tc.value, parameter.name, outcome, says)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// dryRun speaks to the API server, which admits objects and keeps none.
func dryRun(t *testing.T) client.Client {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", plane.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // as fast as the server answers
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return client.NewDryRunClient(c)
}

// attack gives a value as one parameter, and says what became of it.
func attack(t *testing.T, admission client.Client, namespace, parameter, value string) (fate, string) {
	t.Helper()
	o := &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "attacked"}}
	o.Spec = v1alpha1.ObjectiveSpec{
		Service: "shop", Perspective: v1alpha1.PerspectiveUX, Target: "99%", Window: v1alpha1.Window{Rolling: "1d"},
		Indicator: v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{
			Kind: v1alpha1.IndicatorKindIndicator, Name: "attacked", Parameters: map[string]v1alpha1.ParameterValue{parameter: v1alpha1.ParameterValue(value)},
		}},
	}
	if err := admission.Create(t.Context(), o); err != nil {
		return byServer, err.Error()
	}
	if got := string(o.Spec.Indicator.Ref.Parameters[parameter]); got != value {
		t.Errorf("the API server made %q of %q", got, value)
	}
	in := compile.Input{Objective: o, Indicator: &attacked, Source: &v1alpha1.MetricSourceSpec{}, Now: now}
	plan, filled, err := compiled(in)
	if err != nil {
		return byOperator, err.Error()
	}
	o = o.DeepCopy()
	o.Spec.Indicator.Ref.Parameters = nil
	in.Objective = o
	harmless, plain, err := compiled(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]v1alpha1.PromQL{{plain.Queries.Points, filled.Queries.Points}, {plain.Queries.Events, filled.Queries.Events}} {
		if diff := cmp.Diff(skeleton(t, string(pair[0])), skeleton(t, string(pair[1]))); diff != "" {
			t.Errorf("%q makes another query of it: -plain, +attacked:\n%s", value, diff)
		}
	}
	if diff := cmp.Diff(countedBy(t, harmless), countedBy(t, plan)); diff != "" {
		t.Errorf("%q makes another count of it: -plain, +attacked:\n%s", value, diff)
	}
	return staysValue, string(filled.Queries.Points)
}

// countedBy is the shape of the query by which a minute is counted.
func countedBy(t *testing.T, plan *compile.Plan) string {
	t.Helper()
	if err := plan.Bind(nil); err != nil {
		t.Fatal(err)
	}
	reads, err := plan.Recipe.Reads()
	if err != nil {
		t.Fatal(err)
	}
	return skeleton(t, reads.Minute)
}

// skeleton prints an expression without the values of its matchers, its numbers and
// its durations.
func skeleton(t *testing.T, expr string) string {
	t.Helper()
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%q: %v", expr, err)
	}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.NumberLiteral:
			n.Val = 1
		case *parser.MatrixSelector:
			n.Range = 1e9
		case *parser.SubqueryExpr:
			n.Range, n.OriginalOffset = 1e9, 0
		case *parser.VectorSelector:
			n.OriginalOffset = 0
			for _, m := range n.LabelMatchers {
				m.Value = ""
			}
		}
		return nil
	})
	return tree.String()
}
