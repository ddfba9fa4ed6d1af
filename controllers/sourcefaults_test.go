package controllers_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// said is what stands on a source as Ready and on an objective as Met.
type said struct{ Source, Objective string }

// sourceFault is something that is wrong with a source or its server, and how
// it is mended. The objective that uses the source is never touched.
type sourceFault struct {
	why string
	// answer stands in for Prometheus until the server is mended.
	answer http.HandlerFunc
	spec   func(*v1alpha1.MetricSourceSpec)
	want   said
	// mend changes the cluster; nil when the server recovers by itself.
	mend func(t *testing.T, s *v1alpha1.MetricSource)
}

// outage is a fault of the server, said alike on the source and on objectives.
func outage(name, reason, text string) said {
	text = fmt.Sprintf("MetricSource faults/%s %s", name, text)
	return said{"False " + reason + ": " + text, "Unknown SourceUnavailable: " + text}
}

// unusable is a fault of the source's description, which objectives point to.
func unusable(name, reason, text string) said {
	return said{
		"False " + reason + ": " + text,
		fmt.Sprintf("Unknown SourceUnavailable: MetricSource faults/%s is not usable: see its conditions", name),
	}
}

// serverFaults are mended by the server.
func serverFaults() map[string]sourceFault {
	const look = ": look at its state and its log"
	return map[string]sourceFault{
		"hanging": {
			why: "the server hangs", answer: hang,
			spec: func(s *v1alpha1.MetricSourceSpec) { s.Timeout = &metav1.Duration{Duration: time.Second} },
			want: outage("hanging", "Timeout", "did not answer within 1s: raise spec.timeout, lighten the query or look at the server's load"),
		},
		"html": {
			why: "a login page answers", answer: page(http.StatusOK, "text/html", "<html>Log in</html>"),
			want: outage("html", "NotPrometheus", "answered HTML, not the Prometheus API: check spec.url and its path prefix"),
		},
		"json": {
			why: "another API answers", answer: page(http.StatusOK, "application/json", `{"hello": "world"}`),
			want: outage("json", "NotPrometheus", "answered JSON that is not the Prometheus API: check spec.url and its path prefix"),
		},
		"unauthorized": {
			why: "the server answers 401", answer: page(http.StatusUnauthorized, "text/plain", "no"),
			want: outage("unauthorized", "Unauthorized", "refused the credentials (HTTP 401): check spec.authentication, its Secret and spec.tenant"),
		},
		"forbidden": {
			why: "the server answers 403", answer: page(http.StatusForbidden, "text/plain", "no"),
			want: outage("forbidden", "Unauthorized", "does not let these credentials query (HTTP 403): check spec.authentication, spec.tenant and their rights"),
		},
		"too-many": {
			why: "the server answers 429", answer: page(http.StatusTooManyRequests, "text/plain", "slow down"),
			want: outage("too-many", "RateLimited", "asks for fewer queries (HTTP 429): lower spec.limits.concurrency or raise the server's limits"),
		},
		"broken": {
			why: "the server answers 500", answer: page(http.StatusInternalServerError, "text/plain", "panic"),
			want: outage("broken", "ServerError", "failed (HTTP 500 Internal Server Error)"+look),
		},
		"overloaded": {
			why: "the server answers 503", answer: page(http.StatusServiceUnavailable, "text/html", "<html>busy</html>"),
			want: outage("overloaded", "ServerError", "failed (HTTP 503 Service Unavailable)"+look),
		},
		"redirect": {
			why: "the server redirects to a login", answer: http.RedirectHandler("https://login.example/?nonce=123", http.StatusFound).ServeHTTP,
			want: outage("redirect", "NotPrometheus", "redirects to https://login.example, which is not followed because credentials would go with it: set spec.url to the final address"),
		},
		"partial": {
			why: "a store behind the server is down", answer: page(http.StatusOK, "application/json",
				`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]},"warnings":["no store matched"]}`),
			want: outage("partial", "PartialResponse", "answered with a warning, so the result may be incomplete: no store matched"),
		},
		"oversized": {
			why: "the server is well, but an answer is too large", answer: oversized,
			spec: func(s *v1alpha1.MetricSourceSpec) { s.Limits.ResponseBytes = 65536 },
			want: said{
				"True Available: the server answers queries",
				"Unknown LimitExceeded: spec.indicator: MetricSource faults/oversized answered more than 65536 bytes: narrow the query or raise spec.limits.responseBytes",
			},
		},
	}
}

