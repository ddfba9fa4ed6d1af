package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IndicatorKind is a kind of reusable indicator.
//
// +kubebuilder:validation:Enum=Indicator;ClusterIndicator
type IndicatorKind string

const (
	// IndicatorKindIndicator is an indicator in the objective's own namespace.
	IndicatorKindIndicator IndicatorKind = "Indicator"
	// IndicatorKindClusterIndicator is an indicator that all namespaces share, as
	// those of the catalogue are.
	IndicatorKindClusterIndicator IndicatorKind = "ClusterIndicator"
)

// IndicatorReference names an indicator and gives its parameters.
type IndicatorReference struct {
	// kind is Indicator (in the same namespace) or ClusterIndicator.
	// +required
	Kind IndicatorKind `json:"kind,omitempty"`

	// name is the name of the indicator.
	// +required
	Name Name `json:"name,omitempty"`

	// parameters are the values of the indicator's parameters, by name. One that
	// is left out has the indicator's default.
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-z][A-Za-z0-9]{0,30}$'))",message="a parameter's name begins with a lower-case letter, with letters and digits behind it, 31 in all at most"
	// +optional
	Parameters map[string]ParameterValue `json:"parameters,omitempty"`
}

// ParameterValue is the value of a parameter, written as a string: "2.5", "5m" or
// checkout. Where it goes it stays a value: it cannot become a part of a query.
//
// +kubebuilder:validation:MaxLength=256
type ParameterValue string

// ParameterName is the name of a parameter; a template refers to it as ${name}.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=31
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][A-Za-z0-9]*$')",message="a parameter's name begins with a lower-case letter, with letters and digits behind it"
type ParameterName string

// ParameterType says what a parameter's values are.
//
// +kubebuilder:validation:Enum=String;Regex;Number;Duration
type ParameterType string

const (
	// ParameterTypeString is a text that a label must have. In a matcher of a regular
	// expression it stands for itself alone.
	ParameterTypeString ParameterType = "String"
	// ParameterTypeRegex is a regular expression that a label must match.
	ParameterTypeRegex ParameterType = "Regex"
	// ParameterTypeNumber is a plain decimal number.
	ParameterTypeNumber ParameterType = "Number"
	// ParameterTypeDuration is a Prometheus duration, such as 5m.
	ParameterTypeDuration ParameterType = "Duration"
)

// Parameter is what an objective may choose of an indicator.
type Parameter struct {
	// name is how the template refers to the parameter: ${name}.
	// +required
	Name ParameterName `json:"name,omitempty"`

	// type is String, Regex, Number or Duration.
	// +kubebuilder:default=String
	// +optional
	Type ParameterType `json:"type,omitempty"`

	// default is the value where an objective gives none. Without it an objective
	// must give one.
	// +optional
	Default *ParameterValue `json:"default,omitempty"`

	// pattern is a regular expression that the whole value must match.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Pattern string `json:"pattern,omitempty"`

	// description says what the parameter is for.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Description string `json:"description,omitempty"`
}

// NumberOrParameter is a decimal number written as a string, or ${name} of a
// parameter of type Number.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=34
// +kubebuilder:validation:XValidation:rule="self.matches('^(-?[0-9]+([.][0-9]+)?|[$][{][a-z][A-Za-z0-9]*[}])$')",message="write a plain decimal number such as \"2.5\", or a parameter such as ${threshold}"
type NumberOrParameter string

// IndicatorTemplate is an indicator in which parameters stand as ${name}: set
// exactly one.
//
// +kubebuilder:validation:XValidation:rule="[has(self.events), has(self.distribution), has(self.apdex), has(self.score), has(self.state), has(self.queries)].filter(set, set).size() == 1",message="set exactly one of events, distribution, apdex, score, state, queries"
type IndicatorTemplate struct {
	// events counts good (or bad) events among all events, from counters.
	// +optional
	Events *EventsIndicator `json:"events,omitempty"`

	// distribution counts the events of a histogram that stay within a threshold.
	// +optional
	Distribution *DistributionTemplate `json:"distribution,omitempty"`

	// apdex gives one point to a satisfied event, half a point to a tolerating
	// one and none to a frustrated or failed one.
	// +optional
	Apdex *ApdexTemplate `json:"apdex,omitempty"`

	// score is a mean of answers (CSAT, CES, stars) or a Net Promoter Score.
	// +optional
	Score *ScoreIndicator `json:"score,omitempty"`

	// state checks a condition once a minute; a minute in which it holds is good.
	// +optional
	State *StateTemplate `json:"state,omitempty"`

	// queries takes two PromQL expressions over $interval.
	// +optional
	Queries *QueriesIndicator `json:"queries,omitempty"`
}

// DistributionTemplate counts the events of a histogram within a threshold.
type DistributionTemplate struct {
	// histogram selects the histogram by its base name, without _bucket.
	// +required
	Histogram Selector `json:"histogram,omitempty"`

	// format is Classic or Native.
	// +kubebuilder:default=Classic
	// +optional
	Format HistogramFormat `json:"format,omitempty"`

	// threshold is the largest good value, in the histogram's unit.
	// +required
	Threshold NumberOrParameter `json:"threshold,omitempty"`

	// poorAbove is the value above which an event is poor.
	// +optional
	PoorAbove NumberOrParameter `json:"poorAbove,omitempty"`

	// interpolate lets a threshold lie between two bucket boundaries; the count
	// is then estimated.
	// +optional
	Interpolate *bool `json:"interpolate,omitempty"`
}

