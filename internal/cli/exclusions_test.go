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

// left is a manifest that leaves out what a service did in some hours before now.
func left(service string, from, to time.Duration, more string) string {
	return fmt.Sprintf(`apiVersion: experience.slo/v1alpha1
kind: Exclusion
metadata: {name: night, namespace: shop}
spec:
  services: [%s]
  from: %q
  to: %q
  reason: a test
  approver: tests
%s---
`, service, now.Add(-from).Format(time.RFC3339), now.Add(-to).Format(time.RFC3339), more)
}

// TestEvaluateExcluded judges a probe that failed all of the last day and none of the
// day before, by files that leave parts of it out. A window of two days begins with a
// whole hour, so it has 49.
func TestEvaluateExcluded(t *testing.T) {
	const day = 24 * time.Hour
	probe := `state: {query: probe_success, operator: Equal, value: "1"}`
	type want struct{ Attainment, Excluded, Raw string }
	two := func(in string) string { return strings.Replace(in, "1d", "2d", 1) }
	cases := map[string]struct {
		reason, args string
		want         want
	}{
		"None":     {"a day lost, and one not", two(daily("a", probe, "90%")), want{"50%", "", ""}},
		"Hours":    {"whole hours of the day that was lost", left("checkout", 12*time.Hour, 0, "") + two(daily("a", probe, "90%")), want{"66.7%", "24.5%", "50%"}},
		"Minutes":  {"all but seven minutes of it", left("checkout", day-7*time.Minute, 0, "") + two(daily("a", probe, "90%")), want{"99.5%", "48.7%", "50%"}},
		"Others":   {"another service's", left("search", day, 0, "") + two(daily("a", probe, "90%")), want{"50%", "", ""}},
		"Whole":    {"and nothing is left", left("checkout", 2*day, -time.Hour, "") + daily("a", probe, "90%"), want{"", "100%", "0.1%"}},
		"Returned": {"or taken back", left("checkout", day, 0, "  withdrawn: {by: tests, reason: a test}\n") + daily("a", probe, "90%"), want{"0.1%", "", ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, tc.args, "evaluate", "-f", "-", "--prometheus", server.URL, "-o", "json")
			var found struct{ Items []v1alpha1.Objective }
			if err := json.Unmarshal([]byte(got.Out), &found); err != nil || len(found.Items) != 1 {
				t.Fatalf("%d objectives, %v: %s", len(found.Items), err, got.Err)
			}
			status := found.Items[0].Status
			seen := want{Attainment: status.Attainment, Excluded: status.Excluded}
			if status.Raw != nil {
				seen.Raw = status.Raw.Attainment
			}
			if diff := cmp.Diff(tc.want, seen); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExclusionMistakes(t *testing.T) {
	cases := map[string]struct{ reason, args, want string }{
		"Zone": {
			"a zone that nobody knows", left("checkout", time.Hour, 0, "  recurrence: {every: Day, timeZone: Mars/Olympus}\n"),
			`stdin:10: Exclusion shop/night: spec.recurrence.timeZone: "Mars/Olympus" is no time zone: write an IANA name such as Asia/Kolkata or Europe/Berlin`,
		},
		"Selector": {
			"an operator that is none", left("checkout", time.Hour, 0, "  selector: {matchExpressions: [{key: a, operator: Like}]}\n"),
			`stdin:10: Exclusion shop/night: spec.selector: "Like" is not a valid label selector operator`,
		},
		"Backwards": {
			"what the API server would refuse", left("checkout", 0, time.Hour, ""),
			`stdin:6: Exclusion shop/night: spec.from: "2026-03-15T12:00:00Z": from must be before to`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for verb, code := range map[string]int{"validate": 1, "replay": Unusable, "evaluate": Unusable} {
				command := []string{verb, "-f", "-"}
				if verb != "validate" {
					command = append(command, "--prometheus", "http://127.0.0.1:1")
				}
				if verb == "replay" {
					command = append(command, "--from", "1d")
				}
				got := do(t, tc.args+daily("a", tasks, "98%"), command...)
				if got.Code != code || !strings.Contains(got.Err+got.Out, tc.want) {
					t.Errorf("%s: %s: %+v, want code %d and %q", tc.reason, verb, got, code, tc.want)
				}
			}
		})
	}
}

func TestLeftOut(t *testing.T) {
	events := int64(12000)
	cases := map[string]struct {
		reason string
		args   v1alpha1.ObjectiveStatus
		want   string
	}{
		"Nothing": {reason: "no word of what is not"},
		"Some": {
			"both figures", v1alpha1.ObjectiveStatus{Excluded: "3.2%", Raw: &v1alpha1.RawFigures{Attainment: "70%", BudgetRemaining: "-20%", Events: &events}},
			"3.2% of the window: with it 70% of 12000 events, and -20% of the budget left",
		},
		"NoEvents": {"and no figure where there is none", v1alpha1.ObjectiveStatus{Excluded: "100%", Raw: &v1alpha1.RawFigures{}}, "100% of the window"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := leftOut(&tc.args); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
