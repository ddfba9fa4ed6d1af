package controllers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// through has a gate ask for journeys by name.
func through(names ...v1alpha1.Name) func(*v1alpha1.GateSpec) {
	return func(g *v1alpha1.GateSpec) {
		g.Journeys = &v1alpha1.GateJourneys{Names: names}
	}
}

// gateJourneys: a release that breaks a journey fails, one under which it holds
// passes, alone and beside objectives.
func gateJourneys(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-journeys")
	s.objective(t, "steady")
	s.objective(t, "broken", func(o *v1alpha1.Objective) { o.Spec.Target = "99%" })
	j := aJourney(s.ns, "kept", passes("web", v1alpha1.ImportanceCritical, "steady"))
	j.Labels = map[string]string{"release": "shop"}
	create(t, j, aJourney(s.ns, "violated", passes("web", v1alpha1.ImportanceCritical, "broken")))
	alone := s.gate(t, "alone", nil, func(g *v1alpha1.GateSpec) {
		g.Journeys = &v1alpha1.GateJourneys{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"release": "shop"}}}
	})
	beside := s.gate(t, "beside", []v1alpha1.Name{"steady"}, through("kept"))
	bad := s.gate(t, "bad", []v1alpha1.Name{"steady"}, through("kept", "violated"))
	missing := s.gate(t, "missing", nil, through("later"))
	await(t, missing, "NotFound", func(g *v1alpha1.Gate) bool {
		return len(g.Status.Journeys) == 1 && g.Status.Journeys[0].Reason == v1alpha1.ReasonNotFound
	})
	create(t, aJourney(s.ns, "later", passes("web", v1alpha1.ImportanceCritical, "steady")))
	s.op.clock.hold(since(missing).Add(5 * time.Minute))
	ends(t, alone, v1alpha1.ReasonPassed)
	ends(t, beside, v1alpha1.ReasonPassed)
	ends(t, bad, v1alpha1.ReasonObjectivesFailed)
	ends(t, missing, v1alpha1.ReasonPassed)
	want := map[string]string{
		"alone":  "all that is required of the journeys holds",
		"beside": "all that is required of the objectives and journeys holds",
		"bad":    "journey violated: JourneyBroken",
	}
	got := map[string]string{}
	for _, g := range []*v1alpha1.Gate{alone, beside, bad} {
		got[g.Name] = conditionOf(g, v1alpha1.ConditionReady).Message
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Ready says: -want +got:\n%s", diff)
	}
	nothing := s.gate(t, "nothing", nil, func(g *v1alpha1.GateSpec) {
		g.Journeys = &v1alpha1.GateJourneys{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"release": "none"}}}
	})
	if got := conditionOf(nothing, v1alpha1.ConditionReady).Message; got != "no journey of the namespace matches spec.journeys.selector" {
		t.Errorf("a selector of nothing says %q", got)
	}
}

// journeysUnseen: a release that took its metrics away leaves a journey as it was over
// its windows, and does not pass for that. Nor does one that is excluded.
func journeysUnseen(t *testing.T, w *releaseWorld) {
	s := w.stage(t, "gate-unseen")
	s.objective(t, "gone")
	s.objective(t, "steady", func(o *v1alpha1.Objective) { o.Labels = map[string]string{"excluded": "yes"} })
	create(t, &v1alpha1.Exclusion{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "upgrade"},
		Spec: v1alpha1.ExclusionSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"excluded": "yes"}},
			From:     metav1.NewTime(w.release.Add(-30 * time.Minute)), To: metav1.NewTime(w.release.Add(24 * time.Hour)),
			Reason: "the database is upgraded", Approver: "payments",
		},
	})
	steady := &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "steady"}}
	await(t, steady, "left out", func(o *v1alpha1.Objective) bool { return o.Status.Excluded != "" })
	create(t, aJourney(s.ns, "dark", passes("web", v1alpha1.ImportanceCritical, "gone")), aJourney(s.ns, "absent", passes("web", v1alpha1.ImportanceCritical, "steady")))
	want := map[string]string{
		"dark":   "objective gone: there is no data since the check began: check that the release is scraped and has the metric of spec.indicator",
		"absent": "objective steady: fewer minutes than bake.duration count since the check began: the others are excluded: give the gate a timeout that reaches beyond them",
	}
	s.op.clock.hold(w.release.Add(10 * time.Minute)) // what was seen before is none of a check's
	gates := map[string]*v1alpha1.Gate{}
	for name := range want {
		gates[name] = s.gate(t, name, nil, through(v1alpha1.Name(name)))
	}
	s.op.clock.hold(since(gates["dark"]).Add(12 * time.Minute))
	got := map[string]string{}
	for name, g := range gates {
		got[name] = ends(t, g, v1alpha1.ReasonInconclusive).Status.Journeys[0].Message
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("journeys say: -want +got:\n%s", diff)
	}
}
