package cli

import (
	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// keepIndicator keeps an indicator of either kind. The two differ in nothing but
// where they are.
func (v *inventory) keepIndicator(key compile.IndicatorKey, m manifest) error {
	found := &v1alpha1.ClusterIndicator{}
	if err := convert(m.object, found); err != nil {
		return err
	}
	key.Name = found.Name
	kept := &template{manifest: m, spec: &found.Spec}
	if err := compile.CheckIndicator(kept.spec); err != nil {
		kept.wrong = true
		v.refuse(m, key.String(), faultOf(err))
	}
	v.indicators[key] = kept
	return nil
}

// input is what an objective is compiled with, beside its source. It is false where
// its indicator or its calendar has a mistake of its own, which was told of.
func (v *inventory) input(o declared) (in compile.Input, ok bool) {
	in, ok = v.template(o)
	known := v.hours(&in)
	return in, ok && known
}

// template is input without the calendar.
func (v *inventory) template(o declared) (in compile.Input, ok bool) {
	in.Objective, in.Exclusions = o.Objective, v.exclusions
	key, refers := compile.IndicatorOf(o.Objective)
	if !refers {
		return in, true
	}
	found := v.indicators[key]
	if found == nil {
		_, refused := v.seen[key.String()]
		return in, !refused
	}
	in.Indicator = found.spec
	return in, !found.wrong
}

// compiled compiles an objective. It also gives the indicator that it refers to, as
// its parameters make it.
func compiled(in compile.Input) (*compile.Plan, v1alpha1.ObjectiveIndicator, error) {
	resolved, err := compile.Resolve(in)
	if err != nil {
		return nil, v1alpha1.ObjectiveIndicator{}, err
	}
	plan, err := compile.Compile(in)
	return plan, resolved.Spec.Indicator, err
}
