package cli

import (
	"log/slog"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

const samplesFolder = "../../../config/samples" // from testdata

// partsOf decodes each document of a stream.
func partsOf[T any](t *testing.T, stream string) []T {
	t.Helper()
	var out []T
	for text := range strings.SplitSeq(stream, "\n---\n") {
		var v T
		if err := yaml.UnmarshalStrict([]byte(text), &v); err != nil {
			t.Fatalf("decode: %v in:\n%s", err, text)
		}
		out = append(out, v)
	}
	return out
}

// groupsOf gives the groups of a rule file by name.
func groupsOf(t *testing.T, text string, into map[string]monitoringv1.RuleGroup) {
	t.Helper()
	for _, group := range partsOf[monitoringv1.PrometheusRuleSpec](t, text)[0].Groups {
		if _, twice := into[group.Name]; twice {
			t.Errorf("group %q is there twice", group.Name)
		}
		into[group.Name] = group
	}
}

// TestSamples renders all samples in each way. They hold the same groups, and
// Prometheus takes them.
func TestSamples(t *testing.T) {
	all := map[string]string{}
	for _, output := range outputs {
		got := run(t, nil, "render", "-f", samplesFolder, "-n", "shop", "-o", output)
		t.Chdir("..")
		if got.Code != Done {
			t.Fatalf("samples are refused: %s", got.Err)
		}
		all[output] = got.Out
	}
	want := map[string]monitoringv1.RuleGroup{}
	groupsOf(t, all[outputRules], want)
	if len(want) < 10 {
		t.Fatalf("only %d groups of all samples", len(want))
	}
	if diff := cmp.Diff(want, groupsOfPrometheusRules(t, all[outputPrometheusRule])); diff != "" {
		t.Errorf("groups: -rules, +prometheusrule:\n%s", diff)
	}
	inMaps := map[string]monitoringv1.RuleGroup{}
	for _, o := range partsOf[corev1.ConfigMap](t, all[outputConfigMap]) {
		for _, text := range o.Data {
			groupsOf(t, text, inMaps)
		}
	}
	if diff := cmp.Diff(want, inMaps); diff != "" {
		t.Errorf("groups: -rules, +configmap:\n%s", diff)
	}
	checkRules(t, all[outputRules])
}

// groupsOfPrometheusRules gives the groups of a stream of objects, which must not
// read as if the operator had made them.
func groupsOfPrometheusRules(t *testing.T, stream string) map[string]monitoringv1.RuleGroup {
	t.Helper()
	out := map[string]monitoringv1.RuleGroup{}
	for _, rule := range partsOf[monitoringv1.PrometheusRule](t, stream) {
		if rule.Namespace != "shop" || len(rule.OwnerReferences) > 0 || rule.Labels["app.kubernetes.io/managed-by"] != "kubectl-experience" {
			t.Errorf("PrometheusRule reads as one that the operator made: %+v", rule.ObjectMeta)
		}
		for _, group := range rule.Spec.Groups {
			out[group.Name] = group
		}
	}
	return out
}

// checkRules asks Prometheus' own checkers.
func checkRules(t *testing.T, file string) {
	t.Helper()
	_, errs := rulefmt.Parse([]byte(file), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Errorf("Prometheus refuses the rule file: %v", errs)
	}
	cmd := exec.CommandContext(t.Context(), "../../bin/promtool", "check", "rules")
	cmd.Stdin = strings.NewReader(file)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("check rules with promtool (make parts builds it): %v: %s", err, text)
	}
}

// TestSameInput checks that the order of the manifests changes nothing.
func TestSameInput(t *testing.T) {
	a := run(t, nil, "render", "-f", "shop/objective.yaml", "-f", "other.yaml", "-f", "shop/source.yml")
	t.Chdir("..")
	b := run(t, nil, "render", "-f", "shop/source.yml", "-f", "other.yaml", "-f", "shop/objective.yaml")
	if a.Code != Done || a.Out != b.Out {
		t.Errorf("the order of files matters: %d, %s, -one, +other:\n%s", a.Code, a.Err, cmp.Diff(a.Out, b.Out))
	}
	if first, second := strings.Index(a.Out, "bank/opening"), strings.Index(a.Out, "shop/task-success"); first < 0 || second < first {
		t.Errorf("objectives are not sorted by namespace and name:\n%s", a.Out)
	}
}

func TestConfigMapPlaces(t *testing.T) {
	local := compile.SourceKey{Kind: v1alpha1.SourceKindMetricSource, Namespace: "shop", Name: "team"}
	shared := compile.SourceKey{Kind: v1alpha1.SourceKindClusterMetricSource, Name: "default"}
	long := strings.Repeat("x", 253)
	type args struct {
		source compile.SourceKey
		rules  v1alpha1.Rules
	}
	cases := map[string]struct {
		reason string
		args   args
		want   [2]string
	}{
		"Local":      {reason: "in the source's own namespace", args: args{source: local}, want: [2]string{"shop", "experience-rules.team.shop-0"}},
		"LocalElse":  {reason: "wherever else is named", args: args{local, v1alpha1.Rules{Namespace: "monitoring"}}, want: [2]string{"shop", "experience-rules.team.shop-0"}},
		"Shared":     {reason: "in that of the operator", args: args{source: shared}, want: [2]string{"experience-slo-system", "experience-cluster-rules.default.shop-0"}},
		"SharedElse": {reason: "unless another is named", args: args{shared, v1alpha1.Rules{Namespace: "monitoring"}}, want: [2]string{"monitoring", "experience-cluster-rules.default.shop-0"}},
		"Long": {
			reason: "a name that is too long is cut, and differs from others that begin as it does",
			args:   args{source: compile.SourceKey{Kind: v1alpha1.SourceKindClusterMetricSource, Name: long}},
			want:   [2]string{"experience-slo-system", "experience-cluster-rules." + long[:133] + "-1329e1bd71a6a7b2.shop-0"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan := &compile.Plan{Source: tc.args.source}
			plan.Key.Namespace, plan.Key.Name = "shop", "promise"
			got, err := configMaps([]rendered{{plan: plan, source: &v1alpha1.MetricSourceSpec{Rules: tc.args.rules}}})
			if err != nil || len(got) != 1 {
				t.Fatalf("%d ConfigMaps, %v", len(got), err)
			}
			if diff := cmp.Diff(tc.want, [2]string{got[0].Namespace, got[0].Name}); diff != "" {
				t.Errorf("%s: namespace and name: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
