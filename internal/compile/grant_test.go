package compile

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

func TestCheckGrant(t *testing.T) {
	by := func(operator metav1.LabelSelectorOperator, values ...string) *v1alpha1.AllowedNamespaces {
		return &v1alpha1.AllowedNamespaces{Selector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: operator, Values: values}},
		}}
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.AllowedNamespaces
		want   string
	}{
		"All":      {reason: "everybody", want: "<nil>"},
		"Names":    {reason: "no selector", args: &v1alpha1.AllowedNamespaces{Names: []v1alpha1.Label{"shop"}}, want: "<nil>"},
		"Selector": {reason: "one that can be read", args: by(metav1.LabelSelectorOpIn, "shop"), want: "<nil>"},
		"Operator": {reason: "no such operator", args: by("Like", "shop"), want: `spec.allowedNamespaces.selector: "Like" is not a valid label selector operator`},
		"Values":   {reason: "In of nothing", args: by(metav1.LabelSelectorOpIn), want: `spec.allowedNamespaces.selector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(CheckGrant(tc.args)); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
