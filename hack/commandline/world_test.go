package commandline_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
)

// root is the repository's.
const root = "../.."

// world is the program, and what it is run against.
type world struct {
	program    string
	dir        string
	prometheus string
	plane      *parts.ControlPlane
	admin      client.Client
	// nobody is a kubeconfig of a user without rights, lost one of a server that is
	// not there, and bare one of a cluster without the operator's kinds.
	nobody, lost, bare string
	// from and to are six hours of the history.
	from, to string
}

func start(t *testing.T) *world {
	t.Helper()
	log.SetLogger(logr.Discard())
	hour := time.Now().UTC().Truncate(time.Hour)
	w := &world{dir: t.TempDir(), from: hour.Add(-6 * time.Hour).Format(time.RFC3339), to: hour.Format(time.RFC3339)}
	w.program = filepath.Join(t.TempDir(), "kubectl-experience")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", w.program, root+"/cmd/kubectl-experience")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build kubectl-experience: %v: %s", err, out)
	}
	w.prometheus = history(t)
	w.plane = plane(t)
	w.cluster(t)
	w.nobody, w.lost, w.bare = filepath.Join(w.dir, "nobody"), filepath.Join(w.dir, "lost"), filepath.Join(w.dir, "bare")
	lost := *w.plane.Config
	lost.Host = "https://" + unused(t)
	must(t, parts.WriteKubeconfig(w.nobody, w.plane.As("nobody")))
	must(t, parts.WriteKubeconfig(w.lost, &lost))
	must(t, parts.WriteKubeconfig(w.bare, plane(t).Config))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unused is an address at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return l.Addr().String()
}

func plane(t *testing.T) *parts.ControlPlane {
	t.Helper()
	c, err := parts.StartControlPlane(t.Context(), parts.ControlPlaneOptions{})
	must(t, err)
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop control plane: %v", err)
		}
	})
	return c
}

// cluster teaches the API server the operator's kinds.
func (w *world) cluster(t *testing.T) {
	t.Helper()
	bin, err := parts.Find()
	must(t, err)
	for _, args := range [][]string{
		{"apply", "--server-side", "-k", filepath.Join(root, "config", "crd")},
		{"wait", "--for=condition=Established", "crd", "--all", "--timeout=1m"},
		{"create", "namespace", "shop"},
	} {
		cmd := exec.CommandContext(t.Context(), bin.Path(parts.Kubectl), args...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+w.plane.Kubeconfig)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("kubectl %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	scheme := runtime.NewScheme()
	must(t, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	w.admin, err = client.New(w.plane.Config, client.Options{Scheme: scheme})
	must(t, err)
}

// history is a real Prometheus with two days of a shop: each minute a hundred
// orders, of which two fail, and a hundred searches, of which ten do.
func history(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	now := time.Now().UTC().Truncate(time.Minute)
	start := now.AddDate(0, 0, -2)
	grows := func(perMinute float64) simulate.Shape {
		return func(at time.Time) float64 { return perMinute * at.Sub(start).Minutes() }
	}
	series := func(shape int, app, outcome string) simulate.Copy {
		return simulate.Copy{Shape: shape, Labels: labels.FromStrings(model.MetricNameLabel, "ux_task_total", "app", app, "outcome", outcome, "job", "shop", "instance", "shop:8080")}
	}
	shapes := []simulate.Shape{grows(98), grows(2), grows(90), grows(10)}
	copies := []simulate.Copy{
		series(0, "orders", "success"), series(1, "orders", "failure"), series(2, "search", "success"), series(3, "search", "failure"),
	}
	must(t, simulate.WriteCopies(filepath.Join(dir, "data"), start, now, time.Minute, shapes, copies))
	p, err := parts.StartPrometheus(t.Context(), parts.PrometheusOptions{Dir: dir, ScrapeInterval: time.Minute})
	must(t, err)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("stop Prometheus: %v", err)
		}
	})
	return p.URL
}

// ended is what a run left behind.
type ended struct {
	code     int
	out, err string
}

// run runs the program in the world's folder, with a kubeconfig and nothing else
// of this machine in its environment.
func (w *world) run(ctx context.Context, t *testing.T, kubeconfig, in string, args ...string) ended {
	t.Helper()
	cmd := exec.CommandContext(ctx, w.program, args...)
	cmd.Dir, cmd.Stdin = w.dir, strings.NewReader(in)
	cmd.Env = []string{"HOME=" + filepath.Join(w.dir, "home")}
	if kubeconfig != "" {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+kubeconfig)
	}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), complaints.String()}
}
