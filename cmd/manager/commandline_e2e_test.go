package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testCommandLine runs the binary where it cannot reach a cluster.
func (s *stage) testCommandLine(t *testing.T) {
	type want struct {
		code           int
		stdout         string
		stderr, absent []string
	}
	cases := map[string]struct {
		reason string
		args   []string
		want   want
	}{
		"Version": {
			reason: "the version is all that is printed",
			args:   []string{"--version"},
			want:   want{stdout: linkedVersion + "\n"},
		},
		"Help": {
			reason: "help is no failure",
			args:   []string{"--help"},
			want:   want{stderr: []string{"Usage of manager:", "-metrics-bind-address"}, absent: []string{"manager: "}},
		},
		"NoCluster": {
			reason: "without a kubeconfig the error says how to give one, without a stack trace",
			want: want{
				code: 1, stderr: []string{"manager: find API server: ", "pass --kubeconfig, set KUBECONFIG, or run in a pod"},
				absent: []string{"goroutine", "Usage of"},
			},
		},
		"BadFlag": {
			reason: "a bad flag is named and usage follows",
			args:   []string{"--metrics-location=:1"},
			want:   want{code: 1, stderr: []string{"flag provided but not defined: -metrics-location", "Usage of manager:"}},
		},
		"BadValue": {
			reason: "a bad value is quoted",
			args:   []string{"--leader-elect=perhaps"},
			want:   want{code: 1, stderr: []string{`invalid boolean value "perhaps" for -leader-elect`}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			cmd := exec.CommandContext(t.Context(), s.binary, tc.args...)
			cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, []string{"HOME=" + t.TempDir()}
			if exit := (*exec.ExitError)(nil); errors.As(cmd.Run(), &exit) == (tc.want.code == 0) {
				t.Errorf("%s: exit code %d", tc.reason, cmd.ProcessState.ExitCode())
			}
			if code := cmd.ProcessState.ExitCode(); code != tc.want.code {
				t.Errorf("%s: exit code %d, want %d", tc.reason, code, tc.want.code)
			}
			if diff := cmp.Diff(tc.want.stdout, stdout.String()); diff != "" {
				t.Errorf("%s: -want, +got stdout:\n%s", tc.reason, diff)
			}
			for _, part := range tc.want.stderr {
				if !strings.Contains(stderr.String(), part) {
					t.Errorf("%s: stderr lacks %q:\n%s", tc.reason, part, stderr.String())
				}
			}
			for _, part := range tc.want.absent {
				if strings.Contains(stderr.String(), part) {
					t.Errorf("%s: stderr has %q:\n%s", tc.reason, part, stderr.String())
				}
			}
		})
	}
}
