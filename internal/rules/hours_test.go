package rules_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// TestQuietWhileClosed runs through an hour that is closed, from 60 to 120 minutes
// after the beginning, with the calendar and without: what fires, and when.
func TestQuietWhileClosed(t *testing.T) {
	absent := alerting(v1alpha1.Alerting{DataAbsent: &v1alpha1.DataAbsentAlert{After: &metav1.Duration{Duration: 20 * time.Minute}}})
	pages := alerting(v1alpha1.Alerting{Ticket: &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}})
	cases := map[string]struct {
		reason    string
		args      func(*v1alpha1.Objective)
		stretches []stretch
		want      []fires
		// always is what fires without the calendar.
		always []fires
	}{
		"AbsentThroughTheClosedHour": {
			reason: "Some minutes before it closes and eight after it opens are no twenty.", args: absent,
			stretches: []stretch{{For: 45 * time.Minute, PerHour: 60}, {For: 83 * time.Minute, Gone: true}, {For: 20 * time.Minute, PerHour: 60}},
			always:    []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 72, To: 82, Ends: true}},
		},
		"AbsentForLonger": {
			reason: "With twenty-five after it opens they are more.", args: absent,
			stretches: []stretch{{For: 45 * time.Minute, PerHour: 60}, {For: 100 * time.Minute, Gone: true}, {For: 20 * time.Minute, PerHour: 60}},
			want:      []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 130, To: 141, Ends: true}},
			always:    []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 72, To: 82, Ends: true}},
		},
		"AbsentWhileClosedAlone": {
			reason: "What is switched off when it is closed and on again before it opens was never absent.", args: absent,
			stretches: []stretch{{For: 62 * time.Minute, PerHour: 60}, {For: 55 * time.Minute, Gone: true}, {For: 20 * time.Minute, PerHour: 60}},
			always:    []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 85, To: 98, Ends: true}},
		},
		"BadWhileClosed": {
			reason: "Calls that nobody takes at night are no broken promise.", args: pages,
			stretches: []stretch{{For: 65 * time.Minute}, {For: 30 * time.Minute, PerHour: 60, Bad: 60}, {For: 40 * time.Minute}},
			always: []fires{
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "1h", From: 66, To: 72, Ends: true},
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "6h", From: 66, To: 72, Ends: true},
			},
		},
		"BadWhileOpen": {
			reason: "Those that it does not take when it is open again are.", args: pages,
			stretches: []stretch{{For: 65 * time.Minute}, {For: 60 * time.Minute, PerHour: 60, Bad: 60}, {For: 15 * time.Minute}},
			want: []fires{
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "1h", From: 122, To: 126, Ends: true},
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "6h", From: 122, To: 126},
			},
			always: []fires{
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "1h", From: 66, To: 72, Ends: true},
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "6h", From: 66, To: 72},
			},
		},
	}
	for name, tc := range cases {
		for hours, change := range map[string]func(*v1alpha1.Objective){"Calendar": duringHours, "Always": func(*v1alpha1.Objective) {}} {
			t.Run(name+"/"+hours, func(t *testing.T) {
				t.Parallel()
				want := tc.want
				if hours == "Always" {
					want = tc.always
				}
				r := newRuler(t, planOf(t, objective(failures(), "99%", tc.args, change), confined()), 30*time.Second)
				d := &desk{r: r, begin: begin, stretches: tc.stretches}
				r.run(begin, begin.Add(d.length()), d.scrape)
				if diff := cmp.Diff(want, r.fired(want)); diff != "" {
					t.Errorf("\n%s\nalerts: -want, +got:\n%s", tc.reason, diff)
				}
			})
		}
	}
}

