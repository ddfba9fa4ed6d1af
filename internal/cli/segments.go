package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
)

// weigh judges what was counted of an objective and, where it has segments, of these,
// which it counts.
func (o planned) weigh(ctx context.Context, from metrics, book *ledger.Book, to time.Time) (evaluate.Verdict, error) {
	if o.plan.Group == nil || book.Cursor().IsZero() {
		return evaluate.Evaluate(o.plan, book, to), nil
	}
	segments := ledger.NewSegments(o.plan)
	if err := segments.Refresh(ctx, from, o.plan, book, o.plan.Window.Span(to).Start); err != nil {
		return evaluate.Verdict{}, err
	}
	return evaluate.Grouped(o.plan, book, segments.Parts(book), to), nil
}

// segmentName is a value as it is printed. Anybody who can write a metric chooses
// values, so one that would do something to a terminal is quoted.
func segmentName(value string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case value == "":
		return "(all others)"
	case strings.ContainsFunc(value, odd) || strings.TrimSpace(value) != value || strings.HasPrefix(value, "("):
		return strconv.Quote(value)
	default:
		return value
	}
}

// missedSegments names the segments that break a promise which the whole keeps.
func missedSegments(o *v1alpha1.Objective) []string {
	met := metCondition(o)
	if met == nil || met.Reason != v1alpha1.ReasonSegmentMissed {
		return nil
	}
	var out []string
	for _, s := range o.Status.Segments {
		if s.Met == v1alpha1.SegmentMetFalse {
			out = append(out, segmentName(s.Value))
		}
	}
	return out
}

// promisedTo is whom a promise is made to.
func promisedTo(by *v1alpha1.GroupBy) string {
	if by.Met == v1alpha1.SegmentRuleWhole {
		return "all together; shown by " + string(by.Label)
	}
	return "all together, and every " + string(by.Label)
}

// segments are the figures by segment, the worst first.
func (e *explanation) segments() string {
	if e.Spec.GroupBy == nil || len(e.Status.Segments) == 0 {
		return ""
	}
	rows := [][]cell{cells(strings.ToUpper(string(e.Spec.GroupBy.Label)), "MET", "ATTAINMENT", "BUDGET", "EVENTS")}
	for _, s := range e.Status.Segments {
		paint := map[v1alpha1.SegmentMet]colour{v1alpha1.SegmentMetFalse: red, v1alpha1.SegmentMetUnknown: yellow, v1alpha1.SegmentMetTrue: green}[s.Met]
		rows = append(rows, []cell{{text: segmentName(s.Value)}, {string(s.Met), paint}, {text: s.Attainment}, {text: s.BudgetRemaining}, {text: count(s.Events)}})
	}
	return e.painter.table(rows)
}

// seekLabel gives selectors narrowed to the series that have the label of segments.
func seekLabel(all []sought, by *v1alpha1.GroupBy) []sought {
	if by == nil {
		return nil
	}
	var out []sought
	for _, s := range all {
		there := labels.MustNewMatcher(labels.MatchNotEqual, string(by.Label), "")
		s.field, s.matchers = "spec.groupBy.label", append(slices.Clone(s.matchers), there)
		out = append(out, s)
	}
	return out
}
