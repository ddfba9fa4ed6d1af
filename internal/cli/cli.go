// Package cli is the commands of kubectl-experience. They do without a cluster
// what the operator does in one: they read manifests in place of a cluster and
// call the operator's own code. The package reads files and the standard input,
// and asks no network.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Codes with which the program ends.
const (
	// Done says that everything asked for was done.
	Done = 0
	// Invalid says that a manifest has a mistake.
	Invalid = 1
	// Unusable says that the command was not understood, or a file not readable.
	Unusable = 2
)

// Program is what the commands use of the process that they run in.
type Program struct {
	Version  string
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
}

// errInvalid ends a command whose mistakes were printed already.
var errInvalid = errors.New("manifests have mistakes")

// Run does what the arguments ask for, and returns the code to end with.
func (p Program) Run(ctx context.Context, args []string) int {
	root := p.root()
	// Without any cobra would take those of the process.
	root.SetArgs(append([]string{}, args...))
	called, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return Done
	case errors.Is(err, errInvalid):
		return Invalid
	default:
		p.tell("error: %v\nSee \"%s --help\".", err, called.CommandPath())
		return Unusable
	}
}

func (p Program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-experience",
		Short: "Work with experience objectives without a cluster",
		Long: "Work with experience objectives. kubectl finds this program as \"kubectl experience\"\n" +
			"when it is on the PATH.",
		Version:           p.Version,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl experience"},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.AddCommand(p.renderCommand())
	return root
}

// tell writes a line for people beside the output.
func (p Program) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Err, format+"\n", args...) // there is nobody left to tell
}
