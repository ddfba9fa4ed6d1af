package alerting_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/hack/parts"
)

// run runs one of the programs and gives what it printed.
func run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	bin, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), bin.Path(program), args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

func TestPromtoolAcceptsWhatIsShipped(t *testing.T) {
	t.Parallel()
	if out, err := run(t, parts.Promtool, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(shipped, "rules.yaml")); err != nil {
		t.Errorf("promtool check rules: %v: %s", err, out)
	}
	suites, err := filepath.Glob(filepath.Join(shipped, "tests", "*.yaml"))
	if err != nil || len(suites) == 0 {
		t.Fatalf("tests of rules: want some, got %v, %v", suites, err)
	}
	if out, err := run(t, parts.Promtool, append([]string{"test", "rules"}, suites...)...); err != nil {
		t.Errorf("promtool test rules: %v: %s", err, out)
	}
}

// suite is a file of promtool tests.
type suite struct {
	Tests []struct {
		Alerts []struct {
			Name  string `json:"alertname"`
			Fires []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

// tested are the alerts that promtool looks at while they fire, and those that
// it looks at while they do not.
func tested(t *testing.T) (fires, quiet map[string]bool) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(shipped, "tests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	fires, quiet = map[string]bool{}, map[string]bool{}
	for _, path := range paths {
		var s suite
		if err := yaml.Unmarshal([]byte(readFile(t, path)), &s); err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		for _, test := range s.Tests {
			for _, alert := range test.Alerts {
				if len(alert.Fires) > 0 {
					fires[alert.Name] = true
				} else {
					quiet[alert.Name] = true
				}
			}
		}
	}
	return fires, quiet
}

func TestEveryShippedAlertIsTested(t *testing.T) {
	t.Parallel()
	fires, quiet := tested(t)
	for _, group := range plainGroups(t) {
		for i := range group.Rules {
			if name := group.Rules[i].Alert; !fires[name] || !quiet[name] {
				t.Errorf("%s: tested while it fires: %t, while it does not: %t", name, fires[name], quiet[name])
			}
		}
	}
}

func plainGroups(t *testing.T) []monitoringv1.RuleGroup {
	t.Helper()
	var plain monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict([]byte(readFile(t, filepath.Join(shipped, "rules.yaml"))), &plain); err != nil {
		t.Fatalf("read rules: %v", err)
	}
	return plain.Groups
}

// TestManifestHoldsTheSameRules compares the rules of a plain Prometheus with
// those that kubectl apply -k config/prometheus installs.
func TestManifestHoldsTheSameRules(t *testing.T) {
	t.Parallel()
	out, err := run(t, parts.Kubectl, "kustomize", shipped)
	if err != nil {
		t.Fatalf("kubectl kustomize: %v: %s", err, out)
	}
	var manifest monitoringv1.PrometheusRule
	for document := range strings.SplitSeq(out, "\n---\n") {
		if strings.Contains(document, "kind: PrometheusRule\n") {
			if err := yaml.UnmarshalStrict([]byte(document), &manifest); err != nil {
				t.Fatalf("read manifest: %v", err)
			}
		}
	}
	if manifest.Namespace != "experience-slo-system" || manifest.Name != "experience-slo-alerts" {
		t.Errorf("manifest is of %s/%s, want experience-slo-system/experience-slo-alerts", manifest.Namespace, manifest.Name)
	}
	if diff := cmp.Diff(plainGroups(t), manifest.Spec.Groups); diff != "" {
		t.Errorf("rules.yaml and prometheusrule.yaml differ: -rules.yaml, +prometheusrule.yaml:\n%s", diff)
	}
}

// TestShippedAlertsSayWhatToDo checks what on-call wants of each alert.
func TestShippedAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	const runbooks = "https://github.com/experience-slo/operator/blob/main/docs/runbooks/"
	alerts := 0
	for _, group := range plainGroups(t) {
		for i := range group.Rules {
			rule := &group.Rules[i]
			alerts++
			if got, want := rule.Annotations["runbook_url"], runbooks+rule.Alert+".md"; got != want {
				t.Errorf("%s: runbook_url = %q, want %q", rule.Alert, got, want)
			}
			for _, name := range []string{"summary", "description"} {
				if rule.Annotations[name] == "" {
					t.Errorf("%s has no annotation %s", rule.Alert, name)
				}
			}
			// The severity of a budget that burns is a label of the metric.
			if severity := rule.Labels["severity"]; rule.Alert != "ExperienceBudgetBurn" && severity != "critical" && severity != "warning" {
				t.Errorf("%s: severity = %q, want critical or warning", rule.Alert, severity)
			}
		}
	}
	if alerts != 6 {
		t.Errorf("%d alerts are shipped, want 6", alerts)
	}
}
