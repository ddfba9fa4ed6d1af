package status

import (
	"fmt"
	"math"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// mostNamed is how many objectives a gate's message names.
const mostNamed = 8

// BeginGate starts a check of what the spec says now. One that had not finished
// goes into the history as superseded, and nothing else of it stays.
func BeginGate(g *v1alpha1.Gate, request string, now time.Time) {
	s := &g.Status
	started := wholeSecond(now)
	if s.StartedAt != nil && !s.Finished() {
		s.Verdict = v1alpha1.GateSuperseded
		record(s, started)
	}
	s.Revision, s.Verdict = g.Spec.Revision, v1alpha1.GateBaking
	s.StartedAt, s.FinishedAt, s.Objectives, s.Journeys = &started, nil, nil, nil
	if request != "" {
		s.LastHandledReconcileAt = request
	}
}

// wholeSecond rounds up to what the API keeps of a time, so that no moment
// before it is taken in.
func wholeSecond(now time.Time) metav1.Time {
	return metav1.NewTime(now.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second))
}

// Gate writes what a check has come to. The first verdict other than Baking ends
// it.
func Gate(g *v1alpha1.Gate, o evaluate.GateOutcome, now time.Time) {
	s := &g.Status
	s.ObservedGeneration, s.Verdict, s.Objectives, s.Journeys = g.Generation, o.Verdict, nil, nil
	for i := range o.Findings {
		s.Objectives = append(s.Objectives, gateObjective(&o.Findings[i]))
	}
	for _, f := range o.Journeys {
		s.Journeys = append(s.Journeys, v1alpha1.GateJourney{Name: f.Name, Verdict: f.Verdict, Reason: f.Reason, Message: shorten(f.Message)})
	}
	switch {
	case o.Verdict == v1alpha1.GateBaking:
		message := bakingMessage(g)
		replace(g, NotReady(v1alpha1.ReasonBaking, message), Reconciling(v1alpha1.ReasonBaking, message))
		return
	case o.Verdict == v1alpha1.GatePassed:
		replace(g, Ready(v1alpha1.ReasonPassed, passedMessage(g)))
	case o.Verdict == v1alpha1.GateFailed:
		message := reasonsOf(standings(s), v1alpha1.GateObjectiveFails)
		replace(g, NotReady(v1alpha1.ReasonObjectivesFailed, message), Stalled(v1alpha1.ReasonObjectivesFailed, message))
	case g.Spec.OnInconclusive == v1alpha1.OnInconclusivePass:
		replace(g, Ready(v1alpha1.ReasonPassedInconclusive, inconclusiveMessage(g)+"; spec.onInconclusive is Pass"))
	default:
		message := inconclusiveMessage(g)
		replace(g, NotReady(v1alpha1.ReasonInconclusive, message), Stalled(v1alpha1.ReasonInconclusive, message))
	}
	finished := wholeSecond(now)
	s.FinishedAt = &finished
	record(s, finished)
}

// InvalidGate writes what a person must change before a check can go on.
func InvalidGate(g *v1alpha1.Gate, message string) {
	g.Status.ObservedGeneration, g.Status.Objectives, g.Status.Journeys = g.Generation, nil, nil
	replace(g, NotReady(v1alpha1.ReasonInvalidSpec, message), Stalled(v1alpha1.ReasonInvalidSpec, message))
}

// ObserveGate notes a spec whose changes mean nothing to a check that ended.
func ObserveGate(g *v1alpha1.Gate) {
	g.Status.ObservedGeneration = g.Generation
	for i := range g.Status.Conditions {
		g.Status.Conditions[i].ObservedGeneration = g.Generation
	}
}

// record puts the present check at the head of the history.
func record(s *v1alpha1.GateStatus, finished metav1.Time) {
	reason := v1alpha1.ReasonBaking
	if ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); ready != nil {
		reason = ready.Reason
	}
	ended := v1alpha1.GateRecord{Revision: s.Revision, Verdict: s.Verdict, Reason: reason, StartedAt: *s.StartedAt, FinishedAt: finished}
	s.History = append([]v1alpha1.GateRecord{ended}, s.History...)
	s.History = s.History[:min(len(s.History), v1alpha1.MaxGateHistory)]
}

