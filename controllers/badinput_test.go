package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestRefusedByAPIServer shows the mistakes that never reach the operator.
func TestRefusedByAPIServer(t *testing.T) {
	ns := namespace(t, "refused")
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.ObjectiveSpec)
		want   []string
	}{
		"EmptyWindow": {
			reason: "a promise covers some time",
			change: func(s *v1alpha1.ObjectiveSpec) { s.Window = v1alpha1.Window{} },
			want:   []string{`spec.window: Required value`},
		},
		"WindowOfTwoKinds": {
			reason: "a window rolls or follows the calendar",
			change: func(s *v1alpha1.ObjectiveSpec) {
				s.Window.Calendar = &v1alpha1.CalendarWindow{Unit: "Month"}
			},
			want: []string{`spec.window: set exactly one of rolling, calendar, for example rolling: 28d`},
		},
		"FullTarget": {
			reason: "a target of 100% leaves no budget",
			change: target("100%"),
			want:   []string{`spec: target must be above 0% and below 100%: a target of 100% has no error budget`},
		},
		"PlainTargetOfAShare": {
			reason: "30 is a target of a score, not of a share of page views",
			change: target("30"),
			want:   []string{`spec: target must be a percentage such as "75%" for this indicator`},
		},
		"LongQuery": {
			reason: "the parser is quadratic, so queries are bounded at 4,096 characters",
			change: histogram(v1alpha1.Selector(strings.Repeat("a", 4097))),
			want:   []string{`spec.indicator.distribution.histogram: Too long: may not be more than 4096 bytes`},
		},
		"GoodAndBad": {
			reason: "with both, nobody knows what the rest is",
			change: events(v1alpha1.EventsIndicator{Good: "good_total", Bad: "bad_total", Total: "all_total"}),
			want:   []string{`spec.indicator.events: set exactly one of good, bad`},
		},
		"NoKind": {
			reason: "an indicator measures something",
			change: indicator(v1alpha1.ObjectiveIndicator{}),
			want:   []string{`spec.indicator: Required value`},
		},
		"ThresholdWithUnit": {
			reason: "the unit is the histogram's",
			change: func(s *v1alpha1.ObjectiveSpec) { s.Indicator.Distribution.Threshold = "2.5s" },
			want:   []string{`spec.indicator.distribution.threshold: write a plain decimal number without a unit, such as "2.5"`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := env.admin.Create(context.Background(), anObjective(ns, "refused", tc.change))
			if diff := cmp.Diff(tc.want, complaintsOf(err)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			t.Logf("%s -> refused: %s", name, strings.Join(complaintsOf(err), "; "))
		})
	}
}

// complaintsOf lists what the API server found wrong with an object. That a rule
// was not tried after another had failed is no complaint.
func complaintsOf(err error) []string {
	var refused apierrors.APIStatus
	if !errors.As(err, &refused) || refused.Status().Details == nil {
		return []string{fmt.Sprintf("not refused as invalid: %v", err)}
	}
	var out []string
	for _, cause := range refused.Status().Details.Causes {
		message := cause.Message
		if _, rule, found := strings.Cut(message, `": `); found {
			message = rule // what stands before repeats the value
		}
		if !strings.Contains(message, "some validation rules were not checked") {
			out = append(out, cause.Field+": "+strings.TrimPrefix(message, "Invalid value: "))
		}
	}
	slices.Sort(out)
	return out
}

// mistake is an objective that a person must change.
type mistake struct {
	why     string
	change  func(*v1alpha1.ObjectiveSpec)
	reason  string
	message string
}

