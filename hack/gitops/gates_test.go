package gitops_test

import (
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	words "github.com/experience-slo/operator/internal/status"
)

// gate takes one through what happens to it. It is as the API server makes it
// before anything does.
func gate(events ...func(*v1alpha1.Gate)) *v1alpha1.Gate {
	g := &v1alpha1.Gate{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Gate"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "release", Generation: 2},
		Spec:       v1alpha1.GateSpec{Revision: "1.4.2", Objectives: v1alpha1.GateObjectives{Names: []v1alpha1.Name{"page-speed"}}},
		Status:     v1alpha1.GateStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(g)
	}
	return g
}

// found is a look at the release: what the check has come to, and its conditions.
func found(verdict v1alpha1.GateVerdict, conditions ...metav1.Condition) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) {
		g.Status.ObservedGeneration, g.Status.Revision, g.Status.Verdict = g.Generation, g.Spec.Revision, verdict
		g.Status.LastHandledReconcileAt = g.Annotations[v1alpha1.ReconcileRequestAnnotation]
		g.Status.StartedAt, g.Status.FinishedAt = new(metav1.NewTime(now.Add(-time.Hour))), nil
		if verdict != v1alpha1.GateBaking {
			g.Status.FinishedAt = new(metav1.NewTime(now))
		}
		g.Status.Conditions = nil
		for _, c := range conditions {
			c.ObservedGeneration = g.Generation
			meta.SetStatusCondition(&g.Status.Conditions, c)
		}
	}
}

var (
	baking = found(v1alpha1.GateBaking,
		words.NotReady(v1alpha1.ReasonBaking, "two to go"), words.Reconciling(v1alpha1.ReasonBaking, "two to go"))
	passed = found(v1alpha1.GatePassed, words.Ready(v1alpha1.ReasonPassed, "all holds"))
	failed = found(v1alpha1.GateFailed,
		words.NotReady(v1alpha1.ReasonObjectivesFailed, "page-speed"), words.Stalled(v1alpha1.ReasonObjectivesFailed, "page-speed"))
	undecided = found(v1alpha1.GateInconclusive,
		words.NotReady(v1alpha1.ReasonInconclusive, "no traffic"), words.Stalled(v1alpha1.ReasonInconclusive, "no traffic"))
	waved   = found(v1alpha1.GateInconclusive, words.Ready(v1alpha1.ReasonPassedInconclusive, "no traffic"))
	invalid = found("",
		words.NotReady(v1alpha1.ReasonInvalidSpec, "too many"), words.Stalled(v1alpha1.ReasonInvalidSpec, "too many"))
)

// released sets another revision.
func released(g *v1alpha1.Gate) {
	g.Generation++
	g.Spec.Revision = "1.4.3"
}

// again asks for another check of the same revision.
func again(g *v1alpha1.Gate) {
	g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: "2026-03-14T15:09:26Z"}
}

func withdrawn(g *v1alpha1.Gate) {
	g.Finalizers, g.DeletionTimestamp = []string{"example.com/slow"}, new(metav1.NewTime(now))
}

// gates are the states of a Gate.
func gates() map[string]state {
	const unseen, waits, done, fails = "the operator has not seen this spec yet", "Progressing", "Healthy", "Degraded"
	return map[string]state{
		"NotSeen":            {"the operator has not begun", gate(), health{waits, waits, unseen, "InProgress"}},
		"Baking":             {"too little was seen", gate(baking), health{waits, waits, "Baking: two to go", "InProgress"}},
		"Passed":             {"the release may go on", gate(baking, passed), health{done, done, "Passed: all holds", "Current"}},
		"PassedInconclusive": {"nobody knows, which is to be good enough", gate(baking, waved), health{done, done, "PassedInconclusive: no traffic", "Current"}},
		"Failed":             {"the release broke a promise", gate(baking, failed), health{fails, fails, "ObjectivesFailed: page-speed", "Failed"}},
		"Inconclusive":       {"nobody knows, which is not good enough", gate(baking, undecided), health{fails, fails, "Inconclusive: no traffic", "Failed"}},
		"Invalid":            {"a person must mend the spec", gate(invalid), health{fails, fails, "InvalidSpec: too many", "Failed"}},
		"PassedThenReleased": {"a good release says nothing of the next", gate(passed, released), health{waits, waits, unseen, "InProgress"}},
		"FailedThenReleased": {"nor does a bad one: it may be the fix", gate(failed, released), health{waits, waits, unseen, "InProgress"}},
		"FailedThenBaking":   {"which is checked from the start", gate(failed, released, baking), health{waits, waits, "Baking: two to go", "InProgress"}},
		"Repeated":           {"another check of the same release", gate(failed, again, passed), health{done, done, "Passed: all holds", "Current"}},
		"Anonymous": {"a gate that names no revision", gate(func(g *v1alpha1.Gate) { g.Spec.Revision = "" }, passed),
			health{done, done, "Passed: all holds", "Current"}},
		"Deleted": {"a finalizer of somebody else holds it", gate(passed, withdrawn), health{waits, waits, "the gate is being deleted", "Terminating"}},
	}
}

// TestNoOldVerdictOfAGate shows gates whose verdict is about something else though
// the generation is the same, which kstatus takes for current: the scripts of both
// tools must not.
func TestNoOldVerdictOfAGate(t *testing.T) {
	cases := map[string]struct {
		reason  string
		gate    *v1alpha1.Gate
		message string
	}{
		"Asked": {"a check was asked for and has not begun", gate(passed, again),
			"the check that was asked for has not begun yet"},
		"AskedAfterFailure": {"the same, after a bad release", gate(failed, again),
			"the check that was asked for has not begun yet"},
		"AnotherRevision": {"the status is of another release", gate(passed, func(g *v1alpha1.Gate) { g.Status.Revision = "1.4.1" }),
			"the check of 1.4.2 has not begun yet"},
	}
	key := setting("health", "Gate")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			object := seen(t, c.gate)
			health, message, err := assess(t.Context(), patches(t)["lenient"][key], object.Object)
			if err != nil || health != "Progressing" || message != c.message {
				t.Errorf("%s: Argo CD says %s %q (%v), want Progressing %q", c.reason, health, message, err, c.message)
			}
			for _, variant := range []string{"lenient", "strict"} {
				if got, err := checks(t, variant)["Gate"].verdict(t.Context(), object.Object); err != nil || got != status.InProgressStatus {
					t.Errorf("%s: Flux, %s, says %s, want InProgress (%v)", c.reason, variant, got, err)
				}
			}
		})
	}
}
