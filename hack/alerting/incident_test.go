package alerting_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/metrics"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	shipped = "../../config/prometheus"
	// interval is that of rule groups.
	interval = time.Minute
)

// promise is an objective on one of the shop's pages, over an hour: its tiers
// look at twelve minutes and at one.
func promise(namespace, name, page string, target v1alpha1.Target, alerting *v1alpha1.Alerting) *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ObjectiveSpec{
			Service: v1alpha1.Label(page), Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web", Description: "The page of {{ our }} shop works.",
			Indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
				Bad:   v1alpha1.Selector(fmt.Sprintf(`shop_requests_total{page=%q,code="500"}`, page)),
				Total: v1alpha1.Selector(fmt.Sprintf("shop_requests_total{page=%q}", page)),
			}},
			Target: target, Window: v1alpha1.Window{Rolling: "1h"}, NewSeries: v1alpha1.NewSeriesOnKnownTarget, Alerting: alerting,
		},
	}
}

func planOf(t *testing.T, o *v1alpha1.Objective, output v1alpha1.RulesOutput) *compile.Plan {
	t.Helper()
	source := &v1alpha1.MetricSourceSpec{Rules: v1alpha1.Rules{Output: output}}
	plan, err := compile.Compile(compile.Input{Objective: o, Source: source, Now: time.Now()})
	if err != nil {
		t.Fatalf("compile objective: %v", err)
	}
	return plan
}

// rendered are the rule files of plans, as they are put into ConfigMaps.
func rendered(t *testing.T, plans ...*compile.Plan) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, plan := range plans {
		groups, err := rules.Groups(plan, rules.SettingsOf(&v1alpha1.MetricSourceSpec{}))
		if err != nil {
			t.Fatalf("render rules of %s: %v", plan.Key, err)
		}
		text, err := rules.File(groups)
		if err != nil {
			t.Fatalf("write rules of %s: %v", plan.Key, err)
		}
		files[plan.Key.Namespace+"."+plan.Key.Name+".yaml"] = string(text)
	}
	out := map[string]string{}
	for _, shard := range rules.Shards("experience", files) {
		maps.Copy(out, shard.Data)
	}
	return out
}

// operator serves the operator's metrics of plans, all of whose tiers burn or
// none.
type operator struct {
	http.Handler
	recorder *metrics.Recorder
	plans    []*compile.Plan
}

func newOperator(plans ...*compile.Plan) *operator {
	registry := prometheus.NewRegistry()
	return &operator{Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), recorder: metrics.New(registry), plans: plans}
}

func (o *operator) records(burning bool) {
	for _, plan := range o.plans {
		v := evaluate.Verdict{Attainment: 1, Target: plan.Target, BudgetRemaining: 1, At: time.Now(), LastData: time.Now()}
		for _, tier := range plan.Tiers {
			v.Tiers = append(v.Tiers, evaluate.TierState{Tier: tier, Burning: burning})
			if !slices.ContainsFunc(v.Burns, func(b evaluate.Burn) bool { return b.Window == tier.Long }) {
				v.Burns = append(v.Burns, evaluate.Burn{Window: tier.Long, Rate: 20})
			}
		}
		o.recorder.Objective(plan, v)
	}
}

// scrapes is a prometheus.yml that scrapes the shop and the operator.
func scrapes(shop, operator, alertmanager string) string {
	return fmt.Sprintf(`global: {scrape_interval: %[1]s, scrape_timeout: %[1]s}
scrape_configs:
- job_name: shop
  static_configs: [{targets: [%[2]q]}]
- job_name: operator
  honor_labels: true
  static_configs: [{targets: [%[3]q]}]
alerting:
  alertmanagers:
  - static_configs: [{targets: [%[4]q]}]
rule_files: [rules/*.yaml]
`, scrapeInterval, shop, operator, alertmanager)
}

