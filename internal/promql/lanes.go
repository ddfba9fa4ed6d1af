package promql

import (
	"fmt"
	"strings"
	"time"
)

// LaneLabel is the label that tells the results of one query apart.
const LaneLabel = "experience_lane"

// Lanes that every bucket's query has beside those of the indicator.
const (
	// LaneMinutes is the number of minutes with data.
	LaneMinutes = "minutes"
	// LaneResets is above zero when a counter may have been reset.
	LaneResets = "resets"
	// LaneChurn is above zero when a series came, went, paused or was reset.
	LaneChurn = "churn"
)

// Lane is one number a minute: the delta of a counter, or an expression.
type Lane struct {
	// Name tells the lane apart from the others of its indicator.
	Name string
	// Counter is counted by its delta; Expr must then be empty.
	Counter *Counter
	// Expr is an expression that gives the lane's number for a minute.
	Expr string
}

// Reads are the queries of one objective, each answered by one series a lane.
// Minute and ExactMinute are asked for at the end of minutes, Bucket and
// ExactBucket at the ends of buckets, whose sums of minutes they give.
//
// The exact forms count at the pace of scraping instead of once a minute. They
// differ only where a counter was reset within a minute, which LaneResets of
// the other forms tells, and cost some ten times as much.
//
// The steady form costs a tenth of Bucket: it takes the difference between a
// bucket's ends. It differs only where LaneChurn tells that not all series were
// there in every minute. It is empty when a lane is no counter.
type Reads struct {
	Minute, Bucket           string
	ExactMinute, ExactBucket string
	SteadyBucket             string
}

// NewReads builds the queries for lanes. The first lane is the one whose data
// makes a minute count as covered. Every selector is confined by the matchers.
func NewReads(lanes []Lane, policy NewSeries, bucket time.Duration, confine Confinement) (Reads, error) {
	return newReads(builder{lanes: lanes, policy: policy}, bucket, confine)
}

func newReads(b builder, bucket time.Duration, confine Confinement) (Reads, error) {
	var out Reads
	for _, form := range []struct {
		into *string
		expr string
	}{
		{&out.Minute, b.minute()},
		{&out.Bucket, b.bucket(bucket)},
		{&out.ExactMinute, b.exact(Interval)},
		{&out.ExactBucket, b.exact(bucket)},
		{&out.SteadyBucket, b.steady(bucket)},
	} {
		if form.expr == "" {
			continue
		}
		expr, err := confine.Apply(form.expr)
		if err != nil {
			return Reads{}, err
		}
		*form.into = expr
	}
	return out, nil
}

type builder struct {
	lanes  []Lane
	policy NewSeries
	// open is there in the minutes that count; it is empty where all do.
	open string
}

func (b builder) minute() string {
	return b.union(func(l Lane) string { return b.lane(l, Interval) }, b.resets(Interval))
}

func (b builder) bucket(width time.Duration) string {
	return b.union(func(l Lane) string { return sumOver(b.lane(l, Interval), width, Interval) },
		b.minutes(width), b.resets(width))
}

func (b builder) exact(width time.Duration) string {
	lane := func(l Lane) string {
		if l.Counter == nil {
			return sumOver(b.lane(l, Interval), width, Interval)
		}
		return sumOver(b.lane(l, scrapePace), width, scrapePace)
	}
	return b.union(lane, b.minutes(width))
}

func (b builder) steady(width time.Duration) string {
	var churn []string
	for _, l := range b.lanes {
		if l.Counter == nil {
			return ""
		}
		churn = append(churn, l.Counter.churn(width))
	}
	minutes := fmt.Sprintf("vector(%d)", int(width/Interval))
	return b.union(func(l Lane) string { return l.Counter.rise(width) },
		Lane{Name: LaneMinutes, Expr: minutes}, Lane{Name: LaneChurn, Expr: strings.Join(churn, " + ")})
}

func (b builder) lane(l Lane, step time.Duration) string {
	if l.Counter == nil {
		return during(l.Expr, b.open)
	}
	return during(l.Counter.Delta(step, b.policy), b.open)
}

// union joins the lanes into one answer: one query costs one round trip.
func (b builder) union(lane func(Lane) string, more ...Lane) string {
	var parts []string
	for _, l := range b.lanes {
		parts = append(parts, labelled(l.Name, lane(l)))
	}
	for _, l := range more {
		if l.Expr != "" {
			parts = append(parts, labelled(l.Name, l.Expr))
		}
	}
	return strings.Join(parts, " or ")
}

func labelled(name, expr string) string {
	return fmt.Sprintf("label_replace(%s, %q, %q, \"\", \"\")", expr, LaneLabel, name)
}

// minutes counts the minutes of a bucket for which the first lane has data.
func (b builder) minutes(width time.Duration) Lane {
	first := b.lanes[0]
	present := first.Expr
	if first.Counter != nil {
		present = first.Counter.present()
	}
	return Lane{Name: LaneMinutes, Expr: over("count_over_time", during(present, b.open), width, Interval)}
}

// resets covers the lookback too: the reset may lie between the last sample
// before the bucket and the first one in it.
func (b builder) resets(width time.Duration) Lane {
	var parts []string
	for _, l := range b.lanes {
		if l.Counter != nil {
			parts = append(parts, l.Counter.resets(width+Lookback))
		}
	}
	return Lane{Name: LaneResets, Expr: strings.Join(parts, " + ")}
}

func sumOver(expr string, width, step time.Duration) string {
	return over("sum_over_time", expr, width, step)
}

// over reads a stretch of the given width in steps. The range is a second
// short: with a whole one, Prometheus 2 counts the step at its beginning too.
func over(function, expr string, width, step time.Duration) string {
	return fmt.Sprintf("%s((%s)[%s:%s])", function, expr, promDuration(width-time.Second), promDuration(step))
}
