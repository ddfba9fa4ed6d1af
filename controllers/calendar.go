package controllers

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/status"
)

const (
	// lookAhead is how far ahead a change of hours is looked for.
	lookAhead = 366 * 24 * time.Hour
	// longestSleep is after how long a calendar is looked at again at the latest: the
	// database of time zones, and with it the hours, may be another by then.
	longestSleep = 24 * time.Hour
)

// CalendarReconciler says of calendars whether they are open and when that changes,
// or what is wrong with them. It is the only writer of their status; objectives read
// the spec alone.
type CalendarReconciler struct {
	client.Client
	recorder events.EventRecorder
	clock    clock.PassiveClock
}

// +kubebuilder:rbac:groups=experience.slo,resources=calendars/status,verbs=get;patch

// Reconcile brings one calendar's status up to the present.
func (r *CalendarReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	calendar := &v1alpha1.Calendar{}
	if err := r.Get(ctx, req.NamespacedName, calendar); err != nil || !calendar.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := calendar.DeepCopy()
	now := r.clock.Now()
	hours, mistake := compile.HoursOf(&calendar.Spec, now)
	result := ctrl.Result{}
	if mistake != nil {
		status.InvalidCalendar(calendar, objectiveFault(mistake))
	} else {
		change, changes := hours.NextChange(now, now.Add(lookAhead))
		status.Calendar(calendar, hours.Open(now.Truncate(time.Minute)), change)
		result.RequeueAfter = longestSleep
		if changes {
			result.RequeueAfter = min(longestSleep, change.Sub(now))
		}
	}
	if err := patchStatus(ctx, r.Client, before, calendar); err != nil {
		return requeueOnConflict(err)
	}
	announce(r.recorder, calendar, before.Status.Conditions, calendar.Status.Conditions)
	if mistake != nil {
		return refused(mistake), nil
	}
	return result, nil
}

func (r *CalendarReconciler) setup(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("calendar").
		For(&v1alpha1.Calendar{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(r)
}
