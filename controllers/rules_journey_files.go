package controllers

import (
	"context"
	"fmt"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
)

// journeyBooks are the journeys whose objectives have their rules on a shelf.
func (r *RuleFileReconciler) journeyBooks(ctx context.Context, s shelf) ([]*book, error) {
	found := &v1alpha1.JourneyList{}
	if err := r.List(ctx, found, client.InNamespace(s.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list journeys: %w", err)
	}
	var out []*book
	for i := range found.Items {
		j := &found.Items[i]
		w, err := r.wisher.alongJourney(ctx, j)
		if err != nil {
			return nil, err
		}
		if b := r.journeyBook(j, w, s); b != nil {
			out = append(out, b)
		}
	}
	return out, nil
}

// journeyBook is a journey on a shelf, nil where it is on another or on none. One
// whose rules cannot be made now keeps the file that it has.
func (r *RuleFileReconciler) journeyBook(j *v1alpha1.Journey, w journeyWish, s shelf) *book {
	key := client.ObjectKeyFromObject(j)
	out := &book{key: key, file: rules.JourneyFileName(key), told: r.journeys.put}
	switch {
	case w.waits:
		return out
	case w.output != v1alpha1.RulesOutputConfigMap || w.journey.Source() != s.Source:
		return nil
	}
	out.wish = wish{output: w.output, source: w.source}
	group, err := rules.JourneyGroup(w.journey, w.settings())
	groups := []monitoringv1.RuleGroup{group}
	text := []byte{}
	if err == nil {
		text, err = rules.File(groups)
	}
	if err != nil {
		out.state = out.state.failed(v1alpha1.ReasonRulesRejected, "%v", err)
		return out
	}
	// It is made of many plans, so the rules themselves tell whether it changed.
	out.wish.stamp.spec = digest(string(text))
	out.render = func() ([]monitoringv1.RuleGroup, error) { return groups, nil }
	return out
}

// ofJourney gives the shelves on which the rules of a journey can be.
func (r *RuleFileReconciler) ofJourney(ctx context.Context, o client.Object) []shelf {
	return r.shelves(ctx, client.InNamespace(o.GetNamespace()))
}
