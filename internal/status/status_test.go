package status_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

var now = time.Date(2026, 3, 14, 15, 9, 26, 535, time.UTC)

func aVerdict(change ...func(*evaluate.Verdict)) *evaluate.Verdict {
	v := &evaluate.Verdict{
		Outcome: evaluate.Met, Reason: v1alpha1.ReasonTargetMet, Unit: slo.Percent, Target: 0.75, Attainment: 0.813,
		BudgetRemaining: 0.252, Events: 33_022_382, MinimumEvents: 100, Coverage: 1, Band: v1alpha1.BandGood,
		Burns:  []evaluate.Burn{{Window: 6 * time.Hour, Rate: 0.748}},
		Window: slo.Span{Start: now.Add(-28 * 24 * time.Hour), End: now}, At: now,
	}
	for _, c := range change {
		c(v)
	}
	return v
}

func anObject() *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Name: "page-speed", Generation: 3},
		Status:     v1alpha1.ObjectiveStatus{ObservedGeneration: -1},
	}
}

// words gives conditions as "Type=Status Reason: message".
func words(conditions []metav1.Condition) map[string]string {
	out := map[string]string{}
	for _, c := range conditions {
		out[c.Type] = string(c.Status) + " " + c.Reason + ": " + c.Message
	}
	return out
}

func TestObjectiveConditions(t *testing.T) {
	fault := func(kind status.FaultKind, reason, message string) *status.Fault {
		return &status.Fault{Kind: kind, Reason: reason, Message: message}
	}
	cases := map[string]struct {
		reason  string
		verdict *evaluate.Verdict
		fault   *status.Fault
		want    map[string]string
	}{
		"Pending": {
			reason: "nothing is known yet",
			want: map[string]string{
				"Ready":       "False EvaluationPending: the first evaluation of this spec is under way",
				"Reconciling": "True EvaluationPending: the first evaluation of this spec is under way",
				"Met":         "Unknown EvaluationPending: the first evaluation of this spec is under way",
			},
		},
		"Met": {
			reason: "a promise that holds", verdict: aVerdict(),
			want: map[string]string{"Ready": "True Evaluated: evaluated", "Met": "True TargetMet: the attainment is at least the target of 75%"},
		},
		"Missed": {
			reason:  "a broken promise is no broken object",
			verdict: aVerdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Missed, v1alpha1.ReasonTargetMissed }),
			want:    map[string]string{"Ready": "True Evaluated: evaluated", "Met": "False TargetMissed: the attainment is below the target of 75%"},
		},
		"TooFewEvents": {
			reason:  "no verdict below minimumEvents",
			verdict: aVerdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Unknown, v1alpha1.ReasonInsufficientData }),
			want: map[string]string{
				"Ready": "True Evaluated: evaluated",
				"Met":   "Unknown InsufficientData: there are fewer events in the window than spec.minimumEvents, which is 100",
			},
		},
		"NotOpenYet": {
			reason:  "nothing was open",
			verdict: aVerdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Unknown, v1alpha1.ReasonNotOpenYet }),
			want: map[string]string{
				"Ready": "True Evaluated: evaluated",
				"Met":   "Unknown NotOpenYet: no minute of the window was open yet, by the calendar that counts for this objective: the verdict comes with the first",
			},
		},
		"Excluded": {
			reason:  "nothing is left of the window",
			verdict: aVerdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Unknown, v1alpha1.ReasonExcluded }),
			want: map[string]string{
				"Ready": "True Evaluated: evaluated",
				"Met":   "Unknown Excluded: exclusions leave nothing of the window: shorten or withdraw one of those that are for the objective, where that is not meant",
			},
		},
		"Inconclusive": {
			reason: "the interval holds the target",
			verdict: aVerdict(func(v *evaluate.Verdict) {
				v.Outcome, v.Reason, v.Level = evaluate.Unknown, v1alpha1.ReasonInconclusive, 0.95
			}),
			want: map[string]string{
				"Ready": "True Evaluated: evaluated",
				"Met":   "Unknown Inconclusive: the confidence interval at 95% holds the target of 75%: more events are needed to tell",
			},
		},
		"Estimated": {
			reason: "an interpolated count says so", verdict: aVerdict(func(v *evaluate.Verdict) { v.Estimated = true }),
			want: map[string]string{
				"Ready": "True Evaluated: evaluated; a threshold lies between two bucket boundaries, so the figures are estimates",
				"Met":   "True TargetMet: the attainment is at least the target of 75%",
			},
		},
		"Bridged": {
			reason: "a short outage keeps the object ready", verdict: aVerdict(), fault: fault(status.Bridged, v1alpha1.ReasonSourceUnavailable, "no answer"),
			want: map[string]string{
				"Ready": "True Evaluated: the last figures stand while the metric source does not answer",
				"Met":   "Unknown SourceUnavailable: no answer",
			},
		},
		"Waiting": {
			reason: "a long outage does not", verdict: aVerdict(), fault: fault(status.Waiting, v1alpha1.ReasonSourceUnavailable, "no answer"),
			want: map[string]string{
				"Ready": "False SourceUnavailable: no answer", "Reconciling": "True SourceUnavailable: no answer", "Met": "Unknown SourceUnavailable: no answer",
			},
		},
		"Mistake": {
			reason: "a person must mend the spec", fault: fault(status.Mistake, v1alpha1.ReasonInvalidQuery, "a typo"),
			want: map[string]string{
				"Ready": "False InvalidQuery: a typo", "Stalled": "True InvalidQuery: a typo", "Met": "Unknown InvalidQuery: a typo",
			},
		},
		"Suspended": {
			reason: "a wish is no fault", fault: status.Suspended(),
			want: map[string]string{
				"Ready": "True Suspended: evaluation is suspended: set spec.suspend to false to go on",
				"Met":   "Unknown Suspended: evaluation is suspended: set spec.suspend to false to go on",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObject()
			// What an earlier state left must not outlive it.
			status.Objective(o, nil, fault(status.Mistake, v1alpha1.ReasonInvalidQuery, "an earlier mistake"))
			status.Objective(o, nil, status.Pending())
			status.Objective(o, tc.verdict, tc.fault)
			if diff := cmp.Diff(tc.want, words(o.Status.Conditions)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if o.Status.ObservedGeneration != o.Generation {
				t.Errorf("observedGeneration = %d, want %d", o.Status.ObservedGeneration, o.Generation)
			}
		})
	}
}

