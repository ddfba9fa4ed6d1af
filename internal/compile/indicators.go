package compile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// shape is an indicator reduced to lanes and a formula over them.
type shape struct {
	// field is the path of the indicator, for errors.
	field string
	// indicator is what the objective refers to; it is zero where it says for itself
	// how it is measured.
	indicator IndicatorKey
	lanes     []promql.Lane
	formula   Formula
	unit      slo.Unit
	interval  IntervalMethod
	banded    bool
	histogram *Histogram
}

// Names of lanes. The events lane comes first: it makes a minute covered.
const (
	laneEvents     = "events"
	lanePoints     = "points"
	laneGood       = "good"
	laneBad        = "bad"
	laneSum        = "sum"
	lanePromoters  = "promoters"
	laneDetractors = "detractors"
)

func shapeOf(o *v1alpha1.Objective) (*shape, error) {
	in := o.Spec.Indicator
	switch {
	case in.Events != nil:
		return eventsShape(in.Events)
	case in.Distribution != nil:
		return distributionShape(in.Distribution)
	case in.Apdex != nil:
		return apdexShape(in.Apdex)
	case in.Score != nil && in.Score.Mean != nil:
		return meanShape(in.Score.Mean)
	case in.Score != nil && in.Score.NetPromoter != nil:
		return netPromoterShape(in.Score.NetPromoter)
	case in.State != nil:
		return stateShape(in.State, o.CreationTimestamp.Time)
	case in.Queries != nil:
		return queriesShape(in.Queries)
	default:
		return nil, &Error{
			Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.indicator",
			Err: errors.New("no kind is set: set one of events, distribution, apdex, score, state, queries, ref"),
		}
	}
}

func eventsShape(in *v1alpha1.EventsIndicator) (*shape, error) {
	const field = "spec.indicator.events"
	lanes, err := counters(field, named{laneEvents, "total", in.Total}, named{laneGood, "good", in.Good}, named{laneBad, "bad", in.Bad})
	if err != nil {
		return nil, err
	}
	points := []Term{{Lane: laneGood, Weight: 1}}
	if in.Bad != "" {
		points = []Term{{Lane: laneEvents, Weight: 1}, {Lane: laneBad, Weight: -1}}
	}
	return &shape{
		field: field, unit: slo.Percent, lanes: lanes,
		formula: Formula{Events: []Term{{Lane: laneEvents, Weight: 1}}, Points: points},
	}, nil
}

func meanShape(in *v1alpha1.MeanScore) (*shape, error) {
	const field = "spec.indicator.score.mean"
	lanes, err := counters(field, named{laneEvents, "count", in.Count}, named{laneSum, "sum", in.Sum})
	if err != nil {
		return nil, err
	}
	lowest, err := decimal(field+".lowest", in.Lowest)
	if err != nil {
		return nil, err
	}
	highest, err := decimal(field+".highest", in.Highest)
	if err != nil {
		return nil, err
	}
	unit, err := slo.Mean(lowest, highest)
	if err != nil {
		return nil, &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: field + ".highest", Err: err}
	}
	span := highest - lowest
	return &shape{
		field: field, unit: unit, lanes: lanes,
		formula: Formula{
			Events: []Term{{Lane: laneEvents, Weight: 1}},
			Points: []Term{{Lane: laneSum, Weight: 1 / span}, {Lane: laneEvents, Weight: -lowest / span}},
		},
	}, nil
}

func netPromoterShape(in *v1alpha1.NetPromoterScore) (*shape, error) {
	const field = "spec.indicator.score.netPromoter"
	lanes, err := counters(field, named{laneEvents, "responses", in.Responses},
		named{lanePromoters, "promoters", in.Promoters}, named{laneDetractors, "detractors", in.Detractors})
	if err != nil {
		return nil, err
	}
	return &shape{
		field: field, unit: slo.NetPromoter, interval: IntervalNetPromoter, lanes: lanes,
		formula: Formula{
			Events: []Term{{Lane: laneEvents, Weight: 1}},
			// A promoter earns a point, a passive half of one, a detractor none.
			Points: []Term{{Lane: laneEvents, Weight: 0.5}, {Lane: lanePromoters, Weight: 0.5}, {Lane: laneDetractors, Weight: -0.5}},
			Aux:    []Term{{Lane: lanePromoters, Weight: 1}},
		},
	}, nil
}

