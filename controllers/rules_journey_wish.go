package controllers

import (
	"context"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/rules"
)

// journeyWish is what shall be installed for a journey.
type journeyWish struct {
	// output is None where rules cannot tell whether the journey is broken. The
	// operator's own metrics do.
	output v1alpha1.RulesOutput
	// source is that of the objectives, and journey what rules are made of.
	source  sourceObject
	journey *rules.Journey
	// waits says that rules of an objective cannot be made now: what is installed
	// for the journey stays.
	waits bool
}

// settings are those of the source.
func (w journeyWish) settings() rules.Settings { return rules.SettingsOf(w.source.SourceSpec()) }

// alongJourney says what shall be installed for a journey.
func (w *wisher) alongJourney(ctx context.Context, j *v1alpha1.Journey) (journeyWish, error) {
	out := journeyWish{output: v1alpha1.RulesOutputNone}
	if !j.DeletionTimestamp.IsZero() {
		return out, nil
	}
	way, invalid, err := w.gather.way(ctx, j)
	if err != nil || invalid != "" {
		return out, err
	}
	found := planner{wisher: w, sources: map[compile.SourceKey]sourceObject{}}
	stages, completion, err := way.Plans(func(s evaluate.Staged) (*compile.Plan, error) { return found.of(ctx, s) })
	if err != nil {
		return out, err
	}
	made := rules.NewJourney(j, stages, completion)
	out.waits = found.waits
	if made.Untold() == "" {
		out.journey, out.source = made, found.sources[made.Source()]
		out.output = out.source.SourceSpec().Rules.Output
	}
	return out, nil
}

// planner finds the plans of a journey's objectives.
type planner struct {
	wisher  *wisher
	sources map[compile.SourceKey]sourceObject
	waits   bool
}

// of is the plan that rules of an objective are made of, nil where there is none.
func (p *planner) of(ctx context.Context, s evaluate.Staged) (*compile.Plan, error) {
	wish, err := p.wisher.of(ctx, s.Objective)
	if err != nil {
		return nil, err
	}
	switch {
	case wish.plan != nil:
		p.sources[wish.plan.Source] = wish.source
	case wish.output != v1alpha1.RulesOutputNone:
		p.waits = true
	}
	return wish.plan, nil
}
