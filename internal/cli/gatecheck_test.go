package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// released is a gate of revision v2 whose check has begun.
func released(edits ...func(*v1alpha1.Gate)) *v1alpha1.Gate {
	started := metav1.NewTime(now)
	g := &v1alpha1.Gate{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "release", Generation: 3},
		Spec:       v1alpha1.GateSpec{Revision: "v2", Timeout: &metav1.Duration{Duration: time.Hour}},
		Status:     v1alpha1.GateStatus{ObservedGeneration: 3, Revision: "v2", Verdict: v1alpha1.GateBaking, StartedAt: &started},
	}
	for _, edit := range edits {
		edit(g)
	}
	return g
}

// finished ends the check after ten minutes.
func finished(verdict v1alpha1.GateVerdict, ready metav1.ConditionStatus, reason, message string) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) {
		at := metav1.NewTime(now.Add(10 * time.Minute))
		g.Status.Verdict, g.Status.FinishedAt = verdict, &at
		g.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready, Reason: reason, Message: message, ObservedGeneration: g.Generation}}
	}
}

func naming(objectives ...v1alpha1.GateObjective) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) { g.Status.Objectives = objectives }
}

func invalid(generation int64) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) {
		for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
			g.Status.Conditions = append(g.Status.Conditions, metav1.Condition{
				Type: kind, Reason: v1alpha1.ReasonInvalidSpec, Message: "spec.objectives: too many", ObservedGeneration: generation,
			})
		}
	}
}

var passed = finished(v1alpha1.GatePassed, metav1.ConditionTrue, v1alpha1.ReasonPassed, "all that is required holds")

