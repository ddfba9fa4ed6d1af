package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// verdictTimeout is how long all objectives together may take to be judged.
const verdictTimeout = 3 * time.Minute

// reportEvery is how often a line says how many verdicts are in.
const reportEvery = 2 * time.Second

// awaitVerdicts waits until every objective is judged and compares the verdicts
// with the expected ones. When they differ it shows what there is.
func (d *demo) awaitVerdicts(ctx context.Context) error {
	found, err := d.collect(ctx)
	if err != nil {
		return err
	}
	wrong := differences(expectations(), found)
	if len(wrong) == 0 {
		d.say("every verdict is the expected one, and every figure")
		return nil
	}
	err = fmt.Errorf("%d objectives are not as expected:\n  %s\nlast lines of the operator's log:\n%s",
		len(wrong), strings.Join(wrong, "\n  "), d.operator.Tail())
	return errors.Join(err, d.showCommand(ctx, "get", "objectives", "-A", "-o", "wide"))
}

// collect returns the verdicts once all are in, or those there are when time is up.
func (d *demo) collect(ctx context.Context) (map[string]finding, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, verdictTimeout, errNoVerdict)
	defer cancel()
	var found map[string]finding
	reported := time.Now()
	err := poll(waiting, func() (bool, error) {
		var list v1alpha1.ObjectiveList
		if err := d.objects.List(waiting, &list); err != nil {
			return false, fmt.Errorf("list objectives: %w", err)
		}
		found = verdicts(list.Items)
		all := len(found) == len(expectations())
		if all || time.Since(reported) > reportEvery {
			reported = time.Now()
			d.say("%d of %d objectives have a verdict", len(found), len(list.Items))
		}
		return all, nil
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
func verdicts(objectives []v1alpha1.Objective) map[string]finding {
	found := map[string]finding{}
	for i := range objectives {
		if v, ok := judged(&objectives[i]); ok {
			found[objectives[i].Namespace+"/"+objectives[i].Name] = v
		}
	}
	return found
}

// judged returns the verdict on an objective; false while it is still to come.
func judged(o *v1alpha1.Objective) (finding, bool) {
	conditions := o.Status.Conditions
	promise := meta.FindStatusCondition(conditions, v1alpha1.ConditionMet)
	if promise == nil || o.Status.ObservedGeneration != o.Generation {
		return finding{}, false
	}
	v := finding{attainment: o.Status.Attainment}
	v.met, v.reason = promise.Status, promise.Reason
	v.stalled = meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
	waiting := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
	return v, !waiting
}

// differences returns a line for each objective that is not as expected, in order.
func differences(want map[string]expectation, got map[string]finding) []string {
	var lines []string
	names := slices.AppendSeq(slices.Collect(maps.Keys(want)), maps.Keys(got))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		w, expected := want[name]
		g, present := got[name]
		switch {
		case !expected:
			lines = append(lines, fmt.Sprintf("%s: nothing was expected, found %s", name, g))
		case !present:
			lines = append(lines, fmt.Sprintf("%s: want %s, found no verdict", name, w))
		case !w.fits(g):
			lines = append(lines, fmt.Sprintf("%s: want %s, found %s", name, w, g))
		}
	}
	return lines
}
