package compile

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Granted gives the namespaces that a source allows by their labels: none where it
// allows some by name alone, and all where it says nothing. The error is an *Error.
func Granted(allowed *v1alpha1.AllowedNamespaces) (labels.Selector, error) {
	if allowed == nil {
		return labels.Everything(), nil
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	if err != nil {
		return nil, &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.allowedNamespaces.selector", Err: err}
	}
	return selector, nil
}
