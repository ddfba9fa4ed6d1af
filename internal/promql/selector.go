package promql

import (
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Selector is a checked plain selector: one metric name and matchers. The zero
// value selects nothing and is not valid.
type Selector struct {
	name     string
	matchers []*labels.Matcher
}

// ParseSelector checks that a person wrote a plain selector: no function, no
// range, no offset. The error says what was found instead and what to write.
func ParseSelector(text string) (Selector, error) {
	parsed, err := Parse(text)
	if err != nil {
		return Selector{}, err
	}
	vector, err := plainVector(parsed)
	if err != nil {
		return Selector{}, fmt.Errorf("%s is %w", quote(text), err)
	}
	return newSelector(text, vector.LabelMatchers)
}

func plainVector(parsed parser.Expr) (*parser.VectorSelector, error) {
	switch e := parsed.(type) {
	case *parser.ParenExpr:
		return plainVector(e.Expr)
	case *parser.VectorSelector:
		if e.OriginalOffset != 0 || e.Timestamp != nil || e.StartOrEnd != 0 {
			return nil, fmt.Errorf("a selector with offset or @: write the plain selector %s", bare(e))
		}
		return e, nil
	case *parser.MatrixSelector:
		vector, _ := e.VectorSelector.(*parser.VectorSelector)
		return nil, fmt.Errorf("a range selector: write the plain selector %s", bare(vector))
	case *parser.Call:
		return nil, fmt.Errorf("a call of %s: write the plain counter selector inside it%s", e.Func.Name, inside(e))
	default:
		return nil, fmt.Errorf("an expression: write a plain selector, a metric name with matchers%s", inside(e))
	}
}

// inside names the first selector of an expression, as a suggestion.
func inside(e parser.Expr) string {
	found := ""
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		if vector, ok := node.(*parser.VectorSelector); ok && found == "" {
			found = ", such as " + bare(vector)
		}
		return nil
	})
	return found
}

func bare(v *parser.VectorSelector) string {
	return (&parser.VectorSelector{Name: v.Name, LabelMatchers: v.LabelMatchers}).String()
}

func newSelector(text string, matchers []*labels.Matcher) (Selector, error) {
	s := Selector{}
	for _, m := range matchers {
		if m.Name != model.MetricNameLabel {
			s.matchers = append(s.matchers, m)
			continue
		}
		if m.Type != labels.MatchEqual {
			return Selector{}, fmt.Errorf("%s selects several metrics by name: name one metric", quote(text))
		}
		if s.name != "" && s.name != m.Value {
			return Selector{}, fmt.Errorf("%s names two metrics: name one metric", quote(text))
		}
		s.name = m.Value
	}
	if s.name == "" {
		return Selector{}, fmt.Errorf("%s names no metric: write a metric name before the braces", quote(text))
	}
	return s, nil
}

// Name is the metric's name.
func (s Selector) Name() string { return s.name }

// WithSuffix selects the metric whose name has the suffix added, with the same
// matchers.
func (s Selector) WithSuffix(suffix string) Selector {
	return Selector{name: s.name + suffix, matchers: s.matchers}
}

// With adds matchers.
func (s Selector) With(matchers ...*labels.Matcher) Selector {
	return Selector{name: s.name, matchers: append(slices.Clone(s.matchers), matchers...)}
}

// WithLE selects the bucket of a boundary. The boundary's text is "1" with one
// library and "1.0" with another (prometheus/prometheus#8367).
func (s Selector) WithLE(boundary float64) Selector {
	if all := spellings(boundary); len(all) == 1 {
		return s.With(labels.MustNewMatcher(labels.MatchEqual, labels.BucketLabel, all[0]))
	}
	return s.With(labels.MustNewMatcher(labels.MatchRegexp, labels.BucketLabel, boundaryPattern(boundary)))
}

// String prints the selector as PromQL. A name that reads as something else, as
// inf and names with a space or a dot do, is printed as a matcher.
func (s Selector) String() string {
	name := labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, s.name)
	printed := &parser.VectorSelector{LabelMatchers: append([]*labels.Matcher{name}, s.matchers...)}
	if bare, err := plain.ParseExpr(s.name); err == nil {
		if vector, ok := bare.(*parser.VectorSelector); ok && vector.Name == s.name {
			printed.Name = s.name
		}
	}
	return printed.String()
}
