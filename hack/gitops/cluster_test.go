package gitops_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

// root is the repository's: commands of the page are run from there.
const root = "../.."

// cluster is a real API server that knows the operator's kinds, with a stand-in
// for the operator: it answers each objective and each gate with what it is told to
// find.
type cluster struct {
	admin      client.WithWatch
	kubeconfig string
	// finds is nil while the operator is away.
	finds atomic.Pointer[func(*v1alpha1.Objective)]
	// concludes is nil while it leaves gates alone.
	concludes atomic.Pointer[func(*v1alpha1.Gate)]
	path      string
}

func start(t *testing.T) *cluster {
	t.Helper()
	plane, err := parts.StartControlPlane(t.Context(), parts.ControlPlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Errorf("stop control plane: %v", err)
		}
	})
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := &cluster{kubeconfig: plane.Kubeconfig, path: programs(t)}
	if c.admin, err = client.NewWithWatch(plane.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	kubectl(t, c.kubeconfig, "apply", "--server-side", "-k", filepath.Join(shipped, "crd"))
	kubectl(t, c.kubeconfig, "wait", "--for=condition=Established", "crd", "--all", "--timeout=1m")
	kubectl(t, c.kubeconfig, "create", "namespace", "shop")
	c.operate(t, &v1alpha1.ObjectiveList{})
	c.operate(t, &v1alpha1.GateList{})
	return c
}

// programs is a PATH with those that the page calls.
func programs(t *testing.T) string {
	t.Helper()
	bin, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", own, root+"/cmd/kubectl-experience")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build kubectl-experience: %v: %s", err, out)
	}
	return strings.Join([]string{own, filepath.Dir(bin.Path(parts.Kubectl)), os.Getenv("PATH")}, string(os.PathListSeparator))
}

// operate answers the objects of a kind until the test ends.
func (c *cluster) operate(t *testing.T, list client.ObjectList) {
	t.Helper()
	watch, err := c.admin.Watch(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watch.ResultChan() {
			var err error
			switch object := event.Object.(type) {
			case *v1alpha1.Objective:
				err = c.answer(t.Context(), object)
			case *v1alpha1.Gate:
				err = c.conclude(t.Context(), object)
			}
			if err != nil && t.Context().Err() == nil {
				t.Errorf("answer: %v", err)
			}
		}
	}()
	t.Cleanup(func() { watch.Stop(); <-done })
}

func (c *cluster) answer(ctx context.Context, o *v1alpha1.Objective) error {
	finds, asked := c.finds.Load(), o.Annotations[v1alpha1.ReconcileRequestAnnotation]
	if finds == nil || (o.Status.ObservedGeneration == o.Generation && o.Status.LastHandledReconcileAt == asked) {
		return nil
	}
	(*finds)(o)
	o.Status.LastHandledReconcileAt = asked
	err := c.admin.Status().Update(ctx, o)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // what came between has an event of its own
	}
	return err
}

// shell runs lines of the page in a folder and gives all that they print.
func (c *cluster) shell(t *testing.T, dir, lines string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", lines)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "PATH="+c.path)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// step is one of the page's job.
type step struct{ Name, Run string }

func job(t *testing.T) []step {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct{ Steps []step }
	}
	if err := yaml.Unmarshal([]byte(blocks(t, "A CI job", "yaml")[0]), &workflow); err != nil {
		t.Fatal(err)
	}
	var out []step
	for _, s := range workflow.Jobs["deploy"].Steps {
		if s.Run != "" {
			// Nobody wants to wait for minutes until a test is sure.
			s.Run = strings.ReplaceAll(s.Run, "--timeout=2m", "--timeout=15s")
			out = append(out, s)
		}
	}
	return out
}

// TestCluster runs what the page tells people to run.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := start(t)
	t.Run("Samples", c.testSamples) // first, for nothing of theirs is there yet
	t.Run("Job", c.testJob)
	t.Run("Wait", c.testWait)
	t.Run("Settings", c.testSettings)
	t.Run("Release", c.testRelease)
}

