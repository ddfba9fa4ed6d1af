package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// week is how far back news go.
const week = 7 * 24 * time.Hour

// summary is a page for people who are not engineers. It says what was promised,
// what customers got, how much room is left and what is not known, in words that
// need no explanation.
type summary struct {
	title      string
	objectives []v1alpha1.Objective
	gates      []v1alpha1.Gate
	now        time.Time
}

// newReport makes a page of those that were asked for.
func newReport(s standings) summary {
	return summary{titleOf(s.options), s.objectives, s.gates, s.now}
}

// titleOf says whose promises these are.
func titleOf(o statusOptions) string {
	var of []string
	for _, part := range []string{o.name, o.service, o.perspective, o.touchpoint, o.selector} {
		if part != "" {
			of = append(of, part)
		}
	}
	if len(of) == 0 {
		return "How we keep our promises"
	}
	return "How we keep our promises: " + strings.Join(of, ", ")
}

// markdown is the page.
func (s summary) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n%s\n\n%s\n", s.title, dayOf(s.now), s.lead())
	for _, part := range []struct {
		standing promise
		title    string
		tell     func(*v1alpha1.Objective) string
	}{
		{promiseBroken, "Not kept", broken},
		{promiseUnknown, "Not known", unknown},
		{promiseKept, "Kept", s.kept},
	} {
		of := s.of(part.standing)
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n## %s\n\n", part.title)
		for _, o := range of {
			fmt.Fprintf(&out, "- **%s**%s %s\n", escaped(promiseOf(o)), s.whose(o), part.tell(o))
		}
	}
	if len(s.objectives) > 0 {
		fmt.Fprintf(&out, "\n## This week\n\n%s", s.news())
	}
	return out.String()
}

// whose names the service of a promise where there are several.
func (s summary) whose(o *v1alpha1.Objective) string {
	if !slices.ContainsFunc(s.objectives, func(x v1alpha1.Objective) bool { return x.Spec.Service != o.Spec.Service }) {
		return ""
	}
	return " (" + string(o.Spec.Service) + ")"
}

// lead says in a sentence how it stands.
func (s summary) lead() string {
	all := len(s.objectives)
	if all == 0 {
		return "We have promised nothing yet that is measured."
	}
	kept, missed, open := len(s.of(promiseKept)), len(s.of(promiseBroken)), len(s.of(promiseUnknown))
	if kept == all {
		return "We keep " + every(all) + "."
	}
	var parts []string
	for _, part := range []struct {
		n    int
		text string
	}{{kept, "we keep %s"}, {missed, "we do not keep %s"}, {open, "of %s we cannot tell"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf(part.text, numeral(part.n)))
		}
	}
	return fmt.Sprintf("Of %s, %s.", promises(all), joined(parts))
}

func every(n int) string {
	if n == 1 {
		return "our promise"
	}
	return "all of our " + promises(n)
}

func promises(n int) string {
	if n == 1 {
		return "one promise"
	}
	return numeral(n) + " promises"
}

// numeral writes small numbers as words.
func numeral(n int) string {
	words := []string{"none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
	if n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}

// joined writes "a, b and c".
func joined(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

func (s summary) of(wanted promise) []*v1alpha1.Objective {
	var out []*v1alpha1.Objective
	for i := range s.objectives {
		if standing(&s.objectives[i]) == wanted {
			out = append(out, &s.objectives[i])
		}
	}
	return out
}

// news is what changed in the last week, as far as the cluster remembers.
func (s summary) news() string {
	var out []event
	for i := range s.objectives {
		out = append(out, s.turn(&s.objectives[i])...)
	}
	for i := range s.gates {
		if s.concerns(&s.gates[i]) {
			out = append(out, s.releases(&s.gates[i])...)
		}
	}
	if len(out) == 0 {
		return "Nothing turned for the better or the worse.\n"
	}
	slices.SortStableFunc(out, func(a, b event) int { return a.at.Compare(b.at) })
	var text strings.Builder
	for _, e := range out {
		fmt.Fprintf(&text, "- %s: %s\n", dayOf(e.at), e.text)
	}
	return text.String()
}

// event is a piece of news.
type event struct {
	at   time.Time
	text string
}

// recent says whether a moment is in the last week.
func (s summary) recent(at metav1.Time) bool {
	return !at.IsZero() && at.After(s.now.Add(-week)) && !at.After(s.now)
}

// turn tells since when a promise stands as it does. One that is new has not
// turned.
func (s summary) turn(o *v1alpha1.Objective) []event {
	met := metCondition(o)
	if met == nil || !s.recent(met.LastTransitionTime) || met.LastTransitionTime.Sub(o.CreationTimestamp.Time) < time.Hour {
		return nil
	}
	text := map[promise]string{
		promiseBroken:  "from here on we do not keep this promise: ",
		promiseUnknown: "from here on we do not know about this promise: ",
		promiseKept:    "from here on we keep this promise: ",
	}[standing(o)]
	return []event{{met.LastTransitionTime.Time, text + escaped(promiseOf(o))}}
}

// concerns says whether a check of releases was about one of the promises.
func (s summary) concerns(g *v1alpha1.Gate) bool {
	return slices.ContainsFunc(s.objectives, func(o v1alpha1.Objective) bool {
		return o.Namespace == g.Namespace && slices.ContainsFunc(g.Status.Objectives, func(x v1alpha1.GateObjective) bool { return string(x.Name) == o.Name })
	})
}

// releases tells what became of the releases of the last week.
func (s summary) releases(g *v1alpha1.Gate) []event {
	var out []event
	for _, r := range g.Status.History {
		text, told := map[v1alpha1.GateVerdict]string{
			v1alpha1.GatePassed:       "was good for our customers",
			v1alpha1.GateFailed:       "was not good for our customers and was stopped",
			v1alpha1.GateInconclusive: "could not be judged: too little was seen of it",
		}[r.Verdict]
		if told && s.recent(r.FinishedAt) {
			out = append(out, event{r.FinishedAt.Time, strings.TrimSpace("a new version "+string(r.Revision)) + " " + text})
		}
	}
	return out
}

// dayOf writes a day as people do.
func dayOf(at time.Time) string { return at.UTC().Format("2 January 2006") }
