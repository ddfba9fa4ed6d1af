package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// probed is an objective on the probe that has failed for the last day. It has no
// alert on absent data: rules would have waited for none.
func probed(target string) string {
	return strings.Replace(daily("a", `state: {query: probe_success, operator: Equal, value: "1"}`, target), "rolling: 1d", "rolling: 12h", 1)
}

// replayOf replays manifests by the Prometheus of the tests.
func replayOf(t *testing.T, manifests string, args ...string) outcome {
	t.Helper()
	out := do(t, manifests, append([]string{"replay", "-f", "-", "--prometheus", server.URL}, args...)...)
	out.Err = strings.ReplaceAll(out.Err, assumed, "")
	return out
}

func TestReplay(t *testing.T) {
	from := now.Add(-30 * time.Hour).Format(time.RFC3339)
	cases := map[string]struct {
		reason, manifests string
		args              []string
		want              outcome
	}{
		"Steady": {
			reason: "where nothing happens budget stays, and no alert fires", manifests: daily("a", tasks, "98%"), args: []string{"--from", "12h"},
			want: outcome{Out: `NAMESPACE   NAME   TARGET   CURRENT   BUDGET   MET    LOWEST   AT                     SPENT   ALERTS
shop        a      98%      99%       50%      True   50%      2026-03-15T00:01:00Z   0       0
`},
		},
		"Incident": {
			reason: "an incident spends budget and fires alerts", manifests: probed("90%"), args: []string{"--from", from, "--to", now.Add(-20 * time.Hour).Format(time.RFC3339)},
			// A third of the window is bad where a tenth may be: from the 73rd minute on.
			want: outcome{Out: `NAMESPACE   NAME   TARGET   CURRENT   BUDGET    MET     LOWEST    AT                     SPENT   ALERTS
shop        a      90%      66.7%     -233.3%   False   -233.3%   2026-03-14T16:00:00Z   2h48m   3

NAMESPACE   NAME   ALERT                  SEVERITY   WINDOW   FIRED                  FOR
shop        a      ExperienceBudgetBurn   critical   12m      2026-03-14T12:07:00Z   3h53m, and fires still
shop        a      ExperienceBudgetBurn   warning    1h17m    2026-03-14T12:08:00Z   3h52m, and fires still
shop        a      ExperienceBudgetBurn   warning    26m      2026-03-14T12:08:00Z   3h52m, and fires still
`},
		},
		"NoData": {
			reason: "of what has no data nothing is said", manifests: daily("a", "events: {good: a_total, total: b_total}", "99%"), args: []string{"--from", "2h"},
			want: outcome{Out: "NAMESPACE   NAME   TARGET   CURRENT   BUDGET   MET       LOWEST   AT   SPENT   ALERTS\n" +
				"shop        a      99%                         Unknown                 0       0\n"},
		},
		"NoBoundaries": {
			reason: "nor of buckets that nobody has seen", manifests: daily("a", `distribution: {histogram: b_seconds, threshold: "2", interpolate: true}`, "99%"), args: []string{"--from", "2h"},
			want: outcome{Out: "NAMESPACE   NAME   TARGET   CURRENT   BUDGET   MET       LOWEST   AT   SPENT   ALERTS\n" +
				"shop        a      99%                         Unknown                 0       0\n"},
		},
		"Mistake": {
			reason:    "a mistake that only the server knows is told, and the others are replayed",
			manifests: daily("a", tasks, "98%") + daily("b", `distribution: {histogram: shop_page_seconds, threshold: "3"}`, "90%"), args: []string{"--from", "2h"},
			want: outcome{Code: Unusable, Out: `NAMESPACE   NAME   TARGET   CURRENT   BUDGET   MET    LOWEST   AT                     SPENT   ALERTS
shop        a      98%      99%       50%      True   50%      2026-03-15T10:01:00Z   0       0
shop        b      90%                                                                        
`, Err: "stdin:19: Objective shop/b: spec.indicator.distribution.threshold: 3 is no bucket boundary of shop_page_seconds: the nearest boundaries are 2.5 and 4; use one of them, add the bucket, or set interpolate: true for an estimate\n"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, replayOf(t, tc.manifests, tc.args...)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestReplayEndsAsEvaluate compares the figures at the end with those that evaluate
// prints for that moment, of each kind of indicator that the world has.
func TestReplayEndsAsEvaluate(t *testing.T) {
	for name, indicator := range map[string]string{
		"events": tasks, "distribution": pages, "interpolated": `distribution: {histogram: shop_page_seconds, threshold: "3", interpolate: true}`,
		"apdex": `apdex: {histogram: shop_page_seconds, satisfied: "2.5", tolerated: "4"}`,
		"mean":  `score: {mean: {sum: shop_tasks_total, count: shop_attempts_total, lowest: "0", highest: "5"}}`,
		"nps":   `score: {netPromoter: {promoters: shop_tasks_total, detractors: 'shop_page_seconds_bucket{le="x"}', responses: shop_attempts_total}}`,
		"state": `state: {query: probe_success, operator: Equal, value: "1"}`, "queries": "queries: {points: 'increase(shop_tasks_total[$interval])', events: 'increase(shop_attempts_total[$interval])'}",
	} {
		target := map[string]string{"apdex": `"0.8"`, "mean": `"4.1"`, "nps": `"30"`}[name]
		if target == "" {
			target = "75%"
		}
		for _, window := range []string{"1d", "36h"} {
			manifests := strings.Replace(daily("a", indicator, target), "rolling: 1d", "rolling: 12h", 1)
			at := now.Add(-7*time.Hour - 13*time.Minute).Format(time.RFC3339)
			judged := do(t, manifests, "evaluate", "-f", "-", "--prometheus", server.URL, "-o", "json", "--at", at)
			var want struct{ Items []v1alpha1.Objective }
			if err := json.Unmarshal([]byte(judged.Out), &want); err != nil || len(want.Items) != 1 || want.Items[0].Status.Attainment == "" {
				t.Fatalf("%s: %v: %+v", name, err, judged)
			}
			var got replayedList
			replayed := replayOf(t, manifests, "-o", "json", "--from", "3h", "--to", at)
			if err := json.Unmarshal([]byte(replayed.Out), &got); err != nil || len(got.Objectives) != 1 {
				t.Fatalf("%s: %v: %+v", name, err, replayed)
			}
			s, o := want.Items[0].Status, got.Objectives[0]
			met := metOf(&want.Items[0])
			if diff := cmp.Diff([]any{s.Attainment, s.BudgetRemaining, *s.Events, string(met.Status), met.Reason},
				[]any{o.Attainment, o.BudgetRemaining, *o.Events, o.Met, o.Reason}); diff != "" {
				t.Errorf("%s over %s: -evaluate, +replay:\n%s", name, window, diff)
			}
		}
	}
}

func TestReplayCommandLine(t *testing.T) {
	asked := 0
	counting := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer counting.Close()
	objective := daily("a", tasks, "98%")
	cases := map[string]struct {
		reason, manifests string
		args              []string
		want              string
	}{
		"NoFrom":   {"a beginning must be named", objective, nil, "error: --from \"\": write a moment such as 2026-03-01T00:00:00Z, or how long before the end, such as 28d\n"},
		"BadFrom":  {"and be one", objective, []string{"--from", "yesterday"}, "error: --from \"yesterday\": write a moment"},
		"BadTo":    {"so must an end", objective, []string{"--from", "1d", "--to", "today"}, "error: --to \"today\": write a moment such as 2026-03-01T00:00:00Z\n"},
		"Future":   {"which is past", objective, []string{"--from", "1d", "--to", "2027-01-01T00:00:00Z"}, "error: --to \"2027-01-01T00:00:00Z\": it is in the future: nothing is known of it yet\n"},
		"Backward": {"the end is behind the beginning", objective, []string{"--from", "2026-03-16T00:00:00Z"}, "error: from 2026-03-16T00:00:00Z to 2026-03-15T12:00:00Z: write a stretch of a minute to 400 days\n"},
		"Long":     {"and not too far", objective, []string{"--from", "401d"}, "write a stretch of a minute to 400 days\n"},
		"Step":     {"a step is whole minutes", objective, []string{"--from", "1d", "--step", "30s"}, "error: --step \"30s\": write whole minutes such as 5m\n"},
		"Output":   {"an output must exist", objective, []string{"--from", "1d", "-o", "png"}, "error: --output \"png\": write one of table, json, svg\n"},
		"Mistake":  {"manifests have no mistakes", strings.Replace(objective, "98%", "100%", 1), []string{"--from", "1d"}, "stdin:9: Objective shop/a: spec.target: \"100%\""},
		"Short":    {"of the last minute not all samples are there yet", objective, []string{"--from", "1m"}, "error: --from \"1m\": all samples are there up to 2026-03-15T11:59:00Z only, by the delay of the sources: write a moment at least a minute before that, or a longer time\n"},
		"Against":  {"those to compare with are there", objective, []string{"--from", "1d", "--against", "absent"}, "error: read manifests: stat absent: no such file or directory\n"},
		"Server":   {"a server answers", objective, []string{"--from", "1d", "--prometheus", counting.URL}, "not the Prometheus API: check --prometheus and its path prefix\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := replayOf(t, tc.manifests, tc.args...)
			if got.Code != Unusable || got.Out != "" || !strings.Contains(got.Err, tc.want) {
				t.Errorf("%s: %+v, want %q", tc.reason, got, tc.want)
			}
		})
	}
	if asked == 0 {
		t.Error("the server was not asked")
	}
}

// TestReplayAgainst compares two versions of the manifests.
func TestReplayAgainst(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old.yaml")
	if err := os.WriteFile(old, []byte(probed("90%")+daily("b", tasks, "98%")+daily("c", tasks, "98%")), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := probed("50%") + daily("b", tasks, "98%") + daily("d", tasks, "98%")
	args := []string{"--against", old, "--from", now.Add(-26 * time.Hour).Format(time.RFC3339), "--to", now.Add(-20 * time.Hour).Format(time.RFC3339)}
	t.Run("Table", func(t *testing.T) {
		want := outcome{Out: `NAMESPACE   NAME   CHANGE    TARGET       CURRENT   BUDGET             MET             LOWEST             SPENT        ALERTS
shop        a      changed   90% -> 50%   66.7%     -233.3% -> 33.3%   False -> True   -233.3% -> 33.3%   2h48m -> 0   3 -> 4
shop        b      same      98%          99%       50%                True            50%                0            0
shop        c      removed   98%          99%       50%                True            50%                0            0
shop        d      added     98%          99%       50%                True            50%                0            0

Alerts of shop/a:
  ~   ExperienceBudgetBurn critical 12m                                     2026-03-14T12:07:00Z -> 2026-03-14T12:11:00Z   for 3h53m, and fires still -> 3h49m, and fires still
  ~   ExperienceBudgetBurn warning 1h17m                                    2026-03-14T12:08:00Z -> 2026-03-14T12:36:00Z   for 3h52m, and fires still -> 3h24m, and fires still
  ~   ExperienceBudgetBurn warning 26m -> ExperienceBudgetBurn warning 1h   2026-03-14T12:08:00Z -> 2026-03-14T12:37:00Z   for 3h52m, and fires still -> 3h23m, and fires still
  +   ExperienceBudgetBurn critical 24m                                     2026-03-14T12:19:00Z                           for 3h41m, and fires still
`}
		if diff := cmp.Diff(want, replayOf(t, fresh, args...)); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		var got comparedList
		if err := json.Unmarshal([]byte(replayOf(t, fresh, append(args, "-o", "json")...).Out), &got); err != nil {
			t.Fatal(err)
		}
		changes := map[string]string{}
		for _, c := range got.Objectives {
			changes[c.Name] = c.Change
			if (c.Old == nil) != (c.Change == versionAdded) || (c.New == nil) != (c.Change == versionRemoved) {
				t.Errorf("%s is %s, but has versions %t and %t", c.Name, c.Change, c.Old != nil, c.New != nil)
			}
		}
		if diff := cmp.Diff(map[string]string{"a": versionChanged, "b": versionSame, "c": versionRemoved, "d": versionAdded}, changes); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

// TestReplayAgainstEndsAtOnce compares two versions of which the older one has a
// source that is late.
func TestReplayAgainstEndsAtOnce(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old.yaml")
	late := "apiVersion: experience.slo/v1alpha1\nkind: ClusterMetricSource\nmetadata: {name: default}\nspec: {url: \"http://late\", delay: 10m}\n---\n"
	if err := os.WriteFile(old, []byte(late+daily("a", tasks, "98%")), 0o600); err != nil {
		t.Fatal(err)
	}
	out := replayOf(t, daily("a", tasks, "98%"), "--against", old, "--from", "1h", "-o", "json")
	var got comparedList
	if err := json.Unmarshal([]byte(out.Out), &got); err != nil || len(got.Objectives) != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	last := func(l *listedReplay) time.Time { return l.Points[len(l.Points)-1].At }
	end := now.Add(-10 * time.Minute)
	if diff := cmp.Diff([]time.Time{end, end, end}, []time.Time{got.To, last(got.Objectives[0].Old), last(got.Objectives[0].New)}); diff != "" {
		t.Errorf("both end where all samples of both are there: -want, +got:\n%s", diff)
	}
}

// TestReplayPicture reads the picture as a browser does: it is XML, stands for itself,
// says in words what it shows, and nothing of it lies outside.
func TestReplayPicture(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old.yaml")
	if err := os.WriteFile(old, []byte(probed("50%")), 0o600); err != nil {
		t.Fatal(err)
	}
	fresh := probed("90%")
	args := []string{"-o", "svg", "--from", now.Add(-26 * time.Hour).Format(time.RFC3339), "--to", now.Add(-20 * time.Hour).Format(time.RFC3339)}
	got := replayOf(t, fresh+daily("b", "events: {good: a_total, total: b_total}", "99%"), args...)
	document := parseXML(t, got.Out)
	namesItself(t, document)
	if loads := regexp.MustCompile(`href|url\(|@import|<script`).FindString(got.Out); loads != "" {
		t.Errorf("it holds %s, which loads something", loads)
	}
	bars := 0
	for _, r := range document.all("rect") {
		if r.one("title") != nil {
			bars++
			inside(t, r.of("x"), r.of("width"), pictureWidth)
		}
	}
	if curves := document.all("path"); len(curves) != 1 || bars != 3 || strings.Count(curves[0].of("d"), "L") < 70 {
		t.Errorf("%d curves, %d bars in:\n%s", len(curves), bars, got.Out)
	}
	compared := parseXML(t, replayOf(t, fresh, append(args, "--against", old)...).Out)
	if curves := compared.all("path"); len(curves) != 2 || curves[1].of("class") != "curve old" {
		t.Errorf("an old version is no dashed curve: %d", len(curves))
	}
}

// namesItself checks what a person who cannot see a picture is told.
func namesItself(t *testing.T, document *node) {
	t.Helper()
	if document.XMLName.Space != "http://www.w3.org/2000/svg" || document.of("role") != "img" || document.of("aria-labelledby") != "title description" {
		t.Errorf("no picture that names itself: %+v", document)
	}
	title, description := document.one("title"), document.one("desc")
	got := [4]string{title.of("id"), title.Text, description.of("id"), description.Text}
	want := [4]string{
		"title", "Error budgets from 2026-03-14T10:00:00Z to 2026-03-14T16:00:00Z",
		"description", "shop/a, target 90%: at the end 66.7% attained and -233.3% of the budget left; the lowest was -233.3% at 2026-03-14T16:00:00Z; no budget for 2h48m; alerts fired: 3. shop/b: too few events to judge.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// inside checks that a stretch of a picture is in it.
func inside(t *testing.T, from, length string, end float64) {
	t.Helper()
	var x, width float64
	if _, err := fmt.Sscan(from, &x); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(length, &width); err != nil {
		t.Fatal(err)
	}
	if x < plotLeft || x+width > end {
		t.Errorf("from %v, %v long: outside", x, width)
	}
}

func TestPictureEscapes(t *testing.T) {
	r := replayed{planned: planned{declared: declared{Objective: &v1alpha1.Objective{}}}, failed: errors.New("no")}
	r.Namespace, r.Name, r.Spec.Target = "a<b", `"&`, "<"
	over := stretch{from: now.Add(-time.Hour), to: now, step: time.Minute}
	document := parseXML(t, string(picture(over, [][2]*replayed{{&r}})))
	if got := document.one("desc").Text; got != `a<b/"&: nothing is known.` {
		t.Errorf("described as %q", got)
	}
}

func TestPictureAxis(t *testing.T) {
	for _, length := range []time.Duration{5 * time.Minute, time.Hour, 7 * time.Hour, 36 * time.Hour, 28 * 24 * time.Hour, 400 * 24 * time.Hour} {
		c := &canvas{over: stretch{from: now.Add(-length), to: now}}
		c.axis()
		if n := strings.Count(c.String(), "<text"); n < 2 || n > 16 {
			t.Errorf("%s: %d marks", length, n)
		}
	}
}

// TestReplaySegments parts the time where the calendar does: tiers depend on how long
// a month is.
func TestReplaySegments(t *testing.T) {
	month := strings.Replace(daily("a", tasks, "98%"), "{rolling: 1d}", "{calendar: {unit: Month, timeZone: Asia/Kolkata}}", 1)
	found, err := newInventory("shop")
	if err != nil {
		t.Fatal(err)
	}
	found.take(t.Context(), []file{{"a.yaml", []byte(month)}})
	all := found.plan(found.objectives, now)
	if len(all) != 1 {
		t.Fatalf("%d plans: %v", len(all), found.mistakes)
	}
	at := func(text string) time.Time {
		out, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	cases := map[string]struct {
		reason   string
		from, to time.Time
		want     []string
	}{
		"Within": {"a part of a month has a plan", at("2026-02-03T00:00:00Z"), at("2026-02-05T00:00:00Z"), []string{"02-03 00:00 to 02-05 00:00: 3d"}},
		"Across": {
			"months begin at midnight in Kolkata", at("2026-01-30T00:00:00Z"), at("2026-03-01T00:00:00Z"),
			[]string{"01-30 00:00 to 01-31 18:30: 3d7h43m", "01-31 18:30 to 02-28 18:30: 3d", "02-28 18:30 to 03-01 00:00: 3d7h43m"},
		},
		"Edge": {"a month that ends with the stretch is followed by none", at("2026-01-30T00:00:00Z"), at("2026-01-31T18:30:00Z"), []string{"01-30 00:00 to 01-31 18:30: 3d7h43m"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			segments, err := all[0].segments(stretch{from: tc.from, to: tc.to}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range segments {
				longest := s.Plan.Tiers[len(s.Plan.Tiers)-1].Long
				got = append(got, fmt.Sprintf("%s to %s: %s", s.Start.Format("01-02 15:04"), s.End.Format("01-02 15:04"), slo.FormatDuration(longest)))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestReplayOfIndicator replays an objective that refers to an indicator: it is
// measured as one that says the same itself.
func TestReplayOfIndicator(t *testing.T) {
	const indicator = `---
apiVersion: experience.slo/v1alpha1
kind: Indicator
metadata: {name: tasks, namespace: shop}
spec:
  description: Tasks that people finish.
  perspective: UX
  template: {` + tasks + `}
`
	plain := daily("a", tasks, "98%")
	referring := daily("a", "ref: {kind: Indicator, name: tasks}", "98%") + "\n" + indicator
	from := now.Add(-12 * time.Hour).Format(time.RFC3339)
	want, got := replayOf(t, plain, "--from", from), replayOf(t, referring, "--from", from)
	if want.Code != Done || want != got {
		t.Errorf("-plain, +referring:\n%s", cmp.Diff(want, got))
	}
}
