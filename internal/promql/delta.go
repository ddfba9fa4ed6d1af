package promql

import "time"

const (
	// Interval is the time of one delta: a minute.
	Interval = time.Minute

	// scrapePace is the step at which a minute with a counter reset in it is
	// counted: the shortest scrape interval for which such a minute is exact.
	scrapePace = 5 * time.Second

	// youngProcess is the age in seconds below which a process' counters count
	// from zero although its target was not scraped before.
	youngProcess = "300"
)

// NewSeries says from where a series that was not there before counts.
type NewSeries int

const (
	// OnKnownTarget counts from zero when the target was scraped one interval
	// before or its process is younger than five minutes.
	OnKnownTarget NewSeries = iota
	// FromZero always counts from zero.
	FromZero
	// Ignore counts from the first sample on.
	Ignore
)

// Delta is the movement of a counter in the time step up to now, summed over
// its series. Consecutive deltas telescope: their sum is the counter's true
// movement whatever the scrape interval.
//
// Of the alternatives, each series takes the first that holds for it:
//  1. it was there a step ago and was reset: its value, counted since the reset;
//  2. it was there: the difference;
//  3. it is new, and the policy says that it began at zero: its value;
//  4. it is new on an old target: its growth since its first sample.
//
// A sample of NaN or infinity counts as no sample: the difference to it is
// dropped, and the series is not taken for a new one after it. No series at all
// gives an empty result, which is neither 0 nor NaN.
func (c Counter) Delta(step time.Duration, policy NewSeries) string {
	expr := c.reset(step) + " or " + c.difference(step)
	if born := c.born(step, policy); born != "" {
		expr += " or " + born
	}
	expr += " or (" + c.last(0) + " - " + c.lowest(step) + ")"
	return "sum((" + expr + ") < Inf)"
}

// born looks for the start of the process in the whole step: the sample beside
// the series' first one may have been marked stale since, by a failed scrape or
// by the end of the pod.
func (c Counter) born(step time.Duration, policy NewSeries) string {
	switch policy {
	case FromZero:
		return c.last(0)
	case Ignore:
		return ""
	default:
		known := "(up offset " + promDuration(Interval) + " == 1)"
		young := "(last_over_time(process_start_time_seconds[" + promDuration(step) + "]) > time() - " + youngProcess + ")"
		return "(" + c.last(0) + " and on (job, instance) (" + known + " or " + young + "))"
	}
}
