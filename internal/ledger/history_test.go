package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// march is when the world of histories begins.
var march = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// termsIn are those of an indicator over a store.
func termsIn(t *testing.T, store *ledgertest.Store, k kind, now time.Time) ledger.Terms {
	t.Helper()
	return ledger.TermsOf(planOf(t, store, objective(k, ledgertest.OnKnownTarget, rolling(24*time.Hour)), now))
}

// historical is a world with restarts, in which an indicator of each kind is read.
func historical(t *testing.T) (*ledgertest.World, *ledgertest.Store) {
	t.Helper()
	c := ledgertest.Config{
		Seed: 5, Start: march, Length: 7 * time.Hour, Scrape: 15 * time.Second, Slots: 2,
		Signals: []ledgertest.Signal{ledgertest.Requests, ledgertest.Pages},
	}
	for i := range 6 {
		c.Incidents = append(c.Incidents, ledgertest.Incident{Kind: ledgertest.Restart, Slot: i % 2, At: time.Duration(30+i*55) * time.Minute, For: 20 * time.Second})
	}
	w := ledgertest.New(c)
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Write(w); err != nil {
		t.Fatal(err)
	}
	return w, store
}

// TestHistoryIsExact compares each minute and each bucket with what was scraped.
func TestHistoryIsExact(t *testing.T) {
	w, store := historical(t)
	for _, name := range []string{"EventsGood", "EventsBad", "Distribution", "Apdex"} {
		k := kinds[name]
		truth := k.truth(func(metric string, pairs ...string) *ledgertest.Movement {
			return w.Movement(ledgertest.OnKnownTarget, metric, pairs...)
		})
		h, err := ledger.ReadHistory(t.Context(), store, termsIn(t, store, k, w.End()), ledger.Past{From: march.Add(10 * time.Minute), Fine: march.Add(3*time.Hour + 20*time.Minute), To: w.End()})
		if err != nil {
			t.Fatal(err)
		}
		if !h.From.Equal(march) || !h.Fine.Equal(march.Add(3*time.Hour)) || len(h.Buckets) != 3 || len(h.Minutes) != 4*60 {
			t.Fatalf("%s: from %s, by the minute from %s, %d and %d cells", name, h.From, h.Fine, len(h.Buckets), len(h.Minutes))
		}
		for i, c := range h.Buckets {
			checkCell(t, name, truth, c, march.Add(time.Duration(i)*time.Hour), time.Hour)
		}
		for i, c := range h.Minutes {
			checkCell(t, name, truth, c, h.Fine.Add(time.Duration(i)*time.Minute), time.Minute)
		}
		if len(h.Recorded) == 0 {
			t.Errorf("%s: no minute in which a process restarts: nothing is shown", name)
		}
	}
}

func checkCell(t *testing.T, name string, truth truth, got ledger.Cell, from time.Time, length time.Duration) {
	t.Helper()
	want := truth.between(from, from.Add(length))
	if diff := cmp.Diff(ledger.Cell{Sums: want.Sums, Covered: want.Covered}, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("%s: %s from %s: -scraped, +history:\n%s", name, length, from.Format("15:04"), diff)
	}
}

// queue is an indicator of one gauge.
var queue = kind{target: "90%", indicator: v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: "queue", Events: "queue"}}}

// TestHistoryOfNumbersThatAreNone has a state that is NaN for some minutes, of which
// one is in a bucket.
func TestHistoryOfNumbersThatAreNone(t *testing.T) {
	// Values are 15 seconds apart: the minutes that end 72 and 171 minutes after the epoch.
	store := story(t, "queue{a} 3x287 NaN 3x394 NaN 3x35")
	h, err := ledger.ReadHistory(t.Context(), store, termsIn(t, store, queue, epoch), ledger.Past{From: epoch, Fine: epoch.Add(2 * time.Hour), To: epoch.Add(3 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var invalid []int
	for i, c := range append(h.Buckets, h.Minutes...) {
		if c.Invalid {
			invalid = append(invalid, i)
		}
	}
	if diff := cmp.Diff([]int{1, 2 + 50}, invalid); diff != "" {
		t.Errorf("cells with numbers that are none: -want, +got:\n%s", diff)
	}
	if want := (ledger.Cell{Sums: slo.Sums{Points: 3 * 59, Events: 3 * 59}, Covered: 59, Invalid: true}); h.Buckets[1] != want {
		t.Errorf("the minutes beside it: %+v, want %+v", h.Buckets[1], want)
	}
}

// spying notes what is asked, and fails from a query on.
type spying struct {
	ledger.Querier

	mu           sync.Mutex
	points, left int
}

var errSpied = errors.New("no more")

func (s *spying) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left < 0 {
		return nil, errSpied
	}
	s.points = max(s.points, int(end.Sub(start)/step)+1)
	return s.Querier.Range(ctx, expr, start, end, step)
}

// TestHistoryIsReadInParts asks for a year in answers that servers give, and for
// nothing where one fails.
func TestHistoryIsReadInParts(t *testing.T) {
	store := story(t, "queue{a} 3x70")
	terms := termsIn(t, store, queue, epoch)
	read := func(q ledger.Querier) error {
		_, err := ledger.ReadHistory(t.Context(), q, terms, ledger.Past{From: epoch.Add(-365 * 24 * time.Hour), Fine: epoch.Add(-40 * time.Hour), To: epoch.Add(time.Hour)})
		return err
	}
	all := &spying{Querier: store, left: 1000}
	if err := read(all); err != nil {
		t.Fatal(err)
	}
	if all.points != 24*60 {
		t.Errorf("an answer of %d points, want a day of minutes", all.points)
	}
	asked := 1000 - all.left
	for _, n := range []int{0, 1, asked - 1} {
		if err := read(&spying{Querier: store, left: n}); !errors.Is(err, errSpied) {
			t.Errorf("query %d of %d fails: %v", n, asked, err)
		}
	}
}
