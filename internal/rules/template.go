package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// literal writes a text so that a template prints it as it is.
func literal(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }

// checkTemplates finds the first annotation that Prometheus would refuse, and
// with it all rules of the file.
func checkTemplates(a compile.Alerts) error {
	for _, kind := range []struct {
		field string
		alert compile.Alert
	}{{"page", a.Page}, {"ticket", a.Ticket}, {"dataAbsent", a.Absent}} {
		for _, name := range sorted(kind.alert.Annotations) {
			if err := checkTemplate(name, kind.alert.Annotations[name]); err != nil {
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

func checkTemplate(name, text string) error {
	rule := rulefmt.Rule{Alert: BudgetBurn, Expr: "vector(1)", Annotations: map[string]string{name: text}}
	for _, fault := range rule.Validate(rulefmt.RuleNode{}, model.LegacyValidation, parser.NewParser(parser.Options{})) {
		return fmt.Errorf("%q is no template of Prometheus: %w", text, innermost(fault.Unwrap()))
	}
	return nil
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
