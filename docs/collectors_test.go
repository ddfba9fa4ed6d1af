package docs_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const (
	collectorPath  = "../config/indicators/collector/config.yaml"
	collectorsPage = "docs/collectors.md"
)

// countedElsewhere are the metrics of the contract that no event tells: how many different
// people there were. A collector sees one event after the other.
var countedElsewhere = []string{"ux_active_users", "ux_anr_users", "ux_crashed_users"}

// collected is the part of the contract that collectors keep.
func collected(t *testing.T) map[string]promised {
	t.Helper()
	all := contract(t)
	for _, name := range countedElsewhere {
		if _, known := all[name]; !known {
			t.Errorf("%s is not in the contract", name)
		}
		delete(all, name)
	}
	return all
}

// collectorConfig is a Collector's configuration. What is in a component is its own.
type collectorConfig struct {
	Receivers, Processors, Exporters map[string]map[string]any
	Connectors                       map[string]signalToMetrics
	Service                          struct {
		Pipelines map[string]struct{ Receivers, Processors, Exporters []string }
	}
}

// signalToMetrics is the part of the connector's configuration that is used.
type signalToMetrics struct {
	ErrorMode string `json:"error_mode"`
	Logs      []madeOfLogs
}

// madeOfLogs is a metric that the connector makes.
type madeOfLogs struct {
	Name, Description string
	Attributes        []struct{ Key string }
	Conditions        []string
	Histogram         *struct {
		Value, Count string
		Buckets      []float64
	}
	Sum *struct {
		Value     string
		Monotonic bool
	}
}

// promised is the metric as the contract has it.
func (m madeOfLogs) promised(t *testing.T) promised {
	t.Helper()
	p := promised{kind: "counter"}
	for _, a := range m.Attributes {
		p.labels = append(p.labels, a.Key)
		if len(m.Conditions) != 1 || !strings.Contains(m.Conditions[0], `IsMatch(log.attributes["`+a.Key+`"], "^(`) {
			t.Errorf("%s lets any %s through", m.Name, a.Key)
		}
	}
	switch {
	case (m.Histogram == nil) == (m.Sum == nil):
		t.Errorf("%s is both, or neither", m.Name)
	case m.Histogram != nil:
		p.kind = "histogram"
		for _, bound := range m.Histogram.Buckets {
			p.buckets = append(p.buckets, strconv.FormatFloat(bound, 'f', -1, 64))
		}
	case !m.Sum.Monotonic:
		t.Errorf("%s would be a gauge", m.Name)
	}
	return p
}

func readCollector(t *testing.T) (config collectorConfig) {
	t.Helper()
	text, err := os.ReadFile(collectorPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		t.Fatal(err)
	}
	return config
}

// settings are those of the components that the contrib distribution has and this
// configuration uses, as their READMEs name them.
var settings = map[string][]string{
	"webhookevent":      {"endpoint", "path", "max_request_body_size", "split_logs_at_json_boundary", "required_header"},
	"transform":         {"error_mode", "log_statements"},
	"deltatocumulative": {"max_stale"},
	"prometheus":        {"endpoint", "translation_strategy", "without_scope_info", "metric_expiration"},
}

// configured complains of settings that a component has not.
func configured(t *testing.T, name string, component map[string]any) {
	t.Helper()
	known := settings[strings.Split(name, "/")[0]]
	for setting := range component {
		if !slices.Contains(known, setting) {
			t.Errorf("%s has no setting %s", name, setting)
		}
	}
}

// TestCollectorConfiguration checks that components are known, and that pipelines
// lead from a receiver to an exporter through those that are there, all of them.
func TestCollectorConfiguration(t *testing.T) {
	config := readCollector(t)
	for _, kind := range []map[string]map[string]any{config.Receivers, config.Processors, config.Exporters} {
		for name, component := range kind {
			configured(t, name, component)
		}
	}
	connectors := slices.Collect(maps.Keys(config.Connectors))
	for _, name := range connectors {
		if !strings.HasPrefix(name, "signal_to_metrics/") {
			t.Errorf("%s is no connector that is known", name)
		}
	}
	used := map[string][]string{}
	for name, p := range config.Service.Pipelines {
		if len(p.Receivers) == 0 || len(p.Exporters) == 0 {
			t.Errorf("%s leads nowhere", name)
		}
		used["receivers"], used["processors"], used["exporters"] = append(used["receivers"], p.Receivers...), append(used["processors"], p.Processors...), append(used["exporters"], p.Exporters...)
	}
	for kind, want := range map[string][]string{
		"receivers":  append(slices.Collect(maps.Keys(config.Receivers)), connectors...),
		"processors": slices.Collect(maps.Keys(config.Processors)),
		"exporters":  append(slices.Collect(maps.Keys(config.Exporters)), connectors...),
	} {
		slices.Sort(want)
		slices.Sort(used[kind])
		if diff := cmp.Diff(want, used[kind]); diff != "" {
			t.Errorf("%s: -defined, +used:\n%s", kind, diff)
		}
	}
}

// TestCollectorKeepsTheContract compares names, types, labels and buckets.
func TestCollectorKeepsTheContract(t *testing.T) {
	got := map[string]promised{}
	for _, connector := range readCollector(t).Connectors {
		for _, m := range connector.Logs {
			got[m.Name] = m.promised(t)
		}
	}
	if diff := cmp.Diff(collected(t), got, cmp.AllowUnexported(promised{})); diff != "" {
		t.Errorf("-contract, +config.yaml:\n%s", diff)
	}
}

var (
	collectorEvent = regexp.MustCompile(`log\.attributes\["event"\] == "(\w+)"`)
	alloyEvent     = regexp.MustCompile(`\{event="(\w+)"`)
)

// TestEventsAreTold holds both configurations against the page's events.
func TestEventsAreTold(t *testing.T) {
	want := slices.Sorted(maps.Keys(events(t)))
	for path, pattern := range map[string]*regexp.Regexp{collectorPath: collectorEvent, alloyPath: alloyEvent} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, found := range pattern.FindAllSubmatch(text, -1) {
			got = append(got, string(found[1]))
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -page, +events that it counts:\n%s", path, diff)
		}
	}
}

// events are those of the page, with an example of each and the metric it counts in.
func events(t *testing.T) map[string][]string {
	t.Helper()
	return pages(t)[collectorsPage].rows()
}
