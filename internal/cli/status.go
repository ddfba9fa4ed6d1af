package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

// What status prints, beside JSON and YAML.
const (
	outputWide   = "wide"
	outputName   = "name"
	outputReport = "report"
)

var statusOutputs = []string{outputTable, outputWide, outputJSON, outputYAML, outputName, outputReport}

// perspectives are those that there are.
var perspectives = []string{string(v1alpha1.PerspectiveUX), string(v1alpha1.PerspectiveCX)}

// statusOptions are the flags of status.
type statusOptions struct {
	cluster                                    *kube.Options
	everywhere, watch                          bool
	service, perspective, touchpoint, selector string
	output                                     string
	// name is the argument; it is empty for all objectives.
	name string
}

func (p Program) statusCommand() *cobra.Command {
	o := statusOptions{cluster: kube.NewOptions()}
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show how promises stand, the worst first",
		Long: `Show how the promises of a cluster stand, the worst first: those that are broken, those
that lost most before the others; then those of which nobody knows; then those that are
kept, those with the least budget left first. Journeys follow, the worst first too, and
gates that are baking or have failed.

In a terminal, bars show how much of the budget is left, and colours what is urgent;
NO_COLOR turns these off. With -o report it is a page for people who are not engineers.
With -w it goes on until Ctrl-C: a terminal is drawn anew, elsewhere lines are added for
what changed.

The exit status is 0 where the promises could be shown, whatever became of them, and 2 for
a command line or a cluster that cannot be used. To have a pipeline wait for a verdict,
use gate.`,
		Example: `  kubectl experience status -n shop
  kubectl experience status -A --service checkout -o wide
  kubectl experience status -n shop -l team=web -w
  kubectl experience status -A --service checkout -o report > checkout.md`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			o.name = strings.Join(names, "")
			return p.status(cmd.Context(), o)
		},
		ValidArgsFunction: p.completeObjectives(o.cluster),
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.everywhere, "all-namespaces", "A", false, "of all namespaces")
	flags.StringVar(&o.service, "service", "", "of this service alone")
	flags.StringVar(&o.perspective, "perspective", "", "of this perspective alone: UX or CX")
	flags.StringVar(&o.touchpoint, "touchpoint", "", "of this touchpoint alone, such as web or phone")
	flags.StringVarP(&o.selector, "selector", "l", "", "with these labels alone, such as team=web,tier!=test")
	flags.BoolVarP(&o.watch, "watch", "w", false, "go on, and show what changes")
	bindOutput(flags, &o.output, statusOutputs, "columns, objects, names, or a page in plain language")
	o.cluster.Bind(flags)
	p.completeCluster(cmd, o.cluster)
	completeValues(cmd, "output", statusOutputs...)
	completeValues(cmd, "perspective", perspectives...)
	completeFlag(cmd, "service", p.completeSpec(o.cluster, func(s v1alpha1.ObjectiveSpec) string { return string(s.Service) }))
	completeFlag(cmd, "touchpoint", p.completeSpec(o.cluster, func(s v1alpha1.ObjectiveSpec) string { return string(s.Touchpoint) }))
	return cmd
}

func (o statusOptions) check() error {
	switch {
	case o.name != "" && o.everywhere:
		return fmt.Errorf("objective %q and --all-namespaces: name its namespace with -n", o.name)
	case o.name != "" && o.filtered():
		return fmt.Errorf("objective %q and flags that choose objectives: use one of them", o.name)
	case o.perspective != "" && !slices.Contains(perspectives, o.perspective):
		return fmt.Errorf("--perspective %q: write %s", o.perspective, strings.Join(perspectives, " or "))
	case o.watch && o.output != outputTable && o.output != outputWide:
		return fmt.Errorf("--watch and --output %s: what changes is shown as table or wide", o.output)
	default:
		return checkOutput(o.output, statusOutputs)
	}
}

func (o statusOptions) filtered() bool {
	return o.service+o.perspective+o.touchpoint+o.selector != ""
}

