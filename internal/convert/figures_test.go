package convert

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
)

// The world that is measured: eight hours of a shop.
const worldLength = 8 * time.Hour

var worldStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// world is a shop whose pods are replaced and restart, with gauges beside it.
type world struct {
	*ledgertest.World
	store *ledgertest.Store
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := ledgertest.New(ledgertest.Config{
		Seed: 4, Start: worldStart, Length: worldLength, Scrape: 15 * time.Second, Slots: 3,
		Signals: []ledgertest.Signal{ledgertest.Requests, ledgertest.Pages, ledgertest.Recommend, ledgertest.Ratings},
		Incidents: []ledgertest.Incident{
			{Kind: ledgertest.Replace, Slot: 0, At: 2 * time.Hour, For: 20 * time.Second},
			{Kind: ledgertest.Restart, Slot: 1, At: 5 * time.Hour, For: 30 * time.Second},
		},
	})
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := store.Write(w); err != nil {
		t.Fatal(err)
	}
	out := world{w, store}
	out.writeGauges(t)
	return out
}

// gauges are what they show in each minute of the world. Each is scraped every 15
// seconds, and shows the same throughout a minute.
var gauges = map[string]func(minute int) float64{
	"probe_success":          func(m int) float64 { return oneIf(m%50 != 7) },
	"support_queue_length":   func(m int) float64 { return float64(m % 20) },
	"wifi_signal_ratio":      func(m int) float64 { return float64(90+m%10) / 100 },
	"shop:success:ratio":     func(m int) float64 { return 1 - float64(m%4)/100 },
	"shop:errors:ratio":      func(m int) float64 { return float64(m%25) / 100 },
	"agents_ready":           func(m int) float64 { return float64(8 + m%3) },
	"agents_planned":         func(int) float64 { return 10 },
	"probe_duration_seconds": func(m int) float64 { return oneIf(m%40 == 3) * 3 },
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// writeGauges writes the gauges, and a native histogram that grows by two events
// of 1.5 s and one of 3 s with each scrape.
func (w world) writeGauges(t *testing.T) {
	t.Helper()
	target := []string{"job", "storefront", "instance", "gauges"}
	put := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	scrapes := uint64(0)
	for at := worldStart.Add(5 * time.Second); at.Before(w.End()); at = at.Add(15 * time.Second) {
		minute := int(at.Sub(worldStart) / time.Minute)
		for name, value := range gauges {
			put(w.store.Put(at, value(minute), append(target, "__name__", name)...))
		}
		put(w.store.Put(at, 1, append(target, "__name__", "up")...))
		put(w.store.Put(at, float64(worldStart.Add(-time.Second).Unix()), append(target, "__name__", "process_start_time_seconds")...))
		scrapes++
		put(w.store.PutHistogram(at, &histogram.Histogram{
			Count: 3 * scrapes, Sum: 6 * float64(scrapes),
			PositiveSpans: []histogram.Span{{Offset: 1, Length: 2}}, PositiveBuckets: []int64{int64(2 * scrapes), -int64(scrapes)},
		}, append(target, "__name__", "page_seconds")...))
	}
}

// measure judges an objective at the end of the world, as the operator does.
func (w world) measure(t *testing.T, o *v1alpha1.Objective) evaluate.Verdict {
	t.Helper()
	plan, err := compile.Compile(compile.Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{URL: "http://prometheus"}, Now: w.End()})
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	if plan.Histogram != nil {
		boundaries, err := w.store.Label(t.Context(), plan.Histogram.Probe, "le", w.End())
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Bind(promql.NewBoundaries(boundaries)); err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
	}
	book := ledger.NewBook(ledger.TermsOf(plan))
	if err := book.Refresh(t.Context(), w.store, plan.Window.Span(w.End()).Start, w.End()); err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	return evaluate.Evaluate(plan, book, w.End())
}

// moved is how much counters moved in a stretch.
func (w world) moved(from, to time.Time, metric string, pairs ...string) float64 {
	return w.Movement(ledgertest.OnKnownTarget, metric, pairs...).Sum(from, to)
}

