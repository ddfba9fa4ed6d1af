package evaluate_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// every asks for each segment, and justWhole for all events together.
func every(p *compile.Plan)     { p.Group = &compile.Group{Label: "device", Maximum: 10, Every: true} }
func justWhole(p *compile.Plan) { p.Group = &compile.Group{Label: "device", Maximum: 10} }

// part is a segment with the same sums over whatever is asked for.
func part(value string, points, events float64) ledger.Part {
	return ledger.Part{Value: value, Since: func(time.Time) ledger.Stretch {
		return ledger.Stretch{Sums: slo.Sums{Points: points, Events: events}}
	}}
}

// grouped judges parts and their sum.
func grouped(p *compile.Plan, parts ...ledger.Part) evaluate.Verdict {
	var sums slo.Sums
	for _, part := range parts {
		sums = sums.Add(part.Since(now).Sums)
	}
	return evaluate.Grouped(p, account{sums: sums, window: window, covered: 1}, parts, now)
}

func TestGrouped(t *testing.T) {
	type want struct {
		Outcome evaluate.Outcome
		Reason  string
		Band    v1alpha1.Band
		// Order is the values of the segments, the worst first.
		Order []string
	}
	atLeast := func(n float64) func(*compile.Plan) { return func(p *compile.Plan) { p.MinimumEvents = n } }
	confident := func(p *compile.Plan) { p.Level = 0.95 }
	cases := map[string]struct {
		reason string
		plan   *compile.Plan
		parts  []ledger.Part
		want   want
	}{
		"AllMeet": {
			reason: "each segment attains the target", plan: aPlan(every),
			parts: []ledger.Part{part("desktop", 90, 100), part("phone", 80, 100), part("", 0, 0)},
			want:  want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood, []string{"phone", "desktop"}},
		},
		"OneMisses": {
			reason: "a small segment that misses is not made up for by a large one that does not", plan: aPlan(every),
			parts: []ledger.Part{part("desktop", 9900, 10000), part("phone", 70, 100)},
			want:  want{evaluate.Missed, v1alpha1.ReasonSegmentMissed, v1alpha1.BandPoor, []string{"phone", "desktop"}},
		},
		"OneMissesOfTheWhole": {
			reason: "where the whole is judged, segments are shown", plan: aPlan(justWhole),
			parts: []ledger.Part{part("desktop", 9900, 10000), part("phone", 70, 100)},
			want:  want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood, []string{"phone", "desktop"}},
		},
		"TooFew": {
			reason: "a segment with too few events decides nothing, and comes last", plan: aPlan(every, atLeast(100)),
			parts: []ledger.Part{part("desktop", 900, 1000), part("phone", 0, 99)},
			want:  want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood, []string{"desktop", "phone"}},
		},
		"AllTooFew": {
			reason: "small segments are judged together", plan: aPlan(every, atLeast(100)),
			parts: []ledger.Part{part("desktop", 10, 60), part("phone", 10, 60)},
			want:  want{evaluate.Missed, v1alpha1.ReasonTargetMissed, v1alpha1.BandPoor, []string{"desktop", "phone"}},
		},
		"TheOthersMiss": {
			reason: "all others together are judged as a segment: where they miss, one of them does", plan: aPlan(every),
			parts: []ledger.Part{part("desktop", 9900, 10000), part("", 7, 10)},
			want:  want{evaluate.Missed, v1alpha1.ReasonSegmentMissed, v1alpha1.BandPoor, []string{"", "desktop"}},
		},
		"WholeMisses": {
			reason: "where the whole misses too, that is the reason", plan: aPlan(every),
			parts: []ledger.Part{part("desktop", 60, 100), part("phone", 80, 100)},
			want:  want{evaluate.Missed, v1alpha1.ReasonTargetMissed, v1alpha1.BandPoor, []string{"desktop", "phone"}},
		},
		"Inconclusive": {
			reason: "a segment whose interval holds the target leaves the promise open", plan: aPlan(every, confident),
			parts: []ledger.Part{part("desktop", 9900, 10000), part("phone", 8, 10)},
			want:  want{evaluate.Unknown, v1alpha1.ReasonInconclusive, "", []string{"phone", "desktop"}},
		},
		"InconclusiveAndMissed": {
			reason: "but one that surely misses breaks it", plan: aPlan(every, confident),
			parts: []ledger.Part{part("desktop", 9900, 10000), part("phone", 8, 10), part("watch", 10, 1000)},
			want:  want{evaluate.Missed, v1alpha1.ReasonSegmentMissed, v1alpha1.BandPoor, []string{"watch", "phone", "desktop"}},
		},
		"Inconsistent": {
			reason: "more points than events of a segment are a mistake, even if the whole looks right", plan: aPlan(every),
			parts: []ledger.Part{part("desktop", 900, 1000), part("phone", 11, 10)},
			want:  want{evaluate.Unknown, v1alpha1.ReasonInconsistentData, "", []string{"phone", "desktop"}},
		},
		"NoEvents": {
			reason: "a segment without an event yet is shown as such; others without one are not there", plan: aPlan(every),
			parts: []ledger.Part{part("desktop", 90, 100), part("phone", 0, 0), part("", 0, 0)},
			want:  want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood, []string{"desktop", "phone"}},
		},
		"SameFigure": {
			reason: "segments that read the same stand in the order of their values, whatever lies behind the last digit", plan: aPlan(every),
			parts: []ledger.Part{part("b", 8_000_001, 10_000_000), part("a", 8_000_002, 10_000_000), part("c", 8_000_000, 10_000_000)},
			want:  want{evaluate.Met, v1alpha1.ReasonTargetMet, v1alpha1.BandGood, []string{"a", "b", "c"}},
		},
		"Empty": {
			reason: "without events there is no verdict", plan: aPlan(every), parts: []ledger.Part{part("", 0, 0)},
			want: want{evaluate.Unknown, v1alpha1.ReasonInsufficientData, "", nil},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := grouped(tc.plan, tc.parts...)
			got := want{v.Outcome, v.Reason, v.Band, nil}
			for _, s := range v.Segments {
				got.Order = append(got.Order, s.Value)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nGrouped(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGroupedFigures(t *testing.T) {
	got := grouped(aPlan(every), part("desktop", 90, 100), part("phone", 10, 20), part("watch", 0, 0)).Segments
	want := []evaluate.Segment{
		{Value: "phone", Outcome: evaluate.Missed, Reason: v1alpha1.ReasonTargetMissed, Attainment: 0.5, BudgetRemaining: -1, Events: 20},
		{Value: "desktop", Outcome: evaluate.Met, Reason: v1alpha1.ReasonTargetMet, Attainment: 0.9, BudgetRemaining: 0.6, Events: 100},
		{Value: "watch", Reason: v1alpha1.ReasonInsufficientData, Attainment: math.NaN(), BudgetRemaining: math.NaN()},
	}
	opts := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-9), cmpopts.IgnoreUnexported(evaluate.Segment{})}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("segments have figures of their own: -want, +got:\n%s", diff)
	}
}

