package promql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/experience-slo/operator/internal/promql"
)

func selector(tb testing.TB, text string) promql.Selector {
	tb.Helper()
	s, err := promql.ParseSelector(text)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestParseSelector(t *testing.T) {
	const example = ": write a plain selector, a metric name with matchers"
	cases := map[string]struct {
		reason string
		args   string
		want   answer
	}{
		"Name":        {reason: "A name alone.", args: "x_total", want: answer{Text: "x_total"}},
		"Matchers":    {reason: "A name with matchers, of any kind.", args: `x_total{a="b", c=~"d|e",f!=""}`, want: answer{Text: `x_total{a="b",c=~"d|e",f!=""}`}},
		"Parentheses": {reason: "Parentheses change nothing.", args: "((x_total))", want: answer{Text: "x_total"}},
		"NameInside":  {reason: "The name may be a matcher.", args: `{__name__="x_total"}`, want: answer{Text: "x_total"}},
		"NameQuoted":  {reason: "Or in quotes.", args: `{"x_total"}`, want: answer{Text: "x_total"}},
		"OddName":     {reason: "A name that cannot stand bare is printed as a matcher.", args: `{"x.total",a="b"}`, want: answer{Text: `{__name__="x.total",a="b"}`}},
		"NumberName":  {reason: "So is one that reads as a number.", args: `{__name__="inf"}`, want: answer{Text: `{__name__="inf"}`}},
		"KeywordName": {reason: "A name that is a word of PromQL may stand bare.", args: `sum{a="b"}`, want: answer{Text: `sum{a="b"}`}},
		"NoOffset":    {reason: "An offset of nothing is none.", args: "x_total offset 0s", want: answer{Text: "x_total"}},
		"Function": {
			reason: "The usual mistake: what counts takes the rate itself.", args: `rate(x_total{a="b"}[5m])`,
			want: answer{Err: `"rate(x_total{a=\"b\"}[5m])" is a call of rate: write the plain counter selector inside it, such as x_total{a="b"}`},
		},
		"NothingInside": {
			reason: "A call without a selector has none to suggest.", args: "time()",
			want: answer{Err: `"time()" is a call of time: write the plain counter selector inside it`},
		},
		"Aggregation": {
			reason: "What counts takes the sum itself.", args: "sum(x_total)",
			want: answer{Err: `"sum(x_total)" is an expression` + example + `, such as x_total`},
		},
		"Arithmetic": {
			reason: "An expression is no selector.", args: "a_total + b_total",
			want: answer{Err: `"a_total + b_total" is an expression` + example + `, such as a_total`},
		},
		"Number":   {reason: "Nor is a number.", args: "1", want: answer{Err: `"1" is an expression` + example}},
		"Subquery": {reason: "Nor is a subquery.", args: "x[5m:1m]", want: answer{Err: `"x[5m:1m]" is an expression` + example + `, such as x`}},
		"Range": {
			reason: "The range is ours to choose.", args: "x_total[5m]",
			want: answer{Err: `"x_total[5m]" is a range selector: write the plain selector x_total`},
		},
		"Offset": {
			reason: "So is the moment.", args: "x_total offset 5m",
			want: answer{Err: `"x_total offset 5m" is a selector with offset or @: write the plain selector x_total`},
		},
		"NegativeOffset": {
			reason: "The future neither.", args: "x_total offset -5m",
			want: answer{Err: `"x_total offset -5m" is a selector with offset or @: write the plain selector x_total`},
		},
		"At": {
			reason: "A fixed moment would never move.", args: "x_total @ 1700000000",
			want: answer{Err: `"x_total @ 1700000000" is a selector with offset or @: write the plain selector x_total`},
		},
		"AtStart": {
			reason: "Nor would the start of a query.", args: "x_total @ start()",
			want: answer{Err: `"x_total @ start()" is a selector with offset or @: write the plain selector x_total`},
		},
		"NoName": {
			reason: "Matchers alone may select anything.", args: `{code="500"}`,
			want: answer{Err: `"{code=\"500\"}" names no metric: write a metric name before the braces`},
		},
		"NamesByPattern": {
			reason: "Two metrics may count the same events twice.", args: `{__name__=~"a|b"}`,
			want: answer{Err: `"{__name__=~\"a|b\"}" selects several metrics by name: name one metric`},
		},
		"TwoNames": {
			reason: "No series has two names.", args: `{"a","b"}`,
			want: answer{Err: `"{\"a\",\"b\"}" names two metrics: name one metric`},
		},
		"Typo": {
			reason: "A missing quote is found where it is.", args: "x_total{code=500}",
			want: answer{Err: `parse "x_total{code=500}": 1:14: parse error: unexpected character inside braces: '5'`},
		},
		"BadPattern": {
			reason: "A pattern is compiled.", args: `x_total{a=~"("}`,
			want: answer{Err: "parse \"x_total{a=~\\\"(\\\"}\": 1:9: parse error: error parsing regexp: missing closing ): `(`"},
		},
		"TooLong": {
			reason: "4,097 characters are not read.", args: strings.Repeat("a", 4097),
			want: answer{Err: "the expression has 4097 characters: write at most 4096, or record a part of it as a rule"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := promql.ParseSelector(tc.args)
			got := answer{Err: message(err)}
			if err == nil {
				got.Text = s.String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nParseSelector(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
		})
	}
}

func TestSelectorVariants(t *testing.T) {
	s := selector(t, `x{a="b"}`)
	code := labels.MustNewMatcher(labels.MatchRegexp, "code", "5..")
	cases := map[string]struct {
		reason string
		args   promql.Selector
		want   string
	}{
		"Suffix":     {reason: "A histogram's series are named after it.", args: s.WithSuffix("_count"), want: `x_count{a="b"}`},
		"Matchers":   {reason: "Matchers are added.", args: s.With(code), want: `x{a="b",code=~"5.."}`},
		"NoMatchers": {reason: "None are.", args: s.With(), want: `x{a="b"}`},
		"Whole":      {reason: "A whole boundary has two spellings.", args: s.WithLE(1), want: `x{a="b",le=~"1|1\\.0"}`},
		"Fraction":   {reason: "A fraction has one.", args: s.WithLE(2.5), want: `x{a="b",le="2.5"}`},
		"Large":      {reason: "A large one is also written with an exponent.", args: s.WithLE(1e21), want: `x{a="b",le=~"1000000000000000000000|1000000000000000000000\\.0|1e\\+21"}`},
		"Small":      {reason: "So is a small one.", args: s.WithLE(0.00001), want: `x{a="b",le=~"0\\.00001|1e-05"}`},
		"Negative":   {reason: "A histogram may hold negative values.", args: s.WithLE(-1), want: `x{a="b",le=~"-1|-1\\.0"}`},
		"Unchanged":  {reason: "The selector that the others are made from stays as it is.", args: s, want: `x{a="b"}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.String()); diff != "" {
				t.Errorf("\n%s\nString(): -want, +got:\n%s", tc.reason, diff)
			}
			if _, err := promql.ParseSelector(tc.args.String()); err != nil {
				t.Errorf("\n%s\nParseSelector(...): %v", tc.reason, err)
			}
		})
	}
}
