package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
	"github.com/experience-slo/operator/internal/slo"
)

// promise is an objective over the simulated history, and the reason that its
// condition Met must end with.
type promise struct {
	name       string
	indicator  v1alpha1.ObjectiveIndicator
	target     v1alpha1.Target
	unit       slo.Unit
	confidence v1alpha1.Confidence
	verdict    string
	// counted is the metric, and its labels, that counts the events; none where
	// events are not a counter's.
	counted []string
}

// promises has each kind of indicator, kept and broken.
func promises() []promise {
	stars, err := slo.Mean(1, 5)
	if err != nil {
		panic(err) // the scale is a constant
	}
	return []promise{
		{
			name: "page-speed", indicator: within("web_vitals_lcp_seconds", simulate.LongHold, "2.5", "4"), target: "75%", unit: slo.Percent,
			verdict: v1alpha1.ReasonTargetMet, counted: []string{"web_vitals_lcp_seconds_count", "namespace", simulate.LongHold},
		},
		{
			name: "hold-time", indicator: within("cx_hold_seconds", simulate.LongHold, "120", "600"), target: "90%", unit: slo.Percent,
			verdict: v1alpha1.ReasonTargetMissed, counted: []string{"cx_hold_seconds_count", "namespace", simulate.LongHold},
		},
		{
			name: "first-response", indicator: within("cx_first_response_seconds", simulate.Laptop, "3600", ""), target: "90%", unit: slo.Percent,
			verdict: v1alpha1.ReasonTargetMet, counted: []string{"cx_first_response_seconds_count", "namespace", simulate.Laptop},
		},
		{
			name: "task-success", indicator: good("ux_task_total", simulate.LongHold, `outcome="success"`), target: "78%", unit: slo.Percent,
			verdict: v1alpha1.ReasonTargetMet, counted: []string{"ux_task_total", "namespace", simulate.LongHold},
		},
		{
			name: "search-success", indicator: good("ux_search_total", simulate.PhotoEditor, `outcome="success"`), target: "80%", unit: slo.Percent,
			verdict: v1alpha1.ReasonTargetMissed, counted: []string{"ux_search_total", "namespace", simulate.PhotoEditor},
		},
		{
			name: "satisfaction", indicator: good("cx_csat_responses_total", simulate.PhotoEditor, `rating=~"4|5"`), target: "80%", unit: slo.Percent,
			confidence: "95%", verdict: v1alpha1.ReasonTargetMet, counted: []string{"cx_csat_responses_total", "namespace", simulate.PhotoEditor},
		},
		{
			name: "technician-visit", indicator: good("cx_csat_responses_total", simulate.Laptop, `rating=~"4|5"`), target: "90%", unit: slo.Percent,
			verdict: v1alpha1.ReasonInsufficientData, counted: []string{"cx_csat_responses_total", "namespace", simulate.Laptop},
		},
		{
			name: "crash-free-users", indicator: bad("ux_active_users_total", "ux_crashed_users_total", simulate.AppMismatch), target: "98.91%", unit: slo.Percent,
			verdict: v1alpha1.ReasonTargetMissed, counted: []string{"ux_active_users_total", "namespace", simulate.AppMismatch},
		},
		{
			name: "booking-apdex", target: "0.85", unit: slo.Apdex, verdict: v1alpha1.ReasonTargetMet,
			indicator: v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{
				Histogram: `http_server_request_duration_seconds{namespace="flight"}`,
				Satisfied: "0.25", Tolerated: "1", Failed: `{http_response_status_code=~"5.."}`,
			}},
			counted: []string{"http_server_request_duration_seconds_count", "namespace", simulate.Flight},
		},
		{
			name: "reviews", target: "4.5", unit: stars, verdict: v1alpha1.ReasonTargetMissed,
			indicator: v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{
				Sum: `cx_review_score_sum{namespace="app-mismatch"}`, Count: `cx_review_score_count{namespace="app-mismatch"}`, Lowest: "1", Highest: "5",
			}}},
			counted: []string{"cx_review_score_count", "namespace", simulate.AppMismatch},
		},
		{
			name: "recommendation", target: "30", unit: slo.NetPromoter, confidence: "95%", verdict: v1alpha1.ReasonTargetMet,
			indicator: v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{
				Promoters:  `cx_nps_responses_total{namespace="laptop",group="promoter"}`,
				Detractors: `cx_nps_responses_total{namespace="laptop",group="detractor"}`,
				Responses:  `cx_nps_responses_total{namespace="laptop"}`,
			}}},
			counted: []string{"cx_nps_responses_total", "namespace", simulate.Laptop},
		},
		{
			name: "website-up", target: "99%", unit: slo.Percent, verdict: v1alpha1.ReasonTargetMet,
			indicator: v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{
				Query: `probe_success{namespace="flight"}`, Operator: v1alpha1.OperatorGreaterThanOrEqual, Value: "1",
			}},
		},
		{
			name: "booking-done", target: "90%", unit: slo.Percent, verdict: v1alpha1.ReasonTargetMet,
			indicator: v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{
				Points: `sum(increase(ux_task_total{namespace="flight",outcome="success"}[$interval]))`,
				Events: `sum(increase(ux_task_total{namespace="flight"}[$interval]))`,
			}},
		},
	}
}

