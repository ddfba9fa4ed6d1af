package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"text/tabwriter"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/replay"
)

// writeExcluded writes a line for each objective of which exclusions leave something
// out: for how long of the time that was replayed, how much of the window at the end,
// and the figures of the end with every minute.
func writeExcluded(out *bytes.Buffer, w *tabwriter.Writer, all []compared) {
	begun := false
	for _, c := range all {
		old, now := c.excluded()
		if old == [5]string{} && now == [5]string{} {
			continue
		}
		if !begun {
			out.WriteByte('\n')
			row(w, []string{"NAMESPACE", "NAME", "LEFT OUT", "EXCLUDED", "RAW", "RAW BUDGET", "RAW EVENTS"})
			begun = true
		}
		cells := []string{c.Namespace, c.Name}
		for i := range now {
			cells = append(cells, fromTo(old[i], now[i]))
		}
		row(w, cells)
	}
	_ = w.Flush() // a buffer takes everything
}

// excluded are the cells of both versions; where there is one, it stands for both.
func (c compared) excluded() (old, now [5]string) {
	return cmp.Or(c.Old, c.New).excluded(), cmp.Or(c.New, c.Old).excluded()
}

func (l *listedReplay) excluded() [5]string {
	raw := l.Raw
	if raw == nil {
		raw = &v1alpha1.RawFigures{}
	}
	return [5]string{l.leftOut(), l.Excluded, raw.Attainment, raw.BudgetRemaining, count(raw.Events)}
}

// leftOut is how much of the time that was replayed does not count.
func (l *listedReplay) leftOut() string {
	var sum time.Duration
	for _, span := range l.Exclusions {
		sum += span.To.Sub(span.From)
	}
	if sum == 0 {
		return ""
	}
	return shortDuration(sum)
}

// besides words in a picture what exclusions leave out, behind other words.
func (l *listedReplay) besides(between string) string {
	switch {
	case l.Raw == nil:
		return ""
	case l.Raw.Attainment == "":
		return fmt.Sprintf("%s%s excluded", between, l.Excluded)
	default:
		return fmt.Sprintf("%s%s excluded, with it %s and %s of the budget left", between, l.Excluded, l.Raw.Attainment, l.Raw.BudgetRemaining)
	}
}

// rawPoints are those of the curve with every minute, where that is another.
func rawPoints(r *replayed) []replay.Point {
	var out []replay.Point
	for _, p := range r.Points {
		raw := replay.Point{At: p.At, Budget: math.NaN()}
		if p.Raw != nil {
			raw.Budget = p.Raw.BudgetRemaining
		}
		out = append(out, raw)
	}
	return out
}

// shades draws the time that does not count.
func (c *canvas) shades(r *replayed) {
	for _, s := range r.excluded {
		from, to := c.x(s.Start), c.x(s.End)
		c.put("<rect class=\"excluded\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>excluded: from %s to %s</title></rect>\n",
			from, c.top, max(to-from, 1), plotHeight, s.Start.Format(time.RFC3339), s.End.Format(time.RFC3339))
	}
}
