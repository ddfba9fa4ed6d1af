package cli

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// text is the whole explanation.
func (e *explanation) text() string {
	var out strings.Builder
	standing := e.stands()
	fmt.Fprintf(&out, "Objective %s/%s: %s\n", e.Namespace, e.Name, e.painter.paint(standing.text, standing.colour))
	if e.Spec.Description != "" {
		fmt.Fprintf(&out, "%s\n", e.Spec.Description)
	}
	e.section(&out, "What is promised", e.facts(e.promise()))
	e.section(&out, "What counts", e.facts(e.counts()))
	e.section(&out, "What was attained", e.facts(e.attained()))
	e.section(&out, "Who got what", e.segments())
	e.section(&out, "Why", e.facts(e.conditions()))
	if e.plan != nil {
		e.section(&out, "Where the budget went", e.spending())
		e.section(&out, "Alerts", e.alerts())
	}
	var steps strings.Builder
	for i, step := range e.next() {
		fmt.Fprintf(&steps, "%d. %s\n", i+1, strings.ReplaceAll(step, "`", ""))
	}
	e.section(&out, "What to do", steps.String())
	if e.expressions {
		e.section(&out, "How a minute is counted", e.promql())
	}
	return out.String()
}

// section is a title and lines below it; there is none without lines.
func (e *explanation) section(out *strings.Builder, title, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(out, "\n%s\n", e.painter.paint(title, bold))
	for line := range strings.Lines(text) {
		if line != "\n" {
			line = "  " + line
		}
		out.WriteString(line)
	}
}

// facts are lines of two columns. They are not cut: they are to be copied.
func (e *explanation) facts(all []fact) string {
	var rows [][]cell
	for _, f := range all {
		if f.text != "" {
			rows = append(rows, cells(f.name, f.text))
		}
	}
	return painter{}.table(rows)
}

func (e *explanation) promise() []fact {
	s := e.Spec
	whose := []string{string(s.Service), string(s.Perspective)}
	if s.Touchpoint != "" {
		whose = append(whose, string(s.Touchpoint))
	}
	out := []fact{{"by", strings.Join(whose, ", ")}, {"target", fmt.Sprintf("at least %s in %s", s.Target, windowOf(s.Window))}}
	if by := s.GroupBy; by != nil {
		out = append(out, fact{"to", promisedTo(by)})
	}
	if s.MinimumEvents > 1 {
		out = append(out, fact{"judged", fmt.Sprintf("from %d events on", s.MinimumEvents)})
	}
	if s.Confidence != "" {
		out = append(out, fact{"confidence", string(s.Confidence)})
	}
	return out
}

func (e *explanation) attained() []fact {
	s := &e.Status
	if s.Events == nil {
		return nil
	}
	out := []fact{{"attainment", s.Attainment}, {"interval", s.ConfidenceInterval}, {"events", count(s.Events)}}
	if s.BudgetRemaining != "" {
		out = append(out, fact{"budget left", s.BudgetRemaining + e.lasting()})
	}
	out = append(out, fact{"band", string(s.Band)}, fact{"excluded", leftOut(s)}, fact{"coverage", s.Coverage})
	if w := s.Window; w != nil {
		out = append(out, fact{"from", minuteAt(w.Start)}, fact{"to", minuteAt(w.End)})
	}
	return out
}

func minuteAt(at metav1.Time) string { return at.UTC().Format("2006-01-02 15:04 MST") }

// lasting says how long the budget lasts.
func (e *explanation) lasting() string {
	share, known := shareOf(e.Status.BudgetRemaining)
	switch ends := e.Status.ExhaustsAt; {
	case known && share < 0:
		return ": more than all of it is spent"
	case ends == nil:
		return ""
	case !ends.After(e.now):
		return ", and none at the present pace"
	default:
		return ", until " + minuteAt(*ends) + " at the present pace"
	}
}

