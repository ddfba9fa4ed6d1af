package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Budgeting methods.
const (
	occurrences     = "Occurrences"
	timeslices      = "Timeslices"
	ratioTimeslices = "RatioTimeslices"
)

var comparisons = map[string]v1alpha1.Operator{
	"lte": v1alpha1.OperatorLessThanOrEqual, "lt": v1alpha1.OperatorLessThan,
	"gte": v1alpha1.OperatorGreaterThanOrEqual, "gt": v1alpha1.OperatorGreaterThan,
}

func (u *unit) openSLOIndicator(spec, item field) {
	method := spec.at("budgetingMethod")
	if text := method.text(); text != occurrences && text != timeslices && text != ratioTimeslices {
		u.fail(method, "write one of %s, %s, %s", occurrences, timeslices, ratioTimeslices)
		return
	}
	sli, ok := u.sliOf(spec, item)
	if !ok {
		return
	}
	if alpha := item.at("ratioMetrics"); alpha.exists() {
		u.ratioMetric(method, alpha, item)
		return
	}
	threshold, ratio := sli.at("thresholdMetric"), sli.at("ratioMetric")
	switch {
	case threshold.exists() && ratio.exists():
		u.fail(ratio, "there is a thresholdMetric too: remove one of them")
	case threshold.exists():
		u.thresholdMetric(method, threshold, item)
	case ratio.exists():
		u.ratioMetric(method, ratio, item)
	default:
		u.fail(sli, "there is neither a ratioMetric nor a thresholdMetric: write one")
	}
}

// sliOf finds the indicator of an objective: its own, or that of its SLO, written
// there or referred to.
func (u *unit) sliOf(spec, item field) (field, bool) {
	for _, holder := range []field{item, spec} {
		inline, ref := holder.at("indicator"), holder.at("indicatorRef")
		switch {
		case inline.exists() && ref.exists():
			u.fail(ref, "there is an indicator too: remove one of them")
			return field{}, false
		case ref.exists():
			root, ok := u.find(kindSLI, ref)
			if !ok {
				u.fail(ref, "there is no SLI of this name among the documents: convert them together")
				return field{}, false
			}
			u.aboutSLI(root.at("metadata"), root.at("spec"))
			return root.at("spec"), true
		case inline.at("spec").exists():
			u.aboutSLI(inline.at("metadata"), inline.at("spec"))
			return inline.at("spec"), true
		case inline.exists():
			return inline, true
		}
	}
	return spec.at("indicator"), true
}

// aboutSLI drops what an indicator says of itself.
func (u *unit) aboutSLI(metadata, spec field) {
	const why = "an indicator is a part of its objective, and has no name or description of its own: nothing to do"
	u.drop(metadata, why)
	u.drop(spec.at("description"), why)
}

// thresholdMetric is a value that is compared once a minute.
func (u *unit) thresholdMetric(method, metric, item field) {
	query := u.metricSource(metric)
	op, value := item.at("op"), item.at("value")
	operator, ok := comparisons[op.text()]
	if !ok {
		u.fail(op, "write one of lte, lt, gte, gt")
	}
	if !value.exists() {
		u.fail(value, "it is required with a thresholdMetric: write the promised value")
		return
	}
	promised := u.decimal(value)
	u.slices(method, item)
	u.drop(item.at("timeSliceTarget"), "a minute is good when the condition holds at its end: nothing to do for slices of a minute")
	q, ok := u.queryOf(query)
	if !ok {
		return
	}
	if q.windowed {
		u.note(query, "the condition is checked once a minute: the window becomes 5m")
	}
	u.objective.Spec.Indicator.State = &v1alpha1.StateIndicator{
		Query: v1alpha1.PromQL(strings.ReplaceAll(q.overInterval(), interval, "5m")), Operator: operator, Value: promised,
	}
}

// slices tells where time slices are not those of the operator.
func (u *unit) slices(method, item field) {
	window := item.at("timeSliceWindow")
	switch minutes, ok := slice(window.text()); {
	case !window.exists():
	case method.peek() == occurrences:
		u.tell(Dropped, window, "it says nothing with budgetingMethod "+occurrences)
	case !ok:
		u.fail(window, "it is no duration: write one such as 1m")
	case minutes != 1:
		u.tell(Dropped, window, "slices are minutes: nothing to do if that will do")
	}
}

