package promql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/internal/promql"
)

func text(s string) promql.Value     { return promql.Value{Kind: promql.TextValue, Text: s} }
func pattern(s string) promql.Value  { return promql.Value{Kind: promql.PatternValue, Text: s} }
func decimal(s string) promql.Value  { return promql.Value{Kind: promql.NumberValue, Text: s} }
func duration(s string) promql.Value { return promql.Value{Kind: promql.DurationValue, Text: s} }

// filled is what becomes of a template: an expression, or an error and whether it
// is a value's fault.
type filled struct {
	Expr, Err string
	Value     bool
}

func fill(template string, values map[string]promql.Value) filled {
	out, err := promql.Fill(template, values)
	if err != nil {
		return filled{Err: err.Error(), Value: errors.Is(err, promql.ErrValue)}
	}
	return filled{Expr: out}
}

func TestFill(t *testing.T) {
	type args struct {
		template string
		value    promql.Value
	}
	cases := map[string]struct {
		reason string
		args   args
		want   filled
	}{
		"Text":          {"a label's value", args{`x{app="${v}"}`, text("shop")}, filled{Expr: `x{app="shop"}`}},
		"Part":          {"a part of one", args{`x{app="eu-${v}-web"}`, text("shop")}, filled{Expr: `x{app="eu-shop-web"}`}},
		"Quotes":        {"what would end the string and go on as PromQL is text", args{`x{app="${v}"}`, text(`"} or vector(1) #`)}, filled{Expr: `x{app="\"} or vector(1) #"}`}},
		"SingleQuotes":  {"however the template quotes", args{`x{app='${v}'}`, text(`'} or vector(1) #`)}, filled{Expr: `x{app="'} or vector(1) #"}`}},
		"Backtick":      {"a raw string too", args{"x{app=`${v}`}", text("`} or vector(1) #")}, filled{Expr: "x{app=\"`} or vector(1) #\"}"}},
		"Backslash":     {"a backslash escapes nothing", args{`x{app="${v}"}`, text(`\`)}, filled{Expr: `x{app="\\"}`}},
		"Newline":       {"a line break stays one, escaped", args{`x{app="${v}"}`, text("a\n} or vector(1)")}, filled{Expr: `x{app="a\n} or vector(1)"}`}},
		"Unicode":       {"letters of any script", args{`x{app="${v}"}`, text("магазин\u202e")}, filled{Expr: `x{app="магазин\u202e"}`}},
		"NoSecondTurn":  {"a value that reads as a reference is a value", args{`x{app="${v}"}`, text("${v}")}, filled{Expr: `x{app="${v}"}`}},
		"Quoted":        {"text in a regular expression stands for itself", args{`x{app=~"${v}|all"}`, text("a.b|.*")}, filled{Expr: `x{app=~"a\\.b\\|\\.\\*|all"}`}},
		"Pattern":       {"a regular expression is one, and its bars end with it", args{`x{app=~"a${v}"}`, pattern("b|.*")}, filled{Expr: `x{app=~"a(?:b|.*)"}`}},
		"PatternEqual":  {"which needs to be matched", args{`x{app="${v}"}`, pattern("b|.*")}, filled{Err: "${v} is a regular expression: match it with =~ or !~"}},
		"Metric":        {"the name of a metric is a label", args{`{__name__="${v}",a="b"}`, text("lcp")}, filled{Expr: `{__name__="lcp",a="b"}`}},
		"Number":        {"a number, with its sign", args{`x > ${v}`, decimal("-2.5")}, filled{Expr: `x > (-2.5)`}},
		"Power":         {"which no operator takes from it", args{`${v} ^ 2`, decimal("-2.5")}, filled{Expr: `(-2.5) ^ 2`}},
		"Minus":         {"nor doubles", args{`x - -${v}`, decimal("-2.5")}, filled{Expr: `x - -(-2.5)`}},
		"NumberText":    {"a number may be a label's value", args{`x{le="${v}"}`, decimal("2.5")}, filled{Expr: `x{le="2.5"}`}},
		"Argument":      {"an argument of a function that takes a number", args{`histogram_quantile(${v}, x)`, decimal("0.75")}, filled{Expr: `histogram_quantile((0.75), x)`}},
		"Range":         {"a range", args{`avg_over_time(x[${v}])`, duration("5m")}, filled{Expr: `avg_over_time(x[5m])`}},
		"Subquery":      {"a subquery's range and step", args{`max_over_time(x[1h:${v}])`, duration("90s")}, filled{Expr: `max_over_time(x[1h:1m30s])`}},
		"Offset":        {"an offset, and one to the future", args{`x offset ${v} + x offset -${v}`, duration("1d")}, filled{Expr: `x offset 1d + x offset -1d`}},
		"ZeroRange":     {"a range of nothing is the value's fault", args{`avg_over_time(x[${v}])`, duration("0s")}, filled{Err: `value of a parameter: it cannot stand in "avg_over_time(x[${v}])"`, Value: true}},
		"Comment":       {"a comment is no place", args{"x # ${w}\n", text("a")}, filled{Expr: "x"}},
		"TextInCode":    {"text that is in no string", args{`${v}`, text("x")}, filled{Err: "${v} is no number and no duration: write it in quotes, as the value of a label's matcher"}},
		"Function":      {"an argument that is a text", args{`label_replace(x, "a", "${v}", "b", "")`, text("c")}, filled{Err: `"${v}": a parameter cannot be the name of a label or of a metric, nor an argument of a function: write {__name__="${metric}"} for the name of a metric`}},
		"LabelName":     {"a label's name", args{`x{"${v}"="a"}`, text("c")}, filled{Err: `"${v}": a parameter cannot be the name of a label or of a metric, nor an argument of a function: write {__name__="${metric}"} for the name of a metric`}},
		"Grouping":      {"nor the label that is summed by", args{`sum by ("${v}") (x)`, text("c")}, filled{Err: `"${v}": a parameter cannot be the name of a label or of a metric, nor an argument of a function: write {__name__="${metric}"} for the name of a metric`}},
		"At":            {"nor a time", args{`x @ ${v}`, duration("5m")}, filled{Err: "${v} stands where no value can: write it as the value of a label's matcher, as a number or as a duration"}},
		"Unknown":       {"a name that is no parameter's", args{`x{app="${w}"}`, text("a")}, filled{Err: "${w} is no parameter: add it to spec.parameters"}},
		"UnknownNumber": {"in the place of a number", args{`x > ${w}`, text("a")}, filled{Err: "${w} is no parameter: add it to spec.parameters"}},
		"Misspelt":      {"no name at all", args{`x{app="${V}"}`, text("a")}, filled{Err: "${ begins the name of a parameter, such as ${app}: write [$]{ in a regular expression that means a brace"}},
		"BadPattern": {"a regular expression that only the whole makes one too many of", args{`x{app=~"${v}{1000}"}`, pattern("(?:a{1000})")}, filled{
			Err: "value of a parameter: \"(?:(?:a{1000})){1000}\": error parsing regexp: invalid repeat count: `{1000}`", Value: true}},
		"TooLong": {"a template that only its author can mend", args{"x + " + strings.Repeat("(", 4100), text("a")}, filled{Err: "the expression has 4104 characters: write at most 4096, or record a part of it as a rule"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, fill(tc.args.template, map[string]promql.Value{"v": tc.args.value})); diff != "" {
				t.Errorf("%s: Fill(%q, %+v): -want, +got:\n%s", tc.reason, tc.args.template, tc.args.value, diff)
			}
		})
	}
}

func TestFillMatchers(t *testing.T) {
	cases := map[string]struct{ reason, args, want string }{
		"Plain":  {"matchers of labels", `{code=~"${v}"}`, `{code=~"5\\.\\."}`},
		"Escape": {"braces in a value end nothing", `{code="}${v}"}`, `{code="}5.."}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := promql.FillMatchers(tc.args, map[string]promql.Value{"v": text("5..")})
			if err != nil || got != tc.want {
				t.Errorf("%s: FillMatchers(%q) = %q, %v, want %q", tc.reason, tc.args, got, err, tc.want)
			}
		})
	}
}

// bones prints a tree with every value that a parameter may stand for taken out.
// It is not how Fill compares shapes.
func bones(t *testing.T, expr string) string {
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
			n.Range, n.Step, n.OriginalOffset = 1e9, 1e9, 0
		case *parser.VectorSelector:
			n.OriginalOffset = 0
			for _, m := range n.LabelMatchers {
				if n.Name == "" || m.Name != "__name__" {
					m.Value = ""
				}
			}
		}
		return nil
	})
	return tree.String()
}

