package slo

import "math"

const (
	// clampNoise is how far outside [0,1] a ratio may lie and still be taken for
	// rounding noise of long floating-point sums.
	clampNoise = 1e-9
	// tieNoise is how far below a target a ratio may lie and still count as equal
	// to it. It is smaller than the share of one event in 10^12.
	tieNoise = 1e-12
)

// Sums is what every indicator comes down to: points earned and points possible
// over some stretch of time.
type Sums struct {
	// Points earned. One good event earns at most one point.
	Points float64
	// Events counted, which is the number of points that were possible.
	Events float64
	// Aux is a third count that some indicators need: the events within the
	// poorAbove threshold of a distribution, or the promoters of a Net Promoter
	// Score. It is 0 for all others.
	Aux float64
}

// Add returns the lane-by-lane sum of s and o.
func (s Sums) Add(o Sums) Sums {
	return Sums{Points: s.Points + o.Points, Events: s.Events + o.Events, Aux: s.Aux + o.Aux}
}

// Attainment returns Points/Events. It reports false where that ratio does not
// exist: no events, or a lane that is NaN or infinite. A ratio that leaves [0,1]
// by rounding noise (1e-9) is clamped; one that leaves it by more is returned as
// it is, because it means that the author's points are not a part of the events,
// and hiding that would make a broken expression look perfect.
func (s Sums) Attainment() (ratio float64, ok bool) {
	if !(s.Events > 0) || !finite(s.Points) || !finite(s.Events) {
		return 0, false
	}
	ratio = s.Points / s.Events
	switch {
	case ratio > 1 && ratio <= 1+clampNoise:
		return 1, true
	case ratio < 0 && ratio >= -clampNoise:
		return 0, true
	}
	return ratio, finite(ratio)
}

// Meets reports whether a ratio reaches a target. A ratio that misses the target
// by less than 1e-12, which no count of events below 10^12 can do, is a tie that
// rounding broke and counts as met.
func Meets(ratio, target float64) bool {
	return ratio >= target-tieNoise
}

func finite(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0)
}
