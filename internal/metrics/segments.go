package metrics

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/experience-slo/operator/internal/evaluate"
)

var (
	segmentAttainmentDesc = objectiveDesc("segment_attainment_ratio", "Points earned over events of a segment in the objective's window, between 0 and 1.", "segment")
	segmentBudgetDesc     = objectiveDesc("segment_budget_remaining_ratio", "Share of a segment's own error budget that is left; negative when overspent.", "segment")
	segmentEventsDesc     = objectiveDesc("segment_events", "Events of a segment counted in the objective's window.", "segment")
	segmentMetDesc        = objectiveDesc("segment_met", "Whether a segment attains the target: 1 if it does, 0 if not, no series while that is not known.", "segment")
)

// segmentSeriesEach is the number of series of a segment.
const segmentSeriesEach = 4

func describeSegments(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{segmentAttainmentDesc, segmentBudgetDesc, segmentEventsDesc, segmentMetDesc} {
		descs <- d
	}
}

// segmentSeries is what the segments of an objective come to. They are as many as
// the objective says, and replaced with its other series.
func segmentSeries(v evaluate.Verdict, labels []*dto.LabelPair) []series {
	var out []series
	for _, s := range v.Segments {
		own := ordered(labels, pairs([]string{"segment"}, s.Value))
		for _, one := range []struct {
			desc  *prometheus.Desc
			value float64
		}{
			{segmentAttainmentDesc, s.Attainment}, {segmentBudgetDesc, s.BudgetRemaining},
			{segmentEventsDesc, s.Events}, {segmentMetDesc, met(s.Outcome)},
		} {
			if !math.IsNaN(one.value) {
				out = append(out, series{desc: one.desc, labels: own, value: one.value})
			}
		}
	}
	return out
}
