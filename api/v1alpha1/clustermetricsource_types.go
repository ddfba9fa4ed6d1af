package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AllowedNamespaces says which namespaces' objectives may use a source.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) || has(self.selector)",message="set names, selector or both; leave allowedNamespaces out to allow every namespace"
type AllowedNamespaces struct {
	// names are the names of allowed namespaces.
	// +kubebuilder:validation:MaxItems=256
	// +listType=set
	// +optional
	Names []Label `json:"names,omitempty"`

	// selector selects allowed namespaces by their labels.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ClusterMetricSourceSpec is a source with the namespaces that may use it.
type ClusterMetricSourceSpec struct {
	MetricSourceSpec `json:",inline"`

	// allowedNamespaces says which namespaces' objectives may use the source;
	// all when absent.
	// +optional
	AllowedNamespaces *AllowedNamespaces `json:"allowedNamespaces,omitempty"`
}

// ClusterMetricSource says where the metrics of a whole cluster are. An
// objective that names no source uses the one named default.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=cxms,categories=experience
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`,priority=1
// +kubebuilder:printcolumn:name="Retention",type=string,JSONPath=`.status.retention`,priority=1
// +kubebuilder:printcolumn:name="Loaded",type=integer,JSONPath=`.status.rules.loaded`,priority=1
// +kubebuilder:printcolumn:name="Expected",type=integer,JSONPath=`.status.rules.expected`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClusterMetricSource struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says where the metrics are.
	// +required
	Spec ClusterMetricSourceSpec `json:"spec,omitzero"`

	// status is what the operator found there.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status MetricSourceStatus `json:"status,omitzero"`
}

// ClusterMetricSourceList is a list of cluster metric sources.
//
// +kubebuilder:object:root=true
type ClusterMetricSourceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterMetricSource `json:"items"`
}

// SourceSpec returns the part of the spec that both kinds of source have.
func (s *ClusterMetricSource) SourceSpec() *MetricSourceSpec { return &s.Spec.MetricSourceSpec }

// SourceStatus returns the status.
func (s *ClusterMetricSource) SourceStatus() *MetricSourceStatus { return &s.Status }
