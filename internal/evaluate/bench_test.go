package evaluate_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/promql"
)

// steady answers every query with ten events a step, nine of them good.
type steady struct{}

func (steady) Range(_ context.Context, _ string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	var out model.Matrix
	for lane, value := range map[string]float64{"events": 10, "good": 9, promql.LaneMinutes: step.Minutes(), promql.LaneChurn: 0} {
		stream := &model.SampleStream{Metric: model.Metric{promql.LaneLabel: model.LabelValue(lane)}}
		for at := start; !at.After(end); at = at.Add(step) {
			stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: model.SampleValue(value)})
		}
		out = append(out, stream)
	}
	return out, nil
}

// BenchmarkTenThousand prints what it takes to judge ten thousand 28-day
// objectives from the ledger on one core, and the memory that their books take.
func BenchmarkTenThousand(b *testing.B) {
	const objectives = 10_000
	now := time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC)
	books := ledger.New()
	plans := make([]*compile.Plan, objectives)
	accounts := make([]*ledger.Book, objectives)
	for i := range plans {
		plan, err := compile.Compile(compile.Input{Objective: anObjective(i), Source: &v1alpha1.MetricSourceSpec{}, Now: now})
		if err != nil {
			b.Fatal(err)
		}
		plans[i], accounts[i] = plan, books.Book(plan)
		if err := accounts[i].Refresh(context.Background(), steady{}, plan.Window.Span(now).Start, now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i, plan := range plans {
			if v := evaluate.Evaluate(plan, accounts[i], now); v.Outcome != evaluate.Met {
				b.Fatalf("outcome = %v, want met: %+v", v.Outcome, v)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/10000-objectives")
	b.ReportMetric(float64(books.Bytes())/objectives, "bytes/objective")
}

func anObjective(i int) *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: fmt.Sprintf("objective-%d", i)},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "shop", Perspective: v1alpha1.PerspectiveUX, Target: "75%",
			Indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "good_total", Total: "all_total"}},
			Window:    v1alpha1.Window{Rolling: "28d"},
		},
	}
}
