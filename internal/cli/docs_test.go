package cli

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestDocs holds the page about the command line against the commands.
func TestDocs(t *testing.T) {
	page := read(t, "../../docs/cli.md")
	for _, cmd := range (Program{}).root().Commands() {
		if !strings.Contains(page, "\n## "+cmd.Name()+"\n") {
			t.Errorf("%s is not explained", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			row := "`--" + f.Name + "` | "
			if f.Shorthand != "" {
				row = "`-" + f.Shorthand + "`, " + row
			}
			switch {
			case f.Name == "filename":
				row += "required |"
			case f.DefValue == "":
				row += "none |"
			default:
				row += "`" + f.DefValue + "` |"
			}
			row = "| " + row
			if !strings.Contains(page, row) {
				t.Errorf("%s --%s is not explained, or has another default: %s", cmd.Name(), f.Name, row)
			}
		})
		for line := range strings.Lines(cmd.Example) {
			if !strings.Contains(page, strings.TrimSpace(line)) {
				t.Errorf("the page does not show: %s", line)
			}
		}
	}
}

func TestDocsShowMistakes(t *testing.T) {
	mistakes, shown := read(t, "testdata/mistakes.txt"), 0
	for line := range strings.Lines(read(t, "../../docs/cli.md")) {
		if !strings.HasPrefix(line, "mistakes.yaml:") {
			continue
		}
		if shown++; !strings.Contains(mistakes, line) {
			t.Errorf("the program does not say: %s", line)
		}
	}
	if shown == 0 {
		t.Error("the page shows no mistake")
	}
}
