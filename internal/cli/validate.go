package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// validateOptions are the flags of validate.
type validateOptions struct {
	manifestOptions
	access access
}

func (p Program) validateCommand() *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate -f FILE|DIR|-",
		Short: "Find the mistakes in manifests",
		Long: `Find the mistakes in manifests, with the file and the line of each.

Manifests are read as render reads them and checked as the API server checks them: fields,
values, and rules across fields. Then objectives are compiled as the operator does:
expressions, targets, windows, thresholds and the templates of alerts. Two objects of one
kind, namespace and name are a mistake too, in whatever files they are.

No server is asked unless --prometheus names one. Then metrics and labels must have had
series in the hour before, and thresholds be bucket boundaries, and what is missing is told
with the names that come nearest. Bad events that nobody has seen yet are a warning.

The exit status is 0, also with warnings, 1 for mistakes, and 2 for a command line, a file
or a server that cannot be used.`,
		Example: `  kubectl experience validate -f manifests/
  kubectl experience validate -f objectives.yaml --prometheus http://localhost:9090
  kubectl experience validate -f manifests/ -o sarif > experience.sarif`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.validate(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.bind(flags, validateOutputs, "lines, or a list for programs")
	o.access.bind(flags)
	return cmd
}

// validate prints the mistakes: they are what was asked for.
func (p Program) validate(ctx context.Context, o validateOptions) error {
	if err := checkOutput(o.output, validateOutputs); err != nil {
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
	all := found.check(found.plan(found.objectives, p.Now()))
	found.alongJourneys() // whose mistakes it tells
	if o.access.url != "" {
		links, err := found.connect(ctx, all, o.access.url, secrets)
		defer links.close()
		if err == nil {
			err = p.look(ctx, found, all, links)
		}
		if err != nil {
			return err
		}
	}
	for _, note := range found.notes {
		p.tell("%s", note)
	}
	text, err := found.listMistakes(o.output, p.Version)
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write mistakes: %w", err)
	}
	return p.verdictOf(found)
}

// verdictOf says how many mistakes there are.
func (p Program) verdictOf(found *inventory) error {
	mistakes, warnings := 0, 0
	for _, m := range found.mistakes {
		if m.warning {
			warnings++
		} else {
			mistakes++
		}
	}
	p.tell("objectives: %d, sources: %d, mistakes: %d, warnings: %d", len(found.objectives), len(found.sources), mistakes, warnings)
	if mistakes > 0 {
		return errInvalid
	}
	return nil
}

// check makes the rules of objectives, for they can be refused too, and gives the
// objectives that have no mistake so far.
func (v *inventory) check(all []planned) []planned {
	return slices.DeleteFunc(all, func(o planned) bool {
		err := o.plan.Bind(nil)
		if errors.Is(err, compile.ErrNoBoundaries) {
			return false // only a server knows
		}
		if err == nil {
			_, err = rules.Groups(o.plan, rules.SettingsOf(o.source))
		}
		if err != nil {
			v.refuse(o.manifest, nameOfObjective(o.declared), faultOf(err))
		}
		return err != nil
	})
}
