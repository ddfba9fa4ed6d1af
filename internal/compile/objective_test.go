package compile_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// created is when the objectives of these tests were made, now is when they are
// compiled.
var (
	created = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now     = time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
)

// objective builds an objective from an indicator; its options change it.
func objective(indicator v1alpha1.ObjectiveIndicator, options ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "promise", UID: "1", Generation: 3, CreationTimestamp: metav1.NewTime(created)},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web",
			Indicator: indicator, Target: "75%", Window: v1alpha1.Window{Rolling: "28d"},
			NewSeries: v1alpha1.NewSeriesOnKnownTarget,
		},
	}
	for _, option := range options {
		option(o)
	}
	return o
}

func target(t v1alpha1.Target) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Target = t }
}

func window(w v1alpha1.Window) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Window = w }
}

func month(zone v1alpha1.TimeZone) func(*v1alpha1.Objective) {
	return window(v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Month", TimeZone: zone}})
}

// source confines queries to a cluster and to the objective's namespace.
func source() *v1alpha1.MetricSourceSpec {
	return &v1alpha1.MetricSourceSpec{
		Matchers: []v1alpha1.LabelMatcher{{Label: "cluster", Value: "eu"}},
		Tenancy:  &v1alpha1.Tenancy{Label: "namespace"},
	}
}

func input(o *v1alpha1.Objective) compile.Input {
	return compile.Input{Objective: o, Source: source(), Now: now}
}

func events(good, bad, total v1alpha1.Selector) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: good, Bad: bad, Total: total}}
}

func distribution(threshold, poorAbove v1alpha1.Decimal, interpolate bool) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
		Histogram: `page_seconds{app="checkout"}`, Threshold: threshold, PoorAbove: poorAbove, Interpolate: &interpolate,
	}}
}

func apdex(satisfied, tolerated v1alpha1.Decimal, failed v1alpha1.Matchers, interpolate bool) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{
		Histogram: "page_seconds", Satisfied: satisfied, Tolerated: tolerated, Failed: failed, Interpolate: &interpolate,
	}}
}

func mean(lowest, highest v1alpha1.Decimal) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{
		Sum: "csat_rating_sum", Count: "csat_rating_count", Lowest: lowest, Highest: highest,
	}}}
}

func netPromoter() v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{
		Promoters:  `nps_total{group="promoter"}`,
		Detractors: `nps_total{group="detractor"}`,
		Responses:  "nps_total",
	}}}
}

func state(noData v1alpha1.NoDataPolicy) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{
		Query: "queue_length", Operator: v1alpha1.OperatorLessThanOrEqual, Value: "5", NoData: noData,
	}}
}

func queries() v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{
		Points: `increase(orders_total{ok="yes"}[$interval])`, Events: "increase(orders_total[$interval])",
	}}
}
