package status

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Calendar writes whether a calendar is open, and when that changes; a change of
// zero is none in sight.
func Calendar(c *v1alpha1.Calendar, open bool, change time.Time) {
	s := &c.Status
	s.ObservedGeneration, s.State, s.NextChange = c.Generation, v1alpha1.CalendarClosed, nil
	if open {
		s.State = v1alpha1.CalendarOpen
	}
	if !change.IsZero() {
		at := metav1.NewTime(change.UTC())
		s.NextChange = &at
	}
	replace(c, Ready(v1alpha1.ReasonUnderstood, "the hours are understood"))
}

// InvalidCalendar writes what a person must change before hours can be told.
func InvalidCalendar(c *v1alpha1.Calendar, fault *Fault) {
	c.Status = v1alpha1.CalendarStatus{ObservedGeneration: c.Generation, Conditions: c.Status.Conditions}
	replace(c, NotReady(fault.Reason, fault.Message), Stalled(fault.Reason, fault.Message))
}
