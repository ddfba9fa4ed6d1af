package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/prometheus/prometheus/model/labels"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
)

const (
	// releaseEvents are the events of the released app in each minute; nine of ten
	// are good.
	releaseEvents = 600
	// The bake of the gate and its timeout, between which a full minute ends.
	gateBake, gateTimeout = 3 * time.Minute, 4*time.Minute + 30*time.Second
)

// testGate kills the operator half way through the check of a release. It is
// started again after the deadline, and the gate ends at once, by the events since
// the check began and up to its deadline.
func (s *stage) testGate(t *testing.T) {
	t.Parallel()
	c, server := install(t), releasing(t)
	kubeconfig := c.kubeconfig(t, defaultServiceAccount)
	flags := []string{"--leader-elect=false", "--metrics-secure=false"}
	gate := c.release(t, server.URL)

	first := s.start(t, kubeconfig, flags...)
	c.gated(t, gate, "figures of the release", func() bool {
		return len(gate.Status.Objectives) == 1 && ptr.Deref(gate.Status.Objectives[0].Events, 0) > 0
	})
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	started, halfWay := *gate.Status.StartedAt, gate.Status.Objectives[0]
	t.Logf("started %s, killed (SIGKILL) %s later: %s, %d events of the release", started.Format(time.TimeOnly),
		time.Since(started.Time).Round(time.Second), gate.Status.Verdict, *halfWay.Events)
	if gate.Status.Verdict != v1alpha1.GateBaking {
		t.Fatalf("the check ended before the operator was killed: %s", gate.Status.Verdict)
	}

	<-time.After(time.Until(gate.Deadline()))
	began := time.Now()
	s.start(t, kubeconfig, flags...)
	c.gated(t, gate, "the end of the check", gate.Status.Finished)
	o := gate.Status.Objectives[0]
	t.Logf("deadline %s, operator started %s, gate finished %s: %s, %d events, attainment %s, kstatus %s", gate.Deadline().Format(time.TimeOnly),
		began.Format(time.TimeOnly), gate.Status.FinishedAt.Format(time.TimeOnly), gate.Status.Verdict, *o.Events, o.Attainment, c.kstatus(t, gate))
	since := started.Add(time.Minute - time.Nanosecond).Truncate(time.Minute)
	want := int64(gate.Deadline().Truncate(time.Minute).Sub(since).Minutes() * releaseEvents)
	if !gate.Status.StartedAt.Equal(&started) || *o.Events != want || o.Attainment != "90%" {
		t.Errorf("started %s with %d events and %s, want %s with %d and 90%%", gate.Status.StartedAt, *o.Events, o.Attainment, started, want)
	}
	if gate.Status.Verdict != v1alpha1.GatePassed || c.kstatus(t, gate) != status.CurrentStatus {
		t.Errorf("verdict = %s, kstatus %s", gate.Status.Verdict, c.kstatus(t, gate))
	}
	if late := gate.Status.FinishedAt.Sub(began); late > patience {
		t.Errorf("the gate ended %s after the operator was started", late)
	}
}

// releasing starts a Prometheus with an app that serves at a steady pace, for two
// hours up to now and for a quarter of an hour to come.
func releasing(t *testing.T) *parts.Prometheus {
	t.Helper()
	dir, now := t.TempDir(), time.Now().UTC().Truncate(time.Minute)
	start := now.Add(-2 * time.Hour)
	rising := func(perMinute float64) simulate.Shape {
		return func(at time.Time) float64 { return at.Sub(start).Minutes() * perMinute }
	}
	series := func(name string, shape int) simulate.Copy {
		return simulate.Copy{Shape: shape, Labels: labels.FromStrings("__name__", name, "job", "shop", "instance", "a")}
	}
	err := simulate.WriteCopies(filepath.Join(dir, "data"), start, now.Add(15*time.Minute), 15*time.Second,
		[]simulate.Shape{rising(releaseEvents), rising(0.9 * releaseEvents)}, []simulate.Copy{series("orders_total", 0), series("orders_good_total", 1)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := parts.StartPrometheus(t.Context(), parts.PrometheusOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("stop Prometheus: %v", err)
		}
	})
	return p
}

// release makes an objective on the app, and a gate on it.
func (c *installed) release(t *testing.T, url string) *v1alpha1.Gate {
	t.Helper()
	const ns = "released"
	c.kubectl(t, "create", "namespace", ns)
	gate := &v1alpha1.Gate{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "shop"},
		Spec: v1alpha1.GateSpec{
			Revision: "v1", Objectives: v1alpha1.GateObjectives{Names: []v1alpha1.Name{"orders"}},
			Bake:    v1alpha1.Bake{Duration: &metav1.Duration{Duration: gateBake}, MinimumEvents: 100},
			Timeout: &metav1.Duration{Duration: gateTimeout},
		},
	}
	for _, o := range []client.Object{
		&v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "prometheus"}, Spec: v1alpha1.MetricSourceSpec{
			URL: url, Interval: &metav1.Duration{Duration: 15 * time.Second}, Delay: &metav1.Duration{},
		}},
		&v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "orders"}, Spec: v1alpha1.ObjectiveSpec{
			Service: "shop", Perspective: v1alpha1.PerspectiveUX, Target: "75%", Window: v1alpha1.Window{Rolling: "1h"},
			SourceRef: &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: "prometheus"},
			Indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "orders_good_total", Total: "orders_total"}},
		}},
		gate,
	} {
		if err := c.admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return gate
}

// gated reads a gate until something holds of it: for longer than other tests
// wait, since a full minute must be measured.
func (c *installed) gated(t *testing.T, gate *v1alpha1.Gate, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 4*patience, true, func(ctx context.Context) (bool, error) {
		if err := c.admin.Get(ctx, client.ObjectKeyFromObject(gate), gate); err != nil {
			return false, fmt.Errorf("get gate: %w", err)
		}
		return holds(), nil
	})
	if err != nil {
		t.Fatalf("%s: %v; the status is %+v", what, err, gate.Status)
	}
}

// kstatus is what kstatus makes of a gate as the API server has it.
func (c *installed) kstatus(t *testing.T, gate *v1alpha1.Gate) status.Status {
	t.Helper()
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Gate"))
	if err := c.admin.Get(t.Context(), client.ObjectKeyFromObject(gate), raw); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(raw)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}
