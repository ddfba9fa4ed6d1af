package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Revision names what is released: an image tag, a commit or the like.
//
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._:/@+-]*$')",message="revision must be an image tag, a digest or a commit: letters, digits and . _ : / @ + -"
type Revision string

// GateObjectives chooses objectives of the gate's namespace.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) != has(self.selector)",message="set exactly one of names, selector, for example names: [page-speed]"
type GateObjectives struct {
	// names are the objectives' names.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Names []Name `json:"names,omitempty"`

	// selector chooses objectives by their labels. A gate over more than 64
	// objectives is stalled.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// MetRequirement says that the promise must hold.
//
// +kubebuilder:validation:Enum=Required
type MetRequirement string

// MetRequired wants the condition Met to be True.
const MetRequired MetRequirement = "Required"

// PageTiersRequirement says how the tiers that page must stand.
//
// +kubebuilder:validation:Enum=Quiet
type PageTiersRequirement string

// PageTiersQuiet wants no tier that pages to burn.
const PageTiersQuiet PageTiersRequirement = "Quiet"

// FloorTarget is the floor that is each objective's own target.
const FloorTarget Floor = "Target"

// Floor is the least attainment: "Target" for each objective's own target, or a
// value in the objectives' unit, such as "95%", "30" or "4.2".
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=12
// +kubebuilder:validation:XValidation:rule="self == 'Target' || self.matches('^-?[0-9]{1,6}([.][0-9]{1,5})?%?$')",message="attainment must be Target, for each objective's own, or a value in the objectives' unit such as \"95%\", \"30\" or \"4.2\""
type Floor string

// BudgetFloor is the least share of the error budget that is left, from 0% to 100%.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=8
// +kubebuilder:validation:XValidation:rule="self.matches('^(100|[0-9]{1,2}([.][0-9]{1,4})?)%$')",message="budgetRemaining must be a percentage from 0% to 100%, such as 10%"
type BudgetFloor string

// GateRequirements is what must hold of every objective. What is not set is not
// asked for.
//
// +kubebuilder:validation:XValidation:rule="has(self.met) || has(self.pageTiers) || has(self.budgetRemaining) || has(self.attainment)",message="require at least one of met, pageTiers, budgetRemaining, attainment, or leave require out for its default"
type GateRequirements struct {
	// met wants the promise to hold over its whole window.
	// +optional
	Met MetRequirement `json:"met,omitempty"`

	// pageTiers wants no tier that pages to burn.
	// +optional
	PageTiers PageTiersRequirement `json:"pageTiers,omitempty"`

	// budgetRemaining is the least share of the error budget that must be left.
	// +optional
	BudgetRemaining BudgetFloor `json:"budgetRemaining,omitempty"`

	// attainment is the least attainment of this release alone: of the events
	// since its check began.
	// +optional
	Attainment Floor `json:"attainment,omitempty"`
}

// Bake is how much must be seen of a release before it can pass.
type Bake struct {
	// duration is how long the release is watched, from 1m to 23h.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('1m') && duration(self) <= duration('23h')",message="duration must be between 1m and 23h, written like 1h30m"
	// +kubebuilder:default="10m"
	// +optional
	Duration *metav1.Duration `json:"duration,omitempty"`

	// minimumEvents is how many events of each objective must be seen since the
	// check began.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	// +kubebuilder:default=1
	// +optional
	MinimumEvents int64 `json:"minimumEvents,omitempty"`
}

// OnInconclusive is what follows when the timeout comes before a verdict.
//
// +kubebuilder:validation:Enum=Fail;Pass
type OnInconclusive string

const (
	// OnInconclusiveFail fails the gate.
	OnInconclusiveFail OnInconclusive = "Fail"
	// OnInconclusivePass passes it: no news is good news.
	OnInconclusivePass OnInconclusive = "Pass"
)

// GateSpec is what a release must show before it may go on.
//
// +kubebuilder:validation:XValidation:rule="has(self.objectives) || has(self.journeys)",message="set objectives, journeys or both, for example objectives: {names: [page-speed]}"
// +kubebuilder:validation:XValidation:rule="!self.timeout.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') || !self.bake.duration.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') || duration(self.timeout) > duration(self.bake.duration)",message="timeout must be longer than bake.duration, by some minutes: the last minute of the bake is measured after it ended"
type GateSpec struct {
	// revision is the release that is checked. A new one starts a new check.
	// +optional
	Revision Revision `json:"revision,omitempty"`

	// objectives are those that the release must keep.
	// +optional
	Objectives GateObjectives `json:"objectives,omitzero"`

	// journeys are those that must hold.
	// +optional
	Journeys *GateJourneys `json:"journeys,omitempty"`

	// require is what must hold of each of them.
	// +kubebuilder:default={attainment: Target, pageTiers: Quiet}
	// +optional
	Require GateRequirements `json:"require,omitzero"`

	// bake is how much must be seen of the release.
	// +kubebuilder:default={}
	// +optional
	Bake Bake `json:"bake,omitzero"`

	// timeout is when a check ends that has come to no verdict, counted from its
	// beginning, from 2m to 24h.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('2m') && duration(self) <= duration('24h')",message="timeout must be between 2m and 24h, written like 1h30m"
	// +kubebuilder:default="1h"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// onInconclusive says whether a check that ends at its timeout has failed or
	// passed.
	// +kubebuilder:default=Fail
	// +optional
	OnInconclusive OnInconclusive `json:"onInconclusive,omitempty"`
}

// GateVerdict is what a check has come to.
//
// +kubebuilder:validation:Enum=Baking;Passed;Failed;Inconclusive;Superseded
type GateVerdict string

const (
	// GateBaking is a check that goes on.
	GateBaking GateVerdict = "Baking"
	// GatePassed is a release that may go on.
	GatePassed GateVerdict = "Passed"
	// GateFailed is a release that broke what was required.
	GateFailed GateVerdict = "Failed"
	// GateInconclusive is a check that its timeout ended. Whether the release may
	// go on is what spec.onInconclusive says.
	GateInconclusive GateVerdict = "Inconclusive"
	// GateSuperseded is a check that a new revision ended. It is in the history
	// alone.
	GateSuperseded GateVerdict = "Superseded"
)

// GateObjectiveVerdict is how an objective stands with a check.
//
// +kubebuilder:validation:Enum=Holds;Fails;Unknown
type GateObjectiveVerdict string

const (
	// GateObjectiveHolds says that all is as required.
	GateObjectiveHolds GateObjectiveVerdict = "Holds"
	// GateObjectiveFails says that something is not.
	GateObjectiveFails GateObjectiveVerdict = "Fails"
	// GateObjectiveUnknown says that there is too little to tell.
	GateObjectiveUnknown GateObjectiveVerdict = "Unknown"
)

// GateObjective is what was found of one objective.
type GateObjective struct {
	// name is the objective's name.
	// +required
	Name Name `json:"name,omitempty"`

	// verdict is Holds, Fails or Unknown.
	// +required
	Verdict GateObjectiveVerdict `json:"verdict,omitempty"`

	// reason is why, in a word: RequirementsHold when it holds; TargetMissed,
	// BudgetSpent, PageTierBurning or BelowFloor when it fails; Baking,
	// TooFewEvents, NotFound, NotMeasured, Inconclusive or InvalidFloor when
	// nobody knows yet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// message is why, for people.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`

	// attainment is what the release alone attained, in the objective's unit.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Attainment string `json:"attainment,omitempty"`

	// events is the number of events since the check began.
	// +optional
	Events *int64 `json:"events,omitempty"`

	// budgetRemaining is the share of the objective's error budget that is left.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	BudgetRemaining string `json:"budgetRemaining,omitempty"`
}

// GateRecord is a check that ended.
type GateRecord struct {
	// revision is what was checked.
	// +optional
	Revision Revision `json:"revision,omitempty"`

	// verdict is what the check came to.
	// +required
	Verdict GateVerdict `json:"verdict,omitempty"`

	// reason is that of the gate's Ready condition.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// startedAt is when the check began.
	// +required
	StartedAt metav1.Time `json:"startedAt,omitzero"`

	// finishedAt is when it ended.
	// +required
	FinishedAt metav1.Time `json:"finishedAt,omitzero"`
}

// MaxGateHistory is how many ended checks a gate remembers.
const MaxGateHistory = 10

// MaxGateObjectives is how many objectives a gate may have.
const MaxGateObjectives = 64

// GateStatus is what a check has come to.
type GateStatus struct {
	// observedGeneration is the generation of the spec that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// revision is what is or was checked.
	// +optional
	Revision Revision `json:"revision,omitempty"`

	// verdict is Baking, Passed, Failed or Inconclusive.
	// +optional
	Verdict GateVerdict `json:"verdict,omitempty"`

	// startedAt is when the check began: events since the next full minute count.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// finishedAt is when it ended.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`

	// objectives is what was found of each, those that fail first.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	// +optional
	Objectives []GateObjective `json:"objectives,omitempty"`

	// journeys is what was found of each, those that fail first.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	Journeys []GateJourney `json:"journeys,omitempty"`

	// history is the last ten checks that ended, the latest first.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	History []GateRecord `json:"history,omitempty"`

	// lastHandledReconcileAt is the value of the annotation
	// experience.slo/requestedAt that last started a check.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready, and Reconciling or Stalled while they hold.
	// +kubebuilder:validation:MaxItems=8
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// Gate is a one-shot check of a release: it passes or fails.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=xg,categories=experience
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.revision`
// +kubebuilder:printcolumn:name="Verdict",type=string,JSONPath=`.status.verdict`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Started",type=date,JSONPath=`.status.startedAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Gate struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the release must show.
	// +required
	Spec GateSpec `json:"spec,omitzero"`

	// status is what it has shown.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status GateStatus `json:"status,omitzero"`
}

// GateList is a list of gates.
//
// +kubebuilder:object:root=true
type GateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Gate `json:"items"`
}

// Finished says whether the check ended.
func (s *GateStatus) Finished() bool { return s.FinishedAt != nil }

// Deadline is when a check that is under way ends at the latest; it is zero
// before it began.
func (g *Gate) Deadline() time.Time {
	if g.Status.StartedAt == nil || g.Spec.Timeout == nil {
		return time.Time{}
	}
	return g.Status.StartedAt.Add(g.Spec.Timeout.Duration)
}