// mistakes are accepted by the API server, which knows neither PromQL nor data.
// They need the sources of mistakenSources.
func mistakes(ns string) map[string]mistake {
	return map[string]mistake{
		"typo": {
			why: "a brace is missing", change: histogram(`web_vitals_lcp_seconds{namespace="long-hold"`),
			reason:  v1alpha1.ReasonInvalidQuery,
			message: `spec.indicator.distribution.histogram: parse "web_vitals_lcp_seconds{namespace=\"long-hold\"": 1:45: parse error: unexpected end of input inside braces`,
		},
		"call": {
			why:     "a function stands where a selector must",
			change:  events(v1alpha1.EventsIndicator{Good: `good_total`, Total: `sum(rate(ux_task_total{app="editor"}[5m]))`}),
			reason:  v1alpha1.ReasonInvalidQuery,
			message: `spec.indicator.events.total: "sum(rate(ux_task_total{app=\"editor\"}[5m]))" is an expression: write a plain selector, a metric name with matchers, such as ux_task_total{app="editor"}`,
		},
		"range": {
			why:     "a range stands where a selector must",
			change:  events(v1alpha1.EventsIndicator{Good: `good_total[5m]`, Total: `all_total`}),
			reason:  v1alpha1.ReasonInvalidQuery,
			message: `spec.indicator.events.good: "good_total[5m]" is a range selector: write the plain selector good_total`,
		},
		"threshold": {
			why:     "the threshold is no bucket of the histogram",
			change:  func(s *v1alpha1.ObjectiveSpec) { s.Indicator.Distribution.Threshold = "2.4" },
			reason:  v1alpha1.ReasonInvalidThreshold,
			message: `spec.indicator.distribution.threshold: 2.4 is no bucket boundary of web_vitals_lcp_seconds: the nearest boundaries are 1 and 2.5; use one of them, add the bucket, or set interpolate: true for an estimate`,
		},
		"zone": {
			why: "the time zone does not exist",
			change: func(s *v1alpha1.ObjectiveSpec) {
				s.Window = v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Month", TimeZone: "Europe/Atlantis"}}
			},
			reason:  v1alpha1.ReasonInvalidTimeZone,
			message: `spec.window.calendar.timeZone: "Europe/Atlantis" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`,
		},
		"many-to-many": {
			why: "only the server can tell that the query joins many to many",
			change: queries(`increase(ux_task_total[$interval]) * on (namespace) increase(ux_task_total[$interval])`,
				`increase(ux_task_total[$interval])`),
			reason:  v1alpha1.ReasonInvalidQuery,
			message: `spec.indicator: MetricSource ` + ns + `/prometheus rejected the query: found duplicate series for the match group {…} on the right hand-side of the operation: [{…}, {…}];many-to-many matching not allowed: matching labels must be unique on one side`,
		},
		"text": {
			why: "the query gives a text", change: indicator(v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{
				Query: `"up"`, Operator: v1alpha1.OperatorEqual, Value: "1",
			}}),
			reason:  v1alpha1.ReasonInvalidQuery,
			message: `spec.indicator.state.query: "\"up\"" gives a string: write an expression that gives an instant vector or a scalar`,
		},
		"tenancy": {
			why: "the matcher asks for the series of another namespace", change: from("confined"),
			reason:  v1alpha1.ReasonInvalidQuery,
			message: `spec.indicator.distribution: the metric source confines every query to namespace="` + ns + `": remove the matcher on "namespace" (conflicting label matcher: label matcher "namespace=\"long-hold\"" conflicts with injected matcher "namespace=\"` + ns + `\"")`,
		},
		"series": {
			why: "the answer has more series than the source's owner allows", change: from("narrow"),
			reason:  v1alpha1.ReasonLimitExceeded,
			message: `spec.indicator: MetricSource ` + ns + `/narrow answered more than 2 series: narrow the query or raise spec.limits.series`,
		},
		"namespace": {
			why: "the source is for another namespace", change: shared("elsewhere-only"),
			reason:  v1alpha1.ReasonSourceNotAllowed,
			message: `spec.sourceRef: ClusterMetricSource elsewhere-only does not allow namespace "` + ns + `": ask its owner to add the namespace to spec.allowedNamespaces, or use another source`,
		},
		"label": {
			why: "the source is for namespaces with a label", change: shared("labelled-only"),
			reason:  v1alpha1.ReasonSourceNotAllowed,
			message: `spec.sourceRef: ClusterMetricSource labelled-only does not allow namespace "` + ns + `": ask its owner to add the namespace to spec.allowedNamespaces, or use another source`,
		},
	}
}