// TestSegmentsOnlyMakeItHarder holds that a promise to every segment is kept only
// where the one to all together is, and that one kept to each of two parts is kept
// to both together.
func TestSegmentsOnlyMakeItHarder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []ledger.Part
		for i := range rapid.IntRange(1, 8).Draw(t, "segments") {
			events := rapid.IntRange(0, 1000).Draw(t, "events")
			good := rapid.IntRange(0, events).Draw(t, "good")
			parts = append(parts, part(string(rune('a'+i)), float64(good), float64(events)))
		}
		least := func(p *compile.Plan) { p.MinimumEvents = float64(rapid.IntRange(1, 500).Draw(t, "least")) }
		p := aPlan(every, least)
		together := *p
		justWhole(&together)
		strict, loose := grouped(p, parts...), grouped(&together, parts...)
		if strict.Outcome == evaluate.Met && loose.Outcome != evaluate.Met {
			t.Fatalf("kept to every segment, and %v to all together", loose.Outcome)
		}
		if loose.Outcome == evaluate.Missed && strict.Outcome != evaluate.Missed {
			t.Fatalf("broken to all together, and %v to every segment", strict.Outcome)
		}
		missed := missing(t, p, strict)
		if missed != (strict.Outcome == evaluate.Missed) && loose.Outcome != evaluate.Missed {
			t.Fatalf("a segment misses: %t, and the verdict is %v", missed, strict.Outcome)
		}
	})
}

// missing says whether a segment misses. None with too few events does.
func missing(t *rapid.T, p *compile.Plan, v evaluate.Verdict) bool {
	out := false
	for _, s := range v.Segments {
		out = out || s.Outcome == evaluate.Missed
		if s.Events < p.MinimumEvents && s.Outcome != evaluate.Unknown {
			t.Fatalf("%v of %v events is judged", s.Outcome, s.Events)
		}
	}
	return out
}
