package rehearse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// Ruler evaluates a rule file over a store by Prometheus' own rules engine, and
// records into the store. Groups are evaluated at whole multiples of their intervals
// and, of those at one moment, in the order of the file.
type Ruler struct {
	store  *Store
	groups []*turn
}

// turn is a group and when it is evaluated next.
type turn struct {
	*rules.Group

	next time.Time
}

// NewRuler loads a rule file that is evaluated after a moment.
func NewRuler(ctx context.Context, store *Store, file []byte, after time.Time) (*Ruler, error) {
	parsed, errs := rulefmt.Parse(file, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		return nil, fmt.Errorf("parse rules: %w", errors.Join(errs...))
	}
	r := &Ruler{store: store}
	for _, group := range parsed.Groups {
		loaded, err := r.load(ctx, group)
		if err != nil {
			return nil, fmt.Errorf("load rules: %w", err)
		}
		interval := loaded.Interval()
		r.groups = append(r.groups, &turn{Group: loaded, next: after.Truncate(interval).Add(interval)})
	}
	return r, nil
}

// Reload replaces the rules by those of another file after a moment, as Prometheus
// does: what groups and rules of the same names know stays.
func (r *Ruler) Reload(ctx context.Context, file []byte, after time.Time) error {
	other, err := NewRuler(ctx, r.store, file, after)
	if err != nil {
		return err
	}
	for _, group := range other.groups {
		at := slices.IndexFunc(r.groups, func(old *turn) bool { return old.Name() == group.Name() && old.Interval() == group.Interval() })
		if at >= 0 {
			group.CopyState(r.groups[at].Group)
			group.next = r.groups[at].next
		}
	}
	r.groups = other.groups
	return nil
}

func (r *Ruler) load(ctx context.Context, group rulefmt.RuleGroup) (*rules.Group, error) {
	var loaded []rules.Rule
	expressions := parser.NewParser(parser.Options{})
	for _, rule := range group.Rules {
		expr, err := expressions.ParseExpr(rule.Expr)
		if err != nil {
			return nil, err
		}
		own := labels.FromMap(rule.Labels)
		if rule.Record != "" {
			loaded = append(loaded, rules.NewRecordingRule(rule.Record, expr, own))
			continue
		}
		loaded = append(loaded, rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
			own, labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, nil))
	}
	return rules.NewGroup(rules.GroupOptions{
		Name: group.Name, Interval: time.Duration(group.Interval), QueryOffset: (*time.Duration)(group.QueryOffset), Rules: loaded,
		Opts: &rules.ManagerOptions{
			Context: ctx, QueryFunc: rules.EngineQueryFunc(r.store.engine, r.store), Appendable: recorder{r.store},
			NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
			Logger:     slog.New(slog.DiscardHandler),
		},
	}), nil
}

// Run evaluates what is due up to a moment, that moment included.
func (r *Ruler) Run(ctx context.Context, to time.Time) error {
	for len(r.groups) > 0 {
		due := slices.MinFunc(r.groups, func(a, b *turn) int { return a.next.Compare(b.next) })
		if due.next.After(to) {
			return nil
		}
		due.Eval(ctx, due.next)
		for _, rule := range due.Rules() {
			if err := rule.LastError(); err != nil {
				return fmt.Errorf("evaluate %s of %s at %s: %w", rule.Name(), due.Name(), due.next.UTC().Format(time.RFC3339), err)
			}
		}
		due.next = due.next.Add(due.Interval())
	}
	return nil
}

// Firing gives the labels of the alerts that fire, each with its name, in order.
func (r *Ruler) Firing() []labels.Labels {
	var out []labels.Labels
	for _, group := range r.groups {
		for _, rule := range group.AlertingRules() {
			for _, alert := range rule.ActiveAlerts() {
				if alert.State == rules.StateFiring {
					out = append(out, alert.Labels)
				}
			}
		}
	}
	slices.SortFunc(out, labels.Compare)
	return out
}

// recorder writes what rules record.
type recorder struct{ store *Store }

// Appender gives one that appends numbers; rules append nothing else.
func (r recorder) Appender(context.Context) storage.Appender { return writes{store: r.store} }

type writes struct {
	storage.Appender

	store *Store
}

func (writes) SetOptions(*storage.AppendOptions) {}
func (writes) Commit() error                     { return nil }
func (writes) Rollback() error                   { return nil }

func (w writes) Append(_ storage.SeriesRef, l labels.Labels, at int64, v float64) (storage.SeriesRef, error) {
	w.store.append(l, point{at: at, value: v})
	return 0, nil
}
