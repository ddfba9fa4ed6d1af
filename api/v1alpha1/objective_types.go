package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CalendarUnit is a stretch of the calendar that a promise covers.
//
// +kubebuilder:validation:Enum=Week;Month;Quarter;Year
type CalendarUnit string

// TimeZone is a time zone by its IANA name, such as Asia/Kolkata.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_+/-]+$')",message="timeZone must be an IANA name such as Asia/Kolkata"
type TimeZone string

// RollingWindow is a whole number of hours, days or weeks, such as 28d.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=6
// +kubebuilder:validation:XValidation:rule="self.matches('^[1-9][0-9]{0,3}[hdw]$') && int(self.substring(0, size(self) - 1)) <= (self.endsWith('h') ? 9600 : (self.endsWith('d') ? 400 : 57))",message="rolling must be a whole number of hours, days or weeks from 1h to 400d (9600h, 57w), such as 28d"
type RollingWindow string

// CalendarWindow is the present week, month, quarter or year.
type CalendarWindow struct {
	// unit is Week (from Monday), Month, Quarter or Year.
	// +required
	Unit CalendarUnit `json:"unit,omitempty"`

	// timeZone is the IANA time zone whose midnight begins the unit.
	// +kubebuilder:default=UTC
	// +optional
	TimeZone TimeZone `json:"timeZone,omitempty"`
}

// Window is the time that a promise covers: set exactly one.
//
// +kubebuilder:validation:XValidation:rule="has(self.rolling) != has(self.calendar)",message="set exactly one of rolling, calendar, for example rolling: 28d"
type Window struct {
	// rolling is the time up to now, from 1h to 400d.
	// +optional
	Rolling RollingWindow `json:"rolling,omitempty"`

	// calendar is the present calendar unit.
	// +optional
	Calendar *CalendarWindow `json:"calendar,omitempty"`
}

// NewSeriesPolicy says from where a counter that was not there before counts.
//
// +kubebuilder:validation:Enum=OnKnownTarget;FromZero;Ignore
type NewSeriesPolicy string

const (
	// NewSeriesOnKnownTarget counts a new series from zero when its target was
	// scraped a minute before or its process is younger than five minutes.
	NewSeriesOnKnownTarget NewSeriesPolicy = "OnKnownTarget"
	// NewSeriesFromZero counts every new series from zero: for pushed metrics,
	// which have no up series.
	NewSeriesFromZero NewSeriesPolicy = "FromZero"
	// NewSeriesIgnore counts a new series from its first sample on.
	NewSeriesIgnore NewSeriesPolicy = "Ignore"
)

