package status

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

var segmentMet = map[evaluate.Outcome]v1alpha1.SegmentMet{
	evaluate.Met: v1alpha1.SegmentMetTrue, evaluate.Missed: v1alpha1.SegmentMetFalse, evaluate.Unknown: v1alpha1.SegmentMetUnknown,
}

// mostSegments is how many segments a message names.
const mostSegments = 5

// segments are the figures of each segment, in the order of the verdict.
func segments(v *evaluate.Verdict) []v1alpha1.Segment {
	var out []v1alpha1.Segment
	for _, s := range v.Segments {
		segment := v1alpha1.Segment{Value: s.Value, Events: count(s.Events), Met: segmentMet[s.Outcome]}
		if !math.IsNaN(s.Attainment) {
			segment.Attainment = v.Unit.FormatAgainst(s.Attainment, v.Target)
			segment.BudgetRemaining = slo.FormatBudget(s.BudgetRemaining)
		}
		out = append(out, segment)
	}
	return out
}

// segmentsWith names some segments, in the order of their values: that of the
// verdict moves with the figures.
func segmentsWith(v *evaluate.Verdict, with func(evaluate.Segment) bool) string {
	var named []string
	others := ""
	for _, s := range v.Segments {
		switch {
		case !with(s):
		case s.Value == "":
			others = "all others together"
		default:
			named = append(named, fmt.Sprintf("%q", s.Value))
		}
	}
	slices.Sort(named)
	if len(named) > mostSegments {
		named = append(named[:mostSegments], "more of status.segments")
	}
	if others != "" {
		named = append(named, others)
	}
	return strings.Join(named, ", ")
}

// undecidedSegments names the segments that leave a promise open which the whole
// keeps.
func undecidedSegments(v *evaluate.Verdict) string {
	if v.Reason != v1alpha1.ReasonInconclusive && v.Reason != v1alpha1.ReasonInconsistentData {
		return ""
	}
	which := segmentsWith(v, func(s evaluate.Segment) bool { return s.Outcome == evaluate.Unknown && s.Reason == v.Reason })
	if which == "" {
		return ""
	}
	return "; segments: " + which
}
