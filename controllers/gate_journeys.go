package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
)

// chosenJourney is a journey that a gate chose, and its objectives; the journey is
// nil where there is none of that name.
type chosenJourney struct {
	name    v1alpha1.Name
	journey *v1alpha1.Journey
	way     evaluate.Way
	// invalid says why its objectives cannot be told.
	invalid string
}

// journeysFor reads the journeys of a gate. Invalid says what a person must change
// when they cannot be told.
func (g *gatherer) journeysFor(ctx context.Context, gate *v1alpha1.Gate) (out []chosenJourney, invalid string, err error) {
	asked := gate.Spec.Journeys
	if asked == nil {
		return nil, "", nil
	}
	if asked.Selector != nil {
		out, invalid, err = g.journeysSelected(ctx, gate.Namespace, asked.Selector)
	} else {
		out, err = g.journeysNamed(ctx, gate.Namespace, asked.Names)
	}
	for i := range out {
		c := &out[i]
		if c.journey != nil && err == nil {
			c.way, c.invalid, err = g.way(ctx, c.journey)
		}
	}
	return out, invalid, err
}

func (g *gatherer) journeysNamed(ctx context.Context, namespace string, names []v1alpha1.Name) ([]chosenJourney, error) {
	var out []chosenJourney
	for _, name := range names {
		found := &v1alpha1.Journey{}
		err := g.cached.Get(ctx, types.NamespacedName{Namespace: namespace, Name: string(name)}, found)
		switch {
		case apierrors.IsNotFound(err) || (err == nil && !found.DeletionTimestamp.IsZero()):
			out = append(out, chosenJourney{name: name})
		case err != nil:
			return nil, fmt.Errorf("get journey %q: %w", name, err)
		default:
			out = append(out, chosenJourney{name: name, journey: found})
		}
	}
	return out, nil
}

func (g *gatherer) journeysSelected(ctx context.Context, namespace string, by *metav1.LabelSelector) (out []chosenJourney, invalid string, err error) {
	selector, err := metav1.LabelSelectorAsSelector(by)
	if err != nil {
		return nil, fmt.Sprintf("spec.journeys.selector: %v", err), nil
	}
	found := &v1alpha1.JourneyList{}
	if err := g.cached.List(ctx, found, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, "", fmt.Errorf("list journeys: %w", err)
	}
	for i := range found.Items {
		if j := &found.Items[i]; j.DeletionTimestamp.IsZero() {
			out = append(out, chosenJourney{name: v1alpha1.Name(j.Name), journey: j})
		}
	}
	if len(out) > v1alpha1.MaxGateJourneys {
		return nil, fmt.Sprintf("spec.journeys.selector: it selects more than %d journeys: choose fewer, or use several gates", v1alpha1.MaxGateJourneys), nil
	}
	return out, "", nil
}

// keyAlong is the key of an objective along a journey.
func keyAlong(j *v1alpha1.Journey, s evaluate.Staged) types.NamespacedName {
	return types.NamespacedName{Namespace: cmp.Or(string(s.Namespace), j.Namespace), Name: string(s.Name)}
}

// each gives the objectives of a journey, stage by stage, and completion.
func (c *chosenJourney) each(do func(stage v1alpha1.Label, s evaluate.Staged)) {
	if c.journey == nil {
		return
	}
	for i := range c.journey.Spec.Stages {
		stage := c.journey.Spec.Stages[i].Name
		for _, s := range c.way.Stages[stage] {
			do(stage, s)
		}
	}
	if c.way.Completion != nil {
		do("", *c.way.Completion)
	}
}

// objectivesAlong are those of some journeys, in order and each once.
func objectivesAlong(journeys []chosenJourney) []types.NamespacedName {
	var out []types.NamespacedName
	for i := range journeys {
		c := &journeys[i]
		c.each(func(_ v1alpha1.Label, s evaluate.Staged) { out = append(out, keyAlong(c.journey, s)) })
	}
	slices.SortFunc(out, byName)
	return slices.Compact(out)
}

// judge judges a journey of a gate by the last measurements of its objectives, of
// which known tells what the gate's check has.
func (c *chosenJourney) judge(known func(chosen, types.NamespacedName) evaluate.GateMember) evaluate.GateJourney {
	out := evaluate.GateJourney{Name: c.name, Missing: c.journey == nil, Invalid: c.invalid}
	if out.Missing || out.Invalid != "" {
		return out
	}
	members := map[v1alpha1.Label][]evaluate.JourneyMember{}
	var completion *evaluate.JourneyMember
	c.each(func(stage v1alpha1.Label, s evaluate.Staged) {
		m := s.Unmeasured()
		seen := known(chosen{name: v1alpha1.Name(m.String()), objective: s.Objective}, keyAlong(c.journey, s))
		out.Expected = out.Expected || seen.Expected && !s.Objective.Suspended()
		if seen.Verdict != nil {
			m = evaluate.MemberOf(s, *seen.Verdict)
			out.End = soonest(out.End, seen.Verdict.Window.End)
			out.Objectives = append(out.Objectives, seen)
		}
		if stage == "" {
			completion = &m
			return
		}
		members[stage] = append(members[stage], m)
	})
	out.Outcome = evaluate.Journey(&c.journey.Spec, members, completion)
	return out
}

// soonest is the earlier of two times, of which the first may be zero for none.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// waitingAlong gives the gates whose check goes on and that a journey is chosen by,
// or would be if it existed.
func (g *gatherer) waitingAlong(ctx context.Context, o client.Object) []reconcile.Request {
	found := &v1alpha1.GateList{}
	if err := g.cached.List(ctx, found, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list gates")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		if gate := &found.Items[i]; !gate.Status.Finished() && choosesJourney(gate.Spec.Journeys, o) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(gate)})
		}
	}
	return out
}

func choosesJourney(asked *v1alpha1.GateJourneys, o client.Object) bool {
	switch {
	case asked == nil:
		return false
	case asked.Selector == nil:
		return slices.Contains(asked.Names, v1alpha1.Name(o.GetName()))
	default:
		selector, err := metav1.LabelSelectorAsSelector(asked.Selector)
		return err == nil && selector.Matches(labels.Set(o.GetLabels()))
	}
}
