package v1alpha1

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// plainJourney is a valid journey that sets nothing it does not have to.
const plainJourney = `
apiVersion: experience.slo/v1alpha1
kind: Journey
metadata: {name: order-by-phone, namespace: shop}
spec:
  stages:
  - {name: browse, objectives: {names: [page-speed]}}
  - {name: support, objectives: {names: [hold-time]}}
`

const (
	oneStageChoice = "spec.stages[0].objectives: set exactly one of names, selector for the objectives of a stage, for example names: [hold-time]"
	ownRecovery    = "spec.recovery[0]: a stage cannot recover itself: name another stage in recovery.by"
	namedStages    = "spec: recovery.stage and recovery.by must be names of spec.stages"
	capForm        = "spec.recovery[0].cap: cap must be a whole percentage from 1% to 100%, such as 50%"
	needsWhole     = "spec: set completion, the objective that measures the whole journey, with aggregation: Completion, and with no other"
	stageForm      = "spec.stages[0].name: use lower-case letters and digits, with dashes between them, such as mobile-app"
)

// aStage is a stage as JSON, changed by edits.
func aStage(t testing.TB, name string, change edits) map[string]any {
	t.Helper()
	return change.apply(t, map[string]any{"name": name, "objectives": map[string]any{"names": []any{"page-speed"}}})
}

// manyStages are n stages of different names.
func manyStages(t testing.TB, n int) []any {
	t.Helper()
	out := make([]any, n)
	for i := range out {
		out[i] = aStage(t, fmt.Sprintf("stage-%d", i), nil)
	}
	return out
}

// recovers is a recovery of one edge.
func recovers(stage, by, share string) edits {
	return edits{"spec.recovery": []any{map[string]any{"stage": stage, "by": by, "cap": share}}}
}

// mistake is what the API server must refuse, and exactly how.
type mistake = struct {
	reason string
	edits  edits
	want   []string
}

// journeyMistakes are what the API server must refuse of a journey, and exactly how.
func journeyMistakes(t testing.TB) map[string]mistake {
	t.Helper()
	one := func(change edits) edits { return edits{"spec.stages": []any{aStage(t, "browse", change)}} }
	return map[string]mistake{
		"NoStages": {"a way of no steps", edits{"spec.stages": []any{}}, []string{"spec.stages: should have at least 1 items"}},
		"101Stages": {"a status holds a hundred", edits{"spec.stages": manyStages(t, 101)},
			[]string{"spec.stages: must have at most 100 items"}},
		"SameName": {"a stage is named once", edits{"spec.stages": []any{aStage(t, "a", nil), aStage(t, "a", nil)}},
			[]string{"spec.stages[1]: Duplicate value"}},
		"StageName":   {"names become labels", one(edits{"name": "At the desk"}), []string{stageForm}},
		"Objectives":  {"a stage without objectives says nothing", one(edits{"objectives": nil}), []string{"spec.stages[0].objectives: Required value"}},
		"NoChoice":    {"nor does an empty choice", one(edits{"objectives": map[string]any{}}), []string{oneStageChoice}},
		"TwoChoices":  {"names or labels", one(edits{"objectives.selector": map[string]any{}}), []string{oneStageChoice}},
		"NoNames":     {"an empty list is no choice", one(edits{"objectives.names": gateNames(0)}), []string{"spec.stages[0].objectives.names: should have at least 1 items"}},
		"ManyNames":   {"a stage has sixteen at most", one(edits{"objectives.names": gateNames(17)}), []string{"spec.stages[0].objectives.names: must have at most 16 items"}},
		"Namespace":   {"of one other namespace", one(edits{"objectives.namespace": "Support desk"}), []string{"spec.stages[0].objectives.namespace: use lower-case letters and digits, with dashes between them, such as mobile-app"}},
		"NameTwice":   {"each once", one(edits{"objectives.names": []any{"a", "a"}}), []string{"spec.stages[0].objectives.names[1]: Duplicate value"}},
		"Importance":  {"critical or not", one(edits{"importance": "High"}), []string{`spec.stages[0].importance: supported values: "Critical", "Normal"`}},
		"NoWeight":    {"a stage without weight is left out", one(edits{"weight": int64(0)}), []string{"spec.stages[0].weight: should be greater than or equal to 1"}},
		"MuchWeight":  {"a thousand tells stages apart", one(edits{"weight": int64(1001)}), []string{"spec.stages[0].weight: should be less than or equal to 1000"}},
		"Aggregation": {"one of four", edits{"spec.aggregation": "Mean"}, []string{`spec.aggregation: supported values: "WeakestLink", "Weighted", "Product", "Completion"`}},
		"NoCompletion": {"something must measure completion", edits{"spec.aggregation": "Completion"},
			[]string{needsWhole}},
		"CompletionUnused": {"what is not looked at misleads", edits{"spec.completion": "orders-completed"}, []string{needsWhole}},
		"RecoversNobody":   {"a stage of that name", recovers("delivery", "support", "50%"), []string{namedStages}},
		"RecoveredByNone":  {"and another of that", recovers("browse", "delivery", "50%"), []string{namedStages}},
		"RecoversItself":   {"nobody makes up for himself", recovers("browse", "browse", "50%"), []string{ownRecovery}},
		"CapZero":          {"nothing is made up for", recovers("browse", "support", "0%"), []string{capForm}},
		"CapTooMuch":       {"and never more than was lost", recovers("browse", "support", "101%"), []string{capForm}},
		"CapPlain":         {"in percent", recovers("browse", "support", "0.5"), []string{capForm}},
		"SameEdge": {"each edge once", edits{"spec.recovery": []any{
			map[string]any{"stage": "browse", "by": "support", "cap": "5%"}, map[string]any{"stage": "browse", "by": "support", "cap": "6%"},
		}}, []string{"spec.recovery[1]: Duplicate value"}},
		"Unknown": {"a misspelt field would mean its default", edits{"spec.agregation": "Product"}, []string{"spec.agregation: unknown field"}},
	}
}

