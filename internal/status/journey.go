package status

import (
	"fmt"
	"math"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// mostMissed is how many violated objectives a stage's text names.
const mostMissed = 3

// Journey writes what a journey is like. It waits for objectives that can come by
// themselves, and says meanwhile what is known.
func Journey(j *v1alpha1.Journey, o evaluate.JourneyOutcome) {
	s := &j.Status
	s.ObservedGeneration = j.Generation
	s.Verdict, s.Pattern, s.WeakestStage = o.Verdict, o.Pattern, o.Weakest
	s.Scores, s.BudgetRemaining, s.ExhaustsAt, s.Stages = journeyScores(o), "", nil, nil
	if !math.IsNaN(o.Budget) {
		s.BudgetRemaining = slo.FormatBudget(o.Budget)
	}
	if !o.ExhaustsAt.IsZero() {
		at := metav1.NewTime(o.ExhaustsAt.UTC())
		s.ExhaustsAt = &at
	}
	for i := range o.Stages {
		s.Stages = append(s.Stages, stageStatus(&o.Stages[i]))
	}
	if reason, message := journeyWaits(o, j.Namespace); reason != "" {
		replace(j, NotReady(reason, message), Reconciling(reason, message), journeyMet(o))
		return
	}
	replace(j, Ready(v1alpha1.ReasonEvaluated, "evaluated"), journeyMet(o))
}

// InvalidJourney writes what a person must change before a journey can be judged.
func InvalidJourney(j *v1alpha1.Journey, message string) {
	conditions := j.Status.Conditions
	j.Status = v1alpha1.JourneyStatus{ObservedGeneration: j.Generation, Verdict: v1alpha1.JourneyUnknown, Conditions: conditions}
	const reason = v1alpha1.ReasonInvalidSpec
	replace(j, NotReady(reason, message), Stalled(reason, message), Undecided(reason, message))
}

// journeyScores is nil where neither is known.
func journeyScores(o evaluate.JourneyOutcome) *v1alpha1.JourneyScores {
	scores := v1alpha1.JourneyScores{UX: scoreText(o.UX), CX: scoreText(o.CX)}
	if scores == (v1alpha1.JourneyScores{}) {
		return nil
	}
	return &scores
}

// scoreText is empty for a score that is not known.
func scoreText(score float64) string {
	if math.IsNaN(score) {
		return ""
	}
	return slo.Percent.Format(score)
}

func stageStatus(s *evaluate.StageOutcome) v1alpha1.StageStatus {
	out := v1alpha1.StageStatus{Name: s.Name, Verdict: s.Verdict, Score: scoreText(s.Score), Gets: shorten(gets(s))}
	if out.Score != "" && s.Recovered > 0 {
		out.Recovered = scoreText(s.Recovered)
	}
	for _, m := range s.Unknown {
		out.Unknown = append(out.Unknown, v1alpha1.UnknownObjective{Name: m.Name, Namespace: m.Namespace, Reason: m.Reason})
	}
	return out
}

// missedOf words the worst objectives of a stage.
func missedOf(s *evaluate.StageOutcome) string {
	var parts []string
	for i, m := range s.Missed {
		if i == mostMissed {
			parts = append(parts, fmt.Sprintf("%d more that are violated", len(s.Missed)-mostMissed))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %s instead of %s", m.String(), m.Attainment, m.Target))
	}
	return strings.Join(parts, ", ")
}

// gets words what a customer gets at a stage.
func gets(s *evaluate.StageOutcome) string {
	text := missedOf(s)
	switch {
	case s.Empty && s.Namespace != "":
		return "no objective that is shared with the namespace matches the stage's selector"
	case s.Empty:
		return "no objective of the namespace matches the stage's selector"
	case s.Verdict == v1alpha1.StageHolding:
		return "all that is promised"
	case s.Verdict == v1alpha1.StageRecovered && s.Whole:
		text += "; made up for by " + string(s.By)
	case s.Verdict == v1alpha1.StageRecovered:
		text += "; made up for in part by " + string(s.By)
	}
	if unknown := unknownOf(s.Unknown); unknown != "" {
		text = strings.TrimPrefix(text+"; not known: "+unknown, "; ")
	}
	if s.Anyway() {
		text += "; made up for by " + string(s.By)
	}
	return text
}

// unknownOf names objectives with the reasons why they are not known.
func unknownOf(members []evaluate.JourneyMember) string {
	words := make([]string, len(members))
	for i, m := range members {
		words[i] = fmt.Sprintf("%s (%s)", m.String(), m.Reason)
	}
	return few(words)
}

// few joins words, and says how many more there are.
func few(words []string) string {
	if more := len(words) - mostNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:mostNamed], ", "), more)
	}
	return strings.Join(words, ", ")
}

