package compile

import (
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// How long data may be absent before somebody hears of it: people use a product
// all day, and a support desk may be closed until tomorrow.
const (
	absentUX = time.Hour
	absentCX = 24 * time.Hour
)

// defaultBadEvents is how many bad events a tier needs unless it is told.
const defaultBadEvents = 3

// tiersOf keeps the tiers that alerting leaves on. Surveys never page.
func tiersOf(o *v1alpha1.Objective, target float64, period time.Duration) []slo.Tier {
	alerting := alertingOf(o)
	watched := map[slo.Severity]bool{
		slo.Page:   o.Spec.Indicator.Score == nil && alerting.Page.On(),
		slo.Ticket: alerting.Ticket.On(),
	}
	var out []slo.Tier
	for _, tier := range slo.Tiers(target, period) {
		if watched[tier.Severity] {
			out = append(out, tier)
		}
	}
	return out
}

func alertingOf(o *v1alpha1.Objective) v1alpha1.Alerting {
	if o.Spec.Alerting == nil {
		return v1alpha1.Alerting{}
	}
	return *o.Spec.Alerting
}

func alertsOf(o *v1alpha1.Objective) Alerts {
	alerting := alertingOf(o)
	out := Alerts{
		Description: o.Spec.Description,
		Page:        alertOf(alerting.Page), Ticket: alertOf(alerting.Ticket),
		AbsentAfter:      absentAfter(o.Spec.Perspective, alerting.DataAbsent),
		MinimumBadEvents: float64(alerting.MinimumBadEvents),
		Runbook:          string(alerting.RunbookURL), Dashboard: string(alerting.DashboardURL),
	}
	if alerting.DataAbsent != nil {
		out.Absent = alertOf(&alerting.DataAbsent.AlertTier)
	}
	if alerting.MinimumBadEvents == 0 {
		out.MinimumBadEvents = defaultBadEvents
	}
	if alerting.KeepFiringFor != nil {
		out.KeepFiringFor = alerting.KeepFiringFor.Duration
	}
	return out
}

func absentAfter(perspective v1alpha1.Perspective, absent *v1alpha1.DataAbsentAlert) time.Duration {
	switch {
	case absent != nil && !absent.On():
		return 0
	case absent != nil && absent.After != nil:
		return absent.After.Duration
	case perspective == v1alpha1.PerspectiveCX:
		return absentCX
	default:
		return absentUX
	}
}

func alertOf(tier *v1alpha1.AlertTier) Alert {
	if tier == nil {
		return Alert{}
	}
	return Alert{Labels: texts(tier.Labels), Annotations: texts(tier.Annotations)}
}

func texts(in map[string]v1alpha1.AlertText) map[string]string {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for name, text := range in {
		out[name] = string(text)
	}
	return out
}