// ratioMetric is good or bad events among all, or their ratio.
func (u *unit) ratioMetric(method, metric, item field) {
	for _, name := range []string{"op", "value"} {
		if method.peek() != timeslices || name != "op" {
			u.drop(item.at(name), "it says nothing with a ratioMetric")
		}
	}
	raw := metric.at("raw")
	if raw.exists() {
		u.rawMetric(method, metric, item)
		return
	}
	part, bad := metric.at("good"), false
	if other := metric.at("bad"); other.exists() {
		if part.exists() {
			u.fail(other, "there is good too: remove one of them")
			return
		}
		part, bad = other, true
	}
	u.drop(metric.at("rawType"), "it says nothing without raw")
	query := u.metricSource(part)
	r, ok := u.ratioOf(query, u.metricSource(metric.at("total")), bad)
	if !ok {
		return
	}
	u.growth(metric.at("counter"), &r)
	u.budget(method, query, item, r)
}

// growth tells plain counters from gauges, and takes the mean of these.
func (u *unit) growth(declared field, r *ratio) {
	counter, set := declared.flag()
	if !r.sums || r.partSum.function != "" {
		if set && !counter {
			u.note(declared, "the queries take the growth of counters, so it is read as true")
		}
		return
	}
	switch {
	case counter:
	case !set && namedAsCounters(r.partSum) && namedAsCounters(r.totalSum):
		u.note(declared, "there is none: by their names the metrics are counters")
	default:
		r.gauges()
		u.note(declared, "gauges: each minute counts with the mean of what they show in it")
	}
}

// counterName ends the names of counters.
var counterName = regexp.MustCompile("_(total|count|bucket|sum)$")

func namedAsCounters(s sum) bool {
	return !slices.ContainsFunc(s.terms, func(t term) bool { return !counterName.MatchString(nameOf(t.selector)) })
}

// gauges takes the mean of gauges in place of the growth of counters.
func (r *ratio) gauges() {
	mean := func(s sum) query {
		text := strings.ReplaceAll(s.increase(model.Duration(sentinel).String()), "increase(", "avg_over_time(")
		q, err := parseQuery(text)
		if err != nil {
			return r.total // it was parsed before
		}
		q.windowed = true
		return q
	}
	r.part, r.total, r.sums = mean(r.partSum), mean(r.totalSum), false
}

// budget counts events, or slices of time, as the budgeting method says.
func (u *unit) budget(method, query, item field, r ratio) {
	target := item.at("timeSliceTarget")
	u.slices(method, item)
	switch method.peek() {
	case timeslices:
		u.sliced(query, item, r)
	case ratioTimeslices:
		u.drop(target, "it says nothing with budgetingMethod %s", ratioTimeslices)
		points, events := r.texts(interval)
		u.queries(query, fmt.Sprintf("%s / (%s > 0)", points, events), fmt.Sprintf("(%s > 0) * 0 + 1", events))
	default:
		u.drop(target, "it says nothing with budgetingMethod %s", occurrences)
		u.count(query, r)
	}
}

// texts writes points and events over a range. Good events that are not there are
// none.
func (r ratio) texts(over string) (points, events string) {
	part := "sum(" + scaled(r.part) + ")"
	events = "sum(" + scaled(r.total) + ")"
	if r.sums {
		part, events = r.partSum.increase(over), r.totalSum.increase(over)
	}
	points = fmt.Sprintf("(%s or vector(0))", part)
	if r.bad {
		points = fmt.Sprintf("(%s - %s)", events, points)
	}
	return strings.ReplaceAll(points, interval, over), strings.ReplaceAll(events, interval, over)
}

