package slo

import (
	"math"
	"time"
)

// Severity is how loudly a tier speaks.
type Severity string

const (
	// Page wakes someone.
	Page Severity = "page"
	// Ticket waits for working hours.
	Ticket Severity = "ticket"
)

// Tier is one multi-window burn-rate alert: it fires while the burn rate is above
// Factor over both the Long and the Short window.
type Tier struct {
	Severity Severity
	// Budget is the fraction of the whole budget that burning at Factor for Long spends.
	Budget float64
	// Long is the window that makes the alert significant.
	Long time.Duration
	// Short is the window that makes the alert end soon after the cause does.
	Short time.Duration
	// Factor is the burn rate that must be exceeded.
	Factor float64
}

const (
	// basePeriod is the window for which the base tiers are written.
	basePeriod = 28 * day
	// shortShare is how many times the short window fits into the long one.
	shortShare = 12
	// minShort is the finest that burn is measured: the ledger counts minutes.
	minShort = time.Minute
)

// baseTiers are the alerts of the SRE workbook (Beyer et al., "The Site Reliability
// Workbook", 2018, chapter 5, table 5-8): a page at 2% of the budget in an hour or 5%
// in six, a ticket at 10% in three days; and a ticket at 10% in one day, as Sloth adds
// to that table. Headroom is the largest share of bad events that a tier may wait for.
var baseTiers = []struct {
	severity Severity
	budget   float64
	window   time.Duration
	headroom float64
}{
	{Page, 0.02, time.Hour, 0.9},
	{Page, 0.05, 6 * time.Hour, 0.75},
	{Ticket, 0.10, day, 0.6},
	{Ticket, 0.10, 3 * day, 0.5},
}

// Tiers returns the alerts for a target below 1 and a window of the given length,
// pages first and the fastest first.
//
// With b the budget fraction, w the base window scaled by period/28d and h the
// headroom, Factor = min(b·period/w, h/(1 − target)), Long = b·period/Factor and
// Short = Long/12. The second term is what lets a loose target alert at all: burn
// cannot exceed 1/(1 − target), which is 4 for a target of 75%, so the workbook's
// factor of 14.4 would never be reached.
//
// Long and Short are rounded to whole minutes. Because w scales with the period,
// Factor does not depend on it: 13.44, 5.6, 2.8 and 0.93 for tight targets. Windows
// of less than about a week would ask for a Short below a minute, finer than
// anything is counted; their Short is held at one minute and Long at twelve with
// Factor unchanged, so the tier speaks later than Budget says, but it speaks.
func Tiers(target float64, period time.Duration) []Tier {
	tiers := make([]Tier, 0, len(baseTiers))
	for _, base := range baseTiers {
		factor := math.Min(
			base.budget*float64(basePeriod)/float64(base.window),
			base.headroom/(1-target),
		)
		long := time.Duration(base.budget * float64(period) / factor).Round(time.Minute)
		long = max(long, shortShare*minShort)
		tiers = append(tiers, Tier{
			Severity: base.severity,
			Budget:   base.budget,
			Long:     long,
			Short:    max((long / shortShare).Round(time.Minute), minShort),
			Factor:   factor,
		})
	}
	return tiers
}
