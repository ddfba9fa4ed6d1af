package rules

import (
	"fmt"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

// BrokenJourney fires while a journey is broken.
const BrokenJourney = "ExperienceJourneyBroken"

func exprOf(expr string) intstr.IntOrString { return intstr.FromString(expr) }

// broken is 1 while a critical stage or completion is violated, 0 where everything
// that decides is known otherwise, and nothing where it is not.
func (w *journeyWriter) broken() string {
	var violated []string
	for _, stage := range w.journey.critical() {
		violated = append(violated, w.violated(stage.Name)...)
	}
	if w.journey.Spec.Completion != "" {
		violated = append(violated, w.missed([]*compile.Plan{w.journey.Completion}))
	}
	return fmt.Sprintf("%s or (0 * (count(%s) == %d))", strings.Join(violated, " or "), w.members(w.deciding), len(w.deciding))
}

// violated is 1 for each side of a stage that is violated: service that is, and a
// product that no service makes up for.
func (w *journeyWriter) violated(stage v1alpha1.Label) []string {
	plans := w.journey.Stages[stage]
	var out []string
	if service := of(plans, v1alpha1.PerspectiveCX); len(service) > 0 {
		out = append(out, w.missed(service))
	}
	product := of(plans, v1alpha1.PerspectiveUX)
	if len(product) == 0 {
		return out
	}
	var helped []string
	for _, by := range w.journey.helpers(stage) {
		if service := of(w.journey.Stages[by], v1alpha1.PerspectiveCX); len(service) > 0 {
			helped = append(helped, fmt.Sprintf("(count(%s == 0) == %d)", w.members(service), len(service)))
		}
	}
	if len(helped) == 0 {
		return append(out, w.missed(product))
	}
	return append(out, fmt.Sprintf("(%s unless (%s))", w.missed(product), strings.Join(helped, " or ")))
}

// missed is 1 where one of some objectives is known to be missed.
func (w *journeyWriter) missed(plans []*compile.Plan) string {
	return fmt.Sprintf("(max(%s) == 1)", w.members(plans))
}

// members selects what was found of some objectives a moment ago.
func (w *journeyWriter) members(plans []*compile.Plan) string {
	names := make([]string, len(plans))
	for i, p := range plans {
		names[i] = p.Key.Name
	}
	return promql.Recorded(JourneyMissed, w.own.ConfineAny("objective", names...))
}

func (w *journeyWriter) alert() monitoringv1.Rule {
	labels := map[string]string{"severity": Critical}
	for name, value := range w.labels {
		labels[name] = literal(value) // Prometheus takes the labels of an alert for templates
	}
	description := strings.TrimSpace(literal(w.journey.Spec.Description) + " A stage without which the journey is worth nothing does not keep " +
		"what it promises, and nothing makes up for it.")
	return monitoringv1.Rule{
		Alert: BrokenJourney, Labels: labels,
		Expr: exprOf(promql.Recorded(JourneyBroken, w.own) + " == 1"),
		Annotations: map[string]string{
			"summary":     "The journey " + w.journey.Key.String() + " is broken",
			"description": description, "runbook_url": runbooks + BrokenJourney + ".md",
		},
	}
}

// JourneySuffix ends the name of a journey's PrometheusRule, which is in one
// namespace with those of objectives.
const JourneySuffix = ".journey"

// JourneyRuleName is the name of a journey's PrometheusRule.
func JourneyRuleName(journey string) string {
	return Bounded(journey, 253-len(JourneySuffix)) + JourneySuffix
}

// JourneyRule holds the group of a journey, which owns it.
func JourneyRule(j *Journey, s Settings, group monitoringv1.RuleGroup) *monitoringv1.PrometheusRule {
	out := PrometheusRule(&compile.Plan{Key: j.Key, UID: j.UID}, s, []monitoringv1.RuleGroup{group})
	out.Name = JourneyRuleName(j.Key.Name)
	controls := true
	out.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Journey", Name: j.Key.Name, UID: j.UID, Controller: &controls,
	}}
	return out
}
