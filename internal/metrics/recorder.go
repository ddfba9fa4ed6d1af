package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/source"
)

const namespace = "experience"

// sourceLabels identify a source. A ClusterMetricSource has an empty namespace.
var sourceLabels = []string{"kind", "namespace", "source"}

// queryBuckets reach to five minutes, the longest timeout a source may have.
var queryBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// Recorder takes down verdicts and observations and gives them to Prometheus.
// It is safe for concurrent use.
type Recorder struct {
	objectives *objectives
	journeys   *journeys

	queryDuration  *prometheus.HistogramVec
	queryErrors    *prometheus.CounterVec
	responseBytes  *prometheus.CounterVec
	tickQueries    *prometheus.GaugeVec
	tickObjectives *prometheus.GaugeVec
	tickDuration   *prometheus.GaugeVec
	rulesExpected  *prometheus.GaugeVec
	rulesLoaded    *prometheus.GaugeVec
}

// New returns a Recorder whose metrics are registered with reg. It panics when
// reg has metrics of the same names, which is a mistake in the program.
func New(reg prometheus.Registerer) *Recorder {
	r := &Recorder{
		objectives: newObjectives(),
		journeys:   &journeys{series: map[types.NamespacedName][]series{}},
		queryDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "source", Name: "query_duration_seconds", Buckets: queryBuckets,
			Help: "Time from the first byte of a query sent to its answer understood, or to its failure.",
		}, sourceLabels),
		queryErrors: counterVec("query_errors_total", "Queries that failed, by reason.", "reason"),
		responseBytes: counterVec("response_bytes_total",
			"Bytes of answers read."),
		tickQueries:    gaugeVec("tick_queries", "Queries of the last tick."),
		tickObjectives: gaugeVec("tick_objectives", "Objectives evaluated in the last tick."),
		tickDuration:   gaugeVec("tick_duration_seconds", "Time that the last tick took, queries and judgement together."),
		rulesExpected:  gaugeVec("rules_expected", "Objectives whose rules the source's ruler should have loaded."),
		rulesLoaded:    gaugeVec("rules_loaded", "Objectives whose rules the source's ruler has loaded: it recorded their last minutes."),
	}
	reg.MustRegister(r.objectives, r.journeys, r.queryDuration, r.queryErrors, r.responseBytes,
		r.tickQueries, r.tickObjectives, r.tickDuration, r.rulesExpected, r.rulesLoaded)
	return r
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	opts := prometheus.CounterOpts{Namespace: namespace, Subsystem: "source", Name: name, Help: help}
	return prometheus.NewCounterVec(opts, slices.Concat(sourceLabels, labels))
}

func gaugeVec(name, help string) *prometheus.GaugeVec {
	opts := prometheus.GaugeOpts{Namespace: namespace, Subsystem: "source", Name: name, Help: help}
	return prometheus.NewGaugeVec(opts, sourceLabels)
}

// Objective replaces all series of the objective that p is the plan of by what v
// says. Figures that v does not know (NaN, or an Unknown outcome) have no series,
// since 0 would be a lie.
func (r *Recorder) Objective(p *compile.Plan, v evaluate.Verdict) {
	r.objectives.put(p, v)
}

// ForgetObjective removes all series of an objective: it was deleted, suspended,
// or is no longer understood.
func (r *Recorder) ForgetObjective(key types.NamespacedName) {
	r.objectives.forget(key)
}

// Query takes down one query to a source.
func (r *Recorder) Query(key compile.SourceKey, o source.Observation) {
	kind, ns, name := string(key.Kind), key.Namespace, key.Name
	r.queryDuration.WithLabelValues(kind, ns, name).Observe(o.Duration.Seconds())
	r.responseBytes.WithLabelValues(kind, ns, name).Add(float64(o.Bytes))
	if o.Reason != "" {
		r.queryErrors.WithLabelValues(kind, ns, name, string(o.Reason)).Inc()
	}
}

// Tick takes down one tick of a source: the queries that it asked, the
// objectives that it evaluated and the time that it took.
func (r *Recorder) Tick(key compile.SourceKey, queries, objectives int, d time.Duration) {
	kind, ns, name := string(key.Kind), key.Namespace, key.Name
	r.tickQueries.WithLabelValues(kind, ns, name).Set(float64(queries))
	r.tickObjectives.WithLabelValues(kind, ns, name).Set(float64(objectives))
	r.tickDuration.WithLabelValues(kind, ns, name).Set(d.Seconds())
}

// Rules takes down of how many objectives a source's ruler should have loaded the
// rules, and of how many of these it has.
func (r *Recorder) Rules(key compile.SourceKey, expected, loaded int) {
	kind, ns, name := string(key.Kind), key.Namespace, key.Name
	r.rulesExpected.WithLabelValues(kind, ns, name).Set(float64(expected))
	r.rulesLoaded.WithLabelValues(kind, ns, name).Set(float64(loaded))
}

// ForgetRules removes what Rules took down: the source has no ruler any more, or
// nobody knows what it has loaded.
func (r *Recorder) ForgetRules(key compile.SourceKey) {
	kind, ns, name := string(key.Kind), key.Namespace, key.Name
	r.rulesExpected.DeleteLabelValues(kind, ns, name)
	r.rulesLoaded.DeleteLabelValues(kind, ns, name)
}

// ForgetSource removes all series of a source. Call it after the source's last
// query has ended, or that query brings some of them back.
func (r *Recorder) ForgetSource(key compile.SourceKey) {
	match := prometheus.Labels{"kind": string(key.Kind), "namespace": key.Namespace, "source": key.Name}
	r.queryDuration.DeletePartialMatch(match)
	r.queryErrors.DeletePartialMatch(match)
	r.responseBytes.DeletePartialMatch(match)
	r.tickQueries.DeletePartialMatch(match)
	r.tickObjectives.DeletePartialMatch(match)
	r.tickDuration.DeletePartialMatch(match)
	r.ForgetRules(key)
}
