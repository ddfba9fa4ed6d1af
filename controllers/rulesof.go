package controllers

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
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

// LongestWindow is the longest window of the objectives of a source; it is not
// valid where there is none.
func (e *Evaluator) LongestWindow(source compile.SourceKey) slo.Window {
	var out slo.Window
	for _, key := range e.objectivesOf(source) {
		en := e.entry(key)
		if en == nil {
			continue // forgotten meanwhile
		}
		if plan, _ := en.begin(); plan.Window.Longest() > out.Longest() {
			out = plan.Window
		}
	}
	return out
}

func (e *Evaluator) objectivesOf(source compile.SourceKey) []types.NamespacedName {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.keysOf(&source)
}
