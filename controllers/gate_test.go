package controllers_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestGate plays releases on a real API server and a real Prometheus.
func TestGate(t *testing.T) {
	w := newReleaseWorld(t)
	for name, test := range map[string]func(*testing.T, *releaseWorld){
		"FailsWithinATick":          failsWithinATick,
		"PassesWhenBaked":           passesWhenBaked,
		"NoTraffic":                 noTraffic,
		"OldVerdictsDoNotPass":      oldVerdictsDoNotPass,
		"OldMinutesDoNotFail":       oldMinutesDoNotFail,
		"NewRevisionStartsAnew":     newRevisionStartsAnew,
		"HistoryIsBounded":          historyIsBounded,
		"FinishedDoesNothing":       finishedDoesNothing,
		"RestartHalfWay":            restartHalfWay,
		"SelectorFollowsObjectives": selectorFollowsObjectives,
		"States":                    gateStates,
		"TooManyObjectives":         tooManyObjectives,
		"Events":                    gateEvents,
		"Journeys":                  gateJourneys,
		"JourneysUnseen":            journeysUnseen,
		"LongerThanMinutesAreKept":  longerThanMinutesAreKept,
	} {
		t.Run(name, func(t *testing.T) { test(t, w) })
	}
}

// failsWithinATick: the first measured minute of a bad release ends its gate. The
// clock stands still before there can be a second one.
func failsWithinATick(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-fails")
	s.objective(t, "steady")
	s.objective(t, "broken")
	g := s.gate(t, "bad-release", []v1alpha1.Name{"steady", "broken"})
	evidence := since(g).Add(time.Minute)
	s.op.clock.hold(evidence)
	ends(t, g, v1alpha1.ReasonObjectivesFailed)
	lag := g.Status.FinishedAt.Sub(evidence)
	t.Logf("started %s, the first minute of the release ended %s, failed %s after it", g.Status.StartedAt.Format(time.TimeOnly), evidence.Format(time.TimeOnly), lag)
	if diff := cmp.Diff("broken: BelowFloor", conditionOf(g, v1alpha1.ConditionStalled).Message); diff != "" {
		t.Errorf("Stalled: -want +got:\n%s", diff)
	}
	want := v1alpha1.GateObjective{
		Name: "broken", Verdict: v1alpha1.GateObjectiveFails, Reason: v1alpha1.ReasonBelowFloor, Attainment: "9.1%",
		Events: ptr.To[int64](allEvents), Message: "the release attains less than the floor of 75%",
	}
	got := g.Status.Objectives[0]
	want.BudgetRemaining = got.BudgetRemaining
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// passesWhenBaked: a good release passes with the minute in which its bake ends,
// not before, and its events are exact.
func passesWhenBaked(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-passes")
	s.objective(t, "steady")
	s.objective(t, "relieved", func(o *v1alpha1.Objective) { o.Spec.Alerting = &v1alpha1.Alerting{Page: off()} })
	g := s.gate(t, "good-release", []v1alpha1.Name{"relieved", "steady"})
	for minutes := 1; minutes <= 2; minutes++ {
		s.measured(t, g, minutes)
		t.Logf("after %d min: %s", minutes, gateText(g))
		if g.Status.Verdict != v1alpha1.GateBaking {
			t.Fatalf("%s after %d of 3 minutes", g.Status.Verdict, minutes)
		}
	}
	s.measured(t, g, 3)
	ends(t, g, v1alpha1.ReasonPassed)
}

func off() *v1alpha1.AlertTier { return &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled} }

