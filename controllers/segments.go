package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
)

// judge judges an objective by its book and, where it has segments, by theirs, which
// it reads up to where the book was read.
func (e *Evaluator) judge(ctx context.Context, q ledger.Querier, plan *compile.Plan, book *ledger.Book, to time.Time) (*evaluate.Verdict, error) {
	if plan.Group == nil {
		e.ledger.DropSegments(plan.Key)
		verdict := evaluate.Evaluate(plan, book, to)
		return &verdict, nil
	}
	segments := e.ledger.Segments(plan)
	if err := segments.Refresh(ctx, q, plan, book, plan.Window.Span(to).Start); err != nil {
		return nil, err
	}
	verdict := evaluate.Grouped(plan, book, segments.Parts(book), to)
	return &verdict, nil
}

// worstOff gives an objective as those see it to whom the promise is broken: where
// segments break it, with the figures of the worst of them. By those of the whole,
// which keeps it, a journey would make up for something that was never lost.
func worstOff(o *v1alpha1.Objective) *v1alpha1.Objective {
	met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
	if met == nil || met.Reason != v1alpha1.ReasonSegmentMissed || len(o.Status.Segments) == 0 {
		return o
	}
	out := *o
	worst := o.Status.Segments[0]
	out.Status.Attainment, out.Status.BudgetRemaining, out.Status.ExhaustsAt = worst.Attainment, worst.BudgetRemaining, nil
	return &out
}
