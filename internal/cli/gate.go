package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

// gateOptions are the flags of gate.
type gateOptions struct {
	cluster        *kube.Options
	paths          []string
	revision       string
	revised        bool
	again          bool
	timeout        time.Duration
	onInconclusive string
	output         string
}

// What --on-inconclusive takes.
const (
	inconclusiveFail = "fail"
	inconclusivePass = "pass"
)

func (p Program) gateCommand() *cobra.Command {
	o := gateOptions{cluster: kube.NewOptions()}
	cmd := &cobra.Command{
		Use:   "gate NAME | -f FILE|DIR|-",
		Short: "Wait until a release has passed or failed",
		Long: `Wait until a gate has passed or failed: until it is known whether people who use the
service get what was promised from this release.

With -f, the gates of manifests are created or made what the manifests say, and
--revision says what is released. Other objects are skipped. With NAME, a gate of the
cluster is awaited; --revision gives it a new one first. A new revision starts a new
check, and the verdict of an earlier one never counts. Manifests without a revision start
a new check each time; --again does so for a revision that was checked before.

How far the check is goes to the standard error, the result to the standard output and,
as Markdown, to the file of GITHUB_STEP_SUMMARY where that is set. Ctrl-C ends the
waiting, not the check.

The exit status is 0 where all gates passed, 1 where one failed, 3 where one came to no
verdict in its time or in that of --timeout, and 2 for a command line, a manifest or a
cluster of no use. --on-inconclusive fail makes 1 of 3, and pass makes 0 of it where the
check began and nobody asked for another. Of two that apply it is 2, then 1, then 3.`,
		Example: `  kubectl experience gate -f gate.yaml --revision v1.4.2
  kubectl experience gate checkout-release -n shop --revision $GIT_COMMIT --timeout 30m -o junit > gate.xml
  kubectl experience gate checkout-release -n shop --on-inconclusive pass`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			o.revised = cmd.Flags().Changed("revision")
			return p.gate(cmd.Context(), o, names)
		},
		ValidArgsFunction: p.completeGates(o.cluster),
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.paths, "filename", "f", nil, "a file, a folder (not those in it), or - for the standard input; may be repeated")
	flags.StringVar(&o.revision, "revision", "", "the release that is checked: an image tag, a digest or a commit; it replaces spec.revision")
	flags.BoolVar(&o.again, "again", false, "check a revision again that was checked before")
	flags.DurationVar(&o.timeout, "timeout", 0, "how long to wait, such as 30m; without it as long as the gates' own timeouts, and two minutes more")
	flags.StringVar(&o.onInconclusive, "on-inconclusive", "", "what follows from no verdict: fail (exit status 1) or pass (0); without it what the gate says, and 3 where that is Fail")
	bindOutput(flags, &o.output, gateOutputs, "for people, programs, test reports or a page")
	o.cluster.Bind(flags)
	p.completeCluster(cmd, o.cluster)
	completeValues(cmd, "output", gateOutputs...)
	completeValues(cmd, "on-inconclusive", inconclusiveFail, inconclusivePass)
	return cmd
}

func (o gateOptions) check(names []string) error {
	switch {
	case len(names) == 0 && len(o.paths) == 0:
		return errors.New("no gate: name one, or a file with --filename")
	case len(names) > 0 && len(o.paths) > 0:
		return fmt.Errorf("gate %q and --filename: use one of them", names[0])
	case o.timeout < 0:
		return fmt.Errorf("--timeout %s: write a time such as 30m", o.timeout)
	case o.onInconclusive != "" && o.onInconclusive != inconclusiveFail && o.onInconclusive != inconclusivePass:
		return fmt.Errorf("--on-inconclusive %q: write fail or pass, or leave it out", o.onInconclusive)
	default:
		return checkOutput(o.output, gateOutputs)
	}
}

