package controllers_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
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
	ctx, admin := context.Background(), rulesAdmin(t)
	definePrometheusRules(t)
	op := startOperator(t)
	ns := namespace(t, "ruled")
	source, o := aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), anObjective(ns, "page-speed")
	create(t, source, o)
	made := rule(t, o, "to be made", there)
	if owner := metav1.GetControllerOf(made); owner == nil || owner.UID != o.UID || owner.Kind != "Objective" {
		t.Errorf("owner = %v, want the objective %s", owner, o.UID)
	}
	rulesSay(t, o, v1alpha1.ReasonRulesPending)

	t.Run("NothingChanged", func(t *testing.T) {
		settled(t, o, v1alpha1.ReasonTargetMet)
		before := ruleWrites(t, ns)
		patch(t, source, `{"spec":{"timeout":"29s"}}`) // has all of the source's objectives looked at
		rulesReads := func() int { return ruleRequests(t, ns, "get") }
		read := rulesReads()
		eventually(t, "a look at the PrometheusRule", func() bool { return rulesReads() > read })
		if after := ruleWrites(t, ns); after != before {
			t.Errorf("%d writes although nothing changed", after-before)
		}
	})
	t.Run("Drift", func(t *testing.T) { rulesDrift(t, o, made) })
	t.Run("DeletedByHand", func(t *testing.T) {
		if err := admin.Delete(ctx, made.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		rule(t, o, "to come back", func(r *monitoringv1.PrometheusRule) bool { return r.UID != made.UID })
	})
	t.Run("ObjectLabels", func(t *testing.T) {
		for _, labels := range []string{`{"release":"main","tier":"a"}`, `{"tier":null}`} {
			patch(t, source, `{"spec":{"rules":{"objectLabels":`+labels+`}}}`)
			_, tier := source.Spec.Rules.ObjectLabels["tier"]
			rule(t, o, "to have the labels", func(r *monitoringv1.PrometheusRule) bool {
				_, has := r.Labels["tier"]
				return r.Labels["release"] == "main" && has == tier
			})
		}
	})
	t.Run("Typo", func(t *testing.T) {
		before := rule(t, o, "to be there", there)
		patch(t, o, `{"spec":{"indicator":{"distribution":{"histogram":"web_vitals_lcp_seconds{"}}}}`)
		settled(t, o, v1alpha1.ReasonInvalidQuery)
		eventually(t, "a word on the rules that stay", func() bool {
			return strings.Contains(rulesSay(t, o, v1alpha1.ReasonRulesPending), "until it is mended")
		})
		after := rule(t, o, "to stay", there)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("-before +after:\n%s", diff)
		}
	})
	t.Run("Gone", func(t *testing.T) { rulesGo(t, op, source) })
}

// rulesDrift has somebody change the PrometheusRule of an objective in every way
// that matters.
func rulesDrift(t *testing.T, o *v1alpha1.Objective, made *monitoringv1.PrometheusRule) {
	ctx, admin := context.Background(), rulesAdmin(t)
	drifts := map[string]func(*monitoringv1.PrometheusRule){
		"RuleChanged": func(r *monitoringv1.PrometheusRule) { r.Spec.Groups[0].Rules[0].Record = "else" },
		"GroupAdded": func(r *monitoringv1.PrometheusRule) {
			r.Spec.Groups = append(r.Spec.Groups, monitoringv1.RuleGroup{Name: "more"})
		},
		"GroupRemoved": func(r *monitoringv1.PrometheusRule) { r.Spec.Groups = r.Spec.Groups[1:] },
		"OwnerRemoved": func(r *monitoringv1.PrometheusRule) { r.OwnerReferences = nil },
	}
	for name, drift := range drifts {
		t.Run(name, func(t *testing.T) {
			changed := rule(t, o, "to change", there)
			drift(changed)
			if err := admin.Update(ctx, changed); err != nil {
				t.Fatal(err)
			}
			rule(t, o, "to be repaired", func(r *monitoringv1.PrometheusRule) bool {
				return r.ResourceVersion != changed.ResourceVersion && cmp.Equal(made.Spec, r.Spec) && cmp.Equal(made.OwnerReferences, r.OwnerReferences)
			})
		})
	}
}

