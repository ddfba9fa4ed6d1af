package evaluate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// began is when the checks of these tests do, within a minute.
var began = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// counted is the first moment from which their events count.
var counted = time.Date(2026, 3, 14, 15, 10, 0, 0, time.UTC)

// aGate wants the floor to be each objective's target and no page, for ten
// minutes and a hundred events.
func aGate(change ...func(*v1alpha1.GateSpec)) *v1alpha1.GateSpec {
	s := &v1alpha1.GateSpec{
		Require: v1alpha1.GateRequirements{Attainment: v1alpha1.FloorTarget, PageTiers: v1alpha1.PageTiersQuiet},
		Bake:    v1alpha1.Bake{Duration: &metav1.Duration{Duration: 10 * time.Minute}, MinimumEvents: 100},
		Timeout: &metav1.Duration{Duration: time.Hour},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func require(r v1alpha1.GateRequirements) func(*v1alpha1.GateSpec) {
	return func(s *v1alpha1.GateSpec) { s.Require = r }
}

func floor(f v1alpha1.Floor) func(*v1alpha1.GateSpec) {
	return require(v1alpha1.GateRequirements{Attainment: f})
}

// aMember is measured for so many minutes of the release, and has earned so much
// on so many events.
func aMember(name v1alpha1.Name, minutes int, points, events float64, change ...func(*evaluate.GateMember)) evaluate.GateMember {
	end := counted.Add(time.Duration(minutes) * time.Minute)
	m := evaluate.GateMember{
		Name: name, Plan: aPlan(),
		Verdict: &evaluate.Verdict{
			Outcome: evaluate.Met, Reason: v1alpha1.ReasonTargetMet, Unit: slo.Percent, Target: 0.75, BudgetRemaining: 0.4,
			Window: slo.Span{Start: end.Add(-window), End: end}, LastData: end,
		},
		Release: &ledger.Stretch{Start: counted, End: end, Covered: minutes, Sums: slo.Sums{Points: points, Events: events}},
	}
	for _, c := range change {
		c(&m)
	}
	return m
}

func verdict(change func(*evaluate.Verdict)) func(*evaluate.GateMember) {
	return func(m *evaluate.GateMember) { change(m.Verdict) }
}

func burning(severity slo.Severity) func(*evaluate.GateMember) {
	return verdict(func(v *evaluate.Verdict) {
		v.Tiers = []evaluate.TierState{{Tier: slo.Tier{Severity: severity, Long: time.Hour}, Burning: true}}
	})
}

func unmeasured(m *evaluate.GateMember) { m.Plan, m.Verdict, m.Release = nil, nil, nil }

// seen leaves data in so many minutes of the release alone, the last of which ends
// that long before its end.
func seen(covered int, before time.Duration) func(*evaluate.GateMember) {
	return func(m *evaluate.GateMember) {
		m.Release.Covered, m.Verdict.LastData = covered, m.Release.End.Add(-before)
	}
}

func trouble(m *evaluate.GateMember) { m.Trouble = "MetricSource shop/prometheus does not answer" }

func confident(m *evaluate.GateMember) { m.Plan = aPlan(func(p *compile.Plan) { p.Level = 0.95 }) }

func handful(m *evaluate.GateMember) {
	m.Plan = aPlan(func(p *compile.Plan) { p.Alerts.MinimumBadEvents = 3 })
}

// sparse makes do with one event.
func sparse(s *v1alpha1.GateSpec) { s.Bake.MinimumEvents = 1 }

func missed(m *evaluate.GateMember) {
	m.Verdict.Outcome, m.Verdict.Reason = evaluate.Missed, v1alpha1.ReasonTargetMissed
}

func TestGateObjective(t *testing.T) {
	met := require(v1alpha1.GateRequirements{Met: v1alpha1.MetRequired})
	budget := require(v1alpha1.GateRequirements{BudgetRemaining: "10%"})
	undecided := func(reason string) func(*evaluate.GateMember) {
		return verdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Unknown, reason })
	}
	score := func(m *evaluate.GateMember) { m.Plan = aPlan(func(p *compile.Plan) { p.Unit = slo.NetPromoter }) }
	const silent = "MetricSource shop/prometheus does not answer"
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.GateSpec
		member evaluate.GateMember
		want   string
	}{
		"Holds": {
			reason: "enough was seen, and all of it well", gate: aGate(), member: aMember("a", 10, 80, 100), want: "Holds RequirementsHold: ",
		},
		"OnTheFloor": {reason: "a floor is reached by standing on it", gate: aGate(), member: aMember("a", 10, 75, 100), want: "Holds RequirementsHold: "},
		"OwnFloor": {
			reason: "a floor may be above the target", gate: aGate(floor("90%")), member: aMember("a", 10, 80, 100),
			want: "Fails BelowFloor: the release attains less than the floor of 90%",
		},
		"PerfectFloor": {
			reason: "a floor needs no budget", gate: aGate(floor("100%")), member: aMember("a", 10, 99, 100),
			want: "Fails BelowFloor: the release attains less than the floor of 100%",
		},
		"BelowFloorAtOnce": {
			reason: "a bad release does not bake to the end", gate: aGate(), member: aMember("a", 1, 60, 100),
			want: "Fails BelowFloor: the release attains less than the floor of 75%",
		},
		"BadHandful": {reason: "a handful of bad events says nothing", gate: aGate(), member: aMember("a", 1, 0, 99), want: "Unknown Baking: bake.duration is not over yet"},
		"Unlucky": {
			reason: "two bad visits among the first few end no release", gate: aGate(sparse), member: aMember("a", 1, 1, 3, handful),
			want: "Unknown Baking: bake.duration is not over yet; the release attains less than the floor of 75%, by too few bad events to tell before bake.duration is over",
		},
		"Unluckier": {
			reason: "three are as many as it takes to page", gate: aGate(sparse), member: aMember("a", 1, 1, 4, handful),
			want: "Fails BelowFloor: the release attains less than the floor of 75%",
		},
		"UnluckyToTheEnd": {
			reason: "what was asked for is judged in the end", gate: aGate(sparse), member: aMember("a", 10, 1, 3, handful),
			want: "Fails BelowFloor: the release attains less than the floor of 75%",
		},
		"TooFew": {
			reason: "nor does a handful of good ones", gate: aGate(), member: aMember("a", 10, 99, 99),
			want: "Unknown TooFewEvents: fewer events since the check began than bake.minimumEvents, which is 100",
		},
		"Idle": {
			reason: "data without an event", gate: aGate(), member: aMember("a", 10, 0, 0),
			want: "Unknown TooFewEvents: fewer events since the check began than bake.minimumEvents, which is 100",
		},
		"Absent": {
			reason: "no data is not no event", gate: aGate(), member: aMember("a", 10, 0, 0, func(m *evaluate.GateMember) { m.Release.Covered = 0 }),
			want: "Unknown NotMeasured: there is no data since the check began: check that the release is scraped and has the metric of spec.indicator",
		},
		"SeenOnce": {
			reason: "a good minute before the pods went away is no bake", gate: aGate(sparse), member: aMember("a", 10, 1, 1, seen(1, 9*time.Minute)),
			want: "Unknown NotMeasured: fewer than half of the minutes since the check began have data: check that the release is scraped",
		},
		"SeenRarely": {
			reason: "nor are a few, to the end of it", gate: aGate(), member: aMember("a", 10, 100, 100, seen(4, 0)),
			want: "Unknown NotMeasured: fewer than half of the minutes since the check began have data: check that the release is scraped",
		},
		"SeenHalf": {reason: "a scrape that fails now and then holds no release up", gate: aGate(), member: aMember("a", 10, 100, 100, seen(5, 0)), want: "Holds RequirementsHold: "},
		"WentAway": {
			reason: "what was seen for long and then no more may be down", gate: aGate(), member: aMember("a", 30, 100, 100, seen(25, 5*time.Minute)),
			want: "Unknown NotMeasured: the last 5m and more have no data: check that the release is scraped",
		},
		"ShortGap": {reason: "some minutes' gap is no end", gate: aGate(), member: aMember("a", 30, 100, 100, seen(26, 4*time.Minute)), want: "Holds RequirementsHold: "},
		"RareEvents": {
			reason: "what is scraped is seen, however rare its events are", gate: aGate(sparse), member: aMember("a", 10, 1, 1), want: "Holds RequirementsHold: ",
		},
		"UnseenAndBad": {
			reason: "what was seen fails it all the same", gate: aGate(), member: aMember("a", 10, 10, 100, seen(1, 9*time.Minute)),
			want: "Fails BelowFloor: the release attains less than the floor of 75%",
		},
		"UnseenYet":   {reason: "a gap at the beginning may still close", gate: aGate(), member: aMember("a", 3, 100, 100, seen(1, 0)), want: "Unknown Baking: bake.duration is not over yet"},
		"StillBaking": {reason: "a good minute is no bake", gate: aGate(), member: aMember("a", 9, 100, 100), want: "Unknown Baking: bake.duration is not over yet"},
		"OldVerdict": {
			reason: "yesterday's verdict says nothing of the release", gate: aGate(met), member: aMember("a", 0, 0, 0),
			want: "Unknown Baking: no minute since the check began was measured yet",
		},
		"OldMiss": {
			reason: "and does not fail it", gate: aGate(met), member: aMember("a", 0, 0, 0, missed),
			want: "Unknown Baking: no minute since the check began was measured yet",
		},
		"VerdictOfBefore": {
			reason: "nor when the ledger is ahead of the verdict", gate: aGate(met),
			member: aMember("a", 10, 100, 100, missed, verdict(func(v *evaluate.Verdict) { v.Window.End = counted })),
			want:   "Unknown Baking: no minute since the check began was measured yet",
		},
		"NotFound": {
			reason: "a gate may be older than its objectives", gate: aGate(), member: evaluate.GateMember{Name: "a", Missing: true},
			want: "Unknown NotFound: there is no such objective in the gate's namespace: create it, or leave it out of spec.objectives",
		},
		"Suspended": {
			reason: "why there are no figures", gate: aGate(), member: aMember("a", 0, 0, 0, unmeasured, trouble), want: "Unknown NotMeasured: " + silent,
		},
		"Outage": {reason: "the source went away while the gate bakes", gate: aGate(), member: aMember("a", 5, 100, 100, trouble), want: "Unknown NotMeasured: " + silent},
		"OutageAfterFailure": {
			reason: "what was seen before the outage counts", gate: aGate(), member: aMember("a", 5, 10, 100, trouble),
			want: "Fails BelowFloor: the release attains less than the floor of 75%",
		},
		"OutageAfterBake": {reason: "and so does what was enough", gate: aGate(), member: aMember("a", 10, 100, 100, trouble), want: "Holds RequirementsHold: "},
		"Inconclusive": {
			reason: "80 of 100 is 71.1% to 86.7%", gate: aGate(), member: aMember("a", 10, 80, 100, confident),
			want: "Unknown Inconclusive: the confidence interval of the release at 95% holds the floor of 75%: more events are needed to tell",
		},
		"ConfidentlyBelow": {
			reason: "60 of 100 is at most 69.1%", gate: aGate(), member: aMember("a", 10, 60, 100, confident),
			want: "Fails BelowFloor: the release attains less than the floor of 75%",
		},
		"ConfidentlyAbove": {reason: "90 of 100 is at least 82.6%", gate: aGate(), member: aMember("a", 10, 90, 100, confident), want: "Holds RequirementsHold: "},
		"Inconsistent": {
			reason: "good that is no part of total must not pass", gate: aGate(), member: aMember("a", 10, 150, 100),
			want: "Unknown NotMeasured: more points than events, or fewer than none, were counted since the check began: check the selectors in the objective's spec.indicator",
		},
		"WrongUnit": {
			reason: "a percentage for a score", gate: aGate(floor("95%")), member: aMember("a", 10, 100, 100, score),
			want: `Unknown InvalidFloor: spec.require.attainment: floor "95%" is a percentage, but this indicator is measured as a Net Promoter Score: write it like "30"`,
		},
		"ScoreFloor": {
			reason: "0.64 of the way from -100 to 100 is 28", gate: aGate(floor("30")), member: aMember("a", 10, 64, 100, score),
			want: "Fails BelowFloor: the release attains less than the floor of 30",
		},
		"OffScale": {
			reason: "no score reaches it", gate: aGate(floor("101")), member: aMember("a", 10, 100, 100, score),
			want: `Unknown InvalidFloor: spec.require.attainment: floor "101" is off the scale from -100 to 100: write it like "30"`,
		},
		"Paging": {
			reason: "a tier that pages burns", gate: aGate(), member: aMember("a", 1, 100, 100, burning(slo.Page)),
			want: "Fails PageTierBurning: the error budget burns so fast that it pages, over 1h",
		},
		"Ticketing": {reason: "a ticket can wait", gate: aGate(), member: aMember("a", 10, 100, 100, burning(slo.Ticket)), want: "Holds RequirementsHold: "},
		"PagesAllowed": {
			reason: "what is not asked for does not fail", gate: aGate(floor("50%")), member: aMember("a", 10, 100, 100, burning(slo.Page)),
			want: "Holds RequirementsHold: ",
		},
		"BudgetSpent": {
			reason: "5% of 10%", gate: aGate(budget), member: aMember("a", 1, 1, 1, verdict(func(v *evaluate.Verdict) { v.BudgetRemaining = 0.05 })),
			want: "Fails BudgetSpent: less than 10% of the error budget is left",
		},
		"BudgetLeft":  {reason: "exactly enough", gate: aGate(budget), member: aMember("a", 10, 100, 100, verdict(func(v *evaluate.Verdict) { v.BudgetRemaining = 0.1 })), want: "Holds RequirementsHold: "},
		"WholeBudget": {reason: "a whole budget can be asked for", gate: aGate(require(v1alpha1.GateRequirements{BudgetRemaining: "100%"})), member: aMember("a", 10, 100, 100), want: "Fails BudgetSpent: less than 100% of the error budget is left"},
		"NoBudgetKnown": {
			reason: "an empty window has no budget", gate: aGate(budget),
			member: aMember("a", 10, 100, 100, verdict(func(v *evaluate.Verdict) { v.BudgetRemaining = math.NaN() })),
			want:   "Unknown NotMeasured: the objective has no events in its window, so nobody knows what is left of its budget",
		},
		"Met": {reason: "the promise holds", gate: aGate(met), member: aMember("a", 10, 0, 100), want: "Holds RequirementsHold: "},
		"Missed": {
			reason: "the promise is broken", gate: aGate(met), member: aMember("a", 1, 1, 1, missed),
			want: "Fails TargetMissed: the attainment over the objective's window is below the target of 75%",
		},
		"SegmentMissed": {
			reason: "the promise is broken to some", gate: aGate(met),
			member: aMember("a", 10, 100, 100, verdict(func(v *evaluate.Verdict) { v.Outcome, v.Reason = evaluate.Missed, v1alpha1.ReasonSegmentMissed })),
			want:   "Fails TargetMissed: the attainment of a segment over the objective's window is below the target of 75%",
		},
		"MetUnknown": {
			reason: "nobody knows", gate: aGate(met), member: aMember("a", 10, 100, 100, undecided(v1alpha1.ReasonInsufficientData)),
			want: "Unknown Inconclusive: the objective's Met is Unknown with reason InsufficientData",
		},
		"MetNoData": {
			reason: "a window of gaps", gate: aGate(met), member: aMember("a", 10, 100, 100, undecided(v1alpha1.ReasonNoData)),
			want: "Unknown NotMeasured: there is no data in the objective's window",
		},
		"All": {
			reason: "every reason to fail is named, the release's own first",
			gate:   aGate(require(v1alpha1.GateRequirements{Attainment: "Target", PageTiers: "Quiet", BudgetRemaining: "50%", Met: "Required"})),
			member: aMember("a", 1, 1, 100, missed, burning(slo.Page)),
			want: "Fails BelowFloor: the release attains less than the floor of 75%; the error budget burns so fast that it pages, over 1h; " +
				"less than 50% of the error budget is left; the attainment over the objective's window is below the target of 75%",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := evaluate.Gate(tc.gate, []evaluate.GateMember{tc.member}, nil, began, began).Findings[0]
			if diff := cmp.Diff(tc.want, fmt.Sprintf("%s %s: %s", f.Verdict, f.Reason, f.Message)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGateVerdict(t *testing.T) {
	good, bad, few := aMember("good", 10, 100, 100), aMember("bad", 10, 10, 100), aMember("few", 10, 1, 1)
	awaited := aMember("awaited", 0, 0, 0, unmeasured, func(m *evaluate.GateMember) { m.Expected = true })
	type args struct {
		members []evaluate.GateMember
		after   time.Duration
	}
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"None":         {reason: "no objective proves nothing", args: args{nil, time.Minute}, want: "Baking"},
		"NoneInTime":   {reason: "and never will", args: args{nil, time.Hour}, want: "Inconclusive"},
		"All":          {reason: "all hold", args: args{[]evaluate.GateMember{good}, 11 * time.Minute}, want: "Passed good=Holds"},
		"AllLate":      {reason: "what holds at the timeout passes", args: args{[]evaluate.GateMember{good}, time.Hour}, want: "Passed good=Holds"},
		"OneBad":       {reason: "one that fails decides, and comes first", args: args{[]evaluate.GateMember{good, few, bad}, time.Minute}, want: "Failed bad=Fails few=Unknown good=Holds"},
		"BadLate":      {reason: "what fails at the timeout fails", args: args{[]evaluate.GateMember{bad, awaited}, time.Hour}, want: "Failed bad=Fails awaited=Unknown"},
		"OneUnknown":   {reason: "one that nobody knows holds the gate up", args: args{[]evaluate.GateMember{few, good}, 59 * time.Minute}, want: "Baking few=Unknown good=Holds"},
		"AtTimeout":    {reason: "until the timeout", args: args{[]evaluate.GateMember{few, good}, time.Hour}, want: "Inconclusive few=Unknown good=Holds"},
		"StillAwaited": {reason: "after a restart the timeout waits for the first figures", args: args{[]evaluate.GateMember{awaited, good}, 2 * time.Hour}, want: "Baking awaited=Unknown good=Holds"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, word(evaluate.Gate(aGate(), tc.args.members, nil, began, began.Add(tc.args.after)))); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func word(o evaluate.GateOutcome) string {
	words := []string{string(o.Verdict)}
	for _, f := range o.Findings {
		words = append(words, fmt.Sprintf("%s=%s", f.Name, f.Verdict))
	}
	return strings.Join(words, " ")
}

func TestGateFigures(t *testing.T) {
	type figures struct{ Floor, Attainment, Budget, Events float64 }
	nan := math.NaN()
	cases := map[string]struct {
		reason string
		member evaluate.GateMember
		want   figures
	}{
		"Measured": {reason: "the release's own", member: aMember("a", 10, 80, 100), want: figures{0.75, 0.8, 0.4, 100}},
		"Idle":     {reason: "no event has no attainment", member: aMember("a", 10, 0, 0), want: figures{0.75, nan, 0.4, 0}},
		"Old":      {reason: "none of before", member: aMember("a", 0, 0, 0), want: figures{0.75, nan, nan, nan}},
		"Missing":  {reason: "none at all", member: evaluate.GateMember{Name: "a", Missing: true}, want: figures{nan, nan, nan, nan}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := evaluate.Gate(aGate(), []evaluate.GateMember{tc.member}, nil, began, began).Findings[0]
			got := figures{f.Floor, f.Attainment, f.Budget, f.Events}
			if diff := cmp.Diff(fmt.Sprint(tc.want), fmt.Sprint(got)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGateSince(t *testing.T) {
	minute := time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC)
	cases := map[string]struct {
		reason     string
		args, want time.Time
	}{
		"OnTheMinute": {reason: "the minute that begins now is the release's", args: minute, want: minute},
		"JustAfter":   {reason: "a minute that had begun is not", args: minute.Add(time.Nanosecond), want: minute.Add(time.Minute)},
		"JustBefore":  {reason: "up to its last moment", args: minute.Add(time.Minute - time.Nanosecond), want: minute.Add(time.Minute)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := evaluate.GateSince(tc.args); !got.Equal(tc.want) {
				t.Errorf("%s: GateSince(%s) = %s, want %s", tc.reason, tc.args, got, tc.want)
			}
		})
	}
}

// TestGateProperties draws gates and members: nothing passes before the bake or
// without the events that are asked for, more bad events never turn a failure
// into a pass, and the order of members does not matter.
func TestGateProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := aGate(func(s *v1alpha1.GateSpec) {
			s.Bake.MinimumEvents = rapid.Int64Range(1, 50).Draw(rt, "minimumEvents")
			s.Bake.Duration.Duration = time.Duration(rapid.IntRange(1, 20).Draw(rt, "bake")) * time.Minute
		})
		var members []evaluate.GateMember
		for i := range rapid.IntRange(0, 5).Draw(rt, "members") {
			members = append(members, drawMember(rt, v1alpha1.Name(fmt.Sprint("m", i))))
		}
		now := began.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "now")) * time.Minute)
		outcome := evaluate.Gate(spec, members, nil, began, now)
		if outcome.Verdict == v1alpha1.GatePassed {
			checkPassed(rt, spec, members)
		}
		shuffled := append([]evaluate.GateMember(nil), members...)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(word(outcome), word(evaluate.Gate(spec, shuffled, nil, began, now))); diff != "" {
			rt.Fatalf("another order: -before +after:\n%s", diff)
		}
		worse := worsen(members, rapid.Float64Range(1, 100).Draw(rt, "more bad"))
		if after := evaluate.Gate(spec, worse, nil, began, now); outcome.Verdict == v1alpha1.GateFailed && after.Verdict != v1alpha1.GateFailed {
			rt.Fatalf("more bad events turned %s into %s", word(outcome), word(after))
		}
	})
}