// all is how much counters moved in the world.
func (w world) all(metric string, pairs ...string) float64 {
	return w.moved(worldStart, w.End(), metric, pairs...)
}

// share is the share of all in one.
func share(part, all float64) truth { return truth{attainment: part / all, events: all} }

// truth is what an objective must show; events of 0 are not looked at.
type truth struct{ attainment, events float64 }

// minutely is the mean of what each minute shows, over the minutes with data.
func minutely(value func(minute int) (float64, bool)) truth {
	sum, n := 0.0, 0
	for m := range int(worldLength / time.Minute) {
		if v, ok := value(m); ok {
			sum, n = sum+v, n+1
		}
	}
	return truth{attainment: sum / float64(n)}
}

// gauge is the mean of a function of a gauge.
func gauge(name string, of func(value float64) float64) truth {
	return minutely(func(m int) (float64, bool) { return of(gauges[name](m)), true })
}

// sliceOf gives the ratio of the requests of a code in the minutes up to the end of
// a minute, where there were any.
func (w world) sliceOf(minute, length int, code string) (float64, bool) {
	to := worldStart.Add(time.Duration(minute+1) * time.Minute)
	from := to.Add(-time.Duration(length) * time.Minute)
	all := w.moved(from, to, "shop_requests_total")
	return w.moved(from, to, "shop_requests_total", "code", code) / all, all > 0
}

// figure is an objective of a manifest and what it must show.
type figure struct {
	reason   string
	manifest string
	// object is the name of the objective.
	object string
	want   func(w world) truth
	// within is how far from the truth expressions may be that extrapolate; 0 is
	// exact.
	within float64
}

func identity(v float64) float64 { return v }

// fail500 is the share of requests without a server error.
func fail500(w world) truth {
	all := w.all("shop_requests_total")
	return share(all-w.all("shop_requests_total", "code", "500"), all)
}

func only200(w world) truth {
	return share(w.all("shop_requests_total", "code", "200"), w.all("shop_requests_total"))
}

func promoters(w world) truth {
	return share(w.all("nps_responses_total", "group", "promoter"), w.all("nps_responses_total"))
}

func fastPages(le string, pairs ...string) func(w world) truth {
	return func(w world) truth {
		return share(w.all("page_seconds_bucket", append(pairs, "le", le)...), w.all("page_seconds_count", pairs...))
	}
}

