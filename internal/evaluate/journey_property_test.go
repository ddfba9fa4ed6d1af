package evaluate

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
)

var (
	sides        = []v1alpha1.Perspective{ux, cx}
	importances  = []v1alpha1.Importance{v1alpha1.ImportanceCritical, v1alpha1.ImportanceNormal}
	aggregations = []v1alpha1.Aggregation{v1alpha1.AggregationWeakestLink, v1alpha1.AggregationWeighted, v1alpha1.AggregationProduct, v1alpha1.AggregationCompletion}
)

// drawMember draws an objective: a third are met, a third missed, a third unknown.
func drawMember(t *rapid.T, name v1alpha1.Name) JourneyMember {
	side := rapid.SampledFrom(sides).Draw(t, "side")
	switch rapid.IntRange(0, 2).Draw(t, "outcome") {
	case 0:
		return unmeasured(name, side)
	case 1:
		return measured(name, side, rapid.Float64Range(0, 0.79).Draw(t, "attainment"), 0.8)
	default:
		return measured(name, side, rapid.Float64Range(0.8, 1).Draw(t, "attainment"), 0.8)
	}
}

// drawWay draws a journey of up to five stages with up to three objectives each,
// and edges between them.
func drawWay(t *rapid.T) *way {
	w := journeyOf()
	for i := range rapid.IntRange(1, 5).Draw(t, "stages") {
		var members []JourneyMember
		for k := range rapid.IntRange(0, 3).Draw(t, "objectives") {
			members = append(members, drawMember(t, v1alpha1.Name(fmt.Sprintf("o%d-%d", i, k))))
		}
		w.step(nameOf(i), rapid.SampledFrom(importances).Draw(t, "importance"), members...)
		w.spec.Stages[i].Weight = int32(rapid.IntRange(1, 10).Draw(t, "weight"))
	}
	for range rapid.IntRange(0, 4).Draw(t, "edges") {
		from, by := rapid.IntRange(0, len(w.spec.Stages)-1).Draw(t, "from"), rapid.IntRange(0, len(w.spec.Stages)-1).Draw(t, "by")
		if from != by {
			share := v1alpha1.RecoveryCap(fmt.Sprintf("%d%%", rapid.SampledFrom([]int{1, 50, 100}).Draw(t, "cap")))
			w.spec.Recovery = append(w.spec.Recovery, v1alpha1.Recovery{Stage: nameOf(from), By: nameOf(by), Cap: share})
		}
	}
	if w.spec.Aggregation = rapid.SampledFrom(aggregations).Draw(t, "aggregation"); w.spec.Aggregation == v1alpha1.AggregationCompletion {
		completion := drawMember(t, "completion")
		w.completion = &completion
	}
	return w
}

func nameOf(i int) v1alpha1.Label { return v1alpha1.Label(fmt.Sprintf("s%d", i)) }

// copied is a way whose members can be changed.
func (w *way) copied() *way {
	out := &way{spec: w.spec, members: map[v1alpha1.Label][]JourneyMember{}, completion: w.completion}
	for name, members := range w.members {
		out.members[name] = slices.Clone(members)
	}
	return out
}

// with is the same way with another member at a place.
func (w *way) with(stage v1alpha1.Label, at int, m JourneyMember) *way {
	out := w.copied()
	out.members[stage][at] = m
	return out
}

// drawPlace draws an objective of a way that fits, and skips ways without one.
func drawPlace(t *rapid.T, w *way, fits func(JourneyMember) bool) (stage v1alpha1.Label, at int) {
	type place struct {
		stage v1alpha1.Label
		at    int
	}
	var places []place
	for i := range w.spec.Stages {
		for k, m := range w.members[nameOf(i)] {
			if fits(m) {
				places = append(places, place{nameOf(i), k})
			}
		}
	}
	if len(places) == 0 {
		t.Skip("no such objective")
	}
	p := rapid.SampledFrom(places).Draw(t, "place")
	return p.stage, p.at
}

// bad is how bad a verdict is.
func bad(v v1alpha1.JourneyVerdict) int { return slices.Index(journeyVerdicts, v) }

// drawWorse draws what is as bad for a journey as m is or worse, in the order met,
// not known, violated, violated by more.
func drawWorse(t *rapid.T, m JourneyMember) JourneyMember {
	worse := []JourneyMember{m}
	if m.Outcome == Met {
		worse = append(worse, unmeasured(m.Name, m.Perspective))
	}
	most := 0.79
	if m.Outcome == Missed {
		most = 0.8 * m.Kept
	}
	worse = append(worse, measured(m.Name, m.Perspective, most*rapid.Float64Range(0, 1).Draw(t, "share"), 0.8))
	return rapid.SampledFrom(worse).Draw(t, "worse")
}

