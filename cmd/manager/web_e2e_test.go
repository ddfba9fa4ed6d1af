package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

// told is as much of an answer as these tests read.
type told struct {
	Code                      int `json:"-"`
	Revision, Verdict, Reason string
	Met                       string
	Attainment, Target        *float64
	BudgetRemaining           *float64
}

// tool asks the endpoints of a manager.
type tool struct{ base string }

func (a tool) ask(ctx context.Context, method, path, body string) (told, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, strings.NewReader(body))
	if err != nil {
		return told{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return told{}, err
	}
	defer response.Body.Close() //nolint:errcheck // the body is read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return told{}, err
	}
	out := told{Code: response.StatusCode}
	if err := json.Unmarshal(text, &out); err != nil {
		return told{}, fmt.Errorf("decode %q: %w", text, err)
	}
	return out, nil
}

// hears waits until a question is answered that way.
func (a tool) hears(t *testing.T, reason, method, path, body string, want told) {
	t.Helper()
	eventually(t, reason, func(ctx context.Context) error {
		got, err := a.ask(ctx, method, path, body)
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			err = fmt.Errorf("%s %s: -want, +got:\n%s", method, path, diff)
		}
		return err
	})
}

// testWeb asks a manager that does not lead: it serves what the status says, as
// every replica does, and the shipped roles let it. The test stands in for the one
// that leads.
func (s *stage) testWeb(t *testing.T) {
	t.Parallel()
	c := install(t)
	c.kubectl(t, "create", "namespace", "shop")
	c.holdLease(t)
	p := s.start(t, c.kubeconfig(t, defaultServiceAccount))
	a := tool{"http://" + p.web}
	t.Run("Gate", func(t *testing.T) { c.testWebGate(t, a) })
	t.Run("Objective", func(t *testing.T) { c.testWebObjective(t, a) })
	if holder := c.leader(t); holder != "another" {
		t.Errorf("%q leads", holder)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if got, err := a.ask(t.Context(), http.MethodGet, "/v1/gates/shop/release", ""); err == nil {
		t.Errorf("the manager ended and answers %+v", got)
	}
}

// holdLease has another manager lead.
func (c *installed) holdLease(t *testing.T) {
	t.Helper()
	now := metav1.NowMicro()
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: defaultNamespace, Name: leaderElectionID},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: new("another"), LeaseDurationSeconds: new(int32(3600)), AcquireTime: &now, RenewTime: &now,
		},
	}
	if err := c.admin.Create(t.Context(), lease); err != nil {
		t.Fatalf("hold lease: %v", err)
	}
}

func (c *installed) testWebGate(t *testing.T, a tool) {
	const read, check, failed = "/v1/gates/shop/release", "/v1/gates/shop/release/check", "/v1/gates/shop/release/failed"
	hooked := func(revision string) string {
		return `{"name":"checkout","namespace":"shop","phase":"Progressing","checksum":"1","metadata":{"revision":"` + revision + `"}}`
	}
	baking := func(code int, revision string) told {
		return told{Code: code, Revision: revision, Verdict: "Baking", Reason: "Baking"}
	}
	a.hears(t, "no gate", http.MethodGet, read, "", told{Code: 404})

	g := &v1alpha1.Gate{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "release"}}
	g.Spec.Revision, g.Spec.Objectives.Names = "1.4.2", []v1alpha1.Name{"page-speed"}
	if err := c.admin.Create(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	a.hears(t, "a new gate", http.MethodGet, read, "", baking(200, "1.4.2"))
	a.hears(t, "a new gate, to a webhook", http.MethodPost, check, hooked("1.4.2"), baking(425, "1.4.2"))

	c.conclude(t, g, v1alpha1.GatePassed)
	good := told{Revision: "1.4.2", Verdict: "Passed", Reason: "Passed"}
	for path, code := range map[string]int{check: 200, failed: 412} {
		good.Code = code
		a.hears(t, "a good release", http.MethodPost, path, hooked("1.4.2"), good)
	}
	a.hears(t, "a release that is not the gate's", http.MethodGet, read+"?revision=1.4.3", "", baking(200, "1.4.3"))

	g.Spec.Revision = "1.4.3"
	if err := c.admin.Update(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	for _, revision := range []string{"1.4.3", "1.4.2"} {
		a.hears(t, "an old verdict on "+revision, http.MethodPost, check, hooked(revision), baking(425, revision))
	}
	c.conclude(t, g, v1alpha1.GateFailed)
	bad := told{Revision: "1.4.3", Verdict: "Failed", Reason: "ObjectivesFailed"}
	for path, code := range map[string]int{check: 412, failed: 200} {
		bad.Code = code
		a.hears(t, "a bad release", http.MethodPost, path, hooked("1.4.3"), bad)
	}
	if err := c.admin.Delete(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	a.hears(t, "a gate that is gone", http.MethodGet, read, "", told{Code: 404})
}

// conclude ends the check of a gate as the manager that leads would.
func (c *installed) conclude(t *testing.T, g *v1alpha1.Gate, verdict v1alpha1.GateVerdict) {
	t.Helper()
	status.BeginGate(g, "", time.Now().Add(-time.Hour))
	status.Gate(g, evaluate.GateOutcome{Verdict: verdict}, time.Now())
	if err := c.admin.Status().Update(t.Context(), g); err != nil {
		t.Fatalf("update status: %v", err)
	}
}

func (c *installed) testWebObjective(t *testing.T, a tool) {
	const path = "/v1/objectives/shop/page-speed"
	a.hears(t, "no objective", http.MethodGet, path, "", told{Code: 404})
	o := promises()[0].objective("shop")
	o.Name = "page-speed"
	if err := c.admin.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	a.hears(t, "a new objective", http.MethodGet, path, "", told{Code: 200, Met: "Unknown", Reason: "EvaluationPending"})
	now := time.Now()
	status.Objective(o, &evaluate.Verdict{
		Outcome: evaluate.Met, Reason: v1alpha1.ReasonTargetMet, Unit: slo.Percent, Target: 0.75, Attainment: 0.813,
		BudgetRemaining: 0.252, Events: 120, Coverage: 1, Window: slo.Span{Start: now.Add(-time.Hour), End: now}, At: now,
	}, nil)
	if err := c.admin.Status().Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	a.hears(t, "a promise that is kept", http.MethodGet, path, "", told{
		Code: 200, Met: "True", Reason: "TargetMet", Attainment: new(0.813), Target: new(0.75), BudgetRemaining: new(0.252),
	})
}
