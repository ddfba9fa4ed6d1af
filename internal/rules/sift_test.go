package rules_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// span is a stretch by minutes since the beginning.
func span(from, to int) slo.Span {
	return slo.Span{Start: begin.Add(time.Duration(from) * time.Minute), End: begin.Add(time.Duration(to) * time.Minute)}
}

// without leaves minutes out of a plan.
func without(p *compile.Plan, spans ...slo.Span) *compile.Plan {
	p.Excluded = spans
	return p
}

// less is a truth without the minutes of some spans.
func (a truth) less(spans []slo.Span) truth {
	return func(w *ledgertest.World, from, to time.Time) float64 {
		sum := 0.0
		for minute := from.Add(time.Minute); !minute.After(to); minute = minute.Add(time.Minute) {
			counts := true
			for _, s := range spans {
				counts = counts && !s.Holds(minute)
			}
			if counts {
				sum += a(w, minute.Add(-time.Minute), minute)
			}
		}
		return sum
	}
}

// TestSiftedIsExact evaluates the rules of an objective with exclusions over the
// scrapes of a world, at each phase of the minute, and compares the sums of each
// evaluation with what the simulator counted in the minutes that are left: one minute
// too few or too many at an end of an exclusion is a difference.
func TestSiftedIsExact(t *testing.T) {
	spans := []slo.Span{span(-30, -20), span(20, 27), span(40, 41), span(52, 300)}
	total := counted("shop_requests_total")
	bad := counted("shop_requests_total", "code", "500")
	for phase := range time.Duration(phases) {
		t.Run(fmt.Sprint("At", int(phase)*15), func(t *testing.T) {
			t.Parallel()
			w := rollingRestart()
			r := newRuler(t, without(planOf(t, objective(failures(), "99.9%"), confined()), spans...), phase*scrapeInterval)
			if err := r.store.Write(w); err != nil {
				t.Fatal(err)
			}
			r.run(w.Start.Add(5*time.Minute), w.End(), func(time.Time) {})
			first := w.Start.Add(5 * time.Minute)
			if phase > 0 {
				first = first.Add(-time.Minute) // evaluated in the minute after it
			}
			compared := 0
			for _, group := range r.groups[:2] {
				newest := time.Duration(0)
				if group.Interval() > time.Minute {
					newest = 2 * time.Minute // slower groups look at what is settled
				}
				for at := w.Start.Add(15*time.Minute + group.phase).Truncate(group.Interval()).Add(group.phase); !at.After(w.End()); at = at.Add(group.Interval()) {
					compared += r.compareSifted(w, group, at, first, at.Add(-newest).Truncate(time.Minute), total.less(spans), bad.less(spans))
				}
			}
			if compared < 100 {
				t.Errorf("%d windows were compared, want some hundred", compared)
			}
		})
	}
}

// compareSifted compares the long windows that a group recorded in an evaluation, and
// gives their number. Nothing is recorded where all minutes are left out.
func (r *ruler) compareSifted(w *ledgertest.World, group *turn, at, first, newest time.Time, total, bad truth) int {
	r.t.Helper()
	n := 0
	for _, rule := range group.Rules() {
		if rule.Name() != rules.Events {
			continue
		}
		label := rule.Labels().Get("window")
		length, err := slo.ParseDuration(label)
		if err != nil {
			r.t.Fatal(err)
		}
		from := newest.Add(-length)
		if from.Before(first) {
			from = first
		}
		events, lost := total(w, from, newest), bad(w, from, newest)
		r.equal("events of "+label, `max(objective:experience_events:sum{window="`+label+`"})`, at, events)
		r.equal("bad events of "+label, `max(objective:experience_bad_events:sum{window="`+label+`"})`, at, lost)
		burn := r.value(`max(objective:experience_burn_rate:ratio{window="`+label+`"})`, at)
		if want := lost / events / 0.001; math.Abs(burn-want) > 1e-9*want+1e-12 {
			r.t.Errorf("burn rate of %s at %s: %v, want %v", label, at, burn, want)
		}
		n++
	}
	return n
}

