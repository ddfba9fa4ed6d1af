package status_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

// aGate is a gate whose check of v1 just began.
func aGate(change ...func(*v1alpha1.Gate)) *v1alpha1.Gate {
	g := &v1alpha1.Gate{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Generation: 3},
		Spec: v1alpha1.GateSpec{
			Revision: "v1", OnInconclusive: v1alpha1.OnInconclusiveFail,
			Bake: v1alpha1.Bake{Duration: &metav1.Duration{Duration: 10 * time.Minute}}, Timeout: &metav1.Duration{Duration: time.Hour},
		},
		Status: v1alpha1.GateStatus{ObservedGeneration: -1},
	}
	for _, c := range change {
		c(g)
	}
	status.BeginGate(g, "", now)
	return g
}

func lenient(g *v1alpha1.Gate) { g.Spec.OnInconclusive = v1alpha1.OnInconclusivePass }

func aFinding(name v1alpha1.Name, verdict v1alpha1.GateObjectiveVerdict, reason string) evaluate.GateFinding {
	nan := math.NaN()
	return evaluate.GateFinding{Name: name, Verdict: verdict, Reason: reason, Floor: nan, Attainment: nan, Budget: nan, Events: nan}
}

func outcome(verdict v1alpha1.GateVerdict, findings ...evaluate.GateFinding) evaluate.GateOutcome {
	return evaluate.GateOutcome{Verdict: verdict, Findings: findings}
}

