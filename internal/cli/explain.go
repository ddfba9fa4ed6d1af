package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/kube"
	"github.com/experience-slo/operator/internal/status"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	cluster     *kube.Options
	paths       []string
	access      access
	expressions bool
	name        string
}

func (p Program) explainCommand() *cobra.Command {
	o := explainOptions{cluster: kube.NewOptions()}
	cmd := &cobra.Command{
		Use:   "explain NAME | -f FILE|DIR|- [NAME]",
		Short: "Explain why a promise is kept or broken",
		Long: `Explain why a promise is kept or broken, or why nobody knows: what is promised and what
counts as good, what was attained, where the budget went day by day, which alerts watch it
and how near they are, and what to do next.

The objective is one of the cluster or, with -f, of manifests. Where the budget went is
counted from metrics, by the operator's own code: name their server with --prometheus. The
server must be reachable from here; secrets of the cluster are not read.

The exit status is 0 where the promise could be explained, whatever became of it, and 2
for a command line, a manifest, a cluster or a server that cannot be used.`,
		Example: `  kubectl experience explain checkout-page-speed -n shop
  kubectl experience explain checkout-page-speed -n shop --prometheus http://localhost:9090
  kubectl experience explain -f objective.yaml --prometheus http://localhost:9090 --expressions`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			o.name = strings.Join(names, "")
			return p.explain(cmd.Context(), o)
		},
		ValidArgsFunction: p.completeObjectives(o.cluster),
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.paths, "filename", "f", nil, "a file, a folder (not those in it), or - for the standard input; may be repeated")
	flags.BoolVar(&o.expressions, "expressions", false, "show the whole PromQL by which each minute is counted")
	o.access.bind(flags)
	o.cluster.Bind(flags)
	p.completeCluster(cmd, o.cluster)
	return cmd
}

// explain gathers what is known of an objective and prints it.
func (p Program) explain(ctx context.Context, o explainOptions) error {
	secrets, err := o.access.read(p.Getenv)
	if err != nil {
		return err
	}
	found, one, err := p.subject(ctx, o)
	if err != nil {
		return err
	}
	about := &explanation{declared: one, painter: p.painter(), now: p.Now(), expressions: o.expressions, written: len(o.paths) > 0}
	plans := found.plan([]declared{one}, p.Now())
	for _, note := range found.notes {
		p.tell("%s", note)
	}
	if len(plans) == 0 {
		about.refused(found)
		return p.print(about.text())
	}
	about.plan, about.indicator = plans[0].plan, plans[0].indicator
	if o.access.url != "" {
		links, err := found.connect(ctx, plans, o.access.url, secrets)
		defer links.close()
		if err != nil {
			return err
		}
		stop := p.patiently("counting what was measured")
		err = about.measure(ctx, plans[0], links.of[about.plan.Source])
		stop()
		if err != nil {
			return err
		}
	}
	about.bindOffline()
	return p.print(about.text())
}

func (p Program) print(text string) error {
	if _, err := fmt.Fprint(p.Out, text); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	return nil
}

// subject finds the objective, and what it needs to be compiled.
func (p Program) subject(ctx context.Context, o explainOptions) (*inventory, declared, error) {
	if len(o.paths) == 0 {
		return p.subjectOfCluster(ctx, o)
	}
	// Without a kubeconfig there is a namespace too.
	namespace, err := o.cluster.Namespace()
	if err != nil {
		namespace = "default"
	}
	found, err := p.manifests(ctx, o.paths, namespace)
	if err != nil {
		return nil, declared{}, err
	}
	if err := p.report(found); errors.Is(err, errInvalid) {
		return nil, declared{}, ended(Unusable)
	}
	found.notes = nil // they are told
	var names []string
	var out []declared
	for _, d := range found.objectives {
		names = append(names, d.Name)
		if o.name == "" || o.name == d.Name {
			out = append(out, d)
		}
	}
	switch {
	case len(out) == 0:
		return nil, declared{}, fmt.Errorf("objective %q is not among the manifests%s", o.name, near(o.name, names))
	case len(out) > 1:
		return nil, declared{}, fmt.Errorf("there are %d objectives among the manifests: name one, such as %q", len(out), out[0].Name)
	default:
		return found, out[0], nil
	}
}

