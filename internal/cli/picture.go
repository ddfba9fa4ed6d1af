package cli

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/experience-slo/operator/internal/replay"
	"github.com/experience-slo/operator/internal/slo"
)

// Measures of a picture, in pixels.
const (
	pictureWidth = 960
	plotLeft     = 190
	plotWidth    = 740
	plotHeight   = 150
	laneHeight   = 18
	titleHeight  = 42
	axisHeight   = 34
	// deepest is the budget below which a curve is cut off: a share of the whole one.
	deepest = -2.0
)

const pictureStyle = `text{font:12px system-ui,sans-serif;fill:#1f2328}.name{font-weight:600;font-size:14px}.dim{fill:#59636e}` +
	`.grid{stroke:#d1d9e0}.zero{stroke:#59636e}.curve{fill:none;stroke:#0969da;stroke-width:2}.old{stroke:#59636e;stroke-dasharray:5 4}` +
	`.excluded{fill:#afb8c1;opacity:.35}.raw{fill:none;stroke:#0969da;stroke-width:1;stroke-dasharray:2 3}` +
	`.critical{fill:#cf222e}.warning{fill:#bf8700}.other{fill:#59636e}.before{opacity:.35}`

// canvas is a picture of budgets over time, one below the other.
type canvas struct {
	bytes.Buffer

	over stretch
	top  int
}

// picture draws the budget of each objective over the time, with the alerts below it
// and, where there are two versions, the old one dashed. It stands for itself: it
// loads nothing, and says in words what it shows.
func picture(over stretch, all [][2]*replayed) []byte {
	c := &canvas{over: over}
	for _, pair := range all {
		c.panel(pair)
	}
	var out bytes.Buffer
	title := fmt.Sprintf("Error budgets from %s to %s", over.from.Format(time.RFC3339), over.to.Format(time.RFC3339))
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title description">`+"\n",
		pictureWidth, c.top+10, pictureWidth, c.top+10)
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"description\">%s</desc>\n", inXML(title), inXML(described(all)))
	fmt.Fprintf(&out, "<style>%s</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n", pictureStyle)
	_, _ = c.WriteTo(&out) // a buffer takes everything
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// put writes an element.
func (c *canvas) put(format string, args ...any) {
	_, _ = fmt.Fprintf(c, format, args...) // a buffer takes everything
}

func inXML(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes everything
	return out.String()
}

// described says in words what the picture shows.
func described(all [][2]*replayed) string {
	var out []string
	for _, pair := range all {
		r := either(pair)
		l := listedOf(r)
		switch {
		case l.Error != "":
			out = append(out, fmt.Sprintf("%s/%s: nothing is known.", l.Namespace, l.Name))
		case l.Lowest == nil && l.Excluded == "100%":
			out = append(out, fmt.Sprintf("%s/%s: no minute counts%s.", l.Namespace, l.Name, l.besides("; ")))
		case l.Lowest == nil:
			out = append(out, fmt.Sprintf("%s/%s: too few events to judge.", l.Namespace, l.Name))
		default:
			out = append(out, fmt.Sprintf("%s/%s, target %s: at the end %s attained and %s of the budget left%s; the lowest was %s at %s; no budget for %s; alerts fired: %d.",
				l.Namespace, l.Name, l.Target, l.Attainment, l.BudgetRemaining, l.besides("; "), l.lowestBudget(), l.lowestAt(), l.OutOfBudget, len(l.Alerts)))
		}
	}
	return strings.Join(out, " ")
}

// panel draws one objective.
func (c *canvas) panel(pair [2]*replayed) {
	r := either(pair)
	l := listedOf(r)
	c.text(plotLeft, c.top+20, "name", l.Namespace+"/"+l.Name)
	c.text(plotLeft, c.top+36, "dim", fmt.Sprintf("target %s, at the end %s, budget %s%s", l.Target, known(l.Attainment), known(l.BudgetRemaining), l.besides("; ")))
	c.top += titleHeight
	y := scaleOf(pair)
	c.shades(r)
	for _, budget := range y.marks() {
		class := "grid"
		if budget == 0 {
			class = "zero"
		}
		at := c.top + y.at(budget)
		c.put("<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", class, plotLeft, at, plotLeft+plotWidth, at)
		c.label(at+4, y.name(budget))
	}
	c.curve("raw", y, rawPoints(r))
	for i, class := range []string{"curve", "curve old"} {
		if pair[i] != nil {
			c.curve(class, y, pair[i].Points)
		}
	}
	c.top += plotHeight + 8
	for i, class := range []string{"", " before"} {
		if pair[i] != nil {
			c.lanes(class, pair[i].Alerts)
		}
	}
	c.axis()
}

