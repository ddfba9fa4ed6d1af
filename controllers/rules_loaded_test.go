package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// ruler is a Prometheus with rule files, and what stands before it.
type ruler struct {
	*parts.Prometheus
	*proxy
	// asked counts what was asked about rules.
	asked atomic.Int64
	// groups is the answer about rules while it is set.
	groups atomic.Pointer[string]
}

// answers has the ruler tell of its rules in the place of Prometheus.
func (r *ruler) answers(groups string) {
	body := `{"status":"success","data":{"groups":[` + groups + `]}}`
	r.groups.Store(&body)
}

// newRuler stands before the tests' Prometheus, which records nothing, and tells
// of rules.
func newRuler(t testing.TB) *ruler {
	t.Helper()
	r := &ruler{proxy: newProxy(t)}
	r.answers("")
	next := r.Config.Handler
	r.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/api/v1/rules" || r.broken.Load() != nil {
			next.ServeHTTP(w, req)
			return
		}
		r.asked.Add(int64(len(req.URL.Query()["rule_group[]"])))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, *r.groups.Load())
	})
	return r
}

// TestRulesNotRecorded shows what is said of rules that are installed while the
// ruler records nothing.
func TestRulesNotRecorded(t *testing.T) {
	ctx, admin := context.Background(), rulesAdmin(t)
	definePrometheusRules(t)
	op := startOperator(t)
	ns := namespace(t, "silent")
	r := newRuler(t)
	o := anObjective(ns, "up", always)
	create(t, aSource(ns, r.proxy.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), o)
	made := rule(t, o, "to be made", there)
	settled(t, o, v1alpha1.ReasonTargetMet)
	if got, want := rulesSay(t, o, v1alpha1.ReasonRulesPending), "the rules are installed, and the ruler has not recorded the objective yet"; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	if r.asked.Load() != 0 {
		t.Error("the ruler was asked about rules that were just installed")
	}

	const group = "experience/silent/up"
	rejected := func(accepted monitoringv1.ConditionStatus) func() {
		return func() {
			made.Status.Bindings = []monitoringv1.WorkloadBinding{{
				Group: "monitoring.coreos.com", Resource: "prometheuses", Name: "main", Namespace: "monitoring",
				Conditions: []monitoringv1.ConfigResourceCondition{{Type: monitoringv1.Accepted, Status: accepted, LastTransitionTime: metav1.Now(), Message: "bad rule"}},
			}}
			made = rule(t, o, "to be there", func(now *monitoringv1.PrometheusRule) bool { now.Status = made.Status; made = now; return true })
			if err := admin.Status().Update(ctx, made); err != nil {
				t.Fatal(err)
			}
		}
	}
	steps := []struct {
		reason, message, what string
		change                func()
	}{
		{
			what: "not loaded", reason: v1alpha1.ReasonRulesNotLoaded, change: func() {},
			message: `the ruler has no rule group "experience/silent/up": check that ruleSelector and ruleNamespaceSelector of its Prometheus select ` +
				"PrometheusRule silent/up with the labels app.kubernetes.io/managed-by=experience-slo, or set spec.rules.objectLabels of the source",
		},
		{
			what: "a rule fails", reason: v1alpha1.ReasonRuleFailing,
			change: func() {
				r.answers(`{"name":"` + group + `","rules":[{"name":"a","health":"ok"},{"name":"b","health":"err","lastError":"many-to-many"}]}`)
			},
			message: `rule "b" of group "experience/silent/up" fails: many-to-many`,
		},
		{
			what: "loaded just now", reason: v1alpha1.ReasonRulesPending,
			change:  func() { r.answers(`{"name":"` + group + `","rules":[{"name":"a","health":"ok"}]}`) },
			message: `the ruler has loaded rule group "experience/silent/up" and not recorded the objective yet`,
		},
		{
			what: "records elsewhere", reason: v1alpha1.ReasonRulesNotLoaded, change: func() {},
			message: `the ruler evaluates rule group "experience/silent/up", but its records cannot be read from the source: ` +
				"check that spec.url and spec.matchers of MetricSource silent/prometheus lead to where it writes them",
		},
		{
			what: "rejected", reason: v1alpha1.ReasonRulesRejected, change: rejected(monitoringv1.ConditionFalse),
			message: "prometheuses monitoring/main does not accept PrometheusRule silent/up: bad rule",
		},
		{
			what: "source down", reason: v1alpha1.ReasonSourceUnavailable,
			change: func() {
				rejected(monitoringv1.ConditionTrue)()
				r.fail(page(http.StatusServiceUnavailable, "text/plain", "down"))
			},
			message: "MetricSource silent/prometheus failed (HTTP 503 Service Unavailable): look at its state and its log",
		},
		{
			what: "no rules API", reason: v1alpha1.ReasonRulesNotLoaded,
			change: func() { r.fail(page(http.StatusNotFound, "text/plain", "404 page not found")) },
			message: "the ruler has recorded nothing of the objective for some minutes, and the source does not tell of its rules: " +
				"check that ruleSelector and ruleNamespaceSelector of its Prometheus select " +
				"PrometheusRule silent/up with the labels app.kubernetes.io/managed-by=experience-slo, or set spec.rules.objectLabels of the source",
		},
	}
	op.clock.forward(4 * time.Minute)
	for _, step := range steps {
		step.change()
		op.clock.forward(61 * time.Second)
		eventually(t, step.what+": "+step.message, func() bool { return rulesSay(t, o, step.reason) == step.message })
		t.Logf("%s -> RulesLoaded %s: %s", step.what, step.reason, step.message)
	}
	r.fail(nil)
	request(t, o, "mended")
	expect(t, o, row{KStatus: status.CurrentStatus, Conditions: map[string]string{
		"Ready": "True Evaluated", "Met": "True TargetMet", "RulesLoaded": "False RulesNotLoaded",
	}})
	tells(t, o, steps[0].message, steps[1].message, steps[4].message)
}

