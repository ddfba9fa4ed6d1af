package rules_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/template"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// expand prints an annotation as Prometheus does when the alert fires.
func expand(t *testing.T, text string, labels map[string]string, value float64) string {
	t.Helper()
	defs := "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	data := struct {
		Labels, ExternalLabels map[string]string
		ExternalURL            string
		Value                  any
	}{Labels: labels, Value: value}
	out, err := template.NewTemplateExpander(t.Context(), defs+text, "annotation", data, model.Now(), nil, &url.URL{}, nil).Expand()
	if err != nil {
		t.Fatalf("expand %q: %v", text, err)
	}
	return out
}

func TestAnnotations(t *testing.T) {
	const runbooks = "https://github.com/experience-slo/operator/blob/main/docs/runbooks/"
	described := func(text string) func(*v1alpha1.Objective) {
		return func(o *v1alpha1.Objective) { o.Spec.Description = text }
	}
	burning := func(description string) map[string]string {
		return map[string]string{
			"summary": "shop/promise spends its error budget 14.2 times as fast as its target of 99% allows",
			"description": description + "Over the last 1h, and still over the last 5m, the experience of checkout burned its error budget 14.2 times " +
				"as fast as the target of 99% allows. This alert fires above 13.4 times.",
			"runbook_url": runbooks + "ExperienceBudgetBurn.md",
		}
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Objective
		alert  string
		value  float64
		want   map[string]string
	}{
		"Burn": {
			reason: "What is promised, how fast it breaks, and where to read on.",
			args:   objective(failures(), "99%"), alert: rules.BudgetBurn, value: 14.23, want: burning("It works. "),
		},
		"NoDescription": {
			reason: "A promise that nobody put in words.",
			args:   objective(failures(), "99%", described("")), alert: rules.BudgetBurn, value: 14.23, want: burning(""),
		},
		"Braces": {
			reason: "A description is no template, whatever it holds.",
			args:   objective(failures(), "99%", described("Renders {{ .Name }} and {{{ in {")), alert: rules.BudgetBurn, value: 14.23,
			want: burning("Renders {{ .Name }} and {{{ in { "),
		},
		"Absent": {
			reason: "For how long.",
			args:   objective(failures(), "99%"), alert: rules.DataAbsent, value: 3720,
			want: map[string]string{
				"summary": "shop/promise has had no data for 1h 2m 0s",
				"description": "It works. The metrics of checkout were there and have been absent for 1h 2m 0s. " +
					"Until they are back nobody knows whether the promise is kept, and no other alert of this objective can fire.",
				"runbook_url": runbooks + "ExperienceDataAbsent.md",
			},
		},
		"Own": {
			reason: "A person's own addresses and texts replace the operator's.",
			args: objective(failures(), "99%", alerting(v1alpha1.Alerting{
				Page: &v1alpha1.AlertTier{Annotations: map[string]v1alpha1.AlertText{
					"summary": "{{ $labels.service }}: {{ $value | humanize }}", "description": "call us", "chat": "#web",
				}},
				RunbookURL: "https://wiki.example/r", DashboardURL: "https://grafana.example/d",
			})),
			alert: rules.BudgetBurn, value: 14.23,
			want: map[string]string{
				"summary": "checkout: 14.23", "description": "call us", "chat": "#web",
				"runbook_url": "https://wiki.example/r", "dashboard_url": "https://grafana.example/d",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			alerts := alertsOf(t, planOf(t, tc.args, confined()), rules.Settings{Prefix: "experience"})
			at := slices.IndexFunc(alerts, func(r monitoringv1.Rule) bool { return r.Alert == tc.alert })
			got := map[string]string{}
			for name, text := range alerts[at].Annotations {
				got[name] = expand(t, text, seriesLabels(planOf(t, tc.args, confined()), "1h"), tc.value)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nannotations: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestBrokenTemplates(t *testing.T) {
	type mistake struct{ Reason, Field, Message string }
	summary := func(text v1alpha1.AlertText) v1alpha1.AlertTier {
		return v1alpha1.AlertTier{Annotations: map[string]v1alpha1.AlertText{"summary": text}}
	}
	page := func(text v1alpha1.AlertText) v1alpha1.Alerting {
		tier := summary(text)
		return v1alpha1.Alerting{Page: &tier}
	}
	broken := summary("{{ $value")
	const cause = `"{{ $value" is no template of Prometheus: `
	const asks = ` calls query, and the metric source confines every query to labels: use $value and $labels`
	cases := map[string]struct {
		reason string
		args   v1alpha1.Alerting
		source *v1alpha1.MetricSourceSpec
		want   mistake
	}{
		"Page":   {"An action without an end.", page("{{ $value"), confined(), mistake{"InvalidSpec", "spec.alerting.page.annotations.summary", cause}},
		"Ticket": {"The field is named.", v1alpha1.Alerting{Ticket: &broken}, confined(), mistake{"InvalidSpec", "spec.alerting.ticket.annotations.summary", cause}},
		"Absent": {
			"In each place.", v1alpha1.Alerting{DataAbsent: &v1alpha1.DataAbsentAlert{AlertTier: broken}}, confined(),
			mistake{"InvalidSpec", "spec.alerting.dataAbsent.annotations.summary", cause},
		},
		"Function": {
			"A function that Prometheus does not have.", page("{{ shout $value }}"), confined(),
			mistake{"InvalidSpec", "spec.alerting.page.annotations.summary", `"{{ shout $value }}" is no template of Prometheus: `},
		},
		"Query": {
			"A template could ask for the data of others.", page(`{{ with query "up" }}x{{ end }}`), confined(),
			mistake{"InvalidSpec", "spec.alerting.page.annotations.summary", `"{{ with query \"up\" }}x{{ end }}"` + asks},
		},
		"PipedQuery": {
			"In any form.", page(`{{ define "x" }}{{ range ("up" | query) }}{{ . }}{{ end }}{{ end }}{{ template "x" }}`), confined(),
			mistake{"InvalidSpec", "spec.alerting.page.annotations.summary", `{{ template \"x\" }}"` + asks},
		},
		"QueryOfAll":  {"Where nothing is confined, nothing is hidden.", page(`{{ with query "up" }}x{{ end }}`), &v1alpha1.MetricSourceSpec{}, mistake{}},
		"NamedQuery":  {"A word is no call.", page(`query {{ $labels.query }}{{ if eq "query" $labels.x }}y{{ else }}n{{ end }}`), confined(), mistake{}},
		"PlainBraces": {"Single braces mean nothing.", page("{ } }}"), confined(), mistake{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := rules.Groups(planOf(t, objective(failures(), "99%", alerting(tc.args)), tc.source), rules.Settings{Prefix: "x"})
			var got mistake
			if e := (*compile.Error)(nil); errors.As(err, &e) {
				got = mistake{e.Reason, e.Field, tc.want.Message}
				if !strings.Contains(e.Err.Error(), tc.want.Message) {
					got.Message = e.Err.Error()
				}
			} else if err != nil {
				t.Fatalf("\n%s\nGroups: %v, want a *compile.Error", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nGroups: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
