// Package cli is the commands of kubectl-experience. Some do without a cluster
// what the operator does in one: they read manifests in place of a cluster and
// call the operator's own code. Others show what the operator wrote in a cluster
// or wait for it. The package reads files and the standard input; what asks a
// server for metrics does it through package source, and what asks a cluster
// through package kube.
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
	// Missed says that an objective is missed.
	Missed = 1
	// Unusable says that the command was not understood, a file not readable, or
	// a server of no use.
	Unusable = 2
	// Undecided says of an objective that nobody knows whether it is met.
	Undecided = 3
)

// Program is what the commands use of the process that they run in.
type Program struct {
	Version  string
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	// Getenv reads the environment; without it there is none.
	Getenv func(string) string
	// Terminal says that Out is one, which shows bars, and colours unless NO_COLOR
	// is set. Width is that of the terminal in letters; 0 where nobody knows.
	Terminal bool
	Width    int
	// Patience is how long a command works before it says how far it is; a second
	// where it is 0.
	Patience time.Duration
}

// ended is the code of a command that has said all there is to say.
type ended int

// Error gives the code.
func (e ended) Error() string { return fmt.Sprintf("ends with %d", int(e)) }

// errInvalid ends a command whose mistakes were printed already.
const errInvalid = ended(Invalid)

// Run does what the arguments ask for, and returns the code to end with.
func (p Program) Run(ctx context.Context, args []string) int {
	root := p.root()
	// Without any cobra would take those of the process.
	root.SetArgs(append([]string{}, args...))
	called, err := root.ExecuteContextC(ctx)
	var code ended
	switch {
	case err == nil:
		return Done
	case errors.As(err, &code):
		return int(code)
	default:
		p.tell("error: %v\nSee \"%s --help\".", err, called.CommandPath())
		return Unusable
	}
}

func (p Program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-experience",
		Short: "Work with experience objectives, with a cluster and without",
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
	root.AddCommand(p.renderCommand(), p.evaluateCommand(), p.validateCommand(), p.gateCommand(), p.statusCommand(), p.explainCommand(), p.testCommand(), p.replayCommand(), p.convertCommand())
	return root
}

// manifests reads and takes what is named by --filename.
func (p Program) manifests(ctx context.Context, paths []string, namespace string) (*inventory, error) {
	if len(paths) == 0 {
		return nil, errors.New("no manifests: name a file or a folder with --filename")
	}
	files, err := readAll(paths, p.In)
	if err != nil {
		return nil, err
	}
	found, err := newInventory(namespace)
	if err != nil {
		return nil, err
	}
	found.take(ctx, files)
	return found, nil
}

// tell writes a line for people beside the output.
func (p Program) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(p.Err, format+"\n", args...) // there is nobody left to tell
}
