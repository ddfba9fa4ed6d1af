package controllers

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// calendarOf reads the calendar that counts for an objective, if one does. The
// indicator is nil where the objective refers to none.
func (g *gatherer) calendarOf(ctx context.Context, o *v1alpha1.Objective, indicator indicatorObject) (*v1alpha1.Calendar, *status.Fault, error) {
	key, refers := compile.CalendarOf(o, specOf(indicator))
	if !refers {
		return nil, nil, nil
	}
	found := &v1alpha1.Calendar{}
	err := g.cached.Get(ctx, key, found)
	if apierrors.IsNotFound(err) {
		missing := compile.MissingCalendar(key)
		return nil, &status.Fault{Kind: status.Waiting, Reason: missing.Reason, Message: missing.Error()}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get Calendar %s: %w", key, err)
	}
	return found, nil, nil
}

// specOf is the spec of an indicator, nil where there is none.
func specOf(indicator indicatorObject) *v1alpha1.IndicatorSpec {
	if indicator == nil {
		return nil
	}
	return indicator.IndicatorSpec()
}

// byCalendar gives the objectives for which a calendar counts: those of its
// namespace that name it, or whose indicator does.
func (g *gatherer) byCalendar(ctx context.Context, o client.Object) []reconcile.Request {
	return g.where(ctx, func(objective *v1alpha1.Objective) bool {
		indicator, _, err := g.indicatorOf(ctx, objective)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "get indicator")
			return false
		}
		key, refers := compile.CalendarOf(objective, specOf(indicator))
		return refers && key.Name == o.GetName()
	}, client.InNamespace(o.GetNamespace()))
}
