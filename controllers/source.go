package controllers

import (
	"cmp"
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

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
	clock     clock.PassiveClock
	// checked tells of sources whose server was just checked.
	checked chan event.TypedGenericEvent[types.NamespacedName]
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
	fault, err := r.connect(ctx, key, found)
	if err != nil {
		return ctrl.Result{}, err
	}
	if fault != nil {
		answerSource(found, requestOf(found))
		status.Source(found, found.SourceStatus(), status.Findings{}, fault)
	} else if err := r.examine(ctx, found, r.sources.Get(key)); err != nil {
		return ctrl.Result{}, err
	}
	if err := patchStatus(ctx, r.Client, before, found); err != nil {
		return requeueOnConflict(err)
	}
	announce(r.recorder, found, before.GetConditions(), found.GetConditions())
	return ctrl.Result{RequeueAfter: lookAgain}, nil
}

// connect reads the credentials and keeps a client that uses them.
func (r *sourceReconciler) connect(ctx context.Context, key compile.SourceKey, o sourceObject) (*status.Fault, error) {
	config, fault, err := r.gather.clientConfig(ctx, o)
	if err != nil {
		return nil, err
	}
	if fault != nil {
		// Queries with the old credentials would go on after they were taken away.
		r.sources.Disable(key)
		r.evaluator.SourceChanged(key)
		return fault, nil
	}
	changed, err := r.sources.Put(key, config, timingOf(o.SourceSpec()))
	if changed {
		r.evaluator.SourceChanged(key)
	}
	return sourceFault(err), nil
}

// examine writes what the last check of the server found, and has it checked
// again when that is old or a new request asks for it. Before the first check
// after a start of the operator the status stays as it is, if it is of this
// spec.
func (r *sourceReconciler) examine(ctx context.Context, o sourceObject, live *Live) error {
	if live == nil {
		return nil // removed meanwhile
	}
	last, request := live.health.last.Load(), requestOf(o)
	if last == nil || r.clock.Since(last.at) >= lookAgain/2 || last.request != request {
		name := client.ObjectKeyFromObject(o)
		live.check(request, r.clock.Now, func() {
			select {
			case r.checked <- event.TypedGenericEvent[types.NamespacedName]{Object: name}:
			case <-live.ctx.Done():
			}
		})
	}
	switch {
	case last != nil:
		return r.show(ctx, o, live, last)
	case o.SourceStatus().ObservedGeneration != o.GetGeneration() || len(o.GetConditions()) == 0:
		status.Source(o, o.SourceStatus(), status.Findings{}, status.Unchecked())
	}
	return nil
}

// show writes the outcome of a check. Where the server is back, its objectives
// do not wait for the next tick.
func (r *sourceReconciler) show(ctx context.Context, o sourceObject, live *Live, last *checkup) error {
	if last.err == nil && wasDown(o) {
		r.evaluator.SourceChanged(keyOf(o))
	}
	found := status.Findings{Version: last.version, Retention: last.retention.Text, Keeps: last.retention.Time, Skew: last.skew}
	if last.err == nil {
		users, err := r.users(ctx, o, live)
		if err != nil {
			return err
		}
		found.Users = users
	}
	r.count(keyOf(o), found, last.err)
	answerSource(o, last.request)
	status.Source(o, o.SourceStatus(), found, cmp.Or(sourceFault(last.err), grantFault(o)))
	return nil
}

// wasDown says whether the last check that the status tells of failed. A mistake in
// the spec is none of the server's.
func wasDown(o sourceObject) bool {
	ready := meta.FindStatusCondition(o.GetConditions(), v1alpha1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionFalse && ready.Reason != v1alpha1.ReasonEvaluationPending &&
		ready.Reason != v1alpha1.ReasonInvalidSpec
}

func answerSource(o sourceObject, request string) {
	if request != "" {
		o.SourceStatus().LastHandledReconcileAt = request
	}
}
