package promql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// SegmentLabel is the label that tells the segments of one answer apart: it holds
// their index.
const SegmentLabel = "experience_segment"

// Segment is the recipe for the series that have a label of one value. The value is
// a matcher of its own and never text of an expression, whatever is in it.
func (r *Recipe) Segment(label, value string) (*Recipe, error) {
	matcher, err := labels.NewMatcher(labels.MatchEqual, label, value)
	if err != nil {
		return nil, fmt.Errorf("match %s=%q: %w", label, value, err)
	}
	out := *r
	out.Identity = out.Identity.Without(RecipeLabel)
	out.Lanes = slices.Clone(r.Lanes)
	for i, l := range out.Lanes {
		if l.Counter == nil {
			return nil, fmt.Errorf("match %s=%q: lane %q is no counter", label, value, l.Name)
		}
		counter := *l.Counter
		counter.selector = counter.selector.With(matcher)
		out.Lanes[i].Counter = &counter
	}
	return NewRecipe(out)
}

// SegmentMinutes asks for the minutes of several recipes at once. Each series of
// the answer has the index of its recipe in SegmentLabel. Opening hours can be long:
// they are told once for all recipes in a row that have the same.
func SegmentMinutes(recipes []*Recipe) (string, error) {
	var gated, parts []string
	hours := ""
	for i, r := range recipes {
		open, err := r.Hours.Open()
		if err != nil {
			return "", err
		}
		always := *r
		always.Hours = nil
		reads, err := always.Reads()
		if err != nil {
			return "", err
		}
		if open != hours && len(parts) > 0 {
			gated, parts = append(gated, during(strings.Join(parts, " or "), hours)), nil
		}
		hours = open
		parts = append(parts, fmt.Sprintf("label_replace(%s, %q, \"%d\", \"\", \"\")", reads.Minute, SegmentLabel, i))
	}
	return check(strings.Join(append(gated, during(strings.Join(parts, " or "), hours)), " or "))
}

// trace is how much a sign of events counts in a ranking beside the events themselves.
const trace = "1e-9"

// Ranking asks for the values of a label that had the most events in a stretch up to
// now, read in steps of a width, and for about how many each of them had. It is for
// choosing values, not for counting them: of a series that is new in a step, the growth
// since its first sample counts, and of one that was reset, what came after. That it was
// new, or changed at all, counts by a trace, so that no value is passed over.
func (r *Recipe) Ranking(label string, stretch, width time.Duration, most int) (string, error) {
	first := r.Lanes[0]
	if first.Counter == nil {
		return "", fmt.Errorf("rank values of %s: lane %q is no counter", label, first.Name)
	}
	c := first.Counter
	over := func(function, offset string) string {
		return c.of(function + "(" + c.selector.String() + "[" + promDuration(width) + "]" + offset + ")")
	}
	now, before := over("last_over_time", ""), over("last_over_time", offsetOf(width))
	grown := now // of native histograms no lowest is known, and no change
	if c.value == nil {
		grown = "(" + now + " - " + over("min_over_time", "") + ") + " + trace
	}
	counts := fmt.Sprintf("sum by (%s) (((%s - %s) >= 0) or (%s and %s) or (%s))", label, now, before, now, before, grown)
	if c.value == nil {
		counts += fmt.Sprintf(" + %s * sum by (%s) (%s)", trace, label, over("changes", ""))
	}
	if stretch > width {
		counts = fmt.Sprintf("sum_over_time((%s)[%s:%s])", counts, promDuration(stretch), promDuration(width))
	}
	return r.Confine.Apply(fmt.Sprintf("topk(%d, (%s) > 0)", most, counts))
}
