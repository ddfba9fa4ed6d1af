// Package promql builds the PromQL that counts experiences and checks the
// PromQL that people write. Every expression it returns has been through
// Prometheus' own parser; nothing that a person wrote is pasted unparsed.
package promql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// MaxLength is the length in bytes of the longest expression that is parsed:
// the parser takes time quadratic in nesting and cannot be cancelled.
const MaxLength = 4096

// shown is how much of a faulty expression an error repeats.
const shown = 80

var plain = parser.NewParser(parser.Options{})

// Parse checks an expression that a person wrote. The error quotes it and says
// where it breaks.
func Parse(expr string) (parser.Expr, error) {
	if len(expr) > MaxLength {
		return nil, fmt.Errorf("the expression has %d characters: write at most %d, or record a part of it as a rule", len(expr), MaxLength)
	}
	parsed, err := plain.ParseExpr(expr)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", quote(expr), firstError(err))
	}
	return parsed, nil
}

// ParseValues checks an expression that must give numbers at one moment and
// returns it as an instant vector.
func ParseValues(expr string) (string, error) {
	parsed, err := Parse(expr)
	if err != nil {
		return "", err
	}
	switch parsed.Type() {
	case parser.ValueTypeVector:
		return parsed.String(), nil
	case parser.ValueTypeScalar:
		return "vector(" + parsed.String() + ")", nil
	default:
		return "", fmt.Errorf("%s gives a %s: write an expression that gives an instant vector or a scalar", quote(expr), parser.DocumentedType(parsed.Type()))
	}
}

// ParseMatchers checks matchers in braces, such as `{code=~"5.."}`.
func ParseMatchers(matchers string) ([]*labels.Matcher, error) {
	if len(matchers) > MaxLength {
		return nil, fmt.Errorf("the matchers have %d characters: write at most %d", len(matchers), MaxLength)
	}
	if !strings.HasPrefix(matchers, "{") {
		return nil, fmt.Errorf("%s does not begin with a brace: write matchers such as {code=~\"5..\"}", quote(matchers))
	}
	parsed, err := plain.ParseMetricSelector(matchers)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", quote(matchers), firstError(err))
	}
	if len(parsed) == 0 {
		return nil, fmt.Errorf("%s matches everything: write matchers such as {code=~\"5..\"}", quote(matchers))
	}
	for _, m := range parsed {
		if m.Name == model.MetricNameLabel {
			return nil, fmt.Errorf("%s names a metric: write matchers of labels only", quote(matchers))
		}
	}
	return parsed, nil
}

// check parses an expression that this package built. A failure is a fault of
// the package, found by its tests, and still never reaches a server.
func check(expr string) (string, error) {
	parsed, err := plain.ParseExpr(expr)
	if err != nil {
		return "", fmt.Errorf("check built expression %s: %w", quote(expr), firstError(err))
	}
	return parsed.String(), nil
}

// firstError keeps the first of the parser's complaints: the others follow
// from it.
func firstError(err error) error {
	var all parser.ParseErrors
	if errors.As(err, &all) && len(all) > 0 {
		return &all[0]
	}
	return err
}

func quote(expr string) string {
	if len(expr) > shown {
		expr = expr[:shown] + "..."
	}
	return fmt.Sprintf("%q", expr)
}
