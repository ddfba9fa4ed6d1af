package controllers_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// BenchmarkFirstVerdict prints the time from the creation of a 28-day objective
// over three pods scraped every 15 s to its first verdict, one at a time, on a
// running operator.
func BenchmarkFirstVerdict(b *testing.B) {
	startOperator(b)
	ns := namespace(b, "first-verdict")
	create(b, aSource(ns, env.prom.URL))
	settledOne := anObjective(ns, "warm-up")
	create(b, settledOne)
	settled(b, settledOne, v1alpha1.ReasonTargetMet)
	var took []time.Duration
	for i := range 20 * b.N {
		o := anObjective(ns, fmt.Sprintf("page-speed-%d", i))
		began := time.Now()
		create(b, o)
		settled(b, o, v1alpha1.ReasonTargetMet)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "median-ms")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "worst-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkIdleMinutes prints what ten minutes cost in which the data of a
// thousand objectives does not change.
func BenchmarkIdleMinutes(b *testing.B) {
	const objectives, minutes = 1000, 10
	op := startOperator(b)
	ns := namespace(b, "idle")
	create(b, aSource(ns, idlePrometheus(b)))
	var last *v1alpha1.Objective
	for i := range objectives {
		last = anObjective(ns, fmt.Sprintf("idle-%d", i), indicator(v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
			Good: `orders_good_total{job="shop"}`, Total: `orders_total{job="shop"}`,
		}}))
		create(b, last)
	}
	awaitWithin(b, 5*patience, last, "an attainment", func(o *v1alpha1.Objective) bool { return o.Status.Attainment != "" })
	op.round(b, objectives)
	writes := operatorWrites(b)
	var queries float64
	began := time.Now()
	for range minutes {
		queries = op.round(b, objectives)
	}
	b.ReportMetric(float64(operatorWrites(b)-writes), "api-writes/10min")
	b.ReportMetric(queries, "queries/tick")
	b.ReportMetric(queries/objectives, "queries/objective")
	b.ReportMetric(time.Since(began).Seconds()/minutes, "s/tick")
	b.ReportMetric(0, "ns/op")
}

// round puts the clock a minute forward, waits until the tick that is due has
// evaluated the objectives, and gives the number of its queries.
func (op *operator) round(tb testing.TB, objectives int) float64 {
	tb.Helper()
	before := op.sum(tb, "experience_source_query_duration_seconds")
	op.clock.forward(time.Minute)
	deadline := time.Now().Add(5 * patience)
	for {
		asked := op.sum(tb, "experience_source_query_duration_seconds") - before
		if asked >= float64(objectives) && op.sum(tb, "experience_source_tick_queries") > 0 {
			// What a tick asks beyond its objectives comes before them.
			return asked
		}
		if time.Now().After(deadline) {
			tb.Fatalf("a tick asked %.0f queries within %s, want %d", asked, 5*patience, objectives)
		}
		time.Sleep(time.Second) // gathering the metrics of all objectives costs
	}
}

// sum adds up a metric of the operator: the counts of a histogram, the values of
// a gauge or counter.
func (op *operator) sum(tb testing.TB, name string) float64 {
	tb.Helper()
	families, err := op.registry.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	total := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			total += valueOf(family.GetType(), m)
		}
	}
	return total
}

func valueOf(kind dto.MetricType, m *dto.Metric) float64 {
	switch kind {
	case dto.MetricType_HISTOGRAM:
		return float64(m.GetHistogram().GetSampleCount())
	case dto.MetricType_COUNTER:
		return m.GetCounter().GetValue()
	default:
		return m.GetGauge().GetValue()
	}
}

// operatorWrites counts the API writes that the operator made so far.
func operatorWrites(tb testing.TB) int {
	tb.Helper()
	n := 0
	for _, of := range writtenResources(tb) {
		n += of
	}
	return n
}

// writtenResources counts the operator's writes by what was written.
func writtenResources(tb testing.TB) map[string]int {
	tb.Helper()
	events, err := parts.ReadAudit(env.plane.AuditLog)
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]int{}
	for i := range events {
		if events[i].ImpersonatedUser.Name == operatorUser && events[i].Writes() {
			out[events[i].Object.Resource]++
		}
	}
	return out
}

// idlePrometheus starts a Prometheus with counters that were there for longer
// than the window is, moved from twenty to four days ago, and stand still until
// half an hour from now: neither end of a window that moves changes a figure.
func idlePrometheus(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := writeIdle(filepath.Join(dir, "data"), time.Now().Truncate(time.Minute)); err != nil {
		tb.Fatal(err)
	}
	prom, err := parts.StartPrometheus(context.Background(), parts.PrometheusOptions{Dir: dir, ScrapeInterval: time.Minute})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := prom.Stop(); err != nil {
			tb.Errorf("stop Prometheus: %v", err)
		}
	})
	return prom.URL
}

func writeIdle(dir string, now time.Time) error {
	const days = 30
	w, err := tsdb.NewBlockWriter(promslog.NewNopLogger(), dir, (days+1)*24*time.Hour.Milliseconds())
	if err != nil {
		return err
	}
	app := w.Appender(context.Background())
	count := 0.0
	for at := now.AddDate(0, 0, -days); at.Before(now.Add(30 * time.Minute)); at = at.Add(time.Minute) {
		if at.After(now.AddDate(0, 0, -20)) && at.Before(now.AddDate(0, 0, -4)) {
			count++
		}
		for name, value := range map[string]float64{
			"orders_total": 10 * count, "orders_good_total": 9 * count, "up": 1,
			"process_start_time_seconds": float64(now.AddDate(0, 0, -days-1).Unix()),
		} {
			series := labels.FromStrings("__name__", name, "job", "shop", "instance", "a")
			if _, err := app.Append(0, series, at.UnixMilli(), value); err != nil {
				return err
			}
		}
	}
	if err := app.Commit(); err != nil {
		return err
	}
	if _, err := w.Flush(context.Background()); err != nil {
		return err
	}
	return w.Close()
}
