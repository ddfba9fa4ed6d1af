package evaluate

import (
	"cmp"
	"slices"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// GateJourney is a journey of a gate, and what is known of it.
type GateJourney struct {
	Name v1alpha1.Name
	// Missing says that there is no such journey, and Invalid why its objectives
	// cannot be told.
	Missing bool
	Invalid string
	// Outcome is by the last measurements of its objectives, the earliest of which
	// was up to End.
	Outcome JourneyOutcome
	End     time.Time
	// Objectives are those of its objectives that were measured, and what is known of
	// the release by each: that it was seen at all.
	Objectives []GateMember
	// Expected says that the first figures are on their way.
	Expected bool
}

// GateJourneyFinding is how a journey stands with a gate.
type GateJourneyFinding struct {
	Name    v1alpha1.Name
	Verdict v1alpha1.GateObjectiveVerdict
	// Reason is one of those that v1alpha1.GateJourney lists.
	Reason, Message string
}

// MemberOf is what the verdict of an objective says to a journey.
func MemberOf(s Staged, v Verdict) JourneyMember {
	m := s.Unmeasured()
	if m.Outcome, m.Reason = v.Outcome, v.Reason; v.Outcome == Unknown {
		return m
	}
	attainment, budget, exhausts := v.Attainment, v.BudgetRemaining, v.ExhaustsAt
	if v.Reason == v1alpha1.ReasonSegmentMissed && len(v.Segments) > 0 { // what the worst segment gets
		attainment, budget, exhausts = v.Segments[0].Attainment, v.Segments[0].BudgetRemaining, time.Time{}
	}
	m.Kept, m.Budget, m.ExhaustsAt = Kept(attainment, v.Target), budget, exhausts
	m.Attainment, m.Target = v.Unit.FormatAgainst(attainment, v.Target), v.Unit.FormatTarget(v.Target)
	return m
}

// unsure says that what is not known could make the journey worse.
func (j *GateJourney) unsure() bool {
	return j.Outcome.Verdict == v1alpha1.JourneyUnknown || j.Outcome.Verdict == v1alpha1.JourneyDegraded && j.Outcome.UnknownObjectives() > 0
}

// judgeJourneys finds how journeys stand, those that fail first.
func (c *gateCheck) judgeJourneys(asked *v1alpha1.GateJourneys, journeys []GateJourney) []GateJourneyFinding {
	var out []GateJourneyFinding
	for i := range journeys {
		r := c.journey(asked.AtLeast, &journeys[i])
		out = append(out, GateJourneyFinding{Name: journeys[i].Name, Verdict: r.verdict, Reason: r.reason, Message: r.message})
	}
	slices.SortStableFunc(out, func(a, b GateJourneyFinding) int {
		return cmp.Or(cmp.Compare(urgency[a.Verdict], urgency[b.Verdict]), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// journey judges one. What was known before the check began says nothing about the
// release; a journey that is violated since fails it at once, and one that holds
// must still do so once all of its objectives watched the release for long enough:
// over their windows they hold for weeks without seeing anything of it.
func (c *gateCheck) journey(least v1alpha1.JourneyFloor, j *GateJourney) *remark {
	switch {
	case j.Missing:
		return unknown(v1alpha1.ReasonNotFound, "there is no such journey in the gate's namespace: create it, or leave it out of spec.journeys")
	case j.Invalid != "":
		return unknown(v1alpha1.ReasonInvalidJourney, j.Invalid)
	case !j.End.After(c.since):
		return unknown(v1alpha1.ReasonBaking, "no minute since the check began was measured yet of all of its objectives")
	case j.Outcome.Verdict == v1alpha1.JourneyBroken:
		return fails(v1alpha1.ReasonJourneyBroken, "a critical stage is violated")
	case j.Outcome.Verdict == v1alpha1.JourneyDegraded && least != v1alpha1.JourneyFloorDegraded:
		return fails(v1alpha1.ReasonJourneyDegraded, "a stage is violated, or made up for in part")
	case j.unsure():
		return unknown(v1alpha1.ReasonNotMeasured, "objectives are not known: see the journey's status.stages")
	case j.End.Before(c.baked):
		return unknown(v1alpha1.ReasonBaking, "bake.duration is not over yet")
	default:
		return c.seenAlong(j)
	}
}

// seenAlong holds a journey that is as it should be against what its objectives saw of
// the release. One whose outcome is not known decides nothing here.
func (c *gateCheck) seenAlong(j *GateJourney) *remark {
	watched := 0
	for i := range j.Objectives {
		m := &j.Objectives[i]
		if m.Verdict == nil || m.Verdict.Outcome == Unknown {
			continue
		}
		r := c.unmeasured(m)
		if c.fresh(m) {
			r = c.unseen(m)
		}
		if r != nil {
			return unknown(r.reason, "objective "+string(m.Name)+": "+r.message)
		}
		watched++
	}
	if watched == 0 {
		return unknown(v1alpha1.ReasonNotMeasured, "none of its objectives was measured since the check began")
	}
	return &remark{verdict: v1alpha1.GateObjectiveHolds, reason: v1alpha1.ReasonRequirementsHold}
}
