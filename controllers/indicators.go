package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// indicatorIndex is the index of objectives by the key of the indicator that they
// refer to.
const indicatorIndex = "indicator"

// indicatorObject is an indicator of either kind.
type indicatorObject interface {
	client.Object
	IndicatorSpec() *v1alpha1.IndicatorSpec
}

func newIndicator(kind v1alpha1.IndicatorKind) indicatorObject {
	if kind == v1alpha1.IndicatorKindIndicator {
		return &v1alpha1.Indicator{}
	}
	return &v1alpha1.ClusterIndicator{}
}

// references are what an objective is compiled with.
type references struct {
	source sourceObject
	// indicator is nil where the objective refers to none, and so is calendar.
	indicator indicatorObject
	calendar  *v1alpha1.Calendar
	// exclusions are those that are for the objective.
	exclusions []v1alpha1.Exclusion
}

func (r references) input(o *v1alpha1.Objective) compile.Input {
	in := compile.Input{Objective: o, Source: r.source.SourceSpec(), Exclusions: r.exclusions}
	if r.indicator != nil {
		in.Indicator = r.indicator.IndicatorSpec()
	}
	if r.calendar != nil {
		in.Calendar = &r.calendar.Spec
	}
	return in
}

// spec changes when the spec of the objective does, or of what it refers to.
func (r references) spec(o *v1alpha1.Objective) string {
	out := fmt.Sprintf("%s/%d %s/%d", o.UID, o.Generation, r.source.GetUID(), r.source.GetGeneration())
	if r.indicator != nil {
		out += fmt.Sprintf(" %s/%d", r.indicator.GetUID(), r.indicator.GetGeneration())
	}
	if r.calendar != nil {
		out += fmt.Sprintf(" %s/%d", r.calendar.UID, r.calendar.Generation)
	}
	return out
}

// referencesOf reads what an objective refers to. The fault says why it cannot be
// used.
func (g *gatherer) referencesOf(ctx context.Context, o *v1alpha1.Objective) (references, *status.Fault, error) {
	source, fault, err := g.sourceOf(ctx, o)
	out := references{source: source}
	if err != nil || fault != nil {
		return out, fault, err
	}
	if out.exclusions, err = g.exclusionsOf(ctx, o); err != nil {
		return references{}, nil, err
	}
	if out.indicator, fault, err = g.indicatorOf(ctx, o); err != nil || fault != nil {
		return out, fault, err
	}
	out.calendar, fault, err = g.calendarOf(ctx, o, out.indicator)
	return out, fault, err
}

// indicatorOf reads the indicator that an objective refers to, if it does.
func (g *gatherer) indicatorOf(ctx context.Context, o *v1alpha1.Objective) (indicatorObject, *status.Fault, error) {
	key, refers := compile.IndicatorOf(o)
	if !refers {
		return nil, nil, nil
	}
	found := newIndicator(key.Kind)
	err := g.cached.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name}, found)
	if apierrors.IsNotFound(err) {
		missing := compile.Missing(key)
		return nil, &status.Fault{Kind: status.Waiting, Reason: missing.Reason, Message: missing.Error()}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get %s: %w", key, err)
	}
	return found, nil, nil
}

// byIndicator gives the objectives that refer to an indicator.
func (g *gatherer) byIndicator(ctx context.Context, o client.Object) []reconcile.Request {
	return g.list(ctx, client.MatchingFields{indicatorIndex: keyOfIndicator(o).String()})
}

// keyOfIndicator is the key of an indicator, of which those of a namespace are of
// another kind.
func keyOfIndicator(o client.Object) compile.IndicatorKey {
	kind := v1alpha1.IndicatorKindClusterIndicator
	if o.GetNamespace() != "" {
		kind = v1alpha1.IndicatorKindIndicator
	}
	return compile.IndicatorKey{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

// indicatorKeys are what an objective is found by in the index.
func indicatorKeys(o client.Object) []string {
	objective, _ := o.(*v1alpha1.Objective)
	if key, refers := compile.IndicatorOf(objective); refers {
		return []string{key.String()}
	}
	return nil
}
