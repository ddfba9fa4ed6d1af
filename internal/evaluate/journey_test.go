package evaluate

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const (
	ux = v1alpha1.PerspectiveUX
	cx = v1alpha1.PerspectiveCX
)

// measured is an objective that attained so much of a target, both ratios.
func measured(name v1alpha1.Name, side v1alpha1.Perspective, attainment, target float64) JourneyMember {
	m := JourneyMember{
		Name: name, Perspective: side, Outcome: Met, Reason: v1alpha1.ReasonTargetMet,
		Kept: Kept(attainment, target), Budget: 1 - (1-attainment)/(1-target),
	}
	if attainment < target {
		m.Outcome, m.Reason = Missed, v1alpha1.ReasonTargetMissed
	}
	return m
}

// unmeasured is one that nobody knows.
func unmeasured(name v1alpha1.Name, side v1alpha1.Perspective) JourneyMember {
	return JourneyMember{Name: name, Perspective: side, Reason: v1alpha1.ReasonInsufficientData, Kept: math.NaN(), Budget: math.NaN()}
}

// way is a journey with what is known of it.
type way struct {
	spec       v1alpha1.JourneySpec
	members    map[v1alpha1.Label][]JourneyMember
	completion *JourneyMember
}

// journeyOf is a way without stages, to which steps are added.
func journeyOf(recovery ...v1alpha1.Recovery) *way {
	return &way{
		spec:    v1alpha1.JourneySpec{Aggregation: v1alpha1.AggregationWeakestLink, Recovery: recovery},
		members: map[v1alpha1.Label][]JourneyMember{},
	}
}

func (w *way) step(name v1alpha1.Label, importance v1alpha1.Importance, members ...JourneyMember) *way {
	w.spec.Stages = append(w.spec.Stages, v1alpha1.JourneyStage{Name: name, Importance: importance, Weight: 1})
	w.members[name] = members
	return w
}

func (w *way) critical(name v1alpha1.Label, members ...JourneyMember) *way {
	return w.step(name, v1alpha1.ImportanceCritical, members...)
}

func (w *way) normal(name v1alpha1.Label, members ...JourneyMember) *way {
	return w.step(name, v1alpha1.ImportanceNormal, members...)
}

func (w *way) judged() JourneyOutcome { return Journey(&w.spec, w.members, w.completion) }

// standing is what a person would say of a journey.
type standing struct {
	Verdict v1alpha1.JourneyVerdict
	Pattern v1alpha1.JourneyPattern
	Weakest v1alpha1.Label
	UX, CX  float64
	Stages  map[v1alpha1.Label]v1alpha1.StageVerdict
}

func (o JourneyOutcome) standing() standing {
	s := standing{Verdict: o.Verdict, Pattern: o.Pattern, Weakest: o.Weakest, UX: o.UX, CX: o.CX, Stages: map[v1alpha1.Label]v1alpha1.StageVerdict{}}
	for _, stage := range o.Stages {
		s.Stages[stage.Name] = stage.Verdict
	}
	return s
}

var nearly = cmp.Options{cmpopts.EquateApprox(0, 1e-12), cmpopts.EquateNaNs()}

type stageVerdicts = map[v1alpha1.Label]v1alpha1.StageVerdict

// longHold is Jane's: a fine site, and ten minutes on hold.
func longHold() *way {
	return journeyOf().
		normal("discover", measured("social-engagement", cx, 0.97, 0.9)).
		normal("browse", measured("page-speed", ux, 0.84, 0.75), measured("task-success", ux, 0.93, 0.78)).
		critical("support", measured("hold-time", cx, 0.36, 0.9), measured("transfers", cx, 0.55, 0.85),
			measured("abandonment", cx, 0.7, 0.95), measured("first-contact-resolution", cx, 0.2, 0.7))
}

// notAsDescribed is Grant's: a flawless sign-up, and an app that disappoints.
func notAsDescribed() *way {
	return journeyOf().
		normal("web", measured("page-speed", ux, 0.86, 0.75), measured("responsiveness", ux, 0.9, 0.75)).
		critical("app", measured("crash-free-users", ux, 0.94, 0.9891), measured("cold-start", ux, 0.71, 0.95),
			measured("reviews", cx, 0.275, 0.75), measured("churn", cx, 0.88, 0.98))
}

