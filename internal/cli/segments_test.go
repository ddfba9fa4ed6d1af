package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// byDevice is an objective on views in segments: 99 of 100 are fast on a desktop, and
// 80 on the other device.
func byDevice(more string) string {
	return strings.Replace(daily("a", views, "85%"), "\n---", "\n  groupBy: {label: device"+more+"}\n---", 1)
}

// quoted is the odd value as it is printed.
const quoted = `"phone\x1b[2J\n"`

func TestSegmentsAreJudged(t *testing.T) {
	const head = "NAMESPACE   NAME   SERVICE    PERSPECTIVE   TARGET   CURRENT   BUDGET   MET     READY\n"
	cases := map[string]struct {
		reason, in string
		args       []string
		want       outcome
	}{
		"Every": {
			reason: "the whole keeps the promise and a device does not; it is named in a way that does a terminal no harm",
			in:     byDevice(""), args: []string{"evaluate"},
			want: outcome{Code: Missed, Out: head + "shop        a      checkout   UX            85%      89.5%     30%      False   True\n",
				Err: `stdin:8: Objective shop/a: SegmentMissed: the attainment is below the target of 85% for ` + quoted + "\n"},
		},
		"Whole": {
			reason: "or is promised to all together", in: byDevice(", met: Whole"), args: []string{"evaluate"},
			want: outcome{Out: strings.Replace(head, "MET     ", "MET    ", 1) + "shop        a      checkout   UX            85%      89.5%     30%      True   True\n"},
		},
		"Replay": {
			reason: "the past is told of all together, and that is said", in: byDevice(""), args: []string{"replay", "--from", "2h", "-o", "json"},
			want: outcome{Err: "note: Objective shop/a: segments are not replayed: the figures are of all together\n"},
		},
		"Validate": {
			reason: "the label must be there", in: strings.Replace(byDevice(""), "device", "devise", 1), args: []string{"validate"},
			want: outcome{Code: Invalid, Out: `stdin:12: Objective shop/a: spec.groupBy.label: metric "shop_fast_views_total" has no label "devise": did you mean "device"?` + "\n" +
				`stdin:12: Objective shop/a: spec.groupBy.label: metric "shop_views_total" has no label "devise": did you mean "device"?` + "\n", Err: counts(1, 0, 2, 0)},
		},
		"Valid": {reason: "and is", in: byDevice(""), args: []string{"validate"}, want: outcome{Err: counts(1, 0, 0, 0)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, tc.in, append(tc.args, "-f", "-", "--prometheus", server.URL)...)
			got.Err = strings.TrimPrefix(got.Err, assumed)
			if name == "Replay" {
				got.Out = ""
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSegmentsAreExplained(t *testing.T) {
	t.Setenv("KUBECONFIG", "none")
	got := do(t, byDevice(""), "explain", "-f", "-", "--prometheus", server.URL)
	if got.Code != Done {
		t.Fatalf("ended with %d: %s", got.Code, got.Err)
	}
	golden(t, "explain/segments.txt", got.Out)
}

// bySegment is an objective that some of those it was promised to do not get.
func bySegment(o *v1alpha1.Objective) {
	o.Spec.GroupBy = &v1alpha1.GroupBy{Label: "device"}
	o.Status.Segments = []v1alpha1.Segment{
		{Value: odd, Attainment: "43%", BudgetRemaining: "-128%", Events: ptr.To[int64](100), Met: v1alpha1.SegmentMetFalse},
		{Value: "a_watch", Attainment: "70%", BudgetRemaining: "-20%", Events: ptr.To[int64](100), Met: v1alpha1.SegmentMetFalse},
		{Value: "", Attainment: "99%", BudgetRemaining: "96%", Events: ptr.To[int64](100), Met: v1alpha1.SegmentMetTrue},
	}
}

// TestSegmentsAreShown shows an objective in the words of each command.
func TestSegmentsAreShown(t *testing.T) {
	missed := judged("pages", metav1.ConditionFalse, v1alpha1.ReasonSegmentMissed, "81.3%", "25.2%", bySegment)
	whole := judged("pages", metav1.ConditionFalse, v1alpha1.ReasonTargetMissed, "61.3%", "-54.8%", bySegment)
	cases := map[string]struct {
		reason  string
		text    string
		present []string
		absent  []string
	}{
		"Why":      {reason: "the worst is named", text: why(&missed), present: []string{"SegmentMissed: " + quoted}},
		"WhyWhole": {reason: "unless the whole misses", text: why(&whole), present: []string{"TargetMissed"}, absent: []string{"phone"}},
		"Report": {
			reason: "for people there is no contradiction between a good figure and a broken promise", text: broken(&missed),
			present: []string{`Customers got 81.3% in the last 28 days, but these got less than we promised: ` + quoted + `, a\_watch. Worst off was ` + quoted + ", with 43%."},
			absent:  []string{"no room"},
		},
		"ReportWhole": {reason: "where the whole misses, that is told", text: broken(&whole), present: []string{"There is no room left"}, absent: []string{"watch"}},
		"To":          {reason: "to whom it is promised", text: promisedTo(missed.Spec.GroupBy), present: []string{"all together, and every device"}},
		"ToWhole":     {reason: "or how it is shown", text: promisedTo(&v1alpha1.GroupBy{Label: "device", Met: v1alpha1.SegmentRuleWhole}), present: []string{"all together; shown by device"}},
		"Others":      {reason: "others have a name that no value has", text: segmentName(""), present: []string{"(all others)"}},
		"LikeOthers":  {reason: "for one that looks like it is quoted", text: segmentName("(all others)"), present: []string{`"(all others)"`}},
		"Plain":       {reason: "letters of all scripts are letters", text: segmentName("Größe é 電話"), present: []string{"Größe é 電話"}, absent: []string{`"`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, part := range tc.present {
				if !strings.Contains(tc.text, part) {
					t.Errorf("%s: %q is not in %q", tc.reason, part, tc.text)
				}
			}
			for _, part := range tc.absent {
				if strings.Contains(tc.text, part) {
					t.Errorf("%s: %q is in %q", tc.reason, part, tc.text)
				}
			}
		})
	}
}
