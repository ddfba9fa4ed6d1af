package rules_test

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	prometheus "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/rules"
)

// ruler evaluates rendered groups with Prometheus' own rules engine, on
// simulated time.
type ruler struct {
	t      testing.TB
	plan   *compile.Plan
	store  *ledgertest.Store
	groups []*turn
	// changes are when alerts began to fire and when they ended, by their labels.
	changes []change
	firing  map[alertKey]bool
	// recorded counts the samples written, and strange those that are no number.
	recorded, strange int
}

// turn is a group and when it is evaluated.
type turn struct {
	*prometheus.Group
	phase time.Duration
}

type alertKey struct{ Name, Severity, Window string }

type change struct {
	alertKey
	At     time.Time
	Firing bool
}

// newRuler loads the groups of a plan from the file that is rendered for them.
// The minute group is evaluated at a phase of the minute, the others at five
// times that phase of their own interval.
func newRuler(t testing.TB, plan *compile.Plan, phase time.Duration) *ruler {
	t.Helper()
	store, err := ledgertest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &ruler{t: t, store: store, firing: map[alertKey]bool{}}
	r.adopt(plan, phase)
	return r
}

// adopt evaluates the groups of a plan instead of those that were there.
func (r *ruler) adopt(plan *compile.Plan, phase time.Duration) {
	r.t.Helper()
	r.plan, r.groups = plan, nil
	for _, group := range parsed(r.t, plan).Groups {
		r.groups = append(r.groups, &turn{Group: r.load(group), phase: phase * min(5, time.Duration(group.Interval)/time.Minute)})
	}
}

// parsed renders a plan and reads the file as Prometheus does.
func parsed(t testing.TB, plan *compile.Plan) *rulefmt.RuleGroups {
	t.Helper()
	groups, err := rules.Groups(plan, rules.Settings{Prefix: "experience"})
	if err != nil {
		t.Fatalf("render groups: %v", err)
	}
	text, err := rules.File(groups)
	if err != nil {
		t.Fatal(err)
	}
	out, errs := rulefmt.Parse(text, false, model.LegacyValidation, parser.NewParser(parser.Options{}), nil)
	if len(errs) > 0 {
		t.Fatalf("parse rendered file: %v", errs)
	}
	return out
}

func (r *ruler) load(group rulefmt.RuleGroup) *prometheus.Group {
	var loaded []prometheus.Rule
	expressions := parser.NewParser(parser.Options{})
	for _, rule := range group.Rules {
		expr, err := expressions.ParseExpr(rule.Expr)
		if err != nil {
			r.t.Fatal(err)
		}
		own := labels.FromMap(rule.Labels)
		if rule.Record != "" {
			loaded = append(loaded, prometheus.NewRecordingRule(rule.Record, expr, own))
			continue
		}
		loaded = append(loaded, prometheus.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
			own, labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, nil))
	}
	return prometheus.NewGroup(prometheus.GroupOptions{
		Name: group.Name, Interval: time.Duration(group.Interval), Rules: loaded,
		Opts: &prometheus.ManagerOptions{
			Context: r.t.Context(), QueryFunc: r.query, Appendable: r, Queryable: nil,
			NotifyFunc: func(context.Context, string, ...*prometheus.Alert) {},
		},
	})
}

func (r *ruler) query(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	matrix, err := r.store.Range(ctx, expr, at, at, time.Minute)
	if err != nil {
		return nil, err
	}
	out := make(promql.Vector, 0, len(matrix))
	for _, stream := range matrix {
		own := make(map[string]string, len(stream.Metric))
		for name, value := range stream.Metric {
			own[string(name)] = string(value)
		}
		out = append(out, promql.Sample{Metric: labels.FromMap(own), T: at.UnixMilli(), F: float64(stream.Values[0].Value)})
	}
	return out, nil
}

// Appender writes what rules record into the store.
func (r *ruler) Appender(context.Context) storage.Appender { return writes{ruler: r} }

// writes is an appender of floats; rules here append nothing else.
type writes struct {
	storage.Appender

	ruler *ruler
}

func (writes) SetOptions(*storage.AppendOptions) {}
func (writes) Commit() error                     { return nil }
func (writes) Rollback() error                   { return nil }

