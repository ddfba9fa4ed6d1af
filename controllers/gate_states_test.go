package controllers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// readGate gives the row of a gate that the API server has.
func readGate(t *testing.T, g *v1alpha1.Gate) row {
	t.Helper()
	ctx := context.Background()
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Gate"))
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(g), raw); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(g), g); err != nil {
		t.Fatal(err)
	}
	out := row{KStatus: result.Status, Conditions: map[string]string{}}
	for _, c := range g.Status.Conditions {
		out.Conditions[c.Type] = string(c.Status) + " " + c.Reason
	}
	if len(g.Status.Conditions) > 0 {
		out.Complaints = complaints(ctx, g)
	}
	return out
}

func expectGate(t *testing.T, g *v1alpha1.Gate, want row) {
	t.Helper()
	got := readGate(t, g)
	t.Logf("%-12s kstatus=%-10s verdict=%-12s %v", g.Name, got.KStatus, g.Status.Verdict, got.Conditions)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", g.Name, diff)
	}
}

// gateStates shows each state that a gate can be in, as read back from the API
// server.
func gateStates(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-states")
	s.objective(t, "steady")
	s.objective(t, "broken")
	s.objective(t, "idle")
	s.op.stop()
	unseen := &v1alpha1.Gate{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "unseen"}, Spec: v1alpha1.GateSpec{Objectives: v1alpha1.GateObjectives{Names: []v1alpha1.Name{"steady"}}}}
	create(t, unseen)
	expectGate(t, unseen, row{KStatus: status.InProgressStatus, Conditions: map[string]string{}})

	s.start(t, w.release)
	s.ticks(t, "steady")
	baking := row{KStatus: status.InProgressStatus, Conditions: map[string]string{"Ready": "False Baking", "Reconciling": "True Baking"}}
	ended := func(reason string) row {
		return row{KStatus: status.FailedStatus, Conditions: map[string]string{"Ready": "False " + reason, "Stalled": "True " + reason}}
	}
	cases := map[string]struct {
		gate *v1alpha1.Gate
		want row
	}{
		"Passed": {
			gate: s.gate(t, "passed", []v1alpha1.Name{"steady"}),
			want: row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True Passed"}},
		},
		"Failed":       {gate: s.gate(t, "failed", []v1alpha1.Name{"broken"}), want: ended(v1alpha1.ReasonObjectivesFailed)},
		"Inconclusive": {gate: s.gate(t, "inconclusive", []v1alpha1.Name{"idle"}), want: ended(v1alpha1.ReasonInconclusive)},
		"PassedInconclusive": {
			gate: s.gate(t, "no-news", []v1alpha1.Name{"idle"}, inconclusive(v1alpha1.OnInconclusivePass)),
			want: row{KStatus: status.CurrentStatus, Conditions: map[string]string{"Ready": "True PassedInconclusive"}},
		},
	}
	for _, tc := range cases {
		expectGate(t, tc.gate, baking)
	}
	s.op.clock.hold(w.release.Add(13 * time.Minute))
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			await(t, tc.gate, "the end", finished)
			expectGate(t, tc.gate, tc.want)
		})
	}
	// What passed is in progress from the moment in which a new revision is set.
	s.op.stop()
	passed := cases["Passed"].gate
	patch(t, passed, `{"spec":{"revision":"v2"}}`)
	if got := readGate(t, passed).KStatus; got != status.InProgressStatus {
		t.Errorf("kstatus = %s with a new revision that no operator has seen, want InProgress", got)
	}
	s.start(t, w.release.Add(14*time.Minute))
	began(t, passed)
	expectGate(t, passed, baking)
}

