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
	ctx, cancel := context.WithCancel(ctx)
	latest, ended := p.followStatus(ctx, cluster, query, o)
	defer latest.followers.Wait()
	defer cancel()
	w := &statusWatch{program: p, options: o}
	for {
		select {
		case err := <-ended:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-latest.changed:
			if err := w.show(latest.take()); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(redraw):
		}
	}
}

// statusWatch is what was shown last.
type statusWatch struct {
	program                     Program
	options                     statusOptions
	objectives, journeys, gates section
	// last is the section of the last line.
	last *section
}

// section is what was shown of one kind.
type section struct {
	// shown is the version of each object that was shown, and columns are the widths
	// of the first table, to which later lines are added.
	shown   map[kube.Key]string
	columns []int
}

// show draws a terminal anew; elsewhere it adds lines for what changed.
func (w *statusWatch) show(all standings) error {
	all.objectives = w.options.choose(all.objectives)
	all.options, all.painter, all.now = w.options, w.program.painter(), w.program.Now()
	var text string
	if w.program.Terminal {
		text = clearScreen + all.tables()
	} else {
		text = w.added(all)
	}
	if _, err := fmt.Fprint(w.program.Out, text); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// added are lines for what was not shown as it is now.
func (w *statusWatch) added(view standings) string {
	journeys, gates := view.sortedJourneys(), w.gatesOf(view)
	return w.lines(&w.objectives, objectsOf(view.objectives), view.rows(), view.painter) +
		w.lines(&w.journeys, objectsOf(journeys), view.journeyRows(journeys), view.painter) +
		w.lines(&w.gates, objectsOf(gates), view.gateRows(gates), view.painter)
}

// gatesOf are the gates that somebody waits for or should look at, and those that were
// among them until now: somebody waited for that.
func (w *statusWatch) gatesOf(view standings) []v1alpha1.Gate {
	out := view.urgentGates()
	urgent := map[kube.Key]bool{}
	for i := range out {
		urgent[kube.KeyOf(&out[i])] = true
	}
	for i := range view.gates {
		g := &view.gates[i]
		if version, shown := w.gates.shown[kube.KeyOf(g)]; shown && !urgent[kube.KeyOf(g)] && version != g.ResourceVersion {
			out = append(out, *g)
		}
	}
	return out
}

// lines are the rows of objects that were not shown as they are now, below the names of
// the columns where the line before is of another kind.
func (w *statusWatch) lines(s *section, objects []kube.Object, rows [][]cell, paint painter) string {
	fresh, shown := rows[:1:1], map[kube.Key]string{}
	for i, o := range objects {
		key, version := kube.KeyOf(o), o.GetResourceVersion()
		if before, known := s.shown[key]; !known || before != version {
			fresh = append(fresh, rows[i+1])
		}
		shown[key] = version
	}
	s.shown = shown
	if len(fresh) == 1 {
		return ""
	}
	if s.columns == nil {
		s.columns = widths(rows)
	}
	before := w.last
	w.last = s
	switch before {
	case s:
		return paint.grid(fresh[1:], s.columns)
	case nil:
		return paint.grid(fresh, s.columns)
	default:
		return "\n" + paint.grid(fresh, s.columns)
	}
}

// objectsOf are pointers to some objects.
func objectsOf[T any, P interface {
	*T
	kube.Object
}](all []T) []kube.Object {
	out := make([]kube.Object, len(all))
	for i := range all {
		out[i] = P(&all[i])
	}
	return out
}
