package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// found is what a test compares of a book.
type found struct {
	Sums    slo.Sums
	Covered int
	Invalid bool
}

func foundIn(book *ledger.Book) found {
	s := book.Since(epoch)
	return found{s.Sums, s.Covered, book.Invalid()}
}

// TestStates reads a gauge that is 3 for five minutes, 7 for five, NaN for five,
// infinite for five, and then gone. A sample stays in sight for five minutes,
// which is what Prometheus has a state be known for.
func TestStates(t *testing.T) {
	gauge := "queue{a} 3x20 7x19" + strings.Repeat(" NaN", 20) + strings.Repeat(" Inf", 20)
	at := func(operator v1alpha1.Operator, value v1alpha1.Decimal, query v1alpha1.PromQL, noData v1alpha1.NoDataPolicy) v1alpha1.ObjectiveIndicator {
		return v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: query, Operator: operator, Value: value, NoData: noData}}
	}
	const ignore = v1alpha1.NoDataIgnore
	day := metav1.NewTime(epoch.Add(time.Hour))
	cases := map[string]struct {
		reason  string
		load    string
		args    v1alpha1.ObjectiveIndicator
		created metav1.Time
		want    found
	}{
		"LessThan":           {reason: "3 holds, 7 and infinity do not, NaN and nothing are no data.", load: gauge, args: at("LessThan", "7", "queue", ignore), want: found{slo.Sums{Points: 5, Events: 19}, 19, false}},
		"LessThanOrEqual":    {reason: "3 and 7 hold.", load: gauge, args: at("LessThanOrEqual", "7", "queue", ignore), want: found{slo.Sums{Points: 10, Events: 19}, 19, false}},
		"GreaterThan":        {reason: "Infinity is more than any number.", load: gauge, args: at("GreaterThan", "7", "queue", ignore), want: found{slo.Sums{Points: 9, Events: 19}, 19, false}},
		"GreaterThanOrEqual": {reason: "7 and infinity hold.", load: gauge, args: at("GreaterThanOrEqual", "7", "queue", ignore), want: found{slo.Sums{Points: 14, Events: 19}, 19, false}},
		"Equal":              {reason: "7 holds.", load: gauge, args: at("Equal", "7", "queue", ignore), want: found{slo.Sums{Points: 5, Events: 19}, 19, false}},
		"NotEqual":           {reason: "3 and infinity hold.", load: gauge, args: at("NotEqual", "7", "queue", ignore), want: found{slo.Sums{Points: 14, Events: 19}, 19, false}},
		"NoDataGood": {
			reason: "A minute without data counts as good, from the creation on: four hours less what there is.",
			load:   gauge, args: at("LessThan", "7", "queue", v1alpha1.NoDataGood), created: day,
			want: found{slo.Sums{Points: 5 + 240, Events: 19 + 240}, 19 + 240, false},
		},
		"NoDataBad": {
			reason: "Or as bad.",
			load:   gauge, args: at("LessThan", "7", "queue", v1alpha1.NoDataBad), created: day,
			want: found{slo.Sums{Points: 5, Events: 19 + 240}, 19 + 240, false},
		},
		"NoDataWhileNaN": {
			reason: "NaN is no data for these policies too.",
			load:   gauge, args: at("LessThan", "7", "queue", v1alpha1.NoDataGood), created: metav1.NewTime(epoch),
			want: found{slo.Sums{Points: 5 + 281, Events: 300}, 300, false},
		},
		"WorstOfSeries": {
			reason: "The condition holds where it holds for every series that has a value.",
			load:   "queue{a} 3x40\nqueue{b} 1x20 9x19\nqueue{c}" + strings.Repeat(" NaN", 40), args: at("LessThan", "7", "queue", ignore),
			want: found{slo.Sums{Points: 5, Events: 14}, 14, false},
		},
		"Number": {
			reason: "A number of no series is a state as well.",
			load:   gauge, args: at("GreaterThan", "0", "1", ignore), want: found{slo.Sums{Points: 300, Events: 300}, 300, false},
		},
	}
	for name, tc := range cases {
		for form, f := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				o := objective(kind{indicator: tc.args, target: "99%"}, ledgertest.OnKnownTarget, rolling(f.window))
				o.CreationTimestamp = tc.created
				if diff := cmp.Diff(tc.want, foundIn(read(t, story(t, tc.load), o, f.ticks))); diff != "" {
					t.Errorf("\n%s\nbook: -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}

// TestQueriesKind reads two expressions of the author's. Where one gives NaN or
// infinity for a minute, that minute is a gap, the others of its hour count, and
// the book says so.
func TestQueriesKind(t *testing.T) {
	cases := map[string]struct {
		reason string
		load   string
		args   v1alpha1.QueriesIndicator
		want   found
	}{
		"Numbers": {
			reason: "What the author says, once a minute.",
			load:   "good{a} 3x40\nall{a} 4x40", args: v1alpha1.QueriesIndicator{Points: "good", Events: "all"},
			want: found{slo.Sums{Points: 3 * 14, Events: 4 * 14}, 14, false},
		},
		"Interval": {
			reason: "$interval is the minute: the growth of a steady counter is 4 in it, after the first.",
			load:   "good_total{a} 0+1x40", args: v1alpha1.QueriesIndicator{
				Points: "delta(good_total[$interval]) * 0 + 2", Events: "changes(good_total[$interval]) > 0",
			},
			want: found{slo.Sums{Points: 2 * 10, Events: 3 * 10}, 10, false},
		},
		"SeveralSeries": {
			reason: "Series are added up.",
			load:   "good{a} 3x40\nall{a} 4x40\ngood{b} 1x40\nall{b} 1x40", args: v1alpha1.QueriesIndicator{Points: "good", Events: "all"},
			want: found{slo.Sums{Points: 4 * 14, Events: 5 * 14}, 14, false},
		},
		"NaNMinutes": {
			reason: "A quiet queue: zero by zero for two minutes.",
			load:   "good{a} 3x15 0x7 3x16\nall{a} 4x15 0x7 4x16", args: v1alpha1.QueriesIndicator{Points: "good / all * 4", Events: "all / all * 4"},
			want: found{slo.Sums{Points: 3 * 12, Events: 4 * 12}, 12, true},
		},
		"NaNPoints": {
			reason: "NaN in the points alone spoils the minute too.",
			load:   "good{a} 3x15 0x7 3x16\nall{a} 4x40", args: v1alpha1.QueriesIndicator{Points: "good / good * 3", Events: "all"},
			want: found{slo.Sums{Points: 3 * 12, Events: 4 * 12}, 12, true},
		},
		"Infinity": {
			reason: "As does infinity.",
			load:   "good{a} 3x15 0x7 3x16\nall{a} 4x40", args: v1alpha1.QueriesIndicator{Points: "9 / good", Events: "all"},
			want: found{slo.Sums{Points: 3 * 12, Events: 4 * 12}, 12, true},
		},
		"AllNaN": {
			reason: "An hour of nothing else is an hour of gaps.",
			load:   "good{a} 0x40\nall{a} 0x40", args: v1alpha1.QueriesIndicator{Points: "good", Events: "all / all"},
			want: found{Invalid: true},
		},
		"NoPoints": {
			reason: "Events without points earned none.",
			load:   "all{a} 4x40", args: v1alpha1.QueriesIndicator{Points: "good", Events: "all"},
			want: found{slo.Sums{Points: 0, Events: 4 * 14}, 14, false},
		},
		"NoEvents": {
			reason: "Points without events are no data.",
			load:   "good{a} 4x40", args: v1alpha1.QueriesIndicator{Points: "good", Events: "all"},
		},
	}
	for name, tc := range cases {
		for form, f := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				o := objective(kind{indicator: v1alpha1.ObjectiveIndicator{Queries: &tc.args}, target: "99%"}, ledgertest.OnKnownTarget, rolling(f.window))
				if diff := cmp.Diff(tc.want, foundIn(read(t, story(t, tc.load), o, f.ticks))); diff != "" {
					t.Errorf("\n%s\nbook: -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}
