package status_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/status"
)

// TestCalendar takes a calendar through what is said of it: open, closed, wrong and
// always open. What was said before leaves nothing behind.
func TestCalendar(t *testing.T) {
	noon := time.Date(2026, 3, 16, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	at := metav1.NewTime(noon.UTC())
	const understood = "True Understood: the hours are understood"
	steps := []struct {
		reason string
		say    func(*v1alpha1.Calendar)
		want   v1alpha1.CalendarStatus
		says   map[string]string
	}{
		{
			"it is open until noon", func(c *v1alpha1.Calendar) { status.Calendar(c, true, noon) },
			v1alpha1.CalendarStatus{ObservedGeneration: 3, State: v1alpha1.CalendarOpen, NextChange: &at}, map[string]string{"Ready": understood},
		},
		{
			"or closed until then", func(c *v1alpha1.Calendar) { status.Calendar(c, false, noon) },
			v1alpha1.CalendarStatus{ObservedGeneration: 3, State: v1alpha1.CalendarClosed, NextChange: &at}, map[string]string{"Ready": understood},
		},
		{
			"of wrong hours nobody knows", func(c *v1alpha1.Calendar) {
				c.Generation++
				status.InvalidCalendar(c, &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonNeverOpen, Message: "add hours"})
			},
			v1alpha1.CalendarStatus{ObservedGeneration: 4}, map[string]string{"Ready": "False NeverOpen: add hours", "Stalled": "True NeverOpen: add hours"},
		},
		{
			"what is always open has no next change", func(c *v1alpha1.Calendar) { status.Calendar(c, true, time.Time{}) },
			v1alpha1.CalendarStatus{ObservedGeneration: 4, State: v1alpha1.CalendarOpen}, map[string]string{"Ready": understood},
		},
	}
	calendar := &v1alpha1.Calendar{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
	for _, step := range steps {
		step.say(calendar)
		got, says := calendar.Status, map[string]string{}
		for _, c := range got.Conditions {
			says[c.Type] = string(c.Status) + " " + c.Reason + ": " + c.Message
			if c.ObservedGeneration != calendar.Generation {
				t.Errorf("%s: %s is of generation %d, want %d", step.reason, c.Type, c.ObservedGeneration, calendar.Generation)
			}
		}
		got.Conditions = nil
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: status: -want, +got:\n%s", step.reason, diff)
		}
		if diff := cmp.Diff(step.says, says); diff != "" {
			t.Errorf("%s: conditions: -want, +got:\n%s", step.reason, diff)
		}
	}
}
