package convert

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// ratio is what most indicators are made of: good or bad events among all, each
// as it was written, and as a sum of counters where it is one.
type ratio struct {
	part, total       query
	partSum, totalSum sum
	// sums says that both are.
	sums bool
	// bad says that the part is that of bad events.
	bad bool
	// absentBad says that what is not there was all bad, which cannot be counted.
	absentBad bool
}

// ratioOf reads two queries. It fails where they cannot be compared.
func (u *unit) ratioOf(part, total field, bad bool) (ratio, bool) {
	p, okP := u.queryOf(part)
	t, okT := u.queryOf(total)
	if !okP || !okT {
		return ratio{}, false
	}
	for _, s := range []struct {
		field
		query
	}{{part, p}, {total, t}} {
		if s.calls("deriv") {
			u.fail(s.field, "deriv is the slope of a gauge, and no events: write rate of a counter, or the ratio itself as a raw one")
			return ratio{}, false
		}
	}
	r := newRatio(p, t, bad)
	if r.sums && r.partSum.function != r.totalSum.function {
		u.fail(part, "it is %s and the total is %s: write both over the same window, by the same function", named(r.partSum), named(r.totalSum))
		return ratio{}, false
	}
	u.together(part, p, t)
	return r, true
}

// together tells that groups are not kept apart.
func (u *unit) together(f field, queries ...query) {
	if slices.ContainsFunc(queries, func(q query) bool { return grouped(q.expr) }) {
		u.note(f, "all groups are counted together: write an objective for each to have them apart")
	}
}

func named(s sum) string {
	return map[string]string{"": "a plain counter", "rate": "a rate", "increase": "an increase"}[s.function]
}

func newRatio(part, total query, bad bool) ratio {
	r := ratio{part: part, total: total, bad: bad}
	var okP, okT bool
	r.partSum, okP = sumOf(part.expr)
	r.totalSum, okT = sumOf(total.expr)
	r.sums = okP && okT && len(r.partSum.terms) > 0 && len(r.totalSum.terms) > 0
	return r
}

// queryOf parses the query at a field.
func (u *unit) queryOf(f field) (query, bool) {
	if !f.exists() {
		u.fail(f, "it is required: write a PromQL query")
		return query{}, false
	}
	q, err := parseQuery(f.text())
	if err != nil {
		u.fail(f, "%v", err)
		return query{}, false
	}
	if q.astray() {
		u.fail(f, "the window stands elsewhere than as a range such as [{{.window}}]: write a duration there, such as 5m")
		return query{}, false
	}
	return q, true
}

// count sets an indicator that counts the events of a ratio: exactly where they
// are counters, else by its queries. Notes are of the field f.
func (u *unit) count(f field, r ratio) {
	if r.sums {
		if in, ok := r.counters(); ok {
			u.objective.Spec.Indicator = in
			return
		}
		u.queries(f, r.points(interval), r.totalSum.increase(interval))
		return
	}
	if !r.part.windowed || !r.total.windowed {
		u.fail(f, "it is no sum of counters, and its range is not the window: write sum(rate(counter[{{.window}}])), or an indicator of kind queries by hand")
		return
	}
	points := "sum(" + scaled(r.part) + ")"
	events := "sum(" + scaled(r.total) + ")"
	if r.bad {
		points = fmt.Sprintf("%s - (%s or vector(0))", events, points)
	}
	u.queries(f, points, events)
}

// scaled writes a query that tells events a second as events a minute.
func scaled(q query) string {
	if (q.calls("rate") || q.calls("irate")) && !q.calls("increase") {
		return "60 * (" + q.overInterval() + ")"
	}
	return q.overInterval()
}

// queries sets the escape hatch, and says what it costs.
func (u *unit) queries(f field, points, events string) {
	u.objective.Spec.Indicator = v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{
		Points: v1alpha1.PromQL(points), Events: v1alpha1.PromQL(events),
	}}
	u.note(f, "it is no good, bad or total counter that can be counted exactly, so it becomes an indicator of kind queries: as exact as its PromQL, and it needs two scrapes a minute")
}

// points writes the good events over a range.
func (r ratio) points(over string) string {
	if r.bad {
		return fmt.Sprintf("%s - (%s or vector(0))", r.totalSum.increase(over), r.partSum.increase(over))
	}
	return r.partSum.increase(over)
}

// goodSum is the sum of good events.
func (r ratio) goodSum() sum {
	if r.bad {
		return r.totalSum.plus(r.partSum.times(-1))
	}
	return r.partSum
}

// counters makes an indicator of plain counters.
func (r ratio) counters() (v1alpha1.ObjectiveIndicator, bool) {
	total, ok := r.totalSum.one()
	if !ok {
		return v1alpha1.ObjectiveIndicator{}, false
	}
	if good, ok := r.goodSum().one(); ok && good.weight == total.weight {
		if d := distributionOf(good.selector, total.selector); d != nil {
			return v1alpha1.ObjectiveIndicator{Distribution: d}, true
		}
		return v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
			Good: v1alpha1.Selector(good.String()), Total: v1alpha1.Selector(total.String()),
		}}, true
	}
	if bad, ok := r.partSum.one(); ok && r.bad && bad.weight == total.weight {
		return v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
			Bad: v1alpha1.Selector(bad.String()), Total: v1alpha1.Selector(total.String()),
		}}, true
	}
	return v1alpha1.ObjectiveIndicator{}, false
}

