package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/hack/parts"
)

// pluginPath is where `make demo` builds the command line, from the repository's
// root. kubectl finds it there as "kubectl experience".
var pluginPath = filepath.Join("bin", "kubectl-experience")

//go:embed gates/*.yaml
var gates embed.FS

// gateTimeout is how long both gates together may take.
const gateTimeout = 12 * time.Minute

// release is a gate of the demo, and how the command that waits for it ends.
type release struct {
	file, revision string
	code           int
	printed        string
}

// releases are one that may go on and one that may not.
func releases() []*release {
	return []*release{
		{file: "storefront.yaml", revision: "v2.4.0"},
		{file: "airport.yaml", revision: "v1.9.3", code: 1},
	}
}

// args are those of kubectl.
func (r *release) args() []string {
	return []string{"experience", "gate", "-f", filepath.Join("gates", r.file), "--revision", r.revision}
}

// showGates waits for two releases as a pipeline does, and shows how each ends.
func (d *demo) showGates(ctx context.Context) error {
	if err := os.CopyFS(d.dir, gates); err != nil {
		return fmt.Errorf("copy gates: %w", err)
	}
	d.say("two releases wait at their gates, for two or three minutes")
	waiting, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	all := releases()
	var group errgroup.Group
	for _, r := range all {
		group.Go(func() error { return d.await(waiting, r) })
	}
	err := group.Wait()
	for _, r := range all {
		d.print("\n$ kubectl " + strings.Join(r.args(), " ") + "\n" + r.printed)
	}
	return err
}

// await runs the command that waits for a gate.
func (d *demo) await(ctx context.Context, r *release) error {
	cmd := d.plugin(ctx, r.args()...)
	text, err := cmd.CombinedOutput()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		return fmt.Errorf("wait for gate: %w", err)
	}
	code := cmd.ProcessState.ExitCode()
	r.printed = fmt.Sprintf("%s(exit code %d)\n", text, code)
	if code != r.code {
		return fmt.Errorf("the gate %s ended with exit code %d, want %d:\n%s", r.file, code, r.code, text)
	}
	return nil
}

// plugin is a command of kubectl that the operator's command line answers.
func (d *demo) plugin(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.bin.Path(parts.Kubectl), args...)
	cmd.Dir = d.dir
	path, err := filepath.Abs(filepath.Dir(pluginPath))
	if err != nil {
		path = filepath.Dir(pluginPath)
	}
	cmd.Env = append(os.Environ(), "KUBECONFIG="+d.cluster.Kubeconfig, "PATH="+path+string(os.PathListSeparator)+os.Getenv("PATH"))
	return cmd
}

// showStatus prints all promises, the worst first.
func (d *demo) showStatus(ctx context.Context) error {
	args := []string{"experience", "status", "-A"}
	var out, complaint bytes.Buffer
	cmd := d.plugin(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run kubectl %s: %w\n%s", strings.Join(args, " "), err, complaint.String())
	}
	d.print("\n$ kubectl " + strings.Join(args, " ") + "\n" + out.String())
	return nil
}
