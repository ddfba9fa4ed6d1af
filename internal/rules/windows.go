package rules

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"

	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// pace is how often a group is evaluated, and the width of the recorded numbers
// that its windows are sums of.
type pace struct {
	// suffix ends the name of the group.
	suffix string
	width  time.Duration
	// longest is the longest window of the group.
	longest time.Duration
}

const day = 24 * time.Hour

// paces are the groups of an objective. A window is a sum of 48 to some
// thousand numbers, whatever its length; and the delay that a slower group adds
// is small beside the window.
var paces = []pace{
	{"", promql.Interval, 6 * time.Hour},
	{"/slow", 5 * time.Minute, 4 * day},
	{"/slower", 30 * time.Minute, 24 * day},
	{"/slowest", time.Hour, math.MaxInt64},
}

// watch is the pace at which absent data is looked for.
var watch = paces[1]

// tier is a tier whose windows are multiples of the width of its pace.
type tier struct {
	slo.Tier
	pace pace
}

// tiersOf gives each tier its pace. Of tiers of one severity and one window only
// the most sensitive is left: it fires whenever any of them would, and their
// alerts could not be told apart.
func tiersOf(tiers []slo.Tier) []tier {
	var out []tier
	for _, t := range tiers {
		at := slices.IndexFunc(paces, func(p pace) bool { return t.Long <= p.longest })
		next := tier{Tier: t, pace: paces[at]}
		next.Long, next.Short = multiple(t.Long, next.pace.width), multiple(t.Short, next.pace.width)
		same := slices.IndexFunc(out, func(o tier) bool { return o.Severity == t.Severity && o.Long == next.Long })
		switch {
		case same < 0:
			out = append(out, next)
		case next.Factor < out[same].Factor:
			out[same] = next
		}
	}
	return out
}

// multiple is the multiple of a width that is nearest to a duration, at least one.
func multiple(d, width time.Duration) time.Duration {
	return max(d.Round(width), width)
}

// rollUps sum the recorded minutes up to the width of a pace. They look at
// minutes that are a minute old: those that are being recorded at this moment
// may have events and no points yet.
func (w *writer) rollUps(p pace) []monitoringv1.Rule {
	rule := func(into, from string) monitoringv1.Rule {
		return w.recordDelta(into, fmt.Sprintf("sum(sum_over_time(%s[%s] offset %s))",
			promql.Recorded(from, w.deltaIdentity), written(p.width), written(promql.Interval)))
	}
	return []monitoringv1.Rule{
		rule(p.events(), promql.RecordedEvents),
		rule(p.points(), promql.RecordedPoints),
	}
}

// events and points are the names of the numbers that windows are sums of.
func (p pace) events() string { return "objective:experience_events:delta" + written(p.width) }
func (p pace) points() string { return "objective:experience_points:delta" + written(p.width) }

// sums record what the alerts of some tiers read. A window that a quicker group
// records is read from there.
func (w *writer) sums(p pace, tiers []tier) []monitoringv1.Rule {
	var out []monitoringv1.Rule
	for _, t := range tiers {
		if _, recorded := w.windows[t.Long]; !recorded {
			w.windows[t.Long] = p
			out = append(out, w.longWindow(p, t.Long)...)
		}
	}
	for _, t := range tiers {
		if _, recorded := w.windows[t.Short]; !recorded {
			w.windows[t.Short] = p
			out = append(out, w.shortWindow(p, t.Short))
		}
	}
	return out
}

// longWindow records events, bad events and the burn rate. Without events there
// is no burn rate: it is neither zero nor NaN.
func (w *writer) longWindow(p pace, window time.Duration) []monitoringv1.Rule {
	events, bad := "max("+w.now(Events, p, window)+")", "max("+w.now(BadEvents, p, window)+")"
	return []monitoringv1.Rule{
		w.record(Events, w.events(p, window), window),
		w.record(BadEvents, events+" - "+w.points(p, window), window),
		w.record(BurnRate, bad+" / ("+events+" > 0) / "+w.budget(), window),
	}
}

func (w *writer) shortWindow(p pace, window time.Duration) monitoringv1.Rule {
	expr := fmt.Sprintf("(1 - %s / (%s > 0)) / %s", w.points(p, window), w.events(p, window), w.budget())
	return w.record(BurnRate, expr, window)
}

// events and points are sums over a window, without the minutes that are excluded.
func (w *writer) events(p pace, window time.Duration) string {
	return w.counted(promql.RecordedEvents, p.events(), p, window)
}

func (w *writer) points(p pace, window time.Duration) string {
	return w.counted(promql.RecordedPoints, p.points(), p, window)
}

func (w *writer) counted(minute, rolled string, p pace, window time.Duration) string {
	if out := reached(w.plan, window); len(out) > 0 {
		return w.sift(minute, p, window, out)
	}
	return w.sum(rolled, window)
}

// sum adds up a recorded number over a window. An objective whose labels were
// changed within the window has several series: they are one objective still.
func (w *writer) sum(name string, window time.Duration) string {
	return fmt.Sprintf("sum(sum_over_time(%s[%s]))", promql.Recorded(name, w.deltaIdentity), written(window))
}

// now selects what was recorded for a window in the same evaluation, or last in
// a quicker group, with all its labels: the templates of alerts can read them. It
// is one series, even where others of the objective had other labels.
func (w *writer) now(name string, p pace, window time.Duration) string {
	series := promql.Recorded(name, w.own.Confine("window", written(window)))
	if by := w.windows[window]; by != p {
		return fmt.Sprintf("last_over_time(%s[%s])", series, written(2*by.width))
	}
	return series
}

// budget is the share of events that may be bad.
func (w *writer) budget() string { return number(1 - w.plan.Target) }

// number writes a number without the noise that binary fractions leave behind.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 12, 64) }
