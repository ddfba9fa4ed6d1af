package ledgertest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// calm is an hour of two pods, and a store that holds it.
func calm(t *testing.T) (*World, *Store) {
	t.Helper()
	w := New(Config{Seed: 1, Start: time.Unix(1_780_000_000, 0), Length: time.Hour, Scrape: 15 * time.Second, Slots: 2, Signals: []Signal{Requests}})
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Write(w); err != nil {
		t.Fatal(err)
	}
	return w, s
}

func TestStoreHoldsWorld(t *testing.T) {
	w, s := calm(t)
	value := func(expr string, at time.Time) float64 {
		t.Helper()
		v, err := s.Value(context.Background(), expr, at)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	stored := 0.0
	for _, name := range []string{"up", "process_start_time_seconds", "shop_requests_total"} {
		stored += value("sum(count_over_time("+name+"[2h]))", w.End())
	}
	if stored != float64(w.Samples()) {
		t.Errorf("samples in the store: %v, want %d", stored, w.Samples())
	}
	if got := value("count({job=\"shop\"} offset 30m)", w.End()); got <= 4 || got > float64(w.Series()) {
		t.Errorf("series in the store: %v, want more than 4 and at most %d", got, w.Series())
	}
	if got := value("up", w.Start.Add(-time.Hour)); !math.IsNaN(got) {
		t.Errorf("up before the world: %v, want none", got)
	}
}

func TestStoreLabel(t *testing.T) {
	w, s := calm(t)
	codes, err := s.Label(context.Background(), `group by (code) (shop_requests_total{code="200"})`, "code", w.End())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"200"}, codes); diff != "" {
		t.Errorf("Label(...): -want, +got:\n%s", diff)
	}
}

func TestStoreCost(t *testing.T) {
	w, s := calm(t)
	type cost struct{ Queries, Samples int64 }
	var got []cost
	for _, fail := range []error{nil, errors.New("no route")} {
		s.Fail = func() error { return fail }
		_, err := s.Range(context.Background(), `up{instance="pod-1:8080"}`, w.End(), w.End(), time.Minute)
		if !errors.Is(err, fail) {
			t.Errorf("Range(...): %v, want %v", err, fail)
		}
		queries, samples := s.Cost()
		got = append(got, cost{queries, samples})
	}
	if diff := cmp.Diff([]cost{{1, 1}, {2, 1}}, got); diff != "" {
		t.Errorf("Cost() after a query and a failure: -want, +got:\n%s", diff)
	}
}
