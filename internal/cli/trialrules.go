package cli

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rehearse"
	"github.com/experience-slo/operator/internal/rules"
)

// warden is a ruler that is given other rules when the operator writes them anew: as
// exclusions come within reach and leave it.
type warden struct {
	planned
	*rehearse.Ruler

	// turn is when its rules are others, zero where they stay.
	turn time.Time
}

// firing gives the alerts of an objective that fire at a moment. Its ruler has been
// there since the start, with the rules of the moments at which alerts are expected.
func (r *rehearsal) firing(ctx context.Context, o planned, at time.Time) ([]labels.Labels, error) {
	key := o.plan.Key.String()
	if r.rulers[key] == nil {
		w, err := r.employ(ctx, o)
		if errors.Is(err, compile.ErrNoBoundaries) || o.Suspended() {
			return nil, nil // the operator installs no rules either
		}
		if err != nil {
			return nil, err
		}
		r.rulers[key] = w
	}
	if err := r.rulers[key].run(ctx, at); err != nil {
		return nil, err
	}
	return r.rulers[key].Firing(), nil
}

// employ loads the rules of the start.
func (r *rehearsal) employ(ctx context.Context, o planned) (*warden, error) {
	if err := r.bound(ctx, o.plan); err != nil {
		return nil, err
	}
	w := &warden{planned: o, turn: rules.Turn(o.plan, r.start)}
	file, err := w.rules(r.start)
	if err != nil {
		return nil, err
	}
	w.Ruler, err = rehearse.NewRuler(ctx, r.store, file, r.start)
	return w, err
}

// rules are those that the operator has written at a moment.
func (w *warden) rules(at time.Time) ([]byte, error) {
	plan := *w.plan
	plan.Made = at
	groups, err := rules.Groups(&plan, rules.SettingsOf(w.source))
	if err != nil {
		return nil, err
	}
	return rules.File(groups)
}

// run evaluates what is due up to a moment, that moment included.
func (w *warden) run(ctx context.Context, to time.Time) error {
	for !w.turn.IsZero() && !w.turn.After(to) {
		before := w.turn.Add(-time.Nanosecond) // what is due at the turn is evaluated by the new rules
		if err := w.Run(ctx, before); err != nil {
			return err
		}
		file, err := w.rules(w.turn)
		if err != nil {
			return err
		}
		if err := w.Reload(ctx, file, before); err != nil {
			return err
		}
		w.turn = rules.Turn(w.plan, w.turn)
	}
	return w.Run(ctx, to)
}