func (c *cluster) testJob(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "deploy"), 0o700); err != nil {
		t.Fatal(err)
	}
	var shop []string
	for _, m := range append(shown(t, "apps", "Deployment"), shown(t, "experience.slo", "Objective")...) {
		shop = append(shop, m.text)
	}
	write(t, filepath.Join(folder, "deploy", "shop.yaml"), strings.Join(shop, "\n---\n"))
	cases := map[string]struct {
		reason string
		finds  func(*v1alpha1.Objective)
		// fails is the step that does, empty for none.
		fails string
	}{
		"Met":     {"all is well", met, ""},
		"Missed":  {"a broken promise", missed, "Is every promise kept?"},
		"Unknown": {"no verdict is no promise kept", judged(evaluate.Unknown, v1alpha1.ReasonInsufficientData), "Is every promise kept?"},
		"Mistake": {"a spec that cannot be measured", faulty(status.Mistake, v1alpha1.ReasonInvalidQuery, "a typo"), "Wait until every objective is measured"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c.finds.Store(&tc.finds)
			defer kubectl(t, c.kubeconfig, "delete", "objectives", "-n", "shop", "--all")
			failed := ""
			for _, s := range job(t) {
				out, err := c.shell(t, folder, s.Run)
				if err != nil {
					failed = s.Name
					t.Logf("%s: %v: %s", s.Name, err, out)
					break
				}
			}
			if failed != tc.fails {
				t.Errorf("%s: the job fails at %q, want %q", tc.reason, failed, tc.fails)
			}
		})
	}
}

func (c *cluster) testWait(t *testing.T) {
	verdict := met
	c.finds.Store(&verdict)
	source := &v1alpha1.ClusterMetricSource{}
	source.Name, source.Spec.URL = "default", "http://prometheus.monitoring.svc:9090"
	if err := c.admin.Create(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	status.Source(source, &source.Status, status.Findings{}, nil)
	if err := c.admin.Status().Update(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(t.TempDir(), "objective.yaml")
	write(t, manifest, shown(t, "experience.slo", "Objective")[0].text)
	kubectl(t, c.kubeconfig, "apply", "-f", manifest)
	for line := range strings.Lines(blocks(t, "kubectl wait", "sh")[0]) {
		if out, err := c.shell(t, root, line); err != nil {
			t.Errorf("%s: %v: %s", line, err, out)
		}
	}

	// The verdict was about another spec: nobody who waits must take it.
	c.finds.Store(nil)
	const once = "kubectl wait -n shop --for=condition=%s objectives --all --timeout=0"
	kubectl(t, c.kubeconfig, "patch", "-n", "shop", "objective/checkout-page-speed", "--type=merge", "-p", `{"spec":{"target":"80%"}}`)
	for _, condition := range []string{"Ready", "Met"} {
		if out, err := c.shell(t, root, fmt.Sprintf(once, condition)); err == nil {
			t.Errorf("kubectl takes %s of an older spec: %s", condition, out)
		}
	}
}

func (c *cluster) testSettings(t *testing.T) {
	kubectl(t, c.kubeconfig, "create", "namespace", "argocd")
	kubectl(t, c.kubeconfig, "create", "configmap", "argocd-cm", "-n", "argocd", "--from-literal=url=https://argocd.example.com")
	for _, line := range blocks(t, "Argo CD", "sh") {
		if out, err := c.shell(t, root, line); err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
	}
	var got corev1.ConfigMap
	if err := c.admin.Get(t.Context(), client.ObjectKey{Namespace: "argocd", Name: "argocd-cm"}, &got); err != nil {
		t.Fatal(err)
	}
	want := patches(t)["lenient"]
	want["url"] = "https://argocd.example.com"
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Errorf("the settings after the page's command: -want, +got:\n%s", diff)
	}
}
