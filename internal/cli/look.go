package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/source"
)

// ruleMetric is broken by series that are not there.
const ruleMetric = "NoSeries"

// lookback is how long ago series may have had their last sample. It is written
// as PromQL too.
const (
	lookback     = time.Hour
	lookbackText = "[1h]"
)

// look asks servers for the series and the bucket boundaries of objectives.
func (p Program) look(ctx context.Context, found *inventory, all []planned, links links) error {
	results := make([]looked, len(all))
	finished := make(chan struct{}, len(all))
	now := p.Now()
	go func() {
		var group errgroup.Group
		group.SetLimit(source.DefaultConcurrency)
		for i, o := range all {
			group.Go(func() error {
				view := view{client: links.of[o.plan.Source], confine: o.plan.Confinement, now: now}
				results[i] = view.objective(ctx, o)
				finished <- struct{}{}
				return nil
			})
		}
	}()
	p.progress(finished, len(all), "objectives looked up")
	for i, o := range all {
		if results[i].err != nil {
			return results[i].err
		}
		for _, f := range results[i].faults {
			found.refuse(o.manifest, nameOfObjective(o.declared), f)
		}
		for _, f := range results[i].warnings {
			found.warn(o.manifest, nameOfObjective(o.declared), f)
		}
	}
	return nil
}

// looked is what was found out about an objective.
type looked struct {
	faults, warnings []fault
	err              error
}

// view is what an objective may see of a server.
type view struct {
	client  *source.Client
	confine promql.Confinement
	now     time.Time
}

func (v view) objective(ctx context.Context, o planned) looked {
	var out looked
	selectors := seek(o.indicator)
	out.err = out.series(ctx, v, selectors)
	if out.err == nil && len(out.faults)+len(out.warnings) == 0 {
		out.err = out.series(ctx, v, seekLabel(selectors, o.Spec.GroupBy))
	}
	if out.err != nil {
		return out
	}
	if len(out.faults) == 0 && o.plan.Histogram != nil {
		out.boundaries(o, o.bind(ctx, v.client, v.now))
	}
	return out
}

// series takes down which selectors have no series.
func (l *looked) series(ctx context.Context, v view, selectors []sought) error {
	for _, s := range selectors {
		text, err := v.missing(ctx, s)
		switch {
		case err != nil:
			return err
		case text != "" && s.spared:
			l.warnings = append(l.warnings, fault{ruleMetric, s.field, text})
		case text != "":
			l.faults = append(l.faults, fault{ruleMetric, s.field, text})
		}
	}
	return nil
}

// boundaries takes down what binding an objective to its histogram has shown.
func (l *looked) boundaries(o planned, err error) {
	if err == nil {
		_, err = rules.Groups(o.plan, rules.SettingsOf(o.source))
	}
	if _, ok := errors.AsType[*compile.Error](err); ok {
		l.faults = append(l.faults, faultOf(err))
	} else if !errors.Is(err, compile.ErrNoBoundaries) {
		l.err = err
	}
}

// missing says why a selector has no series; it is empty where it has.
func (v view) missing(ctx context.Context, s sought) (string, error) {
	query, err := v.confine.Apply("group(last_over_time(" + selectorOf(s.matchers...) + lookbackText + "))")
	if err != nil {
		return "", err
	}
	found, err := v.client.Instant(ctx, query, v.now)
	if err != nil || len(found) > 0 {
		return "", err
	}
	i := slices.IndexFunc(s.matchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	})
	if i < 0 {
		return fmt.Sprintf("no series is selected by %s", selectorOf(s.matchers...)), nil
	}
	name := s.matchers[i]
	names, err := v.values(ctx, model.MetricNameLabel)
	if err != nil {
		return "", err
	}
	if !slices.Contains(names, name.Value) {
		return noMetric(name.Value, s.format, names), nil
	}
	return v.noSeries(ctx, name, s.matchers)
}

// noMetric words that a metric is not there.
func noMetric(name string, format v1alpha1.HistogramFormat, names []string) string {
	base := strings.TrimSuffix(name, "_bucket")
	switch {
	case format == v1alpha1.HistogramFormatClassic && slices.Contains(names, base):
		return fmt.Sprintf("%q is no classic histogram: write format: Native if it is a native one", base)
	case format == v1alpha1.HistogramFormatNative && slices.Contains(names, name+"_bucket"):
		return fmt.Sprintf("%q is a classic histogram: remove format: Native", name)
	case format == v1alpha1.HistogramFormatClassic:
		var bases []string
		for _, have := range names {
			if histogram, ok := strings.CutSuffix(have, "_bucket"); ok {
				bases = append(bases, histogram)
			}
		}
		return fmt.Sprintf("no histogram %q had a sample in the last hour", base) + near(base, bases)
	default:
		return fmt.Sprintf("no metric %q had a sample in the last hour", name) + near(name, names)
	}
}

// noSeries finds the label for which a metric that is there has no series.
func (v view) noSeries(ctx context.Context, name *labels.Matcher, matchers []*labels.Matcher) (string, error) {
	known, err := v.client.LabelNames(ctx, v.selector(name), v.now.Add(-lookback), v.now)
	if err != nil {
		return "", err
	}
	known = slices.DeleteFunc(known, func(label string) bool { return label == model.MetricNameLabel })
	for _, m := range matchers {
		if m == name || m.Matches("") {
			continue
		}
		if !slices.Contains(known, m.Name) {
			return fmt.Sprintf("metric %q has no label %q", name.Value, m.Name) + near(m.Name, known), nil
		}
		values, err := v.values(ctx, m.Name, name)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(values, m.Matches) {
			return fmt.Sprintf("no series of metric %q has %s", name.Value, m) + near(m.Value, values), nil
		}
	}
	return fmt.Sprintf("no series of metric %q has all of these labels at once", name.Value), nil
}

// values gives the values of a label of the series that may be seen.
func (v view) values(ctx context.Context, label string, matchers ...*labels.Matcher) ([]string, error) {
	return v.client.LabelValues(ctx, label, v.selector(matchers...), v.now.Add(-lookback), v.now)
}

// selector selects the series that have labels and may be seen; it is empty where
// those are all.
func (v view) selector(matchers ...*labels.Matcher) string {
	all := append(slices.Clone(matchers), v.confine...)
	if len(all) == 0 {
		return ""
	}
	return selectorOf(all...)
}

// selectorOf writes a selector; the name of the metric is a label of it.
func selectorOf(matchers ...*labels.Matcher) string {
	return (&parser.VectorSelector{LabelMatchers: matchers}).String()
}
