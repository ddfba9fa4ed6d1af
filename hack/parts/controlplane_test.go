package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// startControlPlane starts a control plane that ends with the test.
func startControlPlane(t *testing.T, o ControlPlaneOptions) *ControlPlane {
	t.Helper()
	c, err := StartControlPlane(t.Context(), o)
	if err != nil {
		t.Fatalf("StartControlPlane: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return c
}

// clientset connects with config.
func clientset(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatalf("NewForConfig: %v", err)
	}
	return client
}

// configMap is a small object to write.
func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// ended reports whether no process of the number exists, reaped or not.
func ended(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestControlPlaneServesTheSameObjectsByEveryWayIn(t *testing.T) {
	t.Parallel()
	c := startControlPlane(t, ControlPlaneOptions{})
	_, err := clientset(t, c.Config).CoreV1().ConfigMaps("default").Create(t.Context(), configMap("written"), metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("create with Config: %v", err)
	}

	bin, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	get := exec.Command(bin.Path(Kubectl), "--kubeconfig", c.Kubeconfig, "get", "configmap", "written", "-o", "name")
	out, err := get.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl get with Kubeconfig: %v: %s", err, out)
	}
	if diff := cmp.Diff("configmap/written\n", string(out)); diff != "" {
		t.Errorf("kubectl get: -want, +got:\n%s", diff)
	}
}

func TestControlPlaneJudgesByRBAC(t *testing.T) {
	t.Parallel()
	c := startControlPlane(t, ControlPlaneOptions{})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := WriteKubeconfig(path, c.As("jane", "developers")); err != nil {
		t.Fatal(err)
	}
	fromFile, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("BuildConfigFromFlags: %v", err)
	}
	cases := map[string]struct {
		reason  string
		config  *rest.Config
		allowed bool
	}{
		"Admin":          {reason: "Config may do everything", config: c.Config, allowed: true},
		"Nobody":         {reason: "a user without a binding may not list Secrets", config: c.As("jane", "developers")},
		"KubeconfigOfAs": {reason: "the rights written to a file stay those of the user", config: fromFile},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := clientset(t, tc.config).CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
			if forbidden := apierrors.IsForbidden(err); forbidden == tc.allowed || (tc.allowed && err != nil) {
				t.Errorf("%s: list Secrets: %v", tc.reason, err)
			}
		})
	}
}

func TestControlPlaneStopLeavesNothing(t *testing.T) {
	t.Parallel()
	c := startControlPlane(t, ControlPlaneOptions{})
	pids := []int{c.etcd.pid, c.api.pid}
	for i := range 2 {
		if err := c.Stop(); err != nil {
			t.Fatalf("Stop number %d: %v", i+1, err)
		}
	}
	for _, pid := range pids {
		if !ended(pid) {
			t.Errorf("process %d still exists after Stop", pid)
		}
	}
	if _, err := os.Stat(c.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stat of the temporary folder after Stop: want it gone, got %v", err)
	}
}

func TestControlPlanesDoNotShare(t *testing.T) {
	t.Parallel()
	a, b := startControlPlane(t, ControlPlaneOptions{}), startControlPlane(t, ControlPlaneOptions{})
	maps := clientset(t, a.Config).CoreV1().ConfigMaps("default")
	if _, err := maps.Create(t.Context(), configMap("only-in-a"), metav1.CreateOptions{}); err != nil {
		t.Fatalf("create in a: %v", err)
	}
	_, err := clientset(t, b.Config).CoreV1().ConfigMaps("default").Get(t.Context(), "only-in-a", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("get from b what was written to a: want not found, got %v", err)
	}
}

func TestControlPlaneStartedAgainInItsFolderHasItsObjects(t *testing.T) {
	t.Parallel()
	o := ControlPlaneOptions{Dir: t.TempDir()}
	first := startControlPlane(t, o)
	maps := clientset(t, first.Config).CoreV1().ConfigMaps("default")
	if _, err := maps.Create(t.Context(), configMap("kept"), metav1.CreateOptions{}); err != nil {
		t.Fatalf("create: %v", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	second := startControlPlane(t, o)
	if _, err := clientset(t, second.Config).CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("get after the second start: %v", err)
	}
}

func TestAuditCountsEveryRequest(t *testing.T) {
	t.Parallel()
	c := startControlPlane(t, ControlPlaneOptions{Audit: true})
	config := rest.CopyConfig(c.Config)
	config.UserAgent = "counted"
	maps := clientset(t, config).CoreV1().ConfigMaps("default")
	for i := range 20 {
		if _, err := maps.Create(t.Context(), configMap(fmt.Sprintf("m%d", i)), metav1.CreateOptions{}); err != nil {
			t.Fatalf("create %d: %v", i, err)
		}
	}
	if _, err := maps.List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Fatalf("list: %v", err)
	}
	if err := maps.Delete(t.Context(), "missing", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("delete of what is not there: %v", err)
	}

	events, err := ReadAudit(c.AuditLog)
	if err != nil {
		t.Fatalf("ReadAudit: %v", err)
	}
	got := map[string]int{}
	for _, e := range events {
		if e.UserAgent == "counted" {
			got[fmt.Sprintf("%s %s %d writes=%t", e.Verb, e.Object.Resource, e.Response.Code, e.Writes())]++
		}
	}
	want := map[string]int{
		"create configmaps 201 writes=true": 20,
		"list configmaps 200 writes=false":  1,
		"delete configmaps 404 writes=true": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadAudit: -want, +got:\n%s", diff)
	}
}

func TestStartControlPlaneThatFails(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	cases := map[string]struct {
		reason string
		ctx    context.Context
		o      ControlPlaneOptions
		want   string
	}{
		"UnknownFlag": {
			reason: "the error quotes what the program logged",
			ctx:    t.Context(),
			o:      ControlPlaneOptions{Flags: []string{"--no-such-flag"}},
			want:   "unknown flag: --no-such-flag",
		},
		"Cancelled": {
			reason: "the error says that the caller gave up",
			ctx:    cancelled,
			want:   context.Canceled.Error(),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.o.Dir = t.TempDir()
			c, err := StartControlPlane(tc.ctx, tc.o)
			if c != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want no control plane and an error with %q, got %v, %v", tc.reason, tc.want, c, err)
			}
		})
	}
}
