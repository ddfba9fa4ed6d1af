package controllers

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/metrics"
	"github.com/experience-slo/operator/internal/status"
)

// pace is how often the evaluator looks for sources whose tick is due.
const pace = time.Second

// atOnce bounds the new and changed objectives that are evaluated at the same
// time outside a tick, for each source.
const atOnce = 8

// batchSize is how many objectives that a ruler records are measured together
// outside a tick.
const batchSize = 100

// Evaluator measures objectives: each at once when it is new or changed, and
// all of a source at the source's tick. It writes no object; it tells the
// objectives' controller whose figures changed.
type Evaluator struct {
	sources  *Sources
	ledger   *ledger.Ledger
	recorder *metrics.Recorder
	clock    clock.WithTicker
	changed  chan event.TypedGenericEvent[types.NamespacedName]
	// gates are told of every measurement that they wait for.
	gates *gateWatches

	mu      sync.Mutex
	entries map[types.NamespacedName]*entry
	turns   map[compile.SourceKey]chan struct{}
	// waiting are the objectives that wait for a turn of their source.
	waiting map[compile.SourceKey]map[types.NamespacedName]bool
	ticking map[compile.SourceKey]bool
	ctx     context.Context
	beat    time.Time
	tasks   sync.WaitGroup
}

// State is what the evaluator knows of an objective.
type State struct {
	// Verdict is the last good one, nil before the first.
	Verdict *evaluate.Verdict
	// Fault says why there is no newer one; nil when there is.
	Fault *status.Fault
	// Answered is the last request annotation that an evaluation answered.
	Answered string

	// plan is what the verdict and the fault are of.
	plan *compile.Plan
}

// NewEvaluator makes an evaluator over sources.
func NewEvaluator(sources *Sources, recorder *metrics.Recorder, c clock.WithTicker) *Evaluator {
	return &Evaluator{
		sources: sources, recorder: recorder, clock: c, ledger: ledger.New(),
		// Buffered, so that a tick does not wait for the controller's workers.
		changed: make(chan event.TypedGenericEvent[types.NamespacedName], 1024),
		gates:   newGateWatches(),
		entries: map[types.NamespacedName]*entry{},
		turns:   map[compile.SourceKey]chan struct{}{},
		waiting: map[compile.SourceKey]map[types.NamespacedName]bool{},
		ticking: map[compile.SourceKey]bool{},
	}
}

// NeedLeaderElection says that one evaluator runs at a time.
func (e *Evaluator) NeedLeaderElection() bool { return true }

// Start runs the ticks until the context ends, and waits for what is under way.
func (e *Evaluator) Start(ctx context.Context) error {
	e.mu.Lock()
	e.ctx = ctx
	waiting := e.keysOf(nil)
	e.mu.Unlock()
	for _, key := range waiting {
		e.Evaluate(key)
	}
	ticker := e.clock.NewTicker(pace)
	defer ticker.Stop()
	due := map[compile.SourceKey]time.Time{}
	for {
		select {
		case <-ctx.Done():
			e.sources.Close()
			e.tasks.Wait()
			return nil
		case <-ticker.C():
			e.tick(ctx, e.clock.Now(), due)
		}
	}
}

// Beat is when the evaluator last looked for due ticks, zero before it started.
func (e *Evaluator) Beat() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.beat
}

// tick starts the round of each source that is due.
func (e *Evaluator) tick(ctx context.Context, now time.Time, due map[compile.SourceKey]time.Time) {
	e.mu.Lock()
	e.beat = now
	e.mu.Unlock()
	keys := e.sources.Keys()
	for key, timing := range keys {
		next, known := due[key]
		if known && now.Before(next) {
			continue
		}
		due[key] = nextTick(now, timing)
		if known {
			e.round(ctx, key)
		}
	}
	for key := range due {
		if _, ok := keys[key]; !ok {
			delete(due, key)
			e.recorder.ForgetSource(key)
		}
	}
}

// nextTick is the first moment after now at which an interval's last minute has
// all its samples.
func nextTick(now time.Time, t Timing) time.Time {
	return now.Add(-t.Delay).Truncate(t.Interval).Add(t.Interval + t.Delay)
}

// round evaluates all objectives of a source, unless the last round goes on.
func (e *Evaluator) round(ctx context.Context, key compile.SourceKey) {
	e.mu.Lock()
	if e.ticking[key] {
		e.mu.Unlock()
		return
	}
	e.ticking[key] = true
	keys := e.keysOf(&key)
	e.mu.Unlock()
	e.tasks.Go(func() {
		e.evaluateAll(ctx, key, keys)
		e.mu.Lock()
		delete(e.ticking, key)
		e.mu.Unlock()
	})
}

func (e *Evaluator) evaluateAll(ctx context.Context, key compile.SourceKey, objectives []types.NamespacedName) {
	live := e.sources.Get(key)
	if live == nil || len(objectives) == 0 {
		return
	}
	started, asked := e.clock.Now(), live.queries.Load()
	// One question tells whether the source answers: without it every
	// objective would find out for itself, each after a timeout.
	down := live.Client.Ping(live.ctx)
	if down != nil {
		for _, objective := range objectives {
			e.fail(ctx, objective, down)
		}
	} else {
		for _, some := range e.portions(live, objectives) {
			e.batch(ctx, live, some)
		}
	}
	e.recorder.Tick(key, int(live.queries.Load()-asked), len(objectives), e.clock.Since(started))
}

