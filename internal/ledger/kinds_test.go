package ledger_test

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// kind is an indicator over a signal, and how its sums follow from what was
// scraped.
type kind struct {
	signal    ledgertest.Signal
	indicator v1alpha1.ObjectiveIndicator
	target    v1alpha1.Target
	truth     func(count counting) truth
	// ratio is what many dashboards show: the average of 5-minute ratios.
	ratio string
	// total is the selector whose increase() is compared with the events.
	total string
}

// counting counts what was scraped of a metric, under the policy of a case.
type counting func(metric string, pairs ...string) *ledgertest.Movement

// truth is the sums of an objective as weighted movements.
type truth struct {
	points, events, aux []weighted
	// open says whether a minute that begins at a moment counts; nil is always.
	open func(begin time.Time) bool
}

type weighted struct {
	weight float64
	*ledgertest.Movement
}

func sumOf(terms []weighted, from, to time.Time) float64 {
	sum := 0.0
	for _, t := range terms {
		sum += t.weight * t.Sum(from, to)
	}
	return sum
}

// between is what a book must hold for a stretch.
func (t truth) between(from, to time.Time) ledger.Stretch {
	if t.open != nil {
		return t.openBetween(from, to)
	}
	return ledger.Stretch{
		Sums: slo.Sums{
			Points: sumOf(t.points, from, to), Events: sumOf(t.events, from, to), Aux: sumOf(t.aux, from, to),
		},
		Start: from, End: to, Covered: t.events[0].Covered(from, to),
	}
}

// without is what a book must hold for a stretch of which it leaves out minutes.
func (t truth) without(excluded []slo.Span, from, to time.Time) ledger.Stretch {
	all := t.between(from, to)
	out := ledger.Stretch{Start: from, End: to}
	at := from
	for _, s := range append(slices.Clone(excluded), slo.Span{Start: to, End: to}) {
		if s.End.Before(from) || s.Start.After(to) {
			continue
		}
		if s.Start.After(at) {
			counted := t.between(at, s.Start)
			out.Sums, out.Covered = out.Sums.Add(counted.Sums), out.Covered+counted.Covered
		}
		begin, end := slo.Later(s.Start, from), slo.Earlier(s.End, to)
		out.Excluded += int(end.Sub(begin) / time.Minute)
		at = slo.Later(at, end)
	}
	if out.Excluded == 0 {
		return all
	}
	out.Raw = all.Sums
	return out
}

var kinds = map[string]kind{
	"EventsGood": {
		signal: ledgertest.Requests, target: "99%",
		indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
			Good: `shop_requests_total{code="200"}`, Total: "shop_requests_total",
		}},
		truth: func(count counting) truth {
			return truth{
				points: []weighted{{1, count("shop_requests_total", "code", "200")}},
				events: []weighted{{1, count("shop_requests_total")}},
			}
		},
		ratio: `sum(rate(shop_requests_total{code="200"}[5m])) / sum(rate(shop_requests_total[5m]))`,
		total: "shop_requests_total",
	},
	"EventsBad": {
		signal: ledgertest.Requests, target: "99%",
		indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
			Bad: `shop_requests_total{code="500"}`, Total: "shop_requests_total",
		}},
		truth: func(count counting) truth {
			return truth{
				points: []weighted{{1, count("shop_requests_total", "code", "200")}, {1, count("shop_requests_total", "code", "404")}},
				events: []weighted{{1, count("shop_requests_total")}},
			}
		},
		ratio: `1 - sum(rate(shop_requests_total{code="500"}[5m])) / sum(rate(shop_requests_total[5m]))`,
		total: "shop_requests_total",
	},
	"Distribution": {
		signal: ledgertest.Pages, target: "75%",
		indicator: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
			Histogram: "page_seconds", Threshold: "2.5", PoorAbove: "4",
		}},
		truth: func(count counting) truth {
			return truth{
				points: []weighted{{1, count("page_seconds_bucket", "le", "2.5")}},
				events: []weighted{{1, count("page_seconds_count")}},
				aux:    []weighted{{1, count("page_seconds_bucket", "le", "4")}},
			}
		},
		ratio: `sum(rate(page_seconds_bucket{le="2.5"}[5m])) / sum(rate(page_seconds_count[5m]))`,
		total: "page_seconds_count",
	},
	"Apdex": {
		signal: ledgertest.Pages, target: "0.85",
		indicator: v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{
			Histogram: "page_seconds", Satisfied: "1", Failed: `{code="500"}`,
		}},
		truth: func(count counting) truth {
			satisfied := count("page_seconds_bucket", "le", "1", "code", "200")
			tolerated := count("page_seconds_bucket", "le", "4", "code", "200")
			return truth{
				// One point for each satisfied, half a point for each of the
				// tolerated beyond them.
				points: []weighted{{1, satisfied}, {0.5, tolerated}, {-0.5, satisfied}},
				events: []weighted{{1, count("page_seconds_count")}},
			}
		},
		ratio: `(sum(rate(page_seconds_bucket{code="200",le=~"1|1.0"}[5m])) + sum(rate(page_seconds_bucket{code="200",le=~"4|4.0"}[5m]))) / 2 / sum(rate(page_seconds_count[5m]))`,
		total: "page_seconds_count",
	},
	"NetPromoter": {
		signal: ledgertest.Recommend, target: "30",
		indicator: v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{
			Promoters:  `nps_responses_total{group="promoter"}`,
			Detractors: `nps_responses_total{group="detractor"}`,
			Responses:  "nps_responses_total",
		}}},
		truth: func(count counting) truth {
			promoters := count("nps_responses_total", "group", "promoter")
			return truth{
				points: []weighted{{1, promoters}, {0.5, count("nps_responses_total", "group", "passive")}},
				events: []weighted{{1, count("nps_responses_total")}},
				aux:    []weighted{{1, promoters}},
			}
		},
		ratio: `0.5 + 0.5 * (sum(rate(nps_responses_total{group="promoter"}[5m])) - sum(rate(nps_responses_total{group="detractor"}[5m]))) / sum(rate(nps_responses_total[5m]))`,
		total: "nps_responses_total",
	},
	"Mean": {
		signal: ledgertest.Ratings, target: "4.2",
		// From 1 to 5: quarters of a point are exact in floating point.
		indicator: v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{
			Sum: "csat_rating_sum", Count: "csat_rating_count", Lowest: "1", Highest: "5",
		}}},
		truth: func(count counting) truth {
			ratings := count("csat_rating_count")
			return truth{
				points: []weighted{{0.25, count("csat_rating_sum")}, {-0.25, ratings}},
				events: []weighted{{1, ratings}},
			}
		},
		ratio: `(sum(rate(csat_rating_sum[5m])) / sum(rate(csat_rating_count[5m])) - 1) / 4`,
		total: "csat_rating_count",
	},
}

