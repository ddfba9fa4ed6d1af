package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
)

// stage is what the end-to-end tests of the program share: the binary as it is
// released, and two weeks of history that ended so long ago that no figure of
// theirs moves with the clock.
type stage struct {
	binary, history string
	world           *simulate.World
}

const (
	linkedVersion = "v0.0.0-e2e"
	historyDays   = 14
	// quietDays are more than the longest window of a burn rate; with historyDays
	// they are less than the window of the promises.
	quietDays = 7
	// window is so long that coverage, whose window begins at a full hour, is the
	// same to a tenth of a percent at each minute of the hour.
	window = "60d"
	// longLease keeps a leader alive on a machine that stalls for half a minute.
	longLease = "--leader-election-lease-duration=45s"
	// complete is historyDays of the window.
	complete = "23.3%"
)

// TestProgram runs the binary against real API servers and Prometheus servers.
// Its parts run at the same time: mostly they wait.
func TestProgram(t *testing.T) {
	s := prepare(t)
	t.Run("CommandLine", s.testCommandLine)
	t.Run("Crash", s.testCrash)
	t.Run("Takeover", s.testTakeover)
	t.Run("Service", s.testService)
	t.Run("Gate", s.testGate)
	t.Run("Web", s.testWeb)
	t.Run("Stories", s.testStories)
}

func prepare(t *testing.T) *stage {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	dir := t.TempDir()
	s := &stage{binary: filepath.Join(dir, "manager"), history: filepath.Join(dir, "history"), world: simulate.New(11)}
	// With the race detector where the test has it: what the tests compiled is
	// not compiled again, and the binary's own races are found.
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-race="+raceDetector(),
		"-ldflags", "-X main.version="+linkedVersion, "-o", s.binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build manager: %v\n%s", err, out)
	}
	until := time.Now().UTC().Truncate(time.Minute).AddDate(0, 0, -quietDays)
	if err := s.world.WriteHistory(s.history, until, historyDays, 15*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// raceDetector is "true" when this test was built with the race detector.
func raceDetector() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value
		}
	}
	return "false"
}

// prometheus starts a server on a copy of the history.
func (s *stage) prometheus(t *testing.T) *parts.Prometheus {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(s.history)); err != nil {
		t.Fatalf("copy history: %v", err)
	}
	p, err := parts.StartPrometheus(t.Context(), parts.PrometheusOptions{
		// With one block size there is nothing to compact.
		Dir: dir, Flags: []string{"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("stop Prometheus: %v", err)
		}
	})
	return p
}

// program is the running binary.
type program struct {
	*parts.Program
	cmd                  *exec.Cmd
	metrics, probes, web string // host:port
}

// start runs the binary and does not wait for anything.
func (s *stage) start(t testing.TB, kubeconfig string, flags ...string) *program {
	t.Helper()
	p := &program{metrics: freeAddress(t), probes: freeAddress(t), web: freeAddress(t)}
	p.cmd = exec.Command(s.binary, append([]string{
		"--kubeconfig=" + kubeconfig, "--metrics-bind-address=" + p.metrics, "--health-probe-bind-address=" + p.probes,
		"--web-bind-address=" + p.web, "--zap-log-level=error",
	}, flags...)...)
	var err error
	if p.Program, err = parts.StartProgram(t.Context(), t.TempDir(), p.cmd, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && p.Tail() != "" {
			t.Logf("end of the manager's log:\n%s", p.Tail())
		}
		if err := p.Kill(); err != nil {
			t.Errorf("kill manager: %v", err)
		}
	})
	return p
}

// answers waits until a probe answers with a code, and gives the body.
func (p *program) answers(t testing.TB, path string, want int) (body string) {
	t.Helper()
	eventually(t, path, func(ctx context.Context) error {
		code, text, err := get(ctx, "http://"+p.probes+path, "")
		if err == nil && code != want {
			err = fmt.Errorf("answered %d, want %d: %s", code, want, text)
		}
		body = text
		return err
	})
	return body
}

// healthy fails the test unless /healthz answers with 200 at once.
func (p *program) healthy(t *testing.T, when string) {
	t.Helper()
	if code, body, err := get(t.Context(), "http://"+p.probes+"/healthz", ""); err != nil || code != http.StatusOK {
		t.Errorf("/healthz %s: %d %s %v", when, code, body, err)
	}
}

// kubeconfig writes one with the access of a service account of the operator's
// namespace.
func (c *installed) kubeconfig(t testing.TB, account string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := parts.WriteKubeconfig(path, c.as(account)); err != nil {
		t.Fatal(err)
	}
	return path
}

// audit reads what was asked as a service account of the operator's namespace,
// from the audit log's entry number from, and gives the number of the next one.
func (c *installed) audit(t testing.TB, account string, from int) (asked []parts.AuditEvent, next int) {
	t.Helper()
	events, err := parts.ReadAudit(c.plane.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events[from:] {
		if e.ImpersonatedUser.Name == c.as(account).Impersonate.UserName {
			asked = append(asked, e)
		}
	}
	return asked, len(events)
}

// writes counts what was written, by verb and resource; refused writes count
// with the code of the answer.
func writes(asked []parts.AuditEvent) map[string]int {
	out := map[string]int{}
	for i := range asked {
		e := &asked[i]
		if !e.Writes() {
			continue
		}
		what := e.Verb + " " + e.Object.Resource
		if e.Object.Subresource != "" {
			what += "/" + e.Object.Subresource
		}
		if e.Response.Code >= http.StatusBadRequest {
			what += fmt.Sprintf(" answered %d", e.Response.Code)
		}
		out[what]++
	}
	return out
}
