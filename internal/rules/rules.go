// Package rules renders what a Prometheus, a Thanos ruler or a Mimir ruler
// evaluates for an objective: it records the events and points of each minute,
// sums them over the windows of the alerts, and fires. Nothing but the first
// rules, one for each recorded number, reads raw data. The package takes a plan
// and returns values.
package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// Names of the series that are recorded for alerts, beside those of package
// promql. Each has the label window.
const (
	// BurnRate is how many times faster than the target allows the error budget
	// is spent; 1 spends it in exactly the objective's window.
	BurnRate = "objective:experience_burn_rate:ratio"
	// Events and BadEvents are sums over the long window of a tier.
	Events    = "objective:experience_events:sum"
	BadEvents = "objective:experience_bad_events:sum"
	// DataTimestamp is when data was last seen, in seconds since 1970.
	DataTimestamp = "objective:experience_data:timestamp"
	// DataAbsentFor is recorded instead of an objective with a calendar: for how many
	// seconds of its opening hours data has been absent.
	DataAbsentFor = "objective:experience_data:absent"
)

// defaultPrefix begins the names of groups where the source names none.
const defaultPrefix = "experience"

// Settings are what a source says of the rules of its objectives.
type Settings struct {
	// Prefix begins the names of groups.
	Prefix string
	// Labels are put on each series and alert, ObjectLabels on each object.
	Labels, ObjectLabels map[string]string
	// QueryOffset is how far back rules look; nil leaves it to the ruler.
	QueryOffset *time.Duration
	// PartialResponse is "warn", "abort" or nothing.
	PartialResponse string
}

// SettingsOf reads the settings of a source.
func SettingsOf(spec *v1alpha1.MetricSourceSpec) Settings {
	s := Settings{
		Prefix:          spec.Rules.GroupPrefix,
		Labels:          texts(spec.Rules.Labels),
		ObjectLabels:    texts(spec.Rules.ObjectLabels),
		PartialResponse: strings.ToLower(string(spec.Rules.PartialResponseStrategy)),
	}
	if s.Prefix == "" {
		s.Prefix = defaultPrefix
	}
	if spec.Rules.QueryOffset != nil {
		offset := spec.Rules.QueryOffset.Duration
		s.QueryOffset = &offset
	}
	return s
}

func texts(in map[string]v1alpha1.ObjectLabel) map[string]string {
	out := make(map[string]string, len(in))
	for name, value := range in {
		out[name] = string(value)
	}
	return out
}

// errUnbound is a mistake of the caller.
var errUnbound = errors.New("the plan has no queries yet: bind it first")

// Groups renders the rule groups of a plan that is bound, the quickest first.
// A template that Prometheus would refuse is a *compile.Error.
func Groups(p *compile.Plan, s Settings) ([]monitoringv1.RuleGroup, error) {
	if p.Recipe == nil {
		return nil, fmt.Errorf("render rules of objective %q: %w", p.Key, errUnbound)
	}
	recording, err := p.Recipe.Recording()
	if err != nil {
		return nil, fmt.Errorf("render rules of objective %q: %w", p.Key, err)
	}
	if err := checkTemplates(p.Alerts, len(p.Confinement) > 0); err != nil {
		return nil, err
	}
	w := newWriter(p, s)
	if w.open, err = p.Recipe.Hours.Open(); err != nil {
		return nil, fmt.Errorf("render rules of objective %q: %w", p.Key, err)
	}
	w.recording = recording
	var out []monitoringv1.RuleGroup
	for _, pace := range paces {
		if rules := w.rules(pace); len(rules) > 0 {
			out = append(out, w.group(pace, rules))
		}
	}
	return out, check(out, recording)
}

// writer renders the rules of one objective.
type writer struct {
	plan      *compile.Plan
	recording promql.Recording
	// open is an expression that is there while minutes count; it is empty where all
	// do.
	open     string
	settings Settings
	// identity selects the objective's own series, deltaIdentity the deltas of the present
	// spec, and own those that have its present labels.
	identity, deltaIdentity, own promql.Confinement
	labels                       map[string]string
	tiers                        []tier
	// windows are those for which burn rates are recorded so far.
	windows map[time.Duration]pace
}

func newWriter(p *compile.Plan, s Settings) *writer {
	w := &writer{
		plan: p, settings: s, identity: p.Identity(), deltaIdentity: p.Recipe.Identity, labels: labelsOf(p, s),
		tiers: tiersOf(p.Tiers), windows: map[time.Duration]pace{},
	}
	for name, value := range w.labels {
		w.own = w.own.Confine(name, value)
	}
	return w
}

// labelsOf are the labels of each series and alert. Those by which the series
// are found again replace all others.
func labelsOf(p *compile.Plan, s Settings) map[string]string {
	out := map[string]string{"service": p.Service, "perspective": p.Perspective, "touchpoint": p.Touchpoint}
	maps.Copy(out, s.Labels)
	maps.Copy(out, p.Confinement.Labels())
	out["namespace"], out["objective"] = p.Key.Namespace, p.Key.Name
	maps.DeleteFunc(out, func(_, value string) bool { return value == "" })
	return out
}

