package compile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// IndicatorKey names an indicator that objectives refer to. Namespace is empty for
// a ClusterIndicator; the zero value names none.
type IndicatorKey struct {
	Kind            v1alpha1.IndicatorKind
	Namespace, Name string
}

// String gives "Indicator shop/speed" or "ClusterIndicator web-lcp".
func (k IndicatorKey) String() string {
	if k.Namespace == "" {
		return string(k.Kind) + " " + k.Name
	}
	return string(k.Kind) + " " + k.Namespace + "/" + k.Name
}

// IndicatorOf is the key of the indicator that an objective refers to; it is false
// for an objective that says for itself how it is measured.
func IndicatorOf(o *v1alpha1.Objective) (IndicatorKey, bool) {
	ref := o.Spec.Indicator.Ref
	if ref == nil {
		return IndicatorKey{}, false
	}
	key := IndicatorKey{Kind: ref.Kind, Name: string(ref.Name)}
	if ref.Kind == v1alpha1.IndicatorKindIndicator {
		key.Namespace = o.Namespace
	}
	return key, true
}

const (
	fieldRef       = "spec.indicator.ref"
	fieldIndicator = "spec.indicator."
	fieldTemplate  = "spec.template."
)

// Missing is the mistake of an objective whose indicator does not exist.
func Missing(key IndicatorKey) *Error {
	return &Error{
		Reason: v1alpha1.ReasonIndicatorNotFound, Field: fieldRef,
		Err: fmt.Errorf("%s does not exist: create it, or name another", key),
	}
}

// Resolve gives an objective with the indicator that it refers to in the place of
// the reference, its parameters filled in. An objective without a reference is
// returned as it is.
func Resolve(in Input) (*v1alpha1.Objective, error) {
	key, refers := IndicatorOf(in.Objective)
	if !refers {
		return in.Objective, nil
	}
	if in.Indicator == nil {
		return nil, Missing(key)
	}
	values, err := valuesOf(in.Indicator.Parameters, in.Objective.Spec.Indicator.Ref.Parameters)
	if err != nil {
		return nil, blame(key, err)
	}
	t := filling{values: values}
	filled := t.fill(in.Indicator.Template)
	if err := t.end(in.Indicator.Parameters); err != nil {
		return nil, blame(key, err)
	}
	out := *in.Objective
	out.Spec.Indicator = filled
	if err := across(&out); err != nil {
		return nil, blame(key, err)
	}
	return &out, nil
}

// across checks what the schema checks where an objective has its indicator itself.
func across(o *v1alpha1.Objective) error {
	if o.Spec.Indicator.Score != nil && alertingOf(o).Page != nil {
		return &Error{
			Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.alerting.page",
			Err: errors.New("it cannot be set for a score: surveys never page, use alerting.ticket"),
		}
	}
	return ordered(o.Spec.Indicator)
}

// ordered checks numbers against each other.
func ordered(in v1alpha1.ObjectiveIndicator) error {
	if d := in.Distribution; d != nil && d.PoorAbove != "" {
		return above(fieldTemplate+"distribution.poorAbove", d.PoorAbove, "threshold", d.Threshold)
	}
	if a := in.Apdex; a != nil {
		if err := above(fieldTemplate+"apdex.satisfied", a.Satisfied, "zero", "0"); err != nil || a.Tolerated == "" {
			return err
		}
		return above(fieldTemplate+"apdex.tolerated", a.Tolerated, "satisfied", a.Satisfied)
	}
	return nil
}

func above(field string, value v1alpha1.Decimal, what string, least v1alpha1.Decimal) error {
	a, err := decimal(field, value)
	if err != nil {
		return err
	}
	b, err := decimal(field, least)
	if err != nil || a > b {
		return err
	}
	return &Error{Reason: v1alpha1.ReasonInvalidParameter, Field: field, Err: fmt.Errorf("%s must be greater than %s, which is %s: give other parameters", value, what, least)}
}

// blame words a mistake in an indicator, or in what an indicator came to be, as one
// of the reference to it.
func blame(key IndicatorKey, err error) error {
	var mistake *Error
	if key.Name == "" || !errors.As(err, &mistake) {
		return err
	}
	field := mistake.Field
	if rest, ok := strings.CutPrefix(field, fieldIndicator); ok && !strings.HasPrefix(field, fieldRef) {
		field = fieldTemplate + rest
	}
	if !strings.HasPrefix(field, fieldTemplate) && !strings.HasPrefix(field, fieldParameters) {
		return err
	}
	return &Error{Reason: mistake.Reason, Field: fieldRef, Err: fmt.Errorf("%s: %s: %w", key, field, mistake.Err)}
}

// CheckIndicator finds the mistakes that an indicator has whatever its parameters
// are. Parameters without a default are taken to have a value of their type.
func CheckIndicator(spec *v1alpha1.IndicatorSpec) error {
	given := map[string]v1alpha1.ParameterValue{}
	declared := slices.Clone(spec.Parameters)
	for i, p := range declared {
		if p.Default == nil {
			given[string(p.Name)] = samples[typeOf(p)]
			// Another value than this one would match it.
			if err := checkPattern(i, p); err != nil {
				return err
			}
			declared[i].Pattern = ""
		}
	}
	values, err := valuesOf(declared, given)
	if err != nil {
		return err
	}
	t := filling{values: values}
	o := &v1alpha1.Objective{}
	o.Spec.Indicator = t.fill(spec.Template)
	if err := t.end(spec.Parameters); err != nil {
		return err
	}
	if len(given) == 0 {
		if err := ordered(o.Spec.Indicator); err != nil {
			return err
		}
	}
	_, err = shapeOf(o)
	if mistake, ok := errors.AsType[*Error](err); ok {
		return &Error{Reason: mistake.Reason, Field: strings.Replace(mistake.Field, fieldIndicator, fieldTemplate, 1), Err: mistake.Err}
	}
	return err
}

// samples are values of each type.
var samples = map[v1alpha1.ParameterType]v1alpha1.ParameterValue{
	v1alpha1.ParameterTypeString: "a", v1alpha1.ParameterTypeRegex: "a.*",
	v1alpha1.ParameterTypeNumber: "1", v1alpha1.ParameterTypeDuration: "1m",
}

// names words the names of parameters.
func names(declared []v1alpha1.Parameter) string {
	known := map[string]bool{}
	for _, p := range declared {
		known[string(p.Name)] = true
	}
	if len(known) == 0 {
		return "it has no parameters"
	}
	return "its parameters are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

// defaultOf is a parameter's value where none is given.
func defaultOf(p v1alpha1.Parameter) v1alpha1.ParameterValue { return ptr.Deref(p.Default, "") }
