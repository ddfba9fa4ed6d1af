package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ExclusionPeriod is how often a stretch of time comes again.
//
// +kubebuilder:validation:Enum=Day;Week;Month
type ExclusionPeriod string

const (
	// ExclusionDaily is a stretch of each day.
	ExclusionDaily ExclusionPeriod = "Day"
	// ExclusionWeekly is one of each week, on the same weekday.
	ExclusionWeekly ExclusionPeriod = "Week"
	// ExclusionMonthly is one of each month that has such a day.
	ExclusionMonthly ExclusionPeriod = "Month"
)

// Recurrence has the stretch come again by the clock on the wall.
type Recurrence struct {
	// every is Day, Week or Month.
	// +required
	Every ExclusionPeriod `json:"every,omitempty"`

	// timeZone is the IANA time zone whose clock is meant.
	// +kubebuilder:default=UTC
	// +optional
	TimeZone TimeZone `json:"timeZone,omitempty"`

	// until is when it stops: a stretch that would begin at this moment or later does
	// not come. Without it there is no end.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// Withdrawal takes an exclusion back. It stays, as the exclusion does: both are a
// record.
type Withdrawal struct {
	// at is since when time counts again. Without it all of it counts again, as if
	// there had been no exclusion.
	// +optional
	At *metav1.Time `json:"at,omitempty"`

	// reason is why.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Reason string `json:"reason,omitempty"`

	// by is who took it back.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	By string `json:"by,omitempty"`
}

// ExclusionSpec is a stretch of time that does not count, for whom and why.
//
// +kubebuilder:validation:XValidation:rule="has(self.selector) || has(self.objectives) || has(self.services)",message="set at least one of selector, objectives, services, for example services: [checkout]"
// +kubebuilder:validation:XValidation:rule="self.from < self.to",message="from must be before to"
// +kubebuilder:validation:XValidation:rule="self.to - self.from <= duration('744h')",message="an exclusion lasts no longer than 31 days: use several, each with its own reason"
// +kubebuilder:validation:XValidation:rule="!has(self.recurrence) || self.to - self.from <= duration(self.recurrence.every == 'Day' ? '24h' : (self.recurrence.every == 'Week' ? '168h' : '744h'))",message="what comes again every Day or Week lasts no longer than that: bring to nearer to from"
// +kubebuilder:validation:XValidation:rule="!has(self.recurrence) || !has(self.recurrence.until) || self.recurrence.until > self.from",message="recurrence.until must be after from"
// +kubebuilder:validation:XValidation:rule="!has(self.withdrawn) || !has(self.withdrawn.at) || self.withdrawn.at >= self.from",message="withdrawn.at must not be before from: leave it out to take all of the exclusion back"
type ExclusionSpec struct {
	// selector chooses objectives of the namespace by their labels, as they are at
	// the time. What is chosen in any way is excluded.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`

	// objectives chooses objectives of the namespace by name.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Objectives []Name `json:"objectives,omitempty"`

	// services chooses the objectives of the namespace that are of these services.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Services []Label `json:"services,omitempty"`

	// from is when the stretch begins. A minute that it begins in is left out whole.
	// +required
	From metav1.Time `json:"from,omitzero"`

	// to is when it ends. A minute that it ends in is left out whole.
	// +required
	To metav1.Time `json:"to,omitzero"`

	// reason is why the time does not count, for those who read the figures.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Reason string `json:"reason,omitempty"`

	// approver is who agreed to it: a person, a team or a ticket.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Approver string `json:"approver,omitempty"`

	// recurrence has the stretch come again.
	// +optional
	Recurrence *Recurrence `json:"recurrence,omitempty"`

	// withdrawn takes the exclusion back.
	// +optional
	Withdrawn *Withdrawal `json:"withdrawn,omitempty"`
}

// ExclusionState is where an exclusion stands.
//
// +kubebuilder:validation:Enum=Planned;Active;Ended;Withdrawn
type ExclusionState string

const (
	// ExclusionPlanned is one that has not begun.
	ExclusionPlanned ExclusionState = "Planned"
	// ExclusionActive is one that has begun and is not over; one that comes again is,
	// between two of its stretches too.
	ExclusionActive ExclusionState = "Active"
	// ExclusionEnded is one that is over, and a record from then on.
	ExclusionEnded ExclusionState = "Ended"
	// ExclusionWithdrawn is one that was taken back, and of which nothing is to come.
	ExclusionWithdrawn ExclusionState = "Withdrawn"
)

// ExclusionSpan is a stretch of time that does not count.
type ExclusionSpan struct {
	// from is when it begins.
	// +required
	From metav1.Time `json:"from,omitzero"`

	// to is when it ends.
	// +required
	To metav1.Time `json:"to,omitzero"`
}

// ExclusionStatus is where the exclusion stands.
type ExclusionStatus struct {
	// observedGeneration is the generation of the spec that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// state is Planned, Active, Ended or Withdrawn. What may change of the spec
	// depends on it.
	// +optional
	State ExclusionState `json:"state,omitempty"`

	// objectives is the number of objectives that are chosen.
	// +optional
	Objectives *int32 `json:"objectives,omitempty"`

	// next is the stretch that is under way, or the next one. It is absent where none
	// is to come.
	// +optional
	Next *ExclusionSpan `json:"next,omitempty"`

	// conditions are Ready, and Stalled while it holds.
	// +kubebuilder:validation:MaxItems=8
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// Exclusion is a stretch of time that does not count for some objectives, with who
// agreed to it and why.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=xex,categories=experience
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.spec.from`
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.spec.to`
// +kubebuilder:printcolumn:name="Every",type=string,JSONPath=`.spec.recurrence.every`
// +kubebuilder:printcolumn:name="Objectives",type=integer,JSONPath=`.status.objectives`
// +kubebuilder:printcolumn:name="Approver",type=string,JSONPath=`.spec.approver`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.spec.reason`,priority=1
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || oldSelf.status.state != 'Ended' || (self.spec.from == oldSelf.spec.from && self.spec.to == oldSelf.spec.to && self.spec.reason == oldSelf.spec.reason && self.spec.approver == oldSelf.spec.approver && has(self.spec.recurrence) == has(oldSelf.spec.recurrence) && (!has(self.spec.recurrence) || self.spec.recurrence == oldSelf.spec.recurrence))",message="the exclusion has ended and is a record: nothing of its spec changes any more but withdrawn, which takes it back"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || !(oldSelf.status.state in ['Active', 'Ended']) || (has(self.spec.selector) == has(oldSelf.spec.selector) && (!has(self.spec.selector) || self.spec.selector == oldSelf.spec.selector) && has(self.spec.objectives) == has(oldSelf.spec.objectives) && (!has(self.spec.objectives) || self.spec.objectives == oldSelf.spec.objectives) && has(self.spec.services) == has(oldSelf.spec.services) && (!has(self.spec.services) || self.spec.services == oldSelf.spec.services))",message="the exclusion has begun and is a record: it is for the same objectives for ever; create another for more of them"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || oldSelf.status.state != 'Active' || (self.spec.from == oldSelf.spec.from && self.spec.reason == oldSelf.spec.reason && self.spec.approver == oldSelf.spec.approver && has(self.spec.recurrence) == has(oldSelf.spec.recurrence) && (!has(self.spec.recurrence) || (self.spec.to == oldSelf.spec.to && self.spec.recurrence.every == oldSelf.spec.recurrence.every && self.spec.recurrence.timeZone == oldSelf.spec.recurrence.timeZone)))",message="the exclusion has begun and is a record: from, reason, approver and, of one that comes again, to, every and timeZone stay as they are; take it back with withdrawn, or create another"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || oldSelf.status.state != 'Active' || has(self.spec.recurrence) || self.spec.to >= oldSelf.spec.to",message="the exclusion has begun: to only moves to a later time; end it before with withdrawn.at"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || oldSelf.status.state != 'Active' || !has(self.spec.recurrence) || !has(self.spec.recurrence.until) || (has(oldSelf.spec.recurrence) && has(oldSelf.spec.recurrence.until) && self.spec.recurrence.until == oldSelf.spec.recurrence.until) || (has(oldSelf.status.next) && self.spec.recurrence.until > oldSelf.status.next.from)",message="the exclusion has begun: recurrence.until only moves to a time after status.next.from; end it before with withdrawn.at"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.spec.withdrawn) || self.spec == oldSelf.spec",message="the exclusion was withdrawn and is a record: create another"
type Exclusion struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what does not count, and why.
	// +required
	Spec ExclusionSpec `json:"spec,omitzero"`

	// status is where it stands.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status ExclusionStatus `json:"status,omitzero"`
}

// ExclusionList is a list of exclusions.
//
// +kubebuilder:object:root=true
type ExclusionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Exclusion `json:"items"`
}

// GetConditions returns the conditions of the status.
func (e *Exclusion) GetConditions() []metav1.Condition { return e.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (e *Exclusion) SetConditions(conditions []metav1.Condition) { e.Status.Conditions = conditions }
