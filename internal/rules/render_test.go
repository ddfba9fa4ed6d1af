package rules_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
)

// alertsOf renders a plan and gives its alerts.
func alertsOf(t *testing.T, plan *compile.Plan, s rules.Settings) []monitoringv1.Rule {
	t.Helper()
	var out []monitoringv1.Rule
	for _, rule := range rulesOf(t, plan, s) {
		if rule.Alert != "" {
			out = append(out, rule)
		}
	}
	return out
}

func rulesOf(t *testing.T, plan *compile.Plan, s rules.Settings) []monitoringv1.Rule {
	t.Helper()
	groups, err := rules.Groups(plan, s)
	if err != nil {
		t.Fatalf("Groups: %v", err)
	}
	var out []monitoringv1.Rule
	for _, group := range groups {
		out = append(out, group.Rules...)
	}
	return out
}

func TestSettingsOf(t *testing.T) {
	offset := 90 * time.Second
	cases := map[string]struct {
		reason string
		args   v1alpha1.Rules
		want   rules.Settings
	}{
		"Nothing": {reason: "There is a prefix still.", want: rules.Settings{Prefix: "experience", Labels: map[string]string{}, ObjectLabels: map[string]string{}}},
		"Everything": {
			reason: "Each field arrives.",
			args: v1alpha1.Rules{
				GroupPrefix: "xp", Labels: map[string]v1alpha1.ObjectLabel{"cluster": "eu"}, ObjectLabels: map[string]v1alpha1.ObjectLabel{"release": "prom"},
				QueryOffset: &metav1.Duration{Duration: offset}, PartialResponseStrategy: v1alpha1.PartialResponseWarn,
			},
			want: rules.Settings{
				Prefix: "xp", Labels: map[string]string{"cluster": "eu"}, ObjectLabels: map[string]string{"release": "prom"},
				QueryOffset: &offset, PartialResponse: "warn",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, rules.SettingsOf(&v1alpha1.MetricSourceSpec{Rules: tc.args})); diff != "" {
				t.Errorf("\n%s\nSettingsOf: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLabels checks whose labels win. Series must be found again by the labels
// of Plan.Identity, and nobody may pose as another objective.
func TestLabels(t *testing.T) {
	own := map[string]string{"namespace": "shop", "objective": "promise", "service": "checkout", "perspective": "UX", "touchpoint": "web"}
	with := func(pairs ...string) map[string]string {
		out := maps.Clone(own)
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	team := alerting(v1alpha1.Alerting{Page: &v1alpha1.AlertTier{Labels: map[string]v1alpha1.AlertText{
		"team": "web", "severity": "p1", "cluster": "theirs", "namespace": "theirs", "window": "theirs", "note": "{{ braces }}",
	}}})
	cluster := &v1alpha1.MetricSourceSpec{Matchers: []v1alpha1.LabelMatcher{{Label: "cluster", Value: "eu"}}}
	cases := map[string]struct {
		reason    string
		objective *v1alpha1.Objective
		source    *v1alpha1.MetricSourceSpec
		settings  rules.Settings
		// recorded are the labels of the first series, paged those of the first alert.
		recorded, paged map[string]string
	}{
		"Plain": {
			reason: "Identity, and severity and window on alerts.", objective: objective(failures(), "99%"), source: confined(),
			recorded: own, paged: with("severity", "critical", "window", "1h"),
		},
		"NoTouchpoint": {
			reason:    "An empty label is none.",
			objective: objective(failures(), "99%", func(o *v1alpha1.Objective) { o.Spec.Touchpoint = "" }), source: confined(),
			recorded: map[string]string{"namespace": "shop", "objective": "promise", "service": "checkout", "perspective": "UX"},
			paged: map[string]string{
				"namespace": "shop", "objective": "promise", "service": "checkout", "perspective": "UX", "severity": "critical", "window": "1h",
			},
		},
		"Source": {
			reason:    "What the source adds, and what it confines queries to, which is what the series are found by.",
			objective: objective(failures(), "99%"), source: cluster, settings: rules.Settings{Labels: map[string]string{"ruler": "blue", "cluster": "us"}},
			recorded: with("ruler", "blue", "cluster", "eu"), paged: with("ruler", "blue", "cluster", "eu", "severity", "critical", "window", "1h"),
		},
		"Team": {
			reason:    "A person adds to the alerts and chooses the severity; a label is never a template.",
			objective: objective(failures(), "99%", team), source: cluster,
			recorded: with("cluster", "eu"),
			paged:    with("cluster", "eu", "team", "web", "severity", "p1", "window", "1h", "note", `{{"{{"}} braces }}`),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan := planOf(t, tc.objective, tc.source)
			all := rulesOf(t, plan, tc.settings)
			recipe := map[string]string{promql.RecipeLabel: plan.Recipe.ID()}
			maps.Copy(recipe, tc.recorded)
			if diff := cmp.Diff(recipe, all[0].Labels); diff != "" {
				t.Errorf("\n%s\nlabels of %s: -want, +got:\n%s", tc.reason, all[0].Record, diff)
			}
			if diff := cmp.Diff(tc.paged, alertsOf(t, plan, tc.settings)[0].Labels); diff != "" {
				t.Errorf("\n%s\nlabels of the first alert: -want, +got:\n%s", tc.reason, diff)
			}
			for _, m := range plan.Recipe.Identity {
				if all[0].Labels[m.Name] != m.Value {
					t.Errorf("\n%s\nseries do not have %s, by which they are looked for", tc.reason, m)
				}
			}
		})
	}
}

func TestUnboundPlan(t *testing.T) {
	o := objective(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: "page_seconds", Threshold: "1"}}, "75%")
	plan, err := compile.Compile(compile.Input{Objective: o, Source: confined(), Now: begin})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rules.Groups(plan, rules.Settings{})
	if want := `render rules of objective "shop/promise": the plan has no queries yet: bind it first`; err == nil || err.Error() != want {
		t.Errorf("Groups: %v, want %s", err, want)
	}
}

// TestGroupShape checks which groups there are and which alerts they hold.
func TestGroupShape(t *testing.T) {
	type group struct {
		Name, Interval string
		Alerts         []string
	}
	off := func(page, ticket, absent bool) func(*v1alpha1.Objective) {
		mode := func(off bool) v1alpha1.AlertTier {
			if off {
				return v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}
			}
			return v1alpha1.AlertTier{}
		}
		p, ticketTier := mode(page), mode(ticket)
		return alerting(v1alpha1.Alerting{Page: &p, Ticket: &ticketTier, DataAbsent: &v1alpha1.DataAbsentAlert{AlertTier: mode(absent)}})
	}
	cases := map[string]struct {
		reason string
		args   *v1alpha1.Objective
		want   []group
	}{
		"Tight": {
			reason: "Pages each minute, tickets each five.", args: objective(failures(), "99.9%"),
			want: []group{
				{"experience/shop/promise", "1m", []string{"critical 1h", "critical 6h"}},
				{"experience/shop/promise/slow", "5m", []string{"warning 1d", "warning 3d", "warning absent"}},
			},
		},
		"PagesOnly": {
			reason: "Nothing slow is left.", args: objective(failures(), "99.9%", off(false, true, true)),
			want: []group{{"experience/shop/promise", "1m", []string{"critical 1h", "critical 6h"}}},
		},
		"AbsentOnly": {
			reason: "No roll-ups without tiers.", args: objective(failures(), "99.9%", off(true, true, false)),
			want: []group{{"experience/shop/promise", "1m", nil}, {"experience/shop/promise/slow", "5m", []string{"warning absent"}}},
		},
		"Nothing": {
			reason: "Deltas alone.", args: objective(failures(), "99.9%", off(true, true, true)),
			want: []group{{"experience/shop/promise", "1m", nil}},
		},
		"Loose": {
			reason: "The second page has a long window, a multiple of five minutes.", args: objective(failures(), "75%", off(false, true, true)),
			want: []group{
				{"experience/shop/promise", "1m", []string{"critical 3h44m"}},
				{"experience/shop/promise/slow", "5m", []string{"critical 11h10m"}},
			},
		},
		"Hour": {
			reason: "All windows are the shortest: alerts that could not be told apart are one.", args: objective(failures(), "99.9%", rolling("1h")),
			want: []group{
				{"experience/shop/promise", "1m", []string{"critical 12m", "warning 12m"}},
				{"experience/shop/promise/slow", "5m", []string{"warning absent"}},
			},
		},
		"Longest": {
			reason: "Each tier is as quick as its window allows.", args: objective(failures(), "99.9%", rolling("400d")),
			want: []group{
				{"experience/shop/promise", "1m", nil},
				{"experience/shop/promise/slow", "5m", []string{"critical 14h15m", "critical 3d13h45m", "warning absent"}},
				{"experience/shop/promise/slower", "30m", []string{"warning 14d7h"}},
				{"experience/shop/promise/slowest", "1h", []string{"warning 42d21h"}},
			},
		},
		"Survey": {
			reason: "Surveys never page.", args: objective(netPromoter(), "30"),
			want: []group{
				{"experience/shop/promise", "1m", nil},
				{"experience/shop/promise/slow", "5m", []string{"warning 1d15h10m", "warning 3d", "warning absent"}},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			groups, err := rules.Groups(planOf(t, tc.args, confined()), rules.Settings{Prefix: "experience"})
			if err != nil {
				t.Fatalf("\n%s\nGroups: %v", tc.reason, err)
			}
			var got []group
			for _, g := range groups {
				shape := group{Name: g.Name, Interval: string(*g.Interval)}
				for _, r := range g.Rules {
					switch r.Alert {
					case rules.BudgetBurn:
						shape.Alerts = append(shape.Alerts, r.Labels["severity"]+" "+r.Labels["window"])
					case rules.DataAbsent:
						shape.Alerts = append(shape.Alerts, r.Labels["severity"]+" absent")
					}
				}
				got = append(got, shape)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nGroups: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestEveryWindowIsRecordedOnce renders objectives of many targets and windows:
// two rules that record one series would spoil each other, and only the deltas
// may read anything but what was recorded.
func TestEveryWindowIsRecordedOnce(t *testing.T) {
	for _, target := range []v1alpha1.Target{"50%", "75%", "90%", "95%", "99%", "99.9%", "99.99%", "99.999%"} {
		for _, window := range []v1alpha1.RollingWindow{"1h", "1d", "7d", "28d", "30d", "90d", "365d", "400d"} {
			plan := planOf(t, objective(failures(), target, rolling(window)), confined())
			seen := map[string]bool{}
			for _, r := range rulesOf(t, plan, rules.Settings{Prefix: "experience"}) {
				name := r.Record + r.Alert + fmt.Sprint(r.Labels)
				if seen[name] {
					t.Errorf("%s over %s: %s is rendered twice", target, window, name)
				}
				seen[name] = true
				delta := strings.HasSuffix(r.Record, ":delta1m")
				if !delta && strings.Contains(r.Expr.StrVal, "shop_requests_total") {
					t.Errorf("%s over %s: %s reads raw data", target, window, r.Record+r.Alert)
				}
			}
			for _, r := range alertsOf(t, plan, rules.Settings{Prefix: "experience"}) {
				if r.Alert == rules.BudgetBurn && !seen[rules.BurnRate+fmt.Sprint(seriesLabels(plan, r.Labels["window"]))] {
					t.Errorf("%s over %s: nothing records the window %s", target, window, r.Labels["window"])
				}
			}
		}
	}
}

// seriesLabels are the labels of a series that is recorded, and so of the
// expression of an alert; window may be empty.
func seriesLabels(plan *compile.Plan, window string) map[string]string {
	out := map[string]string{
		"namespace": plan.Key.Namespace, "objective": plan.Key.Name, "service": plan.Service,
		"perspective": plan.Perspective, "touchpoint": plan.Touchpoint, "window": window,
	}
	maps.DeleteFunc(out, func(_, value string) bool { return value == "" })
	return out
}

// TestRenamedServiceGoesOn changes a label of an objective while it burns: its
// series before and after are one objective, and no rule fails over two.
func TestRenamedServiceGoesOn(t *testing.T) {
	r := newRuler(t, planOf(t, objective(failures(), "99.9%"), confined()), 0)
	o := outage{r: r, perMinute: 600, born: begin.Add(-10 * time.Minute), begin: begin, share: 1}
	r.run(o.born, begin, o.scrape)
	r.adopt(planOf(t, objective(failures(), "99.9%", func(o *v1alpha1.Objective) { o.Spec.Service = "basket" }), confined()), 0)
	end := begin.Add(15 * time.Minute)
	r.run(begin, end, o.scrape)
	window := r.plan.Identity().Confine("window", "1h").Confine("service", "basket")
	r.equal("The hour holds both.", promql.Recorded(rules.Events, window), end, 25*600)
	r.equal("So do the bad ones.", promql.Recorded(rules.BadEvents, window), end, 15*600)
	if _, fired := r.first(begin, func(k alertKey) bool { return k.Window == "1h" }); !fired {
		t.Error("the renamed objective does not page")
	}
}

func TestFileIsOneDocument(t *testing.T) {
	groups, err := rules.Groups(planOf(t, objective(failures(), "99.9%"), confined()), rules.Settings{Prefix: "experience"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := rules.File(groups)
	if err != nil {
		t.Fatal(err)
	}
	var back monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(groups, back.Groups); diff != "" {
		t.Errorf("File: -written, +read:\n%s", diff)
	}
}

func TestPrometheusRule(t *testing.T) {
	plan := planOf(t, objective(failures(), "99.9%"), confined())
	s := rules.Settings{Prefix: "experience", ObjectLabels: map[string]string{"release": "prom", rules.ManagedBy: "others"}}
	groups, err := rules.Groups(plan, s)
	if err != nil {
		t.Fatal(err)
	}
	controls := true
	want := &monitoringv1.PrometheusRule{
		TypeMeta: metav1.TypeMeta{APIVersion: "monitoring.coreos.com/v1", Kind: "PrometheusRule"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "promise",
			Labels: map[string]string{"app.kubernetes.io/managed-by": "experience-slo", "release": "prom"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "experience.slo/v1alpha1", Kind: "Objective", Name: "promise", UID: "u-1", Controller: &controls,
			}},
		},
		Spec: monitoringv1.PrometheusRuleSpec{Groups: groups},
	}
	if diff := cmp.Diff(want, rules.PrometheusRule(plan, s, groups)); diff != "" {
		t.Errorf("PrometheusRule: -want, +got:\n%s", diff)
	}
}

// TestAlikeTiers checks that of tiers with one window the most sensitive is left.
func TestAlikeTiers(t *testing.T) {
	cases := map[string]struct{ reason, severity, want string }{
		"Pages":   {"5.6 fires whenever 13.44 would.", rules.Critical, " > 5.6 "},
		"Tickets": {"0.93 fires whenever 2.8 would.", rules.Warning, " > 0.933333333333 "},
	}
	alerts := alertsOf(t, planOf(t, objective(failures(), "99.9%", rolling("1h")), confined()), rules.Settings{Prefix: "experience"})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found := 0
			for _, r := range alerts {
				if r.Alert == rules.BudgetBurn && r.Labels["severity"] == tc.severity {
					if found++; strings.Count(r.Expr.StrVal, tc.want) != 2 {
						t.Errorf("\n%s\nexpression: %s, want%stwice", tc.reason, r.Expr.StrVal, tc.want)
					}
				}
			}
			if found != 1 {
				t.Errorf("\n%s\nalerts: %d, want 1", tc.reason, found)
			}
		})
	}
}
