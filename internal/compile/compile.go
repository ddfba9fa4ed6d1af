package compile

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// Input is an objective and what was gathered about it.
type Input struct {
	Objective *v1alpha1.Objective
	// Source is the spec of the objective's source.
	Source *v1alpha1.MetricSourceSpec
	// Indicator is the spec of the indicator that the objective refers to; it is nil
	// where the objective refers to none, or it does not exist.
	Indicator *v1alpha1.IndicatorSpec
	// Calendar is the spec of the calendar that CalendarOf names; it is nil where it
	// names none, or that does not exist.
	Calendar *v1alpha1.CalendarSpec
	// Exclusions are those of the objective's namespace; others are left aside.
	Exclusions []v1alpha1.Exclusion
	Now        time.Time
	// Until is up to when opening hours and exclusions must be told; two months and more
	// after Now where it is before that.
	Until time.Time
}

// Compile makes the plan of an objective, or an *Error that names the field at
// fault.
func Compile(in Input) (*Plan, error) {
	key, _ := IndicatorOf(in.Objective)
	resolved, err := Resolve(in)
	if err != nil {
		return nil, err
	}
	in.Objective = resolved
	window, err := windowOf(in.Objective.Spec.Window)
	if err != nil {
		return nil, err
	}
	shape, err := shapeOf(in.Objective)
	if err != nil {
		return nil, blame(key, err)
	}
	shape.indicator = key
	target, err := shape.unit.Parse(string(in.Objective.Spec.Target))
	if err != nil {
		return nil, &Error{Reason: v1alpha1.ReasonInvalidTarget, Field: "spec.target", Err: err}
	}
	level, err := levelOf(in.Objective.Spec.Confidence)
	if err != nil {
		return nil, err
	}
	plan := newPlan(in, shape, window)
	if err := plan.keepHours(in); err != nil {
		return nil, err
	}
	plan.Target, plan.Level = target, level
	if plan.Group, err = groupOf(in.Objective, shape, plan.Confinement); err != nil {
		return nil, err
	}
	plan.Tiers = tiersOf(in.Objective, target, window.Period(in.Now))
	return plan, blame(key, plan.prepare())
}

func newPlan(in Input, shape *shape, window slo.Window) *Plan {
	o := in.Objective
	grid := slo.GridFor(window, in.Now)
	return &Plan{
		Key:           types.NamespacedName{Namespace: o.Namespace, Name: o.Name},
		UID:           o.UID,
		Generation:    o.Generation,
		Source:        KeyOf(o),
		Server:        in.Source.URL,
		Service:       string(o.Spec.Service),
		Perspective:   string(o.Spec.Perspective),
		Touchpoint:    string(o.Spec.Touchpoint),
		Unit:          shape.unit,
		Window:        window,
		Grid:          grid,
		Excluded:      excludedOf(in, window),
		Made:          in.Now,
		MinimumEvents: float64(max(1, o.Spec.MinimumEvents)),
		Interval:      shape.interval,
		Banded:        shape.banded,
		Histogram:     shape.histogram,
		Alerts:        alertsOf(o),
		Ruled:         in.Source.Rules.Recorded(),
		Confinement:   confinement(in.Source, o.Namespace),
		build:         builder{shape: shape, policy: policies[o.Spec.NewSeries], width: grid.Width},
	}
}

var policies = map[v1alpha1.NewSeriesPolicy]promql.NewSeries{
	v1alpha1.NewSeriesOnKnownTarget: promql.OnKnownTarget,
	v1alpha1.NewSeriesFromZero:      promql.FromZero,
	v1alpha1.NewSeriesIgnore:        promql.Ignore,
}

// KeyOf is the key of an objective's source.
func KeyOf(o *v1alpha1.Objective) SourceKey {
	ref := o.Source()
	key := SourceKey{Kind: ref.Kind, Name: string(ref.Name)}
	if ref.Kind == v1alpha1.SourceKindMetricSource {
		key.Namespace = o.Namespace
	}
	return key
}

func confinement(source *v1alpha1.MetricSourceSpec, namespace string) promql.Confinement {
	var c promql.Confinement
	for _, m := range source.Matchers {
		c = c.Confine(string(m.Label), m.Value)
	}
	if source.Tenancy != nil {
		c = c.Confine(string(source.Tenancy.Label), namespace)
	}
	return c
}

func windowOf(w v1alpha1.Window) (slo.Window, error) {
	if w.Calendar == nil {
		rolling, err := slo.ParseDuration(string(w.Rolling))
		if err == nil {
			err = slo.Window{Rolling: rolling}.Validate()
		}
		if err != nil {
			return slo.Window{}, &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.window.rolling", Err: err}
		}
		return slo.Window{Rolling: rolling}, nil
	}
	location, err := zoneOf(w.Calendar.TimeZone, "spec.window.calendar.timeZone")
	if err != nil {
		return slo.Window{}, err
	}
	return slo.Window{Calendar: slo.Calendar(w.Calendar.Unit), Location: location}, nil
}

func levelOf(c v1alpha1.Confidence) (slo.Level, error) {
	if c == "" {
		return 0, nil
	}
	level, err := slo.ParseLevel(string(c))
	if err != nil {
		return 0, &Error{Reason: v1alpha1.ReasonInvalidSpec, Field: "spec.confidence", Err: err}
	}
	return level, nil
}

// builder holds what the queries are made from until the boundaries are known.
type builder struct {
	shape  *shape
	policy promql.NewSeries
	width  time.Duration
	hours  *promql.Hours
}

// prepare builds what does not depend on the data: the probe for the
// boundaries, and the queries where none is needed.
func (p *Plan) prepare() error {
	if p.Histogram == nil {
		return p.read(p.build.shape.lanes, p.build.shape.formula)
	}
	probe, err := p.Confinement.Apply(p.Histogram.Probe)
	if err != nil {
		return &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: p.build.shape.field, Err: err}
	}
	p.Histogram.Probe = probe
	return nil
}

func (p *Plan) read(lanes []promql.Lane, formula Formula) error {
	recipe, err := promql.NewRecipe(promql.Recipe{
		Lanes: lanes, Policy: p.build.policy, Bucket: p.build.width, Hours: p.build.hours, Confine: p.Confinement, Identity: p.Identity(),
		Sums: promql.Sums{Events: formula.Events, Points: formula.Points, Extra: formula.Aux},
	})
	if err != nil {
		return &Error{Reason: v1alpha1.ReasonInvalidQuery, Field: p.build.shape.field, Err: err}
	}
	p.Recipe, p.Formula = recipe, formula
	return nil
}