// tells waits for warnings about an objective, and fails for those that waiting
// alone gave.
func tells(t testing.TB, o *v1alpha1.Objective, messages ...string) {
	t.Helper()
	var got []string
	eventually(t, "the events", func() bool {
		got = announced(t, o.Namespace, o.Name)
		return !slices.ContainsFunc(messages, func(m string) bool {
			return !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, "Warning ") && strings.HasSuffix(line, m) })
		})
	})
	for _, line := range got {
		if strings.Contains(line, v1alpha1.ReasonRulesPending) {
			t.Errorf("waiting is no news: %s", line)
		}
	}
}

// TestFewAreAsked shows that a ruler which has loaded nothing is asked about a
// few objectives in a minute, and that all say so.
func TestFewAreAsked(t *testing.T) {
	const objectives = 12
	definePrometheusRules(t)
	op := startOperator(t)
	ns := namespace(t, "many-silent")
	r := newRuler(t)
	create(t, aSource(ns, r.proxy.URL, ruled(v1alpha1.RulesOutputPrometheusRule)))
	names := several(t, ns, "up", objectives, always)
	for _, name := range names {
		settled(t, anObjective(ns, name), v1alpha1.ReasonTargetMet)
		rule(t, anObjective(ns, name), "to be made", there)
	}
	op.clock.forward(4 * time.Minute)
	worded := map[string]int{}
	for _, name := range names {
		message := rulesSay(t, anObjective(ns, name), v1alpha1.ReasonRulesNotLoaded)
		worded[strings.ReplaceAll(message, name, "NAME")]++
	}
	if got := r.asked.Load(); got != 5 {
		t.Errorf("the ruler was asked about %d groups, want 5", got)
	}
	named := fmt.Sprintf(`the ruler has no rule group "experience/many-silent/NAME": check that ruleSelector and ruleNamespaceSelector of its Prometheus select `+
		"PrometheusRule %s/NAME with the labels app.kubernetes.io/managed-by=experience-slo, or set spec.rules.objectLabels of the source", ns)
	if diff := cmp.Diff(map[string]int{named: 5, "the ruler has recorded nothing of the objective for some minutes": objectives - 5}, worded); diff != "" {
		t.Errorf("messages: -want +got:\n%s", diff)
	}
}

// ruling is a real Prometheus that evaluates the rule files it is given.
type ruling struct{ *parts.Prometheus }

func rulingPrometheus(t testing.TB) ruling {
	t.Helper()
	prom, err := parts.StartPrometheus(context.Background(), parts.PrometheusOptions{
		ConfigYAML: "global: {evaluation_interval: 1m}\nrule_files: [rules/*.yaml]\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := prom.Stop(); err != nil {
			t.Error(err)
		}
	})
	return ruling{prom}
}

// load gives it other files, which it has to take.
func (r ruling) load(t testing.TB, files map[string]string) {
	t.Helper()
	if err := r.ReloadRules(context.Background(), files); err != nil {
		t.Fatal(err)
	}
}

// TestRulesLoaded has a real Prometheus evaluate the files of a ConfigMap, lose
// them, and get them back. The minutes in which it records nothing are the
// clock's, which is put forward and back.
func TestRulesLoaded(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "loaded")
	bindWriter(t, ns)
	prom := rulingPrometheus(t)
	o := anObjective(ns, "up", always)
	create(t, aSource(ns, prom.URL, ruled(v1alpha1.RulesOutputConfigMap)), o)
	awaitFiles(t, ns, "loaded.up.yaml")
	mount := func() { prom.load(t, ruleMaps(t, ns)[0].Data) }
	loaded := func(reason string) {
		t.Helper()
		began := time.Now()
		awaitWithin(t, 4*time.Minute, o, "RulesLoaded with reason "+reason, func(o *v1alpha1.Objective) bool {
			c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRulesLoaded)
			return c != nil && c.Reason == reason
		})
		t.Logf("%s after %s: %s", reason, time.Since(began).Round(time.Second), rulesSay(t, o, reason))
	}
	mount()
	loaded(v1alpha1.ReasonRulesLoaded)
	expect(t, o, row{KStatus: status.CurrentStatus, Conditions: map[string]string{
		"Ready": "True Evaluated", "Met": "True TargetMet", "RulesLoaded": "True RulesLoaded",
	}})

	prom.load(t, nil)
	op.clock.forward(5 * time.Minute)
	loaded(v1alpha1.ReasonRulesNotLoaded)
	op.clock.forward(-5 * time.Minute)
	mount()
	askUntilLoaded(t, o)
	tells(t, o, `the ruler has no rule group "experience/loaded/up": check that its Prometheus reads the files of ConfigMap loaded/experience-rules.prometheus.loaded-0 (rule_files) and reloads when they change`)
}

// askUntilLoaded asks for evaluations until the rules are seen: where the clock
// was put back the next tick is far.
func askUntilLoaded(t *testing.T, o *v1alpha1.Objective) {
	t.Helper()
	began := time.Now()
	for n := 0; !meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionRulesLoaded); n++ {
		if time.Since(began) > 4*time.Minute {
			t.Fatalf("rules that are back are not noticed: %+v", o.Status.Conditions)
		}
		request(t, o, fmt.Sprintf("again-%d", n))
		time.Sleep(2 * time.Second)
	}
}
