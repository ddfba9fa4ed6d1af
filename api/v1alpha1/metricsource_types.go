package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MetricSource says where the metrics of its namespace's objectives are.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=xms,categories=experience
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`,priority=1
// +kubebuilder:printcolumn:name="Retention",type=string,JSONPath=`.status.retention`,priority=1
// +kubebuilder:printcolumn:name="Loaded",type=integer,JSONPath=`.status.rules.loaded`,priority=1
// +kubebuilder:printcolumn:name="Expected",type=integer,JSONPath=`.status.rules.expected`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type MetricSource struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says where the metrics are.
	// +kubebuilder:validation:XValidation:rule="!has(self.rules) || !has(self.rules.namespace)",message="rules.namespace is for a ClusterMetricSource: the ConfigMaps of a MetricSource are made in its own namespace, leave it out"
	// +required
	Spec MetricSourceSpec `json:"spec,omitzero"`

	// status is what the operator found there.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status MetricSourceStatus `json:"status,omitzero"`
}

// MetricSourceList is a list of metric sources.
//
// +kubebuilder:object:root=true
type MetricSourceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MetricSource `json:"items"`
}

// SourceSpec returns the part of the spec that both kinds of source have.
func (s *MetricSource) SourceSpec() *MetricSourceSpec { return &s.Spec }

// SourceStatus returns the status.
func (s *MetricSource) SourceStatus() *MetricSourceStatus { return &s.Status }
