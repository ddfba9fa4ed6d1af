package controllers

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	rtsource "sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
)

const (
	// together is how long a gate that was woken waits for the other objectives of
	// the same tick, so that all of them are judged and written at once.
	together = 250 * time.Millisecond

	// slack is how much longer minutes are kept than a gate's timeout, for the one
	// that is judged a little later.
	slack = time.Hour

	// gatesAtOnce is the number of gates that are reconciled at the same time.
	gatesAtOnce = 4
)

// gateWatch is what a gate whose check goes on waits for.
type gateWatch struct {
	objectives      []types.NamespacedName
	since, deadline time.Time
	// along are the objectives of its journeys.
	along []types.NamespacedName
	// seen is when this process first looked at the check, and reread what was
	// measured once more for it.
	seen   time.Time
	reread map[types.NamespacedName]bool
}

// gateWatches are the gates whose checks go on, and the objectives that they
// wait for.
type gateWatches struct {
	woken chan event.TypedGenericEvent[types.NamespacedName]

	mu     sync.Mutex
	byGate map[types.NamespacedName]gateWatch
	// of are the gates that wait for an objective.
	of map[types.NamespacedName]map[types.NamespacedName]bool
}

func newGateWatches() *gateWatches {
	return &gateWatches{
		woken:  make(chan event.TypedGenericEvent[types.NamespacedName], 1024),
		byGate: map[types.NamespacedName]gateWatch{},
		of:     map[types.NamespacedName]map[types.NamespacedName]bool{},
	}
}

// put notes what a gate waits for, and says when this process first looked at the
// check.
func (w *gateWatches) put(gate types.NamespacedName, watch gateWatch, now time.Time) (seen time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old, known := w.byGate[gate]
	watch.seen, watch.reread = now, map[types.NamespacedName]bool{}
	if known && old.since.Equal(watch.since) {
		watch.seen, watch.reread = old.seen, old.reread
		if old.deadline.Equal(watch.deadline) && slices.Equal(old.objectives, watch.objectives) && slices.Equal(old.along, watch.along) {
			return old.seen
		}
	}
	w.forget(gate)
	w.byGate[gate] = watch
	for _, objective := range slices.Concat(watch.objectives, watch.along) {
		if w.of[objective] == nil {
			w.of[objective] = map[types.NamespacedName]bool{}
		}
		w.of[objective][gate] = true
	}
	return watch.seen
}

// again says, once for each objective of a check, that it must be measured once
// more: its book was read before anybody knew of the check.
func (w *gateWatches) again(gate, objective types.NamespacedName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	watch, known := w.byGate[gate]
	if !known || watch.reread[objective] {
		return false
	}
	watch.reread[objective] = true
	return true
}

// drop forgets a gate that waits for nothing any more.
func (w *gateWatches) drop(gate types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(gate)
}

func (w *gateWatches) forget(gate types.NamespacedName) {
	for _, objective := range slices.Concat(w.byGate[gate].objectives, w.byGate[gate].along) {
		delete(w.of[objective], gate)
		if len(w.of[objective]) == 0 {
			delete(w.of, objective)
		}
	}
	delete(w.byGate, gate)
}

// needs gives since when, up to a moment, events of an objective are counted by
// the minute, and how far back minutes must be kept for that; since is zero where
// no gate waits. A check that began too long ago can count no more.
func (w *gateWatches) needs(objective types.NamespacedName, to time.Time) (since time.Time, back time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for gate := range w.of[objective] {
		watch := w.byGate[gate]
		if to.Sub(watch.since) > ledger.MostMinutes {
			continue
		}
		if since.IsZero() || watch.since.Before(since) {
			since = watch.since
		}
		back = max(back, watch.deadline.Sub(watch.since)+slack, to.Sub(watch.since))
	}
	return since, back
}

// wake has the gates that wait for an objective judged anew.
func (w *gateWatches) wake(ctx context.Context, objective types.NamespacedName) {
	w.mu.Lock()
	gates := make([]types.NamespacedName, 0, len(w.of[objective]))
	for gate := range w.of[objective] {
		gates = append(gates, gate)
	}
	w.mu.Unlock()
	for _, gate := range gates {
		select {
		case w.woken <- event.TypedGenericEvent[types.NamespacedName]{Object: gate}:
		case <-ctx.Done():
		}
	}
}

func (r *GateReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("gate").
		For(&v1alpha1.Gate{}, builder.WithPredicates(specOrRequest())).
		Watches(&v1alpha1.Objective{}, handler.EnqueueRequestsFromMapFunc(r.gather.waitingFor), builder.WithPredicates(otherForGates())).
		Watches(&v1alpha1.Journey{}, handler.EnqueueRequestsFromMapFunc(r.gather.waitingAlong)).
		WatchesRawSource(rtsource.Channel(r.evaluator.gates.woken, enqueueTogether())).
		WithOptions(controller.Options{MaxConcurrentReconciles: gatesAtOnce}).
		Complete(r)
}

// enqueueTogether leaves the objectives of one tick a moment to be measured.
func enqueueTogether() handler.TypedEventHandler[types.NamespacedName, reconcile.Request] {
	return handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			q.AddAfter(reconcile.Request{NamespacedName: e.Object}, together)
		},
	}
}

// otherForGates lets through the changes of an objective that the evaluator does
// not tell gates of: that it is there, is chosen, or cannot be measured.
func otherForGates() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !labels.Equals(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
				readyOf(e.ObjectOld) != readyOf(e.ObjectNew) ||
				e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
		},
	}
}

// readyOf words the Ready condition of an objective.
func readyOf(o client.Object) string {
	objective, ok := o.(*v1alpha1.Objective)
	if !ok {
		return ""
	}
	ready := meta.FindStatusCondition(objective.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return ""
	}
	return string(ready.Status) + " " + ready.Reason + " " + ready.Message
}
