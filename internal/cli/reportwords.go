package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// promiseOf is the promise in a sentence.
func promiseOf(o *v1alpha1.Objective) string {
	name := strings.ReplaceAll(o.Name, "-", " ")
	text := strings.TrimSpace(cmp.Or(o.Spec.Description, strings.ToUpper(name[:min(1, len(name))])+name[min(1, len(name)):]))
	return strings.TrimRight(text, ".") + "."
}

// promised is what was promised, in the words of what is measured.
func promised(o *v1alpha1.Objective) string {
	target, in := string(o.Spec.Target), o.Spec.Indicator
	switch {
	case in.State != nil:
		return "that it works at least " + target + " of the time"
	case in.Apdex != nil:
		return "a score of at least " + target + ", where 1 is the best"
	case in.Score != nil && in.Score.Mean != nil:
		return fmt.Sprintf("at least %s on average, on a scale from %s to %s", target, in.Score.Mean.Lowest, in.Score.Mean.Highest)
	case in.Score != nil:
		return "a score of at least " + target + " from those who were asked whether they recommend us, on a scale from -100 to 100"
	case in.Ref != nil && !strings.HasSuffix(target, "%"):
		return "a score of at least " + target
	default:
		return "that at least " + target + " go well"
	}
}

// got is what customers got, and in what time.
func got(o *v1alpha1.Objective) string {
	text := "Customers got " + o.Status.Attainment
	if o.Spec.Indicator.State != nil {
		text = "It worked " + o.Status.Attainment + " of the time"
	}
	return text + " " + when(o.Spec.Window)
}

// when is the time that a promise covers.
func when(w v1alpha1.Window) string {
	if w.Calendar != nil {
		return "in this " + strings.ToLower(string(w.Calendar.Unit))
	}
	length, err := slo.ParseDuration(string(w.Rolling))
	if err != nil {
		return "in the last " + string(w.Rolling)
	}
	hours := int(length.Hours())
	if hours%24 != 0 || hours == 24 {
		return fmt.Sprintf("in the last %s hours", numeral(hours))
	}
	return fmt.Sprintf("in the last %s days", numeral(hours/24))
}

// broken tells of a promise that is not kept.
func broken(o *v1alpha1.Objective) string {
	if some := missedSegments(o); len(some) > 0 {
		worst := o.Status.Segments[0]
		return fmt.Sprintf("We promised %s, and that to everybody. %s, but these got less than we promised: %s. Worst off was %s, with %s.",
			promised(o), got(o), escaped(strings.Join(some, ", ")), escaped(segmentName(worst.Value)), worst.Attainment)
	}
	text := fmt.Sprintf("We promised %s. %s. There is no room left", promised(o), got(o))
	if share, ok := shareOf(o.Status.BudgetRemaining); ok && share < 0 {
		text += ": " + strconv.FormatFloat(1-share, 'f', 1, 64) + " times as much went wrong as the promise allows"
	}
	return text + "."
}

// kept tells of a promise that is kept, and how much room there is.
func (s summary) kept(o *v1alpha1.Objective) string {
	text := fmt.Sprintf("We promised %s. %s.", promised(o), got(o))
	if o.Status.BudgetRemaining == "" {
		return text
	}
	text += fmt.Sprintf(" Of what may go wrong, %s is still left", o.Status.BudgetRemaining)
	switch ends := o.Status.ExhaustsAt; {
	case ends == nil:
		return text + ", and that is enough if things go on as they do."
	case !ends.After(s.now):
		return text + "."
	default:
		return text + "; if things go on as they do, it lasts until " + dayOf(ends.Time) + "."
	}
}

// unknown tells why nobody knows whether a promise is kept.
func unknown(o *v1alpha1.Objective) string {
	text := fmt.Sprintf("We promised %s. We do not know whether we keep it: %s.", promised(o), ignorance(o))
	if o.Status.Attainment != "" && o.Status.Events != nil {
		text += fmt.Sprintf(" So far it is %s, counted %d times.", o.Status.Attainment, *o.Status.Events)
	}
	return text
}

// ignorance is why nobody knows, for those who do not run the operator.
func ignorance(o *v1alpha1.Objective) string {
	reason := v1alpha1.ReasonEvaluationPending
	if met := metCondition(o); met != nil {
		reason = met.Reason
	}
	switch reason {
	case v1alpha1.ReasonInsufficientData:
		return fmt.Sprintf("too few people were counted, and at least %d are needed to say", o.Spec.MinimumEvents)
	case v1alpha1.ReasonInconclusive:
		return "the numbers so far could mean either"
	case v1alpha1.ReasonNoData:
		return "nothing at all was measured"
	case v1alpha1.ReasonInconsistentData:
		return "the numbers contradict each other, and the team must look at them"
	case v1alpha1.ReasonSuspended:
		return "measuring was paused on purpose"
	case v1alpha1.ReasonSourceUnavailable:
		return "the system that holds the numbers does not answer"
	case v1alpha1.ReasonSourceNotFound, v1alpha1.ReasonSourceNotAllowed:
		return "the system that holds the numbers is not set up for it"
	case v1alpha1.ReasonEvaluationPending:
		return "it is new, and the first numbers are on their way"
	default:
		return "the way it is measured has a mistake that the team must correct"
	}
}
