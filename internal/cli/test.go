package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Failed is the code with which the program ends where a test failed.
const Failed = 1

var testOutputs = []string{outputText, outputJSON, outputJUnit}

// testOptions are the flags of test.
type testOptions struct{ output, run string }

func (p Program) testCommand() *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test FILE|DIR...",
		Short: "Run unit tests of objectives",
		Long: `Run unit tests of objectives, with no cluster and no server.

A test names manifests, writes series in the notation of promtool's unit tests, and says
what should be found at given times: whether the promise is met and why, figures of the
status, and the alerts that fire. Prometheus' own query engine and rules engine evaluate
the expressions, on simulated time, and the operator's own code counts and judges. The
format is explained in docs/cli.md.

The exit status is 0 where all tests pass, 1 where one fails, and 2 for a command line or
a file that cannot be used, be it a manifest with a mistake.`,
		Example: `  kubectl experience test objectives_test.yaml
  kubectl experience test tests/ --run 'outage|holiday'
  kubectl experience test tests/*.yaml -o junit > experience.xml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.test(cmd.Context(), o, args) },
	}
	flags := cmd.Flags()
	bindOutput(flags, &o.output, testOutputs, "text for people, a list for programs, or JUnit XML")
	flags.StringVar(&o.run, "run", "", "a regular expression; tests whose names it does not match are left out")
	return cmd
}

// tested is a test with its result.
type tested struct {
	trial

	took        time.Duration
	differences []difference
}

func (p Program) test(ctx context.Context, o testOptions, paths []string) error {
	if err := checkOutput(o.output, testOutputs); err != nil {
		return err
	}
	trials, err := p.choose(paths, o.run)
	if err != nil {
		return err
	}
	rehearsals, err := p.prepareAll(ctx, trials)
	if err != nil {
		return err
	}
	results, err := p.runAll(ctx, rehearsals)
	if err != nil {
		return err
	}
	text, err := p.writeTests(o.output, results)
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if slices.ContainsFunc(results, tested.failed) {
		return ended(Failed)
	}
	return nil
}

// choose reads the tests whose names a regular expression matches: some must be.
func (p Program) choose(paths []string, run string) ([]trial, error) {
	chosen, err := regexp.Compile(run)
	if err != nil {
		return nil, fmt.Errorf("--run %q: %w", run, err)
	}
	trials, err := p.trials(paths, chosen)
	switch {
	case err != nil:
		return nil, err
	case len(trials) > 0:
		return trials, nil
	case run == "":
		return nil, fmt.Errorf("%s: the list of tests is empty: write one with a name and what to expect", strings.Join(paths, ", "))
	default:
		return nil, fmt.Errorf("--run %q: no test has such a name", run)
	}
}

// trials reads the tests that are chosen.
func (p Program) trials(paths []string, chosen *regexp.Regexp) ([]trial, error) {
	files, err := readAll(paths, p.In)
	if err != nil {
		return nil, err
	}
	var out []trial
	bad := false
	for _, f := range files {
		documents := f.documents()
		if len(documents) == 0 {
			return nil, fmt.Errorf("%s: %s", f.name, noTests)
		}
		for _, d := range documents {
			s, mistakes := readSuite(d)
			for _, m := range slices.SortedStableFunc(slices.Values(mistakes), byLine) {
				p.tell("%s", m)
				bad = true
			}
			for _, t := range s.tests {
				if chosen.MatchString(t.name) {
					out = append(out, t)
				}
			}
		}
	}
	if bad {
		return nil, ended(Unusable)
	}
	return out, nil
}

func byLine(a, b mistake) int { return cmp.Compare(a.line, b.line) }

// prepareAll compiles what all tests need: with one mistake none is run.
func (p Program) prepareAll(ctx context.Context, trials []trial) ([]*rehearsal, error) {
	first, err := newInventory("")
	if err != nil {
		return nil, err
	}
	var out []*rehearsal
	told := map[string]bool{}
	for _, t := range trials {
		manifests := first.another(t.namespace)
		r, err := t.prepare(ctx, manifests)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.place, err)
		}
		for _, m := range manifests.report() {
			if line := m.String(); !told[line] {
				p.tell("%s", line)
				told[line] = true
			}
		}
		out = append(out, r)
	}
	if len(told) > 0 {
		return nil, ended(Unusable)
	}
	return out, nil
}

func (p Program) runAll(ctx context.Context, rehearsals []*rehearsal) ([]tested, error) {
	out := make([]tested, len(rehearsals))
	finished := make(chan struct{}, len(rehearsals))
	var failed error
	go func() {
		for i, r := range rehearsals {
			if failed == nil {
				begun := p.Now()
				out[i].trial = r.trial
				out[i].differences, failed = r.run(ctx)
				out[i].took = p.Now().Sub(begun)
			}
			finished <- struct{}{}
		}
	}()
	p.progress(finished, len(rehearsals), "tests run")
	return out, failed
}

func (t tested) failed() bool { return len(t.differences) > 0 }

func (p Program) writeTests(output string, results []tested) ([]byte, error) {
	switch output {
	case outputJSON:
		return testsAsJSON(results)
	case outputJUnit:
		var cases []junitCase
		for _, t := range results {
			cases = append(cases, junitCase{class: t.file, name: t.name, took: t.took, failure: t.story("")})
		}
		return junitReport("kubectl experience test", p.Now(), cases)
	default:
		return testsAsText(results), nil
	}
}

// testsAsText writes file by file what promtool writes.
func testsAsText(results []tested) []byte {
	var out bytes.Buffer
	for len(results) > 0 {
		file := results[0].file
		n := slices.IndexFunc(results, func(t tested) bool { return t.file != file })
		if n < 0 {
			n = len(results)
		}
		failed := 0
		var stories strings.Builder
		for _, t := range results[:n] {
			if t.failed() {
				failed++
				fmt.Fprintf(&stories, "    %s: %s\n%s", t.place, t.name, t.story("      "))
			}
		}
		fmt.Fprintf(&out, "Unit Testing:  %s\n", file)
		if failed == 0 {
			fmt.Fprintf(&out, "  SUCCESS: %d of %d tests passed\n", n, n)
		} else {
			fmt.Fprintf(&out, "  FAILED: %d of %d tests passed\n%s", n-failed, n, &stories)
		}
		results = results[n:]
	}
	return out.Bytes()
}

// story says what is different, each line with an indent. It is empty where
// nothing is.
func (t tested) story(indent string) string {
	var out strings.Builder
	for _, d := range t.differences {
		fmt.Fprintf(&out, "%s%s: Objective %s at %s: %s\n", indent, d.place, d.objective, d.moment, d.field)
		for _, text := range orNone(d.expected, d.got) {
			fmt.Fprintf(&out, "%s  - %s\n", indent, text)
		}
		for _, text := range orNone(d.got, d.expected) {
			fmt.Fprintf(&out, "%s  + %s\n", indent, text)
		}
	}
	return out.String()
}

// orNone says that there is nothing where there is something on the other side.
func orNone(texts, others []string) []string {
	if len(texts) == 0 && len(others) > 0 {
		return []string{"(none)"}
	}
	return texts
}

// testResult is a test as programs read it.
type testResult struct {
	File        string           `json:"file"`
	Line        int              `json:"line"`
	Name        string           `json:"name"`
	Passed      bool             `json:"passed"`
	Differences []testDifference `json:"differences,omitempty"`
}

type testDifference struct {
	Line      int      `json:"line"`
	Objective string   `json:"objective"`
	At        string   `json:"at"`
	Field     string   `json:"field"`
	Expected  []string `json:"expected"`
	Got       []string `json:"got"`
}

func testsAsJSON(results []tested) ([]byte, error) {
	out := []testResult{}
	for _, t := range results {
		r := testResult{File: t.file, Line: t.line, Name: t.name, Passed: !t.failed()}
		for _, d := range t.differences {
			r.Differences = append(r.Differences, testDifference{
				d.line, d.objective, d.moment, d.field, append([]string{}, d.expected...), append([]string{}, d.got...),
			})
		}
		out = append(out, r)
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write results: %w", err)
	}
	return append(text, '\n'), nil
}

// sorted gives the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