// rulesGo takes the reason for PrometheusRules away in every way there is.
func rulesGo(t *testing.T, op *operator, source *v1alpha1.MetricSource) {
	ctx, ns := context.Background(), source.Namespace
	back := func(change string) func(*v1alpha1.Objective) {
		return func(o *v1alpha1.Objective) { patch(t, source, change); rule(t, o, "to come back", there) }
	}
	cases := map[string]struct {
		take, giveBack func(*v1alpha1.Objective)
	}{
		"Deleted":     {take: func(o *v1alpha1.Objective) { deleteNow(t, o) }},
		"Suspended":   {take: func(o *v1alpha1.Objective) { patch(t, o, `{"spec":{"suspend":true}}`) }},
		"OutputNone":  {take: func(*v1alpha1.Objective) { patch(t, source, `{"spec":{"rules":{"output":"None"}}}`) }, giveBack: back(`{"spec":{"rules":{"output":"PrometheusRule"}}}`)},
		"OtherSink":   {take: func(*v1alpha1.Objective) { patch(t, source, `{"spec":{"rules":{"output":"ConfigMap"}}}`) }, giveBack: back(`{"spec":{"rules":{"output":"PrometheusRule"}}}`)},
		"OtherSource": {take: func(o *v1alpha1.Objective) { patch(t, o, `{"spec":{"sourceRef":{"name":"nowhere"}}}`) }},
		"SourceDeleted": {
			take: func(*v1alpha1.Objective) { deleteNow(t, source) },
			giveBack: func(o *v1alpha1.Objective) {
				*source = *aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule))
				create(t, source)
				rule(t, o, "to come back", there)
			},
		},
		"DeletedWhileDown": {take: func(o *v1alpha1.Objective) {
			op.stop()
			deleteNow(t, o)
			op = startOperator(t)
		}},
		"OutputNoneWhileDown": {
			take: func(*v1alpha1.Objective) {
				op.stop()
				patch(t, source, `{"spec":{"rules":{"output":"None"}}}`)
				op = startOperator(t)
			},
			giveBack: back(`{"spec":{"rules":{"output":"PrometheusRule"}}}`),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObjective(ns, strings.ToLower(name), always)
			create(t, o)
			rule(t, o, "to be made", there)
			tc.take(o)
			noRule(t, o)
			if err := env.admin.Get(ctx, client.ObjectKeyFromObject(o), o); err == nil && name != "OtherSink" {
				rulesSay(t, o, "")
			}
			if tc.giveBack != nil {
				tc.giveBack(o)
			}
		})
	}
}

func deleteNow(t testing.TB, o client.Object) {
	t.Helper()
	if err := env.admin.Delete(context.Background(), o); err != nil {
		t.Fatal(err)
	}
}

// ruleWrites counts the operator's writes of PrometheusRules in a namespace.
func ruleWrites(t testing.TB, ns string) int {
	t.Helper()
	return ruleRequests(t, ns, "create", "update", "patch", "delete", "deletecollection")
}

// ruleRequests counts the operator's requests for PrometheusRules in a namespace.
func ruleRequests(t testing.TB, ns string, verbs ...string) int {
	t.Helper()
	count := 0
	for _, e := range operatorRequests(t) {
		if e.Object.Resource == "prometheusrules" && e.Object.Namespace == ns && slices.Contains(verbs, e.Verb) {
			count++
		}
	}
	return count
}

// TestPrometheusRuleConflict shows that a PrometheusRule of somebody else stays
// as it is, and that the objective's comes when its name is free.
func TestPrometheusRuleConflict(t *testing.T) {
	ctx, admin := context.Background(), rulesAdmin(t)
	definePrometheusRules(t)
	startOperator(t)
	ns := namespace(t, "conflict")
	o := anObjective(ns, "up", always)
	foreign := &monitoringv1.PrometheusRule{
		TypeMeta:   metav1.TypeMeta{APIVersion: "monitoring.coreos.com/v1", Kind: "PrometheusRule"},
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "up", Labels: map[string]string{"team": "other"}},
	}
	if err := admin.Create(ctx, foreign); err != nil {
		t.Fatal(err)
	}
	create(t, aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), o)
	got := rulesSay(t, o, v1alpha1.ReasonSinkConflict)
	want := "PrometheusRule conflict/up is not the operator's, which leaves it alone: delete or rename it, or rename the objective"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if now := rule(t, o, "to stay", there); now.ResourceVersion != foreign.ResourceVersion {
		t.Errorf("somebody else's PrometheusRule was written: %v", now)
	}
	deleteNow(t, o)
	again := anObjective(ns, "up", always)
	create(t, again)
	rulesSay(t, again, v1alpha1.ReasonSinkConflict)
	if err := admin.Delete(ctx, foreign); err != nil {
		t.Fatal(err)
	}
	patch(t, again, `{"spec":{"target":"90%"}}`)
	rule(t, again, "to be made", func(r *monitoringv1.PrometheusRule) bool { return len(r.OwnerReferences) == 1 })
	rulesSay(t, again, v1alpha1.ReasonRulesPending)
}

// TestPrometheusRuleDefinition takes the kind away and brings it back while the
// operator runs, which starts without it.
func TestPrometheusRuleDefinition(t *testing.T) {
	definition(t, "delete", "--ignore-not-found")
	startOperator(t)
	ns := namespace(t, "undefined")
	o := anObjective(ns, "up", always)
	create(t, aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), o)
	want := "the kind PrometheusRule of monitoring.coreos.com/v1 is not installed: install the Prometheus operator's definitions, " +
		"or set spec.rules.output of the source to ConfigMap or None in the place of PrometheusRule"
	settled(t, o, v1alpha1.ReasonTargetMet)
	for round := range 2 {
		if diff := cmp.Diff(want, rulesSay(t, o, v1alpha1.ReasonSinkUnavailable)); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		began := time.Now()
		definePrometheusRules(t)
		rule(t, o, "to be made", there)
		t.Logf("round %d: the PrometheusRule came %s after its kind", round, time.Since(began).Round(time.Millisecond))
		rulesSay(t, o, v1alpha1.ReasonRulesPending)
		definition(t, "delete")
	}
	rulesSay(t, o, v1alpha1.ReasonSinkUnavailable)
	expect(t, o, row{KStatus: status.CurrentStatus, Conditions: map[string]string{
		"Ready": "True Evaluated", "Met": "True TargetMet", "RulesLoaded": "False SinkUnavailable",
	}})
}
