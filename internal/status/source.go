package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	// maxSkew is the largest difference of two clocks that needs no mending. It is
	// the default of spec.delay: a clock that is further ahead has minutes read
	// before their samples are there.
	maxSkew = 30 * time.Second
	// maxSaid is the length of the longest text of a server that a status keeps.
	maxSaid = 64
	// named is how many objectives a message names.
	named = 3
	day   = 24 * time.Hour
)

// Findings are what is known of a source whose server answers.
type Findings struct {
	// Version is the server's, Retention what it says of how long it keeps data;
	// they are empty where it does not tell.
	Version, Retention string
	// Keeps is how long the server keeps data, 0 where that is not known.
	Keeps time.Duration
	// Skew is how much the server's clock is ahead of the operator's; nil where
	// that is not known.
	Skew *time.Duration
	// Users are the objectives that use the source. It is nil while not all of
	// them are known, after a start of the operator say.
	Users *Users
}

// Users are the objectives of a source.
type Users struct {
	// Longest is their longest window; it is not valid where there is none.
	Longest slo.Window
	// Rules is nil where the source has no ruler.
	Rules *SourceRules
}

// SourceRules are the rules of the objectives of a source.
type SourceRules struct {
	Output           v1alpha1.RulesOutput
	Expected, Loaded int
	// Missing names the objectives that a ruler has not recorded for too long, in
	// order.
	Missing []string
	// Unknown says that none of the objectives was measured yet.
	Unknown bool
}

// Source writes what was found at a source on its status. A nil fault says that
// the server answers. None of what else was found changes Ready: figures can be
// had all the same.
func Source(o object, s *v1alpha1.MetricSourceStatus, found Findings, fault *Fault) {
	s.ObservedGeneration = o.GetGeneration()
	switch {
	case fault == nil:
		s.Version, s.Retention = cut(found.Version), cut(found.Retention)
		replace(o, Ready(v1alpha1.ReasonAvailable, "the server answers queries"))
		found.write(o, s)
	case fault.Kind == Mistake:
		replace(o, NotReady(fault.Reason, fault.Message), Stalled(fault.Reason, fault.Message))
		forget(o, s)
	default:
		replace(o, NotReady(fault.Reason, fault.Message), Reconciling(fault.Reason, fault.Message))
		forget(o, s)
	}
}

// forget removes what cannot be known of a server that does not answer.
func forget(o object, s *v1alpha1.MetricSourceStatus) {
	s.Rules = nil
	for _, kind := range []string{v1alpha1.ConditionRetentionSufficient, v1alpha1.ConditionClockInSync, v1alpha1.ConditionRulesLoaded} {
		remove(o, kind)
	}
}

func remove(o object, kind string) {
	all := o.GetConditions()
	if meta.RemoveStatusCondition(&all, kind) {
		o.SetConditions(all)
	}
}

func (f Findings) write(o object, s *v1alpha1.MetricSourceStatus) {
	if f.Skew == nil {
		remove(o, v1alpha1.ConditionClockInSync)
	} else {
		replace(o, Clock(*f.Skew))
	}
	if f.Users == nil {
		return // what was written before stands until all objectives are known
	}
	if f.Keeps == 0 || f.Users.Longest.Validate() != nil {
		remove(o, v1alpha1.ConditionRetentionSufficient)
	} else {
		replace(o, f.kept())
	}
	f.Users.Rules.write(o, s)
}

// Clock says whether the server's clock, which is ahead of the operator's by the
// skew, shows the same time. The difference is given by a coarse bound, so that
// the message moves with it as seldom as may be.
func Clock(skew time.Duration) metav1.Condition {
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	for _, bound := range []time.Duration{day, time.Hour, 5 * time.Minute, maxSkew} {
		if skew.Abs() > bound {
			return condition(v1alpha1.ConditionClockInSync, metav1.ConditionFalse, v1alpha1.ReasonClockSkewed, fmt.Sprintf(
				"the server's clock is more than %s %s the operator's: set the clocks of both machines, by NTP say",
				slo.FormatDuration(bound), direction))
		}
	}
	return condition(v1alpha1.ConditionClockInSync, metav1.ConditionTrue, v1alpha1.ReasonClockInSync,
		"the clocks of the server and of the operator show the same time")
}

