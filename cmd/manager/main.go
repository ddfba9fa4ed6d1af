// Command manager runs the operator's controllers. It holds flags and wiring
// only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	_ "time/tzdata" // calendar windows need time zones, and a distroless image has none

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/controllers"
	"github.com/experience-slo/operator/internal/metrics"
)

// leaderElectionID is the name of the Lease that the working manager holds.
const leaderElectionID = "controller-manager.experience.slo"

// version is set when a release is linked.
var version string

func main() {
	err := run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

// run works until the context ends.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	s, err := parse(args, os.Getenv, os.Stderr)
	if err != nil {
		return err
	}
	if s.version {
		_, err := fmt.Fprintln(stdout, versionText())
		return err
	}
	cfg, err := restConfig()
	if err != nil {
		return err
	}
	logger := zap.New(zap.UseFlagOptions(&s.log))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger.WithName("client-go"))

	mgr, err := newManager(cfg, s)
	if err != nil {
		return err
	}
	logger.Info("starting", "version", versionText(), "namespace", s.namespace, "leaderElection", s.leaderElection)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run manager: %w", err)
	}
	return nil
}

func restConfig() (*rest.Config, error) {
	cfg, err := config.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find API server: %w: pass --kubeconfig, set KUBECONFIG, or run in a pod with a service account token", err)
	}
	return rest.AddUserAgent(cfg, "experience-slo/"+versionText()), nil
}

func newManager(cfg *rest.Config, s settings) (ctrl.Manager, error) {
	mgr, err := ctrl.NewManager(cfg, managerOptions(s))
	if err != nil {
		return nil, fmt.Errorf("make manager: %w", err)
	}
	operator, err := controllers.Setup(mgr, controllers.Options{
		Namespace:      s.namespace,
		ServiceAccount: s.serviceAccount,
		Recorder:       metrics.New(ctrlmetrics.Registry),
	})
	if err != nil {
		return nil, fmt.Errorf("set up controllers: %w", err)
	}
	if err := mgr.AddHealthzCheck("evaluator", operator.Healthz); err != nil {
		return nil, fmt.Errorf("add health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("caches", operator.Readyz); err != nil {
		return nil, fmt.Errorf("add readiness check: %w", err)
	}
	return mgr, addWeb(mgr, s.webAddress)
}

func managerOptions(s settings) ctrl.Options {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	// The other two are to a lease of 15 s what they are by default.
	renew, retry := s.leaseDuration*2/3, s.leaseDuration*2/15
	return ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsOptions(s),
		// Managed fields are most of a small object and nobody here reads them.
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		// A cached read would list and watch every Secret of the cluster.
		Client: client.Options{Cache: &client.CacheOptions{
			DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}},
		}},
		HealthProbeBindAddress:  s.probeAddress,
		PprofBindAddress:        s.pprofAddress,
		LeaderElection:          s.leaderElection,
		LeaderElectionID:        leaderElectionID,
		LeaderElectionNamespace: s.leaderElectionNamespace,
		LeaseDuration:           &s.leaseDuration,
		RenewDeadline:           &renew,
		RetryPeriod:             &retry,
		// Safe because the process ends when the manager does.
		LeaderElectionReleaseOnCancel: true,
	}
}

func metricsOptions(s settings) metricsserver.Options {
	o := metricsserver.Options{BindAddress: s.metricsAddress, SecureServing: s.metricsSecure, CertDir: s.metricsCerts}
	if s.metricsSecure {
		o.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return o
}

// versionText is the release, or what the toolchain knows of the source.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
