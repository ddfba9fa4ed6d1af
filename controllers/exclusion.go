package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

// ExclusionReconciler says where exclusions stand. What they leave out is found by
// those who plan objectives. It is the only writer of their status.
type ExclusionReconciler struct {
	client.Client
	gather   *gatherer
	recorder events.EventRecorder
	clock    clock.PassiveClock
}

// +kubebuilder:rbac:groups=experience.slo,resources=exclusions,verbs=get;list;watch
// +kubebuilder:rbac:groups=experience.slo,resources=exclusions/status,verbs=get;patch

// Reconcile brings one exclusion's status up to the time.
func (r *ExclusionReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	exclusion := &v1alpha1.Exclusion{}
	if err := r.Get(ctx, req.NamespacedName, exclusion); err != nil || !exclusion.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := exclusion.DeepCopy()
	turn, mistake, err := r.judge(ctx, exclusion)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := patchStatus(ctx, r.Client, before, exclusion); err != nil {
		return requeueOnConflict(err)
	}
	announce(r.recorder, exclusion, before.Status.Conditions, exclusion.Status.Conditions)
	if mistake != nil {
		return refused(mistake), nil
	}
	return ctrl.Result{RequeueAfter: turn}, nil
}

// judge writes on the status where the exclusion stands, and says after how long it
// stands elsewhere, 0 for never. The mistake is what a person must mend.
func (r *ExclusionReconciler) judge(ctx context.Context, x *v1alpha1.Exclusion) (turn time.Duration, mistake, err error) {
	objectives := &v1alpha1.ObjectiveList{}
	if err := r.List(ctx, objectives, client.InNamespace(x.Namespace)); err != nil {
		return 0, nil, fmt.Errorf("list objectives: %w", err)
	}
	now := r.clock.Now()
	outcome, err := evaluate.Exclusion(x, objectives.Items, now)
	var wrong *compile.Error
	switch {
	case errors.As(err, &wrong):
		status.InvalidExclusion(x, wrong.Reason, wrong.Error())
		return 0, wrong, nil
	case err != nil:
		return 0, nil, err
	}
	status.Exclusion(x, outcome)
	if outcome.Turn.IsZero() {
		return 0, nil, nil
	}
	return max(outcome.Turn.Sub(now), time.Millisecond), nil, nil
}

func (r *ExclusionReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("exclusion").
		For(&v1alpha1.Exclusion{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Objective{}, handler.EnqueueRequestsFromMapFunc(r.gather.exclusionsFor), builder.WithPredicates(planned())).
		Complete(r)
}

// planned lets through what may change for whom an exclusion is: specs and labels.
func planned() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{})
}

// exclusionsOf reads the exclusions that are for an objective, in an order that stays:
// that of a cache changes from one reading to the next.
func (g *gatherer) exclusionsOf(ctx context.Context, o *v1alpha1.Objective) ([]v1alpha1.Exclusion, error) {
	found := &v1alpha1.ExclusionList{}
	if err := g.cached.List(ctx, found, client.InNamespace(o.Namespace)); err != nil {
		return nil, fmt.Errorf("list exclusions: %w", err)
	}
	var out []v1alpha1.Exclusion
	for i := range found.Items {
		if x := &found.Items[i]; x.DeletionTimestamp.IsZero() && compile.Excludes(x, o) {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b v1alpha1.Exclusion) int { return cmp.Compare(a.UID, b.UID) })
	return out, nil
}

// excluded changes when what is excluded does.
func (r references) excluded() string {
	var out strings.Builder
	for i := range r.exclusions {
		fmt.Fprintf(&out, " %s/%d", r.exclusions[i].UID, r.exclusions[i].Generation)
	}
	return out.String()
}

// byExclusion gives the objectives that an exclusion is for.
func (g *gatherer) byExclusion(ctx context.Context, o client.Object) []reconcile.Request {
	x, ok := o.(*v1alpha1.Exclusion)
	if !ok {
		return nil
	}
	return g.where(ctx, func(o *v1alpha1.Objective) bool { return compile.Excludes(x, o) }, client.InNamespace(x.Namespace))
}

// exclusionsFor gives the exclusions that are for an objective, to be looked at.
func (g *gatherer) exclusionsFor(ctx context.Context, o client.Object) []reconcile.Request {
	objective, ok := o.(*v1alpha1.Objective)
	if !ok {
		return nil
	}
	found, err := g.exclusionsOf(ctx, objective)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list exclusions")
		return nil
	}
	var out []reconcile.Request
	for i := range found {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found[i])})
	}
	return out
}
