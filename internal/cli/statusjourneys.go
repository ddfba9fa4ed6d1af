package cli

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

// beside reads what is shown behind the objectives.
func (p Program) beside(ctx context.Context, cluster *kube.Cluster, query kube.Query, view *standings) {
	if !view.options.withGates() {
		return
	}
	view.gates = p.gatesBeside(ctx, cluster, query)
	if view.options.output != outputReport {
		view.journeys = p.journeysBeside(ctx, cluster, query)
	}
}

// journeysBeside reads journeys. Whoever may read objectives alone is told so.
func (p Program) journeysBeside(ctx context.Context, cluster *kube.Cluster, query kube.Query) []v1alpha1.Journey {
	journeys, err := cluster.Journeys(ctx, kube.Query{Namespace: query.Namespace})
	if err != nil {
		p.tell("note: journeys are not shown: %v", err)
	}
	return journeys
}

// apart ends a table with a line between it and the next.
func apart(table string) string {
	if table == "" {
		return ""
	}
	return table + "\n"
}

// urgencyOf orders journeys, the worst first. One that was not judged yet is not known.
var urgencyOf = map[v1alpha1.JourneyVerdict]int{
	v1alpha1.JourneyBroken: -3, v1alpha1.JourneyDegraded: -2, v1alpha1.JourneyUnknown: -1, "": -1, v1alpha1.JourneyHolding: 0,
}

// sortedJourneys are the journeys, the worst first.
func (s standings) sortedJourneys() []v1alpha1.Journey {
	return slices.SortedStableFunc(slices.Values(s.journeys), func(a, b v1alpha1.Journey) int {
		return cmp.Compare(urgencyOf[a.Status.Verdict], urgencyOf[b.Status.Verdict])
	})
}

// journeyRows are the names of the columns and some journeys.
func (s standings) journeyRows(journeys []v1alpha1.Journey) [][]cell {
	out := [][]cell{s.journeyHead()}
	for i := range journeys {
		out = append(out, s.journeyRow(&journeys[i]))
	}
	return out
}

func (s standings) journeyHead() []cell {
	out := cells("JOURNEY", "VERDICT", "UX", "CX", "WEAKEST", "BUDGET")
	if s.options.everywhere {
		out = append(cells("NAMESPACE"), out...)
	}
	if s.options.output == outputWide {
		out = append(out, cells("PATTERN", "AGE", "WHY")...)
	}
	return out
}

func (s standings) journeyRow(j *v1alpha1.Journey) []cell {
	verdict, scores := cmp.Or(j.Status.Verdict, v1alpha1.JourneyUnknown), v1alpha1.JourneyScores{}
	if j.Status.Scores != nil {
		scores = *j.Status.Scores
	}
	paint := map[v1alpha1.JourneyVerdict]colour{
		v1alpha1.JourneyBroken: red, v1alpha1.JourneyDegraded: yellow, v1alpha1.JourneyUnknown: yellow, v1alpha1.JourneyHolding: green,
	}[verdict]
	out := []cell{
		{text: j.Name}, {string(verdict), paint}, {text: scores.UX}, {text: scores.CX},
		{text: string(j.Status.WeakestStage)}, {text: j.Status.BudgetRemaining},
	}
	if s.options.everywhere {
		out = append(cells(j.Namespace), out...)
	}
	if s.options.output == outputWide {
		why := ""
		if met := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionMet); met != nil && met.Status != metav1.ConditionTrue {
			why = met.Message
		}
		out = append(out, cells(string(j.Status.Pattern), s.age(j.CreationTimestamp), why)...)
	}
	return out
}