// TestQuietDuringExclusions runs through incidents of which minutes are excluded.
func TestQuietDuringExclusions(t *testing.T) {
	page := alerting(v1alpha1.Alerting{Ticket: &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}})
	soon := alerting(v1alpha1.Alerting{DataAbsent: &v1alpha1.DataAbsentAlert{After: &metav1.Duration{Duration: 10 * time.Minute}}})
	good := func(d time.Duration) stretch { return stretch{For: d * time.Minute, PerHour: 600} }
	lost := func(d time.Duration) stretch { return stretch{For: d * time.Minute, PerHour: 600, Bad: 600} }
	gone := func(d time.Duration) stretch { return stretch{For: d * time.Minute, Gone: true} }
	burns := func(window string, from, to int, ends bool) fires {
		return fires{Alert: rules.BudgetBurn, Severity: "critical", Window: window, From: from, To: to, Ends: ends}
	}
	cases := map[string]struct {
		reason    string
		options   func(*v1alpha1.Objective)
		excluded  []slo.Span
		stretches []stretch
		want      []fires
	}{
		"NotExcluded": {
			reason: "So the cases below could fail.", options: page, stretches: []stretch{good(20), lost(20), good(20)},
			want: []fires{burns("6h", 20, 24, false), burns("1h", 20, 24, true)},
		},
		"Excluded": {
			reason: "Maintenance was planned, and is over: nobody is called.", options: page, excluded: []slo.Span{span(20, 41)},
			stretches: []stretch{good(20), lost(20), good(40)},
		},
		"GoesOn": {
			reason: "It went wrong: what is left of it after the exclusion is enough.", options: page, excluded: []slo.Span{span(20, 40)},
			stretches: []stretch{good(20), lost(40)},
			want:      []fires{burns("6h", 41, 45, false), burns("1h", 41, 45, false)},
		},
		"FiresBefore": {
			reason: "What fired before is silent meanwhile, and fires again when the bad minutes before are not forgotten.", options: page,
			excluded: []slo.Span{span(30, 40)}, stretches: []stretch{good(20), lost(10), good(10), lost(10)},
			want: []fires{burns("6h", 20, 24, false), burns("1h", 20, 24, false), burns("1h", 41, 43, false), burns("6h", 41, 43, false)},
		},
		"DataGone": {
			reason: "Who switches it off for maintenance need not hear that it is off.", options: soon, excluded: []slo.Span{span(20, 60)},
			stretches: []stretch{good(20), gone(45), good(20)},
		},
		"DataStaysAway": {
			reason: "But that it did not come back: ten minutes after the end.", options: soon, excluded: []slo.Span{span(20, 60)},
			stretches: []stretch{good(20), gone(70)},
			want:      []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 70, To: 77}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRuler(t, without(planOf(t, objective(failures(), "99%", supportDesk, tc.options), confined()), tc.excluded...), 30*time.Second)
			d := &desk{r: r, begin: begin, stretches: tc.stretches}
			r.run(begin, begin.Add(d.length()), d.scrape)
			if diff := cmp.Diff(tc.want, r.fired(tc.want)); diff != "" {
				t.Errorf("\n%s\nalerts: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func rendered(t *testing.T, p *compile.Plan) string {
	t.Helper()
	groups, err := rules.Groups(p, rules.Settings{Prefix: "experience"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := rules.File(groups)
	if err != nil {
		t.Fatal(err)
	}
	journey := rules.Journey{
		Key:    types.NamespacedName{Namespace: p.Key.Namespace, Name: "order"},
		Spec:   &v1alpha1.JourneySpec{Stages: []v1alpha1.JourneyStage{{Name: "pay", Importance: v1alpha1.ImportanceCritical}}},
		Stages: map[v1alpha1.Label][]*compile.Plan{"pay": {p}},
	}
	return string(text) + journey.Untold()
}

// TestTurn walks from one Turn to the next: between two of them the rules are the
// same, and at each of them they are others. Before the first and after the last they
// are those of an objective without exclusions.
func TestTurn(t *testing.T) {
	plan := func(now time.Time, spans ...slo.Span) *compile.Plan {
		p := without(planOf(t, objective(failures(), "99.9%", supportDesk), confined()), spans...)
		p.Made = now
		return p
	}
	spans := []slo.Span{span(3000, 3010), span(9000, 9600)}
	plain := rendered(t, plan(begin))
	var turns []string
	for now := begin; ; {
		text := rendered(t, plan(now, spans...))
		next := rules.Turn(plan(now, spans...), now)
		if next.IsZero() {
			if text != plain {
				t.Error("the rules after the last turn are not those without exclusions")
			}
			break
		}
		if now.Equal(begin) && text != plain {
			t.Error("the rules before the first turn are not those without exclusions")
		}
		if rendered(t, plan(next.Add(-time.Second), spans...)) != text {
			t.Errorf("the rules change between %s and %s", now, next)
		}
		// When the window leaves the first, it still holds the second.
		if same := rendered(t, plan(next, spans...)) == text; same != next.Equal(spans[0].End.Add(28*24*time.Hour+2*time.Hour)) {
			t.Errorf("the rules are the same at %s: %t", next, same)
		}
		turns = append(turns, next.Sub(begin).String())
		now = next
	}
	// An hour before each, and after each when one of ten windows does not reach it.
	t.Log(strings.Join(turns, ", "))
	if len(turns) < 20 {
		t.Errorf("%d turns, want one for each window and exclusion: %v", len(turns), turns)
	}
}

func TestSiftedIsGolden(t *testing.T) {
	source := confined()
	plan := without(planOf(t, objective(failures(), "99.9%"), source), span(-600, -570), span(30, 90))
	groups, err := rules.Groups(plan, rules.SettingsOf(source))
	if err != nil {
		t.Fatal(err)
	}
	text, err := rules.File(groups)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "excluded", "Around exclusions, minutes are summed one by one, without those that do not count.", text, false)
}
