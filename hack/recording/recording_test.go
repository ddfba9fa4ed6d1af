package recording_test

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/controllers"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/internal/metrics"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/source"
)

const (
	operatorNamespace = "experience-slo-system"
	operatorAccount   = "experience-slo-controller-manager"
	patience          = 4 * time.Minute
	scrape            = 5 * time.Second
)

// path is all of it, running.
type path struct {
	plane    *parts.ControlPlane
	admin    client.Client
	prom     *parts.Prometheus
	source   *source.Client
	registry *prometheus.Registry
	shop     *shop
	loaded   map[string]string
}

// TestRecordedByPrometheus has a real Prometheus record what the operator wrote
// into a ConfigMap, and compares the figures on the object with what was
// scraped, at each of its evaluations: over a restart of the process that is
// measured and a crash of Prometheus.
func TestRecordedByPrometheus(t *testing.T) {
	t.Parallel()
	p := start(t)
	o := p.declare(t)
	p.await(t, o, "a verdict from raw data", func() string { return missing(o.Status.Attainment != "", "attainment") })
	p.compare(t, o)
	p.await(t, o, "loaded rules", func() string { return loaded(o) })
	p.compare(t, o)
	p.recordedMinutes(t, o, 1)

	p.shop.restart()
	time.Sleep(2 * scrape) // the restart is seen before the crash
	if err := p.prom.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.prom.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	crashed := time.Now()
	p.await(t, o, "a minute after the crash", func() string { return until(o, crashed.Add(time.Minute)) })
	p.compare(t, o)
	if loss := loaded(o); loss != "" {
		t.Error(loss)
	}
}

func start(t *testing.T) *path {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	p := &path{registry: prometheus.NewRegistry(), shop: newShop()}
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	var err error
	if p.plane, err = parts.StartControlPlane(t.Context(), parts.ControlPlaneOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.plane.Stop() })
	if p.admin, err = client.New(p.plane.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(p.shop)
	t.Cleanup(page.Close)
	p.prom, err = parts.StartPrometheus(t.Context(), parts.PrometheusOptions{
		Targets: []string{strings.TrimPrefix(page.URL, "http://")}, ScrapeInterval: scrape,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.prom.Stop() })
	if p.source, err = source.New(source.Config{Name: "test", URL: p.prom.URL}); err != nil {
		t.Fatal(err)
	}
	p.install(t)
	p.operate(t, scheme)
	return p
}

// install applies what is shipped.
func (p *path) install(t *testing.T) {
	t.Helper()
	programs, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), programs.Path(parts.Kubectl), "--kubeconfig", p.plane.Kubeconfig,
		"apply", "--server-side", "-k", "../../config/default").CombinedOutput()
	if err != nil {
		t.Fatalf("install config/default: %v\n%s", err, out)
	}
}

// operate runs the controllers with the shipped rights alone.
func (p *path) operate(t *testing.T, scheme *runtime.Scheme) {
	t.Helper()
	user := "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount
	mgr, err := ctrl.NewManager(p.plane.As(user, "system:serviceaccounts", "system:authenticated"), ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
		Client:     client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := controllers.Setup(mgr, controllers.Options{
		Namespace: operatorNamespace, ServiceAccount: operatorAccount, Recorder: metrics.New(p.registry),
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run manager: %v", err)
		}
	})
}

func (p *path) declare(t *testing.T) *v1alpha1.Objective {
	t.Helper()
	o := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "orders"},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "shop", Perspective: v1alpha1.PerspectiveUX, Target: "75%", Window: v1alpha1.Window{Rolling: "2h"},
			Indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: `shop_requests_total{code="500"}`, Total: "shop_requests_total"}},
		},
	}
	for _, object := range []client.Object{
		&v1alpha1.ClusterMetricSource{
			ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.DefaultSourceName},
			Spec: v1alpha1.ClusterMetricSourceSpec{MetricSourceSpec: v1alpha1.MetricSourceSpec{
				URL: p.prom.URL, Interval: &metav1.Duration{Duration: 15 * time.Second}, Delay: &metav1.Duration{Duration: 5 * time.Second},
				Rules: v1alpha1.Rules{Output: v1alpha1.RulesOutputConfigMap, ObjectLabels: map[string]v1alpha1.ObjectLabel{"reload": "yes"}},
			}},
		}, o,
	} {
		if err := p.admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// await reads the object until it has nothing missing, and does meanwhile what
// a reloader beside Prometheus does.
func (p *path) await(t *testing.T, o *v1alpha1.Objective, what string, lacks func() string) {
	t.Helper()
	began := time.Now()
	for {
		p.reload(t)
		if err := p.admin.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
			t.Fatal(err)
		}
		lack := lacks()
		if lack == "" {
			t.Logf("%s after %s", what, time.Since(began).Round(time.Second))
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("no %s within %s: %s\n%+v", what, patience, lack, o.Status)
		}
		time.Sleep(time.Second)
	}
}

