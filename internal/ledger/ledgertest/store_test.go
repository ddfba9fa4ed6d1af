package ledgertest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStore(t *testing.T) {
	w := New(Config{Seed: 1, Start: time.Unix(1_780_000_000, 0), Length: time.Hour, Scrape: 15 * time.Second, Slots: 2, Signals: []Signal{Requests}})
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Write(w); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	value := func(expr string, at time.Time) float64 {
		t.Helper()
		v, err := s.Value(ctx, expr, at)
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
	codes, err := s.Label(ctx, "group by (code) (shop_requests_total{code=\"200\"})", "code", w.End())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"200"}, codes); diff != "" {
		t.Errorf("Label(...): -want, +got:\n%s", diff)
	}
	queries, samples := s.Cost()
	s.Fail = func() error { return errors.New("no route") }
	if _, err := s.Range(ctx, "up", w.Start, w.End(), time.Minute); err == nil || err.Error() != "no route" {
		t.Errorf("Range(...): %v, want no route", err)
	}
	if q, n := s.Cost(); queries != 6 || samples == 0 || q != 7 || n != samples {
		t.Errorf("Cost(): %d, %d and then %d, %d, want 6 queries that read and a seventh that does not", queries, samples, q, n)
	}
}
