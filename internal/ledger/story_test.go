package ledger_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/promqltest"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/ledger/ledgertest"
	"github.com/experience-slo/operator/internal/slo"
)

// story is a few series, scraped every 15 seconds from the epoch on, so that
// four values make a minute and the value at k lies at 15·k seconds. In names,
// {a} stands for the labels of the target a.
func story(t *testing.T, load string) *ledgertest.Store {
	t.Helper()
	named := regexp.MustCompile(`\{(\w)([^}]*)\}`).ReplaceAllString(load, `{namespace="shop",job="shop",instance="$1"$2}`)
	var lines []string
	for line := range strings.Lines(named) {
		lines = append(lines, "  "+strings.TrimSpace(line))
	}
	data := promqltest.LoadedStorage(t, "load 15s\n"+strings.Join(lines, "\n")+"\n")
	store := ledgertest.Over(data)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// epoch is when stories begin; each is read up to five hours later, so that a
// long window keeps its beginning by hours alone.
var (
	epoch    = time.Unix(0, 0).UTC()
	storyEnd = epoch.Add(5 * time.Hour)
)

// forms are the ways to read a story, which must agree: by minutes, by hours,
// and minute by minute as a controller does.
var forms = map[string]struct {
	window time.Duration
	ticks  bool
}{
	"Minutes": {window: 6 * time.Hour},
	"Hours":   {window: 28 * 24 * time.Hour},
	"Ticks":   {window: 28 * 24 * time.Hour, ticks: true},
}

var errorRate = kind{
	target:    "99%",
	indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: "errors_total", Total: "requests_total"}},
}

func read(t *testing.T, store *ledgertest.Store, o *v1alpha1.Objective, ticks bool) *ledger.Book {
	t.Helper()
	book := ledger.NewBook(ledger.TermsOf(planOf(t, store, o, storyEnd)))
	first := storyEnd
	if ticks {
		first = epoch.Add(time.Minute)
	}
	for at := first; !at.After(storyEnd); at = at.Add(time.Minute) {
		if err := book.Refresh(context.Background(), store, epoch, at); err != nil {
			t.Fatalf("Refresh(%s): %v", at, err)
		}
	}
	return book
}

