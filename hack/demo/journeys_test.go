package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/stories"
)

// scene is a story of one promise, and what there is of it when all is as told.
func scene() ([]stories.Story, standings) {
	all := []stories.Story{{
		Namespace: "shop", Journey: "order", Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "support",
		UX: stories.Figure{About: 100}, CX: stories.Figure{About: 40}, Promises: map[string]stories.Promise{"hold": {Attainment: stories.Figure{About: 36}}},
	}}
	j := &v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "order", Generation: 1}}
	j.Status = v1alpha1.JourneyStatus{
		ObservedGeneration: 1, Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, WeakestStage: "support",
		Scores:     &v1alpha1.JourneyScores{UX: "100%", CX: "40%"},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
	}
	o := objective(2, "Met=False/TargetMissed")
	o.Status.Attainment, o.Status.Band = "36%", v1alpha1.BandPoor
	other := objective(2, "Met=True/TargetMet")
	return all, standings{
		journeys:   map[string]*v1alpha1.Journey{"shop/order": j},
		objectives: map[string]*v1alpha1.Objective{"shop/hold": &o, "shop-2/hold": &other},
	}
}

func TestStandingsDifferences(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(standings)
		want   string
	}{
		"Same":      {reason: "nothing to say, whatever another namespace has", change: func(standings) {}},
		"Verdict":   {"a wrong verdict fails the demo", func(s standings) { s.journeys["shop/order"].Status.Verdict = v1alpha1.JourneyHolding }, "shop/verdict: want Broken, found Holding"},
		"Pattern":   {"so does a wrong pattern", func(s standings) { s.journeys["shop/order"].Status.Pattern = v1alpha1.PatternConsistent }, "shop/pattern: want GoodProductPoorService, found Consistent"},
		"Weakest":   {"and a wrong stage", func(s standings) { s.journeys["shop/order"].Status.WeakestStage = "browse" }, "shop/weakest stage: want support, found browse"},
		"Objective": {"and a promise that is not there", func(s standings) { delete(s.objectives, "shop/hold") }, "shop/hold: want Met=False (TargetMissed), found none"},
		"Missing":   {"and a journey that is not there", func(s standings) { delete(s.journeys, "shop/order") }, "shop/order: no verdict"},
		"Waiting": {"and one that has not come to its verdict", func(s standings) {
			s.journeys["shop/order"].Status.Conditions[0].Status = metav1.ConditionFalse
		}, "shop/order: no verdict"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			all, found := scene()
			tc.change(found)
			if diff := cmp.Diff(tc.want, strings.Join(found.differences(all), "; ")); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestShell(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"Plain":  {"words stay words", []string{"get", "journeys", "-A"}, "get journeys -A"},
		"Braces": {"what a shell would take apart is quoted", []string{"-o", "jsonpath={.a}"}, "-o 'jsonpath={.a}'"},
		"Spaces": {"and so is a space", []string{"a b"}, "'a b'"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, shell(tc.args)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