// restartHalfWay: an operator that starts in the middle of a check goes on from
// where it began, with the same figures.
func restartHalfWay(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-restart")
	s.objective(t, "steady")
	g := s.gate(t, "shop", []v1alpha1.Name{"steady"}, bake(5*time.Minute))
	s.measured(t, g, 2)
	started := *g.Status.StartedAt
	s.op.stop()
	t.Logf("stopped: %s", gateText(g))
	// The deadline passes meanwhile.
	s.start(t, since(g).Add(3*time.Hour))
	ends(t, g, v1alpha1.ReasonPassed)
	deadline := g.Deadline().Truncate(time.Minute)
	want := int64(deadline.Sub(since(g)).Minutes()) * allEvents
	if got := ptr.Deref(g.Status.Objectives[0].Events, 0); !g.Status.StartedAt.Equal(&started) || got != want {
		t.Errorf("started %s with %d events, want %s with the %d up to its deadline", g.Status.StartedAt, got, started, want)
	}
}

// selectorFollowsObjectives: a selector chooses what is there now.
func selectorFollowsObjectives(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-selector")
	long := func(g *v1alpha1.GateSpec) {
		g.Bake.Duration.Duration, g.Timeout.Duration = 30*time.Minute, time.Hour
	}
	g := s.gate(t, "shop", nil, labelled, long)
	says := func(what, message string) {
		t.Helper()
		await(t, g, what, func(g *v1alpha1.Gate) bool { return conditionOf(g, v1alpha1.ConditionReady).Message == message })
		t.Logf("%-28s %s", what, message)
	}
	says("no objective", "no objective of the namespace matches spec.objectives.selector")
	s.objective(t, "steady", label)
	says("one", "the release is watched for 30m")
	idle := s.objective(t, "idle")
	patch(t, idle, `{"metadata":{"labels":{"release":"shop"}}}`)
	await(t, g, "two", func(g *v1alpha1.Gate) bool { return len(g.Status.Objectives) == 2 })
	patch(t, idle, `{"spec":{"suspend":true}}`)
	says("one is suspended", "the release is watched, and this is missing: idle: NotMeasured")
	if got, want := g.Status.Objectives[0].Message, "evaluation is suspended: set spec.suspend to false to go on"; got != want {
		t.Errorf("message = %q, want the objective's own, %q", got, want)
	}
	patch(t, idle, `{"metadata":{"labels":{"release":null}}}`)
	says("and let go", "the release is watched for 30m")
	await(t, g, "one", func(g *v1alpha1.Gate) bool { return len(g.Status.Objectives) == 1 })

	missing := s.gate(t, "missing", []v1alpha1.Name{"steady", "later"}, long)
	await(t, missing, "NotFound", func(g *v1alpha1.Gate) bool { return g.Status.Objectives[0].Reason == v1alpha1.ReasonNotFound })
	t.Logf("missing: %s", gateText(missing))
	score := s.gate(t, "wrong-unit", []v1alpha1.Name{"steady"}, requires(v1alpha1.GateRequirements{Attainment: "4.2"}))
	await(t, score, "InvalidFloor", func(g *v1alpha1.Gate) bool { return g.Status.Objectives[0].Reason == v1alpha1.ReasonInvalidFloor })
	t.Logf("wrong unit: %s", score.Status.Objectives[0].Message)

	later := s.objective(t, "later-source", func(o *v1alpha1.Objective) { o.Name = "later"; o.Spec.Indicator.Events = steady() })
	await(t, missing, "found", func(g *v1alpha1.Gate) bool { return g.Status.Objectives[0].Reason == v1alpha1.ReasonBaking })
	s.measured(t, missing, 31)
	ends(t, missing, v1alpha1.ReasonPassed)
	ends(t, g, v1alpha1.ReasonPassed)
	deleteNow(t, later)
	again := s.gate(t, "deleted", []v1alpha1.Name{"steady", "later"})
	await(t, again, "NotFound", func(g *v1alpha1.Gate) bool { return g.Status.Objectives[0].Reason == v1alpha1.ReasonNotFound })
	deleteNow(t, again)
}