// sliced checks once a minute whether the ratio of a slice is at least its target.
func (u *unit) sliced(query, item field, r ratio) {
	target, op := item.at("timeSliceTarget"), item.at("op")
	operator := v1alpha1.OperatorGreaterThanOrEqual
	if op.text() == "gt" {
		operator = v1alpha1.OperatorGreaterThan
	} else if op.exists() && op.peek() != "gte" {
		u.fail(op, "a slice is good when its ratio is at least timeSliceTarget: write gte or gt")
		return
	}
	if !target.exists() {
		u.fail(target, "it is required with budgetingMethod %s: write the ratio of a good slice", timeslices)
		return
	}
	minutes, ok := slice(item.at("timeSliceWindow").peek())
	if !ok || minutes != float64(int64(minutes)) {
		minutes = 1
	}
	points, events := r.texts(strconv.FormatInt(int64(minutes), 10) + "m")
	u.objective.Spec.Indicator.State = &v1alpha1.StateIndicator{
		Query: v1alpha1.PromQL(fmt.Sprintf("%s / (%s > 0)", points, events)), Operator: operator, Value: u.decimal(target),
	}
	u.note(query, "each minute is checked by the ratio of the slice that ends with it; one without events is left out")
}

// rawMetric is a ratio that somebody computed.
func (u *unit) rawMetric(method, metric, item field) {
	for _, name := range []string{"good", "bad", "total"} {
		if other := metric.at(name); other.exists() {
			u.fail(other, "there is raw too: remove one of them")
			return
		}
	}
	u.drop(metric.at("counter"), "it says nothing with raw")
	kind := metric.at("rawType")
	if text := kind.text(); text != "success" && text != "failure" {
		u.fail(kind, "write success or failure")
		return
	}
	query := u.metricSource(metric.at("raw"))
	if method.peek() == timeslices {
		u.rawSlices(query, item, kind.peek() == "failure")
	} else {
		u.drop(item.at("timeSliceTarget"), "it says nothing with budgetingMethod %s", method.peek())
		u.measured(query, kind.peek() == "failure")
	}
	u.slices(method, item)
}

// rawSlices checks a ratio once a minute.
func (u *unit) rawSlices(query, item field, failures bool) {
	q, ok := u.queryOf(query)
	target := item.at("timeSliceTarget")
	if !target.exists() {
		u.fail(target, "it is required with budgetingMethod %s: write the ratio of a good slice", timeslices)
	}
	if !ok || !target.exists() {
		return
	}
	text := strings.ReplaceAll(q.overInterval(), interval, "5m")
	if failures {
		text = "1 - (" + text + ")"
	}
	u.drop(item.at("op"), "a slice is good when its ratio is at least timeSliceTarget")
	u.objective.Spec.Indicator.State = &v1alpha1.StateIndicator{
		Query: v1alpha1.PromQL(text), Operator: v1alpha1.OperatorGreaterThanOrEqual, Value: u.decimal(target),
	}
}

// metricSource sets the source of the objective and gives the field of the query.
func (u *unit) metricSource(metric field) field {
	source := metric.at("metricSource")
	if alpha := metric.at("source"); alpha.exists() || metric.at("queryType").exists() {
		u.typed(alpha)
		if kind := metric.at("queryType"); !strings.EqualFold(kind.text(), "promql") {
			u.fail(kind, "write a query in promql")
		}
		return metric.at("query")
	}
	ref := source.at("metricSourceRef")
	if kind := source.at("type"); kind.exists() {
		u.typed(kind)
	} else if !ref.exists() {
		u.fail(kind, "it is required without a metricSourceRef: write Prometheus")
	}
	if ref.exists() {
		u.refer(ref)
	}
	spec := source.at("spec")
	for _, name := range []string{"promql", "expr"} {
		if spec.at(name).exists() && !spec.at("query").exists() {
			return spec.at(name)
		}
	}
	return spec.at("query")
}

// typed checks that a source answers as Prometheus does.
func (u *unit) typed(kind field) {
	if !compatible[strings.ToLower(kind.text())] {
		u.fail(kind, "the operator reads from servers that answer as Prometheus does, and from no others: record the metric there")
	}
}

// refer sets the source by name.
func (u *unit) refer(ref field) {
	name := v1alpha1.Name(dashed(ref.text(), 253, "."))
	if u.referred && u.objective.Spec.SourceRef.Name != name {
		u.fail(ref, "an objective has one source, and there is %s too: record the metrics in one of them", u.objective.Spec.SourceRef.Name)
		return
	}
	u.referred = true
	u.objective.Spec.SourceRef = &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: name}
	if _, ok := u.find(kindDataSource, ref); !ok {
		u.note(ref, "no DataSource of this name is among the documents: create a MetricSource %q", name)
	}
}
