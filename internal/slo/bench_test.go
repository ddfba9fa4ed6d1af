package slo

import (
	"testing"
	"time"
)

// BenchmarkEvaluation is what one objective costs in one evaluation: every figure of
// its status from sums that are already there.
func BenchmarkEvaluation(b *testing.B) {
	now := time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)
	windows := map[string]Window{
		"Rolling":  {Rolling: 28 * day},
		"Calendar": {Calendar: Quarter, Location: zone(b, "Europe/Berlin")},
	}
	sums := Sums{Points: 813_274, Events: 1_000_000}
	const target = 0.75
	for name, w := range windows {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				span, period := w.Span(now), w.Period(now)
				attainment, _ := sums.Attainment()
				remaining := BudgetRemaining(attainment, target)
				for _, tier := range Tiers(target, period) {
					burn, _ := BurnRate(sums, target)
					ExhaustsAt(span.End, remaining, burn, tier.Long)
				}
				Wilson(sums.Points, sums.Events, 0.95)
				Percent.FormatAgainst(attainment, target)
				FormatBudget(remaining)
			}
		})
	}
}

// BenchmarkGridFor is what choosing a calendar's buckets costs.
func BenchmarkGridFor(b *testing.B) {
	now := time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)
	w := Window{Calendar: Month, Location: zone(b, "Australia/Lord_Howe")}
	b.ReportAllocs()
	for b.Loop() {
		GridFor(w, now)
	}
}
