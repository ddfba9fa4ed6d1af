package rehearse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
)

// file records a sum each minute, and counts over five minutes what was recorded.
const file = `
groups:
- name: fast
  interval: 1m
  rules:
  - {record: "x:sum", expr: sum(x_total)}
  - {alert: High, expr: "x:sum > 10", keep_firing_for: 2m, labels: {severity: page}}
  - {alert: Waiting, expr: "x:sum > 10", for: 1h}
- name: slow
  interval: 5m
  rules:
  - {record: "x:count5m", expr: "count_over_time(x:sum[5m])"}
  - {alert: Slow, expr: "x:count5m >= 5"}
- name: late
  interval: 1m
  query_offset: 3m
  rules:
  - {record: "x:late", expr: sum(x_total)}
`

func newRuler(t *testing.T, s *Store, text string, after time.Time) *Ruler {
	t.Helper()
	r, err := NewRuler(t.Context(), s, []byte(text), after)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRuler evaluates minute by minute, and looks at what fires.
func TestRuler(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+2x5 10 12 14 0x30`)
	r := newRuler(t, s, file, start)
	got := map[int]string{}
	last := ""
	for n := 0; n <= 20; n++ {
		if err := r.Run(t.Context(), minutes(n)); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, l := range r.Firing() {
			names = append(names, l.Get(labels.AlertName))
		}
		if now := strings.Join(names, " "); now != last {
			got[n], last = now, now
		}
	}
	// Minute 7 holds 12, minute 8 holds 14, and minute 9 nothing: the alert is kept
	// for two minutes more. The slow group sees five minutes at minute 5.
	want := map[int]string{5: "Slow", 7: "High Slow", 11: "Slow"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts by minute: -want, +got:\n%s", diff)
	}
	for _, l := range r.Firing() {
		if want := labels.FromStrings(labels.AlertName, "Slow"); labels.Compare(l, want) != 0 {
			t.Errorf("labels of the alert: %s, want %s", l, want)
		}
	}
}

// TestRulerRecords looks at what was recorded up to a moment.
func TestRulerRecords(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+2x50`)
	if err := newRuler(t, s, file, start).Run(t.Context(), minutes(7)); err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]float64{"x:sum": 14, "x:late": 8, "x:count5m": 5} {
		if got := values(t, s, expr, minutes(7))[""]; got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}

// TestRulerBegins evaluates nothing at the moment after which it begins, and groups
// at multiples of their intervals.
func TestRulerBegins(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+2x50`)
	if err := newRuler(t, s, file, minutes(7)).Run(t.Context(), minutes(10)); err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]float64{"count_over_time(x:sum[1h])": 3, "max_over_time(x:count5m[1h])": 3, "count_over_time(x:count5m[1h])": 1} {
		if got := values(t, s, expr, minutes(10))[""]; got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}

// TestRecordedSeriesEnd has a rule that gives nothing any more.
func TestRecordedSeriesEnd(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+2x3 stale`)
	if err := newRuler(t, s, file, start).Run(t.Context(), minutes(4)); err != nil {
		t.Fatal(err)
	}
	if got := values(t, s, "x:sum", minutes(4)); len(got) != 0 {
		t.Errorf("a recorded series ends with what it is made of: %v", got)
	}
}

func TestRulerFails(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+2x5`, `x_total{a="2"} 0+2x5`)
	t.Run("Parse", func(t *testing.T) {
		_, err := NewRuler(t.Context(), s, []byte("groups: [{name: a, rules: [{record: a, expr: 'sum('}]}]"), start)
		if err == nil || !strings.Contains(err.Error(), "parse rules: ") {
			t.Errorf("a rule that is none: %v", err)
		}
	})
	t.Run("Evaluate", func(t *testing.T) {
		r := newRuler(t, s, "groups: [{name: a, interval: 1m, rules: [{record: b, expr: x_total * on () x_total}]}]", start)
		if err := r.Run(t.Context(), minutes(1)); err == nil || !strings.Contains(err.Error(), "evaluate b of a at 2026-03-01T00:01:00Z: ") {
			t.Errorf("a rule that fails: %v", err)
		}
	})
	t.Run("Cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := newRuler(t, s, file, start).Run(ctx, minutes(1)); err == nil {
			t.Error("a ruler that was told to stop goes on")
		}
	})
	t.Run("Empty", func(t *testing.T) {
		r := newRuler(t, s, "groups: []", start)
		if err := r.Run(t.Context(), minutes(9)); err != nil || len(r.Firing()) != 0 {
			t.Errorf("no rules: %v, %v", err, r.Firing())
		}
	})
}

// TestReload replaces rules: those that stay know what they knew, and go on at their
// pace; what those recorded that are gone ends. Those that are none change nothing.
func TestReload(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+2x5 10 12 14 0x30`)
	r := newRuler(t, s, file, start)
	other := strings.NewReplacer(
		`{record: "x:sum", expr: sum(x_total)}`, `{record: "x:sum", expr: sum(x_total) * 0}`,
		`{record: "x:count5m", expr: "count_over_time(x:sum[5m])"}`, `{record: "x:other", expr: "vector(7)"}`,
	).Replace(file)
	run := func(n int) (recorded []string, high bool) {
		t.Helper()
		if err := r.Run(t.Context(), minutes(n)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"x:sum", "x:count5m", "x:other"} {
			for _, v := range values(t, s, name, minutes(n)) {
				recorded = append(recorded, fmt.Sprint(name, " ", v))
			}
		}
		return recorded, slices.ContainsFunc(r.Firing(), func(l labels.Labels) bool { return l.Get(labels.AlertName) == "High" })
	}
	check := func(n int, high bool, want ...string) {
		t.Helper()
		if got, fires := run(n); !slices.Equal(got, want) || fires != high {
			t.Errorf("at minute %d: %v, fires: %t, want %v and %t", n, got, fires, want, high)
		}
	}
	check(8, true, "x:sum 14", "x:count5m 5")
	if err := r.Reload(t.Context(), []byte(other), minutes(8)); err != nil {
		t.Fatal(err)
	}
	check(9, true, "x:sum 0", "x:count5m 5") // kept firing, and the slow group not evaluated yet
	check(10, true, "x:sum 0", "x:other 7")
	check(11, false, "x:sum 0", "x:other 7") // for no longer than before
	if err := r.Reload(t.Context(), []byte("groups: [{name: a, rules: [{record: a, expr: 'sum('}]}]"), minutes(11)); err == nil || !strings.Contains(err.Error(), "parse rules: ") {
		t.Errorf("rules that are none: %v", err)
	}
	check(12, false, "x:sum 0", "x:other 7")
}
