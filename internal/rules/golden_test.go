package rules_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

func TestGroupsAreGolden(t *testing.T) {
	type args struct {
		objective *v1alpha1.Objective
		source    *v1alpha1.MetricSourceSpec
	}
	everything := &v1alpha1.MetricSourceSpec{
		Matchers: []v1alpha1.LabelMatcher{{Label: "cluster", Value: "eu"}},
		Rules: v1alpha1.Rules{
			Output: v1alpha1.RulesOutputPrometheusRule, GroupPrefix: "xp", Labels: map[string]v1alpha1.ObjectLabel{"ruler": "blue"},
			QueryOffset: &metav1.Duration{Duration: 90 * time.Second}, PartialResponseStrategy: v1alpha1.PartialResponseAbort,
		},
	}
	cases := map[string]struct {
		reason string
		args   args
	}{
		"events-99.9": {reason: "A tight target has the workbook's windows.", args: args{objective(failures(), "99.9%"), confined()}},
		"calendar":    {reason: "With opening hours each lane is gated, and absent data is counted in them.", args: args{objective(failures(), "99.9%", duringHours), confined()}},
		"apdex-75":    {reason: "A loose target has longer ones, so that it can fire at all.", args: args{objective(apdex(), "0.75"), confined()}},
		"net-promoter": {
			reason: "Surveys have tickets alone, and a third count.",
			args:   args{objective(netPromoter(), "30", supportDesk, rolling("90d")), confined()},
		},
		"state-year": {
			reason: "A long window has slower groups; what a person adds is there, beside what the source adds.",
			args: args{objective(probe(), "99%", rolling("365d"), alerting(v1alpha1.Alerting{
				Page:   &v1alpha1.AlertTier{Labels: map[string]v1alpha1.AlertText{"team": "web", "severity": "p1"}},
				Ticket: &v1alpha1.AlertTier{Annotations: map[string]v1alpha1.AlertText{"summary": "{{ $labels.service }} at {{ $value }}"}},
				DataAbsent: &v1alpha1.DataAbsentAlert{
					AlertTier: v1alpha1.AlertTier{Labels: map[string]v1alpha1.AlertText{"team": "web"}},
					After:     &metav1.Duration{Duration: 90 * time.Minute},
				},
				MinimumBadEvents: 5, KeepFiringFor: &metav1.Duration{Duration: 10 * time.Minute},
				RunbookURL: "https://wiki.example/runbook", DashboardURL: "https://grafana.example/d/1",
			})), everything},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			groups, err := rules.Groups(planOf(t, tc.args.objective, tc.args.source), rules.SettingsOf(tc.args.source))
			if err != nil {
				t.Fatalf("\n%s\nGroups: %v", tc.reason, err)
			}
			got, err := rules.File(groups)
			if err != nil {
				t.Fatalf("\n%s\nFile: %v", tc.reason, err)
			}
			// Thanos alone knows partial_response_strategy.
			golden(t, name, tc.reason, got, tc.args.source.Rules.PartialResponseStrategy != "")
		})
	}
}

// golden compares a rule file with the one that is kept, and has Prometheus read it.
func golden(t *testing.T, name, reason string, got []byte, lenient bool) {
	t.Helper()
	path := filepath.Join("testdata", name+".yaml")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("\n%s\nrules: -want, +got:\n%s", reason, diff)
	}
	if _, errs := rulefmt.Parse(got, lenient, model.LegacyValidation, parser.NewParser(parser.Options{}), nil); len(errs) > 0 {
		t.Errorf("\n%s\nPrometheus refuses the file: %v", reason, errs)
	}
}
