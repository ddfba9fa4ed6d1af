package controllers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestJourneyRefused shows what a person reads who applies a journey that cannot be.
func TestJourneyRefused(t *testing.T) {
	const normal = v1alpha1.ImportanceNormal
	ns := namespace(t, "journeys-refused")
	long := aJourney(ns, "long")
	for i := range 101 {
		long.Spec.Stages = append(long.Spec.Stages, passes(v1alpha1.Label(fmt.Sprintf("stage-%d", i)), normal, "fast"))
	}
	edge := func(stage, by v1alpha1.Label) v1alpha1.Recovery {
		return v1alpha1.Recovery{Stage: stage, By: by, Cap: "100%"}
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Journey
		want   string
	}{
		"TooLong": {"a hundred stages are the most", long,
			`Journey.experience.slo "long" is invalid: [spec.stages: Too many: 101: must have at most 100 items, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`},
		"MakesUpForItself": {"the shortest cycle", recoveredBy(aJourney(ns, "itself", passes("web", normal, "fast")), edge("web", "web")),
			`Journey.experience.slo "itself" is invalid: spec.recovery[0]: Invalid value: a stage cannot recover itself: name another stage in recovery.by`},
		"MadeUpForByNobody": {"a stage of another name", recoveredBy(aJourney(ns, "nobody", passes("web", normal, "fast")), edge("web", "phone")),
			`Journey.experience.slo "nobody" is invalid: spec: Invalid value: recovery.stage and recovery.by must be names of spec.stages`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := env.admin.Create(context.Background(), tc.args)
			if diff := cmp.Diff(tc.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
