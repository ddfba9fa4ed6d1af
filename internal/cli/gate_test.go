package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// gateYAML is a gate over one objective.
func gateYAML(name, revision string) string {
	return "apiVersion: experience.slo/v1alpha1\nkind: Gate\nmetadata: {name: " + name + "}\nspec: {revision: \"" + revision +
		"\", objectives: {names: [page-speed]}, bake: {duration: 1m}, timeout: 10m}\n"
}

func gateIn(t *testing.T, namespace, name string) *v1alpha1.Gate {
	t.Helper()
	g := &v1alpha1.Gate{}
	if err := json.Unmarshal([]byte(kubectl(t, "", "get", "gate", name, "-n", namespace, "-o", "json")), g); err != nil {
		t.Fatal(err)
	}
	return g
}

// operate writes a verdict on what a gate asks for now, as an operator would.
func operate(t *testing.T, namespace, name string, verdict v1alpha1.GateVerdict) {
	t.Helper()
	g := gateIn(t, namespace, name)
	const at, end = "2026-03-15T12:00:00Z", "2026-03-15T12:10:00Z"
	status := map[string]any{
		"observedGeneration": g.Generation, "revision": string(g.Spec.Revision), "verdict": string(verdict), "startedAt": at,
		"lastHandledReconcileAt": g.Annotations[v1alpha1.ReconcileRequestAnnotation], "finishedAt": nil, "objectives": []any{},
	}
	ready := map[string]any{"type": "Ready", "status": "False", "lastTransitionTime": at, "observedGeneration": g.Generation}
	reasons := map[v1alpha1.GateVerdict]string{
		v1alpha1.GateBaking: v1alpha1.ReasonBaking, v1alpha1.GatePassed: v1alpha1.ReasonPassed,
		v1alpha1.GateFailed: v1alpha1.ReasonObjectivesFailed, v1alpha1.GateInconclusive: v1alpha1.ReasonInconclusive,
	}
	ready["reason"], ready["message"] = reasons[verdict], "as written by "+string(verdict)
	if verdict == v1alpha1.GatePassed {
		ready["status"] = "True"
	}
	if verdict != v1alpha1.GateBaking {
		status["finishedAt"] = end
	}
	if verdict == v1alpha1.GateFailed {
		status["objectives"] = []any{map[string]any{"name": "page-speed", "verdict": "Fails", "reason": "BelowFloor"}}
	}
	status["conditions"] = []any{ready}
	writeStatus(t, namespace, "gate/"+name, status)
}