func TestRefusedJourneys(t *testing.T) {
	d := load(t, "journeys")
	for name, tc := range journeyMistakes(t) {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainJourney)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdmittedJourneys lists journeys that must be taken, and the spec that they
// have once defaults are filled in.
func TestAdmittedJourneys(t *testing.T) {
	stage := func(name, objective string) JourneyStage {
		return JourneyStage{
			Name: Label(name), Objectives: StageObjectives{Names: []Name{Name(objective)}}, Importance: ImportanceNormal, Weight: 1,
		}
	}
	but := func(change func(*JourneySpec)) JourneySpec {
		s := JourneySpec{
			Stages: []JourneyStage{stage("browse", "page-speed"), stage("support", "hold-time")}, Aggregation: AggregationWeakestLink,
		}
		change(&s)
		return s
	}
	cases := map[string]struct {
		reason string
		edits  edits
		want   JourneySpec
	}{
		"Plain": {reason: "what is left out has its default", want: but(func(*JourneySpec) {})},
		"Recovery": {
			reason: "a cap of all that was lost", edits: recovers("browse", "support", "100%"),
			want: but(func(s *JourneySpec) { s.Recovery = []Recovery{{Stage: "browse", By: "support", Cap: "100%"}} }),
		},
		"Completion": {
			reason: "an objective of its own", edits: edits{"spec.aggregation": "Completion", "spec.completion": "orders-completed"},
			want: but(func(s *JourneySpec) { s.Aggregation, s.Completion = AggregationCompletion, "orders-completed" }),
		},
		"Selector": {
			reason: "objectives by label",
			edits: edits{"spec.stages": []any{aStage(t, "browse", edits{
				"objectives.names": nil, "objectives.selector": map[string]any{"matchLabels": map[string]any{"stage": "browse"}}, "importance": "Critical", "touchpoint": "web",
			})}},
			want: but(func(s *JourneySpec) {
				s.Stages = s.Stages[:1]
				s.Stages[0].Importance, s.Stages[0].Touchpoint = ImportanceCritical, "web"
				s.Stages[0].Objectives = StageObjectives{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"stage": "browse"}}}
			}),
		},
		"100Stages": {
			reason: "a hundred are as many as there can be", edits: edits{"spec.stages": manyStages(t, 100)},
			want: but(func(s *JourneySpec) {
				s.Stages = nil
				for i := range 100 {
					s.Stages = append(s.Stages, stage(fmt.Sprintf("stage-%d", i), "page-speed"))
				}
			}),
		},
	}
	d := load(t, "journeys")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainJourney))
			if complaints := d.admit(t, object); len(complaints) > 0 {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := Journey{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Spec); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if got.Status.ObservedGeneration != -1 {
				t.Errorf("observedGeneration = %d before anybody looked, want -1", got.Status.ObservedGeneration)
			}
		})
	}
}