// journeyWaits says what can come by itself, in the words of the Reconciling
// condition; the reason is empty where there is nothing. Of another namespace it
// does not tell what exists from what is not shared.
func journeyWaits(o evaluate.JourneyOutcome, namespace string) (reason, message string) {
	var w awaited
	w.read(o)
	switch {
	case len(w.missing) > 0:
		return v1alpha1.ReasonObjectivesNotFound, "these objectives do not exist in the journey's namespace: " + few(w.missing) + ": create them, or leave them out of the spec"
	case len(w.empty) > 0:
		return v1alpha1.ReasonObjectivesNotFound, "no objective of the namespace matches the selector of these stages: " + few(w.empty)
	case len(w.unshared) > 0:
		return v1alpha1.ReasonObjectivesNotShared, fmt.Sprintf("these objectives of other namespaces do not exist or are not shared: %s: "+
			"have their owners add namespace %s to spec.sharedWith, or leave them out of the spec", few(w.unshared), namespace)
	case len(w.hidden) > 0:
		return v1alpha1.ReasonObjectivesNotShared, fmt.Sprintf("no objective that is shared with namespace %s matches the selector of these stages: %s: "+
			"have their owners add the namespace to spec.sharedWith", namespace, few(w.hidden))
	case len(w.pending) > 0:
		return v1alpha1.ReasonEvaluationPending, "the first evaluation of these objectives is under way: " + few(w.pending)
	default:
		return "", ""
	}
}

// awaited are the objectives and stages that a journey waits for: objectives that do
// not exist, are not shared or were not evaluated, and stages that have none, of the
// journey's namespace and of another.
type awaited struct {
	missing, unshared, pending, empty, hidden []string

	seen map[string]bool
}

func (w *awaited) read(o evaluate.JourneyOutcome) {
	w.seen = map[string]bool{}
	for _, s := range o.Stages {
		switch {
		case s.Empty && s.Namespace != "":
			w.hidden = append(w.hidden, string(s.Name))
		case s.Empty:
			w.empty = append(w.empty, string(s.Name))
		}
		for i := range s.Unknown {
			w.note(&s.Unknown[i])
		}
	}
	if o.Completion != nil {
		w.note(o.Completion)
	}
}

func (w *awaited) note(m *evaluate.JourneyMember) {
	name := m.String()
	if w.seen[name] {
		return
	}
	w.seen[name] = true
	switch m.Reason {
	case v1alpha1.ReasonNotFound:
		w.missing = append(w.missing, name)
	case v1alpha1.ReasonNotShared:
		w.unshared = append(w.unshared, name)
	case v1alpha1.ReasonEvaluationPending:
		w.pending = append(w.pending, name)
	}
}

// journeyMet words the verdict as a condition.
func journeyMet(o evaluate.JourneyOutcome) metav1.Condition {
	message := journeyMessage(o)
	switch o.Verdict {
	case v1alpha1.JourneyHolding:
		return condition(v1alpha1.ConditionMet, metav1.ConditionTrue, v1alpha1.ReasonHolding, message)
	case v1alpha1.JourneyDegraded:
		return condition(v1alpha1.ConditionMet, metav1.ConditionFalse, v1alpha1.ReasonDegraded, message)
	case v1alpha1.JourneyBroken:
		return condition(v1alpha1.ConditionMet, metav1.ConditionFalse, v1alpha1.ReasonBroken, message)
	default:
		return Undecided(v1alpha1.ReasonObjectivesUnknown, message)
	}
}

// journeyMessage says which stages make the verdict.
func journeyMessage(o evaluate.JourneyOutcome) string {
	var parts []string
	add := func(text string, stages []string) {
		if len(stages) > 0 {
			parts = append(parts, text+few(stages))
		}
	}
	critical, violated, part, whole, unknown := sortStages(o.Stages)
	if c := o.Completion; c != nil && c.Outcome == evaluate.Missed {
		parts = append(parts, "completion is violated: "+c.String())
	}
	add("critical stages are violated: ", critical)
	add("stages are violated: ", violated)
	add("made up for in part: ", part)
	add("made up for: ", whole)
	add("not known: ", unknown)
	if c := o.Completion; c != nil && c.Outcome == evaluate.Unknown {
		parts = append(parts, "completion is not known: "+unknownOf([]evaluate.JourneyMember{*c}))
	}
	if o.Verdict == v1alpha1.JourneyHolding {
		parts = append([]string{"every stage keeps what it promises"}, parts...)
	}
	return strings.Join(parts, "; ")
}

// sortStages names stages by what they mean for the verdict.
func sortStages(stages []evaluate.StageOutcome) (critical, violated, part, whole, unknown []string) {
	for _, s := range stages {
		name, recovery := string(s.Name), fmt.Sprintf("%s by %s", s.Name, s.By)
		switch {
		case s.Verdict == v1alpha1.StageViolated && s.Critical:
			critical = append(critical, name)
		case s.Verdict == v1alpha1.StageViolated:
			violated = append(violated, name)
		case s.Anyway(), s.Verdict == v1alpha1.StageRecovered && s.Whole:
			whole = append(whole, recovery)
		case s.Verdict == v1alpha1.StageRecovered:
			part = append(part, recovery)
		}
		if s.Open() {
			unknown = append(unknown, name)
		}
	}
	return critical, violated, part, whole, unknown
}
