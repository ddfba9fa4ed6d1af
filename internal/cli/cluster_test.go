package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/experience-slo/operator/hack/parts"
)

// plane is a real API server with the operator's kinds, for the tests that need
// one. There is no operator: tests write what one would.
var (
	plane     *parts.ControlPlane
	startOnce sync.Once
	errStart  error
)

func startPlane(t *testing.T) {
	t.Helper()
	startOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		if plane, errStart = parts.StartControlPlane(ctx, parts.ControlPlaneOptions{}); errStart != nil {
			return
		}
		for _, args := range [][]string{
			{"apply", "--server-side", "-k", "../../config/crd"}, {"wait", "--for=condition=Established", "crd", "--all", "--timeout=1m"},
		} {
			if _, errStart = tryKubectl(ctx, "", args...); errStart != nil {
				return
			}
		}
	})
	if errStart != nil {
		t.Fatalf("start control plane: %v", errStart)
	}
}

func stopPlane() {
	if plane != nil {
		_ = plane.Stop() // the process ends
	}
}

func tryKubectl(ctx context.Context, in string, args ...string) (string, error) {
	programs, err := parts.Find()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, programs.Path(parts.Kubectl), append(args, "--kubeconfig", plane.Kubeconfig)...)
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func kubectl(t *testing.T, in string, args ...string) string {
	t.Helper()
	out, err := tryKubectl(t.Context(), in, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// space makes a namespace of the test's own.
func space(t *testing.T) string {
	t.Helper()
	startPlane(t)
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	kubectl(t, "", "create", "namespace", name)
	return name
}

// writeStatus does what an operator does: it writes a part of a status.
func writeStatus(t *testing.T, namespace, object string, status map[string]any) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, "", "patch", object, "-n", namespace, "--subresource=status", "--type=merge", "-p", string(text))
}

// running is a command that goes on beside the test.
type running struct {
	out, err *safeBuffer
	ended    chan int
	cancel   context.CancelFunc
}

// safeBuffer can be read while it is written to.
type safeBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(text)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// begin starts a command against the cluster.
func begin(t *testing.T, p Program, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	r := &running{out: &safeBuffer{}, err: &safeBuffer{}, ended: make(chan int, 1), cancel: cancel}
	p.Version, p.Out, p.Err, p.Patience = "v1.2.3", r.out, r.err, time.Hour
	if p.In == nil {
		p.In = strings.NewReader("")
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	go func() { r.ended <- p.Run(ctx, append(args, "--kubeconfig", plane.Kubeconfig)) }()
	return r
}

// end waits for the command.
func (r *running) end() outcome {
	code := <-r.ended
	return outcome{Code: code, Out: r.out.String(), Err: r.err.String()}
}

// tells waits until the command has said something beside its output.
func (r *running) tells(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the command says "+text, func() bool { return strings.Contains(r.err.String(), text) })
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 3*time.Minute, true, func(context.Context) (bool, error) { return check(), nil })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