// distributionOf recognizes a bucket of a classic histogram among all of its
// events.
func distributionOf(good, total *parser.VectorSelector) *v1alpha1.DistributionIndicator {
	base, isBucket := strings.CutSuffix(nameOf(good), "_bucket")
	all := nameOf(total) == base+"_count" || nameOf(total) == base+"_bucket" && valueOf(total, labels.BucketLabel) == "+Inf"
	threshold, ok := boundary(good)
	if !isBucket || !all || !ok || !slices.Equal(besides(good), besides(total)) {
		return nil
	}
	histogram := &parser.VectorSelector{Name: base}
	for _, m := range total.LabelMatchers {
		if m.Name != model.MetricNameLabel && m.Name != labels.BucketLabel {
			histogram.LabelMatchers = append(histogram.LabelMatchers, m)
		}
	}
	return &v1alpha1.DistributionIndicator{Histogram: v1alpha1.Selector(histogram.String()), Threshold: threshold}
}

// besides are the matchers of a bucket or a count beside its name and boundary.
func besides(v *parser.VectorSelector) []string {
	return matchersOf(v, model.MetricNameLabel, labels.BucketLabel)
}

// boundary is that of the bucket that a selector selects.
func boundary(v *parser.VectorSelector) (v1alpha1.Decimal, bool) {
	value, err := strconv.ParseFloat(valueOf(v, labels.BucketLabel), 64)
	text := strconv.FormatFloat(value, 'f', -1, 64)
	return v1alpha1.Decimal(text), err == nil && !math.IsInf(value, 0) && !math.IsNaN(value) && len(text) <= 20
}

func nameOf(v *parser.VectorSelector) string { return valueOf(v, model.MetricNameLabel) }

// measured sets an indicator from a ratio that somebody computed already. Where
// it divides sums of counters these are counted; else each minute weighs the same.
func (u *unit) measured(f field, failures bool) {
	q, ok := u.queryOf(f)
	if !ok {
		return
	}
	u.together(f, q)
	if r, ok := division(q, failures); ok {
		if r.absentBad {
			u.note(f, "where there is nothing its 0 is all bad: it weighs nothing here, and alerting.dataAbsent tells of it")
		}
		u.count(f, r)
		return
	}
	value, zero := q.average()
	if !strings.Contains(value, interval) {
		u.fail(f, "its window is not a range of it: write the queries of which it is made as good or bad and total")
		return
	}
	points, events := "sum("+value+")", "sum("+value+" * 0 + 1)"
	absent := map[bool]string{false: "0", true: "1"}[failures]
	if failures {
		points = "sum(1 - " + value + ")"
	}
	if zero {
		points, events = points+" or vector("+absent+")", events+" or vector(1)"
		u.note(f, "a minute in which it is absent is one of its 0, so it is never absent to alerting.dataAbsent")
	}
	u.queries(f, points, events)
	u.note(f, "a ratio does not tell how many events there were: each minute weighs the same, and minimumBadEvents counts minutes")
}

// division reads bad / total, 1 - good / total and the like.
func division(q query, failures bool) (ratio, bool) {
	expr, zero := zeroed(q.expr)
	if inverse, ok := lessThanOne(expr); ok {
		r, ok := division(query{inverse, q.windowed}, !failures)
		r.absentBad = r.absentBad || zero && !failures
		return r, ok
	}
	div, ok := expr.(*parser.BinaryExpr)
	if !ok || div.Op != parser.DIV {
		return ratio{}, false
	}
	r := newRatio(query{div.LHS, q.windowed}, query{div.RHS, q.windowed}, failures)
	r.absentBad = zero && !failures
	return r, r.sums && r.partSum.function == r.totalSum.function && r.partSum.function != ""
}

// lessThanOne finds what is taken from 1.
func lessThanOne(e parser.Expr) (parser.Expr, bool) {
	minus, ok := e.(*parser.BinaryExpr)
	if !ok || minus.Op != parser.SUB {
		return nil, false
	}
	lhs, _ := zeroed(minus.LHS)
	one, ok := lhs.(*parser.NumberLiteral)
	return minus.RHS, ok && one.Val == 1
}

// zeroed takes off parentheses, and a zero for what is not there, and says whether
// there was one.
func zeroed(e parser.Expr) (inner parser.Expr, zero bool) {
	switch v := e.(type) {
	case *parser.ParenExpr:
		return zeroed(v.Expr)
	case *parser.BinaryExpr:
		if v.Op == parser.LOR && isZero(v.RHS) {
			inner, _ = zeroed(v.LHS)
			return inner, true
		}
	}
	return e, false
}

// average writes the mean of a gauge over the interval, without the zero for what
// is not there: beside a gauge with labels it would be one series more.
func (q query) average() (value string, zero bool) {
	inner, zero := zeroed(q.expr)
	if v, plain := inner.(*parser.VectorSelector); plain {
		over := query{expr: &parser.MatrixSelector{VectorSelector: v, Range: sentinel}}
		return "(avg_over_time(" + over.overInterval() + "))", zero
	}
	return "(" + query{expr: inner}.overInterval() + ")", zero
}
