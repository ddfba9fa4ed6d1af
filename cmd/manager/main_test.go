package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// nowhere takes away everything that could lead to a cluster.
func nowhere(t *testing.T) {
	t.Helper()
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBERNETES_SERVICE_PORT", "")
}

func TestRunWithoutCluster(t *testing.T) {
	nowhere(t)
	type want struct{ parts []string }
	cases := map[string]struct {
		reason string
		args   []string
		want   want
	}{
		"Nothing": {
			reason: "without any configuration the error says each way to give one",
			want:   want{parts: []string{"find API server: ", "--kubeconfig", "KUBECONFIG", "pod with a service account"}},
		},
		"MissingFile": {
			reason: "a kubeconfig that does not exist is named",
			args:   []string{"--kubeconfig=" + filepath.Join(t.TempDir(), "absent")},
			want:   want{parts: []string{"find API server: ", "absent: no such file"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), tc.args, &bytes.Buffer{})
			for _, part := range tc.want.parts {
				if !strings.Contains(text(err), part) {
					t.Errorf("%s: error %q lacks %q", tc.reason, text(err), part)
				}
			}
		})
	}
}

func TestRunVersion(t *testing.T) {
	nowhere(t)
	cases := map[string]struct {
		reason string
		linked string
		want   string
	}{
		"Linked":   {reason: "a release prints the version it was linked with, and needs no cluster for it", linked: "v1.2.3", want: "v1.2.3\n"},
		"Unlinked": {reason: "any other build prints what the toolchain knows", want: versionText() + "\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			defer func(old string) { version = old }(version)
			version = tc.linked
			var out bytes.Buffer
			if err := run(t.Context(), []string{"--version"}, &out); err != nil {
				t.Fatalf("run: %v", err)
			}
			if diff := cmp.Diff(tc.want, out.String()); diff != "" || strings.TrimSpace(out.String()) == "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestManagerOptions(t *testing.T) {
	o := managerOptions(settings{
		metricsAddress: ":1", metricsSecure: true, metricsCerts: "/certs", probeAddress: ":2",
		leaderElection: true, leaderElectionNamespace: "leases", leaseDuration: 30 * time.Second,
	})
	type shape struct {
		Metrics, Certs, Probes, LeaseNamespace, Lease string
		Elected, Released, Secure                     bool
		For, Renewed, Tried                           time.Duration
	}
	want := shape{
		Metrics: ":1", Certs: "/certs", Probes: ":2", LeaseNamespace: "leases", Lease: "controller-manager.experience.slo",
		Elected: true, Released: true, Secure: true, For: 30 * time.Second, Renewed: 20 * time.Second, Tried: 4 * time.Second,
	}
	got := shape{
		Metrics: o.Metrics.BindAddress, Certs: o.Metrics.CertDir, Probes: o.HealthProbeBindAddress,
		LeaseNamespace: o.LeaderElectionNamespace, Lease: o.LeaderElectionID,
		Elected: o.LeaderElection, Released: o.LeaderElectionReleaseOnCancel, Secure: o.Metrics.SecureServing,
		For: *o.LeaseDuration, Renewed: *o.RenewDeadline, Tried: *o.RetryPeriod,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("options: -want, +got:\n%s", diff)
	}
	if _, _, err := o.Scheme.ObjectKinds(&v1alpha1.ClusterMetricSource{}); err != nil {
		t.Errorf("scheme: %v", err)
	}
	read := map[string]bool{}
	for _, object := range o.Client.Cache.DisableFor {
		switch object.(type) {
		case *corev1.Secret:
			read["Secret"] = true
		case *corev1.ConfigMap:
			read["ConfigMap"] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"Secret": true, "ConfigMap": true}, read); diff != "" {
		t.Errorf("kinds read live, since a cached read lists all of the cluster: -want, +got:\n%s", diff)
	}
}

func TestMetricsAreGuarded(t *testing.T) {
	cases := map[string]struct {
		reason string
		secure bool
		want   bool
	}{
		"Secure": {reason: "metrics over TLS ask Kubernetes who may read them", secure: true, want: true},
		"Plain":  {reason: "plain metrics are open, as was asked for", secure: false, want: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := metricsOptions(settings{metricsSecure: tc.secure})
			if got := o.FilterProvider != nil; got != tc.want || o.SecureServing != tc.want {
				t.Errorf("%s: filter %t, TLS %t", tc.reason, got, o.SecureServing)
			}
		})
	}
}

func TestUserAgentNamesTheOperator(t *testing.T) {
	nowhere(t)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	kubeconfig := `{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c}}],
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]}`
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatalf("write kubeconfig: %v", err)
	}
	if _, err := parse([]string{"--kubeconfig=" + path}, os.Getenv, &bytes.Buffer{}); err != nil {
		t.Fatalf("parse: %v", err)
	}
	cfg, err := restConfig()
	if err != nil {
		t.Fatalf("read kubeconfig: %v", err)
	}
	want := []string{"http://127.0.0.1:1", rest.DefaultKubernetesUserAgent() + "/experience-slo/" + versionText()}
	if diff := cmp.Diff(want, []string{cfg.Host, cfg.UserAgent}); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
