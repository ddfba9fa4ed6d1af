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

// prometheusRules have no owner: an object of a file has no identity that one could
// name.
func prometheusRules(all []rendered) []*monitoringv1.PrometheusRule {
	var out []*monitoringv1.PrometheusRule
	for _, r := range all {
		rule := r.rule()
		rule.Labels[rules.ManagedBy], rule.OwnerReferences = manager, nil
		out = append(out, rule)
	}
	return out
}

// rule is the object that the operator would make.
func (r rendered) rule() *monitoringv1.PrometheusRule {
	settings := rules.SettingsOf(r.source)
	if r.journey != nil {
		return rules.JourneyRule(r.journey, settings, r.groups[0])
	}
	return rules.PrometheusRule(r.plan, settings, r.groups)
}

// file is where the operator would write the rules, among other files.
func (r rendered) file() (shelf, string) {
	if r.journey != nil {
		return shelf{r.journey.Source(), r.journey.Key.Namespace}, rules.JourneyFileName(r.journey.Key)
	}
	return shelf{r.plan.Source, r.plan.Key.Namespace}, rules.FileName(r.plan.Key)
}
