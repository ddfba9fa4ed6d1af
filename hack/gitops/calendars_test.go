package gitops_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/status"
)

// calendar takes one through what happens to it. It is as the API server makes it
// before anything does.
func calendar(events ...func(*v1alpha1.Calendar)) *v1alpha1.Calendar {
	c := &v1alpha1.Calendar{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Calendar"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "support-hours", Generation: 2},
		Status:     v1alpha1.CalendarStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(c)
	}
	return c
}

// calendars are the states of a Calendar.
func calendars() map[string]state {
	told := func(open bool) func(*v1alpha1.Calendar) {
		return func(c *v1alpha1.Calendar) { status.Calendar(c, open, now.Add(time.Hour)) }
	}
	wrong := func(c *v1alpha1.Calendar) {
		status.InvalidCalendar(c, &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidTimeZone, Message: "no such zone"})
	}
	const unseen = "the operator has not seen this spec yet"
	return map[string]state{
		"NotSeen": {"the operator has not begun", calendar(), health{"Progressing", "Progressing", unseen, "InProgress"}},
		"Changed": {"other hours", calendar(told(true), func(c *v1alpha1.Calendar) { c.Generation++ }),
			health{"Progressing", "Progressing", unseen, "InProgress"}},
		"Open":    {"it is open", calendar(told(true)), health{"Healthy", "Healthy", "the hours are understood", "Current"}},
		"Closed":  {"to be closed is no fault", calendar(told(false)), health{"Healthy", "Healthy", "the hours are understood", "Current"}},
		"Mistake": {"a person must mend it", calendar(told(true), wrong), health{"Degraded", "Degraded", "InvalidTimeZone: no such zone", "Failed"}},
		"Mended":  {"and it is as if nothing had been", calendar(wrong, told(true)), health{"Healthy", "Healthy", "the hours are understood", "Current"}},
		"Deleted": {"a finalizer of somebody else holds it", calendar(told(true), func(c *v1alpha1.Calendar) {
			c.Finalizers, c.DeletionTimestamp = []string{"example.com/slow"}, new(metav1.NewTime(now))
		}), health{"Progressing", "Progressing", "the calendar is being deleted", "Terminating"}},
	}
}
