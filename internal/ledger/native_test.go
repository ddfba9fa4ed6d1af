package ledger_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/histogram"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// upTo counts events by the buckets (0.5,1], (1,2], (2,4] and (4,8] of a native
// histogram of schema 0, whose boundaries are the powers of two.
type upTo [4]int64

func (u upTo) histogram() *histogram.Histogram {
	h := &histogram.Histogram{Schema: 0, PositiveSpans: []histogram.Span{{Offset: 0, Length: 4}}}
	before := int64(0)
	for _, n := range u {
		h.PositiveBuckets = append(h.PositiveBuckets, n-before)
		h.Count += uint64(n)
		h.Sum += float64(n)
		before = n
	}
	return h
}

// scrapeNative writes a process' histogram every 15 seconds from start on, and
// gives what it moved by, counted from zero.
func scrapeNative(t *testing.T, store *ledgertest.Store, rng *rand.Rand, instance string, start, end time.Time) upTo {
	t.Helper()
	var total upTo
	target := []string{"job", "shop", "namespace", "shop", "instance", instance}
	put := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for at := start.Add(time.Second); at.Before(end); at = at.Add(15 * time.Second) {
		for i := range total {
			total[i] += rng.Int64N(4) * rng.Int64N(2)
		}
		put(store.PutHistogram(at, total.histogram(), append(target, "__name__", "page_seconds")...))
		put(store.Put(at, float64(start.Unix()), append(target, "__name__", "process_start_time_seconds")...))
		put(store.Put(at, 1, append(target, "__name__", "up")...))
	}
	return total
}

// writeNative writes five hours of a process that restarts in place and of the
// one that replaces it, and gives what they counted.
func writeNative(t *testing.T, seed uint64) (*ledgertest.Store, upTo) {
	t.Helper()
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	rng := rand.New(rand.NewPCG(seed, 0))
	var all upTo
	for _, process := range []struct {
		instance   string
		start, end time.Duration
	}{
		{"a", 0, 70*time.Minute + 20*time.Second}, {"a", 70*time.Minute + 20*time.Second, 3 * time.Hour},
		{"b", 3*time.Hour + 5*time.Second, 5 * time.Hour},
	} {
		for i, n := range scrapeNative(t, store, rng, process.instance, monday.Add(process.start), monday.Add(process.end)) {
			all[i] += n
		}
	}
	return store, all
}

// checkNative reads an indicator in each form. A count up to a boundary is a
// fraction times a count, so it is exact to 1e-9 only; the events are exact.
func checkNative(t *testing.T, store *ledgertest.Store, k kind, want slo.Sums) {
	t.Helper()
	end := monday.Add(5 * time.Hour)
	for form, f := range forms {
		book := ledger.NewBook(ledger.TermsOf(planOf(t, store, objective(k, ledgertest.OnKnownTarget, rolling(f.window)), end)))
		step := 5 * time.Hour
		if f.ticks {
			step = 4 * time.Minute
		}
		for at := monday.Add(step); !at.After(end); at = at.Add(step) {
			refresh(t, book, store, monday, at)
		}
		got := book.Since(monday)
		if got.Sums.Events != want.Events || got.Covered != 300 {
			t.Errorf("%s: %v events in %d minutes, want %v in 300", form, got.Sums.Events, got.Covered, want.Events)
		}
		if diff := cmp.Diff(want, got.Sums, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
			t.Errorf("%s: Since(...): -want, +got:\n%s", form, diff)
		}
		t.Logf("%s: relative error of points %.1e", form, math.Abs(got.Sums.Points/want.Points-1))
	}
}

// TestNativeHistograms counts native histograms whose thresholds are boundaries
// of their buckets, through a restart in place and a replacement.
func TestNativeHistograms(t *testing.T) {
	const native = v1alpha1.HistogramFormatNative
	cases := map[string]struct {
		reason string
		args   kind
		want   func(u upTo) slo.Sums
	}{
		"Distribution": {
			reason: "A threshold and a third band.",
			args: kind{target: "75%", indicator: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
				Histogram: "page_seconds", Format: native, Threshold: "2", PoorAbove: "4",
			}}},
			want: func(u upTo) slo.Sums {
				return slo.Sums{Points: float64(u[0] + u[1]), Events: float64(u[0] + u[1] + u[2] + u[3]), Aux: float64(u[0] + u[1] + u[2])}
			},
		},
		"Apdex": {
			reason: "Satisfied and four times as much.",
			args: kind{target: "0.85", indicator: v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{
				Histogram: "page_seconds", Format: native, Satisfied: "1",
			}}},
			want: func(u upTo) slo.Sums {
				return slo.Sums{Points: float64(u[0]) + float64(u[1]+u[2])/2, Events: float64(u[0] + u[1] + u[2] + u[3])}
			},
		},
	}
	for name, tc := range cases {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				store, all := writeNative(t, seed)
				checkNative(t, store, tc.args, tc.want(all))
				if t.Failed() {
					t.Log(tc.reason)
				}
			})
		}
	}
}
