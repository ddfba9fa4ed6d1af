package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func TestParse(t *testing.T) {
	byDefault := settings{
		metricsAddress: ":8443", metricsSecure: true, probeAddress: ":8081", webAddress: ":8082", pprofAddress: "0",
		leaderElection: true, leaderElectionNamespace: "experience-slo-system", leaseDuration: 15 * time.Second,
		namespace: "experience-slo-system", serviceAccount: "experience-slo-controller-manager",
	}
	but := func(change func(*settings)) settings {
		s := byDefault
		change(&s)
		return s
	}
	type args struct {
		line string
		env  map[string]string
	}
	type want struct {
		settings settings
		err      string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Defaults": {
			reason: "with nothing said, the manager runs as the shipped manifests run it",
			want:   want{settings: byDefault},
		},
		"Environment": {
			reason: "in a pod, the downward API says where it runs, and leaders are elected there",
			args:   args{env: map[string]string{"POD_NAMESPACE": "slo", "SERVICE_ACCOUNT": "slo-manager"}},
			want: want{settings: but(func(s *settings) {
				s.namespace, s.leaderElectionNamespace, s.serviceAccount = "slo", "slo", "slo-manager"
			})},
		},
		"FlagsBeforeEnvironment": {
			reason: "what is said on the command line wins",
			args: args{
				line: "--namespace=mine --service-account=me --leader-election-namespace=leases",
				env:  map[string]string{"POD_NAMESPACE": "slo", "SERVICE_ACCOUNT": "slo-manager"},
			},
			want: want{settings: but(func(s *settings) {
				s.namespace, s.serviceAccount, s.leaderElectionNamespace = "mine", "me", "leases"
			})},
		},
		"Laptop": {
			reason: "a manager outside a cluster serves plain metrics and needs no lease",
			args:   args{line: "--metrics-secure=false --metrics-bind-address=127.0.0.1:0 --health-probe-bind-address=0 --web-bind-address=0 --leader-elect=false"},
			want: want{settings: but(func(s *settings) {
				s.metricsSecure, s.metricsAddress, s.probeAddress, s.webAddress, s.leaderElection = false, "127.0.0.1:0", "0", "0", false
			})},
		},
		"Certificates": {
			reason: "a folder of certificates is taken with TLS",
			args:   args{line: "--metrics-cert-path=/certs"},
			want:   want{settings: but(func(s *settings) { s.metricsCerts = "/certs" })},
		},
		"Version": {
			reason: "--version is read",
			args:   args{line: "--version"},
			want:   want{settings: but(func(s *settings) { s.version = true })},
		},
		"CertificatesWithoutTLS": {
			reason: "certificates that would not be used are refused, with what to change",
			args:   args{line: "--metrics-secure=false --metrics-cert-path=/certs"},
			want:   want{err: "--metrics-cert-path is set, but --metrics-secure=false serves no TLS: drop one of them"},
		},
		"BoolWithSpace": {
			reason: "a switch written with a space would silently be true, so it is refused",
			args:   args{line: "--leader-elect false"},
			want:   want{err: `unexpected argument "false": write a switch as --name=value`},
		},
		"LongLease": {
			reason: "where the API server stalls, a leader may be given time",
			args:   args{line: "--leader-election-lease-duration=1m"},
			want:   want{settings: but(func(s *settings) { s.leaseDuration = time.Minute })},
		},
		"NoLease": {
			reason: "a lease that is over at once is refused",
			args:   args{line: "--leader-election-lease-duration=0s"},
			want:   want{err: "--leader-election-lease-duration=0s: leases are of whole seconds: use 1s or more"},
		},
		"Unknown": {
			reason: "an unknown flag is an error",
			args:   args{line: "--metrics-adr=:1"},
			want:   want{err: "flag provided but not defined: -metrics-adr"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			getenv := func(key string) string { return tc.args.env[key] }
			got, err := parse(strings.Fields(tc.args.line), getenv, io.Discard)
			if diff := cmp.Diff(tc.want.err, text(err)); diff != "" {
				t.Fatalf("%s: -want error, +got error:\n%s", tc.reason, diff)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want.settings, got, cmp.AllowUnexported(settings{}), cmpopts.IgnoreTypes(zap.Options{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestParseLogFlags(t *testing.T) {
	s, err := parse([]string{"--zap-devel"}, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	if !s.log.Development {
		t.Errorf("--zap-devel did not reach the logger's options")
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var usage strings.Builder
	_, err := parse([]string{"--help"}, func(string) string { return "" }, &usage)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse --help: want flag.ErrHelp, got %v", err)
	}
	for _, name := range []string{
		"metrics-bind-address", "metrics-secure", "metrics-cert-path", "health-probe-bind-address", "web-bind-address",
		"leader-elect", "leader-election-namespace", "namespace", "service-account", "kubeconfig", "version", "zap-log-level",
	} {
		if !strings.Contains(usage.String(), "  -"+name) {
			t.Errorf("usage does not name --%s", name)
		}
	}
}
