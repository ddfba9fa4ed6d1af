package convert

import (
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
)

const (
	pyrraVersion = "pyrra.dev/v1alpha1"
	pyrraKind    = "ServiceLevelObjective"
	// pyrraPrefix begins the labels and annotations that Pyrra hands on to alerts.
	pyrraPrefix = "pyrra.dev/"
	appName     = "app.kubernetes.io/name"
)

func (s *session) pyrra(objects []field) {
	for _, root := range objects {
		if root.at("apiVersion").peek() != pyrraVersion || root.at("kind").peek() != pyrraKind {
			s.skip(root)
			continue
		}
		root.at("apiVersion").claim()
		root.at("kind").claim()
		s.pyrraObjective(root)
	}
}

func (s *session) pyrraObjective(root field) {
	s.served(root)
	u := s.begin(root)
	metadata, spec := root.at("metadata"), root.at("spec")
	name := metadata.at("name")
	if name.text() == "" {
		u.fail(name, "it is required: write the name of the objective")
	}
	u.place(metadata, s.called(name, name.text()))
	labels, annotations := u.pyrraMetadata(metadata)
	u.pyrraService(metadata)
	u.describe(spec.at("description"))
	u.promise(spec.at("target"), 1)
	u.prometheusWindow(spec.at("window"))
	u.pyrraIndicator(spec.at("indicator"))
	u.pyrraAlerting(spec.at("alerting"), labels, annotations)
	s.drop(spec.at("partial_response_strategy"), "it belongs to the source: set rules.partialResponseStrategy of the MetricSource")
	s.drop(spec.at("performanceOverAccuracy"), "the operator reads each minute once, whatever the window: nothing to do")
	s.drop(spec.at("ruleOutput").at("enableDescriptionAsLabel"), "a description is an annotation of alerts here: nothing to do")
	s.drop(spec.at("ruleOutput"), "labels of rule objects belong to the source: set rules.objectLabels of the MetricSource")
	u.finish()
}

// pyrraMetadata gives what alerts carry, and keeps the rest on the objective.
func (u *unit) pyrraMetadata(metadata field) (labels, annotations []carried) {
	var forLabels, forAnnotations []entry
	for _, e := range metadata.at("labels").entries() {
		short, handed := strings.CutPrefix(e.key, pyrraPrefix)
		switch {
		case handed && short == "service":
		case handed:
			forLabels = append(forLabels, entry{short, e.field})
		default:
			u.keep(&u.objective.Labels, e)
		}
	}
	for _, e := range metadata.at("annotations").entries() {
		short, handed := strings.CutPrefix(e.key, pyrraPrefix)
		switch {
		case handed:
			forAnnotations = append(forAnnotations, entry{short, e.field})
		case e.key != lastApplied:
			u.keep(&u.objective.Annotations, e)
		}
	}
	return u.labelsOf(forLabels), u.annotationsOf(forAnnotations)
}

