package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/conditions/check"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

const (
	tooShort  = "the server keeps data for 15d, which is less than the longest window of the objectives that use it, 28d: set --storage.tsdb.retention.time=28d or more, choose a shorter window, or use a source with long-term storage"
	selectors = "check that ruleSelector and ruleNamespaceSelector of its Prometheus select their PrometheusRules, or set spec.rules.objectLabels"
	mounts    = "check that its Prometheus mounts their ConfigMaps and is reloaded, or set spec.rules.objectLabels for the selector of what loads them"
)

// again has a source checked and waits for the outcome.
func again(t testing.TB, s *v1alpha1.MetricSource) *v1alpha1.MetricSource {
	t.Helper()
	value := fmt.Sprint(time.Now().UnixNano())
	patch(t, s, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.ReconcileRequestAnnotation, value))
	return await(t, s, "the answer to "+value, func(s *v1alpha1.MetricSource) bool { return s.Status.LastHandledReconcileAt == value })
}

// finds has a source checked until a condition of it has a reason, "" for none.
func finds(t testing.TB, s *v1alpha1.MetricSource, kind, reason string) metav1.Condition {
	t.Helper()
	var out metav1.Condition
	eventually(t, kind+" with reason "+reason, func() bool {
		c := meta.FindStatusCondition(again(t, s).Status.Conditions, kind)
		if c != nil {
			out = *c
		}
		return c == nil && reason == "" || c != nil && c.Reason == reason
	})
	current(t, s)
	return out
}

// current fails unless tools that wait for objects take a source that answers as
// it should be, whatever else is known of it.
func current(t testing.TB, s *v1alpha1.MetricSource) {
	t.Helper()
	ctx := context.Background()
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MetricSource"))
	if err := env.admin.Get(ctx, client.ObjectKeyFromObject(s), raw); err != nil {
		t.Fatal(err)
	}
	result, err := status.Compute(raw)
	if err != nil {
		t.Fatal(err)
	}
	checker := check.NewChecker(env.admin, &check.Conditions{
		NegativePolarity: []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling},
		PositivePolarity: []string{v1alpha1.ConditionReady},
	})
	fail, warn := checker.Check(ctx, s)
	if result.Status != status.CurrentStatus || fail != nil || warn != nil {
		t.Errorf("kstatus = %s, Flux's checker: %v, %v; the object is\n%s", result.Status, fail, warn, describe(s))
	}
}

// TestSourceRetention has a real Prometheus that keeps 15 days, as most do.
func TestSourceRetention(t *testing.T) {
	prom, err := parts.StartPrometheus(context.Background(), parts.PrometheusOptions{Retention: 15 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := prom.Stop(); err != nil {
			t.Error(err)
		}
	})
	op := startOperator(t)
	ns := namespace(t, "retention")
	source := aSource(ns, prom.URL)
	week, month := anObjective(ns, "week", rolling("7d")), anObjective(ns, "month", rolling("28d"))
	create(t, source)
	finds(t, source, v1alpha1.ConditionRetentionSufficient, "")
	if source.Status.Retention != "15d" || source.Status.Version == "" || source.Status.Rules != nil {
		t.Errorf("status = %+v, want retention 15d, a version and no count of rules", source.Status)
	}
	create(t, week)
	finds(t, source, v1alpha1.ConditionRetentionSufficient, v1alpha1.ReasonRetentionSufficient)
	create(t, month)
	before := finds(t, source, v1alpha1.ConditionRetentionSufficient, v1alpha1.ReasonRetentionTooShort)
	if diff := cmp.Diff(tooShort, before.Message); diff != "" {
		t.Errorf("message: -want +got:\n%s", diff)
	}

	// A start of the operator, when it knows no objective yet, changes nothing.
	op.stop()
	startOperator(t)
	for range 3 {
		again(t, source)
		if diff := cmp.Diff(&before, meta.FindStatusCondition(source.Status.Conditions, before.Type)); diff != "" {
			t.Errorf("after a start: -before +after:\n%s", diff)
		}
	}
	patch(t, month, `{"spec":{"suspend":true}}`)
	finds(t, source, v1alpha1.ConditionRetentionSufficient, v1alpha1.ReasonRetentionSufficient)
	deleteNow(t, week)
	finds(t, source, v1alpha1.ConditionRetentionSufficient, "")
	eventually(t, "the event", func() bool {
		return cmp.Equal([]string{"Normal Available: the server answers queries", "Warning RetentionTooShort: " + tooShort,
			"Normal RetentionSufficient: the server keeps data for as long as the longest window of the objectives that use it"}, announced(t, ns, source.Name))
	})
}

