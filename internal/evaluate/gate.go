package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// GateMember is an objective of a gate, and what is known of it.
type GateMember struct {
	Name v1alpha1.Name
	// Missing says that there is no such objective.
	Missing bool
	// Plan and Verdict are those of its last measurement, nil before the first.
	Plan    *compile.Plan
	Verdict *Verdict
	// Release is what was counted from GateSince on, nil where nobody knows.
	Release *ledger.Stretch
	// Trouble is why there are no newer figures; it is empty where nothing is in
	// the way.
	Trouble string
	// Expected says that the first figures are on their way. A timeout waits for
	// them: after a restart, what was seen before it still counts.
	Expected bool
}

// GateFinding is how an objective stands with a gate. Attainment, Budget and
// Events are NaN where they are not known; the first two are ratios.
type GateFinding struct {
	Name    v1alpha1.Name
	Verdict v1alpha1.GateObjectiveVerdict
	// Reason is one of those that v1alpha1.GateObjective lists.
	Reason, Message string
	Unit            slo.Unit
	// Floor is what Attainment is held against, NaN where nothing is asked for.
	Floor, Attainment, Budget, Events float64
}

// GateOutcome is what a check has come to: Baking, Passed, Failed or
// Inconclusive, and the findings, those that fail first.
type GateOutcome struct {
	Verdict  v1alpha1.GateVerdict
	Findings []GateFinding
	Journeys []GateJourneyFinding
}

// GateSince is the moment after which events count: the first full minute after
// a check began. What is older is none of the release's.
func GateSince(started time.Time) time.Time {
	return started.Add(time.Minute - time.Nanosecond).Truncate(time.Minute)
}

// Gate judges a check that began at a moment by what is known of its objectives and
// journeys. One that fails decides at once; passing takes that all of them hold.
func Gate(spec *v1alpha1.GateSpec, members []GateMember, journeys []GateJourney, started, now time.Time) GateOutcome {
	check := gateCheck{
		require: spec.Require, minimum: float64(spec.Bake.MinimumEvents),
		since: GateSince(started), baked: started.Add(spec.Bake.Duration.Duration),
	}
	var out GateOutcome
	for i := range members {
		out.Findings = append(out.Findings, check.judge(&members[i]))
	}
	slices.SortStableFunc(out.Findings, func(a, b GateFinding) int {
		return cmp.Or(cmp.Compare(urgency[a.Verdict], urgency[b.Verdict]), cmp.Compare(a.Name, b.Name))
	})
	out.Journeys = check.judgeJourneys(spec.Journeys, journeys)
	expected := slices.ContainsFunc(members, func(m GateMember) bool { return m.Expected }) ||
		slices.ContainsFunc(journeys, func(j GateJourney) bool { return j.Expected })
	switch {
	case out.any(v1alpha1.GateObjectiveFails):
		out.Verdict = v1alpha1.GateFailed
	case out.complete(spec) && !out.any(v1alpha1.GateObjectiveUnknown):
		out.Verdict = v1alpha1.GatePassed
	case expected || now.Before(started.Add(spec.Timeout.Duration)):
		out.Verdict = v1alpha1.GateBaking
	default:
		out.Verdict = v1alpha1.GateInconclusive
	}
	return out
}

// urgency orders findings.
var urgency = map[v1alpha1.GateObjectiveVerdict]int{
	v1alpha1.GateObjectiveFails: 0, v1alpha1.GateObjectiveUnknown: 1, v1alpha1.GateObjectiveHolds: 2,
}

func (o GateOutcome) any(verdict v1alpha1.GateObjectiveVerdict) bool {
	return slices.ContainsFunc(o.Findings, func(f GateFinding) bool { return f.Verdict == verdict }) ||
		slices.ContainsFunc(o.Journeys, func(f GateJourneyFinding) bool { return f.Verdict == verdict })
}