// gate begins checks, or finds the one that is under way, and waits for them.
func (p Program) gate(ctx context.Context, o gateOptions, names []string) error {
	if err := o.check(names); err != nil {
		return err
	}
	var written []gateManifest
	cluster, err := o.cluster.Connect()
	if err == nil && len(o.paths) > 0 {
		written, err = p.gateManifests(ctx, o.paths, cluster.Namespace)
	}
	if err != nil {
		return err
	}
	var begun []*v1alpha1.Gate
	if len(names) > 0 {
		begun, err = p.beginNamed(ctx, cluster, o, names[0])
	} else {
		begun, err = p.beginWritten(ctx, cluster, o, written)
	}
	if err != nil {
		return err
	}
	results, err := p.awaitGates(ctx, cluster, o.timeout, begun)
	if err != nil {
		return err
	}
	return p.concludeGates(o, results)
}

// beginNamed gives a gate of the cluster a revision, if there is a new one.
func (p Program) beginNamed(ctx context.Context, cluster *kube.Cluster, o gateOptions, name string) ([]*v1alpha1.Gate, error) {
	defer p.patiently("asking " + cluster.Host + " for gate " + name)()
	gate, err := cluster.Gate(ctx, cluster.Namespace, name)
	if errors.Is(err, kube.ErrNotFound) {
		return nil, fmt.Errorf("gate %q is not in namespace %q%s", name, cluster.Namespace, nearGates(ctx, cluster, name))
	}
	if err != nil {
		return nil, err
	}
	change := kube.Change{}
	if o.revised && string(gate.Spec.Revision) != o.revision {
		change.Revision = &o.revision
	}
	if o.again {
		change.RequestedAt = p.request()
	}
	if change != (kube.Change{}) {
		gate, err = cluster.ChangeGate(ctx, cluster.Namespace, name, change)
	}
	return []*v1alpha1.Gate{gate}, err
}

// nearGates words which gates may have been meant.
func nearGates(ctx context.Context, cluster *kube.Cluster, name string) string {
	gates, err := cluster.Gates(ctx, kube.Query{Namespace: cluster.Namespace})
	if err != nil {
		return ""
	}
	var names []string
	for _, g := range gates {
		names = append(names, g.Name)
	}
	return near(name, names)
}

// beginWritten applies gates.
func (p Program) beginWritten(ctx context.Context, cluster *kube.Cluster, o gateOptions, written []gateManifest) ([]*v1alpha1.Gate, error) {
	defer p.patiently("applying gates to " + cluster.Host)()
	var out []*v1alpha1.Gate
	for _, w := range written {
		if o.revised {
			w.Spec["revision"] = o.revision
		}
		// Without a revision nothing would tell this check from the last one.
		if revision, _ := w.Spec["revision"].(string); revision == "" || o.again {
			w.annotate(v1alpha1.ReconcileRequestAnnotation, p.request())
		}
		gate, err := cluster.ApplyGate(ctx, w.object())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.place, err)
		}
		out = append(out, gate)
	}
	return out, nil
}

// request is a new value of the annotation that asks for a check.
func (p Program) request() string { return p.Now().UTC().Format(time.RFC3339Nano) }

// concludeGates prints the results and tells how the program ends.
func (p Program) concludeGates(o gateOptions, results []gateResult) error {
	report := newGateReport(results, o.onInconclusive)
	text, err := report.write(o.output, p.Now())
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if path := p.env("GITHUB_STEP_SUMMARY"); path != "" {
		if err := appendTo(path, report.markdown()); err != nil {
			p.tell("note: %v", err)
		}
	}
	if report.ExitStatus == Done {
		return nil
	}
	return ended(report.ExitStatus)
}

// env reads the environment.
func (p Program) env(name string) string {
	if p.Getenv == nil {
		return ""
	}
	return p.Getenv(name)
}

// worstFirst orders exit statuses by how much they matter.
func worstFirst(a, b int) int {
	order := []int{Unusable, Missed, Undecided, Done}
	return cmp.Compare(slices.Index(order, a), slices.Index(order, b))
}