// keeps says whether an objective is among those that are asked for.
func (o statusOptions) keeps(x v1alpha1.Objective) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(o.name, x.Name) && is(o.service, string(x.Spec.Service)) &&
		is(o.perspective, string(x.Spec.Perspective)) && is(o.touchpoint, string(x.Spec.Touchpoint))
}

// choose gives those that are asked for, the worst first.
func (o statusOptions) choose(all []v1alpha1.Objective) []v1alpha1.Objective {
	out := slices.DeleteFunc(slices.Clone(all), func(x v1alpha1.Objective) bool { return !o.keeps(x) })
	worst(out)
	return out
}

func (o statusOptions) query(cluster *kube.Cluster) (kube.Query, error) {
	out := kube.Query{Namespace: cluster.Namespace}
	if o.everywhere {
		out.Namespace = ""
	}
	if o.selector == "" {
		return out, nil
	}
	var err error
	out.Selector, err = kube.ParseSelector(o.selector)
	return out, err
}

func (p Program) status(ctx context.Context, o statusOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	cluster, err := o.cluster.Connect()
	if err != nil {
		return err
	}
	query, err := o.query(cluster)
	if err != nil {
		return err
	}
	if o.watch {
		return p.watchStatus(ctx, cluster, query, o)
	}
	objectives, err := p.objectivesOf(ctx, cluster, query, o)
	if err != nil {
		return err
	}
	view := standings{objectives: o.choose(objectives), options: o, painter: p.painter(), now: p.Now()}
	p.beside(ctx, cluster, query, &view)
	if len(view.objectives) == 0 {
		p.tell("no objectives are %s", o.place(cluster))
	}
	text, err := view.write()
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// objectivesOf reads the one that is named, or all.
func (p Program) objectivesOf(ctx context.Context, cluster *kube.Cluster, query kube.Query, o statusOptions) ([]v1alpha1.Objective, error) {
	if o.name == "" {
		defer p.patiently("asking " + cluster.Host + " for objectives")()
		return cluster.Objectives(ctx, query)
	}
	one, err := p.objectiveOf(ctx, cluster, o.name)
	if err != nil {
		return nil, err
	}
	return []v1alpha1.Objective{*one}, nil
}

// objectiveOf reads an objective; of one that is not there it tells which may have
// been meant.
func (p Program) objectiveOf(ctx context.Context, cluster *kube.Cluster, name string) (*v1alpha1.Objective, error) {
	defer p.patiently("asking " + cluster.Host + " for objective " + name)()
	one, err := cluster.Objective(ctx, cluster.Namespace, name)
	if !errors.Is(err, kube.ErrNotFound) {
		return one, err
	}
	var names []string
	if all, err := cluster.Objectives(ctx, kube.Query{Namespace: cluster.Namespace}); err == nil {
		for _, o := range all {
			names = append(names, o.Name)
		}
	}
	return nil, fmt.Errorf("objective %q is not in namespace %q%s", name, cluster.Namespace, near(name, names))
}

// withGates says whether gates are shown too: they have no service, so they are
// not among what is chosen by one.
func (o statusOptions) withGates() bool {
	switch o.output {
	case outputTable, outputWide:
		return o.name == "" && !o.filtered()
	default:
		return o.output == outputReport
	}
}

// gatesBeside reads gates. Whoever may read objectives alone is told so.
func (p Program) gatesBeside(ctx context.Context, cluster *kube.Cluster, query kube.Query) []v1alpha1.Gate {
	gates, err := cluster.Gates(ctx, kube.Query{Namespace: query.Namespace})
	if err != nil {
		p.tell("note: gates are not shown: %v", err)
	}
	return gates
}

// place says where was looked.
func (o statusOptions) place(cluster *kube.Cluster) string {
	out := fmt.Sprintf("in namespace %q", cluster.Namespace)
	if o.everywhere {
		out = "in this cluster"
	}
	if o.filtered() {
		out += " that are asked for"
	}
	return out
}