// photoEditor is confusing, and one friendly call solves it.
func photoEditor() *way {
	return journeyOf(v1alpha1.Recovery{Stage: "edit", By: "support", Cap: "50%"}).
		critical("edit", measured("task-success", ux, 0.55, 0.78), measured("search-success", ux, 0.5, 0.8)).
		critical("support", measured("first-response", cx, 0.98, 0.9), measured("first-contact-resolution", cx, 0.95, 0.7),
			measured("satisfaction", cx, 0.96, 0.8))
}

// flight is booked in ten minutes, and then there are too few counters.
func flight() *way {
	return journeyOf(v1alpha1.Recovery{Stage: "book", By: "airport", Cap: "100%"}).
		critical("book", measured("page-speed", ux, 0.85, 0.75), measured("task-success", ux, 0.92, 0.78), measured("booking-time", ux, 0.95, 0.9)).
		critical("airport", measured("counter-wait", cx, 0.4, 0.9), measured("satisfaction", cx, 0.48, 0.8))
}

// laptop is defective, and the maker answers at once.
func laptop() *way {
	return journeyOf(v1alpha1.Recovery{Stage: "device", By: "support", Cap: "100%"}).
		normal("purchase", measured("page-speed", ux, 0.85, 0.75), measured("on-time-delivery", cx, 0.97, 0.95)).
		critical("device", measured("fault-free", ux, 0.8, 0.95)).
		critical("support", measured("first-response", cx, 0.99, 0.9), measured("resolution", cx, 0.97, 0.9), measured("recommendation", cx, 0.76, 0.65))
}

// silentMaker is the laptop turned round: a good device, and nobody answers.
func silentMaker() *way {
	return journeyOf(v1alpha1.Recovery{Stage: "device", By: "support", Cap: "100%"}, v1alpha1.Recovery{Stage: "support", By: "device", Cap: "100%"}).
		normal("purchase", measured("page-speed", ux, 0.85, 0.75), measured("on-time-delivery", cx, 0.97, 0.95)).
		critical("device", measured("fault-free", ux, 0.99, 0.95)).
		critical("support", measured("first-response", cx, 0.2, 0.9), measured("resolution", cx, 0.3, 0.9), measured("recommendation", cx, 0.4, 0.65))
}

