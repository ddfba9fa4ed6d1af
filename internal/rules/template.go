package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// literal writes a text so that a template prints it as it is.
func literal(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }

// checkTemplates finds the first annotation that Prometheus would refuse, and
// with it all rules of the file. A source that confines queries confines those
// of templates too, and can do so only by refusing them.
func checkTemplates(a compile.Alerts, confined bool) error {
	for _, kind := range []struct {
		field string
		alert compile.Alert
	}{{"page", a.Page}, {"ticket", a.Ticket}, {"dataAbsent", a.Absent}} {
		for _, name := range sorted(kind.alert.Annotations) {
			if err := checkTemplate(name, kind.alert.Annotations[name], confined); err != nil {
				return &compile.Error{
					Reason: v1alpha1.ReasonInvalidSpec,
					Field:  "spec.alerting." + kind.field + ".annotations." + name,
					Err:    err,
				}
			}
		}
	}
	return nil
}

func checkTemplate(name, text string, confined bool) error {
	rule := rulefmt.Rule{Alert: BudgetBurn, Expr: "vector(1)", Annotations: map[string]string{name: text}}
	for _, fault := range rule.Validate(rulefmt.RuleNode{}, model.LegacyValidation, parser.NewParser(parser.Options{})) {
		return fmt.Errorf("%q is no template of Prometheus: %w", text, innermost(fault.Unwrap()))
	}
	if !confined {
		return nil
	}
	asks, err := calls(text, "query")
	if err == nil && asks {
		err = fmt.Errorf("%q calls query, and the metric source confines every query to labels: use $value and $labels", text)
	}
	return err
}

// innermost is the cause without the names that Prometheus gives to templates.
func innermost(err error) error {
	for {
		cause := errors.Unwrap(err)
		if cause == nil {
			return err
		}
		err = cause
	}
}

// calls says whether a template calls a function.
func calls(text, function string) (bool, error) {
	trees := map[string]*parse.Tree{}
	tree := parse.New("annotation")
	tree.Mode = parse.SkipFuncCheck
	// Prometheus declares these before it reads an annotation.
	const declared = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	if _, err := tree.Parse(declared+text, "", "", trees); err != nil {
		return false, fmt.Errorf("parse template: %w", err)
	}
	for _, tree := range trees {
		if nodeCalls(tree.Root, function) {
			return true, nil
		}
	}
	return false, nil
}

func nodeCalls(node parse.Node, function string) bool {
	if name, ok := node.(*parse.IdentifierNode); ok {
		return name.Ident == function
	}
	return slices.ContainsFunc(children(node), func(child parse.Node) bool { return nodeCalls(child, function) })
}

// children are the nodes within a node that can hold a call.
func children(node parse.Node) []parse.Node {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			return n.Nodes
		}
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}
	case *parse.TemplateNode:
		return []parse.Node{n.Pipe}
	case *parse.PipeNode:
		return commands(n)
	case *parse.CommandNode:
		return n.Args
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	default:
		return branches(n)
	}
	return nil
}

// branches are the parts of a node that chooses or repeats.
func branches(node parse.Node) []parse.Node {
	switch n := node.(type) {
	case *parse.IfNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.RangeNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.WithNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	}
	return nil
}

func commands(pipe *parse.PipeNode) []parse.Node {
	if pipe == nil { // of a template that is called without arguments
		return nil
	}
	out := make([]parse.Node, len(pipe.Cmds))
	for i, command := range pipe.Cmds {
		out[i] = command
	}
	return out
}
