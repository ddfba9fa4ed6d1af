package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// passes is a stage of those objectives.
func passes(name v1alpha1.Label, importance v1alpha1.Importance, objectives ...v1alpha1.Name) v1alpha1.JourneyStage {
	return v1alpha1.JourneyStage{Name: name, Importance: importance, Objectives: v1alpha1.StageObjectives{Names: objectives}}
}

// chosenFor is a stage of the objectives with a label.
func chosenFor(name v1alpha1.Label, value string) v1alpha1.JourneyStage {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"stage": value}}
	return v1alpha1.JourneyStage{Name: name, Objectives: v1alpha1.StageObjectives{Selector: selector}}
}

func aJourney(ns, name string, stages ...v1alpha1.JourneyStage) *v1alpha1.Journey {
	return &v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: v1alpha1.JourneySpec{Stages: stages}}
}

func recoveredBy(j *v1alpha1.Journey, edges ...v1alpha1.Recovery) *v1alpha1.Journey {
	j.Spec.Recovery = edges
	return j
}

// service has an objective be one of the service and not of the product.
func service(s *v1alpha1.ObjectiveSpec) { s.Perspective = v1alpha1.PerspectiveCX }

// sparse has too few events for a verdict.
func sparse(s *v1alpha1.ObjectiveSpec) { s.MinimumEvents = 1_000_000_000 }

// journeyRow is what a reader sees of a journey.
type journeyRow struct {
	State   row
	Verdict v1alpha1.JourneyVerdict
	Pattern v1alpha1.JourneyPattern
	Weakest v1alpha1.Label
}

func readJourney(t *testing.T, j *v1alpha1.Journey) journeyRow {
	t.Helper()
	ctx := context.Background()
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Journey"))
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(j), raw); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(j), j); err != nil {
		t.Fatal(err)
	}
	out := journeyRow{State: row{KStatus: result.Status, Conditions: map[string]string{}}, Verdict: j.Status.Verdict, Pattern: j.Status.Pattern, Weakest: j.Status.WeakestStage}
	for _, c := range j.Status.Conditions {
		out.State.Conditions[c.Type] = string(c.Status) + " " + c.Reason
	}
	if len(j.Status.Conditions) > 0 {
		out.State.Complaints = complaints(ctx, j)
	}
	return out
}

// reaches waits until a journey's condition has the reason.
func reaches(t testing.TB, j *v1alpha1.Journey, kind, reason string) *v1alpha1.Journey {
	t.Helper()
	return await(t, j, kind+" with reason "+reason, func(j *v1alpha1.Journey) bool {
		c := meta.FindStatusCondition(j.Status.Conditions, kind)
		return c != nil && c.Reason == reason && c.ObservedGeneration == j.Generation
	})
}

// settles reads a journey until it is as wanted, for its objectives are judged one
// after the other; it returns what was read last.
func settles(t *testing.T, j *v1alpha1.Journey, want journeyRow) journeyRow {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if got := readJourney(t, j); cmp.Equal(want, got) || time.Since(began) > patience {
			return got
		}
	}
}

// journeyText words a journey's status in a line.
func journeyText(j *v1alpha1.Journey) string {
	text := fmt.Sprintf("%s %s weakest %q budget %s", j.Status.Verdict, j.Status.Pattern, j.Status.WeakestStage, j.Status.BudgetRemaining)
	if s := j.Status.Scores; s != nil {
		text += fmt.Sprintf(" UX %s CX %s", s.UX, s.CX)
	}
	for _, s := range j.Status.Stages {
		text += fmt.Sprintf("; %s %s %s: %s", s.Name, s.Verdict, s.Score, s.Gets)
	}
	return text
}

// journeyWrites counts what the operator wrote to journeys of a namespace.
func journeyWrites(t testing.TB, ns string) int {
	t.Helper()
	n := 0
	for _, e := range operatorRequests(t) {
		if e.Object.Resource == "journeys" && e.Object.Namespace == ns && e.Writes() {
			n++
		}
	}
	return n
}

