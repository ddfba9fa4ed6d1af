package promql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// ValueKind says what a parameter's value may stand for.
type ValueKind int

const (
	// TextValue is the value of a label.
	TextValue ValueKind = iota
	// PatternValue is a regular expression that the value of a label matches.
	PatternValue
	// NumberValue is a plain decimal number.
	NumberValue
	// DurationValue is a Prometheus duration.
	DurationValue
)

// Value is the value of a parameter, which was checked to be one of its kind.
type Value struct {
	Kind ValueKind
	Text string
}

// ErrValue is wrapped by errors that the value of a parameter is to blame for, and
// not the template.
var ErrValue = errors.New("value of a parameter")

// placeholder is how a template refers to a parameter, and opening how such a
// reference begins.
var placeholder = regexp.MustCompile(`\$\{([a-z][A-Za-z0-9]*)\}`)

const opening = "${"

// Placeholders gives the names of the parameters that a text refers to.
func Placeholders(text string) []string {
	var out []string
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		out = append(out, found[1])
	}
	return out
}

// Fill puts values in the place of ${name} in an expression. The expression is
// parsed first, with marks in the place of numbers and durations; then values of
// matchers, numbers and durations of the syntax tree are replaced. No value is ever
// parsed as PromQL, and the tree keeps its shape, which is checked at the end.
func Fill(template string, values map[string]Value) (string, error) {
	f, err := newFiller(template, values)
	if err != nil {
		return "", err
	}
	tree, err := Parse(f.marked)
	if err != nil {
		return "", err
	}
	before := shapeOf(tree)
	if err := f.walk(tree); err != nil {
		return "", err
	}
	if i := slices.Index(f.found, false); i >= 0 {
		return "", fmt.Errorf("${%s} stands where no value can: write it as the value of a label's matcher, as a number or as a duration", f.names[i])
	}
	// Matchers print themselves with their values quoted; the rest are numbers.
	out := tree.String()
	again, err := plain.ParseExpr(out)
	if err != nil || shapeOf(again) != before {
		return "", fmt.Errorf("%w: it cannot stand in %s", ErrValue, quote(template))
	}
	return out, nil
}

// FillMatchers is Fill for matchers in braces.
func FillMatchers(template string, values map[string]Value) (string, error) {
	// Braces alone are no expression where they match everything.
	const metric = "x"
	out, err := Fill(metric+template, values)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(out, metric), nil
}

// mark is the number that stands for the first reference while an expression is
// parsed: in seconds it is a duration that Prometheus can still parse.
const mark = 8_123_456_000

// filler replaces the references of one expression.
type filler struct {
	values map[string]Value
	marked string
	// names are the parameters of the marks, and found says which of them are in
	// the tree.
	names []string
	found []bool
}

func newFiller(template string, values map[string]Value) (*filler, error) {
	f := &filler{values: values}
	if strings.Contains(template, strconv.Itoa(mark/1000)) {
		return nil, fmt.Errorf("%s holds a number that templates cannot have", quote(template))
	}
	var out strings.Builder
	for _, part := range lex(template) {
		if part.code {
			text, err := f.mark(part.text)
			if err != nil {
				return nil, err
			}
			part.text = text
		}
		out.WriteString(part.text)
	}
	f.marked = out.String()
	return f, nil
}

// mark puts marks in the place of the references in code.
func (f *filler) mark(code string) (string, error) {
	var wrong error
	out := placeholder.ReplaceAllStringFunc(code, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, known := f.values[name]
		number := strconv.Itoa(mark + len(f.names))
		switch {
		case !known:
			wrong = errUnknown(name)
		case value.Kind == NumberValue:
			number = "(" + number + ")" // so that a sign stays with its number
		case value.Kind == DurationValue:
			number += "s"
		default:
			wrong = fmt.Errorf("%s is no number and no duration: write it in quotes, as the value of a label's matcher", ref)
		}
		f.names, f.found = append(f.names, name), append(f.found, false)
		return number
	})
	if wrong == nil && strings.Contains(out, opening) {
		wrong = errOpening
	}
	return out, wrong
}

func errUnknown(name string) error {
	return fmt.Errorf("${%s} is no parameter: add it to spec.parameters", name)
}

var errOpening = errors.New("${ begins the name of a parameter, such as ${app}: write [$]{ in a regular expression that means a brace")

// errElsewhere says that a reference stands where only the author of a template
// may say what is there.
func errElsewhere(text string) error {
	return fmt.Errorf("%s: a parameter cannot be the name of a label or of a metric, nor an argument of a function: write {__name__=\"${metric}\"} for the name of a metric", quote(text))
}

func (f *filler) walk(tree parser.Expr) error {
	var wrong error
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		if wrong == nil && node != nil {
			wrong = f.replace(node)
		}
		return nil
	})
	return wrong
}

