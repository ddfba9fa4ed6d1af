package controllers

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	rtsource "sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// setupRules adds the sinks of rules, and what looks them over, to a manager.
func setupRules(mgr ctrl.Manager, w *wisher, board *rulesBoard, o Options) error {
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
	rounds := &rulesRounds{
		board: board, clock: o.Clock, watch: watch, evaluator: w.evaluator,
		news: []chan event.TypedGenericEvent[types.NamespacedName]{each.news},
	}
	return errors.Join(mgr.Add(rounds), each.setup(mgr, o.Concurrency))
}

func (r *PrometheusRuleReconciler) setup(mgr ctrl.Manager, concurrency int) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	gather := r.wisher.gather
	return ctrl.NewControllerManagedBy(mgr).Named("prometheusrule").
		For(&v1alpha1.Objective{}, changed).
		Watches(&v1alpha1.MetricSource{}, handler.EnqueueRequestsFromMapFunc(gather.bySource), changed).
		Watches(&v1alpha1.ClusterMetricSource{}, handler.EnqueueRequestsFromMapFunc(gather.bySource), changed).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(gather.byNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(rtsource.Channel(r.news, enqueueKey())).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		Complete(r)
}
