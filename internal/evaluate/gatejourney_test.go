package evaluate_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// along is a journey that was measured up to so long after the check began, by one
// objective whose release was seen from beginning to end.
func along(verdict v1alpha1.JourneyVerdict, after time.Duration, unknown ...evaluate.JourneyMember) evaluate.GateJourney {
	seen := []evaluate.GateMember{aMember("web", int(after.Minutes()), 0, 0)}
	return evaluate.GateJourney{Name: "order", End: began.Add(after), Objectives: seen, Outcome: evaluate.JourneyOutcome{
		Verdict: verdict, Stages: []evaluate.StageOutcome{{Name: "web", Unknown: unknown}},
	}}
}

// TestGateAlongJourneys judges gates of journeys alone, ten minutes after they began
// unless said otherwise; they bake for as long.
func TestGateAlongJourneys(t *testing.T) {
	const holding, degraded, broken, unknown = v1alpha1.JourneyHolding, v1alpha1.JourneyDegraded, v1alpha1.JourneyBroken, v1alpha1.JourneyUnknown
	const passed, failed, baking, inconclusive = v1alpha1.GatePassed, v1alpha1.GateFailed, v1alpha1.GateBaking, v1alpha1.GateInconclusive
	late := 10 * time.Minute
	expected := evaluate.GateJourney{Name: "order", Expected: true}
	cases := map[string]struct {
		reason   string
		least    v1alpha1.JourneyFloor
		journeys []evaluate.GateJourney
		after    time.Duration
		verdict  v1alpha1.GateVerdict
		finding  string
	}{
		"Holding":         {"it holds, and the release was watched", "Holding", []evaluate.GateJourney{along(holding, late)}, late, passed, "Holds RequirementsHold: "},
		"Early":           {"it was not watched for long enough", "Holding", []evaluate.GateJourney{along(holding, late-time.Minute)}, late, baking, "Unknown Baking: bake.duration is not over yet"},
		"Before":          {"what was before the check says nothing", "Holding", []evaluate.GateJourney{along(broken, 0)}, time.Minute, baking, "Unknown Baking: no minute since the check began was measured yet of all of its objectives"},
		"Broken":          {"it fails at once", "Degraded", []evaluate.GateJourney{along(broken, 2*time.Minute)}, 2 * time.Minute, failed, "Fails JourneyBroken: a critical stage is violated"},
		"Degraded":        {"as does this", "Holding", []evaluate.GateJourney{along(degraded, 2*time.Minute)}, 2 * time.Minute, failed, "Fails JourneyDegraded: a stage is violated, or made up for in part"},
		"DegradedAllowed": {"unless it may be", "Degraded", []evaluate.GateJourney{along(degraded, late)}, late, passed, "Holds RequirementsHold: "},
		"DegradedUnknown": {"and is not known to be worse", "Degraded", []evaluate.GateJourney{along(degraded, late, evaluate.JourneyMember{Name: "hold"})}, late, baking, "Unknown NotMeasured: objectives are not known: see the journey's status.stages"},
		"Unknown":         {"unknown is not good", "Holding", []evaluate.GateJourney{along(unknown, late)}, late, baking, "Unknown NotMeasured: objectives are not known: see the journey's status.stages"},
		"Timeout":         {"nor is it when time is over", "Holding", []evaluate.GateJourney{along(unknown, late)}, 2 * time.Hour, inconclusive, "Unknown NotMeasured: objectives are not known: see the journey's status.stages"},
		"Expected":        {"a timeout waits for the first figures", "Holding", []evaluate.GateJourney{expected}, 2 * time.Hour, baking, "Unknown Baking: no minute since the check began was measured yet of all of its objectives"},
		"Missing":         {"there is none", "Holding", []evaluate.GateJourney{{Name: "order", Missing: true}}, late, baking, "Unknown NotFound: there is no such journey in the gate's namespace: create it, or leave it out of spec.journeys"},
		"Invalid":         {"nor can this be told", "Holding", []evaluate.GateJourney{{Name: "order", Invalid: "too many"}}, late, baking, "Unknown InvalidJourney: too many"},
		"Nothing":         {"a selector of nothing passes nothing", "Holding", nil, late, baking, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			gate := aGate()
			gate.Require = v1alpha1.GateRequirements{}
			gate.Journeys = &v1alpha1.GateJourneys{AtLeast: tc.least}
			o := evaluate.Gate(gate, nil, tc.journeys, began, began.Add(tc.after))
			finding := ""
			for _, f := range o.Journeys {
				finding = string(f.Verdict) + " " + f.Reason + ": " + f.Message
			}
			if o.Verdict != tc.verdict || finding != tc.finding {
				t.Errorf("%s: %s, %q, want %s, %q", tc.reason, o.Verdict, finding, tc.verdict, tc.finding)
			}
		})
	}
}

