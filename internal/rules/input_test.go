package rules_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// rate is the events of a minute in the input of unit tests.
const rate = 60

// perMinute is how many events an objective has in a minute: a state is one.
func perMinute(o *v1alpha1.Objective) float64 {
	if o.Spec.Indicator.State != nil {
		return 1
	}
	return rate
}

// input makes the series that the selectors of an objective read: everything is
// good in them, or everything is bad.
func input(o *v1alpha1.Objective, good bool) []inputSeries {
	target := map[string]string{"job": "shop", "instance": "pod-0"}
	out := []inputSeries{
		{asSeries("up", target), steady(1)},
		{asSeries("process_start_time_seconds", target), steady(-86400)},
	}
	return append(out, measured(o.Spec.Indicator, good)...)
}

func measured(indicator v1alpha1.ObjectiveIndicator, good bool) []inputSeries {
	switch {
	case indicator.Events != nil:
		e := indicator.Events
		if e.Good != "" {
			return share(string(e.Good), string(e.Total), good)
		}
		return share(string(e.Bad), string(e.Total), !good)
	case indicator.Distribution != nil && indicator.Distribution.Format == v1alpha1.HistogramFormatNative:
		return native(string(indicator.Distribution.Histogram), good)
	case indicator.Distribution != nil:
		d := indicator.Distribution
		return buckets(string(d.Histogram), good, string(d.Threshold), string(d.PoorAbove))
	case indicator.Apdex != nil:
		a := indicator.Apdex
		return buckets(string(a.Histogram), good, string(a.Satisfied), string(a.Tolerated))
	case indicator.Score != nil:
		return answers(indicator.Score, good)
	case indicator.State != nil:
		return condition(indicator.State, good)
	default:
		return ownQueries(indicator.Queries, good)
	}
}

// selected is a metric and labels that a selector of a sample matches. Labels
// that it asks not to have are left out.
func selected(selector string) (string, map[string]string) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(selector)
	if err != nil {
		panic(err)
	}
	own := map[string]string{"job": "shop", "instance": "pod-0"}
	vector := parsed.(*parser.VectorSelector)
	for _, m := range vector.LabelMatchers {
		if m.Name != model.MetricNameLabel && !m.Matches("") {
			own[m.Name] = fitting(m)
		}
	}
	return vector.Name, own
}

// fitting is a value that a matcher matches.
func fitting(m *labels.Matcher) string {
	for _, value := range append(strings.Split(m.Value, "|"), strings.ReplaceAll(m.Value, ".", "0"), "other") {
		if m.Matches(value) {
			return value
		}
	}
	panic(fmt.Sprintf("no value is known for %s", m))
}

// share makes the series of a part and the whole. Where the part is selected
// from the whole by labels, the rest has other values there.
func share(part, whole string, all bool) []inputSeries {
	name, own := selected(part)
	total, rest := selected(whole)
	inside, outside := float64(0), float64(rate)
	if all {
		inside, outside = outside, inside
	}
	if name != total {
		return []inputSeries{{asSeries(name, own), rising(inside)}, {asSeries(total, rest), rising(rate)}}
	}
	for label := range own {
		if _, both := rest[label]; !both {
			rest[label] = "other"
		}
	}
	return []inputSeries{{asSeries(name, own), rising(inside)}, {asSeries(total, rest), rising(outside)}}
}

// buckets makes a classic histogram whose values are below the first boundary,
// or above all.
func buckets(histogram string, good bool, boundaries ...string) []inputSeries {
	name, own := selected(histogram)
	within := float64(0)
	if good {
		within = rate
	}
	out := []inputSeries{{asSeries(name+"_count", own), rising(rate)}}
	for _, le := range append(boundaries, "+Inf") {
		if le == "" {
			continue
		}
		bucket := maps.Clone(own)
		bucket["le"] = le
		if le == "+Inf" {
			within = rate
		}
		out = append(out, inputSeries{asSeries(name+"_bucket", bucket), rising(within)})
	}
	return out
}

// native makes a native histogram with all values between 1/16 and 1/8, or
// between 1 and 2.
func native(histogram string, good bool) []inputSeries {
	name, own := selected(histogram)
	offset, sum := 1, rate/4*1.5
	if good {
		offset, sum = -3, rate/4*0.1
	}
	step := fmt.Sprintf("{{schema:0 sum:%g count:%d offset:%d buckets:[%d]}}", sum, rate/4, offset, rate/4)
	none := fmt.Sprintf("{{schema:0 sum:0 count:0 offset:%d buckets:[0]}}", offset)
	return []inputSeries{{asSeries(name, own), none + "+" + step + "x80"}}
}

func answers(score *v1alpha1.ScoreIndicator, good bool) []inputSeries {
	if score.NetPromoter != nil {
		promoters, detractors := share(string(score.NetPromoter.Promoters), string(score.NetPromoter.Responses), true)[0],
			share(string(score.NetPromoter.Detractors), string(score.NetPromoter.Responses), true)[0]
		if good {
			detractors.Values = rising(0)
		} else {
			promoters.Values = rising(0)
		}
		return []inputSeries{promoters, detractors}
	}
	answer := score.Mean.Lowest
	if good {
		answer = score.Mean.Highest
	}
	sum, own := selected(string(score.Mean.Sum))
	count, also := selected(string(score.Mean.Count))
	return []inputSeries{{asSeries(sum, own), rising(rate * decimal(string(answer)))}, {asSeries(count, also), rising(rate)}}
}

func decimal(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return v
}

// condition makes a gauge on one side of the value or on the other.
func condition(state *v1alpha1.StateIndicator, good bool) []inputSeries {
	name, own := selected(string(state.Query))
	value := decimal(string(state.Value))
	away := map[v1alpha1.Operator]float64{
		v1alpha1.OperatorGreaterThanOrEqual: 1, v1alpha1.OperatorGreaterThan: 1,
		v1alpha1.OperatorLessThanOrEqual: -1, v1alpha1.OperatorLessThan: -1,
	}[state.Operator]
	if !good {
		away = -away
	}
	return []inputSeries{{asSeries(name, own), steady(value + away)}}
}

// ownQueries makes the first series that points and events read.
func ownQueries(q *v1alpha1.QueriesIndicator, good bool) []inputSeries {
	first := func(query string) string {
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(query, "$interval", "1m"))
		if err != nil {
			panic(err)
		}
		selector := ""
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if vector, ok := node.(*parser.VectorSelector); ok && selector == "" {
				selector = vector.String()
			}
			return nil
		})
		return selector
	}
	return share(first(string(q.Points)), first(string(q.Events)), good)
}
