package controllers

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	rtsource "sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// setupRules adds the sinks of rules, and what looks them over, to a manager.
func setupRules(mgr ctrl.Manager, w *wisher, board *rulesBoard, journeys *journeyRules, o Options) error {
	live, err := newSinkClient(mgr)
	if err != nil {
		return err
	}
	watch, err := newRuleWatch(mgr)
	if err != nil {
		return err
	}
	each := &PrometheusRuleReconciler{
		Client: mgr.GetClient(), wisher: w, board: board, live: live, watch: watch,
		news: make(chan event.TypedGenericEvent[types.NamespacedName], 1024),
	}
	files := &RuleFileReconciler{
		Client: mgr.GetClient(), wisher: w, board: board, journeys: journeys, live: live, places: newRulePlaces(live, o.Namespace), stock: newRuleStock(),
		news: make(chan event.TypedGenericEvent[types.NamespacedName], 1024), found: make(chan event.TypedGenericEvent[shelf]),
	}
	along := &JourneyRuleReconciler{
		Client: mgr.GetClient(), wisher: w, sink: each, board: journeys, news: make(chan event.TypedGenericEvent[types.NamespacedName], 1024),
	}
	rounds := &rulesRounds{
		board: board, clock: o.Clock, watch: watch, evaluator: w.evaluator, live: live, survey: files.survey,
		news: []chan event.TypedGenericEvent[types.NamespacedName]{each.news, files.news, along.news},
	}
	return errors.Join(mgr.Add(rounds), each.setup(mgr, o.Concurrency), files.setup(mgr), along.setup(mgr))
}

func (r *PrometheusRuleReconciler) setup(mgr ctrl.Manager, concurrency int) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	gather := r.wisher.gather
	return ctrl.NewControllerManagedBy(mgr).Named("prometheusrule").
		For(&v1alpha1.Objective{}, builder.WithPredicates(planned())).
		Watches(&v1alpha1.Exclusion{}, handler.EnqueueRequestsFromMapFunc(gather.byExclusion), changed).
		Watches(&v1alpha1.MetricSource{}, handler.EnqueueRequestsFromMapFunc(gather.bySource), changed).
		Watches(&v1alpha1.ClusterMetricSource{}, handler.EnqueueRequestsFromMapFunc(gather.bySource), changed).
		Watches(&v1alpha1.Indicator{}, handler.EnqueueRequestsFromMapFunc(gather.byIndicator), changed).
		Watches(&v1alpha1.ClusterIndicator{}, handler.EnqueueRequestsFromMapFunc(gather.byIndicator), changed).
		Watches(&v1alpha1.Calendar{}, handler.EnqueueRequestsFromMapFunc(gather.byCalendar), changed).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(gather.byNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(rtsource.Channel(r.news, enqueueKey())).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		Complete(r)
}

func (r *RuleFileReconciler) setup(mgr ctrl.Manager) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	sources := handler.TypedEnqueueRequestsFromMapFunc(r.ofSource)
	indicators := handler.TypedEnqueueRequestsFromMapFunc(r.ofIndicator)
	return builder.TypedControllerManagedBy[shelf](mgr).Named("rulefile").
		Watches(&v1alpha1.Objective{}, handler.TypedEnqueueRequestsFromMapFunc(ofObjective), builder.WithPredicates(planned())).
		Watches(&v1alpha1.Exclusion{}, handler.TypedEnqueueRequestsFromMapFunc(r.ofExclusion), changed).
		Watches(&v1alpha1.Journey{}, handler.TypedEnqueueRequestsFromMapFunc(r.ofJourney), changed).
		Watches(&v1alpha1.MetricSource{}, sources, changed).
		Watches(&v1alpha1.ClusterMetricSource{}, sources, changed).
		Watches(&v1alpha1.Indicator{}, indicators, changed).
		Watches(&v1alpha1.ClusterIndicator{}, indicators, changed).
		Watches(&v1alpha1.Calendar{}, handler.TypedEnqueueRequestsFromMapFunc(r.ofCalendar), changed).
		WatchesMetadata(&corev1.Namespace{}, handler.TypedEnqueueRequestsFromMapFunc(r.ofNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(rtsource.TypedChannel(r.news, handler.TypedEnqueueRequestsFromMapFunc(r.ofKey))).
		WatchesRawSource(rtsource.TypedChannel(r.found, handler.TypedEnqueueRequestsFromMapFunc(itself))).
		Complete(r)
}

func itself(_ context.Context, s shelf) []shelf { return []shelf{s} }

// ofObjective gives the shelf on which an objective's rules are, if anywhere.
func ofObjective(_ context.Context, o client.Object) []shelf {
	objective, ok := o.(*v1alpha1.Objective)
	if !ok {
		return nil
	}
	return []shelf{{Source: compile.KeyOf(objective), Namespace: objective.Namespace}}
}

func (r *RuleFileReconciler) ofKey(ctx context.Context, key types.NamespacedName) []shelf {
	found := &v1alpha1.Objective{}
	if err := r.Get(ctx, key, found); err != nil {
		return nil // its end is told of by the watch
	}
	return ofObjective(ctx, found)
}

// ofSource gives the shelves of a source.
func (r *RuleFileReconciler) ofSource(ctx context.Context, o client.Object) []shelf {
	source, ok := o.(sourceObject)
	if !ok {
		return nil
	}
	return append(r.shelves(ctx, client.MatchingFields{sourceIndex: keyOf(source).String()}), r.places.known(keyOf(source))...)
}

// ofIndicator gives the shelves of the objectives that refer to an indicator.
func (r *RuleFileReconciler) ofIndicator(ctx context.Context, o client.Object) []shelf {
	return r.shelves(ctx, client.MatchingFields{indicatorIndex: keyOfIndicator(o).String()})
}

// ofExclusion gives the shelves of the objectives that an exclusion is for.
func (r *RuleFileReconciler) ofExclusion(ctx context.Context, o client.Object) []shelf {
	var out []shelf
	for _, request := range r.wisher.gather.byExclusion(ctx, o) {
		out = append(out, r.ofKey(ctx, request.NamespacedName)...)
	}
	return out
}

// ofCalendar gives the shelves of the objectives for which a calendar may count.
func (r *RuleFileReconciler) ofCalendar(ctx context.Context, o client.Object) []shelf {
	return r.shelves(ctx, client.InNamespace(o.GetNamespace()))
}

func (r *RuleFileReconciler) ofNamespace(ctx context.Context, o client.Object) []shelf {
	return r.shelves(ctx, client.InNamespace(o.GetName()))
}

// shelves are those of some objectives; the queue keeps each once.
func (r *RuleFileReconciler) shelves(ctx context.Context, options ...client.ListOption) []shelf {
	found := &v1alpha1.ObjectiveList{}
	if err := r.List(ctx, found, options...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list objectives")
		return nil
	}
	var out []shelf
	for i := range found.Items {
		out = append(out, ofObjective(ctx, &found.Items[i])...)
	}
	return out
}

// survey has the shelves looked at that an earlier process left.
func (r *RuleFileReconciler) survey(ctx context.Context) error {
	err := r.places.survey(ctx)
	for _, s := range r.places.take() {
		select {
		case r.found <- event.TypedGenericEvent[shelf]{Object: s}:
		case <-ctx.Done():
		}
	}
	return err
}
