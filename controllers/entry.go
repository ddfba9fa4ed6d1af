package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/source"
	"github.com/experience-slo/operator/internal/status"
)

// probeAgain is how often a histogram's boundaries are looked at: a release may
// change them.
const probeAgain = time.Hour

// entry is what the evaluator holds of one objective.
type entry struct {
	// measuring is held while the objective is measured, and guards when the
	// boundaries of which plan's histogram were last looked at.
	measuring  sync.Mutex
	probed     time.Time
	probedPlan *compile.Plan

	mu          sync.Mutex
	source      compile.SourceKey
	plan        *compile.Plan
	fingerprint string
	request     string
	state       State
	// measured is the plan that state is of.
	measured *compile.Plan
	good     time.Time
	// bound is a copy of the plan as it was last measured by, and boundBy its
	// fingerprint.
	bound   *compile.Plan
	boundBy string
	// recorded is the end of the last minute that a ruler recorded, as found when
	// the objective was last measured, upTo a moment.
	recorded, upTo time.Time
	// shown is the status as the state words it: a change in it is worth a
	// reconciliation.
	shown v1alpha1.Objective
}

// put takes a plan and a request, and says whether either is new.
func (en *entry) put(plan *compile.Plan, fingerprint, request string) bool {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.fingerprint == fingerprint && en.request == request {
		return false
	}
	if en.fingerprint != fingerprint {
		en.plan, en.fingerprint, en.source = plan, fingerprint, plan.Source
	}
	en.request = request
	return true
}

func (en *entry) knows(fingerprint, request string) bool {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.fingerprint == fingerprint && en.request == request
}

// current is the state of the plan that is measured now: what is known of an
// earlier plan says nothing about it.
func (en *entry) current() State {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.measured != en.plan {
		return State{Answered: en.state.Answered}
	}
	state := en.state
	state.plan = en.plan
	return state
}

func (en *entry) sourceKey() compile.SourceKey {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.source
}

func (en *entry) begin() (*compile.Plan, string) {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.plan, en.request
}

// end takes the outcome of a measurement and says whether the status changes.
func (en *entry) end(plan *compile.Plan, request string, verdict *evaluate.Verdict, fault *status.Fault, now time.Time) bool {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.plan != plan {
		return false // a newer plan is measured next
	}
	if en.measured != plan {
		en.state.Verdict = nil
	}
	if verdict != nil {
		en.state.Verdict, en.good = verdict, now
	}
	answered := en.state.Answered != request
	first := en.measured != plan
	en.state.Fault, en.state.Answered, en.measured = fault, request, plan
	shown := en.shown.DeepCopy()
	status.Objective(shown, en.state.Verdict, fault)
	if !first && !answered && equality.Semantic.DeepEqual(shown.Status, en.shown.Status) {
		return false
	}
	en.shown = *shown
	return true
}

// bridge lets the last good figures stand while they are fresh.
func (en *entry) bridge(fault *status.Fault, now time.Time, staleAfter time.Duration) *status.Fault {
	en.mu.Lock()
	defer en.mu.Unlock()
	if fault.Kind == status.Waiting && !en.good.IsZero() && now.Sub(en.good) <= staleAfter {
		bridged := *fault
		bridged.Kind = status.Bridged
		return &bridged
	}
	return fault
}

// readable gives the plan where its recorded series can be read already, which
// takes no boundaries unless a threshold is interpolated. It is called while the
// objective is not measured.
func (en *entry) readable() (*compile.Plan, bool) {
	plan, _ := en.begin()
	if plan.Recipe == nil {
		return plan, plan.Bind(nil) == nil
	}
	return plan, true
}

// note keeps a copy of the plan for others, who must not see it change.
func (en *entry) note(plan *compile.Plan) {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.plan != plan {
		return
	}
	if en.boundBy != en.fingerprint || (en.bound.Recipe != plan.Recipe && en.bound.Recipe.ID() != plan.Recipe.ID()) {
		bound := *plan
		en.bound, en.boundBy = &bound, en.fingerprint
	}
}

// noteRecorded notes up to when a ruler recorded the objective, as found when it
// was measured up to a moment.
func (en *entry) noteRecorded(plan *compile.Plan, recorded, measured time.Time) {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.plan == plan {
		en.recorded, en.upTo = recorded, measured
	}
}

func (en *entry) boundPlan() (*compile.Plan, string) {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.bound, en.boundBy
}

func (en *entry) recordedAt() (recorded, measured time.Time) {
	en.mu.Lock()
	defer en.mu.Unlock()
	return en.recorded, en.upTo
}

// bind gives the plan the boundaries of its histogram, from time to time anew.
// Where a ruler recorded points for events, the threshold is one of them.
func (en *entry) bind(ctx context.Context, client *source.Client, plan *compile.Plan, record *ledger.Record, at time.Time) error {
	if plan.Histogram == nil {
		return nil
	}
	if en.probedPlan != plan {
		en.probed, en.probedPlan = time.Time{}, plan
	}
	if plan.Recipe != nil && (at.Sub(en.probed) < probeAgain || record.Sound()) {
		return nil
	}
	found, err := client.Instant(ctx, plan.Histogram.Probe, at)
	if err != nil {
		return err
	}
	var le []string
	for _, sample := range found {
		le = append(le, string(sample.Metric["le"]))
	}
	en.probed = time.Time{} // what is missing or wrong is looked at again at the next tick
	if err := plan.Bind(promql.NewBoundaries(le)); err != nil {
		return err
	}
	if len(le) > 0 {
		en.probed = at
	}
	return nil
}
