package rules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
)

// stretch is a time in which a support desk behaves in one way.
type stretch struct {
	For time.Duration
	// Gone: nothing is scraped, and the target is marked as gone.
	Gone bool
	// Unborn: the target is scraped, and has no counters.
	Unborn bool
	// PerHour and Bad are tickets answered and missed, spread over each hour.
	PerHour, Bad float64
}

// desk scrapes a support desk through some stretches.
type desk struct {
	r          *ruler
	begin      time.Time
	stretches  []stretch
	total, bad float64
}

func (d *desk) scrape(at time.Time) {
	s := d.at(at)
	perScrape := scrapeInterval.Hours()
	if s.Gone {
		return
	}
	d.r.put(at, 1, "up")
	d.r.put(at, float64(d.begin.Add(-time.Hour).Unix()), "process_start_time_seconds")
	if s.Unborn {
		return
	}
	d.total, d.bad = d.total+s.PerHour*perScrape, d.bad+s.Bad*perScrape
	d.r.put(at, whole(d.total-d.bad), "shop_requests_total", "code", "200")
	d.r.put(at, whole(d.bad), "shop_requests_total", "code", "500")
}

// whole is the number of whole tickets, without the noise of adding up parts.
func whole(tickets float64) float64 { return float64(int(tickets + 1e-6)) }

func (d *desk) at(at time.Time) stretch {
	since := at.Sub(d.begin)
	for _, s := range d.stretches {
		if since -= s.For; since <= 0 {
			return s
		}
	}
	return d.stretches[len(d.stretches)-1]
}

func (d *desk) length() time.Duration {
	sum := time.Duration(0)
	for _, s := range d.stretches {
		sum += s.For
	}
	return sum
}

// fires is an alert that fired.
type fires struct {
	Alert    string
	Severity string
	Window   string
	// From and To are the minutes between which it began, from the start.
	From, To int
	// Ends says that it ended before the last stretch did.
	Ends bool
}

// fired are the alerts that fired, with the bounds of those that are wanted
// where they began between them, and with the minute where they did not.
func (r *ruler) fired(want []fires) []fires {
	var out []fires
	for _, c := range r.changes {
		if !c.Firing {
			continue
		}
		minute := int(c.At.Sub(begin) / time.Minute)
		f := fires{Alert: c.Name, Severity: c.Severity, Window: c.Window, From: minute, To: minute, Ends: !r.firing[c.alertKey]}
		expected := slices.IndexFunc(want, func(w fires) bool {
			return w.Alert == f.Alert && w.Window == f.Window && w.From <= minute && minute <= w.To
		})
		if expected >= 0 {
			f.From, f.To = want[expected].From, want[expected].To
		}
		out = append(out, f)
	}
	return out
}

