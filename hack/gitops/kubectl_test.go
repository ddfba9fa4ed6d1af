package gitops_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/experience-slo/operator/hack/parts"
)

// tryKubectl runs kubectl and gives what it printed. No kubeconfig means no
// cluster.
func tryKubectl(t *testing.T, kubeconfig string, args ...string) (string, error) {
	t.Helper()
	bin, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), bin.Path(parts.Kubectl), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = cmd.Run(); err != nil {
		return errs.String(), err
	}
	return out.String(), nil
}

func kubectl(t *testing.T, kubeconfig string, args ...string) string {
	t.Helper()
	out, err := tryKubectl(t, kubeconfig, args...)
	if err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
	return out
}
