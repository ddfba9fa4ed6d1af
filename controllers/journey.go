package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	rtsource "sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/metrics"
	"github.com/experience-slo/operator/internal/status"
)

const (
	// settling is how long a journey that was woken waits for the other objectives of
	// the same tick, so that all of them are judged and written at once.
	settling = time.Second

	// journeysAtOnce is the number of journeys that are reconciled at the same time.
	journeysAtOnce = 4
)

// JourneyReconciler judges journeys by the status of their objectives, which wakes
// it when it changes. It asks no source of metrics anything, and is the only
// writer of the journeys' status.
type JourneyReconciler struct {
	client.Client
	gather   *gatherer
	rules    *journeyRules
	metrics  *metrics.Recorder
	recorder events.EventRecorder
}

// +kubebuilder:rbac:groups=experience.slo,resources=journeys,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=journeys/status,verbs=get;patch

// Reconcile brings one journey's status up to that of its objectives.
func (r *JourneyReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	journey := &v1alpha1.Journey{}
	if err := r.Get(ctx, req.NamespacedName, journey); err != nil {
		if apierrors.IsNotFound(err) {
			r.metrics.ForgetJourney(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !journey.DeletionTimestamp.IsZero() {
		r.metrics.ForgetJourney(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	before := journey.DeepCopy()
	if err := r.judge(ctx, journey); err != nil {
		return ctrl.Result{}, err
	}
	if err := patchStatus(ctx, r.Client, before, journey); err != nil {
		return requeueOnConflict(err)
	}
	announce(r.recorder, journey, before.Status.Conditions, journey.Status.Conditions)
	return ctrl.Result{}, nil
}

// judge writes on the status what is known of the journey.
func (r *JourneyReconciler) judge(ctx context.Context, journey *v1alpha1.Journey) error {
	key := client.ObjectKeyFromObject(journey)
	found, invalid, err := r.gather.along(ctx, journey)
	switch {
	case err != nil:
		return err
	case invalid != "":
		r.metrics.ForgetJourney(key)
		status.InvalidJourney(journey, invalid)
	default:
		outcome := evaluate.Journey(&journey.Spec, found.members, found.completion)
		r.metrics.Journey(key, outcome)
		status.Journey(journey, outcome)
	}
	r.rules.show(journey)
	return nil
}

func (r *JourneyReconciler) setup(mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Journey{}, journeyIndex, func(o client.Object) []string {
		journey, _ := o.(*v1alpha1.Journey)
		return evaluate.LooksInto(journey)
	})
	if err != nil {
		return fmt.Errorf("index journeys by namespaces: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).Named("journey").
		For(&v1alpha1.Journey{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Objective{}, r.gather.wakeJourneys(), builder.WithPredicates(otherForJourneys())).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.gather.byOwnNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(rtsource.Channel(r.rules.changed, enqueueKey())).
		WithOptions(controller.Options{MaxConcurrentReconciles: journeysAtOnce}).
		Complete(r)
}
