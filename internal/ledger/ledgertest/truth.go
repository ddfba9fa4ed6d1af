package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// lookback is how far back a sample is in sight: Prometheus' own default.
const lookback = 5 * minute

// Policy says from where a series that was not there before counts.
type Policy int

// Policies, as in the API.
const (
	OnKnownTarget Policy = iota
	FromZero
	Ignore
)

// Movement is how much a set of counters moved in each minute, as far as it was
// scraped, and which minutes have data. Minutes are numbered by their end.
type Movement struct {
	moved   map[int64]float64
	present map[int64]bool
}

// Movement counts the series of a metric that have all the given labels, from
// their samples and by plain arithmetic:
//   - a sample after one of the same series, at most five minutes before, moved
//     by the difference, or by its value where that is lower;
//   - any other sample moved by its value where its target was known (the last
//     scrape up to the beginning of its minute had succeeded) or its process is
//     younger than five minutes at the end of its minute, and by nothing
//     elsewhere; the other policies count it always or never.
//
// The movement belongs to the minute in which the sample lies; a sample on the
// edge belongs to the minute that ends there. A minute has data when a sample
// lies in the five minutes up to its end.
func (w *World) Movement(policy Policy, metric string, pairs ...string) *Movement {
	return w.MovementOf(policy, metric, func(l labels.Labels) bool {
		for i := 0; i+1 < len(pairs); i += 2 {
			if l.Get(pairs[i]) != pairs[i+1] {
				return false
			}
		}
		return true
	})
}

// MovementOf is Movement for the series that keep holds for.
func (w *World) MovementOf(policy Policy, metric string, keep func(labels.Labels) bool) *Movement {
	m := &Movement{moved: map[int64]float64{}, present: map[int64]bool{}}
	for _, s := range w.series {
		if s.labels.Get(model.MetricNameLabel) == metric && keep(s.labels) {
			m.add(s, policy)
		}
	}
	return m
}

func (m *Movement) add(s *series, policy Policy) {
	var last *point
	for i := range s.points {
		p := &s.points[i]
		if p.stale {
			continue
		}
		end := minuteEnd(p.at)
		m.moved[end/minute] += moved(s.target, last, p, policy)
		for at := end; at < p.at+lookback; at += minute {
			m.present[at/minute] = true
		}
		last = p
	}
}

func moved(t *target, last, p *point, policy Policy) float64 {
	switch {
	case last == nil || p.at-last.at >= lookback+minute:
		return t.first(p, policy)
	case p.at-last.at > lookback:
		panic(fmt.Sprintf("ledgertest: %s is back after %d ms: the world left its domain", t.instance, p.at-last.at))
	case p.value >= last.value:
		return p.value - last.value
	default:
		return p.value
	}
}

// first is what a sample counts that has none before it.
func (t *target) first(p *point, policy Policy) float64 {
	counts := policy == FromZero
	if policy == OnKnownTarget {
		end := minuteEnd(p.at)
		counts = t.knownAt(end-minute) || t.youngAt(end, p.at)
	}
	if counts {
		return p.value
	}
	return 0
}

// knownAt says whether the last scrape up to a moment had succeeded.
func (t *target) knownAt(at int64) bool {
	p := t.up.lastUpTo(at)
	return p != nil && !p.stale && p.value == 1 && p.at > at-lookback
}

// youngAt says whether the process that was scraped at a moment is younger than
// five minutes at the end of its minute.
func (t *target) youngAt(end, scraped int64) bool {
	started := int64(t.started.lastUpTo(scraped).value * 1000)
	return end-started < lookback
}

func (s *series) lastUpTo(at int64) *point {
	i, found := slices.BinarySearchFunc(s.points, at, func(p point, at int64) int { return int(p.at - at) })
	if found {
		return &s.points[i]
	}
	if i == 0 {
		return nil
	}
	return &s.points[i-1]
}

// minuteEnd is the end of the minute in which a moment lies.
func minuteEnd(at int64) int64 { return (at + minute - 1) / minute * minute }

// Sum is the movement after from and up to to, both whole minutes.
func (m *Movement) Sum(from, to time.Time) float64 {
	sum := 0.0
	for n := from.UnixMilli()/minute + 1; n <= to.UnixMilli()/minute; n++ {
		sum += m.moved[n]
	}
	return sum
}

// Covered is the number of minutes with data after from and up to to.
func (m *Movement) Covered(from, to time.Time) int {
	covered := 0
	for n := from.UnixMilli()/minute + 1; n <= to.UnixMilli()/minute; n++ {
		if m.present[n] {
			covered++
		}
	}
	return covered
}
