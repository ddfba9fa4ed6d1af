package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

const fourWeeks = 28 * day

// BenchmarkBytes reports the memory that the ledger keeps for an objective of
// 28 days, with and without a third count, once the book is full.
func BenchmarkBytes(b *testing.B) {
	for name, aux := range map[string]bool{"TwoCounts": false, "ThreeCounts": true} {
		b.Run(name, func(b *testing.B) {
			terms := regularTerms(fourWeeks, slo.Grid{Width: time.Hour})
			if aux {
				terms.Formula.Aux = terms.Formula.Points
			}
			bytes := 0
			for b.Loop() {
				book := ledger.NewBook(terms)
				for at := monday; at.Before(monday.Add(2 * day)); at = at.Add(time.Hour) {
					if err := book.Refresh(context.Background(), &regular{}, at.Add(-fourWeeks), at); err != nil {
						b.Fatal(err)
					}
				}
				bytes = book.Bytes()
			}
			b.ReportMetric(float64(bytes), "bytes/objective")
		})
	}
}

// history writes 28 days of three pods that are scraped every 15 s and are all
// replaced once a day.
func history(b *testing.B, signal ledgertest.Signal) (*ledgertest.World, *ledgertest.Store) {
	b.Helper()
	var rollouts []ledgertest.Incident
	for at := 14 * time.Hour; at < fourWeeks; at += day {
		for slot := range 3 {
			rollouts = append(rollouts, ledgertest.Incident{
				Kind: ledgertest.Replace, Slot: slot, At: at + time.Duration(slot)*time.Minute, For: 10 * time.Second,
			})
		}
	}
	world := ledgertest.New(ledgertest.Config{
		Seed: 1, Start: monday, Length: fourWeeks, Scrape: 15 * time.Second, Slots: 3,
		Signals: []ledgertest.Signal{signal}, Incidents: rollouts,
	})
	store, err := ledgertest.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := store.Write(world); err != nil {
		b.Fatal(err)
	}
	return world, store
}

// BenchmarkBackfill reports what the first sight of an objective of 28 days
// costs, and the first tick after it. Samples are counted as often as a step of
// a query looks at them.
func BenchmarkBackfill(b *testing.B) {
	for _, name := range []string{"EventsBad", "Distribution"} {
		k := kinds[name]
		b.Run(name, func(b *testing.B) {
			world, store := history(b, k.signal)
			terms := ledger.TermsOf(planOf(b, store, objective(k, ledgertest.OnKnownTarget, rolling(fourWeeks)), world.End()))
			before := world.End().Add(-time.Minute)
			var book *ledger.Book
			queriesBefore, samplesBefore := store.Cost()
			for b.Loop() {
				book = ledger.NewBook(terms)
				if err := book.Refresh(context.Background(), store, before.Add(-fourWeeks), before); err != nil {
					b.Fatal(err)
				}
			}
			queries, samples := store.Cost()
			b.ReportMetric(float64(queries-queriesBefore)/float64(b.N), "queries/op")
			b.ReportMetric(float64(samples-samplesBefore)/float64(b.N), "samples/op")
			if err := book.Refresh(context.Background(), store, before.Add(-fourWeeks), world.End()); err != nil {
				b.Fatal(err)
			}
			tickQueries, tickSamples := store.Cost()
			b.ReportMetric(float64(tickQueries-queries), "queries/tick")
			b.ReportMetric(float64(tickSamples-samples), "samples/tick")
			truth := k.truth(countingIn(world, ledgertest.OnKnownTarget))
			got := book.Since(world.Start)
			if want := truth.between(got.Start, got.End); !cmp.Equal(got, want) {
				b.Fatalf("Since(...): %+v, want %+v", got, want)
			}
			b.ReportMetric(got.Sums.Events, "events")
		})
	}
}
