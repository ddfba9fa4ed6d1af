package cli

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// gateCheck is the check that is waited for.
type gateCheck struct {
	revision v1alpha1.Revision
	// asked is the annotation that asks for a check, as the status repeats it.
	asked string
}

func checkOf(g *v1alpha1.Gate) gateCheck {
	return gateCheck{g.Spec.Revision, v1alpha1.RequestOf(g.Annotations)}
}

// gateState is how far a check is.
type gateState int

const (
	// gateUnseen is a check of which the operator has said nothing yet: what the
	// status holds is of another one.
	gateUnseen gateState = iota
	gateUnderWay
	gateEnded
	// gateReplaced is a check in whose place somebody asked for another one.
	gateReplaced
	gateInvalid
)

// state tells how far the check is by what the gate holds now.
func (c gateCheck) state(g *v1alpha1.Gate) gateState {
	s := &g.Status
	stalled := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionStalled)
	switch {
	case checkOf(g) != c:
		return gateReplaced
	case stalled != nil && stalled.Reason == v1alpha1.ReasonInvalidSpec && stalled.ObservedGeneration == g.Generation:
		return gateInvalid
	case s.ObservedGeneration != g.Generation, s.Revision != c.revision, c.asked != "" && s.LastHandledReconcileAt != c.asked, s.StartedAt == nil:
		return gateUnseen
	case s.Finished():
		return gateEnded
	default:
		return gateUnderWay
	}
}

// Verdicts of the command beside those of gates.
const (
	verdictTimedOut = "TimedOut"
	verdictInvalid  = "Invalid"
)

// gateResult is what was waited for, as programs read it.
type gateResult struct {
	Namespace  string                   `json:"namespace"`
	Name       string                   `json:"name"`
	Revision   string                   `json:"revision,omitempty"`
	Verdict    string                   `json:"verdict"`
	Reason     string                   `json:"reason,omitempty"`
	Message    string                   `json:"message,omitempty"`
	StartedAt  *metav1.Time             `json:"startedAt,omitempty"`
	FinishedAt *metav1.Time             `json:"finishedAt,omitempty"`
	Objectives []v1alpha1.GateObjective `json:"objectives"`
}

// key is the name of the gate with its namespace.
func (r gateResult) key() string { return r.Namespace + "/" + r.Name }

// resultOf tells what has become of a check. A check that is still under way was
// given up after some time.
func (c gateCheck) resultOf(g *v1alpha1.Gate, waited time.Duration) gateResult {
	out := gateResult{Namespace: g.Namespace, Name: g.Name, Revision: string(c.revision), Objectives: []v1alpha1.GateObjective{}}
	ready := meta.FindStatusCondition(g.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		ready = &metav1.Condition{}
	}
	state := c.state(g)
	if state == gateUnderWay || state == gateEnded {
		out.StartedAt, out.FinishedAt = g.Status.StartedAt, g.Status.FinishedAt
		out.Objectives = standingsOf(&g.Status)
	}
	switch state {
	case gateEnded:
		out.Verdict, out.Reason, out.Message = string(g.Status.Verdict), ready.Reason, ready.Message
	case gateInvalid:
		out.Verdict, out.Reason, out.Message = verdictInvalid, ready.Reason, ready.Message
	case gateReplaced:
		out.Verdict, out.Reason = string(v1alpha1.GateSuperseded), string(v1alpha1.GateSuperseded)
		out.Message = "another check was asked for in its place" + ofRevision(", ", g.Spec.Revision)
	case gateUnseen:
		out.Verdict, out.Reason = verdictTimedOut, verdictTimedOut
		out.Message = fmt.Sprintf("the operator has not begun the check in %s: see whether it runs", lengthOf(waited))
	case gateUnderWay:
		out.Verdict, out.Reason = verdictTimedOut, verdictTimedOut
		out.Message = fmt.Sprintf("no verdict in %s; the check goes on in the cluster%s", lengthOf(waited), until(g))
	}
	return out
}

// until says when a check ends at the latest.
func until(g *v1alpha1.Gate) string {
	if deadline := g.Deadline(); !deadline.IsZero() {
		return ", until " + clockOf(deadline) + " at the latest"
	}
	return ""
}

// clockOf writes a moment of today.
func clockOf(at time.Time) string { return at.UTC().Format("15:04:05 MST") }

// lengthOf writes a length of time as people do.
func lengthOf(d time.Duration) string {
	if d < time.Second {
		return d.String()
	}
	return slo.FormatDuration(d.Truncate(time.Second))
}

func ofRevision(before string, revision v1alpha1.Revision) string {
	if revision == "" {
		return ""
	}
	return before + "of revision " + string(revision)
}

// exitStatus is the status for this gate alone. What follows from no verdict is
// what the command line says or, without a word there, the gate. A check that was
// replaced, or that no operator began, is no news to take for good news.
func (r gateResult) exitStatus(onInconclusive string) int {
	switch r.Verdict {
	case string(v1alpha1.GatePassed):
		return Done
	case string(v1alpha1.GateFailed):
		return Missed
	case verdictInvalid:
		return Unusable
	}
	unmade := r.Verdict == string(v1alpha1.GateSuperseded) || r.StartedAt == nil
	switch {
	case onInconclusive == inconclusiveFail:
		return Missed
	case onInconclusive == inconclusivePass && !unmade:
		return Done
	case onInconclusive == "" && r.Reason == v1alpha1.ReasonPassedInconclusive:
		return Done
	default:
		return Undecided
	}
}

// mostWaitedFor is how many objectives a line of progress names.
const mostWaitedFor = 3

// progressOf says in a line how far a check is.
func (c gateCheck) progressOf(g *v1alpha1.Gate) string {
	name := "gate " + g.Namespace + "/" + g.Name
	if c.state(g) != gateUnderWay {
		return name + ": waiting for the check" + ofRevision(" ", c.revision) + " to begin"
	}
	holds := 0
	var open []string
	all := standingsOf(&g.Status)
	for _, o := range all {
		if o.Verdict == v1alpha1.GateObjectiveHolds {
			holds++
			continue
		}
		open = append(open, string(o.Name)+" ("+standingOf(o)+")")
	}
	line := fmt.Sprintf("%s: baking since %s%s", name, clockOf(g.Status.StartedAt.Time), until(g))
	if len(all) == 0 {
		return line
	}
	what := "objectives"
	if len(g.Status.Journeys) > 0 {
		what = "objectives and journeys"
	}
	line += fmt.Sprintf(": %d of %d %s hold", holds, len(all), what)
	if more := len(open) - mostWaitedFor; more > 0 {
		open = append(open[:mostWaitedFor], fmt.Sprintf("%d more", more))
	}
	if len(open) > 0 {
		line += "; not yet: " + strings.Join(open, ", ")
	}
	return line
}

// standingsOf are the findings of a gate: of its objectives and, after them and named
// like journey/order, of its journeys.
func standingsOf(s *v1alpha1.GateStatus) []v1alpha1.GateObjective {
	out := append([]v1alpha1.GateObjective{}, s.Objectives...)
	for _, j := range s.Journeys {
		out = append(out, v1alpha1.GateObjective{Name: "journey/" + j.Name, Verdict: j.Verdict, Reason: j.Reason, Message: j.Message})
	}
	return out
}

// standingOf is why an objective does not hold, and its events.
func standingOf(o v1alpha1.GateObjective) string {
	if o.Events == nil {
		return o.Reason
	}
	return fmt.Sprintf("%s, %d events", o.Reason, *o.Events)
}
