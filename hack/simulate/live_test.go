package simulate

import (
	"context"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"sigs.k8s.io/yaml"
)

// scrape reads a target's page and returns each sample under the labels that
// Prometheus stores.
func scrape(t *testing.T, w *World, target Target) map[string]float64 {
	t.Helper()
	response := httptest.NewRecorder()
	w.ServeHTTP(response, httptest.NewRequestWithContext(context.Background(), http.MethodGet, target.Path, nil))
	if response.Code != http.StatusOK {
		t.Fatalf("GET %s: %d", target.Path, response.Code)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatalf("parse %s: %v", target.Path, err)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, slices.Collect(maps.Values(families))...)
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]float64{}
	for _, s := range samples {
		full := map[string]string{}
		for name, v := range s.Metric {
			full[string(name)] = stored(string(name), string(v))
		}
		maps.Copy(full, target.Labels)
		page[labels.FromMap(full).String()] = float64(s.Value)
	}
	return page
}

// stored is a label's value as Prometheus stores it since version 3: boundaries
// of classic histograms look like floating-point numbers.
func stored(name, v string) string {
	if name == "le" && !strings.ContainsAny(v, ".eI") {
		return v + ".0"
	}
	return v
}

// lastSamples returns the last sample of each series but up.
func lastSamples(t *testing.T, db storage.Queryable) map[string]float64 {
	t.Helper()
	last := map[string]float64{}
	walk(t, db, func(l labels.Labels, it chunkenc.Iterator) {
		for l.Get(model.MetricNameLabel) != "up" && it.Next() != chunkenc.ValNone {
			_, last[l.String()] = it.At()
		}
	})
	// A series that ended has nothing to go on with.
	maps.DeleteFunc(last, func(_ string, v float64) bool { return math.IsNaN(v) })
	return last
}

// TestLiveGoesOn compares the first pages with the last samples of history: same
// series, no counter lower, no process restarted, and time moves them on.
func TestLiveGoesOn(t *testing.T) {
	w := New(7)
	history := lastSamples(t, openHistory(t, w))
	first, second := map[string]float64{}, map[string]float64{}
	for _, target := range w.Targets() {
		w.now = func() time.Time { return monday.Add(20 * time.Second) }
		maps.Copy(first, scrape(t, w, target))
		w.now = func() time.Time { return monday.Add(time.Hour) }
		maps.Copy(second, scrape(t, w, target))
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(history)), slices.Sorted(maps.Keys(first))); diff != "" {
		t.Errorf("series: -history, +live:\n%s", diff)
	}
	moved := 0.0
	for series, before := range history {
		if strings.Contains(series, startTime) && first[series] != before {
			t.Errorf("%s: restarted at %v, want %v", series, first[series], before)
		}
		gauge := strings.Contains(series, `"probe_success"`)
		if !gauge && (first[series] < before || second[series] < first[series]) {
			t.Errorf("%s fell: %v in history, then %v and %v", series, before, first[series], second[series])
		}
		moved += second[series] - first[series]
	}
	if moved == 0 {
		t.Error("an hour went by and nothing happened")
	}
}

func TestLiveRestartsOnMondays(t *testing.T) {
	w := New(7)
	saturday := time.Date(2026, time.March, 7, 12, 0, 0, 0, time.UTC)
	if err := w.WriteHistory(t.TempDir(), saturday, 2, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	restart := time.Date(2026, time.March, 9, 9, 0, 0, 0, time.UTC)
	started := func(at time.Time) float64 {
		w.now = func() time.Time { return at }
		for _, target := range w.Targets() {
			if target.Labels["pod"] != "phone-0" {
				continue
			}
			for series, v := range scrape(t, w, target) {
				if strings.Contains(series, startTime) {
					return v
				}
			}
		}
		t.Fatal("no start time on the phone's page")
		return 0
	}
	cases := []struct {
		reason string
		at     time.Time
		want   float64
	}{
		{"a second before the restart it is the old process", restart.Add(-time.Second), seconds(saturday.Add(-48 * time.Hour))},
		{"a second after it is the new one", restart.Add(time.Second), seconds(restart)},
		{"which stays", restart.Add(24 * time.Hour), seconds(restart)},
	}
	for _, c := range cases { // in order: time only goes forward
		if diff := cmp.Diff(c.want, started(c.at)); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
		}
	}
}

func TestUnknownPages(t *testing.T) {
	w := New(1)
	if err := w.WriteHistory(t.TempDir(), monday, 0, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason, path string
		want         int
	}{
		"First":     {"a world without history has its pods all the same", "/targets/0/metrics", http.StatusOK},
		"Beyond":    {"there is no such pod", "/targets/9999/metrics", http.StatusNotFound},
		"Negative":  {"nor this", "/targets/-1/metrics", http.StatusNotFound},
		"NoNumber":  {"nor a page without number", "/targets/x/metrics", http.StatusNotFound},
		"OtherPage": {"nor another page", "/targets/0", http.StatusNotFound},
		"Root":      {"nor a root", "/", http.StatusNotFound},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			response := httptest.NewRecorder()
			w.ServeHTTP(response, httptest.NewRequestWithContext(context.Background(), http.MethodGet, c.path, nil))
			if diff := cmp.Diff(c.want, response.Code); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestScrapeConfig(t *testing.T) {
	w := New(1)
	if err := w.WriteHistory(t.TempDir(), monday, 0, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	var got struct {
		ScrapeConfigs []struct {
			JobName        string `json:"job_name"`
			ScrapeInterval string `json:"scrape_interval"`
			StaticConfigs  []struct {
				Targets []string          `json:"targets"`
				Labels  map[string]string `json:"labels"`
			} `json:"static_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.UnmarshalStrict([]byte(w.ScrapeConfig("127.0.0.1:9", 5*time.Second)), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.ScrapeConfigs) != 1 || got.ScrapeConfigs[0].ScrapeInterval != "5000ms" {
		t.Fatalf("want one job every 5000ms, got %+v", got.ScrapeConfigs)
	}
	var targets []Target
	for _, static := range got.ScrapeConfigs[0].StaticConfigs {
		if diff := cmp.Diff([]string{"127.0.0.1:9"}, static.Targets); diff != "" {
			t.Errorf("address: -want, +got:\n%s", diff)
		}
		path := static.Labels["__metrics_path__"]
		delete(static.Labels, "__metrics_path__")
		targets = append(targets, Target{Path: path, Labels: static.Labels})
	}
	if diff := cmp.Diff(w.Targets(), targets); diff != "" {
		t.Errorf("targets: -want, +got:\n%s", diff)
	}
}

func TestTotalSelects(t *testing.T) {
	w := New(1)
	w.totals = map[string]float64{
		"x\x00namespace=a\x00app=p\x00le=1": 1,
		"x\x00namespace=a\x00app=p\x00le=5": 2,
		"x\x00namespace=b\x00app=p\x00le=1": 4,
		"y\x00namespace=a\x00app=p":         8,
	}
	cases := map[string]struct {
		reason, metric string
		labels         []string
		want           float64
	}{
		"Metric":   {"everything of that name", "x", nil, 7},
		"OneLabel": {"one label narrows it", "x", []string{"namespace", "a"}, 3},
		"Two":      {"two labels narrow it further", "x", []string{"le", "1", "namespace", "b"}, 4},
		"None":     {"nothing matches", "y", []string{"le", "1"}, 0},
		"Unknown":  {"no such metric", "z", nil, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, w.Total(c.metric, c.labels...)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}