// templates use each type of parameter in each place it may stand.
var templates = []string{
	`x{app="${s}",b!="a${s}c",c=~"${s}|${r}",d!~"${r}"}`,
	`{__name__="${s}",app=~"${r}"} > ${n}`,
	`-${n} ^ ${n} * x{a='${s}'} offset ${d}`,
	`sum by (a) (avg_over_time(x{a="${s}"}[${d}])) / on (a) group_left () max_over_time(y[${d}:1m])`,
	`histogram_quantile(${n}, z{a=~"${r}"} - ${n}) > bool ${n} or vector(${n})`,
}

// FuzzFill puts anything into templates: what is not refused has the shape of the
// template.
func FuzzFill(f *testing.F) {
	for _, s := range []string{"shop", `"} or vector(1) #`, "'", "`", "a\nb", "магазин", strings.Repeat("x", 10_000), "${n}", `\`, "\x00", ".*|(", "$1"} {
		f.Add(s, s, "2.5", "5m")
	}
	f.Add("a", "b", "-0.5", "1h30m")
	f.Fuzz(func(t *testing.T, s, r, n, d string) {
		values := map[string]promql.Value{"s": text(s), "r": pattern(r), "n": decimal(n), "d": duration(d)}
		plain := map[string]promql.Value{"s": text("a"), "r": pattern("a"), "n": decimal("1"), "d": duration("1m")}
		for _, template := range templates {
			got, err := promql.Fill(template, values)
			if err != nil {
				continue
			}
			want, err := promql.Fill(template, plain)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := bones(t, want), bones(t, got); a != b {
				t.Errorf("Fill(%q) with %+v is another query:\n%s\n%s", template, values, a, b)
			}
		}
	})
}
