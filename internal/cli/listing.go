package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// What validate prints.
const (
	outputText  = "text"
	outputSARIF = "sarif"
)

var validateOutputs = []string{outputText, outputJSON, outputSARIF}

// Severities of mistakes; they are SARIF's levels too.
const (
	severityError   = "error"
	severityWarning = "warning"
)

func (m mistake) severity() string {
	if m.warning {
		return severityWarning
	}
	return severityError
}

// listMistakes writes the mistakes in the order of the files.
func (v *inventory) listMistakes(output, version string) ([]byte, error) {
	all := v.report()
	switch output {
	case outputJSON:
		return mistakesAsJSON(all)
	case outputSARIF:
		return mistakesAsSARIF(all, version)
	default:
		var out bytes.Buffer
		for _, m := range all {
			fmt.Fprintln(&out, m)
		}
		return out.Bytes(), nil
	}
}

// listed is a mistake as programs read it.
type listed struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Severity string `json:"severity"`
	Rule     string `json:"rule"`
	Object   string `json:"object,omitempty"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message"`
}

func mistakesAsJSON(all []mistake) ([]byte, error) {
	out := []listed{}
	for _, m := range all {
		out = append(out, listed{m.file, m.line, m.severity(), m.rule, m.object, m.field, m.text})
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write mistakes: %w", err)
	}
	return append(text, '\n'), nil
}

// descriptions are the rules that a manifest can break, for readers of SARIF. The
// reasons of the operator that are not here describe themselves.
var descriptions = map[string]string{
	ruleDocument:  "A document is YAML or JSON and holds one object.",
	ruleSchema:    "An object has the fields that its kind has, with values that are allowed.",
	ruleDuplicate: "An object is declared once.",
	ruleMetric:    "The series that an objective counts are there.",
}

// informationURI is where the rules are explained.
const informationURI = "https://github.com/experience-slo/operator/blob/main/docs/cli.md"

// mistakesAsSARIF writes the Static Analysis Results Interchange Format 2.1.0,
// which code hosts show beside the lines of a change.
func mistakesAsSARIF(all []mistake, version string) ([]byte, error) {
	run := sarif.NewRunWithInformationURI("kubectl-experience", informationURI)
	if version != "" {
		run.Tool.Driver.WithVersion(version)
	}
	for _, m := range all {
		rule := run.AddRule(m.rule)
		if text := descriptions[m.rule]; text != "" {
			rule.WithShortDescription(sarif.NewMultiformatMessageString().WithText(text))
		}
		text := m.fault.String()
		if m.object != "" {
			text = m.object + ": " + text
		}
		run.CreateResultForRule(m.rule).WithLevel(m.severity()).WithMessage(sarif.NewTextMessage(text)).
			AddLocation(sarif.NewLocationWithPhysicalLocation(sarif.NewPhysicalLocation().
				WithArtifactLocation(sarif.NewSimpleArtifactLocation(filepath.ToSlash(m.file))).
				WithRegion(sarif.NewSimpleRegion(m.line, m.line))))
	}
	report := sarif.NewReport()
	report.AddRun(run)
	var out bytes.Buffer
	if err := report.PrettyWrite(&out); err != nil {
		return nil, fmt.Errorf("write mistakes: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
