package evaluate

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// stated is an objective with a status, of a reason and figures.
func stated(met metav1.ConditionStatus, reason, attainment, target, budget string, change ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Name: "speed", Generation: 2}, Spec: v1alpha1.ObjectiveSpec{Perspective: ux}}
	o.Status = v1alpha1.ObjectiveStatus{
		ObservedGeneration: 2, Attainment: attainment, Target: target, BudgetRemaining: budget,
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionMet, Status: met, Reason: reason}},
	}
	for _, c := range change {
		c(o)
	}
	return o
}

func TestMeasured(t *testing.T) {
	noon := metav1.NewTime(time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC))
	ends := func(o *v1alpha1.Objective) { o.Status.ExhaustsAt = &noon }
	older := func(o *v1alpha1.Objective) { o.Generation++ }
	worst := func(o *v1alpha1.Objective) {
		o.Status.Segments = []v1alpha1.Segment{{Value: "phone", Attainment: "30%", BudgetRemaining: "-180%"}, {Value: "desktop", Attainment: "90%"}}
	}
	percent := func(*v1alpha1.Objective) (slo.Unit, error) { return slo.Percent, nil }
	none := func(*v1alpha1.Objective) (slo.Unit, error) { return slo.Unit{}, errors.New("its indicator is gone") }
	nan := math.NaN()
	member := func(outcome Outcome, reason string, kept, budget float64, attainment, target string) JourneyMember {
		return JourneyMember{Name: "speed", Perspective: ux, Outcome: outcome, Reason: reason, Kept: kept, Budget: budget, Attainment: attainment, Target: target}
	}
	lasting := member(Met, "TargetMet", 1, 0.5, "90%", "75%")
	lasting.ExhaustsAt = noon.Time
	cases := map[string]struct {
		reason    string
		objective *v1alpha1.Objective
		unit      func(*v1alpha1.Objective) (slo.Unit, error)
		want      JourneyMember
	}{
		"Met":     {"all of it", stated("True", "TargetMet", "90%", "75%", "50%", ends), percent, lasting},
		"Missed":  {"a share of it", stated("False", "TargetMissed", "60%", "75%", "-60%"), percent, member(Missed, "TargetMissed", 0.8, -0.6, "60%", "75%")},
		"Segment": {"what the worst segment gets", stated("False", "SegmentMissed", "80%", "75%", "20%", worst, ends), percent, member(Missed, "SegmentMissed", 0.4, -1.8, "30%", "75%")},
		"Unknown": {"its reason", stated("Unknown", "NoData", "", "75%", ""), percent, member(Unknown, "NoData", nan, nan, "", "75%")},
		"Older":   {"a status of another spec says nothing", stated("True", "TargetMet", "90%", "75%", "50%", older), percent, member(Unknown, "EvaluationPending", nan, nan, "", "")},
		"NoUnit":  {"a violation of which nobody knows how much", stated("False", "TargetMissed", "3.8", "4.2", "-60%"), none, member(Missed, "TargetMissed", nan, -0.6, "3.8", "4.2")},
		"NoText":  {"nor of figures that are none", stated("False", "TargetMissed", "much", "75%", "-"), percent, member(Missed, "TargetMissed", nan, nan, "much", "75%")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Staged{Name: "speed", Objective: tc.objective}.Measured(tc.unit)
			if diff := cmp.Diff(tc.want, got, nearly); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if got := (Staged{Namespace: "support", Name: "speed"}).Measured(percent); got.Reason != v1alpha1.ReasonNotShared {
		t.Errorf("what is not there is %s", got.Reason)
	}
}
