package v1alpha1_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// TestSampleObjectivesCompile checks what a schema cannot: that the PromQL of
// each sample is understood.
func TestSampleObjectivesCompile(t *testing.T) {
	paths, err := filepath.Glob("../../config/samples/objective_*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("list samples: %v, %d found", err, len(paths))
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("read sample: %v", err)
			}
			o := &v1alpha1.Objective{}
			if err := yaml.UnmarshalStrict(text, o); err != nil {
				t.Fatalf("decode sample: %v", err)
			}
			in := compile.Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{}, Now: time.Date(2025, time.June, 15, 12, 0, 0, 0, time.UTC)}
			if ref := o.Spec.Indicator.Ref; ref != nil {
				in.Indicator = &sampleIndicator(t, string(ref.Name)).Spec
			}
			if ref := o.Spec.CalendarRef; ref != nil {
				in.Calendar = &sampleCalendar(t, "calendar_"+strings.ReplaceAll(string(ref.Name), "-", "_")+".yaml").Spec
			}
			_, err = compile.Compile(in)
			if err != nil {
				t.Errorf("the operator refuses it: %v", err)
			}
		})
	}
}

func sampleIndicator(t *testing.T, name string) *v1alpha1.Indicator {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/samples", "indicator_"+name+".yaml"))
	if err != nil {
		t.Fatalf("read sample: %v", err)
	}
	out := &v1alpha1.Indicator{}
	if err := yaml.UnmarshalStrict(text, out); err != nil {
		t.Fatalf("decode sample: %v", err)
	}
	return out
}

func sampleCalendar(t *testing.T, file string) *v1alpha1.Calendar {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/samples", file))
	if err != nil {
		t.Fatalf("read sample: %v", err)
	}
	out := &v1alpha1.Calendar{}
	if err := yaml.UnmarshalStrict(text, out); err != nil {
		t.Fatalf("decode sample: %v", err)
	}
	return out
}

// TestSampleCalendarsHaveHours reads the hours of each sample, dates and events too.
func TestSampleCalendarsHaveHours(t *testing.T) {
	paths, err := filepath.Glob("../../config/samples/calendar_*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("list samples: %v, %d found", err, len(paths))
	}
	for _, path := range paths {
		calendar := sampleCalendar(t, filepath.Base(path))
		hours, err := compile.HoursOf(&calendar.Spec, time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Errorf("%s: the operator refuses it: %v", path, err)
			continue
		}
		if len(hours.Dates) == 0 {
			t.Errorf("%s: no holiday was found", path)
		}
	}
}