// TestGateWaits begins checks and waits for verdicts on them alone.
func TestGateWaits(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary.md")
	cases := map[string]struct {
		reason string
		// before is the manifest of a gate that is there, with a verdict.
		before  string
		verdict v1alpha1.GateVerdict
		in      string
		args    []string
		// says is what the command tells while the operator has not answered, and
		// then what follows.
		says string
		then func(t *testing.T, namespace string, r *running)
		want int
		out  string
		err  string
	}{
		"passes": {
			reason: "a gate of a file is created, and what is beside it is not",
			in:     gateYAML("g", "v1") + "---\n" + daily("page-speed", tasks, "99%"), args: []string{"-f", "-"},
			says: "gate gate-waits-passes/g: waiting for the check of revision v1 to begin",
			then: func(t *testing.T, namespace string, r *running) {
				operate(t, namespace, "g", v1alpha1.GateBaking)
				r.tells(t, "gate "+namespace+"/g: baking since 12:00:00 UTC, until 12:10:00 UTC at the latest")
				operate(t, namespace, "g", v1alpha1.GatePassed)
			},
			out: "gate gate-waits-passes/g: Passed, revision v1: as written by Passed\n",
			err: "note: stdin:7: Objective shop/page-speed is skipped: gate applies gates alone",
		},
		"fails": {
			reason: "a release that breaks a promise", in: gateYAML("g", ""), args: []string{"-f", "-", "--revision", "v2", "-o", "junit"},
			says: "waiting for the check of revision v2",
			then: func(t *testing.T, namespace string, _ *running) { operate(t, namespace, "g", v1alpha1.GateFailed) },
			want: Missed, out: `<failure type="failure" message="BelowFloor">`,
		},
		"new": {
			reason: "the verdict on the revision before is not taken for one on this", before: gateYAML("g", "v1"), verdict: v1alpha1.GatePassed,
			args: []string{"g", "--revision", "v2"}, says: "waiting for the check of revision v2",
			then: func(t *testing.T, namespace string, _ *running) { operate(t, namespace, "g", v1alpha1.GateFailed) },
			want: Missed, out: "Failed, revision v2",
		},
		"unnamed": {
			reason: "nor is that on a release without a name", before: gateYAML("g", ""), verdict: v1alpha1.GatePassed,
			in: gateYAML("g", ""), args: []string{"-f", "-"}, says: "waiting for the check to begin",
			then: func(t *testing.T, namespace string, _ *running) { operate(t, namespace, "g", v1alpha1.GateFailed) },
			want: Missed, out: "g: Failed: as written by Failed",
		},
		"again": {
			reason: "a revision can be checked again", before: gateYAML("g", "v1"), verdict: v1alpha1.GateFailed,
			args: []string{"g", "--again"}, says: "waiting for the check of revision v1",
			then: func(t *testing.T, namespace string, _ *running) { operate(t, namespace, "g", v1alpha1.GatePassed) },
			out:  "Passed, revision v1",
		},
		"known": {
			reason: "a verdict on this very revision stands, and one is told", before: gateYAML("g", "v1"), verdict: v1alpha1.GatePassed,
			in: gateYAML("g", "v1"), args: []string{"-f", "-"}, out: "Passed, revision v1",
			err: "note: gate gate-waits-known/g has a verdict on revision v1 already, of 2026-03-15T12:10:00Z: use --again for a new check",
		},
		"inconclusive": {
			reason: "no verdict is told as such", before: gateYAML("g", "v1"), verdict: v1alpha1.GateInconclusive,
			args: []string{"g", "-o", "markdown"}, want: Undecided, out: "### Gate gate-waits-inconclusive/g: Inconclusive",
		},
		"timeout": {
			reason: "the command waits no longer than it is told", before: gateYAML("g", "v1"), verdict: v1alpha1.GateBaking,
			args: []string{"g", "--timeout", "300ms"}, want: Undecided, out: "no verdict in 300ms; the check goes on in the cluster, until 12:10:00 UTC at the latest",
		},
		"nobody": {
			reason: "without an operator there is no verdict", in: gateYAML("g", "v1"), args: []string{"-f", "-", "--timeout=300ms", "--on-inconclusive=fail"},
			want: Missed, out: "the operator has not begun the check in 300ms: see whether it runs",
		},
		"replaced": {
			reason: "another release came in between", before: gateYAML("g", "v1"), verdict: v1alpha1.GateBaking,
			args: []string{"g", "--on-inconclusive", "pass"}, says: "baking since",
			then: func(t *testing.T, namespace string, _ *running) {
				kubectl(t, "", "patch", "gate/g", "-n", namespace, "--type=merge", "-p", `{"spec": {"revision": "v9"}}`)
			},
			want: Undecided, out: "Superseded, revision v1: another check was asked for in its place, of revision v9",
		},
		"deleted": {
			reason: "a gate that is gone comes to nothing", before: gateYAML("g", "v1"), verdict: v1alpha1.GateBaking,
			args: []string{"g"}, says: "baking since",
			then: func(t *testing.T, namespace string, _ *running) {
				kubectl(t, "", "delete", "gate", "g", "-n", namespace)
			},
			want: Unusable, err: "error: watch gate gate-waits-deleted/g: it was deleted",
		},
		"interrupted": {
			reason: "a person ends the waiting", before: gateYAML("g", "v1"), verdict: v1alpha1.GateBaking,
			args: []string{"g"}, says: "baking since", then: func(_ *testing.T, _ string, r *running) { r.cancel() },
			want: Unusable, err: "interrupted: the check of gate gate-waits-interrupted/g goes on in the cluster; wait for it again with: kubectl experience gate g -n gate-waits-interrupted",
		},
	}
	startPlane(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			namespace := "gate-waits-" + name
			kubectl(t, "", "create", "namespace", namespace)
			if tc.before != "" {
				kubectl(t, tc.before, "apply", "-n", namespace, "-f", "-")
				operate(t, namespace, "g", tc.verdict)
			}
			getenv := func(name string) string { return map[string]string{"GITHUB_STEP_SUMMARY": summary}[name] }
			r := begin(t, Program{In: strings.NewReader(tc.in), Getenv: getenv}, append([]string{"gate", "-n", namespace}, tc.args...)...)
			if tc.says != "" {
				r.tells(t, tc.says)
				tc.then(t, namespace, r)
			}
			got := r.end()
			if got.Code != tc.want || !strings.Contains(got.Out, tc.out) || !strings.Contains(got.Err, tc.err) || (tc.out == "") != (got.Out == "") {
				t.Errorf("%s: ended with %d, want %d\noutput, want %q:\n%s\ntold, want %q:\n%s", tc.reason, got.Code, tc.want, tc.out, got.Out, tc.err, got.Err)
			}
		})
	}
	page, err := os.ReadFile(summary)
	if err != nil || strings.Count(string(page), "### Gate ") != len(cases)-2 {
		t.Errorf("the summary of all but those that came to nothing: %v\n%s", err, page)
	}
}

