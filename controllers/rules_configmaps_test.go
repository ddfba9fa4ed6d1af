package controllers_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// ruleMaps gives the ConfigMaps of rules in a namespace.
func ruleMaps(t testing.TB, ns string) []corev1.ConfigMap {
	t.Helper()
	list := &corev1.ConfigMapList{}
	if err := env.admin.List(context.Background(), list, client.InNamespace(ns), client.HasLabels{"experience.slo/source-kind"}); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// ruleFiles gives the names of the rule files in a namespace, sorted.
func ruleFiles(t testing.TB, ns string) []string {
	t.Helper()
	names := []string{}
	for _, o := range ruleMaps(t, ns) {
		for name := range o.Data {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// awaitFiles waits until a namespace holds some rule files and no others.
func awaitFiles(t testing.TB, ns string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if want == nil {
		want = []string{}
	}
	var got []string
	deadline := time.Now().Add(patience)
	for got = ruleFiles(t, ns); !slices.Equal(got, want); got = ruleFiles(t, ns) {
		if time.Now().After(deadline) {
			t.Fatalf("rule files in %s: -want +got:\n%s", ns, cmp.Diff(want, got))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// bindWriter lets the operator keep ConfigMaps of rules in a namespace.
func bindWriter(t testing.TB, ns string) {
	t.Helper()
	const role = "experience-slo-rules-writer"
	out, err := env.kubectl("create", "rolebinding", role, "--clusterrole="+role,
		"--serviceaccount="+operatorNamespace+":"+operatorAccount, "--namespace="+ns)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// sharedOutput gives a ClusterMetricSource output ConfigMap in a namespace.
func sharedOutput(place v1alpha1.Label) func(*v1alpha1.ClusterMetricSourceSpec) {
	return func(s *v1alpha1.ClusterMetricSourceSpec) {
		ruled(v1alpha1.RulesOutputConfigMap)(&s.MetricSourceSpec)
		s.Rules.Namespace = place
	}
}

// TestConfigMaps follows the ConfigMaps of sources through what changes them.
func TestConfigMaps(t *testing.T) {
	ctx := context.Background()
	op := startOperator(t)
	ns, place := namespace(t, "filed"), namespace(t, "filed-elsewhere")
	source := clusterSource(t, "filing", sharedOutput(v1alpha1.Label(place)))
	a, b := anObjective(ns, "page-speed", shared("filing")), anObjective(ns, "up", always, shared("filing"))
	create(t, a, b)

	got := rulesSay(t, a, v1alpha1.ReasonSinkForbidden)
	want := `the operator may not write ConfigMaps in namespace "filed-elsewhere": run: kubectl create rolebinding experience-slo-rules-writer ` +
		"--clusterrole=experience-slo-rules-writer --serviceaccount=experience-slo-system:experience-slo-controller-manager --namespace=filed-elsewhere"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	_, command, _ := strings.Cut(got, "run: ")
	if out, err := env.kubectl(strings.Fields(command)[1:]...); err != nil {
		t.Fatalf("run %q: %v: %s", command, err, out)
	}
	patch(t, source, `{"spec":{"rules":{"objectLabels":{"reloader":"yes"}}}}`)
	both := []string{ns + ".page-speed.yaml", ns + ".up.yaml"}
	awaitFiles(t, place, both...)
	rulesSay(t, a, v1alpha1.ReasonRulesPending)

	stored := ruleMaps(t, place)[0]
	wantLabels := map[string]string{
		"app.kubernetes.io/managed-by": "experience-slo", "experience.slo/source-kind": "ClusterMetricSource",
		"experience.slo/source": "filing", "experience.slo/namespace": ns, "reloader": "yes",
	}
	if diff := cmp.Diff(wantLabels, stored.Labels); diff != "" {
		t.Errorf("labels: -want +got:\n%s", diff)
	}

	patch(t, &stored, `{"data":{"filed.up.yaml":"groups: []","more.yaml":"groups: []"},"metadata":{"labels":{"reloader":"no"}}}`)
	patch(t, b, `{"spec":{"target":"90%"}}`)
	awaitFiles(t, place, both...)
	eventually(t, "the repair of a file and a label", func() bool {
		now := ruleMaps(t, place)[0]
		return strings.Contains(now.Data["filed.up.yaml"], "delta1m") && now.Labels["reloader"] == "yes"
	})

	patch(t, source, `{"spec":{"rules":{"namespace":null}}}`)
	awaitFiles(t, operatorNamespace, both...)
	awaitFiles(t, place)
	patch(t, a, `{"spec":{"suspend":true}}`)
	awaitFiles(t, operatorNamespace, ns+".up.yaml")
	rulesSay(t, a, "")
	patch(t, a, `{"spec":{"suspend":false}}`)
	awaitFiles(t, operatorNamespace, both...)
	patch(t, source, `{"spec":{"rules":{"namespace":"filed-elsewhere"}}}`)
	awaitFiles(t, place, both...)
	awaitFiles(t, operatorNamespace)

	t.Run("Typo", func(t *testing.T) {
		patch(t, a, `{"spec":{"indicator":{"distribution":{"histogram":"web_vitals_lcp_seconds{"}}}}`)
		settled(t, a, v1alpha1.ReasonInvalidQuery)
		eventually(t, "a word on the rules that stay", func() bool {
			return strings.Contains(rulesSay(t, a, v1alpha1.ReasonRulesPending), "until it is mended")
		})
		before := ruleMaps(t, place)[0].Data
		patch(t, b, `{"spec":{"target":"80%"}}`)
		eventually(t, "a change of the other rules", func() bool { return ruleMaps(t, place)[0].Data["filed.up.yaml"] != before["filed.up.yaml"] })
		if diff := cmp.Diff(before["filed.page-speed.yaml"], ruleMaps(t, place)[0].Data["filed.page-speed.yaml"]); diff != "" {
			t.Errorf("the rules of a spec with a typo changed: -before +after:\n%s", diff)
		}
		awaitFiles(t, place, both...)
	})
	t.Run("WhileDown", func(t *testing.T) {
		op.stop()
		if err := env.admin.Delete(ctx, source); err != nil {
			t.Fatal(err)
		}
		if err := env.admin.Delete(ctx, a); err != nil {
			t.Fatal(err)
		}
		startOperator(t)
		awaitFiles(t, place)
		rulesSay(t, b, "")
		eventually(t, "the end of the record of places", func() bool {
			record := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "experience-slo-rules-places"}}
			return client.IgnoreNotFound(env.admin.Get(ctx, client.ObjectKeyFromObject(record), record)) == nil && record.UID == ""
		})
	})
}

// forbidLabel has the API server refuse ConfigMaps with the label "unwanted" in a
// namespace, for the rest of a test.
func forbidLabel(t testing.TB, ns string) {
	t.Helper()
	ctx, name := context.Background(), metav1.ObjectMeta{Name: "unwanted-" + ns}
	configMaps := admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
		Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
	}}
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: name, Spec: admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}},
			ResourceRules:     []admissionv1.NamedRuleWithOperations{configMaps},
		},
		Validations: []admissionv1.Validation{{Expression: "!('unwanted' in object.metadata.?labels.orValue({}))", Message: "no label unwanted here"}},
	}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
		PolicyName: name.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
	}}
	create(t, policy, binding)
	t.Cleanup(func() { deleteNow(t, binding); deleteNow(t, policy) })
	eventually(t, "the policy to hold", func() bool {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "probe", Labels: map[string]string{"unwanted": "x"}}}
		return env.admin.Create(ctx, probe, client.DryRunAll) != nil
	})
}

