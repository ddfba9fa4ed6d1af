package compile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
)

const fieldParameters = "spec.parameters"

// longest is the length in bytes of the longest value of a parameter.
const longest = 256

var kinds = map[v1alpha1.ParameterType]promql.ValueKind{
	v1alpha1.ParameterTypeString: promql.TextValue, v1alpha1.ParameterTypeRegex: promql.PatternValue,
	v1alpha1.ParameterTypeNumber: promql.NumberValue, v1alpha1.ParameterTypeDuration: promql.DurationValue,
}

func typeOf(p v1alpha1.Parameter) v1alpha1.ParameterType {
	return cmp.Or(p.Type, v1alpha1.ParameterTypeString)
}

// valuesOf gives each parameter the value that an objective gives, or its default.
func valuesOf(declared []v1alpha1.Parameter, given map[string]v1alpha1.ParameterValue) (map[string]promql.Value, error) {
	out := map[string]promql.Value{}
	for i, p := range declared {
		if err := checkPattern(i, p); err != nil {
			return nil, err
		}
		name := string(p.Name)
		value, ok := given[name]
		if !ok && p.Default == nil {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidParameter, Field: fieldRef + ".parameters", Err: fmt.Errorf("%s is missing and has no default: add it, %s", name, hint(p))}
		}
		if !ok {
			value = defaultOf(p)
			if err := checkValue(p, value); err != nil {
				return nil, &Error{Reason: v1alpha1.ReasonInvalidIndicator, Field: fmt.Sprintf("%s[%d].default", fieldParameters, i), Err: err}
			}
		} else if err := checkValue(p, value); err != nil {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidParameter, Field: fieldRef + ".parameters." + name, Err: err}
		}
		out[name] = promql.Value{Kind: kinds[typeOf(p)], Text: string(value)}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := out[name]; !known {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidParameter, Field: fieldRef + ".parameters." + name, Err: fmt.Errorf("the indicator has no such parameter: %s", names(declared))}
		}
	}
	return out, nil
}

func checkPattern(i int, p v1alpha1.Parameter) error {
	if _, err := regexp.Compile(p.Pattern); err != nil {
		return &Error{Reason: v1alpha1.ReasonInvalidIndicator, Field: fmt.Sprintf("%s[%d].pattern", fieldParameters, i), Err: err}
	}
	return nil
}

// hint words what to write for a parameter.
func hint(p v1alpha1.Parameter) string {
	out := "a " + string(typeOf(p))
	if p.Description != "" {
		out += " (" + strings.TrimSuffix(p.Description, ".") + ")"
	}
	return out
}

var number = regexp.MustCompile(`^-?[0-9]{1,15}([.][0-9]{1,15})?$`)

// checkValue checks a value against the type and the pattern of its parameter.
func checkValue(p v1alpha1.Parameter, value v1alpha1.ParameterValue) error {
	text := string(value)
	if err := checkText(text); err != nil {
		return err
	}
	if err := checkType(typeOf(p), text); err != nil {
		return err
	}
	if p.Pattern != "" && !regexp.MustCompile(`^(?:`+p.Pattern+`)$`).MatchString(text) {
		return fmt.Errorf("%q does not match the pattern %s: write %s", text, p.Pattern, hint(p))
	}
	return nil
}

func checkType(of v1alpha1.ParameterType, text string) error {
	switch of {
	case v1alpha1.ParameterTypeNumber:
		if !number.MatchString(text) {
			return fmt.Errorf("%q is no Number: write one such as \"2.5\"", text)
		}
	case v1alpha1.ParameterTypeDuration:
		if d, err := model.ParseDuration(text); err != nil || d <= 0 {
			return fmt.Errorf("%q is no Duration: write one such as \"5m\"", text)
		}
	case v1alpha1.ParameterTypeRegex:
		if _, err := regexp.Compile(text); err != nil {
			return fmt.Errorf("%q is no Regex: %w", text, err)
		}
	case v1alpha1.ParameterTypeString:
	}
	return nil
}

// checkText refuses what no label of a sane exporter holds.
func checkText(text string) error {
	switch {
	case len(text) > longest:
		return fmt.Errorf("it has %d bytes: write at most %d", len(text), longest)
	case !utf8.ValidString(text):
		return errors.New("it is no UTF-8: write plain text")
	case strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("%q holds a line break or another control character: leave it out", text)
	case strings.Contains(text, interval):
		return fmt.Errorf("%q holds %s, which is the range of a query: leave it out", text, interval)
	}
	return nil
}

// filling is a template that is being filled. It keeps the first mistake, so that a
// template reads as what it is.
type filling struct {
	values map[string]promql.Value
	used   map[string]bool
	err    error
}

// end gives the first mistake. A parameter that nothing uses is one: who sets it
// would believe that it has an effect.
func (t *filling) end(declared []v1alpha1.Parameter) error {
	for i, p := range declared {
		if t.err == nil && !t.used[string(p.Name)] {
			t.err = &Error{
				Reason: v1alpha1.ReasonInvalidIndicator, Field: fmt.Sprintf("%s[%d]", fieldParameters, i),
				Err: fmt.Errorf("the template uses no ${%s}: use it, or remove the parameter", p.Name),
			}
		}
	}
	return t.err
}

