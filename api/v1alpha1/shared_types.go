package v1alpha1

// ReconcileRequestAnnotation asks for an evaluation now: set it to any new
// value (a time, say) and status.lastHandledReconcileAt shows that value once
// the evaluation is done.
const ReconcileRequestAnnotation = "experience.slo/requestedAt"

// Name is the name of a Kubernetes object.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
type Name string

// Label is a short lower-case word that becomes a label value on metrics.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="use lower-case letters and digits, with dashes between them, such as mobile-app"
type Label string

// PromQL is an expression in Prometheus' query language.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=4096
type PromQL string

// Selector is a plain PromQL selector such as
// `http_requests_total{app="checkout"}`: a metric name and matchers, with no
// function, range or offset around it.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=4096
type Selector string

// Matchers is a list of PromQL matchers in braces, such as `{code=~"5.."}`.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="self.matches('^[{].*[}]$')",message="write matchers in braces, such as {code=~\"5..\"}"
type Matchers string

// Decimal is a decimal number written as a string, such as "2.5".
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=20
// +kubebuilder:validation:XValidation:rule="self.matches('^-?[0-9]+([.][0-9]+)?$')",message="write a plain decimal number without a unit, such as \"2.5\""
type Decimal string

// Target is what is promised: a percentage such as "75%" or, for scores, a
// number in the score's own unit such as "30" or "4.2".
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=12
// +kubebuilder:validation:XValidation:rule="self.matches('^-?[0-9]{1,6}([.][0-9]{1,5})?%?$')",message="write target as a percentage such as \"75%\" or, for apdex and scores, as a number such as \"30\" or \"4.2\", with at most five decimals"
type Target string

// Confidence is a level of confidence such as "95%", from 50% to 99.99%.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=6
// +kubebuilder:validation:XValidation:rule="self.matches('^[5-9][0-9]([.][0-9]{1,2})?%$')",message="confidence must be between 50% and 99.99%, such as 95%"
type Confidence string

// Perspective says whose view an objective takes.
//
// +kubebuilder:validation:Enum=UX;CX
type Perspective string

const (
	// PerspectiveUX is how one product feels in use.
	PerspectiveUX Perspective = "UX"
	// PerspectiveCX is everything that a customer meets, the product included.
	PerspectiveCX Perspective = "CX"
)

// SourceKind is a kind that says where metrics are.
//
// +kubebuilder:validation:Enum=MetricSource;ClusterMetricSource
type SourceKind string

const (
	// SourceKindMetricSource is a source in the objective's own namespace.
	SourceKindMetricSource SourceKind = "MetricSource"
	// SourceKindClusterMetricSource is a source that the cluster's owners share.
	SourceKindClusterMetricSource SourceKind = "ClusterMetricSource"
)

// DefaultSourceName is the ClusterMetricSource of objectives that name none.
const DefaultSourceName = "default"

// SourceReference names the source of an objective's metrics.
type SourceReference struct {
	// kind is MetricSource (in the same namespace) or ClusterMetricSource.
	// +required
	Kind SourceKind `json:"kind,omitempty"`

	// name is the name of the source.
	// +required
	Name Name `json:"name,omitempty"`
}
