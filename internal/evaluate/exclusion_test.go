package evaluate_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

func TestExclusion(t *testing.T) {
	const day = 24 * time.Hour
	begin := time.Date(2026, 3, 14, 22, 0, 0, 0, time.UTC)
	at := func(d time.Duration) metav1.Time { return metav1.NewTime(begin.Add(d)) }
	span := func(from, to time.Duration) *slo.Span { return &slo.Span{Start: begin.Add(from), End: begin.Add(to)} }
	once := v1alpha1.ExclusionSpec{Services: []v1alpha1.Label{"checkout"}, From: at(0), To: at(4 * time.Hour)}
	but := func(change func(*v1alpha1.ExclusionSpec)) v1alpha1.ExclusionSpec {
		out := *once.DeepCopy()
		change(&out)
		return out
	}
	until, cut := at(2*day), at(time.Hour)
	daily := but(func(s *v1alpha1.ExclusionSpec) {
		s.Recurrence = &v1alpha1.Recurrence{Every: v1alpha1.ExclusionDaily, Until: &until}
	})
	gone := but(func(s *v1alpha1.ExclusionSpec) { s.Withdrawn = &v1alpha1.Withdrawal{} })
	shorter := but(func(s *v1alpha1.ExclusionSpec) { s.Withdrawn = &v1alpha1.Withdrawal{At: &cut} })
	dayOne := at(day + time.Hour)
	last := *daily.DeepCopy()
	last.Withdrawn = &v1alpha1.Withdrawal{At: &dayOne}
	outcome := func(phase v1alpha1.ExclusionState, next *slo.Span, turn time.Duration) evaluate.ExclusionOutcome {
		o := evaluate.ExclusionOutcome{State: phase, Objectives: 1, Next: next}
		if next != nil {
			o.Turn = begin.Add(turn)
		}
		return o
	}
	cases := map[string]struct {
		reason string
		spec   v1alpha1.ExclusionSpec
		now    time.Duration
		want   evaluate.ExclusionOutcome
	}{
		"Planned":        {"before it begins, which is the next thing to happen", once, -time.Second, outcome(v1alpha1.ExclusionPlanned, span(0, 4*time.Hour), 0)},
		"Begins":         {"it is on from its first moment, and ends next", once, 0, outcome(v1alpha1.ExclusionActive, span(0, 4*time.Hour), 4*time.Hour)},
		"Ends":           {"and is over at its end, for good", once, 4 * time.Hour, outcome(v1alpha1.ExclusionEnded, nil, 0)},
		"Between":        {"one that comes again is on between its stretches", daily, 5 * time.Hour, outcome(v1alpha1.ExclusionActive, span(day, day+4*time.Hour), day+4*time.Hour)},
		"LastEnds":       {"until the last of them is over", daily, day + 4*time.Hour, outcome(v1alpha1.ExclusionEnded, nil, 0)},
		"Withdrawn":      {"what was taken back has no next stretch", gone, time.Hour, outcome(v1alpha1.ExclusionWithdrawn, nil, 0)},
		"WithdrawnPlan":  {"what is left of it is still to come", shorter, -time.Second, outcome(v1alpha1.ExclusionPlanned, span(0, time.Hour), 0)},
		"WithdrawnCut":   {"and is left out", shorter, 0, outcome(v1alpha1.ExclusionActive, span(0, time.Hour), time.Hour)},
		"WithdrawnSince": {"until time counts again", shorter, time.Hour, outcome(v1alpha1.ExclusionWithdrawn, nil, 0)},
		"WithdrawnLater": {"one that comes again goes on too", last, 5 * time.Hour, outcome(v1alpha1.ExclusionActive, span(day, day+time.Hour), day+time.Hour)},
		"WithdrawnLast":  {"up to the last that is to come", last, day + time.Hour, outcome(v1alpha1.ExclusionWithdrawn, nil, 0)},
	}
	objectives := []v1alpha1.Objective{
		{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "a"}, Spec: v1alpha1.ObjectiveSpec{Service: "checkout"}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "b"}, Spec: v1alpha1.ObjectiveSpec{Service: "search"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			x := &v1alpha1.Exclusion{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}, Spec: tc.spec}
			got, err := evaluate.Exclusion(x, objectives, begin.Add(tc.now))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExclusionMistakes(t *testing.T) {
	cases := map[string]struct {
		reason, want string
		spec         v1alpha1.ExclusionSpec
	}{
		"Zone": {
			reason: "the zone is named", spec: v1alpha1.ExclusionSpec{Recurrence: &v1alpha1.Recurrence{Every: v1alpha1.ExclusionDaily, TimeZone: "Mars/Olympus"}},
			want: `spec.recurrence.timeZone: "Mars/Olympus" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`,
		},
		"Selector": {
			reason: "and so is the operator of a selector", spec: v1alpha1.ExclusionSpec{Selector: &metav1.LabelSelector{
				MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Like"}},
			}},
			want: `spec.selector: "Like" is not a valid label selector operator`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := evaluate.Exclusion(&v1alpha1.Exclusion{Spec: tc.spec}, nil, time.Now())
			if err == nil || err.Error() != tc.want {
				t.Errorf("%s: got %v, want %s", tc.reason, err, tc.want)
			}
		})
	}
}