// ObjectiveSpec is a promise to the people who use a service.
//
// +kubebuilder:validation:XValidation:rule="has(self.indicator.score) || has(self.indicator.apdex) || has(self.indicator.ref) || self.target.endsWith('%')",message="target must be a percentage such as \"75%\" for this indicator"
// +kubebuilder:validation:XValidation:rule="!(has(self.indicator.score) || has(self.indicator.apdex)) || !self.target.endsWith('%')",message="target must be a plain number in the score's own unit for this indicator, such as \"0.85\" for apdex, \"30\" for netPromoter or \"4.2\" for mean"
// +kubebuilder:validation:XValidation:rule="!self.target.endsWith('%') || (double(self.target.substring(0, size(self.target) - 1)) > 0.0 && double(self.target.substring(0, size(self.target) - 1)) < 100.0)",message="target must be above 0% and below 100%: a target of 100% has no error budget"
// +kubebuilder:validation:XValidation:rule="!has(self.indicator.apdex) || self.target.endsWith('%') || (double(self.target) > 0.0 && double(self.target) < 1.0)",message="target of an apdex must be above 0 and below 1"
// +kubebuilder:validation:XValidation:rule="!has(self.indicator.score) || !has(self.indicator.score.netPromoter) || self.target.endsWith('%') || (double(self.target) > -100.0 && double(self.target) < 100.0)",message="target of a netPromoter score must be above -100 and below 100"
// +kubebuilder:validation:XValidation:rule="!has(self.indicator.score) || !has(self.indicator.score.mean) || self.target.endsWith('%') || (double(self.target) > double(self.indicator.score.mean.lowest) && double(self.target) < double(self.indicator.score.mean.highest))",message="target of a mean score must lie between lowest and highest"
// +kubebuilder:validation:XValidation:rule="!has(self.groupBy) || !(has(self.indicator.state) || has(self.indicator.queries))",message="groupBy needs an indicator of plain selectors: use events, distribution, apdex or score, or remove groupBy"
// +kubebuilder:validation:XValidation:rule="!has(self.indicator.score) || !has(self.alerting) || !has(self.alerting.page)",message="alerting.page cannot be set for a score: surveys never page, use alerting.ticket"
type ObjectiveSpec struct {
	// service is the service that makes the promise.
	// +required
	Service Label `json:"service,omitempty"`

	// perspective is UX (the product in use) or CX (everything a customer meets).
	// +required
	Perspective Perspective `json:"perspective,omitempty"`

	// touchpoint is where people meet the service: web, mobile-app, phone,
	// email, store, delivery and so on.
	// +optional
	Touchpoint Label `json:"touchpoint,omitempty"`

	// description says the promise in a sentence for people.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Description string `json:"description,omitempty"`

	// sourceRef names the source of the metrics; ClusterMetricSource/default
	// when absent.
	// +optional
	SourceRef *SourceReference `json:"sourceRef,omitempty"`

	// indicator says how the experience is measured.
	// +required
	Indicator ObjectiveIndicator `json:"indicator,omitzero"`

	// target is what is promised, such as "75%", "30" or "4.2".
	// +required
	Target Target `json:"target,omitempty"`

	// window is the time that the promise covers.
	// +required
	Window Window `json:"window,omitzero"`

	// calendarRef names a Calendar: then only the minutes that it says are open count.
	// It comes before that of the indicator.
	// +optional
	CalendarRef *CalendarReference `json:"calendarRef,omitempty"`

	// minimumEvents is the number of events below which there is no verdict.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	// +kubebuilder:default=1
	// +optional
	MinimumEvents int64 `json:"minimumEvents,omitempty"`

	// confidence asks for a verdict only where the confidence interval of the
	// attainment lies on one side of the target.
	// +optional
	Confidence Confidence `json:"confidence,omitempty"`

	// groupBy measures the objective for each value of a label too.
	// +optional
	GroupBy *GroupBy `json:"groupBy,omitempty"`

	// newSeries says from where a counter that was not there before counts.
	// +kubebuilder:default=OnKnownTarget
	// +optional
	NewSeries NewSeriesPolicy `json:"newSeries,omitempty"`

	// alerting says which alerts are installed and what they carry; all of them,
	// with what they always carry, when it is absent.
	// +optional
	Alerting *Alerting `json:"alerting,omitempty"`

	// sharedWith says which other namespaces' journeys may count the objective; none
	// when absent.
	// +optional
	SharedWith *SharedWith `json:"sharedWith,omitempty"`

	// suspend stops evaluation; the last figures stay.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`
}

// Band is how an experience reads, in the words of the web vitals.
//
// +kubebuilder:validation:Enum=Good;NeedsImprovement;Poor
type Band string

const (
	// BandGood is an attainment of at least the target.
	BandGood Band = "Good"
	// BandNeedsImprovement is a target missed by threshold but held by poorAbove.
	BandNeedsImprovement Band = "NeedsImprovement"
	// BandPoor is a target missed by poorAbove too, or missed where there is none.
	BandPoor Band = "Poor"
)

// BurnRate is how fast the error budget burns over a window.
type BurnRate struct {
	// window is the length of time looked back over, such as 1h.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=16
	// +required
	Window string `json:"window,omitempty"`

	// rate is the share of bad events over the error budget: at 1 the budget
	// lasts exactly as long as the window of the objective.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20
	// +required
	Rate string `json:"rate,omitempty"`
}

// EvaluatedWindow is the time that the figures are over.
type EvaluatedWindow struct {
	// start is the beginning of the first bucket that counts.
	// +required
	Start metav1.Time `json:"start,omitzero"`

	// end is the end of the last minute that was read.
	// +required
	End metav1.Time `json:"end,omitzero"`
}

// RawFigures are figures with every minute, those that exclusions leave out too.
type RawFigures struct {
	// attainment is what was attained, in the target's unit.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Attainment string `json:"attainment,omitempty"`

	// budgetRemaining is the share of the error budget that would be left.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	BudgetRemaining string `json:"budgetRemaining,omitempty"`

	// events is the number of events in the window.
	// +optional
	Events *int64 `json:"events,omitempty"`
}

