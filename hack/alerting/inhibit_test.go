package alerting_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/hack/parts"
)

// labelled makes an alert of labels by turns: name, value.
func labelled(pairs ...string) parts.Alert {
	a := parts.Alert{Labels: map[string]string{"alertname": "ExperienceBudgetBurn"}}
	for i := 0; i < len(pairs); i += 2 {
		a.Labels[pairs[i]] = pairs[i+1]
	}
	return a
}

// muted says which of the alerts sent are suppressed, by their label n.
func muted(t *testing.T, a *parts.Alertmanager) map[string]bool {
	t.Helper()
	all, err := a.Alerts(t.Context())
	if err != nil {
		t.Fatalf("Alerts: %v", err)
	}
	out := map[string]bool{}
	for _, alert := range all {
		if alert.Status.State != "unprocessed" {
			out[alert.Labels["n"]] = alert.Status.State == "suppressed"
		}
	}
	return out
}

func TestInhibition(t *testing.T) {
	t.Parallel()
	page := []string{"n", "page", "severity", "critical"}
	ticket := []string{"n", "ticket", "severity", "warning"}
	with := func(labels []string, more ...string) parts.Alert {
		return labelled(append(slices.Clip(labels), more...)...)
	}
	cases := map[string]struct {
		reason string
		sent   []parts.Alert
		want   map[string]bool
	}{
		"SameObjective": {
			reason: "who is paged for an objective needs no ticket for it",
			sent:   []parts.Alert{with(page, "namespace", "shop", "objective", "speed", "window", "1h"), with(ticket, "namespace", "shop", "objective", "speed", "window", "1d")},
			want:   map[string]bool{"page": false, "ticket": true},
		},
		"TicketAlone": {
			reason: "a ticket without a page is heard",
			sent:   []parts.Alert{with(ticket, "namespace", "shop", "objective", "speed")},
			want:   map[string]bool{"ticket": false},
		},
		"OtherObjective": {
			reason: "a page for one objective is none for another",
			sent:   []parts.Alert{with(page, "namespace", "shop", "objective", "speed"), with(ticket, "namespace", "shop", "objective", "errors")},
			want:   map[string]bool{"page": false, "ticket": false},
		},
		"OtherNamespace": {
			reason: "nor for one of the same name in another namespace",
			sent:   []parts.Alert{with(page, "namespace", "shop", "objective", "speed"), with(ticket, "namespace", "travel", "objective", "speed")},
			want:   map[string]bool{"page": false, "ticket": false},
		},
		"OtherCluster": {
			reason: "nor for one in another cluster",
			sent:   []parts.Alert{with(page, "namespace", "shop", "objective", "speed", "cluster", "eu"), with(ticket, "namespace", "shop", "objective", "speed", "cluster", "us")},
			want:   map[string]bool{"page": false, "ticket": false},
		},
		"NoObjective": {
			reason: "labels that are missing on both sides are equal to Alertmanager, and must mute nothing",
			sent:   []parts.Alert{with(page, "namespace", "shop"), with(ticket, "namespace", "shop")},
			want:   map[string]bool{"page": false, "ticket": false},
		},
		"NoNamespace": {
			reason: "nor may a missing namespace",
			sent:   []parts.Alert{with(page, "objective", "speed"), with(ticket, "objective", "speed")},
			want:   map[string]bool{"page": false, "ticket": false},
		},
		"OtherAlerts": {
			reason: "alerts of others are not the operator's business, nor is absent data that of a page",
			sent: []parts.Alert{
				with(page, "namespace", "shop", "objective", "speed"),
				labelled("alertname", "ExperienceDataAbsent", "n", "absent", "severity", "warning", "namespace", "shop", "objective", "speed"),
				labelled("alertname", "KubePodCrashLooping", "n", "pod", "severity", "warning", "namespace", "shop", "objective", "speed"),
			},
			want: map[string]bool{"page": false, "absent": false, "pod": false},
		},
		"SameJourney": {
			reason: "a journey that a ruler finds broken needs no page by the operator's figures beside it; another does",
			sent: []parts.Alert{
				labelled("alertname", "ExperienceJourneyBroken", "n", "ruler", "severity", "critical", "namespace", "shop", "journey", "order"),
				labelled("alertname", "ExperienceJourneyBroken", "n", "operator", "severity", "critical", "evaluator", "operator", "namespace", "shop", "journey", "order"),
				labelled("alertname", "ExperienceJourneyBroken", "n", "other", "severity", "critical", "evaluator", "operator", "namespace", "shop", "journey", "returns"),
				labelled("alertname", "ExperienceJourneyBroken", "n", "nameless", "severity", "critical", "evaluator", "operator", "namespace", "shop"),
			},
			want: map[string]bool{"ruler": false, "operator": true, "other": false, "nameless": false},
		},
		"OperatorAbsent": {
			reason: "an operator that is not there evaluates nothing; another cluster's does",
			sent: []parts.Alert{
				labelled("alertname", "ExperienceOperatorAbsent", "n", "operator", "severity", "critical", "cluster", "eu"),
				labelled("alertname", "ExperienceEvaluationStale", "n", "stale", "severity", "warning", "namespace", "shop", "cluster", "eu"),
				labelled("alertname", "ExperienceEvaluationStale", "n", "elsewhere", "severity", "warning", "namespace", "shop", "cluster", "us"),
				labelled("alertname", "ExperienceRulesNotLoaded", "n", "rules", "severity", "warning", "namespace", "shop", "cluster", "eu"),
			},
			want: map[string]bool{"operator": false, "stale": true, "elsewhere": false, "rules": false},
		},
	}
	config := "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\n" + readFile(t, filepath.Join(shipped, "inhibit_rules.yaml"))
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAlertmanager(t, config)
			if err := a.Send(t.Context(), tc.sent...); err != nil {
				t.Fatalf("Send: %v", err)
			}
			await(t, 2*time.Minute, func() string {
				if diff := cmp.Diff(tc.want, muted(t, a)); diff != "" {
					return tc.reason + "\n" + diff
				}
				return ""
			})
		})
	}
}

// TestSilence makes the silence that the runbooks tell of.
func TestSilence(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, "")
	objective := map[string]string{"namespace": "shop", "objective": "speed"}
	if _, err := a.Silence(t.Context(), objective, time.Hour); err != nil {
		t.Fatalf("Silence: %v", err)
	}
	page := labelled("n", "page", "severity", "critical", "window", "1h")
	maps.Copy(page.Labels, objective)
	absent := labelled("alertname", "ExperienceDataAbsent", "n", "absent", "severity", "warning")
	maps.Copy(absent.Labels, objective)
	other := labelled("n", "other", "severity", "critical", "namespace", "shop", "objective", "errors")
	if err := a.Send(t.Context(), page, absent, other); err != nil {
		t.Fatalf("Send: %v", err)
	}
	await(t, 2*time.Minute, func() string {
		return cmp.Diff(map[string]bool{"page": true, "absent": true, "other": false}, muted(t, a))
	})
}
