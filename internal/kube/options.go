// Package kube is the command line's only way to a cluster: the flags that name
// one, a client that reads experience objects and writes gates, and errors that
// say what to do. It asks for what it is told to and keeps nothing.
package kube

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Options are the flags that say which cluster is asked, and as whom. They are
// kubectl's own, with its defaults.
type Options struct {
	flags *genericclioptions.ConfigFlags
}

// NewOptions returns options with kubectl's defaults.
func NewOptions() *Options {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil // nothing is discovered, so nothing is kept
	return &Options{flags}
}

// Bind adds the flags. What is left out is for commands that have a flag of
// their own in its place.
func (o *Options) Bind(flags *pflag.FlagSet, without ...string) {
	own := pflag.NewFlagSet("cluster", pflag.ContinueOnError)
	o.flags.AddFlags(own)
	own.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(without, f.Name) {
			flags.AddFlag(f)
		}
	})
}

// Namespace is the one of --namespace or, without it, that of the kubeconfig's
// context.
func (o *Options) Namespace() (string, error) {
	namespace, _, err := o.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("read kubeconfig: %w", err)
	}
	return namespace, nil
}

// Cluster is a cluster that can be asked.
type Cluster struct {
	client client.WithWatch
	// page is how many objects are asked for at once.
	page int64
	// Host is the address of the API server.
	Host string
	// Namespace is the one that is meant where none is named.
	Namespace string
}

// Connect reads the kubeconfig. The API server is not asked yet.
func (o *Options) Connect() (*Cluster, error) {
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	namespace, err := o.Namespace()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("make scheme: %w", err)
		}
	}
	// Errors are told to whoever asks; half a minute without a logger is complained of.
	log.SetLogger(logr.Discard())
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper()})
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return &Cluster{client: c, page: pageSize, Host: config.Host, Namespace: namespace}, nil
}

// config is how the API server is reached. Without a kubeconfig, kubectl would
// ask localhost:8080; nobody means that.
func (o *Options) config() (*rest.Config, error) {
	raw, err := o.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config, err := o.flags.ToRESTConfig()
	switch {
	case clientcmd.IsEmptyConfig(err):
		return nil, errNoCluster
	case err != nil:
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	case len(raw.Clusters) == 0 && *o.flags.APIServer == "" && config.Host == clientcmd.ClusterDefaults.Server:
		return nil, errNoCluster
	default:
		return config, nil
	}
}

// mapper knows the kinds that are asked for, so that no discovery is needed: it
// costs round trips, and rights that some accounts do not have.
func mapper() meta.RESTMapper {
	ours := v1alpha1.GroupVersion
	out := meta.NewDefaultRESTMapper(nil)
	for _, kind := range []string{"Objective", "Gate", "MetricSource", "Indicator", "Calendar", "Exclusion"} {
		out.Add(ours.WithKind(kind), meta.RESTScopeNamespace)
	}
	// Left to guess, it takes them for journeies.
	out.AddSpecific(ours.WithKind("Journey"), ours.WithResource(journeys), ours.WithResource("journey"), meta.RESTScopeNamespace)
	out.Add(ours.WithKind("ClusterMetricSource"), meta.RESTScopeRoot)
	out.Add(ours.WithKind("ClusterIndicator"), meta.RESTScopeRoot)
	out.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	return out
}

// Contexts are the names of the kubeconfig's contexts.
func (o *Options) Contexts() ([]string, error) {
	raw, err := o.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	return slices.Sorted(maps.Keys(raw.Contexts)), nil
}
