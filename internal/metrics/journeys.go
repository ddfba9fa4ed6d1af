package metrics

import (
	"math"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
)

// journeyLabels identify a journey.
var journeyLabels = []string{"journey", "namespace"}

var (
	journeyMetDesc     = journeyDesc("met", "Whether the journey holds: 1 if it does, 0 if it is degraded or broken, no series while that is not known.")
	journeyBrokenDesc  = journeyDesc("broken", "Whether the journey is broken: 1 if it is, 0 if it holds or is degraded, no series while that is not known.")
	journeyScoreDesc   = journeyDesc("score_ratio", "How much of what was promised along the journey is kept, between 0 and 1: of the product (UX), and of everything (CX).", "perspective")
	journeyBudgetDesc  = journeyDesc("budget_remaining_ratio", "Least share of an error budget that is left of the objectives that count; negative when overspent.")
	journeyUnknownDesc = journeyDesc("unknown_objectives", "Objectives of the journey that say nothing at present.")
	stageScoreDesc     = journeyDesc("stage_score_ratio", "How much of what was promised at the stage is kept, between 0 and 1, with what recovery gives back.", "stage")
)

func journeyDesc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "journey", name), help, slices.Concat(journeyLabels, more), nil)
}

// journeys collects the series of all journeys.
type journeys struct {
	mutex  sync.RWMutex
	series map[types.NamespacedName][]series
}

// Describe implements prometheus.Collector.
func (j *journeys) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{journeyMetDesc, journeyBrokenDesc, journeyScoreDesc, journeyBudgetDesc, journeyUnknownDesc, stageScoreDesc} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (j *journeys) Collect(metrics chan<- prometheus.Metric) {
	j.mutex.RLock()
	var all []series
	for _, of := range j.series {
		all = append(all, of...)
	}
	j.mutex.RUnlock()
	for i := range all {
		metrics <- &all[i]
	}
}

// Journey replaces all series of a journey by what o says.
func (r *Recorder) Journey(key types.NamespacedName, o evaluate.JourneyOutcome) {
	all := journeySeries(key, o)
	r.journeys.mutex.Lock()
	defer r.journeys.mutex.Unlock()
	r.journeys.series[key] = all
}

// ForgetJourney removes all series of a journey: it was deleted, or is no longer
// understood.
func (r *Recorder) ForgetJourney(key types.NamespacedName) {
	r.journeys.mutex.Lock()
	defer r.journeys.mutex.Unlock()
	delete(r.journeys.series, key)
}

func journeySeries(key types.NamespacedName, o evaluate.JourneyOutcome) []series {
	labels := pairs(journeyLabels, key.Name, key.Namespace)
	var all []series
	add := func(desc *prometheus.Desc, value float64, more ...*dto.LabelPair) {
		if !math.IsNaN(value) {
			all = append(all, series{desc: desc, labels: ordered(labels, more), value: value})
		}
	}
	holds, breaks := journeyFlags(o.Verdict)
	add(journeyMetDesc, holds)
	add(journeyBrokenDesc, breaks)
	add(journeyScoreDesc, o.UX, pairs([]string{"perspective"}, string(v1alpha1.PerspectiveUX))...)
	add(journeyScoreDesc, o.CX, pairs([]string{"perspective"}, string(v1alpha1.PerspectiveCX))...)
	add(journeyBudgetDesc, o.Budget)
	add(journeyUnknownDesc, float64(o.UnknownObjectives()))
	for i := range o.Stages {
		add(stageScoreDesc, o.Stages[i].Score, pairs([]string{"stage"}, string(o.Stages[i].Name))...)
	}
	return all
}

// journeyFlags are NaN while the verdict is not known.
func journeyFlags(v v1alpha1.JourneyVerdict) (holds, breaks float64) {
	switch v {
	case v1alpha1.JourneyHolding:
		return 1, 0
	case v1alpha1.JourneyDegraded:
		return 0, 0
	case v1alpha1.JourneyBroken:
		return 0, 1
	default:
		return math.NaN(), math.NaN()
	}
}
