package controllers

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// lookAgain is how often a source's Secrets are read and its server is asked
// for a sign of life. Secrets are not watched: that would need the right to see
// all of a namespace's.
const lookAgain = 30 * time.Second

// sourceReconciler keeps the client of a source of either kind.
type sourceReconciler struct {
	client.Client
	kind      v1alpha1.SourceKind
	gather    *gatherer
	sources   *Sources
	evaluator *Evaluator
	recorder  events.EventRecorder
}

func (r *sourceReconciler) reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	key := compile.SourceKey{Kind: r.kind, Namespace: req.Namespace, Name: req.Name}
	found := newSource(r.kind)
	if err := r.Get(ctx, req.NamespacedName, found); err != nil {
		if apierrors.IsNotFound(err) {
			r.sources.Remove(key)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !found.GetDeletionTimestamp().IsZero() {
		r.sources.Remove(key)
		return ctrl.Result{}, nil
	}
	before, _ := found.DeepCopyObject().(sourceObject)
	version, fault, err := r.connect(ctx, key, found)
	if err != nil {
		return ctrl.Result{}, err
	}
	if request := requestOf(found); request != "" {
		found.SourceStatus().LastHandledReconcileAt = request
	}
	status.Source(found, found.SourceStatus(), version, fault)
	if err := patchStatus(ctx, r.Client, before, found); err != nil {
		return requeueOnConflict(err)
	}
	announce(r.recorder, found, before.GetConditions(), found.GetConditions())
	return ctrl.Result{RequeueAfter: lookAgain}, nil
}

// connect reads the credentials, keeps a client that uses them, and asks the
// server for a sign of life.
func (r *sourceReconciler) connect(ctx context.Context, key compile.SourceKey, o sourceObject) (version string, fault *status.Fault, err error) {
	config, fault, err := r.gather.clientConfig(ctx, o)
	if err != nil {
		return "", nil, err
	}
	if fault != nil {
		// Queries with the old credentials would go on after they were taken away.
		r.sources.Remove(key)
		r.evaluator.SourceChanged(key)
		return "", fault, nil
	}
	changed, err := r.sources.Put(key, config, timingOf(o.SourceSpec()))
	if changed {
		r.evaluator.SourceChanged(key)
	}
	if err != nil {
		return "", sourceFault(err), nil
	}
	live := r.sources.Get(key)
	if err := live.Client.Ping(ctx); err != nil {
		return "", sourceFault(err), nil
	}
	if version, err = live.Client.BuildInfo(ctx); err != nil {
		version = "" // not every server has this endpoint, and none needs it
	}
	return version, nil, nil
}
