package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RulesOutput says who evaluates the deltas and the alerts.
//
// +kubebuilder:validation:Enum=None;PrometheusRule;ConfigMap
type RulesOutput string

const (
	// RulesOutputNone has the operator evaluate the deltas through the query API.
	RulesOutputNone RulesOutput = "None"
	// RulesOutputPrometheusRule has a ruler that the Prometheus operator runs
	// evaluate them, from one PrometheusRule for each objective.
	RulesOutputPrometheusRule RulesOutput = "PrometheusRule"
	// RulesOutputConfigMap has a plain Prometheus evaluate them, from rule files
	// in ConfigMaps that it or a reloader beside it reads.
	RulesOutputConfigMap RulesOutput = "ConfigMap"
)

// PartialResponseStrategy says what a Thanos ruler does where a store does not
// answer.
//
// +kubebuilder:validation:Enum=Warn;Abort
type PartialResponseStrategy string

const (
	// PartialResponseWarn goes on with what there is.
	PartialResponseWarn PartialResponseStrategy = "Warn"
	// PartialResponseAbort gives no value.
	PartialResponseAbort PartialResponseStrategy = "Abort"
)

// Rules says who evaluates the deltas and the alerts, and how.
//
// +kubebuilder:validation:XValidation:rule="!has(self.namespace) || self.output == 'ConfigMap'",message="namespace is for output ConfigMap: a PrometheusRule is made in the namespace of its objective"
type Rules struct {
	// output is PrometheusRule, ConfigMap, or None: the operator evaluates the
	// deltas through the query API, and its own metrics carry the alerts.
	// +kubebuilder:default=None
	// +optional
	Output RulesOutput `json:"output,omitempty"`

	// namespace is where the ConfigMaps of a ClusterMetricSource are made: that
	// of the Prometheus that mounts them. The operator's own when it is not set.
	// Those of a MetricSource are made in its own namespace.
	// +optional
	Namespace Label `json:"namespace,omitempty"`

	// objectLabels are put on the PrometheusRules or ConfigMaps, for the
	// ruleSelector of a Prometheus or the selector of a reloader.
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && key.indexOf('/') <= 253)",message="objectLabels must have keys that Kubernetes takes for labels, such as release or example.com/team"
	// +kubebuilder:validation:XValidation:rule="self.all(key, !key.startsWith('app.kubernetes.io/managed-by') && !key.startsWith('experience.slo/'))",message="objectLabels must not hold app.kubernetes.io/managed-by nor a key that begins with experience.slo/: the operator finds its own objects by them; use another key"
	// +optional
	ObjectLabels map[string]ObjectLabel `json:"objectLabels,omitempty"`

	// labels are put on every recorded series and every alert, beside those of
	// spec.matchers.
	// +kubebuilder:validation:MaxProperties=8
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]{0,63}$') && !(name in ['__name__', 'alertname', 'namespace', 'objective', 'service', 'perspective', 'touchpoint', 'recipe', 'window', 'severity']))",message="labels must have names such as cluster: letters, digits and underscores, and none of __name__, alertname, namespace, objective, service, perspective, touchpoint, recipe, window, severity, which the operator sets"
	// +optional
	Labels map[string]ObjectLabel `json:"labels,omitempty"`

	// groupPrefix begins the names of the rule groups.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`
	// +kubebuilder:default=experience
	// +optional
	GroupPrefix string `json:"groupPrefix,omitempty"`

	// queryOffset is how far back the rules look, for samples that arrive late,
	// from 0s to 10m; the ruler's own default when it is not set.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('0s') && duration(self) <= duration('10m')",message="queryOffset must be between 0s and 10m, written like 1m30s"
	// +optional
	QueryOffset *metav1.Duration `json:"queryOffset,omitempty"`

	// partialResponseStrategy is for a Thanos ruler; plain Prometheus refuses
	// rule files that have one.
	// +optional
	PartialResponseStrategy PartialResponseStrategy `json:"partialResponseStrategy,omitempty"`
}

// ObjectLabel is the value of a label on an object or a series.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`
type ObjectLabel string

// Recorded says whether a ruler records the deltas.
func (r Rules) Recorded() bool {
	return r.Output == RulesOutputPrometheusRule || r.Output == RulesOutputConfigMap
}
