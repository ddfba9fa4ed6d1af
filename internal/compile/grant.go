package compile

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// CheckGrant gives an *Error where it cannot be told which namespaces a source allows.
func CheckGrant(allowed *v1alpha1.AllowedNamespaces) error {
	if allowed == nil {
		return nil
	}
	if _, err := metav1.LabelSelectorAsSelector(allowed.Selector); err != nil {
		return &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.allowedNamespaces.selector", Err: err}
	}
	return nil
}