// TestGateApplies writes what the manifest says and nothing else.
func TestGateApplies(t *testing.T) {
	namespace := space(t)
	in := strings.Replace(gateYAML("g", "v1"), "metadata: {name: g}", "metadata: {name: g, labels: {team: web}, annotations: {by: ci}, resourceVersion: \"1\", uid: x}\nstatus: {verdict: Passed}", 1)
	r := begin(t, Program{In: strings.NewReader(in)}, "gate", "-n", namespace, "-f", "-", "--timeout", "50ms", "--again")
	if got := r.end(); got.Code != Undecided {
		t.Fatalf("ended with %d: %s", got.Code, got.Err)
	}
	g := gateIn(t, namespace, "g")
	_, asked := g.Annotations[v1alpha1.ReconcileRequestAnnotation]
	if g.Labels["team"] != "web" || g.Annotations["by"] != "ci" || !asked || g.Status.Verdict != "" {
		t.Errorf("the gate is %+v", g)
	}
	owner := kubectl(t, "", "get", "gate", "g", "-n", namespace, "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields[*].manager} {.metadata.managedFields[*].fieldsV1}")
	if !strings.HasPrefix(owner, "kubectl-experience ") || strings.Contains(owner, "onInconclusive") {
		t.Errorf("what was not written is owned: %s", owner)
	}
}

// TestGateSeveral waits for all gates of a file at once.
func TestGateSeveral(t *testing.T) {
	namespace := space(t)
	r := begin(t, Program{In: strings.NewReader(gateYAML("a", "v1") + "---\n" + gateYAML("b", "v1"))}, "gate", "-n", namespace, "-f", "-", "-o", "json")
	r.tells(t, "/a: waiting")
	r.tells(t, "/b: waiting")
	operate(t, namespace, "b", v1alpha1.GateFailed)
	operate(t, namespace, "a", v1alpha1.GatePassed)
	got := r.end()
	var report gateReport
	if err := json.Unmarshal([]byte(got.Out), &report); err != nil {
		t.Fatalf("%v: %s", err, got.Err)
	}
	verdicts := []string{report.Verdict}
	for _, g := range report.Gates {
		verdicts = append(verdicts, g.Name+" "+g.Verdict)
	}
	if diff := cmp.Diff([]string{"Failed", "a Passed", "b Failed"}, verdicts); diff != "" || got.Code != Missed || report.ExitStatus != Missed {
		t.Errorf("ended with %d: -want, +got:\n%s", got.Code, diff)
	}
}

