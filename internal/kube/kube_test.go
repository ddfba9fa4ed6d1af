package kube

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// patience is how long tests wait for what comes by itself.
const patience = 3 * time.Minute

// plane is a real API server with the operator's kinds; bare is what it said
// before it had them.
var (
	plane *parts.ControlPlane
	bare  error
)

func TestMain(m *testing.M) {
	code, err := withPlane(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "set up tests:", err)
		code = 1
	}
	os.Exit(code)
}

func withPlane(run func() int) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	if plane, err = parts.StartControlPlane(ctx, parts.ControlPlaneOptions{}); err != nil {
		return 1, err
	}
	defer plane.Stop() //nolint:errcheck // the process ends
	c, err := options("--kubeconfig", plane.Kubeconfig).Connect()
	if err != nil {
		return 1, err
	}
	_, bare = c.Objectives(ctx, Query{})
	for _, args := range [][]string{
		{"apply", "--server-side", "-k", "../../config/crd"}, {"wait", "--for=condition=Established", "crd", "--all", "--timeout=1m"},
	} {
		if err := kubectl(ctx, args...); err != nil {
			return 1, err
		}
	}
	return run(), nil
}

func kubectl(ctx context.Context, args ...string) error {
	programs, err := parts.Find()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, programs.Path(parts.Kubectl), append(args, "--kubeconfig", plane.Kubeconfig)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// options are those of a command line.
func options(args ...string) *Options {
	o := NewOptions()
	flags := pflag.NewFlagSet("test", pflag.PanicOnError)
	o.Bind(flags)
	_ = flags.Parse(args) // it panics
	return o
}

func connect(t *testing.T, args ...string) *Cluster {
	t.Helper()
	c, err := options(append([]string{"--kubeconfig", plane.Kubeconfig}, args...)...).Connect()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return c
}

// space makes a namespace of the test's own.
func space(t *testing.T, c *Cluster) string {
	t.Helper()
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "kube-"}}
	if err := c.client.Create(t.Context(), n); err != nil {
		t.Fatalf("create namespace: %v", err)
	}
	return n.Name
}

func objective(namespace, name string, labels map[string]string) *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Target: "99%", Window: v1alpha1.Window{Rolling: "28d"},
			Indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "good_total", Total: "all_total"}},
		},
	}
}

// manifest is a gate as a file has it.
func manifest(namespace, name, revision string) map[string]any {
	return map[string]any{
		"apiVersion": "experience.slo/v1alpha1", "kind": "Gate",
		"metadata": map[string]any{"name": name, "namespace": namespace},
		"spec":     map[string]any{"revision": revision, "objectives": map[string]any{"names": []any{"page-speed"}}},
	}
}

// TestErrors words what can go wrong on the way to a cluster.
func TestErrors(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("KUBECONFIG", none)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("clusters: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) error {
		c, err := options(args...).Connect()
		if err != nil {
			return err
		}
		_, err = c.Objective(t.Context(), "shop", "page-speed")
		return err
	}
	list := func(args ...string) error {
		_, err := connect(t, args...).Objectives(t.Context(), Query{})
		return err
	}
	known := "--kubeconfig=" + plane.Kubeconfig
	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"NoKubeconfig": {reason: "nobody means localhost:8080", err: ask(), want: "no cluster is known: there is no kubeconfig; name one with --kubeconfig or KUBECONFIG, or a server with --server"},
		"MissingFile":  {reason: "a file that is named must be there", err: ask("--kubeconfig", none), want: "read kubeconfig: stat " + none + ": no such file or directory"},
		"BrokenFile":   {reason: "and be one", err: ask("--kubeconfig", broken), want: "read kubeconfig: error loading config file \"" + broken + "\""},
		"NoContext":    {reason: "a context must be there", err: ask(known, "--context", "nowhere"), want: `read kubeconfig: context "nowhere" does not exist`},
		"Unreachable": {
			reason: "the address is told", err: ask("--server", "https://127.0.0.1:1"),
			want: "get objectives shop/page-speed: the API server at https://127.0.0.1:1 does not answer: connection refused: check the address in the kubeconfig and the network",
		},
		"Forbidden": {
			reason: "what to ask for is told", err: ask(known, "--as", "nobody"),
			want: `get objectives shop/page-speed: it is not allowed: ask for a role with the verb "get" on "objectives.experience.slo" in namespace "shop"; see kubectl auth can-i get objectives.experience.slo -n shop`,
		},
		"ForbiddenEverywhere": {
			reason: "all namespaces take a cluster role", err: list("--as", "nobody"),
			want: `list objectives: it is not allowed: ask for a role with the verb "list" on "objectives.experience.slo" in the whole cluster; see kubectl auth can-i list objectives.experience.slo -A`,
		},
		"Unauthorized": {
			reason: "credentials that nobody knows", err: ask(known, "--token", "guess"),
			want: "does not accept the credentials: log in again, or name others with --context or --user",
		},
		"NotInstalled": {reason: "a cluster without the kinds", err: bare, want: "the kinds of experience.slo are not installed in this cluster: run kubectl apply --server-side -k config/default"},
		"NotFound":     {reason: "the kinds are there and the object is not", err: ask(known), want: "get objectives shop/page-speed: there is none of that name"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
				t.Errorf("%s: want %q, got %v", tc.reason, tc.want, tc.err)
			}
		})
	}
}

