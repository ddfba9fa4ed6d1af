package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// What the shipped manifests use, for a manager that is started without them.
const (
	defaultNamespace      = "experience-slo-system"
	defaultServiceAccount = "experience-slo-controller-manager"
	defaultLeaseDuration  = 15 * time.Second
)

// settings are what the command line says.
type settings struct {
	metricsAddress string
	metricsSecure  bool
	metricsCerts   string
	probeAddress   string
	webAddress     string
	pprofAddress   string

	leaderElection          bool
	leaderElectionNamespace string
	leaseDuration           time.Duration

	namespace      string
	serviceAccount string

	version bool
	log     zap.Options
}

// parse reads the command line. Defaults that depend on where the manager runs
// come from getenv. Usage goes to output; the error is flag.ErrHelp when that is
// all that was asked for.
func parse(args []string, getenv func(string) string, output io.Writer) (settings, error) {
	s := settings{}
	fs := flag.NewFlagSet("manager", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.StringVar(&s.metricsAddress, "metrics-bind-address", ":8443",
		"Address that metrics are served on; 0 serves none.")
	fs.BoolVar(&s.metricsSecure, "metrics-secure", true,
		"Serve metrics over TLS, to callers that Kubernetes lets get /metrics. If false: plain HTTP, to everyone.")
	fs.StringVar(&s.metricsCerts, "metrics-cert-path", "",
		"Folder with tls.crt and tls.key for the metrics; a self-signed certificate is made when it is empty.")
	fs.StringVar(&s.probeAddress, "health-probe-bind-address", ":8081",
		"Address that /healthz and /readyz are served on; 0 serves none.")
	fs.StringVar(&s.webAddress, "web-bind-address", ":8082",
		"Address that verdicts of gates and objectives are served on, over plain HTTP, to everyone who reaches it; 0 serves none.")
	fs.StringVar(&s.pprofAddress, "pprof-bind-address", "0",
		"Address that profiles are served on, without authentication: use a loopback address; 0 serves none.")
	fs.BoolVar(&s.leaderElection, "leader-elect", true,
		"Let one of several managers work at a time.")
	fs.StringVar(&s.leaderElectionNamespace, "leader-election-namespace", "",
		"Namespace of the Lease that leaders hold; the one of --namespace when it is empty.")
	fs.DurationVar(&s.leaseDuration, "leader-election-lease-duration", defaultLeaseDuration,
		"How long another manager waits for a leader that went silent. A leader that cannot renew its lease for two thirds of this ends: make it longer where the API server stalls.")
	fs.StringVar(&s.namespace, "namespace", cmp.Or(getenv("POD_NAMESPACE"), defaultNamespace),
		"The operator's own namespace, where Secrets of ClusterMetricSources are read. POD_NAMESPACE sets the default.")
	fs.StringVar(&s.serviceAccount, "service-account", cmp.Or(getenv("SERVICE_ACCOUNT"), defaultServiceAccount),
		"Name of the operator's service account, for the role bindings that conditions ask for. SERVICE_ACCOUNT sets the default.")
	fs.BoolVar(&s.version, "version", false, "Print the version and exit.")
	config.RegisterFlags(fs)
	s.log.BindFlags(fs)
	if err := fs.Parse(args); err != nil {
		return settings{}, err
	}
	s.leaderElectionNamespace = cmp.Or(s.leaderElectionNamespace, s.namespace)
	return s, s.check(fs)
}

// check refuses what could only be a slip and would start a manager that does
// something else than was meant.
func (s settings) check(fs *flag.FlagSet) error {
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: write a switch as --name=value", strings.Join(fs.Args(), " "))
	}
	if s.metricsCerts != "" && !s.metricsSecure {
		return errors.New("--metrics-cert-path is set, but --metrics-secure=false serves no TLS: drop one of them")
	}
	if s.leaseDuration < time.Second {
		return fmt.Errorf("--leader-election-lease-duration=%s: leases are of whole seconds: use 1s or more", s.leaseDuration)
	}
	return nil
}
