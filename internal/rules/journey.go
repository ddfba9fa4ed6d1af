package rules

import (
	"fmt"
	"maps"
	"slices"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

// Names of the series that are recorded for a journey. All have the labels
// namespace and journey, those of one of its objectives the label objective.
const (
	// JourneyAttainment is what an objective attained over its window. It is there
	// once nine tenths of the window were recorded.
	JourneyAttainment = "journey:experience_attainment:ratio"
	// JourneyMissed is 1 where that is below the target, and 0 where not.
	JourneyMissed = "journey:experience_missed:bool"
	// JourneyBroken is 1 where the journey is broken, and 0 where all that could
	// break it is known and does not.
	JourneyBroken = "journey:experience_broken:bool"
)

// leastRecorded is the share of a window's minutes that must have been recorded:
// rules know nothing of the time before they were installed.
const leastRecorded = 0.9

// Journey is a journey and the plans of its objectives.
type Journey struct {
	Key  types.NamespacedName
	UID  types.UID
	Spec *v1alpha1.JourneySpec
	// Stages are the plans of each stage's objectives, which are nil where there is
	// none to make rules of.
	Stages map[v1alpha1.Label][]*compile.Plan
	// Completion is that of spec.completion.
	Completion *compile.Plan
}

// NewJourney is a journey with the plans of its objectives.
func NewJourney(j *v1alpha1.Journey, stages map[v1alpha1.Label][]*compile.Plan, completion *compile.Plan) *Journey {
	return &Journey{
		Key: types.NamespacedName{Namespace: j.Namespace, Name: j.Name}, UID: j.UID, Spec: &j.Spec,
		Stages: stages, Completion: completion,
	}
}

// Untold says why rules cannot tell whether a journey is broken; it is empty where
// they can.
func (j *Journey) Untold() string {
	for _, stage := range j.critical() {
		if len(j.Stages[stage.Name]) == 0 {
			return "a critical stage has no objective"
		}
	}
	deciding := j.deciding()
	if len(deciding) == 0 {
		return "nothing could break it: no stage is critical"
	}
	for _, p := range deciding {
		if why := untold(p); why != "" {
			return why
		}
		if p.Source != deciding[0].Source || p.Key.Namespace != j.Key.Namespace {
			return "its objectives are of several sources or namespaces"
		}
	}
	return ""
}

// untold says why rules cannot tell whether an objective is met.
func untold(p *compile.Plan) string {
	switch {
	case p == nil || p.Recipe == nil || !p.Ruled:
		return "no ruler records one of its objectives"
	case p.Window.Rolling == 0:
		return "the window of one of its objectives is of the calendar"
	case p.Level > 0:
		return "one of its objectives asks for confidence"
	case p.Group != nil && p.Group.Every:
		return "one of its objectives promises each segment the same"
	case len(reached(p, p.Window.Rolling)) > 0:
		return "minutes of one of its objectives do not count"
	default:
		return ""
	}
}

// Source is that of the objectives of a journey of which Untold says nothing.
func (j *Journey) Source() compile.SourceKey { return j.deciding()[0].Source }

func (j *Journey) critical() []v1alpha1.JourneyStage {
	return slices.DeleteFunc(slices.Clone(j.Spec.Stages), func(s v1alpha1.JourneyStage) bool { return s.Importance != v1alpha1.ImportanceCritical })
}

// deciding are the objectives that decide whether the journey is broken, each once:
// those of critical stages, the service that makes up for their product, and
// completion.
func (j *Journey) deciding() []*compile.Plan {
	var out []*compile.Plan
	add := func(some ...*compile.Plan) {
		for _, p := range some {
			if !slices.ContainsFunc(out, func(o *compile.Plan) bool { return o == p || o != nil && p != nil && o.Key == p.Key }) {
				out = append(out, p)
			}
		}
	}
	for _, stage := range j.critical() {
		add(j.Stages[stage.Name]...)
		for _, by := range j.helpers(stage.Name) {
			add(of(j.Stages[by], v1alpha1.PerspectiveCX)...)
		}
	}
	if j.Spec.Completion != "" {
		add(j.Completion)
	}
	return out
}

// helpers are the stages whose service makes up for a stage's product.
func (j *Journey) helpers(stage v1alpha1.Label) []v1alpha1.Label {
	var out []v1alpha1.Label
	for _, edge := range j.Spec.Recovery {
		if edge.Stage == stage {
			out = append(out, edge.By)
		}
	}
	return out
}

// of are the plans of one perspective, and those that may be of either.
func of(plans []*compile.Plan, side v1alpha1.Perspective) []*compile.Plan {
	return slices.DeleteFunc(slices.Clone(plans), func(p *compile.Plan) bool { return p != nil && p.Perspective != string(side) })
}

// JourneyGroup renders the rules of a journey of which Untold says nothing: from the
// recorded minutes of its objectives they find what docs/spec/journey.md says of a
// broken journey, and fire.
func JourneyGroup(j *Journey, s Settings) (monitoringv1.RuleGroup, error) {
	w := newJourneyWriter(j, s)
	out := monitoringv1.RuleGroup{
		Name:                    s.Prefix + "/" + j.Key.String() + "/journey",
		Interval:                durationOf(w.pace.width),
		PartialResponseStrategy: s.PartialResponse,
	}
	if s.QueryOffset != nil {
		out.QueryOffset = durationOf(*s.QueryOffset)
	}
	for _, p := range w.deciding {
		out.Rules = append(out.Rules, w.member(p)...)
	}
	out.Rules = append(out.Rules, w.record(JourneyBroken, w.broken(), nil), w.alert())
	return out, check([]monitoringv1.RuleGroup{out}, promql.Recording{})
}

// journeyWriter renders the rules of one journey.
type journeyWriter struct {
	journey  *Journey
	deciding []*compile.Plan
	// pace is one for all: that of the longest window, beside which its delay is small.
	pace   pace
	labels map[string]string
	own    promql.Confinement
}

// slowestJourney is the slowest pace of journeys: half an hour is a delay that
// somebody who is woken can bear.
const slowestJourney = 2

func newJourneyWriter(j *Journey, s Settings) *journeyWriter {
	w := &journeyWriter{journey: j, deciding: j.deciding(), labels: map[string]string{}}
	at := 0
	for _, p := range w.deciding {
		for at < slowestJourney && p.Window.Rolling > paces[at].longest {
			at++
		}
	}
	w.pace = paces[at]
	maps.Copy(w.labels, s.Labels)
	maps.Copy(w.labels, w.deciding[0].Confinement.Labels())
	w.labels["namespace"], w.labels["journey"] = j.Key.Namespace, j.Key.Name
	for name, value := range w.labels {
		w.own = w.own.Confine(name, value)
	}
	return w
}

func (w *journeyWriter) record(name, expr string, more map[string]string) monitoringv1.Rule {
	labels := maps.Clone(w.labels)
	maps.Copy(labels, more)
	return monitoringv1.Rule{Record: name, Expr: exprOf(expr), Labels: labels}
}

// member records of an objective what it attained, and whether that is enough.
func (w *journeyWriter) member(p *compile.Plan) []monitoringv1.Rule {
	window := multiple(p.Window.Rolling, w.pace.width)
	out, sums := w.rollUps(p, window)
	self := map[string]string{"objective": p.Key.Name}
	attained := fmt.Sprintf("((%s / (%s >= %s)) and (%s >= %s)) >= %s <= %s", sums[1], sums[0], number(p.MinimumEvents),
		sums[2], number(leastRecorded*window.Minutes()), number(-rounding), number(1+rounding))
	missed := fmt.Sprintf("max(%s) < bool %s", promql.Recorded(JourneyAttainment, w.own.Confine("objective", p.Key.Name)), number(p.Target-noise))
	return append(out, w.record(JourneyAttainment, attained, self), w.record(JourneyMissed, missed, self))
}

// noise is how far from a target a ratio can be that floats alone keep from it, and
// rounding how far beyond an end of its scale. Further beyond, nobody knows what was
// counted.
const noise, rounding = 1e-12, 1e-9

// rollUps are the rules that sum up an objective's minutes for the journey, and the
// sums over a window of its events, of its points and of the minutes in which it
// was recorded.
func (w *journeyWriter) rollUps(p *compile.Plan, window time.Duration) (out []monitoringv1.Rule, sums [3]string) {
	for i, lane := range []struct{ name, from, function string }{
		{"journey:experience_events", promql.RecordedEvents, "sum_over_time"},
		{"journey:experience_points", promql.RecordedPoints, "sum_over_time"},
		{"journey:experience_minutes", promql.RecordedResets, "count_over_time"},
	} {
		minutes := promql.Recorded(lane.from, p.Recipe.Identity)
		if w.pace.width == promql.Interval {
			sums[i] = fmt.Sprintf("sum(%s(%s[%s]))", lane.function, minutes, written(window))
			continue
		}
		name, recipe := lane.name+":delta"+written(w.pace.width), p.Recipe.ID()
		// As those of an objective, they look at minutes that are a minute old.
		out = append(out, w.record(name, fmt.Sprintf("sum(%s(%s[%s] offset %s))", lane.function, minutes, written(w.pace.width), written(promql.Interval)),
			map[string]string{"objective": p.Key.Name, promql.RecipeLabel: recipe}))
		own := w.own.Confine("objective", p.Key.Name).Confine(promql.RecipeLabel, recipe)
		sums[i] = fmt.Sprintf("sum(sum_over_time(%s[%s]))", promql.Recorded(name, own), written(window))
	}
	return out, sums
}