// kept says whether data is kept for as long as the longest window.
func (f Findings) kept() metav1.Condition {
	need, name := needOf(f.Users.Longest)
	if f.Keeps >= need {
		return RetentionSufficient()
	}
	return RetentionTooShort(cut(f.Retention), name, need)
}

// needOf gives how long a window needs data, and how people call it. Calendar
// units are taken without the hours that a change of the clock adds to some.
func needOf(w slo.Window) (need time.Duration, name string) {
	if w.Calendar == "" {
		return w.Rolling, slo.FormatDuration(w.Rolling)
	}
	return w.Longest().Truncate(day), "a calendar " + strings.ToLower(string(w.Calendar))
}

// RetentionSufficient says that data is kept for as long as all windows.
func RetentionSufficient() metav1.Condition {
	return condition(v1alpha1.ConditionRetentionSufficient, metav1.ConditionTrue, v1alpha1.ReasonRetentionSufficient,
		"the server keeps data for as long as the longest window of the objectives that use it")
}

// RetentionTooShort says that the server keeps data for less than the longest
// window, and how that is mended.
func RetentionTooShort(kept, window string, need time.Duration) metav1.Condition {
	return condition(v1alpha1.ConditionRetentionSufficient, metav1.ConditionFalse, v1alpha1.ReasonRetentionTooShort, fmt.Sprintf(
		"the server keeps data for %s, which is less than the longest window of the objectives that use it, %s: "+
			"set --storage.tsdb.retention.time=%s or more, choose a shorter window, or use a source with long-term storage",
		kept, window, slo.FormatDuration(need)))
}

// write words the rules of a source. New ones get some time: until it is known
// what becomes of them, the condition stays as it was.
func (r *SourceRules) write(o object, s *v1alpha1.MetricSourceStatus) {
	if r == nil {
		s.Rules = nil
		remove(o, v1alpha1.ConditionRulesLoaded)
		return
	}
	if !r.Unknown {
		s.Rules = &v1alpha1.RulesCount{Expected: int32(r.Expected), Loaded: int32(r.Loaded)}
	}
	switch {
	case len(r.Missing) > 0:
		replace(o, RulesNotLoaded(v1alpha1.ReasonRulesNotLoaded, r.missing()))
	case r.Expected == 0:
		replace(o, RulesPending("no objective that uses the source has rules"))
	case r.Loaded == r.Expected:
		replace(o, AllRulesLoaded())
	case !known(o):
		replace(o, RulesPending("the rules of the objectives wait for their first minutes"))
	}
}

// known says whether it was known before what became of the rules.
func known(o object) bool {
	c := meta.FindStatusCondition(o.GetConditions(), v1alpha1.ConditionRulesLoaded)
	return c != nil && c.Status != metav1.ConditionUnknown
}

// AllRulesLoaded says that the ruler evaluates the rules of all objectives of a
// source.
func AllRulesLoaded() metav1.Condition {
	return condition(v1alpha1.ConditionRulesLoaded, metav1.ConditionTrue, v1alpha1.ReasonRulesLoaded,
		"the ruler records every objective that uses the source and evaluates its alerts")
}

// remedies say what to look at by the output of the source.
var remedies = map[v1alpha1.RulesOutput]string{
	v1alpha1.RulesOutputPrometheusRule: "check that ruleSelector and ruleNamespaceSelector of its Prometheus select their PrometheusRules, or set spec.rules.objectLabels",
	v1alpha1.RulesOutputConfigMap:      "check that its Prometheus mounts their ConfigMaps and is reloaded, or set spec.rules.objectLabels for the selector of what loads them",
}

func (r *SourceRules) missing() string {
	names := strings.Join(r.Missing[:min(named, len(r.Missing))], ", ")
	if len(r.Missing) > named {
		names += " and others"
	}
	return fmt.Sprintf("the ruler has recorded nothing of %s for some minutes: %s; the condition RulesLoaded of each objective says more",
		names, remedies[r.Output])
}

// cut bounds what a server says of itself.
func cut(text string) string {
	if runes := []rune(text); len(runes) > maxSaid {
		return string(slices.Concat(runes[:maxSaid-3], []rune("...")))
	}
	return text
}

// Unchecked is the state of a source before its server was first asked.
func Unchecked() *Fault {
	return &Fault{Kind: Waiting, Reason: v1alpha1.ReasonEvaluationPending, Message: "the first check of the server is under way"}
}
