package replay

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rehearse"
)

// begin is a full hour.
var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// objective is one of the shop; its options change it.
func objective(in v1alpha1.ObjectiveIndicator, target v1alpha1.Target, window v1alpha1.RollingWindow, options ...func(*v1alpha1.ObjectiveSpec)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "promise", CreationTimestamp: metav1.NewTime(begin)},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Indicator: in, Target: target,
			Window: v1alpha1.Window{Rolling: window}, NewSeries: v1alpha1.NewSeriesOnKnownTarget,
		},
	}
	for _, option := range options {
		option(&o.Spec)
	}
	return o
}

func planOf(t testing.TB, o *v1alpha1.Objective, at time.Time) *compile.Plan {
	t.Helper()
	in := compile.Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{}, Now: at}
	if o.Spec.CalendarRef != nil {
		in.Calendar = &v1alpha1.CalendarSpec{TimeZone: "Asia/Kolkata", Weekly: []v1alpha1.WeeklyHours{
			{Days: v1alpha1.Weekdays, Open: "00:10", Close: "08:40"}, {Days: v1alpha1.Weekdays, Open: "09:20", Close: "23:00"},
		}}
	}
	plan, err := compile.Compile(in)
	if err != nil {
		t.Fatalf("compile objective: %v", err)
	}
	if err := plan.Bind(promql.Boundaries{0.5, 1, 2.5, 4, 10}); err != nil {
		t.Fatalf("bind plan: %v", err)
	}
	return plan
}

var (
	failures = v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: "bad_total", Total: "all_total"}}
	speed    = v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "page_seconds", Satisfied: "1", Tolerated: "4"}}
	probe    = v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{
		Query: "probe_success", Operator: v1alpha1.OperatorEqual, Value: "1", NoData: v1alpha1.NoDataBad,
	}}
)

// scrape is how far apart samples are.
const scrape = 30 * time.Second

// wave is what happens in a minute: the share of events that are bad, whether there
// is data, and whether processes restart in the middle of it.
type wave struct {
	bad           float64
	gone, restart bool
}

// incidents draws what happens in so many minutes: quiet for the most part, with
// incidents of any strength and length, gaps, and processes that crash again and again.
func incidents(rng *rand.Rand, length int) []wave {
	out := make([]wave, length)
	for at := rng.IntN(length/4 + 1); at < length; at += 1 + rng.IntN(length/3+1) {
		kind, share, until := rng.IntN(10), rng.Float64()*rng.Float64(), min(at+1+rng.IntN(length/6+1), length)
		for i := at; i < until; i++ {
			switch kind {
			case 0:
				out[i].gone = true
			case 1, 2:
				out[i].restart, out[i].bad = true, share
			default:
				out[i].bad = share
			}
		}
	}
	return out
}

// scraped is all series of a world: two values a minute.
func scraped(rng *rand.Rand, waves []wave) []string {
	lines := map[string]*strings.Builder{}
	sums := map[string]float64{}
	put := func(series string, values ...any) {
		if lines[series] == nil {
			lines[series] = &strings.Builder{}
		}
		for _, v := range values {
			fmt.Fprintf(lines[series], " %v", v)
		}
	}
	for _, w := range waves {
		first, second := counters(rng, w), counters(rng, w)
		for series, more := range first {
			middle := sums[series] + more
			end := middle + second[series]
			if w.restart {
				end = second[series]
			}
			sums[series] = end
			if w.gone {
				put(series, "_", "_")
			} else {
				put(series, middle, end)
			}
		}
		state := float64(int(1.5 - w.bad))
		if w.gone {
			put("probe_success", "_", "_")
		} else {
			put("probe_success", state, state)
		}
	}
	var out []string
	for series, values := range lines {
		out = append(out, series+values.String())
	}
	return out
}

// counters is what is counted between two samples.
func counters(rng *rand.Rand, w wave) map[string]float64 {
	all := float64(rng.IntN(20))
	bad := min(float64(int(all*w.bad+rng.Float64())), all)
	return map[string]float64{
		"all_total": all, "bad_total": bad, `page_seconds_bucket{le="1"}`: all - bad, `page_seconds_bucket{le="4"}`: all - float64(int(bad/2)),
		`page_seconds_bucket{le="+Inf"}`: all, "page_seconds_count": all,
	}
}

// storeOf holds a world.
func storeOf(t *testing.T, series []string) *rehearse.Store {
	t.Helper()
	store := rehearse.NewStore()
	for _, text := range series {
		s, err := rehearse.ParseSeries(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Load(s, begin.Add(scrape), scrape); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// historyOf reads all that a replay needs.
func historyOf(t testing.TB, q ledger.Querier, plan *compile.Plan, from, to time.Time) *ledger.History {
	t.Helper()
	buckets, minutes := Reach(plan, from)
	h, err := ledger.ReadHistory(t.Context(), q, ledger.TermsOf(plan), ledger.Past{From: buckets, Fine: minutes, To: to, Excluded: plan.Excluded})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