// TestWorseNeverImproves makes any objectives worse, and loses sight of others: no
// verdict and no score gets better.
func TestWorseNeverImproves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		worse := w.copied()
		for i := range w.spec.Stages {
			for k, m := range w.members[nameOf(i)] {
				worse.members[nameOf(i)][k] = drawWorse(t, m)
			}
		}
		if w.completion != nil {
			completion := drawWorse(t, *w.completion)
			worse.completion = &completion
		}
		neverBetter(t, w.judged(), worse.judged())
	})
}

// neverBetter fails where something got better.
func neverBetter(t *rapid.T, before, after JourneyOutcome) {
	t.Helper()
	if bad(after.Verdict) < bad(before.Verdict) {
		t.Fatalf("%s, and %s with what is worse", before.Verdict, after.Verdict)
	}
	if after.UX > before.UX || after.CX > before.CX || after.Budget > before.Budget {
		t.Fatalf("UX %v CX %v budget %v, and UX %v CX %v budget %v with what is worse",
			before.UX, before.CX, before.Budget, after.UX, after.CX, after.Budget)
	}
}

// TestAddingABadObjectiveNeverImproves adds one that is violated or unknown.
func TestAddingABadObjectiveNeverImproves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		stage := nameOf(rapid.IntRange(0, len(w.spec.Stages)-1).Draw(t, "stage"))
		added := unmeasured("added", rapid.SampledFrom(sides).Draw(t, "side"))
		if rapid.Bool().Draw(t, "violated") {
			added = measured("added", added.Perspective, 0.1, 0.8)
		}
		before := w.judged()
		if len(w.members[stage]) == 0 && before.Verdict == v1alpha1.JourneyUnknown {
			t.Skip("the first objective of an empty stage is the first that is known of it")
		}
		w.members[stage] = append(slices.Clone(w.members[stage]), added)
		if after := w.judged(); bad(after.Verdict) < bad(before.Verdict) {
			t.Fatalf("%s without and %s with a bad objective at %s", before.Verdict, after.Verdict, stage)
		}
	})
}

// TestOrderDoesNotMatter shuffles the objectives of each stage, and the edges.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		before := w.judged().standing()
		for name, members := range w.members {
			w.members[name] = rapid.Permutation(members).Draw(t, "order")
		}
		w.spec.Recovery = rapid.Permutation(w.spec.Recovery).Draw(t, "edges")
		if diff := cmp.Diff(before, w.judged().standing(), nearly); diff != "" {
			t.Fatalf("-in one order, +in another:\n%s", diff)
		}
	})
}

// TestUnknownIsMonotone: an objective that is not known is as bad for a journey as
// one that is met or worse, and as good as one that is violated or better. So to
// learn that it is met makes no verdict worse, and to learn that it is violated none
// better.
func TestUnknownIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		stage, at := drawPlace(t, w, func(JourneyMember) bool { return true })
		name, side := w.members[stage][at].Name, w.members[stage][at].Perspective
		met := w.with(stage, at, measured(name, side, 0.9, 0.8)).judged()
		unknown := w.with(stage, at, unmeasured(name, side)).judged()
		missed := w.with(stage, at, measured(name, side, 0.2, 0.8)).judged()
		if bad(unknown.Verdict) < bad(met.Verdict) || bad(missed.Verdict) < bad(unknown.Verdict) {
			t.Fatalf("%s with %s met, %s while it is not known, %s with it violated", met.Verdict, name, unknown.Verdict, missed.Verdict)
		}
	})
}

// TestMissingIsOfEitherSide: what does not exist is as bad as what is not known of
// either perspective or worse, and as good as service that is violated or better.
func TestMissingIsOfEitherSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		stage, at := drawPlace(t, w, func(JourneyMember) bool { return true })
		name := w.members[stage][at].Name
		gone := w.with(stage, at, JourneyMember{Name: name, Reason: v1alpha1.ReasonNotFound, Kept: math.NaN(), Budget: math.NaN()}).judged().Verdict
		for _, side := range sides {
			if unknown := w.with(stage, at, unmeasured(name, side)).judged().Verdict; bad(gone) < bad(unknown) {
				t.Fatalf("%s while %s of %s is not known, %s without it", unknown, name, side, gone)
			}
		}
		if missed := w.with(stage, at, measured(name, cx, 0.2, 0.8)).judged().Verdict; bad(missed) < bad(gone) {
			t.Fatalf("%s without %s, %s with it violated", gone, name, missed)
		}
	})
}