func TestGateConditions(t *testing.T) {
	const fails, unknown, holds = v1alpha1.GateObjectiveFails, v1alpha1.GateObjectiveUnknown, v1alpha1.GateObjectiveHolds
	few, baking := aFinding("few", unknown, v1alpha1.ReasonTooFewEvents), aFinding("new", unknown, v1alpha1.ReasonBaking)
	var many []evaluate.GateFinding
	for i := range 10 {
		many = append(many, aFinding(v1alpha1.Name(fmt.Sprint("o", i)), fails, v1alpha1.ReasonBelowFloor))
	}
	ready := func(reason, message string) map[string]string {
		return map[string]string{"Ready": "True " + reason + ": " + message}
	}
	not := func(kind, reason, message string) map[string]string {
		return map[string]string{"Ready": "False " + reason + ": " + message, kind: "True " + reason + ": " + message}
	}
	cases := map[string]struct {
		reason  string
		gate    *v1alpha1.Gate
		outcome evaluate.GateOutcome
		want    map[string]string
	}{
		"Baking": {
			reason: "all is on its way", gate: aGate(), outcome: outcome(v1alpha1.GateBaking, baking, aFinding("a", holds, v1alpha1.ReasonRequirementsHold)),
			want: not("Reconciling", "Baking", "the release is watched for 10m"),
		},
		"Missing": {
			reason: "what is awaited, and what needs no waiting for", gate: aGate(), outcome: outcome(v1alpha1.GateBaking, few, baking),
			want: not("Reconciling", "Baking", "the release is watched, and this is missing: few: TooFewEvents"),
		},
		"NoObjective": {
			reason: "a selector of nothing", gate: aGate(), outcome: outcome(v1alpha1.GateBaking),
			want: not("Reconciling", "Baking", "no objective of the namespace matches spec.objectives.selector"),
		},
		"Passed": {
			reason: "the release may go on", gate: aGate(), outcome: outcome(v1alpha1.GatePassed, aFinding("a", holds, v1alpha1.ReasonRequirementsHold)),
			want: ready("Passed", "all that is required of the objectives holds"),
		},
		"Failed": {
			reason: "those that fail are named, others are not", gate: aGate(),
			outcome: outcome(v1alpha1.GateFailed, aFinding("a", fails, v1alpha1.ReasonBelowFloor), aFinding("b", fails, v1alpha1.ReasonTargetMissed), few),
			want:    not("Stalled", "ObjectivesFailed", "a: BelowFloor, b: TargetMissed"),
		},
		"ManyFailed": {
			reason: "a message is no list", gate: aGate(), outcome: outcome(v1alpha1.GateFailed, many...),
			want: not("Stalled", "ObjectivesFailed", "o0: BelowFloor, o1: BelowFloor, o2: BelowFloor, o3: BelowFloor, o4: BelowFloor, o5: BelowFloor, o6: BelowFloor, o7: BelowFloor and 2 more"),
		},
		"Inconclusive": {
			reason: "no verdict is no pass", gate: aGate(), outcome: outcome(v1alpha1.GateInconclusive, few),
			want: not("Stalled", "Inconclusive", "the timeout of 1h came before a verdict: few: TooFewEvents"),
		},
		"PassedInconclusive": {
			reason: "unless it was asked for", gate: aGate(lenient), outcome: outcome(v1alpha1.GateInconclusive, few),
			want: ready("PassedInconclusive", "the timeout of 1h came before a verdict: few: TooFewEvents; spec.onInconclusive is Pass"),
		},
		"InconclusiveOfNone": {
			reason: "nothing was ever matched", gate: aGate(), outcome: outcome(v1alpha1.GateInconclusive),
			want: not("Stalled", "Inconclusive", "the timeout of 1h came before a verdict: no objective of the namespace matches spec.objectives.selector"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			// What an earlier state left must not outlive it.
			status.InvalidGate(tc.gate, "an earlier mistake")
			status.Gate(tc.gate, tc.outcome, now.Add(time.Minute))
			if diff := cmp.Diff(tc.want, words(tc.gate.Status.Conditions)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			s := tc.gate.Status
			if baking := tc.outcome.Verdict == v1alpha1.GateBaking; s.Finished() == baking || (len(s.History) == 0) != baking {
				t.Errorf("%s: finished %t with a history of %d", s.Verdict, s.Finished(), len(s.History))
			}
			if s.ObservedGeneration != tc.gate.Generation {
				t.Errorf("observedGeneration = %d, want %d", s.ObservedGeneration, tc.gate.Generation)
			}
		})
	}
}

func TestGateFigures(t *testing.T) {
	finding := func(change func(*evaluate.GateFinding)) evaluate.GateFinding {
		f := aFinding("a", v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold)
		f.Unit, f.Floor, f.Attainment, f.Budget, f.Events = slo.Percent, 0.75, 0.81349, 0.25249, 120.4
		change(&f)
		return f
	}
	with := func(attainment string) v1alpha1.GateObjective {
		return v1alpha1.GateObjective{
			Name: "a", Verdict: v1alpha1.GateObjectiveHolds, Reason: v1alpha1.ReasonRequirementsHold,
			Attainment: attainment, Events: ptr.To[int64](120), BudgetRemaining: "25.2%",
		}
	}
	long := with("81.3%")
	long.Message = strings.Repeat("x", 1021) + "..."
	cases := map[string]struct {
		reason string
		args   evaluate.GateFinding
		want   v1alpha1.GateObjective
	}{
		"Rounded": {reason: "what moves is rounded", args: finding(func(*evaluate.GateFinding) {}), want: with("81.3%")},
		"Close":   {reason: "a miss does not read as a hit", args: finding(func(f *evaluate.GateFinding) { f.Attainment = 0.74999 }), want: with("74.999%")},
		"NoFloor": {reason: "nothing to hold it against", args: finding(func(f *evaluate.GateFinding) { f.Attainment, f.Floor = 0.74999, math.NaN() }), want: with("75%")},
		"Unknown": {
			reason: "no figure where none is known", args: aFinding("a", v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonNotFound),
			want: v1alpha1.GateObjective{Name: "a", Verdict: v1alpha1.GateObjectiveUnknown, Reason: v1alpha1.ReasonNotFound},
		},
		"LongMessage": {reason: "the API server refuses more", args: finding(func(f *evaluate.GateFinding) { f.Message = strings.Repeat("x", 5000) }), want: long},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := aGate()
			status.Gate(g, outcome(v1alpha1.GateBaking, tc.args), now)
			if diff := cmp.Diff([]v1alpha1.GateObjective{tc.want}, g.Status.Objectives); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestGateWritesNoClock shows that time alone changes nothing while a check goes
// on, and how its moments are rounded: up, to the second.
func TestGateWritesNoClock(t *testing.T) {
	g := aGate()
	if want := "2026-03-14T15:09:27Z"; g.Status.StartedAt.Format(time.RFC3339Nano) != want {
		t.Errorf("startedAt = %s, want %s: what came before is not the release's", g.Status.StartedAt.Format(time.RFC3339Nano), want)
	}
	baking := outcome(v1alpha1.GateBaking, aFinding("a", v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonBaking))
	status.Gate(g, baking, now)
	before := g.DeepCopy()
	status.Gate(g, baking, now.Add(10*time.Minute))
	if diff := cmp.Diff(before, g); diff != "" {
		t.Errorf("ten minutes without a new figure: -before +after:\n%s", diff)
	}
}

func TestBeginGate(t *testing.T) {
	later := now.Add(time.Hour)
	passed := func() *v1alpha1.Gate {
		g := aGate()
		status.Gate(g, outcome(v1alpha1.GatePassed, aFinding("a", v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold)), now.Add(time.Minute))
		return g
	}
	invalid := func() *v1alpha1.Gate {
		g := aGate()
		status.InvalidGate(g, "a mistake")
		return g
	}
	at := func(after time.Duration) metav1.Time {
		return metav1.NewTime(now.Add(after + time.Second).Truncate(time.Second))
	}
	record := func(verdict v1alpha1.GateVerdict, reason string, after time.Duration) []v1alpha1.GateRecord {
		return []v1alpha1.GateRecord{{Revision: "v1", Verdict: verdict, Reason: reason, StartedAt: at(0), FinishedAt: at(after)}}
	}
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   []v1alpha1.GateRecord
	}{
		"AfterAVerdict": {reason: "a check that ended is in the history already", gate: passed(), want: record(v1alpha1.GatePassed, v1alpha1.ReasonPassed, time.Minute)},
		"InTheMiddle":   {reason: "one that had not is superseded", gate: aGate(), want: record(v1alpha1.GateSuperseded, v1alpha1.ReasonBaking, time.Hour)},
		"AfterAMistake": {reason: "and so is one that could not go on", gate: invalid(), want: record(v1alpha1.GateSuperseded, v1alpha1.ReasonInvalidSpec, time.Hour)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.gate.Spec.Revision = "v2"
			status.BeginGate(tc.gate, "now", later)
			started := at(time.Hour)
			want := v1alpha1.GateStatus{
				ObservedGeneration: tc.gate.Status.ObservedGeneration, Conditions: tc.gate.Status.Conditions,
				Revision: "v2", Verdict: v1alpha1.GateBaking, StartedAt: &started, History: tc.want, LastHandledReconcileAt: "now",
			}
			if diff := cmp.Diff(want, tc.gate.Status); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestObserveGate(t *testing.T) {
	g := aGate()
	status.Gate(g, outcome(v1alpha1.GatePassed, aFinding("a", v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold)), now)
	want := g.DeepCopy()
	g.Generation = 7
	status.ObserveGate(g)
	want.Generation, want.Status.ObservedGeneration, want.Status.Conditions[0].ObservedGeneration = 7, 7, 7
	if diff := cmp.Diff(want, g); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
