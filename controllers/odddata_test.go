package controllers_test

import (
	"context"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

// TestOddData shows what becomes of data that says nothing, or less than it
// seems to.
func TestOddData(t *testing.T) {
	op := startOperator(t)
	// Figures are exact where the window ends with the history.
	op.clock.hold(env.until)
	ns := namespace(t, "odd-data")
	create(t, aSource(ns, env.prom.URL), named("oddities", aSource(ns, oddities(t).URL)))
	cases := map[string]struct {
		reason string
		change []func(*v1alpha1.ObjectiveSpec)
		want   found
	}{
		"no-data": {
			reason: "a metric that does not exist is not 0",
			change: []func(*v1alpha1.ObjectiveSpec){histogram("no_such_metric_seconds")},
			want:   nothing(v1alpha1.ReasonNoData, noNumber),
		},
		"no-data-interpolated": {
			reason: "without boundaries there is nothing to interpolate between",
			change: []func(*v1alpha1.ObjectiveSpec){histogram("no_such_metric_seconds"), interpolate},
			want:   nothing(v1alpha1.ReasonNoData, noNumber),
		},
		"idle": {
			reason: "a counter that stands still is neither good nor bad",
			change: []func(*v1alpha1.ObjectiveSpec){odd("idle_total")},
			want:   nothing(v1alpha1.ReasonInsufficientData, "there are fewer events in the window than spec.minimumEvents, which is 1"),
		},
		"few": {
			reason: "ten events are too few where twenty are asked for",
			change: []func(*v1alpha1.ObjectiveSpec){odd("few_total"), atLeast(20)},
			want: found{
				Ready: "True Evaluated: evaluated", Attainment: "100%", Budget: "100%", Events: 10, Coverage: "100%",
				Met: "Unknown InsufficientData: there are fewer events in the window than spec.minimumEvents, which is 20",
			},
		},
		"nan-counter": {
			reason: "NaN is no count",
			change: []func(*v1alpha1.ObjectiveSpec){odd("nan_total")},
			want:   nothing(v1alpha1.ReasonNoData, noNumber),
		},
		"infinite-counter": {
			reason: "infinity is no count",
			change: []func(*v1alpha1.ObjectiveSpec){odd("infinite_total")},
			want:   nothing(v1alpha1.ReasonNoData, noNumber),
		},
		"nan-now-and-then": {
			reason: "one in sixty samples is NaN: the other minutes count, and no event counts twice",
			change: []func(*v1alpha1.ObjectiveSpec){odd("now_and_then_total")},
			want: found{
				Ready: "True Evaluated: evaluated", Attainment: "100%", Budget: "100%", Events: 116, Coverage: "96.7%",
				Met: "True TargetMet: the attainment is at least the target of 75%",
			},
		},
		"nan-query": {
			reason: "a division of zero by zero in every minute",
			change: []func(*v1alpha1.ObjectiveSpec){queries(
				"max_over_time(idle_total[$interval]) * 0 / 0",
				"max_over_time(idle_total[$interval])",
			)},
			want: found{
				Ready: "True Evaluated: " + divided,
				Met:   "Unknown NoData: every value in the window was NaN or infinity: guard the division in the query, or check the exporter",
			},
		},
		"infinite-query": {
			reason: "a division by zero in the first of two hours: its minutes are gaps, the others count",
			change: []func(*v1alpha1.ObjectiveSpec){queries(
				"max_over_time(rising_total[$interval]) / (max_over_time(rising_total[$interval]) > bool 120)",
				"max_over_time(rising_total[$interval])",
			)},
			want: found{
				Ready:      "True Evaluated: " + divided,
				Met:        "True TargetMet: the attainment is at least the target of 75%",
				Attainment: "100%", Budget: "100%", Events: 9030, Coverage: "50%",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			change := append([]func(*v1alpha1.ObjectiveSpec){rolling("2h"), from("oddities")}, tc.change...)
			o := anObjective(ns, name, change...)
			create(t, o)
			await(t, o, "a verdict", func(o *v1alpha1.Objective) bool { return o.Status.LastEvaluationTime != nil })
			if diff := cmp.Diff(tc.want, foundOn(o)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			t.Logf("%s -> Met=%s", tc.reason, worded(o.Status.Conditions)["Met"])
		})
	}
}

const (
	noNumber = "no number was found in the whole window: check the metric's name and labels in spec.indicator, that it is scraped, and that its samples are numbers"
	divided  = "evaluated; minutes in which a query gave NaN or infinity count as gaps: guard the division, for example with a / (b > 0)"
)

// found is what an objective says about odd data.
type found struct {
	Ready, Met, Attainment, Budget, Coverage string
	Events                                   int64
}

func foundOn(o *v1alpha1.Objective) found {
	conditions := worded(o.Status.Conditions)
	out := found{Ready: conditions["Ready"], Met: conditions["Met"], Attainment: o.Status.Attainment, Budget: o.Status.BudgetRemaining}
	if o.Status.Events != nil && *o.Status.Events > 0 {
		out.Events, out.Coverage = *o.Status.Events, o.Status.Coverage
	}
	return out
}

// nothing is found where no budget is touched.
func nothing(reason, message string) found {
	return found{Ready: "True Evaluated: evaluated", Met: "Unknown " + reason + ": " + message}
}

// TestWindowThatJustBegan follows an objective from the first moment of a week
// on, when nothing can be known of it yet.
func TestWindowThatJustBegan(t *testing.T) {
	monday := env.until.Add(-24 * time.Hour).Truncate(24 * time.Hour)
	for monday.Weekday() != time.Monday {
		monday = monday.Add(-24 * time.Hour)
	}
	op := startOperator(t)
	op.clock.hold(monday)
	ns := namespace(t, "just-began")
	create(t, aSource(ns, env.prom.URL))
	o := anObjective(ns, "week", func(s *v1alpha1.ObjectiveSpec) {
		s.Window = v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Week"}}
	})
	create(t, o)
	settled(t, o, v1alpha1.ReasonNoData)
	want := nothing(v1alpha1.ReasonNoData, "the window has only just begun: the verdict comes with its first minutes")
	if diff := cmp.Diff(want, foundOn(o)); diff != "" {
		t.Errorf("at the first moment: -want +got:\n%s", diff)
	}
	t.Logf("the week has just begun -> Met=%s", worded(o.Status.Conditions)["Met"])

	op.clock.forward(10 * time.Minute)
	request(t, o, "ten minutes later")
	settled(t, o, v1alpha1.ReasonTargetMet)
	if got := o.Status.Window.Start.UTC(); !got.Equal(monday) {
		t.Errorf("ten minutes later the window starts at %s, want %s", got, monday)
	}
}

// odd counts a counter of oddities, of which every event is good.
func odd(total v1alpha1.Selector) func(*v1alpha1.ObjectiveSpec) {
	return events(v1alpha1.EventsIndicator{Bad: "never_total", Total: total})
}

func interpolate(s *v1alpha1.ObjectiveSpec) { s.Indicator.Distribution.Interpolate = new(true) }

func atLeast(n int64) func(*v1alpha1.ObjectiveSpec) {
	return func(s *v1alpha1.ObjectiveSpec) { s.MinimumEvents = n }
}

// oddValues are counters that say nothing, or less than they seem to, by the
// minute of a history of oddMinutes.
var oddValues = map[string]func(minute int) float64{
	"idle_total":     func(int) float64 { return 5 },
	"nan_total":      func(int) float64 { return math.NaN() },
	"infinite_total": func(int) float64 { return math.Inf(1) },
	"rising_total":   func(minute int) float64 { return float64(minute) },
	"few_total":      func(minute int) float64 { return float64(max(0, minute-(oddMinutes-10))) },
	"now_and_then_total": func(minute int) float64 {
		if minute%60 == 30 {
			return math.NaN()
		}
		return float64(minute)
	},
}

const oddMinutes = 180

// oddities starts a Prometheus with the odd counters: one sample each minute,
// the last one when the tests began.
func oddities(t testing.TB) *parts.Prometheus {
	t.Helper()
	dir := t.TempDir()
	if err := writeOddities(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	server, err := parts.StartPrometheus(context.Background(), parts.PrometheusOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func writeOddities(dir string) error {
	writer, err := tsdb.NewBlockWriter(promslog.NewNopLogger(), dir, (24 * time.Hour).Milliseconds())
	if err != nil {
		return err
	}
	ctx := context.Background()
	appender := writer.Appender(ctx)
	for name, value := range oddValues {
		series := labels.FromStrings(model.MetricNameLabel, name, "job", "odd", "instance", "one")
		for minute := range oddMinutes + 1 {
			at := env.until.Add(time.Duration(minute-oddMinutes) * time.Minute)
			if _, err := appender.Append(0, series, at.UnixMilli(), value(minute)); err != nil {
				return err
			}
		}
	}
	if err := appender.Commit(); err != nil {
		return err
	}
	if _, err := writer.Flush(ctx); err != nil {
		return err
	}
	return writer.Close()
}
