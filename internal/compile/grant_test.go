package compile

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/experience-slo/operator/api/v1alpha1"
)

func TestGranted(t *testing.T) {
	by := func(operator metav1.LabelSelectorOperator, values ...string) *v1alpha1.AllowedNamespaces {
		return &v1alpha1.AllowedNamespaces{Selector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: operator, Values: values}},
		}}
	}
	type want struct {
		shop, support bool
		err           string
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.AllowedNamespaces
		want   want
	}{
		"All":      {reason: "everybody", want: want{shop: true, support: true}},
		"Names":    {reason: "nobody by labels", args: &v1alpha1.AllowedNamespaces{Names: []v1alpha1.Label{"shop"}}},
		"Selector": {reason: "one that can be read", args: by(metav1.LabelSelectorOpIn, "shop"), want: want{shop: true}},
		"Operator": {reason: "no such operator", args: by("Like", "shop"), want: want{err: `spec.allowedNamespaces.selector: "Like" is not a valid label selector operator`}},
		"Values":   {reason: "In of nothing", args: by(metav1.LabelSelectorOpIn), want: want{err: `spec.allowedNamespaces.selector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got want
			selector, err := Granted(tc.args)
			if err != nil {
				got.err = err.Error()
			} else {
				got.shop, got.support = selector.Matches(labels.Set{"team": "shop"}), selector.Matches(labels.Set{"team": "support"})
			}
			if got != tc.want {
				t.Errorf("%s: %+v, want %+v", tc.reason, got, tc.want)
			}
		})
	}
}
