package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/replay"
	"github.com/experience-slo/operator/internal/slo"
)

func writeReplay(output string, over stretch, versions [][]replayed) ([]byte, error) {
	both := pairs(versions)
	switch {
	case output == outputSVG:
		return picture(over, both), nil
	case output == outputJSON && len(versions) > 1:
		return asJSON(comparedList{listedOver(over), compareAll(both)})
	case output == outputJSON:
		out := replayedList{listedOver(over), []listedReplay{}}
		for _, pair := range both {
			out.Objectives = append(out.Objectives, listedOf(pair[0]))
		}
		return asJSON(out)
	case len(versions) > 1:
		return comparedTable(compareAll(both)), nil
	default:
		return replayTable(both), nil
	}
}

func asJSON(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write figures: %w", err)
	}
	return append(text, '\n'), nil
}

func replayTable(all [][2]*replayed) []byte {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	row(w, []string{"NAMESPACE", "NAME", "TARGET", "CURRENT", "BUDGET", "MET", "LOWEST", "AT", "SPENT", "ALERTS"})
	alerts := 0
	for _, pair := range all {
		l := listedOf(pair[0])
		alerts += len(l.Alerts)
		row(w, []string{
			l.Namespace, l.Name, l.Target, l.Attainment, l.BudgetRemaining, l.Met,
			l.lowestBudget(), l.lowestAt(), l.OutOfBudget, l.fired(),
		})
	}
	_ = w.Flush() // a buffer takes everything
	writeExcluded(&out, w, compareAll(all))
	if alerts == 0 {
		return out.Bytes()
	}
	out.WriteByte('\n')
	row(w, []string{"NAMESPACE", "NAME", "ALERT", "SEVERITY", "WINDOW", "FIRED", "FOR"})
	for _, pair := range all {
		l := listedOf(pair[0])
		for _, a := range l.Alerts {
			row(w, []string{l.Namespace, l.Name, a.Name, a.Severity, a.Window, a.fired(), a.lasted()})
		}
	}
	_ = w.Flush()
	return out.Bytes()
}

// replayedList is what programs read of a replay.
type replayedList struct {
	listedStretch

	Objectives []listedReplay `json:"objectives"`
}

type listedStretch struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Step string    `json:"step"`
}

func listedOver(s stretch) listedStretch {
	return listedStretch{s.from, s.to, slo.FormatDuration(s.step)}
}

// listedReplay has figures as people read them, but for its points.
type listedReplay struct {
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	Error           string `json:"error,omitempty"`
	Target          string `json:"target"`
	Attainment      string `json:"attainment,omitempty"`
	BudgetRemaining string `json:"budgetRemaining,omitempty"`
	Met             string `json:"met,omitempty"`
	Reason          string `json:"reason,omitempty"`
	Events          *int64 `json:"events,omitempty"`
	// Excluded is the share of the window at the end that does not count, and Raw the
	// figures with it. Exclusions are the parts of the time that was replayed.
	Excluded   string               `json:"excluded,omitempty"`
	Raw        *v1alpha1.RawFigures `json:"raw,omitempty"`
	Exclusions []listedSpan         `json:"exclusions,omitempty"`
	Lowest     *listedLowest        `json:"lowest,omitempty"`
	// OutOfBudget is for how long no budget was left.
	OutOfBudget string        `json:"outOfBudget,omitempty"`
	Alerts      []listedAlert `json:"alerts"`
	Points      []listedPoint `json:"points"`
}

type listedLowest struct {
	At              time.Time `json:"at"`
	Attainment      string    `json:"attainment"`
	BudgetRemaining string    `json:"budgetRemaining"`
}

// listedPoint has ratios; null is where there are no events.
type listedPoint struct {
	At              time.Time `json:"at"`
	Attainment      *float64  `json:"attainment"`
	BudgetRemaining *float64  `json:"budgetRemaining"`
	// Raw are the ratios with what does not count; it is absent where all counts.
	Raw *listedRaw `json:"raw,omitempty"`
}

