// Package controllers watches the custom resources, measures the objectives and
// writes what was found. Reading and judging are apart: gather reads, the pure
// packages under internal judge, and each kind's status has one writer.
package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
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
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/metrics"
)

// sourceIndex is the index of objectives by the key of their source.
const sourceIndex = "source"

// Options are what the controllers need beside the manager.
type Options struct {
	// Namespace is the operator's own; Secrets of ClusterMetricSources are there.
	Namespace string
	// ServiceAccount is the name of the operator's service account.
	ServiceAccount string
	// Recorder takes the operator's own metrics.
	Recorder *metrics.Recorder
	// Clock is the real one when nil.
	Clock clock.WithTicker
	// Concurrency is the number of objectives reconciled at once; 16 when 0: they
	// mostly wait for the API server.
	Concurrency int
}

// Operator is what runs once the controllers are set up.
type Operator struct {
	evaluator *Evaluator
	manager   ctrl.Manager
	clock     clock.PassiveClock
}

// Setup adds the controllers and the evaluator to a manager.
func Setup(mgr ctrl.Manager, o Options) (*Operator, error) {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 16
	}
	sources := NewSources(o.Recorder)
	evaluator := NewEvaluator(sources, o.Recorder, o.Clock)
	gather := &gatherer{cached: mgr.GetClient(), direct: mgr.GetAPIReader(), namespace: o.Namespace, account: o.ServiceAccount}
	base := sourceReconciler{
		Client: mgr.GetClient(), gather: gather, sources: sources, evaluator: evaluator,
		recorder: mgr.GetEventRecorder("experience-slo"), clock: o.Clock,
	}
	board := newRulesBoard(o.Clock)
	objectives := &ObjectiveReconciler{
		Client: mgr.GetClient(), gather: gather, evaluator: evaluator, rules: board, recorder: base.recorder, clock: o.Clock,
	}
	gates := &GateReconciler{Client: mgr.GetClient(), gather: gather, evaluator: evaluator, recorder: base.recorder, clock: o.Clock}
	calendars := &CalendarReconciler{Client: mgr.GetClient(), recorder: base.recorder, clock: o.Clock}
	journeys := &JourneyReconciler{Client: mgr.GetClient(), gather: gather, rules: newJourneyRules(), metrics: o.Recorder, recorder: base.recorder}
	exclusions := &ExclusionReconciler{Client: mgr.GetClient(), gather: gather, recorder: base.recorder, clock: o.Clock}
	return &Operator{evaluator: evaluator, manager: mgr, clock: o.Clock}, errors.Join(
		mgr.Add(evaluator),
		setupSources(mgr, base),
		objectives.setup(mgr, o.Concurrency),
		gates.setup(mgr),
		journeys.setup(mgr),
		calendars.setup(mgr),
		exclusions.setup(mgr),
		setupRules(mgr, &wisher{gather: gather, evaluator: evaluator, clock: o.Clock}, board, journeys.rules, o),
	)
}

func setupSources(mgr ctrl.Manager, base sourceReconciler) error {
	own, shared := &MetricSourceReconciler{base}, &ClusterMetricSourceReconciler{base}
	own.kind, shared.kind = v1alpha1.SourceKindMetricSource, v1alpha1.SourceKindClusterMetricSource
	return errors.Join(
		own.setup(mgr, &v1alpha1.MetricSource{}, own),
		shared.setup(mgr, &v1alpha1.ClusterMetricSource{}, shared),
	)
}

func (r *sourceReconciler) setup(mgr ctrl.Manager, kind client.Object, reconciler reconcile.Reconciler) error {
	r.checked = make(chan event.TypedGenericEvent[types.NamespacedName])
	return ctrl.NewControllerManagedBy(mgr).Named(strings.ToLower(string(r.kind))).
		For(kind, builder.WithPredicates(specOrRequest())).
		WatchesRawSource(rtsource.Channel(r.checked, enqueueKey())).
		Complete(reconciler)
}

func (r *ObjectiveReconciler) setup(mgr ctrl.Manager, concurrency int) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Objective{}, sourceIndex, func(o client.Object) []string {
		objective, _ := o.(*v1alpha1.Objective)
		return []string{compile.KeyOf(objective).String()}
	})
	if err != nil {
		return fmt.Errorf("index objectives by source: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Objective{}, indicatorIndex, indicatorKeys); err != nil {
		return fmt.Errorf("index objectives by indicator: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).Named("objective").
		For(&v1alpha1.Objective{}, builder.WithPredicates(predicate.Or(specOrRequest(), planned()))).
		Watches(&v1alpha1.Exclusion{}, handler.EnqueueRequestsFromMapFunc(r.gather.byExclusion), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.MetricSource{}, handler.EnqueueRequestsFromMapFunc(r.gather.bySource), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ClusterMetricSource{}, handler.EnqueueRequestsFromMapFunc(r.gather.bySource), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Indicator{}, handler.EnqueueRequestsFromMapFunc(r.gather.byIndicator), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ClusterIndicator{}, handler.EnqueueRequestsFromMapFunc(r.gather.byIndicator), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Calendar{}, handler.EnqueueRequestsFromMapFunc(r.gather.byCalendar), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.gather.byNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(rtsource.Channel(r.evaluator.changed, enqueueKey())).
		WatchesRawSource(rtsource.Channel(r.rules.changed, enqueueKey())).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		Complete(r)
}

// specOrRequest lets changes of the spec and of the request annotation through.
func specOrRequest() predicate.Predicate {
	requested := predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return requestOf(e.ObjectOld) != requestOf(e.ObjectNew) },
		CreateFunc: func(event.CreateEvent) bool { return true },
	}
	return predicate.Or(predicate.GenerationChangedPredicate{}, requested)
}

func enqueueKey() handler.TypedEventHandler[types.NamespacedName, reconcile.Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, key types.NamespacedName) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: key}}
	})
}

// stopped is how long the evaluator may not have looked at the clock before it
// counts as stuck.
const stopped = time.Minute

// Healthz fails when the evaluator is stuck. A manager that is not the leader
// evaluates nothing and is healthy.
func (op *Operator) Healthz(*http.Request) error {
	beat := op.evaluator.Beat()
	if silence := op.clock.Since(beat); !beat.IsZero() && silence > stopped {
		return fmt.Errorf("the evaluator has not looked for due ticks for more than %s", stopped)
	}
	return nil
}

// Readyz fails until the caches hold what the API server does.
func (op *Operator) Readyz(req *http.Request) error {
	ctx, cancel := context.WithTimeout(req.Context(), time.Second)
	defer cancel()
	if !op.manager.GetCache().WaitForCacheSync(ctx) {
		return errors.New("the caches have not synced with the API server yet")
	}
	return nil
}
