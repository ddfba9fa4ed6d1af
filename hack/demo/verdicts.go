package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
)

// verdictTimeout is how long all objectives together may take to be judged.
const verdictTimeout = 3 * time.Minute

// verdict is what the conditions of an objective say about the promise.
type verdict struct {
	met    metav1.ConditionStatus
	reason string
	// stalled is a mistake that a person has to mend.
	stalled bool
}

// String writes a verdict as it reads on the object.
func (v verdict) String() string {
	text := fmt.Sprintf("Met=%s (%s)", cmp.Or(string(v.met), "absent"), v.reason)
	if v.stalled {
		text += ", Stalled"
	}
	return text
}

// The verdicts of the stories.
var (
	met      = verdict{met: metav1.ConditionTrue, reason: v1alpha1.ReasonTargetMet}
	violated = verdict{met: metav1.ConditionFalse, reason: v1alpha1.ReasonTargetMissed}
	tooFew   = verdict{met: metav1.ConditionUnknown, reason: v1alpha1.ReasonInsufficientData}
	mistaken = verdict{met: metav1.ConditionUnknown, reason: v1alpha1.ReasonInvalidQuery, stalled: true}
)

// expectations returns the verdict that a person who knows the stories would give
// on each objective, by namespace/name.
func expectations() map[string]verdict {
	return map[string]verdict{
		simulate.LongHold + "/page-speed":          met,
		simulate.LongHold + "/task-success":        met,
		simulate.LongHold + "/hold-time":           violated,
		simulate.LongHold + "/transfers":           violated,
		simulate.LongHold + "/abandonment":         violated,
		simulate.AppMismatch + "/page-speed":       met,
		simulate.AppMismatch + "/crash-free-users": violated,
		simulate.AppMismatch + "/cold-start":       violated,
		simulate.AppMismatch + "/reviews":          violated,
		simulate.PhotoEditor + "/task-success":     violated,
		simulate.PhotoEditor + "/search-success":   violated,
		simulate.PhotoEditor + "/first-response":   met,
		simulate.PhotoEditor + "/satisfaction":     met,
		simulate.Flight + "/booking-apdex":         met,
		simulate.Flight + "/website-up":            met,
		simulate.Flight + "/check-in-wait":         violated,
		simulate.Flight + "/satisfaction":          violated,
		simulate.Laptop + "/device-faults":         violated,
		simulate.Laptop + "/first-response":        met,
		simulate.Laptop + "/recommendation":        met,
		simulate.Laptop + "/technician-visit":      tooFew,
		simulate.Laptop + "/delivery":              mistaken,
	}
}

// namespaces counts the namespaces that have objectives.
func namespaces() int {
	names := map[string]bool{}
	for key := range expectations() {
		namespace, _, _ := strings.Cut(key, "/")
		names[namespace] = true
	}
	return len(names)
}

// awaitVerdicts waits until every objective is judged and compares the verdicts
// with the expected ones. When they differ it shows what there is.
func (d *demo) awaitVerdicts(ctx context.Context) error {
	found, err := d.collect(ctx)
	if err != nil {
		return err
	}
	wrong := differences(expectations(), found)
	if len(wrong) == 0 {
		d.say("every verdict is the expected one")
		return nil
	}
	err = fmt.Errorf("%d objectives have another verdict than expected:\n  %s\nlast lines of the operator's log:\n%s",
		len(wrong), strings.Join(wrong, "\n  "), d.operator.Tail())
	return errors.Join(err, d.showCommand(ctx, "get", "objectives", "-A", "-o", "wide"))
}

// collect returns the verdicts once all are in, or those there are when time is up.
func (d *demo) collect(ctx context.Context) (map[string]verdict, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, verdictTimeout, errNoVerdict)
	defer cancel()
	var found map[string]verdict
	reported := 0
	err := poll(waiting, func() (bool, error) {
		var list v1alpha1.ObjectiveList
		if err := d.objects.List(waiting, &list); err != nil {
			return false, fmt.Errorf("list objectives: %w", err)
		}
		found = verdicts(list.Items)
		if len(found) != reported {
			reported = len(found)
			d.say("%d of %d objectives have a verdict", reported, len(list.Items))
		}
		return len(found) == len(expectations()), nil
	})
	if errors.Is(context.Cause(waiting), errNoVerdict) {
		err = nil
	}
	return found, err
}

// errNoVerdict is why the wait for verdicts ended early.
var errNoVerdict = errors.New("some objectives have no verdict")

// verdicts returns the verdicts on the objectives that have been judged, by
// namespace/name.
func verdicts(objectives []v1alpha1.Objective) map[string]verdict {
	found := map[string]verdict{}
	for i := range objectives {
		if v, ok := judged(&objectives[i]); ok {
			found[objectives[i].Namespace+"/"+objectives[i].Name] = v
		}
	}
	return found
}

// judged returns the verdict on an objective; false while it is still to come.
func judged(o *v1alpha1.Objective) (verdict, bool) {
	conditions := o.Status.Conditions
	promise := meta.FindStatusCondition(conditions, v1alpha1.ConditionMet)
	if promise == nil || o.Status.ObservedGeneration != o.Generation {
		return verdict{}, false
	}
	v := verdict{
		met: promise.Status, reason: promise.Reason,
		stalled: meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled),
	}
	waiting := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
	return v, !waiting
}

// differences returns a line for each objective whose verdict is not the wanted
// one, in order.
func differences(want, got map[string]verdict) []string {
	var lines []string
	all := map[string]verdict{}
	maps.Copy(all, want)
	maps.Copy(all, got)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w, expected := want[name]
		g, present := got[name]
		switch {
		case !expected:
			lines = append(lines, fmt.Sprintf("%s: nothing was expected, found %s", name, g))
		case !present:
			lines = append(lines, fmt.Sprintf("%s: want %s, found no verdict", name, w))
		case w != g:
			lines = append(lines, fmt.Sprintf("%s: want %s, found %s", name, w, g))
		}
	}
	return lines
}