func (w *writer) group(pace pace, rules []monitoringv1.Rule) monitoringv1.RuleGroup {
	out := monitoringv1.RuleGroup{
		Name:                    w.settings.Prefix + "/" + w.plan.Key.String() + pace.suffix,
		Interval:                durationOf(pace.width),
		PartialResponseStrategy: w.settings.PartialResponse,
		Rules:                   rules,
	}
	if w.settings.QueryOffset != nil {
		out.QueryOffset = durationOf(*w.settings.QueryOffset)
	}
	return out
}

// rules are those of one group, in the order in which they need each other.
func (w *writer) rules(pace pace) []monitoringv1.Rule {
	var tiers []tier
	for _, t := range w.tiers {
		if t.pace == pace {
			tiers = append(tiers, t)
		}
	}
	var out []monitoringv1.Rule
	switch {
	case pace == paces[0]:
		out = w.deltas()
	case len(tiers) > 0:
		out = w.rollUps(pace)
	}
	out = append(out, w.sums(pace, tiers)...)
	for _, t := range tiers {
		out = append(out, w.budgetBurn(t))
	}
	if pace == watch && w.plan.Alerts.AbsentAfter > 0 {
		out = append(out, w.absence()...)
	}
	return out
}

// deltas record the numbers of the last whole minute. Points read the events of
// the same evaluation, so the order matters.
func (w *writer) deltas() []monitoringv1.Rule {
	r := w.recording
	var out []monitoringv1.Rule
	for _, rule := range []struct{ name, expr string }{
		{promql.RecordedEvents, r.Events},
		{promql.RecordedPoints, r.Points},
		{promql.RecordedExtra, r.Extra},
		{promql.RecordedResets, r.Resets},
	} {
		if rule.expr != "" {
			out = append(out, w.recordDelta(rule.name, rule.expr))
		}
	}
	return out
}

// recordDelta is a rule whose numbers are of the present spec alone.
func (w *writer) recordDelta(name, expr string) monitoringv1.Rule {
	out := w.record(name, expr, 0)
	out.Labels[promql.RecipeLabel] = w.plan.Recipe.ID()
	return out
}

// record is a recording rule; a window of 0 is none.
func (w *writer) record(name, expr string, window time.Duration) monitoringv1.Rule {
	labels := maps.Clone(w.labels)
	if window > 0 {
		labels["window"] = written(window)
	}
	return monitoringv1.Rule{Record: name, Expr: intstr.FromString(expr), Labels: labels}
}

// written is a duration as PromQL and people read it, in days and not in weeks.
func written(d time.Duration) string { return slo.FormatDuration(d) }

func durationOf(d time.Duration) *monitoringv1.Duration {
	text := monitoringv1.Duration(model.Duration(d).String())
	return &text
}

// check asks Prometheus' own checker about each rule. The expressions of a
// recording were parsed when they were built.
func check(groups []monitoringv1.RuleGroup, r promql.Recording) error {
	c := checker{
		expressions: parser.NewParser(parser.Options{}),
		parsed:      map[string]bool{r.Events: true, r.Points: true, r.Extra: true, r.Resets: true},
	}
	for _, group := range groups {
		for i := range group.Rules {
			r := &group.Rules[i]
			if err := c.check(r); err != nil {
				return fmt.Errorf("check rule %q of group %q: %w", r.Record+r.Alert, group.Name, err)
			}
		}
	}
	return nil
}

// anything is an expression that is right.
const anything = "1"

// checker checks rules one after the other.
type checker struct {
	expressions parser.Parser
	// parsed are the expressions and templates that were parsed already. To parse
	// one costs more than all else about a rule.
	parsed map[string]bool
}

func (c checker) check(r *monitoringv1.Rule) error {
	name := r.Record
	if r.Alert != "" {
		// As a recording rule first, whose labels are no templates.
		name = BurnRate
	}
	expr := r.Expr.StrVal
	if expr != "" && c.parsed[expr] {
		expr = anything
	}
	faults := c.faults(rulefmt.Rule{Record: name, Expr: expr, Labels: r.Labels})
	if r.Alert != "" && len(faults) == 0 {
		faults = c.alert(r)
	}
	if len(faults) > 0 {
		return faults[0].Unwrap()
	}
	return nil
}

// alert checks what an alert has beside its expression and its labels.
func (c checker) alert(r *monitoringv1.Rule) []rulefmt.WrappedError {
	texts := map[string]string{}
	for name, text := range r.Annotations {
		if !model.LegacyValidation.IsValidLabelName(name) || c.unparsed(text) {
			texts[name] = text
		}
	}
	rule := rulefmt.Rule{Alert: r.Alert, Expr: anything, Labels: map[string]string{}, Annotations: texts}
	for name, text := range r.Labels {
		if c.unparsed(text) {
			rule.Labels[name] = text
		}
	}
	return c.faults(rule)
}

// unparsed says whether a text is a template that was not parsed yet. A text
// without braces is one that nothing can be wrong with.
func (c checker) unparsed(text string) bool {
	if !strings.Contains(text, "{{") || c.parsed[text] {
		return false
	}
	c.parsed[text] = true
	return true
}

func (c checker) faults(r rulefmt.Rule) []rulefmt.WrappedError {
	return r.Validate(rulefmt.RuleNode{}, model.LegacyValidation, c.expressions)
}

// sorted gives the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
