package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// testService runs one manager with the flags that it has by default, through
// everything that happens to a service; the lease is longer, for this machine may
// stall.
func (s *stage) testService(t *testing.T) {
	t.Parallel()
	c := install(t)
	paused, restarted := s.prometheus(t), s.prometheus(t)
	c.declare(t, "paused", paused.URL)
	c.declare(t, "restarted", restarted.URL)
	p := s.start(t, c.kubeconfig(t, defaultServiceAccount), longLease)
	p.answers(t, "/readyz", http.StatusOK)
	figures := map[string]map[string]figures{"paused": c.settled(t, "paused"), "restarted": c.settled(t, "restarted")}
	checkComplete(t, s.world, figures["paused"])

	t.Run("Readiness", func(t *testing.T) { s.testReadiness(t, c) })
	t.Run("Metrics", func(t *testing.T) { c.testMetrics(t, p, "restarted") })
	t.Run("KubectlWait", c.testWait)
	t.Run("Outage", func(t *testing.T) { c.testOutage(t, p, paused, restarted, figures) })
	t.Run("Terminate", func(t *testing.T) { c.testTerminate(t, p) })
}

// testReadiness has a manager wait for its caches: it is healthy and not ready.
func (s *stage) testReadiness(t *testing.T, c *installed) {
	gate := newGate(t, c)
	config := c.as(defaultServiceAccount)
	config.Host, config.CAData = gate.URL, nil
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := parts.WriteKubeconfig(kubeconfig, config); err != nil {
		t.Fatal(err)
	}
	p := s.start(t, kubeconfig, longLease)
	select {
	case <-gate.asked:
	case <-time.After(patience):
		t.Fatalf("nobody asked for objectives within %s", patience)
	}
	body := p.answers(t, "/readyz", http.StatusInternalServerError)
	if !strings.Contains(body, "[-]caches failed") {
		t.Errorf("/readyz does not say what fails: %s", body)
	}
	p.healthy(t, "while caches wait")
	t.Logf("while the API server does not answer: /readyz 500, %s", strings.ReplaceAll(strings.TrimSpace(body), "\n", ", "))
	gate.open()
	p.answers(t, "/readyz", http.StatusOK)
}

// gate stands before an API server and holds back requests for objectives until
// it is opened.
type gate struct {
	*httptest.Server
	asked chan struct{}
	open  func()
}

