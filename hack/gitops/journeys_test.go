package gitops_test

import (
	"math"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

// journey takes one through what happens to it. It is as the API server makes it
// before anything does.
func journey(events ...func(*v1alpha1.Journey)) *v1alpha1.Journey {
	j := &v1alpha1.Journey{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Journey"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "order", Generation: 2},
		Spec: v1alpha1.JourneySpec{Stages: []v1alpha1.JourneyStage{
			{Name: "web"}, {Name: "phone", Importance: v1alpha1.ImportanceCritical},
		}},
		Status: v1alpha1.JourneyStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(j)
	}
	return j
}

// goes is a look at the journey, by how its two stages are.
func goes(web, phone evaluate.JourneyMember) func(*v1alpha1.Journey) {
	return func(j *v1alpha1.Journey) {
		status.Journey(j, evaluate.Journey(&j.Spec, map[v1alpha1.Label][]evaluate.JourneyMember{"web": {web}, "phone": {phone}}, nil))
	}
}

func stageIs(name v1alpha1.Name, outcome evaluate.Outcome, reason string) evaluate.JourneyMember {
	return evaluate.JourneyMember{
		Name: name, Perspective: v1alpha1.PerspectiveCX, Outcome: outcome, Reason: reason, Kept: 0.8, Budget: math.NaN(),
		Attainment: "60%", Target: "75%",
	}
}

// journeys are the states of a Journey.
func journeys() map[string]state {
	const (
		unseen, waits, done, fails = "the operator has not seen this spec yet", "Progressing", "Healthy", "Degraded"

		holds  = "Holding: every stage keeps what it promises"
		awaits = "EvaluationPending: the first evaluation of these objectives is under way: hold"
		lacks  = "ObjectivesNotFound: these objectives do not exist in the journey's namespace: hold: create them, or leave them out of the spec"
	)
	fast, slow := stageIs("speed", evaluate.Met, v1alpha1.ReasonTargetMet), stageIs("speed", evaluate.Missed, v1alpha1.ReasonTargetMissed)
	kind, rude := stageIs("hold", evaluate.Met, v1alpha1.ReasonTargetMet), stageIs("hold", evaluate.Missed, v1alpha1.ReasonTargetMissed)
	few, gone := stageIs("hold", evaluate.Unknown, v1alpha1.ReasonInsufficientData), stageIs("hold", evaluate.Unknown, v1alpha1.ReasonNotFound)
	pending := stageIs("hold", evaluate.Unknown, v1alpha1.ReasonEvaluationPending)
	invalid := func(j *v1alpha1.Journey) { status.InvalidJourney(j, "too many") }
	changed := func(j *v1alpha1.Journey) { j.Generation++ }
	return map[string]state{
		"NotSeen":  {"the operator has not begun", journey(), health{waits, waits, unseen, "InProgress"}},
		"Changed":  {"a verdict is about the spec that it was of", journey(goes(fast, kind), changed), health{waits, waits, unseen, "InProgress"}},
		"Holding":  {"all that is promised", journey(goes(fast, kind)), health{done, done, holds, "Current"}},
		"Degraded": {"a stage less than promised", journey(goes(slow, kind)), health{done, fails, "Degraded: stages are violated: web", "Current"}},
		"Broken":   {"a broken journey is a healthy object, unless a team wants otherwise", journey(goes(fast, rude)), health{done, fails, "Broken: critical stages are violated: phone", "Current"}},
		"Unknown":  {"no verdict is no violation", journey(goes(fast, few)), health{done, done, "no verdict: not known: phone", "Current"}},
		"Pending":  {"a first evaluation is awaited", journey(goes(fast, pending)), health{waits, waits, awaits, "InProgress"}},
		"Missing":  {"an objective can come with the next sync", journey(goes(fast, gone)), health{waits, waits, lacks, "InProgress"}},
		"Lost":     {"an objective that was deleted", journey(goes(fast, kind), goes(fast, gone)), health{waits, waits, lacks, "InProgress"}},
		"Invalid":  {"a person must mend the spec", journey(goes(fast, kind), changed, invalid), health{fails, fails, "InvalidSpec: too many", "Failed"}},
		"Mended":   {"and then it is as if nothing had been", journey(invalid, changed, goes(fast, kind)), health{done, done, holds, "Current"}},
		"Deleted": {"a finalizer of somebody else holds it", journey(goes(fast, kind), func(j *v1alpha1.Journey) {
			j.Finalizers, j.DeletionTimestamp = []string{"example.com/slow"}, new(metav1.NewTime(now))
		}), health{waits, waits, "the journey is being deleted", "Terminating"}},
	}
}
