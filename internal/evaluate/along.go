package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// Staged is an objective along a journey; Objective is nil where there is none of
// that name that the journey may count.
type Staged struct {
	// Namespace is empty for the journey's own.
	Namespace v1alpha1.Label
	Name      v1alpha1.Name
	Objective *v1alpha1.Objective
}

// String gives "page-speed", or "support/hold-time" for one of another namespace.
func (s Staged) String() string { return nameWithin(s.Namespace, s.Name) }

// Unmeasured is what is known of it before anybody looked: nothing.
func (s Staged) Unmeasured() JourneyMember {
	m := JourneyMember{Namespace: s.Namespace, Name: s.Name, Reason: v1alpha1.ReasonNotFound, Kept: math.NaN(), Budget: math.NaN()}
	switch {
	case s.Objective != nil:
		m.Perspective, m.Reason = s.Objective.Spec.Perspective, v1alpha1.ReasonEvaluationPending
	case s.Namespace != "":
		m.Reason = v1alpha1.ReasonNotShared
	}
	return m
}

func nameWithin(namespace v1alpha1.Label, name v1alpha1.Name) string {
	if namespace == "" {
		return string(name)
	}
	return string(namespace) + "/" + string(name)
}

// Way is the objectives along a journey.
type Way struct {
	Stages map[v1alpha1.Label][]Staged
	// Completion is nil where the journey has none.
	Completion *Staged
}

// Countable are the objectives that a journey may count, by namespace and name.
// Those of other namespaces are there only where they are shared with the journey's.
type Countable map[string]map[v1alpha1.Name]*v1alpha1.Objective

// LooksInto are the namespaces in which a journey's objectives are, its own first.
func LooksInto(j *v1alpha1.Journey) []string {
	out := []string{j.Namespace}
	for i := range j.Spec.Stages {
		if in := string(j.Spec.Stages[i].Objectives.Namespace); in != "" && !slices.Contains(out, in) {
			out = append(out, in)
		}
	}
	return out
}

// Along chooses the objectives of a journey. The error is a *compile.Error, which says
// what a person must change where they cannot be chosen.
func Along(j *v1alpha1.Journey, from Countable) (Way, error) {
	way := Way{Stages: map[v1alpha1.Label][]Staged{}}
	for i := range j.Spec.Stages {
		stage := &j.Spec.Stages[i]
		chosen, err := choose(j, &stage.Objectives, from)
		if err != nil {
			return Way{}, &compile.Error{Reason: v1alpha1.ReasonInvalidSpec, Field: fmt.Sprintf("spec.stages[%d].objectives.selector", i), Err: err}
		}
		way.Stages[stage.Name] = chosen
	}
	if name := j.Spec.Completion; name != "" {
		way.Completion = &Staged{Name: name, Objective: from[j.Namespace][name]}
	}
	return way, nil
}

// Plans are the plans of the objectives along a journey, each asked for once. One of
// which no rules are made has none.
func (w Way) Plans(of func(Staged) (*compile.Plan, error)) (stages map[v1alpha1.Label][]*compile.Plan, completion *compile.Plan, err error) {
	known := map[string]*compile.Plan{}
	find := func(s Staged) *compile.Plan {
		plan, asked := known[s.String()]
		if !asked && err == nil {
			plan, err = of(s)
			known[s.String()] = plan
		}
		return plan
	}
	stages = map[v1alpha1.Label][]*compile.Plan{}
	for name, all := range w.Stages {
		for _, s := range all {
			stages[name] = append(stages[name], find(s))
		}
	}
	if w.Completion != nil {
		completion = find(*w.Completion)
	}
	return stages, completion, err
}

// choose finds the objectives of a stage.
func choose(j *v1alpha1.Journey, choice *v1alpha1.StageObjectives, from Countable) ([]Staged, error) {
	namespace, in := choice.Namespace, from[string(choice.Namespace)]
	if namespace == "" || string(namespace) == j.Namespace {
		namespace, in = "", from[j.Namespace]
	}
	var out []Staged
	if choice.Selector == nil {
		for _, name := range choice.Names {
			out = append(out, Staged{namespace, name, in[name]})
		}
		return out, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(choice.Selector)
	if err != nil {
		return nil, err
	}
	for name, o := range in {
		if selector.Matches(labels.Set(o.Labels)) {
			out = append(out, Staged{namespace, name, o})
		}
	}
	if len(out) > v1alpha1.MaxStageObjectives {
		return nil, fmt.Errorf("it selects more than %d objectives: choose fewer, or make several stages of it", v1alpha1.MaxStageObjectives)
	}
	slices.SortFunc(out, func(a, b Staged) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Counts says whether a journey chooses an objective, or would if it might.
func Counts(j *v1alpha1.Journey, namespace string, name v1alpha1.Name, labelled map[string]string) bool {
	if namespace == j.Namespace && j.Spec.Completion == name {
		return true
	}
	return slices.ContainsFunc(j.Spec.Stages, func(stage v1alpha1.JourneyStage) bool {
		choice := &stage.Objectives
		if in := cmp.Or(string(choice.Namespace), j.Namespace); in != namespace {
			return false
		}
		if choice.Selector == nil {
			return slices.Contains(choice.Names, name)
		}
		selector, err := metav1.LabelSelectorAsSelector(choice.Selector)
		return err == nil && selector.Matches(labels.Set(labelled))
	})
}