// replace replaces what a node itself holds.
func (f *filler) replace(node parser.Node) error {
	switch n := node.(type) {
	case *parser.NumberLiteral:
		f.number(n)
	case *parser.MatrixSelector:
		n.Range = f.duration(n.Range)
	case *parser.SubqueryExpr:
		n.Range, n.Step, n.OriginalOffset = f.duration(n.Range), f.duration(n.Step), f.duration(n.OriginalOffset)
	case *parser.VectorSelector:
		n.OriginalOffset = f.duration(n.OriginalOffset)
		return f.selector(n)
	case *parser.StringLiteral:
		return noReference(n.Val)
	case *parser.AggregateExpr:
		return noReference(n.Grouping...)
	case *parser.BinaryExpr:
		if n.VectorMatching != nil {
			return noReference(slices.Concat(n.VectorMatching.MatchingLabels, n.VectorMatching.Include)...)
		}
	}
	return nil
}

func noReference(texts ...string) error {
	for _, text := range texts {
		if strings.Contains(text, opening) {
			return errElsewhere(text)
		}
	}
	return nil
}

func (f *filler) number(n *parser.NumberLiteral) {
	if i := int(abs(n.Val)) - mark; i >= 0 && i < len(f.names) {
		f.found[i] = true
		value, _ := f.seconds(f.names[i])
		if n.Val < 0 {
			value = -value
		}
		n.Val = value
	}
}

func abs(v float64) float64 { return max(v, -v) }

func (f *filler) duration(d time.Duration) time.Duration {
	// The parser goes through a float, which is a microsecond off.
	i := int(d.Abs().Round(time.Second)/time.Second) - mark
	if i < 0 || i >= len(f.names) {
		return d
	}
	f.found[i] = true
	_, value := f.seconds(f.names[i])
	if d < 0 {
		return -value
	}
	return value
}

// seconds gives a value as a number and as a duration.
func (f *filler) seconds(name string) (float64, time.Duration) {
	value := f.values[name]
	if value.Kind == NumberValue {
		number, _ := strconv.ParseFloat(value.Text, 64) // it was checked
		return number, time.Duration(number * float64(time.Second))
	}
	duration, _ := model.ParseDuration(value.Text) // so was it
	return time.Duration(duration).Seconds(), time.Duration(duration)
}

func (f *filler) selector(n *parser.VectorSelector) error {
	if err := noReference(n.Name); err != nil {
		return err
	}
	// The parser may share matchers between the selectors of a tree.
	n.LabelMatchers = slices.Clone(n.LabelMatchers)
	for i, m := range n.LabelMatchers {
		if err := noReference(m.Name); err != nil {
			return err
		}
		if !strings.Contains(m.Value, opening) {
			continue
		}
		filled, err := f.matcher(m)
		if err != nil {
			return err
		}
		n.LabelMatchers[i] = filled
	}
	return nil
}

// matcher replaces the references in a matcher's value.
func (f *filler) matcher(m *labels.Matcher) (*labels.Matcher, error) {
	var wrong error
	text := placeholder.ReplaceAllStringFunc(m.Value, func(ref string) string {
		value, err := f.valueIn(m.Type, ref)
		if wrong == nil {
			wrong = err
		}
		return value
	})
	if wrong == nil && strings.Contains(placeholder.ReplaceAllString(m.Value, ""), opening) {
		wrong = errOpening
	}
	if wrong != nil {
		return nil, wrong
	}
	out, err := labels.NewMatcher(m.Type, m.Name, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrValue, quote(text), err)
	}
	return out, nil
}

// valueIn gives what a reference stands for in a matcher. What stands for itself is
// quoted where the matcher's value is a regular expression.
func (f *filler) valueIn(match labels.MatchType, ref string) (string, error) {
	name := ref[2 : len(ref)-1]
	value, known := f.values[name]
	regex := match == labels.MatchRegexp || match == labels.MatchNotRegexp
	switch {
	case !known:
		return "", errUnknown(name)
	case value.Kind == PatternValue && !regex:
		return "", fmt.Errorf("%s is a regular expression: match it with =~ or !~", ref)
	case value.Kind == PatternValue:
		return "(?:" + value.Text + ")", nil
	case regex:
		return regexp.QuoteMeta(value.Text), nil
	}
	return value.Text, nil
}

// shapeOf words all of a tree but the values that a parameter may stand for.
func shapeOf(tree parser.Node) string {
	var out strings.Builder
	parser.Inspect(tree, func(node parser.Node, path []parser.Node) error {
		if node != nil {
			fmt.Fprintf(&out, "%d %T %s\n", len(path), node, own(node))
		}
		return nil
	})
	return out.String()
}

// own words what a node holds beside its children.
func own(node parser.Node) string {
	switch n := node.(type) {
	case *parser.VectorSelector:
		var out []string
		for _, m := range n.LabelMatchers {
			out = append(out, m.Name+m.Type.String())
		}
		slices.Sort(out)
		return n.Name + "{" + strings.Join(out, ",") + "}"
	case *parser.BinaryExpr:
		return fmt.Sprintf("%s %t %s", n.Op, n.ReturnBool, matching(n.VectorMatching))
	case *parser.UnaryExpr:
		return n.Op.String()
	case *parser.AggregateExpr:
		return fmt.Sprintf("%s %t %q", n.Op, n.Without, n.Grouping)
	case *parser.Call:
		return n.Func.Name
	case *parser.StringLiteral:
		return strconv.Quote(n.Val)
	default:
		return ""
	}
}

func matching(m *parser.VectorMatching) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s %t %q %q", m.Card, m.On, m.MatchingLabels, m.Include)
}
