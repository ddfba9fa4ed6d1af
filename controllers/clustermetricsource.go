package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
)

// ClusterMetricSourceReconciler keeps the clients of ClusterMetricSources.
type ClusterMetricSourceReconciler struct{ sourceReconciler }

// +kubebuilder:rbac:groups=experience.slo,resources=clustermetricsources,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=clustermetricsources/status,verbs=get;patch

// Reconcile connects one ClusterMetricSource.
func (r *ClusterMetricSourceReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	return r.reconcile(ctx, req)
}
