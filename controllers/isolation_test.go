package controllers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestIsolation puts good objectives beside every mistake there is, on the same
// source and on one that hangs: the good ones get their verdicts and keep being
// evaluated, and the others touch none of them.
func TestIsolation(t *testing.T) {
	const good, hanging = 20, 20
	op := startOperator(t)
	ns := namespace(t, "isolation")
	p := newProxy(t)
	p.fail(hang)
	mistakenSources(t, ns)
	// The hanging source's queries outlast the test.
	create(t, aSource(ns, env.prom.URL, short), named("hanging", aSource(ns, p.URL, short, func(s *v1alpha1.MetricSourceSpec) {
		s.Timeout = &metav1.Duration{Duration: 5 * time.Minute}
	})))
	wrong := mistakes(ns)
	stuck := several(t, ns, "hanging", hanging, from("hanging"))
	for name, m := range wrong {
		create(t, anObjective(ns, name, m.change))
	}
	began := time.Now()
	names := several(t, ns, "good", good, rolling("1d"))
	for _, name := range names {
		settled(t, anObjective(ns, name), v1alpha1.ReasonTargetMet)
	}
	t.Logf("%d good objectives had their verdicts %s after the first was created, beside %d mistakes and %d on a source that hangs",
		good, time.Since(began).Round(time.Millisecond), len(wrong), hanging)
	for name, m := range wrong {
		settled(t, anObjective(ns, name), m.reason)
	}

	op.ticks(t, ns, names)
	for _, name := range stuck {
		o := settled(t, anObjective(ns, name), v1alpha1.ReasonEvaluationPending)
		if meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionReady) {
			t.Errorf("%s is Ready although its source hangs", o.Name)
		}
	}
	if err := env.admin.Delete(context.Background(), anObjective(ns, names[0])); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of a deleted objective's metrics", func() bool { return len(op.evaluated(t, ns, names[:1])) == 0 })
	if left := slices.Sorted(maps.Keys(op.evaluated(t, ns, names))); !cmp.Equal(left, slices.Sorted(slices.Values(names[1:]))) {
		t.Errorf("after %s was deleted, there are metrics of %v", names[0], left)
	}
}

// several makes objectives that differ in name, and gives their names.
func several(t testing.TB, ns, prefix string, n int, change ...func(*v1alpha1.ObjectiveSpec)) []string {
	t.Helper()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s-%d", prefix, i))
		create(t, anObjective(ns, names[i], change...))
	}
	return names
}

// ticks puts the clock a minute forward and waits until all objectives are
// evaluated for a later moment than before.
func (op *operator) ticks(t testing.TB, ns string, names []string) {
	t.Helper()
	before := op.evaluated(t, ns, names)
	op.clock.forward(time.Minute)
	began := time.Now()
	eventually(t, "a tick that evaluates all of them", func() bool {
		now := op.evaluated(t, ns, names)
		return !slices.ContainsFunc(names, func(name string) bool { return now[name] <= before[name] })
	})
	t.Logf("the next tick evaluated all %d within %s", len(names), time.Since(began).Round(time.Millisecond))
}

// evaluated gives, for those of some objectives that have metrics, the last
// moment that they were evaluated for.
func (op *operator) evaluated(t testing.TB, ns string, names []string) map[string]float64 {
	t.Helper()
	families, err := op.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "experience_objective_last_evaluation_timestamp_seconds" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["namespace"] == ns && slices.Contains(names, labels["objective"]) {
				out[labels["objective"]] = m.GetGauge().GetValue()
			}
		}
	}
	return out
}

// eventually waits for what no object tells.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not come within %s", what, patience)
		}
	}
}
