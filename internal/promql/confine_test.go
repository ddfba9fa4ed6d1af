package promql_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus-community/prom-label-proxy/injectproxy"

	"github.com/experience-slo/operator/internal/promql"
)

func TestConfinementApply(t *testing.T) {
	var nothing promql.Confinement
	both := nothing.Confine("namespace", "shop").Confine("cluster", "eu")
	cases := map[string]struct {
		reason  string
		confine promql.Confinement
		args    string
		want    answer
	}{
		"Nothing":  {reason: "No labels, no change but the parser's print.", confine: nothing, args: "sum( x )", want: answer{Text: "sum(x)"}},
		"Selector": {reason: "Labels are added in the order of their names.", confine: both, args: "x", want: answer{Text: `x{cluster="eu",namespace="shop"}`}},
		"Everywhere": {
			reason: "Each selector gets them: ranges, offsets, subqueries and both sides of an operator.", confine: both,
			args: `sum(rate(x{a="b"}[5m])) / on() group_left() max_over_time(absent(y offset 5m)[1h:1m])`,
			want: answer{Text: `sum(rate(x{a="b",cluster="eu",namespace="shop"}[5m])) / on () group_left () max_over_time(absent(y{cluster="eu",namespace="shop"} offset 5m)[1h:1m])`},
		},
		"Same": {
			reason: "Who asks for the same gets it.", confine: both,
			args: `x{cluster="eu"}`, want: answer{Text: `x{cluster="eu",namespace="shop"}`},
		},
		"Wider": {
			reason: "A pattern that holds it is narrowed.", confine: both,
			args: `x{cluster=~"eu|us"}`, want: answer{Text: `x{cluster="eu",namespace="shop"}`},
		},
		"Other": {
			reason: "Who asks for another hears so, rather than get an empty answer.", confine: both,
			args: `sum(x) + sum(y{cluster="us"})`,
			want: answer{Err: `the metric source confines every query to cluster="eu": remove the matcher on "cluster" ` +
				`(conflicting label matcher: label matcher "cluster=\"us\"" conflicts with injected matcher "cluster=\"eu\"")`},
		},
		"Escape": {
			reason: "A value cannot break out of its quotes.", confine: nothing.Confine("namespace", `a"} or up{x="`),
			args: "x", want: answer{Text: `x{namespace="a\"} or up{x=\""}`},
		},
		"Broken": {
			reason: "What does not parse reaches no server.", confine: both,
			args: "sum(", want: answer{Err: `check built expression "sum(": 1:5: parse error: unclosed left parenthesis`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := tc.confine.Apply(tc.args)
			if diff := cmp.Diff(tc.want, answer{text, message(err)}); diff != "" {
				t.Errorf("\n%s\nApply(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
			if name == "Other" && !errors.Is(err, injectproxy.ErrIllegalLabelMatcher) {
				t.Errorf("\n%s\nApply(%q): %v does not wrap the injector's error", tc.reason, tc.args, err)
			}
		})
	}
}

// TestConfinementOrder adds labels in every order, many times: the injector
// itself keeps none.
func TestConfinementOrder(t *testing.T) {
	pairs := [][2]string{{"cluster", "eu"}, {"namespace", "shop"}, {"tenant", "a"}}
	want := `x{cluster="eu",namespace="shop",tenant="a"}`
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for range 20 {
			var c promql.Confinement
			for _, i := range order {
				c = c.Confine(pairs[i][0], pairs[i][1])
			}
			got, err := c.Apply("x")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("Apply(x) after order %v: -want, +got:\n%s", order, diff)
			}
		}
	}
}

// TestConfineKeeps checks that adding to a confinement leaves it as it is.
func TestConfineKeeps(t *testing.T) {
	var nothing promql.Confinement
	one := nothing.Confine("b", "1")
	_, _ = one.Confine("a", "2"), one.Confine("c", "3")
	got, err := one.Apply("x")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`x{b="1"}`, got); diff != "" {
		t.Errorf("Apply(x): -want, +got:\n%s", diff)
	}
}