// TestStories are the stories that this project began with, on values.
func TestStories(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   *way
		want   standing
	}{
		"LongHold": {
			reason: "a perfect site does not make ten minutes on hold good", args: longHold(),
			want: standing{
				Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "support", UX: 1, CX: 0.2 / 0.7,
				Stages: stageVerdicts{"discover": v1alpha1.StageHolding, "browse": v1alpha1.StageHolding, "support": v1alpha1.StageViolated},
			},
		},
		"NotAsDescribed": {
			reason: "the web objectives alone would look perfect", args: notAsDescribed(),
			want: standing{
				Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternBrokenJourney, Weakest: "app", UX: 0.71 / 0.95, CX: 0.275 / 0.75,
				Stages: stageVerdicts{"web": v1alpha1.StageHolding, "app": v1alpha1.StageViolated},
			},
		},
		"PhotoEditor": {
			reason: "good support makes up for half", args: photoEditor(),
			want: standing{
				Verdict: v1alpha1.JourneyDegraded, Pattern: v1alpha1.PatternPoorProductGoodService, Weakest: "edit", UX: 0.5 / 0.8, CX: 0.5/0.8 + (1-0.5/0.8)/2,
				Stages: stageVerdicts{"edit": v1alpha1.StageRecovered, "support": v1alpha1.StageHolding},
			},
		},
		"Flight": {
			reason: "good booking makes up for nothing", args: flight(),
			want: standing{
				Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "airport", UX: 1, CX: 0.4 / 0.9,
				Stages: stageVerdicts{"book": v1alpha1.StageHolding, "airport": v1alpha1.StageViolated},
			},
		},
		"Laptop": {
			reason: "the maker made up for all of it", args: laptop(),
			want: standing{
				Verdict: v1alpha1.JourneyHolding, Pattern: v1alpha1.PatternPoorProductGoodService, Weakest: "device", UX: 0.8 / 0.95, CX: 1,
				Stages: stageVerdicts{"purchase": v1alpha1.StageHolding, "device": v1alpha1.StageRecovered, "support": v1alpha1.StageHolding},
			},
		},
		"SilentMaker": {
			reason: "a good device makes up for no silence, even where an edge says so", args: silentMaker(),
			want: standing{
				Verdict: v1alpha1.JourneyBroken, Pattern: v1alpha1.PatternGoodProductPoorService, Weakest: "support", UX: 1, CX: 0.2 / 0.9,
				Stages: stageVerdicts{"purchase": v1alpha1.StageHolding, "device": v1alpha1.StageHolding, "support": v1alpha1.StageViolated},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.args.judged().standing()
			t.Logf("%-9s %-23s weakest %-8s UX %.3f CX %.3f", got.Verdict, got.Pattern, got.Weakest, got.UX, got.CX)
			if diff := cmp.Diff(tc.want, got, nearly); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAggregations are the worked examples of docs/spec/journey.md.
func TestAggregations(t *testing.T) {
	ninths := func(weights ...int32) *way {
		w := journeyOf().normal("a", measured("a", ux, 0.99*0.9, 0.9)).
			normal("b", measured("b", ux, 0.95*0.9, 0.9)).normal("c", measured("c", ux, 0.60*0.9, 0.9))
		for i, weight := range weights {
			w.spec.Stages[i].Weight = weight
		}
		return w
	}
	completion := measured("orders", cx, 0.564*0.8, 0.8)
	cases := map[string]struct {
		kind       v1alpha1.Aggregation
		completion *JourneyMember
		weights    []int32
		want       [2]float64 // ux and cx
	}{
		"WeakestLink": {kind: v1alpha1.AggregationWeakestLink, want: [2]float64{0.60, 0.60}},
		"Product":     {kind: v1alpha1.AggregationProduct, want: [2]float64{0.5643, 0.5643}},
		"Mean":        {kind: v1alpha1.AggregationWeighted, want: [2]float64{2.54 / 3, 2.54 / 3}},
		"Weighted":    {kind: v1alpha1.AggregationWeighted, weights: []int32{1, 1, 8}, want: [2]float64{0.674, 0.674}},
		"Completion":  {kind: v1alpha1.AggregationCompletion, completion: &completion, want: [2]float64{0.60, 0.564}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := ninths(tc.weights...)
			w.spec.Aggregation, w.completion = tc.kind, tc.completion
			got := w.judged()
			t.Logf("%-11s of .99, .95, .60: UX %.3f CX %.3f", tc.kind, got.UX, got.CX)
			if diff := cmp.Diff(tc.want, [2]float64{got.UX, got.CX}, nearly); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

func TestKept(t *testing.T) {
	cases := map[string]struct{ attainment, target, want float64 }{
		"Missed":   {0.6, 0.75, 0.8},
		"Met":      {0.75, 0.75, 1},
		"Surplus":  {0.9, 0.75, 1},
		"Nothing":  {0, 0.75, 0},
		"Negative": {-0.1, 0.75, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Kept(tc.attainment, tc.target); math.Abs(got-tc.want) > 1e-12 {
				t.Errorf("Kept(%v, %v) = %v, want %v", tc.attainment, tc.target, got, tc.want)
			}
		})
	}
}

// TestVerdicts are the cases that the stories do not have.
func TestVerdicts(t *testing.T) {
	good, bad := measured("good", ux, 0.9, 0.8), measured("bad", ux, 0.4, 0.8)
	kind, rude := measured("kind", cx, 0.9, 0.8), measured("rude", cx, 0.4, 0.8)
	silent, lost := unmeasured("silent", cx), unmeasured("lost", ux)
	missing := JourneyMember{Name: "gone", Reason: v1alpha1.ReasonNotFound, Kept: math.NaN(), Budget: math.NaN()}
	vague := bad
	vague.Kept = math.NaN()
	all := v1alpha1.Recovery{Stage: "a", By: "b", Cap: "100%"}
	back := v1alpha1.Recovery{Stage: "b", By: "a", Cap: "100%"}
	half := v1alpha1.Recovery{Stage: "a", By: "c", Cap: "50%"}
	nan := math.NaN()
	type want struct {
		Verdict v1alpha1.JourneyVerdict
		Pattern v1alpha1.JourneyPattern
		UX, CX  float64
	}
	cases := map[string]struct {
		reason string
		args   *way
		want   want
	}{
		"Holding": {"all is met", journeyOf().critical("a", good, kind),
			want{v1alpha1.JourneyHolding, v1alpha1.PatternConsistent, 1, 1}},
		"NotCritical": {"a stage that is not critical degrades", journeyOf().normal("a", bad).critical("b", kind),
			want{v1alpha1.JourneyDegraded, v1alpha1.PatternPoorProductGoodService, 0.5, 0.5}},
		"ProductAlone": {"there is nothing to compare a product with", journeyOf().normal("a", good), want{v1alpha1.JourneyHolding, "", 1, 1}},
		"ServiceAlone": {"nor a service", journeyOf().critical("a", rude), want{v1alpha1.JourneyBroken, "", nan, 0.5}},
		"Unknown": {"an objective that is not known is not good", journeyOf().critical("a", good, silent),
			want{v1alpha1.JourneyUnknown, "", 1, nan}},
		"UnknownAndViolated": {"and hides nothing", journeyOf().critical("a", bad).normal("b", silent),
			want{v1alpha1.JourneyBroken, "", 0.5, nan}},
		"Empty":   {"a stage of no objectives is not good", journeyOf().normal("a", good).normal("b"), want{v1alpha1.JourneyUnknown, "", 1, nan}},
		"Missing": {"an objective that is not there may be either", journeyOf().normal("a", good, kind, missing), want{v1alpha1.JourneyUnknown, "", nan, nan}},
		"Vague":   {"a violation without a figure is one", journeyOf().critical("a", vague, kind), want{v1alpha1.JourneyBroken, v1alpha1.PatternPoorProductGoodService, nan, nan}},
		"RecoveredByUnknown": {"service that is not known makes up for nothing", journeyOf(all).critical("a", bad).normal("b", kind, silent),
			want{v1alpha1.JourneyBroken, "", 0.5, nan}},
		"RecoveredByProduct": {"nor does a product", journeyOf(all).critical("a", bad).normal("b", good),
			want{v1alpha1.JourneyBroken, "", 0.5, 0.5}},
		"RecoveredByPoorProduct": {"good service makes up whatever the product beside it is", journeyOf(all).critical("a", bad).normal("b", kind, bad),
			want{v1alpha1.JourneyDegraded, v1alpha1.PatternPoorProductGoodService, 0.5, 0.5}},
		"ServiceViolated": {"service that is violated is not made up for", journeyOf(all).critical("a", bad, rude).normal("b", kind),
			want{v1alpha1.JourneyBroken, v1alpha1.PatternBrokenJourney, 0.5, 0.5}},
		"BestEdge": {"of two edges the better", journeyOf(half, all).critical("a", bad).normal("b", kind).normal("c", kind),
			want{v1alpha1.JourneyHolding, v1alpha1.PatternPoorProductGoodService, 0.5, 1}},
		"OtherEdge": {"that is in effect", journeyOf(half, all).critical("a", bad).normal("b", silent).normal("c", kind),
			want{v1alpha1.JourneyDegraded, "", 0.5, nan}},
		"MadeUpForAnyway": {"a product that is made up for in full decides nothing, known or not", journeyOf(all).critical("a", lost).normal("b", kind),
			want{v1alpha1.JourneyHolding, "", nan, 1}},
		"MadeUpForTogether": {"nor does the rest of it", journeyOf(all).critical("a", bad, lost).normal("b", kind),
			want{v1alpha1.JourneyHolding, v1alpha1.PatternPoorProductGoodService, nan, 1}},
		"MadeUpForInPart": {"in part is not enough", journeyOf(half).critical("a", lost).normal("c", kind), want{v1alpha1.JourneyUnknown, "", nan, nan}},
		"MadeUpForMissing": {"what is not there may be a service", journeyOf(all).critical("a", missing).normal("b", kind),
			want{v1alpha1.JourneyUnknown, "", nan, nan}},
		"EachOther": {"two stages that make up for each other wait for nobody", journeyOf(all, back).critical("a", bad, kind).critical("b", bad, kind),
			want{v1alpha1.JourneyHolding, v1alpha1.PatternPoorProductGoodService, 0.5, 1}},
		"EachOtherViolated": {"and do nothing for each other's service", journeyOf(all, back).critical("a", bad, rude).critical("b", bad, kind),
			want{v1alpha1.JourneyBroken, v1alpha1.PatternBrokenJourney, 0.5, 0.5}},
		"RecoveredAndUnknown": {"what is made up for is not all that counts", journeyOf(all).critical("a", bad, silent).normal("b", kind),
			want{v1alpha1.JourneyUnknown, "", 0.5, nan}},
		"NoSuchStage": {"an edge to nowhere, which the schema refuses, does nothing", journeyOf(half).critical("a", bad),
			want{v1alpha1.JourneyBroken, "", 0.5, 0.5}},
		"BadCap": {"nor does a cap that is none", journeyOf(v1alpha1.Recovery{Stage: "a", By: "b", Cap: "much"}).critical("a", bad).normal("b", kind),
			want{v1alpha1.JourneyBroken, v1alpha1.PatternPoorProductGoodService, 0.5, 0.5}},
		"Completed": {"completion hides no violated stage", journeyOf().normal("a", bad).completedBy(measured("orders", cx, 0.9, 0.8)),
			want{v1alpha1.JourneyDegraded, v1alpha1.PatternPoorProductGoodService, 0.5, 1}},
		"NotCompleted": {"and breaks the journey by itself", journeyOf().normal("a", good).completedBy(measured("orders", ux, 0.6, 0.8)),
			want{v1alpha1.JourneyBroken, "", 0.75, 0.75}},
		"CompletionUnknown": {"or leaves it open", journeyOf().normal("a", good).completedBy(silent),
			want{v1alpha1.JourneyUnknown, "", 1, nan}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := tc.args.judged()
			if diff := cmp.Diff(tc.want, want{o.Verdict, o.Pattern, o.UX, o.CX}, nearly); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func (w *way) completedBy(m JourneyMember) *way {
	w.spec.Aggregation, w.completion = v1alpha1.AggregationCompletion, &m
	return w
}

func TestJourneyBudget(t *testing.T) {
	noon := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	left := func(name v1alpha1.Name, side v1alpha1.Perspective, budget float64, lasts time.Duration) JourneyMember {
		m := measured(name, side, 0.9, 0.8)
		if m.Budget = budget; budget < 0 {
			m.Outcome, m.Kept = Missed, 0.5
		}
		if lasts > 0 {
			m.ExhaustsAt = noon.Add(lasts)
		}
		return m
	}
	type want struct {
		Budget   float64
		Exhausts time.Time
		Weakest  v1alpha1.Label
	}
	all := v1alpha1.Recovery{Stage: "a", By: "b", Cap: "100%"}
	cases := map[string]struct {
		reason string
		args   *way
		want   want
	}{
		"Least": {"the least budget, and the first that runs out", journeyOf().normal("a", left("a", ux, 0.2, 0)).normal("b", left("b", ux, 0.5, time.Hour), left("c", ux, 0.6, time.Minute)),
			want{0.2, noon.Add(time.Minute), "a"}},
		"Spent": {"what has run out does not run out again", journeyOf().normal("a", left("a", ux, -0.2, 0)).normal("b", left("b", ux, 0.5, time.Hour)),
			want{-0.2, time.Time{}, "a"}},
		"Recovered": {"what is made up for costs nothing", journeyOf(all).normal("a", left("a", ux, -3, 0)).normal("b", left("b", cx, 0.4, time.Hour)),
			want{0.4, noon.Add(time.Hour), "a"}},
		"Covered": {"nor would what is not violated yet", journeyOf(all).normal("a", left("a", ux, 0.1, time.Minute)).normal("b", left("b", cx, 0.4, time.Hour)),
			want{0.4, noon.Add(time.Hour), "a"}},
		"Unknown": {"a least of what is not known is not known", journeyOf().normal("a", left("a", ux, 0.2, time.Hour)).normal("b", unmeasured("b", ux)),
			want{math.NaN(), time.Time{}, "a"}},
		"Completion": {"the budget of completion is the journey's", journeyOf().normal("a", left("a", ux, 0.2, time.Hour)).completedBy(left("b", ux, 0.7, time.Minute)),
			want{0.7, noon.Add(time.Minute), "a"}},
		"Empty": {"nothing has no budget", journeyOf().normal("a"), want{math.NaN(), time.Time{}, ""}},
		"First": {"of equals the first", journeyOf().normal("b", left("b", ux, 0.2, 0)).normal("a", left("a", ux, 0.2, 0)), want{0.2, time.Time{}, "b"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := tc.args.judged()
			if diff := cmp.Diff(tc.want, want{o.Budget, o.ExhaustsAt, o.Weakest}, nearly); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// BenchmarkJourneys judges 200 journeys over 2,000 objectives, once each.
func BenchmarkJourneys(b *testing.B) {
	var ways []*way
	for range 200 {
		w := journeyOf(v1alpha1.Recovery{Stage: "a", By: "e", Cap: "50%"})
		for _, name := range []v1alpha1.Label{"a", "b", "c", "d", "e"} {
			w.critical(name, measured("product", ux, 0.7, 0.8), measured("service", cx, 0.9, 0.8))
		}
		ways = append(ways, w)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, w := range ways {
			w.judged()
		}
	}
}