func TestStories(t *testing.T) {
	const young = "\nprocess_start_time_seconds{a} 0x80\nup{a} _ 1x80"
	const old = "\nprocess_start_time_seconds{a} -10000x80\nup{a} _ 1x80"
	type want struct {
		sums    slo.Sums
		covered int
	}
	cases := map[string]struct {
		reason string
		load   string
		policy ledgertest.Policy
		want   want
	}{
		"YoungProcess": {
			reason: "The first value of a process that has just begun was counted since.",
			load:   "requests_total{a} _ 10 20 30x3" + young,
			want:   want{slo.Sums{Points: 30, Events: 30}, 6},
		},
		"OldProcess": {
			reason: "A target that is new to us does not count its past, only its growth.",
			load:   "requests_total{a} _ 1000 1001 1005x3" + old,
			want:   want{slo.Sums{Points: 5, Events: 5}, 6},
		},
		"OldProcessFromZero": {
			reason: "The policy counts the past where pushed metrics have no target.",
			load:   "requests_total{a} _ 1000 1001 1005x3" + old, policy: ledgertest.FromZero,
			want: want{slo.Sums{Points: 1005, Events: 1005}, 6},
		},
		"YoungProcessIgnored": {
			reason: "The policy counts from the first sample on, however young the process.",
			load:   "requests_total{a} _ 10 20 30x3" + young, policy: ledgertest.Ignore,
			want: want{slo.Sums{Points: 20, Events: 20}, 6},
		},
		"NoData": {
			reason: "No series is no sample: neither 0 nor covered.",
			load:   "other_total{a} 1x40" + old,
		},
		"Idle": {
			reason: "A counter that stands still is covered and counts nothing.",
			load:   "requests_total{a} 1000x40" + old,
			want:   want{slo.Sums{}, 14},
		},
		"FirstErrorEver": {
			reason: "The first error of a known target has no series before it.",
			load:   "requests_total{a} 1000+1x40\nerrors_total{a} _x19 1 1x19" + old,
			want:   want{slo.Sums{Points: 39, Events: 40}, 14},
		},
		"ResetBetweenMinutes": {
			reason: "What a new process counts is counted from zero.",
			load:   "requests_total{a} 1000 1010 1020 1030 1040 3 4x10" + old,
			want:   want{slo.Sums{Points: 44, Events: 44}, 8},
		},
		"ResetWithinMinute": {
			reason: "What was scraped before a restart counts, also where the minute's last value does not show it.",
			load:   "requests_total{a} 1000 1010 1020 1030 1040 1050 3 4x10" + old,
			want:   want{slo.Sums{Points: 54, Events: 54}, 9},
		},
		"ResetOutgrown": {
			reason: "After a reset, the counter passes its old value before the minute ends: only the lookback sees it.",
			load:   "requests_total{a} 0 1 2 3 3 1 2 5 9x10" + young,
			want:   want{slo.Sums{Points: 12, Events: 12}, 9},
		},
		"TwoResetsInAMinute": {
			reason: "A process that crashes twice within a minute loses nothing that was scraped.",
			load:   "requests_total{a} 1000x4 2 4 1 2x10" + old,
			want:   want{slo.Sums{Points: 6, Events: 6}, 9},
		},
		"FailedScrapes": {
			reason: "Stale markers of failed scrapes hide no event: the counter goes on where it was.",
			load:   "requests_total{a} 1000x4 1010 stale _x6 1050x10\nprocess_start_time_seconds{a} -10000x4 -10000 stale _x6 -10000x10\nup{a} 1x5 0x6 1x10",
			want:   want{slo.Sums{Points: 50, Events: 50}, 10},
		},
		"FailedAfterBirth": {
			reason: "A young process whose scrapes fail at the end of its first minute counts from zero.",
			load:   "requests_total{a} _ 7 9 stale _x4 10x10\nprocess_start_time_seconds{a} _ 0 0 stale _x4 0x10\nup{a} _ 1 1 0x5 1x10",
			want:   want{slo.Sums{Points: 10, Events: 10}, 9},
		},
		"DiedWithinMinute": {
			reason: "The final events of a pod that died within the minute count.",
			load:   "requests_total{a} 1000x8 1007 stale\nprocess_start_time_seconds{a} -10000x9 stale\nup{a} 1x9 stale",
			want:   want{slo.Sums{Points: 7, Events: 7}, 7},
		},
		"Replaced": {
			reason: "The pod that follows counts from zero, beside the one that ends.",
			load: "requests_total{a} 1000x8 1007 stale\nprocess_start_time_seconds{a} -10000x9 stale\nup{a} 1x9 stale\n" +
				"requests_total{b} _x9 5 6x10\nprocess_start_time_seconds{b} _x9 130x11\nup{b} _x9 1x11",
			want: want{slo.Sums{Points: 13, Events: 13}, 9},
		},
		"BackAfterAWhile": {
			reason: "A label set that a restart took away for longer than the lookback is new when it is back, though it ends where it began.",
			load:   "requests_total{a} 1000+1x1000\nerrors_total{a} 1x20 stale _x60 1x900\nprocess_start_time_seconds{a} -10000x1000\nup{a} 1x1000",
			want:   want{slo.Sums{Points: 999, Events: 1000}, 254},
		},
		"GapBetweenResets": {
			reason: "A minute without data between two that are counted through a reset stays a gap.",
			load: "requests_total{a} 4 4 1 stale\nprocess_start_time_seconds{a} -10000x2 stale\nup{a} 1x2 stale\n" +
				"requests_total{b} _x25 3 1 1x4\nprocess_start_time_seconds{b} _x25 370x6\nup{b} _x25 1x6",
			want: want{slo.Sums{Points: 5, Events: 5}, 11},
		},
		"NaN": {
			reason: "A sample of NaN is no sample, and the counter after it is not taken for a new one.",
			load:   "requests_total{a} 1000x7 1004 NaN NaN NaN NaN 1010 1011x10" + old,
			want:   want{slo.Sums{Points: 4, Events: 4}, 8},
		},
		"Infinity": {
			reason: "A sum that overflowed counts nothing until its process restarts.",
			load:   "requests_total{a} 1000x7 1004 Inf Inf Inf Inf Inf 3 4x10" + old,
			want:   want{slo.Sums{Points: 8, Events: 8}, 10},
		},
	}
	for name, tc := range cases {
		for form, f := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				book := read(t, story(t, tc.load), objective(errorRate, tc.policy, rolling(f.window)), f.ticks)
				got := book.Since(epoch)
				if diff := cmp.Diff(tc.want, want{got.Sums, got.Covered}, cmp.AllowUnexported(want{})); diff != "" {
					t.Errorf("\n%s\nSince(...): -want, +got:\n%s", tc.reason, diff)
				}
				if book.Invalid() {
					t.Errorf("\n%s\nInvalid(): true, want false", tc.reason)
				}
			})
		}
	}
}