// noTraffic: without an event a check ends at its timeout, as told.
func noTraffic(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-no-traffic")
	s.objective(t, "idle")
	cases := map[string]struct {
		args   v1alpha1.OnInconclusive
		reason string
	}{
		"fail": {v1alpha1.OnInconclusiveFail, v1alpha1.ReasonInconclusive},
		"pass": {v1alpha1.OnInconclusivePass, v1alpha1.ReasonPassedInconclusive},
	}
	gates := map[string]*v1alpha1.Gate{}
	for name, tc := range cases {
		gates[name] = s.gate(t, name, []v1alpha1.Name{"idle"}, inconclusive(tc.args))
	}
	s.op.clock.hold(since(gates["pass"]).Add(5 * time.Minute))
	for name, g := range gates {
		await(t, g, "TooFewEvents", func(g *v1alpha1.Gate) bool {
			return len(g.Status.Objectives) == 1 && g.Status.Objectives[0].Reason == v1alpha1.ReasonTooFewEvents
		})
		t.Logf("%s after 5 min: %s; %s", name, gateText(g), conditionOf(g, v1alpha1.ConditionReady).Message)
		if finished(g) {
			t.Errorf("%s ended before its timeout", name)
		}
	}
	s.op.clock.hold(since(gates["pass"]).Add(12 * time.Minute))
	for name, tc := range cases {
		g := ends(t, gates[name], tc.reason)
		if g.Status.Verdict != v1alpha1.GateInconclusive {
			t.Errorf("verdict = %s, want Inconclusive", g.Status.Verdict)
		}
		t.Log(conditionsOf(g.Status.Conditions))
	}
}

// oldVerdictsDoNotPass: an objective that was Met before the release passes
// nothing, and one that was missed before fails nothing until it is measured
// with a minute of the release.
func oldVerdictsDoNotPass(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-old-verdicts")
	met, missed := s.objective(t, "steady"), s.objective(t, "relieved")
	settled(t, met, v1alpha1.ReasonTargetMet)
	settled(t, missed, v1alpha1.ReasonTargetMissed)
	whole := requires(v1alpha1.GateRequirements{Met: v1alpha1.MetRequired})
	good := s.gate(t, "was-met", []v1alpha1.Name{"steady"}, whole, bake(time.Minute))
	bad := s.gate(t, "was-missed", []v1alpha1.Name{"relieved"}, whole, bake(time.Minute))
	// Both are measured again, with nothing of the release.
	s.op.clock.hold(since(good))
	request(t, met, "again")
	request(t, missed, "again")
	for _, g := range []*v1alpha1.Gate{good, bad} {
		touch(t, g, "again")
		await(t, g, "a check", func(g *v1alpha1.Gate) bool { return len(g.Status.Objectives) == 1 })
		t.Logf("%s, with yesterday's verdict: %s", g.Name, gateText(g))
		if o := g.Status.Objectives[0]; finished(g) || o.Reason != v1alpha1.ReasonBaking || o.Events != nil {
			t.Errorf("%s: an old verdict leaked: %s", g.Name, gateText(g))
		}
	}
	s.op.clock.hold(since(good).Add(2 * time.Minute))
	ends(t, good, v1alpha1.ReasonPassed)
	ends(t, bad, v1alpha1.ReasonObjectivesFailed)
}

// oldMinutesDoNotFail: the release that mends what was bad passes its floor.
func oldMinutesDoNotFail(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-old-minutes")
	o := s.objective(t, "relieved")
	settled(t, o, v1alpha1.ReasonTargetMissed)
	t.Logf("over its window: %s", o.Status.Attainment)
	g := s.gate(t, "mended", []v1alpha1.Name{"relieved"}, requires(v1alpha1.GateRequirements{Attainment: "90%"}))
	s.measured(t, g, 3)
	ends(t, g, v1alpha1.ReasonPassed)
	if got := g.Status.Objectives[0].Attainment; got != "90.9%" {
		t.Errorf("the release attained %s, want 90.9%%", got)
	}
}

// newRevisionStartsAnew: nothing of the old check is left, whether it had ended
// or not, and other changes of the spec begin none.
func newRevisionStartsAnew(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-revisions")
	s.objective(t, "steady")
	g := s.gate(t, "shop", []v1alpha1.Name{"steady"})
	s.measured(t, g, 2)
	first := *g.Status.StartedAt
	patch(t, g, `{"spec":{"bake":{"duration":"4m"}}}`)
	await(t, g, "the change of the bake", func(g *v1alpha1.Gate) bool { return g.Status.ObservedGeneration == g.Generation })
	if !g.Status.StartedAt.Equal(&first) {
		t.Error("a longer bake began a new check")
	}
	s.measured(t, g, 3)
	if finished(g) {
		t.Error("a longer bake had no effect on the check that goes on")
	}
	patch(t, g, `{"spec":{"revision":"v2"}}`)
	began(t, g)
	t.Logf("superseded: %s, history %s", gateText(g), records(g))
	if g.Status.Objectives != nil && g.Status.Objectives[0].Events != nil {
		t.Errorf("figures of v1 leaked into v2: %s", gateText(g))
	}
	s.measured(t, g, 4)
	ends(t, g, v1alpha1.ReasonPassed)

	s.checkedAgain(t, g)
	want := []string{"v2 Passed Passed", "v2 Passed Passed", "v1 Superseded Baking"}
	if diff := cmp.Diff(want, records(g)); diff != "" {
		t.Errorf("history: -want +got:\n%s", diff)
	}
}

