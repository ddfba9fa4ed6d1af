package metrics

import (
	"math"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// objectiveLabels identify an objective; recorded deltas and alerts carry the
// same ones, so that they join. They are in the order in which a registry wants
// them.
var objectiveLabels = []string{"namespace", "objective", "perspective", "service", "touchpoint"}

var (
	attainmentDesc = objectiveDesc("attainment_ratio", "Points earned over events in the objective's window, between 0 and 1.")
	targetDesc     = objectiveDesc("target_ratio", "What is promised, as points over events between 0 and 1.")
	budgetDesc     = objectiveDesc("budget_remaining_ratio", "Share of the error budget that is left; negative when overspent.")
	metDesc        = objectiveDesc("met", "Whether the promise holds: 1 if it does, 0 if not, no series while that is not known.")
	eventsDesc     = objectiveDesc("events", "Events counted in the objective's window.")
	burnDesc       = objectiveDesc("burn_rate", "How fast the error budget burns over the window in the label; at 1 it lasts exactly as long as the objective's window.", "window")
	coverageDesc   = objectiveDesc("coverage_ratio", "Share of the window's minutes that have data, between 0 and 1.")
	evaluatedDesc  = objectiveDesc("last_evaluation_timestamp_seconds", "Time of the last evaluation that had an answer, in Unix seconds.")
)

func objectiveDesc(name, help string, more ...string) *prometheus.Desc {
	labels := slices.Concat(objectiveLabels, more)
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "objective", name), help, labels, nil)
}

// objectives collects the series of all objectives.
type objectives struct {
	mutex sync.RWMutex
	// series of an objective are replaced as a whole and never written to, so
	// that a scrape reads them without holding the mutex.
	series map[types.NamespacedName][]series
}

func newObjectives() *objectives {
	return &objectives{series: map[types.NamespacedName][]series{}}
}

// Describe implements prometheus.Collector.
func (o *objectives) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		attainmentDesc, targetDesc, budgetDesc, metDesc, eventsDesc, burnDesc, coverageDesc, evaluatedDesc,
	} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (o *objectives) Collect(metrics chan<- prometheus.Metric) {
	for _, all := range o.snapshot() {
		for i := range all {
			metrics <- &all[i]
		}
	}
}

func (o *objectives) snapshot() [][]series {
	o.mutex.RLock()
	defer o.mutex.RUnlock()
	out := make([][]series, 0, len(o.series))
	for _, all := range o.series {
		out = append(out, all)
	}
	return out
}

func (o *objectives) put(p *compile.Plan, v evaluate.Verdict) {
	all := seriesOf(p, v)
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.series[p.Key] = all
}

func (o *objectives) forget(key types.NamespacedName) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	delete(o.series, key)
}

// fixed is the number of series that an objective has beside its burn rates.
const fixed = 7

func seriesOf(p *compile.Plan, v evaluate.Verdict) []series {
	labels := pairs(objectiveLabels, p.Key.Namespace, p.Key.Name, p.Perspective, p.Service, p.Touchpoint)
	all := make([]series, 0, fixed+len(v.Burns))
	add := func(desc *prometheus.Desc, value float64) {
		if !math.IsNaN(value) {
			all = append(all, series{desc: desc, labels: labels, value: value})
		}
	}
	add(attainmentDesc, v.Attainment)
	add(targetDesc, v.Target)
	add(budgetDesc, v.BudgetRemaining)
	add(metDesc, met(v.Outcome))
	add(eventsDesc, v.Events)
	add(coverageDesc, v.Coverage)
	add(evaluatedDesc, float64(v.At.UnixMilli())/1000)
	for _, b := range v.Burns {
		window := pairs([]string{"window"}, slo.FormatDuration(b.Window))
		all = append(all, series{desc: burnDesc, labels: slices.Concat(labels, window), value: b.Rate})
	}
	return all
}

// met is NaN while it is not known whether the promise holds.
func met(o evaluate.Outcome) float64 {
	switch o {
	case evaluate.Met:
		return 1
	case evaluate.Missed:
		return 0
	default:
		return math.NaN()
	}
}

func pairs(names []string, values ...string) []*dto.LabelPair {
	out := make([]*dto.LabelPair, len(names))
	for i := range names {
		out[i] = &dto.LabelPair{Name: &names[i], Value: &values[i]}
	}
	return out
}

// series is one gauge. A prometheus const metric would copy its labels.
type series struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

// Desc implements prometheus.Metric.
func (s *series) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *series) Write(out *dto.Metric) error {
	out.Label = s.labels
	out.Gauge = &dto.Gauge{Value: &s.value}
	return nil
}