// TestAbsentAfterExclusions leaves minutes out of an objective that is closed from 60 to
// 120 minutes after the beginning, and of which data may be absent for ten.
func TestAbsentAfterExclusions(t *testing.T) {
	soon := alerting(v1alpha1.Alerting{DataAbsent: &v1alpha1.DataAbsentAlert{After: &metav1.Duration{Duration: 10 * time.Minute}}})
	good := func(d time.Duration) stretch { return stretch{For: d * time.Minute, PerHour: 600} }
	gone := func(d time.Duration) stretch { return stretch{For: d * time.Minute, Gone: true} }
	cases := map[string]struct {
		reason    string
		excluded  []slo.Span
		stretches []stretch
		want      []fires
	}{
		"NotExcluded": {
			reason: "So the cases below could fail.", stretches: []stretch{good(15), gone(100), good(20)},
			want: []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 30, To: 116, Ends: true}},
		},
		"UntilJustBeforeItCloses": {
			reason: "Five minutes of opening hours after the exclusion are no ten, though an hour went by.", excluded: []slo.Span{span(15, 55)},
			stretches: []stretch{good(15), gone(102), good(20)},
		},
		"Short": {
			reason: "An exclusion that no evaluation falls into counts as well.", excluded: []slo.Span{span(46, 49)},
			stretches: []stretch{good(38), gone(79), good(20)},
		},
		"StaysAway": {
			reason: "With ten more after it opens they are.", excluded: []slo.Span{span(15, 55)},
			stretches: []stretch{good(15), gone(120), good(20)},
			want:      []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 125, To: 136, Ends: true}},
		},
		"NeverBorn": {
			reason: "What was never there is idle, after an exclusion too.", excluded: []slo.Span{span(5, 20)},
			stretches: []stretch{{For: 140 * time.Minute, Unborn: true}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRuler(t, without(planOf(t, objective(failures(), "99%", duringHours, soon), confined()), tc.excluded...), 30*time.Second)
			d := &desk{r: r, begin: begin, stretches: tc.stretches}
			r.run(begin, begin.Add(d.length()), d.scrape)
			if diff := cmp.Diff(tc.want, r.fired(tc.want)); diff != "" {
				t.Errorf("\n%s\nalerts: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestWeekendIsNoAbsence records from a Friday evening to a Monday morning, with a
// ruler that is there for some minutes of every five hours: on Monday at 8:05 data has
// been absent for five minutes.
func TestWeekendIsNoAbsence(t *testing.T) {
	friday := time.Date(2026, 3, 6, 17, 0, 0, 0, time.UTC)
	r := newRuler(t, planOf(t, objective(failures(), "99%", duringHours), confined()), 0)
	d := &desk{r: r, begin: friday, stretches: []stretch{{For: time.Hour, PerHour: 60}, {For: 65 * time.Hour, Gone: true}}}
	closed := friday.Add(2 * time.Hour)
	r.run(friday, closed, d.scrape)
	monday := time.Date(2026, 3, 9, 8, 5, 0, 0, time.UTC)
	for at := closed.Add(5 * time.Hour); at.Before(monday.Add(-15 * time.Minute)); at = at.Add(5 * time.Hour) {
		r.run(at, at.Add(6*time.Minute), d.scrape)
	}
	r.run(monday.Add(-15*time.Minute), monday, d.scrape)
	absent := "max(" + promql.Recorded(rules.DataAbsentFor, r.plan.Identity()) + ")"
	for at, want := range map[time.Time]string{
		friday.Add(time.Hour): "0", closed: "0", monday.Add(-5 * time.Minute): "0", monday: "300",
	} {
		if got := shown(r.value(absent, at)); got != want {
			t.Errorf("%s: absent for %s s of opening hours, want %s", at, got, want)
		}
	}
	for name, want := range map[string]string{promql.RecordedEvents: "none", promql.RecordedPoints: "none", promql.RecordedResets: "0"} {
		if got := shown(r.value("max("+promql.Recorded(name, r.plan.Identity())+")", closed)); got != want {
			t.Errorf("%s while it is closed: %s, want %s", name, got, want)
		}
	}
}
