package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// moved is a test file on an objective that loses all events from three hours after the
// start on, and of which the fourth hour does not count.
func moved(expect, more string) string {
	exclusion := `- apiVersion: experience.slo/v1alpha1
  kind: Exclusion
  metadata: {name: move, namespace: shop}
  spec:
    services: [checkout]
    from: "2024-01-01T03:00:00Z"
    to: "2024-01-01T04:00:00Z"
    reason: a test
    approver: tests
` + more
	return strings.NewReplacer("objective: shop/a\n", exclusion+"objective: shop/a\n", "0+95x60", "0+100x180 18000x300", "0+100x60", "0+100x480").Replace(testFile(expect))
}

// TestTestOfExclusions has alerts be silent during an exclusion and speak after it,
// whether or not somebody looked when its rules were not written yet.
func TestTestOfExclusions(t *testing.T) {
	const (
		passed = "Unit Testing:  a.yaml\n  SUCCESS: 1 of 1 tests passed\n"
		early  = "  - {at: 30m, alerts: []}\n"
		silent = "  - {at: 3h59m, attainment: 100%, events: 18000, alerts: []}\n"
		// One of the windows that burn is shorter than the time since.
		again = "  - {at: 4h30m, attainment: 85.7%, alerts: [{severity: critical, window: 12m}, {severity: critical, window: 13m}, {severity: warning, window: 51m}, {severity: warning, window: 2h34m}]}\n"
		gone  = "  - {at: 3h59m, attainment: 75.3%, alerts: []}\n"
	)
	cases := map[string]struct{ reason, file, want string }{
		"Silent":    {"meanwhile nobody is told", moved(silent, ""), passed},
		"EarlyLook": {"nor where rules were looked at before it was within their reach", moved(early+silent, ""), passed},
		"Again":     {"what goes on after it is told", moved(early+silent+again, ""), passed},
		"NoEarly":   {"by the rules that there are then", moved(again, ""), passed},
		"LongAfter": {"and those of short windows are as always again", moved(early+silent+"  - {at: 7h, alerts: [{severity: critical, window: 12m}, {severity: critical, window: 13m}, {severity: warning, window: 51m}, {severity: warning, window: 2h34m}]}\n", ""), passed},
		"Withdrawn": {"one that was taken back is none", moved(early+gone, "    withdrawn: {by: tests, reason: a test}\n"), "+ ExperienceBudgetBurn critical 12m\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tests(t, map[string]string{"a.yaml": tc.file}, "a.yaml")
			if tc.want == passed {
				if diff := cmp.Diff(tc.want, got.Out); diff != "" {
					t.Errorf("%s: -want, +got:\n%s%s", tc.reason, diff, got.Err)
				}
			} else if !strings.Contains(got.Out, tc.want) {
				t.Errorf("%s: %+v, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
