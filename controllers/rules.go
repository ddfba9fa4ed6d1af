package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// wish is what shall be installed for an objective.
type wish struct {
	// output is None where nothing is to be installed.
	output v1alpha1.RulesOutput
	source sourceObject
	// plan is nil where rules cannot be made of the spec as it is: what is
	// installed stays, because a typo must not silence alerts, and waits says why.
	plan  *compile.Plan
	waits string
	// brief says that the next measurement ends the wait.
	brief bool
	stamp stamp
}

// stamp is what rules were made of: the same stamp gives the same rules.
type stamp struct {
	spec string
	// bound is the plan that the evaluator had bound to a histogram's boundaries;
	// it is nil where there is none.
	bound *compile.Plan
	// turn is when they change by themselves, in Unix seconds; 0 where they do not.
	turn int64
}

// turned says whether that is over.
func (s stamp) turned(now time.Time) bool { return s.turn != 0 && now.Unix() >= s.turn }

var nothing = wish{output: v1alpha1.RulesOutputNone}

// wisher finds what shall be installed for objectives. It reads the cluster and
// writes nothing.
type wisher struct {
	gather    *gatherer
	evaluator *Evaluator
	clock     clock.PassiveClock
}

// of says what shall be installed for an objective. An objective that is gone,
// suspended, without a source or not allowed to use it has no rules.
func (w *wisher) of(ctx context.Context, o *v1alpha1.Objective) (wish, error) {
	if o == nil || !o.DeletionTimestamp.IsZero() || o.Suspended() {
		return nothing, nil
	}
	refs, fault, err := w.gather.referencesOf(ctx, o)
	if err != nil {
		return wish{}, err
	}
	if refs.source == nil || !refs.source.SourceSpec().Rules.Recorded() {
		return nothing, nil
	}
	out := wish{output: refs.source.SourceSpec().Rules.Output, source: refs.source}
	if fault != nil {
		out.waits = waitsFor[fault.Reason]
		return out, nil
	}
	w.plan(o, refs, &out)
	return out, nil
}

// waitsFor says what rules wait for where something that an objective refers to cannot
// be used now.
var waitsFor = map[string]string{
	v1alpha1.ReasonIndicatorNotFound: "the indicator that spec.indicator.ref names does not exist: rules that are installed stay until it does",
	v1alpha1.ReasonCalendarNotFound:  "the calendar that counts for the objective does not exist: rules that are installed stay until it does",
	v1alpha1.ReasonSourceNotAllowed:  "the source does not tell whether it allows the namespace: rules that are installed stay until it does",
}

// plan compiles the objective. The plan of a histogram is the evaluator's, which
// knows the boundaries: a threshold between two of them would count nobody as
// satisfied, and page.
func (w *wisher) plan(o *v1alpha1.Objective, refs references, out *wish) {
	in := refs.input(o)
	in.Now = w.clock.Now()
	bound, fingerprint := w.evaluator.Bound(client.ObjectKeyFromObject(o))
	out.stamp = stamp{spec: fingerprintOf(o, refs, in.Now), bound: bound}
	plan, err := compile.Compile(in)
	if err == nil {
		if turn := rules.Turn(plan, in.Now); !turn.IsZero() {
			out.stamp.turn = turn.Unix()
		}
	}
	switch {
	case err != nil:
		out.waits = "the spec has a mistake: rules that are installed stay until it is mended"
	case plan.Histogram == nil:
		out.plan, out.stamp.bound = plan, nil
	case bound == nil || !strings.HasPrefix(fingerprint, refs.spec(o)+" "):
		out.waits, out.brief = "the rules wait for a first look at the histogram's buckets", true
	default:
		out.plan = excluding(bound, plan)
	}
}

// excluding is a plan that was bound earlier, with what another excludes now.
func excluding(bound, now *compile.Plan) *compile.Plan {
	out := *bound
	out.Excluded, out.Made = now.Excluded, now.Made
	return &out
}

// state begins what is said of an objective's rules.
func (w wish) state(o *v1alpha1.Objective) rulesState {
	out := rulesState{Generation: o.Generation, Output: w.output, stamp: w.stamp}
	if w.source != nil {
		out.Source = keyOf(w.source)
	}
	if w.plan == nil && w.output != v1alpha1.RulesOutputNone {
		out.State, out.Reason, out.Message, out.brief = rulesPending, v1alpha1.ReasonRulesPending, w.waits, w.brief
	}
	return out
}

// failed is the state of rules that could not be installed.
func (s rulesState) failed(reason, format string, args ...any) rulesState {
	s.State, s.Reason, s.Message = rulesFailed, reason, fmt.Sprintf(format, args...)
	return s
}

// applied is the state of rules that are where the ruler looks for them. The
// group is the one whose rules record the deltas.
func (s rulesState) applied(group, hint string) rulesState {
	s.State, s.Reason, s.Message, s.Group, s.Hint = rulesApplied, "", "", group, hint
	return s
}

// settings are those of the source.
func (w wish) settings() rules.Settings { return rules.SettingsOf(w.source.SourceSpec()) }