// specFaults are mended in the cluster: mostly by a right URL.
func specFaults(t *testing.T) map[string]sourceFault {
	expired, current := certificate(t, time.Now().Add(-time.Hour)), certificate(t, time.Now().Add(time.Hour))
	elsewhere := certificate(t, time.Now().Add(time.Hour), "elsewhere.example")
	create(t, configMap("expired", expired.pem), configMap("current", current.pem), configMap("elsewhere", elsewhere.pem),
		configMap("garbage", "no certificate"), token("known"))
	return map[string]sourceFault{
		"refused": {
			why: "nobody listens there", spec: at(abandoned()),
			want: outage("refused", "Unreachable", "refused the connection: check that it runs and that spec.url has the right host and port"),
		},
		"wrong-path": {
			why: "the URL has a wrong path", spec: at(env.prom.URL + "/mimir"),
			want: outage("wrong-path", "NotPrometheus", "has no Prometheus API at this address (HTTP 404): check spec.url and its path prefix"),
		},
		"expired": {
			why: "the certificate expired", spec: over(t, expired, "expired"),
			want: outage("expired", "CertificateInvalid", "shows a certificate that expired: renew it on the server"),
		},
		"unknown-ca": {
			why: "nobody knows the certificate's authority", spec: over(t, current, ""),
			want: outage("unknown-ca", "CertificateInvalid", "shows a certificate of an unknown authority: put that authority's certificate in spec.tls.ca"),
			mend: func(t *testing.T, s *v1alpha1.MetricSource) {
				patch(t, s, `{"spec":{"tls":{"ca":{"configMap":{"name":"current","key":"ca.crt"}}}}}`)
			},
		},
		"wrong-name": {
			why: "the certificate is another server's", spec: over(t, elsewhere, "elsewhere"),
			want: outage("wrong-name", "CertificateInvalid", `shows a certificate that is not for "127.0.0.1": correct spec.url or set spec.tls.serverName`),
			mend: func(t *testing.T, s *v1alpha1.MetricSource) {
				patch(t, s, `{"spec":{"tls":{"serverName":"elsewhere.example"}}}`)
			},
		},
		"no-secret": {
			why: "the Secret does not exist", spec: bearer("unknown", "token"),
			want: unusable("no-secret", "SecretNotFound", "spec.authentication.bearerToken: Secret faults/unknown does not exist: create it"),
			mend: func(t *testing.T, _ *v1alpha1.MetricSource) { create(t, token("unknown")) },
		},
		"no-key": {
			why: "the Secret has no such key", spec: bearer("known", "tokne"),
			want: unusable("no-key", "SecretNotFound", `spec.authentication.bearerToken: Secret faults/known has no key "tokne": add the key or name another`),
			mend: func(t *testing.T, s *v1alpha1.MetricSource) {
				patch(t, s, `{"spec":{"authentication":{"bearerToken":{"key":"token"}}}}`)
			},
		},
		"no-config-map": {
			why: "the ConfigMap does not exist", spec: over(t, current, "missing"),
			want: unusable("no-config-map", "SecretNotFound", "spec.tls.ca.configMap: ConfigMap faults/missing does not exist: create it"),
			mend: func(t *testing.T, _ *v1alpha1.MetricSource) { create(t, configMap("missing", current.pem)) },
		},
		"no-certificate": {
			why: "the ConfigMap holds no certificate", spec: over(t, current, "garbage"),
			want: said{
				"False InvalidSpec: MetricSource faults/no-certificate: spec.tls.ca holds no certificate: give the authority's certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
				"Unknown SourceUnavailable: MetricSource faults/no-certificate is not usable: see its conditions",
			},
		},
	}
}

// TestSourceFaults breaks sources in every way at once, shows what is said about
// it, mends them, and waits for all to heal without a touch on any objective.
func TestSourceFaults(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "faults")
	bindReader(t, ns)
	cases := serverFaults()
	maps.Copy(cases, specFaults(t))
	proxies := map[string]*proxy{}
	for name, tc := range cases {
		proxies[name] = newProxy(t)
		proxies[name].fail(tc.answer)
		s := named(name, aSource(ns, proxies[name].URL, short))
		if tc.spec != nil {
			tc.spec(&s.Spec)
		}
		create(t, s, anObjective(ns, name, from(v1alpha1.Name(name)), rolling("6h")))
	}
	names := slices.Sorted(maps.Keys(cases))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			tc := cases[name]
			got := heard(t, ns, name, tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.why, diff)
			}
			t.Logf("%s ->\n  source:    Ready=%s\n  objective: Met=%s", tc.why, got.Source, got.Objective)
		})
	}
	began := time.Now()
	for _, name := range names {
		s := named(name, aSource(ns, ""))
		switch tc := cases[name]; {
		case tc.mend != nil:
			tc.mend(t, s)
		case tc.answer != nil:
			proxies[name].fail(nil)
		default:
			patch(t, s, fmt.Sprintf(`{"spec":{"url":%q,"tls":null}}`, env.prom.URL))
		}
		patch(t, s, annotation("mended"))
	}
	for _, name := range names {
		settled(t, anObjective(ns, name), v1alpha1.ReasonTargetMet)
		await(t, named(name, aSource(ns, "")), "a source that is Ready", isReady)
	}
	t.Logf("all %d healed within %s", len(names), time.Since(began).Round(time.Millisecond))
}

