package compile

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestUnitOf holds the unit against that of the plan, for an objective of each kind.
func TestUnitOf(t *testing.T) {
	paths, err := filepath.Glob("../../config/samples/objective_*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		o := &v1alpha1.Objective{}
		if err := yaml.UnmarshalStrict(text, o); err != nil {
			t.Fatal(err)
		}
		if o.Spec.Indicator.Ref != nil {
			continue // TestSameAsInline has those
		}
		o.Spec.CalendarRef = nil // which minutes count changes no unit
		plan, err := Compile(Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{}, Now: time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := UnitOf(Input{Objective: o})
		if err != nil || got != plan.Unit {
			t.Errorf("%s: unit %v (%v), want %v of the plan", path, got, err, plan.Unit)
		}
		seen[got.String()] = true
	}
	if len(seen) != 4 {
		t.Errorf("the samples have the units %v, want all four", seen)
	}
}

func TestUnitOfNone(t *testing.T) {
	mean := func(lowest, highest v1alpha1.Decimal) v1alpha1.ObjectiveIndicator {
		return v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Lowest: lowest, Highest: highest}}}
	}
	cases := map[string]struct {
		reason string
		args   v1alpha1.ObjectiveSpec
	}{
		"Nothing": {"an indicator of no kind", v1alpha1.ObjectiveSpec{Target: "4.2"}},
		"Lowest":  {"no number", v1alpha1.ObjectiveSpec{Target: "4.2", Indicator: mean("one", "5")}},
		"Highest": {"nor here", v1alpha1.ObjectiveSpec{Target: "4.2", Indicator: mean("1", "five")}},
		"Missing": {"an indicator that does not exist", v1alpha1.ObjectiveSpec{Target: "4.2", Indicator: v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{Kind: v1alpha1.IndicatorKindClusterIndicator, Name: "csat"}}}},
		"Scale":   {"a scale upside down", v1alpha1.ObjectiveSpec{Target: "4.2", Indicator: mean("5", "1")}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := UnitOf(Input{Objective: &v1alpha1.Objective{Spec: tc.args}}); err == nil {
				t.Errorf("%s: unit %v, want an error", tc.reason, got)
			}
		})
	}
}
