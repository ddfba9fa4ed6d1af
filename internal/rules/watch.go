package rules

import (
	"strconv"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// Watch is an alert of budget burn as a ruler evaluates it. Its tier's windows are
// multiples of what is recorded for them, and its numbers are those that rules write.
type Watch struct {
	slo.Tier

	// Label is the value of the label severity.
	Label string
	// Every is how often the ruler looks, at whole multiples.
	Every time.Duration
	// Budget is the share of events that may be bad.
	Budget float64

	// long and short are the paces that record the windows.
	long, short pace
}

// Delays are how old the newest minute of each window is, by the rules that are in
// force at a moment.
func (w Watch) Delays(p *compile.Plan, at time.Time) (long, short time.Duration) {
	delay := func(by pace, window time.Duration) time.Duration {
		if len(reachedAt(p, window, at)) > 0 {
			return by.settled()
		}
		return by.delay()
	}
	return delay(w.long, w.Long), delay(w.short, w.Short)
}

// Watches gives the alerts of budget burn of a plan, the quickest first. Tiers whose
// alerts could not be told apart are one.
func Watches(p *compile.Plan) []Watch {
	all := tiersOf(p.Tiers)
	recorded := map[time.Duration]pace{}
	var out []Watch
	for _, pace := range paces {
		var tiers []tier
		for _, t := range all {
			if t.pace == pace {
				tiers = append(tiers, t)
			}
		}
		note(recorded, pace, tiers)
		for _, t := range tiers {
			w := Watch{
				Tier: t.Tier, Label: severityOf(p, t.Tier), Every: pace.width, Budget: rounded(1 - p.Target),
				long: recorded[t.Long], short: recorded[t.Short],
			}
			w.Factor = rounded(t.Factor)
			out = append(out, w)
		}
	}
	return out
}

// note remembers which pace records a window first: long windows before short ones.
func note(recorded map[time.Duration]pace, p pace, tiers []tier) {
	for _, window := range []func(tier) time.Duration{func(t tier) time.Duration { return t.Long }, func(t tier) time.Duration { return t.Short }} {
		for _, t := range tiers {
			if _, known := recorded[window(t)]; !known {
				recorded[window(t)] = p
			}
		}
	}
}

// delay is how old the newest minute is that a pace sums: roll-ups look at minutes
// that are a minute old.
func (p pace) delay() time.Duration {
	if p == paces[0] {
		return 0
	}
	return promql.Interval
}

func severityOf(p *compile.Plan, t slo.Tier) string {
	severity, extra := Warning, p.Alerts.Ticket
	if t.Severity == slo.Page {
		severity, extra = Critical, p.Alerts.Page
	}
	if own, ok := extra.Labels["severity"]; ok {
		return own
	}
	return severity
}

// rounded is a number as rules write it.
func rounded(x float64) float64 {
	out, _ := strconv.ParseFloat(number(x), 64) // number writes numbers
	return out
}

// AbsenceWatch is how often a ruler looks whether data is there.
var AbsenceWatch = watch.width

// AbsenceResets is the last evaluation up to a moment at which an exclusion had the
// count of the absence of data begin anew, for an objective with a calendar; zero where
// there was none.
func AbsenceResets(p *compile.Plan, at time.Time) time.Time {
	var out time.Time
	for _, s := range p.Excluded {
		last := slo.Earlier(at, resetsUntil(s).Add(-time.Nanosecond)).Truncate(AbsenceWatch)
		if !last.Before(s.Start) {
			out = slo.Later(out, last)
		}
	}
	return out
}

// AbsenceLabel is the value of the label severity of the alert of absent data.
func AbsenceLabel(p *compile.Plan) string {
	if own, ok := p.Alerts.Absent.Labels["severity"]; ok {
		return own
	}
	return Warning
}
