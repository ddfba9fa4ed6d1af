package controllers_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/fluxcd/pkg/runtime/conditions/check"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// row is what a reader sees of an objective: the conditions as "Type=Status
// Reason", what kstatus makes of the object, and what Flux's checker complains
// about.
type row struct {
	Conditions map[string]string
	KStatus    status.Status
	Complaints string
}

// read gives the row of the object that the API server has.
func read(t *testing.T, o *v1alpha1.Objective) row {
	t.Helper()
	ctx := context.Background()
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Objective"))
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(o), raw); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
	out := row{KStatus: result.Status, Conditions: map[string]string{}}
	for _, c := range o.Status.Conditions {
		out.Conditions[c.Type] = string(c.Status) + " " + c.Reason
	}
	if len(o.Status.Conditions) > 0 {
		out.Complaints = complaints(ctx, o)
	}
	return out
}

func complaints(ctx context.Context, o conditions.Getter) string {
	checker := check.NewChecker(env.admin, &check.Conditions{
		NegativePolarity: []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling},
		PositivePolarity: []string{v1alpha1.ConditionReady},
	})
	out := ""
	for _, err := range []error{first(checker.Check(ctx, o)), second(checker.Check(ctx, o))} {
		if err != nil {
			out += err.Error() + "\n"
		}
	}
	return out
}

func first(fail, _ error) error  { return fail }
func second(_, warn error) error { return warn }

// TestStatusContract shows each state that an objective can be in, as read back
// from the API server.
func TestStatusContract(t *testing.T) {
	ns := namespace(t, "contract")
	unseen := anObjective(ns, "not-seen-yet")
	create(t, unseen)
	expect(t, unseen, row{KStatus: status.InProgressStatus, Conditions: map[string]string{}})

	startOperator(t)
	hanging := newProxy(t)
	hanging.fail(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	create(t, aSource(ns, env.prom.URL), named("hanging", aSource(ns, hanging.URL)), forbidden())
	cases := map[string]struct {
		objective *v1alpha1.Objective
		settled   string
		want      row
	}{
		"FirstEvaluationPending": {
			objective: anObjective(ns, "pending", from("hanging")), settled: v1alpha1.ReasonEvaluationPending,
			want: row{KStatus: status.InProgressStatus, Conditions: map[string]string{
				"Ready": "False EvaluationPending", "Reconciling": "True EvaluationPending", "Met": "Unknown EvaluationPending",
			}},
		},
		"Met": {
			objective: anObjective(ns, "met"), settled: v1alpha1.ReasonTargetMet,
			want: row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True Evaluated", "Met": "True TargetMet"}},
		},
		"Violated": {
			objective: anObjective(ns, "violated", target("99%")), settled: v1alpha1.ReasonTargetMissed,
			want: row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True Evaluated", "Met": "False TargetMissed"}},
		},
		"TooFewEvents": {
			objective: anObjective(ns, "few", func(s *v1alpha1.ObjectiveSpec) { s.MinimumEvents = 1_000_000_000 }), settled: v1alpha1.ReasonInsufficientData,
			want: row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True Evaluated", "Met": "Unknown InsufficientData"}},
		},
		"BadPromQL": {
			objective: anObjective(ns, "typo", histogram(`web_vitals_lcp_seconds{namespace="long-hold"`)), settled: v1alpha1.ReasonInvalidQuery,
			want: stalled(v1alpha1.ReasonInvalidQuery),
		},
		"ForbiddenReference": {
			objective: anObjective(ns, "forbidden", shared("closed")), settled: v1alpha1.ReasonSourceNotAllowed,
			want: stalled(v1alpha1.ReasonSourceNotAllowed),
		},
		"ImpossibleThreshold": {
			objective: anObjective(ns, "threshold", func(s *v1alpha1.ObjectiveSpec) { s.Indicator.Distribution.Threshold = "2.4" }), settled: v1alpha1.ReasonInvalidThreshold,
			want: stalled(v1alpha1.ReasonInvalidThreshold),
		},
		"SourceMissing": {
			objective: anObjective(ns, "missing", from("nowhere")), settled: v1alpha1.ReasonSourceNotFound,
			want: row{KStatus: status.InProgressStatus, Conditions: map[string]string{
				"Ready": "False SourceNotFound", "Reconciling": "True SourceNotFound", "Met": "Unknown SourceNotFound",
			}},
		},
		"Suspended": {
			objective: anObjective(ns, "suspended", func(s *v1alpha1.ObjectiveSpec) { s.Suspend = new(true) }), settled: v1alpha1.ReasonSuspended,
			want: row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True Suspended", "Met": "Unknown Suspended"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			create(t, tc.objective)
			settled(t, tc.objective, tc.settled)
			expect(t, tc.objective, tc.want)
		})
	}
}

// TestSourceOutage follows one objective through an outage of its source: its
// figures stand while they are fresh, and it comes back by itself.
func TestSourceOutage(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "outage")
	p := newProxy(t)
	o := anObjective(ns, "page-speed")
	create(t, aSource(ns, p.URL, func(s *v1alpha1.MetricSourceSpec) {
		s.StaleAfter = &metav1.Duration{Duration: 5 * time.Minute}
	}), o)
	before := settled(t, o, v1alpha1.ReasonTargetMet).Status.DeepCopy()

	p.fail(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) })
	op.clock.forward(2 * time.Minute)
	request(t, o, "while fresh")
	settled(t, o, v1alpha1.ReasonSourceUnavailable)
	expect(t, o, row{KStatus: status.CurrentStatus, Conditions: map[string]string{
		"Ready": "True Evaluated", "Met": "Unknown SourceUnavailable",
	}})

	op.clock.forward(10 * time.Minute)
	request(t, o, "when stale")
	await(t, o, "Ready=False", func(o *v1alpha1.Objective) bool { return o.Status.LastHandledReconcileAt == "when stale" })
	expect(t, o, row{KStatus: status.InProgressStatus, Conditions: map[string]string{
		"Ready": "False SourceUnavailable", "Reconciling": "True SourceUnavailable", "Met": "Unknown SourceUnavailable",
	}})
	if o.Status.Attainment != before.Attainment {
		t.Errorf("attainment = %q during the outage, want the last good %q", o.Status.Attainment, before.Attainment)
	}

	p.fail(nil)
	request(t, o, "mended")
	settled(t, o, v1alpha1.ReasonTargetMet)
	expect(t, o, row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True Evaluated", "Met": "True TargetMet"}})
}

func expect(t *testing.T, o *v1alpha1.Objective, want row) {
	t.Helper()
	got := read(t, o)
	t.Logf("%-14s kstatus=%-10s %v", o.Name, got.KStatus, got.Conditions)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", o.Name, diff)
	}
}

func stalled(reason string) row {
	return row{KStatus: status.FailedStatus, Conditions: map[string]string{
		"Ready": "False " + reason, "Stalled": "True " + reason, "Met": "Unknown " + reason,
	}}
}
