package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// evaluateOptions are the flags of evaluate.
type evaluateOptions struct {
	manifestOptions
	at     string
	access access
}

func (p Program) evaluateCommand() *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use:   "evaluate -f FILE|DIR|- [--prometheus URL]",
		Short: "Judge objectives with no cluster and nothing installed",
		Long: `Judge objectives by what a Prometheus-compatible server holds, with no cluster and
nothing installed. The figures are those that the operator would write on the objects.

Manifests are read and checked as render does. The server is the one of --prometheus or,
where that is not given, the one of each objective's source, which is then among the
manifests. The source's matchers, tenancy, tenant and limits count either way. Raw data is
read, whether a ruler records the objectives or not.

Secrets are not read. A token or a password comes from a file that is named here, and is
sent to the server of --prometheus alone, so that no manifest can send it elsewhere.

The exit status is 0 where all objectives are met, 1 where one is missed, 3 where of one
it is not known whether it is met, and 2 for mistakes in manifests and in the command
line, and for a server that cannot be asked. Of two that apply it is 2, then 1, then 3.
Journeys among the manifests are judged by the objectives there, and change none of this.`,
		Example: `  kubectl experience evaluate -f objectives.yaml --prometheus http://localhost:9090
  kubectl experience evaluate -f manifests/ --at 2026-03-01T00:00:00Z -o json
  kubectl get xo,xms -n shop -o yaml | kubectl experience evaluate -f - --prometheus https://metrics.example.com --token-file token`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.evaluate(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.bind(flags, evaluateOutputs, "columns as of kubectl get, or objects with their status")
	flags.StringVar(&o.at, "at", "", "the moment to judge at, such as 2026-03-01T00:00:00Z; now, less the source's delay, where it is not given")
	o.access.bind(flags)
	return cmd
}

// evaluate prints nothing but mistakes where there is one in a manifest.
func (p Program) evaluate(ctx context.Context, o evaluateOptions) error {
	if err := checkOutput(o.output, evaluateOutputs); err != nil {
		return err
	}
	at, err := momentOf(o.at, p.Now())
	if err != nil {
		return err
	}
	secrets, err := o.access.read(p.Getenv)
	if err != nil {
		return err
	}
	found, err := p.manifests(ctx, o.paths, o.namespace)
	if err != nil {
		return err
	}
	now := p.Now()
	if !at.IsZero() {
		now = at
	}
	all := found.plan(found.active(), now)
	if err := p.report(found); errors.Is(err, errInvalid) {
		return ended(Unusable)
	} else if err != nil {
		return err
	}
	links, err := found.connect(ctx, all, o.access.url, secrets)
	defer links.close()
	for _, note := range links.notes {
		p.tell("note: %s", note)
	}
	if err != nil {
		return err
	}
	results := p.measureAll(ctx, all, links, at)
	return p.conclude(o.output, results, found.judgeJourneys(results))
}

// momentOf reads --at; it is zero where that is not given.
func momentOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return momentFlag("--at", text, now)
}

// momentFlag reads a flag that is a moment.
func momentFlag(name, text string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %q: write a moment such as 2026-03-01T00:00:00Z", name, text)
	}
	if at.After(now) {
		return time.Time{}, fmt.Errorf("%s %q: it is in the future: nothing is known of it yet", name, text)
	}
	return at.UTC(), nil
}

// conclude prints the results and tells how the program ends.
func (p Program) conclude(output string, results []result, journeys []*v1alpha1.Journey) error {
	text, err := tabulate(output, results, journeys)
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	for _, j := range journeys {
		if met := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionMet); met != nil && met.Status != metav1.ConditionTrue {
			p.tell("Journey %s/%s: %s: %s", j.Namespace, j.Name, met.Reason, met.Message)
		}
	}
	// Of two codes the earlier one counts.
	order := []ended{Unusable, Missed, Undecided, Done}
	code := len(order) - 1
	for _, r := range results {
		if why := r.why(); why != "" {
			p.tell("%s: %s", r.at, why)
		}
		code = min(code, slices.Index(order, ended(r.code())))
	}
	if order[code] == Done {
		return nil
	}
	return order[code]
}
