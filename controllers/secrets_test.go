package controllers_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"golang.org/x/crypto/bcrypt"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// Secrets of these tests, which must show up nowhere.
const (
	oldPassword = "first-Pa55word-of-the-test"
	newPassword = "second-Pa55word-of-the-test"
	echoedToken = "token-that-the-server-repeats"
	someToken   = "token-that-nobody-checks"
)

// TestSecrets follows sources through what happens to their Secrets: rights
// given late, a rotated password, a Secret in the wrong namespace. It shows that
// the operator asks for no more than it needs and repeats no secret.
func TestSecrets(t *testing.T) {
	env.logs.start(t)
	op := startOperator(t)
	ns := namespace(t, "secrets")
	bindReader(t, ns)
	unbound := namespace(t, "unbound")
	guarded := guardedPrometheus(t)

	source := aSource(ns, guarded.URL, basic("credentials"))
	o := anObjective(ns, "up", always)
	late := aSource(unbound, env.prom.URL, bearer("late", "token"))
	repeating := named("repeating", aSource(ns, echo(t), bearer("echoed", "token")))
	create(t, secret(ns, "credentials", login(oldPassword)), secret(unbound, "late", map[string]string{"token": someToken}),
		secret(ns, "echoed", map[string]string{"token": echoedToken}), source, o, late, repeating)

	settled(t, o, v1alpha1.ReasonTargetMet)
	command := missingBinding(t, late)
	setPassword(t, guarded, newPassword)
	op.clock.forward(time.Minute) // there is a minute to read
	patch(t, source, annotation("rotated"))
	saysReady(t, source, v1alpha1.ReasonUnauthorized)
	settled(t, request(t, o, "rotated"), v1alpha1.ReasonSourceUnavailable)
	t.Logf("the password was changed on the server alone -> source %s", worded(source.Status.Conditions)["Ready"])

	began := time.Now()
	if out, err := env.kubectl(strings.Fields(command)[1:]...); err != nil {
		t.Fatalf("run %q: %v: %s", command, err, out)
	}
	patch(t, secret(ns, "credentials", nil), fmt.Sprintf(`{"stringData":{"password":%q}}`, newPassword))
	saysReady(t, source, v1alpha1.ReasonAvailable)
	settled(t, o, v1alpha1.ReasonTargetMet)
	followed := time.Since(began).Round(time.Millisecond)
	saysReady(t, late, v1alpha1.ReasonAvailable)
	bound := time.Since(began).Round(time.Millisecond)
	if max(followed, bound) > time.Minute {
		t.Errorf("the source followed its Secret in %s and its rights in %s, want both within a minute", followed, bound)
	}
	t.Logf("by itself, the source and its objective followed the Secret within %s, and the rights given by the printed command within %s", followed, bound)
	t.Run("ClusterSource", func(t *testing.T) { readsInOwnNamespaceOnly(t, ns) })
	t.Run("Audit", func(t *testing.T) { onlyGetsSecrets(t) })
	t.Run("Rights", func(t *testing.T) { hasNoMoreRights(t, ns) })
	t.Run("Nowhere", func(t *testing.T) {
		saysReady(t, repeating, v1alpha1.ReasonServerError)
		showsNoSecret(t, op)
	})
}

// missingBinding checks what a source says whose namespace gives the operator no
// rights, and returns the command that it names.
func missingBinding(t *testing.T, s *v1alpha1.MetricSource) string {
	t.Helper()
	saysReady(t, s, v1alpha1.ReasonReferenceForbidden)
	got := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady).Message
	t.Logf("no RoleBinding -> source Ready=False %s: %s", v1alpha1.ReasonReferenceForbidden, got)
	want := "spec.authentication.bearerToken: the operator may not read Secret unbound/late: run: " +
		"kubectl create rolebinding experience-slo-source-reader --clusterrole=experience-slo-source-reader " +
		"--serviceaccount=experience-slo-system:experience-slo-controller-manager --namespace=unbound"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	_, command, _ := strings.Cut(got, "run: ")
	return command
}

