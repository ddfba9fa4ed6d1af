package rules

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	// ahead is how long before an exclusion begins its rules are written: a ruler has
	// loaded them by then.
	ahead = time.Hour

	// behind is how much longer than a window reaches an exclusion they stay: rulers
	// look at the past, and evaluate some groups once an hour.
	behind = 2 * time.Hour
)

// reached are the exclusions of a plan that are within reach of a window, from when
// the plan was made until the next Turn.
func reached(p *compile.Plan, window time.Duration) []slo.Span { return reachedAt(p, window, p.Made) }

// reachedAt are those of a plan that is made at another moment. They are in order and
// apart, so that two searches find them.
func reachedAt(p *compile.Plan, window time.Duration, made time.Time) []slo.Span {
	all := p.Excluded
	first := sort.Search(len(all), func(i int) bool { return made.Before(all[i].End.Add(window + behind)) })
	end := sort.Search(len(all), func(i int) bool { return all[i].Start.After(made.Add(ahead)) })
	return all[min(first, end):end:end]
}

// Turn is when the rules of a plan, or of a journey along it, are others than now because an exclusion comes
// within reach or leaves it; zero where that is not foreseen.
func Turn(p *compile.Plan, now time.Time) time.Time {
	// That of the objective is one of the rules of its journeys.
	windows := []time.Duration{0, p.Alerts.AbsentAfter, p.Window.Rolling}
	for _, t := range tiersOf(p.Tiers) {
		windows = append(windows, t.Long, t.Short)
	}
	var out time.Time
	consider := func(at time.Time) {
		if at.After(now) && (out.IsZero() || at.Before(out)) {
			out = at
		}
	}
	for _, s := range p.Excluded {
		consider(s.Start.Add(-ahead))
		for _, window := range windows {
			consider(s.End.Add(window + behind))
		}
	}
	return out
}

// sift adds up the recorded minutes of a window that are not excluded. Recorded
// numbers stay as they are, so that an exclusion can be taken back; and what slower
// groups rolled up holds all minutes, so these are summed one by one.
//
// The steps of the subquery are the ends of minutes: the sample that stands for the
// minute that ends at a step has a timestamp from then up to the next, and may be
// that of this very evaluation. Slower groups, whose turn can come while a minute is
// being recorded, look at minutes that are older.
func (w *writer) sift(minute string, p pace, window time.Duration, out []slo.Span) string {
	settled := ""
	if p.settled() > 0 {
		settled = " offset " + written(p.settled())
	}
	return fmt.Sprintf("sum(sum_over_time((last_over_time(%s[%s] offset -59s999ms) unless on () (%s))[%s:%s]%s))",
		promql.Recorded(minute, w.deltaIdentity), written(promql.Interval), duringMinutes(out), written(window), written(promql.Interval), settled)
}

// settled is how old the newest minute is that a pace sums one by one.
func (p pace) settled() time.Duration { return 2 * p.delay() }

// duringMinutes holds at the ends of excluded minutes.
func duringMinutes(out []slo.Span) string {
	return during(out, func(s slo.Span) string {
		return fmt.Sprintf("vector(time()) > %d <= %d", s.Start.Unix(), s.End.Unix())
	})
}

// unless adds to an alert that it does not fire during exclusions, and for some time
// after their ends.
func (w *writer) unless(after time.Duration) string {
	out := reached(w.plan, after)
	if len(out) == 0 {
		return ""
	}
	return " unless on () (" + during(out, func(s slo.Span) string {
		// Until the end of the next minute, the last that was recorded is excluded.
		return fmt.Sprintf("vector(time()) >= %d < %d", s.Start.Unix(), s.End.Add(after+promql.Interval).Unix())
	}) + ")"
}

func during(out []slo.Span, condition func(slo.Span) string) string {
	var parts []string
	for _, s := range out {
		parts = append(parts, condition(s))
	}
	return strings.Join(parts, " or ")
}
