package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

const (
	// redraw is how soon something is shown again: objectives are written by the
	// hundred when a minute ends.
	redraw = 200 * time.Millisecond
	// clearScreen moves to the upper left corner of a terminal and empties it.
	clearScreen = "\x1b[H\x1b[2J"
)

// watchStatus shows how promises stand until the context ends, which is how a
// person ends it and no error.
func (p Program) watchStatus(ctx context.Context, cluster *kube.Cluster, query kube.Query, o statusOptions) error {
	if o.name != "" {
		if _, err := p.objectiveOf(ctx, cluster, o.name); err != nil {
			return err
		}
	}
	latest, ended := make(chan []v1alpha1.Objective, 1), make(chan error, 1)
	go func() { ended <- p.followStatus(ctx, cluster, query, latest) }()
	w := &statusWatch{program: p, options: o}
	for {
		select {
		case err := <-ended:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case all := <-latest:
			if err := w.show(all); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(redraw):
		}
	}
}

// followStatus keeps the latest objectives where whoever shows them takes them.
func (p Program) followStatus(ctx context.Context, cluster *kube.Cluster, query kube.Query, latest chan []v1alpha1.Objective) error {
	return cluster.FollowObjectives(ctx, query, func(text string) { p.tell("%s", text) }, func(all []v1alpha1.Objective) error {
		select {
		case <-latest: // nobody has shown it, and there is newer
		default:
		}
		latest <- all
		return nil
	})
}

// statusWatch is what was shown last.
type statusWatch struct {
	program Program
	options statusOptions
	// shown is the version of each objective that was shown, and columns are the
	// widths of the first table, to which later lines are added.
	shown   map[kube.Key]string
	columns []int
}

// show draws a terminal anew; elsewhere it adds lines for what changed.
func (w *statusWatch) show(all []v1alpha1.Objective) error {
	view := standings{objectives: w.options.choose(all), options: w.options, painter: w.program.painter(), now: w.program.Now()}
	var text string
	if w.program.Terminal {
		text = clearScreen + view.tables()
	} else {
		text = w.added(view)
	}
	if _, err := fmt.Fprint(w.program.Out, text); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// added are lines for the objectives that were not shown as they are now, below
// the names of the columns the first time.
func (w *statusWatch) added(view standings) string {
	rows := view.rows()
	fresh := rows[1:1:1]
	for i := range view.objectives {
		o := &view.objectives[i]
		if w.shown[kube.KeyOf(o)] != o.ResourceVersion {
			fresh = append(fresh, rows[i+1])
		}
	}
	if w.shown == nil {
		w.columns = widths(rows)
		fresh = rows
	}
	w.shown = map[kube.Key]string{}
	for i := range view.objectives {
		w.shown[kube.KeyOf(&view.objectives[i])] = view.objectives[i].ResourceVersion
	}
	return view.painter.grid(fresh, w.columns)
}
