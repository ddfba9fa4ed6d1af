package evaluate_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// past is an account by the minute, the last minute first.
type past []slo.Sums

func (p past) Since(start time.Time) ledger.Stretch {
	s := ledger.Stretch{Start: start, End: now}
	for _, minute := range p[:min(len(p), int(now.Sub(start).Minutes()))] {
		s.Sums = s.Sums.Add(minute)
		s.Covered++
	}
	return s
}

func (p past) Invalid() bool { return false }

func (p past) LastData() time.Time { return now }

// run is some minutes alike.
func run(minutes int, points, events float64) past {
	out := make(past, minutes)
	for i := range out {
		out[i] = slo.Sums{Points: points, Events: events}
	}
	return out
}

// and continues with older minutes.
func (p past) and(older past) past { return append(slices.Clip(p), older...) }

// page is a tier whose figures are exact in binary: at a target of 50%, a factor
// of 1.5 is 75% of events lost.
var page = slo.Tier{Severity: slo.Page, Budget: 0.02, Long: 24 * time.Minute, Short: 2 * time.Minute, Factor: 1.5}

func tierPlan(minimum float64, tiers ...slo.Tier) *compile.Plan {
	return aPlan(func(p *compile.Plan) {
		p.Target, p.Tiers, p.Alerts.MinimumBadEvents = 0.5, tiers, minimum
	})
}

