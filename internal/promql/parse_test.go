package promql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/internal/promql"
)

// message is the text of an error, empty for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type answer struct{ Text, Err string }

func TestParse(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   string
		want   answer
	}{
		"Expression": {
			reason: "Any expression may stand where one is asked for.",
			args:   `sum( rate(x_total[5m]) )`, want: answer{Text: `sum(rate(x_total[5m]))`},
		},
		"Typo": {
			reason: "The error says where the expression breaks.",
			args:   `sum(rate(x_total[5m])`,
			want:   answer{Err: `parse "sum(rate(x_total[5m])": 1:22: parse error: unclosed left parenthesis`},
		},
		"UnknownFunction": {
			reason: "A function that does not exist is named.",
			args:   `rat(x_total[5m])`,
			want:   answer{Err: `parse "rat(x_total[5m])": 1:1: parse error: unknown function with name "rat"`},
		},
		"Empty": {
			reason: "Nothing is no expression.",
			args:   "", want: answer{Err: `parse "": unknown position: parse error: no expression found in input`},
		},
		"Longest": {
			reason: "4,096 characters are read.",
			args:   strings.Repeat("x", 4096), want: answer{Text: strings.Repeat("x", 4096)},
		},
		"TooLong": {
			reason: "4,097 characters are not: the parser is quadratic and cannot be stopped.",
			args:   strings.Repeat("x", 4097),
			want:   answer{Err: "the expression has 4097 characters: write at most 4096, or record a part of it as a rule"},
		},
		"LongMistake": {
			reason: "An error repeats no more than the first 80 characters.",
			args:   strings.Repeat("(", 100),
			want:   answer{Err: `parse "` + strings.Repeat("(", 80) + `...": 1:101: parse error: unclosed left parenthesis`},
		},
		"OneMistakeOfSeveral": {
			reason: "Of several complaints the first is shown: the others follow from it.",
			args:   `sum(x) + rate(x)`,
			want:   answer{Err: `parse "sum(x) + rate(x)": 1:15: parse error: expected type range vector in call to function "rate", got instant vector`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			expr, err := promql.Parse(tc.args)
			got := answer{Err: message(err)}
			if err == nil {
				got.Text = expr.String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nParse(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
		})
	}
}

func TestParseValues(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   string
		want   answer
	}{
		"Vector": {reason: "An instant vector is what is asked for.", args: "up == 1", want: answer{Text: "up == 1"}},
		"Number": {reason: "A scalar becomes a vector.", args: "1 + 1", want: answer{Text: "vector(1 + 1)"}},
		"Time":   {reason: "So does a function that gives a scalar.", args: "time()", want: answer{Text: "vector(time())"}},
		"Range": {
			reason: "A range has several values at one moment.", args: "up[5m]",
			want: answer{Err: `"up[5m]" gives a range vector: write an expression that gives an instant vector or a scalar`},
		},
		"Text": {
			reason: "A string has none.", args: `"up"`,
			want: answer{Err: `"\"up\"" gives a string: write an expression that gives an instant vector or a scalar`},
		},
		"Typo": {reason: "What does not parse is quoted.", args: "a b", want: answer{Err: `parse "a b": 1:3: parse error: unexpected identifier "b"`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := promql.ParseValues(tc.args)
			if diff := cmp.Diff(tc.want, answer{text, message(err)}); diff != "" {
				t.Errorf("\n%s\nParseValues(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
		})
	}
}

func TestParseMatchers(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   string
		want   answer
	}{
		"One":  {reason: "Matchers in braces.", args: `{code=~"5.."}`, want: answer{Text: `code=~"5.."`}},
		"Two":  {reason: "As many as one likes.", args: `{a="b",c!="d"}`, want: answer{Text: `a="b" c!="d"`}},
		"Bare": {reason: "Braces are not guessed.", args: `code="5"`, want: answer{Err: `"code=\"5\"" does not begin with a brace: write matchers such as {code=~"5.."}`}},
		"None": {reason: "Braces with nothing in them would match every event.", args: `{}`, want: answer{Err: `"{}" matches everything: write matchers such as {code=~"5.."}`}},
		"Name": {
			reason: "The metric is named elsewhere.", args: `{__name__="x"}`,
			want: answer{Err: `"{__name__=\"x\"}" names a metric: write matchers of labels only`},
		},
		"QuotedName": {
			reason: "Nor may it be named in quotes.", args: `{"x",a="b"}`,
			want: answer{Err: `"{\"x\",a=\"b\"}" names a metric: write matchers of labels only`},
		},
		"More": {
			reason: "Nothing may follow.", args: `{a="b"} or x`,
			want: answer{Err: `parse "{a=\"b\"} or x": 1:9: parse error: unexpected <op:or>`},
		},
		"Open": {reason: "The closing brace is missed.", args: `{`, want: answer{Err: `parse "{": 1:2: parse error: unexpected end of input inside braces`}},
		"TooLong": {
			reason: "The length is bounded before parsing.", args: "{" + strings.Repeat("a", 4096),
			want: answer{Err: "the matchers have 4097 characters: write at most 4096"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			matchers, err := promql.ParseMatchers(tc.args)
			var texts []string
			for _, m := range matchers {
				texts = append(texts, m.String())
			}
			if diff := cmp.Diff(tc.want, answer{strings.Join(texts, " "), message(err)}); diff != "" {
				t.Errorf("\n%s\nParseMatchers(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
		})
	}
}

// expressions are where fuzzing begins.
var expressions = []string{
	`http_requests_total{code=~"5.."}`, `sum by (le) (rate(x_bucket[5m])) / on () group_left () y`,
	`histogram_quantile(0.75, x)`, `{__name__="inf"}`, `{"a b", c="d"}`, `x offset -5m`, `x @ end()`, `-x ^ 2`,
	`x[1h:5m]`, `"text"`, `1e9`, `0x1F`, `NaN`, `((((`, `x{a="\xff"}`, `bool`, `sum`, `a and on (b) c unless d`,
	`# comment`, `x == bool 1`, `{a="b"}`, `(x)`, `{__name__="a",__name__="b"}`, `{"a{}"}`, `x{"y.z"="1"}`,
}

// FuzzParse checks that what parses prints as something that parses to the same,
// and that no input at all panics.
func FuzzParse(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		parsed, err := promql.Parse(expr)
		if err != nil {
			return
		}
		printed := parsed.String()
		if len(printed) > promql.MaxLength {
			return // printing adds spaces and parentheses
		}
		again, err := promql.Parse(printed)
		if err != nil {
			t.Fatalf("Parse(%q) prints %q: %v", expr, printed, err)
		}
		if diff := cmp.Diff(printed, again.String()); diff != "" {
			t.Errorf("Parse(%q): printed, -once, +twice:\n%s", expr, diff)
		}
	})
}

// FuzzParseSelector checks that a selector prints as a plain selector of the
// same series, wherever it is put.
func FuzzParseSelector(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := promql.ParseSelector(text)
		if err != nil {
			return
		}
		again, err := promql.ParseSelector(s.String())
		if err != nil {
			if len(s.String()) > promql.MaxLength {
				return
			}
			t.Fatalf("ParseSelector(%q) prints %q: %v", text, s, err)
		}
		if diff := cmp.Diff([]string{s.Name(), s.String()}, []string{again.Name(), again.String()}); diff != "" {
			t.Errorf("ParseSelector(%q): name and print, -once, +twice:\n%s", text, diff)
		}
		delta := promql.Plain(s).Delta(promql.Interval, promql.OnKnownTarget)
		if _, err := parser.NewParser(parser.Options{}).ParseExpr(delta); err != nil {
			t.Errorf("ParseSelector(%q): Delta(...) %q: %v", text, delta, err)
		}
	})
}
