package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// outputMarkdown is a page for pipelines and reviews.
const outputMarkdown = "markdown"

var gateOutputs = []string{outputText, outputJSON, outputJUnit, outputMarkdown}

// gateReport is what gate prints, as programs read it.
type gateReport struct {
	// Verdict is that of the gate that matters most.
	Verdict    string       `json:"verdict"`
	ExitStatus int          `json:"exitStatus"`
	Gates      []gateResult `json:"gates"`

	onInconclusive string
}

func newGateReport(results []gateResult, onInconclusive string) gateReport {
	worst := slices.MinFunc(results, func(a, b gateResult) int {
		return worstFirst(a.exitStatus(onInconclusive), b.exitStatus(onInconclusive))
	})
	return gateReport{worst.Verdict, worst.exitStatus(onInconclusive), results, onInconclusive}
}

// write gives the report in one of gateOutputs.
func (r gateReport) write(output string, now time.Time) ([]byte, error) {
	switch output {
	case outputJSON:
		return encode(output, r)
	case outputJUnit:
		return r.junit(now)
	case outputMarkdown:
		return r.markdown(), nil
	default:
		return r.text(), nil
	}
}

func (r gateReport) text() []byte {
	var out bytes.Buffer
	for i, g := range r.Gates {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "gate %s: %s\n", g.key(), g.headline())
		if len(g.Objectives) == 0 {
			continue
		}
		out.WriteByte('\n')
		w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
		row(w, []string{"OBJECTIVE", "VERDICT", "RELEASE", "EVENTS", "BUDGET", "WHY"})
		for _, o := range g.Objectives {
			row(w, append(cellsOf(o), strings.TrimSuffix(o.Reason+": "+o.Message, ": ")))
		}
		_ = w.Flush() // a buffer takes everything
	}
	return out.Bytes()
}

// headline is "Failed, revision v2: why".
func (r gateResult) headline() string {
	out := r.Verdict
	if r.Revision != "" {
		out += ", revision " + r.Revision
	}
	if r.Message != "" {
		out += ": " + r.Message
	}
	return out
}

func cellsOf(o v1alpha1.GateObjective) []string {
	return []string{string(o.Name), string(o.Verdict), o.Attainment, count(o.Events), o.BudgetRemaining}
}

// markdown is a page that code hosts show beside a pipeline.
func (r gateReport) markdown() []byte {
	var out bytes.Buffer
	for i, g := range r.Gates {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "### Gate %s: %s\n\n", g.key(), g.Verdict)
		if g.Revision != "" {
			fmt.Fprintf(&out, "Revision `%s`%s\n\n", g.Revision, took(g))
		}
		if g.Message != "" {
			fmt.Fprintf(&out, "%s.\n", escaped(g.Message))
		}
		if len(g.Objectives) == 0 {
			continue
		}
		out.WriteString("\n| Objective | Verdict | Release | Events | Budget left | Why |\n|---|---|--:|--:|--:|---|\n")
		for _, o := range g.Objectives {
			cells := append(cellsOf(o), escaped(strings.TrimSuffix(o.Reason+": "+o.Message, ": ")))
			fmt.Fprintf(&out, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	return out.Bytes()
}

// took says how long a check that ended took.
func took(g gateResult) string {
	if g.StartedAt == nil || g.FinishedAt == nil {
		return "."
	}
	return fmt.Sprintf(", checked for %s until %s.", lengthOf(g.FinishedAt.Sub(g.StartedAt.Time)), g.FinishedAt.UTC().Format(time.RFC3339))
}

// escaped keeps a text from breaking a table or being taken for HTML.
func escaped(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "`", "\\`", "*", `\*`, "_", `\_`).Replace(text)
}

// junit has a case for each objective, and one for each gate that has none.
func (r gateReport) junit(now time.Time) ([]byte, error) {
	var cases []junitCase
	for _, g := range r.Gates {
		cases = append(cases, g.cases(g.exitStatus(r.onInconclusive))...)
	}
	at := now
	if first := r.Gates[0].StartedAt; first != nil {
		at = first.Time
	}
	return junitReport("gate", at, cases)
}

// cases are the objectives of a gate that ends with a status and, where they do
// not tell why it does, the gate itself.
func (r gateResult) cases(status int) []junitCase {
	elapsed := time.Duration(0)
	if r.StartedAt != nil && r.FinishedAt != nil {
		elapsed = r.FinishedAt.Sub(r.StartedAt.Time)
	}
	told := status == Done && len(r.Objectives) > 0
	var out []junitCase
	for _, o := range r.Objectives {
		c := junitCase{class: "gate." + r.key(), name: string(o.Name), took: elapsed}
		told = c.judge(o, status) || told
		out = append(out, c)
	}
	if told {
		return out
	}
	whole := junitCase{class: "gate", name: r.key(), took: elapsed}
	switch status {
	case Done:
	case Missed:
		whole.failure = r.headline()
	default:
		whole.trouble = r.headline()
	}
	return append(out, whole)
}

// judge says what was found of an objective of a gate that ends with a status,
// and whether that tells why it does.
func (c *junitCase) judge(o v1alpha1.GateObjective, status int) bool {
	why := strings.TrimSuffix(o.Reason+": "+o.Message, ": ")
	switch {
	case o.Verdict == v1alpha1.GateObjectiveFails:
		c.failure = why
	case o.Verdict == v1alpha1.GateObjectiveUnknown && status == Undecided:
		c.trouble = why
	case o.Verdict == v1alpha1.GateObjectiveUnknown:
		c.skipped = why
		return false
	default:
		return false
	}
	return true
}
