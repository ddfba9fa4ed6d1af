package cli

import (
	"math"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
)

// portion is what was counted in an hour, a day or a week of a window.
type portion struct {
	start time.Time
	// events and lost are NaN where there is no data: lost is the points that the
	// events did not earn.
	events, lost float64
	// spent is the share of the whole budget that this portion cost.
	spent float64
}

// Windows of more than these are parted into days, and into weeks.
const (
	longForHours = 48 * time.Hour
	longForDays  = 62 * 24 * time.Hour
)

// stepsOf parts a window where clocks and calendars of its zone do.
func stepsOf(plan *compile.Plan, account evaluate.Account, to time.Time) []portion {
	span := plan.Window.Span(to)
	whole := account.Since(span.Start)
	if whole.End.IsZero() || whole.Sums.Events <= 0 {
		return nil
	}
	allowed := whole.Sums.Events * (1 - plan.Target)
	var out []portion
	for start := span.Start; start.Before(whole.End); {
		next := following(plan, start)
		now, later := account.Since(start), account.Since(next)
		s := portion{start: start, events: now.Sums.Events - later.Sums.Events, spent: math.NaN()}
		s.lost = s.events - (now.Sums.Points - later.Sums.Points)
		s.spent = s.lost / allowed
		if now.Covered == later.Covered {
			s.events, s.lost, s.spent = math.NaN(), math.NaN(), math.NaN()
		}
		out = append(out, s)
		start = next
	}
	return out
}

// following is where the portion after the one that holds a moment begins.
func following(plan *compile.Plan, at time.Time) time.Time {
	zone := time.UTC
	if plan.Window.Location != nil {
		zone = plan.Window.Location
	}
	length := plan.Window.Longest()
	if length <= longForHours {
		return at.Truncate(time.Hour).Add(time.Hour)
	}
	days := 1
	if length > longForDays {
		days = 7
	}
	local := at.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day()+days, 0, 0, 0, 0, zone)
	if !midnight.After(at) {
		return at.Add(time.Hour) // the clock skips that midnight
	}
	return midnight
}

// label names the portion that begins at a moment.
func labelOf(plan *compile.Plan, start time.Time) string {
	if plan.Window.Longest() <= longForHours {
		return start.UTC().Format("01-02 15:04")
	}
	zone := time.UTC
	if plan.Window.Location != nil {
		zone = plan.Window.Location
	}
	return start.In(zone).Format(time.DateOnly)
}

// unitOf is what a window is parted into.
func unitOf(plan *compile.Plan) string {
	switch length := plan.Window.Longest(); {
	case length <= longForHours:
		return "hour"
	case length <= longForDays:
		return "day"
	default:
		return "week"
	}
}
