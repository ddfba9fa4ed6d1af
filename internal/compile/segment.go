package compile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
)

// Group is by what the segments of an objective are told apart.
type Group struct {
	// Label is the label whose values are the segments.
	Label string
	// Maximum is how many of them are measured.
	Maximum int
	// Known are the values that were segments when the status was written, so that
	// they are after a restart too.
	Known []string
	// Every says that the promise is kept to each of them, and not to the whole alone.
	Every bool
}

const fieldGroup = "spec.groupBy"

// groupOf reads spec.groupBy. What the schema checks of an objective that has its
// indicator itself is checked here of one that refers to it.
func groupOf(o *v1alpha1.Objective, s *shape, c promql.Confinement) (*Group, error) {
	by := o.Spec.GroupBy
	if by == nil {
		return nil, nil
	}
	if slices.ContainsFunc(s.lanes, func(l promql.Lane) bool { return l.Counter == nil }) {
		return nil, &Error{
			Reason: v1alpha1.ReasonInvalidSpec, Field: fieldGroup,
			Err: errors.New("the indicator has no plain selectors, to which the label of a segment could be added: use events, distribution, apdex or score, or remove groupBy"),
		}
	}
	label := string(by.Label)
	if value, ok := c.Labels()[label]; ok {
		return nil, &Error{
			Reason: v1alpha1.ReasonInvalidSpec, Field: fieldGroup + ".label",
			Err: fmt.Errorf("the metric source confines every query to %s=%q, so there is one segment alone: name another label", label, value),
		}
	}
	return &Group{Label: label, Maximum: int(max(by.Maximum, 1)), Known: knownOf(o), Every: by.Met != v1alpha1.SegmentRuleWhole}, nil
}

func knownOf(o *v1alpha1.Objective) []string {
	if o.Status.ObservedGeneration != o.Generation {
		return nil
	}
	var out []string
	for _, s := range o.Status.Segments {
		if s.Value != "" {
			out = append(out, s.Value)
		}
	}
	return out
}
