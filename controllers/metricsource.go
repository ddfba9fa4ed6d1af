package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
)

// MetricSourceReconciler keeps the clients of MetricSources.
type MetricSourceReconciler struct{ sourceReconciler }

// +kubebuilder:rbac:groups=experience.slo,resources=metricsources,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=metricsources/status,verbs=get;patch

// Reconcile connects one MetricSource.
func (r *MetricSourceReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	return r.reconcile(ctx, req)
}
