package cli

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// steady is an account with as many events each hour, a tenth of which are lost,
// but for hours without data.
type steady struct {
	end  time.Time
	gaps map[time.Time]bool
}

func (a steady) Since(start time.Time) ledger.Stretch {
	out := ledger.Stretch{Start: start, End: a.end}
	for at := start.Truncate(time.Hour); at.Before(a.end); at = at.Add(time.Hour) {
		if !a.gaps[at.UTC()] {
			out.Sums = out.Sums.Add(slo.Sums{Points: 90, Events: 100})
			out.Covered += 60
		}
	}
	return out
}

func (steady) Invalid() bool         { return false }
func (a steady) LastData() time.Time { return a.end }

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	out, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSteps parts a window without losing or counting twice.
func TestSteps(t *testing.T) {
	at := func(text string) time.Time {
		out, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	type want struct {
		unit, first, second string
		steps               int
	}
	cases := map[string]struct {
		reason string
		window slo.Window
		to     time.Time
		want   want
	}{
		"Hours":    {reason: "a short window by hours", window: slo.Window{Rolling: 12 * time.Hour}, to: at("2026-03-15T12:00:00Z"), want: want{"hour", "03-15 00:00", "03-15 01:00", 12}},
		"Days":     {reason: "from within a day to within one", window: slo.Window{Rolling: 28 * 24 * time.Hour}, to: at("2026-03-15T12:00:00Z"), want: want{"day", "2026-02-15", "2026-02-16", 29}},
		"Weeks":    {reason: "a long one by weeks", window: slo.Window{Rolling: 90 * 24 * time.Hour}, to: at("2026-03-15T00:00:00Z"), want: want{"week", "2025-12-15", "2025-12-22", 13}},
		"Calendar": {reason: "by the days of its zone", window: slo.Window{Calendar: slo.Month, Location: zone(t, "Europe/Berlin")}, to: at("2026-04-01T00:00:00+02:00").Add(-time.Hour), want: want{"day", "2026-03-01", "2026-03-02", 31}},
		"NoMidnight": {
			reason: "where the clock skips a midnight there is a day all the same", window: slo.Window{Calendar: slo.Month, Location: zone(t, "Africa/Cairo")},
			to: at("2024-04-29T00:00:00Z"), want: want{"day", "2024-04-01", "2024-04-02", 29},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan := &compile.Plan{Window: tc.window, Target: 0.8}
			account := steady{end: tc.to}
			steps := stepsOf(plan, account, tc.to)
			if len(steps) < 2 {
				t.Fatalf("%s: %d steps", tc.reason, len(steps))
			}
			got := want{unitOf(plan), labelOf(plan, steps[0].start), labelOf(plan, steps[1].start), len(steps)}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			var events, lost, spent float64
			for _, s := range steps {
				events, lost, spent = events+s.events, lost+s.lost, spent+s.spent
			}
			whole := account.Since(tc.window.Span(tc.to).Start).Sums
			if math.Abs(events-whole.Events) > 1e-6 || math.Abs(lost-(whole.Events-whole.Points)) > 1e-6 || math.Abs(spent-0.5) > 1e-9 {
				t.Errorf("%s: steps hold %v events, %v lost, %v of the budget of %+v", tc.reason, events, lost, spent, whole)
			}
		})
	}
}

// TestStepsWithoutData tells hours without data from those without loss.
func TestStepsWithoutData(t *testing.T) {
	plan := &compile.Plan{Window: slo.Window{Rolling: 3 * time.Hour}, Target: 0.8}
	gap := now.Add(-2 * time.Hour)
	var got []bool
	for _, s := range stepsOf(plan, steady{end: now, gaps: map[time.Time]bool{gap: true}}, now) {
		got = append(got, math.IsNaN(s.events) && math.IsNaN(s.spent))
	}
	if diff := cmp.Diff([]bool{false, true, false}, got); diff != "" {
		t.Errorf("hours without data: -want, +got:\n%s", diff)
	}
	if steps := stepsOf(plan, steady{end: now.Add(-10 * time.Hour)}, now); steps != nil {
		t.Errorf("without any there are no steps: %v", steps)
	}
}