func (p Program) subjectOfCluster(ctx context.Context, o explainOptions) (*inventory, declared, error) {
	if o.name == "" {
		return nil, declared{}, errors.New("no objective: name one, or a file with --filename")
	}
	cluster, err := o.cluster.Connect()
	if err != nil {
		return nil, declared{}, err
	}
	one, err := p.objectiveOf(ctx, cluster, o.name)
	if err != nil {
		return nil, declared{}, err
	}
	found, err := newInventory(cluster.Namespace)
	if err != nil {
		return nil, declared{}, err
	}
	spec, err := cluster.Source(ctx, one)
	switch {
	case err == nil:
		found.sources[compile.KeyOf(one)] = &origin{spec: spec}
	case errors.Is(err, kube.ErrNotFound), errors.Is(err, kube.ErrForbidden):
		found.note("%s cannot be read, and is taken to have the defaults: %v", compile.KeyOf(one), err)
		if found.sources[compile.KeyOf(one)], err = found.assumed(); err != nil {
			return nil, declared{}, err
		}
	default:
		return nil, declared{}, err
	}
	if err := found.takeReferences(ctx, cluster, one); err != nil || o.access.url == "" {
		return found, declared{Objective: one}, err
	}
	// Something is counted.
	return found, declared{Objective: one}, found.exclude(ctx, cluster, one)
}

// explanation is what is known of an objective.
type explanation struct {
	declared
	// plan is nil where the spec has a mistake.
	plan *compile.Plan
	// indicator is what a reference to one comes to with its parameters.
	indicator v1alpha1.ObjectiveIndicator
	// verdict and steps are what was counted; without a server nothing was.
	verdict *evaluate.Verdict
	steps   []portion

	painter painter
	now     time.Time
	// expressions says that they are wanted, and written that the objective is one
	// of a manifest, of which no operator knows.
	expressions, written bool
}

// refused takes the mistakes of a spec for what is known of it, as the operator
// does.
func (e *explanation) refused(found *inventory) {
	if metCondition(e.Objective) != nil {
		return // it has said so already
	}
	for _, m := range found.report() {
		status.Objective(e.Objective, nil, &status.Fault{Kind: status.Mistake, Reason: m.rule, Message: m.fault.String()})
	}
}

// measure counts what a server holds. Of a manifest that is the status, too: there
// is no other.
func (e *explanation) measure(ctx context.Context, o planned, from metrics) error {
	to := e.now.Add(-o.source.Delay.Duration).Truncate(time.Minute)
	book, err := o.account(ctx, from, to)
	if err != nil {
		return err
	}
	verdict, err := o.weigh(ctx, from, book, to)
	if err != nil {
		return err
	}
	e.verdict, e.steps = &verdict, stepsOf(o.plan, book, to)
	if e.written {
		e.Objective = e.DeepCopy()
		status.Objective(e.Objective, &verdict, nil)
		// Since when it holds nobody knows.
		for i := range e.Status.Conditions {
			e.Status.Conditions[i].LastTransitionTime.Reset()
		}
	}
	return nil
}

// bindOffline makes the expressions where no server was asked for the boundaries
// of buckets: thresholds are taken to be among them.
func (e *explanation) bindOffline() {
	if e.plan.Recipe != nil {
		return
	}
	_ = e.plan.Bind(nil) // without a recipe there are no expressions to show
}

// stands is the word for how the promise stands.
func (e *explanation) stands() cell {
	if e.unjudged() {
		return cell{text: "not judged"}
	}
	standing := standing(e.Objective)
	return cell{standing.word(), map[promise]colour{promiseBroken: red, promiseUnknown: yellow, promiseKept: green}[standing]}
}

// unjudged says that nobody has counted anything.
func (e *explanation) unjudged() bool { return e.written && e.verdict == nil }

// unloaded is why the rules are not with the ruler; it is empty where they are, or
// are not to be.
func (e *explanation) unloaded() string {
	c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionRulesLoaded)
	if c == nil || c.Reason == v1alpha1.ReasonRulesLoaded {
		return ""
	}
	return c.Reason
}