// TestBothMustHold has a gate of objectives and journeys wait for both.
func TestBothMustHold(t *testing.T) {
	gate := aGate()
	gate.Journeys, gate.Objectives.Names = &v1alpha1.GateJourneys{AtLeast: v1alpha1.JourneyFloorHolding}, []v1alpha1.Name{"speed"}
	good := []evaluate.GateJourney{along(v1alpha1.JourneyHolding, 10*time.Minute)}
	if o := evaluate.Gate(gate, nil, good, began, began.Add(10*time.Minute)); o.Verdict != v1alpha1.GateBaking {
		t.Errorf("%s with a journey alone", o.Verdict)
	}
	if o := evaluate.Gate(gate, []evaluate.GateMember{{Name: "speed", Missing: true}}, good, began, began.Add(2*time.Hour)); o.Verdict != v1alpha1.GateInconclusive {
		t.Errorf("%s with an objective that is missing", o.Verdict)
	}
	two := []evaluate.GateJourney{along(v1alpha1.JourneyHolding, 10*time.Minute), along(v1alpha1.JourneyBroken, 10*time.Minute)}
	if o := evaluate.Gate(gate, nil, two, began, began.Add(10*time.Minute)); o.Verdict != v1alpha1.GateFailed || o.Journeys[0].Verdict != v1alpha1.GateObjectiveFails {
		t.Errorf("%s with one journey broken, which is found %v", o.Verdict, o.Journeys)
	}
}

func TestMemberOf(t *testing.T) {
	o := &v1alpha1.Objective{Spec: v1alpha1.ObjectiveSpec{Perspective: v1alpha1.PerspectiveUX}}
	s := evaluate.Staged{Namespace: "support", Name: "speed", Objective: o}
	verdict := func(outcome evaluate.Outcome, reason string, attainment float64, segments ...float64) evaluate.Verdict {
		v := evaluate.Verdict{Outcome: outcome, Reason: reason, Unit: slo.Percent, Target: 0.8, Attainment: attainment, BudgetRemaining: 0.25}
		for _, share := range segments {
			v.Segments = append(v.Segments, evaluate.Segment{Attainment: share, BudgetRemaining: -0.5})
		}
		return v
	}
	nan := math.NaN()
	type want struct {
		Outcome            evaluate.Outcome
		Kept, Budget       float64
		Attainment, Target string
	}
	cases := map[string]struct {
		reason string
		args   evaluate.Verdict
		want   want
	}{
		"Met":     {"all is kept", verdict(evaluate.Met, v1alpha1.ReasonTargetMet, 0.9), want{evaluate.Met, 1, 0.25, "90%", "80%"}},
		"Missed":  {"half is", verdict(evaluate.Missed, v1alpha1.ReasonTargetMissed, 0.4), want{evaluate.Missed, 0.5, 0.25, "40%", "80%"}},
		"Segment": {"what the worst segment gets counts", verdict(evaluate.Missed, v1alpha1.ReasonSegmentMissed, 0.9, 0.6, 0.95), want{evaluate.Missed, 0.75, -0.5, "60%", "80%"}},
		"Unknown": {"nothing is known", verdict(evaluate.Unknown, v1alpha1.ReasonNoData, nan), want{evaluate.Unknown, nan, nan, "", ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := evaluate.MemberOf(s, tc.args)
			got := want{m.Outcome, m.Kept, m.Budget, m.Attainment, m.Target}
			equal := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 || math.IsNaN(a) && math.IsNaN(b) })
			if diff := cmp.Diff(tc.want, got, equal); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if m.String() != "support/speed" || m.Perspective != v1alpha1.PerspectiveUX || m.Reason != tc.args.Reason {
				t.Errorf("%s: %s of %s, reason %s", tc.reason, m.String(), m.Perspective, m.Reason)
			}
		})
	}
}

