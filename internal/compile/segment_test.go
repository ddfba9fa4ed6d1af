package compile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// by groups an objective.
func by(o *v1alpha1.Objective, group v1alpha1.GroupBy) *v1alpha1.Objective {
	o.Spec.GroupBy = &group
	return o
}

func TestGroupBy(t *testing.T) {
	device := v1alpha1.GroupBy{Label: "device", Maximum: 5, Met: v1alpha1.SegmentRuleEvery}
	known := func(generation int64) *v1alpha1.Objective {
		o := by(objective(events("good_total", "", "x_total")), device)
		o.Generation, o.Status.ObservedGeneration = 3, generation
		o.Status.Segments = []v1alpha1.Segment{{Value: "phone"}, {Value: ""}, {Value: "desktop"}}
		return o
	}
	confined := &v1alpha1.MetricSourceSpec{Matchers: []v1alpha1.LabelMatcher{{Label: "device", Value: "phone"}}}
	const noSelectors = "the indicator has no plain selectors, to which the label of a segment could be added: use events, distribution, apdex or score, or remove groupBy"
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Objective
		source *v1alpha1.MetricSourceSpec
		want   *compile.Group
		refuse mistake
	}{
		"None":  {reason: "without groupBy there are no segments", args: objective(events("good_total", "", "x_total"))},
		"Every": {reason: "the promise is made to each", args: by(objective(events("good_total", "", "x_total")), device), want: &compile.Group{Label: "device", Maximum: 5, Every: true}},
		"Whole": {
			reason: "or to all together", want: &compile.Group{Label: "device", Maximum: 5},
			args: by(objective(events("good_total", "", "x_total")), v1alpha1.GroupBy{Label: "device", Maximum: 5, Met: v1alpha1.SegmentRuleWhole}),
		},
		"Histogram": {
			reason: "a classic histogram has selectors before its boundaries are known", want: &compile.Group{Label: "device", Maximum: 5, Every: true},
			args: by(objective(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: "x_seconds", Threshold: "1"}}), device),
		},
		"Known": {
			reason: "the segments of the status stay segments", args: known(3),
			want: &compile.Group{Label: "device", Maximum: 5, Known: []string{"phone", "desktop"}, Every: true},
		},
		"KnownOfAnotherSpec": {
			reason: "those of another spec may be of another label", args: known(2), want: &compile.Group{Label: "device", Maximum: 5, Every: true},
		},
		"Queries": {
			reason: "an expression of the author's takes no matcher", refuse: mistake{"InvalidSpec", "spec.groupBy", noSelectors},
			args: by(objective(v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: "a", Events: "b"}}), device),
		},
		"State": {
			reason: "nor does a state", refuse: mistake{"InvalidSpec", "spec.groupBy", noSelectors},
			args: by(objective(v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "up", Operator: "Equal", Value: "1", NoData: "Ignore"}}), device),
		},
		"Confined": {
			reason: "a label that has one value for this source tells nothing apart", args: by(objective(events("good_total", "", "x_total")), device), source: confined,
			refuse: mistake{"InvalidSpec", "spec.groupBy.label", `the metric source confines every query to device="phone", so there is one segment alone: name another label`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			source := tc.source
			if source == nil {
				source = &v1alpha1.MetricSourceSpec{}
			}
			plan, err := compile.Compile(compile.Input{Objective: tc.args, Source: source, Now: time.Unix(0, 0)})
			if diff := cmp.Diff(tc.refuse, mistakeOf(t, err)); diff != "" {
				t.Fatalf("\n%s\nCompile(...): -want error, +got error:\n%s", tc.reason, diff)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, plan.Group); diff != "" {
				t.Errorf("\n%s\nGroup: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