// TestRulesRefused shows what is said when the API server does not take rules,
// and when a name is somebody else's.
func TestRulesRefused(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "declined")
	bindWriter(t, ns)
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "experience-rules.taken." + ns + "-0"}, Data: map[string]string{"a": "b"}}
	create(t, foreign)
	forbidLabel(t, ns)
	cases := map[string]struct {
		reason  string
		change  func(*v1alpha1.MetricSourceSpec)
		want    string
		message string
	}{
		"taken": {
			reason: "a ConfigMap of somebody else stays as it is", change: ruled(v1alpha1.RulesOutputConfigMap), want: v1alpha1.ReasonSinkConflict,
			message: "ConfigMap declined/experience-rules.taken.declined-0 is not the operator's, which leaves it alone: delete or rename it",
		},
		"labelled": {
			reason: "what a policy of the cluster says is passed on", want: v1alpha1.ReasonRulesRejected,
			change: func(s *v1alpha1.MetricSourceSpec) {
				ruled(v1alpha1.RulesOutputConfigMap)(s)
				s.Rules.ObjectLabels = map[string]v1alpha1.ObjectLabel{"unwanted": "x"}
			},
			message: "no label unwanted here",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObjective(ns, name, always, from(v1alpha1.Name(name)))
			create(t, named(name, aSource(ns, env.prom.URL, tc.change)), o)
			if got := rulesSay(t, o, tc.want); !strings.Contains(got, tc.message) {
				t.Errorf("%s: message = %q, want %q in it", tc.reason, got, tc.message)
			}
			settled(t, o, v1alpha1.ReasonTargetMet)
		})
	}
	now := foreign.DeepCopy()
	if err := env.admin.Get(context.Background(), client.ObjectKeyFromObject(foreign), now); err != nil || now.ResourceVersion != foreign.ResourceVersion {
		t.Errorf("somebody else's ConfigMap was written: %v, %v", now, err)
	}
}
