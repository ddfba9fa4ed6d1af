package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MaxGateJourneys is how many journeys a gate may have.
const MaxGateJourneys = 16

// JourneyFloor is the worst verdict with which a journey does not hold a release up.
//
// +kubebuilder:validation:Enum=Holding;Degraded
type JourneyFloor string

const (
	// JourneyFloorHolding wants the journey to hold.
	JourneyFloorHolding JourneyFloor = "Holding"
	// JourneyFloorDegraded wants it not to be broken.
	JourneyFloorDegraded JourneyFloor = "Degraded"
)

// GateJourneys chooses journeys of the gate's namespace.
//
// +kubebuilder:validation:XValidation:rule="has(self.names) != has(self.selector)",message="set exactly one of names, selector for the journeys, for example names: [order]"
type GateJourneys struct {
	// names are the journeys' names.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	Names []Name `json:"names,omitempty"`

	// selector chooses journeys by their labels. A gate over more than 16 journeys
	// is stalled.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`

	// atLeast is the worst verdict with which the release may go on.
	// +kubebuilder:default=Holding
	// +optional
	AtLeast JourneyFloor `json:"atLeast,omitempty"`
}

// GateJourney is what was found of one journey.
type GateJourney struct {
	// name is the journey's name.
	// +required
	Name Name `json:"name,omitempty"`

	// verdict is Holds, Fails or Unknown.
	// +required
	Verdict GateObjectiveVerdict `json:"verdict,omitempty"`

	// reason is why, in a word: RequirementsHold when it holds; JourneyDegraded or
	// JourneyBroken when it fails; Baking, NotFound, NotMeasured or InvalidJourney
	// when nobody knows yet.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Reason string `json:"reason,omitempty"`

	// message is why, for people.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
}