// ApdexTemplate is the Application Performance Index of a histogram.
type ApdexTemplate struct {
	// histogram selects the histogram by its base name, without _bucket.
	// +required
	Histogram Selector `json:"histogram,omitempty"`

	// format is Classic or Native.
	// +kubebuilder:default=Classic
	// +optional
	Format HistogramFormat `json:"format,omitempty"`

	// satisfied is the largest value that satisfies, in the histogram's unit.
	// +required
	Satisfied NumberOrParameter `json:"satisfied,omitempty"`

	// tolerated is the largest value that is tolerated; four times satisfied
	// when absent.
	// +optional
	Tolerated NumberOrParameter `json:"tolerated,omitempty"`

	// failed are matchers of events that count as frustrated however fast they
	// were, such as {code=~"5.."}.
	// +optional
	Failed Matchers `json:"failed,omitempty"`

	// interpolate lets satisfied and tolerated lie between bucket boundaries.
	// +optional
	Interpolate *bool `json:"interpolate,omitempty"`
}

// StateTemplate checks a condition once a minute.
type StateTemplate struct {
	// query is an expression that gives one or more values each minute; the
	// condition holds when it holds for every one of them.
	// +required
	Query PromQL `json:"query,omitempty"`

	// operator compares the values with value.
	// +required
	Operator Operator `json:"operator,omitempty"`

	// value is the promised value.
	// +required
	Value NumberOrParameter `json:"value,omitempty"`

	// noData says what a minute without data is, counted from the creation of
	// the objective.
	// +kubebuilder:default=Ignore
	// +optional
	NoData NoDataPolicy `json:"noData,omitempty"`
}

// IndicatorSpec is an indicator for use by many objectives.
type IndicatorSpec struct {
	// description says in a sentence for people what is measured.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Description string `json:"description,omitempty"`

	// parameters are what an objective may choose.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	Parameters []Parameter `json:"parameters,omitempty"`

	// template is the indicator, in which ${name} stands for a parameter: in the
	// value of a label's matcher, in the place of a number or of a duration.
	// +required
	Template IndicatorTemplate `json:"template,omitzero"`

	// calendarRef names the Calendar of an objective that names none itself. It is in
	// the objective's namespace, not in the indicator's.
	// +optional
	CalendarRef *CalendarReference `json:"calendarRef,omitempty"`

	// perspective tells readers whose view it takes; an objective says for itself.
	// +optional
	Perspective Perspective `json:"perspective,omitempty"`

	// unit tells readers what the measured values are in, such as seconds.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Unit string `json:"unit,omitempty"`

	// defaultTarget tells readers what target to begin with; an objective says
	// its own.
	// +optional
	DefaultTarget Target `json:"defaultTarget,omitempty"`

	// defaultWindow tells readers what window to begin with; an objective says its
	// own.
	// +optional
	DefaultWindow RollingWindow `json:"defaultWindow,omitempty"`

	// minimumEvents tells readers how many events a verdict should need; an
	// objective says its own.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	// +optional
	MinimumEvents *int64 `json:"minimumEvents,omitempty"`
}

// Indicator is an indicator for the objectives of its namespace. It has no
// status: whether it can be measured depends on the parameters, and is written on
// each objective that uses it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=xi,categories=experience
// +kubebuilder:printcolumn:name="Perspective",type=string,JSONPath=`.spec.perspective`
// +kubebuilder:printcolumn:name="Unit",type=string,JSONPath=`.spec.unit`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.defaultTarget`
// +kubebuilder:printcolumn:name="Window",type=string,JSONPath=`.spec.defaultWindow`
// +kubebuilder:printcolumn:name="Description",type=string,JSONPath=`.spec.description`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Indicator struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the indicator.
	// +required
	Spec IndicatorSpec `json:"spec,omitzero"`
}

// IndicatorList is a list of indicators.
//
// +kubebuilder:object:root=true
type IndicatorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Indicator `json:"items"`
}

// ClusterIndicator is an indicator for the objectives of all namespaces. It has no
// status: whether it can be measured depends on the parameters, and is written on
// each objective that uses it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=cxi,categories=experience
// +kubebuilder:printcolumn:name="Perspective",type=string,JSONPath=`.spec.perspective`
// +kubebuilder:printcolumn:name="Unit",type=string,JSONPath=`.spec.unit`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.defaultTarget`
// +kubebuilder:printcolumn:name="Window",type=string,JSONPath=`.spec.defaultWindow`
// +kubebuilder:printcolumn:name="Description",type=string,JSONPath=`.spec.description`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClusterIndicator struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the indicator.
	// +required
	Spec IndicatorSpec `json:"spec,omitzero"`
}

// ClusterIndicatorList is a list of cluster indicators.
//
// +kubebuilder:object:root=true
type ClusterIndicatorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterIndicator `json:"items"`
}

// IndicatorSpec returns the spec.
func (i *Indicator) IndicatorSpec() *IndicatorSpec { return &i.Spec }

// IndicatorSpec returns the spec.
func (i *ClusterIndicator) IndicatorSpec() *IndicatorSpec { return &i.Spec }
