package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/spf13/cobra"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

func (p Program) renderCommand() *cobra.Command {
	var o manifestOptions
	cmd := &cobra.Command{
		Use:   "render -f FILE|DIR|-",
		Short: "Print the rules of objectives and journeys",
		Long: `Print the rules that record objectives and evaluate their alerts and those of journeys, as
the operator installs them.

Manifests are YAML or JSON, of one document or several. They are checked as the API
server checks them. Objectives are rendered with the settings of the MetricSources and
ClusterMetricSources beside them; a source that is not there is taken to have the
defaults of a ClusterMetricSource. An Indicator or ClusterIndicator that an objective refers
to must be there. A Journey has rules where rules alone can tell whether it is broken, and a
note says why where it has none; an objective of it that is not there is taken not to exist.
Objects of other kinds are skipped. Of a folder, the files that end in .json, .yaml or .yml
are read; its folders are not.

No cluster and no Prometheus is asked. A threshold of a classic histogram is taken to be
a bucket boundary; one that is to be interpolated cannot be rendered.

The exit status is 0, 1 for manifests with mistakes, 2 for a command line or a file that
cannot be used.`,
		Example: `  kubectl experience render -f objectives.yaml | promtool check rules
  kubectl experience render -f manifests/ -n shop --output prometheusrule
  kubectl get xo,xj,xi,cxi,xcal,xex,xms,cxms -A -o yaml | kubectl experience render -f - --output configmap`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.render(cmd.Context(), o) },
	}
	o.bind(cmd.Flags(), outputs, "one rule file, or objects for a cluster")
	return cmd
}

// render prints nothing but mistakes where there is one.
func (p Program) render(ctx context.Context, o manifestOptions) error {
	if err := checkOutput(o.output, outputs); err != nil {
		return err
	}
	found, err := p.manifests(ctx, o.paths, o.namespace)
	if err != nil {
		return err
	}
	all := found.render(p.Now())
	if err := p.report(found); err != nil {
		return err
	}
	text, err := write(o.output, all)
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return nil
}

// report tells what there is to say of manifests, and fails where it is that
// they cannot be rendered.
func (p Program) report(found *inventory) error {
	for _, note := range found.notes {
		p.tell("%s", note)
	}
	for _, mistake := range found.report() {
		p.tell("%s", mistake)
	}
	if found.refused() {
		return errInvalid
	}
	if len(found.objectives) == 0 {
		p.tell("no Objective is among the manifests: add one of kind: Objective")
		return errInvalid
	}
	return nil
}

// rendered is an objective or a journey, and its rules.
type rendered struct {
	// plan is nil for a journey, and journey for an objective.
	plan    *compile.Plan
	journey *rules.Journey
	source  *v1alpha1.MetricSourceSpec
	groups  []monitoringv1.RuleGroup
}

// render makes the rules of each objective that is measured, and of the journeys.
func (v *inventory) render(now time.Time) []rendered {
	var out []rendered
	for _, o := range v.plan(v.active(), now) {
		r, err := v.rulesOf(o)
		if err != nil {
			v.refuse(o.manifest, nameOfObjective(o.declared), faultOf(err))
			continue
		}
		out = append(out, r)
	}
	return append(out, v.renderJourneys(out)...)
}

// planned is an objective that was compiled.
type planned struct {
	declared
	plan   *compile.Plan
	source *v1alpha1.MetricSourceSpec
	// indicator is the one that is measured: what spec.indicator.ref refers to.
	indicator v1alpha1.ObjectiveIndicator
	// in is what the plan was made from.
	in compile.Input
}

// planAt is the plan of another moment: the alerts of a calendar window depend on
// the length of its unit.
func (o planned) planAt(at time.Time) (*compile.Plan, error) {
	o.in.Now = at
	return compile.Compile(o.in)
}

// active are the objectives that are measured.
func (v *inventory) active() []declared {
	var out []declared
	for _, o := range v.objectives {
		if o.Suspended() {
			v.note("%s is skipped: spec.suspend is true", nameOfObjective(o))
			continue
		}
		out = append(out, o)
	}
	return out
}

// plan compiles objectives whose source has no mistake, as the operator does.
func (v *inventory) plan(objectives []declared, now time.Time) []planned {
	v.checkCalendars(now)
	var out []planned
	for _, o := range objectives {
		from, err := v.sourceOf(o)
		if err == nil && from == nil {
			continue // the source has a mistake of its own
		}
		in, ok := v.input(o)
		if !ok {
			continue // the indicator has, or the calendar
		}
		next := planned{declared: o}
		if err == nil {
			next.source, in.Source, in.Now = from.spec, from.spec, now
			next.in = in
			next.plan, next.indicator, err = compiled(in)
		}
		if err != nil {
			v.refuse(o.manifest, nameOfObjective(o), faultOf(err))
			continue
		}
		out = append(out, next)
	}
	return out
}

// sourceOf finds the source of an objective, or assumes one. It is nil where the
// source could not be taken.
func (v *inventory) sourceOf(o declared) (*origin, error) {
	key := compile.KeyOf(o.Objective)
	found := v.sources[key]
	if _, refused := v.seen[key.String()]; found == nil && refused {
		return nil, nil
	}
	if found == nil {
		v.note("%s is not among the manifests: it is taken to have the defaults of a ClusterMetricSource", key)
		return v.assumed()
	}
	allowed := found.allowed
	// Who is selected by labels only a cluster knows.
	if allowed != nil && allowed.Selector == nil && !slices.Contains(allowed.Names, v1alpha1.Label(o.Namespace)) {
		return nil, &compile.Error{
			Reason: v1alpha1.ReasonSourceNotAllowed, Field: "spec.sourceRef",
			Err: fmt.Errorf("%s does not allow namespace %q: add it to spec.allowedNamespaces, or use another source", key, o.Namespace),
		}
	}
	return found, nil
}

// assumed is a source with nothing but defaults.
func (v *inventory) assumed() (*origin, error) {
	object := map[string]any{"spec": map[string]any{}}
	v.definitions[string(v1alpha1.SourceKindClusterMetricSource)].fill(object)
	s := &v1alpha1.ClusterMetricSource{}
	if err := convert(object, s); err != nil {
		return nil, err
	}
	return &origin{spec: s.SourceSpec()}, nil
}

// rulesOf renders an objective as the operator does.
func (v *inventory) rulesOf(o planned) (rendered, error) {
	plan := o.plan
	if err := plan.Bind(nil); errors.Is(err, compile.ErrNoBoundaries) {
		return rendered{}, unbounded(o.indicator)
	} else if err != nil {
		return rendered{}, err
	}
	if plan.Histogram != nil {
		v.note("Objective %s: its thresholds are taken to be bucket boundaries", plan.Key)
	}
	groups, err := rules.Groups(plan, rules.SettingsOf(o.source))
	return rendered{plan: plan, source: o.source, groups: groups}, err
}

// unbounded says that buckets on either side of a threshold are not known.
func unbounded(in v1alpha1.ObjectiveIndicator) error {
	field := "spec.indicator.distribution.interpolate"
	if in.Apdex != nil {
		field = "spec.indicator.apdex.interpolate"
	}
	return &compile.Error{Reason: v1alpha1.ReasonInvalidThreshold, Field: field, Err: errors.New(
		"true: Prometheus alone knows the buckets on either side, so rendering offline needs a bucket boundary as the threshold: " +
			"write one and remove interpolate, or apply the objective and have the operator install the rules")}
}
