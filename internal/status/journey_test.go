package status_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/status"
)

const (
	ux = v1alpha1.PerspectiveUX
	cx = v1alpha1.PerspectiveCX
)

func kept(name v1alpha1.Name, side v1alpha1.Perspective) evaluate.JourneyMember {
	return evaluate.JourneyMember{Name: name, Perspective: side, Outcome: evaluate.Met, Reason: v1alpha1.ReasonTargetMet, Kept: 1, Budget: 0.252}
}

func violated(name v1alpha1.Name, side v1alpha1.Perspective, share float64) evaluate.JourneyMember {
	return evaluate.JourneyMember{
		Name: name, Perspective: side, Outcome: evaluate.Missed, Reason: v1alpha1.ReasonTargetMissed, Kept: share, Budget: -0.6,
		Attainment: fmt.Sprintf("%.0f%%", share*75), Target: "75%",
	}
}

func notKnown(name v1alpha1.Name, side v1alpha1.Perspective, reason string) evaluate.JourneyMember {
	return evaluate.JourneyMember{Name: name, Perspective: side, Reason: reason, Kept: math.NaN(), Budget: math.NaN()}
}

// far is one of another namespace.
func far(name v1alpha1.Name, reason string) evaluate.JourneyMember {
	m := notKnown(name, "", reason)
	m.Namespace = "support"
	return m
}

// aWay is a journey of two stages, web and phone, by what is known of them.
func aWay(web, phone []evaluate.JourneyMember, edges ...v1alpha1.Recovery) (*v1alpha1.Journey, evaluate.JourneyOutcome) {
	j := &v1alpha1.Journey{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "order", Generation: 3},
		Spec: v1alpha1.JourneySpec{Recovery: edges, Stages: []v1alpha1.JourneyStage{
			{Name: "web", Importance: v1alpha1.ImportanceCritical}, {Name: "phone", Importance: v1alpha1.ImportanceNormal},
		}},
	}
	return j, evaluate.Journey(&j.Spec, map[v1alpha1.Label][]evaluate.JourneyMember{"web": web, "phone": phone}, nil)
}

type members = []evaluate.JourneyMember