// TestUnknownIsNeverGood: a journey that holds with objectives that are not known
// holds with all of them violated.
func TestUnknownIsNeverGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		worst := w.copied()
		for i := range w.spec.Stages {
			for k, m := range w.members[nameOf(i)] {
				if m.Outcome == Unknown {
					worst.members[nameOf(i)][k] = measured(m.Name, m.Perspective, 0, 0.8)
				}
			}
		}
		if o := w.judged(); o.Verdict == v1alpha1.JourneyHolding && worst.judged().Verdict != v1alpha1.JourneyHolding {
			t.Fatalf("it holds with %d objectives that are not known", o.UnknownObjectives())
		}
	})
}

// TestNoProductRepairsService raises every figure of the product to the top: the
// stages whose service is violated stay violated, and the journey as broken as they
// make it.
func TestNoProductRepairsService(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		stage, at := drawPlace(t, w, func(m JourneyMember) bool { return m.Perspective == cx && m.Outcome == Missed })
		for name, members := range w.members {
			for i, m := range members {
				if m.Perspective == ux {
					w = w.with(name, i, measured(m.Name, ux, 1, 0.8))
				}
			}
		}
		o := w.judged()
		i := slices.IndexFunc(o.Stages, func(s StageOutcome) bool { return s.Name == stage })
		if s := o.Stages[i]; s.Verdict != v1alpha1.StageViolated || s.known > w.members[stage][at].Kept {
			t.Fatalf("%s is %s with %v though its %s is violated", stage, s.Verdict, s.known, w.members[stage][at].Name)
		}
		if o.Verdict != v1alpha1.JourneyBroken && (o.Stages[i].Critical || o.Verdict != v1alpha1.JourneyDegraded) {
			t.Fatalf("the journey is %s though service at %s is violated", o.Verdict, stage)
		}
	})
}

// TestOnlyServiceMakesUp looks behind each recovery: CX objectives, all of them met.
func TestOnlyServiceMakesUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		for _, s := range w.judged().Stages {
			if s.Verdict != v1alpha1.StageRecovered && s.Recovered == 0 {
				continue
			}
			service := slices.DeleteFunc(slices.Clone(w.members[s.By]), func(m JourneyMember) bool { return m.Perspective == ux })
			if len(service) == 0 || slices.ContainsFunc(service, func(m JourneyMember) bool { return m.Outcome != Met }) {
				t.Fatalf("%s is made up for by %s, whose service is %v", s.Name, s.By, service)
			}
		}
	})
}

// TestOneCriticalStageIsNotHidden adds a violated critical stage to any journey, and
// many good ones beside it.
func TestOneCriticalStageIsNotHidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		w.critical("violated", measured("violated", rapid.SampledFrom(sides).Draw(t, "side"), rapid.Float64Range(0, 0.799).Draw(t, "attainment"), 0.8))
		for i := range rapid.IntRange(0, 20).Draw(t, "good") {
			w.critical(v1alpha1.Label(fmt.Sprintf("good-%d", i)), measured("product", ux, 1, 0.8), measured("service", cx, 1, 0.8))
		}
		o := w.judged()
		if o.Verdict != v1alpha1.JourneyBroken {
			t.Fatalf("the journey is %s though a critical stage is violated", o.Verdict)
		}
		if w.spec.Aggregation == v1alpha1.AggregationWeakestLink && o.CX >= 1 {
			t.Fatalf("the weakest link of a broken journey is whole")
		}
	})
}

// TestScoresAreScores keeps figures in their bounds.
func TestScoresAreScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawWay(t).judged()
		scores := []float64{o.UX, o.CX}
		for _, s := range o.Stages {
			scores = append(scores, s.Score, s.Recovered)
		}
		for _, score := range scores {
			if score < 0 || score > 1 {
				t.Fatalf("score %v is not in [0,1]", score)
			}
		}
		if math.IsInf(o.Budget, 0) {
			t.Fatalf("budget %v", o.Budget)
		}
	})
}

// TestScoreAndVerdictAgree: without completion, what holds has a score of 1, what has
// one holds, and a violated stage makes some stage the weakest.
func TestScoreAndVerdictAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWay(t)
		o := w.judged()
		violated := slices.ContainsFunc(o.Stages, func(s StageOutcome) bool { return s.Verdict == v1alpha1.StageViolated })
		if violated && o.Weakest == "" {
			t.Fatal("no stage is the weakest though one is violated")
		}
		if w.completion == nil && (o.Verdict == v1alpha1.JourneyHolding) != (o.CX == 1) {
			t.Fatalf("a journey of score %v is %s", o.CX, o.Verdict)
		}
	})
}
