package compile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

func alerting(a *v1alpha1.Alerting) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Spec.Alerting = a }
}

func cx(o *v1alpha1.Objective) { o.Spec.Perspective = v1alpha1.PerspectiveCX }

func mode(m v1alpha1.AlertMode) *v1alpha1.AlertTier { return &v1alpha1.AlertTier{Mode: m} }

func absent(m v1alpha1.AlertMode, after time.Duration) *v1alpha1.Alerting {
	out := &v1alpha1.DataAbsentAlert{AlertTier: *mode(m)}
	if after > 0 {
		out.After = &metav1.Duration{Duration: after}
	}
	return &v1alpha1.Alerting{DataAbsent: out}
}

func compiled(t *testing.T, o *v1alpha1.Objective) *compile.Plan {
	t.Helper()
	plan, err := compile.Compile(input(o))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestCompileTiers(t *testing.T) {
	const on, off = v1alpha1.AlertEnabled, v1alpha1.AlertDisabled
	both := map[slo.Severity]int{slo.Page: 2, slo.Ticket: 2}
	good := events("good_total", "", "x_total")
	score := func(a *v1alpha1.Alerting) *v1alpha1.Objective {
		return objective(netPromoter(), target("30"), alerting(a))
	}
	stars := func(a *v1alpha1.Alerting) *v1alpha1.Objective {
		return objective(mean("1", "5"), target("4.2"), alerting(a))
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Objective
		want   map[slo.Severity]int
	}{
		"Absent":         {reason: "Nobody has to ask for alerts.", args: objective(good), want: both},
		"Empty":          {reason: "An empty object is no other wish than none.", args: objective(good, alerting(&v1alpha1.Alerting{})), want: both},
		"EmptyTiers":     {reason: "A tier that is named is on, though its mode was not filled in.", args: objective(good, alerting(&v1alpha1.Alerting{Page: mode(""), Ticket: mode("")})), want: both},
		"TicketNamed":    {reason: "To name one leaves the other as it is.", args: objective(good, alerting(&v1alpha1.Alerting{Ticket: mode(on)})), want: both},
		"PageOff":        {reason: "Nobody is called at night.", args: objective(good, alerting(&v1alpha1.Alerting{Page: mode(off)})), want: map[slo.Severity]int{slo.Ticket: 2}},
		"TicketOff":      {reason: "Nobody is bothered by day.", args: objective(good, alerting(&v1alpha1.Alerting{Ticket: mode(off)})), want: map[slo.Severity]int{slo.Page: 2}},
		"BothOff":        {reason: "Nothing is watched.", args: objective(good, alerting(&v1alpha1.Alerting{Page: mode(off), Ticket: mode(off)})), want: map[slo.Severity]int{}},
		"AbsentOff":      {reason: "Absent data is another matter.", args: objective(good, alerting(absent(off, 0))), want: both},
		"Survey":         {reason: "A survey pages nobody.", args: score(nil), want: map[slo.Severity]int{slo.Ticket: 2}},
		"SurveyPageOn":   {reason: "Whatever is asked for: the schema refuses this, and older objects may have it.", args: score(&v1alpha1.Alerting{Page: mode(on)}), want: map[slo.Severity]int{slo.Ticket: 2}},
		"SurveyOff":      {reason: "Its tickets may be switched off.", args: score(&v1alpha1.Alerting{Ticket: mode(off)}), want: map[slo.Severity]int{}},
		"Stars":          {reason: "A mean is a survey too.", args: stars(nil), want: map[slo.Severity]int{slo.Ticket: 2}},
		"ApdexIsNoScore": {reason: "Apdex is of what happened, not of what people said.", args: objective(apdex("1", "", "", false), target("0.85")), want: both},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := map[slo.Severity]int{}
			for _, tier := range compiled(t, tc.args).Tiers {
				got[tier.Severity]++
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nTiers by severity: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCompileTierWindows checks that the tiers kept are those of the objective's
// own target and period.
func TestCompileTierWindows(t *testing.T) {
	plan := compiled(t, objective(events("good_total", "", "x_total"), target("99.9%"), window(v1alpha1.Window{Rolling: "14d"})))
	if diff := cmp.Diff(slo.Tiers(plan.Target, 14*24*time.Hour), plan.Tiers); diff != "" {
		t.Errorf("Tiers: -want, +got:\n%s", diff)
	}
}

func TestCompileAlerts(t *testing.T) {
	good := events("good_total", "", "x_total")
	plain := compile.Alerts{AbsentAfter: time.Hour, MinimumBadEvents: 3}
	but := func(change func(*compile.Alerts)) compile.Alerts {
		out := plain
		change(&out)
		return out
	}
	texts := func(name string) v1alpha1.AlertTier {
		return v1alpha1.AlertTier{
			Labels:      map[string]v1alpha1.AlertText{"team": v1alpha1.AlertText(name)},
			Annotations: map[string]v1alpha1.AlertText{"summary": "{{ $value }}"},
		}
	}
	alert := func(name string) compile.Alert {
		return compile.Alert{Labels: map[string]string{"team": name}, Annotations: map[string]string{"summary": "{{ $value }}"}}
	}
	page, ticket := texts("a"), texts("b")
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Objective
		want   compile.Alerts
	}{
		"Absent": {reason: "What nobody asked for has its defaults.", args: objective(good), want: plain},
		"Empty":  {reason: "Also where the schema's defaults were not filled in.", args: objective(good, alerting(&v1alpha1.Alerting{})), want: plain},
		"Description": {
			reason: "The promise is told to whoever is called.",
			args:   objective(good, func(o *v1alpha1.Objective) { o.Spec.Description = "Orders {{go}} through." }),
			want:   but(func(a *compile.Alerts) { a.Description = "Orders {{go}} through." }),
		},
		"Texts": {
			reason: "Each alert carries its own labels and annotations.",
			args: objective(good, alerting(&v1alpha1.Alerting{
				Page: &page, Ticket: &ticket, DataAbsent: &v1alpha1.DataAbsentAlert{AlertTier: texts("c")},
			})),
			want: but(func(a *compile.Alerts) { a.Page, a.Ticket, a.Absent = alert("a"), alert("b"), alert("c") }),
		},
		"Settings": {
			reason: "What is set is kept.",
			args: objective(good, alerting(&v1alpha1.Alerting{
				MinimumBadEvents: 12, KeepFiringFor: &metav1.Duration{Duration: 10 * time.Minute},
				RunbookURL: "https://wiki/runbook", DashboardURL: "https://grafana/d/1",
			})),
			want: but(func(a *compile.Alerts) {
				a.MinimumBadEvents, a.KeepFiringFor, a.Runbook, a.Dashboard = 12, 10*time.Minute, "https://wiki/runbook", "https://grafana/d/1"
			}),
		},
		"AbsentCX":    {reason: "A support desk may be closed until tomorrow.", args: objective(good, cx), want: but(func(a *compile.Alerts) { a.AbsentAfter = 24 * time.Hour })},
		"AbsentNamed": {reason: "To name the alert changes nothing.", args: objective(good, cx, alerting(absent("", 0))), want: but(func(a *compile.Alerts) { a.AbsentAfter = 24 * time.Hour })},
		"AbsentAfter": {reason: "A time that is set goes for UX.", args: objective(good, alerting(absent(v1alpha1.AlertEnabled, 5*time.Minute))), want: but(func(a *compile.Alerts) { a.AbsentAfter = 5 * time.Minute })},
		"AfterCX":     {reason: "And for CX.", args: objective(good, cx, alerting(absent("", 48*time.Hour))), want: but(func(a *compile.Alerts) { a.AbsentAfter = 48 * time.Hour })},
		"AbsentOff":   {reason: "The alert is off, whatever time is set.", args: objective(good, alerting(absent(v1alpha1.AlertDisabled, time.Hour))), want: but(func(a *compile.Alerts) { a.AbsentAfter = 0 })},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, compiled(t, tc.args).Alerts); diff != "" {
				t.Errorf("\n%s\nAlerts: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCompileRuled(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   v1alpha1.RulesOutput
		want   bool
	}{
		"Unset":          {reason: "The operator evaluates unless it is told otherwise.", want: false},
		"None":           {reason: "It is told to.", args: v1alpha1.RulesOutputNone, want: false},
		"PrometheusRule": {reason: "A ruler does.", args: v1alpha1.RulesOutputPrometheusRule, want: true},
		"ConfigMap":      {reason: "A plain Prometheus does.", args: v1alpha1.RulesOutputConfigMap, want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := input(objective(events("good_total", "", "x_total")))
			in.Source.Rules.Output = tc.args
			plan, err := compile.Compile(in)
			if err != nil {
				t.Fatal(err)
			}
			if plan.Ruled != tc.want {
				t.Errorf("\n%s\nRuled: %t", tc.reason, plan.Ruled)
			}
		})
	}
}

// TestIdentity checks which recorded series an objective calls its own.
func TestIdentity(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   *v1alpha1.MetricSourceSpec
		want   string
	}{
		"Plain": {
			reason: "A namespace and a name are enough.", args: &v1alpha1.MetricSourceSpec{},
			want: `objective:experience_events:delta1m{namespace="shop",objective="promise"}`,
		},
		"Cluster": {
			reason: "Of two clusters' objectives of the same name only one's.",
			args:   &v1alpha1.MetricSourceSpec{Matchers: []v1alpha1.LabelMatcher{{Label: "cluster", Value: "eu"}}},
			want:   `objective:experience_events:delta1m{cluster="eu",namespace="shop",objective="promise"}`,
		},
		"Tenancy": {
			reason: "A tenant is named once.", args: source(),
			want: `objective:experience_events:delta1m{cluster="eu",namespace="shop",objective="promise"}`,
		},
		"OtherTenancy": {
			reason: "A tenant's label of another name stays.",
			args:   &v1alpha1.MetricSourceSpec{Tenancy: &v1alpha1.Tenancy{Label: "tenant"}},
			want:   `objective:experience_events:delta1m{namespace="shop",objective="promise",tenant="shop"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan, err := compile.Compile(compile.Input{Objective: objective(events("good_total", "", "x_total")), Source: tc.args, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, promql.Recorded(promql.RecordedEvents, plan.Identity())); diff != "" {
				t.Errorf("\n%s\nIdentity(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
