package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// manifestOptions are the flags of commands that read manifests and print what
// they make of them.
type manifestOptions struct {
	paths             []string
	output, namespace string
}

// bind adds the flags. The first of the outputs is the usual one, and what says
// what they are.
func (o *manifestOptions) bind(flags *pflag.FlagSet, outputs []string, what string) {
	flags.StringArrayVarP(&o.paths, "filename", "f", nil, "a file, a folder (not those in it), or - for the standard input; may be repeated")
	flags.StringVarP(&o.namespace, "namespace", "n", "default", "the namespace of objects that name none")
	bindOutput(flags, &o.output, outputs, what)
}

// bindOutput adds the flag that says how to print.
func bindOutput(flags *pflag.FlagSet, output *string, outputs []string, what string) {
	flags.StringVarP(output, "output", "o", outputs[0], "one of "+strings.Join(outputs, ", ")+": "+what)
}

// checkOutput says what to write in place of an output that is none.
func checkOutput(output string, outputs []string) error {
	if !slices.Contains(outputs, output) {
		return fmt.Errorf("--output %q: write one of %s", output, strings.Join(outputs, ", "))
	}
	return nil
}
