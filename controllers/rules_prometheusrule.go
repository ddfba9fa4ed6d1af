package controllers

import (
	"context"
	"fmt"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
)

// sinkAgain is how soon a sink is tried again that could not be written to.
const sinkAgain = 30 * time.Second

// PrometheusRuleReconciler keeps one PrometheusRule for each objective whose
// source has that output, and none for the others.
type PrometheusRuleReconciler struct {
	client.Client
	wisher *wisher
	board  *rulesBoard
	live   client.Client
	watch  *ruleWatch
	// news tells of PrometheusRules that changed and of plans that were bound.
	news chan event.TypedGenericEvent[types.NamespacedName]
}

// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=prometheusrules,verbs=get;list;watch;create;patch;delete

// Reconcile brings the PrometheusRule of one objective to what the objective and
// its source say.
func (r *PrometheusRuleReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	objective := &v1alpha1.Objective{}
	err := r.Get(ctx, req.NamespacedName, objective)
	if apierrors.IsNotFound(err) {
		r.board.forget(req.NamespacedName)
		return ctrl.Result{}, r.remove(ctx, req.NamespacedName)
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("get objective: %w", err)
	}
	wish, err := r.wisher.of(ctx, objective)
	if err != nil {
		return ctrl.Result{}, err
	}
	if wish.output == v1alpha1.RulesOutputNone {
		r.board.clear(ctx, objective)
	}
	if wish.output != v1alpha1.RulesOutputPrometheusRule {
		return ctrl.Result{}, r.remove(ctx, req.NamespacedName)
	}
	state := wish.state(objective)
	if wish.plan != nil {
		if state, err = r.install(ctx, wish, state); err != nil {
			return ctrl.Result{}, err
		}
	}
	r.board.put(ctx, req.NamespacedName, state)
	if state.State == rulesFailed {
		return ctrl.Result{RequeueAfter: sinkAgain}, nil
	}
	return ctrl.Result{}, nil
}

// install writes the PrometheusRule of a plan, unless it is there already.
func (r *PrometheusRuleReconciler) install(ctx context.Context, w wish, state rulesState) (rulesState, error) {
	if err := r.watch.awaitLook(ctx); err != nil {
		return state, err
	}
	return r.bring(ctx, w, state)
}

// bring makes the PrometheusRule what the plan says.
func (r *PrometheusRuleReconciler) bring(ctx context.Context, w wish, state rulesState) (rulesState, error) {
	key := w.plan.Key
	settings := w.settings()
	groups, err := rules.Groups(w.plan, settings)
	if err != nil {
		return state.failed(v1alpha1.ReasonRulesRejected, "%v", err), nil
	}
	want := rules.PrometheusRule(w.plan, settings, groups)
	if err := sign(want); err != nil {
		return state, err
	}
	if !r.watch.installed() {
		return state.failed(v1alpha1.ReasonSinkUnavailable, unavailableText, w.source.SourceSpec().Rules.Output), nil
	}
	found := &monitoringv1.PrometheusRule{}
	err = r.live.Get(ctx, key, found)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return r.refused(w, state, fmt.Errorf("get PrometheusRule %s: %w", key, err))
	case !ruleOf(found, key.Name):
		return state.failed(v1alpha1.ReasonSinkConflict,
			"PrometheusRule %s is not the operator's, which leaves it alone: delete or rename it, or rename the objective", key), nil
	case marked(found, want) && sameRule(found, want):
		return state.applied(groups[0].Name, selectHint(want)), nil
	}
	if err := r.write(ctx, want); err != nil {
		return r.refused(w, state, fmt.Errorf("apply PrometheusRule %s: %w", key, err))
	}
	ctrl.LoggerFrom(ctx).Info("rules installed", "groups", len(groups))
	return state.applied(groups[0].Name, selectHint(want)), nil
}

// selectHint says what a Prometheus needs to load a PrometheusRule.
func selectHint(o *monitoringv1.PrometheusRule) string {
	return fmt.Sprintf("check that ruleSelector and ruleNamespaceSelector of its Prometheus select PrometheusRule %s/%s with the labels %s, or set spec.rules.objectLabels of the source",
		o.Namespace, o.Name, labels.Set(o.Labels))
}

const unavailableText = "the kind PrometheusRule of monitoring.coreos.com/v1 is not installed: install the Prometheus operator's definitions, " +
	"or set spec.rules.output of the source to ConfigMap or None in the place of %s"

// write applies a PrometheusRule. What somebody else added to its groups is not
// the operator's field, so apply leaves it: it is taken out by a patch.
func (r *PrometheusRuleReconciler) write(ctx context.Context, want *monitoringv1.PrometheusRule) error {
	got, err := applyTo(ctx, r.live, want)
	if err != nil || sameRule(got, want) {
		return err
	}
	mended := got.DeepCopy()
	mended.Spec = want.Spec
	return r.live.Patch(ctx, mended, client.MergeFromWithOptions(got, client.MergeFromWithOptimisticLock{}), fieldOwner)
}

// refused says of an error of the API server what it means for the objective.
func (r *PrometheusRuleReconciler) refused(w wish, state rulesState, err error) (rulesState, error) {
	reason, message := refusal(err)
	switch reason {
	case v1alpha1.ReasonRulesRejected:
		return state.failed(reason, "%s", message), nil
	case v1alpha1.ReasonSinkForbidden:
		return state.failed(reason, "the operator may not write PrometheusRules in namespace %q: apply config/rbac again", w.plan.Key.Namespace), nil
	case v1alpha1.ReasonSinkUnavailable:
		return state.failed(reason, unavailableText, w.source.SourceSpec().Rules.Output), nil
	default:
		return state, err
	}
}

// remove deletes the PrometheusRule of an objective that shall have none. What
// the watch does not show was never there, or is being deleted; one that is made
// just now will be shown.
func (r *PrometheusRuleReconciler) remove(ctx context.Context, key types.NamespacedName) error {
	if !r.watch.has(key) {
		return nil
	}
	found := &monitoringv1.PrometheusRule{}
	if err := r.live.Get(ctx, key, found); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !ruleOf(found, key.Name) {
		return nil
	}
	if err := remove(ctx, r.live, found); err != nil {
		return fmt.Errorf("delete PrometheusRule %s: %w", key, err)
	}
	ctrl.LoggerFrom(ctx).Info("rules removed")
	return nil
}

// ruleOf says whether a PrometheusRule was made by the operator for the
// objective of a name, of which there may have been another before.
func ruleOf(o metav1.Object, name string) bool {
	owner := metav1.GetControllerOf(o)
	return isOurs(o) && (owner == nil || owner.Kind == "Objective" && owner.Name == name)
}

// sameRule says whether a PrometheusRule has the content and the owner of
// another.
func sameRule(got, want *monitoringv1.PrometheusRule) bool {
	owner := metav1.GetControllerOf(got)
	return owner != nil && owner.UID == want.OwnerReferences[0].UID && equality.Semantic.DeepEqual(got.Spec, want.Spec)
}