func (w writes) Append(_ storage.SeriesRef, l labels.Labels, at int64, v float64) (storage.SeriesRef, error) {
	if !value.IsStaleNaN(v) {
		w.ruler.recorded++
		if math.IsNaN(v) || math.IsInf(v, 0) {
			w.ruler.strange++
			w.ruler.t.Errorf("%s at %s is %v", l, time.UnixMilli(at).UTC(), v)
		}
	}
	var pairs []string
	l.Range(func(l labels.Label) { pairs = append(pairs, l.Name, l.Value) })
	return 0, w.ruler.store.Put(time.UnixMilli(at), v, pairs...)
}

// tick is how finely time is simulated.
const tick = 15 * time.Second

// run lets time pass: scrapes happen at the end of each tick, evaluations right
// after them.
func (r *ruler) run(from, to time.Time, scrape func(at time.Time)) {
	r.t.Helper()
	for at := from.Add(tick); !at.After(to); at = at.Add(tick) {
		scrape(at)
		for _, group := range r.groups {
			if at.Add(-group.phase).Truncate(group.Interval()).Add(group.phase).Equal(at) {
				r.evaluate(group, at)
			}
		}
	}
}

func (r *ruler) evaluate(group *turn, at time.Time) {
	group.Eval(r.t.Context(), at)
	for _, rule := range group.Rules() {
		if err := rule.LastError(); err != nil {
			r.t.Fatalf("%s of %s at %s: %v", rule.Name(), group.Name(), at, err)
		}
	}
	for _, rule := range group.AlertingRules() {
		key := alertKey{rule.Name(), rule.Labels().Get("severity"), rule.Labels().Get("window")}
		firing := slices.ContainsFunc(rule.ActiveAlerts(), func(a *prometheus.Alert) bool { return a.State == prometheus.StateFiring })
		if firing != r.firing[key] {
			r.firing[key] = firing
			r.changes = append(r.changes, change{key, at, firing})
		}
	}
}

// first is how long after a moment the first alert that matches began to fire;
// it is false when none did.
func (r *ruler) first(since time.Time, matches func(alertKey) bool) (time.Duration, bool) {
	for _, c := range r.changes {
		if c.Firing && !c.At.Before(since) && matches(c.alertKey) {
			return c.At.Sub(since), true
		}
	}
	return 0, false
}

// value is the number of an expression, NaN where it has none.
func (r *ruler) value(expr string, at time.Time) float64 {
	r.t.Helper()
	v, err := r.store.Value(r.t.Context(), expr, at)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// put writes a sample of the shop's only target.
func (r *ruler) put(at time.Time, v float64, name string, pairs ...string) {
	r.t.Helper()
	all := append([]string{model.MetricNameLabel, name, "job", "shop", "instance", "pod-0", "namespace", "shop"}, pairs...)
	if err := r.store.Put(at, v, all...); err != nil {
		r.t.Fatal(err)
	}
}

// record writes a sample of the objective's own series, as if it had been
// recorded.
func (r *ruler) record(at time.Time, v float64, name string) {
	r.t.Helper()
	own := map[string]string{
		model.MetricNameLabel: name, "namespace": r.plan.Key.Namespace, "objective": r.plan.Key.Name,
		"service": r.plan.Service, "perspective": r.plan.Perspective, "touchpoint": r.plan.Touchpoint,
		recipeLabel: r.plan.Recipe.ID(),
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(own)) {
		pairs = append(pairs, name, own[name])
	}
	if err := r.store.Put(at, v, pairs...); err != nil {
		r.t.Fatal(err)
	}
}

// past writes what was recorded of healthy traffic up to a moment, for as long as
// the longest windows of each group.
func (r *ruler) past(until time.Time, eventsPerMinute float64) {
	for _, group := range r.groups {
		width := group.Interval()
		length := 4 * 24 * time.Hour
		if width == time.Minute {
			length = 7 * time.Hour
		}
		name := model.Duration(width).String()
		events := eventsPerMinute * width.Minutes()
		for at := until.Add(-length).Truncate(width).Add(group.phase); !at.After(until); at = at.Add(width) {
			r.record(at, events, "objective:experience_events:delta"+name)
			r.record(at, events, "objective:experience_points:delta"+name)
		}
	}
}

// shown is a number as text; one that is not there is none.
func shown(v float64) string {
	if math.IsNaN(v) {
		return "none"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
