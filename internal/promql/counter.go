package promql

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Lookback is how far back a counter's last sample may lie: Prometheus' own
// default. A gap in scraping that is shorter loses nothing.
const Lookback = 5 * time.Minute

// Counter is something that only grows, read from one family of series.
type Counter struct {
	// selector is the series' plain selector.
	selector Selector
	// value turns a vector of samples into counts; nil for plain counters,
	// whose samples are counts already.
	value func(vector string) string
	// merged says that one counter may be two series, whose le is spelled in
	// two ways.
	merged bool
}

// Plain is a counter whose samples are its counts: a counter, or the _bucket,
// _count or _sum series of a classic histogram.
func Plain(s Selector) Counter { return Counter{selector: s} }

// Bucket counts the events of a classic histogram up to a boundary, from its
// _bucket series. Prometheus 3 spells the boundary 1 as 1.0 where Prometheus 2
// kept the text that was scraped: after the upgrade, or a change of library, the
// count goes on in another series. Both are one counter, at its higher value.
func Bucket(s Selector, boundary float64) Counter {
	return Counter{selector: s.WithLE(boundary), merged: len(spellings(boundary)) > 1}
}

// NativeCount counts all the events of a native histogram.
func NativeCount(s Selector) Counter {
	return Counter{selector: s, value: func(v string) string { return "histogram_count(" + v + ")" }}
}

// NativeWithin counts the events of a native histogram that are at most a
// boundary, interpolated inside a bucket. An empty histogram has none.
func NativeWithin(s Selector, boundary float64) Counter {
	return Counter{selector: s, value: func(v string) string {
		return fmt.Sprintf("((histogram_fraction(-Inf, %s, %s) * histogram_count(%s)) >= 0 or histogram_count(%s) * 0)", number(boundary), v, v, v)
	}}
}

// Selector is the selector of the series that the counter is read from.
func (c Counter) Selector() Selector { return c.selector }

// last is the counter's last value in the lookback. A range selector passes
// over stale markers, so it still holds after a failed scrape and keeps the
// final events of a pod that died.
func (c Counter) last(offset time.Duration) string {
	return c.of(c.raw(offset))
}

func (c Counter) of(vector string) string {
	switch {
	case c.merged:
		return "max without (le) (" + vector + ")"
	case c.value == nil:
		return vector
	default:
		return c.value(vector)
	}
}

func (c Counter) raw(offset time.Duration) string {
	return "last_over_time(" + c.selector.String() + "[" + promDuration(Lookback) + "]" + offsetOf(offset) + ")"
}

// lowest is the counter's lowest value within the last interval.
func (c Counter) lowest(interval time.Duration) string {
	if c.value == nil {
		return c.of("min_over_time(" + c.selector.String() + "[" + promDuration(interval) + "])")
	}
	step := min(interval, scrapePace)
	return "min_over_time(" + c.of(c.selector.String()) + "[" + promDuration(interval) + ":" + promDuration(step) + "])"
}

// reset holds the value of the series that were reset since the offset: all of
// it was counted since. A share of a native histogram carries noise of floating
// point, so its whole count tells.
func (c Counter) reset(offset time.Duration) string {
	if c.value == nil {
		return c.last(0) + " < " + c.last(offset)
	}
	return c.last(0) + " and (histogram_count(" + c.raw(0) + ") < histogram_count(" + c.raw(offset) + "))"
}

// difference is how much the series grew since the offset that were there.
func (c Counter) difference(offset time.Duration) string {
	now, before := c.last(0), c.last(offset)
	if c.value == nil {
		return "(" + now + " - " + before + ")"
	}
	return "clamp_min(" + now + " - " + before + ", 0)"
}

// present counts the series that have data: those of which a delta can tell the
// movement, which is not so where the last sample or the one before is no number.
func (c Counter) present() string {
	return "count((" + c.last(0) + " - (" + c.last(Interval) + " or " + c.last(0) + ")) < Inf)"
}

// resets counts how often the series were reset within a range.
func (c Counter) resets(within time.Duration) string {
	return "(sum(resets(" + c.selector.String() + "[" + promDuration(within) + "])) or vector(0))"
}

// rise is the difference between now and the beginning of a bucket, summed over
// the series: their movement, where churn is 0.
func (c Counter) rise(width time.Duration) string {
	return "(sum(" + c.last(0) + ") - sum(" + c.last(width) + "))"
}

// churn is 0 when each series that has a sample in a bucket, or in the lookback
// before it, was there at its beginning and at the end of each of its minutes
// and was not reset. All the minutes' deltas are then differences of the same
// series and telescope.
func (c Counter) churn(width time.Duration) string {
	within := "[" + promDuration(width+Lookback) + "]"
	all := "count(last_over_time(" + c.selector.String() + within + "))"
	stayed := "(count(" + c.last(0) + " and " + c.last(width) + ") or vector(0))"
	present := "(" + over("sum_over_time", "count("+c.last(0)+" < Inf)", width, Interval) + " or vector(0))"
	ends := number(width.Minutes() + 1)
	return "((" + all + " * " + ends + " - " + stayed + " - " + present + " + " + c.resets(width+Lookback) + ") or vector(0))"
}

func promDuration(d time.Duration) string { return model.Duration(d).String() }

func offsetOf(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return " offset " + promDuration(d)
}