// portions cuts the objectives of a source. Those that were measured are read
// together, since a few minutes are all that they lack. The records of others
// reach over their whole windows, so only some of them are held at a time.
func (e *Evaluator) portions(live *Live, objectives []types.NamespacedName) [][]types.NamespacedName {
	if !live.Timing.Ruled {
		return [][]types.NamespacedName{objectives}
	}
	var known, fresh []types.NamespacedName
	for _, key := range objectives {
		if seen, _ := e.Recorded(key); seen {
			known = append(known, key)
		} else {
			fresh = append(fresh, key)
		}
	}
	return append([][]types.NamespacedName{known}, slices.Collect(slices.Chunk(fresh, batchSize))...)
}

// batch measures objectives of a source. What a ruler recorded of them is read
// for all of them at once.
func (e *Evaluator) batch(ctx context.Context, live *Live, objectives []types.NamespacedName) {
	records, objectives, err := e.records(ctx, live, objectives)
	var group errgroup.Group
	group.SetLimit(live.Timing.Concurrency)
	for _, objective := range objectives {
		group.Go(func() error {
			if err != nil {
				e.fail(ctx, objective, err)
			} else {
				e.evaluate(ctx, objective, records[objective])
			}
			return nil
		})
	}
	_ = group.Wait() // the functions give no error
}

// keysOf gives the objectives of a source, of all sources for nil.
func (e *Evaluator) keysOf(source *compile.SourceKey) []types.NamespacedName {
	var out []types.NamespacedName
	for key, entry := range e.entries {
		if source == nil || entry.sourceKey() == *source {
			out = append(out, key)
		}
	}
	return out
}

// Put tells what to measure from now on. A plan for a new fingerprint and a new
// request are evaluated at once. Since is when the figures on the object were
// found: they stand for a while if the source does not answer.
func (e *Evaluator) Put(plan *compile.Plan, fingerprint, request string, since time.Time) {
	e.mu.Lock()
	en, ok := e.entries[plan.Key]
	if !ok {
		en = &entry{good: since}
		e.entries[plan.Key] = en
	}
	e.mu.Unlock()
	if en.put(plan, fingerprint, request) {
		e.Evaluate(plan.Key)
	}
}

// Knows says whether the evaluator measures by this fingerprint and has taken
// the request.
func (e *Evaluator) Knows(key types.NamespacedName, fingerprint, request string) bool {
	en := e.entry(key)
	return en != nil && en.knows(fingerprint, request)
}

// State is what is known of an objective; it is empty before the first
// evaluation.
func (e *Evaluator) State(key types.NamespacedName) State {
	if en := e.entry(key); en != nil {
		return en.current()
	}
	return State{}
}

// Forget stops measuring an objective and removes its metrics.
func (e *Evaluator) Forget(key types.NamespacedName) {
	e.mu.Lock()
	delete(e.entries, key)
	e.mu.Unlock()
	e.ledger.Drop(key)
	e.recorder.ForgetObjective(key)
}

// SourceChanged evaluates all objectives of a source at once.
func (e *Evaluator) SourceChanged(key compile.SourceKey) {
	e.mu.Lock()
	keys := e.keysOf(&key)
	e.mu.Unlock()
	for _, objective := range keys {
		e.Evaluate(objective)
	}
}

// Evaluate measures an objective soon, outside the tick. Before the evaluator
// has started it does nothing: starting evaluates all.
func (e *Evaluator) Evaluate(key types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	en := e.entries[key]
	if en == nil || e.ctx == nil || e.ctx.Err() != nil {
		return
	}
	source := en.sourceKey()
	turns, ok := e.turns[source]
	if !ok {
		turns = make(chan struct{}, atOnce)
		e.turns[source] = turns
		e.waiting[source] = map[types.NamespacedName]bool{}
	}
	e.waiting[source][key] = true
	ctx := e.ctx
	e.tasks.Go(func() {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			e.turn(ctx, source)
		case <-ctx.Done():
		}
	})
}

// turn measures what waits: one objective or, where a ruler records them, as
// many as one answer holds. When thousands wait, at a start say, this is what
// keeps queries few.
func (e *Evaluator) turn(ctx context.Context, source compile.SourceKey) {
	live := e.sources.Get(source)
	most := 1
	if live != nil && live.Timing.Ruled {
		most = batchSize
	}
	keys := e.take(source, most)
	switch {
	case len(keys) == 0:
	case most > 1:
		e.batch(ctx, live, keys)
	default:
		e.evaluate(ctx, keys[0], nil)
	}
}

// take removes up to n objectives from those that wait.
func (e *Evaluator) take(source compile.SourceKey, n int) []types.NamespacedName {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []types.NamespacedName
	for key := range e.waiting[source] {
		if len(out) == n {
			break
		}
		delete(e.waiting[source], key)
		out = append(out, key)
	}
	return out
}

func (e *Evaluator) entry(key types.NamespacedName) *entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.entries[key]
}
