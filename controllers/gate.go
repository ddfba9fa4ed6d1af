package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

// GateReconciler carries out the checks of gates. It is the only writer of their
// status. What is known of the objectives comes from the evaluator, which wakes a
// gate after each measurement of one of them; a gate that finished is not woken.
type GateReconciler struct {
	client.Client
	gather    *gatherer
	evaluator *Evaluator
	recorder  events.EventRecorder
	clock     clock.PassiveClock
}

// +kubebuilder:rbac:groups=experience.slo,resources=gates,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=gates/status,verbs=get;patch

// Reconcile brings one gate's status up to what is known.
func (r *GateReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	gate := &v1alpha1.Gate{}
	if err := r.Get(ctx, req.NamespacedName, gate); err != nil {
		if apierrors.IsNotFound(err) {
			r.evaluator.gates.drop(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !gate.DeletionTimestamp.IsZero() {
		r.evaluator.gates.drop(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	before, now := gate.DeepCopy(), r.clock.Now()
	r.begin(gate, now)
	if err := r.check(ctx, gate, now); err != nil {
		return ctrl.Result{}, err
	}
	if err := patchStatus(ctx, r.Client, before, gate); err != nil {
		return requeueOnConflict(err)
	}
	r.announce(before, gate)
	return ctrl.Result{RequeueAfter: untilDeadline(gate, now)}, nil
}

// begin starts a check of a gate that is new, has a new revision or was asked to
// check again.
func (r *GateReconciler) begin(gate *v1alpha1.Gate, now time.Time) {
	request := requestOf(gate)
	asked := request != "" && request != gate.Status.LastHandledReconcileAt
	if gate.Status.StartedAt == nil || gate.Status.Revision != gate.Spec.Revision || asked {
		status.BeginGate(gate, request, now)
	}
}

// check judges a check that goes on. To one that finished, the spec means nothing
// any more.
func (r *GateReconciler) check(ctx context.Context, gate *v1alpha1.Gate, now time.Time) error {
	key := client.ObjectKeyFromObject(gate)
	if gate.Status.Finished() {
		r.evaluator.gates.drop(key)
		if gate.Status.ObservedGeneration != gate.Generation {
			status.ObserveGate(gate)
		}
		return nil
	}
	chosen, invalid, err := r.gather.chosenBy(ctx, gate)
	if err != nil {
		return err
	}
	if invalid != "" {
		r.evaluator.gates.drop(key)
		status.InvalidGate(gate, invalid)
		return nil
	}
	journeys, invalid, err := r.gather.journeysFor(ctx, gate)
	if err != nil {
		return err
	}
	if invalid != "" {
		r.evaluator.gates.drop(key)
		status.InvalidGate(gate, invalid)
		return nil
	}
	members, along := r.members(gate, chosen, journeys, now)
	status.Gate(gate, evaluate.Gate(&gate.Spec, members, along, gate.Status.StartedAt.Time, now), now)
	if gate.Status.Finished() {
		r.evaluator.gates.drop(key)
	}
	return nil
}

// untilDeadline is when a gate is looked at although nothing was measured.
func untilDeadline(gate *v1alpha1.Gate, now time.Time) time.Duration {
	if gate.Status.Finished() || meta.IsStatusConditionTrue(gate.Status.Conditions, v1alpha1.ConditionStalled) {
		return 0
	}
	return max(gate.Deadline().Sub(now), time.Second)
}

// announce emits an event when a check begins, ends or cannot go on.
func (r *GateReconciler) announce(before, gate *v1alpha1.Gate) {
	ready := meta.FindStatusCondition(gate.Status.Conditions, v1alpha1.ConditionReady)
	old := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	if !gate.Status.StartedAt.Equal(before.Status.StartedAt) {
		r.recorder.Eventf(gate, nil, corev1.EventTypeNormal, v1alpha1.ReasonBaking, "Check", "%s", beginning(gate))
	}
	if ready.Reason != v1alpha1.ReasonBaking && (old == nil || old.Reason != ready.Reason) {
		r.recorder.Eventf(gate, nil, severityOf(ready), ready.Reason, "Check", "%s", ready.Message)
	}
}

func beginning(gate *v1alpha1.Gate) string {
	if gate.Status.Revision == "" {
		return "the check of the release began"
	}
	return "the check of revision " + string(gate.Status.Revision) + " began"
}