// TestJourneysNeedEvidence has journeys hold over weeks that end ten minutes after a
// release, of which their objectives saw more or less.
func TestJourneysNeedEvidence(t *testing.T) {
	absent := func(m *evaluate.GateMember) { m.Release.Covered = 0 }
	undecided := verdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Unknown, v1alpha1.ReasonNoData })
	const noData = "there is no data since the check began: check that the release is scraped and has the metric of spec.indicator"
	cases := map[string]struct {
		reason  string
		members []evaluate.GateMember
		want    string
	}{
		"Seen":      {"data is enough, and events are not asked for", []evaluate.GateMember{aMember("web", 10, 0, 0)}, "Passed Holds RequirementsHold: "},
		"Nothing":   {"a journey of nothing shows nothing", nil, "Baking Unknown NotMeasured: none of its objectives was measured since the check began"},
		"Dark":      {"the release took its metric away", []evaluate.GateMember{aMember("web", 10, 0, 0), aMember("pay", 10, 0, 0, absent)}, "Baking Unknown NotMeasured: objective pay: " + noData},
		"WentAway":  {"or did so after some minutes", []evaluate.GateMember{aMember("web", 10, 0, 0, seen(5, 5*time.Minute))}, "Baking Unknown NotMeasured: objective web: the last 5m and more have no data: check that the release is scraped"},
		"Gaps":      {"or was seen now and then", []evaluate.GateMember{aMember("web", 10, 0, 0, seen(4, 0))}, "Baking Unknown NotMeasured: objective web: fewer than half of the minutes since the check began have data: check that the release is scraped"},
		"Excluded":  {"nobody looked", []evaluate.GateMember{aMember("web", 10, 0, 0, excluded(0, 10))}, "Baking Unknown NotMeasured: objective web: " + uncounted + "excluded" + remedy},
		"Unread":    {"its minutes are being read", []evaluate.GateMember{aMember("web", 10, 0, 0, func(m *evaluate.GateMember) { m.Release = nil })}, "Baking Unknown Baking: objective web: no minute since the check began was measured yet"},
		"Trouble":   {"why there is no more of it", []evaluate.GateMember{aMember("web", 8, 0, 0, trouble)}, "Baking Unknown NotMeasured: objective web: MetricSource shop/prometheus does not answer"},
		"MadeUp":    {"what is not known, and need not be, need not be seen", []evaluate.GateMember{aMember("pay", 10, 0, 0, absent, undecided), aMember("web", 10, 0, 0)}, "Passed Holds RequirementsHold: "},
		"AllMadeUp": {"but something must be", []evaluate.GateMember{aMember("pay", 10, 0, 0, undecided)}, "Baking Unknown NotMeasured: none of its objectives was measured since the check began"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			gate := aGate()
			gate.Require, gate.Journeys = v1alpha1.GateRequirements{}, &v1alpha1.GateJourneys{AtLeast: v1alpha1.JourneyFloorHolding}
			j := along(v1alpha1.JourneyHolding, 11*time.Minute)
			j.Objectives = tc.members
			o := evaluate.Gate(gate, nil, []evaluate.GateJourney{j}, began, began.Add(11*time.Minute))
			f := o.Journeys[0]
			if diff := cmp.Diff(tc.want, fmt.Sprintf("%s %s %s: %s", o.Verdict, f.Verdict, f.Reason, f.Message)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestBrokenNeedsNoEvidence fails a release at once that breaks a journey, whatever was
// seen of it.
func TestBrokenNeedsNoEvidence(t *testing.T) {
	gate := aGate()
	gate.Require, gate.Journeys = v1alpha1.GateRequirements{}, &v1alpha1.GateJourneys{AtLeast: v1alpha1.JourneyFloorHolding}
	j := along(v1alpha1.JourneyBroken, 2*time.Minute)
	j.Objectives = nil
	if o := evaluate.Gate(gate, nil, []evaluate.GateJourney{j}, began, began.Add(2*time.Minute)); o.Verdict != v1alpha1.GateFailed {
		t.Errorf("verdict = %s, want Failed", o.Verdict)
	}
}
