package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// fact is a thing and what it is.
type fact struct{ name, text string }

// counting says what counts as good, and among what.
func counting(in v1alpha1.ObjectiveIndicator) []fact {
	switch {
	case in.Events != nil:
		return eventful(in.Events)
	case in.Distribution != nil:
		return distributed(in.Distribution)
	case in.Apdex != nil:
		return apdexed(in.Apdex)
	case in.Score != nil:
		return scored(in.Score)
	case in.State != nil:
		return stateful(in.State)
	case in.Queries != nil:
		return []fact{{"points", string(in.Queries.Points)}, {"of", string(in.Queries.Events)}}
	case in.Ref != nil:
		return referred(in.Ref)
	default:
		return nil
	}
}

// referred names the indicator that says it, and what it was given.
func referred(in *v1alpha1.IndicatorReference) []fact {
	out := []fact{{"as in", fmt.Sprintf("%s %s", in.Kind, in.Name)}}
	for _, name := range slices.Sorted(maps.Keys(in.Parameters)) {
		out = append(out, fact{name, string(in.Parameters[name])})
	}
	return out
}

// counts says what counts; of a reference, also what it comes to.
func (e *explanation) counts() []fact {
	out := counting(e.Spec.Indicator)
	if e.Spec.Indicator.Ref == nil {
		return out
	}
	return append(out, counting(e.indicator)...)
}

func eventful(in *v1alpha1.EventsIndicator) []fact {
	if in.Bad != "" {
		return []fact{{"bad", string(in.Bad)}, {"of all", string(in.Total)}}
	}
	return []fact{{"good", string(in.Good)}, {"of all", string(in.Total)}}
}

func scored(in *v1alpha1.ScoreIndicator) []fact {
	if m := in.Mean; m != nil {
		return []fact{{"ratings", string(m.Sum)}, {"answers", string(m.Count)}, {"scale", fmt.Sprintf("from %s to %s", m.Lowest, m.Highest)}}
	}
	n := in.NetPromoter
	return []fact{{"promoters", string(n.Promoters)}, {"detractors", string(n.Detractors)}, {"answers", string(n.Responses)}}
}

func stateful(in *v1alpha1.StateIndicator) []fact {
	out := []fact{{"good", fmt.Sprintf("a minute in which every value is %s %s", comparison(in.Operator), in.Value)}, {"values", string(in.Query)}}
	switch in.NoData {
	case v1alpha1.NoDataBad:
		return append(out, fact{"no data", "counts as bad"})
	case v1alpha1.NoDataGood:
		return append(out, fact{"no data", "counts as good"})
	default:
		return out
	}
}

func distributed(in *v1alpha1.DistributionIndicator) []fact {
	out := []fact{{"good", "events of at most " + string(in.Threshold)}, {"of all", string(in.Histogram)}}
	if in.PoorAbove != "" {
		out = append(out, fact{"poor", "events above " + string(in.PoorAbove)})
	}
	return out
}

func apdexed(in *v1alpha1.ApdexIndicator) []fact {
	tolerated := string(in.Tolerated)
	if satisfied, err := strconv.ParseFloat(string(in.Satisfied), 64); err == nil && tolerated == "" {
		tolerated = strconv.FormatFloat(4*satisfied, 'f', -1, 64)
	}
	out := []fact{
		{"a point", "for events of at most " + string(in.Satisfied)},
		{"half of one", "for events of at most " + tolerated},
		{"of all", string(in.Histogram)},
	}
	if in.Failed != "" {
		out = append(out, fact{"none", "for events with " + string(in.Failed)})
	}
	return out
}

func comparison(o v1alpha1.Operator) string {
	return map[v1alpha1.Operator]string{
		v1alpha1.OperatorLessThan: "below", v1alpha1.OperatorLessThanOrEqual: "at most", v1alpha1.OperatorGreaterThan: "above",
		v1alpha1.OperatorGreaterThanOrEqual: "at least", v1alpha1.OperatorEqual: "equal to", v1alpha1.OperatorNotEqual: "not",
	}[o]
}

// windowOf is the time that a promise covers.
func windowOf(w v1alpha1.Window) string {
	if w.Calendar != nil {
		return fmt.Sprintf("this %s in %s", strings.ToLower(string(w.Calendar.Unit)), cmp.Or(w.Calendar.TimeZone, "UTC"))
	}
	return "the last " + string(w.Rolling)
}

