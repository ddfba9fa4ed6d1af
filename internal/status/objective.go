package status

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// Fault is what keeps an objective from being evaluated.
type Fault struct {
	// Reason is one of the reasons of the condition that Kind leads to.
	Reason  string
	Message string
	Kind    FaultKind
}

// FaultKind is what follows from a fault.
type FaultKind int

const (
	// Waiting is a fault that can pass by itself.
	Waiting FaultKind = iota
	// Bridged is one that can pass too, while the last figures still stand.
	Bridged
	// Mistake is one that a person must mend.
	Mistake
	// Paused is no fault but a wish: evaluation is suspended.
	Paused
)

// Pending is the state before the first evaluation of a spec.
func Pending() *Fault {
	return &Fault{Kind: Waiting, Reason: v1alpha1.ReasonEvaluationPending, Message: "the first evaluation of this spec is under way"}
}

// Suspended is the state while spec.suspend is true.
func Suspended() *Fault {
	return &Fault{Kind: Paused, Reason: v1alpha1.ReasonSuspended, Message: "evaluation is suspended: set spec.suspend to false to go on"}
}

// Objective writes what is known of an objective on its status: the verdict, if
// there is one, and the fault that keeps from a newer one, if there is one.
func Objective(o *v1alpha1.Objective, v *evaluate.Verdict, fault *Fault) {
	o.Status.ObservedGeneration = o.Generation
	if v != nil {
		figures(&o.Status, v)
	}
	switch {
	case fault == nil && v == nil:
		Objective(o, nil, Pending())
	case fault == nil:
		replace(o, Ready(v1alpha1.ReasonEvaluated, readyMessage(v)), verdict(v))
	case fault.Kind == Mistake:
		replace(o, NotReady(fault.Reason, fault.Message), Stalled(fault.Reason, fault.Message), Undecided(fault.Reason, fault.Message))
	case fault.Kind == Paused:
		replace(o, Ready(fault.Reason, fault.Message), Undecided(fault.Reason, fault.Message))
	case fault.Kind == Bridged:
		replace(o, Ready(v1alpha1.ReasonEvaluated, "the last figures stand while the metric source does not answer"), Undecided(fault.Reason, fault.Message))
	default:
		replace(o, NotReady(fault.Reason, fault.Message), Reconciling(fault.Reason, fault.Message), Undecided(fault.Reason, fault.Message))
	}
}

func readyMessage(v *evaluate.Verdict) string {
	switch {
	case v.Invalid:
		return "evaluated; minutes in which a query gave NaN or infinity count as gaps: guard the division, for example with a / (b > 0)"
	case v.Estimated:
		return "evaluated; a threshold lies between two bucket boundaries, so the figures are estimates"
	default:
		return "evaluated"
	}
}

func verdict(v *evaluate.Verdict) metav1.Condition {
	target := v.Unit.FormatTarget(v.Target)
	switch v.Outcome {
	case evaluate.Met:
		return Met(target)
	case evaluate.Missed:
		if v.Reason == v1alpha1.ReasonSegmentMissed {
			return SegmentsMissed(target, segmentsWith(v, func(s evaluate.Segment) bool { return s.Outcome == evaluate.Missed }))
		}
		return Missed(target)
	default:
		return Undecided(v.Reason, undecided(v)+undecidedSegments(v))
	}
}

