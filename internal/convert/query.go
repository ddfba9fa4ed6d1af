package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/internal/promql"
)

// placeholder is how the formats write the window that a query is over.
var placeholder = regexp.MustCompile(`\{\{-?\s*\.window\s*-?\}\}|\$\{?(window|interval|__interval|__rate_interval|__range)\b\}?`)

// sentinel stands for it while a query is parsed: a prime number of seconds that
// nobody writes.
const sentinel = 7919 * time.Second

// interval is the operator's own.
const interval = "$interval"

// query is a parsed query.
type query struct {
	expr parser.Expr
	// windowed says that the window occurs in it.
	windowed bool
}

func parseQuery(text string) (query, error) {
	filled := placeholder.ReplaceAllString(text, model.Duration(sentinel).String())
	if strings.Contains(filled, "{{") {
		return query{}, fmt.Errorf("it holds a template: write the query that it makes, with {{.window}} alone")
	}
	expr, err := promql.Parse(filled)
	if err != nil {
		return query{}, err
	}
	return query{expr: expr, windowed: filled != text}, nil
}

// overInterval writes the expression with $interval in place of the window.
func (q query) overInterval() string {
	printed := q.expr.String()
	window := model.Duration(sentinel).String()
	for _, behind := range []string{"]", ":"} {
		printed = strings.ReplaceAll(printed, "["+window+behind, "["+interval+behind)
	}
	return printed
}

// astray says that the window occurs elsewhere than as a range, where it would
// stay the sentinel: as an offset, a step, a number, or a part of a name.
func (q query) astray() bool {
	return q.windowed && strings.Contains(q.overInterval(), model.Duration(sentinel).String())
}

// calls says whether a function occurs in the expression.
func (q query) calls(function string) bool {
	found := false
	parser.Inspect(q.expr, func(node parser.Node, _ []parser.Node) error {
		call, ok := node.(*parser.Call)
		found = found || ok && call.Func.Name == function
		return nil
	})
	return found
}

// grouped says whether an expression keeps groups apart, by labels or without
// some: those inside of an aggregation into one are one already.
func grouped(e parser.Node) bool {
	if a, ok := e.(*parser.AggregateExpr); ok && (a.Without || len(a.Grouping) > 0) {
		return true
	} else if ok && slices.Contains([]parser.ItemType{parser.SUM, parser.AVG, parser.MIN, parser.MAX, parser.COUNT}, a.Op) {
		return false
	}
	for child := range parser.ChildrenIter(e) {
		if grouped(child) {
			return true
		}
	}
	return false
}

// term is a counter and the weight that it has in a sum.
type term struct {
	weight   float64
	selector *parser.VectorSelector
}

func (t term) String() string { return t.selector.String() }

// sum is a weighted sum of counters: what most queries are.
type sum struct {
	terms []term
	// function is rate or increase, or empty where the counters stand alone.
	function string
	// single says that there is one series.
	single bool
}

// sumOf reads an expression as a sum of counters.
func sumOf(e parser.Expr) (sum, bool) {
	switch e := e.(type) {
	case *parser.ParenExpr:
		return sumOf(e.Expr)
	case *parser.VectorSelector:
		return counterOf(e, "")
	case *parser.Call:
		return callOf(e)
	case *parser.AggregateExpr:
		return aggregateOf(e)
	case *parser.BinaryExpr:
		return binaryOf(e)
	default:
		return sum{}, false
	}
}

func counterOf(v *parser.VectorSelector, function string) (sum, bool) {
	if v.OriginalOffset != 0 || v.Timestamp != nil || v.StartOrEnd != 0 || v.OriginalOffsetExpr != nil {
		return sum{}, false
	}
	if _, err := promql.ParseSelector(v.String()); err != nil {
		return sum{}, false
	}
	return sum{terms: []term{{1, v}}, function: function}, true
}

func callOf(e *parser.Call) (sum, bool) {
	if e.Func.Name != "rate" && e.Func.Name != "increase" {
		return sum{}, false
	}
	matrix, ok := e.Args[0].(*parser.MatrixSelector)
	if !ok {
		return sum{}, false
	}
	return counterOf(matrix.VectorSelector.(*parser.VectorSelector), e.Func.Name)
}

func aggregateOf(e *parser.AggregateExpr) (sum, bool) {
	if e.Op != parser.SUM {
		return sum{}, false
	}
	out, ok := sumOf(e.Expr)
	out.single = !e.Without && len(e.Grouping) == 0
	return out, ok
}

func binaryOf(e *parser.BinaryExpr) (sum, bool) {
	left, ok := sumOf(e.LHS)
	if !ok {
		return sum{}, false
	}
	if saysNothing(e) {
		return left, true
	}
	if factor, ok := factorOf(e); ok {
		return left.times(factor), true
	}
	right, ok := sumOf(e.RHS)
	if !ok || !left.single || !right.single || left.function != right.function {
		return sum{}, false
	}
	switch e.Op {
	case parser.ADD:
		return left.plus(right), true
	case parser.SUB:
		return left.plus(right.times(-1)), true
	default:
		return sum{}, false
	}
}

