package status_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

func segment(value string, outcome evaluate.Outcome, reason string, attainment, budget, events float64) evaluate.Segment {
	return evaluate.Segment{Value: value, Outcome: outcome, Reason: reason, Attainment: attainment, BudgetRemaining: budget, Events: events}
}

func misses(values ...string) []evaluate.Segment {
	var out []evaluate.Segment
	for _, value := range values {
		out = append(out, segment(value, evaluate.Missed, v1alpha1.ReasonTargetMissed, 0.5, -1, 10))
	}
	return out
}

func TestSegments(t *testing.T) {
	o := anObject()
	status.Objective(o, aVerdict(func(v *evaluate.Verdict) {
		v.Segments = []evaluate.Segment{
			segment("phone", evaluate.Missed, v1alpha1.ReasonTargetMissed, 0.7499999, -0.0000004, 1234.4),
			segment("", evaluate.Met, v1alpha1.ReasonTargetMet, 0.9, 0.6, 100),
			segment("watch", evaluate.Unknown, v1alpha1.ReasonInsufficientData, math.NaN(), math.NaN(), 0),
		}
	}), nil)
	want := []v1alpha1.Segment{
		{Value: "phone", Attainment: "74.99999%", BudgetRemaining: "-0.00004%", Events: ptr.To[int64](1234), Met: v1alpha1.SegmentMetFalse},
		{Value: "", Attainment: "90%", BudgetRemaining: "60%", Events: ptr.To[int64](100), Met: v1alpha1.SegmentMetTrue},
		{Value: "watch", Events: ptr.To[int64](0), Met: v1alpha1.SegmentMetUnknown},
	}
	if diff := cmp.Diff(want, o.Status.Segments); diff != "" {
		t.Errorf("segments are rounded as the whole is, and keep their order: -want, +got:\n%s", diff)
	}
	status.Objective(o, aVerdict(), nil)
	if len(o.Status.Segments) != 0 {
		t.Errorf("without groupBy there are no segments, got %v", o.Status.Segments)
	}
}

func TestSegmentMessages(t *testing.T) {
	missed := func(segments ...evaluate.Segment) *evaluate.Verdict {
		return aVerdict(func(v *evaluate.Verdict) {
			v.Outcome, v.Reason, v.Segments = evaluate.Missed, v1alpha1.ReasonSegmentMissed, segments
		})
	}
	good := segment("desktop", evaluate.Met, v1alpha1.ReasonTargetMet, 0.9, 0.6, 100)
	cases := map[string]struct {
		reason  string
		verdict *evaluate.Verdict
		want    string
	}{
		"One": {
			reason: "the segment is named", verdict: missed(append(misses("phone"), good)...),
			want: `False SegmentMissed: the attainment is below the target of 75% for "phone"`,
		},
		"Several": {
			reason: "in the order of their values, since that of the figures moves", verdict: missed(misses("watch", "", "phone")...),
			want: `False SegmentMissed: the attainment is below the target of 75% for "phone", "watch", all others together`,
		},
		"Many": {
			reason: "a message names a few", verdict: missed(misses("f", "e", "d", "c", "b", "a")...),
			want: `False SegmentMissed: the attainment is below the target of 75% for "a", "b", "c", "d", "e", more of status.segments`,
		},
		"Whole": {
			reason: "where the whole misses, segments are not the reason",
			verdict: aVerdict(func(v *evaluate.Verdict) {
				v.Outcome, v.Reason, v.Segments = evaluate.Missed, v1alpha1.ReasonTargetMissed, misses("phone")
			}),
			want: "False TargetMissed: the attainment is below the target of 75%",
		},
		"Inconclusive": {
			reason: "the segments that leave it open are named",
			verdict: aVerdict(func(v *evaluate.Verdict) {
				v.Outcome, v.Reason, v.Level = evaluate.Unknown, v1alpha1.ReasonInconclusive, 0.95
				v.Segments = []evaluate.Segment{segment("phone", evaluate.Unknown, v1alpha1.ReasonInconclusive, 0.8, 0.2, 10), good}
			}),
			want: `Unknown Inconclusive: the confidence interval at 95% holds the target of 75%: more events are needed to tell; segments: "phone"`,
		},
		"TooFew": {
			reason: "those with too few events are not: they leave nothing open",
			verdict: aVerdict(func(v *evaluate.Verdict) {
				v.Outcome, v.Reason = evaluate.Unknown, v1alpha1.ReasonInsufficientData
				v.Segments = []evaluate.Segment{segment("phone", evaluate.Unknown, v1alpha1.ReasonInsufficientData, 0.8, 0.2, 10)}
			}),
			want: "Unknown InsufficientData: there are fewer events in the window than spec.minimumEvents, which is 100",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObject()
			status.Objective(o, tc.verdict, nil)
			if diff := cmp.Diff(tc.want, words(o.Status.Conditions)[v1alpha1.ConditionMet]); diff != "" {
				t.Errorf("\n%s\nMet: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLongMessagesAreText shortens a message in the midst of a character.
func TestLongMessagesAreText(t *testing.T) {
	o := anObject()
	status.Objective(o, aVerdict(func(v *evaluate.Verdict) {
		v.Outcome, v.Reason = evaluate.Missed, v1alpha1.ReasonSegmentMissed
		v.Segments = misses(strings.Repeat("é", 128), "x"+strings.Repeat("é", 127), strings.Repeat("ö", 128), strings.Repeat("ü", 128), strings.Repeat("€", 128))
	}), nil)
	met := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionMet)
	if len(met.Message) > 1024 || !utf8.ValidString(met.Message) || !strings.HasSuffix(met.Message, "...") {
		t.Errorf("the message has %d bytes and is text: %t: %s", len(met.Message), utf8.ValidString(met.Message), met.Message)
	}
}

// TestSegmentsAreWrittenWhenTheyChange holds the fields that move with the clock
// while no figure does.
func TestSegmentsAreWrittenWhenTheyChange(t *testing.T) {
	at := func(minutes int, attainment float64) *evaluate.Verdict {
		return aVerdict(func(v *evaluate.Verdict) {
			v.At = now.Add(time.Duration(minutes) * time.Minute)
			v.Segments = []evaluate.Segment{segment("phone", evaluate.Met, v1alpha1.ReasonTargetMet, attainment, 0.2, 10)}
		})
	}
	cases := map[string]struct {
		reason  string
		verdict *evaluate.Verdict
		written bool
	}{
		"Same":    {"nothing is new", at(1, 0.8), false},
		"Rounded": {"nobody sees the difference", at(1, 0.80000001), false},
		"Changed": {"a figure of a segment is a figure", at(1, 0.79), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObject()
			status.Objective(o, at(0, 0.8), nil)
			before := o.DeepCopy()
			status.Objective(o, tc.verdict, nil)
			if written := !cmp.Equal(before.Status, o.Status); written != tc.written {
				t.Errorf("%s: written: %t, want %t", tc.reason, written, tc.written)
			}
		})
	}
}
