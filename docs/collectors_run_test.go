package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

// collectorVariable names a Collector's program. It is not one of the parts: it takes
// minutes to build.
const collectorVariable = "EXPERIENCE_OTELCOL"

// nonsense is what must not be counted.
var nonsense = map[string][]string{
	"vitals": {
		`LCP=2`, `{"app":"evil","name":"LCP","value":1}`, `{"app":"shop","name":"FID","value":1}`, `{"app":"shop","name":"LCP","value":-1}`, `{"app":"shop","name":"LCP"}`,
		`{"name":"LCP","value":1}`, `{"app":"shop\"} or vector(1) #","name":"LCP","value":1}`, `{"app":["shop"],"name":"LCP","value":1}`,
	},
	"events": {
		`garbage`, `{"event":"contact","channel":"fax"}`, `{"event":"contact"}`, `{"event":"contact","channel":"email or phone"}`, `{"event":"party","channel":"email"}`,
		`{"event":"csat","channel":"email","rating":6}`, `{"event":"nps","channel":"email","score":11}`, `{"event":"nps","channel":"email"}`,
		`{"event":"queue_wait","channel":"phone","outcome":"left","seconds":3}`, `{"event":"hold","channel":"phone"}`, `{"event":"hold","channel":"phone","seconds":-3}`,
	},
}

// TestCollectorCounts sends each event of the page, twice and one after the other, to
// a real Collector, and reads what it exposes.
func TestCollectorCounts(t *testing.T) {
	program := os.Getenv(collectorVariable)
	if program == "" {
		t.Skipf("%s names no Collector: make collectors builds one and runs this", collectorVariable)
	}
	c := startCollector(t, program)
	want := map[string]float64{}
	for range 2 {
		for _, cells := range events(t) {
			c.send(t, "events", strings.Trim(cells[0], "`"))
			want[strings.Trim(cells[1], "`")]++
		}
		for vital, metric := range map[string]string{
			"LCP": "web_vitals_lcp_seconds", "INP": "web_vitals_inp_seconds", "CLS": "web_vitals_cls", "FCP": "web_vitals_fcp_seconds", "TTFB": "web_vitals_ttfb_seconds",
		} {
			c.send(t, "vitals", `{"app":"shop","name":"`+vital+`","value":160}`)
			want[metric]++
		}
	}
	for path, bodies := range nonsense {
		c.send(t, path, bodies...)
	}
	c.await(t, want)
	t.Logf("%d metrics count two events each, and no nonsense", len(want))
	c.measures(t, map[string]float64{"cx_hold_seconds": 25, "web_vitals_inp_seconds": 0.32, "web_vitals_cls": 320, "ux_sus_score": 145, "cx_first_response_seconds": 2520})
}

// collector is one that runs.
type collector struct {
	ports   map[string]int
	metrics string
}

// startCollector starts a Collector on the configuration, with other receivers.
func startCollector(t *testing.T, program string) *collector {
	t.Helper()
	c := &collector{ports: map[string]int{"vitals": freePort(t), "events": freePort(t)}, metrics: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	text, err := os.ReadFile(collectorPath)
	if err != nil {
		t.Fatal(err)
	}
	config := map[string]map[string]any{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), "webhookevent/", "otlp/")), &config); err != nil {
		t.Fatal(err)
	}
	for name, port := range c.ports {
		endpoint := map[string]any{"endpoint": fmt.Sprintf("127.0.0.1:%d", port)}
		config["receivers"]["otlp/"+name] = map[string]any{"protocols": map[string]any{"http": endpoint}}
	}
	config["exporters"]["prometheus"].(map[string]any)["endpoint"] = c.metrics
	config["service"]["telemetry"] = map[string]any{"metrics": map[string]any{"level": "none"}}
	changed, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "--config", path)
	cmd.Stdout, cmd.Stderr, cmd.Cancel = &log, &log, func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it was interrupted
		if t.Failed() {
			t.Logf("the Collector: %s", log.String())
		}
	})
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // another takes it
	return l.Addr().(*net.TCPAddr).Port
}

// send posts log records with these bodies, which is what webhooks become.
func (c *collector) send(t *testing.T, path string, bodies ...string) {
	t.Helper()
	var records []any
	for _, body := range bodies {
		records = append(records, map[string]any{"body": map[string]any{"stringValue": body}})
	}
	text, err := json.Marshal(map[string]any{"resourceLogs": []any{map[string]any{"scopeLogs": []any{map[string]any{"logRecords": records}}}}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the Collector takes "+path, func() error {
		answer, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/v1/logs", c.ports[path]), "application/json", bytes.NewReader(text))
		if err != nil {
			return err
		}
		defer answer.Body.Close() //nolint:errcheck // it is read no more
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("answered with %s", answer.Status)
		}
		return nil
	})
}

// read gives the families that are exposed.
func (c *collector) read() (map[string]*dto.MetricFamily, error) {
	answer, err := http.Get("http://" + c.metrics + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it is read no more
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// await waits for the number of events of each metric, and for no other metric.
func (c *collector) await(t *testing.T, want map[string]float64) {
	t.Helper()
	eventually(t, "every event is counted", func() error {
		families, err := c.read()
		if err != nil {
			return err
		}
		got := map[string]float64{}
		for name, family := range families {
			for _, m := range family.GetMetric() {
				got[name] += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("-want, +got:\n%s", diff)
		}
		return nil
	})
}

// measures compares the sums of histograms.
func (c *collector) measures(t *testing.T, want map[string]float64) {
	t.Helper()
	families, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	for name, sum := range want {
		if got := families[name].GetMetric()[0].GetHistogram().GetSampleSum(); got != sum {
			t.Errorf("%s sums up to %v, want %v", name, got, sum)
		}
	}
}

// eventually tries until it succeeds.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var last error
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		last = try()
		return last == nil, nil
	}); err != nil {
		t.Fatalf("%s: %v: %v", what, err, last)
	}
}