// sifted is an account of a window of which some minutes are left out.
type sifted struct{ ledger.Stretch }

func (s sifted) Since(start time.Time) ledger.Stretch {
	out := s.Stretch
	out.Start, out.End = start, now
	return out
}

func (s sifted) Invalid() bool { return false }

func (s sifted) LastData() time.Time { return now }

func TestEvaluateExcluded(t *testing.T) {
	const minutes = 28 * 24 * 60
	type want struct {
		Reason                         string
		Attainment, Excluded, Coverage float64
		Raw                            *evaluate.Figures
	}
	nan := math.NaN()
	cases := map[string]struct {
		reason string
		args   ledger.Stretch
		want   want
	}{
		"Nothing": {
			reason: "where nothing is left out nothing is told of it",
			args:   ledger.Stretch{Sums: slo.Sums{Points: 80, Events: 100}, Covered: minutes},
			want:   want{v1alpha1.ReasonTargetMet, 0.8, 0, 1, nil},
		},
		"Corrected": {
			reason: "what counts is judged, and what would be is told",
			args: ledger.Stretch{
				Sums: slo.Sums{Points: 80, Events: 100}, Raw: slo.Sums{Points: 80, Events: 160}, Covered: minutes / 2, Excluded: minutes / 4,
			},
			want: want{v1alpha1.ReasonTargetMet, 0.8, 0.25, 0.5 / 0.75, &evaluate.Figures{Attainment: 0.5, BudgetRemaining: -1, Events: 160}},
		},
		"NoEventsLeft": {
			reason: "minutes without an event are left", args: ledger.Stretch{Raw: slo.Sums{Points: 80, Events: 100}, Covered: 5, Excluded: minutes / 2},
			want: want{v1alpha1.ReasonInsufficientData, nan, 0.5, 10.0 / minutes, &evaluate.Figures{Attainment: 0.8, BudgetRemaining: 0.2, Events: 100}},
		},
		"NoDataLeft": {
			reason: "minutes without data are left", args: ledger.Stretch{Raw: slo.Sums{Points: 80, Events: 100}, Excluded: minutes - 1},
			want: want{v1alpha1.ReasonNoData, nan, (minutes - 1.0) / minutes, 0, &evaluate.Figures{Attainment: 0.8, BudgetRemaining: 0.2, Events: 100}},
		},
		"Everything": {
			reason: "no minute is left", args: ledger.Stretch{Raw: slo.Sums{Points: 80, Events: 100}, Excluded: minutes},
			want: want{v1alpha1.ReasonExcluded, nan, 1, 0, &evaluate.Figures{Attainment: 0.8, BudgetRemaining: 0.2, Events: 100}},
		},
		"EverythingAndNothing": {
			reason: "nor was there anything", args: ledger.Stretch{Excluded: minutes},
			want: want{v1alpha1.ReasonExcluded, nan, 1, 0, &evaluate.Figures{Attainment: nan, BudgetRemaining: nan}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := evaluate.Evaluate(aPlan(func(p *compile.Plan) { p.Tiers = nil }), sifted{tc.args}, now)
			got := want{v.Reason, v.Attainment, v.Excluded, v.Coverage, v.Raw}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateApprox(1e-9, 0), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTiersAreQuiet holds that no tier burns in an excluded minute, and any other
// time it does.
func TestTiersAreQuiet(t *testing.T) {
	cases := map[string]struct {
		reason   string
		from, to time.Duration
		want     bool
	}{
		"Before": {"the exclusion has not begun", time.Minute, time.Hour, true},
		"First":  {"from its first moment on", 0, time.Hour, false},
		"Within": {"in the middle of it", -time.Hour, time.Hour, false},
		"Last":   {"and in its last minute", -time.Hour, 0, false},
		"After":  {"but not in the next", -time.Hour, -time.Minute, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := tierPlan(1, page)
			p.Excluded = []slo.Span{{Start: now.Add(tc.from), End: now.Add(tc.to)}}
			v := evaluate.Evaluate(p, run(60, 0, 1), now)
			if got := v.Tiers[0].Burning; got != tc.want {
				t.Errorf("%s: burning = %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}