func known(figure string) string {
	if figure == "" {
		return "not known"
	}
	return figure
}

// scale is the budgets that a panel shows. One that is cut off has lower ones.
type scale struct {
	lowest float64
	cut    bool
}

func scaleOf(pair [2]*replayed) scale {
	s := scale{}
	for _, r := range pair {
		if r == nil {
			continue
		}
		for _, p := range slices.Concat(r.Points, rawPoints(r)) {
			if p.Budget < s.lowest {
				s.lowest, s.cut = math.Max(p.Budget, deepest), p.Budget < deepest
			}
		}
	}
	return s
}

// at is how far below the top of a plot a budget is.
func (s scale) at(budget float64) int {
	return int(math.Round((1 - math.Max(math.Min(budget, 1), s.lowest)) / (1 - s.lowest) * plotHeight))
}

// name is what a line stands for.
func (s scale) name(budget float64) string {
	if s.cut && budget == s.lowest {
		return "below " + slo.Percent.Format(budget)
	}
	return slo.Percent.Format(budget)
}

// marks are the budgets that have a line.
func (s scale) marks() []float64 {
	out := []float64{1, 0.5, 0}
	for budget := -1.0; budget >= s.lowest; budget-- {
		out = append(out, budget)
	}
	return out
}

// x is where a moment is.
func (c *canvas) x(at time.Time) float64 {
	share := float64(at.Sub(c.over.from)) / float64(c.over.to.Sub(c.over.from))
	return plotLeft + math.Max(math.Min(share, 1), 0)*plotWidth
}

func (c *canvas) text(x, y int, class, text string) {
	c.put("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", class, x, y, inXML(text))
}

// label writes to the left of the plot.
func (c *canvas) label(y int, text string) {
	c.put("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", plotLeft-8, y, inXML(text))
}

// curve draws the points, with gaps where nothing is known.
func (c *canvas) curve(class string, y scale, points []replay.Point) {
	var path strings.Builder
	pen := "M"
	for _, p := range points {
		if math.IsNaN(p.Budget) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %d", pen, c.x(p.At), c.top+y.at(p.Budget))
		pen = "L"
	}
	if path.Len() > 0 {
		c.put("<path class=\"%s\" d=\"%s\"/>\n", class, path.String())
	}
}

// lanes draws a line for each alert, with a bar for each time that it fired.
func (c *canvas) lanes(class string, episodes []replay.Episode) {
	var alerts []replay.Alert
	for _, e := range episodes {
		if !slices.Contains(alerts, e.Alert) {
			alerts = append(alerts, e.Alert)
		}
	}
	for _, alert := range alerts {
		name := wantedAlert{alertSeverity: alert.Severity, alertWindow: alert.Window}.String()
		if alert.Window == "" {
			name = strings.TrimPrefix(alert.Name, "Experience") + " " + alert.Severity
		}
		if class != "" {
			name = "before: " + name
		}
		c.label(c.top+13, name)
		for _, e := range episodes {
			if e.Alert == alert {
				c.bar(colourOf(alert.Severity)+class, e)
			}
		}
		c.top += laneHeight
	}
}

// colourOf is the class of a severity; the words beside a bar say what it is, too.
func colourOf(severity string) string {
	switch severity {
	case "critical", "page":
		return "critical"
	case "warning", "ticket":
		return "warning"
	default:
		return "other"
	}
}

func (c *canvas) bar(class string, e replay.Episode) {
	from, to := c.x(e.Start), c.x(e.End)
	l := listedEpisode(e)
	c.put("<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>%s</title></rect>\n",
		class, from, c.top+3, math.Max(to-from, 1.5), laneHeight-6, inXML(fmt.Sprintf("%s: %s, for %s", l, l.fired(), l.lasted())))
}

// ticks are how far apart the marks of the time can be.
var ticks = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

const mostTicks = 8

func (c *canvas) axis() {
	apart := ticks[len(ticks)-1]
	for _, t := range slices.Backward(ticks) {
		if c.over.to.Sub(c.over.from)/t <= mostTicks {
			apart = t
		}
	}
	layout := "Jan 2 15:04"
	if apart >= 24*time.Hour {
		layout = "2006-01-02"
	}
	for at := c.over.from.Truncate(apart); !at.After(c.over.to); at = at.Add(apart) {
		if at.Before(c.over.from) {
			continue
		}
		x := c.x(at)
		c.put("<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x, c.top, x, c.top+5)
		c.put("<text class=\"dim\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, c.top+18, at.Format(layout))
	}
	c.top += axisHeight
}