func TestJourney(t *testing.T) {
	full, half := v1alpha1.Recovery{Stage: "web", By: "phone", Cap: "100%"}, v1alpha1.Recovery{Stage: "web", By: "phone", Cap: "50%"}
	crowd := members{}
	for i := range 5 {
		crowd = append(crowd, violated(v1alpha1.Name(fmt.Sprint("o", i)), ux, 0.1+float64(i)/10))
	}
	ready := func(met string) map[string]string {
		return map[string]string{"Ready": "True Evaluated: evaluated", "Met": met}
	}
	waits := func(why, met string) map[string]string {
		return map[string]string{"Ready": "False " + why, "Reconciling": "True " + why, "Met": met}
	}
	type want struct {
		Conditions map[string]string
		Scores     v1alpha1.JourneyScores
		Budget     string
		Stages     []v1alpha1.StageStatus
	}
	const holding, recovered, broken, unknown = v1alpha1.StageHolding, v1alpha1.StageRecovered, v1alpha1.StageViolated, v1alpha1.StageUnknown
	all := "all that is promised"
	cases := map[string]struct {
		reason     string
		web, phone members
		edges      []v1alpha1.Recovery
		want       want
	}{
		"Holding": {
			"every figure is written", members{kept("speed", ux)}, members{kept("hold", cx)}, nil,
			want{ready("True Holding: every stage keeps what it promises"), v1alpha1.JourneyScores{UX: "100%", CX: "100%"}, "25.2%",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: holding, Score: "100%", Gets: all}, {Name: "phone", Verdict: holding, Score: "100%", Gets: all}}},
		},
		"Broken": {
			"the critical stage is named, and what is missing there", members{violated("speed", ux, 0.8), kept("hold", cx)}, members{kept("hold", cx)}, nil,
			want{ready("False Broken: critical stages are violated: web"), v1alpha1.JourneyScores{UX: "80%", CX: "80%"}, "-60%",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: broken, Score: "80%", Gets: "speed 60% instead of 75%"}, {Name: "phone", Verdict: holding, Score: "100%", Gets: all}}},
		},
		"Crowd": {
			"the worst three are named", members{kept("speed", ux)}, crowd, nil,
			want{ready("False Degraded: stages are violated: phone"), v1alpha1.JourneyScores{UX: "10%", CX: "10%"}, "-60%",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: holding, Score: "100%", Gets: all},
					{Name: "phone", Verdict: broken, Score: "10%", Gets: "o0 8% instead of 75%, o1 15% instead of 75%, o2 23% instead of 75%, 2 more that are violated"}}},
		},
		"RecoveredInPart": {
			"what is given back is written", members{violated("speed", ux, 0.8)}, members{kept("hold", cx)}, []v1alpha1.Recovery{half},
			want{ready("False Degraded: made up for in part: web by phone"), v1alpha1.JourneyScores{UX: "80%", CX: "90%"}, "-60%",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: recovered, Score: "90%", Recovered: "10%", Gets: "speed 60% instead of 75%; made up for in part by phone"},
					{Name: "phone", Verdict: holding, Score: "100%", Gets: all}}},
		},
		"Recovered": {
			"a journey that holds says by what", members{violated("speed", ux, 0.8)}, members{kept("hold", cx)}, []v1alpha1.Recovery{full},
			want{ready("True Holding: every stage keeps what it promises; made up for: web by phone"), v1alpha1.JourneyScores{UX: "80%", CX: "100%"}, "25.2%",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: recovered, Score: "100%", Recovered: "20%", Gets: "speed 60% instead of 75%; made up for by phone"},
					{Name: "phone", Verdict: holding, Score: "100%", Gets: all}}},
		},
		"Unknown": {
			"an objective that says nothing is named", members{kept("speed", ux)}, members{notKnown("csat", cx, v1alpha1.ReasonInsufficientData), kept("hold", cx)}, nil,
			want{ready("Unknown ObjectivesUnknown: not known: phone"), v1alpha1.JourneyScores{UX: "100%"}, "",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: holding, Score: "100%", Gets: all},
					{Name: "phone", Verdict: unknown, Gets: "not known: csat (InsufficientData)", Unknown: []v1alpha1.UnknownObjective{{Name: "csat", Reason: "InsufficientData"}}}}},
		},
		"MadeUpForAnyway": {
			"a product that is not known is named, and decides nothing where it is made up for in full",
			members{notKnown("speed", ux, v1alpha1.ReasonNoData)}, members{kept("hold", cx)}, []v1alpha1.Recovery{full},
			want{ready("True Holding: every stage keeps what it promises; made up for: web by phone"), v1alpha1.JourneyScores{CX: "100%"}, "25.2%",
				[]v1alpha1.StageStatus{
					{Name: "web", Verdict: unknown, Score: "100%", Gets: "not known: speed (NoData); made up for by phone", Unknown: []v1alpha1.UnknownObjective{{Name: "speed", Reason: "NoData"}}},
					{Name: "phone", Verdict: holding, Score: "100%", Gets: all},
				}},
		},
		"MadeUpForTogether": {
			"nor what is not known of one that is violated", members{violated("taps", ux, 0.8), notKnown("speed", ux, v1alpha1.ReasonNoData)}, members{kept("hold", cx)}, []v1alpha1.Recovery{full},
			want{ready("True Holding: every stage keeps what it promises; made up for: web by phone"), v1alpha1.JourneyScores{CX: "100%"}, "25.2%",
				[]v1alpha1.StageStatus{
					{Name: "web", Verdict: recovered, Score: "100%", Recovered: "20%", Gets: "taps 60% instead of 75%; made up for by phone; not known: speed (NoData)", Unknown: []v1alpha1.UnknownObjective{{Name: "speed", Reason: "NoData"}}},
					{Name: "phone", Verdict: holding, Score: "100%", Gets: all},
				}},
		},
		"Pending": {
			"the first evaluation is awaited", members{violated("speed", ux, 0.8), notKnown("hold", cx, v1alpha1.ReasonEvaluationPending)}, members{kept("hold", cx)}, nil,
			want{waits("EvaluationPending: the first evaluation of these objectives is under way: hold", "False Broken: critical stages are violated: web; not known: web"),
				v1alpha1.JourneyScores{UX: "80%"}, "",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: broken, Gets: "speed 60% instead of 75%; not known: hold (EvaluationPending)", Unknown: []v1alpha1.UnknownObjective{{Name: "hold", Reason: "EvaluationPending"}}},
					{Name: "phone", Verdict: holding, Score: "100%", Gets: all}}},
		},
		"Missing": {
			"what does not exist is named once, before what is pending", members{notKnown("gone", "", v1alpha1.ReasonNotFound)},
			members{notKnown("gone", "", v1alpha1.ReasonNotFound), notKnown("hold", cx, v1alpha1.ReasonEvaluationPending)}, nil,
			want{waits("ObjectivesNotFound: these objectives do not exist in the journey's namespace: gone: create them, or leave them out of the spec", "Unknown ObjectivesUnknown: not known: web, phone"),
				v1alpha1.JourneyScores{}, "",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: unknown, Gets: "not known: gone (NotFound)", Unknown: []v1alpha1.UnknownObjective{{Name: "gone", Reason: "NotFound"}}},
					{Name: "phone", Verdict: unknown, Gets: "not known: gone (NotFound), hold (EvaluationPending)", Unknown: []v1alpha1.UnknownObjective{{Name: "gone", Reason: "NotFound"}, {Name: "hold", Reason: "EvaluationPending"}}}}},
		},
		"NotShared": {
			"of another namespace nobody is told what is there", members{kept("speed", ux)}, members{far("hold", v1alpha1.ReasonNotShared), far("waits", v1alpha1.ReasonNoData)}, nil,
			want{waits("ObjectivesNotShared: these objectives of other namespaces do not exist or are not shared: support/hold: have their owners add namespace shop to spec.sharedWith, or leave them out of the spec", "Unknown ObjectivesUnknown: not known: phone"),
				v1alpha1.JourneyScores{}, "",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: holding, Score: "100%", Gets: all},
					{Name: "phone", Verdict: unknown, Gets: "not known: support/hold (NotShared), support/waits (NoData)", Unknown: []v1alpha1.UnknownObjective{
						{Name: "hold", Namespace: "support", Reason: "NotShared"}, {Name: "waits", Namespace: "support", Reason: "NoData"}}}}},
		},
		"Empty": {
			"a selector that chooses nothing", members{kept("speed", ux)}, nil, nil,
			want{waits("ObjectivesNotFound: no objective of the namespace matches the selector of these stages: phone", "Unknown ObjectivesUnknown: not known: phone"),
				v1alpha1.JourneyScores{UX: "100%"}, "25.2%",
				[]v1alpha1.StageStatus{{Name: "web", Verdict: holding, Score: "100%", Gets: all}, {Name: "phone", Verdict: unknown, Gets: "no objective of the namespace matches the stage's selector"}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			j, o := aWay(tc.web, tc.phone, tc.edges...)
			status.Journey(j, o)
			got := want{Conditions: worded(j.Status.Conditions), Budget: j.Status.BudgetRemaining, Stages: j.Status.Stages}
			if j.Status.Scores != nil {
				got.Scores = *j.Status.Scores
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if j.Status.ObservedGeneration != 3 || (j.Status.Scores != nil && *j.Status.Scores == v1alpha1.JourneyScores{}) {
				t.Errorf("generation %d, scores %v", j.Status.ObservedGeneration, j.Status.Scores)
			}
		})
	}
}

