package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
)

// BenchmarkSegments reports what the segments of an objective of 28 days cost beside
// the objective: at first sight and at the ticks after it, which are timed by
// themselves, also where each segment is asked for alone.
func BenchmarkSegments(b *testing.B) {
	for name, g := range map[string]struct {
		kind, label string
		maximum     int
	}{"TwoOfCode": {"Distribution", "code", 10}, "TwentyPods": {"EventsBad", "instance", 20}} {
		b.Run(name, func(b *testing.B) {
			k := kinds[g.kind]
			world, store := history(b, k.signal)
			plan := planOf(b, store, objective(k, ledgertest.OnKnownTarget, rolling(fourWeeks)), world.End())
			plan.Group = &compile.Group{Label: g.label, Maximum: g.maximum}
			at := world.End().Add(-30 * time.Minute)
			whole, segments := ledger.NewBook(ledger.TermsOf(plan)), ledger.NewSegments(plan)
			refreshWhole := func() {
				if err := whole.Refresh(context.Background(), store, at.Add(-fourWeeks), at); err != nil {
					b.Fatal(err)
				}
			}
			refresh := func() {
				if err := segments.Refresh(context.Background(), store, plan, whole, at.Add(-fourWeeks)); err != nil {
					b.Fatal(err)
				}
			}
			cost := func(what string, work func()) {
				queries, samples := store.Cost()
				began := time.Now()
				work()
				took := time.Since(began)
				moreQueries, moreSamples := store.Cost()
				b.Logf("%s: %d queries, %d samples, %s", what, moreQueries-queries, moreSamples-samples, took.Round(100*time.Microsecond))
			}
			cost("first sight of the whole", refreshWhole)
			cost("first sight of the segments", refresh)
			for range 3 {
				at = at.Add(time.Minute)
				cost("tick of the whole", refreshWhole)
				cost("tick of the segments", refresh)
			}
			recipes := recipesOf(b, plan, segments)
			joined, err := promql.SegmentMinutes(recipes)
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("%d segments, whose query for minutes has %d bytes", len(recipes), len(joined))
			cost("the last minute of each segment alone", func() { alone(b, store, recipes, at) })
			for b.Loop() {
				at = at.Add(time.Second)
				refresh()
			}
		})
	}
}

func recipesOf(b *testing.B, plan *compile.Plan, segments *ledger.Segments) []*promql.Recipe {
	b.Helper()
	var out []*promql.Recipe
	for _, value := range segments.Values() {
		recipe, err := plan.Recipe.Segment(plan.Group.Label, value)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, recipe)
	}
	return out
}

// alone asks for a minute of each segment with a query of its own.
func alone(b *testing.B, store *ledgertest.Store, recipes []*promql.Recipe, at time.Time) {
	b.Helper()
	for _, recipe := range recipes {
		reads, err := recipe.Reads()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := store.Range(context.Background(), reads.Minute, at, at, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
