package rules_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	scrapeInterval = 15 * time.Second
	// phases of the minute at which rules are evaluated.
	phases = 4
)

// outage is steady traffic of which a share fails from a moment on.
type outage struct {
	r *ruler
	// perMinute is the number of requests.
	perMinute float64
	born      time.Time
	begin     time.Time
	share     float64
}

func (o outage) scrape(at time.Time) {
	if at.UnixMilli()%scrapeInterval.Milliseconds() != 0 {
		return
	}
	total := math.Floor(at.Sub(o.born).Minutes() * o.perMinute)
	bad := math.Floor(math.Max(0, at.Sub(o.begin).Minutes()) * o.perMinute * o.share)
	o.r.put(at, 1, "up")
	o.r.put(at, float64(o.born.Unix()), "process_start_time_seconds")
	o.r.put(at, total-bad, "shop_requests_total", "code", "200")
	o.r.put(at, bad, "shop_requests_total", "code", "500")
}

// incident runs an outage after three healthy days and gives the ruler that saw
// it. The last minutes of health are recorded from raw data as well.
func incident(t testing.TB, promised *v1alpha1.Objective, phase time.Duration, share float64, length time.Duration) *ruler {
	t.Helper()
	r := newRuler(t, planOf(t, promised, confined()), phase)
	const healthy = 20 * time.Minute
	o := outage{r: r, perMinute: 6000, born: begin.Add(-healthy), begin: begin, share: share}
	r.past(o.born.Add(5*time.Minute), o.perMinute)
	for at := o.born; at.Before(o.born.Add(5 * time.Minute)); at = at.Add(tick) {
		o.scrape(at)
	}
	r.run(o.born.Add(5*time.Minute), begin.Add(length), o.scrape)
	if len(r.changes) > 0 && r.changes[0].At.Before(begin) {
		t.Errorf("before the incident: %+v", r.changes[0])
	}
	return r
}

// formula is the SRE workbook's time to detect: the time in which a share of bad
// events fills the long window up to the factor.
func formula(target float64, tier slo.Tier, share float64) time.Duration {
	return time.Duration((1 - target) / share * tier.Factor * float64(tier.Long))
}

// intervalOf is the evaluation interval of a tier's group.
func intervalOf(tier slo.Tier) time.Duration {
	if tier.Long > 6*time.Hour {
		return 5 * time.Minute
	}
	return time.Minute
}

// TestTimeToFire prints how long each tier takes, beside the workbook's formula.
// The slowest incident is seen at one phase only, the one with the longest way
// from the end of a minute to its evaluation.
func TestTimeToFire(t *testing.T) {
	const target = 0.999
	shares := []float64{1, 0.1, 0.01}
	seen := map[float64][]*ruler{}
	t.Run("Incidents", func(t *testing.T) {
		for _, share := range shares {
			seen[share] = make([]*ruler, phases)
			first := 0
			if share == 0.01 {
				first = phases - 1
			}
			for phase := first; phase < phases; phase++ {
				t.Run(fmt.Sprintf("%v at %d", share, phase), func(t *testing.T) {
					t.Parallel()
					seen[share][phase] = incident(t, objective(failures(), "99.9%"), time.Duration(phase)*scrapeInterval, share, slowest(target, share))
				})
			}
		}
	})
	var table strings.Builder
	fmt.Fprintf(&table, "%-7s %-7s %-6s %-7s %-8s %-8s %-8s %-8s\n", "errors", "tier", "window", "factor", "formula", "earliest", "latest", "bound")
	for _, share := range shares {
		for _, tier := range slo.Tiers(target, period) {
			compareTier(t, &table, seen[share], target, tier, share)
		}
	}
	t.Logf("time to fire at 99.9%%, over phases of the minute:\n%s", table.String())
}

// slowest is when the last tier that can fire must have fired.
func slowest(target, share float64) time.Duration {
	out := time.Duration(0)
	for _, tier := range slo.Tiers(target, period) {
		if share > tier.Factor*(1-target) {
			out = max(out, formula(target, tier, share)+2*intervalOf(tier))
		}
	}
	return out
}

