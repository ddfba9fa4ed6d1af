package evaluate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// mornings are open from 8 to 12 UTC on each day.
func mornings(p *compile.Plan) {
	p.Hours = &slo.Hours{Location: time.UTC}
	for i := range p.Hours.Weekly {
		p.Hours.Weekly[i] = []slo.DayTime{{From: 480, To: 720}}
	}
}

// without leaves the last days of the window out.
func without(days int) func(*compile.Plan) {
	return func(p *compile.Plan) {
		p.Excluded = []slo.Span{{Start: now.Add(-time.Duration(days) * 24 * time.Hour), End: now.Add(48 * time.Hour)}}
	}
}

// sheet is an account of one stretch: of the window.
type sheet struct{ ledger.Stretch }

func (s sheet) Since(time.Time) ledger.Stretch { return s.Stretch }

func (s sheet) Invalid() bool { return false }

func (s sheet) LastData() time.Time { return s.End }

// TestOpenMinutes judges windows of which a part is open, and a part of that excluded.
func TestOpenMinutes(t *testing.T) {
	type args struct {
		covered, excluded int
		sums              slo.Sums
		change            []func(*compile.Plan)
		window            time.Duration
	}
	type want struct {
		Reason             string
		Coverage, Excluded float64
	}
	const day = 24 * time.Hour
	good := slo.Sums{Points: 90, Events: 100}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Whole":    {"all open minutes have data: 28 mornings of four hours", args{28 * 240, 0, good, []func(*compile.Plan){mornings}, window}, want{v1alpha1.ReasonTargetMet, 1, 0}},
		"Half":     {"half of them have", args{14 * 240, 0, good, []func(*compile.Plan){mornings}, window}, want{v1alpha1.ReasonTargetMet, 0.5, 0}},
		"Always":   {"without a calendar the same is little", args{28 * 240, 0, good, nil, window}, want{v1alpha1.ReasonTargetMet, 1.0 / 6, 0}},
		"Closed":   {"in the last three hours nothing was open", args{0, 0, slo.Sums{}, []func(*compile.Plan){mornings}, 3 * time.Hour}, want{v1alpha1.ReasonNotOpenYet, 0, 0}},
		"NoData":   {"in the last day it was", args{0, 0, slo.Sums{}, []func(*compile.Plan){mornings}, day}, want{v1alpha1.ReasonNoData, 0, 0}},
		"Idle":     {"and nobody came", args{240, 0, slo.Sums{}, []func(*compile.Plan){mornings}, day}, want{v1alpha1.ReasonInsufficientData, 1, 0}},
		"Excluded": {"a quarter of the mornings is left out", args{21 * 240, 7 * 1440, good, []func(*compile.Plan){mornings, without(7)}, window}, want{v1alpha1.ReasonTargetMet, 1, 0.25}},
		"Nothing":  {"all that was open is left out, if not all of the window", args{0, 1440, slo.Sums{}, []func(*compile.Plan){mornings, without(1)}, day + time.Hour}, want{v1alpha1.ReasonExcluded, 0, 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			plan := aPlan(c.args.change...)
			plan.Window, plan.Tiers = slo.Window{Rolling: c.args.window}, nil
			v := evaluate.Evaluate(plan, sheet{ledger.Stretch{
				Start: now.Add(-c.args.window), End: now, Covered: c.args.covered, Excluded: c.args.excluded, Sums: c.args.sums,
			}}, now)
			if diff := cmp.Diff(c.want, want{v.Reason, v.Coverage, v.Excluded}); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestSpared has one morning of those that are excluded count all the same.
func TestSpared(t *testing.T) {
	plan := aPlan(mornings, without(7))
	plan.Window, plan.Tiers = slo.Window{Rolling: 28 * 24 * time.Hour}, nil
	spared := plan.Excluded[0]
	spared.End = spared.Start.Add(24 * time.Hour)
	v := evaluate.Evaluate(plan, sheet{ledger.Stretch{
		Start: now.Add(-plan.Window.Rolling), End: now, Covered: 22 * 240, Excluded: 6 * 1440, Spared: []slo.Span{spared},
		Sums: slo.Sums{Points: 99, Events: 100},
	}}, now)
	if diff := cmp.Diff([]float64{1, 6.0 / 28}, []float64{v.Coverage, v.Excluded}); diff != "" {
		t.Errorf("Coverage, Excluded: -want, +got:\n%s", diff)
	}
}

// TestGatesWhileClosed checks releases at a quarter past three in the afternoon.
func TestGatesWhileClosed(t *testing.T) {
	evenings := func(from, to int) func(*evaluate.GateMember) {
		return func(m *evaluate.GateMember) {
			m.Plan = aPlan(mornings)
			for i := range m.Plan.Hours.Weekly {
				m.Plan.Hours.Weekly[i] = []slo.DayTime{{From: from, To: to}}
			}
		}
	}
	covered := func(minutes int) func(*evaluate.GateMember) {
		return func(m *evaluate.GateMember) { m.Release.Covered = minutes }
	}
	const hour, closed = 60, "no minute since the check began was open, by the objective's calendar: give the gate a timeout that reaches into the opening hours"
	cases := map[string]struct {
		reason string
		member evaluate.GateMember
		want   string
	}{
		"Closed":    {"nobody is served, so nobody can tell", aMember("a", 20, 0, 0, evenings(8*hour, 12*hour), covered(0)), "Unknown NotMeasured: " + closed},
		"Open":      {"data of the open minutes is enough", aMember("a", 20, 100, 100, evenings(15*hour+20, 15*hour+30), covered(10)), "Holds RequirementsHold: "},
		"Gaps":      {"and too little of it is not", aMember("a", 20, 100, 100, evenings(15*hour+20, 15*hour+30), covered(4)), "Unknown NotMeasured: fewer than half of the minutes since the check began have data: check that the release is scraped"},
		"LongClose": {"that it closed a while ago is no gap", aMember("a", 30, 100, 100, evenings(15*hour+10, 15*hour+20), covered(10), seenUntil(20*time.Minute)), "Holds RequirementsHold: "},
		"WentAway":  {"what went away while it was open is", aMember("a", 30, 100, 100, evenings(15*hour+10, 16*hour), covered(25), seenUntil(5*time.Minute)), "Unknown NotMeasured: the last 5m and more have no data: check that the release is scraped"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := evaluate.Gate(aGate(), []evaluate.GateMember{c.member}, nil, began, began).Findings[0]
			if diff := cmp.Diff(c.want, fmt.Sprintf("%s %s: %s", f.Verdict, f.Reason, f.Message)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// seenUntil has the last data be so long before the end.
func seenUntil(before time.Duration) func(*evaluate.GateMember) {
	return func(m *evaluate.GateMember) { m.Verdict.LastData = m.Release.End.Add(-before) }
}