// checkedAgain has a check that ended begin anew: not by a change of the bake, but
// on request.
func (s *stage) checkedAgain(t *testing.T, g *v1alpha1.Gate) {
	t.Helper()
	ended := *g.Status.FinishedAt
	patch(t, g, `{"spec":{"bake":{"duration":"5m"}}}`)
	await(t, g, "observed", func(g *v1alpha1.Gate) bool { return g.Status.ObservedGeneration == g.Generation })
	if !finished(g) || !g.Status.FinishedAt.Equal(&ended) {
		t.Errorf("a change of the bake woke a check that had ended: %s", gateText(g))
	}
	patch(t, g, annotation("again"))
	await(t, g, "a check on request", func(g *v1alpha1.Gate) bool { return g.Status.LastHandledReconcileAt == "again" && !finished(g) })
	if ready := conditionOf(g, v1alpha1.ConditionReady); ready.Reason != v1alpha1.ReasonBaking || ready.Status != "False" {
		t.Errorf("Ready = %s %s while v2 is checked again", ready.Status, ready.Reason)
	}
	s.measured(t, g, 5)
	ends(t, g, v1alpha1.ReasonPassed)
}

func records(g *v1alpha1.Gate) []string {
	var out []string
	for _, r := range g.Status.History {
		out = append(out, fmt.Sprintf("%s %s %s", r.Revision, r.Verdict, r.Reason))
	}
	return out
}

// historyIsBounded: of twelve checks that never ended the last ten are kept.
func historyIsBounded(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-history")
	g := s.gate(t, "shop", []v1alpha1.Name{"steady"})
	var want []string
	for n := 2; n <= 13; n++ {
		patch(t, g, fmt.Sprintf(`{"spec":{"revision":"v%d"}}`, n))
		began(t, g)
		want = append(want, fmt.Sprintf("v%d Superseded Baking", n-1))
	}
	slices.Reverse(want)
	if diff := cmp.Diff(want[:v1alpha1.MaxGateHistory], records(g)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// finishedDoesNothing: a gate that ended reads nothing and writes nothing, even
// when the operator starts anew.
func finishedDoesNothing(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-finished")
	o := s.objective(t, "steady")
	g := s.gate(t, "shop", []v1alpha1.Name{"steady"})
	s.measured(t, g, 3)
	ends(t, g, v1alpha1.ReasonPassed)
	version, writes := g.ResourceVersion, gateWrites(t, s.ns)

	// The objective is measured on, which wakes no gate.
	for minutes := 20; minutes < 23; minutes++ {
		s.op.clock.hold(since(g).Add(time.Duration(minutes) * time.Minute))
		request(t, o, fmt.Sprint(minutes))
	}
	// Nothing else is measured when it is suspended: what is read is for gates.
	patch(t, o, `{"spec":{"suspend":true}}`)
	settled(t, o, v1alpha1.ReasonSuspended)
	reads := s.reads.Load()
	s.op.stop()
	s.start(t, since(g).Add(30*time.Minute))
	request(t, o, "after the restart")
	patch(t, g, `{"spec":{"bake":{"duration":"5m"}}}`)
	await(t, g, "observed", func(g *v1alpha1.Gate) bool { return g.Status.ObservedGeneration == g.Generation })
	s.op.clock.hold(since(g).Add(40 * time.Minute))
	request(t, o, "once more")
	if got := s.reads.Load() - reads; got != 0 {
		t.Errorf("%d queries for a gate that had ended", got)
	}
	// One write notes the generation of the spec.
	if got := gateWrites(t, s.ns) - writes; got != 1 || !finished(g) {
		t.Errorf("%d writes to a gate that had ended, want the one that notes a changed spec; version %s, was %s", got, g.ResourceVersion, version)
	}
	t.Logf("3 measurements, a restart and a changed spec after the end: %d queries, %d write", s.reads.Load()-reads, gateWrites(t, s.ns)-writes)
}
