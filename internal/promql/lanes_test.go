package promql_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus-community/prom-label-proxy/injectproxy"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/internal/promql"
)

// outline is what matters about a query: the lanes it answers, the ranges of
// its subqueries, and the matchers that all of its selectors share.
type outline struct {
	Lanes      []string
	Subqueries []string
	Shared     []string
}

func outlineOf(t *testing.T, query string) outline {
	t.Helper()
	if query == "" {
		return outline{}
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Fatalf("ParseExpr(%s): %v", query, err)
	}
	seen := sight{subqueries: map[string]bool{}, matchers: map[string]int{}}
	parser.Inspect(expr, seen.node)
	o := outline{Lanes: seen.lanes, Subqueries: slices.Sorted(maps.Keys(seen.subqueries))}
	for matcher, n := range seen.matchers {
		if n == seen.selectors {
			o.Shared = append(o.Shared, matcher)
		}
	}
	slices.Sort(o.Shared)
	return o
}

// sight is what was seen of a query.
type sight struct {
	lanes      []string
	subqueries map[string]bool
	matchers   map[string]int
	selectors  int
}

func (s *sight) node(node parser.Node, _ []parser.Node) error {
	switch n := node.(type) {
	case *parser.Call:
		if n.Func.Name == "label_replace" {
			s.lanes = append(s.lanes, n.Args[2].(*parser.StringLiteral).Val)
		}
	case *parser.SubqueryExpr:
		s.subqueries[n.Range.String()+":"+n.Step.String()] = true
	case *parser.VectorSelector:
		s.selectors++
		for _, m := range n.LabelMatchers {
			if m.Name != model.MetricNameLabel {
				s.matchers[m.String()]++
			}
		}
	}
	return nil
}

func TestNewReads(t *testing.T) {
	var confine promql.Confinement
	confine = confine.Confine("namespace", "shop").Confine("cluster", "eu")
	shared := []string{`cluster="eu"`, `namespace="shop"`}
	total, bad := promql.Plain(selector(t, "total")), promql.Plain(selector(t, `bad{code="500"}`))
	counters := []promql.Lane{{Name: "events", Counter: &total}, {Name: "bad", Counter: &bad}}
	expressions := []promql.Lane{{Name: "events", Expr: "sum(a)"}, {Name: "points", Expr: "sum(b)"}}
	type args struct {
		lanes  []promql.Lane
		bucket time.Duration
	}
	type want struct {
		Minute, Bucket, ExactMinute, ExactBucket, SteadyBucket outline
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Hours": {
			reason: "A bucket is an hour of minutes, or of scrapes; the range is a second short, so that no version counts its beginning.",
			args:   args{counters, time.Hour},
			want: want{
				Minute:       outline{[]string{"events", "bad", "resets"}, nil, shared},
				Bucket:       outline{[]string{"events", "bad", "minutes", "resets"}, []string{"59m59s:1m0s"}, shared},
				ExactMinute:  outline{[]string{"events", "bad", "minutes"}, []string{"59s:1m0s", "59s:5s"}, shared},
				ExactBucket:  outline{[]string{"events", "bad", "minutes"}, []string{"59m59s:1m0s", "59m59s:5s"}, shared},
				SteadyBucket: outline{[]string{"events", "bad", "minutes", "churn"}, []string{"59m59s:1m0s"}, shared},
			},
		},
		"HalfHours": {
			reason: "Zones whose clocks change by half an hour have buckets of half an hour.",
			args:   args{counters, 30 * time.Minute},
			want: want{
				Minute:       outline{[]string{"events", "bad", "resets"}, nil, shared},
				Bucket:       outline{[]string{"events", "bad", "minutes", "resets"}, []string{"29m59s:1m0s"}, shared},
				ExactMinute:  outline{[]string{"events", "bad", "minutes"}, []string{"59s:1m0s", "59s:5s"}, shared},
				ExactBucket:  outline{[]string{"events", "bad", "minutes"}, []string{"29m59s:1m0s", "29m59s:5s"}, shared},
				SteadyBucket: outline{[]string{"events", "bad", "minutes", "churn"}, []string{"29m59s:1m0s"}, shared},
			},
		},
		"Expressions": {
			reason: "An expression has no resets, and what it gives at the ends of a bucket tells nothing of what lies between.",
			args:   args{expressions, time.Hour},
			want: want{
				Minute:      outline{[]string{"events", "points"}, nil, shared},
				Bucket:      outline{[]string{"events", "points", "minutes"}, []string{"59m59s:1m0s"}, shared},
				ExactMinute: outline{[]string{"events", "points", "minutes"}, []string{"59s:1m0s"}, shared},
				ExactBucket: outline{[]string{"events", "points", "minutes"}, []string{"59m59s:1m0s"}, shared},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reads, err := promql.NewReads(tc.args.lanes, promql.OnKnownTarget, tc.args.bucket, confine)
			if err != nil {
				t.Fatal(err)
			}
			got := want{
				outlineOf(t, reads.Minute), outlineOf(t, reads.Bucket), outlineOf(t, reads.ExactMinute),
				outlineOf(t, reads.ExactBucket), outlineOf(t, reads.SteadyBucket),
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nNewReads(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNewReadsRefuses checks that a selector outside of the confinement is an
// error under each policy.
func TestNewReadsRefuses(t *testing.T) {
	var confine promql.Confinement
	confine = confine.Confine("namespace", "shop")
	other := promql.Plain(selector(t, `x{namespace="bank"}`))
	for _, policy := range []promql.NewSeries{promql.OnKnownTarget, promql.FromZero, promql.Ignore} {
		got, err := promql.NewReads([]promql.Lane{{Name: "events", Counter: &other}}, policy, time.Hour, confine)
		if !errors.Is(err, injectproxy.ErrIllegalLabelMatcher) {
			t.Errorf("NewReads(...) with policy %d: %v, want %v", policy, err, injectproxy.ErrIllegalLabelMatcher)
		}
		if diff := cmp.Diff(promql.Reads{}, got); diff != "" {
			t.Errorf("NewReads(...) with policy %d: -want, +got:\n%s", policy, diff)
		}
	}
}

// TestPolicyReadsTargets checks which metrics of others a policy reads: pushed
// counters have no up.
func TestPolicyReadsTargets(t *testing.T) {
	x := promql.Plain(selector(t, "x"))
	for policy, want := range map[promql.NewSeries]bool{promql.OnKnownTarget: true, promql.FromZero: false, promql.Ignore: false} {
		reads, err := promql.NewReads([]promql.Lane{{Name: "events", Counter: &x}}, policy, time.Hour, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{reads.Minute, reads.Bucket, reads.ExactMinute, reads.ExactBucket} {
			if got := strings.Contains(query, "process_start_time_seconds"); got != want {
				t.Errorf("policy %d reads targets: %t, want %t, in %s", policy, got, want, query)
			}
		}
	}
}