func compareTier(t *testing.T, table *strings.Builder, runs []*ruler, target float64, tier slo.Tier, share float64) {
	t.Helper()
	window := slo.FormatDuration(tier.Long)
	expected, canFire := formula(target, tier, share), share > tier.Factor*(1-target)
	bound := expected + 2*intervalOf(tier)
	earliest, latest := time.Duration(math.MaxInt64), time.Duration(0)
	for _, r := range runs {
		if r == nil {
			continue
		}
		took, fired := r.first(begin, func(k alertKey) bool { return k.Name == rules.BudgetBurn && k.Window == window })
		if fired != canFire || (fired && (took > bound || took < expected)) {
			t.Errorf("%v of requests fail: tier %s fires: %t after %s, want %t within %s to %s", share, window, fired, took, canFire, expected, bound)
		}
		earliest, latest = min(earliest, took), max(latest, took)
	}
	if !canFire {
		fmt.Fprintf(table, "%-7v %-7s %-6s %-7.4g never\n", share, tier.Severity, window, tier.Factor)
		return
	}
	fmt.Fprintf(table, "%-7v %-7s %-6s %-7.4g %-8s %-8s %-8s %-8s\n", share, tier.Severity, window, tier.Factor,
		expected.Round(time.Second), earliest, latest, bound.Round(time.Second))
}

// period is the window of the objectives under test.
const period = 28 * 24 * time.Hour

// TestTierTable prints the tiers of targets from loose to tight, and when a page
// fires in a total outage.
func TestTierTable(t *testing.T) {
	targets := []v1alpha1.Target{"50%", "75%", "90%", "95%", "99%", "99.9%", "99.99%"}
	seen := map[v1alpha1.Target]*ruler{}
	t.Run("Outages", func(t *testing.T) {
		var mu sync.Mutex
		for _, target := range targets {
			t.Run(string(target), func(t *testing.T) {
				t.Parallel()
				promised := objective(failures(), target, pagesOnly)
				ratio := planOf(t, promised, confined()).Target
				page := slo.Tiers(ratio, period)[0]
				r := incident(t, promised, 3*scrapeInterval, 1, formula(ratio, page, 1)+2*intervalOf(page))
				mu.Lock()
				defer mu.Unlock()
				seen[target] = r
			})
		}
	})
	var table strings.Builder
	fmt.Fprintf(&table, "%-7s %-7s %-7s %-6s %-7s %-9s %-8s\n", "target", "tier", "long", "short", "factor", "threshold", "formula")
	for _, target := range targets {
		if r := seen[target]; r != nil {
			tabulate(t, &table, string(target), r)
		}
	}
	t.Logf("tiers over 28 days, with the formula's time in a total outage and the page that the rules fired:\n%s", table.String())
}

// pagesOnly leaves out what a test does not look at.
func pagesOnly(o *v1alpha1.Objective) {
	off := v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}
	o.Spec.Alerting = &v1alpha1.Alerting{Ticket: &off, DataAbsent: &v1alpha1.DataAbsentAlert{AlertTier: off}}
}

func tabulate(t *testing.T, table *strings.Builder, target string, r *ruler) {
	t.Helper()
	ratio := r.plan.Target
	tiers := slo.Tiers(ratio, period)
	for i, tier := range tiers {
		threshold := tier.Factor * (1 - ratio)
		if threshold >= 1 {
			t.Errorf("%s: tier %d asks for %v of events to be bad", target, i, threshold)
		}
		fmt.Fprintf(table, "%-7s %-7s %-7s %-6s %-7.4g %-9.4g %-8s\n", target, tier.Severity, slo.FormatDuration(tier.Long),
			slo.FormatDuration(tier.Short), tier.Factor, threshold, formula(ratio, tier, 1).Round(time.Second))
		// The workbook's factors are for 30 days.
		scaled := []float64{14.4, 6, 3, 1}[i] * 28 / 30
		if ratio >= 0.99 && math.Abs(tier.Factor-scaled) > 1e-9 {
			t.Errorf("%s: factor %v, want %v", target, tier.Factor, scaled)
		}
	}
	took, fired := r.first(begin, func(k alertKey) bool { return k.Severity == rules.Critical })
	bound := formula(ratio, tiers[0], 1) + 2*intervalOf(tiers[0])
	if !fired || took > bound {
		t.Errorf("%s: a page fires: %t after %s, want at most %s", target, fired, took, bound)
	}
	fmt.Fprintf(table, "%-7s a page fired after %s; at most %s\n", target, took, bound.Round(time.Second))
}