// remedies is what to do, by the reason of a condition, as the page about
// objectives has it.
var remedies = map[string]string{
	v1alpha1.ReasonEvaluationPending: "Wait: seconds, as a rule. If it stays, look at the operator's log and at the source.",
	v1alpha1.ReasonSegmentMissed:     "Look at `status.segments`. Improve it for these people, raise `minimumEvents` if they are a handful, or set `groupBy.met: Whole`.",
	v1alpha1.ReasonInsufficientData:  "Wait for events, lengthen the window, or lower `minimumEvents`.",
	v1alpha1.ReasonNoData:            "Check the metric's name and labels by pasting the selector into Prometheus, and that it is scraped.",
	v1alpha1.ReasonInconsistentData:  "Check that good or bad events are a part of the total, and the ends of a scale.",
	v1alpha1.ReasonInconclusive:      "Wait for more events, lengthen the window, or lower `confidence`.",
	v1alpha1.ReasonSuspended:         "Set it to false to go on.",
	v1alpha1.ReasonSourceNotFound:    "Create it, or name another in `spec.sourceRef`. Heals by itself.",
	v1alpha1.ReasonSourceNotAllowed:  "Ask its owner to add the namespace to `spec.allowedNamespaces`, or to mend the selector; or use another source.",
	v1alpha1.ReasonSourceUnavailable: "Look at the source's conditions: `kubectl get xms,cxms -A`. Heals by itself.",
	v1alpha1.ReasonInvalidQuery:      "The message quotes the field and the place. Correct it.",
	v1alpha1.ReasonInvalidThreshold:  "The message names the nearest ones. Use one, add the bucket, or set `interpolate: true`.",
	v1alpha1.ReasonInvalidTarget:     "Write it in the indicator's unit: see targets.",
	v1alpha1.ReasonInvalidTimeZone:   "Write an IANA name such as `Europe/Berlin`.",
	v1alpha1.ReasonInvalidSpec:       "The message names the field.",
	v1alpha1.ReasonLimitExceeded:     "Narrow the selector, or have the limit raised.",

	v1alpha1.ReasonRulesPending:    "Wait, or mend what Stalled says.",
	v1alpha1.ReasonRulesNotLoaded:  "The message says what to check: the `ruleSelector` of the Prometheus and `spec.rules.objectLabels`, `rule_files` and a reload, or whether `spec.url` is the ruler's own data.",
	v1alpha1.ReasonRuleFailing:     "The message has it.",
	v1alpha1.ReasonRulesRejected:   "The message says why.",
	v1alpha1.ReasonSinkUnavailable: "Install it, or change `spec.rules` of the source. Noticed within a minute.",
	v1alpha1.ReasonSinkForbidden:   "Run the command in the message.",
	v1alpha1.ReasonSinkConflict:    "Delete or rename it.",
}

// remedyOf begins with the reason, which the remedy speaks of.
func remedyOf(reason string) string { return reason + ": " + remedies[reason] }

// harm is what to do about a budget that burns, as its runbook has it.
var harm = []string{
	"Limit the harm first: roll back, switch the feature off, move traffic away; for support, open another channel or add people.",
	"Split the indicator's own metric by version, region, page or channel, and look at what was changed at the time at which it began.",
	"If the data is wrong, and not the service: mend the metric or the indicator.",
	"If the target is stricter than what people need: change the target.",
}

// next is what to do.
func (e *explanation) next() []string {
	var out []string
	met := metCondition(e.Objective)
	switch {
	case e.unjudged():
		out = append(out, "Name the server of its metrics with --prometheus to have it judged, or apply it to a cluster with the operator.")
	case standing(e.Objective) == promiseBroken:
		if len(missedSegments(e.Objective)) > 0 {
			out = append(out, remedyOf(v1alpha1.ReasonSegmentMissed))
		}
		out = append(out, harm...)
	case met == nil || met.ObservedGeneration != e.Generation:
		out = append(out, remedyOf(v1alpha1.ReasonEvaluationPending))
	case standing(e.Objective) == promiseUnknown:
		out = append(out, remedyOf(met.Reason))
	case e.Status.ExhaustsAt != nil:
		out = append(out, "The budget does not last: have it looked at within the week. "+harm[1])
	}
	if reason := e.unloaded(); reason != "" {
		out = append(out, "Alerts are missing. "+remedyOf(reason))
	}
	if len(out) == 0 {
		out = append(out, "Nothing.")
	}
	return out
}