// TestGateState tells a verdict on this release from all others.
func TestGateState(t *testing.T) {
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		asked  string
		want   gateState
	}{
		"New":           {reason: "nobody has looked yet", gate: released(func(g *v1alpha1.Gate) { g.Status = v1alpha1.GateStatus{ObservedGeneration: -1} }), want: gateUnseen},
		"Baking":        {reason: "the check goes on", gate: released(), want: gateUnderWay},
		"Passed":        {reason: "it ended", gate: released(passed), want: gateEnded},
		"OldRevision":   {reason: "a verdict on the revision before is none on this one", gate: released(passed, func(g *v1alpha1.Gate) { g.Status.Revision = "v1" }), want: gateUnseen},
		"OldGeneration": {reason: "nor is one on an older spec", gate: released(passed, func(g *v1alpha1.Gate) { g.Status.ObservedGeneration = 2 }), want: gateUnseen},
		"NotAskedYet": {
			reason: "nor is one from before this check was asked for", asked: "two",
			gate: released(passed, func(g *v1alpha1.Gate) { g.Status.LastHandledReconcileAt = "one" }), want: gateUnseen,
		},
		"Asked": {
			reason: "the one that was asked for", asked: "two",
			gate: released(passed, func(g *v1alpha1.Gate) { g.Status.LastHandledReconcileAt = "two" }), want: gateEnded,
		},
		"AskedAtLength": {
			reason: "of which the operator keeps the beginning", asked: strings.Repeat("x", v1alpha1.MaxRequest+1),
			gate: released(passed, func(g *v1alpha1.Gate) { g.Status.LastHandledReconcileAt = strings.Repeat("x", v1alpha1.MaxRequest) }), want: gateEnded,
		},
		"Replaced": {reason: "somebody released something else", gate: released(func(g *v1alpha1.Gate) { g.Spec.Revision = "v3" }), want: gateReplaced},
		"ReplacedAndPassed": {
			reason: "and that passed, which says nothing of this", gate: released(passed, func(g *v1alpha1.Gate) { g.Spec.Revision, g.Status.Revision = "v3", "v3" }), want: gateReplaced,
		},
		"Invalid":    {reason: "a person must change it", gate: released(invalid(3)), want: gateInvalid},
		"OldInvalid": {reason: "it was changed since", gate: released(invalid(2), func(g *v1alpha1.Gate) { g.Status.ObservedGeneration = 2 }), want: gateUnseen},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.asked != "" {
				tc.gate.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: tc.asked}
			}
			check := gateCheck{"v2", v1alpha1.RequestOf(tc.gate.Annotations)}
			if got := check.state(tc.gate); got != tc.want {
				t.Errorf("%s: state is %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestGateExitStatus says how the program ends, by what the command line makes of
// no verdict.
func TestGateExitStatus(t *testing.T) {
	nobodyKnows := finished(v1alpha1.GateInconclusive, metav1.ConditionFalse, v1alpha1.ReasonInconclusive, "too few events")
	type want struct{ unsaid, fail, pass int }
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   want
	}{
		"Passed":       {reason: "passed is passed", gate: released(passed), want: want{Done, Done, Done}},
		"Failed":       {reason: "failed is failed", gate: released(finished(v1alpha1.GateFailed, metav1.ConditionFalse, v1alpha1.ReasonObjectivesFailed, "")), want: want{Missed, Missed, Missed}},
		"Inconclusive": {reason: "nobody knows", gate: released(nobodyKnows), want: want{Undecided, Missed, Done}},
		"PassedInconclusive": {
			reason: "the gate says that no news is good news, and the command line may say otherwise",
			gate:   released(finished(v1alpha1.GateInconclusive, metav1.ConditionTrue, v1alpha1.ReasonPassedInconclusive, "")), want: want{Done, Missed, Done},
		},
		"TimedOut": {reason: "the command waited long enough", gate: released(), want: want{Undecided, Missed, Done}},
		"Unseen": {
			reason: "where no operator runs nobody looked, which is no news at all",
			gate:   released(func(g *v1alpha1.Gate) { g.Status = v1alpha1.GateStatus{} }), want: want{Undecided, Missed, Undecided},
		},
		"UnseenButBefore": {
			reason: "whatever was found of another release",
			gate:   released(passed, func(g *v1alpha1.Gate) { g.Status.Revision = "v1" }), want: want{Undecided, Missed, Undecided},
		},
		"Superseded": {
			reason: "no news of this release is not good news: somebody did not want it any more",
			gate:   released(func(g *v1alpha1.Gate) { g.Spec.Revision = "v3" }), want: want{Undecided, Missed, Undecided},
		},
		"Invalid": {reason: "a gate that cannot work is of no use", gate: released(invalid(3)), want: want{Unusable, Unusable, Unusable}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := gateCheck{revision: "v2"}.resultOf(tc.gate, time.Minute)
			got := want{r.exitStatus(""), r.exitStatus(inconclusiveFail), r.exitStatus(inconclusivePass)}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func found(name string, verdict v1alpha1.GateObjectiveVerdict, reason string) v1alpha1.GateObjective {
	return v1alpha1.GateObjective{Name: v1alpha1.Name(name), Verdict: verdict, Reason: reason}
}

func figured(o v1alpha1.GateObjective, events int64, attainment, budget, message string) v1alpha1.GateObjective {
	o.Events, o.Attainment, o.BudgetRemaining, o.Message = &events, attainment, budget, message
	return o
}

// TestGateProgress says in a line how far a check is.
func TestGateProgress(t *testing.T) {
	const since = "gate shop/release: baking since 12:00:00 UTC, until 13:00:00 UTC at the latest"
	unknown := func(name string) v1alpha1.GateObjective {
		return found(name, v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonBaking)
	}
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   string
	}{
		"Unseen":  {reason: "nobody has begun", gate: released(func(g *v1alpha1.Gate) { g.Status.Revision = "v1" }), want: "gate shop/release: waiting for the check of revision v2 to begin"},
		"Begun":   {reason: "nothing was found yet", gate: released(), want: since},
		"Holding": {reason: "all hold, and the time is not over", gate: released(naming(found("a", v1alpha1.GateObjectiveHolds, ""))), want: since + ": 1 of 1 objectives hold"},
		"Open": {
			reason: "what is waited for is named with its events",
			gate:   released(naming(figured(found("a", v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonTooFewEvents), 12, "", "", ""), found("b", v1alpha1.GateObjectiveHolds, ""))),
			want:   since + ": 1 of 2 objectives hold; not yet: a (TooFewEvents, 12 events)",
		},
		"Journeys": {
			reason: "journeys are named as such",
			gate: released(naming(found("a", v1alpha1.GateObjectiveHolds, "")), func(g *v1alpha1.Gate) {
				g.Status.Journeys = []v1alpha1.GateJourney{{Name: "order", Verdict: v1alpha1.GateObjectiveUnknown, Reason: v1alpha1.ReasonBaking}}
			}),
			want: since + ": 1 of 2 objectives and journeys hold; not yet: journey/order (Baking)",
		},
		"Many": {
			reason: "a line is no list", gate: released(naming(unknown("a"), unknown("b"), unknown("c"), unknown("d"), unknown("e"))),
			want: since + ": 0 of 5 objectives hold; not yet: a (Baking), b (Baking), c (Baking), 2 more",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, gateCheck{revision: "v2"}.progressOf(tc.gate)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
