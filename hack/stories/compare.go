package stories

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// String writes a figure with its margin.
func (f Figure) String() string { return fmt.Sprintf("%v±%v", f.About, f.Within) }

// Fits reports whether a figure as it is shown, such as "81.3%" or "34", is near
// enough.
func (f Figure) Fits(shown string) bool {
	v, err := strconv.ParseFloat(strings.TrimSuffix(shown, "%"), 64)
	return err == nil && math.Abs(v-f.About) <= f.Within+1e-9
}

// Told reports whether a journey says what it will say: all of its objectives are
// judged, and the verdict is of the spec as it is.
func Told(j *v1alpha1.Journey) bool {
	return j.Status.ObservedGeneration == j.Generation && meta.IsStatusConditionTrue(j.Status.Conditions, v1alpha1.ConditionReady)
}

// Differences returns a line for each thing that a journey and the objectives of
// its namespace say otherwise than the story has it, in order. Objectives that the
// story does not know are nobody's matter.
func (s *Story) Differences(j *v1alpha1.Journey, objectives map[string]*v1alpha1.Objective) []string {
	var lines []string
	differs := func(what, want, got string) {
		if want != got {
			lines = append(lines, fmt.Sprintf("%s/%s: want %s, found %s", s.Namespace, what, want, cmp.Or(got, "none")))
		}
	}
	near := func(what string, want Figure, got string) {
		if !want.Fits(got) {
			differs(what, want.String(), got)
		}
	}
	differs("verdict", string(s.Verdict), string(j.Status.Verdict))
	differs("pattern", string(s.Pattern), string(j.Status.Pattern))
	differs("weakest stage", string(s.Weakest), string(j.Status.WeakestStage))
	scores := v1alpha1.JourneyScores{}
	if j.Status.Scores != nil {
		scores = *j.Status.Scores
	}
	near("UX", s.UX, scores.UX)
	near("CX", s.CX, scores.CX)
	for _, name := range slices.Sorted(maps.Keys(s.Promises)) {
		p, o := s.Promises[name], objectives[name]
		if o == nil {
			differs(name, p.Met(), "")
			continue
		}
		differs(name, p.Met(), outcome(o))
		near(name+"'s attainment", p.Attainment, o.Status.Attainment)
		differs(name+"'s band", string(p.Band()), string(o.Status.Band))
	}
	return lines
}

// Met is the condition that the promise must have.
func (p Promise) Met() string {
	if p.Kept {
		return condition(metav1.ConditionTrue, v1alpha1.ReasonTargetMet)
	}
	return condition(metav1.ConditionFalse, v1alpha1.ReasonTargetMissed)
}

// Band is the band of the promise: none of the stories is told of one in between.
func (p Promise) Band() v1alpha1.Band {
	if p.Kept {
		return v1alpha1.BandGood
	}
	return v1alpha1.BandPoor
}

// outcome is what the condition Met of an objective says.
func outcome(o *v1alpha1.Objective) string {
	met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
	if met == nil {
		return ""
	}
	return condition(met.Status, met.Reason)
}

// condition writes a status and its reason.
func condition(status metav1.ConditionStatus, reason string) string {
	return fmt.Sprintf("Met=%s (%s)", status, reason)
}