type listedRaw struct {
	Attainment      *float64 `json:"attainment"`
	BudgetRemaining *float64 `json:"budgetRemaining"`
}

type listedSpan struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

type listedAlert struct {
	Name     string    `json:"name"`
	Severity string    `json:"severity"`
	Window   string    `json:"window,omitempty"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	// Before says that it may have fired before the beginning, and Still that it
	// fires at the end.
	Before bool `json:"before,omitempty"`
	Still  bool `json:"still,omitempty"`
}

func listedOf(r *replayed) listedReplay {
	out := listedReplay{Namespace: r.Namespace, Name: r.Name, Target: string(r.Spec.Target), Alerts: []listedAlert{}, Points: []listedPoint{}}
	if r.failed != nil {
		out.Error = r.failed.Error()
		return out
	}
	s, met := r.figures.Status, metOf(r.figures)
	out.Attainment, out.BudgetRemaining, out.Events = s.Attainment, s.BudgetRemaining, s.Events
	out.Met, out.Reason = string(met.Status), met.Reason
	out.Excluded, out.Raw = s.Excluded, s.Raw
	for _, span := range r.excluded {
		out.Exclusions = append(out.Exclusions, listedSpan{span.Start, span.End})
	}
	out.OutOfBudget = shortDuration(r.Spent)
	if !math.IsNaN(r.Lowest.Budget) {
		out.Lowest = &listedLowest{r.Lowest.At, r.plan.Unit.FormatAgainst(r.Lowest.Attainment, r.plan.Target), slo.FormatBudget(r.Lowest.Budget)}
	}
	for _, e := range r.Alerts {
		out.Alerts = append(out.Alerts, listedEpisode(e))
	}
	for _, p := range r.Points {
		out.Points = append(out.Points, listedPointOf(p))
	}
	return out
}

func listedPointOf(p replay.Point) listedPoint {
	out := listedPoint{At: p.At, Attainment: ratio(p.Attainment), BudgetRemaining: ratio(p.Budget)}
	if p.Raw != nil {
		out.Raw = &listedRaw{ratio(p.Raw.Attainment), ratio(p.Raw.BudgetRemaining)}
	}
	return out
}

func listedEpisode(e replay.Episode) listedAlert {
	return listedAlert{e.Name, e.Severity, e.Window, e.Start.UTC(), e.End.UTC(), e.Begun, e.Open}
}

// ratio is a number that JSON has, to nine decimals: what is behind them is noise.
func ratio(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	x = math.Round(x*1e9) / 1e9
	return &x
}

// shortDuration is a time in words; none is "0".
func shortDuration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return slo.FormatDuration(d)
}

// fired is how many alerts fired, where that is known.
func (l listedReplay) fired() string {
	if l.Error != "" {
		return ""
	}
	return strconv.Itoa(len(l.Alerts))
}

func (l listedReplay) lowestBudget() string {
	if l.Lowest == nil {
		return ""
	}
	return l.Lowest.BudgetRemaining
}

func (l listedReplay) lowestAt() string {
	if l.Lowest == nil {
		return ""
	}
	return l.Lowest.At.Format(time.RFC3339)
}

// fired is when an alert began, as far as one knows.
func (a listedAlert) fired() string {
	if a.Before {
		return "before " + a.Start.Format(time.RFC3339)
	}
	return a.Start.Format(time.RFC3339)
}

// lasted is how long it fired, as far as one knows.
func (a listedAlert) lasted() string {
	out := shortDuration(a.End.Sub(a.Start))
	if a.Still {
		out += ", and fires still"
	}
	return out
}

// String gives "ExperienceBudgetBurn critical 1h" as test does.
func (a listedAlert) String() string {
	return wantedAlert{alertName: a.Name, alertSeverity: a.Severity, alertWindow: a.Window}.String()
}
