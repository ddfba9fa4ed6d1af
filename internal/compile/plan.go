// Package compile turns what a person declared, with what was gathered about
// it, into a Plan: everything that measuring, judging and alerting need to know
// and nothing they would have to look up. It takes values and returns values.
package compile

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// SourceKey names a source of metrics. Namespace is empty for a
// ClusterMetricSource.
type SourceKey struct {
	Kind      v1alpha1.SourceKind
	Namespace string
	Name      string
}

// String gives "MetricSource shop/prometheus" or "ClusterMetricSource default".
func (k SourceKey) String() string {
	if k.Namespace == "" {
		return string(k.Kind) + " " + k.Name
	}
	return string(k.Kind) + " " + k.Namespace + "/" + k.Name
}

// Plan is a compiled objective.
type Plan struct {
	Key        types.NamespacedName
	UID        types.UID
	Generation int64
	Source     SourceKey
	// Server is the address of the source.
	Server string

	Service, Perspective, Touchpoint string

	// Unit is what figures are shown in; Target is a ratio in (0,1).
	Unit   slo.Unit
	Target float64

	Window slo.Window
	Grid   slo.Grid

	// Hours are when minutes count, nil where all do, and Calendar is the name of the
	// calendar that says so.
	Hours    *slo.Hours
	Calendar string
	// Excluded are the whole minutes that do not count, in order and apart, from
	// before the window to some weeks after the plan was made or to the Until of its input.
	Excluded []slo.Span
	// Made is when the plan was made.
	Made time.Time

	// MinimumEvents is the number of events below which there is no verdict.
	MinimumEvents float64
	// Level is the confidence asked for; 0 asks for none.
	Level slo.Level
	// Interval says how the confidence interval is found.
	Interval IntervalMethod
	// Banded says that Sums.Aux counts the events within poorAbove.
	Banded bool

	// Tiers are the burn rates that are watched.
	Tiers []slo.Tier

	// Alerts is what is installed for on-call, and Ruled says that a ruler records
	// the objective and evaluates them.
	Alerts Alerts
	Ruled  bool

	// Group is by what segments are told apart; nil where there are none.
	Group *Group

	// Recipe makes the queries and the expressions of rules; it is nil until Bind
	// was called where Histogram asks for the boundaries of its buckets.
	Recipe    *promql.Recipe
	Formula   Formula
	Histogram *Histogram

	// Confinement is the labels that the source wants in every selector.
	Confinement promql.Confinement

	build builder
}

// Alerts is what the alerts of an objective carry and when they fire.
type Alerts struct {
	// Description is the promise in a sentence; it may be empty.
	Description string
	// Page, Ticket and Absent are added to the alerts of their kind.
	Page, Ticket, Absent Alert
	// AbsentAfter is how long data must be absent; 0 installs no such alert.
	AbsentAfter time.Duration
	// MinimumBadEvents is how many bad events the long window of a tier must hold.
	MinimumBadEvents float64
	KeepFiringFor    time.Duration
	// Runbook and Dashboard are addresses; they may be empty.
	Runbook, Dashboard string
}

// Alert is the labels and annotations that a person adds to an alert.
type Alert struct{ Labels, Annotations map[string]string }

// Identity selects the objective's own series among those that are recorded.
// They have the labels that the source wants, apart from those that say whose
// they are. Recipe.Identity selects the deltas of the present spec alone.
func (p *Plan) Identity() promql.Confinement {
	return p.Confinement.Without("namespace", "objective", promql.RecipeLabel).Confine("namespace", p.Key.Namespace).Confine("objective", p.Key.Name)
}

// IntervalMethod is how the confidence interval of an attainment is found.
type IntervalMethod int

const (
	// IntervalWilson is Wilson's score interval; it is conservative for events
	// that earn a part of a point.
	IntervalWilson IntervalMethod = iota
	// IntervalNetPromoter is from the variance of promoters and detractors;
	// Sums.Aux then counts promoters.
	IntervalNetPromoter
)

// Term is a lane and the weight that it has in a sum.
type Term = promql.Term

// Formula makes points, events and the third count out of lanes. A lane that
// has no data in a minute for which the events have is 0: an error that never
// happened has no series.
type Formula struct {
	Points, Events, Aux []Term
}

// Sums applies the formula to the lanes of one bucket. It is false when a lane
// is no finite number.
func (f Formula) Sums(lanes map[string]float64) (slo.Sums, bool) {
	s := slo.Sums{Points: weigh(f.Points, lanes), Events: weigh(f.Events, lanes), Aux: weigh(f.Aux, lanes)}
	total := s.Points + s.Events + s.Aux
	return s, !math.IsNaN(total) && !math.IsInf(total, 0)
}

func weigh(terms []Term, lanes map[string]float64) float64 {
	sum := 0.0
	for _, t := range terms {
		sum += t.Weight * lanes[t.Lane]
	}
	return sum
}

// Error is a mistake in a spec that a person must mend.
type Error struct {
	// Reason is one of the reasons of v1alpha1.ConditionStalled.
	Reason string
	// Field is the path of the value, such as spec.indicator.events.total.
	Field string
	// Err says what is wrong with the value and what to write instead.
	Err error
	// Dated says that the mistake is one at this date: it can be gone at a later one
	// though nobody mended it.
	Dated bool
}

// Error gives the field and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Field, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
