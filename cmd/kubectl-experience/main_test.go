package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asProgram is set where the test's own binary is to be the program.
const asProgram = "KUBECTL_EXPERIENCE_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main() // it exits
	}
	os.Exit(m.Run())
}

const objective = `
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: website-up, namespace: shop}
spec:
  service: storefront
  perspective: UX
  indicator: {state: {query: probe_success, operator: Equal, value: "1"}}
  target: 99%
  window: {calendar: {unit: Month, timeZone: Asia/Kolkata}}
`

// TestProgram runs the program itself: its streams, its arguments and the code
// with which it ends, with neither a cluster nor a home.
func TestProgram(t *testing.T) {
	type want struct {
		code     int
		out, err string
	}
	cases := map[string]struct {
		reason string
		args   []string
		in     string
		want   want
	}{
		"Render": {
			reason: "rules go to the standard output, notes beside it, and no machine needs time zones",
			args:   []string{"render", "-f", "-"}, in: objective,
			want: want{out: "name: experience/shop/website-up\n", err: "note: ClusterMetricSource default is not among the manifests"},
		},
		"Invalid": {
			reason: "a mistake is told and ends with 1",
			args:   []string{"render", "-f", "-"}, in: strings.Replace(objective, "99%", "100%", 1),
			want: want{code: 1, err: `stdin:9: Objective shop/website-up: spec.target: "100%": `},
		},
		"Unusable": {reason: "a command line that is not understood ends with 2", args: []string{"draw"}, want: want{code: 2, err: `unknown command "draw"`}},
		"NoCluster": {
			reason: "with neither a kubeconfig nor a cluster around it there is nothing to ask",
			args:   []string{"status"}, want: want{code: 2, err: "error: no cluster is known: there is no kubeconfig; name one with --kubeconfig or KUBECONFIG, or a server with --server\n"},
		},
		"Nothing": {reason: "without arguments the commands are shown", want: want{out: "Available Commands:"}},
		"Version": {reason: "the build is told", args: []string{"--version"}, want: want{out: "kubectl experience version "}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], tc.args...)
			cmd.Env = []string{asProgram + "=1"}
			cmd.Stdin = strings.NewReader(tc.in)
			var out, complaints bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &complaints
			err := cmd.Run()
			var ended *exec.ExitError
			if err != nil && !errors.As(err, &ended) {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != tc.want.code {
				t.Errorf("%s: ends with %d, want %d: %s", tc.reason, code, tc.want.code, complaints.String())
			}
			holds(t, "standard output", tc.want.out, out.String())
			holds(t, "standard error", tc.want.err, complaints.String())
		})
	}
}

// holds checks that a stream has a text, or nothing where none is wanted.
func holds(t *testing.T, stream, want, got string) {
	t.Helper()
	if !strings.Contains(got, want) || (want == "" && got != "") {
		t.Errorf("%s: want %q, got %q", stream, want, got)
	}
}

func TestVersionText(t *testing.T) {
	before := version
	t.Cleanup(func() { version = before })
	if version = ""; versionText() == "" {
		t.Error("a build without a release has no name")
	}
	if version = "v1.2.3"; versionText() != version {
		t.Errorf("a release calls itself %q", versionText())
	}
}