var policies = map[ledgertest.Policy]v1alpha1.NewSeriesPolicy{
	ledgertest.OnKnownTarget: v1alpha1.NewSeriesOnKnownTarget,
	ledgertest.FromZero:      v1alpha1.NewSeriesFromZero,
	ledgertest.Ignore:        v1alpha1.NewSeriesIgnore,
}

// countingIn counts in a world; the boundary of a bucket may be written short.
func countingIn(w *ledgertest.World, policy ledgertest.Policy) counting {
	return func(metric string, pairs ...string) *ledgertest.Movement {
		return w.MovementOf(policy, metric, func(l labels.Labels) bool {
			for i := 0; i < len(pairs); i += 2 {
				have, want := l.Get(pairs[i]), pairs[i+1]
				if have != want && (pairs[i] != "le" || have != want+".0") {
					return false
				}
			}
			return true
		})
	}
}

// planOf compiles and binds an objective over a store.
func planOf(tb rapid.TB, q *ledgertest.Store, o *v1alpha1.Objective, now time.Time) *compile.Plan {
	tb.Helper()
	return planDuring(tb, q, o, nil, now)
}

// planDuring is planOf for an objective with a calendar, unless that is nil.
func planDuring(tb rapid.TB, q *ledgertest.Store, o *v1alpha1.Objective, calendar *v1alpha1.CalendarSpec, now time.Time) *compile.Plan {
	tb.Helper()
	source := &v1alpha1.MetricSourceSpec{Tenancy: &v1alpha1.Tenancy{Label: "namespace"}}
	if calendar != nil {
		o.Spec.CalendarRef = &v1alpha1.CalendarReference{Name: "desk"}
	}
	plan, err := compile.Compile(compile.Input{Objective: o, Source: source, Calendar: calendar, Now: now})
	if err != nil {
		tb.Fatalf("Compile(...): %v", err)
	}
	if plan.Histogram != nil {
		le, err := q.Label(context.Background(), plan.Histogram.Probe, "le", now)
		if err != nil {
			tb.Fatalf("Label(%s): %v", plan.Histogram.Probe, err)
		}
		if err := plan.Bind(promql.NewBoundaries(le)); err != nil {
			tb.Fatalf("Bind(%v): %v", le, err)
		}
	}
	return plan
}

func rolling(d time.Duration) v1alpha1.Window {
	return v1alpha1.Window{Rolling: v1alpha1.RollingWindow(slo.FormatDuration(d))}
}

func week(zone v1alpha1.TimeZone) v1alpha1.Window {
	return v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Week", TimeZone: zone}}
}

func objective(k kind, policy ledgertest.Policy, window v1alpha1.Window) *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "objective"},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "shop", Perspective: "UX", Indicator: k.indicator, Target: k.target,
			Window: window, NewSeries: policies[policy],
		},
	}
}