func steady() *v1alpha1.EventsIndicator {
	return &v1alpha1.EventsIndicator{Good: `requests_total{app="steady",result="good"}`, Total: `requests_total{app="steady"}`}
}

// tooManyObjectives: a selector over 65 objectives stalls a gate until one is
// let go.
func tooManyObjectives(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-many")
	var last *v1alpha1.Objective
	for i := range v1alpha1.MaxGateObjectives + 1 {
		last = anObjective(s.ns, fmt.Sprintf("o%d", i), rolling("1h"), events(*steady()))
		label(last)
		create(t, last)
	}
	s.ticks(t, last.Name)
	g := s.gate(t, "shop", nil, labelled)
	await(t, g, "InvalidSpec", func(g *v1alpha1.Gate) bool {
		return conditionOf(g, v1alpha1.ConditionStalled).Reason == v1alpha1.ReasonInvalidSpec
	})
	expectGate(t, g, row{KStatus: status.FailedStatus, Conditions: map[string]string{"Ready": "False InvalidSpec", "Stalled": "True InvalidSpec"}})
	want := "spec.objectives.selector: it selects more than 64 objectives: choose fewer, or use several gates"
	if got := conditionOf(g, v1alpha1.ConditionStalled).Message; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	patch(t, last, `{"metadata":{"labels":{"release":null}}}`)
	await(t, g, "64 objectives", func(g *v1alpha1.Gate) bool { return len(g.Status.Objectives) == v1alpha1.MaxGateObjectives })
	writes := gateWrites(t, s.ns)
	s.measured(t, g, 1)
	t.Logf("64 objectives measured in one tick: %d writes to their gate", gateWrites(t, s.ns)-writes)
	if got := gateWrites(t, s.ns) - writes; got > 8 {
		t.Errorf("%d writes for one tick", got)
	}
}

// gateEvents: what begins and ends is announced once.
func gateEvents(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-events")
	s.objective(t, "steady")
	s.objective(t, "broken")
	g := s.gate(t, "shop", []v1alpha1.Name{"steady"})
	s.measured(t, g, 3)
	ends(t, g, v1alpha1.ReasonPassed)
	patch(t, g, `{"spec":{"revision":"v2","objectives":{"names":["broken"]}}}`)
	began(t, g)
	s.op.clock.hold(since(g).Add(2 * time.Minute))
	ends(t, g, v1alpha1.ReasonObjectivesFailed)
	want := []string{
		"Normal Baking: the check of revision v1 began",
		"Normal Passed: all that is required of the objectives holds",
		"Normal Baking: the check of revision v2 began",
		"Warning ObjectivesFailed: broken: BelowFloor",
	}
	eventually(t, "the event of the end", func() bool { return len(announced(t, s.ns, "shop")) == len(want) })
	got := announced(t, s.ns, "shop")
	t.Log(strings.Join(got, "\n"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// longerThanMinutesAreKept: a check of four hours on a window of two days is
// exact to the minute, although minutes of such windows are kept for three hours,
// and so it is after a restart.
func longerThanMinutesAreKept(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-long")
	s.objective(t, "steady", func(o *v1alpha1.Objective) { o.Spec.Window.Rolling = "2d" })
	long := func(spec *v1alpha1.GateSpec) {
		spec.Bake.Duration.Duration, spec.Timeout.Duration = 4*time.Hour, 5*time.Hour
	}
	g := s.gate(t, "shop", []v1alpha1.Name{"steady"}, long)
	s.measured(t, g, 1)
	s.measured(t, g, 3*60+41)
	t.Logf("after 3h41m: %s", gateText(g))
	s.op.stop()
	s.start(t, since(g).Add(3*time.Hour+42*time.Minute))
	s.ticks(t, "steady")
	s.measured(t, g, 3*60+50) // the start itself may take more than a minute
	t.Logf("after a restart at 3h42m: %s", gateText(g))
	s.measured(t, g, 4*60)
	ends(t, g, v1alpha1.ReasonPassed)
}