// TestGateFaults tells what the command cannot use.
func TestGateFaults(t *testing.T) {
	namespace := space(t)
	kubectl(t, gateYAML("checkout", "v1"), "apply", "-n", namespace, "-f", "-")
	bad := strings.Replace(gateYAML("g", "v1"), "timeout: 10m", "timeout: 30s", 1)
	cases := map[string]struct {
		reason, in string
		args       []string
		want       string
	}{
		"Nothing":    {reason: "there must be a gate", want: "error: no gate: name one, or a file with --filename"},
		"Both":       {reason: "one way to name it", args: []string{"g", "-f", "-"}, want: `error: gate "g" and --filename: use one of them`},
		"Policy":     {reason: "a word that means nothing", args: []string{"g", "--on-inconclusive", "maybe"}, want: `error: --on-inconclusive "maybe": write fail or pass, or leave it out`},
		"Output":     {reason: "an output that is none", args: []string{"g", "-o", "xml"}, want: `error: --output "xml": write one of text, json, junit, markdown`},
		"Timeout":    {reason: "no time at all", args: []string{"g", "--timeout=-1s"}, want: "error: --timeout -1s: write a time such as 30m"},
		"Flag":       {reason: "a flag that is none", args: []string{"g", "--wait"}, want: "error: unknown flag: --wait\nSee \"kubectl experience gate --help\"."},
		"Missing":    {reason: "a near miss", args: []string{"checkuot"}, want: `error: gate "checkuot" is not in namespace "testgatefaults": did you mean "checkout"?`},
		"Forbidden":  {reason: "no right to read", args: []string{"checkout", "--as", "nobody"}, want: `"get" on "gates.experience.slo" in namespace "testgatefaults"`},
		"Unwritable": {reason: "no right to write", in: gateYAML("g", "v1"), args: []string{"-f", "-", "--as", "nobody"}, want: `error: stdin:1: patch gates testgatefaults/g: it is not allowed: ask for a role with the verb "patch"`},
		"Mistake":    {reason: "with its line, and nothing is applied", in: gateYAML("good", "v1") + "---\n" + bad, args: []string{"-f", "-"}, want: "stdin:9: Gate testgatefaults/g: spec.timeout: \"30s\": timeout must be between 2m and 24h"},
		"Revision":   {reason: "the API server has the last word", args: []string{"checkout", "--revision", "v 2"}, want: "revision must be an image tag"},
		"NoGate":     {reason: "a file without one", in: daily("page-speed", tasks, "99%"), args: []string{"-f", "-"}, want: "error: no Gate is among the manifests: add one of kind: Gate"},
		"NoFile":     {reason: "a file that is not there", args: []string{"-f", "nowhere.yaml"}, want: "error: read manifests: stat nowhere.yaml: no such file or directory"},
		"NoServer":   {reason: "a server that does not answer", args: []string{"g", "--server", "https://127.0.0.1:1"}, want: "the API server at https://127.0.0.1:1 does not answer"},
		"NoContext":  {reason: "a context that is not there", args: []string{"g", "--context", "nowhere"}, want: `context "nowhere" does not exist`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := begin(t, Program{In: strings.NewReader(tc.in)}, append([]string{"gate", "-n", namespace}, tc.args...)...).end()
			if got.Code != Unusable || got.Out != "" || !strings.Contains(got.Err, tc.want) {
				t.Errorf("%s: ended with %d, want %q:\n%s%s", tc.reason, got.Code, tc.want, got.Err, got.Out)
			}
		})
	}
	if got := kubectl(t, "", "get", "gates", "-n", namespace, "-o", "name"); got != "gate.experience.slo/checkout\n" {
		t.Errorf("something was applied: %s", got)
	}
}

// TestGateNoKubeconfig tells that nobody named a cluster.
func TestGateNoKubeconfig(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	got := do(t, "", "gate", "g")
	want := outcome{Code: Unusable, Err: "error: no cluster is known: there is no kubeconfig; name one with --kubeconfig or KUBECONFIG, or a server with --server\nSee \"kubectl experience gate --help\".\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// TestGatePatience waits a little longer than the gate does.
func TestGatePatience(t *testing.T) {
	if got := patienceFor(released()); got != time.Hour+gateGrace {
		t.Errorf("waits for %s", got)
	}
	if got := patienceFor(&v1alpha1.Gate{}); got != time.Hour+gateGrace {
		t.Errorf("without a timeout waits for %s", got)
	}
}

// TestGateHint says what may be wrong where no operator answers, and nothing
// where one does.
func TestGateHint(t *testing.T) {
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   string
	}{
		"Unseen": {reason: "nobody began", gate: released(func(g *v1alpha1.Gate) { g.Status.Revision = "v1" }), want: "gate shop/release: no operator has begun the check yet: see whether one runs"},
		"Baking": {reason: "somebody did", gate: released()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var told strings.Builder
			w := &gateWait{check: gateCheck{revision: "v2"}, last: tc.gate, tell: Program{Err: &told}.tell}
			w.hint()
			if diff := cmp.Diff(tc.want, strings.TrimSpace(told.String())); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