// heard waits until a source and the objective that uses it give the awaited
// reasons, and returns what they say.
func heard(t *testing.T, ns, name string, want said) said {
	t.Helper()
	reasonOf := func(text string) string {
		reason, _, _ := strings.Cut(text, ":")
		return reason[strings.Index(reason, " ")+1:]
	}
	s := await(t, named(name, aSource(ns, "")), "the fault on the source", func(s *v1alpha1.MetricSource) bool {
		ready := meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reasonOf(want.Source)
	})
	o := settled(t, anObjective(ns, name), reasonOf(want.Objective))
	return said{worded(s.Status.Conditions)["Ready"], worded(o.Status.Conditions)["Met"]}
}

// TestSourceComesAndGoes deletes a source and makes it again.
func TestSourceComesAndGoes(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "comes-and-goes")
	o := anObjective(ns, "page-speed")
	create(t, o)
	settled(t, o, v1alpha1.ReasonSourceNotFound)
	s := aSource(ns, env.prom.URL)
	create(t, s)
	settled(t, o, v1alpha1.ReasonTargetMet)
	before := o.Status.Attainment
	if err := env.admin.Delete(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	settled(t, o, v1alpha1.ReasonSourceNotFound)
	t.Logf("the source is deleted -> Met=%s", worded(o.Status.Conditions)["Met"])
	if o.Status.Attainment != before {
		t.Errorf("without its source: attainment = %q, want the last figure %q", o.Status.Attainment, before)
	}
	create(t, aSource(ns, env.prom.URL))
	settled(t, o, v1alpha1.ReasonTargetMet)
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func page(code int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body) // the client may be gone
	}
}

// oversized answers signs of life as Prometheus does, and all else at length.
func oversized(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("query") == "vector(1)" {
		page(http.StatusOK, "application/json", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`)(w, r)
		return
	}
	page(http.StatusOK, "application/json", strings.Repeat(" ", 65537))(w, r)
}

func short(s *v1alpha1.MetricSourceSpec) { s.Interval = &metav1.Duration{Duration: 15 * time.Second} }

func at(url string) func(*v1alpha1.MetricSourceSpec) {
	return func(s *v1alpha1.MetricSourceSpec) { s.URL = url }
}

// abandoned is the address of a server that ended.
func abandoned() string {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

// over reads Prometheus over TLS and trusts the authority in a ConfigMap, the
// system's when its name is empty.
func over(t *testing.T, c certified, trusted v1alpha1.Name) func(*v1alpha1.MetricSourceSpec) {
	t.Helper()
	server := httptest.NewUnstartedServer(newProxy(t).Config.Handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{c.pair}}
	server.Config.ErrorLog = silent
	server.StartTLS()
	t.Cleanup(server.Close)
	return func(s *v1alpha1.MetricSourceSpec) {
		s.URL = server.URL
		if trusted != "" {
			s.TLS = &v1alpha1.TLS{CA: &v1alpha1.BundleReference{ConfigMap: &v1alpha1.KeyReference{Name: trusted, Key: "ca.crt"}}}
		}
	}
}

func bearer(name v1alpha1.Name, key string) func(*v1alpha1.MetricSourceSpec) {
	return func(s *v1alpha1.MetricSourceSpec) {
		s.Authentication = &v1alpha1.Authentication{BearerToken: &v1alpha1.KeyReference{Name: name, Key: key}}
	}
}

func configMap(name, ca string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "faults", Name: name}, Data: map[string]string{"ca.crt": ca}}
}

func token(name string) *corev1.Secret {
	return secret("faults", name, map[string]string{"token": "of-no-use-elsewhere"})
}

func isReady(s *v1alpha1.MetricSource) bool {
	return meta.IsStatusConditionTrue(s.Status.Conditions, v1alpha1.ConditionReady)
}