func TestNamespace(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"Context": {reason: "the context's, which has none", want: "default"},
		"Flag":    {reason: "a flag wins", args: []string{"-n", "shop"}, want: "shop"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, connect(t, tc.args...).Namespace); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestBindLeavesOut(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	NewOptions().Bind(flags, "namespace")
	if flags.Lookup("namespace") != nil || flags.Lookup("context") == nil || flags.Lookup("cache-dir") != nil {
		t.Errorf("flags are %s", flags.FlagUsages())
	}
}

// TestLists reads more than a page, in order, and what a selector chooses.
func TestLists(t *testing.T) {
	c := connect(t)
	c.page = 3
	namespace := space(t, c)
	for i := range 8 {
		o := objective(namespace, fmt.Sprintf("o-%d", 7-i), map[string]string{"team": fmt.Sprint(i % 2)})
		if err := c.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	odd, err := ParseSelector("team=1")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		query  Query
		first  string
		want   int
	}{
		"All":      {reason: "all pages are read once", query: Query{Namespace: namespace}, first: "o-0", want: 8},
		"Selected": {reason: "labels choose", query: Query{Namespace: namespace, Selector: odd}, first: "o-0", want: 4},
		"Nowhere":  {reason: "a namespace that is not there holds nothing", query: Query{Namespace: "nowhere"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found, err := c.Objectives(t.Context(), tc.query)
			if err != nil || len(found) != tc.want {
				t.Fatalf("%s: found %d: %v", tc.reason, len(found), err)
			}
			if len(found) > 0 && (found[0].Name != tc.first || found[0].Kind != "Objective") {
				t.Errorf("%s: the first is %s %s", tc.reason, found[0].Kind, found[0].Name)
			}
		})
	}
}

func TestNamespaces(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	all, err := c.Namespaces(t.Context())
	if err != nil || !slices.Contains(all, namespace) {
		t.Errorf("namespaces are %v: %v", all, err)
	}
}

func TestParseSelector(t *testing.T) {
	cases := map[string]struct{ reason, text, want string }{
		"Selector": {reason: "as kubectl takes it", text: "app in (a, b),!test"},
		"None":     {reason: "what is none is told", text: "=,", want: "write it like app=checkout,tier!=test"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSelector(tc.text)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestSource(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	shared := &v1alpha1.ClusterMetricSource{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.DefaultSourceName}}
	shared.Spec.URL = "http://shared:9090"
	own := &v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "own"}, Spec: v1alpha1.MetricSourceSpec{URL: "http://own:9090"}}
	for _, o := range []client.Object{shared, own} {
		if err := c.client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		reason string
		ref    *v1alpha1.SourceReference
		want   string
	}{
		"Default": {reason: "an objective without a reference uses the shared one", want: "http://shared:9090"},
		"Own":     {reason: "one of the objective's namespace", ref: &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: "own"}, want: "http://own:9090"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := objective(namespace, "o", nil)
			o.Spec.SourceRef = tc.ref
			spec, err := c.Source(t.Context(), o)
			if err != nil || spec.URL != tc.want {
				t.Errorf("%s: %v: %v", tc.reason, spec, err)
			}
		})
	}
}

// eventually fails the test unless check succeeds in time.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) { return check(), nil })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// grant lets a user do things to gates of a namespace.
func grant(t *testing.T, namespace, user, verbs string) {
	t.Helper()
	for _, args := range [][]string{
		{"create", "role", user, "-n", namespace, "--verb=" + verbs, "--resource=gates.experience.slo"},
		{"create", "rolebinding", user, "-n", namespace, "--role=" + user, "--user=" + user},
	} {
		if err := kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
}