// gateObjective writes a finding, its numbers rounded as an objective's are.
func gateObjective(f *evaluate.GateFinding) v1alpha1.GateObjective {
	out := v1alpha1.GateObjective{Name: f.Name, Verdict: f.Verdict, Reason: f.Reason, Message: shorten(f.Message)}
	if !math.IsNaN(f.Events) {
		out.Events = count(f.Events)
	}
	if !math.IsNaN(f.Budget) {
		out.BudgetRemaining = slo.FormatBudget(f.Budget)
	}
	switch {
	case math.IsNaN(f.Attainment):
	case math.IsNaN(f.Floor):
		out.Attainment = f.Unit.Format(f.Attainment)
	default:
		out.Attainment = f.Unit.FormatAgainst(f.Attainment, f.Floor)
	}
	return out
}

// bakingMessage says what a check waits for.
func bakingMessage(g *v1alpha1.Gate) string {
	var waits []standing
	for _, o := range standings(&g.Status) {
		if o.verdict == v1alpha1.GateObjectiveUnknown && o.reason != v1alpha1.ReasonBaking {
			waits = append(waits, o)
		}
	}
	switch nothing := nothingChosen(g); {
	case nothing != "":
		return nothing
	case len(waits) > 0:
		return "the release is watched, and this is missing: " + reasonsOf(waits, v1alpha1.GateObjectiveUnknown)
	default:
		return "the release is watched for " + slo.FormatDuration(g.Spec.Bake.Duration.Duration)
	}
}

func inconclusiveMessage(g *v1alpha1.Gate) string {
	missing := reasonsOf(standings(&g.Status), v1alpha1.GateObjectiveUnknown)
	if missing == "" {
		missing = nothingChosen(g)
	}
	return fmt.Sprintf("the timeout of %s came before a verdict: %s", slo.FormatDuration(g.Spec.Timeout.Duration), missing)
}

// standing is how an objective or a journey stands with a gate.
type standing struct {
	name    string
	verdict v1alpha1.GateObjectiveVerdict
	reason  string
}

// standings are those of a gate's objectives, and then those of its journeys.
func standings(s *v1alpha1.GateStatus) []standing {
	var out []standing
	for _, o := range s.Objectives {
		out = append(out, standing{string(o.Name), o.Verdict, o.Reason})
	}
	for _, j := range s.Journeys {
		out = append(out, standing{"journey " + string(j.Name), j.Verdict, j.Reason})
	}
	return out
}

// nothingChosen says which selector matches nothing; it is empty where all do.
func nothingChosen(g *v1alpha1.Gate) string {
	switch {
	case len(g.Status.Objectives) == 0 && g.Spec.Objectives.Names == nil && (g.Spec.Objectives.Selector != nil || g.Spec.Journeys == nil):
		return "no objective of the namespace matches spec.objectives.selector"
	case g.Spec.Journeys != nil && len(g.Status.Journeys) == 0:
		return "no journey of the namespace matches spec.journeys.selector"
	default:
		return ""
	}
}

// passedMessage says of what all that is required holds.
func passedMessage(g *v1alpha1.Gate) string {
	switch {
	case len(g.Status.Journeys) == 0:
		return "all that is required of the objectives holds"
	case len(g.Status.Objectives) == 0:
		return "all that is required of the journeys holds"
	default:
		return "all that is required of the objectives and journeys holds"
	}
}

// reasonsOf names those of a verdict with their reasons.
func reasonsOf(all []standing, verdict v1alpha1.GateObjectiveVerdict) string {
	var words []string
	more := 0
	for _, o := range all {
		switch {
		case o.verdict != verdict:
		case len(words) == mostNamed:
			more++
		default:
			words = append(words, fmt.Sprintf("%s: %s", o.name, o.reason))
		}
	}
	text := strings.Join(words, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
