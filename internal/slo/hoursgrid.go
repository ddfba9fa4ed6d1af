package slo

import "time"

// finest is the width below which a grid is not made finer for the sake of opening
// hours: a quarter of an hour is what offices go by, and what is open for a part of
// a bucket is read by the minute.
const finest = 15 * time.Minute

// Grid is GridFor for a window whose minutes count while hours are open: it fits
// the hours too, so that buckets are open or closed as a whole, unless that takes
// buckets of less than a quarter of an hour.
func (h *Hours) Grid(w Window, now time.Time) Grid {
	grid := GridFor(w, now)
	edges := h.edges(now)
	if len(edges) == 0 {
		return grid
	}
	fit := grid
	if w.Calendar == "" {
		// A rolling window has no edges of its own: those of the hours come first.
		fit.Offset = whole(-edges[0], fit.Width)
	}
	for _, edge := range edges {
		fit.Width = gcd(fit.Width, whole(edge+fit.Offset, fit.Width))
	}
	if fit.Width < finest {
		return grid
	}
	fit.Offset = whole(fit.Offset, fit.Width)
	return fit
}

// edges are the times of day, in UTC, at which hours begin and end.
func (h *Hours) edges(now time.Time) []time.Duration {
	var times []DayTime
	for _, day := range h.Weekly {
		times = append(times, day...)
	}
	for _, date := range h.Dates {
		times = append(times, date...)
	}
	var out []time.Duration
	for _, offset := range offsetsAround(now.In(h.Location)) {
		if len(h.Dates) > 0 {
			out = append(out, -offset) // such a day ends at midnight
		}
		for _, t := range times {
			out = append(out, time.Duration(t.From)*time.Minute-offset, time.Duration(t.To)*time.Minute-offset)
		}
	}
	return out
}

// whole is d in [0, width), whole widths away from it.
func whole(d, width time.Duration) time.Duration { return (d%width + width) % width }
