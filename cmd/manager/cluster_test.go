package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

const patience = 3 * time.Minute

// installed is an API server on which config/default is applied with kubectl, as
// a user would.
type installed struct {
	plane  *parts.ControlPlane
	admin  client.Client
	access *kubernetes.Clientset
}

func install(t testing.TB) *installed {
	t.Helper()
	plane, err := parts.StartControlPlane(t.Context(), parts.ControlPlaneOptions{Audit: true})
	if err != nil {
		t.Fatalf("start control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Errorf("stop control plane: %v", err)
		}
	})
	c := &installed{plane: plane}
	if c.admin, err = client.New(plane.Config, client.Options{Scheme: managerOptions(settings{}).Scheme}); err != nil {
		t.Fatalf("make client: %v", err)
	}
	if c.access, err = kubernetes.NewForConfig(plane.Config); err != nil {
		t.Fatalf("make clientset: %v", err)
	}
	c.kubectl(t, "apply", "--server-side", "-k", "../../config/default")
	c.kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	return c
}

func (c *installed) kubectl(t testing.TB, args ...string) {
	t.Helper()
	if out, err := c.tryKubectl(t, args...); err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// tryKubectl runs kubectl as the admin and gives what it printed.
func (c *installed) tryKubectl(t testing.TB, args ...string) (string, error) {
	t.Helper()
	programs, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), programs.Path(parts.Kubectl), append(args, "--kubeconfig", c.plane.Kubeconfig)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// token is one of a service account in the namespace default.
func (c *installed) token(t *testing.T, name string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{}
	got, err := c.access.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), name, request, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("ask for a token: %v", err)
	}
	return got.Status.Token
}

// as gives access as one of the service accounts of the operator's namespace.
func (c *installed) as(account string) *rest.Config {
	return c.plane.As("system:serviceaccount:"+defaultNamespace+":"+account,
		"system:serviceaccounts", "system:serviceaccounts:"+defaultNamespace)
}

// start runs a manager with the rights of the shipped roles alone, until the
// function that it returns is called.
func (c *installed) start(t testing.TB, s settings) (stop func() error) {
	t.Helper()
	ctrl.SetLogger(zap.New(zap.WriteTo(io.Discard)))
	mgr, err := newManager(c.as(s.serviceAccount), s)
	if err != nil {
		t.Fatalf("make manager: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		return <-ended
	}
}

// eventually fails the test with the last error unless check succeeds in time.
func eventually(t testing.TB, what string, check func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if err == nil || last == nil || ctx.Err() == nil {
			last = err // and not that the time was over
		}
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v", what, errors.Join(err, last))
	}
}

// freeAddress is one on the loopback interface that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	return l.Addr().String()
}