var figures = map[Format][]figure{
	Sloth: {
		{"bad among all", "01-availability", "checkout-availability", fail500, 0},
		{"a difference is a bucket", "02-latency", "storefront-page-speed", fastPages("2.5", "code", "200"), 0},
		{"two counters are one", "03-two-errors", "storefront-requests", only200, 0},
		{"a ratio of counters", "04-raw-division", "storefront-ratio", fail500, 0},
		{"a ratio of a gauge", "05-raw-average", "wifi-good-signal", func(world) truth { return gauge("wifi_signal_ratio", identity) }, 1e-9},
		{"an expression", "06-queries", "support-answered", func(w world) truth {
			all := w.all("nps_responses_total") + w.all("csat_rating_count")
			return share(all-w.all("nps_responses_total", "group", "detractor"), all)
		}, 0.02},
		{"what is no counter", "07-nonlinear", "probe-slow-probes", func(world) truth {
			return gauge("probe_duration_seconds", func(v float64) float64 { return oneIf(v <= 2) })
		}, 0.005},
		{"the endless bucket is all", "12-list", "search-fast", fastPages("1"), 0},
	},
	Pyrra: {
		{"bad among all", "01-ratio", "checkout-errors", fail500, 0},
		{"a bucket", "02-latency", "storefront-speed", fastPages("2.5", "code", "200"), 0},
		{"a native histogram", "03-native", "api-speed", func(world) truth {
			return truth{attainment: 2. / 3, events: 3 * 4 * worldLength.Minutes()}
		}, 1e-9},
		{"samples of a gauge", "04-gauge", "probe-up", func(world) truth {
			out := gauge("probe_success", identity)
			out.events = 4 * worldLength.Minutes()
			return out
		}, 1e-9},
		{"good among all", "05-success", "checkout-success", only200, 0},
		{"good and bad", "06-outcomes", "checkout-outcomes", func(w world) truth {
			good := w.all("shop_requests_total", "code", "200")
			return share(good, good+w.all("shop_requests_total", "code", "500"))
		}, 0},
		{"good and bad of two names", "07-two-names", "surveys", func(w world) truth {
			good := w.all("nps_responses_total")
			return share(good, good+w.all("csat_rating_count"))
		}, 0.02},
		{"no histogram", "10-no-histogram", "nps", promoters, 0},
	},
	OpenSLO: {
		{"good among all", "01-good", "checkout-availability", only200, 0},
		{"bad among all, in a month", "02-bad", "storefront-promised", fail500, 0},
		{"a bucket by reference", "03-reference", "page-speed", fastPages("2.5"), 0},
		{"a value that is compared", "04-threshold", "queue", func(world) truth {
			return gauge("support_queue_length", func(v float64) float64 { return oneIf(v <= 12.5) })
		}, 1e-9},
		{"slices of time", "05-timeslices", "steady", func(w world) truth {
			return minutely(func(m int) (float64, bool) {
				ratio, ok := w.sliceOf(m, 5, "200")
				return oneIf(ratio >= 0.95), ok
			})
		}, 0.03},
		{"ratios of slices", "06-ratio-timeslices", "even", func(w world) truth {
			return minutely(func(m int) (float64, bool) {
				ratio, ok := w.sliceOf(m, 1, "500")
				return 1 - ratio, ok
			})
		}, 0.005},
		{"a ratio of others", "07-raw", "recorded", func(world) truth { return gauge("shop:success:ratio", identity) }, 1e-9},
		{"a ratio of counters", "07-raw", "divided", fail500, 0},
		{"slices of a ratio of others", "07-raw", "sliced", func(world) truth {
			return gauge("shop:errors:ratio", func(v float64) float64 { return oneIf(1-v >= 0.9) })
		}, 1e-9},
		{"gauges", "08-gauges", "seats", func(world) truth {
			return gauge("agents_ready", func(v float64) float64 { return v / 10 })
		}, 1e-9},
		{"one of several", "09-composite", "shop-2", promoters, 0},
		{"the alpha version", "10-alpha", "alpha", fastPages("1"), 0},
	},
}

// objectiveOf converts a manifest and gives one of its objectives.
func objectiveOf(t *testing.T, from Format, text, name string) *v1alpha1.Objective {
	t.Helper()
	for _, o := range Convert(parted("a.yaml", text), options(from)).Objects {
		if objective, ok := o.Value.(*v1alpha1.Objective); ok && objective.Name == name {
			return objective
		}
	}
	t.Fatalf("there is no objective %q", name)
	return nil
}

// TestFigures measures converted objectives with Prometheus' own engine, in a world
// of which the truth is known.
func TestFigures(t *testing.T) {
	w := newWorld(t)
	for from, cases := range figures {
		texts := manifests(t, from)
		for _, tc := range cases {
			t.Run(string(from)+"/"+tc.object, func(t *testing.T) {
				text := texts[filepath.Join("testdata", string(from), tc.manifest+".yaml")]
				got := w.measure(t, objectiveOf(t, from, text, tc.object))
				want := tc.want(w)
				t.Logf("attainment %v of %v events, the truth is %v of %v", got.Attainment, got.Events, want.attainment, want.events)
				if want.attainment <= 0 || want.attainment >= 1 {
					t.Fatalf("a truth of %v shows nothing", want.attainment)
				}
				if off := math.Abs(got.Attainment - want.attainment); !(off <= math.Max(tc.within, 1e-12)) {
					t.Errorf("%s: attainment %v, want %v within %v", tc.reason, got.Attainment, want.attainment, tc.within)
				}
				if tc.within < 1e-3 && want.events > 0 && got.Events != want.events {
					t.Errorf("%s: %v events, want %v", tc.reason, got.Events, want.events)
				}
			})
		}
	}
}
