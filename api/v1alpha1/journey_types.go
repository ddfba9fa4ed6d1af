package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StageObjectives chooses the objectives of one namespace that say how a stage is.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) != has(self.selector)",message="set exactly one of names, selector for the objectives of a stage, for example names: [hold-time]"
type StageObjectives struct {
	// names are the objectives' names.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	Names []Name `json:"names,omitempty"`

	// selector chooses objectives by their labels. A journey with a stage of more
	// than 16 objectives is stalled.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`

	// namespace is that of the objectives; the journey's own when absent. Those of
	// another are chosen where their spec.sharedWith allows the journey's.
	// +optional
	Namespace Label `json:"namespace,omitempty"`
}

// Importance is what follows from a stage that is violated.
//
// +kubebuilder:validation:Enum=Critical;Normal
type Importance string

const (
	// ImportanceCritical is a stage that breaks the journey when it is violated.
	ImportanceCritical Importance = "Critical"
	// ImportanceNormal is one that degrades it.
	ImportanceNormal Importance = "Normal"
)

// Aggregation is how the scores of stages become the score of a journey. The
// verdict does not come from it: no number of good stages hides a violated one.
//
// +kubebuilder:validation:Enum=WeakestLink;Weighted;Product;Completion
type Aggregation string

const (
	// AggregationWeakestLink takes the lowest score of a stage.
	AggregationWeakestLink Aggregation = "WeakestLink"
	// AggregationWeighted takes the mean of the stages' scores by their weights.
	AggregationWeighted Aggregation = "Weighted"
	// AggregationProduct multiplies the stages' scores.
	AggregationProduct Aggregation = "Product"
	// AggregationCompletion takes the score of one objective, which measures the
	// journey directly: of those who began it, who completed it.
	AggregationCompletion Aggregation = "Completion"
)

// RecoveryCap is a whole percentage from 1% to 100%.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=4
// +kubebuilder:validation:XValidation:rule="self.matches('^([1-9][0-9]?|100)%$')",message="cap must be a whole percentage from 1% to 100%, such as 50%"
type RecoveryCap string

// Recovery says that good service at one stage makes up for a poor product at
// another. A good product makes up for nothing.
//
// +kubebuilder:validation:XValidation:rule="self.stage != self.by",message="a stage cannot recover itself: name another stage in recovery.by"
type Recovery struct {
	// stage is the stage whose UX objectives may be violated.
	// +required
	Stage Label `json:"stage,omitempty"`

	// by is the stage whose CX objectives, while all of them are met, make up for it.
	// +required
	By Label `json:"by,omitempty"`

	// cap is the share of the loss that is made up for at most. With 100% the
	// journey holds; with less it is degraded, but not broken.
	// +required
	Cap RecoveryCap `json:"cap,omitempty"`
}

// JourneyStage is a step that a customer takes.
type JourneyStage struct {
	// name is the stage's name.
	// +required
	Name Label `json:"name,omitempty"`

	// touchpoint is where the customer is at this stage: web, phone, store and so on.
	// +optional
	Touchpoint Label `json:"touchpoint,omitempty"`

	// objectives say how the stage is.
	// +required
	Objectives StageObjectives `json:"objectives,omitzero"`

	// importance is Critical where the stage breaks the journey when it is violated,
	// and Normal where it degrades it.
	// +kubebuilder:default=Normal
	// +optional
	Importance Importance `json:"importance,omitempty"`

	// weight is how much the stage counts with aggregation Weighted.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +kubebuilder:default=1
	// +optional
	Weight int32 `json:"weight,omitempty"`
}

// JourneySpec is the way that a customer takes.
//
// +kubebuilder:validation:XValidation:rule="(self.aggregation == 'Completion') == has(self.completion)",message="set completion, the objective that measures the whole journey, with aggregation: Completion, and with no other"
// +kubebuilder:validation:XValidation:rule="!has(self.recovery) || self.recovery.all(r, self.stages.exists(s, s.name == r.stage) && self.stages.exists(s, s.name == r.by))",message="recovery.stage and recovery.by must be names of spec.stages"
type JourneySpec struct {
	// description says the journey in a sentence for people.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Description string `json:"description,omitempty"`

	// stages are the steps in the order in which the customer takes them.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +required
	Stages []JourneyStage `json:"stages,omitempty"`

	// aggregation is how the scores of stages become those of the journey.
	// +kubebuilder:default=WeakestLink
	// +optional
	Aggregation Aggregation `json:"aggregation,omitempty"`

	// completion is the objective of the same namespace that measures the whole
	// journey, with aggregation Completion.
	// +optional
	Completion Name `json:"completion,omitempty"`

	// recovery says where good service makes up for a poor product.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=stage
	// +listMapKey=by
	// +optional
	Recovery []Recovery `json:"recovery,omitempty"`
}

// JourneyVerdict is how a journey is.
//
// +kubebuilder:validation:Enum=Holding;Degraded;Broken;Unknown
type JourneyVerdict string

const (
	// JourneyHolding is a journey whose stages all keep what they promise, or are
	// made up for in full. Nothing that is not known could change that.
	JourneyHolding JourneyVerdict = "Holding"
	// JourneyDegraded is one with a violated stage that is not critical, or with a
	// violated one that is made up for in part. It may be worse where objectives are
	// unknown.
	JourneyDegraded JourneyVerdict = "Degraded"
	// JourneyBroken is one with a violated critical stage that nothing makes up for.
	JourneyBroken JourneyVerdict = "Broken"
	// JourneyUnknown is one that is not known to be violated, and not known to hold.
	JourneyUnknown JourneyVerdict = "Unknown"
)

// JourneyPattern compares the product with the service around it.
//
// +kubebuilder:validation:Enum=Consistent;PoorProductGoodService;GoodProductPoorService;BrokenJourney
type JourneyPattern string