// complete says whether what the spec asks for chose something: no selector that
// matches nothing passes a release.
func (o GateOutcome) complete(spec *v1alpha1.GateSpec) bool {
	journeys := spec.Journeys != nil
	objectives := spec.Objectives.Names != nil || spec.Objectives.Selector != nil || !journeys
	return (!objectives || len(o.Findings) > 0) && (!journeys || len(o.Journeys) > 0)
}

// gateCheck is what each objective of a gate is judged by.
type gateCheck struct {
	require v1alpha1.GateRequirements
	minimum float64
	// since is when counting began, baked when enough was watched.
	since, baked time.Time
}

// remark is a reason not to hold.
type remark struct {
	verdict         v1alpha1.GateObjectiveVerdict
	reason, message string
}

func fails(reason, message string) *remark {
	return &remark{verdict: v1alpha1.GateObjectiveFails, reason: reason, message: message}
}

func unknown(reason, message string) *remark {
	return &remark{verdict: v1alpha1.GateObjectiveUnknown, reason: reason, message: message}
}

func (c *gateCheck) judge(m *GateMember) GateFinding {
	nan := math.NaN()
	f := GateFinding{Name: m.Name, Floor: nan, Attainment: nan, Budget: nan, Events: nan}
	if m.Missing {
		return f.conclude(unknown(v1alpha1.ReasonNotFound, "there is no such objective in the gate's namespace: create it, or leave it out of spec.objectives"))
	}
	if m.Plan != nil {
		f.Unit = m.Plan.Unit
		floor, err := c.floor(m.Plan)
		if err != nil {
			return f.conclude(unknown(v1alpha1.ReasonInvalidFloor, "spec.require.attainment: "+err.Error()))
		}
		f.Floor = floor
	}
	if !c.fresh(m) {
		return f.conclude(c.unmeasured(m))
	}
	f.Events, f.Budget = m.Release.Sums.Events, m.Verdict.BudgetRemaining
	if attainment, ok := m.Release.Sums.Attainment(); ok {
		f.Attainment = attainment
	}
	return f.conclude(c.tooLittle(m), c.aboveFloor(m, f.Floor), c.quiet(m), c.budgetLeft(m), c.met(m))
}

// conclude takes the remarks there are: one that fails counts more than what
// nobody knows, and otherwise the first gives the reason.
func (f GateFinding) conclude(remarks ...*remark) GateFinding {
	remarks = slices.DeleteFunc(remarks, func(r *remark) bool { return r == nil })
	slices.SortStableFunc(remarks, func(a, b *remark) int { return cmp.Compare(urgency[a.verdict], urgency[b.verdict]) })
	f.Verdict, f.Reason = v1alpha1.GateObjectiveHolds, v1alpha1.ReasonRequirementsHold
	var messages []string
	for _, r := range remarks {
		if len(messages) == 0 {
			f.Verdict, f.Reason = r.verdict, r.reason
		}
		if r.verdict == f.Verdict {
			messages = append(messages, r.message)
		}
	}
	f.Message = strings.Join(messages, "; ")
	return f
}

// floor is the least attainment that is asked for, NaN where none is.
func (c *gateCheck) floor(p *compile.Plan) (float64, error) {
	switch c.require.Attainment {
	case "":
		return math.NaN(), nil
	case v1alpha1.FloorTarget:
		return p.Target, nil
	default:
		return p.Unit.ParseFloor(string(c.require.Attainment))
	}
}

// fresh says whether there are figures that hold a minute of the release. An
// older verdict says nothing about it.
func (c *gateCheck) fresh(m *GateMember) bool {
	return m.Plan != nil && m.Verdict != nil && m.Release != nil &&
		m.Verdict.Window.End.After(c.since) && m.Release.End.After(c.since)
}

func (c *gateCheck) unmeasured(m *GateMember) *remark {
	if m.Trouble != "" {
		return unknown(v1alpha1.ReasonNotMeasured, m.Trouble)
	}
	return unknown(v1alpha1.ReasonBaking, "no minute since the check began was measured yet")
}

