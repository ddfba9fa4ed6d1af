package evaluate

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// stageOf is a stage of objectives by name, of a namespace or of the journey's own.
func stageOf(stage v1alpha1.Label, namespace v1alpha1.Label, names ...v1alpha1.Name) v1alpha1.JourneyStage {
	return v1alpha1.JourneyStage{Name: stage, Objectives: v1alpha1.StageObjectives{Namespace: namespace, Names: names}}
}

func stageBy(stage v1alpha1.Label, namespace v1alpha1.Label, selector metav1.LabelSelector) v1alpha1.JourneyStage {
	return v1alpha1.JourneyStage{Name: stage, Objectives: v1alpha1.StageObjectives{Namespace: namespace, Selector: &selector}}
}

func aJourney(stages ...v1alpha1.JourneyStage) *v1alpha1.Journey {
	return &v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "order"}, Spec: v1alpha1.JourneySpec{Stages: stages}}
}

// labelledAs selects by the label team.
func labelledAs(team string) metav1.LabelSelector {
	return metav1.LabelSelector{MatchLabels: map[string]string{"team": team}}
}

// countable holds some objectives; all are of the team of their namespace.
func countable(names map[string][]v1alpha1.Name) Countable {
	out := Countable{}
	for namespace, all := range names {
		out[namespace] = map[v1alpha1.Name]*v1alpha1.Objective{}
		for _, name := range all {
			out[namespace][name] = &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: string(name), Labels: map[string]string{"team": namespace}}}
		}
	}
	return out
}