// readsInOwnNamespaceOnly gives a ClusterMetricSource a Secret that exists in a
// namespace that the operator may read, and then in the operator's own.
func readsInOwnNamespaceOnly(t *testing.T, ns string) {
	name := "only-in-own-namespace"
	create(t, secret(ns, name, map[string]string{"token": someToken}))
	s := clusterSource(t, "with-token", func(s *v1alpha1.ClusterMetricSourceSpec) { bearer(v1alpha1.Name(name), "token")(&s.MetricSourceSpec) })
	saysReady(t, s, v1alpha1.ReasonSecretNotFound)
	want := "False SecretNotFound: spec.authentication.bearerToken: Secret experience-slo-system/only-in-own-namespace does not exist: create it"
	if diff := cmp.Diff(want, worded(s.Status.Conditions)["Ready"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	t.Logf("a ClusterMetricSource's Secret is elsewhere -> %s", worded(s.Status.Conditions)["Ready"])
	create(t, secret(operatorNamespace, name, map[string]string{"token": someToken}))
	patch(t, s, annotation("created"))
	saysReady(t, s, v1alpha1.ReasonAvailable)
	asked := map[string]bool{}
	for _, e := range operatorRequests(t) {
		if e.Object.Resource == "secrets" && e.Object.Name == name {
			asked[e.Object.Namespace] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{operatorNamespace: true}, asked); diff != "" {
		t.Errorf("namespaces in which the Secret was asked for: -want +got:\n%s", diff)
	}
}

// hasNoMoreRights tries what the operator must not be able to do.
func hasNoMoreRights(t *testing.T, bound string) {
	never := namespace(t, "never-bound")
	create(t, secret(never, "private", map[string]string{"token": someToken}))
	operator, err := client.New(env.plane.As(operatorUser, "system:serviceaccounts"), client.Options{Scheme: env.scheme})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for what, err := range map[string]error{
		"get a Secret of a namespace that is not bound": operator.Get(ctx, client.ObjectKey{Namespace: never, Name: "private"}, &corev1.Secret{}),
		"list the Secrets of a namespace that is bound": operator.List(ctx, &corev1.SecretList{}, client.InNamespace(bound)),
		"list all Secrets":    operator.List(ctx, &corev1.SecretList{}),
		"list all ConfigMaps": operator.List(ctx, &corev1.ConfigMapList{}),
		"change an objective": operator.Delete(ctx, anObjective(bound, "up")),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: got %v, want it forbidden", what, err)
		}
	}
	if err := operator.Get(ctx, client.ObjectKey{Namespace: bound, Name: "credentials"}, &corev1.Secret{}); err != nil {
		t.Errorf("get a Secret of a namespace that is bound: %v", err)
	}
}

// onlyGetsSecrets looks through all that operators asked of the API server, with
// success or not. It comes before the tests themselves try more in its name.
func onlyGetsSecrets(t *testing.T) {
	verbs := map[string]int{}
	for _, e := range operatorRequests(t) {
		switch e.Object.Resource {
		case "secrets":
			verbs[e.Verb]++
		case "configmaps":
			asksForOwn(t, e)
		}
	}
	t.Logf("requests of the operator for Secrets, by verb: %v", verbs)
	if len(verbs) != 1 || verbs["get"] == 0 {
		t.Errorf("verbs on Secrets = %v, want get alone", verbs)
	}
}

// asksForOwn checks that of ConfigMaps which are not its own the operator gets
// single ones alone.
func asksForOwn(t *testing.T, e parts.AuditEvent) {
	t.Helper()
	own := strings.HasPrefix(e.Object.Name, "experience-")
	if e.Verb == "list" {
		own = strings.Contains(e.URI, "labelSelector="+managedQuery)
	}
	if e.Verb != "get" && !own {
		t.Errorf("ConfigMaps of others were asked for: %s %s", e.Verb, e.URI)
	}
}

// managedQuery is how a list request asks for the operator's own objects.
const managedQuery = "app.kubernetes.io%2Fmanaged-by%3Dexperience-slo"

// showsNoSecret searches all that the operator writes.
func showsNoSecret(t *testing.T, op *operator) {
	ctx := context.Background()
	written := map[string]string{"log": env.logs.String(), "metrics": metricsOf(t, op)}
	for kind, list := range map[string]client.ObjectList{
		"events": &eventsv1.EventList{}, "objectives": &v1alpha1.ObjectiveList{},
		"sources": &v1alpha1.MetricSourceList{}, "cluster sources": &v1alpha1.ClusterMetricSourceList{},
	} {
		if err := env.admin.List(ctx, list); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		written[kind] = string(text)
	}
	if !strings.Contains(written["sources"], `repeats \u003csecret\u003e`) {
		t.Errorf("the source whose server repeats the token does not show its answer: %s", written["sources"])
	}
	for place, text := range written {
		if text == "" {
			t.Errorf("%s: nothing to search", place)
		}
		for _, s := range []string{oldPassword, newPassword, echoedToken, someToken} {
			for _, form := range []string{s, base64.StdEncoding.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte("operator:" + s))} {
				if strings.Contains(text, form) {
					t.Errorf("%s show the secret %q", place, s)
				}
			}
		}
		t.Logf("%s: no secret in %d bytes", place, len(text))
	}
}

// saysReady waits until the Ready condition of a source has a reason.
func saysReady(t *testing.T, s interface {
	client.Object
	GetConditions() []metav1.Condition
}, reason string) {
	t.Helper()
	await[client.Object](t, s, "Ready with reason "+reason, func(client.Object) bool {
		ready := meta.FindStatusCondition(s.GetConditions(), v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason
	})
}

// guardedPrometheus starts a Prometheus that asks for the old password.
func guardedPrometheus(t *testing.T) *parts.Prometheus {
	t.Helper()
	p, err := parts.StartPrometheus(context.Background(), parts.PrometheusOptions{
		WebConfigYAML: webConfig(t, oldPassword),
		Client:        &http.Client{Transport: loggedIn{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// loggedIn asks with the old password.
type loggedIn struct{}

func (loggedIn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth("operator", oldPassword)
	return http.DefaultTransport.RoundTrip(r)
}

// setPassword changes the password on the server, which reads it at each request.
func setPassword(t *testing.T, p *parts.Prometheus, password string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.Dir, "web.yml"), []byte(webConfig(t, password)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func webConfig(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("basic_auth_users: {operator: %q}\n", hash)
}

func login(password string) map[string]string {
	return map[string]string{"username": "operator", "password": password + "\n"}
}

func basic(name v1alpha1.Name) func(*v1alpha1.MetricSourceSpec) {
	return func(s *v1alpha1.MetricSourceSpec) {
		short(s)
		s.Authentication = &v1alpha1.Authentication{Basic: &v1alpha1.BasicAuth{
			Username: v1alpha1.KeyReference{Name: name, Key: "username"},
			Password: v1alpha1.KeyReference{Name: name, Key: "password"},
		}}
	}
}

// always is an objective that holds on every server.
func always(s *v1alpha1.ObjectiveSpec) {
	rolling("1h")(s)
	indicator(v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "vector(1)", Operator: v1alpha1.OperatorEqual, Value: "1"}})(s)
}

// echo starts a server whose errors repeat the credentials.
func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		page(http.StatusBadRequest, "application/json", fmt.Sprintf(`{"status":"error","errorType":"bad_data","error":"repeats %s"}`, token))(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func metricsOf(t *testing.T, op *operator) string {
	t.Helper()
	families, err := op.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&out, family); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}
