package controllers_test

import (
	"strings"
	"testing"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestExactThroughRealPrometheus compares the events of a window that holds all
// of history with what the simulated world knows it wrote.
func TestExactThroughRealPrometheus(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "exact")
	create(t, aSource(ns, env.prom.URL))
	cases := map[string]struct {
		reason    string
		indicator v1alpha1.ObjectiveIndicator
		total     float64
	}{
		"Histogram": {
			reason:    "three pods, replaced every day, scraped every 15 s",
			indicator: anObjective(ns, "").Spec.Indicator,
			total:     env.world.Total("web_vitals_lcp_seconds_count", "namespace", "long-hold"),
		},
		"Counter": {
			reason: "a sparse exporter that restarts in place",
			indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{
				Bad: `cx_transfers_total{namespace="long-hold"}`, Total: `cx_contacts_total{namespace="long-hold"}`,
			}},
			total: env.world.Total("cx_contacts_total", "namespace", "long-hold"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObjective(ns, "exact-"+strings.ToLower(name), indicator(tc.indicator), rolling("35d"), target("50%"))
			create(t, o)
			settled(t, o, v1alpha1.ReasonTargetMet)
			t.Logf("%s\n%s", name, describe(o))
			if got := float64(*o.Status.Events); got != tc.total {
				t.Errorf("%s: events = %.0f, the world wrote %.0f", tc.reason, got, tc.total)
			}
		})
	}
}
