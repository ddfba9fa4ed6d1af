package controllers

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

// RulesOf counts the objectives of a source whose rules its ruler should
// evaluate, and those that it recorded in the last minutes. Missing are, in
// order, the ones that were measured and not recorded; the rest were not measured
// yet. An objective that is suspended, has a mistake in its spec or waits for the
// buckets of a histogram is not expected: it has no rules, or old ones.
func (e *Evaluator) RulesOf(source compile.SourceKey) (expected, loaded int, missing []types.NamespacedName) {
	for _, key := range e.objectivesOf(source) {
		state := e.State(key)
		if state.Fault != nil && state.Fault.Kind == status.Mistake {
			continue
		}
		seen, current := e.Recorded(key)
		switch {
		case state.Verdict == nil && state.Fault == nil:
			expected++
		case current:
			expected++
			loaded++
		case seen:
			expected++
			missing = append(missing, key)
		}
	}
	slices.SortFunc(missing, byName)
	return expected, loaded, missing
}

func byName(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Longest is the plan of a source that has the longest window; nil where there is
// no plan.
func (e *Evaluator) Longest(source compile.SourceKey) *compile.Plan {
	var out *compile.Plan
	for _, key := range e.objectivesOf(source) {
		en := e.entry(key)
		if en == nil {
			continue // forgotten meanwhile
		}
		if plan, _ := en.begin(); out == nil || plan.Window.Longest() > out.Window.Longest() {
			out = plan
		}
	}
	return out
}

func (e *Evaluator) objectivesOf(source compile.SourceKey) []types.NamespacedName {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.keysOf(&source)
}