func TestObjectiveFigures(t *testing.T) {
	o := anObject()
	status.Objective(o, aVerdict(), nil)
	at := func(s string) metav1.Time {
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return metav1.NewTime(parsed)
	}
	last := at("2026-03-14T15:09:26Z")
	want := v1alpha1.ObjectiveStatus{
		ObservedGeneration: 3, Attainment: "81.3%", Target: "75%", BudgetRemaining: "25.2%", Events: ptr.To[int64](33_022_382),
		Coverage: "100%", Band: v1alpha1.BandGood, BurnRates: []v1alpha1.BurnRate{{Window: "6h", Rate: "0.75"}},
		Window: o.Status.Window, LastEvaluationTime: &last, Conditions: o.Status.Conditions,
	}
	if diff := cmp.Diff(want, o.Status); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	status.Objective(o, aVerdict(func(v *evaluate.Verdict) {
		v.Attainment, v.BudgetRemaining, v.Events = math.NaN(), math.NaN(), 0
	}), nil)
	if o.Status.Attainment != "" || o.Status.BudgetRemaining != "" {
		t.Errorf("attainment %q, budget %q without an event, want none", o.Status.Attainment, o.Status.BudgetRemaining)
	}
}

// TestObjectiveWritesNoClock shows that time alone changes nothing: a status
// that says the same is not written again.
func TestObjectiveWritesNoClock(t *testing.T) {
	o := anObject()
	status.Objective(o, aVerdict(), nil)
	before := o.DeepCopy()
	later := func(v *evaluate.Verdict) {
		v.At = v.At.Add(10 * time.Minute)
		v.Window = slo.Span{Start: v.Window.Start.Add(10 * time.Minute), End: v.Window.End.Add(10 * time.Minute)}
		v.ExhaustsAt = v.At.Add(time.Hour)
	}
	status.Objective(o, aVerdict(later), nil)
	if diff := cmp.Diff(before, o); diff != "" {
		t.Errorf("ten minutes without a new figure: -before +after:\n%s", diff)
	}
	status.Objective(o, aVerdict(later, func(v *evaluate.Verdict) { v.Events++ }), nil)
	if o.Status.LastEvaluationTime.Equal(before.Status.LastEvaluationTime) || o.Status.ExhaustsAt == nil {
		t.Error("a new figure did not move lastEvaluationTime and exhaustsAt")
	}
}

func TestConditionMessageIsBounded(t *testing.T) {
	c := status.Stalled(v1alpha1.ReasonInvalidQuery, strings.Repeat("x", 5000))
	if len(c.Message) > 1024 || !strings.HasSuffix(c.Message, "...") {
		t.Errorf("a message of 5000 characters became one of %d", len(c.Message))
	}
}

func TestSourceConditions(t *testing.T) {
	cases := map[string]struct {
		reason string
		fault  *status.Fault
		want   map[string]string
	}{
		"Available": {
			reason: "the server answers",
			want:   map[string]string{"Ready": "True Available: the server answers queries"},
		},
		"Unchecked": {
			reason: "nobody asked it yet", fault: status.Unchecked(),
			want: map[string]string{
				"Ready":       "False EvaluationPending: the first check of the server is under way",
				"Reconciling": "True EvaluationPending: the first check of the server is under way",
			},
		},
		"Mistake": {
			reason: "the description cannot work", fault: &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidSpec, Message: "a bad certificate"},
			want: map[string]string{"Ready": "False InvalidSpec: a bad certificate", "Stalled": "True InvalidSpec: a bad certificate"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := &v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
			status.Source(o, &o.Status, status.Findings{Version: "3.11.3"}, tc.fault)
			if diff := cmp.Diff(tc.want, words(o.Status.Conditions)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if o.Status.ObservedGeneration != 2 {
				t.Errorf("observedGeneration = %d, want 2", o.Status.ObservedGeneration)
			}
		})
	}
}
