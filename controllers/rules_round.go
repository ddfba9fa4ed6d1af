package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/status"
)

// rulesPace is how often the rules are looked over.
const rulesPace = 5 * time.Second

// rulesRounds looks over all rules from time to time, for what no object tells:
// whether their kind is defined, whether a plan was bound, whether the ruler
// records them.
type rulesRounds struct {
	board     *rulesBoard
	clock     clock.WithTicker
	watch     *ruleWatch
	evaluator *Evaluator
	// survey looks for what an earlier process left, at most once a minute.
	survey   func(context.Context) error
	surveyed time.Time
	// news has the sinks look at an objective.
	news []chan event.TypedGenericEvent[types.NamespacedName]
	live client.Client
	// tasks are the questions to rulers that are under way.
	tasks sync.WaitGroup
	// month is that of the last round: plans depend on it.
	month time.Month
}

// NeedLeaderElection says that one operator writes rules.
func (r *rulesRounds) NeedLeaderElection() bool { return true }

// Start makes rounds until the context ends.
func (r *rulesRounds) Start(ctx context.Context) error {
	ticker := r.clock.NewTicker(rulesPace)
	defer ticker.Stop()
	defer r.watch.end()
	defer r.tasks.Wait()
	r.month = r.clock.Now().UTC().Month()
	for {
		r.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

func (r *rulesRounds) round(ctx context.Context) {
	turned := r.turned(ctx)
	r.surveyAgain(ctx)
	silent := map[compile.SourceKey][]silence{}
	for key, en := range r.board.snapshot() {
		if en.state.State == rulesNone {
			continue
		}
		if turned || r.rebound(key, en.state.stamp) || en.state.stamp.turned(r.clock.Now()) {
			r.tell(ctx, key)
		}
		if en.state.State == rulesApplied && !r.heard(ctx, key, en) {
			silent[en.state.Source] = append(silent[en.state.Source], silence{key: key, state: en.state, asked: en.asked, before: en.found})
		}
	}
	r.askAll(ctx, silent)
}

// turned says whether all rules must be looked at, because their kind came or
// went, or because a month began.
func (r *rulesRounds) turned(ctx context.Context) bool {
	turned, err := r.watch.look(ctx, func(key types.NamespacedName) { r.tell(ctx, key) })
	if err != nil && ctx.Err() == nil {
		logf.FromContext(ctx).Error(err, "look for the kind PrometheusRule")
	}
	month := r.clock.Now().UTC().Month()
	turned, r.month = turned || month != r.month, month
	return turned
}

func (r *rulesRounds) surveyAgain(ctx context.Context) {
	if r.clock.Since(r.surveyed) < shelfAgain {
		return
	}
	r.surveyed = r.clock.Now()
	if err := r.survey(ctx); err != nil && ctx.Err() == nil {
		logf.FromContext(ctx).Error(err, "look for rules of an earlier operator")
	}
}

// rebound says whether the evaluator has another plan of a histogram than the
// rules were made of.
func (r *rulesRounds) rebound(key types.NamespacedName, from stamp) bool {
	bound, _ := r.evaluator.Bound(key)
	return bound != nil && bound.Histogram != nil && bound != from.bound
}

// heard notes whether the ruler records an objective whose rules are installed.
// Those of an objective that was not measured yet, and new ones, get some time.
func (r *rulesRounds) heard(ctx context.Context, key types.NamespacedName, en rulesEntry) bool {
	seen, current := r.evaluator.Recorded(key)
	if current {
		r.board.find(ctx, key, status.RulesLoaded())
	}
	return current || !seen || r.clock.Since(en.since) <= ledger.Grace
}

func (r *rulesRounds) tell(ctx context.Context, key types.NamespacedName) {
	for _, sink := range r.news {
		select {
		case sink <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
		case <-ctx.Done():
		}
	}
}
