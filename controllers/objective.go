package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// planAgain is how often the plan of an objective is looked at of which nothing is
// heard: it is of a month, and knows what is excluded in the weeks after it.
const planAgain = 24 * time.Hour

// ObjectiveReconciler compiles objectives, hands them to the evaluator and
// writes what it found. It is the only writer of their status.
type ObjectiveReconciler struct {
	client.Client
	gather    *gatherer
	evaluator *Evaluator
	rules     *rulesBoard
	recorder  events.EventRecorder
	clock     clock.PassiveClock
}

// +kubebuilder:rbac:groups=experience.slo,resources=objectives,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=objectives/status,verbs=get;patch
// +kubebuilder:rbac:groups=experience.slo,resources=indicators;clusterindicators,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=calendars,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one objective's status up to what is known.
func (r *ObjectiveReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	objective := &v1alpha1.Objective{}
	if err := r.Get(ctx, req.NamespacedName, objective); err != nil {
		if apierrors.IsNotFound(err) {
			r.evaluator.Forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !objective.DeletionTimestamp.IsZero() {
		r.evaluator.Forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	before := objective.DeepCopy()
	mistake, err := r.settle(ctx, objective)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.rules.show(objective)
	if err := patchStatus(ctx, r.Client, before, objective); err != nil {
		return requeueOnConflict(err)
	}
	announce(r.recorder, objective, before.Status.Conditions, objective.Status.Conditions)
	if mistake != nil {
		return refused(mistake), nil
	}
	return ctrl.Result{RequeueAfter: planAgain}, nil
}

// settle writes on the status what is known. The mistake is what a person must
// mend; trying again seldom helps.
func (r *ObjectiveReconciler) settle(ctx context.Context, o *v1alpha1.Objective) (mistake, err error) {
	key, request := client.ObjectKeyFromObject(o), requestOf(o)
	if o.Suspended() {
		r.evaluator.Forget(key)
		answer(o, request)
		status.Objective(o, nil, status.Suspended())
		return nil, nil
	}
	refs, fault, err := r.gather.referencesOf(ctx, o)
	if err != nil {
		return nil, err
	}
	if fault == nil {
		fault, mistake = r.plan(o, refs, request)
	}
	if fault != nil {
		r.evaluator.Forget(key)
		answer(o, request)
		status.Objective(o, nil, fault)
		return mistake, nil
	}
	r.show(o, key)
	return nil, nil
}

// plan compiles the objective and hands it to the evaluator, unless the
// evaluator measures by the same specs already.
func (r *ObjectiveReconciler) plan(o *v1alpha1.Objective, refs references, request string) (fault *status.Fault, mistake error) {
	in := refs.input(o)
	in.Now = r.clock.Now()
	fingerprint := fingerprintOf(o, refs, in.Now)
	if r.evaluator.Knows(client.ObjectKeyFromObject(o), fingerprint, request) {
		return nil, nil
	}
	plan, err := compile.Compile(in)
	if err != nil {
		return objectiveFault(err), err
	}
	r.evaluator.Put(plan, fingerprint, request, lastGood(o))
	return nil, nil
}

// fingerprintOf changes when a plan would. The month is in it because the
// length of a calendar window's unit is in the plan, and what is excluded in the
// weeks ahead.
func fingerprintOf(o *v1alpha1.Objective, refs references, now time.Time) string {
	return refs.spec(o) + " " + now.UTC().Format("2006-01") + refs.excluded()
}

// lastGood is when the figures on the object were found, so that they outlive a
// restart of the operator.
func lastGood(o *v1alpha1.Objective) time.Time {
	if o.Status.LastEvaluationTime == nil || o.Status.ObservedGeneration != o.Generation {
		return time.Time{}
	}
	return o.Status.LastEvaluationTime.Time
}

// show writes the evaluator's state. Before the first evaluation after a start
// of the operator the status stays as it is, if it is of this spec.
func (r *ObjectiveReconciler) show(o *v1alpha1.Objective, key types.NamespacedName) {
	state := r.evaluator.State(key)
	if state.Verdict == nil && state.Fault == nil {
		if o.Status.ObservedGeneration != o.Generation || len(o.Status.Conditions) == 0 {
			status.Objective(o, nil, status.Pending())
		}
		return
	}
	answer(o, state.Answered)
	status.Objective(o, state.Verdict, state.Fault)
}

// answer notes a request as handled.
func answer(o *v1alpha1.Objective, request string) {
	if request != "" {
		o.Status.LastHandledReconcileAt = request
	}
}

func requestOf(o client.Object) string { return v1alpha1.RequestOf(o.GetAnnotations()) }

// requeueOnConflict tries again, in silence, when somebody else wrote first:
// the next read sees what they wrote.
func requeueOnConflict(err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: 50 * time.Millisecond}, nil
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil
	case errors.Is(err, context.Canceled):
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, fmt.Errorf("patch status: %w", err)
	}
}
