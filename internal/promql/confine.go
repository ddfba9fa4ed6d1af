package promql

import (
	"errors"
	"fmt"
	"regexp"
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
	if slices.ContainsFunc(c, func(m *labels.Matcher) bool { return m.Name == label && m.Value == value }) {
		return c
	}
	out := append(slices.Clone(c), labels.MustNewMatcher(labels.MatchEqual, label, value))
	// One order, so that the same object always gives the same text.
	slices.SortFunc(out, func(a, b *labels.Matcher) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// ConfineAny adds a label that must have one of the values.
func (c Confinement) ConfineAny(label string, values ...string) Confinement {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = regexp.QuoteMeta(value)
	}
	return append(slices.Clone(c), labels.MustNewMatcher(labels.MatchRegexp, label, strings.Join(quoted, "|")))
}

// Without leaves labels out.
func (c Confinement) Without(names ...string) Confinement {
	return slices.DeleteFunc(slices.Clone(c), func(m *labels.Matcher) bool { return slices.Contains(names, m.Name) })
}

// Labels gives the labels with the one value that each must have.
func (c Confinement) Labels() map[string]string {
	out := map[string]string{}
	for _, m := range c {
		if m.Type == labels.MatchEqual {
			out[m.Name] = m.Value
		}
	}
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
