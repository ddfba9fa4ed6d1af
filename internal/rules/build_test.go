package rules_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

// begin is a full hour.
var begin = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// objective builds an objective from an indicator; its options change it.
func objective(indicator v1alpha1.ObjectiveIndicator, target v1alpha1.Target, options ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "promise", UID: "u-1"},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web", Description: "It works.",
			Indicator: indicator, Target: target, Window: v1alpha1.Window{Rolling: "28d"},
			NewSeries: v1alpha1.NewSeriesOnKnownTarget,
		},
	}
	for _, option := range options {
		option(o)
	}
	return o
}

func alerting(a v1alpha1.Alerting) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Alerting = &a }
}

func rolling(d v1alpha1.RollingWindow) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Window.Rolling = d }
}

func supportDesk(o *v1alpha1.Objective) { o.Spec.Perspective = v1alpha1.PerspectiveCX }

// desks is a calendar that is closed for the second hour after begin, and until
// Monday.
var desks = &v1alpha1.CalendarSpec{
	TimeZone: "Europe/London",
	Weekly: []v1alpha1.WeeklyHours{
		{Days: []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Friday}, Open: "08:00", Close: "09:00"},
		{Days: []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Friday}, Open: "10:00", Close: "18:00"},
	},
}

// duringHours has the calendar desks count for an objective.
func duringHours(o *v1alpha1.Objective) {
	o.Spec.CalendarRef = &v1alpha1.CalendarReference{Name: "desks"}
}

// confined is a source that confines queries to the objective's namespace.
func confined() *v1alpha1.MetricSourceSpec {
	return &v1alpha1.MetricSourceSpec{
		Tenancy: &v1alpha1.Tenancy{Label: "namespace"},
		Rules:   v1alpha1.Rules{Output: v1alpha1.RulesOutputPrometheusRule},
	}
}

func planOf(t testing.TB, o *v1alpha1.Objective, source *v1alpha1.MetricSourceSpec) *compile.Plan {
	t.Helper()
	in := compile.Input{Objective: o, Source: source, Now: begin}
	if o.Spec.CalendarRef != nil {
		in.Calendar = desks
	}
	plan, err := compile.Compile(in)
	if err != nil {
		t.Fatalf("compile objective: %v", err)
	}
	if err := plan.Bind(promql.Boundaries{0.5, 1, 2.5, 4, 10}); err != nil {
		t.Fatalf("bind plan: %v", err)
	}
	return plan
}

func failures() v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: `shop_requests_total{code="500"}`, Total: "shop_requests_total"}}
}

func apdex() v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "page_seconds", Satisfied: "1", Tolerated: "4", Failed: `{code="500"}`}}
}

func netPromoter() v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{
		Promoters: `nps_responses_total{group="promoter"}`, Detractors: `nps_responses_total{group="detractor"}`, Responses: "nps_responses_total",
	}}}
}

func probe() v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{
		Query: "probe_success", Operator: v1alpha1.OperatorGreaterThanOrEqual, Value: "1", NoData: v1alpha1.NoDataBad,
	}}
}
