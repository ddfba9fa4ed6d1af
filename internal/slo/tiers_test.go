package slo

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTiers(t *testing.T) {
	type args struct {
		target float64
		period time.Duration
	}
	cases := map[string]struct {
		reason string
		args   args
		want   []Tier
	}{
		"Tight": {
			reason: "A tight target over 28 days has the SRE workbook's windows and budgets.",
			args:   args{0.999, 28 * day},
			want: []Tier{
				{Severity: Page, Budget: 0.02, Long: time.Hour, Short: 5 * time.Minute, Factor: 13.44},
				{Severity: Page, Budget: 0.05, Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: 5.6},
				{Severity: Ticket, Budget: 0.1, Long: day, Short: 2 * time.Hour, Factor: 2.8},
				{Severity: Ticket, Budget: 0.1, Long: 3 * day, Short: 6 * time.Hour, Factor: 2.8 / 3},
			},
		},
		"Loose": {
			reason: "At 75% burn cannot pass 4, so the first page waits at 3.6 for 3.7 hours.",
			args:   args{0.75, 28 * day},
			want: []Tier{
				{Severity: Page, Budget: 0.02, Long: 3*time.Hour + 44*time.Minute, Short: 19 * time.Minute, Factor: 3.6},
				{Severity: Page, Budget: 0.05, Long: 11*time.Hour + 12*time.Minute, Short: 56 * time.Minute, Factor: 3},
				{Severity: Ticket, Budget: 0.1, Long: 28 * time.Hour, Short: 140 * time.Minute, Factor: 2.4},
				{Severity: Ticket, Budget: 0.1, Long: 3 * day, Short: 6 * time.Hour, Factor: 2.8 / 3},
			},
		},
		"Scaled": {
			reason: "Half the period has half the windows and the same factors.",
			args:   args{0.999, 14 * day},
			want: []Tier{
				{Severity: Page, Budget: 0.02, Long: 30 * time.Minute, Short: 3 * time.Minute, Factor: 13.44},
				{Severity: Page, Budget: 0.05, Long: 3 * time.Hour, Short: 15 * time.Minute, Factor: 5.6},
				{Severity: Ticket, Budget: 0.1, Long: 12 * time.Hour, Short: time.Hour, Factor: 2.8},
				{Severity: Ticket, Budget: 0.1, Long: 36 * time.Hour, Short: 3 * time.Hour, Factor: 2.8 / 3},
			},
		},
		"Hour": {
			reason: "Windows finer than the ledger are held at one and twelve minutes.",
			args:   args{0.999, time.Hour},
			want: []Tier{
				{Severity: Page, Budget: 0.02, Long: 12 * time.Minute, Short: time.Minute, Factor: 13.44},
				{Severity: Page, Budget: 0.05, Long: 12 * time.Minute, Short: time.Minute, Factor: 5.6},
				{Severity: Ticket, Budget: 0.1, Long: 12 * time.Minute, Short: time.Minute, Factor: 2.8},
				{Severity: Ticket, Budget: 0.1, Long: 12 * time.Minute, Short: time.Minute, Factor: 2.8 / 3},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Tiers(tc.args.target, tc.args.period)
			if diff := cmp.Diff(tc.want, got, approx(1e-9)); diff != "" {
				t.Errorf("\n%s\nTiers(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// The workbook prints its factors for 30 days: 14.4, 6 and 1, and the tier between
// them is 3. Our windows over 30 days spend the same budgets at those factors.
func TestTiersAreTheWorkbooks(t *testing.T) {
	var got []float64
	for _, tier := range Tiers(0.999, 28*day) {
		got = append(got, tier.Budget*float64(30*day)/float64(tier.Long))
	}
	if diff := cmp.Diff([]float64{14.4, 6, 3, 1}, got, approx(1e-9)); diff != "" {
		t.Errorf("factors over 30 days: -want, +got:\n%s", diff)
	}
}

// A tier whose threshold is an error ratio of 1 or more can never fire. The stock
// factor of 14.4 fails this for every target below 93%.
func TestTiersCanFire(t *testing.T) {
	headroom := []float64{0.9, 0.75, 0.6, 0.5}
	for _, target := range []float64{0.5, 0.6, 0.75, 0.8, 0.9, 0.93, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999} {
		for _, period := range []time.Duration{time.Hour, day, 7 * day, 28 * day, 30 * day, 92 * day, 400 * day} {
			for i, tier := range Tiers(target, period) {
				if errors := tier.Factor * (1 - target); !(errors > 0 && errors < 1 && errors <= headroom[i]+1e-12) {
					t.Errorf("target %v over %v: %s tier %d needs an error ratio of %v", target, period, tier.Severity, i, errors)
				}
			}
		}
	}
}

// Burning at the factor for the long window spends the tier's budget, pages speak
// before tickets, and every window is whole minutes within the period.
func TestTiersSpendTheirBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.Float64Range(0.01, 0.99999).Draw(t, "target")
		period := time.Duration(rapid.Int64Range(60, 400*24*60).Draw(t, "minutes")) * time.Minute
		tiers := Tiers(target, period)
		for i, tier := range tiers {
			checkSpending(t, tier, period)
			checkWindows(t, tier, period)
			if i > 0 && (tier.Factor > tiers[i-1].Factor || tier.Long < tiers[i-1].Long) {
				t.Fatalf("tier %d is quicker than the one before it: %v", i, tiers)
			}
		}
	})
}

func checkSpending(t *rapid.T, tier Tier, period time.Duration) {
	spent := tier.Factor * float64(tier.Long) / float64(period)
	rounding := tier.Factor * float64(30*time.Second) / float64(period)
	if held := tier.Long == 12*time.Minute; !held && math.Abs(spent-tier.Budget) > rounding+1e-9 {
		t.Fatalf("%+v over %v spends %v", tier, period, spent)
	}
}

func checkWindows(t *rapid.T, tier Tier, period time.Duration) {
	if tier.Long%time.Minute != 0 || tier.Short%time.Minute != 0 || tier.Short < time.Minute || tier.Long > period {
		t.Fatalf("%+v over %v has odd windows", tier, period)
	}
	if drift := tier.Short - tier.Long/12; drift.Abs() > 30*time.Second {
		t.Fatalf("%+v: the short window is not a twelfth of the long one", tier)
	}
}
