package commandline_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

const gateManifest = `apiVersion: experience.slo/v1alpha1
kind: Gate
metadata: {name: released, namespace: shop}
spec:
  objectives: {names: [orders]}
`

// gate makes a gate with the status that the operator writes for an outcome.
func (w *world) gate(t *testing.T, name string, pass v1alpha1.OnInconclusive, verdict v1alpha1.GateVerdict, findings ...evaluate.GateFinding) {
	t.Helper()
	g := &v1alpha1.Gate{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       v1alpha1.GateSpec{Revision: "v1", Objectives: v1alpha1.GateObjectives{Names: []v1alpha1.Name{"orders", "search"}}, OnInconclusive: pass},
	}
	must(t, w.admin.Create(t.Context(), g))
	before, now := g.DeepCopy(), time.Now()
	status.BeginGate(g, "", now.Add(-time.Minute))
	status.Gate(g, evaluate.GateOutcome{Verdict: verdict, Findings: findings}, now)
	must(t, w.admin.Status().Patch(t.Context(), g, client.MergeFrom(before)))
}

func finding(name v1alpha1.Name, verdict v1alpha1.GateObjectiveVerdict, reason, message string) evaluate.GateFinding {
	return evaluate.GateFinding{Name: name, Verdict: verdict, Reason: reason, Message: message, Attainment: 0.98, Floor: 0.95, Budget: 0.6, Events: 100}
}

// gates are those of the shop, each with a verdict of its own.
func (w *world) gates(t *testing.T) []row {
	t.Helper()
	holds := finding("orders", v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold, "")
	fails := finding("search", v1alpha1.GateObjectiveFails, v1alpha1.ReasonBelowFloor, "the release attains less than the floor of 95%")
	few := finding("search", v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonTooFewEvents, "fewer events since the check began than bake.minimumEvents, which is 50")
	w.gate(t, "passed", v1alpha1.OnInconclusiveFail, v1alpha1.GatePassed, holds)
	w.gate(t, "failed", v1alpha1.OnInconclusiveFail, v1alpha1.GateFailed, fails, holds)
	w.gate(t, "quiet", v1alpha1.OnInconclusiveFail, v1alpha1.GateInconclusive, few, holds)
	w.gate(t, "no-news", v1alpha1.OnInconclusivePass, v1alpha1.GateInconclusive, few, holds)
	w.gate(t, "baking", v1alpha1.OnInconclusiveFail, v1alpha1.GateBaking, few, holds)
	return []row{
		{situation: "passed", args: "gate passed -n shop", kubeconfig: w.plane.Kubeconfig, says: "Passed"},
		{situation: "failed", args: "gate failed -n shop", kubeconfig: w.plane.Kubeconfig, code: 1, says: "BelowFloor"},
		{situation: "no verdict in its time", args: "gate quiet -n shop", kubeconfig: w.plane.Kubeconfig, code: 3, says: "TooFewEvents"},
		{situation: "the same, to pass", args: "gate quiet -n shop --on-inconclusive pass", kubeconfig: w.plane.Kubeconfig, says: "Inconclusive"},
		{situation: "the same, to fail", args: "gate quiet -n shop --on-inconclusive fail", kubeconfig: w.plane.Kubeconfig, code: 1, says: "Inconclusive"},
		{situation: "no verdict, and spec.onInconclusive is Pass", args: "gate no-news -n shop", kubeconfig: w.plane.Kubeconfig, says: "Inconclusive"},
		{situation: "still baking when the time to wait is over", args: "gate baking -n shop --timeout 2s", kubeconfig: w.plane.Kubeconfig, code: 3, says: "the check goes on in the cluster"},
		{situation: "a new revision that no operator has seen", args: "gate passed -n shop --revision v2 --timeout 2s", kubeconfig: w.plane.Kubeconfig, code: 3, says: "v2"},
		{situation: "as JSON", args: "gate failed -n shop -o json", kubeconfig: w.plane.Kubeconfig, code: 1, says: `"Failed"`},
		{situation: "as JUnit", args: "gate failed -n shop -o junit", kubeconfig: w.plane.Kubeconfig, code: 1, says: "<failure"},
		{situation: "as Markdown", args: "gate failed -n shop -o markdown", kubeconfig: w.plane.Kubeconfig, code: 1, says: "### Gate"},
		{situation: "there is none of that name", args: "gate absent -n shop", kubeconfig: w.plane.Kubeconfig, code: 2, says: "absent"},
		{situation: "a manifest, and nobody checks it", args: "gate -f - --revision v1 --timeout 2s", in: gateManifest, kubeconfig: w.plane.Kubeconfig, code: 3, says: "v1"},
		{situation: "a revision that is none", args: "gate -f - --revision v1?", in: gateManifest, kubeconfig: w.plane.Kubeconfig, code: 2, says: "revision must be an image tag"},
	}
}
