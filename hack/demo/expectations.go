package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
	"github.com/experience-slo/operator/hack/stories"
)

// verdict is what the conditions of an objective say about the promise.
type verdict struct {
	met    metav1.ConditionStatus
	reason string
	// stalled is a mistake that a person has to mend.
	stalled bool
}

// String writes a verdict as it reads on the object.
func (v verdict) String() string {
	text := fmt.Sprintf("Met=%s (%s)", cmp.Or(string(v.met), "absent"), v.reason)
	if v.stalled {
		text += ", Stalled"
	}
	return text
}

// finding is the verdict on an objective, and its figure as it reads there.
type finding struct {
	verdict
	attainment string
}

// String writes the verdict with the figure.
func (f finding) String() string {
	return strings.TrimSpace(f.verdict.String() + " " + f.attainment)
}

// expectation is the verdict that a person who knows the story would give, and
// about which attainment, in the objective's own unit. With within 0 any figure
// will do.
type expectation struct {
	verdict
	about, within float64
}

// String writes the verdict with the figure.
func (e expectation) String() string {
	if e.within == 0 {
		return e.verdict.String()
	}
	return fmt.Sprintf("%s %v±%v", e.verdict, e.about, e.within)
}

// fits reports whether what was found is what was expected.
func (e expectation) fits(f finding) bool {
	if e.verdict != f.verdict || e.within == 0 {
		return e.verdict == f.verdict
	}
	figure, err := strconv.ParseFloat(strings.TrimSuffix(f.attainment, "%"), 64)
	return err == nil && math.Abs(figure-e.about) <= e.within
}

// kept expects a promise that holds.
func kept(about, within float64) expectation {
	return expectation{verdict{met: metav1.ConditionTrue, reason: v1alpha1.ReasonTargetMet}, about, within}
}

// broken expects a promise that does not hold.
func broken(about, within float64) expectation {
	return expectation{verdict{met: metav1.ConditionFalse, reason: v1alpha1.ReasonTargetMissed}, about, within}
}

// undecided expects no verdict, for a reason.
func undecided(reason string, stalled bool) expectation {
	return expectation{verdict: verdict{met: metav1.ConditionUnknown, reason: reason, stalled: stalled}}
}

// expectations are what the stories tell, by namespace/name, and what they do not
// have: too few answers, and a mistake.
func expectations() map[string]expectation {
	all := map[string]expectation{
		simulate.Laptop + "/technician-visit": undecided(v1alpha1.ReasonInsufficientData, false),
		simulate.Laptop + "/delivery":         undecided(v1alpha1.ReasonInvalidQuery, true),
	}
	for _, s := range stories.All() {
		for name, p := range s.Promises {
			e := broken(p.Attainment.About, p.Attainment.Within)
			if p.Kept {
				e = kept(p.Attainment.About, p.Attainment.Within)
			}
			all[s.Namespace+"/"+name] = e
		}
	}
	return all
}
