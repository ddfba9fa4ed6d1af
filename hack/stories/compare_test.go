package stories

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// journey builds one of generation 2 that is Broken, by support.
func journey(change func(*v1alpha1.JourneyStatus)) *v1alpha1.Journey {
	j := &v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Name: "question", Generation: 2}}
	j.Status = v1alpha1.JourneyStatus{
		ObservedGeneration: 2, Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, WeakestStage: "support",
		Scores:     &v1alpha1.JourneyScores{UX: "100%", CX: "40.2%"},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}},
	}
	change(&j.Status)
	return j
}

// objective builds one with a verdict.
func objective(status metav1.ConditionStatus, reason, attainment string, band v1alpha1.Band) *v1alpha1.Objective {
	o := &v1alpha1.Objective{}
	o.Status.Attainment, o.Status.Band = attainment, band
	o.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionMet, Status: status, Reason: reason}}
	return o
}

// told is a story of two promises.
func told() *Story {
	return &Story{
		Namespace: "shop", Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "support",
		UX: whole, CX: Figure{40, 0.5}, Promises: map[string]Promise{"speed": kept(84, 1), "hold": broken(36, 4)},
	}
}

// asTold are its objectives as they have to be.
func asTold() map[string]*v1alpha1.Objective {
	return map[string]*v1alpha1.Objective{
		"speed": objective(metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "84.9%", v1alpha1.BandGood),
		"hold":  objective(metav1.ConditionFalse, v1alpha1.ReasonTargetMissed, "33%", v1alpha1.BandPoor),
		"other": objective(metav1.ConditionUnknown, v1alpha1.ReasonNoData, "", ""),
	}
}

func TestDifferences(t *testing.T) {
	same := func(*v1alpha1.JourneyStatus) {}
	cases := map[string]struct {
		reason    string
		journey   func(*v1alpha1.JourneyStatus)
		objective map[string]*v1alpha1.Objective
		want      []string
	}{
		"Same":    {reason: "nothing to say, and nothing of an objective that is not the story's", journey: same},
		"Verdict": {"both verdicts are named", func(s *v1alpha1.JourneyStatus) { s.Verdict = v1alpha1.JourneyDegraded }, nil, []string{"shop/verdict: want Broken, found Degraded"}},
		"Pattern": {"so are patterns", func(s *v1alpha1.JourneyStatus) { s.Pattern = "" }, nil, []string{"shop/pattern: want GoodProductPoorService, found none"}},
		"Weakest": {"and stages", func(s *v1alpha1.JourneyStatus) { s.WeakestStage = "browse" }, nil, []string{"shop/weakest stage: want support, found browse"}},
		"Score":   {"the right verdict from a wrong score is wrong", func(s *v1alpha1.JourneyStatus) { s.Scores.UX = "99.9%" }, nil, []string{"shop/UX: want 100±0, found 99.9%"}},
		"NoScore": {"and so is one without", func(s *v1alpha1.JourneyStatus) { s.Scores = nil }, nil, []string{"shop/UX: want 100±0, found none", "shop/CX: want 40±0.5, found none"}},
		"Met": {"a promise that is kept and should not be", same,
			map[string]*v1alpha1.Objective{"hold": objective(metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "36%", v1alpha1.BandGood)},
			[]string{"shop/hold: want Met=False (TargetMissed), found Met=True (TargetMet)", "shop/hold's band: want Poor, found Good"}},
		"Figure": {"the right verdict from a wrong figure", same,
			map[string]*v1alpha1.Objective{"speed": objective(metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "85.1%", v1alpha1.BandGood)},
			[]string{"shop/speed's attainment: want 84±1, found 85.1%"}},
		"NoVerdict": {"an objective that nobody judged", same, map[string]*v1alpha1.Objective{"speed": {}},
			[]string{"shop/speed: want Met=True (TargetMet), found none", "shop/speed's attainment: want 84±1, found none", "shop/speed's band: want Good, found none"}},
		"Missing": {"one that is not there", same, map[string]*v1alpha1.Objective{"speed": nil}, []string{"shop/speed: want Met=True (TargetMet), found none"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			objectives := asTold()
			maps.Copy(objectives, tc.objective)
			if diff := cmp.Diff(tc.want, told().Differences(journey(tc.journey), objectives)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTold(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.JourneyStatus)
		want   bool
	}{
		"Ready":   {"a verdict of all objectives", func(*v1alpha1.JourneyStatus) {}, true},
		"Old":     {"one on an older spec is none", func(s *v1alpha1.JourneyStatus) { s.ObservedGeneration = 1 }, false},
		"Waiting": {"nor is one that waits for objectives", func(s *v1alpha1.JourneyStatus) { s.Conditions[0].Status = metav1.ConditionFalse }, false},
		"New":     {"nor what nobody has looked at", func(s *v1alpha1.JourneyStatus) { *s = v1alpha1.JourneyStatus{ObservedGeneration: -1} }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Told(journey(tc.change)); got != tc.want {
				t.Errorf("%s: got %t", tc.reason, got)
			}
		})
	}
}

func TestFigureFits(t *testing.T) {
	cases := map[string]struct {
		reason string
		figure Figure
		shown  string
		want   bool
	}{
		"Share":    {"a share", Figure{80, 1}, "80.9%", true},
		"Score":    {"a score of the unit's own", Figure{-20, 11}, "-30", true},
		"AtMargin": {"the margin belongs to it", Figure{0.92, 0.02}, "0.94", true},
		"Outside":  {"what lies beyond does not", Figure{80, 1}, "81.1%", false},
		"Exact":    {"no margin is an exact figure", whole, "100%", true},
		"Absent":   {"no figure fits nothing", Figure{0, 100}, "", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.figure.Fits(tc.shown); got != tc.want {
				t.Errorf("%s: %s fits %s: %t", tc.reason, tc.shown, tc.figure, got)
			}
		})
	}
}
