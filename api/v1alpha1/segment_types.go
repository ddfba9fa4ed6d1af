package v1alpha1

// SegmentRule says what a promise asks of the segments of an objective.
//
// +kubebuilder:validation:Enum=Every;Whole
type SegmentRule string

const (
	// SegmentRuleEvery keeps the promise where the whole does and every segment with
	// enough events.
	SegmentRuleEvery SegmentRule = "Every"
	// SegmentRuleWhole judges all events together; segments are shown.
	SegmentRuleWhole SegmentRule = "Whole"
)

// GroupBy measures an objective for each value of a label too.
type GroupBy struct {
	// label is the label whose values are the segments, such as device, region or
	// plan. All series of the indicator carry it.
	// +kubebuilder:validation:XValidation:rule="self != 'le' && !self.startsWith('__')",message="label cannot be le or begin with __: name a label of the people who are served, such as device"
	// +required
	Label LabelName `json:"label,omitempty"`

	// maximum is the number of segments that are measured: those with the most
	// events. The events of all others are shown together.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	// +kubebuilder:default=10
	// +optional
	Maximum int32 `json:"maximum,omitempty"`

	// met says when the promise holds: Every, where each segment with at least
	// spec.minimumEvents attains the target as the whole does, or Whole, where all
	// events together do.
	// +kubebuilder:default=Every
	// +optional
	Met SegmentRule `json:"met,omitempty"`
}

// SegmentMet is whether a segment attains the target.
//
// +kubebuilder:validation:Enum="True";"False";Unknown
type SegmentMet string

const (
	// SegmentMetTrue is a segment that attains the target.
	SegmentMetTrue SegmentMet = "True"
	// SegmentMetFalse is a segment that does not.
	SegmentMetFalse SegmentMet = "False"
	// SegmentMetUnknown is a segment of which that cannot be said: it has too few
	// events, say.
	SegmentMetUnknown SegmentMet = "Unknown"
)

// Segment is what the people behind one value of a label got.
type Segment struct {
	// value is the value of the label. It is empty for all other events together:
	// those of values beyond the maximum, and those without the label.
	// +kubebuilder:validation:MaxLength=128
	// +required
	Value string `json:"value"`

	// attainment is what was attained, in the target's unit.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Attainment string `json:"attainment,omitempty"`

	// budgetRemaining is the share of the segment's own error budget that is left.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	BudgetRemaining string `json:"budgetRemaining,omitempty"`

	// events is the number of events in the window.
	// +optional
	Events *int64 `json:"events,omitempty"`

	// met says whether the segment attains the target.
	// +required
	Met SegmentMet `json:"met,omitempty"`
}
