package compile

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// probeRange is how far back a histogram's boundaries are looked for.
const probeRange = "1h"

// Histogram is what must be known of a classic histogram before it is counted.
type Histogram struct {
	// Probe is a query with one series for each boundary, in the label le.
	Probe string
	// Interpolated says that a count is an estimate between two boundaries. It
	// is known once the plan is bound.
	Interpolated bool

	base        promql.Selector
	cuts        []cut
	interpolate bool
}

// cut is a count of the events of a histogram that are at most a value.
type cut struct {
	lane  string
	field string
	value float64
	// only narrows the events down, to failed ones say.
	only []*labels.Matcher
}

func distributionShape(in *v1alpha1.DistributionIndicator) (*shape, error) {
	const field = "spec.indicator.distribution"
	threshold, err := decimal(field+".threshold", in.Threshold)
	if err != nil {
		return nil, err
	}
	cuts := []cut{{lane: laneGood, field: field + ".threshold", value: threshold}}
	formula := Formula{Events: []Term{{Lane: laneEvents, Weight: 1}}, Points: []Term{{Lane: laneGood, Weight: 1}}}
	if in.PoorAbove != "" {
		poor, err := decimal(field+".poorAbove", in.PoorAbove)
		if err != nil {
			return nil, err
		}
		cuts = append(cuts, cut{lane: "tolerable", field: field + ".poorAbove", value: poor})
		formula.Aux = []Term{{Lane: "tolerable", Weight: 1}}
	}
	s := &shape{field: field, unit: slo.Percent, banded: in.PoorAbove != "", formula: formula}
	return s, s.cutHistogram(in.Histogram, in.Format, cuts, in.Interpolate)
}

func apdexShape(in *v1alpha1.ApdexIndicator) (*shape, error) {
	const field = "spec.indicator.apdex"
	satisfied, err := decimal(field+".satisfied", in.Satisfied)
	if err != nil {
		return nil, err
	}
	// Four times: Apdex Technical Specification 1.1, section 3.2.
	tolerated, toleratedField := 4*satisfied, field+".satisfied (four times)"
	if in.Tolerated != "" {
		toleratedField = field + ".tolerated"
		if tolerated, err = decimal(toleratedField, in.Tolerated); err != nil {
			return nil, err
		}
	}
	cuts := []cut{
		{lane: "satisfied", field: field + ".satisfied", value: satisfied},
		{lane: "tolerated", field: toleratedField, value: tolerated},
	}
	points := []Term{{Lane: "satisfied", Weight: 0.5}, {Lane: "tolerated", Weight: 0.5}}
	if in.Failed != "" {
		failed, err := promql.ParseMatchers(string(in.Failed))
		if err != nil {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: field + ".failed", Err: err}
		}
		for _, c := range cuts[:2] {
			cuts = append(cuts, cut{lane: c.lane + "_failed", field: c.field, value: c.value, only: failed})
			points = append(points, Term{Lane: c.lane + "_failed", Weight: -0.5})
		}
	}
	s := &shape{field: field, unit: slo.Apdex, formula: Formula{Events: []Term{{Lane: laneEvents, Weight: 1}}, Points: points}}
	return s, s.cutHistogram(in.Histogram, in.Format, cuts, in.Interpolate)
}

// cutHistogram makes the lanes of a native histogram, or asks for the
// boundaries of a classic one.
func (s *shape) cutHistogram(histogram v1alpha1.Selector, format v1alpha1.HistogramFormat, cuts []cut, interpolate *bool) error {
	base, err := promql.ParseSelector(string(histogram))
	if err != nil {
		return &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: s.field + ".histogram", Err: err}
	}
	if format == v1alpha1.HistogramFormatNative {
		s.lanes = []promql.Lane{counterLane(laneEvents, promql.NativeCount(base))}
		for _, c := range cuts {
			s.lanes = append(s.lanes, counterLane(c.lane, promql.NativeWithin(base.With(c.only...), c.value)))
		}
		return nil
	}
	s.lanes = []promql.Lane{counterLane(laneEvents, promql.Plain(base.WithSuffix("_count")))}
	s.histogram = &Histogram{
		Probe: "group by (le) (last_over_time(" + base.WithSuffix("_bucket").String() + "[" + probeRange + "]))",
		base:  base, cuts: cuts, interpolate: interpolate != nil && *interpolate,
	}
	return nil
}

