package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/status"
)

// journeyAgain is how soon a journey is looked at although nothing changed: excluded
// minutes leave a window as time goes by, and then rules can tell again.
const journeyAgain = time.Hour

// JourneyRuleReconciler keeps one PrometheusRule for each journey that rules can
// judge and whose objectives' source has that output, and none for the others.
type JourneyRuleReconciler struct {
	client.Client
	wisher *wisher
	// sink writes the PrometheusRules of objectives.
	sink  *PrometheusRuleReconciler
	board *journeyRules
	// news tells of objectives whose plans were bound, and of PrometheusRules.
	news chan event.TypedGenericEvent[types.NamespacedName]
}

// Reconcile brings the PrometheusRule of one journey to what the journey, its
// objectives and their source say.
func (r *JourneyRuleReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	journey := &v1alpha1.Journey{}
	err := r.Get(ctx, req.NamespacedName, journey)
	if apierrors.IsNotFound(err) {
		r.board.forget(req.NamespacedName)
		return ctrl.Result{}, r.remove(ctx, req.NamespacedName)
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("get journey: %w", err)
	}
	wish, err := r.wisher.alongJourney(ctx, journey)
	if err != nil || wish.waits {
		return ctrl.Result{}, err
	}
	if wish.output == v1alpha1.RulesOutputNone {
		r.board.put(ctx, req.NamespacedName, rulesState{})
	}
	if wish.output != v1alpha1.RulesOutputPrometheusRule {
		return ctrl.Result{RequeueAfter: journeyAgain}, r.remove(ctx, req.NamespacedName)
	}
	state, err := r.install(ctx, wish)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.board.put(ctx, req.NamespacedName, state)
	if state.State == rulesFailed {
		return ctrl.Result{RequeueAfter: sinkAgain}, nil
	}
	return ctrl.Result{RequeueAfter: journeyAgain}, nil
}

// install makes the PrometheusRule of a journey what the rules are.
func (r *JourneyRuleReconciler) install(ctx context.Context, w journeyWish) (state rulesState, err error) {
	group, err := rules.JourneyGroup(w.journey, w.settings())
	if err != nil {
		return state.failed(v1alpha1.ReasonRulesRejected, "%v", err), nil
	}
	want := rules.JourneyRule(w.journey, w.settings(), group)
	if err := errors.Join(sign(want), r.sink.watch.awaitLook(ctx)); err != nil {
		return state, err
	}
	if !r.sink.watch.installed() {
		return state.failed(v1alpha1.ReasonSinkUnavailable, unavailableText, w.output), nil
	}
	key, found := client.ObjectKeyFromObject(want), &monitoringv1.PrometheusRule{}
	err = r.sink.live.Get(ctx, key, found)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return r.refused(w, state, fmt.Errorf("get PrometheusRule %s: %w", key, err))
	case !ruleOfJourney(found, w.journey.Key.Name):
		return state.failed(v1alpha1.ReasonSinkConflict,
			"PrometheusRule %s is not the operator's, which leaves it alone: delete or rename it, or rename the journey", key), nil
	case marked(found, want) && sameRule(found, want):
		return state.applied(group.Name, ""), nil
	}
	if err := r.sink.write(ctx, want); err != nil {
		return r.refused(w, state, fmt.Errorf("apply PrometheusRule %s: %w", key, err))
	}
	ctrl.LoggerFrom(ctx).Info("rules of a journey installed", "rules", len(group.Rules))
	return state.applied(group.Name, ""), nil
}

// refused says of an error of the API server what it means for the journey.
func (r *JourneyRuleReconciler) refused(w journeyWish, state rulesState, err error) (rulesState, error) {
	of := wish{source: w.source, output: w.output, plan: &compile.Plan{Key: w.journey.Key}}
	return r.sink.refused(of, state, err)
}

// remove deletes the PrometheusRule of a journey that shall have none.
func (r *JourneyRuleReconciler) remove(ctx context.Context, journey types.NamespacedName) error {
	key := types.NamespacedName{Namespace: journey.Namespace, Name: rules.JourneyRuleName(journey.Name)}
	if !r.sink.watch.has(key) {
		return nil
	}
	found := &monitoringv1.PrometheusRule{}
	if err := r.sink.live.Get(ctx, key, found); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !ruleOfJourney(found, journey.Name) {
		return nil
	}
	if err := remove(ctx, r.sink.live, found); err != nil {
		return fmt.Errorf("delete PrometheusRule %s: %w", key, err)
	}
	ctrl.LoggerFrom(ctx).Info("rules of a journey removed")
	return nil
}

// ruleOfJourney says whether a PrometheusRule was made by the operator for the
// journey of a name.
func ruleOfJourney(o metav1.Object, name string) bool {
	owner := metav1.GetControllerOf(o)
	return isOurs(o) && owner != nil && owner.Kind == "Journey" && owner.Name == name
}

