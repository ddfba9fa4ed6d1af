package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/status"
	"github.com/experience-slo/operator/internal/web"
)

// gate takes one through what happens to it.
func gate(events ...func(*v1alpha1.Gate)) *v1alpha1.Gate {
	g := &v1alpha1.Gate{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "release", Generation: 2},
		Spec:       v1alpha1.GateSpec{Revision: "1.4.2"},
		Status:     v1alpha1.GateStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(g)
	}
	return g
}

// found is a look at the release.
func found(verdict v1alpha1.GateVerdict, conditions ...metav1.Condition) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) {
		g.Status = v1alpha1.GateStatus{
			ObservedGeneration: g.Generation, Revision: g.Spec.Revision, Verdict: verdict, StartedAt: &began,
			LastHandledReconcileAt: v1alpha1.RequestOf(g.Annotations),
			Objectives: []v1alpha1.GateObjective{{
				Name: "page-speed", Verdict: v1alpha1.GateObjectiveHolds, Reason: v1alpha1.ReasonRequirementsHold, Attainment: "81.3%",
			}},
		}
		if verdict != v1alpha1.GateBaking {
			g.Status.FinishedAt = new(metav1.NewTime(began.Add(10 * time.Minute)))
		}
		for _, c := range conditions {
			meta.SetStatusCondition(&g.Status.Conditions, c)
		}
	}
}

var (
	baking = found(v1alpha1.GateBaking,
		status.NotReady(v1alpha1.ReasonBaking, "two to go"), status.Reconciling(v1alpha1.ReasonBaking, "two to go"))
	passed = found(v1alpha1.GatePassed, status.Ready(v1alpha1.ReasonPassed, "all holds"))
	failed = found(v1alpha1.GateFailed,
		status.NotReady(v1alpha1.ReasonObjectivesFailed, "page-speed"), status.Stalled(v1alpha1.ReasonObjectivesFailed, "page-speed"))
	undecided = found(v1alpha1.GateInconclusive,
		status.NotReady(v1alpha1.ReasonInconclusive, "no traffic"), status.Stalled(v1alpha1.ReasonInconclusive, "no traffic"))
	waved   = found(v1alpha1.GateInconclusive, status.Ready(v1alpha1.ReasonPassedInconclusive, "no traffic"))
	invalid = found("",
		status.NotReady(v1alpha1.ReasonInvalidSpec, "too many"), status.Stalled(v1alpha1.ReasonInvalidSpec, "too many"))
)

func released(g *v1alpha1.Gate) { g.Generation++; g.Spec.Revision = "1.4.3" }

func again(g *v1alpha1.Gate) {
	g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: "2026-03-14T15:09:26Z"}
}

// atLength asks with more than the status repeats.
func atLength(g *v1alpha1.Gate) {
	g.Annotations = map[string]string{v1alpha1.ReconcileRequestAnnotation: strings.Repeat("x", v1alpha1.MaxRequest-1) + "é, please"}
}

