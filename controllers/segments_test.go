package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// byOutcome is an objective on the wait of callers, in segments by whether they were
// answered; about a third of either wait less than two minutes.
func byOutcome(ns, name string, change ...func(*v1alpha1.ObjectiveSpec)) *v1alpha1.Objective {
	return anObjective(ns, name, append([]func(*v1alpha1.ObjectiveSpec){
		indicator(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
			Histogram: `cx_queue_wait_seconds{namespace="long-hold"}`, Threshold: "120",
		}}),
		rolling("35d"), target("5%"),
		func(s *v1alpha1.ObjectiveSpec) { s.GroupBy = &v1alpha1.GroupBy{Label: "outcome"} },
	}, change...)...)
}

// segmentEvents gives the events of each segment in the status.
func segmentEvents(o *v1alpha1.Objective) map[string]int64 {
	out := map[string]int64{}
	for _, s := range o.Status.Segments {
		out[s.Value] = ptr.Deref(s.Events, -1)
	}
	return out
}

// waited is what the world wrote of callers with an outcome.
func waited(outcome string) int64 {
	return int64(env.world.Total("cx_queue_wait_seconds_count", "namespace", "long-hold", "outcome", outcome))
}

// between is a target in the middle of two figures.
func between(t *testing.T, a, b string) v1alpha1.Target {
	t.Helper()
	var low, high float64
	for text, into := range map[string]*float64{a: &low, b: &high} {
		ratio, err := slo.Percent.ParseFloor(text)
		if err != nil {
			t.Fatal(err)
		}
		*into = ratio
	}
	if low >= high {
		t.Fatalf("%s is no less than %s", a, b)
	}
	return v1alpha1.Target(fmt.Sprintf("%.3f%%", 50*(low+high)))
}

func objectiveWrites(t testing.TB, ns string) int {
	t.Helper()
	n := 0
	for _, e := range operatorRequests(t) {
		if e.Object.Resource == "objectives" && e.Object.Namespace == ns && e.Writes() {
			n++
		}
	}
	return n
}

// TestSegmentsThroughRealPrometheus compares the segments of a window that holds all
// of history with what the simulated world knows it wrote, restarts the operator, and
// changes what is asked for.
func TestSegmentsThroughRealPrometheus(t *testing.T) {
	by := &shifted{}
	by.hold(env.until)
	op := startOperatorBy(t, by)
	ns := namespace(t, "segments")
	create(t, aSource(ns, env.prom.URL))
	o := byOutcome(ns, "waits")
	create(t, o)
	settled(t, o, v1alpha1.ReasonTargetMet)
	t.Logf("%s\nsegments %v", describe(o), o.Status.Segments)
	want := map[string]int64{"answered": waited("answered"), "abandoned": waited("abandoned")}
	if diff := cmp.Diff(want, segmentEvents(o)); diff != "" {
		t.Errorf("events by segment: -world, +status:\n%s", diff)
	}
	if got := ptr.Deref(o.Status.Events, 0); got != want["answered"]+want["abandoned"] {
		t.Errorf("%d events of the whole, and %v by segment", got, want)
	}
	if got := served(t, op, "experience_objective_segment_met"); got != 2 {
		t.Errorf("%d series experience_objective_segment_met, want 2", got)
	}

	op.stop()
	before := objectiveWrites(t, ns)
	op = startOperatorBy(t, by)
	eventually(t, "the segments measured after the restart", func() bool { return served(t, op, "experience_objective_segment_met") == 2 })
	request(t, o, "again")
	if got := objectiveWrites(t, ns) - before; got != 1 {
		t.Errorf("%d writes after a restart and a request, want the one that answers", got)
	}

	segmentsChange(t, op, o)
}

// segmentsChange changes what is asked of the segments of an objective.
func segmentsChange(t *testing.T, op *operator, o *v1alpha1.Objective) {
	t.Helper()
	change := func(what string, change func(*v1alpha1.ObjectiveSpec), reason string) {
		t.Helper()
		before := o.DeepCopy()
		change(&o.Spec)
		if err := env.admin.Patch(context.Background(), o, client.MergeFrom(before)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		settled(t, o, reason)
	}
	worst := o.Status.Segments[0]
	change("a target between the worst and the whole", target(between(t, worst.Attainment, o.Status.Attainment)), v1alpha1.ReasonSegmentMissed)
	if got, want := worded(o.Status.Conditions)["Met"], fmt.Sprintf("False SegmentMissed: the attainment is below the target of %s for %q", o.Status.Target, worst.Value); got != want {
		t.Errorf("Met is %q, want %q", got, want)
	}
	journey := aJourney(o.Namespace, "calls", v1alpha1.JourneyStage{
		Name: "wait", Importance: v1alpha1.ImportanceCritical, Objectives: v1alpha1.StageObjectives{Names: []v1alpha1.Name{v1alpha1.Name(o.Name)}},
	})
	create(t, journey)
	reaches(t, journey, "Met", v1alpha1.ReasonBroken)
	t.Log(journeyText(journey))
	if got, want := journey.Status.BudgetRemaining, o.Status.Segments[0].BudgetRemaining; got != want {
		t.Errorf("the journey's budget is %s, want that of the worst segment, %s, and not that of the whole, %s", got, want, o.Status.BudgetRemaining)
	}
	change("for the whole", func(s *v1alpha1.ObjectiveSpec) { s.GroupBy.Met = v1alpha1.SegmentRuleWhole }, v1alpha1.ReasonTargetMet)
	change("room for one", func(s *v1alpha1.ObjectiveSpec) { s.GroupBy.Maximum = 1 }, v1alpha1.ReasonTargetMet)
	if got := slices.Sorted(maps.Keys(segmentEvents(o))); len(got) != 2 || got[0] != "" {
		t.Errorf("segments %q, want one and all others together", got)
	}
	change("none", func(s *v1alpha1.ObjectiveSpec) { s.GroupBy = nil }, v1alpha1.ReasonTargetMet)
	if n := served(t, op, "experience_objective_segment_met"); len(o.Status.Segments) != 0 || n != 0 {
		t.Errorf("segments %v and %d series, want none", o.Status.Segments, n)
	}
}
