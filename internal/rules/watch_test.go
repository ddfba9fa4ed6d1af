package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
	"github.com/experience-slo/operator/internal/slo"
)

// TestWatchesAreTheAlerts compares what is said of alerts with the rules that are
// rendered: their order, groups, labels, windows and numbers.
func TestWatchesAreTheAlerts(t *testing.T) {
	ownLabel := alerting(v1alpha1.Alerting{
		Page:       &v1alpha1.AlertTier{Labels: map[string]v1alpha1.AlertText{"severity": "page"}},
		DataAbsent: &v1alpha1.DataAbsentAlert{AlertTier: v1alpha1.AlertTier{Labels: map[string]v1alpha1.AlertText{"severity": "info"}}},
	})
	for _, window := range []v1alpha1.RollingWindow{"4h", "1d", "7d", "28d", "90d", "400d"} {
		for _, target := range []v1alpha1.Target{"50%", "90%", "99%", "99.9%", "99.999%"} {
			for name, option := range map[string]func(*v1alpha1.Objective){"": func(*v1alpha1.Objective) {}, " with labels": ownLabel} {
				plan := planOf(t, objective(failures(), target, rolling(window), option), confined())
				compareWatches(t, fmt.Sprintf("%s over %s%s", target, window, name), plan)
				plan.Excluded = []slo.Span{{Start: plan.Made, End: plan.Made.Add(time.Hour)}}
				compareWatches(t, fmt.Sprintf("%s over %s%s, around an exclusion", target, window, name), plan)
			}
		}
	}
}

func compareWatches(t *testing.T, what string, plan *compile.Plan) {
	t.Helper()
	groups, err := rules.Groups(plan, rules.Settings{Prefix: "experience"})
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, group := range groups {
		interval, err := model.ParseDuration(string(*group.Interval))
		if err != nil {
			t.Fatal(err)
		}
		every := time.Duration(interval)
		for _, r := range group.Rules {
			switch r.Alert {
			case rules.BudgetBurn:
				want = append(want, fmt.Sprintf("%s %s every %s", r.Labels["severity"], r.Labels["window"], every))
				got = append(got, watched(t, plan, rules.Watches(plan)[len(got)], r.Expr.StrVal))
			case rules.DataAbsent:
				if diff := cmp.Diff([]any{every, r.Labels["severity"]}, []any{rules.AbsenceWatch, rules.AbsenceLabel(plan)}); diff != "" {
					t.Errorf("%s: absence: -rules, +watch:\n%s", what, diff)
				}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(rules.Watches(plan)) {
		t.Errorf("%s: %d watches, -rules, +watches:\n%s", what, len(rules.Watches(plan)), diff)
	}
}

// watched words a watch, whose numbers must be in the expression of its rule.
func watched(t *testing.T, plan *compile.Plan, w rules.Watch, expr string) string {
	t.Helper()
	if !strings.Contains(expr, fmt.Sprintf("> %.12g and", w.Factor)) || !strings.Contains(expr, `window="`+slo.FormatDuration(w.Short)+`"`) {
		t.Errorf("the rule has another factor or another short window: %+v in %s", w, expr)
	}
	late := time.Duration(0)
	if w.Every > time.Minute {
		late = time.Duration(1+len(plan.Excluded)) * time.Minute
	}
	if long, short := w.Delays(plan, plan.Made); long != late || (short != late && short != 0) || w.Budget <= 0 {
		t.Errorf("other minutes than the rule's: %+v", w)
	}
	return fmt.Sprintf("%s %s every %s", w.Label, slo.FormatDuration(w.Long), w.Every)
}