const (
	// PatternConsistent is a journey whose UX and CX objectives are all met.
	PatternConsistent JourneyPattern = "Consistent"
	// PatternPoorProductGoodService is one with a violated UX objective while all CX
	// objectives are met.
	PatternPoorProductGoodService JourneyPattern = "PoorProductGoodService"
	// PatternGoodProductPoorService is one with a violated CX objective while all UX
	// objectives are met.
	PatternGoodProductPoorService JourneyPattern = "GoodProductPoorService"
	// PatternBrokenJourney is one with violated objectives on both sides.
	PatternBrokenJourney JourneyPattern = "BrokenJourney"
)

// StageVerdict is how a stage is.
//
// +kubebuilder:validation:Enum=Holding;Recovered;Violated;Unknown
type StageVerdict string

const (
	// StageHolding is a stage whose objectives are all met.
	StageHolding StageVerdict = "Holding"
	// StageRecovered is one with violated UX objectives that service at another stage
	// makes up for, in full or in part.
	StageRecovered StageVerdict = "Recovered"
	// StageViolated is one with a violated objective that nothing makes up for.
	StageViolated StageVerdict = "Violated"
	// StageUnknown is one that is not known to be violated, and not known to hold.
	StageUnknown StageVerdict = "Unknown"
)

// MaxStageObjectives is how many objectives a stage may have.
const MaxStageObjectives = 16

// JourneyScores say how much of what was promised the customer gets. A score is
// absent where something that it is over is not known.
type JourneyScores struct {
	// ux is the score of the product: over the UX objectives alone.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	UX string `json:"ux,omitempty"`

	// cx is the score of everything that the customer meets, the product included.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	CX string `json:"cx,omitempty"`
}

// UnknownObjective is an objective that says nothing at present.
type UnknownObjective struct {
	// name is the objective's name.
	// +required
	Name Name `json:"name,omitempty"`

	// namespace is that of the objective where it is not the journey's.
	// +optional
	Namespace Label `json:"namespace,omitempty"`

	// reason is that of the objective's Met condition; NotFound where there is no
	// such objective, and NotShared where there is none of another namespace that is
	// shared with the journey's.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`
}

// StageStatus is what a customer gets at a stage.
type StageStatus struct {
	// name is the stage's name.
	// +required
	Name Label `json:"name,omitempty"`

	// verdict is Holding, Recovered, Violated or Unknown.
	// +required
	Verdict StageVerdict `json:"verdict,omitempty"`

	// score is how much of what was promised the customer gets, with what recovery
	// gives back. It is absent where an objective that it depends on is not known.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Score string `json:"score,omitempty"`

	// recovered is how much of the score recovery gave back.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Recovered string `json:"recovered,omitempty"`

	// gets is what the customer gets, in words.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Gets string `json:"gets,omitempty"`

	// unknown are the objectives that say nothing at present.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=name
	// +optional
	Unknown []UnknownObjective `json:"unknown,omitempty"`
}

// JourneyStatus is how the journey is for those who take it.
type JourneyStatus struct {
	// observedGeneration is the generation of the spec that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// verdict is Holding, Degraded, Broken or Unknown.
	// +optional
	Verdict JourneyVerdict `json:"verdict,omitempty"`

	// pattern compares the product with the service around it. It is absent where one
	// of the two is not known, or has no objective.
	// +optional
	Pattern JourneyPattern `json:"pattern,omitempty"`

	// weakestStage is the stage with the lowest score; among equals the one with the
	// least budget left, and then the first.
	// +optional
	WeakestStage Label `json:"weakestStage,omitempty"`

	// scores say how much of what was promised the customer gets.
	// +optional
	Scores *JourneyScores `json:"scores,omitempty"`

	// budgetRemaining is the least share of an error budget that is left of the
	// objectives that count; negative when more than all of it is spent. It is absent
	// where one of them is not known.
	// +kubebuilder:validation:MaxLength=20
	// +optional
	BudgetRemaining string `json:"budgetRemaining,omitempty"`

	// exhaustsAt is when the first of these budgets runs out at its present burn rate.
	// +optional
	ExhaustsAt *metav1.Time `json:"exhaustsAt,omitempty"`

	// stages are the stages in the order of the spec.
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +optional
	Stages []StageStatus `json:"stages,omitempty"`

	// conditions are Ready and Met, and Reconciling or Stalled while they hold.
	// +kubebuilder:validation:MaxItems=8
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// Journey is the way that a customer takes through several touchpoints, and how
// it is for her.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=xj,categories=experience
// +kubebuilder:printcolumn:name="Verdict",type=string,JSONPath=`.status.verdict`
// +kubebuilder:printcolumn:name="UX",type=string,JSONPath=`.status.scores.ux`
// +kubebuilder:printcolumn:name="CX",type=string,JSONPath=`.status.scores.cx`
// +kubebuilder:printcolumn:name="Weakest",type=string,JSONPath=`.status.weakestStage`
// +kubebuilder:printcolumn:name="Budget",type=string,JSONPath=`.status.budgetRemaining`
// +kubebuilder:printcolumn:name="Pattern",type=string,JSONPath=`.status.pattern`,priority=1
// +kubebuilder:printcolumn:name="Met",type=string,JSONPath=`.status.conditions[?(@.type=="Met")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.conditions[?(@.type=="Met")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Journey struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the way that the customer takes.
	// +required
	Spec JourneySpec `json:"spec,omitzero"`

	// status is how it is for her.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status JourneyStatus `json:"status,omitzero"`
}

// JourneyList is a list of journeys.
//
// +kubebuilder:object:root=true
type JourneyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Journey `json:"items"`
}
