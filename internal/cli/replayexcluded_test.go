package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// another is an exclusion of another name.
func another(manifest string) string {
	return strings.Replace(manifest, "{name: night", "{name: other", 1)
}

// TestReplayExcludedEndsAsEvaluate compares the figures at the end, with and without
// what does not count, with those that evaluate prints for that moment.
func TestReplayExcludedEndsAsEvaluate(t *testing.T) {
	const hour = time.Hour
	at := now.Add(-7*hour - 13*time.Minute)
	cases := map[string]struct {
		reason, exclusions string
		// counts says that nothing is left out.
		counts bool
	}{
		"Hours":     {"whole hours", left("checkout", 16*hour, 12*hour, ""), false},
		"Minutes":   {"parts of hours and of minutes", left("checkout", 18*hour+17*time.Minute+20*time.Second, 9*hour+30*time.Second, ""), false},
		"Planned":   {"what is to come after the end", left("checkout", 6*hour, 2*hour, ""), true},
		"Begun":     {"what is under way at the end", left("checkout", 10*hour, 0, ""), false},
		"Overlap":   {"a minute is left out once", left("checkout", 16*hour, 12*hour, "") + another(left("checkout", 14*hour, 10*hour+7*time.Minute, "")), false},
		"Recurring": {"each night, by a clock on the wall", left("checkout", 100*hour, 98*hour+15*time.Minute, "  recurrence: {every: Day, timeZone: Asia/Kolkata}\n"), false},
		"Until":     {"up to a day that is over", left("checkout", 100*hour, 98*hour, fmt.Sprintf("  recurrence: {every: Day, until: %q}\n", now.Add(-70*hour).Format(time.RFC3339))), true},
		"Withdrawn": {"it was taken back", left("checkout", 16*hour, 12*hour, "  withdrawn: {by: tests, reason: a test}\n"), true},
		"Shortened": {"a part of it was", left("checkout", 16*hour, 12*hour, fmt.Sprintf("  withdrawn: {at: %q, by: tests, reason: a test}\n", now.Add(-15*hour).Format(time.RFC3339))), false},
		"Others":    {"it is for another service", left("search", 16*hour, 12*hour, ""), true},
	}
	objectives := map[string]string{"Events": daily("a", tasks, "75%"), "State": daily("a", `state: {query: probe_success, operator: Equal, value: "1"}`, "75%"), "Open": swap(desk, "06:00", "22:30") + byDesk("a")}
	for name, tc := range cases {
		for kind, objective := range objectives {
			t.Run(name+kind, func(t *testing.T) {
				t.Parallel()
				manifests := tc.exclusions + strings.Replace(objective, "rolling: 1d", "rolling: 36h", 1)
				judged := do(t, manifests, "evaluate", "-f", "-", "--prometheus", server.URL, "-o", "json", "--at", at.Format(time.RFC3339))
				var want struct{ Items []v1alpha1.Objective }
				if err := json.Unmarshal([]byte(judged.Out), &want); err != nil || len(want.Items) != 1 || want.Items[0].Status.Attainment == "" {
					t.Fatalf("%v: %+v", err, judged)
				}
				s, o := want.Items[0].Status, replayedOne(t, manifests, "--from", "3h", "--to", at.Format(time.RFC3339))
				met := metOf(&want.Items[0])
				if diff := cmp.Diff([]any{s.Attainment, s.BudgetRemaining, *s.Events, string(met.Status), met.Reason, s.Excluded, s.Raw},
					[]any{o.Attainment, o.BudgetRemaining, *o.Events, o.Met, o.Reason, o.Excluded, o.Raw}); diff != "" {
					t.Errorf("%s: -evaluate, +replay:\n%s", tc.reason, diff)
				}
				if (o.Excluded == "") != tc.counts || (o.Raw == nil) != tc.counts {
					t.Errorf("%s: %q is excluded, and with it %+v", tc.reason, o.Excluded, o.Raw)
				}
			})
		}
	}
}