// keep copies a label or an annotation of an object.
func (u *unit) keep(to *map[string]string, e entry) {
	if !e.scalar() {
		return // it is told when nobody claims it
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[e.key] = e.text()
}

// pyrraService finds the service, which Pyrra does not know.
func (u *unit) pyrraService(metadata field) {
	labels := metadata.at("labels")
	for _, f := range []field{labels.at(pyrraPrefix + "service"), labels.at(appName)} {
		if text := f.text(); text != "" {
			u.serve(f, text)
			u.note(f, "it becomes the service")
			return
		}
	}
	if u.Service != "" {
		u.objective.Spec.Service = u.Service
		return
	}
	name := metadata.at("name")
	u.serve(name, name.text())
	u.note(name, "it becomes the service too, for Pyrra knows none: --service, or a label %sservice, says another", pyrraPrefix)
}

func (u *unit) pyrraIndicator(indicator field) {
	kinds := map[string]func(field){
		"ratio": u.pyrraRatio, "latency": u.pyrraLatency, "latencyNative": u.pyrraNative, "bool_gauge": u.pyrraGauge,
	}
	found := ""
	for _, name := range []string{"ratio", "latency", "latencyNative", "bool_gauge"} {
		f := indicator.at(name)
		switch {
		case !f.exists():
		case found != "":
			u.fail(f, "there is %s too: remove one of them", found)
		default:
			found = name
			kinds[name](f)
			u.drop(f.at("grouping"), "all groups are counted together: write an objective for each, with a matcher for its group, to have them apart")
		}
	}
	if found == "" {
		u.fail(indicator, "there is none of ratio, latency, latencyNative and bool_gauge: write one")
	}
}

// pyrraRatio has two of errors, total and success.
func (u *unit) pyrraRatio(f field) {
	bad, total, good := f.at("errors").at("metric"), f.at("total").at("metric"), f.at("success").at("metric")
	switch {
	case bad.exists() && total.exists() && good.exists():
		u.fail(good, "there are errors and total too: remove one of them")
	case bad.exists() && good.exists():
		u.pyrraGoodAndBad(good, bad)
	case good.exists():
		if r, ok := u.ratioOf(good, total, false); ok {
			u.pyrraCount(good, r)
		}
	default:
		if r, ok := u.ratioOf(bad, total, true); ok {
			u.pyrraCount(bad, r)
		}
	}
}

// pyrraGoodAndBad adds up the total, which is not given.
func (u *unit) pyrraGoodAndBad(good, bad field) {
	g, okG := u.queryOf(good)
	b, okB := u.queryOf(bad)
	if !okG || !okB {
		return
	}
	r := newRatio(g, b, false)
	r.totalSum = r.totalSum.plus(r.partSum)
	u.pyrraCount(good, r)
}

// pyrraCount counts selectors: Pyrra takes nothing else.
func (u *unit) pyrraCount(f field, r ratio) {
	if !r.sums || r.partSum.function != "" || r.totalSum.function != "" {
		u.fail(f, "it, or the metric beside it, is no plain selector of a counter: write one such as requests_total{code=~\"5..\"}, without an offset")
		return
	}
	u.count(f, r)
}

func (u *unit) pyrraLatency(f field) {
	good := f.at("success").at("metric")
	if r, ok := u.ratioOf(good, f.at("total").at("metric"), false); ok {
		u.pyrraCount(good, r)
	}
}

func (u *unit) pyrraNative(f field) {
	metric, latency := f.at("total").at("metric"), f.at("latency")
	length, err := model.ParseDuration(latency.text())
	if err != nil || length <= 0 {
		u.fail(latency, "it is no duration: write one such as 500ms")
		return
	}
	if selector, ok := u.selectorOf(metric); ok {
		u.objective.Spec.Indicator.Distribution = &v1alpha1.DistributionIndicator{
			Histogram: v1alpha1.Selector(selector), Format: v1alpha1.HistogramFormatNative, Threshold: seconds(length),
		}
	}
}

// selectorOf is the plain selector at a field.
func (u *unit) selectorOf(f field) (string, bool) {
	q, ok := u.queryOf(f)
	if !ok {
		return "", false
	}
	selector, plain := q.expr.(*parser.VectorSelector)
	if plain {
		if _, err := promql.ParseSelector(selector.String()); err == nil {
			return selector.String(), true
		}
	}
	u.fail(f, "it is no plain selector: write one such as requests_seconds{app=\"shop\"}, without an offset")
	return "", false
}

// pyrraGauge counts samples, as Pyrra does: each is an event, and one that is 1
// earns a point.
func (u *unit) pyrraGauge(f field) {
	metric := f.at("metric")
	selector, ok := u.selectorOf(metric)
	if !ok {
		return
	}
	u.objective.Spec.Indicator.Queries = &v1alpha1.QueriesIndicator{
		Points: v1alpha1.PromQL("sum(sum_over_time(" + selector + "[" + interval + "]))"),
		Events: v1alpha1.PromQL("sum(count_over_time(" + selector + "[" + interval + "]))"),
	}
	u.note(metric, "each sample of each series is an event, as in Pyrra; an indicator of kind state makes each minute one, bad where any series is 0")
}