func drawMember(rt *rapid.T, name v1alpha1.Name) evaluate.GateMember {
	events := rapid.IntRange(0, 100).Draw(rt, "events")
	m := aMember(name, rapid.IntRange(0, 30).Draw(rt, "minutes"), float64(rapid.IntRange(0, events).Draw(rt, "good")), float64(events))
	if minutes := m.Release.Covered; minutes > 0 && rapid.Bool().Draw(rt, "excluded") {
		from := rapid.IntRange(0, minutes-1).Draw(rt, "from")
		excluded(from, rapid.IntRange(from+1, minutes).Draw(rt, "to"))(&m)
	}
	if m.Release.Covered > 0 {
		seen(rapid.IntRange(0, m.Release.Covered).Draw(rt, "covered"), 0)(&m)
	}
	for _, change := range []func(*evaluate.GateMember){unmeasured, missed, burning(slo.Page), confident, trouble} {
		if rapid.IntRange(0, 4).Draw(rt, "changed") == 0 && m.Verdict != nil {
			change(&m)
		}
	}
	return m
}

func checkPassed(rt *rapid.T, spec *v1alpha1.GateSpec, members []evaluate.GateMember) {
	if len(members) == 0 {
		rt.Fatal("passed without an objective")
	}
	for _, m := range members {
		if m.Release == nil {
			rt.Fatalf("passed with %s, of which nothing is known", m.Name)
		}
		counting := int(m.Release.End.Sub(counted).Minutes()) - m.Release.Excluded
		short := time.Duration(counting)*time.Minute < spec.Bake.Duration.Duration
		if short || m.Release.Sums.Events < float64(spec.Bake.MinimumEvents) || 2*m.Release.Covered < counting {
			rt.Fatalf("passed with %s, of which too little was seen: %+v", m.Name, m.Release)
		}
	}
}

func worsen(members []evaluate.GateMember, more float64) []evaluate.GateMember {
	out := append([]evaluate.GateMember(nil), members...)
	for i := range out {
		if out[i].Release != nil {
			release := *out[i].Release
			release.Sums.Events += more
			out[i].Release = &release
		}
	}
	return out
}
