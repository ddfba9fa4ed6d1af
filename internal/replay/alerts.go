package replay

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// Alert tells an alert of an objective from others. Window is empty where it has none.
type Alert struct{ Name, Severity, Window string }

// Episode is a time in which an alert fired, by the clock of its rule group.
type Episode struct {
	Alert

	// Start is the first evaluation at which it fired, End the first at which it did
	// no more, or the end of the replay.
	Start, End time.Time
	// Begun says that it fired at the first evaluation, and so may have begun before;
	// Open that it fired at the last one.
	Begun, Open bool
}

// Length is how long the alert fired.
func (e Episode) Length() time.Duration { return e.End.Sub(e.Start) }

// bell is the state of one alert.
type bell struct {
	// episode is the one under way, and closed those that are over.
	episode *Episode
	closed  []Episode
	// quiet is when the condition ended that an alert is kept firing for.
	quiet time.Time
}

// ring evaluates an alert at a moment as Prometheus does.
func (b *bell) ring(a Alert, at time.Time, active bool, keep time.Duration) {
	switch {
	case active:
		b.quiet = time.Time{}
		if b.episode == nil {
			b.episode = &Episode{Alert: a, Start: at}
		}
	case b.episode == nil:
	default:
		if b.quiet.IsZero() {
			b.quiet = at
		}
		if keep == 0 || at.Sub(b.quiet) >= keep {
			b.end(at)
		}
	}
}

func (b *bell) end(at time.Time) {
	if b.episode != nil {
		b.episode.End = at
		b.closed = append(b.closed, *b.episode)
	}
	b.episode, b.quiet = nil, time.Time{}
}

// ruler fires alerts over a track.
type ruler struct {
	track *Track
	from  time.Time
	bells map[Alert]*bell
}

// run evaluates the alerts of a plan at the moments after from up to to at which
// their groups would be. Alerts of another plan that still fire end.
func (r *ruler) run(p *compile.Plan, from, to time.Time) {
	known := map[Alert]bool{}
	for _, w := range rules.Watches(p) {
		alert := Alert{rules.BudgetBurn, w.Label, slo.FormatDuration(w.Long)}
		known[alert] = true
		r.each(alert, w.Every, p, from, to, func(at time.Time) bool { return r.burns(w, p, at) })
	}
	if p.Alerts.AbsentAfter > 0 {
		alert := Alert{rules.DataAbsent, rules.AbsenceLabel(p), ""}
		known[alert] = true
		r.each(alert, rules.AbsenceWatch, p, from, to, func(at time.Time) bool { return r.absent(p, at) })
	}
	for alert, b := range r.bells {
		if !known[alert] {
			b.end(from)
		}
	}
}

func (r *ruler) each(alert Alert, every time.Duration, p *compile.Plan, from, to time.Time, active func(time.Time) bool) {
	b := r.bells[alert]
	if b == nil {
		b = &bell{}
		r.bells[alert] = b
	}
	for at := from.Truncate(every).Add(every); !at.After(to); at = at.Add(every) {
		b.ring(alert, at, active(at), p.Alerts.KeepFiringFor)
		if b.episode != nil && at.Equal(b.episode.Start) {
			b.episode.Begun = !at.Add(-every).After(r.from)
		}
	}
}

// burns is the expression of rules.BudgetBurn.
func (r *ruler) burns(w rules.Watch, p *compile.Plan, at time.Time) bool {
	if p.Quiet(at, 0) {
		return false
	}
	longDelay, shortDelay := w.Delays(p, at)
	at, late := at.Add(-longDelay), at.Add(-shortDelay)
	long, short := r.track.Recorded(at.Add(-w.Long), at), r.track.Recorded(late.Add(-w.Short), late)
	if long.Events <= 0 || short.Events <= 0 {
		return false
	}
	bad := long.Events - long.Points
	return bad/long.Events/w.Budget > w.Factor && (1-short.Points/short.Events)/w.Budget > w.Factor &&
		bad >= p.Alerts.MinimumBadEvents
}

// absent is the expression of rules.DataAbsent. When data was last there was noted
// by the evaluation that followed.
func (r *ruler) absent(p *compile.Plan, at time.Time) bool {
	last := r.track.LastData(at)
	if last.IsZero() || p.Quiet(at, p.Alerts.AbsentAfter) {
		return false
	}
	noted := last.Truncate(rules.AbsenceWatch)
	if noted.Before(last) {
		noted = noted.Add(rules.AbsenceWatch)
	}
	if p.Hours == nil {
		return at.Sub(noted) > p.Alerts.AbsentAfter
	}
	// Each evaluation in the opening hours counts, since the last exclusion.
	noted = slo.Later(noted, rules.AbsenceResets(p, at))
	looked := 0
	for _, open := range p.Hours.Spans(slo.Span{Start: noted, End: at}) {
		looked += int(open.End.Truncate(rules.AbsenceWatch).Sub(open.Start.Truncate(rules.AbsenceWatch)) / rules.AbsenceWatch)
	}
	return time.Duration(looked)*rules.AbsenceWatch > p.Alerts.AbsentAfter
}

// episodes gives all that happened, the first one first.
func (r *ruler) episodes(to time.Time) []Episode {
	var out []Episode
	for _, alert := range slices.SortedFunc(maps.Keys(r.bells), Alert.compare) {
		b := r.bells[alert]
		out = append(out, b.closed...)
		if b.episode != nil {
			e := *b.episode
			e.End, e.Open = to, true
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Episode) int { return a.Start.Compare(b.Start) })
	return out
}

func (a Alert) compare(b Alert) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Window, b.Window))
}
