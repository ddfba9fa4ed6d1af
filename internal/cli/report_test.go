package cli

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// jargon is what nobody outside of an engineering team says.
var jargon = []string{
	"budget", "burn", "slo", "sli", "objective", "attainment", "indicator", "threshold", "percentile", "p75", "promql", "prometheus",
	"gate", "tier", "quer", "metric", "window", "revision", "kubernetes", "namespace", "coverage", "burn rate", "evaluat", "reconcil",
}

func describing(text string) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Description = text }
}

func measuring(target v1alpha1.Target, in v1alpha1.ObjectiveIndicator) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Target, o.Spec.Indicator = target, in }
}

// kinds is a promise of every kind of measurement, in every standing.
func kinds() []v1alpha1.Objective {
	mean := v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Lowest: "1", Highest: "5"}}}
	recommend := v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{}}}
	state := v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{}}
	apdex := v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{}}
	month := func(o *v1alpha1.Objective) {
		o.Spec.Window = v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Month"}}
	}
	return []v1alpha1.Objective{
		judged("page-speed", metav1.ConditionFalse, v1alpha1.ReasonTargetMissed, "61.3%", "-54.8%", describing("Three of four checkout pages show within 2.5 s."), since(50*time.Hour)),
		judged("stars", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "4.4", "25%", describing("Customers rate their delivery with 4.2 stars"), measuring("4.2", mean), since(80*time.Hour)),
		judged("recommendation", metav1.ConditionUnknown, v1alpha1.ReasonInconclusive, "31", "2.9%", measuring("30", recommend)),
		judged("website", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "99.95%", "50%", measuring("99.9%", state), month, lasting(120*time.Hour)),
		judged("booking", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "0.91", "40%", measuring("0.85", apdex), lasting(-time.Hour)),
		judged("silent", metav1.ConditionUnknown, v1alpha1.ReasonNoData, "", ""),
		judged("few", metav1.ConditionUnknown, v1alpha1.ReasonInsufficientData, "80%", "20%", func(o *v1alpha1.Objective) {
			o.Status.Events, o.Spec.Window.Rolling = new(int64(12)), "12h"
		}),
	}
}

// TestReport writes pages for people, without a word of the trade.
func TestReport(t *testing.T) {
	history := func(g *v1alpha1.Gate) {
		g.Status.Objectives = []v1alpha1.GateObjective{{Name: "page-speed"}}
		for i, verdict := range []v1alpha1.GateVerdict{v1alpha1.GatePassed, v1alpha1.GateFailed, v1alpha1.GateInconclusive, v1alpha1.GateSuperseded, v1alpha1.GatePassed} {
			at := metav1.NewTime(now.Add(-time.Duration(1+40*i) * time.Hour))
			g.Status.History = append(g.Status.History, v1alpha1.GateRecord{Revision: "v5", Verdict: verdict, FinishedAt: at})
		}
		g.Status.History[4].FinishedAt = metav1.NewTime(now.Add(-8 * 24 * time.Hour))
	}
	elsewhere := func(g *v1alpha1.Gate) { history(g); g.Namespace = "other" }
	good := judged("good", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "80%", "20%", lasting(-time.Hour), func(o *v1alpha1.Objective) {
		o.CreationTimestamp = metav1.NewTime(now.Add(-30 * time.Minute))
	}, since(20*time.Minute))
	cases := map[string]struct {
		reason     string
		options    statusOptions
		objectives []v1alpha1.Objective
		gates      []v1alpha1.Gate
	}{
		"all":      {reason: "every kind and standing, and what changed", objectives: kinds(), gates: []v1alpha1.Gate{*released(history), *released(elsewhere)}},
		"good":     {reason: "one that is kept, and is new", options: statusOptions{service: "checkout", touchpoint: "web"}, objectives: []v1alpha1.Objective{good}},
		"services": {reason: "of several services each is named", objectives: world()},
		"none":     {reason: "no promise at all"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.options.output = outputReport
			text, err := standings{objectives: tc.options.choose(tc.objectives), gates: tc.gates, options: tc.options, now: now}.write()
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range jargon {
				if strings.Contains(strings.ToLower(string(text)), word) {
					t.Errorf("%s: %q is a word of the trade", tc.reason, word)
				}
			}
			golden(t, "status/report-"+name+".md", string(text))
		})
	}
}

// TestIgnorance has plain words for each reason of the API.
func TestIgnorance(t *testing.T) {
	reasons := []string{
		v1alpha1.ReasonEvaluationPending, v1alpha1.ReasonInsufficientData, v1alpha1.ReasonNoData, v1alpha1.ReasonInconsistentData, v1alpha1.ReasonInconclusive,
		v1alpha1.ReasonSourceUnavailable, v1alpha1.ReasonSourceNotFound, v1alpha1.ReasonSourceNotAllowed, v1alpha1.ReasonSuspended, v1alpha1.ReasonInvalidQuery,
	}
	seen := map[string]string{}
	for _, reason := range reasons {
		o := judged("o", metav1.ConditionUnknown, reason, "", "")
		text := ignorance(&o)
		shared := reason == v1alpha1.ReasonSourceNotAllowed
		if first := seen[text]; first != "" && !shared {
			t.Errorf("%s and %s are told as the same: %s", first, reason, text)
		}
		seen[text] = reason
		for _, word := range jargon {
			if strings.Contains(text, word) {
				t.Errorf("%s: %q is a word of the trade: %s", reason, word, text)
			}
		}
	}
}
