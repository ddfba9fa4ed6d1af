package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// desk is a Calendar of the namespace shop that is open for six hours of each day.
const desk = `apiVersion: experience.slo/v1alpha1
kind: Calendar
metadata: {name: desk, namespace: shop}
spec:
  timeZone: UTC
  weekly:
  - {days: [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday], open: "00:00", close: "06:00"}
---
`

// byDesk is an objective that goes by it.
func byDesk(name string) string {
	return swap(daily(name, tasks, "98%"), "spec:\n", "spec:\n  calendarRef: {name: desk}\n")
}

// TestCalendars validates objectives that go by a calendar among the manifests, and
// some that cannot.
func TestCalendars(t *testing.T) {
	cases := map[string]struct {
		reason, manifests string
		want              string
		code              int
	}{
		"There":    {"a calendar among the manifests", desk + byDesk("a"), "", Done},
		"Later":    {"in any order", byDesk("a") + "\n" + desk, "", Done},
		"NotThere": {"it must be among them", byDesk("a"), "stdin:6: Objective shop/a: spec.calendarRef: Calendar shop/desk does not exist: create it, or name another\n", Invalid},
		"Elsewhere": {"and in the objective's namespace", swap(desk, "namespace: shop", "namespace: office") + byDesk("a"),
			"stdin:14: Objective shop/a: spec.calendarRef: Calendar shop/desk does not exist: create it, or name another\n", Invalid},
		"Mistake": {"a calendar's own mistake is told of once, there", swap(desk, "timeZone: UTC", "timeZone: Europe/Atlantis") + byDesk("a"),
			"stdin:5: Calendar shop/desk: spec.timeZone: \"Europe/Atlantis\" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin\n", Invalid},
		"Schema": {"and so is one of the schema", swap(desk, `"06:00"`, `"6 am"`) + byDesk("a"),
			"stdin:7: Calendar shop/desk: spec.weekly[0].close: \"6 am\": should be at least 5 chars long\nstdin:7: Calendar shop/desk: spec.weekly[0].close: \"6 am\": write hours and minutes from \"00:00\" to \"24:00\", such as \"18:00\", in quotes\n", Invalid},
		"Never": {"with nobody who uses it, too", swap(desk, `open: "00:00", close: "06:00"`, `open: "00:00", close: "24:00"`) + swap(swap(desk, "name: desk", "name: none"), desk[strings.Index(desk, "  weekly:"):], "  weekly: []\n"),
			"stdin:12: Calendar shop/none: spec: no minute is open, in the year past or the one ahead: add hours to spec.weekly, or remove what closes them\n", Invalid},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, tc.manifests, "validate", "-f", "-")
			if got.Code != tc.code {
				t.Errorf("%s: ended with %d: %+v", tc.reason, got.Code, got)
			}
			if diff := cmp.Diff(tc.want, got.Out); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestEvaluateOpenHours counts a quarter of the world's day.
func TestEvaluateOpenHours(t *testing.T) {
	got := do(t, desk+byDesk("mornings")+daily("whole-day", tasks, "98%"), "evaluate", "-f", "-", "--prometheus", server.URL, "-o", "json")
	var list struct{ Items []v1alpha1.Objective }
	if err := json.Unmarshal([]byte(got.Out), &list); err != nil || got.Code != Done {
		t.Fatalf("%v: %+v", err, got)
	}
	found := map[string]string{}
	for _, o := range list.Items {
		found[o.Name] = fmt.Sprintf("%d events, coverage %s", *o.Status.Events, o.Status.Coverage)
	}
	want := map[string]string{"mornings": "36000 events, coverage 100%", "whole-day": "144000 events, coverage 100%"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// TestReplayOfOpenHours replays a stretch that begins while it is closed: at its end
// the window holds the events of the hours that were open.
func TestReplayOfOpenHours(t *testing.T) {
	got := replayOf(t, desk+byDesk("a"), "--from", now.Add(-20*time.Hour).Format(time.RFC3339), "-o", "json")
	var out struct{ Objectives []listedReplay }
	if err := json.Unmarshal([]byte(got.Out), &out); err != nil || got.Code != Done || len(out.Objectives) != 1 {
		t.Fatalf("%v: %+v", err, got)
	}
	if events := out.Objectives[0].Events; events == nil || *events != 36000 {
		t.Errorf("%v events, want 36000", events)
	}
}

// TestExplainsByTheClustersCalendar has the calendar, and the indicator that names it,
// in a cluster.
func TestExplainsByTheClustersCalendar(t *testing.T) {
	namespace := space(t)
	kubectl(t, strings.ReplaceAll(desk, "namespace: shop", "namespace: "+namespace), "apply", "-f", "-")
	kubectl(t, swap(lcpIndicator, "spec:\n", "spec:\n  calendarRef: {name: desk}\n"), "apply", "-n", namespace, "-f", "-")
	kubectl(t, swap(byReference, "rolling: 28d", "rolling: 1d"), "apply", "-n", namespace, "-f", "-")
	args := []string{"explain", "speed", "--kubeconfig", plane.Kubeconfig, "-n", namespace, "--expressions"}
	got := do(t, "", args...)
	if !strings.Contains(got.Out, "% 86400 >= 0 < 21600") {
		t.Errorf("the expressions know no hours: %+v", got)
	}
	kubectl(t, "", "delete", "calendar", "desk", "-n", namespace)
	got = do(t, "", args...)
	if want := "spec.calendarRef: Calendar " + namespace + "/desk does not exist"; !strings.Contains(got.Out+got.Err, want) {
		t.Errorf("want %q: %+v", want, got)
	}
}
