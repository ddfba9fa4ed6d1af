package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// gatherer is the only reader of the objects that others refer to.
type gatherer struct {
	// cached reads what is watched: objectives, sources, metadata of namespaces.
	cached client.Reader
	// direct asks the API server: for Secrets and ConfigMaps, which are never
	// listed or watched.
	direct client.Reader
	// namespace is the operator's own, account its service account.
	namespace, account string
}

// sourceObject is a source of either kind.
type sourceObject interface {
	conditioned
	SetConditions([]metav1.Condition)
	SourceSpec() *v1alpha1.MetricSourceSpec
	SourceStatus() *v1alpha1.MetricSourceStatus
}

func newSource(kind v1alpha1.SourceKind) sourceObject {
	if kind == v1alpha1.SourceKindMetricSource {
		return &v1alpha1.MetricSource{}
	}
	return &v1alpha1.ClusterMetricSource{}
}

func keyOf(o sourceObject) compile.SourceKey {
	kind := v1alpha1.SourceKindClusterMetricSource
	if o.GetNamespace() != "" {
		kind = v1alpha1.SourceKindMetricSource
	}
	return compile.SourceKey{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// sourceOf reads the source of an objective. The fault says why the objective
// cannot use it.
func (g *gatherer) sourceOf(ctx context.Context, o *v1alpha1.Objective) (sourceObject, *status.Fault, error) {
	key := compile.KeyOf(o)
	found := newSource(key.Kind)
	err := g.cached.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name}, found)
	if apierrors.IsNotFound(err) {
		return nil, &status.Fault{
			Kind: status.Waiting, Reason: v1alpha1.ReasonSourceNotFound,
			Message: fmt.Sprintf("%s does not exist: create it, or name another in spec.sourceRef", key),
		}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get %s: %w", key, err)
	}
	shared, ok := found.(*v1alpha1.ClusterMetricSource)
	if !ok {
		return found, nil, nil
	}
	allowed, err := g.allows(ctx, shared.Spec.AllowedNamespaces, o.Namespace)
	if wrong, ok := errors.AsType[*compile.Error](err); ok {
		// It is found all the same: rules that are installed stay until it is mended.
		return found, &status.Fault{
			Kind: status.Mistake, Reason: v1alpha1.ReasonSourceNotAllowed,
			Message: fmt.Sprintf("spec.sourceRef: %s does not tell whether it allows namespace %q: ask its owner to mend it, or use another source: %v", key, o.Namespace, wrong),
		}, nil
	}
	if err != nil || allowed {
		return found, nil, err
	}
	return nil, &status.Fault{
		Kind: status.Mistake, Reason: v1alpha1.ReasonSourceNotAllowed,
		Message: fmt.Sprintf("spec.sourceRef: %s does not allow namespace %q: ask its owner to add the namespace to spec.allowedNamespaces, or use another source", key, o.Namespace),
	}, nil
}

func (g *gatherer) allows(ctx context.Context, allowed *v1alpha1.AllowedNamespaces, namespace string) (bool, error) {
	if allowed == nil || slices.Contains(allowed.Names, v1alpha1.Label(namespace)) {
		return true, nil
	}
	if allowed.Selector == nil {
		return false, nil
	}
	selector, err := compile.Granted(allowed)
	if err != nil {
		return false, err
	}
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := g.cached.Get(ctx, types.NamespacedName{Name: namespace}, meta); err != nil {
		return false, fmt.Errorf("get namespace %q: %w", namespace, err)
	}
	return selector.Matches(labels.Set(meta.Labels)), nil
}

// bySource gives the objectives that use a source.
func (g *gatherer) bySource(ctx context.Context, o client.Object) []reconcile.Request {
	source, ok := o.(sourceObject)
	if !ok {
		return nil
	}
	return g.list(ctx, client.MatchingFields{sourceIndex: keyOf(source).String()})
}

// byNamespace gives the objectives of a namespace, whose labels may allow or
// forbid them a source.
func (g *gatherer) byNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return g.list(ctx, client.InNamespace(o.GetName()))
}

func (g *gatherer) list(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	return g.where(ctx, func(*v1alpha1.Objective) bool { return true }, options...)
}

// where gives the objectives of a list for which something holds.
func (g *gatherer) where(ctx context.Context, holds func(*v1alpha1.Objective) bool, options ...client.ListOption) []reconcile.Request {
	found := &v1alpha1.ObjectiveList{}
	if err := g.cached.List(ctx, found, options...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list objectives")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		if holds(&found.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found.Items[i])})
		}
	}
	return out
}