// of selects a metric of one of the stories.
func of(metric, story, more string) v1alpha1.Selector {
	return v1alpha1.Selector(fmt.Sprintf("%s{namespace=%q,%s}", metric, story, more))
}

func within(histogram, story string, threshold, poorAbove v1alpha1.Decimal) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
		Histogram: of(histogram, story, ""), Threshold: threshold, PoorAbove: poorAbove,
	}}
}

func good(total, story, when string) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: of(total, story, when), Total: of(total, story, "")}}
}

func bad(total, part, story string) v1alpha1.ObjectiveIndicator {
	return v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: of(part, story, ""), Total: of(total, story, "")}}
}

// objective is the promise as a resource.
func (p promise) objective(namespace string) *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: p.name},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "everything", Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web",
			SourceRef: &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: "prometheus"},
			Indicator: p.indicator, Target: p.target, Window: v1alpha1.Window{Rolling: window},
			MinimumEvents: 100, Confidence: p.confidence,
		},
	}
}

// declare makes a namespace with a source and all promises.
func (c *installed) declare(t *testing.T, namespace, url string) {
	t.Helper()
	c.connect(t, namespace, url, "2m")
	for _, p := range promises() {
		c.create(t, p.objective(namespace))
	}
}

// connect makes a namespace with a source.
func (c *installed) connect(t *testing.T, namespace, url, timeout string) {
	t.Helper()
	source := &v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "prometheus"}}
	source.Spec.URL = url
	source.Spec.Interval, source.Spec.Timeout = duration(t, "15s"), duration(t, timeout)
	c.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, source)
}

func (c *installed) create(t testing.TB, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := c.admin.Create(t.Context(), o); err != nil {
			t.Fatalf("create %s: %v", o.GetName(), err)
		}
	}
}

// figures is what an objective says that does not move with the clock.
type figures struct {
	Attainment, Target, Budget, Coverage, Interval, Band string
	Events                                               int64
	BurnRates                                            []v1alpha1.BurnRate
	Ready, Met                                           string
}

func figuresOf(o *v1alpha1.Objective) figures {
	s := &o.Status
	return figures{
		Attainment: s.Attainment, Target: s.Target, Budget: s.BudgetRemaining, Coverage: s.Coverage, Interval: s.ConfidenceInterval,
		Band: string(s.Band), Events: ptr.Deref(s.Events, -1), BurnRates: s.BurnRates,
		Ready: outcome(o, v1alpha1.ConditionReady), Met: outcome(o, v1alpha1.ConditionMet),
	}
}

// outcome is a condition's status and reason, empty when there is none.
func outcome(o *v1alpha1.Objective, kind string) string {
	c := meta.FindStatusCondition(o.Status.Conditions, kind)
	if c == nil {
		return ""
	}
	return string(c.Status) + " " + c.Reason
}

// objectives are those of a namespace by name.
func (c *installed) objectives(ctx context.Context, namespace string) (map[string]*v1alpha1.Objective, error) {
	found := &v1alpha1.ObjectiveList{}
	if err := c.admin.List(ctx, found, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	out := map[string]*v1alpha1.Objective{}
	for i := range found.Items {
		out[found.Items[i].Name] = &found.Items[i]
	}
	return out, nil
}

// settled waits until every promise in a namespace has its verdict.
func (c *installed) settled(t *testing.T, namespace string) map[string]figures {
	t.Helper()
	want := map[string]string{}
	for _, p := range promises() {
		want[p.name] = p.verdict
	}
	return c.all(t, namespace, "every verdict in "+namespace, func(o *v1alpha1.Objective) string {
		met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
		if met == nil || met.Reason != want[o.Name] {
			return fmt.Sprintf("%s is %s, want %s", o.Name, outcome(o, v1alpha1.ConditionMet), want[o.Name])
		}
		return ""
	})
}

// all waits until no objective of a namespace has an objection.
func (c *installed) all(t *testing.T, namespace, what string, objection func(*v1alpha1.Objective) string) map[string]figures {
	t.Helper()
	out := map[string]figures{}
	eventually(t, what, func(ctx context.Context) error {
		found, err := c.objectives(ctx, namespace)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("namespace %s holds no objective", namespace)
		}
		for name, o := range found {
			if why := objection(o); why != "" {
				return fmt.Errorf("%s", why)
			}
			out[name] = figuresOf(o)
		}
		return nil
	})
	return out
}

// checkComplete compares the events with what the simulated world wrote, and
// finds no gap in it.
func checkComplete(t *testing.T, world *simulate.World, got map[string]figures) {
	t.Helper()
	for name, f := range got {
		if f.Coverage != complete {
			t.Errorf("%s: coverage is %s, want %s", name, f.Coverage, complete)
		}
	}
	want, counted := map[string]int64{}, map[string]int64{}
	for _, p := range promises() {
		if len(p.counted) > 0 {
			want[p.name] = int64(world.Total(p.counted[0], p.counted[1:]...))
			counted[p.name] = got[p.name].Events
		}
	}
	if diff := cmp.Diff(want, counted); diff != "" {
		t.Errorf("events: -written, +counted:\n%s", diff)
	}
}

func duration(t *testing.T, text string) *metav1.Duration {
	t.Helper()
	var d metav1.Duration
	if err := d.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
		t.Fatalf("parse duration: %v", err)
	}
	return &d
}
