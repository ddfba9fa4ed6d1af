package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/source"
	"github.com/experience-slo/operator/internal/status"
)

// metrics answers queries: those of a server, or of a rehearsal.
type metrics interface {
	ledger.Querier
	Instant(ctx context.Context, expr string, at time.Time) (model.Vector, error)
}

// result is an objective with the status that was found.
type result struct {
	declared
	// outcome is that of the verdict, and failed says that there is none.
	outcome evaluate.Outcome
	failed  bool
	// at is where a person would look first.
	at place
}

// code is the one with which the program would end for this objective alone.
func (r result) code() int {
	switch {
	case r.failed:
		return Unusable
	case r.outcome == evaluate.Met:
		return Done
	case r.outcome == evaluate.Missed:
		return Missed
	default:
		return Undecided
	}
}

// why says what keeps an objective from a verdict, or which segments break a promise
// that the figures of the whole keep; it is empty where those say all.
func (r result) why() string {
	met := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionMet)
	if met == nil || (met.Status != metav1.ConditionUnknown && met.Reason != v1alpha1.ReasonSegmentMissed) {
		return ""
	}
	return fmt.Sprintf("%s: %s: %s", nameOfObjective(r.declared), met.Reason, met.Message)
}

// measureAll judges objectives, as many of each source at once as it allows. At
// is the moment; zero is now, less the delay of each source.
func (p Program) measureAll(ctx context.Context, all []planned, links links, at time.Time) []result {
	results := make([]result, len(all))
	p.spread(all, "objectives measured", func(i int) {
		to := at
		if to.IsZero() {
			to = p.Now().Add(-all[i].source.Delay.Duration)
		}
		results[i] = all[i].measure(ctx, links.of[all[i].plan.Source], to.Truncate(time.Minute))
	})
	return results
}

// spread does work for objectives, for as many of each source at once as it allows,
// and tells how far it is.
func (p Program) spread(all []planned, what string, work func(i int)) {
	finished := make(chan struct{}, len(all))
	for _, indexes := range bySource(all) {
		go func() {
			var group errgroup.Group
			group.SetLimit(int(all[indexes[0]].source.Limits.Concurrency))
			for _, i := range indexes {
				group.Go(func() error {
					work(i)
					finished <- struct{}{}
					return nil
				})
			}
		}()
	}
	p.progress(finished, len(all), what)
}

// bySource gives the indexes of the objectives of each source.
func bySource(all []planned) map[compile.SourceKey][]int {
	out := map[compile.SourceKey][]int{}
	for i, o := range all {
		out[o.plan.Source] = append(out[o.plan.Source], i)
	}
	return out
}

// measure judges an objective by what a server holds up to a moment, as the
// operator does.
func (o planned) measure(ctx context.Context, from metrics, to time.Time) result {
	out := result{declared: o.declared, at: o.placeOf("spec.indicator")}
	out.Objective = o.DeepCopy()
	verdict, err := o.judge(ctx, from, to)
	if err != nil {
		out.failed, out.at = true, o.placeOf(faultOf(err).field)
		status.Objective(out.Objective, nil, statusFault(err))
	} else {
		out.outcome = verdict.Outcome
		status.Objective(out.Objective, &verdict, nil)
	}
	// Conditions say since when they hold, which nobody knows here.
	for i := range out.Status.Conditions {
		out.Status.Conditions[i].LastTransitionTime = metav1.NewTime(to)
	}
	return out
}

func (o planned) judge(ctx context.Context, from metrics, to time.Time) (evaluate.Verdict, error) {
	book, err := o.account(ctx, from, to)
	if err != nil {
		return evaluate.Verdict{}, err
	}
	return o.weigh(ctx, from, book, to)
}

// account counts the whole window up to a moment. Of a histogram that has no
// buckets yet there is nothing to count.
func (o planned) account(ctx context.Context, from metrics, to time.Time) (*ledger.Book, error) {
	err := o.bind(ctx, from, to)
	book := ledger.NewBook(ledger.TermsOf(o.plan))
	book.Exclude(o.plan.Excluded)
	if errors.Is(err, compile.ErrNoBoundaries) {
		return book, nil
	}
	if err != nil {
		return nil, err
	}
	if err := book.Refresh(ctx, from, o.plan.Window.Span(to).Start, to); err != nil {
		return nil, err
	}
	return book, nil
}

// bind gives the plan the boundaries of its histogram.
func (o planned) bind(ctx context.Context, from metrics, at time.Time) error {
	if o.plan.Histogram == nil {
		return nil
	}
	found, err := from.Instant(ctx, o.plan.Histogram.Probe, at)
	if err != nil {
		return err
	}
	var le []string
	for _, sample := range found {
		le = append(le, string(sample.Metric["le"]))
	}
	return o.plan.Bind(promql.NewBoundaries(le))
}

// statusFault words an error for the status, as the operator does.
func statusFault(err error) *status.Fault {
	var mistake *compile.Error
	switch reason := source.ReasonOf(err); {
	case errors.As(err, &mistake):
		return &status.Fault{Kind: status.Mistake, Reason: mistake.Reason, Message: mistake.Error()}
	case reason == source.ReasonInvalidQuery:
		return &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidQuery, Message: fmt.Sprintf("spec.indicator: %v", err)}
	case reason == source.ReasonTooLarge || reason == source.ReasonTooManySeries:
		return &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonLimitExceeded, Message: fmt.Sprintf("spec.indicator: %v", err)}
	default:
		return &status.Fault{Kind: status.Waiting, Reason: v1alpha1.ReasonSourceUnavailable, Message: err.Error()}
	}
}