// get gives the status and the body of an answer.
func get(ctx context.Context, url, token string) (int, string, error) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the manager makes its certificate itself
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // the body is read to its end
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// TestManagerOnACluster runs the manager as installed: it leads, is healthy,
// judges the samples, guards its metrics, is refused nothing that it asks for but
// the Secrets it has no role for, and lets go of its lease.
func TestManagerOnACluster(t *testing.T) {
	c := install(t)
	c.kubectl(t, "create", "namespace", "shop")
	c.kubectl(t, "apply", "--server-side", "-n", "shop", "-k", "../../config/samples")
	s := settings{
		metricsAddress: freeAddress(t), metricsSecure: true, probeAddress: freeAddress(t),
		leaderElection: true, leaderElectionNamespace: defaultNamespace, leaseDuration: time.Minute, namespace: defaultNamespace, serviceAccount: defaultServiceAccount,
	}
	stop := c.start(t, s)
	for _, path := range []string{"/healthz", "/readyz"} {
		eventually(t, path, func(ctx context.Context) error {
			code, body, err := get(ctx, "http://"+s.probeAddress+path, "")
			if err == nil && code != http.StatusOK {
				err = fmt.Errorf("answered %d: %s", code, body)
			}
			return err
		})
	}
	eventually(t, "conditions of every sample", c.everySampleIsJudged)
	eventually(t, "a check by every gate", c.everyGateChecks)
	checkMetrics(t, c, "https://"+s.metricsAddress+"/metrics")
	if holder := c.leader(t); holder == "" {
		t.Errorf("nobody holds the lease while the manager works")
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if holder := c.leader(t); holder != "" {
		t.Errorf("%q holds the lease after the manager ended: the next one has to wait", holder)
	}
	checkRefusals(t, c)
}

// everySampleIsJudged fails until each object has conditions of its generation.
func (c *installed) everySampleIsJudged(ctx context.Context) error {
	objectives, sources, shared := &v1alpha1.ObjectiveList{}, &v1alpha1.MetricSourceList{}, &v1alpha1.ClusterMetricSourceList{}
	if err := errors.Join(c.admin.List(ctx, objectives), c.admin.List(ctx, sources), c.admin.List(ctx, shared)); err != nil {
		return err
	}
	var errs []error
	judged := func(name string, generation, observed int64, conditions []metav1.Condition) {
		if observed != generation || len(conditions) == 0 {
			errs = append(errs, fmt.Errorf("%s is at generation %d of %d with %d conditions", name, observed, generation, len(conditions)))
		}
	}
	for _, o := range objectives.Items {
		judged(o.Name, o.Generation, o.Status.ObservedGeneration, o.Status.Conditions)
	}
	for _, o := range sources.Items {
		judged(o.Name, o.Generation, o.Status.ObservedGeneration, o.Status.Conditions)
	}
	for _, o := range shared.Items {
		judged(o.Name, o.Generation, o.Status.ObservedGeneration, o.Status.Conditions)
	}
	if len(objectives.Items) == 0 || len(sources.Items) == 0 || len(shared.Items) == 0 {
		errs = append(errs, errors.New("a kind has no sample"))
	}
	return errors.Join(errs...)
}

// everyGateChecks fails until the check of each gate among the samples began.
func (c *installed) everyGateChecks(ctx context.Context) error {
	gates := &v1alpha1.GateList{}
	if err := c.admin.List(ctx, gates); err != nil {
		return err
	}
	if len(gates.Items) == 0 {
		return errors.New("gates have no sample")
	}
	for _, g := range gates.Items {
		if g.Status.ObservedGeneration != g.Generation || g.Status.StartedAt == nil {
			return fmt.Errorf("the check of %s has not begun: %+v", g.Name, g.Status)
		}
	}
	return nil
}

// leader is who holds the lease, empty when nobody does.
func (c *installed) leader(t *testing.T) string {
	t.Helper()
	lease, err := c.access.CoordinationV1().Leases(defaultNamespace).Get(t.Context(), leaderElectionID, metav1.GetOptions{})
	if client.IgnoreNotFound(err) != nil {
		t.Fatalf("get lease: %v", err)
	}
	return ptr.Deref(lease.Spec.HolderIdentity, "")
}

func checkMetrics(t *testing.T, c *installed, url string) {
	t.Helper()
	c.kubectl(t, "create", "serviceaccount", "stranger")
	c.kubectl(t, "create", "serviceaccount", "prometheus")
	stranger, reader := c.token(t, "stranger"), c.token(t, "prometheus")
	c.kubectl(t, "create", "clusterrolebinding", "experience-slo-metrics-reader",
		"--clusterrole=experience-slo-metrics-reader", "--serviceaccount=default:prometheus")
	cases := map[string]struct {
		reason string
		token  string
		want   int
	}{
		"Nobody":   {reason: "metrics name teams and their failures, so they are not for everyone", want: http.StatusUnauthorized},
		"Stranger": {reason: "an account of the cluster alone is not enough", token: stranger, want: http.StatusForbidden},
		"Reader":   {reason: "the shipped role is", token: reader, want: http.StatusOK},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			eventually(t, tc.reason, func(ctx context.Context) error {
				code, body, err := get(ctx, url, tc.token)
				if err == nil && code != tc.want {
					err = fmt.Errorf("answered %d, want %d: %.200s", code, tc.want, body)
				}
				if err == nil && code == http.StatusOK && !strings.Contains(body, "\nexperience_source_") {
					err = errors.New("no series of the operator's own is served")
				}
				return err
			})
		})
	}
}

// checkRefusals reads in the API server's audit log what the manager was refused,
// and that it neither lists nor watches Secrets and ConfigMaps.
func checkRefusals(t *testing.T, c *installed) {
	t.Helper()
	events, err := parts.ReadAudit(c.plane.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, e := range events {
		if !strings.HasSuffix(e.ImpersonatedUser.Name, ":"+defaultServiceAccount) {
			continue
		}
		own++
		if fault := faultOf(&e); fault != "" {
			t.Errorf("%s %s: %s", e.Verb, e.URI, fault)
		}
	}
	if own == 0 {
		t.Errorf("the audit log holds no request of the manager")
	}
}

// readsMany says whether a request is for more than one object. ConfigMaps of rules
// are the exception: the operator may keep them in its own namespace.
func readsMany(e *parts.AuditEvent) bool {
	labelled := strings.Contains(e.URI, "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dexperience-slo")
	rules := e.Object.Resource == "configmaps" && e.Object.Namespace == defaultNamespace && (labelled || e.Writes())
	return e.Verb != "get" && !rules
}

// faultOf says what is wrong with a request of the manager, if anything is.
func faultOf(e *parts.AuditEvent) string {
	reading := e.Object.Group == corev1.GroupName && (e.Object.Resource == "secrets" || e.Object.Resource == "configmaps")
	foreign := reading && e.Object.Namespace != defaultNamespace
	switch {
	case reading && readsMany(e):
		return "asked for more than one object at a time"
	case foreign && e.Response.Code == http.StatusOK:
		return "read what no role lets it"
	case !foreign && e.Response.Code == http.StatusForbidden:
		return "was refused: the shipped roles lack it"
	default:
		return ""
	}
}