func (t *filling) fail(field string, err error) {
	if t.err != nil || err == nil {
		return
	}
	reason := v1alpha1.ReasonInvalidIndicator
	if errors.Is(err, promql.ErrValue) {
		reason = v1alpha1.ReasonInvalidParameter
	}
	t.err = &Error{Reason: reason, Field: fieldTemplate + field, Err: err}
}

func (t *filling) uses(text string) {
	if t.used == nil {
		t.used = map[string]bool{}
	}
	for _, name := range promql.Placeholders(text) {
		t.used[name] = true
	}
}

// selector fills an expression that may be absent.
func (t *filling) selector(field string, text v1alpha1.Selector) v1alpha1.Selector {
	return v1alpha1.Selector(t.expression(field, string(text)))
}

func (t *filling) expression(field, text string) string {
	if text == "" {
		return ""
	}
	t.uses(text)
	// It is a range, and no parameter.
	out, err := promql.Fill(atMinute(text), t.values)
	t.fail(field, err)
	return out
}

func (t *filling) matchers(field string, text v1alpha1.Matchers) v1alpha1.Matchers {
	if text == "" {
		return ""
	}
	t.uses(string(text))
	out, err := promql.FillMatchers(string(text), t.values)
	t.fail(field, err)
	return v1alpha1.Matchers(out)
}

// number fills a number that may be absent.
func (t *filling) number(field string, text v1alpha1.NumberOrParameter) v1alpha1.Decimal {
	name, refers := strings.CutPrefix(string(text), "${")
	if !refers {
		return v1alpha1.Decimal(text)
	}
	name = strings.TrimSuffix(name, "}")
	t.uses(string(text))
	value, known := t.values[name]
	if !known || value.Kind != promql.NumberValue {
		t.fail(field, fmt.Errorf("%s is no parameter of type Number: add it to %s", text, fieldParameters))
	}
	return v1alpha1.Decimal(value.Text)
}

// fill fills each member that is set.
func (t *filling) fill(in v1alpha1.IndicatorTemplate) v1alpha1.ObjectiveIndicator {
	out := v1alpha1.ObjectiveIndicator{}
	if e := in.Events; e != nil {
		out.Events = &v1alpha1.EventsIndicator{
			Good: t.selector("events.good", e.Good), Bad: t.selector("events.bad", e.Bad), Total: t.selector("events.total", e.Total),
		}
	}
	if d := in.Distribution; d != nil {
		out.Distribution = &v1alpha1.DistributionIndicator{
			Histogram: t.selector("distribution.histogram", d.Histogram), Format: d.Format, Interpolate: d.Interpolate,
			Threshold: t.number("distribution.threshold", d.Threshold), PoorAbove: t.number("distribution.poorAbove", d.PoorAbove),
		}
	}
	if a := in.Apdex; a != nil {
		out.Apdex = &v1alpha1.ApdexIndicator{
			Histogram: t.selector("apdex.histogram", a.Histogram), Format: a.Format, Interpolate: a.Interpolate,
			Satisfied: t.number("apdex.satisfied", a.Satisfied), Tolerated: t.number("apdex.tolerated", a.Tolerated),
			Failed: t.matchers("apdex.failed", a.Failed),
		}
	}
	if s := in.Score; s != nil {
		out.Score = t.score(s)
	}
	if s := in.State; s != nil {
		out.State = &v1alpha1.StateIndicator{
			Query:    v1alpha1.PromQL(t.expression("state.query", string(s.Query))),
			Operator: s.Operator, Value: t.number("state.value", s.Value), NoData: s.NoData,
		}
	}
	if q := in.Queries; q != nil {
		out.Queries = &v1alpha1.QueriesIndicator{
			Points: v1alpha1.PromQL(t.expression("queries.points", string(q.Points))),
			Events: v1alpha1.PromQL(t.expression("queries.events", string(q.Events))),
		}
	}
	return out
}

func (t *filling) score(in *v1alpha1.ScoreIndicator) *v1alpha1.ScoreIndicator {
	out := &v1alpha1.ScoreIndicator{}
	if m := in.Mean; m != nil {
		out.Mean = &v1alpha1.MeanScore{
			Sum: t.selector("score.mean.sum", m.Sum), Count: t.selector("score.mean.count", m.Count), Lowest: m.Lowest, Highest: m.Highest,
		}
	}
	if n := in.NetPromoter; n != nil {
		out.NetPromoter = &v1alpha1.NetPromoterScore{
			Promoters: t.selector("score.netPromoter.promoters", n.Promoters), Detractors: t.selector("score.netPromoter.detractors", n.Detractors),
			Responses: t.selector("score.netPromoter.responses", n.Responses),
		}
	}
	return out
}