// saysNothing finds a zero in place of what is not there, and what leaves zeros
// out: what is not there is 0 here, and what is 0 weighs nothing.
func saysNothing(e *parser.BinaryExpr) bool {
	return (e.Op == parser.LOR || e.Op == parser.GTR && !e.ReturnBool) && isZero(e.RHS)
}

// factorOf is the number by which an expression is multiplied or divided.
func factorOf(e *parser.BinaryExpr) (float64, bool) {
	by, ok := e.RHS.(*parser.NumberLiteral)
	switch {
	case ok && e.Op == parser.MUL:
		return by.Val, true
	case ok && e.Op == parser.DIV && by.Val != 0:
		return 1 / by.Val, true
	default:
		return 0, false
	}
}

func isZero(e parser.Expr) bool {
	switch e := e.(type) {
	case *parser.ParenExpr:
		return isZero(e.Expr)
	case *parser.NumberLiteral:
		return e.Val == 0
	case *parser.Call:
		return e.Func.Name == "vector" && isZero(e.Args[0])
	default:
		return false
	}
}

func (s sum) times(factor float64) sum {
	s.terms = slices.Clone(s.terms)
	for i := range s.terms {
		s.terms[i].weight *= factor
	}
	return s
}

// plus adds another sum; what cancels out is gone.
func (s sum) plus(other sum) sum {
	out := sum{function: s.function, single: s.single && other.single}
	for _, t := range append(slices.Clone(s.terms), other.terms...) {
		at := slices.IndexFunc(out.terms, func(o term) bool { return same(o.selector, t.selector) })
		if at < 0 {
			out.terms = append(out.terms, t)
			continue
		}
		out.terms[at].weight += t.weight
	}
	out.terms = slices.DeleteFunc(out.terms, func(t term) bool { return t.weight == 0 })
	return out
}

// one is the sum as one counter: its only one, or the several that differ in
// nothing but the value of a label.
func (s sum) one() (term, bool) {
	if len(s.terms) == 0 {
		return term{}, false
	}
	if len(s.terms) == 1 {
		return s.terms[0], true
	}
	label, ok := s.difference()
	if !ok {
		return term{}, false
	}
	var values []string
	var kept []*labels.Matcher
	for _, t := range s.terms {
		values = append(values, regexp.QuoteMeta(valueOf(t.selector, label)))
	}
	for _, m := range s.terms[0].selector.LabelMatchers {
		if m.Name == label {
			m = labels.MustNewMatcher(labels.MatchRegexp, label, strings.Join(values, "|"))
		}
		kept = append(kept, m)
	}
	first := s.terms[0].selector
	return term{s.terms[0].weight, &parser.VectorSelector{Name: first.Name, LabelMatchers: kept}}, true
}

// difference finds the label by whose value alone all counters differ.
func (s sum) difference() (string, bool) {
	first := s.terms[0]
	label := firstDifference(first.selector, s.terms[1].selector)
	seen := map[string]bool{}
	for _, t := range s.terms {
		value := valueOf(t.selector, label)
		if value == "" || seen[value] || t.weight != first.weight || !slices.Equal(matchersOf(t.selector, label), matchersOf(first.selector, label)) {
			return "", false
		}
		seen[value] = true
	}
	return label, true
}

// firstDifference is a label that must have another value in another selector.
func firstDifference(a, b *parser.VectorSelector) string {
	for _, m := range a.LabelMatchers {
		if m.Name != model.MetricNameLabel && valueOf(a, m.Name) != valueOf(b, m.Name) {
			return m.Name
		}
	}
	return ""
}

// valueOf is the value that a label must equal.
func valueOf(v *parser.VectorSelector, label string) string {
	for _, m := range v.LabelMatchers {
		if m.Name == label && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// matchersOf are the matchers of a selector in order, without those of a label.
func matchersOf(v *parser.VectorSelector, but ...string) []string {
	var out []string
	for _, m := range v.LabelMatchers {
		if !slices.Contains(but, m.Name) {
			out = append(out, m.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func same(a, b *parser.VectorSelector) bool {
	return slices.Equal(matchersOf(a), matchersOf(b))
}

// increase writes the sum as it grows over a range. A counter that is not there
// adds nothing. Counters of several names may have the same labels, so each gets
// a label of its own.
func (s sum) increase(over string) string {
	if len(s.terms) == 1 && s.terms[0].weight == 1 {
		return fmt.Sprintf("sum(increase(%s[%s]))", s.terms[0], over)
	}
	var parts []string
	for i, t := range s.terms {
		part := fmt.Sprintf(`label_replace(increase(%s[%s]), "term", "%d", "", "")`, t, over, i+1)
		if t.weight != 1 {
			part = fmt.Sprintf("%g * %s", t.weight, part)
		}
		parts = append(parts, part)
	}
	return "sum(" + strings.Join(parts, " or ") + ")"
}
