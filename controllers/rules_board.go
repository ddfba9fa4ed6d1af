package controllers

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// installation says how far an objective's rules have come.
type installation int

const (
	// rulesNone is the state of an objective that has no rules and shall have none.
	rulesNone installation = iota
	// rulesPending is that of rules which cannot be made yet.
	rulesPending
	// rulesFailed is that of rules which could not be written.
	rulesFailed
	// rulesApplied is that of rules which are where the ruler looks for them.
	rulesApplied
)

// rulesState is what became of an objective's rules.
type rulesState struct {
	State installation
	// Reason and Message say why they are not installed.
	Reason, Message string
	// Generation is that of the objective.
	Generation int64
	Output     v1alpha1.RulesOutput
	Source     compile.SourceKey
	// Group is the name of the rule group that records the deltas, and Hint says
	// what to look at when the ruler has not loaded it.
	Group, Hint string
	stamp       stamp
	// brief says that the rules wait for the next measurement alone.
	brief bool
}

// rulesBoard holds what became of the rules of each objective: what the sinks
// wrote, and whether the ruler evaluates it. It tells the objectives' controller
// when their condition changes.
type rulesBoard struct {
	clock   clock.PassiveClock
	changed chan event.TypedGenericEvent[types.NamespacedName]

	mu      sync.Mutex
	entries map[types.NamespacedName]*rulesEntry
	asked   map[compile.SourceKey]time.Time
}

// rulesEntry is what the board holds of one objective.
type rulesEntry struct {
	state rulesState
	// found is the condition of rules that are installed; it has no type before
	// anything is known of them.
	found metav1.Condition
	// since is when the rules were installed, or first seen to be by this process.
	since time.Time
	// asked is when the ruler was last asked about them.
	asked time.Time
}

func newRulesBoard(c clock.PassiveClock) *rulesBoard {
	return &rulesBoard{
		clock: c, changed: make(chan event.TypedGenericEvent[types.NamespacedName], 1024),
		entries: map[types.NamespacedName]*rulesEntry{}, asked: map[compile.SourceKey]time.Time{},
	}
}

// Of is what became of an objective's rules. It is the state of none while
// nothing is known.
func (b *rulesBoard) Of(key types.NamespacedName) rulesState {
	b.mu.Lock()
	defer b.mu.Unlock()
	if en := b.entries[key]; en != nil {
		return en.state
	}
	return rulesState{}
}

// put takes what a sink did for an objective.
func (b *rulesBoard) put(ctx context.Context, key types.NamespacedName, state rulesState) {
	b.mu.Lock()
	en := b.entries[key]
	if en == nil {
		en = &rulesEntry{since: b.clock.Now()}
		b.entries[key] = en
	}
	before := en.state
	moved := before.Output != state.Output || before.Source != state.Source
	if state.brief && before.State == rulesApplied && !moved {
		// What is installed goes on until a moment later it is replaced.
		en.state.stamp = state.stamp
		b.mu.Unlock()
		return
	}
	if before.State != state.State || moved {
		en.since, en.found = b.clock.Now(), metav1.Condition{}
	}
	en.state = state
	b.mu.Unlock()
	before.stamp = state.stamp
	if before != state {
		b.tell(ctx, key)
	}
}

// clear notes that an objective shall have no rules.
func (b *rulesBoard) clear(ctx context.Context, o *v1alpha1.Objective) {
	key := client.ObjectKeyFromObject(o)
	b.mu.Lock()
	before := b.entries[key]
	b.entries[key] = &rulesEntry{}
	b.mu.Unlock()
	if status.HasRules(o) || (before != nil && before.state.State != rulesNone) {
		b.tell(ctx, key)
	}
}

// forget drops an objective that is gone.
func (b *rulesBoard) forget(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.entries, key)
}

// find takes what is known of installed rules.
func (b *rulesBoard) find(ctx context.Context, key types.NamespacedName, found metav1.Condition) {
	b.mu.Lock()
	en := b.entries[key]
	news := en != nil && en.state.State == rulesApplied && en.found != found
	if news {
		en.found = found
	}
	b.mu.Unlock()
	if news {
		b.tell(ctx, key)
	}
}

// tell has the objectives' controller look.
func (b *rulesBoard) tell(ctx context.Context, key types.NamespacedName) {
	select {
	case b.changed <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
	case <-ctx.Done():
	}
}

// show writes the condition of an objective's rules. What an earlier process
// wrote of this spec stays until something is known.
func (b *rulesBoard) show(o *v1alpha1.Objective) {
	b.mu.Lock()
	defer b.mu.Unlock()
	en := b.entries[client.ObjectKeyFromObject(o)]
	if en == nil {
		return
	}
	switch state := en.state; {
	case state.State == rulesNone:
		status.NoRules(o)
	case state.State == rulesPending:
		status.Rules(o, state.Generation, status.RulesPending(state.Message))
	case state.State == rulesFailed:
		status.Rules(o, state.Generation, status.RulesNotLoaded(state.Reason, state.Message))
	case en.found.Type != "":
		status.Rules(o, state.Generation, en.found)
	case !status.RulesJudged(o, state.Generation):
		status.Rules(o, state.Generation, status.RulesPending("the rules are installed, and the ruler has not recorded the objective yet"))
	}
}

// snapshot gives the entries of the board as they are.
func (b *rulesBoard) snapshot() map[types.NamespacedName]rulesEntry {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[types.NamespacedName]rulesEntry, len(b.entries))
	for key, en := range b.entries {
		out[key] = *en
	}
	return out
}

// mayAsk says whether the ruler of a source was not asked within a minute.
func (b *rulesBoard) mayAsk(source compile.SourceKey) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	last, known := b.asked[source]
	return !known || b.clock.Since(last) >= time.Minute
}

// asking notes that the ruler of a source is asked about some objectives now.
func (b *rulesBoard) asking(source compile.SourceKey, some []silence) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	b.asked[source] = now
	for _, s := range some {
		if en := b.entries[s.key]; en != nil {
			en.asked = now
		}
	}
}
