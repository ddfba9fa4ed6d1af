package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
)

// server is a real Prometheus that holds the two days before now.
var server *parts.Prometheus

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "set up tests:", err)
		code = 1
	}
	os.Exit(code)
}

func withServer(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "experience-slo-cli-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	if err := writeWorld(filepath.Join(dir, "data")); err != nil {
		return 1, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if server, err = parts.StartPrometheus(ctx, parts.PrometheusOptions{Dir: dir}); err != nil {
		return 1, err
	}
	defer server.Stop() //nolint:errcheck // the process ends
	defer stopPlane()
	return run(), nil
}

// odd is a value of a label that somebody chose to do harm.
const odd = "phone\x1b[2J\n"

// writeWorld writes a shop in which 99 of 100 tasks succeed, and 80 of 100 pages
// show within 2.5 s and 95 within 4 s, each minute. As many views are fast on a desktop
// as tasks succeed, and on the other device as pages show.
func writeWorld(dir string) error {
	start, born := now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	a := func(perMinute float64) simulate.Shape {
		return func(at time.Time) float64 { return perMinute * at.Sub(start).Minutes() }
	}
	shapes := []simulate.Shape{a(99), a(100), a(80), a(95), func(time.Time) float64 { return 1 }, func(at time.Time) float64 {
		if !at.After(born) {
			return 1
		}
		return 0
	}}
	const good, all, fast, fair, one, off = 0, 1, 2, 3, 4, 5
	of := func(shape int, name string, more ...string) simulate.Copy {
		return simulate.Copy{Shape: shape, Labels: labels.FromStrings(append([]string{"__name__", name, "job", "shop", "instance", "shop-0"}, more...)...)}
	}
	return simulate.WriteCopies(dir, start, now, 30*time.Second, shapes, []simulate.Copy{
		of(one, "up"), of(off, "probe_success"),
		of(good, "shop_tasks_total", "outcome", "success", "app", "web"),
		of(all, "shop_attempts_total", "app", "web"),
		of(good, "shop_fast_views_total", "device", "desktop"), of(all, "shop_views_total", "device", "desktop"),
		of(fast, "shop_fast_views_total", "device", odd), of(all, "shop_views_total", "device", odd),
		of(fast, "shop_page_seconds_bucket", "le", "2.5"), of(fair, "shop_page_seconds_bucket", "le", "4.0"),
		of(all, "shop_page_seconds_bucket", "le", "+Inf"), of(all, "shop_page_seconds_count"),
	})
}

// daily is an objective of the namespace shop on the world's last day.
func daily(name, indicator, target string) string {
	return strings.Replace(manifestOf(name, indicator, target, ""), "28d", "1d", 1)
}

const (
	tasks = "events: {good: shop_tasks_total, total: shop_attempts_total}"
	views = "events: {good: shop_fast_views_total, total: shop_views_total}"
	pages = "distribution: {histogram: shop_page_seconds, threshold: \"2.5\", poorAbove: \"4\"}"
)

// do gives arguments to the program, with the manifests on its standard input.
func do(t *testing.T, manifests string, args ...string) outcome {
	t.Helper()
	var out, told bytes.Buffer
	p := Program{Version: "v1.2.3", In: strings.NewReader(manifests), Out: &out, Err: &told, Now: func() time.Time { return now }, Patience: time.Hour}
	code := p.Run(t.Context(), args)
	return outcome{Code: code, Out: out.String(), Err: told.String()}
}
