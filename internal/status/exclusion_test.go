package status_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

func TestExclusionStatus(t *testing.T) {
	count := func(n int32) *int32 { return &n }
	span := slo.Span{Start: now, End: now.Add(time.Hour)}
	next := &v1alpha1.ExclusionSpan{From: metav1.NewTime(now.UTC()), To: metav1.NewTime(now.Add(time.Hour).UTC())}
	cut := metav1.NewTime(now)
	type want struct {
		Ready, Stalled string
		State          v1alpha1.ExclusionState
		Objectives     *int32
		Next           *v1alpha1.ExclusionSpan
	}
	standing := func(o evaluate.ExclusionOutcome) func(*v1alpha1.Exclusion) {
		return func(x *v1alpha1.Exclusion) { status.Exclusion(x, o) }
	}
	cases := map[string]struct {
		reason string
		spec   v1alpha1.ExclusionSpec
		events []func(*v1alpha1.Exclusion)
		want   want
	}{
		"Planned": {
			reason: "what comes, for how many", events: []func(*v1alpha1.Exclusion){standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionPlanned, Objectives: 4, Next: &span})},
			want: want{Ready: "True Planned: the exclusion has not begun", State: v1alpha1.ExclusionPlanned, Objectives: count(4), Next: next},
		},
		"Active": {
			reason: "what is", events: []func(*v1alpha1.Exclusion){standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionActive, Objectives: 1, Next: &span})},
			want: want{Ready: "True Active: the exclusion has begun and is not over", State: v1alpha1.ExclusionActive, Objectives: count(1), Next: next},
		},
		"Ended": {
			reason: "what was has no next", events: []func(*v1alpha1.Exclusion){
				standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionActive, Objectives: 1, Next: &span}),
				standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionEnded, Objectives: 1}),
			},
			want: want{
				Ready: "True Ended: the exclusion is over and a record: it can be withdrawn, and not changed otherwise",
				State: v1alpha1.ExclusionEnded, Objectives: count(1),
			},
		},
		"Withdrawn": {
			reason: "wholly", spec: v1alpha1.ExclusionSpec{Withdrawn: &v1alpha1.Withdrawal{}},
			events: []func(*v1alpha1.Exclusion){standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionWithdrawn, Objectives: 1})},
			want:   want{Ready: "True Withdrawn: the exclusion was withdrawn: its time counts again", State: v1alpha1.ExclusionWithdrawn, Objectives: count(1)},
		},
		"WithdrawnAt": {
			reason: "or since a moment", spec: v1alpha1.ExclusionSpec{Withdrawn: &v1alpha1.Withdrawal{At: &cut}},
			events: []func(*v1alpha1.Exclusion){standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionWithdrawn, Objectives: 1})},
			want: want{
				Ready: "True Withdrawn: the exclusion was withdrawn: its time counts again since spec.withdrawn.at",
				State: v1alpha1.ExclusionWithdrawn, Objectives: count(1),
			},
		},
		"WithdrawnLater": {
			reason: "which may be still to come", spec: v1alpha1.ExclusionSpec{Withdrawn: &v1alpha1.Withdrawal{At: &cut}},
			events: []func(*v1alpha1.Exclusion){standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionActive, Objectives: 1, Next: &span})},
			want: want{
				Ready: "True Active: the exclusion has begun and is not over; it is withdrawn: its time counts again from spec.withdrawn.at on",
				State: v1alpha1.ExclusionActive, Objectives: count(1), Next: next,
			},
		},
		"Nobody": {
			reason: "a typo is told of", events: []func(*v1alpha1.Exclusion){standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionActive})},
			want: want{
				Ready: "True Active: the exclusion has begun and is not over; it is for no objective that there is: look at spec.selector, spec.objectives and spec.services",
				State: v1alpha1.ExclusionActive, Objectives: count(0),
			},
		},
		"Invalid": {
			reason: "a mistake keeps the phase, by which the API server tells what may change",
			events: []func(*v1alpha1.Exclusion){
				standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionActive, Objectives: 1, Next: &span}),
				func(x *v1alpha1.Exclusion) {
					status.InvalidExclusion(x, v1alpha1.ReasonInvalidTimeZone, "no such zone")
				},
			},
			want: want{Ready: "False InvalidTimeZone: no such zone", Stalled: "True InvalidTimeZone: no such zone", State: v1alpha1.ExclusionActive},
		},
		"Mended": {
			reason: "and is forgotten when it is mended",
			events: []func(*v1alpha1.Exclusion){
				func(x *v1alpha1.Exclusion) {
					status.InvalidExclusion(x, v1alpha1.ReasonInvalidTimeZone, "no such zone")
				},
				standing(evaluate.ExclusionOutcome{State: v1alpha1.ExclusionEnded, Objectives: 2}),
			},
			want: want{
				Ready: "True Ended: the exclusion is over and a record: it can be withdrawn, and not changed otherwise",
				State: v1alpha1.ExclusionEnded, Objectives: count(2),
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			x := &v1alpha1.Exclusion{ObjectMeta: metav1.ObjectMeta{Generation: 3}, Spec: tc.spec}
			for _, happens := range tc.events {
				happens(x)
			}
			got := want{State: x.Status.State, Objectives: x.Status.Objectives, Next: x.Status.Next}
			for _, c := range x.Status.Conditions {
				text := string(c.Status) + " " + c.Reason + ": " + c.Message
				switch {
				case c.ObservedGeneration != 3:
					t.Errorf("%s is of generation %d", c.Type, c.ObservedGeneration)
				case c.Type == v1alpha1.ConditionReady:
					got.Ready = text
				default:
					got.Stalled = text
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if x.Status.ObservedGeneration != 3 {
				t.Errorf("%s: observedGeneration = %d, want 3", tc.reason, x.Status.ObservedGeneration)
			}
		})
	}
}

// TestRawFigures holds what is told beside the figures of an objective.
func TestRawFigures(t *testing.T) {
	events := func(n int64) *int64 { return &n }
	type want struct {
		Raw      *v1alpha1.RawFigures
		Excluded string
	}
	cases := map[string]struct {
		reason string
		args   *evaluate.Verdict
		want   want
	}{
		"Nothing": {reason: "nothing where nothing is left out", args: aVerdict()},
		"Both": {
			reason: "both figures side by side",
			args: aVerdict(func(v *evaluate.Verdict) {
				v.Excluded, v.Raw = 0.0321, &evaluate.Figures{Attainment: 0.7, BudgetRemaining: -0.2, Events: 40_000_000}
			}),
			want: want{&v1alpha1.RawFigures{Attainment: "70%", BudgetRemaining: "-20%", Events: events(40_000_000)}, "3.2%"},
		},
		"NoEvents": {
			reason: "no event is left out either",
			args: aVerdict(func(v *evaluate.Verdict) {
				v.Excluded, v.Raw = 1, &evaluate.Figures{Attainment: math.NaN(), BudgetRemaining: math.NaN()}
			}),
			want: want{&v1alpha1.RawFigures{Events: events(0)}, "100%"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObject()
			o.Status.Raw, o.Status.Excluded = &v1alpha1.RawFigures{Attainment: "1%"}, "1%" // of an earlier time
			status.Objective(o, tc.args, nil)
			if diff := cmp.Diff(tc.want, want{o.Status.Raw, o.Status.Excluded}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
