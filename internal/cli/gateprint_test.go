package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// golden compares a text with a file of testdata, or writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, path), got); diff != "" {
		t.Errorf("%s: -want, +got:\n%s", path, diff)
	}
}

// TestGatePrint writes every kind of result in every form.
func TestGatePrint(t *testing.T) {
	of := func(edits ...func(*v1alpha1.Gate)) gateResult {
		return gateCheck{revision: "v2"}.resultOf(released(edits...), 5*time.Minute)
	}
	good := of(passed, naming(figured(found("page-speed", v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold), 1200, "81.3%", "25.2%", "")))
	bad := of(finished(v1alpha1.GateFailed, metav1.ConditionFalse, v1alpha1.ReasonObjectivesFailed, "page-speed: BelowFloor"), naming(
		figured(found("page-speed", v1alpha1.GateObjectiveFails, v1alpha1.ReasonBelowFloor), 340, "61.3%", "-12%", "the release attains less than its floor of 75% | of 340 <events>"),
		found("sign-in", v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonBaking),
	))
	unsure := of(finished(v1alpha1.GateInconclusive, metav1.ConditionFalse, v1alpha1.ReasonInconclusive, "no verdict within 1h0m0s"),
		naming(figured(found("csat", v1alpha1.GateObjectiveUnknown, v1alpha1.ReasonTooFewEvents), 3, "", "", "3 of 20 events")))
	other := bad
	other.Name = "second"
	cases := map[string]struct {
		reason         string
		results        []gateResult
		onInconclusive string
		verdict        string
		want           int
	}{
		"passed":       {reason: "one that passed", results: []gateResult{good}, verdict: "Passed"},
		"failed":       {reason: "one that failed", results: []gateResult{bad}, verdict: "Failed", want: Missed},
		"inconclusive": {reason: "one of which nobody knows", results: []gateResult{unsure}, verdict: "Inconclusive", want: Undecided},
		"lenient":      {reason: "which was to pass", results: []gateResult{unsure}, onInconclusive: inconclusivePass, verdict: "Inconclusive"},
		"strict":       {reason: "or to fail", results: []gateResult{unsure}, onInconclusive: inconclusiveFail, verdict: "Inconclusive", want: Missed},
		"timedout":     {reason: "one that was not waited for any longer", results: []gateResult{of()}, verdict: verdictTimedOut, want: Undecided},
		"unseen":       {reason: "one that nobody began", results: []gateResult{of(func(g *v1alpha1.Gate) { g.Status = v1alpha1.GateStatus{} })}, verdict: verdictTimedOut, want: Undecided},
		"invalid":      {reason: "one that cannot work", results: []gateResult{of(invalid(3))}, verdict: verdictInvalid, want: Unusable},
		"several":      {reason: "the worst counts", results: []gateResult{good, unsure, other}, verdict: "Failed", want: Missed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			report := newGateReport(tc.results, tc.onInconclusive)
			if report.ExitStatus != tc.want || report.Verdict != tc.verdict {
				t.Errorf("%s: %s ends with %d, want %s, %d", tc.reason, report.Verdict, report.ExitStatus, tc.verdict, tc.want)
			}
			var all strings.Builder
			for _, output := range gateOutputs {
				text, err := report.write(output, now)
				if err != nil {
					t.Fatal(err)
				}
				all.WriteString("--- " + output + "\n" + string(text))
			}
			golden(t, "gate/"+name+".txt", all.String())
		})
	}
}
