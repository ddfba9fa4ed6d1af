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

// expectations are what the stories tell, by namespace/name. Traffic follows from
// the time that the demo begins at, so figures have margins: five standard errors
// or more.
func expectations() map[string]expectation {
	return map[string]expectation{
		simulate.LongHold + "/page-speed":          kept(84.3, 1),
		simulate.LongHold + "/task-success":        kept(91, 1),
		simulate.LongHold + "/hold-time":           broken(19, 3),
		simulate.LongHold + "/transfers":           broken(54.3, 4),
		simulate.LongHold + "/abandonment":         broken(70.2, 3),
		simulate.AppMismatch + "/page-speed":       kept(92, 1),
		simulate.AppMismatch + "/crash-free-users": broken(96.7, 0.5),
		simulate.AppMismatch + "/cold-start":       broken(74, 2),
		simulate.AppMismatch + "/reviews":          broken(2.1, 0.15),
		simulate.PhotoEditor + "/task-success":     broken(54.5, 1),
		simulate.PhotoEditor + "/search-success":   broken(49.8, 1),
		simulate.PhotoEditor + "/first-response":   kept(95.4, 2),
		simulate.PhotoEditor + "/satisfaction":     kept(96, 2.5),
		simulate.Flight + "/booking-apdex":         kept(0.92, 0.02),
		simulate.Flight + "/website-up":            kept(99.9, 0.1),
		simulate.Flight + "/check-in-wait":         broken(44, 2),
		simulate.Flight + "/satisfaction":          broken(48, 5),
		simulate.Laptop + "/device-faults":         broken(80, 3),
		simulate.Laptop + "/first-response":        kept(99, 0.8),
		simulate.Laptop + "/recommendation":        kept(51, 9),
		simulate.Laptop + "/technician-visit":      undecided(v1alpha1.ReasonInsufficientData, false),
		simulate.Laptop + "/delivery":              undecided(v1alpha1.ReasonInvalidQuery, true),
	}
}

// namespaces counts the namespaces that have objectives.
func namespaces() int {
	names := map[string]bool{}
	for key := range expectations() {
		namespace, _, _ := strings.Cut(key, "/")
		names[namespace] = true
	}
	return len(names)
}