// promises makes the objectives that the journeys of a test choose from: a product
// and a service that are kept, that are not, and that nobody knows.
func promises(t *testing.T, ns string) map[string]*v1alpha1.Objective {
	t.Helper()
	create(t, aSource(ns, env.prom.URL))
	out := map[string]*v1alpha1.Objective{
		"fast": anObjective(ns, "fast"), "slow": anObjective(ns, "slow", target("99%")),
		"kind": anObjective(ns, "kind", service), "rude": anObjective(ns, "rude", service, target("99%")),
		"few": anObjective(ns, "few", service, sparse),
	}
	for _, o := range out {
		create(t, o)
	}
	return out
}

// TestJourneyStates shows each state that a journey can be in, as read back from the
// API server.
func TestJourneyStates(t *testing.T) {
	const critical, normal = v1alpha1.ImportanceCritical, v1alpha1.ImportanceNormal
	ns, elsewhere := namespace(t, "journeys"), namespace(t, "journeys-elsewhere")
	unseen := aJourney(ns, "unseen", passes("web", normal, "fast"))
	create(t, unseen)
	if diff := cmp.Diff(journeyRow{State: row{KStatus: status.InProgressStatus, Conditions: map[string]string{}}}, readJourney(t, unseen)); diff != "" {
		t.Errorf("before anybody looked: -want +got:\n%s", diff)
	}
	startOperator(t)
	hanging := newProxy(t)
	hanging.fail(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	create(t, named("hanging", aSource(ns, hanging.URL)), anObjective(ns, "pending", from("hanging")))
	promises(t, ns)
	for i := range v1alpha1.MaxStageObjectives + 1 {
		o := anObjective(ns, fmt.Sprintf("crowd-%d", i))
		o.Labels = map[string]string{"stage": "crowd"}
		o.Spec.Suspend = new(true)
		create(t, o)
	}
	ready := func(met string) map[string]string { return map[string]string{"Ready": "True Evaluated", "Met": met} }
	waits := func(reason, met string) map[string]string {
		return map[string]string{"Ready": "False " + reason, "Reconciling": "True " + reason, "Met": met}
	}
	full := v1alpha1.Recovery{Stage: "web", By: "phone", Cap: "100%"}
	half := v1alpha1.Recovery{Stage: "web", By: "phone", Cap: "50%"}
	back := v1alpha1.Recovery{Stage: "phone", By: "web", Cap: "100%"}
	completed := aJourney(ns, "completed", passes("web", normal, "fast"))
	completed.Spec.Aggregation, completed.Spec.Completion = v1alpha1.AggregationCompletion, "rude"
	cases := map[string]struct {
		journey      *v1alpha1.Journey
		kind, reason string
		want         journeyRow
	}{
		"Holding": {
			aJourney(ns, "holding", passes("web", critical, "fast"), passes("phone", critical, "kind")), "Met", v1alpha1.ReasonHolding,
			journeyRow{row{ready("True Holding"), status.CurrentStatus, ""}, v1alpha1.JourneyHolding, v1alpha1.PatternConsistent, "web"},
		},
		"Degraded": {
			aJourney(ns, "degraded", passes("web", normal, "fast", "slow"), passes("phone", critical, "kind")), "Met", v1alpha1.ReasonDegraded,
			journeyRow{row{ready("False Degraded"), status.CurrentStatus, ""}, v1alpha1.JourneyDegraded, v1alpha1.PatternPoorProductGoodService, "web"},
		},
		"Broken": {
			aJourney(ns, "broken", passes("web", critical, "fast"), passes("phone", critical, "rude")), "Met", v1alpha1.ReasonBroken,
			journeyRow{row{ready("False Broken"), status.CurrentStatus, ""}, v1alpha1.JourneyBroken, v1alpha1.PatternGoodProductPoorService, "phone"},
		},
		"RecoveredInPart": {
			recoveredBy(aJourney(ns, "in-part", passes("web", critical, "slow"), passes("phone", critical, "kind")), half), "Met", v1alpha1.ReasonDegraded,
			journeyRow{row{ready("False Degraded"), status.CurrentStatus, ""}, v1alpha1.JourneyDegraded, v1alpha1.PatternPoorProductGoodService, "web"},
		},
		"Recovered": {
			recoveredBy(aJourney(ns, "recovered", passes("web", critical, "slow"), passes("phone", critical, "kind")), full), "Met", v1alpha1.ReasonHolding,
			journeyRow{row{ready("True Holding"), status.CurrentStatus, ""}, v1alpha1.JourneyHolding, v1alpha1.PatternPoorProductGoodService, "web"},
		},
		"RecoveredByEachOther": {
			recoveredBy(aJourney(ns, "each-other", passes("web", critical, "slow", "kind"), passes("phone", critical, "slow", "kind")), full, back), "Met", v1alpha1.ReasonHolding,
			journeyRow{row{ready("True Holding"), status.CurrentStatus, ""}, v1alpha1.JourneyHolding, v1alpha1.PatternPoorProductGoodService, "web"},
		},
		"NotCompleted": {
			completed, "Met", v1alpha1.ReasonBroken,
			journeyRow{row{ready("False Broken"), status.CurrentStatus, ""}, v1alpha1.JourneyBroken, v1alpha1.PatternGoodProductPoorService, "web"},
		},
		"Unknown": {
			aJourney(ns, "unknown", passes("web", critical, "fast"), passes("phone", critical, "kind", "few")), "Met", v1alpha1.ReasonObjectivesUnknown,
			journeyRow{row{ready("Unknown ObjectivesUnknown"), status.CurrentStatus, ""}, v1alpha1.JourneyUnknown, "", "web"},
		},
		"UnknownAndBroken": {
			aJourney(ns, "unknown-and-broken", passes("web", critical, "slow"), passes("phone", normal, "few")), "Met", v1alpha1.ReasonBroken,
			journeyRow{row{ready("False Broken"), status.CurrentStatus, ""}, v1alpha1.JourneyBroken, "", "web"},
		},
		"Pending": {
			aJourney(ns, "pending", passes("web", critical, "fast", "pending")), "Reconciling", v1alpha1.ReasonEvaluationPending,
			journeyRow{row{waits("EvaluationPending", "Unknown ObjectivesUnknown"), status.InProgressStatus, ""}, v1alpha1.JourneyUnknown, "", ""},
		},
		"Missing": {
			aJourney(ns, "missing", passes("web", critical, "slow", "gone")), "Met", v1alpha1.ReasonBroken,
			journeyRow{row{waits("ObjectivesNotFound", "False Broken"), status.InProgressStatus, ""}, v1alpha1.JourneyBroken, "", "web"},
		},
		"AnotherNamespace": {
			aJourney(elsewhere, "elsewhere", passes("web", critical, "fast")), "Reconciling", v1alpha1.ReasonObjectivesNotFound,
			journeyRow{row{waits("ObjectivesNotFound", "Unknown ObjectivesUnknown"), status.InProgressStatus, ""}, v1alpha1.JourneyUnknown, "", ""},
		},
		"NothingSelected": {
			aJourney(ns, "nobody", chosenFor("web", "nobody")), "Reconciling", v1alpha1.ReasonObjectivesNotFound,
			journeyRow{row{waits("ObjectivesNotFound", "Unknown ObjectivesUnknown"), status.InProgressStatus, ""}, v1alpha1.JourneyUnknown, "", ""},
		},
		"TooMany": {
			aJourney(ns, "crowded", chosenFor("web", "crowd")), "Stalled", v1alpha1.ReasonInvalidSpec,
			journeyRow{State: stalled(v1alpha1.ReasonInvalidSpec), Verdict: v1alpha1.JourneyUnknown},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			create(t, tc.journey)
			j := reaches(t, tc.journey, tc.kind, tc.reason)
			if name == "Pending" {
				await(t, j, "the rest of the stage", func(j *v1alpha1.Journey) bool { return len(j.Status.Stages[0].Unknown) == 1 })
			}
			got := settles(t, j, tc.want)
			t.Logf("kstatus=%-10s %v\n    %s", got.State.KStatus, got.State.Conditions, journeyText(j))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestJourneyFollows takes a journey through what happens to its objectives, and
// then leaves it alone: nothing is written.
func TestJourneyFollows(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "journey-follows")
	all := promises(t, ns)
	j := aJourney(ns, "order", passes("web", v1alpha1.ImportanceCritical, "fast"), chosenFor("phone", "phone"))
	create(t, j)
	says := func(what, kind, reason string) {
		t.Helper()
		reaches(t, j, kind, reason)
		t.Logf("%-34s %s\n    %s", what, reason, journeyText(j))
	}
	says("nobody is at the phone", "Ready", v1alpha1.ReasonObjectivesNotFound)
	patch(t, all["kind"], `{"metadata":{"labels":{"stage":"phone"}}}`)
	says("an objective is labelled", "Met", v1alpha1.ReasonHolding)
	patch(t, all["fast"], `{"spec":{"target":"99%"}}`)
	says("a target is raised", "Met", v1alpha1.ReasonBroken)
	patch(t, all["fast"], `{"spec":{"target":"75%"}}`)
	says("and lowered", "Met", v1alpha1.ReasonHolding)
	patch(t, all["kind"], `{"spec":{"suspend":true}}`)
	says("one is suspended", "Met", v1alpha1.ReasonObjectivesUnknown)
	if got := j.Status.Stages[1].Unknown; len(got) != 1 || got[0] != (v1alpha1.UnknownObjective{Name: "kind", Reason: v1alpha1.ReasonSuspended}) {
		t.Errorf("unknown = %v, want kind, Suspended", got)
	}
	patch(t, all["kind"], `{"spec":{"suspend":false}}`)
	says("and not any more", "Met", v1alpha1.ReasonHolding)
	deleteNow(t, all["fast"])
	says("one is deleted", "Ready", v1alpha1.ReasonObjectivesNotFound)
	const gone = "these objectives do not exist in the journey's namespace: fast: create them, or leave them out of the spec"
	if got := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionReady).Message; got != gone {
		t.Errorf("Ready says %q, want %q", got, gone)
	}
	if j.Status.Verdict != v1alpha1.JourneyUnknown || j.Status.Stages[0].Unknown[0].Reason != v1alpha1.ReasonNotFound {
		t.Errorf("%s with a deleted objective that is %v", j.Status.Verdict, j.Status.Stages[0].Unknown)
	}
	create(t, anObjective(ns, "fast"))
	says("and made again", "Met", v1alpha1.ReasonHolding)
	if got := served(t, op, "experience_journey_met"); got != 1 {
		t.Errorf("%d series experience_journey_met, want 1", got)
	}

	idle(t, op, ns, j)
}

// idle restarts the operator and lets it measure all again and again: a journey
// whose figures stay is not written.
func idle(t *testing.T, op *operator, ns string, j *v1alpha1.Journey) {
	t.Helper()
	before := j.ResourceVersion
	writes := journeyWrites(t, ns)
	op.stop()
	again := startOperator(t)
	for i := range 3 {
		for _, name := range []string{"fast", "kind"} {
			request(t, &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}, fmt.Sprint("round ", i))
		}
	}
	eventually(t, "the journey judged after the restart", func() bool { return served(t, again, "experience_journey_met") == 1 })
	got := journeyWrites(t, ns) - writes
	t.Logf("a restart and three measurements of each objective: %d writes to the journey", got)
	if err := env.admin.Get(context.Background(), client.ObjectKeyFromObject(j), j); err != nil {
		t.Fatal(err)
	}
	if got != 0 || j.ResourceVersion != before {
		t.Errorf("%d writes, resourceVersion %s, want none and still %s", got, j.ResourceVersion, before)
	}
	deleteNow(t, j)
	eventually(t, "the series gone", func() bool { return served(t, again, "experience_journey_met") == 0 })
}

// served counts the series of a metric.
func served(t testing.TB, op *operator, name string) int {
	t.Helper()
	families, err := op.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return len(f.GetMetric())
		}
	}
	return 0
}