// TestSourceClock puts the operator's clock forward and back.
func TestSourceClock(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "clock")
	source := aSource(ns, env.prom.URL)
	create(t, source)
	finds(t, source, v1alpha1.ConditionClockInSync, v1alpha1.ReasonClockInSync)
	steps := []struct {
		by   time.Duration
		want string
	}{
		{40 * time.Second, "more than 30s behind"},
		{6 * time.Minute, "more than 5m behind"},
		{-2 * time.Hour, "more than 1h ahead of"},
	}
	for _, step := range steps {
		op.clock.forward(step.by)
		got := finds(t, source, v1alpha1.ConditionClockInSync, v1alpha1.ReasonClockSkewed)
		want := "the server's clock is " + step.want + " the operator's: set the clocks of both machines, by NTP say"
		if diff := cmp.Diff(want, got.Message); diff != "" {
			t.Errorf("after %s: -want +got:\n%s", step.by, diff)
		}
		// It does not move with the clocks.
		if diff := cmp.Diff(got, finds(t, source, v1alpha1.ConditionClockInSync, v1alpha1.ReasonClockSkewed)); diff != "" {
			t.Errorf("-before +after:\n%s", diff)
		}
		op.clock.forward(-step.by)
	}
	finds(t, source, v1alpha1.ConditionClockInSync, v1alpha1.ReasonClockInSync)
}

// TestSourceTellsLittle stands before Prometheus and knows neither its version
// nor its retention, as some servers do.
func TestSourceTellsLittle(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "little")
	p := newProxy(t)
	next := p.Config.Handler
	answers := http.HandlerFunc(next.ServeHTTP)
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/status/") && p.broken.Load() == nil {
			http.NotFound(w, r)
			return
		}
		answers(w, r)
	})
	source := aSource(ns, p.URL)
	create(t, source, anObjective(ns, "page-speed"))
	finds(t, source, v1alpha1.ConditionClockInSync, v1alpha1.ReasonClockInSync)
	finds(t, source, v1alpha1.ConditionRetentionSufficient, "")
	if source.Status.Retention != "" || source.Status.Version != "" {
		t.Errorf("status = %+v, want neither version nor retention", source.Status)
	}
	p.fail(page(http.StatusServiceUnavailable, "text/plain", "down"))
	again(t, source)
	want := "  Ready=False ServerError: MetricSource little/prometheus failed (HTTP 503 Service Unavailable): look at its state and its log\n"
	if diff := cmp.Diff(want+strings.Replace(want, "Ready=False", "Reconciling=True", 1), conditionsOf(source.Status.Conditions)); diff != "" {
		t.Errorf("while the server does not answer: -want +got:\n%s", diff)
	}
}

// counted reads the metrics of a source's rules; -1 stands for no series.
func counted(t testing.TB, op *operator, s client.Object) (expected, loaded float64) {
	t.Helper()
	families, err := op.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{"experience_source_rules_expected": -1, "experience_source_rules_loaded": -1}
	for _, f := range families {
		if _, ok := out[f.GetName()]; !ok {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["namespace"] == s.GetNamespace() && labels["source"] == s.GetName() {
				out[f.GetName()] = m.GetGauge().GetValue()
			}
		}
	}
	return out["experience_source_rules_expected"], out["experience_source_rules_loaded"]
}

// counts waits for a count on the status, -1 for none, and compares the metrics.
func counts(t testing.TB, op *operator, s *v1alpha1.MetricSource, expected, loaded int32) {
	t.Helper()
	eventually(t, fmt.Sprintf("a count of %d expected and %d loaded", expected, loaded), func() bool {
		got := again(t, s).Status.Rules
		return got == nil && expected < 0 || got != nil && got.Expected == expected && got.Loaded == loaded
	})
	if e, l := counted(t, op, s); e != float64(expected) || l != float64(loaded) {
		t.Errorf("metrics say %v expected and %v loaded, want %d and %d", e, l, expected, loaded)
	}
}

