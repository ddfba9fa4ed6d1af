package rules

import (
	"fmt"
	"maps"
	"strings"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// Names of the alerts.
const (
	// BudgetBurn fires while the error budget is spent too fast.
	BudgetBurn = "ExperienceBudgetBurn"
	// DataAbsent fires while data that was there is there no more.
	DataAbsent = "ExperienceDataAbsent"
)

// Values of the label severity, unless an objective has its own.
const (
	Critical = "critical"
	Warning  = "warning"
)

// runbooks is where the pages are that come with the operator.
const runbooks = "https://github.com/experience-slo/operator/blob/main/docs/runbooks/"

// remembered is how long the ruler may be away without forgetting when data was
// last seen.
const remembered = 6 * time.Hour

// budgetBurn fires while both windows burn and the long one has enough bad
// events for that to be no accident.
func (w *writer) budgetBurn(t tier) monitoringv1.Rule {
	severity, extra := Warning, w.plan.Alerts.Ticket
	if t.Severity == slo.Page {
		severity, extra = Critical, w.plan.Alerts.Page
	}
	factor := number(t.Factor)
	expr := fmt.Sprintf("%s > %s and ignoring (window) %s > %s and ignoring (window) %s >= %s",
		w.now(BurnRate, t.pace, t.Long), factor, w.now(BurnRate, t.pace, t.Short), factor,
		w.now(BadEvents, t.pace, t.Long), number(w.plan.Alerts.MinimumBadEvents)) + w.unless(0)
	target := w.plan.Unit.FormatTarget(w.plan.Target)
	return w.alert(alert{
		name: BudgetBurn, expr: expr, severity: severity, window: written(t.Long), extra: extra,
		summary: fmt.Sprintf(`%s spends its error budget {{ printf "%%.1f" $value }} times as fast as its target of %s allows`, w.plan.Key, target),
		description: fmt.Sprintf(`Over the last %s, and still over the last %s, the experience of %s burned its error budget `+
			`{{ printf "%%.1f" $value }} times as fast as the target of %s allows. This alert fires above %s times.`,
			written(t.Long), written(t.Short), literal(w.plan.Service), target, fmt.Sprintf("%.3g", t.Factor)),
	})
}

// absence are the rules that look whether data is there.
func (w *writer) absence() []monitoringv1.Rule {
	if w.open != "" {
		return []monitoringv1.Rule{w.absentOpen(), w.absentWhileOpen()}
	}
	return []monitoringv1.Rule{w.lastData(), w.dataAbsent()}
}

// lastData records when data was last there, and keeps it when it no longer is.
// A series that was never born has no such time.
func (w *writer) lastData() monitoringv1.Rule {
	return w.record(DataTimestamp, fmt.Sprintf("max(present_over_time(%s[%s])) * time() or max(last_over_time(%s[%s]))",
		promql.Recorded(promql.RecordedEvents, w.deltaIdentity), written(watch.width),
		promql.Recorded(DataTimestamp, w.identity), written(remembered)), 0)
}

func (w *writer) dataAbsent() monitoringv1.Rule {
	after := w.plan.Alerts.AbsentAfter
	return w.alert(alert{
		name: DataAbsent, severity: Warning, extra: w.plan.Alerts.Absent,
		expr:    fmt.Sprintf("time() - %s > %s", promql.Recorded(DataTimestamp, w.own), number(after.Seconds())) + w.unless(after),
		summary: fmt.Sprintf("%s has had no data for {{ humanizeDuration $value }}", w.plan.Key),
		description: fmt.Sprintf("The metrics of %s were there and have been absent for {{ humanizeDuration $value }}. "+
			"Until they are back nobody knows whether the promise is kept, and no other alert of this objective can fire.", literal(w.plan.Service)),
	})
}

// alert is what one alert does not share with others of its objective.
type alert struct {
	name, expr, severity, window string
	summary, description         string
	extra                        compile.Alert
}

func (w *writer) alert(a alert) monitoringv1.Rule {
	labels := map[string]string{"severity": a.severity}
	if w.plan.Calendar != "" {
		labels[CalendarLabel] = w.plan.Calendar
	}
	maps.Copy(labels, a.extra.Labels)
	maps.Copy(labels, w.labels)
	if a.window != "" {
		labels["window"] = a.window
	}
	// Prometheus takes the labels of an alert for templates too.
	for name, value := range labels {
		labels[name] = literal(value)
	}
	rule := monitoringv1.Rule{Alert: a.name, Expr: intstr.FromString(a.expr), Labels: labels, Annotations: w.annotations(a)}
	if keep := w.plan.Alerts.KeepFiringFor; keep > 0 {
		text := monitoringv1.NonEmptyDuration(*durationOf(keep))
		rule.KeepFiringFor = &text
	}
	return rule
}

func (w *writer) annotations(a alert) map[string]string {
	out := map[string]string{
		"summary":     a.summary,
		"description": strings.TrimSpace(literal(w.plan.Alerts.Description) + " " + a.description),
		"runbook_url": runbooks + a.name + ".md",
	}
	if w.plan.Alerts.Runbook != "" {
		out["runbook_url"] = literal(w.plan.Alerts.Runbook)
	}
	if w.plan.Alerts.Dashboard != "" {
		out["dashboard_url"] = literal(w.plan.Alerts.Dashboard)
	}
	maps.Copy(out, a.extra.Annotations)
	return out
}
