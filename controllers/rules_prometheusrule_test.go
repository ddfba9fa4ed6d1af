package controllers_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// ruled gives a source an output.
func ruled(output v1alpha1.RulesOutput) func(*v1alpha1.MetricSourceSpec) {
	return func(s *v1alpha1.MetricSourceSpec) {
		short(s)
		s.Rules.Output = output
	}
}

// definePrometheusRules installs the kind for the rest of a test, as it comes
// and goes by the hand of an administrator.
func definePrometheusRules(t testing.TB) {
	t.Helper()
	definition(t, "apply", "--server-side")
	if out, err := env.kubectl("wait", "--for=condition=Established", "crd/prometheusrules.monitoring.coreos.com", "--timeout=30s"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { definition(t, "delete", "--ignore-not-found") })
}

func definition(t testing.TB, args ...string) {
	t.Helper()
	out, err := env.kubectl(append(args, "-f", filepath.Join("testdata", "prometheusrules.yaml"))...)
	if err != nil {
		t.Fatalf("kubectl %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// rulesAdmin is a client of the admin that knows PrometheusRules.
func rulesAdmin(t testing.TB) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := monitoringv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(monitoringv1.SchemeGroupVersion.WithKind("PrometheusRule"), meta.RESTScopeNamespace)
	c, err := client.New(env.plane.Config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rulesSay waits until RulesLoaded of an objective has a reason, "" for none, and
// gives its message.
func rulesSay(t testing.TB, o *v1alpha1.Objective, reason string) string {
	t.Helper()
	await(t, o, "RulesLoaded with reason "+reason, func(o *v1alpha1.Objective) bool {
		c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRulesLoaded)
		return c == nil && reason == "" || c != nil && c.Reason == reason
	})
	if reason == "" {
		return ""
	}
	return meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRulesLoaded).Message
}

// rule waits for the PrometheusRule of an objective and a condition of it.
func rule(t testing.TB, o *v1alpha1.Objective, what string, holds func(*monitoringv1.PrometheusRule) bool) *monitoringv1.PrometheusRule {
	t.Helper()
	admin, found := rulesAdmin(t), &monitoringv1.PrometheusRule{}
	eventually(t, "PrometheusRule "+o.Name+" "+what, func() bool {
		found = &monitoringv1.PrometheusRule{}
		err := admin.Get(context.Background(), client.ObjectKeyFromObject(o), found)
		return err == nil && holds(found)
	})
	return found
}

func noRule(t testing.TB, o *v1alpha1.Objective) {
	t.Helper()
	admin := rulesAdmin(t)
	eventually(t, "the end of PrometheusRule "+o.Name, func() bool {
		return apierrors.IsNotFound(admin.Get(context.Background(), client.ObjectKeyFromObject(o), &monitoringv1.PrometheusRule{}))
	})
}

func there(*monitoringv1.PrometheusRule) bool { return true }

// TestPrometheusRule follows the PrometheusRule of an objective through its life.
func TestPrometheusRule(t *testing.T) {
	definePrometheusRules(t)
	startOperator(t)
	ns := namespace(t, "ruled")
	source, o := aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), anObjective(ns, "page-speed")
	create(t, source, o)
	got := rule(t, o, "to be made", there)
	if owner := metav1.GetControllerOf(got); owner == nil || owner.UID != o.UID {
		t.Errorf("owner = %v, want the objective %s", owner, o.UID)
	}
	rulesSay(t, o, v1alpha1.ReasonRulesPending)
	if err := env.admin.Delete(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	noRule(t, o)
}
