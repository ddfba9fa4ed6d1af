package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

// objective takes one through what happens to it.
func objective(events ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "page-speed", Generation: 3},
		Spec:       v1alpha1.ObjectiveSpec{Service: "checkout", Perspective: v1alpha1.PerspectiveUX},
		Status:     v1alpha1.ObjectiveStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(o)
	}
	return o
}

// judged is an evaluation: 120 events, of which that share earned its point.
func judged(outcome evaluate.Outcome, unit slo.Unit, attainment, target float64) func(*v1alpha1.Objective) {
	v := &evaluate.Verdict{
		Outcome: outcome, Reason: v1alpha1.ReasonInsufficientData, Unit: unit, Target: target, Attainment: attainment,
		BudgetRemaining: slo.BudgetRemaining(attainment, target), Events: 120, MinimumEvents: 200, Coverage: 1,
		Window: slo.Span{Start: began.AddDate(0, 0, -28), End: began.Time}, At: began.Time,
	}
	return func(o *v1alpha1.Objective) { status.Objective(o, v, nil) }
}

// faulty is an evaluation that did not come about.
func faulty(fault status.Fault) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { status.Objective(o, nil, &fault) }
}

func TestObjective(t *testing.T) {
	const (
		head    = `{"namespace":"shop","name":"page-speed","service":"checkout","perspective":"UX",`
		nothing = `"attainment":null,"target":null,"budgetRemaining":null,"events":null,"coverage":null,"shown":{}}`
		when    = `"window":{"start":"2026-02-14T15:00:00Z","end":"2026-03-14T15:00:00Z"},"lastEvaluationTime":"2026-03-14T15:00:00Z"}`
		met     = `"met":"True","reason":"TargetMet","message":"the attainment is at least the target of 75%",`
		figures = `"attainment":0.813,"target":0.75,"budgetRemaining":0.252,"events":120,"coverage":1,` +
			`"shown":{"attainment":"81.3%","target":"75%","budgetRemaining":"25.2%","coverage":"100%"},`
	)
	stars, err := slo.Mean(1, 5)
	if err != nil {
		t.Fatal(err)
	}
	good := judged(evaluate.Met, slo.Percent, 0.813, 0.75)
	cases := map[string]struct {
		reason    string
		objective *v1alpha1.Objective
		want      string
	}{
		"Met": {"a promise that holds", objective(good), head + met + figures + when},
		"Missed": {"a score is in its own unit, and a budget can be overspent", objective(judged(evaluate.Missed, stars, 0.7, 0.8)),
			head + `"met":"False","reason":"TargetMissed","message":"the attainment is below the target of 4.2",` +
				`"attainment":3.8,"target":4.2,"budgetRemaining":-0.5,"events":120,"coverage":1,` +
				`"shown":{"attainment":"3.8","target":"4.2","budgetRemaining":"-50%","coverage":"100%"},` + when},
		"Unknown": {"too few events: the figures stand", objective(judged(evaluate.Unknown, slo.Percent, 0.813, 0.75)),
			head + `"met":"Unknown","reason":"InsufficientData","message":"there are fewer events in the window than spec.minimumEvents, which is 200",` + figures + when},
		"Bridged": {"so they do through a short outage", objective(good, faulty(status.Fault{Kind: status.Bridged, Reason: v1alpha1.ReasonSourceUnavailable, Message: "no answer"})),
			head + `"met":"Unknown","reason":"SourceUnavailable","message":"no answer",` + figures + when},
		"Waiting": {"through a long one they do not", objective(good, faulty(status.Fault{Kind: status.Waiting, Reason: v1alpha1.ReasonSourceUnavailable, Message: "no answer"})),
			head + `"met":"Unknown","reason":"SourceUnavailable","message":"no answer",` + nothing},
		"Mistake": {"nor for a spec that cannot be measured", objective(good, faulty(status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidQuery, Message: "a typo"})),
			head + `"met":"Unknown","reason":"InvalidQuery","message":"a typo",` + nothing},
		"Suspended": {"nor while nobody measures", objective(good, faulty(*status.Suspended())),
			head + `"met":"Unknown","reason":"Suspended","message":"evaluation is suspended: set spec.suspend to false to go on",` + nothing},
		"Changed": {"nor for another spec", objective(good, func(o *v1alpha1.Objective) { o.Generation++ }),
			head + `"met":"Unknown","reason":"EvaluationPending","message":"the operator has not seen this spec yet",` + nothing},
		"NotSeen": {"the operator has not begun", objective(),
			head + `"met":"Unknown","reason":"EvaluationPending","message":"the operator has not seen this spec yet",` + nothing},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := ask(t, world{objective: c.objective}, http.MethodGet, "/v1/objectives/shop/page-speed", "")
			if diff := cmp.Diff(reply{200, "", c.want}, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestFigureWithoutData has an objective of which nothing was ever found: no
// attainment is no number.
func TestFigureWithoutData(t *testing.T) {
	o := objective(judged(evaluate.Unknown, slo.Percent, 0.8, 0.75))
	o.Status.Attainment, o.Status.BudgetRemaining, o.Status.Window = "", "", &v1alpha1.EvaluatedWindow{Start: began, End: metav1.NewTime(began.Add(time.Hour))}
	const want = `{"namespace":"shop","name":"page-speed","service":"checkout","perspective":"UX","met":"Unknown","reason":"InsufficientData",` +
		`"message":"there are fewer events in the window than spec.minimumEvents, which is 200","attainment":null,"target":0.75,"budgetRemaining":null,` +
		`"events":120,"coverage":1,"shown":{"target":"75%","coverage":"100%"},` +
		`"window":{"start":"2026-03-14T15:00:00Z","end":"2026-03-14T16:00:00Z"},"lastEvaluationTime":"2026-03-14T15:00:00Z"}`
	got := ask(t, world{objective: o}, http.MethodGet, "/v1/objectives/shop/page-speed", "")
	if diff := cmp.Diff(reply{200, "", want}, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
