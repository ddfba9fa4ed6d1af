package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AlertMode switches an alert on or off.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type AlertMode string

const (
	// AlertEnabled is an alert that fires.
	AlertEnabled AlertMode = "Enabled"
	// AlertDisabled is an alert that is not installed.
	AlertDisabled AlertMode = "Disabled"
)

// AlertText is the value of a label or an annotation of an alert.
//
// +kubebuilder:validation:MaxLength=1024
type AlertText string

// AlertTier is what the alerts of one severity carry beside what they always do.
type AlertTier struct {
	// mode is Enabled or Disabled.
	// +kubebuilder:default=Enabled
	// +optional
	Mode AlertMode `json:"mode,omitempty"`

	// labels are added to the alerts, for routing: team, say. A severity here
	// replaces critical or warning.
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]{0,63}$') && !(name in ['__name__', 'alertname', 'namespace', 'objective', 'service', 'perspective', 'touchpoint', 'recipe', 'window']))",message="labels must have names such as team: letters, digits and underscores, and none of __name__, alertname, namespace, objective, service, perspective, touchpoint, recipe, window, which the operator sets"
	// +kubebuilder:validation:XValidation:rule="self.all(name, !self[name].contains('{{'))",message="labels must not hold templates: a label that changes makes a new alert; use annotations"
	// +optional
	Labels map[string]AlertText `json:"labels,omitempty"`

	// annotations are added to the alerts; they may hold Prometheus' templates.
	// A summary or a description here replaces the operator's.
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]{0,63}$'))",message="annotations must have names such as summary: letters, digits and underscores"
	// +optional
	Annotations map[string]AlertText `json:"annotations,omitempty"`
}

// DataAbsentAlert is the alert that data which was there is there no more.
type DataAbsentAlert struct {
	AlertTier `json:",inline"`

	// after is how long data must be absent, from 5m to 168h; 1h for UX and 24h
	// for CX when it is not set.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('5m') && duration(self) <= duration('168h')",message="after must be between 5m and 168h, written like 1h30m"
	// +optional
	After *metav1.Duration `json:"after,omitempty"`
}

// Alerting says which alerts are installed and what they carry. Each is on
// unless its mode is Disabled; scores never page.
type Alerting struct {
	// page is the alerts of the fast tiers, for a person who is called at once.
	// It can't be set for scores: surveys never page.
	// +optional
	Page *AlertTier `json:"page,omitempty"`

	// ticket is the alerts of the slow tiers, for the next working day.
	// +optional
	Ticket *AlertTier `json:"ticket,omitempty"`

	// dataAbsent is the alert that data which was there is there no more. A
	// counter that has not been born yet is idle, not absent.
	// +optional
	DataAbsent *DataAbsentAlert `json:"dataAbsent,omitempty"`

	// minimumBadEvents is how many bad events the long window of a tier must
	// hold, so that one unlucky event at a quiet hour wakes nobody.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +kubebuilder:default=3
	// +optional
	MinimumBadEvents int64 `json:"minimumBadEvents,omitempty"`

	// keepFiringFor keeps an alert firing for a while after its cause is gone,
	// from 0s to 24h.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="keepFiringFor must be between 0s and 24h, written like 10m"
	// +optional
	KeepFiringFor *metav1.Duration `json:"keepFiringFor,omitempty"`

	// runbookURL is where on-call reads what to do; the operator's own runbook
	// when it is not set.
	// +optional
	RunbookURL WebAddress `json:"runbookURL,omitempty"`

	// dashboardURL is where on-call looks at the figures.
	// +optional
	DashboardURL WebAddress `json:"dashboardURL,omitempty"`
}

// WebAddress is the address of a page for people.
//
// +kubebuilder:validation:MinLength=8
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^ {}]+$')",message="write an address that begins with http:// or https://, without spaces and braces"
type WebAddress string

// On says whether the alerts of the tier are installed.
func (t *AlertTier) On() bool { return t == nil || t.Mode != AlertDisabled }
