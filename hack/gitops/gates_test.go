package gitops_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	words "github.com/experience-slo/operator/internal/status"
)

// gate takes one through what happens to it. It is as the API server makes it
// before anything does.
func gate(events ...func(*v1alpha1.Gate)) *v1alpha1.Gate {
	g := &v1alpha1.Gate{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Gate"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "release", Generation: 2},
		Spec: v1alpha1.GateSpec{
			Revision: "1.4.2", Objectives: v1alpha1.GateObjectives{Names: []v1alpha1.Name{"page-speed"}},
			Bake:    v1alpha1.Bake{Duration: &metav1.Duration{Duration: 10 * time.Minute}, MinimumEvents: 1},
			Timeout: &metav1.Duration{Duration: time.Hour}, OnInconclusive: v1alpha1.OnInconclusiveFail,
		},
		Status: v1alpha1.GateStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(g)
	}
	return g
}

// begun is the beginning of a check, or the look at a spec that begins none.
func begun(g *v1alpha1.Gate) {
	if asked := v1alpha1.RequestOf(g.Annotations); g.Status.StartedAt == nil ||
		g.Status.Revision != g.Spec.Revision || g.Status.LastHandledReconcileAt != asked {
		words.BeginGate(g, asked, now.Add(-time.Hour))
	}
}

// came is a look at the release that began before: what it has come to for its
// one objective.
func came(verdict v1alpha1.GateVerdict, objective v1alpha1.GateObjectiveVerdict, reason string) func(*v1alpha1.Gate) {
	finding := evaluate.GateFinding{
		Name: "page-speed", Verdict: objective, Reason: reason,
		Attainment: math.NaN(), Events: math.NaN(), Budget: math.NaN(), Floor: math.NaN(),
	}
	return func(g *v1alpha1.Gate) {
		begun(g)
		words.Gate(g, evaluate.GateOutcome{Verdict: verdict, Findings: []evaluate.GateFinding{finding}}, now)
	}
}

var (
	baking    = came(v1alpha1.GateBaking, v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonTooFewEvents)
	passed    = came(v1alpha1.GatePassed, v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold)
	failed    = came(v1alpha1.GateFailed, v1alpha1.GateObjectiveFails, v1alpha1.ReasonPageTierBurning)
	undecided = came(v1alpha1.GateInconclusive, v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonTooFewEvents)
)

// lenient takes no news for good news.
func lenient(g *v1alpha1.Gate) { g.Spec.OnInconclusive = v1alpha1.OnInconclusivePass }

func invalid(g *v1alpha1.Gate) {
	begun(g)
	words.InvalidGate(g, "too many")
}

// released sets another revision.
func released(g *v1alpha1.Gate) {
	g.Generation++
	g.Spec.Revision = "1.4.3"
}

// again asks for another check of the same revision.
func again(g *v1alpha1.Gate) {
	g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: "2026-03-14T15:09:26Z"}
}

// atLength asks for another in as many words as the status repeats, but for a byte.
func atLength(last string) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) {
		g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: strings.Repeat("x", v1alpha1.MaxRequest-1) + last}
	}
}

func withdrawn(g *v1alpha1.Gate) {
	g.Finalizers, g.DeletionTimestamp = []string{"example.com/slow"}, new(metav1.NewTime(now))
}

// gates are the states of a Gate.
func gates() map[string]state {
	const (
		unseen, waits, done, fails = "the operator has not seen this spec yet", "Progressing", "Healthy", "Degraded"

		watched = "Baking: the release is watched, and this is missing: page-speed: TooFewEvents"
		holds   = "Passed: all that is required of the objectives holds"
		burns   = "ObjectivesFailed: page-speed: PageTierBurning"
		late    = "the timeout of 1h came before a verdict: page-speed: TooFewEvents"
	)
	return map[string]state{
		"NotSeen":      {"the operator has not begun", gate(), health{waits, waits, unseen, "InProgress"}},
		"Baking":       {"too little was seen", gate(baking), health{waits, waits, watched, "InProgress"}},
		"Passed":       {"the release may go on", gate(baking, passed), health{done, done, holds, "Current"}},
		"Failed":       {"the release broke a promise", gate(baking, failed), health{fails, fails, burns, "Failed"}},
		"Inconclusive": {"nobody knows, which is not good enough", gate(baking, undecided), health{fails, fails, "Inconclusive: " + late, "Failed"}},
		"PassedInconclusive": {"nobody knows, which is to be good enough", gate(lenient, baking, undecided),
			health{done, done, "PassedInconclusive: " + late + "; spec.onInconclusive is Pass", "Current"}},
		"Invalid":            {"a person must mend the spec", gate(invalid), health{fails, fails, "InvalidSpec: too many", "Failed"}},
		"PassedThenReleased": {"a good release says nothing of the next", gate(passed, released), health{waits, waits, unseen, "InProgress"}},
		"FailedThenReleased": {"nor does a bad one: it may be the fix", gate(failed, released), health{waits, waits, unseen, "InProgress"}},
		"FailedThenBaking":   {"which is checked from the start", gate(failed, released, baking), health{waits, waits, watched, "InProgress"}},
		"PassedThenChanged":  {"what else is changed of a gate that passed", gate(passed, changedGate, words.ObserveGate), health{done, done, holds, "Current"}},
		"Repeated":           {"another check of the same release", gate(failed, again, passed), health{done, done, holds, "Current"}},
		"AtLength":           {"one that was asked for in many words", gate(failed, atLength("é, please"), passed), health{done, done, holds, "Current"}},
		"AtTheLimit":         {"in as many as the status repeats", gate(failed, atLength("!"), passed), health{done, done, holds, "Current"}},
		"Anonymous":          {"a gate that names no revision", gate(anonymous, passed), health{done, done, holds, "Current"}},
		"Deleted":            {"a finalizer of somebody else holds it", gate(passed, withdrawn), health{waits, waits, "the gate is being deleted", "Terminating"}},
	}
}

func anonymous(g *v1alpha1.Gate) { g.Spec.Revision = "" }

// changedGate changes what begins no new check.
func changedGate(g *v1alpha1.Gate) {
	g.Generation++
	g.Spec.Bake.MinimumEvents = 100
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
		"AskedForMore": {"what was asked for before is its beginning", gate(failed, again, passed, func(g *v1alpha1.Gate) {
			g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: "2026-03-14T15:09:26Z, once more"}
		}), "the check that was asked for has not begun yet"},
		"AskedAtLength": {"nothing of it was asked for before", gate(passed, atLength("é, please")),
			"the check that was asked for has not begun yet"},
		"AskedAtLengthAnew": {"and something else was, of the same length", gate(passed, atLength("é, please"), passed, func(g *v1alpha1.Gate) {
			g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: strings.Repeat("x", v1alpha1.MaxRequest-2) + "yé, please"}
		}), "the check that was asked for has not begun yet"},
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