func TestEvaluateTier(t *testing.T) {
	nan := math.NaN()
	cases := map[string]struct {
		reason  string
		minimum float64
		account past
		want    evaluate.TierState
	}{
		"Burning": {
			reason:  "both windows lose everything, which is a burn rate of 2",
			minimum: 3, account: run(60, 0, 4),
			want: evaluate.TierState{Long: 2, Short: 2, Bad: 96, Burning: true},
		},
		"AtTheFactor": {
			reason:  "a burn rate at the factor is not above it, as in the rules",
			minimum: 3, account: run(60, 1, 4),
			want: evaluate.TierState{Long: 1.5, Short: 1.5, Bad: 72},
		},
		"ShortAtTheFactor": {
			reason:  "both windows must be above",
			minimum: 3, account: run(2, 1, 4).and(run(58, 0, 4)),
			want: evaluate.TierState{Long: (96.0 - 2) / 96 / 0.5, Short: 1.5, Bad: 94},
		},
		"LongAtTheFactor": {
			reason:  "both windows must be above",
			minimum: 3, account: run(12, 0, 4).and(run(12, 2, 4)).and(run(36, 4, 4)),
			want: evaluate.TierState{Long: 1.5, Short: 2, Bad: 72},
		},
		"Over": {
			reason:  "the short window ends the alert soon after its cause",
			minimum: 3, account: run(2, 4, 4).and(run(58, 0, 4)),
			want: evaluate.TierState{Long: 88.0 / 96 / 0.5, Short: 0, Bad: 88},
		},
		"EnoughBad": {
			reason:  "as many bad events as asked for are enough",
			minimum: 3, account: run(1, 0, 1).and(run(2, 0, 1)).and(run(57, 0, 0)),
			want: evaluate.TierState{Long: 2, Short: 2, Bad: 3, Burning: true},
		},
		"TooFewBad": {
			reason:  "two unlucky tickets at night wake nobody",
			minimum: 3, account: run(2, 0, 1).and(run(58, 0, 0)),
			want: evaluate.TierState{Long: 2, Short: 2, Bad: 2},
		},
		"HalfPoints": {
			reason:  "bad is what the events did not earn: 20 answers at a tenth of a point each lose 18",
			minimum: 18, account: run(2, 1, 10).and(run(58, 0, 0)),
			want: evaluate.TierState{Long: 1.8, Short: 1.8, Bad: 18, Burning: true},
		},
		"QuietNow": {
			reason:  "a short window without events has no burn rate, and NaN is above nothing",
			minimum: 3, account: run(2, 0, 0).and(run(58, 0, 4)),
			want: evaluate.TierState{Long: 2, Short: nan, Bad: 88},
		},
		"Idle": {
			reason:  "no events at all: the tier is told of, and does not burn",
			minimum: 3, account: run(60, 0, 0),
			want: evaluate.TierState{Long: nan, Short: nan},
		},
		"Inconsistent": {
			reason:  "more points than events burn nothing",
			minimum: 0, account: run(60, 8, 4),
			want: evaluate.TierState{Long: -2, Short: -2, Bad: -96},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.want.Tier = page
			v := evaluate.Evaluate(tierPlan(tc.minimum, page), tc.account, now)
			if diff := cmp.Diff([]evaluate.TierState{tc.want}, v.Tiers, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestEvaluateTiersAndBurns has two tiers over one window, as objectives with a
// short window have: both stand as tiers, and their window once as a burn rate.
func TestEvaluateTiersAndBurns(t *testing.T) {
	slow := slo.Tier{Severity: slo.Ticket, Budget: 0.1, Long: page.Long, Short: page.Short, Factor: 0.5}
	long := slo.Tier{Severity: slo.Ticket, Budget: 0.1, Long: time.Hour, Short: 5 * time.Minute, Factor: 0.5}
	v := evaluate.Evaluate(tierPlan(3, page, slow, long), run(30, 2, 4).and(run(30, 4, 4)), now)
	var burning []bool
	for _, tier := range v.Tiers {
		burning = append(burning, tier.Burning)
	}
	if diff := cmp.Diff([]bool{false, true, false}, burning); diff != "" {
		t.Errorf("burning: -want +got:\n%s", diff)
	}
	want := []evaluate.Burn{{Window: page.Long, Rate: 1}, {Window: time.Hour, Rate: 0.5}}
	if diff := cmp.Diff(want, v.Burns); diff != "" {
		t.Errorf("burn rates: -want +got:\n%s", diff)
	}
}

// TestEvaluateTiersOfANewMonth is the first moment of a calendar window: nothing
// is known of the month, and the incident that began before it goes on.
func TestEvaluateTiersOfANewMonth(t *testing.T) {
	p := tierPlan(3, page)
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	p.Window = slo.Window{Calendar: slo.Month, Location: time.UTC}
	v := evaluate.Evaluate(p, shifted{run(60, 0, 4), now.Sub(midnight)}, midnight)
	if !math.IsNaN(v.Attainment) || v.Outcome != evaluate.Unknown {
		t.Errorf("verdict = %+v, want none on a month without an event", v)
	}
	if !v.Tiers[0].Burning {
		t.Errorf("tier = %+v, want it to burn on", v.Tiers[0])
	}
	if diff := cmp.Diff([]evaluate.Burn{{Window: page.Long, Rate: 2}}, v.Burns); diff != "" {
		t.Errorf("burn rates: -want +got:\n%s", diff)
	}
}

// shifted is a past that ended a while ago.
type shifted struct {
	past
	ago time.Duration
}

func (s shifted) Since(start time.Time) ledger.Stretch {
	out := s.past.Since(start.Add(s.ago))
	out.Start, out.End = start, now.Add(-s.ago)
	return out
}

// TestEvaluateEveryTarget loses everything for as long as the whole long window:
// each tier of each target must speak.
func TestEvaluateEveryTarget(t *testing.T) {
	for _, target := range []float64{0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999} {
		for _, period := range []time.Duration{time.Hour, 7 * 24 * time.Hour, window} {
			p := aPlan(func(p *compile.Plan) {
				p.Target, p.Tiers = target, slo.Tiers(target, period)
				p.Alerts.MinimumBadEvents = 3
			})
			longest := p.Tiers[len(p.Tiers)-1].Long
			v := evaluate.Evaluate(p, run(int(longest.Minutes()), 0, 10), now)
			for _, tier := range v.Tiers {
				if !tier.Burning {
					t.Errorf("target %v over %s: the tier %+v does not burn in a total outage", target, period, tier)
				}
			}
		}
	}
}

func TestEvaluateLastData(t *testing.T) {
	last := now.Add(-time.Hour)
	cases := map[string]struct {
		reason string
		data   time.Time
		sums   slo.Sums
	}{
		"Known":      {"the time is the account's", last, slo.Sums{Points: 1, Events: 1}},
		"WithoutAny": {"no data in the window is when it matters", last, slo.Sums{}},
		"Never":      {"zero where there never was any", time.Time{}, slo.Sums{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := evaluate.Evaluate(aPlan(), account{sums: tc.sums, window: window, data: tc.data}, now)
			if diff := cmp.Diff(tc.data, v.LastData); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
