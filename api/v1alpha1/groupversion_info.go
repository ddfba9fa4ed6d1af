// Package v1alpha1 is the API of the experience.slo group: what a service
// promises the people who use it, and where its metrics are.
//
// +kubebuilder:object:generate=true
// +groupName=experience.slo
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of every kind in this package.
const Group = "experience.slo"

var (
	// GroupVersion is the group and version that the kinds are registered under.
	GroupVersion = schema.GroupVersion{Group: Group, Version: "v1alpha1"}

	// SchemeBuilder collects the functions that add the kinds to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds the kinds of this package to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Objective{}, &ObjectiveList{},
		&Gate{}, &GateList{},
		&Journey{}, &JourneyList{},
		&Exclusion{}, &ExclusionList{},
		&MetricSource{}, &MetricSourceList{},
		&ClusterMetricSource{}, &ClusterMetricSourceList{},
		&Calendar{}, &CalendarList{},
		&Indicator{}, &IndicatorList{},
		&ClusterIndicator{}, &ClusterIndicatorList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
