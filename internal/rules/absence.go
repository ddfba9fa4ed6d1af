package rules

import (
	"fmt"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"

	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// CalendarLabel is the label of alerts that names the calendar by which the minutes
// of their objective count: Alertmanager can hold pages back by it while that is
// closed.
const CalendarLabel = "calendar"

// absentOpen records for how long data has been absent, counting opening hours
// alone: a weekend that is closed is no absence. While it is closed, and while the
// ruler is away, the number stays as it was. It counts from the end of an exclusion.
func (w *writer) absentOpen() monitoringv1.Rule {
	before := fmt.Sprintf("max(last_over_time(%s[%s]))", promql.Recorded(DataAbsentFor, w.identity), written(remembered))
	expr := fmt.Sprintf("0 * max(present_over_time(%s[%s]))", promql.Recorded(promql.RecordedEvents, w.deltaIdentity), written(watch.width))
	if out := reached(w.plan, w.plan.Alerts.AbsentAfter); len(out) > 0 {
		expr += fmt.Sprintf(" or 0 * %s and on () (%s)", before, during(out, func(s slo.Span) string {
			return fmt.Sprintf("vector(time()) >= %d < %d", s.Start.Unix(), resetsUntil(s).Unix())
		}))
	}
	expr += fmt.Sprintf(" or (%s + %s) and on () (%s) or %s", before, number(watch.width.Seconds()), w.open, before)
	return w.record(DataAbsentFor, expr, 0)
}

// resetsUntil is up to when an exclusion has the count begin anew. Like data, it is
// seen for as long as it is to the next evaluation.
func resetsUntil(s slo.Span) time.Time { return s.End.Add(watch.width) }

// absentWhileOpen is dataAbsent for an objective with a calendar.
func (w *writer) absentWhileOpen() monitoringv1.Rule {
	return w.alert(alert{
		name: DataAbsent, severity: Warning, extra: w.plan.Alerts.Absent,
		expr:    fmt.Sprintf("%s > %s", promql.Recorded(DataAbsentFor, w.own), number(w.plan.Alerts.AbsentAfter.Seconds())) + w.unless(w.plan.Alerts.AbsentAfter),
		summary: fmt.Sprintf("%s has had no data for {{ humanizeDuration $value }} of its opening hours", w.plan.Key),
		description: fmt.Sprintf("The metrics of %s were there and have been absent for {{ humanizeDuration $value }} in which it was open. "+
			"Until they are back nobody knows whether the promise is kept, and no other alert of this objective can fire.", literal(w.plan.Service)),
	})
}
