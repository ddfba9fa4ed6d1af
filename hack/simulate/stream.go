package simulate

import (
	"math"
	"math/rand/v2"
	"strconv"
)

// pair is one label.
type pair struct{ name, value string }

// outcome is one way an event can end: how likely it is when nobody else is
// around, and how likely at the busiest moment of the week. Between the two the
// share follows the load, because services get worse when they are busy.
type outcome struct {
	name        string
	quiet, busy float64
}

// series is one time series of a process. Its value is a fixed sum over the
// outcomes counted so far: weights[k] for each event that ended in outcome k.
// A bucket, a total, a part of a total and a sum of ratings are all of this form.
type series struct {
	name    string
	labels  []pair
	weights []float64
}

// stream is one kind of event, how often it happens, how it may end, and the
// series that show it.
type stream struct {
	family   string  // metric family, for the TYPE line
	kind     string  // counter, histogram or gauge
	peak     float64 // events an hour at the busiest moment, for one process
	outcomes []outcome
	series   []series
}

// bucket is one slot of a histogram. Every observation in it is taken to be
// value, which has to lie above the bucket before and not above le.
type bucket struct {
	le, value   float64
	quiet, busy float64
}

// inf closes every histogram.
var inf = math.Inf(1)

// histogram returns a stream of observations with cumulative classic buckets.
func histogram(family string, peak float64, labels []pair, buckets ...bucket) stream {
	s := stream{family: family, kind: "histogram", peak: peak}
	sum, count := make([]float64, len(buckets)), make([]float64, len(buckets))
	for i, b := range buckets {
		s.outcomes = append(s.outcomes, outcome{name: formatBound(b.le), quiet: b.quiet, busy: b.busy})
		sum[i], count[i] = b.value, 1
		within := make([]float64, len(buckets))
		for j := 0; j <= i; j++ {
			within[j] = 1
		}
		le := append([]pair{{"le", formatBound(b.le)}}, labels...)
		s.series = append(s.series, series{name: family + "_bucket", labels: le, weights: within})
	}
	s.series = append(s.series,
		series{name: family + "_sum", labels: labels, weights: sum},
		series{name: family + "_count", labels: labels, weights: count})
	return s
}

// formatBound writes a bucket boundary as Prometheus stores it since version 3,
// whatever the page says: 1 becomes 1.0. History that had le="1" would end where
// the live series le="1.0" begins.
func formatBound(le float64) string {
	if math.IsInf(le, 1) {
		return "+Inf"
	}
	text := strconv.FormatFloat(le, 'f', -1, 64)
	if le == math.Trunc(le) {
		text += ".0"
	}
	return text
}

// tally returns a counter with one series for each outcome, told apart by label.
func tally(family, label string, peak float64, labels []pair, outcomes ...outcome) stream {
	s := stream{family: family, kind: "counter", peak: peak, outcomes: outcomes}
	for i, o := range outcomes {
		weights := make([]float64, len(outcomes))
		weights[i] = 1
		s.series = append(s.series, series{name: family, labels: append([]pair{{label, o.name}}, labels...), weights: weights})
	}
	return s
}

// share returns a counter of everything, whole, and a second counter of those
// events that were hit.
func share(whole, part string, peak float64, labels []pair, quiet, busy float64) stream {
	return stream{
		family: whole, kind: "counter", peak: peak,
		outcomes: []outcome{{"hit", quiet, busy}, {"miss", 1 - quiet, 1 - busy}},
		series: []series{
			{name: whole, labels: labels, weights: []float64{1, 1}},
			{name: part, labels: labels, weights: []float64{1, 0}},
		},
	}
}

// ratings returns the _sum and _count of answers from 1 upwards; shares[i] of
// them chose i+1.
func ratings(family string, peak float64, shares ...float64) stream {
	s := stream{family: family, kind: "counter", peak: peak}
	sum, count := make([]float64, len(shares)), make([]float64, len(shares))
	for i, p := range shares {
		s.outcomes = append(s.outcomes, outcome{strconv.Itoa(i + 1), p, p})
		sum[i], count[i] = float64(i+1), 1
	}
	s.series = []series{{name: family + "_sum", weights: sum}, {name: family + "_count", weights: count}}
	return s
}

// reading returns a gauge that is 1 at each scrape, or 0 with the given chance.
func reading(family string, zero float64) stream {
	return stream{
		family: family, kind: "gauge",
		outcomes: []outcome{{"up", 1 - zero, 1 - zero}, {"down", zero, zero}},
		series:   []series{{name: family, weights: []float64{1, 0}}},
	}
}

// level is a gauge that stands still, like one that a vendor's console fills once
// a day.
func level(family string, value float64, labels []pair) stream {
	return stream{
		family: family, kind: "gauge", outcomes: []outcome{{"level", 1, 1}},
		series: []series{{name: family, labels: labels, weights: []float64{value}}},
	}
}

// draw adds the events of one stretch of time to counts: load is the share of
// the busiest moment, hours the length of the stretch. It reports whether
// anything changed. A gauge is drawn afresh.
func (s *stream) draw(r *rand.Rand, counts []float64, load, hours float64) bool {
	if s.kind == "gauge" {
		clear(counts)
		counts[s.pick(r, load)] = 1
		return true
	}
	n := poisson(r, s.peak*load*hours)
	for range n {
		counts[s.pick(r, load)]++
	}
	return n > 0
}

// pick chooses how one event ends.
func (s *stream) pick(r *rand.Rand, load float64) int {
	u := r.Float64()
	last := len(s.outcomes) - 1
	for i := range last {
		o := &s.outcomes[i]
		if u -= o.quiet + load*(o.busy-o.quiet); u < 0 {
			return i
		}
	}
	return last
}

// value is what the series shows for the outcomes counted so far.
func (s *series) value(counts []float64) float64 {
	v := 0.0
	for k, w := range s.weights {
		v += w * counts[k]
	}
	return v
}

// poisson draws the number of events where mean are expected, by Knuth's
// product of uniforms (The Art of Computer Programming, vol. 2, 3.4.1), in parts
// small enough for exp(-mean) to stay well above zero.
func poisson(r *rand.Rand, mean float64) int {
	const part = 30
	n := 0
	for ; mean > part; mean -= part {
		n += knuth(r, part)
	}
	return n + knuth(r, mean)
}

// knuth draws one Poisson number of a small mean.
func knuth(r *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	limit, n := math.Exp(-mean), 0
	for p := r.Float64(); p > limit; p *= r.Float64() {
		n++
	}
	return n
}