// conditions are what the operator says, in words.
func (e *explanation) conditions() []fact {
	var out []fact
	for _, c := range e.Status.Conditions {
		text := fmt.Sprintf("%s, %s", c.Status, c.Reason)
		if c.Message != "" {
			text += ": " + c.Message
		}
		if !c.LastTransitionTime.IsZero() {
			text += " (since " + minuteAt(c.LastTransitionTime) + ")"
		}
		if c.ObservedGeneration != 0 && c.ObservedGeneration != e.Generation {
			text += " (of a spec that was changed since)"
		}
		out = append(out, fact{c.Type, text})
	}
	return out
}

// spending is where the budget went, or how to find out.
func (e *explanation) spending() string {
	if e.verdict == nil {
		return "Name the server of its metrics with --prometheus to see where it went, " + unitOf(e.plan) + " by " + unitOf(e.plan) + ".\n"
	}
	if len(e.steps) == 0 {
		return "There were no events.\n"
	}
	var out string
	if e.painter.bars {
		var events, lost []float64
		for _, s := range e.steps {
			events, lost = append(events, s.events), append(lost, s.lost)
		}
		out = e.painter.table([][]cell{cells("events", sparkline(events)), {{text: "lost"}, {sparkline(lost), red}}}) + "\n"
	}
	rows := [][]cell{cells(strings.ToUpper(unitOf(e.plan)), "EVENTS", "LOST", "BUDGET SPENT")}
	for _, s := range e.steps {
		spent := slo.FormatBudget(s.spent)
		if math.IsNaN(s.events) {
			spent = "no data"
		} else if e.painter.bars {
			spent = bar(s.spent) + " " + spent
		}
		rows = append(rows, cells(labelOf(e.plan, s.start), amount(s.events), amount(s.lost), spent))
	}
	return out + painter{}.table(rows)
}

// amount writes a count that may hold halves of points.
func amount(n float64) string {
	if math.IsNaN(n) {
		return ""
	}
	text := strconv.FormatFloat(n, 'f', 1, 64)
	if text = strings.TrimSuffix(text, ".0"); text == "-0" {
		return "0"
	}
	return text
}

// alerts are the tiers and how near they are.
func (e *explanation) alerts() string {
	if len(e.plan.Tiers) == 0 {
		return "None watch the budget: spec.alerting has them disabled.\n"
	}
	rows := [][]cell{cells("SEVERITY", "BURN ABOVE", "OVER", "AND OVER", "NOW", "BUDGET SPENT BY THEN")}
	for i, tier := range e.plan.Tiers {
		now, paint := e.burnOf(i)
		rows = append(rows, []cell{
			{text: string(tier.Severity)}, {text: strconv.FormatFloat(tier.Factor, 'f', 2, 64) + "x"},
			{text: slo.FormatDuration(tier.Long)}, {text: slo.FormatDuration(tier.Short)}, {now, paint},
			{text: slo.Percent.Format(tier.Budget)},
		})
	}
	return e.painter.table(rows)
}

// burnOf is how fast the budget burns over the long window of a tier, by what was
// counted or, without that, by the status.
func (e *explanation) burnOf(tier int) (string, colour) {
	t := e.plan.Tiers[tier]
	if e.verdict != nil {
		state := e.verdict.Tiers[tier]
		switch {
		case math.IsNaN(state.Long):
			return "no events", plain
		case state.Burning:
			return rate(state.Long) + ", burning", red
		default:
			return rate(state.Long), plain
		}
	}
	i := slices.IndexFunc(e.Status.BurnRates, func(b v1alpha1.BurnRate) bool { return b.Window == slo.FormatDuration(t.Long.Round(time.Minute)) })
	if i < 0 {
		return "unknown", plain
	}
	if now := rateOf(e.Status.BurnRates[i]); now > t.Factor {
		return rate(now) + ", above", red
	}
	return e.Status.BurnRates[i].Rate + "x", plain
}

func rate(r float64) string { return strconv.FormatFloat(r, 'f', 2, 64) + "x" }

// promql is the query that the operator puts for each minute. Its lanes are told
// apart by a label.
func (e *explanation) promql() string {
	if e.plan == nil || e.plan.Recipe == nil {
		return "The boundaries of its buckets are not known: name the server of its metrics with --prometheus.\n"
	}
	reads, err := e.plan.Recipe.Reads()
	if err != nil {
		return err.Error() + "\n"
	}
	return reads.Minute + "\n"
}
