package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// logged is a context whose logger appends to lines.
func logged(lines *[]string) context.Context {
	return ctrl.LoggerInto(context.Background(), funcr.New(func(_, args string) { *lines = append(*lines, args) }, funcr.Options{}))
}

func TestLogStalled(t *testing.T) {
	is := func(kind, reason, message string, generation int64, change time.Time) []metav1.Condition {
		return []metav1.Condition{{
			Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message,
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(change),
		}}
	}
	then := time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC)
	typo := is(v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidQuery, "a typo", 1, then)
	const line = `"level"=0 "msg"="stalled" "reason"="InvalidQuery" "message"="a typo"`
	cases := map[string]struct {
		reason        string
		before, after []metav1.Condition
		want          []string
	}{
		"Sound":   {reason: "nothing is wrong", before: nil, after: is(v1alpha1.ConditionReady, v1alpha1.ReasonEvaluated, "", 1, then)},
		"Waits":   {reason: "what can come by itself is no mistake", after: is(v1alpha1.ConditionReconciling, v1alpha1.ReasonSourceNotFound, "none", 1, then)},
		"New":     {reason: "a mistake of a new object", after: typo, want: []string{line}},
		"Same":    {reason: "another look at the same", before: typo, after: typo},
		"Read":    {reason: "the same moment in another zone", before: typo, after: is(v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidQuery, "a typo", 1, then.In(time.FixedZone("", 3600)))},
		"Message": {reason: "another mistake", before: is(v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidQuery, "another", 1, then), after: typo, want: []string{line}},
		"Reason":  {reason: "of another reason", before: is(v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec, "a typo", 1, then), after: typo, want: []string{line}},
		"Changed": {reason: "a change of the object that does not mend it", before: is(v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidQuery, "a typo", 0, then), after: typo, want: []string{line}},
		"Mended":  {reason: "nothing is wrong any more", before: typo, after: is(v1alpha1.ConditionReady, v1alpha1.ReasonEvaluated, "", 2, then)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			logStalled(logged(&got), tc.before, tc.after)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestFaultsStayErrors has a status of an object with a mistake that cannot be written:
// that is the operator's error, which is tried again, and nothing is said of the mistake.
func TestFaultsStayErrors(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	resource := schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "exclusions"}
	cases := map[string]struct {
		reason string
		err    error
		// again is a try in silence, told a try after an error.
		again, told bool
	}{
		"Written":   {reason: "the mistake is told, and that is all"},
		"Conflict":  {reason: "somebody wrote first", err: apierrors.NewConflict(resource, "x", errors.New("written")), again: true},
		"Gone":      {reason: "nobody is there to be told", err: apierrors.NewNotFound(resource, "x")},
		"Forbidden": {reason: "a right is missing", err: apierrors.NewForbidden(resource, "x", errors.New("no role")), told: true},
		"Down":      {reason: "the API server fails", err: apierrors.NewInternalError(errors.New("etcd")), told: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			calendar, exclusion := shut(), &v1alpha1.Exclusion{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "move"}}
			calendar.Spec.TimeZone = "Mars/Olympus"
			exclusion.Spec.Recurrence = &v1alpha1.Recurrence{Every: v1alpha1.ExclusionDaily, TimeZone: "Mars/Olympus"}
			c := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(calendar, exclusion).WithObjects(calendar, exclusion).
				WithInterceptorFuncs(interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
					if tc.err != nil {
						return tc.err
					}
					return c.SubResource(sub).Patch(ctx, o, p, options...)
				}}).Build()
			clock := clocktesting.NewFakeClock(time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC))
			for _, each := range []struct {
				object     client.Object
				reconciler reconcile.Reconciler
			}{
				{calendar, &CalendarReconciler{Client: c, recorder: events.NewFakeRecorder(10), clock: clock}},
				{exclusion, &ExclusionReconciler{Client: c, recorder: events.NewFakeRecorder(10), clock: clock}},
			} {
				var lines []string
				result, err := each.reconciler.Reconcile(logged(&lines), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(each.object)})
				if (err != nil) != tc.told || (result.RequeueAfter > 0) != tc.again || errors.Is(err, reconcile.TerminalError(nil)) {
					t.Errorf("%s: %T: %+v, %v", tc.reason, each.object, result, err)
				}
				if (len(lines) == 1) != (tc.err == nil) {
					t.Errorf("%s: %T: logged %q", tc.reason, each.object, lines)
				}
			}
		})
	}
}
