package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// along is what is known of the objectives along a journey.
type along struct {
	members    map[v1alpha1.Label][]evaluate.JourneyMember
	completion *evaluate.JourneyMember
}

// way reads the objectives of a journey by stage. Invalid says what a person must
// change when they cannot be told. They are not copied: nobody may write to them.
func (g *gatherer) way(ctx context.Context, journey *v1alpha1.Journey) (way evaluate.Way, invalid string, err error) {
	from := evaluate.Countable{}
	for _, namespace := range evaluate.LooksInto(journey) {
		if from[namespace], err = g.countable(ctx, namespace, journey.Namespace); err != nil {
			return evaluate.Way{}, "", err
		}
	}
	way, mistake := evaluate.Along(journey, from)
	if mistake != nil {
		return evaluate.Way{}, mistake.Error(), nil //nolint:nilerr // a person must mend it, and trying again does not
	}
	return way, "", nil
}

// countable reads the objectives of a namespace that journeys of another, or of the
// same, may count.
func (g *gatherer) countable(ctx context.Context, namespace, by string) (map[v1alpha1.Name]*v1alpha1.Objective, error) {
	list := &v1alpha1.ObjectiveList{}
	if err := g.cached.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list objectives: %w", err)
	}
	out := map[v1alpha1.Name]*v1alpha1.Objective{}
	for i := range list.Items {
		o := &list.Items[i]
		if !o.DeletionTimestamp.IsZero() {
			continue
		}
		shared, err := g.shares(ctx, o, by)
		if err != nil {
			return nil, err
		}
		if shared {
			out[v1alpha1.Name(o.Name)] = o
		}
	}
	return out, nil
}

// shares says whether journeys of a namespace may count an objective.
func (g *gatherer) shares(ctx context.Context, o *v1alpha1.Objective, with string) (bool, error) {
	if o.Namespace == with {
		return true, nil
	}
	grant := o.Spec.SharedWith
	if grant == nil {
		return false, nil
	}
	// A selector that cannot be read selects nothing: that is the mistake of the
	// objective's owner, and must not hold up the journey.
	shared, err := g.allows(ctx, &v1alpha1.AllowedNamespaces{Names: grant.Names, Selector: readable(grant.Selector)}, with)
	return shared, err
}

// readable is a selector, or nil where it cannot be read.
func readable(selector *metav1.LabelSelector) *metav1.LabelSelector {
	if _, err := metav1.LabelSelectorAsSelector(selector); err != nil {
		return nil
	}
	return selector
}

// along reads what is known of the objectives of a journey.
func (g *gatherer) along(ctx context.Context, journey *v1alpha1.Journey) (found along, invalid string, err error) {
	way, invalid, err := g.way(ctx, journey)
	if err != nil || invalid != "" {
		return along{}, invalid, err
	}
	found.members = map[v1alpha1.Label][]evaluate.JourneyMember{}
	for stage, all := range way.Stages {
		for _, s := range all {
			found.members[stage] = append(found.members[stage], g.journeyMember(ctx, s))
		}
	}
	if way.Completion != nil {
		member := g.journeyMember(ctx, *way.Completion)
		found.completion = &member
	}
	return found, "", nil
}

// journeyMember is what the status of an objective says.
func (g *gatherer) journeyMember(ctx context.Context, s evaluate.Staged) evaluate.JourneyMember {
	return s.Measured(func(o *v1alpha1.Objective) (slo.Unit, error) { return g.unitOf(ctx, o) })
}

// unitOf is the unit in which an objective's figures are written. One whose indicator
// cannot be read has none.
func (g *gatherer) unitOf(ctx context.Context, o *v1alpha1.Objective) (slo.Unit, error) {
	in := compile.Input{Objective: o}
	if unit, err := compile.UnitOf(in); err == nil {
		return unit, nil
	}
	found, _, err := g.indicatorOf(ctx, o)
	if err != nil {
		return slo.Unit{}, err
	}
	if found != nil {
		in.Indicator = found.IndicatorSpec()
	}
	return compile.UnitOf(in)
}

// wakeJourneys has the journeys judged anew that an objective is chosen by, or
// would be if it existed.
func (g *gatherer) wakeJourneys() handler.EventHandler {
	wake := func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		for _, request := range g.journeysOf(ctx, objects...) {
			q.AddAfter(request, settling)
		}
	}
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.Funcs{
		CreateFunc:  func(ctx context.Context, e event.CreateEvent, q queue) { wake(ctx, q, e.Object) },
		UpdateFunc:  func(ctx context.Context, e event.UpdateEvent, q queue) { wake(ctx, q, e.ObjectOld, e.ObjectNew) },
		DeleteFunc:  func(ctx context.Context, e event.DeleteEvent, q queue) { wake(ctx, q, e.Object) },
		GenericFunc: func(ctx context.Context, e event.GenericEvent, q queue) { wake(ctx, q, e.Object) },
	}
}

// journeyIndex is the index of journeys by the namespaces of their objectives.
const journeyIndex = "objectives"

// journeysOf gives the journeys that choose one of the objects, which are states of
// the same objective.
func (g *gatherer) journeysOf(ctx context.Context, objects ...client.Object) []reconcile.Request {
	namespace := objects[0].GetNamespace()
	found := &v1alpha1.JourneyList{}
	if err := g.cached.List(ctx, found, client.MatchingFields{journeyIndex: namespace}, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list journeys")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		journey := &found.Items[i]
		if slices.ContainsFunc(objects, func(o client.Object) bool {
			return evaluate.Counts(journey, namespace, v1alpha1.Name(o.GetName()), o.GetLabels())
		}) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(journey)})
		}
	}
	return out
}

// byOwnNamespace gives the journeys of a namespace with which others may share
// objectives by its labels.
func (g *gatherer) byOwnNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	found := &v1alpha1.JourneyList{}
	if err := g.cached.List(ctx, found, client.InNamespace(o.GetName()), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list journeys")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		if len(evaluate.LooksInto(&found.Items[i])) > 1 {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&found.Items[i])})
		}
	}
	return out
}

// journeyView is what a journey reads of an objective.
type journeyView struct {
	generation, observed       int64
	attainment, target, budget string
	exhausts                   time.Time
	met                        string
	deleted                    bool
}

func viewOf(o client.Object) journeyView {
	objective, ok := o.(*v1alpha1.Objective)
	if !ok {
		return journeyView{}
	}
	s := &evaluate.WorstOff(objective).Status
	view := journeyView{
		generation: objective.Generation, observed: s.ObservedGeneration, attainment: s.Attainment, target: s.Target,
		budget: s.BudgetRemaining, deleted: !objective.DeletionTimestamp.IsZero(),
	}
	if s.ExhaustsAt != nil {
		view.exhausts = s.ExhaustsAt.Time
	}
	if met := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionMet); met != nil {
		view.met = string(met.Status) + " " + met.Reason
	}
	return view
}

// otherForJourneys lets through the changes of an objective that a journey reads.
func otherForJourneys() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return viewOf(e.ObjectOld) != viewOf(e.ObjectNew) || !equality.Semantic.DeepEqual(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels())
		},
	}
}