func TestGateBody(t *testing.T) {
	const (
		head = `{"namespace":"shop","name":"release","revision":"1.4.2",`
		tail = `"startedAt":"2026-03-14T15:00:00Z","finishedAt":"2026-03-14T15:10:00Z",` +
			`"objectives":[{"name":"page-speed","verdict":"Holds","reason":"RequirementsHold","attainment":"81.3%"}]}`
	)
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   string
	}{
		"Passed": {"all that is known of a finished check", gate(passed),
			head + `"verdict":"Passed","outcome":"Go","reason":"Passed","message":"all holds",` + tail},
		"Failed": {"the same of a bad release", gate(failed),
			head + `"verdict":"Failed","outcome":"Stop","reason":"ObjectivesFailed","message":"page-speed",` + tail},
		"Stale": {"nothing of a check of another release", gate(passed, func(g *v1alpha1.Gate) { g.Status.Revision = "1.4.1" }),
			head + `"verdict":"Baking","outcome":"Wait","reason":"Baking","message":"the check of this revision has not begun yet"}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := ask(t, world{gate: c.gate}, http.MethodGet, "/v1/gates/shop/release", "")
			if diff := cmp.Diff(reply{200, "", c.want}, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestGateInEachState asks all that can be asked of a gate. Webhooks answer with
// 200 for one outcome each, and a tool never goes on and back at once.
func TestGateInEachState(t *testing.T) {
	const hooked = `{"name":"checkout","namespace":"shop","phase":"Progressing","checksum":"77df","metadata":{"revision":"1.4.2"}}`
	type want struct {
		Verdict         v1alpha1.GateVerdict
		Outcome         web.Outcome
		Reason, Message string
		Check, Failed   int
	}
	wait := func(reason, message string) want {
		return want{v1alpha1.GateBaking, web.Wait, reason, message, 425, 425}
	}
	const unseen, other = "the operator has not seen this spec yet", `the gate is about revision "1.4.3": set spec.revision to "1.4.2" to have that checked`
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   want
	}{
		"NotSeen":      {"the operator has not begun", gate(), wait("Baking", unseen)},
		"Baking":       {"too little was seen", gate(baking), wait("Baking", "two to go")},
		"Passed":       {"the release may go on", gate(passed), want{v1alpha1.GatePassed, web.Go, "Passed", "all holds", 200, 412}},
		"Failed":       {"it may not", gate(failed), want{v1alpha1.GateFailed, web.Stop, "ObjectivesFailed", "page-speed", 412, 200}},
		"Inconclusive": {"nobody knows, which is not good enough", gate(undecided), want{v1alpha1.GateInconclusive, web.Stop, "Inconclusive", "no traffic", 412, 200}},
		"Waved":        {"nobody knows, which is good enough", gate(waved), want{v1alpha1.GateInconclusive, web.Go, "PassedInconclusive", "no traffic", 200, 412}},
		"Invalid":      {"a person must mend the spec", gate(invalid), want{v1alpha1.GateFailed, web.Stop, "InvalidSpec", "too many", 412, 200}},
		"PassedThenReleased": {"an old verdict is none: another release is to be checked", gate(passed, released),
			wait("Baking", other)},
		"PassedThenBaking": {"and is being checked", gate(passed, released, baking), wait("Baking", other)},
		"PassedThenPassed": {"a verdict on another release is none", gate(passed, released, passed), wait("Baking", other)},
		"Changed":          {"the spec changed in another way", gate(passed, func(g *v1alpha1.Gate) { g.Generation++ }), wait("Baking", unseen)},
		"Asked":            {"another check was asked for", gate(failed, again), wait("Baking", "the check that was asked for has not begun yet")},
		"Answered":         {"and made", gate(failed, again, passed), want{v1alpha1.GatePassed, web.Go, "Passed", "all holds", 200, 412}},
		"AskedAtLength":    {"in many words", gate(failed, atLength), wait("Baking", "the check that was asked for has not begun yet")},
		"AnsweredAtLength": {"of which the status repeats the beginning", gate(failed, atLength, passed), want{v1alpha1.GatePassed, web.Go, "Passed", "all holds", 200, 412}},
		"AnsweredLongAgo": {"a request that was withdrawn asks for nothing", gate(again, passed, func(g *v1alpha1.Gate) { g.Annotations = nil }),
			want{v1alpha1.GatePassed, web.Go, "Passed", "all holds", 200, 412}},
		"Deleted": {"what goes away answers for nothing", gate(passed, func(g *v1alpha1.Gate) { g.DeletionTimestamp = &began }),
			wait("Baking", "the gate is being deleted")},
		"Half":          {"a verdict without conditions", gate(found(v1alpha1.GatePassed)), wait("Baking", "the operator has not judged this spec yet")},
		"Contradiction": {"conditions without a verdict", gate(found(v1alpha1.GateBaking, status.Ready(v1alpha1.ReasonPassed, "all holds"))), wait("Passed", "all holds")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := world{gate: c.gate}
			read := ask(t, w, http.MethodGet, "/v1/gates/shop/release?revision=1.4.2", "")
			check := ask(t, w, http.MethodPost, "/v1/gates/shop/release/check", hooked)
			failed := ask(t, w, http.MethodPost, "/v1/gates/shop/release/failed?revision=1.4.2", "")
			var body web.Gate
			if err := json.Unmarshal([]byte(read.Body), &body); err != nil || read.Code != http.StatusOK {
				t.Fatalf("%s: %+v (%v)", c.reason, read, err)
			}
			got := want{body.Verdict, body.Outcome, body.Reason, body.Message, check.Code, failed.Code}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
			body.Objectives = nil
			for _, hook := range []reply{check, failed} {
				var told web.Gate
				if err := json.Unmarshal([]byte(hook.Body), &told); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(body, told); diff != "" {
					t.Errorf("%s: -what a metric is told, +what a webhook is told:\n%s", c.reason, diff)
				}
			}
		})
	}
}

// TestGateWithoutRevision asks for the release that the gate is about.
func TestGateWithoutRevision(t *testing.T) {
	anonymous := func(g *v1alpha1.Gate) { g.Spec.Revision = "" }
	cases := map[string]struct {
		reason         string
		gate           *v1alpha1.Gate
		target, body   string
		code, revision any
	}{
		"Spec":      {"the spec's is meant", gate(passed), "/check", "", 200, "1.4.2"},
		"Object":    {"a body may be about other things", gate(passed), "/check", `{"name":"checkout"}`, 200, "1.4.2"},
		"Null":      {"and may have no metadata", gate(passed), "/check", `{"metadata":null}`, 200, "1.4.2"},
		"Released":  {"the spec's has not been checked yet", gate(passed, released), "/check", "", 425, "1.4.3"},
		"Anonymous": {"a gate that names none has a verdict too", gate(anonymous, passed), "/check", "", 200, ""},
		"Query":     {"a query will do", gate(failed), "/failed?revision=1.4.2", "", 200, "1.4.2"},
		"Plus":      {"a build is written with a plus", gate(func(g *v1alpha1.Gate) { g.Spec.Revision = "1.4.2+7" }, passed), "/check?revision=1.4.2+7", "", 200, "1.4.2+7"},
		"Escaped": {"and by some with an escape", gate(func(g *v1alpha1.Gate) { g.Spec.Revision = "shop/web@sha256:ab+7" }, passed),
			"/check?revision=shop%2Fweb%40sha256%3Aab%2B7", "", 200, "shop/web@sha256:ab+7"},
		"Both":  {"and may be said twice", gate(failed), "/failed?revision=1.4.2", `{"metadata":{"revision":"1.4.2"}}`, 200, "1.4.2"},
		"Named": {"a gate that names none has not checked that one", gate(anonymous, passed), "/check?revision=1.4.2", "", 425, "1.4.2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := ask(t, world{gate: c.gate}, http.MethodPost, "/v1/gates/shop/release"+c.target, c.body)
			var body map[string]any
			if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]any{c.code, c.revision}, []any{got.Code, body["revision"]}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}
