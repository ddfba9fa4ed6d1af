package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/metrics"
)

// shut is a calendar that is closed every day until a year after it is looked at first.
func shut() *v1alpha1.Calendar {
	return &v1alpha1.Calendar{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "desk"},
		Spec: v1alpha1.CalendarSpec{
			TimeZone: "UTC", Weekly: []v1alpha1.WeeklyHours{{Days: v1alpha1.Weekdays, Open: "00:00", Close: "24:00"}},
			ICalendar: "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200101\nRRULE:FREQ=DAILY;UNTIL=20290601\nEND:VEVENT\nEND:VCALENDAR\n",
		},
	}
}

// byDesk is an objective whose minutes count by the calendar.
func byDesk() *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "promise"},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Target: "99%",
			Window:      v1alpha1.Window{Rolling: "28d"},
			Indicator:   v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: `all_total{code="200"}`, Total: "all_total"}},
			CalendarRef: &v1alpha1.CalendarReference{Name: "desk"},
			SourceRef:   &v1alpha1.SourceReference{Kind: v1alpha1.SourceKindMetricSource, Name: "prometheus"},
		},
	}
}

// seen reconciles an object and gives the reason of its readiness.
func seen(t *testing.T, c client.Client, reconciler reconcile.Reconciler, o client.Object, conditions *[]metav1.Condition) (string, ctrl.Result, error) {
	t.Helper()
	result, err := reconciler.Reconcile(context.Background(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(o)})
	if wrong := c.Get(context.Background(), client.ObjectKeyFromObject(o), o); wrong != nil {
		t.Fatal(wrong)
	}
	ready := meta.FindStatusCondition(*conditions, v1alpha1.ConditionReady)
	if ready == nil {
		t.Fatalf("%T has no condition Ready: %v", o, err)
	}
	return ready.Reason, result, err
}

// lookedAt checks what was found of an object, and that it is looked at again or is a
// mistake that a person must mend, which is no error.
func lookedAt(t *testing.T, what, got, want string, result ctrl.Result, err error, again bool) {
	t.Helper()
	if got != want || (result.RequeueAfter > 0) != again || err != nil {
		t.Errorf("%s is %s, looked at again after %s (%v), want %s", what, got, result.RequeueAfter, err, want)
	}
}

// TestMistakesOfADateAreLookedAtAgain has a calendar, and an objective that goes by it,
// that a later date mends, and one that a person must.
func TestMistakesOfADateAreLookedAtAgain(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	desk, promise := shut(), byDesk()
	c := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(desk, promise).WithObjects(desk, promise,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "prometheus"}, Spec: v1alpha1.MetricSourceSpec{URL: "http://prometheus:9090"}},
	).Build()
	clock := clocktesting.NewFakeClock(time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC))
	recorder := metrics.New(prometheus.NewRegistry())
	told := events.NewFakeRecorder(100)
	calendars := &CalendarReconciler{Client: c, recorder: told, clock: clock}
	objectives := &ObjectiveReconciler{
		Client: c, gather: &gatherer{cached: c, direct: c}, evaluator: NewEvaluator(NewSources(recorder), recorder, clock),
		rules: newRulesBoard(clock), recorder: told, clock: clock,
	}
	check := func(reason, wantCalendar, wantObjective string, again bool) {
		t.Helper()
		got, result, err := seen(t, c, calendars, desk, &desk.Status.Conditions)
		lookedAt(t, reason+": the calendar", got, wantCalendar, result, err, again)
		got, result, err = seen(t, c, objectives, promise, &promise.Status.Conditions)
		lookedAt(t, reason+": the objective", got, wantObjective, result, err, again)
	}

	check("nothing is open for years", v1alpha1.ReasonNeverOpen, v1alpha1.ReasonNeverOpen, true)
	clock.SetTime(time.Date(2028, time.September, 1, 0, 0, 0, 0, time.UTC))
	// What was known of the objective stays until it is measured.
	check("it opens in less than a year", v1alpha1.ReasonUnderstood, v1alpha1.ReasonNeverOpen, true)
	if objectives.evaluator.entry(client.ObjectKeyFromObject(promise)) == nil {
		t.Error("the objective is not measured")
	}
	desk.Spec.TimeZone, desk.Generation = "Europe/Atlantis", 2
	if err := c.Update(context.Background(), desk); err != nil {
		t.Fatal(err)
	}
	check("no date makes a zone of it", v1alpha1.ReasonInvalidTimeZone, v1alpha1.ReasonInvalidTimeZone, false)
}
