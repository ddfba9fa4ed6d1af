package rules_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
)

// BenchmarkCost prints how many samples Prometheus reads each minute for a
// latency objective over three pods scraped every 15 s, with a window of 28
// days, by the engine's own statistics: for all rules of the objective, for the
// question that the operator asks each minute, and for what the usual tools
// evaluate on the same data: the error ratio over each window of an alert and
// over 28 days, from raw data.
func BenchmarkCost(b *testing.B) {
	store, end := fourWeeks(b)
	o := objective(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
		Histogram: `page_seconds{job="shop"}`, Threshold: "2.5",
	}}, "99.9%")
	plan := planOf(b, o, &v1alpha1.MetricSourceSpec{Rules: v1alpha1.Rules{Output: v1alpha1.RulesOutputConfigMap}})
	groups, err := rules.Groups(plan, rules.Settings{Prefix: "experience"})
	if err != nil {
		b.Fatal(err)
	}
	recordDays(b, store, plan, groups, end)
	for b.Loop() {
		ours, perRule := ruleCost(b, store, groups, end)
		asked := cost(b, store, func() error {
			_, err := store.Samples(context.Background(), promql.RecordedMinutes(1, plan.Recipe.Identity), end.Add(time.Minute-time.Millisecond))
			return err
		})
		usual := usualCost(b, store, end)
		b.ReportMetric(ours, "samples/min")
		b.ReportMetric(perRule, "delta-rules-samples/min")
		b.ReportMetric(asked, "operator-samples/min")
		b.ReportMetric(usual, "usual-samples/min")
		b.ReportMetric(usual/(ours+asked), "usual/ours")
	}
	b.ReportMetric(0, "ns/op")
}

// fourWeeks is three pods that are replaced every day.
func fourWeeks(b *testing.B) (*ledgertest.Store, time.Time) {
	b.Helper()
	const days, pods = 28, 3
	var incidents []ledgertest.Incident
	for d := range days {
		for slot := range pods {
			incidents = append(incidents, ledgertest.Incident{
				Kind: ledgertest.Replace, Slot: slot, At: time.Duration(d)*24*time.Hour + 11*time.Hour + time.Duration(slot)*time.Minute, For: 10 * time.Second,
			})
		}
	}
	world := ledgertest.New(ledgertest.Config{
		Seed: 1, Start: begin, Length: days*24*time.Hour + 10*time.Minute, Scrape: 15 * time.Second, Slots: pods,
		Signals: []ledgertest.Signal{ledgertest.Pages}, Incidents: incidents,
	})
	store, err := ledgertest.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	if err := store.Write(world); err != nil {
		b.Fatal(err)
	}
	return store, world.End().Truncate(time.Minute)
}

// recordDays records the last days, over which the longest window of an alert
// reaches: what a ruler would have in its store.
func recordDays(b *testing.B, store *ledgertest.Store, plan *compile.Plan, groups []monitoringv1.RuleGroup, end time.Time) {
	b.Helper()
	for _, g := range groups {
		step, err := model.ParseDuration(string(*g.Interval))
		if err != nil {
			b.Fatal(err)
		}
		for i := range g.Rules {
			if r := &g.Rules[i]; r.Record != "" {
				recordRule(b, store, r, end, time.Duration(step))
			}
		}
	}
	minutes := "count_over_time(" + promql.Recorded(promql.RecordedEvents, plan.Recipe.Identity) + "[3d])"
	if n, err := store.Value(context.Background(), minutes, end); err != nil || n != 3*24*60 {
		b.Fatalf("recorded minutes in three days: %v, %v: want all, or the costs are too small", n, err)
	}
}

func recordRule(b *testing.B, store *ledgertest.Store, r *monitoringv1.Rule, end time.Time, step time.Duration) {
	b.Helper()
	matrix, err := store.Range(context.Background(), r.Expr.StrVal, end.AddDate(0, 0, -4), end, step)
	if err != nil {
		b.Fatal(err)
	}
	pairs := []string{model.MetricNameLabel, r.Record}
	for name, value := range r.Labels {
		pairs = append(pairs, name, value)
	}
	for _, stream := range matrix {
		for _, v := range stream.Values {
			if err := store.Put(v.Timestamp.Time(), float64(v.Value), pairs...); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// ruleCost adds up what each rule reads, in the share of a minute that its
// group's interval is, and apart what the rules over raw data read.
func ruleCost(b *testing.B, store *ledgertest.Store, groups []monitoringv1.RuleGroup, end time.Time) (all, deltas float64) {
	b.Helper()
	for _, g := range groups {
		interval, err := model.ParseDuration(string(*g.Interval))
		if err != nil {
			b.Fatal(err)
		}
		for i := range g.Rules {
			r := &g.Rules[i]
			read := costOf(b, store, r.Expr.StrVal, end) / time.Duration(interval).Minutes()
			all += read
			switch r.Record {
			case promql.RecordedEvents, promql.RecordedPoints, promql.RecordedExtra, promql.RecordedResets:
				deltas += read
			}
		}
	}
	return all, deltas
}

// usualCost is what the common tools read each minute for the same alerts.
func usualCost(b *testing.B, store *ledgertest.Store, end time.Time) float64 {
	b.Helper()
	total := 0.0
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d", "28d"} {
		expr := fmt.Sprintf(`1 - sum(rate(page_seconds_bucket{job="shop",le=~"2.5"}[%s])) / sum(rate(page_seconds_count{job="shop"}[%s]))`, window, window)
		total += costOf(b, store, expr, end)
	}
	return total
}

// costOf is what an expression reads. The engine's statistics do not count what
// is read inside a subquery, so each of its steps is counted apart.
func costOf(b *testing.B, store *ledgertest.Store, expr string, at time.Time) float64 {
	b.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		b.Fatal(err)
	}
	total := cost(b, store, func() error {
		_, err := store.Value(context.Background(), expr, at)
		return err
	})
	parser.Inspect(parsed, func(node parser.Node, path []parser.Node) error {
		subquery, ok := node.(*parser.SubqueryExpr)
		inside := slices.ContainsFunc(path, func(n parser.Node) bool { _, within := n.(*parser.SubqueryExpr); return within })
		if ok && !inside {
			total += float64(subquery.Range/subquery.Step) * costOf(b, store, subquery.Expr.String(), at)
		}
		return nil
	})
	return total
}

func cost(b *testing.B, store *ledgertest.Store, ask func() error) float64 {
	b.Helper()
	_, before := store.Cost()
	if err := ask(); err != nil {
		b.Fatal(err)
	}
	_, after := store.Cost()
	return float64(after - before)
}