// routes is an alertmanager.yml with the inhibitions that the operator ships.
func routes(t *testing.T, pager string) string {
	t.Helper()
	return fmt.Sprintf(`route: {receiver: pager, group_by: [namespace, objective], group_wait: 5s, group_interval: 1s}
receivers: [{name: pager, webhook_configs: [{url: "http://%s/", send_resolved: true}]}]
`, pager) + readFile(t, filepath.Join(shipped, "inhibit_rules.yaml"))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestIncident breaks two pages of a shop and mends them again, and looks at
// what Alertmanager holds and whom it tells. One objective is watched by a ruler
// and pages, one may not page, one is well, and one has no ruler.
func TestIncident(t *testing.T) {
	t.Parallel()
	alerting := &v1alpha1.Alerting{
		Page: &v1alpha1.AlertTier{
			Labels:      map[string]v1alpha1.AlertText{"team": "web"},
			Annotations: map[string]v1alpha1.AlertText{"impact": "{{ $labels.service }} is down"},
		},
		DashboardURL: "https://grafana.example/d/checkout",
	}
	checkout := planOf(t, promise("shop", "checkout-works", "checkout", "99%", alerting), v1alpha1.RulesOutputConfigMap)
	search := planOf(t, promise("shop", "search-works", "search", "95%",
		&v1alpha1.Alerting{Page: &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}}), v1alpha1.RulesOutputConfigMap)
	support := planOf(t, promise("support", "form-works", "support", "99%", nil), v1alpha1.RulesOutputConfigMap)
	unruled := planOf(t, promise("travel", "booking-works", "checkout", "99%", nil), v1alpha1.RulesOutputNone)

	world, duty, op := newShop(), newPager(), newOperator(checkout, search, support, unruled)
	op.records(false)
	files := rendered(t, checkout, search, support)
	files["operator.yaml"] = readFile(t, filepath.Join(shipped, "rules.yaml"))
	am := startAlertmanager(t, routes(t, serve(t, duty)))
	dir, address := t.TempDir(), serve(t, world)
	world.history(t, dir, address)
	p := startPrometheus(t, parts.PrometheusOptions{
		Dir: dir, ConfigYAML: scrapes(address, serve(t, op), am.Address), Rules: files,
	})
	recordsMinutes(t, p, 3)
	if early := keys(held(t, am)); len(early) > 0 {
		t.Fatalf("before the incident: alerts %v", early)
	}

	began := world.breaks("checkout", "search")
	op.records(true)
	want := []key{
		{"ExperienceBudgetBurn", "shop", "checkout-works", "critical", "12m"},
		{"ExperienceBudgetBurn", "shop", "checkout-works", "warning", "12m"},
		{"ExperienceBudgetBurn", "shop", "search-works", "warning", "12m"},
		{"ExperienceBudgetBurn", "travel", "booking-works", "critical", "12m"},
		{"ExperienceBudgetBurn", "travel", "booking-works", "warning", "12m"},
	}
	await(t, 4*interval, func() string { return cmp.Diff(want, keys(held(t, am))) })
	alerts := held(t, am)
	promptly(t, alerts[want[0]], began, checkout)
	carries(t, alerts)
	await(t, time.Minute, func() string {
		// Who is paged hears of no ticket beside it.
		told := duty.told(duty.first)
		for page, ticket := range map[key]key{want[0]: want[1], want[3]: want[4]} {
			// One that burned slowly enough for a ticket at first was told before the page.
			if alerts[ticket].StartsAt.Before(alerts[page].StartsAt) {
				delete(told, ticket)
			}
		}
		return cmp.Diff(map[key]string{want[0]: "firing", want[2]: "firing", want[3]: "firing"}, told)
	})

	mended := world.mends()
	op.records(false)
	await(t, 4*interval, func() string { return cmp.Diff([]key(nil), keys(held(t, am))) })
	t.Logf("all resolved %s after the shop was mended", time.Since(mended).Round(time.Second))
	await(t, time.Minute, func() string {
		last := duty.told(duty.last)
		for k, status := range last {
			if status != "resolved" {
				return cmp.Diff("resolved", fmt.Sprint(k, " ", status))
			}
		}
		return ""
	})
}

// recordsMinutes waits until a ruler has recorded some objectives.
func recordsMinutes(t *testing.T, p *parts.Prometheus, objectives int) {
	t.Helper()
	await(t, 4*interval, func() string {
		return cmp.Diff(fmt.Sprint(objectives), scalar(t, p, "count(objective:experience_events:delta1m > 0)"))
	})
	if burning := scalar(t, p, `count(ALERTS{alertname=~"Experience.*",alertstate="firing"})`); burning != "" {
		t.Errorf("%s alerts fire before anything broke", burning)
	}
}

// promptly checks the time to fire against the SRE workbook's formula for errors
// of 100%, with two evaluations in addition.
func promptly(t *testing.T, page parts.Alert, began time.Time, p *compile.Plan) {
	t.Helper()
	took := page.StartsAt.Sub(began)
	bound := 2 * interval
	for _, tier := range p.Tiers {
		if tier.Severity == slo.Page {
			bound += time.Duration((1 - p.Target) * tier.Factor * float64(tier.Long))
			break
		}
	}
	t.Logf("the page fired %s after the shop broke; at most %s is allowed", took.Round(time.Second), bound.Round(time.Second))
	if took < 0 || took > bound {
		t.Errorf("the page fired %s after the shop broke, want at most %s", took, bound)
	}
}

// carries checks what alerts say.
func carries(t *testing.T, alerts map[key]parts.Alert) {
	t.Helper()
	page := alerts[key{"ExperienceBudgetBurn", "shop", "checkout-works", "critical", "12m"}]
	want := map[string]string{
		"alertname": "ExperienceBudgetBurn", "severity": "critical", "window": "12m", "team": "web",
		"namespace": "shop", "objective": "checkout-works", "service": "checkout", "perspective": "UX", "touchpoint": "web",
	}
	if diff := cmp.Diff(want, page.Labels); diff != "" {
		t.Errorf("labels of the page: -want, +got:\n%s", diff)
	}
	for name, part := range map[string]string{
		"summary": "shop/checkout-works spends its error budget", "description": "The page of {{ our }} shop works. ",
		"runbook_url":   "https://github.com/experience-slo/operator/blob/main/docs/runbooks/ExperienceBudgetBurn.md",
		"dashboard_url": "https://grafana.example/d/checkout", "impact": "checkout is down",
	} {
		if !strings.HasPrefix(page.Annotations[name], part) {
			t.Errorf("annotation %s of the page = %q, want it to begin with %q", name, page.Annotations[name], part)
		}
	}
	unruled := alerts[key{"ExperienceBudgetBurn", "travel", "booking-works", "critical", "12m"}]
	want["namespace"], want["objective"] = "travel", "booking-works"
	delete(want, "team")
	if diff := cmp.Diff(want, unruled.Labels); diff != "" {
		t.Errorf("labels of the page without a ruler, which should be those of one with a ruler: -want, +got:\n%s", diff)
	}
	for k, alert := range alerts {
		for _, name := range []string{"summary", "description", "runbook_url"} {
			if alert.Annotations[name] == "" {
				t.Errorf("%v has no annotation %s", k, name)
			}
		}
	}
}
