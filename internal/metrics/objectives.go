package metrics

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"

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
	tierDesc       = objectiveDesc("tier_burning", "Whether an alert tier burns: 1 if its long and its short window do and enough events are bad, else 0; only of objectives that no ruler records.", "severity", "window")
	dataDesc       = objectiveDesc("last_data_timestamp_seconds", "End of the last minute that has data, in Unix seconds.")
	absentDesc     = objectiveDesc("data_absent_seconds", "How old the last data may be before somebody hears of it, at the last evaluation; only of objectives that no ruler records.")
	rawDesc        = objectiveDesc("raw_attainment_ratio", "What the attainment would be with every minute; only where exclusions leave some out.")
	excludedDesc   = objectiveDesc("excluded_ratio", "Share of the window's minutes that exclusions leave out, between 0 and 1; only where they leave some out.")
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
		attainmentDesc, targetDesc, budgetDesc, metDesc, eventsDesc, burnDesc, coverageDesc, tierDesc,
		dataDesc, absentDesc, evaluatedDesc, rawDesc, excludedDesc,
	} {
		descs <- d
	}
	describeSegments(descs)
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

// fixed is the number of series that an objective has beside its burn rates
// and tiers.
const fixed = 11

func seriesOf(p *compile.Plan, v evaluate.Verdict) []series {
	labels := pairs(objectiveLabels, p.Key.Namespace, p.Key.Name, p.Perspective, p.Service, p.Touchpoint)
	all := make([]series, 0, fixed+len(v.Burns)+len(v.Tiers)+len(v.Segments)*segmentSeriesEach)
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
	add(evaluatedDesc, seconds(v.At))
	add(dataDesc, seconds(v.LastData))
	add(absentDesc, absent(p, v))
	if v.Raw != nil {
		add(rawDesc, v.Raw.Attainment)
		add(excludedDesc, v.Excluded)
	}
	for _, b := range v.Burns {
		window := pairs([]string{"window"}, slo.FormatDuration(b.Window))
		all = append(all, series{desc: burnDesc, labels: slices.Concat(labels, window), value: b.Rate})
	}
	return append(append(all, tierSeries(p, v, labels)...), segmentSeries(v, labels)...)
}

// severities are what alerts call them.
var severities = map[slo.Severity]string{slo.Page: "critical", slo.Ticket: "warning"}

// tierSeries is what the tiers of an objective come to that no ruler watches;
// where one does, these would have its alerts fire a second time. Tiers of short
// windows can differ by their factors alone: they are one series, and it burns
// when one of them does.
func tierSeries(p *compile.Plan, v evaluate.Verdict, labels []*dto.LabelPair) []series {
	if p.Ruled {
		return nil
	}
	type kind struct {
		severity slo.Severity
		long     time.Duration
	}
	seen := map[kind]int{}
	out := make([]series, 0, len(v.Tiers))
	for _, state := range v.Tiers {
		k := kind{state.Tier.Severity, state.Tier.Long}
		at, known := seen[k]
		if !known {
			at = len(out)
			seen[k] = at
			which := pairs([]string{"severity", "window"}, severities[k.severity], slo.FormatDuration(k.long))
			out = append(out, series{desc: tierDesc, labels: ordered(labels, which), value: 0})
		}
		if state.Burning {
			out[at].value = 1
		}
	}
	return out
}

// seconds is NaN for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return math.NaN()
	}
	return float64(t.UnixMilli()) / 1000
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

// ordered puts further labels where a registry wants them.
func ordered(labels, more []*dto.LabelPair) []*dto.LabelPair {
	out := slices.Concat(labels, more)
	slices.SortFunc(out, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out
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
