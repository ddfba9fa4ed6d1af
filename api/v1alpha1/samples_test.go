package v1alpha1

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const samplesFolder = "../../config/samples"

// sample is a file of config/samples, as an object.
type sample struct {
	file   string
	object map[string]any
}

func samples(t *testing.T) []sample {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(samplesFolder, "*.yaml"))
	if err != nil {
		t.Fatalf("list samples: %v", err)
	}
	var out []sample
	for _, path := range paths {
		file := filepath.Base(path)
		if file == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("read sample: %v", err)
		}
		out = append(out, sample{file: file, object: decode(t, string(text))})
	}
	if len(out) == 0 {
		t.Fatalf("no sample in %s", samplesFolder)
	}
	return out
}

// at gives the value at a path, or nil.
func at(object map[string]any, path string) any {
	var value any = object
	for step := range strings.SplitSeq(path, ".") {
		members, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = members[step]
	}
	return value
}

func TestSamplesAreAdmitted(t *testing.T) {
	definitions := map[string]*definition{
		"Objective": load(t, "objectives"), "MetricSource": load(t, "metricsources"), "ClusterMetricSource": load(t, "clustermetricsources"),
		"Indicator": load(t, "indicators"),
		"Gate":      load(t, "gates"), "Journey": load(t, "journeys"), "Exclusion": load(t, "exclusions"),
		"Calendar": load(t, "calendars"),
	}
	names := map[string]string{}
	for _, s := range samples(t) {
		t.Run(s.file, func(t *testing.T) {
			kind, _ := s.object["kind"].(string)
			d := definitions[kind]
			if d == nil || s.object["apiVersion"] != GroupVersion.String() {
				t.Fatalf("%s is of %v %s", s.file, s.object["apiVersion"], kind)
			}
			for _, complaint := range d.admit(t, s.object) {
				t.Errorf("the API server refuses it: %s", complaint)
			}
			name := kind + " " + at(s.object, "metadata.name").(string)
			if other, taken := names[name]; taken {
				t.Errorf("%s is in %s too", name, other)
			}
			names[name] = s.file
		})
	}
}

func TestSamplesAreApplied(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(samplesFolder, "kustomization.yaml"))
	if err != nil {
		t.Fatalf("read list: %v", err)
	}
	list := struct{ Resources []string }{}
	if err := yaml.Unmarshal(text, &list); err != nil {
		t.Fatalf("decode list: %v", err)
	}
	var files []string
	for _, s := range samples(t) {
		files = append(files, s.file)
	}
	slices.Sort(list.Resources)
	if diff := cmp.Diff(files, list.Resources); diff != "" {
		t.Errorf("kustomization.yaml lists other files than there are: -there, +listed:\n%s", diff)
	}
}

// TestSamplesShowEverything checks that there is a sample for each way to measure
// and to connect.
func TestSamplesShowEverything(t *testing.T) {
	cases := map[string][]string{
		"Objective": {
			"spec.indicator.events.good", "spec.indicator.events.bad", "spec.indicator.distribution.poorAbove",
			"spec.indicator.distribution.format=Native", "spec.indicator.apdex.failed", "spec.indicator.score.mean",
			"spec.indicator.score.netPromoter", "spec.indicator.state", "spec.indicator.queries", "spec.indicator.ref",
			"spec.window.rolling", "spec.window.calendar.unit=Week", "spec.window.calendar.unit=Month",
			"spec.window.calendar.unit=Quarter", "spec.window.calendar.unit=Year", "spec.window.calendar.timeZone",
			"spec.confidence", "spec.minimumEvents", "spec.newSeries=FromZero", "spec.newSeries=Ignore", "spec.suspend",
			"spec.alerting.page.mode=Disabled", "spec.alerting.page.labels", "spec.alerting.page.annotations", "spec.alerting.ticket",
			"spec.alerting.dataAbsent.after", "spec.alerting.minimumBadEvents", "spec.alerting.keepFiringFor",
			"spec.alerting.runbookURL", "spec.alerting.dashboardURL", "spec.sourceRef", "spec.perspective=UX", "spec.perspective=CX",
		},
		"Indicator": {"spec.parameters", "spec.template.events", "spec.defaultTarget", "spec.defaultWindow"},
		"MetricSource": {
			"spec.authentication.basic", "spec.authentication.bearerToken", "spec.authentication.oauth2.scopes",
			"spec.authentication.oauth2.ca", "spec.authentication.sigV4.roleARN", "spec.tls.certificate", "spec.tls.ca.secret",
			"spec.tenant.value", "spec.rules.output=None", "spec.rules.output=PrometheusRule", "spec.rules.output=ConfigMap",
			"spec.rules.partialResponseStrategy",
		},
		"ClusterMetricSource": {
			"spec.allowedNamespaces.names", "spec.allowedNamespaces.selector", "spec.tenancy", "spec.matchers",
			"spec.tls.ca.configMap", "spec.limits.series", "spec.staleAfter",
			"spec.rules.output=PrometheusRule", "spec.rules.output=ConfigMap", "spec.rules.namespace", "spec.rules.objectLabels",
			"spec.rules.labels", "spec.rules.groupPrefix", "spec.rules.queryOffset",
		},
		"Gate": {
			"spec.revision", "spec.objectives.names", "spec.objectives.selector", "spec.require.met", "spec.require.pageTiers",
			"spec.require.budgetRemaining", "spec.require.attainment=Target", "spec.require.attainment=30", "spec.bake.duration",
			"spec.bake.minimumEvents", "spec.timeout", "spec.onInconclusive=Fail", "spec.onInconclusive=Pass",
		},
		"Journey": {
			"spec.description", "spec.stages", "spec.aggregation=WeakestLink", "spec.aggregation=Weighted", "spec.aggregation=Product",
			"spec.aggregation=Completion", "spec.completion", "spec.recovery",
		},
		"Calendar": {"spec.timeZone=Europe/Berlin", "spec.timeZone=Asia/Kolkata", "spec.weekly", "spec.holidays", "spec.iCalendar"},
		"Exclusion": {
			"spec.selector", "spec.objectives", "spec.services", "spec.recurrence.until", "spec.recurrence.timeZone",
			"spec.recurrence.every=Day", "spec.recurrence.every=Week", "spec.recurrence.every=Month", "spec.withdrawn.at",
		},
	}
	all := samples(t)
	for kind, paths := range cases {
		for _, wanted := range paths {
			path, value, exact := strings.Cut(wanted, "=")
			shown := slices.ContainsFunc(all, func(s sample) bool {
				found := at(s.object, path)
				return s.object["kind"] == kind && found != nil && (!exact || found == value)
			})
			if !shown {
				t.Errorf("no sample shows %s of %s", wanted, kind)
			}
		}
	}
}