// replayedOne is the replay of manifests with one objective.
func replayedOne(t *testing.T, manifests string, args ...string) listedReplay {
	t.Helper()
	out := replayOf(t, manifests, append(args, "-o", "json")...)
	var got replayedList
	if err := json.Unmarshal([]byte(out.Out), &got); err != nil || len(got.Objectives) != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	return got.Objectives[0]
}

// TestReplayExcluded replays an incident of which a part does not count.
func TestReplayExcluded(t *testing.T) {
	excluded := left("checkout", 24*time.Hour, 22*time.Hour, "")
	args := []string{"--from", now.Add(-30 * time.Hour).Format(time.RFC3339), "--to", now.Add(-20 * time.Hour).Format(time.RFC3339)}
	t.Run("Table", func(t *testing.T) {
		// A fifth of ten hours is bad where a tenth may be: from the 61st minute on.
		want := outcome{Out: `NAMESPACE   NAME   TARGET   CURRENT   BUDGET   MET     LOWEST   AT                     SPENT   ALERTS
shop        a      90%      80%       -100%    False   -100%    2026-03-14T16:00:00Z   1h      3

NAMESPACE   NAME   LEFT OUT   EXCLUDED   RAW     RAW BUDGET   RAW EVENTS
shop        a      2h         16.7%      66.7%   -233.3%      720

NAMESPACE   NAME   ALERT                  SEVERITY   WINDOW   FIRED                  FOR
shop        a      ExperienceBudgetBurn   critical   12m      2026-03-14T14:03:00Z   1h57m, and fires still
shop        a      ExperienceBudgetBurn   warning    1h17m    2026-03-14T14:03:00Z   1h57m, and fires still
shop        a      ExperienceBudgetBurn   warning    26m      2026-03-14T14:03:00Z   1h57m, and fires still
`}
		if diff := cmp.Diff(want, replayOf(t, excluded+probed("90%"), args...)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
	t.Run("Gone", func(t *testing.T) {
		// What is excluded at first is in no window at the end, and is told all the same.
		want := outcome{Out: `NAMESPACE   NAME   TARGET   CURRENT   BUDGET   MET     LOWEST   AT                     SPENT   ALERTS
shop        a      90%      0%        -900%    False   -900%    2026-03-14T14:01:00Z   2h      2

NAMESPACE   NAME   LEFT OUT   EXCLUDED   RAW   RAW BUDGET   RAW EVENTS
shop        a      2h                                       

NAMESPACE   NAME   ALERT                  SEVERITY   WINDOW   FIRED                  FOR
shop        a      ExperienceBudgetBurn   critical   12m      2026-03-14T14:03:00Z   1h57m, and fires still
shop        a      ExperienceBudgetBurn   warning    12m      2026-03-14T14:03:00Z   1h57m, and fires still
`}
		manifests := left("checkout", 24*time.Hour, 22*time.Hour, "") + strings.Replace(probed("90%"), "12h", "1h", 1)
		if diff := cmp.Diff(want, replayOf(t, manifests, args...)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
	t.Run("Against", func(t *testing.T) {
		old := filepath.Join(t.TempDir(), "old.yaml")
		if err := os.WriteFile(old, []byte(probed("90%")), 0o600); err != nil {
			t.Fatal(err)
		}
		want := outcome{Out: `NAMESPACE   NAME   CHANGE    TARGET   CURRENT        BUDGET             MET     LOWEST             SPENT         ALERTS
shop        a      changed   90%      66.7% -> 80%   -233.3% -> -100%   False   -233.3% -> -100%   2h48m -> 1h   3

NAMESPACE   NAME   LEFT OUT     EXCLUDED        RAW             RAW BUDGET        RAW EVENTS
shop        a      none -> 2h   none -> 16.7%   none -> 66.7%   none -> -233.3%   none -> 720

Alerts of shop/a:
  ~   ExperienceBudgetBurn critical 12m    2026-03-14T12:07:00Z -> 2026-03-14T14:03:00Z   for 3h53m, and fires still -> 1h57m, and fires still
  ~   ExperienceBudgetBurn warning 1h17m   2026-03-14T12:08:00Z -> 2026-03-14T14:03:00Z   for 3h52m, and fires still -> 1h57m, and fires still
  ~   ExperienceBudgetBurn warning 26m     2026-03-14T12:08:00Z -> 2026-03-14T14:03:00Z   for 3h52m, and fires still -> 1h57m, and fires still
`}
		if diff := cmp.Diff(want, replayOf(t, excluded+probed("90%"), append(args, "--against", old)...)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
	t.Run("AgainstWhatIsGone", func(t *testing.T) {
		old := filepath.Join(t.TempDir(), "old.yaml")
		if err := os.WriteFile(old, []byte(daily("a", tasks, "75%")), 0o600); err != nil {
			t.Fatal(err)
		}
		// No window at the end, and no alert, is another for it.
		hour := left("checkout", 59*time.Hour, 58*time.Hour, "") + daily("a", tasks, "75%")
		got := replayOf(t, hour, "--from", now.Add(-60*time.Hour).Format(time.RFC3339), "--to", now.Format(time.RFC3339), "--against", old)
		if !strings.Contains(got.Out, "a      changed") || !strings.Contains(got.Out, "none -> 1h") {
			t.Errorf("printed\n%s", got.Out)
		}
	})
	t.Run("PictureOfNothing", func(t *testing.T) {
		all := left("checkout", 60*time.Hour, 0, "") + strings.Replace(probed("90%"), "12h", "1h", 1)
		words := parseXML(t, replayOf(t, all, append(args, "-o", "svg")...).Out).one("desc").Text
		if !strings.Contains(words, "shop/a: no minute counts; 100% excluded") {
			t.Errorf("described as %q", words)
		}
	})
	t.Run("Picture", func(t *testing.T) {
		checkExcludedPicture(t, replayOf(t, excluded+probed("90%"), append(args, "-o", "svg")...).Out)
	})
}

// checkExcludedPicture looks for the time that does not count, for both curves, and
// for what is said of them.
func checkExcludedPicture(t *testing.T, picture string) {
	t.Helper()
	document := parseXML(t, picture)
	var shades []string
	for _, r := range document.all("rect") {
		if r.of("class") == "excluded" {
			shades = append(shades, r.one("title").Text)
			inside(t, r.of("x"), r.of("width"), pictureWidth)
		}
	}
	if diff := cmp.Diff([]string{"excluded: from 2026-03-14T12:00:00Z to 2026-03-14T14:00:00Z"}, shades); diff != "" {
		t.Errorf("shades: -want, +got:\n%s", diff)
	}
	var curves []string
	for _, p := range document.all("path") {
		curves = append(curves, p.of("class"))
	}
	if diff := cmp.Diff([]string{"raw", "curve"}, curves); diff != "" {
		t.Errorf("curves: -want, +got:\n%s", diff)
	}
	const words = "; 16.7% excluded, with it 66.7% and -233.3% of the budget left"
	if got := document.one("desc").Text; !strings.Contains(got, words) {
		t.Errorf("described as %q, want %q", got, words)
	}
}

// TestReplayForeseesExclusions replays more time than a plan of the operator looks
// ahead: an exclusion that comes again does so up to the end.
func TestReplayForeseesExclusions(t *testing.T) {
	nightly := left("checkout", 101*24*time.Hour, 101*24*time.Hour-time.Hour, "  recurrence: {every: Day}\n")
	got := replayedOne(t, nightly+daily("a", tasks, "98%"), "--from", "100d", "--to", now.Format(time.RFC3339), "--step", "1d")
	if len(got.Exclusions) != 100 || got.Excluded == "" {
		t.Errorf("%d stretches of 100 days, %q of the window at the end", len(got.Exclusions), got.Excluded)
	}
}
