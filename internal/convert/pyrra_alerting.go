package convert

import (
	"maps"

	"github.com/experience-slo/operator/api/v1alpha1"
)

func (u *unit) pyrraAlerting(alerting field, labels, annotations []carried) {
	off, _ := alerting.at("disabled").flag()
	burnrates := on(alerting.at("burnrates"), off)
	absent := on(alerting.at("absent"), off)
	const renamed = "alerts are called ExperienceBudgetBurn and ExperienceDataAbsent: route them by their labels objective and service"
	u.drop(alerting.at("name"), renamed)
	u.drop(alerting.at("absentName"), renamed)
	severities := alerting.at("severities")
	severity := func(fields ...field) map[string]v1alpha1.AlertText { return u.severity(u.texts(labels), fields...) }
	u.alert(
		tier(burnrates, severity(severities.at("fastBurn"), severities.at("mediumBurn")), u.texts(annotations)),
		tier(burnrates, severity(severities.at("slowBurn"), severities.at("longTermBurn")), u.texts(annotations)),
		tier(absent, severity(severities.at("absent")), u.texts(annotations)),
	)
}

// on reads a switch that is on unless it or all are switched off.
func on(f field, off bool) bool {
	value, set := f.flag()
	return !off && (value || !set)
}

// severity adds the severity of a pair of alerts, which have one here.
func (u *unit) severity(labels map[string]v1alpha1.AlertText, fields ...field) map[string]v1alpha1.AlertText {
	value := ""
	for _, f := range fields {
		switch text := f.text(); {
		case text == "" || text == value:
		case value == "":
			value = text
			if len(fields) > 1 {
				u.note(f, "both alerts of its pair carry it")
			}
		default:
			u.tell(Dropped, f, "both alerts of a pair carry one severity: route them apart by their label window")
		}
	}
	if value == "" {
		return labels
	}
	out := maps.Clone(labels)
	if out == nil {
		out = map[string]v1alpha1.AlertText{}
	}
	out["severity"] = v1alpha1.AlertText(value)
	return out
}
