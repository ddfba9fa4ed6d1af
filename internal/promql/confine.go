package promql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus-community/prom-label-proxy/injectproxy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Confinement is the labels that every selector of a query must have. The zero
// value confines nothing.
type Confinement []*labels.Matcher

// Confine adds a label that every series read must have.
func (c Confinement) Confine(label, value string) Confinement {
	out := append(slices.Clone(c), labels.MustNewMatcher(labels.MatchEqual, label, value))
	// One order, so that the same object always gives the same text.
	slices.SortFunc(out, func(a, b *labels.Matcher) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Apply checks an expression and adds the labels to each of its selectors. A
// selector that asks for another value of such a label is an error, not an
// empty answer.
func (c Confinement) Apply(expr string) (string, error) {
	expr, err := check(expr)
	if err != nil {
		return "", err
	}
	// One label at a time: the injector adds several in random order.
	for _, matcher := range c {
		enforcer := injectproxy.NewPromQLEnforcerWithOptions(true, parser.Options{}, matcher)
		confined, err := enforcer.Enforce(expr)
		if errors.Is(err, injectproxy.ErrIllegalLabelMatcher) {
			return "", fmt.Errorf("the metric source confines every query to %s: remove the matcher on %q (%w)", matcher, matcher.Name, err)
		}
		if err != nil {
			return "", fmt.Errorf("add matcher %s: %w", matcher, err)
		}
		expr = confined
	}
	return expr, nil
}