// ObjectiveStatus is what the people who use the service really got.
type ObjectiveStatus struct {
	// observedGeneration is the generation of the spec that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// attainment is what was attained, in the target's unit.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Attainment string `json:"attainment,omitempty"`

	// target is the target that attainment was held against.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Target string `json:"target,omitempty"`

	// budgetRemaining is the share of the error budget that is left; negative
	// when more than all of it is spent.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	BudgetRemaining string `json:"budgetRemaining,omitempty"`

	// exhaustsAt is when the budget runs out at the present burn rate.
	// +optional
	ExhaustsAt *metav1.Time `json:"exhaustsAt,omitempty"`

	// burnRates is how fast the budget burns over the long window of each tier.
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=window
	// +optional
	BurnRates []BurnRate `json:"burnRates,omitempty"`

	// confidenceInterval is the interval of the attainment at spec.confidence.
	// +kubebuilder:validation:MaxLength=48
	// +optional
	ConfidenceInterval string `json:"confidenceInterval,omitempty"`

	// events is the number of events in the window.
	// +optional
	Events *int64 `json:"events,omitempty"`

	// raw is what the figures would be with every minute. It is absent where
	// exclusions leave nothing out.
	// +optional
	Raw *RawFigures `json:"raw,omitempty"`

	// excluded is the share of the window's minutes that exclusions leave out. It is
	// absent where they leave nothing out.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Excluded string `json:"excluded,omitempty"`

	// coverage is the share of the window's minutes that have data, of those that are
	// not excluded.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Coverage string `json:"coverage,omitempty"`

	// segments are the figures for each value of spec.groupBy.label, the worst first.
	// +kubebuilder:validation:MaxItems=21
	// +listType=atomic
	// +optional
	Segments []Segment `json:"segments,omitempty"`

	// window is the time that the figures are over.
	// +optional
	Window *EvaluatedWindow `json:"window,omitempty"`

	// band is Good, NeedsImprovement or Poor.
	// +optional
	Band Band `json:"band,omitempty"`

	// lastEvaluationTime is when the figures above were found; it moves only
	// when a figure changes.
	// +optional
	LastEvaluationTime *metav1.Time `json:"lastEvaluationTime,omitempty"`

	// lastHandledReconcileAt is the value of the annotation
	// experience.slo/requestedAt that was last answered by an evaluation.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready and Met, and Reconciling or Stalled while they hold.
	// +kubebuilder:validation:MaxItems=8
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// Objective is a promise to the people who use a service, and whether it holds.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=xo,categories=experience
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.service`
// +kubebuilder:printcolumn:name="Perspective",type=string,JSONPath=`.spec.perspective`
// +kubebuilder:printcolumn:name="Touchpoint",type=string,JSONPath=`.spec.touchpoint`,priority=1
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.target`
// +kubebuilder:printcolumn:name="Current",type=string,JSONPath=`.status.attainment`
// +kubebuilder:printcolumn:name="Budget",type=string,JSONPath=`.status.budgetRemaining`
// +kubebuilder:printcolumn:name="Events",type=integer,JSONPath=`.status.events`,priority=1
// +kubebuilder:printcolumn:name="Band",type=string,JSONPath=`.status.band`,priority=1
// +kubebuilder:printcolumn:name="Excluded",type=string,JSONPath=`.status.excluded`,priority=1
// +kubebuilder:printcolumn:name="Met",type=string,JSONPath=`.status.conditions[?(@.type=="Met")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.conditions[?(@.type=="Met")].reason`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Objective struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the promise.
	// +required
	Spec ObjectiveSpec `json:"spec,omitzero"`

	// status is what was found.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status ObjectiveStatus `json:"status,omitzero"`
}

// ObjectiveList is a list of objectives.
//
// +kubebuilder:object:root=true
type ObjectiveList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Objective `json:"items"`
}

// Source returns the reference to the objective's source, with its default.
func (o *Objective) Source() SourceReference {
	if o.Spec.SourceRef != nil {
		return *o.Spec.SourceRef
	}
	return SourceReference{Kind: SourceKindClusterMetricSource, Name: DefaultSourceName}
}

// Suspended says whether evaluation is stopped.
func (o *Objective) Suspended() bool {
	return o.Spec.Suspend != nil && *o.Spec.Suspend
}
