package controllers_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// mornings builds the Calendar desk, which is open for the first half of each day.
func mornings(namespace string) *v1alpha1.Calendar {
	return &v1alpha1.Calendar{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "desk"},
		Spec: v1alpha1.CalendarSpec{
			TimeZone: "UTC", Weekly: []v1alpha1.WeeklyHours{{Days: v1alpha1.Weekdays, Open: "00:00", Close: "12:00"}},
		},
	}
}

func during(calendar v1alpha1.Name) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) { s.CalendarRef = &v1alpha1.CalendarReference{Name: calendar} }
}

// understood waits until the operator has seen a calendar's spec and Ready has the
// reason.
func understood(t *testing.T, c *v1alpha1.Calendar, reason string) {
	t.Helper()
	await(t, c, "Ready with reason "+reason, func(c *v1alpha1.Calendar) bool {
		ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason && c.Status.ObservedGeneration == c.Generation
	})
}

// TestCalendars takes objectives through the life of their calendar: it is not there,
// comes, changes, breaks in several ways, is mended and goes.
func TestCalendars(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "calendars")
	create(t, aSource(ns, env.prom.URL))
	always, own := anObjective(ns, "always"), anObjective(ns, "mornings", during("desk"))
	shared := pageSpeed(ns)
	shared.Spec.CalendarRef = &v1alpha1.CalendarReference{Name: "desk"}
	byIndicator := anObjective(ns, "by-indicator", refers(map[string]v1alpha1.ParameterValue{"namespace": "long-hold"}))
	create(t, shared, always, own, byIndicator)
	both := []*v1alpha1.Objective{own, byIndicator}

	awaitNoCalendar(t, both)
	settled(t, always, v1alpha1.ReasonTargetMet)
	desk := mornings(ns)
	create(t, desk)
	countsMornings(t, both, always)

	before := *own.Status.Events
	update(t, desk, func(c *v1alpha1.Calendar) { c.Spec.Weekly[0].Close = "24:00" })
	await(t, own, "all events", func(o *v1alpha1.Objective) bool {
		return o.Status.Events != nil && *o.Status.Events > before && *o.Status.Events >= *always.Status.Events
	})
	breakCalendar(t, desk, own)

	update(t, desk, func(c *v1alpha1.Calendar) { c.Spec = mornings(ns).Spec })
	understood(t, desk, v1alpha1.ReasonUnderstood)
	settled(t, own, v1alpha1.ReasonTargetMet)
	settled(t, byIndicator, v1alpha1.ReasonTargetMet)
	if err := env.admin.Delete(context.Background(), desk); err != nil {
		t.Fatal(err)
	}
	awaitNoCalendar(t, both)
}

// awaitNoCalendar waits until objectives say that their calendar does not exist.
func awaitNoCalendar(t *testing.T, objectives []*v1alpha1.Objective) {
	t.Helper()
	const missing = "spec.calendarRef: Calendar calendars/desk does not exist: create it, or name another"
	for _, o := range objectives {
		if got := awaitCondition(t, o, v1alpha1.ConditionReconciling, v1alpha1.ReasonCalendarNotFound); got != missing {
			t.Errorf("%s says %q, want %q", o.Name, got, missing)
		}
	}
}

// countsMornings waits until objectives count a part of the events of one that counts
// all of them, with data in nearly all of the minutes that are open.
func countsMornings(t *testing.T, objectives []*v1alpha1.Objective, always *v1alpha1.Objective) {
	t.Helper()
	for _, o := range objectives {
		settled(t, o, v1alpha1.ReasonTargetMet)
		half := float64(*o.Status.Events) / float64(*always.Status.Events)
		t.Logf("%s: %d of %d events, coverage %s", o.Name, *o.Status.Events, *always.Status.Events, o.Status.Coverage)
		if half < 0.05 || half > 0.95 {
			t.Errorf("%s counts %.0f%% of the events, in half of the hours", o.Name, 100*half)
		}
		if coverage, err := strconv.ParseFloat(strings.TrimSuffix(o.Status.Coverage, "%"), 64); err != nil || coverage < 95 || coverage > 100 {
			t.Errorf("%s has a coverage of %s (%v), want nearly all of the minutes that are open", o.Name, o.Status.Coverage, err)
		}
	}
}

// breakCalendar breaks a calendar in several ways, each of which it and the objective
// must tell of.
func breakCalendar(t *testing.T, desk *v1alpha1.Calendar, own *v1alpha1.Objective) {
	t.Helper()
	for _, broken := range []struct {
		change func(*v1alpha1.Calendar)
		reason string
		says   string
	}{
		{func(c *v1alpha1.Calendar) { c.Spec.TimeZone = "Europe/Atlantis" }, v1alpha1.ReasonInvalidTimeZone, `spec.timeZone: "Europe/Atlantis" is no time zone`},
		{func(c *v1alpha1.Calendar) { c.Spec.TimeZone, c.Spec.ICalendar = "UTC", "DTSTART:20261225" }, v1alpha1.ReasonInvalidCalendar, "spec.iCalendar: line 1: it is outside of a calendar"},
		{func(c *v1alpha1.Calendar) { c.Spec.ICalendar, c.Spec.Weekly = "", nil }, v1alpha1.ReasonNeverOpen, "spec: no minute is open, in the year past or the one ahead"},
	} {
		update(t, desk, broken.change)
		understood(t, desk, broken.reason)
		got := awaitCondition(t, own, v1alpha1.ConditionStalled, broken.reason)
		t.Log(got)
		if want := "spec.calendarRef: Calendar calendars/desk: " + broken.says; !strings.HasPrefix(got, want) {
			t.Errorf("the objective says %q, want %q", got, want)
		}
		stalled := meta.FindStatusCondition(desk.Status.Conditions, v1alpha1.ConditionStalled)
		if stalled == nil || !strings.HasPrefix(stalled.Message, broken.says) || desk.Status.State != "" || desk.Status.NextChange != nil {
			t.Errorf("the calendar says\n%sand is %q", describe(desk), desk.Status.State)
		}
	}
}

// TestCalendarOpens begins some seconds before a calendar closes, by a clock that was
// put there.
func TestCalendarOpens(t *testing.T) {
	by := &shifted{}
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(36 * time.Hour)
	by.forward(time.Until(noon) - 5*time.Second)
	ns := namespace(t, "calendar-opens")
	desk := mornings(ns)
	create(t, desk)
	startOperatorBy(t, by)
	// Before noon, where the operator starts in time to see it.
	understood(t, desk, v1alpha1.ReasonUnderstood)
	midnight := noon.Add(12 * time.Hour)
	await(t, desk, "to be closed until midnight", func(c *v1alpha1.Calendar) bool {
		return c.Status.State == v1alpha1.CalendarClosed && c.Status.NextChange != nil && c.Status.NextChange.UTC().Equal(midnight)
	})
	out, err := env.kubectl("get", "xcal", "-n", ns)
	if err != nil || !strings.Contains(out, "desk   UTC         Closed   "+midnight.Format(time.RFC3339)) {
		t.Errorf("kubectl get xcal: %v\n%s", err, out)
	}
	t.Log(out)
}
