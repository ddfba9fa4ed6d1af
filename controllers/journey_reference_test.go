package controllers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestJourneyOfReferences has a journey of a score whose unit only the indicator
// knows: what is kept of it is as of one that says for itself how it is measured.
func TestJourneyOfReferences(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "journey-references")
	template := pageSpeed(ns)
	template.Spec.Template = v1alpha1.IndicatorTemplate{Apdex: &v1alpha1.ApdexTemplate{Histogram: `web_vitals_lcp_seconds{namespace="${namespace}"}`, Satisfied: "${threshold}", Tolerated: "4"}}
	inline := indicator(v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: `web_vitals_lcp_seconds{namespace="long-hold"}`, Satisfied: "2.5", Tolerated: "4"}})
	inlineJourney := aJourney(ns, "inline", passes("web", v1alpha1.ImportanceCritical, "inline"))
	j := aJourney(ns, "by-reference", passes("web", v1alpha1.ImportanceCritical, "by-reference"))
	create(t, aSource(ns, env.prom.URL), template, anObjective(ns, "inline", inline, target("0.99")),
		anObjective(ns, "by-reference", refers(map[string]v1alpha1.ParameterValue{"namespace": "long-hold"}), target("0.99")), inlineJourney, j)
	scored := func(j *v1alpha1.Journey) bool { return j.Status.Scores != nil && j.Status.Scores.CX != "" }
	await(t, inlineJourney, "a score", scored)
	await(t, j, "a score", scored)
	t.Logf("inline: %s\n    by reference: %s", journeyText(inlineJourney), journeyText(j))
	if diff := cmp.Diff(inlineJourney.Status.Scores, j.Status.Scores); diff != "" || j.Status.Verdict != v1alpha1.JourneyBroken {
		t.Errorf("%s: -inline, +by reference:\n%s", j.Status.Verdict, diff)
	}
}
