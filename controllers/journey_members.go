package controllers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
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

// staged is an objective along a journey; the objective is nil where there is none
// of that name.
type staged struct {
	name      v1alpha1.Name
	objective *v1alpha1.Objective
}

// stagedBy reads the objectives of a journey by stage, and that of its completion,
// which is nil where it has none. Invalid says what a person must change when they
// cannot be told. They are not copied: nobody may write to them.
func (g *gatherer) stagedBy(ctx context.Context, journey *v1alpha1.Journey) (stages map[v1alpha1.Label][]staged, completion *staged, invalid string, err error) {
	list := &v1alpha1.ObjectiveList{}
	if err := g.cached.List(ctx, list, client.InNamespace(journey.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, nil, "", fmt.Errorf("list objectives: %w", err)
	}
	byName := map[v1alpha1.Name]*v1alpha1.Objective{}
	for i := range list.Items {
		if o := &list.Items[i]; o.DeletionTimestamp.IsZero() {
			byName[v1alpha1.Name(o.Name)] = o
		}
	}
	stages = map[v1alpha1.Label][]staged{}
	for i := range journey.Spec.Stages {
		stage := &journey.Spec.Stages[i]
		if stages[stage.Name], invalid = stagedAt(&stage.Objectives, byName); invalid != "" {
			return nil, nil, fmt.Sprintf("the objectives of stage %s: %s", stage.Name, invalid), nil
		}
	}
	if name := journey.Spec.Completion; name != "" {
		completion = &staged{name, byName[name]}
	}
	return stages, completion, "", nil
}

// along reads what is known of the objectives of a journey.
func (g *gatherer) along(ctx context.Context, journey *v1alpha1.Journey) (found along, invalid string, err error) {
	stages, completion, invalid, err := g.stagedBy(ctx, journey)
	if err != nil || invalid != "" {
		return along{}, invalid, err
	}
	found.members = map[v1alpha1.Label][]evaluate.JourneyMember{}
	for stage, all := range stages {
		for _, s := range all {
			found.members[stage] = append(found.members[stage], g.journeyMember(ctx, s.name, s.objective))
		}
	}
	if completion != nil {
		member := g.journeyMember(ctx, completion.name, completion.objective)
		found.completion = &member
	}
	return found, "", nil
}

// stagedAt chooses the objectives of a stage.
func stagedAt(choice *v1alpha1.StageObjectives, byName map[v1alpha1.Name]*v1alpha1.Objective) (out []staged, invalid string) {
	if choice.Selector == nil {
		for _, name := range choice.Names {
			out = append(out, staged{name, byName[name]})
		}
		return out, ""
	}
	selector, err := metav1.LabelSelectorAsSelector(choice.Selector)
	if err != nil {
		return nil, fmt.Sprintf("selector: %v", err)
	}
	for name, o := range byName {
		if selector.Matches(labels.Set(o.Labels)) {
			out = append(out, staged{name, o})
		}
	}
	if len(out) > v1alpha1.MaxStageObjectives {
		return nil, fmt.Sprintf("selector: it selects more than %d objectives: choose fewer, or make several stages of it", v1alpha1.MaxStageObjectives)
	}
	slices.SortFunc(out, func(a, b staged) int { return strings.Compare(string(a.name), string(b.name)) })
	return out, ""
}

// journeyMember is what the status of an objective says, nil where there is none.
// A status of another generation says nothing.
func (g *gatherer) journeyMember(ctx context.Context, name v1alpha1.Name, o *v1alpha1.Objective) evaluate.JourneyMember {
	m := evaluate.JourneyMember{Name: name, Reason: v1alpha1.ReasonNotFound, Kept: math.NaN(), Budget: math.NaN()}
	if o == nil {
		return m
	}
	m.Perspective, m.Reason = o.Spec.Perspective, v1alpha1.ReasonEvaluationPending
	met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
	if met == nil || o.Status.ObservedGeneration != o.Generation {
		return m
	}
	o = worstOff(o)
	m.Reason, m.Attainment, m.Target = met.Reason, o.Status.Attainment, o.Status.Target
	switch met.Status {
	case metav1.ConditionTrue:
		m.Outcome = evaluate.Met
	case metav1.ConditionFalse:
		m.Outcome = evaluate.Missed
	default:
		return m
	}
	m.Kept, m.Budget = g.keptOf(ctx, o), budgetOf(o)
	if at := o.Status.ExhaustsAt; at != nil {
		m.ExhaustsAt = at.Time
	}
	return m
}

// keptOf reads the share of the promise that is kept from what is written on the
// objective, NaN where it cannot be read. So a journey's figures can be found again
// from what kubectl shows, and a restart of the operator changes none.
func (g *gatherer) keptOf(ctx context.Context, o *v1alpha1.Objective) float64 {
	unit, err := g.unitOf(ctx, o)
	if err != nil {
		return math.NaN()
	}
	attainment, err := unit.ParseFloor(o.Status.Attainment)
	if err != nil {
		return math.NaN()
	}
	target, err := unit.Parse(o.Status.Target)
	if err != nil {
		return math.NaN()
	}
	return evaluate.Kept(attainment, target)
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

// budgetOf reads the share of the error budget that is left.
func budgetOf(o *v1alpha1.Objective) float64 {
	share, err := slo.ParseBudget(o.Status.BudgetRemaining)
	if err != nil {
		return math.NaN()
	}
	return share
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

// journeysOf gives the journeys that choose one of the objects, which are states of
// the same objective.
func (g *gatherer) journeysOf(ctx context.Context, objects ...client.Object) []reconcile.Request {
	found := &v1alpha1.JourneyList{}
	if err := g.cached.List(ctx, found, client.InNamespace(objects[0].GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list journeys")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		journey := &found.Items[i]
		if slices.ContainsFunc(objects, func(o client.Object) bool { return leadsBy(&journey.Spec, o) }) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(journey)})
		}
	}
	return out
}

// leadsBy says whether an objective is along a journey.
func leadsBy(spec *v1alpha1.JourneySpec, o client.Object) bool {
	name := v1alpha1.Name(o.GetName())
	if spec.Completion == name {
		return true
	}
	return slices.ContainsFunc(spec.Stages, func(stage v1alpha1.JourneyStage) bool {
		if stage.Objectives.Selector == nil {
			return slices.Contains(stage.Objectives.Names, name)
		}
		selector, err := metav1.LabelSelectorAsSelector(stage.Objectives.Selector)
		return err == nil && selector.Matches(labels.Set(o.GetLabels()))
	})
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
	s := &objective.Status
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
