package metrics

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/source"
)

const many = 10_000

func manyPlans() []*compile.Plan {
	plans := make([]*compile.Plan, many)
	for i := range plans {
		plans[i] = plan(fmt.Sprintf("team-%d", i%100), fmt.Sprintf("objective-%d", i), "checkout", "UX", "web")
	}
	return plans
}

// fourBurns is a verdict with as many burn rates and tiers as an objective can have.
func fourBurns() evaluate.Verdict {
	v := whole()
	v.Burns = []evaluate.Burn{
		{Window: time.Hour, Rate: 0.5}, {Window: 6 * time.Hour, Rate: 0.6},
		{Window: 24 * time.Hour, Rate: 0.7}, {Window: 72 * time.Hour, Rate: 0.8},
	}
	v.Tiers = []evaluate.TierState{
		tier(slo.Page, time.Hour, false), tier(slo.Page, 6*time.Hour, false),
		tier(slo.Ticket, 24*time.Hour, false), tier(slo.Ticket, 72*time.Hour, false),
	}
	return v
}

func TestScrapeWhileRecording(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	r := New(reg)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 200 {
				p := plan("shop", fmt.Sprintf("objective-%d-%d", w, i%5), "checkout", "UX", "web")
				r.Objective(p, whole())
				r.Query(local, source.Observation{Duration: time.Millisecond})
				if i%7 == 0 {
					r.ForgetObjective(p.Key)
					r.ForgetSource(local)
				}
			}
		})
	}
	for range 50 {
		if _, err := reg.Gather(); err != nil {
			t.Fatalf("scrape: %v", err)
		}
	}
	writers.Wait()
	for w := range 4 {
		for i := range 5 {
			r.ForgetObjective(plan("shop", fmt.Sprintf("objective-%d-%d", w, i), "", "", "").Key)
		}
	}
	r.ForgetSource(local)
	if left := exposition(t, reg); len(left) != 0 {
		t.Errorf("series left after all objects went: %q", left)
	}
}

// BenchmarkRecord measures taking down one verdict each for 10,000 objectives.
func BenchmarkRecord(b *testing.B) {
	r := New(prometheus.NewRegistry())
	plans, v := manyPlans(), fourBurns()
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range plans {
			r.Objective(p, v)
		}
	}
	perObjective(b)
}

// BenchmarkCollect measures what the operator adds to a scrape of 10,000
// objectives, without the registry's and the encoder's own work.
func BenchmarkCollect(b *testing.B) {
	o := newObjectives()
	for _, p := range manyPlans() {
		o.put(p, fourBurns())
	}
	b.ReportAllocs()
	for b.Loop() {
		metrics := make(chan prometheus.Metric, 1024)
		go func() {
			o.Collect(metrics)
			close(metrics)
		}()
		for range metrics {
		}
	}
	perObjective(b)
}

// BenchmarkGather measures a whole scrape of 10,000 objectives before encoding.
func BenchmarkGather(b *testing.B) {
	reg := prometheus.NewRegistry()
	r := New(reg)
	for _, p := range manyPlans() {
		r.Objective(p, fourBurns())
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reg.Gather(); err != nil {
			b.Fatal(err)
		}
	}
	perObjective(b)
}

func perObjective(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/objective")
}
