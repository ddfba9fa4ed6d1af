package controllers

import (
	"context"
	"time"

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