// aboveFloor judges what the release alone attained. Before the bake is over it
// takes as many bad events to fail it as it takes to page, so that one unlucky
// visitor among the first few ends no release.
func (c *gateCheck) aboveFloor(m *GateMember, floor float64) *remark {
	sums := m.Release.Sums
	attainment, ok := sums.Attainment()
	if math.IsNaN(floor) || sums.Events < c.minimum || !ok {
		return nil
	}
	if attainment < 0 || attainment > 1 {
		return unknown(v1alpha1.ReasonNotMeasured, "more points than events, or fewer than none, were counted since the check began: check the selectors in the objective's spec.indicator")
	}
	low, high := bounds(m.Plan, sums, attainment)
	text := m.Plan.Unit.FormatTarget(floor)
	switch {
	case slo.Meets(low, floor):
		return nil
	case slo.Meets(high, floor):
		return unknown(v1alpha1.ReasonInconclusive, fmt.Sprintf("the confidence interval of the release at %s holds the floor of %s: more events are needed to tell", m.Plan.Level, text))
	case c.early(m) && sums.Events-sums.Points < m.Plan.Alerts.MinimumBadEvents:
		return unknown(v1alpha1.ReasonBaking, "the release attains less than the floor of "+text+", by too few bad events to tell before bake.duration is over")
	default:
		return fails(v1alpha1.ReasonBelowFloor, "the release attains less than the floor of "+text)
	}
}

// quiet remarks on tiers that page.
func (c *gateCheck) quiet(m *GateMember) *remark {
	if c.require.PageTiers != v1alpha1.PageTiersQuiet {
		return nil
	}
	var windows []string
	for _, tier := range m.Verdict.Tiers {
		if tier.Burning && tier.Tier.Severity == slo.Page {
			windows = append(windows, slo.FormatDuration(whole(tier.Tier.Long)))
		}
	}
	switch {
	case len(windows) > 0:
	case m.Plan.Quiet(m.Verdict.Window.End, 0): // nothing burns then, whatever happens
		return unknown(v1alpha1.ReasonNotMeasured, "no tier pages while the objective is excluded: this is judged after the exclusion")
	default:
		return nil
	}
	return fails(v1alpha1.ReasonPageTierBurning, "the error budget burns so fast that it pages, over "+strings.Join(windows, " and "))
}

func (c *gateCheck) budgetLeft(m *GateMember) *remark {
	if c.require.BudgetRemaining == "" {
		return nil
	}
	least, err := slo.ParseShare(string(c.require.BudgetRemaining))
	switch {
	case err != nil:
		return unknown(v1alpha1.ReasonInvalidFloor, "spec.require.budgetRemaining: "+err.Error())
	case math.IsNaN(m.Verdict.BudgetRemaining):
		return unknown(v1alpha1.ReasonNotMeasured, "the objective has no events in its window, so nobody knows what is left of its budget")
	case slo.Meets(m.Verdict.BudgetRemaining, least):
		return nil
	default:
		return fails(v1alpha1.ReasonBudgetSpent, "less than "+string(c.require.BudgetRemaining)+" of the error budget is left")
	}
}

// met judges the whole promise, over the objective's window.
func (c *gateCheck) met(m *GateMember) *remark {
	if c.require.Met != v1alpha1.MetRequired {
		return nil
	}
	target := m.Verdict.Unit.FormatTarget(m.Verdict.Target)
	switch {
	case m.Verdict.Outcome == Met:
		return nil
	case m.Verdict.Reason == v1alpha1.ReasonSegmentMissed:
		return fails(v1alpha1.ReasonTargetMissed, "the attainment of a segment over the objective's window is below the target of "+target)
	case m.Verdict.Outcome == Missed:
		return fails(v1alpha1.ReasonTargetMissed, "the attainment over the objective's window is below the target of "+target)
	case m.Verdict.Reason == v1alpha1.ReasonNoData:
		return unknown(v1alpha1.ReasonNotMeasured, "there is no data in the objective's window")
	default:
		return unknown(v1alpha1.ReasonInconclusive, "the objective's Met is Unknown with reason "+m.Verdict.Reason)
	}
}
