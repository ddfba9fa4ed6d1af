package controllers

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/experience-slo/operator/internal/rules"
)

// ruleWatch watches the metadata of the operator's PrometheusRules while their
// kind is defined. The definition may come and go: a watch of the manager's
// cache would keep the operator from starting without it.
type ruleWatch struct {
	discovery discovery.DiscoveryInterface
	metadata  metadata.Interface
	current   atomic.Pointer[cache.SharedIndexInformer]
	stop      context.CancelFunc
	running   sync.WaitGroup
	// looked is closed once it is known whether the kind is defined.
	looked chan struct{}
	once   sync.Once
}

// firstLook bounds the wait for the first look.
const firstLook = 10 * time.Second

// awaitLook waits until it is known whether the kind is defined: nothing is said
// against objectives that are looked at before.
func (w *ruleWatch) awaitLook(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	select {
	case <-w.looked:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for discovery of PrometheusRules: %w", ctx.Err())
	}
}

func newRuleWatch(mgr ctrl.Manager) (*ruleWatch, error) {
	found, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	meta, err := metadata.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("make metadata client: %w", err)
	}
	return &ruleWatch{discovery: found, metadata: meta, looked: make(chan struct{})}, nil
}

// look asks whether the kind is defined, and starts or stops the watch. It says
// whether that changed. Changed is called for each of the operator's
// PrometheusRules that is there, comes, changes or goes.
func (w *ruleWatch) look(ctx context.Context, changed func(types.NamespacedName)) (bool, error) {
	defined, err := w.defined()
	if err != nil {
		return false, err
	}
	defer w.once.Do(func() { close(w.looked) })
	if defined == w.installed() {
		return false, nil
	}
	if !defined {
		w.end()
		return true, nil
	}
	return true, w.begin(ctx, changed)
}

func (w *ruleWatch) defined() (bool, error) {
	list, err := w.discovery.ServerResourcesForGroupVersion(monitoringv1.SchemeGroupVersion.String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("discover %s: %w", monitoringv1.SchemeGroupVersion, err)
	}
	for _, resource := range list.APIResources {
		if resource.Name == monitoringv1.PrometheusRuleName {
			return true, nil
		}
	}
	return false, nil
}

func (w *ruleWatch) begin(ctx context.Context, changed func(types.NamespacedName)) error {
	informer := metadatainformer.NewFilteredMetadataInformer(w.metadata, prometheusRules, metav1.NamespaceAll, 0, cache.Indexers{},
		func(o *metav1.ListOptions) { o.LabelSelector = rules.ManagedBy + "=" + rules.Manager }).Informer()
	if err := informer.SetTransform(slim); err != nil {
		return fmt.Errorf("set up watch of PrometheusRules: %w", err)
	}
	tell := func(o any) {
		if key, err := cache.DeletionHandlingObjectToName(o); err == nil {
			changed(types.NamespacedName{Namespace: key.Namespace, Name: key.Name})
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: tell, UpdateFunc: func(_, o any) { tell(o) }, DeleteFunc: tell,
	})
	if err != nil {
		return fmt.Errorf("set up watch of PrometheusRules: %w", err)
	}
	ctx, w.stop = context.WithCancel(ctx)
	w.running.Go(func() { informer.RunWithContext(ctx) })
	w.current.Store(&informer)
	return nil
}

// slim keeps what tells whose an object is and that it changed.
func slim(o any) (any, error) {
	if meta, ok := o.(*metav1.PartialObjectMetadata); ok {
		return &metav1.PartialObjectMetadata{TypeMeta: meta.TypeMeta, ObjectMeta: metav1.ObjectMeta{
			Namespace: meta.Namespace, Name: meta.Name, UID: meta.UID, ResourceVersion: meta.ResourceVersion,
		}}, nil
	}
	return o, nil
}

// end stops the watch and waits for its end.
func (w *ruleWatch) end() {
	if w.current.Swap(nil) != nil {
		w.stop()
		w.running.Wait()
	}
}

// installed says whether the kind is defined, as far as is known.
func (w *ruleWatch) installed() bool { return w.current.Load() != nil }

// has says whether one of the operator's PrometheusRules is known to be there.
func (w *ruleWatch) has(key types.NamespacedName) bool {
	informer := w.current.Load()
	if informer == nil {
		return false
	}
	_, exists, err := (*informer).GetStore().GetByKey(key.String())
	return err == nil && exists
}