func (r *JourneyRuleReconciler) setup(mgr ctrl.Manager) error {
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	chosen := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}))
	return ctrl.NewControllerManagedBy(mgr).Named("journeyrule").
		For(&v1alpha1.Journey{}, changed).
		Watches(&v1alpha1.Objective{}, handler.EnqueueRequestsFromMapFunc(r.ofObjective), chosen).
		Watches(&v1alpha1.MetricSource{}, handler.EnqueueRequestsFromMapFunc(r.through(r.wisher.gather.bySource)), changed).
		Watches(&v1alpha1.ClusterMetricSource{}, handler.EnqueueRequestsFromMapFunc(r.through(r.wisher.gather.bySource)), changed).
		Watches(&v1alpha1.Indicator{}, handler.EnqueueRequestsFromMapFunc(r.through(r.wisher.gather.byIndicator)), changed).
		Watches(&v1alpha1.ClusterIndicator{}, handler.EnqueueRequestsFromMapFunc(r.through(r.wisher.gather.byIndicator)), changed).
		Watches(&v1alpha1.Calendar{}, handler.EnqueueRequestsFromMapFunc(r.through(r.wisher.gather.byCalendar)), changed).
		Watches(&v1alpha1.Exclusion{}, handler.EnqueueRequestsFromMapFunc(r.through(r.wisher.gather.byExclusion)), changed).
		WatchesRawSource(rtsource.Channel(r.news, handler.TypedEnqueueRequestsFromMapFunc(r.ofKey))).
		WithOptions(controller.Options{MaxConcurrentReconciles: journeysAtOnce}).
		Complete(r)
}

func (r *JourneyRuleReconciler) ofObjective(ctx context.Context, o client.Object) []reconcile.Request {
	return r.wisher.gather.journeysOf(ctx, o)
}

// through gives the journeys of the namespaces in which there are objectives that
// something is of concern to; the queue keeps each once.
func (r *JourneyRuleReconciler) through(objectives handler.MapFunc) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		namespaces := map[string]bool{}
		for _, request := range objectives(ctx, o) {
			namespaces[request.Namespace] = true
		}
		var out []reconcile.Request
		for namespace := range namespaces {
			out = append(out, r.inNamespace(ctx, namespace)...)
		}
		return out
	}
}

func (r *JourneyRuleReconciler) inNamespace(ctx context.Context, namespace string) []reconcile.Request {
	found := &v1alpha1.JourneyList{}
	if err := r.List(ctx, found, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list journeys")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found.Items[i])})
	}
	return out
}

// ofKey gives the journeys that an objective or a PrometheusRule is of.
func (r *JourneyRuleReconciler) ofKey(ctx context.Context, key types.NamespacedName) []reconcile.Request {
	if strings.HasSuffix(key.Name, rules.JourneySuffix) {
		return r.inNamespace(ctx, key.Namespace) // a long name is cut in that of the rule
	}
	found := &v1alpha1.Objective{}
	if err := r.Get(ctx, key, found); err != nil {
		return nil // its end is told of by the watch
	}
	return r.wisher.gather.journeysOf(ctx, found)
}

// journeyRules holds why rules of journeys could not be installed. It tells the
// journeys' controller when that changes.
type journeyRules struct {
	changed chan event.TypedGenericEvent[types.NamespacedName]

	mu     sync.Mutex
	states map[types.NamespacedName]rulesState
}

func newJourneyRules() *journeyRules {
	return &journeyRules{changed: make(chan event.TypedGenericEvent[types.NamespacedName], 1024), states: map[types.NamespacedName]rulesState{}}
}

// put takes what became of the rules of a journey.
func (b *journeyRules) put(ctx context.Context, key types.NamespacedName, state rulesState) {
	b.mu.Lock()
	before, known := b.states[key]
	b.states[key] = state
	b.mu.Unlock()
	if known && before.Reason == state.Reason && before.Message == state.Message {
		return
	}
	select {
	case b.changed <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
	case <-ctx.Done():
	}
}

func (b *journeyRules) forget(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.states, key)
}

// show writes the condition of a journey's rules, which it has while they could not
// be installed. What an earlier process wrote stays until something is known.
func (b *journeyRules) show(j *v1alpha1.Journey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state, known := b.states[client.ObjectKeyFromObject(j)]; {
	case !known:
	case state.State == rulesFailed:
		c := status.RulesNotLoaded(state.Reason, state.Message)
		c.ObservedGeneration = j.Generation
		meta.SetStatusCondition(&j.Status.Conditions, c)
	default:
		meta.RemoveStatusCondition(&j.Status.Conditions, v1alpha1.ConditionRulesLoaded)
	}
}
