package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// ways is a manifest of journeys: one that holds, one that is broken, one over an
// objective that is not there and two over another namespace.
const ways = `
apiVersion: experience.slo/v1alpha1
kind: Journey
metadata: {name: order, namespace: shop}
spec:
  stages:
  - {name: web, importance: Critical, objectives: {names: [a]}}
  - {name: mail, importance: Critical, objectives: {selector: {matchLabels: {none: "true"}}}}
---
apiVersion: experience.slo/v1alpha1
kind: Journey
metadata: {name: browse, namespace: shop}
spec:
  stages:
  - {name: web, importance: Critical, objectives: {names: [a, b]}}
---
apiVersion: experience.slo/v1alpha1
kind: Journey
metadata: {name: buy, namespace: shop}
spec:
  stages:
  - {name: web, importance: Critical, objectives: {names: [a]}}
---
apiVersion: experience.slo/v1alpha1
kind: Journey
metadata: {name: partner, namespace: bank}
spec:
  stages:
  - {name: web, objectives: {namespace: shop, names: [a]}}
---
apiVersion: experience.slo/v1alpha1
kind: Journey
metadata: {name: partner, namespace: press}
spec:
  stages:
  - {name: web, objectives: {namespace: shop, names: [a]}}
`

// TestEvaluateJourneys judges journeys by the objectives beside them, on a real
// Prometheus.
func TestEvaluateJourneys(t *testing.T) {
	shared := strings.Replace(daily("a", tasks, "98%"), "\n---", "  sharedWith: {names: [press]}\n---", 1)
	manifests := shared + daily("b", pages, "90%") + ways
	got := do(t, manifests, "evaluate", "-f", "-", "--prometheus", server.URL)
	got.Err = strings.TrimPrefix(got.Err, assumed)
	want := outcome{Code: Missed, Out: strings.Replace(header, "MET       ", "MET     ", 1) +
		"shop        a      checkout   UX            98%      99%       50%      True    True\n" +
		"shop        b      checkout   UX            90%      80%       -100%    False   True\n" +
		"\n" +
		"NAMESPACE   JOURNEY   VERDICT   UX      CX      WEAKEST   BUDGET   PATTERN   MET\n" +
		"bank        partner   Unknown                                                Unknown\n" +
		"press       partner   Holding   100%    100%    web       50%                True\n" +
		"shop        browse    Broken    88.9%   88.9%   web       -100%              False\n" +
		"shop        buy       Holding   100%    100%    web       50%                True\n" +
		"shop        order     Unknown   100%            web       50%                Unknown\n",
		Err: "Journey bank/partner: ObjectivesUnknown: not known: web\n" +
			"Journey shop/browse: Broken: critical stages are violated: web\n" +
			"Journey shop/order: ObjectivesUnknown: not known: mail\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	written := do(t, manifests, "evaluate", "-f", "-", "--prometheus", server.URL, "-o", "json")
	var all struct{ Items []v1alpha1.Journey }
	if err := json.Unmarshal([]byte(written.Out), &all); err != nil || len(all.Items) != 7 {
		t.Fatalf("%d objects: %v", len(all.Items), err)
	}
	if j := all.Items[4]; j.Kind != "Journey" || j.Name != "browse" || j.Status.Stages[0].Gets != "b 80% instead of 90%" {
		t.Errorf("the journey reads %+v", j)
	}
}

// TestValidateJourneys finds what the API server would refuse, and what the operator
// would.
func TestValidateJourneys(t *testing.T) {
	got := do(t, strings.Replace(ways, "objectives: {names: [a]}}\n---", "objectives: {names: [a]}}\n  recovery: [{stage: web, by: web, cap: 50%}]\n---", 1), "validate", "-f", "-")
	if got.Code != Missed || !strings.Contains(got.Out, "a stage cannot recover itself: name another stage in recovery.by") {
		t.Errorf("%d: %s%s", got.Code, got.Out, got.Err)
	}
	got = do(t, journeyOf("order", "stages: [{name: web, objectives: {selector: {matchExpressions: [{key: a, operator: Like}]}}}]"), "validate", "-f", "-")
	want := "stdin:5: Journey shop/order: spec.stages[0].objectives.selector: \"Like\" is not a valid label selector operator\n"
	if got.Code != Missed || got.Out != want {
		t.Errorf("what only the operator sees: %d: %s%s, want %s", got.Code, got.Out, got.Err, want)
	}
}

// way is a journey with a verdict.
func way(name string, verdict v1alpha1.JourneyVerdict, met metav1.ConditionStatus, message string) v1alpha1.Journey {
	j := v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(now.Add(-72 * time.Hour))}}
	if verdict != "" {
		j.Status = v1alpha1.JourneyStatus{
			Verdict: verdict, Pattern: v1alpha1.PatternConsistent, WeakestStage: "web", BudgetRemaining: "12%", Scores: &v1alpha1.JourneyScores{UX: "100%", CX: "80%"},
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionMet, Status: met, Message: message}},
		}
	}
	return j
}

// TestStatusOfJourneys shows journeys behind the objectives, the worst first.
func TestStatusOfJourneys(t *testing.T) {
	all := []v1alpha1.Journey{
		way("good", v1alpha1.JourneyHolding, metav1.ConditionTrue, "every stage keeps what it promises"), way("new", "", "", ""),
		way("bad", v1alpha1.JourneyBroken, metav1.ConditionFalse, "critical stages are violated: web"), way("dull", v1alpha1.JourneyDegraded, metav1.ConditionFalse, "stages are violated: web"),
	}
	cases := map[string]struct {
		reason  string
		options statusOptions
		want    string
	}{
		"Table": {"the columns of kubectl get", statusOptions{output: outputTable}, `
JOURNEY   VERDICT    UX     CX    WEAKEST   BUDGET
bad       Broken     100%   80%   web       12%
dull      Degraded   100%   80%   web       12%
new       Unknown
good      Holding    100%   80%   web       12%
`},
		"Wide": {"with the reason", statusOptions{output: outputWide, everywhere: true}, `
NAMESPACE   JOURNEY   VERDICT    UX     CX    WEAKEST   BUDGET   PATTERN      AGE   WHY
shop        bad       Broken     100%   80%   web       12%      Consistent   3d    critical stages are violated: web
shop        dull      Degraded   100%   80%   web       12%      Consistent   3d    stages are violated: web
shop        new       Unknown                                                 3d
shop        good      Holding    100%   80%   web       12%      Consistent   3d
`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := standings{journeys: all, options: tc.options, now: now}.write()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(tc.want, "\n"), string(text)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
