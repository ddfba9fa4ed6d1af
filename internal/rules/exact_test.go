package rules_test

import (
	"testing"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
)

// truth is what the simulator knows of one recorded number in a stretch of time.
type truth func(w *ledgertest.World, from, to time.Time) float64

// counted is the movement of the series of a metric.
func counted(metric string, pairs ...string) truth {
	return func(w *ledgertest.World, from, to time.Time) float64 {
		return w.Movement(ledgertest.OnKnownTarget, metric, pairs...).Sum(from, to)
	}
}

// plus adds another number, so many times.
func (a truth) plus(times float64, b truth) truth {
	return func(w *ledgertest.World, from, to time.Time) float64 { return a(w, from, to) + times*b(w, from, to) }
}

// TestRecordedIsExact evaluates the groups over the scrapes of a world in which
// pods are replaced one after the other, and compares each minute that they
// record, and the sums of roll-ups and windows, with what the simulator counted.
func TestRecordedIsExact(t *testing.T) {
	requests, pages, responses := counted("shop_requests_total"), counted("page_seconds_count"), counted("nps_responses_total")
	satisfied := counted("page_seconds_bucket", "le", "1").plus(-1, counted("page_seconds_bucket", "le", "1", "code", "500"))
	tolerated := counted("page_seconds_bucket", "le", "4").plus(-1, counted("page_seconds_bucket", "le", "4", "code", "500"))
	promoters, detractors := counted("nps_responses_total", "group", "promoter"), counted("nps_responses_total", "group", "detractor")
	nothing := truth(func(*ledgertest.World, time.Time, time.Time) float64 { return 0 })
	events := failedRequests{requests, requests.plus(-1, counted("shop_requests_total", "code", "500"))}
	cases := map[string]struct {
		reason         string
		objective      *v1alpha1.Objective
		phase          time.Duration
		events, points truth
	}{
		"EventsAt0":  {"Evaluated at the very end of a minute.", objective(failures(), "99.9%"), 0, events.total, events.good},
		"EventsAt15": {"In its first half.", objective(failures(), "99.9%"), 15 * time.Second, events.total, events.good},
		"EventsAt30": {"In the middle.", objective(failures(), "99.9%"), 30 * time.Second, events.total, events.good},
		"EventsAt45": {"In its second half.", objective(failures(), "99.9%"), 45 * time.Second, events.total, events.good},
		"ApdexAt15": {
			"Half a point for those who tolerate.", objective(apdex(), "0.75"), 15 * time.Second,
			pages, nothing.plus(0.5, satisfied).plus(0.5, tolerated),
		},
		"NetPromoterAt30": {
			"Half a point for those who are passive.", objective(netPromoter(), "30"), 30 * time.Second,
			responses, nothing.plus(0.5, responses).plus(0.5, promoters).plus(-0.5, detractors),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := rollingRestart()
			r := newRuler(t, planOf(t, tc.objective, confined()), tc.phase)
			if err := r.store.Write(w); err != nil {
				t.Fatal(err)
			}
			r.run(w.Start.Add(5*time.Minute), w.End(), func(time.Time) {})
			r.compare(tc.reason, w, promql.RecordedEvents, tc.events)
			r.compare(tc.reason, w, promql.RecordedPoints, tc.points)
			r.compareSums(tc.reason, w, tc.events, tc.points)
		})
	}
}

type failedRequests struct{ total, good truth }

// rollingRestart is an hour with three pods, each of which is replaced twice.
func rollingRestart() *ledgertest.World {
	c := ledgertest.Config{
		Seed: 7, Start: begin, Length: time.Hour, Scrape: 15 * time.Second, Slots: 3,
		Signals: []ledgertest.Signal{ledgertest.Requests, ledgertest.Pages, ledgertest.Recommend},
	}
	for slot := range c.Slots {
		for _, at := range []time.Duration{17, 38} {
			c.Incidents = append(c.Incidents, ledgertest.Incident{
				Kind: ledgertest.Replace, Slot: slot, At: at*time.Minute + time.Duration(slot)*70*time.Second, For: 40 * time.Second,
			})
		}
	}
	return ledgertest.New(c)
}

// compare compares each recorded minute with the truth.
func (r *ruler) compare(reason string, w *ledgertest.World, name string, want truth) {
	r.t.Helper()
	matrix, err := r.store.Samples(r.t.Context(), promql.Recorded(name, r.plan.Identity())+"[2h]", w.End())
	if err != nil {
		r.t.Fatal(err)
	}
	if len(matrix) != 1 {
		r.t.Fatalf("\n%s\n%s: %d series, want 1", reason, name, len(matrix))
	}
	seen := map[time.Time]float64{}
	for _, v := range matrix[0].Values {
		seen[v.Timestamp.Time().UTC().Truncate(time.Minute)] = float64(v.Value)
	}
	sum := 0.0
	for minute := w.Start.Add(6 * time.Minute); !minute.After(r.lastMinute(w)); minute = minute.Add(time.Minute) {
		got, there := seen[minute]
		if expected := want(w, minute.Add(-time.Minute), minute); !there || got != expected {
			r.t.Errorf("\n%s\n%s of the minute to %s: %v (%t), want %v", reason, name, minute.Format("15:04"), got, there, expected)
		}
		sum += got
	}
	if sum == 0 {
		r.t.Errorf("\n%s\n%s: nothing happened, so nothing is shown", reason, name)
	}
}

// lastMinute is the end of the last minute that was recorded.
func (r *ruler) lastMinute(w *ledgertest.World) time.Time {
	return w.End().Add(-r.groups[0].phase).Truncate(time.Minute)
}

// compareSums compares the sums of all roll-ups, and of the longest window of
// the minute group, with the truth over the same time.
func (r *ruler) compareSums(reason string, w *ledgertest.World, events, points truth) {
	r.t.Helper()
	phase, slow := r.groups[0].phase, r.groups[1]
	end, first := r.lastMinute(w), w.Start.Add(5*time.Minute)
	if phase > 0 {
		first = first.Add(-time.Minute) // evaluated in the minute after it
	}
	if window := longestWindow(r.groups[0]); window != "" {
		r.equal(reason, `max(objective:experience_events:sum{window="`+window+`"})`, end.Add(phase), events(w, first, end))
		r.equal(reason, `max(objective:experience_bad_events:sum{window="`+window+`"})`, end.Add(phase), events(w, first, end)-points(w, first, end))
	}
	last := w.End().Add(-slow.phase).Truncate(slow.Interval()).Add(slow.phase)
	// Roll-ups hold what was recorded up to a minute before them.
	rolled := last.Add(-time.Minute).Add(-phase).Truncate(time.Minute)
	r.equal(reason, "sum_over_time(objective:experience_events:delta5m[2h])", last, events(w, first, rolled))
	r.equal(reason, "sum_over_time(objective:experience_points:delta5m[2h])", last, points(w, first, rolled))
}

func (r *ruler) equal(reason, expr string, at time.Time, want float64) {
	r.t.Helper()
	if got := r.value(expr, at); got != want {
		r.t.Errorf("\n%s\n%s: %v, want %v", reason, expr, got, want)
	}
}

// longestWindow is the longest window of a group whose events are summed.
func longestWindow(group *turn) string {
	longest := ""
	for _, rule := range group.Rules() {
		if rule.Name() == rules.Events {
			longest = rule.Labels().Get("window")
		}
	}
	return longest
}
