package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/hack/parts"
)

// TestCompletion offers words from a real cluster.
func TestCompletion(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	in := []string{"-n", namespace, "--kubeconfig", plane.Kubeconfig}
	cases := map[string]struct {
		reason string
		args   []string
		want   []string
	}{
		"Objectives":   {reason: "with how they stand", args: append([]string{"status"}, append(in, "")...), want: []string{"broken\tViolated", "kept\tMet", "open\tUnknown"}},
		"Begun":        {reason: "those that begin like this", args: append([]string{"status"}, append(in, "k")...), want: []string{"kept\tMet"}},
		"OneIsEnough":  {reason: "a second name means nothing", args: append([]string{"status"}, append(in, "kept", "")...)},
		"Gates":        {reason: "with what they came to", args: append([]string{"gate"}, append(in, "")...), want: []string{"release\tBaking v1"}},
		"Namespaces":   {reason: "of the cluster", args: []string{"gate", "--kubeconfig", plane.Kubeconfig, "-n", namespace[:8]}, want: []string{namespace}},
		"Contexts":     {reason: "of the kubeconfig", args: []string{"gate", "--kubeconfig", plane.Kubeconfig, "--context", "no"}},
		"Services":     {reason: "that are there, once", args: append([]string{"status"}, append(in, "--service", "")...), want: []string{"checkout"}},
		"Outputs":      {reason: "that there are", args: []string{"gate", "-o", "j"}, want: []string{"json", "junit"}},
		"Perspectives": {reason: "of which there are two", args: []string{"status", "--perspective", ""}, want: []string{"UX", "CX"}},
		"Unreachable":  {reason: "a complaint would land on the command line", args: []string{"status", "--server", "https://127.0.0.1:1", ""}},
		"Forbidden":    {reason: "and so would this", args: append([]string{"gate"}, append(in, "--as", "nobody", "")...)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out := do(t, "", append([]string{cobra.ShellCompRequestCmd}, tc.args...)...)
			words, _, found := strings.Cut(out.Out, ":4\n") // no files
			if !found || out.Code != Done {
				t.Fatalf("%s: ended with %d: %s%s", tc.reason, out.Code, out.Out, out.Err)
			}
			var offered []string
			for word := range strings.Lines(words) {
				offered = append(offered, strings.TrimSuffix(word, "\n"))
			}
			if diff := cmp.Diff(tc.want, offered); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCompletionScripts prints a script for each shell.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := do(t, "", "completion", shell); got.Code != Done || !strings.Contains(got.Out, "kubectl-experience") {
			t.Errorf("%s: ended with %d: %.300s", shell, got.Code, got.Out)
		}
	}
}

// TestCompletionOfKubectl has kubectl itself ask for the words, as it does when a
// person writes "kubectl experience".
func TestCompletionOfKubectl(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	programs, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, "../../cmd/kubectl-experience")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	krew, err := filepath.Abs("../../config/krew")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), programs.Path(parts.Kubectl), "__complete", "experience", "status", "-n", namespace, "")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+plane.Kubeconfig,
		"PATH="+strings.Join([]string{bin, krew, os.Getenv("PATH")}, string(os.PathListSeparator)))
	out, err := cmd.Output()
	if want := "broken\tViolated\nkept\tMet\nopen\tUnknown\n:4\n"; err != nil || string(out) != want {
		t.Errorf("kubectl offers %q, want %q: %v", out, want, err)
	}
}

// TestKrewManifest holds the manifest for krew against what krew asks for.
func TestKrewManifest(t *testing.T) {
	var plugin struct {
		Spec struct {
			ShortDescription string
			Platforms        []struct {
				Selector         struct{ MatchLabels map[string]string }
				URI, SHA256, Bin string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../config/krew/experience.yaml")), &plugin); err != nil {
		t.Fatal(err)
	}
	if len(plugin.Spec.ShortDescription) > 50 || len(plugin.Spec.Platforms) == 0 {
		t.Errorf("the plugin is %+v", plugin)
	}
	for _, p := range plugin.Spec.Platforms {
		system := p.Selector.MatchLabels["os"] + "_" + p.Selector.MatchLabels["arch"]
		if !strings.Contains(p.URI, "kubectl-experience_"+system+".") || p.SHA256 == "" || !strings.HasPrefix(p.Bin, "kubectl-experience") {
			t.Errorf("%s is %+v", system, p)
		}
	}
}