var operators = map[v1alpha1.Operator]string{
	v1alpha1.OperatorLessThan:           "<",
	v1alpha1.OperatorLessThanOrEqual:    "<=",
	v1alpha1.OperatorGreaterThan:        ">",
	v1alpha1.OperatorGreaterThanOrEqual: ">=",
	v1alpha1.OperatorEqual:              "==",
	v1alpha1.OperatorNotEqual:           "!=",
}

// stateShape checks the condition for the worst of the query's series. A value
// of NaN is no data.
func stateShape(in *v1alpha1.StateIndicator, created time.Time) (*shape, error) {
	const field = "spec.indicator.state"
	query, err := promql.ParseValues(string(in.Query))
	if err != nil {
		return nil, &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: field + ".query", Err: err}
	}
	if _, err := decimal(field+".value", in.Value); err != nil {
		return nil, err
	}
	numbers := "((" + query + ") >= -Inf)"
	points := fmt.Sprintf("min(%s %s bool %s)", numbers, operators[in.Operator], in.Value)
	events := "group(" + numbers + ")"
	// Before its creation nobody expected the objective's data to be there.
	since := fmt.Sprintf("and on () (vector(time()) > %d)", created.Unix())
	switch in.NoData {
	case v1alpha1.NoDataBad:
		points += " or (vector(0) " + since + ")"
		events += " or (vector(1) " + since + ")"
	case v1alpha1.NoDataGood:
		points += " or (vector(1) " + since + ")"
		events += " or (vector(1) " + since + ")"
	case v1alpha1.NoDataIgnore:
	}
	return expressions(field, points, events), nil
}

func queriesShape(in *v1alpha1.QueriesIndicator) (*shape, error) {
	const field = "spec.indicator.queries"
	points, err := perMinute(field+".points", in.Points)
	if err != nil {
		return nil, err
	}
	events, err := perMinute(field+".events", in.Events)
	if err != nil {
		return nil, err
	}
	return expressions(field, points, events), nil
}

func perMinute(field string, query v1alpha1.PromQL) (string, error) {
	values, err := promql.ParseValues(atMinute(string(query)))
	if err != nil {
		return "", &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: field, Err: err}
	}
	return "sum(" + values + ")", nil
}

// interval is what stands for the range of a query.
const interval = "$interval"

// atMinute is a query over one minute.
func atMinute(query string) string { return strings.ReplaceAll(query, interval, "1m") }

func expressions(field, points, events string) *shape {
	return &shape{
		field: field, unit: slo.Percent,
		lanes:   []promql.Lane{{Name: laneEvents, Expr: "(" + events + ")"}, {Name: lanePoints, Expr: "(" + points + ")"}},
		formula: Formula{Events: []Term{{Lane: laneEvents, Weight: 1}}, Points: []Term{{Lane: lanePoints, Weight: 1}}},
	}
}

// named is a selector, the lane it becomes and the field it was written in.
type named struct {
	lane, field string
	selector    v1alpha1.Selector
}

// counters makes a lane of each selector that is set.
func counters(field string, selectors ...named) ([]promql.Lane, error) {
	var lanes []promql.Lane
	for _, s := range selectors {
		if s.selector == "" {
			continue
		}
		selector, err := promql.ParseSelector(string(s.selector))
		if err != nil {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: field + "." + s.field, Err: err}
		}
		lanes = append(lanes, counterLane(s.lane, promql.Plain(selector)))
	}
	return lanes, nil
}

func counterLane(name string, c promql.Counter) promql.Lane {
	return promql.Lane{Name: name, Counter: &c}
}

func decimal(field string, d v1alpha1.Decimal) (float64, error) {
	value, err := strconv.ParseFloat(string(d), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: field, Err: fmt.Errorf("%q is no number: write one such as \"2.5\"", d)}
	}
	return value, nil
}