func newGate(t *testing.T, c *installed) *gate {
	t.Helper()
	target, err := url.Parse(c.plane.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	if forward.Transport, err = rest.TransportFor(c.plane.Config); err != nil {
		t.Fatal(err)
	}
	asked, opened := make(chan struct{}), make(chan struct{})
	ask := sync.OnceFunc(func() { close(asked) })
	g := &gate{asked: asked, open: sync.OnceFunc(func() { close(opened) })}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/objectives") {
			ask()
			select {
			case <-opened:
			case <-r.Context().Done():
				return
			}
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		g.open()
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

// testWait has kubectl wait for promises, as a pipeline would.
func (c *installed) testWait(t *testing.T) {
	wait := []string{"wait", "-n", "paused", "--for=condition=Met"}
	out, err := c.tryKubectl(t, append(wait, "--timeout=1m", "objective/page-speed")...)
	t.Logf("kubectl wait on a kept promise: %v: %s", err, strings.TrimSpace(out))
	if err != nil {
		t.Errorf("kubectl wait fails on a kept promise")
	}
	out, err = c.tryKubectl(t, append(wait, "--timeout=2s", "objective/hold-time")...)
	t.Logf("kubectl wait on a broken promise: %v: %s", err, strings.TrimSpace(out))
	if err == nil || !strings.Contains(out, "timed out waiting for the condition") {
		t.Errorf("kubectl wait does not time out on a broken promise")
	}
	c.kubectl(t, "wait", "-n", "paused", "--for=condition=Ready", "--timeout=1m", "objective/hold-time")
}

// testOutage takes Prometheus away in two ways at once. Objectives say so, keep
// their figures, and come back by themselves; the manager stays healthy.
func (c *installed) testOutage(t *testing.T, p *program, paused, restarted *parts.Prometheus, before map[string]map[string]figures) {
	for namespace := range before {
		c.hurry(t, namespace)
	}
	if err := errors.Join(paused.Pause(), restarted.Kill()); err != nil {
		t.Fatal(err)
	}
	away := time.Now()
	for namespace, want := range before {
		c.checkBridged(t, namespace, want)
		t.Logf("%s: noticed after %s", namespace, time.Since(away).Round(100*time.Millisecond))
	}
	p.healthy(t, "while sources are away")
	if err := errors.Join(paused.Resume(), restarted.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	for namespace, want := range before {
		if diff := cmp.Diff(want, c.settled(t, namespace)); diff != "" {
			t.Errorf("%s: figures: -before, +after the server came back:\n%s", namespace, diff)
		}
		t.Logf("%s: over after %s", namespace, time.Since(back).Round(100*time.Millisecond))
	}
}

// checkBridged waits until all objectives of a namespace say that their source is
// away, and compares the figures that they show.
func (c *installed) checkBridged(t *testing.T, namespace string, want map[string]figures) {
	t.Helper()
	during := c.all(t, namespace, "SourceUnavailable", func(o *v1alpha1.Objective) string {
		met, ready := outcome(o, v1alpha1.ConditionMet), outcome(o, v1alpha1.ConditionReady)
		if met != "Unknown "+v1alpha1.ReasonSourceUnavailable || ready != "True "+v1alpha1.ReasonEvaluated {
			return fmt.Sprintf("%s: Met %s, Ready %s", o.Name, met, ready)
		}
		return ""
	})
	for name, f := range during {
		f.Met = want[name].Met
		during[name] = f
	}
	if diff := cmp.Diff(want, during); diff != "" {
		t.Errorf("%s: figures: -before, +while the server is away:\n%s", namespace, diff)
	}
}

// hurry shortens the timeout of a source, which was long for the first look at
// weeks of history on a busy machine.
func (c *installed) hurry(t *testing.T, namespace string) {
	t.Helper()
	c.kubectl(t, "patch", "metricsource", "prometheus", "-n", namespace, "--type=merge", "-p", `{"spec":{"timeout":"2s"}}`)
	c.kubectl(t, "wait", "metricsource", "prometheus", "-n", namespace, "--for=jsonpath={.status.observedGeneration}=2")
	c.settled(t, namespace)
}

// gracePeriod is what Kubernetes gives a pod to end, by default.
const gracePeriod = 30 * time.Second

// testTerminate ends the manager while it waits for a source that hangs, for
// minutes to come.
func (c *installed) testTerminate(t *testing.T, p *program) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // nothing was written
	c.connect(t, "hanging", "http://"+listener.Addr().String(), "5m")
	// Its controller asks the source once; an objective is a second question.
	await(t, listener)
	c.create(t, promises()[0].objective("hanging"))
	await(t, listener)
	began := time.Now()
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	took, code := time.Since(began), p.cmd.ProcessState.ExitCode()
	t.Logf("SIGTERM while a source hangs: exit code %d after %s", code, took.Round(time.Millisecond))
	if code != 0 || took > gracePeriod {
		t.Errorf("exit code %d after %s, want 0 within %s", code, took, gracePeriod)
	}
	if holder := c.leader(t); holder != "" {
		t.Errorf("%q still holds the lease", holder)
	}
}

// await accepts a connection and never answers on it.
func await(t *testing.T, listener net.Listener) {
	t.Helper()
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		t.Fatalf("%T is no TCP listener", listener)
	}
	if err := tcp.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatalf("set deadline: %v", err)
	}
	conn, err := tcp.Accept()
	if err != nil {
		t.Fatalf("wait for a question: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // nothing was written
}
