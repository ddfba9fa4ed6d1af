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
	"github.com/experience-slo/operator/internal/status"
)

// evaluate measures one objective and tells when its status would change.
func (e *Evaluator) evaluate(ctx context.Context, key types.NamespacedName) {
	en := e.entry(key)
	if en == nil {
		return
	}
	en.measuring.Lock()
	defer en.measuring.Unlock()
	plan, request := en.begin()
	verdict, err := e.measure(ctx, en, plan)
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
	if e.entry(plan.Key) != en {
		return // forgotten meanwhile
	}
	if verdict != nil {
		e.recorder.Objective(plan, *verdict)
	}
	if en.end(plan, request, verdict, fault, now) {
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
func (e *Evaluator) measure(ctx context.Context, en *entry, plan *compile.Plan) (*evaluate.Verdict, error) {
	live := e.sources.Get(plan.Source)
	if live == nil && !e.sources.Tried(plan.Source) {
		return nil, errUntried
	}
	if live == nil {
		return nil, fmt.Errorf("%s %w", plan.Source, errNotGathered)
	}
	// A source that is removed ends the queries to it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(live.ctx, cancel)()
	to := e.clock.Now().Add(-live.Timing.Delay).Truncate(time.Minute)
	if err := en.bind(ctx, live.Client, plan, to); err != nil {
		if errors.Is(err, compile.ErrNoBoundaries) {
			nothing := evaluate.Evaluate(plan, ledger.NewBook(ledger.TermsOf(plan)), to)
			return &nothing, nil
		}
		return nil, err
	}
	book := e.ledger.Book(plan)
	if err := book.Refresh(ctx, live.Client, plan.Window.Span(to).Start, to); err != nil {
		return nil, err
	}
	verdict := evaluate.Evaluate(plan, book, to)
	return &verdict, nil
}