// TestNothingIsShared has a stage of another namespace, none of whose objectives the
// journey may count.
func TestNothingIsShared(t *testing.T) {
	j, _ := aWay(nil, nil)
	j.Spec.Stages[1].Objectives.Namespace = "support"
	status.Journey(j, evaluate.Journey(&j.Spec, map[v1alpha1.Label]members{"web": {kept("speed", ux)}}, nil))
	const want = "False ObjectivesNotShared: no objective that is shared with namespace shop matches the selector of these stages: phone: have their owners add the namespace to spec.sharedWith"
	if got := worded(j.Status.Conditions)["Ready"]; got != want {
		t.Errorf("Ready = %q, want %q", got, want)
	}
	if got := j.Status.Stages[1].Gets; got != "no objective that is shared with the namespace matches the stage's selector" {
		t.Errorf("gets = %q", got)
	}
}

// worded gives conditions as "Status Reason: message" by type.
func worded(conditions []metav1.Condition) map[string]string {
	out := map[string]string{}
	for _, c := range conditions {
		out[c.Type] = fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
	}
	return out
}

func TestJourneyCompletion(t *testing.T) {
	cases := map[string]struct {
		reason     string
		completion evaluate.JourneyMember
		want       string
	}{
		"Kept":    {"nothing to say", kept("orders", cx), "True Holding: every stage keeps what it promises"},
		"Missed":  {"it is named", violated("orders", cx, 0.5), "False Broken: completion is violated: orders"},
		"Unknown": {"with the reason why", notKnown("orders", cx, v1alpha1.ReasonNoData), "Unknown ObjectivesUnknown: completion is not known: orders (NoData)"},
		"Missing": {"and it may not be there", notKnown("orders", "", v1alpha1.ReasonNotFound), "Unknown ObjectivesUnknown: completion is not known: orders (NotFound)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			j, _ := aWay(nil, nil)
			j.Spec.Aggregation = v1alpha1.AggregationCompletion
			status.Journey(j, evaluate.Journey(&j.Spec, map[v1alpha1.Label][]evaluate.JourneyMember{
				"web": {kept("speed", ux)}, "phone": {kept("hold", cx)},
			}, &tc.completion))
			if got := worded(j.Status.Conditions)["Met"]; got != tc.want {
				t.Errorf("%s: Met = %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestJourneyIsWrittenAnew shows that nothing of an earlier verdict stays.
func TestJourneyIsWrittenAnew(t *testing.T) {
	first := kept("speed", ux)
	first.ExhaustsAt = time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	j, o := aWay(members{first}, members{kept("hold", cx)})
	status.Journey(j, o)
	if j.Status.ExhaustsAt == nil || !j.Status.ExhaustsAt.Time.Equal(first.ExhaustsAt) {
		t.Errorf("exhaustsAt = %v, want that of the objective", j.Status.ExhaustsAt)
	}
	once := j.DeepCopy()
	status.Journey(j, o)
	if diff := cmp.Diff(once, j); diff != "" {
		t.Errorf("the same verdict changes the status: -once, +twice:\n%s", diff)
	}
	_, later := aWay(members{notKnown("speed", ux, v1alpha1.ReasonNoData)}, nil)
	status.Journey(j, later)
	if s := j.Status; s.ExhaustsAt != nil || s.BudgetRemaining != "" || s.Scores != nil || s.Pattern != "" || s.WeakestStage != "" {
		t.Errorf("figures of the earlier verdict stay: %+v", s)
	}
}

// TestInvalidJourney stalls one that was judged, and mends it.
func TestInvalidJourney(t *testing.T) {
	j, o := aWay(members{kept("speed", ux)}, members{kept("hold", cx)})
	status.Journey(j, o)
	status.InvalidJourney(j, "too many")
	want := map[string]string{"Ready": "False InvalidSpec: too many", "Stalled": "True InvalidSpec: too many", "Met": "Unknown InvalidSpec: too many"}
	if diff := cmp.Diff(want, worded(j.Status.Conditions)); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	if j.Status.Verdict != v1alpha1.JourneyUnknown || j.Status.Stages != nil || j.Status.ObservedGeneration != 3 {
		t.Errorf("an invalid journey is %s with stages %v", j.Status.Verdict, j.Status.Stages)
	}
	status.Journey(j, o)
	if diff := cmp.Diff(map[string]string{"Ready": "True Evaluated: evaluated", "Met": "True Holding: every stage keeps what it promises"}, worded(j.Status.Conditions)); diff != "" {
		t.Errorf("once mended: -want, +got:\n%s", diff)
	}
}

// TestFewAreNamed keeps messages short however many there are.
func TestFewAreNamed(t *testing.T) {
	var many members
	for i := range 16 {
		many = append(many, notKnown(v1alpha1.Name(fmt.Sprintf("o%02d", i)), cx, v1alpha1.ReasonNoData))
	}
	j, o := aWay(many, members{kept("hold", cx)})
	status.Journey(j, o)
	want := "not known: o00 (NoData), o01 (NoData), o02 (NoData), o03 (NoData), o04 (NoData), o05 (NoData), o06 (NoData), o07 (NoData) and 8 more"
	if got := j.Status.Stages[0].Gets; got != want {
		t.Errorf("gets = %q, want %q", got, want)
	}
	if len(j.Status.Stages[0].Unknown) != 16 {
		t.Errorf("%d unknown objectives are listed, want all 16", len(j.Status.Stages[0].Unknown))
	}
}
