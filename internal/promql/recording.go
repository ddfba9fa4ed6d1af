package promql

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Names of the series that a ruler records of each objective, once a minute.
// A sample stands for the whole minute that ended last before its timestamp.
const (
	// RecordedEvents is the number of events; no sample where there is no data.
	RecordedEvents = "objective:experience_events:delta1m"
	// RecordedPoints is the points that they earned.
	RecordedPoints = "objective:experience_points:delta1m"
	// RecordedExtra is a third count, of objectives that need one: the events
	// within poorAbove, or promoters.
	RecordedExtra = "objective:experience_extra:delta1m"
	// RecordedResets is there for each minute that was recorded. It is the number
	// of counter resets seen around it, so usually 0, and -1 where a value was NaN
	// or infinity and was left out.
	RecordedResets = "objective:experience_resets:delta1m"
)

// fresh is how old a sample of the same evaluation can be.
const fresh = 30 * time.Second

// Term is a lane and the weight that it has in a sum.
type Term struct {
	Lane   string
	Weight float64
}

// Recording is the expressions that a ruler evaluates in this order each minute
// to record an objective. Extra is empty where there is no third count.
type Recording struct {
	Events, Points, Extra, Resets string
}

// Sums are the terms that the recorded numbers are made of. The first term of
// Events is the lane that makes a minute count as covered.
type Sums struct {
	Events, Points, Extra []Term
}

// NewRecording builds the expressions for lanes, each of whose selectors is
// confined. Identity selects the objective's own series among the recorded ones.
//
// Each expression is evaluated at the end of the last whole minute, whenever
// within a minute the ruler evaluates its group: minutes of all rulers, and
// those that are read without any, are the same minutes.
func NewRecording(lanes []Lane, sums Sums, policy NewSeries, identity, confine Confinement) (Recording, error) {
	return newRecording(builder{lanes: lanes, policy: policy}, sums, identity, confine)
}

func newRecording(b builder, sums Sums, identity, confine Confinement) (Recording, error) {
	r := recorder{values: map[string]string{}, recorded: "sum(last_over_time(" + Recorded(RecordedEvents, identity) + "[" + promDuration(fresh) + "]))"}
	if err := r.read(b, confine); err != nil {
		return Recording{}, err
	}
	var out Recording
	for _, rule := range []struct {
		into *string
		expr string
	}{
		{&out.Events, r.events(sums)},
		{&out.Points, r.points(sums.Events, sums.Points)},
		{&out.Extra, r.points(sums.Events, sums.Extra)},
		{&out.Resets, r.marks()},
	} {
		if rule.expr == "" {
			continue
		}
		expr, err := check(rule.expr)
		if err != nil {
			return Recording{}, err
		}
		*rule.into = expr
	}
	return out, nil
}

// Recorded selects an objective's series of a recorded name.
func Recorded(name string, identity Confinement) string {
	return Selector{name: name, matchers: identity}.String()
}

// recorder composes rules from values that are confined and aligned already.
type recorder struct {
	// values are by lane.
	values map[string]string
	// resets is empty where no lane is a counter.
	resets string
	// broken is not empty where a lane can be NaN or infinity. Counters never are.
	broken string
	// recorded is the number of events of the same minute, recorded just now.
	recorded string
}

func (r *recorder) read(b builder, confine Confinement) error {
	var broken []string
	for _, l := range b.lanes {
		value, err := confine.Apply(aligned(b.lane(l, Interval)))
		if err != nil {
			return err
		}
		r.values[l.Name] = value
		if l.Counter == nil {
			broken = append(broken, "("+value+" != "+value+")", "(abs("+value+") == Inf)")
		}
	}
	r.broken = strings.Join(broken, " or ")
	resets := b.resets(Interval).Expr
	if resets == "" {
		return nil
	}
	var err error
	r.resets, err = confine.Apply(aligned(resets))
	return err
}

// aligned evaluates an expression at the end of the last whole minute.
func aligned(expr string) string {
	minute := promDuration(Interval)
	return "last_over_time((" + expr + ")[" + minute + ":" + minute + "])"
}

// events leaves out a minute in which any lane is no finite number: points
// without events, or events without points, would spoil the sums of hours.
func (r *recorder) events(sums Sums) string {
	expr := weighted(sums.Events[0].Weight, r.values[sums.Events[0].Lane])
	for _, term := range sums.Events[1:] {
		expr += " + (" + weighted(term.Weight, r.values[term.Lane]) + " or vector(0))"
	}
	if r.broken != "" {
		expr = "(" + expr + ") unless on () (" + r.broken + ")"
	}
	return expr
}

// points holds no lane that the events hold already: their number was recorded
// a moment ago. A lane without data is 0 where the events have data.
func (r *recorder) points(events, terms []Term) string {
	var parts []string
	for _, term := range terms {
		if len(events) == 1 && events[0].Weight == 1 && term.Lane == events[0].Lane {
			parts = append(parts, weighted(term.Weight, r.recorded))
			continue
		}
		parts = append(parts, "("+weighted(term.Weight, r.values[term.Lane])+" or vector(0))")
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, " + ") + ") and on () " + r.recorded
}

func (r *recorder) marks() string {
	out := "vector(0)"
	if r.resets != "" {
		out = r.resets
	}
	if r.broken != "" {
		out = "(vector(-1) and on () (" + r.broken + ")) or " + out
	}
	return out
}

func weighted(weight float64, expr string) string {
	if weight == 1 {
		return expr
	}
	return number(weight) + " * " + expr
}

// Lanes of a query for buckets of what was recorded, beside LaneMinutes and
// LaneResets.
const (
	LaneRecorded = "recorded" // minutes that were recorded, with data or without
	LaneEarned   = "earned"   // minutes whose points were recorded
	LaneInvalid  = "invalid"  // below zero where a value was no finite number
	LaneEvents   = "events"
	LanePoints   = "points"
	LaneExtra    = "extra"
)

// RecordedMinutes selects the samples that were recorded of some objectives in
// as many minutes, all names at once.
func RecordedMinutes(minutes int, confine Confinement) string {
	names := []string{RecordedEvents, RecordedPoints, RecordedExtra, RecordedResets}
	name := labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, strings.Join(names, "|"))
	selector := &parser.VectorSelector{LabelMatchers: append([]*labels.Matcher{name}, confine...)}
	return fmt.Sprintf("%s[%dm]", selector, minutes)
}

// RecordedBuckets asks for the sums of what was recorded of some objectives,
// at the ends of buckets. Each objective and lane is a series.
func RecordedBuckets(width time.Duration, confine Confinement) string {
	// A sample is up to a minute younger than the minute that it stands for.
	lane := func(name, function, series string) string {
		return labelled(name, fmt.Sprintf("%s(%s[%s] offset -%s)", function, Recorded(series, confine),
			promDuration(width), promDuration(Interval-time.Millisecond)))
	}
	return strings.Join([]string{
		lane(LaneEvents, "sum_over_time", RecordedEvents),
		lane(LanePoints, "sum_over_time", RecordedPoints),
		lane(LaneExtra, "sum_over_time", RecordedExtra),
		lane(LaneMinutes, "count_over_time", RecordedEvents),
		lane(LaneEarned, "count_over_time", RecordedPoints),
		lane(LaneRecorded, "count_over_time", RecordedResets),
		lane(LaneResets, "max_over_time", RecordedResets),
		lane(LaneInvalid, "min_over_time", RecordedResets),
	}, " or ")
}
