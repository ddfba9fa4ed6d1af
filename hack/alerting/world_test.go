package alerting_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/hack/parts"
)

// shop serves requests, twenty a second to each of its pages, of which all fail
// in an outage. A page that never failed has no series of failures.
type shop struct {
	mutex sync.Mutex
	born  time.Time
	// began is when the outage of a page began, and lost is how long its outages
	// of the past took together.
	began map[string]time.Time
	lost  map[string]time.Duration
}

var shopPages = []string{"checkout", "search", "support"}

const (
	requestRate = 20
	// healthy is how long the shop has been well when a test begins.
	healthy        = 15 * time.Minute
	scrapeInterval = 5 * time.Second
)

func newShop() *shop {
	return &shop{born: time.Now().Add(-healthy), began: map[string]time.Time{}, lost: map[string]time.Duration{}}
}

// breaks begins an outage of some pages.
func (s *shop) breaks(pages ...string) time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := time.Now()
	for _, page := range pages {
		s.began[page] = now
	}
	return now
}

// mends ends all outages.
func (s *shop) mends() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := time.Now()
	for page, began := range s.began {
		s.lost[page] += now.Sub(began)
	}
	clear(s.began)
	return now
}

// ServeHTTP is the page of metrics.
func (s *shop) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := time.Now()
	var text strings.Builder
	fmt.Fprintf(&text, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %d\n", s.born.Unix())
	fmt.Fprintln(&text, "# TYPE shop_requests_total counter")
	for _, page := range shopPages {
		down := s.lost[page]
		if began, broken := s.began[page]; broken {
			down += now.Sub(began)
		}
		bad := math.Floor(down.Seconds() * requestRate)
		good := math.Floor((now.Sub(s.born) - down).Seconds() * requestRate)
		fmt.Fprintf(&text, "shop_requests_total{page=%q,code=\"200\"} %v\n", page, good)
		if bad > 0 {
			fmt.Fprintf(&text, "shop_requests_total{page=%q,code=\"500\"} %v\n", page, bad)
		}
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write([]byte(text.String())) // a scraper that hung up is nobody's error
}

// history writes what a Prometheus would have of the shop if it had scraped it
// until now.
func (s *shop) history(t *testing.T, dir, instance string) {
	t.Helper()
	var text strings.Builder
	write := func(series, labels string, value func(at time.Time) float64) {
		for at := s.born; at.Before(time.Now()); at = at.Add(scrapeInterval) {
			fmt.Fprintf(&text, "%s{job=\"shop\",instance=%q%s} %v %d\n", series, instance, labels, value(at), at.Unix())
		}
	}
	write("up", "", func(time.Time) float64 { return 1 })
	write("process_start_time_seconds", "", func(time.Time) float64 { return float64(s.born.Unix()) })
	text.WriteString("# TYPE shop_requests counter\n")
	for _, page := range shopPages {
		write("shop_requests_total", fmt.Sprintf(",page=%q,code=\"200\"", page), func(at time.Time) float64 {
			return math.Floor(at.Sub(s.born).Seconds() * requestRate)
		})
	}
	text.WriteString("# EOF\n")
	path := filepath.Join(dir, "history.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, parts.Promtool, "tsdb", "create-blocks-from", "openmetrics", path, filepath.Join(dir, "data")); err != nil {
		t.Fatalf("promtool: %v: %s", err, out)
	}
}

// pager is whom Alertmanager tells: it keeps each alert that it was told of, as
// it was told of it first and last.
type pager struct {
	mutex       sync.Mutex
	first, last map[key]string
}

// key tells alerts apart as on-call does.
type key struct{ Name, Namespace, Objective, Severity, Window string }

func keyOf(labels map[string]string) key {
	return key{
		Name: labels["alertname"], Namespace: labels["namespace"], Objective: labels["objective"],
		Severity: labels["severity"], Window: labels["window"],
	}
}

// ServeHTTP is Alertmanager's webhook.
func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, alert := range message.Alerts {
		k := keyOf(alert.Labels)
		if _, known := p.first[k]; !known {
			p.first[k] = alert.Status
		}
		p.last[k] = alert.Status
	}
}

// told gives what it was told of each alert, first or last.
func (p *pager) told(of map[key]string) map[key]string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return maps.Clone(of)
}

func newPager() *pager { return &pager{first: map[key]string{}, last: map[key]string{}} }

// serve gives the host and port of a handler that ends with the test.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// startPrometheus starts a server that ends with the test.
func startPrometheus(t *testing.T, o parts.PrometheusOptions) *parts.Prometheus {
	t.Helper()
	p, err := parts.StartPrometheus(t.Context(), o)
	if err != nil {
		t.Fatalf("StartPrometheus: %v", err)
	}
	t.Cleanup(func() { stop(t, p.Stop) })
	return p
}

// startAlertmanager starts a server that ends with the test.
func startAlertmanager(t *testing.T, config string) *parts.Alertmanager {
	t.Helper()
	a, err := parts.StartAlertmanager(t.Context(), parts.AlertmanagerOptions{ConfigYAML: config})
	if err != nil {
		t.Fatalf("StartAlertmanager: %v", err)
	}
	t.Cleanup(func() { stop(t, a.Stop) })
	return a
}

func stop(t *testing.T, end func() error) {
	t.Helper()
	if err := end(); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// held are the alerts that a server holds. One that it holds twice is a failure.
func held(t *testing.T, a *parts.Alertmanager) map[key]parts.Alert {
	t.Helper()
	all, err := a.Alerts(t.Context())
	if err != nil {
		t.Fatalf("Alerts: %v", err)
	}
	out := map[key]parts.Alert{}
	for _, alert := range all {
		k := keyOf(alert.Labels)
		if other, twice := out[k]; twice {
			t.Errorf("two alerts for one tier of an objective: %v and %v", other.Labels, alert.Labels)
		}
		out[k] = alert
	}
	return out
}

// await asks again and again until it is told that nothing is missing, and fails
// with what still is.
func await(t *testing.T, patience time.Duration, missing func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		diff := missing()
		if diff == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: -want, +got:\n%s", patience, diff)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// keys are those of alerts, in order.
func keys(alerts map[key]parts.Alert) []key {
	return slices.SortedFunc(maps.Keys(alerts), compareKeys)
}

func compareKeys(a, b key) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }

// scalar is the one value that a query gives, empty when it gives none.
func scalar(t *testing.T, p *parts.Prometheus, query string) string {
	t.Helper()
	client, err := promapi.NewClient(promapi.Config{Address: p.URL})
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	value, _, _, err := promv1.NewAPI(client).Query(t.Context(), query, time.Now())
	if err != nil {
		t.Fatalf("query %q: %v", query, err)
	}
	vector, ok := value.(model.Vector)
	if !ok || len(vector) > 1 {
		t.Fatalf("query %q: want at most one value, got %s", query, value)
	}
	if len(vector) == 0 {
		return ""
	}
	return vector[0].Value.String()
}
