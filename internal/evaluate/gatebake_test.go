package evaluate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	uncounted = "fewer minutes than bake.duration count since the check began: the others are "
	remedy    = ": give the gate a timeout that reaches beyond them"
)

// excluded leaves the minutes of a release from one to another out, and what else there
// is has data.
func excluded(from, to int) func(*evaluate.GateMember) {
	return func(m *evaluate.GateMember) {
		p := *m.Plan
		p.Excluded = []slo.Span{{Start: counted.Add(time.Duration(from) * time.Minute), End: counted.Add(time.Duration(to) * time.Minute)}}
		out := int(min(p.Excluded[0].End.Sub(counted), m.Release.End.Sub(counted)).Minutes()) - max(from, 0)
		m.Plan, m.Release.Excluded, m.Release.Covered = &p, out, m.Release.Covered-out
		m.Release.Raw = slo.Sums{Points: m.Release.Sums.Points, Events: m.Release.Sums.Events + 900}
	}
}

// opening has the objective be open between two moments of a day, in minutes.
func opening(from, to int) func(*evaluate.GateMember) {
	return func(m *evaluate.GateMember) {
		m.Plan = aPlan(mornings, func(p *compile.Plan) {
			for i := range p.Hours.Weekly {
				p.Hours.Weekly[i] = []slo.DayTime{{From: from, To: to}}
			}
		})
	}
}

// behind has the verdict end so many minutes before the release does.
func behind(minutes int) func(*evaluate.GateMember) {
	return func(m *evaluate.GateMember) {
		m.Verdict.Window.End = m.Release.End.Add(-time.Duration(minutes) * time.Minute)
	}
}

// TestBakesCountWhatCounts judges releases of ten minutes' bake that begin to count at
// 15:10, some minutes of which are excluded or closed.
func TestBakesCountWhatCounts(t *testing.T) {
	const at1510 = 15*60 + 10
	const quiet = "no tier pages while the objective is excluded: this is judged after the exclusion"
	paged := require(v1alpha1.GateRequirements{PageTiers: v1alpha1.PageTiersQuiet})
	silent := func(m *evaluate.GateMember) { m.Verdict.LastData = counted.Add(20 * time.Minute) }
	few := func(covered int) func(*evaluate.GateMember) {
		return func(m *evaluate.GateMember) { m.Release.Covered = covered }
	}
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.GateSpec
		member evaluate.GateMember
		want   string
	}{
		"OneMinute":      {"one good minute is no bake", aGate(sparse), aMember("a", 10, 1, 1, excluded(0, 9)), "Unknown NotMeasured: " + uncounted + "excluded" + remedy},
		"OneEarly":       {"nor is it before", aGate(sparse), aMember("a", 9, 1, 1, excluded(0, 5)), "Unknown Baking: bake.duration is not over yet"},
		"OneShort":       {"ten minutes are ten", aGate(), aMember("a", 18, 100, 100, excluded(0, 9)), "Unknown NotMeasured: " + uncounted + "excluded" + remedy},
		"Afterwards":     {"the bake goes on after the exclusion", aGate(), aMember("a", 19, 100, 100, excluded(0, 9)), "Holds RequirementsHold: "},
		"Between":        {"as it does around one", aGate(), aMember("a", 14, 100, 100, excluded(3, 7)), "Holds RequirementsHold: "},
		"AllExcluded":    {"nothing counts", aGate(floor("1%")), aMember("a", 30, 0, 0, excluded(-60, 60), few(0)), "Unknown NotMeasured: " + uncounted + "excluded" + remedy},
		"Closing":        {"a minute before it closed", aGate(sparse), aMember("a", 10, 1, 1, opening(480, at1510+1), few(1)), "Unknown NotMeasured: " + uncounted + "closed, by the objective's calendar" + remedy},
		"ClosedExcluded": {"open for five minutes, of which two count", aGate(sparse, floor("1%")), aMember("a", 10, 1, 1, opening(480, at1510+5), excluded(0, 3), few(2)), "Unknown NotMeasured: " + uncounted + "excluded or, by the objective's calendar, closed" + remedy},
		"VerdictBehind":  {"a minute that nobody judged yet does not count", aGate(), aMember("a", 19, 100, 100, excluded(0, 9), behind(1)), "Unknown NotMeasured: " + uncounted + "excluded" + remedy},
		"StillFails":     {"what counts and is bad fails", aGate(), aMember("a", 10, 10, 100, excluded(0, 5)), "Fails BelowFloor: the release attains less than the floor of 75%"},
		"Unlucky":        {"a handful of what counts is judged when the clock says so", aGate(sparse), aMember("a", 9, 1, 3, handful, excluded(0, 5)), "Unknown Baking: bake.duration is not over yet; the release attains less than the floor of 75%, by too few bad events to tell before bake.duration is over"},
		"QuietIsVacuous": {"during an exclusion no tier can page", aGate(paged), aMember("a", 15, 100, 100, excluded(10, 30)), "Unknown NotMeasured: " + quiet},
		"QuietAfter":     {"after it one can", aGate(paged), aMember("a", 16, 100, 100, excluded(10, 15)), "Holds RequirementsHold: "},
		"QuietUnasked":   {"what is not asked for need not be known", aGate(floor("75%")), aMember("a", 15, 100, 100, excluded(10, 30)), "Holds RequirementsHold: "},
		"SilentExcluded": {"what has no data while it is excluded did not go away", aGate(floor("75%")), aMember("a", 30, 100, 100, excluded(20, 60), silent), "Holds RequirementsHold: "},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := evaluate.Gate(c.gate, []evaluate.GateMember{c.member}, nil, began, began).Findings[0]
			if diff := cmp.Diff(c.want, fmt.Sprintf("%s %s: %s", f.Verdict, f.Reason, f.Message)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestUncountedTimesOut ends a check whose bake does not come.
func TestUncountedTimesOut(t *testing.T) {
	m := []evaluate.GateMember{aMember("a", 60, 100, 100, excluded(5, 120))}
	for after, want := range map[time.Duration]v1alpha1.GateVerdict{59 * time.Minute: v1alpha1.GateBaking, time.Hour: v1alpha1.GateInconclusive} {
		if got := evaluate.Gate(aGate(), m, nil, began, began.Add(after)).Verdict; got != want {
			t.Errorf("%s after %s, want %s", got, after, want)
		}
	}
}