// TestSourceRulesCounted counts the objectives of a source whose ruler records
// nothing.
func TestSourceRulesCounted(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "counted")
	p := newProxy(t)
	source := aSource(ns, p.URL, ruled(v1alpha1.RulesOutputPrometheusRule))
	create(t, source)
	if got := finds(t, source, v1alpha1.ConditionRulesLoaded, v1alpha1.ReasonRulesPending); got.Status != metav1.ConditionUnknown {
		t.Errorf("condition = %+v, want Unknown", got)
	}
	counts(t, op, source, 0, 0)
	names := several(t, ns, "up", 4, always)
	suspended := anObjective(ns, "suspended", always, func(s *v1alpha1.ObjectiveSpec) { s.Suspend = new(true) })
	create(t, suspended, anObjective(ns, "typo", histogram("web_vitals_lcp_seconds{")),
		anObjective(ns, "threshold", func(s *v1alpha1.ObjectiveSpec) { s.Indicator.Distribution.Threshold = "2.4" }),
		anObjective(ns, "unborn", histogram("nobody_has_seen_seconds"), func(s *v1alpha1.ObjectiveSpec) { s.Indicator.Distribution.Interpolate = new(true) }))
	for _, name := range names {
		settled(t, anObjective(ns, name), v1alpha1.ReasonTargetMet)
	}
	settled(t, anObjective(ns, "threshold"), v1alpha1.ReasonInvalidThreshold)
	settled(t, anObjective(ns, "unborn"), v1alpha1.ReasonNoData)
	counts(t, op, source, 4, 0)
	finds(t, source, v1alpha1.ConditionRulesLoaded, v1alpha1.ReasonRulesPending)

	op.clock.forward(4 * time.Minute)
	silent := finds(t, source, v1alpha1.ConditionRulesLoaded, v1alpha1.ReasonRulesNotLoaded)
	want := fmt.Sprintf("the ruler has recorded nothing of counted/%s, counted/%s, counted/%s and others for some minutes: %s; the condition RulesLoaded of each objective says more",
		names[0], names[1], names[2], selectors)
	if diff := cmp.Diff(want, silent.Message); diff != "" {
		t.Errorf("message: -want +got:\n%s", diff)
	}
	patch(t, anObjective(ns, names[3]), `{"spec":{"suspend":true}}`)
	counts(t, op, source, 3, 0)
	patch(t, suspended, `{"spec":{"suspend":false}}`)
	counts(t, op, source, 4, 0)

	p.fail(page(http.StatusServiceUnavailable, "text/plain", "down"))
	counts(t, op, source, -1, -1)
	p.fail(nil)
	counts(t, op, source, 4, 0)
	patch(t, source, `{"spec":{"rules":{"output":"None"}}}`)
	finds(t, source, v1alpha1.ConditionRulesLoaded, "")
	counts(t, op, source, -1, -1)
	patch(t, source, `{"spec":{"rules":{"output":"ConfigMap"}}}`)
	counts(t, op, source, 4, 0)
	deleteNow(t, source)
	eventually(t, "the end of the metrics", func() bool { e, l := counted(t, op, source); return e == -1 && l == -1 })
}

// TestSourceRulesLoaded has a real Prometheus evaluate the rules of one objective
// of two, until the other is suspended.
func TestSourceRulesLoaded(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "half-loaded")
	bindWriter(t, ns)
	prom := rulingPrometheus(t)
	source := aSource(ns, prom.URL, ruled(v1alpha1.RulesOutputConfigMap))
	create(t, source, anObjective(ns, "a", always), anObjective(ns, "b", always))
	awaitFiles(t, ns, "half-loaded.a.yaml", "half-loaded.b.yaml")
	const mounted = "half-loaded.a.yaml"
	prom.load(t, map[string]string{mounted: ruleMaps(t, ns)[0].Data[mounted]})
	awaitWithin(t, 3*time.Minute, source, "rules loaded", func(s *v1alpha1.MetricSource) bool { return s.Status.Rules != nil && s.Status.Rules.Loaded == 1 })
	counts(t, op, source, 2, 1)
	op.clock.forward(2 * time.Minute) // the other is missing for three by now
	half := finds(t, source, v1alpha1.ConditionRulesLoaded, v1alpha1.ReasonRulesNotLoaded)
	want := "the ruler has recorded nothing of half-loaded/b for some minutes: " + mounts + "; the condition RulesLoaded of each objective says more"
	if diff := cmp.Diff(want, half.Message); diff != "" {
		t.Errorf("message: -want +got:\n%s", diff)
	}
	op.clock.forward(-2 * time.Minute)
	patch(t, anObjective(ns, "b"), `{"spec":{"suspend":true}}`)
	counts(t, op, source, 1, 1)
	finds(t, source, v1alpha1.ConditionRulesLoaded, v1alpha1.ReasonRulesLoaded)
}
