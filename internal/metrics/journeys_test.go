package metrics

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
)

var order = types.NamespacedName{Namespace: "shop", Name: "order"}

func known(verdict v1alpha1.JourneyVerdict) evaluate.JourneyOutcome {
	return evaluate.JourneyOutcome{
		Verdict: verdict, UX: 0.8, CX: 0.9, Budget: -0.25,
		Stages: []evaluate.StageOutcome{{Name: "web", Score: 0.9}, {Name: "phone", Score: 1}},
	}
}

func notKnown() evaluate.JourneyOutcome {
	nan := math.NaN()
	csat := evaluate.JourneyMember{Name: "csat"}
	return evaluate.JourneyOutcome{
		Verdict: v1alpha1.JourneyUnknown, UX: nan, CX: nan, Budget: nan, Completion: &evaluate.JourneyMember{Name: "orders"},
		Stages: []evaluate.StageOutcome{{Name: "web", Score: nan, Unknown: []evaluate.JourneyMember{csat}}, {Name: "phone", Score: nan, Unknown: []evaluate.JourneyMember{csat}}},
	}
}

func TestJourney(t *testing.T) {
	const labels = `journey="order",namespace="shop"`
	whole := func(met, broken int) []string {
		return []string{
			fmt.Sprintf("experience_journey_broken{%s} %d", labels, broken),
			"experience_journey_budget_remaining_ratio{" + labels + "} -0.25",
			fmt.Sprintf("experience_journey_met{%s} %d", labels, met),
			"experience_journey_score_ratio{" + labels + `,perspective="CX"} 0.9`,
			"experience_journey_score_ratio{" + labels + `,perspective="UX"} 0.8`,
			"experience_journey_stage_score_ratio{" + labels + `,stage="phone"} 1`,
			"experience_journey_stage_score_ratio{" + labels + `,stage="web"} 0.9`,
			"experience_journey_unknown_objectives{" + labels + "} 0",
		}
	}
	cases := map[string]struct {
		reason string
		record func(*Recorder)
		want   []string
	}{
		"Holding":  {"every figure has a series", func(r *Recorder) { r.Journey(order, known(v1alpha1.JourneyHolding)) }, whole(1, 0)},
		"Degraded": {"neither held nor broken", func(r *Recorder) { r.Journey(order, known(v1alpha1.JourneyDegraded)) }, whole(0, 0)},
		"Broken":   {"and one that is", func(r *Recorder) { r.Journey(order, known(v1alpha1.JourneyBroken)) }, whole(0, 1)},
		"Unknown": {"what is not known has none, and nothing of before stays", func(r *Recorder) {
			r.Journey(order, known(v1alpha1.JourneyBroken))
			r.Journey(order, notKnown())
		}, []string{"experience_journey_unknown_objectives{" + labels + "} 2"}},
		"Forgotten": {"series go with the journey", func(r *Recorder) {
			r.Journey(order, known(v1alpha1.JourneyBroken))
			r.ForgetJourney(order)
			r.ForgetJourney(order)
		}, []string{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewPedanticRegistry()
			tc.record(New(reg))
			if diff := cmp.Diff(tc.want, exposition(t, reg)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