// reload gives Prometheus the rule files of all ConfigMaps that ask for it.
func (p *path) reload(t *testing.T) {
	t.Helper()
	found := &corev1.ConfigMapList{}
	if err := p.admin.List(t.Context(), found, client.MatchingLabels{"reload": "yes"}); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for i := range found.Items {
		maps.Copy(files, found.Items[i].Data)
	}
	if maps.Equal(files, p.loaded) {
		return
	}
	if err := p.prom.ReloadRules(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	p.loaded = files
}

func missing(there bool, what string) string {
	if there {
		return ""
	}
	return what
}

func loaded(o *v1alpha1.Objective) string {
	c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRulesLoaded)
	if c == nil {
		return "no condition RulesLoaded"
	}
	return missing(c.Status == metav1.ConditionTrue, c.Reason+": "+c.Message)
}

func until(o *v1alpha1.Objective, at time.Time) string {
	return missing(o.Status.Window != nil && o.Status.Window.End.After(at), "figures up to "+at.String())
}

// compare asks that the figures on the object are what was scraped up to the end
// of their window.
func (p *path) compare(t *testing.T, o *v1alpha1.Objective) {
	t.Helper()
	end := o.Status.Window.End.Time
	total := p.scraped(t, "shop_requests_total", end)
	bad := p.scraped(t, `shop_requests_total{code="500"}`, end)
	if got := float64(*o.Status.Events); got != total || total == 0 {
		t.Errorf("events up to %s: %.0f on the object, %.0f were scraped", end, got, total)
	}
	if want := fmt.Sprintf("%.1f%%", 100*(1-bad/total)); o.Status.Attainment != strings.Replace(want, ".0%", "%", 1) {
		t.Errorf("attainment up to %s: %s on the object, %s was scraped", end, o.Status.Attainment, want)
	}
	t.Logf("%.0f events, %.0f of them bad, up to %s", total, bad, end.Format(time.TimeOnly))
}

// scraped adds up the movement of the samples as they are stored. The process
// began when the test did, so the first sample counts from zero.
func (p *path) scraped(t *testing.T, selector string, end time.Time) float64 {
	t.Helper()
	matrix, err := p.source.Samples(t.Context(), selector+"[2h]", end)
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, stream := range matrix {
		last := model.SampleValue(0)
		for _, v := range stream.Values {
			if v.Value < last {
				last = 0
			}
			total += float64(v.Value - last)
			last = v.Value
		}
	}
	return total
}

// recordedMinutes compares each minute that Prometheus recorded with what was
// scraped in it, and asks for a number of them. A minute with a reset is exact
// only once the operator has read it again.
func (p *path) recordedMinutes(t *testing.T, o *v1alpha1.Objective, atLeast int) {
	t.Helper()
	at := o.Status.Window.End.Add(time.Minute - time.Millisecond)
	read := func(name string) map[time.Time]float64 {
		matrix, err := p.source.Samples(t.Context(), name+"[2h]", at)
		if err != nil {
			t.Fatal(err)
		}
		out := map[time.Time]float64{}
		for _, stream := range matrix {
			for _, v := range stream.Values {
				out[v.Timestamp.Time().Truncate(time.Minute)] = float64(v.Value)
			}
		}
		return out
	}
	events, resets := read(promql.RecordedEvents), read(promql.RecordedResets)
	compared := 0
	for minute, got := range events {
		if resets[minute] > 0 {
			continue
		}
		compared++
		want := p.scraped(t, "shop_requests_total", minute) - p.scraped(t, "shop_requests_total", minute.Add(-time.Minute))
		if got != want {
			t.Errorf("minute up to %s: recorded %.0f events, %.0f were scraped", minute, got, want)
		}
	}
	if t.Logf("%d recorded minutes, %d with a reset", compared, len(events)-compared); compared < atLeast {
		t.Errorf("Prometheus recorded %d minutes, want at least %d", compared, atLeast)
	}
}