// TestQuiet runs through nights and weekends: what fires, and when.
func TestQuiet(t *testing.T) {
	impatient := alerting(v1alpha1.Alerting{MinimumBadEvents: 1, Ticket: &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}})
	soon := func(also ...func(*v1alpha1.Alerting)) func(*v1alpha1.Objective) {
		a := v1alpha1.Alerting{DataAbsent: &v1alpha1.DataAbsentAlert{After: &metav1.Duration{Duration: 10 * time.Minute}}}
		for _, change := range also {
			change(&a)
		}
		return alerting(a)
	}
	cases := map[string]struct {
		reason    string
		objective *v1alpha1.Objective
		// idle writes three days before the start in which nothing happened.
		idle      bool
		stretches []stretch
		want      []fires
	}{
		"OneTicketAtNight": {
			reason:    "The only ticket of the night is missed: all of one, but one.",
			objective: objective(failures(), "99%", supportDesk), idle: true,
			stretches: []stretch{{For: 10 * time.Minute}, {For: time.Hour, PerHour: 1, Bad: 1}, {For: 10 * time.Minute}},
		},
		"OneTicketAtNightIsEnough": {
			reason:    "Those who ask for it are called; so the case above could have failed.",
			objective: objective(failures(), "99%", supportDesk, impatient), idle: true,
			stretches: []stretch{{For: 10 * time.Minute}, {For: time.Hour, PerHour: 1, Bad: 1}, {For: 10 * time.Minute}},
			want: []fires{
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "1h", From: 70, To: 72, Ends: true},
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "6h", From: 70, To: 72},
			},
		},
		"ManyTicketsAtNight": {
			reason:    "Three missed tickets are no accident.",
			objective: objective(failures(), "99%", supportDesk, alerting(v1alpha1.Alerting{Ticket: &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}})), idle: true,
			stretches: []stretch{{For: 10 * time.Minute}, {For: 10 * time.Minute, PerHour: 18, Bad: 18}, {For: 12 * time.Minute}},
			want: []fires{
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "1h", From: 20, To: 22, Ends: true},
				{Alert: rules.BudgetBurn, Severity: "critical", Window: "6h", From: 20, To: 22},
			},
		},
		"IdleWeekend": {
			reason:    "Counters stand still, then the desk is switched off for maintenance, then Monday comes.",
			objective: objective(failures(), "99%", supportDesk), idle: true,
			stretches: []stretch{{For: time.Hour}, {For: time.Hour, Gone: true}, {For: time.Hour, PerHour: 60}},
		},
		"DataGone": {
			reason:    "Data that was there is gone for ten minutes, counted from when it was last in sight; then it is back.",
			objective: objective(failures(), "99%", soon()),
			stretches: []stretch{{For: 20 * time.Minute, PerHour: 60}, {For: 40 * time.Minute, Gone: true}, {For: 20 * time.Minute, PerHour: 60}},
			want:      []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 30, To: 46, Ends: true}},
		},
		"DataGoneUnwatched": {
			reason: "Nobody asked to be told.",
			objective: objective(failures(), "99%", soon(func(a *v1alpha1.Alerting) {
				a.DataAbsent.Mode = v1alpha1.AlertDisabled
			})),
			stretches: []stretch{{For: 20 * time.Minute, PerHour: 60}, {For: 40 * time.Minute, Gone: true}},
		},
		"NeverBorn": {
			reason:    "The first ticket has not come yet.",
			objective: objective(failures(), "99%", soon()),
			stretches: []stretch{{For: time.Hour, Unborn: true}},
		},
		"Idle": {
			reason:    "Counters that stand still are there.",
			objective: objective(failures(), "99%", soon()),
			stretches: []stretch{{For: 10 * time.Minute, PerHour: 60}, {For: 50 * time.Minute}},
		},
		"KeepsFiring": {
			reason: "Firing goes on for the quarter of an hour that was asked for.",
			objective: objective(failures(), "99%", soon(func(a *v1alpha1.Alerting) {
				a.KeepFiringFor = &metav1.Duration{Duration: 15 * time.Minute}
			})),
			stretches: []stretch{{For: 20 * time.Minute, PerHour: 60}, {For: 40 * time.Minute, Gone: true}, {For: 12 * time.Minute, PerHour: 60}},
			want:      []fires{{Alert: rules.DataAbsent, Severity: "warning", From: 30, To: 46}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRuler(t, planOf(t, tc.objective, confined()), 30*time.Second)
			if tc.idle {
				r.past(begin, 0)
			}
			d := &desk{r: r, begin: begin, stretches: tc.stretches}
			r.run(begin, begin.Add(d.length()), d.scrape)
			if diff := cmp.Diff(tc.want, r.fired(tc.want)); diff != "" {
				t.Errorf("\n%s\nalerts: -want, +got:\n%s", tc.reason, diff)
			}
			if r.recorded == 0 {
				t.Errorf("\n%s\nnothing was recorded", tc.reason)
			}
		})
	}
}

// TestIdleRecordsZero checks that no traffic is 0 events, and no data no sample.
func TestIdleRecordsZero(t *testing.T) {
	r := newRuler(t, planOf(t, objective(failures(), "99%"), confined()), 0)
	d := &desk{r: r, begin: begin, stretches: []stretch{{For: 10 * time.Minute}, {For: 20 * time.Minute, Gone: true}}}
	r.run(begin, begin.Add(d.length()), d.scrape)
	idle, gone := begin.Add(10*time.Minute), begin.Add(d.length())
	own := r.plan.Identity()
	cases := map[string]struct {
		reason string
		expr   string
		at     time.Time
		want   string
	}{
		"Events":     {"No event is 0.", promql.Recorded(promql.RecordedEvents, own), idle, "0"},
		"Points":     {"So are its points.", promql.Recorded(promql.RecordedPoints, own), idle, "0"},
		"Burn":       {"Nothing burns without events, not even at 0.", promql.Recorded(rules.BurnRate, own), idle, "none"},
		"EventsGone": {"No data is no sample.", promql.Recorded(promql.RecordedEvents, own), gone, "none"},
		"PointsGone": {"Nor are there points.", promql.Recorded(promql.RecordedPoints, own), gone, "none"},
		"Heartbeat":  {"The rules are evaluated still.", promql.Recorded(promql.RecordedResets, own), gone, "0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := shown(r.value("max("+tc.expr+")", tc.at)); got != tc.want {
				t.Errorf("\n%s\n%s: %s, want %s", tc.reason, tc.expr, got, tc.want)
			}
		})
	}
}
