package web_test

import (
	"math"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

// aJourney is one of two stages, with what is known of their objectives.
func aJourney(web, phone *evaluate.JourneyMember) *v1alpha1.Journey {
	j := &v1alpha1.Journey{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "order", Generation: 2},
		Spec: v1alpha1.JourneySpec{Stages: []v1alpha1.JourneyStage{
			{Name: "web", Importance: v1alpha1.ImportanceNormal}, {Name: "phone", Importance: v1alpha1.ImportanceCritical},
		}},
	}
	status.Journey(j, evaluate.Journey(&j.Spec, map[v1alpha1.Label][]evaluate.JourneyMember{"web": {*web}, "phone": {*phone}}, nil))
	return j
}

func member(name v1alpha1.Name, side v1alpha1.Perspective, outcome evaluate.Outcome, kept, budget float64) *evaluate.JourneyMember {
	return &evaluate.JourneyMember{Name: name, Perspective: side, Outcome: outcome, Reason: "NoData", Kept: kept, Budget: budget, Attainment: "45%", Target: "90%"}
}

func TestJourney(t *testing.T) {
	const head = `{"namespace":"shop","name":"order",`
	good, bad := member("speed", v1alpha1.PerspectiveUX, evaluate.Met, 1, 0.5), member("hold", v1alpha1.PerspectiveCX, evaluate.Missed, 0.5, -4)
	lost := member("hold", v1alpha1.PerspectiveCX, evaluate.Unknown, math.NaN(), math.NaN())
	changed := aJourney(good, bad)
	changed.Generation++
	nothing := head + `"verdict":"Unknown","met":"Unknown","reason":"EvaluationPending","message":"the operator has not seen this spec yet",` +
		`"ux":null,"cx":null,"budgetRemaining":null,"stages":[]}`
	cases := map[string]struct {
		reason  string
		journey *v1alpha1.Journey
		want    string
	}{
		"Broken": {"with all figures", aJourney(good, bad), head + `"verdict":"Broken","met":"False","reason":"Broken","message":"critical stages are violated: phone",` +
			`"pattern":"GoodProductPoorService","weakestStage":"phone","ux":1,"cx":0.5,"budgetRemaining":-4,` +
			`"stages":[{"name":"web","verdict":"Holding","score":1,"gets":"all that is promised"},{"name":"phone","verdict":"Violated","score":0.5,"gets":"hold 45% instead of 90%"}]}`},
		"Unknown": {"what is not known is null", aJourney(good, lost), head + `"verdict":"Unknown","met":"Unknown","reason":"ObjectivesUnknown","message":"not known: phone",` +
			`"weakestStage":"web","ux":1,"cx":null,"budgetRemaining":null,` +
			`"stages":[{"name":"web","verdict":"Holding","score":1,"gets":"all that is promised"},{"name":"phone","verdict":"Unknown","score":null,"gets":"not known: hold (NoData)"}]}`},
		"Changed": {"a status of another spec says nothing", changed, nothing},
		"NotSeen": {"nor does none", &v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "order"}}, nothing},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := ask(t, world{journey: c.journey}, http.MethodGet, "/v1/journeys/shop/order", "")
			if diff := cmp.Diff(reply{200, "", c.want}, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
	if got := ask(t, world{}, http.MethodGet, "/v1/journeys/shop/order", ""); got.Code != http.StatusNotFound {
		t.Errorf("a journey that is not there is answered with %+v", got)
	}
}