func TestAlong(t *testing.T) {
	var crowd []v1alpha1.Name
	for i := range v1alpha1.MaxStageObjectives + 1 {
		crowd = append(crowd, v1alpha1.Name(fmt.Sprint("o", i)))
	}
	completed := aJourney(stageOf("web", "", "speed"))
	completed.Spec.Completion = "orders"
	unreadable := metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Near"}}}
	cases := map[string]struct {
		reason  string
		journey *v1alpha1.Journey
		from    Countable
		want    map[string][]string
		err     string
	}{
		"Names": {"in the order of the spec, whether they are there or not", aJourney(stageOf("web", "", "taps", "speed")), countable(map[string][]v1alpha1.Name{"shop": {"speed"}}),
			map[string][]string{"web": {"taps NotFound", "speed EvaluationPending"}}, ""},
		"Selector": {"by name", aJourney(stageBy("web", "", labelledAs("shop"))), countable(map[string][]v1alpha1.Name{"shop": {"taps", "speed"}}),
			map[string][]string{"web": {"speed EvaluationPending", "taps EvaluationPending"}}, ""},
		"Completion": {"beside the stages", completed, countable(map[string][]v1alpha1.Name{"shop": {"orders"}}),
			map[string][]string{"web": {"speed NotFound"}, "": {"orders EvaluationPending"}}, ""},
		"Elsewhere": {"what is not there may be there and not shared", aJourney(stageOf("phone", "support", "hold", "waits")), countable(map[string][]v1alpha1.Name{"support": {"hold"}, "shop": {"waits"}}),
			map[string][]string{"phone": {"support/hold EvaluationPending", "support/waits NotShared"}}, ""},
		"SelectedElsewhere": {"labels choose among what is shared", aJourney(stageBy("phone", "support", labelledAs("support"))), countable(map[string][]v1alpha1.Name{"support": {"hold"}, "shop": {"waits"}}),
			map[string][]string{"phone": {"support/hold EvaluationPending"}}, ""},
		"OwnByName": {"the journey's own namespace may be named", aJourney(stageOf("web", "shop", "speed", "gone")), countable(map[string][]v1alpha1.Name{"shop": {"speed"}}),
			map[string][]string{"web": {"speed EvaluationPending", "gone NotFound"}}, ""},
		"TooMany": {"a stage has sixteen at most", aJourney(stageBy("web", "", labelledAs("shop"))), countable(map[string][]v1alpha1.Name{"shop": crowd}), nil,
			"spec.stages[0].objectives.selector: it selects more than 16 objectives: choose fewer, or make several stages of it"},
		"Unreadable": {"the field is named", aJourney(stageBy("web", "", unreadable)), nil, nil,
			`spec.stages[0].objectives.selector: "Near" is not a valid label selector operator`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			way, err := Along(tc.journey, tc.from)
			if text := errorText(err); text != tc.err {
				t.Fatalf("%s: error %q, want %q", tc.reason, text, tc.err)
			}
			if err != nil {
				return
			}
			got := map[string][]string{}
			read := func(stage v1alpha1.Label, s Staged) {
				m := s.Unmeasured()
				got[string(stage)] = append(got[string(stage)], m.String()+" "+m.Reason)
			}
			for stage, all := range way.Stages {
				for _, s := range all {
					read(stage, s)
				}
			}
			if way.Completion != nil {
				read("", *way.Completion)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPlans asks for the plan of each objective once, whatever it is along the journey.
func TestPlans(t *testing.T) {
	j := aJourney(stageOf("web", "", "speed", "taps"), stageOf("phone", "support", "hold"), stageOf("mail", "", "speed", "gone"), stageOf("shop", ""))
	j.Spec.Completion = "taps"
	way, err := Along(j, countable(map[string][]v1alpha1.Name{"shop": {"speed", "taps"}, "support": {"hold"}}))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]*compile.Plan{"gone": nil, "speed": {Service: "speed"}, "taps": {Service: "taps"}, "support/hold": {Service: "hold"}}
	asked := map[string]int{}
	stages, completion, err := way.Plans(func(s Staged) (*compile.Plan, error) {
		asked[s.String()]++
		return made[s.String()], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"speed": 1, "taps": 1, "support/hold": 1, "gone": 1}, asked); diff != "" {
		t.Errorf("asked for: -want, +got:\n%s", diff)
	}
	want := map[v1alpha1.Label][]*compile.Plan{
		"web": {made["speed"], made["taps"]}, "phone": {made["support/hold"]}, "mail": {made["speed"], nil},
	}
	same := cmp.Comparer(func(a, b *compile.Plan) bool { return a == b })
	if diff := cmp.Diff(want, stages, same); diff != "" || completion != made["taps"] {
		t.Errorf("completion %v; -want, +got:\n%s", completion, diff)
	}
}

// TestPlansOfNone asks for no more plans after an error.
func TestPlansOfNone(t *testing.T) {
	way, err := Along(aJourney(stageOf("web", "", "speed", "taps"), stageOf("mail", "", "news")), nil)
	if err != nil {
		t.Fatal(err)
	}
	times := 0
	_, _, err = way.Plans(func(Staged) (*compile.Plan, error) {
		times++
		return nil, errors.New("no cluster")
	})
	if times != 1 || errorText(err) != "no cluster" {
		t.Errorf("asked %d times, %v", times, err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCounts(t *testing.T) {
	completed := aJourney(stageOf("web", "", "speed"))
	completed.Spec.Completion = "orders"
	elsewhere := aJourney(stageOf("web", "", "speed"), stageBy("phone", "support", labelledAs("support")))
	cases := map[string]struct {
		journey         *v1alpha1.Journey
		namespace, name string
		team            string
		want            bool
	}{
		"Named":          {completed, "shop", "speed", "", true},
		"Completion":     {completed, "shop", "orders", "", true},
		"NotNamed":       {completed, "shop", "taps", "", false},
		"SameElsewhere":  {completed, "support", "speed", "", false},
		"Labelled":       {elsewhere, "support", "hold", "support", true},
		"OtherLabel":     {elsewhere, "support", "hold", "shop", false},
		"LabelledAtHome": {elsewhere, "shop", "hold", "support", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Counts(tc.journey, tc.namespace, v1alpha1.Name(tc.name), map[string]string{"team": tc.team}); got != tc.want {
				t.Errorf("counts %s/%s: %t, want %t", tc.namespace, tc.name, got, tc.want)
			}
		})
	}
	if diff := cmp.Diff([]string{"shop", "support"}, LooksInto(elsewhere)); diff != "" {
		t.Errorf("namespaces: -want, +got:\n%s", diff)
	}
}

// TestUnknownElsewhere counts two objectives of one name in two namespaces as two.
func TestUnknownElsewhere(t *testing.T) {
	w := journeyOf().normal("web", unmeasured("speed", ux))
	far := unmeasured("speed", ux)
	far.Namespace = "support"
	if o := w.normal("phone", far, unmeasured("speed", ux)).judged(); o.UnknownObjectives() != 2 {
		t.Errorf("%d objectives are unknown, want 2", o.UnknownObjectives())
	}
}