func undecided(v *evaluate.Verdict) string {
	switch v.Reason {
	case v1alpha1.ReasonNoData:
		if v.Invalid {
			return "every value in the window was NaN or infinity: guard the division in the query, or check the exporter"
		}
		if !v.Window.End.After(v.Window.Start) {
			return "the window has only just begun: the verdict comes with its first minutes"
		}
		return "no number was found in the whole window: check the metric's name and labels in spec.indicator, that it is scraped, and that its samples are numbers"
	case v1alpha1.ReasonNotOpenYet:
		return "no minute of the window was open yet, by the calendar that counts for this objective: the verdict comes with the first"
	case v1alpha1.ReasonExcluded:
		return "exclusions leave nothing of the window: shorten or withdraw one of those that are for the objective, where that is not meant"
	case v1alpha1.ReasonInconsistentData:
		return "more points than events, or fewer than none, were counted: check that the selectors in spec.indicator select parts of one whole, and the ends of a scale"
	case v1alpha1.ReasonInconclusive:
		return fmt.Sprintf("the confidence interval at %s holds the target of %s: more events are needed to tell", v.Level, v.Unit.FormatTarget(v.Target))
	default:
		return fmt.Sprintf("there are fewer events in the window than spec.minimumEvents, which is %.0f", v.MinimumEvents)
	}
}

// figures writes the numbers. They are rounded, so that they change only when a
// person would see a difference.
func figures(s *v1alpha1.ObjectiveStatus, v *evaluate.Verdict) {
	old := s.DeepCopy()
	s.Target = v.Unit.FormatTarget(v.Target)
	s.Attainment, s.BudgetRemaining = "", ""
	if !math.IsNaN(v.Attainment) {
		s.Attainment = v.Unit.FormatAgainst(v.Attainment, v.Target)
		s.BudgetRemaining = slo.FormatBudget(v.BudgetRemaining)
	}
	s.Events = count(v.Events)
	s.Raw, s.Excluded = rawOf(v), ""
	if v.Raw != nil {
		s.Excluded = slo.Percent.Format(v.Excluded)
	}
	s.Coverage = slo.Percent.Format(v.Coverage)
	s.Band = v.Band
	s.Segments = segments(v)
	s.BurnRates = burnRates(v.Burns)
	s.ConfidenceInterval = ""
	if v.Level > 0 && v.Highest > 0 {
		s.ConfidenceInterval = v.Unit.Format(v.Lowest) + " to " + v.Unit.Format(v.Highest)
	}
	s.Window = &v1alpha1.EvaluatedWindow{Start: metav1.NewTime(v.Window.Start.UTC()), End: metav1.NewTime(v.Window.End.UTC())}
	s.ExhaustsAt = nil
	if !v.ExhaustsAt.IsZero() {
		at := metav1.NewTime(v.ExhaustsAt.UTC().Truncate(time.Hour))
		s.ExhaustsAt = &at
	}
	now := metav1.NewTime(v.At.UTC().Truncate(time.Second))
	s.LastEvaluationTime = &now
	keepMoving(old, s)
}

// rawOf are the figures with every minute; nil where nothing is left out.
func rawOf(v *evaluate.Verdict) *v1alpha1.RawFigures {
	if v.Raw == nil {
		return nil
	}
	out := &v1alpha1.RawFigures{Events: count(v.Raw.Events)}
	if !math.IsNaN(v.Raw.Attainment) {
		out.Attainment = v.Unit.FormatAgainst(v.Raw.Attainment, v.Target)
		out.BudgetRemaining = slo.FormatBudget(v.Raw.BudgetRemaining)
	}
	return out
}

func count(events float64) *int64 {
	n := int64(math.Round(events))
	return &n
}

func burnRates(burns []evaluate.Burn) []v1alpha1.BurnRate {
	var out []v1alpha1.BurnRate
	for _, b := range burns {
		out = append(out, v1alpha1.BurnRate{
			Window: slo.FormatDuration(b.Window),
			Rate:   strconv.FormatFloat(b.Rate, 'f', 2, 64),
		})
	}
	return out
}

// keepMoving puts back the fields that move with the clock when nothing else
// changed: a figure that did not change is not written again.
func keepMoving(old, s *v1alpha1.ObjectiveStatus) {
	if old.LastEvaluationTime == nil || old.Window == nil {
		return
	}
	fresh := *s
	s.Window, s.ExhaustsAt, s.LastEvaluationTime = old.Window, old.ExhaustsAt, old.LastEvaluationTime
	if !equality.Semantic.DeepEqual(old, s) {
		*s = fresh
	}
}
