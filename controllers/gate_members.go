package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
)

// firstFigures is how long a timeout that passed while no operator ran waits for
// the first figures after the start.
const firstFigures = 2 * time.Minute

// chosen is an objective that a gate chose; the objective is nil where there is
// none of that name.
type chosen struct {
	name      v1alpha1.Name
	objective *v1alpha1.Objective
}

// chosenBy reads the objectives of a gate. Invalid says what a person must change
// when they cannot be told.
func (g *gatherer) chosenBy(ctx context.Context, gate *v1alpha1.Gate) (out []chosen, invalid string, err error) {
	if gate.Spec.Objectives.Selector != nil {
		return g.selectedBy(ctx, gate)
	}
	for _, name := range gate.Spec.Objectives.Names {
		found := &v1alpha1.Objective{}
		err := g.cached.Get(ctx, types.NamespacedName{Namespace: gate.Namespace, Name: string(name)}, found)
		switch {
		case apierrors.IsNotFound(err) || (err == nil && !found.DeletionTimestamp.IsZero()):
			out = append(out, chosen{name: name})
		case err != nil:
			return nil, "", fmt.Errorf("get objective %q: %w", name, err)
		default:
			out = append(out, chosen{name: name, objective: found})
		}
	}
	return out, "", nil
}

func (g *gatherer) selectedBy(ctx context.Context, gate *v1alpha1.Gate) (out []chosen, invalid string, err error) {
	selector, err := metav1.LabelSelectorAsSelector(gate.Spec.Objectives.Selector)
	if err != nil {
		return nil, fmt.Sprintf("spec.objectives.selector: %v", err), nil
	}
	found := &v1alpha1.ObjectiveList{}
	if err := g.cached.List(ctx, found, client.InNamespace(gate.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, "", fmt.Errorf("list objectives: %w", err)
	}
	for i := range found.Items {
		if o := &found.Items[i]; o.DeletionTimestamp.IsZero() {
			out = append(out, chosen{name: v1alpha1.Name(o.Name), objective: o})
		}
	}
	if len(out) > v1alpha1.MaxGateObjectives {
		return nil, fmt.Sprintf("spec.objectives.selector: it selects more than %d objectives: choose fewer, or use several gates", v1alpha1.MaxGateObjectives), nil
	}
	return out, "", nil
}

// waitingFor gives the gates whose check goes on and that an objective is chosen
// by, or would be if it existed.
func (g *gatherer) waitingFor(ctx context.Context, o client.Object) []reconcile.Request {
	found := &v1alpha1.GateList{}
	if err := g.cached.List(ctx, found, client.InNamespace(o.GetNamespace())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "list gates")
		return nil
	}
	var out []reconcile.Request
	for i := range found.Items {
		if gate := &found.Items[i]; !gate.Status.Finished() && chooses(gate, o) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(gate)})
		}
	}
	return out
}

func chooses(gate *v1alpha1.Gate, o client.Object) bool {
	if gate.Spec.Objectives.Selector == nil {
		return slices.Contains(gate.Spec.Objectives.Names, v1alpha1.Name(o.GetName()))
	}
	selector, err := metav1.LabelSelectorAsSelector(gate.Spec.Objectives.Selector)
	return err == nil && selector.Matches(labels.Set(o.GetLabels()))
}

// members tells the evaluator what a gate waits for, and what is known of it.
func (r *GateReconciler) members(gate *v1alpha1.Gate, objectives []chosen, journeys []chosenJourney, now time.Time) ([]evaluate.GateMember, []evaluate.GateJourney) {
	watch := gateWatch{since: evaluate.GateSince(gate.Status.StartedAt.Time), deadline: gate.Deadline()}
	for _, c := range objectives {
		watch.objectives = append(watch.objectives, types.NamespacedName{Namespace: gate.Namespace, Name: string(c.name)})
	}
	watch.along = objectivesAlong(journeys)
	key := client.ObjectKeyFromObject(gate)
	seen := r.evaluator.gates.put(key, watch, now)
	known := func(c chosen, objective types.NamespacedName) evaluate.GateMember {
		member := r.member(c, objective, watch)
		member.Expected = member.Expected && now.Sub(seen) < firstFigures
		if member.Verdict != nil && member.Release == nil && r.evaluator.gates.again(key, objective) {
			r.evaluator.Evaluate(objective)
		}
		return member
	}
	var out []evaluate.GateMember
	for i, c := range objectives {
		out = append(out, known(c, watch.objectives[i]))
	}
	var along []evaluate.GateJourney
	for i := range journeys {
		along = append(along, journeys[i].judge(known))
	}
	return out, along
}

func (r *GateReconciler) member(c chosen, key types.NamespacedName, watch gateWatch) evaluate.GateMember {
	if c.objective == nil {
		return evaluate.GateMember{Name: c.name, Missing: true}
	}
	plan, state := r.evaluator.judged(key)
	member := evaluate.GateMember{Name: c.name, Plan: plan, Verdict: state.Verdict, Trouble: troubleOf(c.objective, state)}
	if book := r.evaluator.ledger.Held(key); book != nil && state.Verdict != nil {
		if release, ok := book.Between(watch.since, watch.deadline); ok {
			member.Release = &release
		}
	}
	// A verdict without the release's sums is that of a book which is read anew.
	member.Expected = state.Fault == nil && member.Release == nil && (plan != nil || member.Trouble == "")
	return member
}

// troubleOf says in the words of the objective's own conditions why there are no
// newer figures; it is empty where they come.
func troubleOf(o *v1alpha1.Objective, state State) string {
	ready := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case state.Fault != nil:
		return state.Fault.Message
	case state.Verdict != nil && state.Verdict.Reason == v1alpha1.ReasonNoData:
		return messageOf(o, v1alpha1.ConditionMet, v1alpha1.ReasonNoData)
	case state.Verdict != nil || ready == nil || ready.Reason == v1alpha1.ReasonEvaluationPending || ready.Reason == v1alpha1.ReasonEvaluated:
		return ""
	default:
		return ready.Message
	}
}

// messageOf gives the message of a condition while it has the reason.
func messageOf(o *v1alpha1.Objective, kind, reason string) string {
	if c := meta.FindStatusCondition(o.Status.Conditions, kind); c != nil && c.Reason == reason {
		return c.Message
	}
	return ""
}

// judged gives the plan that an objective is measured by, nil where it is not,
// and what is known by it.
func (e *Evaluator) judged(key types.NamespacedName) (*compile.Plan, State) {
	en := e.entry(key)
	if en == nil {
		return nil, State{}
	}
	plan, _ := en.begin()
	if state := en.current(); state.plan == plan {
		return plan, state
	}
	return plan, State{}
}

// bookOf gives the book of an objective and since when it must hold events: its
// window, and the releases of the gates that wait for it.
func (e *Evaluator) bookOf(plan *compile.Plan, to time.Time) (*ledger.Book, time.Time) {
	from := plan.Window.Span(to).Start
	since, back := e.gates.needs(plan.Key, to)
	if since.IsZero() {
		return e.ledger.Book(plan), from
	}
	if since.Before(from) {
		from = since
	}
	return e.ledger.BookSince(plan, since, back), from
}
