package cli

import (
	"bytes"
	"fmt"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/internal/rules"
)

// What render prints.
const (
	outputRules          = "rules"
	outputPrometheusRule = "prometheusrule"
	outputConfigMap      = "configmap"
)

var outputs = []string{outputRules, outputPrometheusRule, outputConfigMap}

// write gives the rules as one stream of YAML.
func write(output string, all []rendered) ([]byte, error) {
	switch output {
	case outputPrometheusRule:
		return stream(prometheusRules(all))
	case outputConfigMap:
		maps, err := configMaps(all)
		if err != nil {
			return nil, err
		}
		return stream(maps)
	default:
		var groups []monitoringv1.RuleGroup
		for _, r := range all {
			groups = append(groups, r.groups...)
		}
		return rules.File(groups)
	}
}

// stream writes objects as documents.
func stream[T any](objects []T) ([]byte, error) {
	var out bytes.Buffer
	for i, object := range objects {
		text, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("write object: %w", err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// manager is who made an object. It is not the operator: what is applied by hand
// the operator leaves alone.
const manager = "kubectl-experience"

// prometheusRules have no owner: an objective of a file has no identity that one
// could name.
func prometheusRules(all []rendered) []*monitoringv1.PrometheusRule {
	var out []*monitoringv1.PrometheusRule
	for _, r := range all {
		rule := rules.PrometheusRule(r.plan, rules.SettingsOf(r.source), r.groups)
		rule.Labels[rules.ManagedBy], rule.OwnerReferences = manager, nil
		out = append(out, rule)
	}
	return out
}
