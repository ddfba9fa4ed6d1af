package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/source"
	"github.com/experience-slo/operator/internal/status"
)

// evaluate measures one objective and tells when its status would change.
func (e *Evaluator) evaluate(ctx context.Context, key types.NamespacedName, record *ledger.Record) {
	en := e.entry(key)
	if en == nil {
		return
	}
	en.measuring.Lock()
	defer en.measuring.Unlock()
	if e.entry(key) != en {
		return // forgotten while it waited
	}
	plan, request := en.begin()
	verdict, err := e.measure(ctx, en, plan, record)
	e.finish(ctx, en, plan, request, verdict, err)
}

// fail gives an objective the source's fault without measuring it.
func (e *Evaluator) fail(ctx context.Context, key types.NamespacedName, err error) {
	en := e.entry(key)
	if en == nil || !en.measuring.TryLock() {
		return
	}
	defer en.measuring.Unlock()
	plan, request := en.begin()
	e.finish(ctx, en, plan, request, nil, err)
}

func (e *Evaluator) finish(ctx context.Context, en *entry, plan *compile.Plan, request string, verdict *evaluate.Verdict, err error) {
	now := e.clock.Now()
	var fault *status.Fault
	if err != nil {
		if fault = objectiveFault(err); fault == nil {
			return
		}
		fault = en.bridge(fault, now, e.staleAfter(plan.Source))
	}
	if verdict != nil {
		e.recorder.Objective(plan, *verdict)
	}
	if now := e.entry(plan.Key); now != en {
		if now == nil { // forgotten meanwhile, and what was forgotten written again
			e.ledger.Drop(plan.Key)
			e.recorder.ForgetObjective(plan.Key)
		}
		return
	}
	changed := en.end(plan, request, verdict, fault, now)
	e.gates.wake(ctx, plan.Key)
	if changed {
		logf.FromContext(ctx).V(1).Info("figures changed", "objective", plan.Key)
		select {
		case e.changed <- event.TypedGenericEvent[types.NamespacedName]{Object: plan.Key}:
		case <-ctx.Done():
		}
	}
}

func (e *Evaluator) staleAfter(key compile.SourceKey) time.Duration {
	if live := e.sources.Get(key); live != nil {
		return live.Timing.StaleAfter
	}
	return 0
}

// errUntried says that the source's own controller comes to it in a moment. All
// its objectives are evaluated then; until then there is nothing to say of them.
var errUntried = errors.New("is not connected yet")

// errNotGathered says that the source's own controller has no client for it.
var errNotGathered = errors.New("is not usable: see its conditions")

// measure reads what is new and judges.
func (e *Evaluator) measure(ctx context.Context, en *entry, plan *compile.Plan, record *ledger.Record) (*evaluate.Verdict, error) {
	live, err := e.live(plan.Source)
	if err != nil {
		return nil, err
	}
	// A source that is removed ends the queries to it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(live.ctx, cancel)()
	to := e.until(live)
	if err := en.bind(ctx, live.Client, plan, record, to); err != nil {
		if errors.Is(err, compile.ErrNoBoundaries) {
			nothing := evaluate.Evaluate(plan, ledger.NewBook(ledger.TermsOf(plan)), to)
			return &nothing, nil
		}
		return nil, err
	}
	en.note(plan)
	book, from := e.bookOf(plan, to)
	if err := book.RefreshRecorded(ctx, live.Client, record, from, to); err != nil {
		return nil, err
	}
	en.noteRecorded(plan, book.LastRecorded(), to)
	return e.judge(ctx, live.Client, plan, book, to)
}

func (e *Evaluator) live(source compile.SourceKey) (*Live, error) {
	live := e.sources.Get(source)
	switch {
	case live != nil:
		return live, nil
	case e.sources.Tried(source):
		return nil, fmt.Errorf("%s %w", source, errNotGathered)
	default:
		return nil, errUntried
	}
}

// until is the end of the last minute whose samples are all there.
func (e *Evaluator) until(live *Live) time.Time {
	return e.clock.Now().Add(-live.Timing.Delay).Truncate(time.Minute)
}

// records reads what a ruler recorded of objectives; nothing where their source
// has no rules. An objective that is being measured at this moment is left to
// that, and not among those that it gives back.
func (e *Evaluator) records(ctx context.Context, live *Live, objectives []types.NamespacedName) (map[types.NamespacedName]*ledger.Record, []types.NamespacedName, error) {
	if !live.Timing.Ruled {
		return nil, objectives, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(live.ctx, cancel)()
	to := e.until(live)
	var asks []ledger.Ask
	var free []types.NamespacedName
	for _, key := range objectives {
		en := e.entry(key)
		if en == nil || !en.measuring.TryLock() {
			continue
		}
		free = append(free, key)
		if plan, ok := en.readable(); ok {
			book, from := e.bookOf(plan, to)
			asks = append(asks, ledger.Ask{Key: key, Identity: plan.Recipe.Identity, Book: book, From: from})
		}
		en.measuring.Unlock()
	}
	recordings := ledger.Recordings{
		Querier: live.Client, MaxSeries: live.config.MaxSeries, Offset: live.Timing.QueryOffset, Concurrency: live.Timing.Concurrency,
		TooMuch: func(err error) bool {
			reason := source.ReasonOf(err)
			return reason == source.ReasonTooManySeries || reason == source.ReasonTooLarge
		},
	}
	records, err := recordings.Read(ctx, asks, to)
	return records, free, err
}

// Bound gives the plan that an objective was last measured by, with the
// boundaries of its histogram, and its fingerprint; nil before the first time.
func (e *Evaluator) Bound(key types.NamespacedName) (*compile.Plan, string) {
	if en := e.entry(key); en != nil {
		return en.boundPlan()
	}
	return nil, ""
}

// Recorded says whether an objective was measured since the operator started,
// and whether a ruler recorded it in its last minutes.
func (e *Evaluator) Recorded(key types.NamespacedName) (seen, current bool) {
	en := e.entry(key)
	if en == nil {
		return false, false
	}
	plan, _ := en.boundPlan()
	if plan == nil {
		return false, false
	}
	live := e.sources.Get(plan.Source)
	if live == nil {
		return false, false
	}
	recorded, measured := en.recordedAt()
	return !measured.IsZero(), !measured.IsZero() && !recorded.Before(measured.Add(-ledger.Grace-live.Timing.QueryOffset))
}