// ErrNoBoundaries says that a histogram has no series to read boundaries from.
var ErrNoBoundaries = errors.New("the histogram has no series yet")

// Bind builds the queries of a plan on a classic histogram, given the
// boundaries that its probe found. It returns an *Error where a threshold is no
// boundary, and ErrNoBoundaries where there are none and interpolation needs
// them. A plan without a histogram is bound already.
func (p *Plan) Bind(boundaries promql.Boundaries) error {
	h := p.Histogram
	if h == nil {
		return nil
	}
	lanes, formula := slices.Clone(p.build.shape.lanes), Formula{Events: p.build.shape.formula.Events}
	h.Interpolated = false
	split := map[string][]Term{}
	for _, c := range h.cuts {
		terms, more, err := h.count(c, boundaries)
		if err != nil {
			return blame(p.build.shape.indicator, err)
		}
		split[c.lane], lanes = terms, append(lanes, more...)
	}
	formula.Points = substitute(p.build.shape.formula.Points, split)
	formula.Aux = substitute(p.build.shape.formula.Aux, split)
	return blame(p.build.shape.indicator, p.read(lanes, formula))
}

// count gives the lanes of a cut: one on a boundary, two around an
// interpolated value.
func (h *Histogram) count(c cut, boundaries promql.Boundaries) ([]Term, []promql.Lane, error) {
	below, above, exact := boundaries.Around(c.value)
	switch {
	case exact || (len(boundaries) == 0 && !h.interpolate):
		return []Term{{Lane: c.lane, Weight: 1}}, []promql.Lane{h.bucket(c.lane, c.value, c.only)}, nil
	case len(boundaries) == 0:
		return nil, nil, ErrNoBoundaries
	case !h.interpolate || math.IsNaN(above):
		return nil, nil, h.offBoundary(c, boundaries)
	}
	h.Interpolated = true
	if math.IsNaN(below) {
		return []Term{{Lane: c.lane, Weight: c.value / above}}, []promql.Lane{h.bucket(c.lane, above, c.only)}, nil
	}
	share := (c.value - below) / (above - below)
	lower, upper := c.lane+"_below", c.lane+"_above"
	return []Term{{Lane: lower, Weight: 1 - share}, {Lane: upper, Weight: share}},
		[]promql.Lane{h.bucket(lower, below, c.only), h.bucket(upper, above, c.only)}, nil
}

func (h *Histogram) bucket(lane string, le float64, only []*labels.Matcher) promql.Lane {
	return counterLane(lane, promql.Bucket(h.base.WithSuffix("_bucket").With(only...), le))
}

func (h *Histogram) offBoundary(c cut, boundaries promql.Boundaries) error {
	remedy := "use one of them, add the bucket, or set interpolate: true for an estimate"
	if h.interpolate {
		remedy = "lower the value or add a bucket above it"
	}
	return &Error{
		Reason: v1alpha1.ReasonInvalidThreshold, Field: c.field,
		Err: fmt.Errorf("%g is no bucket boundary of %s: %s; %s", c.value, h.base.Name(), boundaries.Nearest(c.value), remedy),
	}
}

// substitute replaces each term of a cut by the terms of its lanes.
func substitute(terms []Term, split map[string][]Term) []Term {
	var out []Term
	for _, t := range terms {
		for _, s := range split[t.Lane] {
			out = append(out, Term{Lane: s.Lane, Weight: t.Weight * s.Weight})
		}
	}
	return out
}