// mistakenSources makes the sources that mistakes need, beside "prometheus".
func mistakenSources(t testing.TB, ns string) {
	t.Helper()
	create(t,
		named("confined", aSource(ns, env.prom.URL, func(s *v1alpha1.MetricSourceSpec) {
			s.Tenancy = &v1alpha1.Tenancy{Label: "namespace"}
		})),
		named("narrow", aSource(ns, env.prom.URL, func(s *v1alpha1.MetricSourceSpec) { s.Limits.Series = 2 })),
	)
	for name, allowed := range map[string]v1alpha1.AllowedNamespaces{
		"elsewhere-only": {Names: []v1alpha1.Label{"elsewhere"}},
		"labelled-only":  {Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"metrics": "allowed"}}},
	} {
		clusterSource(t, name, func(s *v1alpha1.ClusterMetricSourceSpec) { s.AllowedNamespaces = &allowed })
	}
}

// TestMistakes shows what a person reads who must change an objective, that
// evaluating it again says the same and writes nothing new, and that an
// objective which is allowed its source afterwards heals by itself.
func TestMistakes(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "mistakes")
	create(t, aSource(ns, env.prom.URL))
	mistakenSources(t, ns)
	cases := mistakes(ns)
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			tc := cases[name]
			o := anObjective(ns, name, tc.change)
			create(t, o)
			settled(t, o, tc.reason)
			want := map[string]string{
				"Ready":   "False " + tc.reason + ": " + tc.message,
				"Stalled": "True " + tc.reason + ": " + tc.message,
				"Met":     "Unknown " + tc.reason + ": " + tc.message,
			}
			if diff := cmp.Diff(want, worded(o.Status.Conditions)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.why, diff)
			}
			t.Logf("%s -> Stalled %s: %s", tc.why, tc.reason, meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionStalled).Message)
			evaluatedTheSame(t, o)
		})
	}
	allow := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	patch(t, allow, `{"metadata":{"labels":{"metrics":"allowed"}}}`)
	settled(t, anObjective(ns, "label"), v1alpha1.ReasonTargetMet)
}

// evaluatedTheSame asks for evaluations and checks that the conditions stay as
// they are to the second, and that the only writes are the answers.
func evaluatedTheSame(t *testing.T, o *v1alpha1.Objective) {
	t.Helper()
	before := o.DeepCopy()
	changes := watch(t, o)
	const times = 3
	last := ""
	for i := range times {
		last = fmt.Sprintf("again-%d", i)
		request(t, o, last)
	}
	if diff := cmp.Diff(before.Status.Conditions, o.Status.Conditions); diff != "" {
		t.Errorf("evaluated again, conditions changed: -before +after:\n%s", diff)
	}
	seen := changes(func(o *v1alpha1.Objective) bool { return o.Status.LastHandledReconcileAt == last })
	// Each round is two writes: the request, and its answer.
	if got := seen - times; got != times {
		t.Errorf("evaluated %d times again, the operator wrote %d times, want one answer each", times, got)
	}
}

// clusterSource makes a ClusterMetricSource on the tests' Prometheus until the
// test ends.
func clusterSource(t testing.TB, name string, change func(*v1alpha1.ClusterMetricSourceSpec)) *v1alpha1.ClusterMetricSource {
	t.Helper()
	s := &v1alpha1.ClusterMetricSource{ObjectMeta: metav1.ObjectMeta{Name: name}}
	s.Spec.URL = env.prom.URL
	change(&s.Spec)
	create(t, s)
	t.Cleanup(func() {
		if err := env.admin.Delete(context.Background(), s); client.IgnoreNotFound(err) != nil {
			t.Errorf("delete %s: %v", name, err)
		}
	})
	return s
}
