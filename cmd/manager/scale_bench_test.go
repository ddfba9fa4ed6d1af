package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

const (
	// perNamespace is how many objectives a team has.
	perNamespace = 100
	// scaleDays is the length of what was recorded.
	scaleDays = 28
	// memoryLimit is what config/manager tells Go's garbage collector.
	memoryLimit = "336MiB"
	// idleTicks is how many minutes are watched in which nothing changes.
	idleTicks = 3
)

// BenchmarkScale runs the binary on one core over 1, 100 and 10,000 objectives
// of one source, with a month of recorded deltas that end in idle days. It
// prints the time from the start of the operator until each status is right,
// and what a tick costs once nothing changes.
func BenchmarkScale(b *testing.B) {
	s := &stage{binary: filepath.Join(b.TempDir(), "manager")}
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-buildvcs=false", "-o", s.binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("build manager: %v\n%s", err, out)
	}
	for _, n := range []int{1, 100, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { s.scale(b, n) })
	}
}

func (s *stage) scale(b *testing.B, n int) {
	c := install(b)
	server := recordedPrometheus(b, n)
	c.create(b, &v1alpha1.ClusterMetricSource{
		ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.DefaultSourceName},
		Spec: v1alpha1.ClusterMetricSourceSpec{MetricSourceSpec: v1alpha1.MetricSourceSpec{
			URL: server.URL, Rules: v1alpha1.Rules{Output: v1alpha1.RulesOutputConfigMap},
		}},
	})
	c.createMany(b, n)
	b.Setenv("GOMAXPROCS", "1")
	b.Setenv("GOMEMLIMIT", memoryLimit)
	kubeconfig := c.kubeconfig(b, defaultServiceAccount)
	b.ResetTimer()
	began := time.Now()
	p := s.start(b, kubeconfig, "--leader-elect=false", "--metrics-secure=false")
	c.each(b, n, "90% and met", attains90)
	b.ReportMetric(time.Since(began).Seconds(), "cold-s")
	cold, _ := c.audit(b, defaultServiceAccount, 0)
	b.Logf("wrote at the start: %v", writes(cold))
	c.each(b, n, "recorded", recorded)
	p.tick(b, n)
	_, mark := c.audit(b, defaultServiceAccount, 0)
	before := p.gauges(b)
	for range idleTicks {
		p.tick(b, n)
	}
	after := p.gauges(b)
	asked, _ := c.audit(b, defaultServiceAccount, mark)
	total := 0
	for what, count := range writes(asked) {
		b.Logf("wrote while idle: %s %d", what, count)
		total += count
	}
	b.ReportMetric(after["experience_source_tick_queries"], "queries/tick")
	b.ReportMetric(after["experience_source_tick_duration_seconds"], "s/tick")
	b.ReportMetric((after["experience_source_response_bytes_total"]-before["experience_source_response_bytes_total"])/idleTicks, "bytes/tick")
	b.ReportMetric(float64(total), "api-writes")
	b.ReportMetric(p.megabytes(b, "VmHWM:"), "peak-MB")
	b.ReportMetric(p.megabytes(b, "VmRSS:"), "resident-MB")
	b.ReportMetric((after["process_cpu_seconds_total"]-before["process_cpu_seconds_total"])/idleTicks, "cpu-s/tick")
	b.ReportMetric(0, "ns/op")
}

// recordedPrometheus has a month of recorded deltas for each objective, up to
// half an hour from now. Events fall on two weeks in the middle alone, so that
// no figure changes as the window moves.
func recordedPrometheus(b *testing.B, n int) *parts.Prometheus {
	b.Helper()
	dir := b.TempDir()
	now := time.Now().UTC().Truncate(time.Minute)
	busy := func(value float64) simulate.Shape {
		return func(at time.Time) float64 {
			if at.After(now.AddDate(0, 0, -20)) && at.Before(now.AddDate(0, 0, -6)) {
				return value
			}
			return 0
		}
	}
	shapes := []simulate.Shape{busy(10), busy(9), busy(0)}
	var copies []simulate.Copy
	for i := range n {
		recipe := recipeOf(b, i)
		for shape, name := range []string{"objective:experience_events:delta1m", "objective:experience_points:delta1m", "objective:experience_resets:delta1m"} {
			copies = append(copies, simulate.Copy{Shape: shape, Labels: labels.FromStrings(
				model.MetricNameLabel, name, "namespace", namespaceOf(i), "objective", nameOf(i),
				"service", "checkout", "perspective", "UX", "touchpoint", "web", promql.RecipeLabel, recipe,
			)})
		}
	}
	// Recorded at some moment within the minute after the one that it stands for.
	start := now.AddDate(0, 0, -scaleDays-1).Add(17 * time.Second)
	if err := simulate.WriteCopies(filepath.Join(dir, "data"), start, now.Add(30*time.Minute), time.Minute, shapes, copies); err != nil {
		b.Fatal(err)
	}
	p, err := parts.StartPrometheus(b.Context(), parts.PrometheusOptions{Dir: dir, ScrapeInterval: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := p.Stop(); err != nil {
			b.Errorf("stop Prometheus: %v", err)
		}
	})
	return p
}

// recipeOf is the label of the deltas of an objective.
func recipeOf(b *testing.B, i int) string {
	b.Helper()
	plan, err := compile.Compile(compile.Input{Objective: scaled(i), Source: &v1alpha1.MetricSourceSpec{}, Now: time.Now()})
	if err == nil {
		err = plan.Bind(nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return plan.Recipe.ID()
}

func namespaceOf(i int) string { return fmt.Sprintf("team-%d", i/perNamespace) }
func nameOf(i int) string      { return fmt.Sprintf("promise-%d", i) }

func (c *installed) createMany(b *testing.B, n int) {
	b.Helper()
	for i := 0; i < n; i += perNamespace {
		c.create(b, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i)}})
	}
	var group errgroup.Group
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			return c.admin.Create(b.Context(), scaled(i))
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

func scaled(i int) *v1alpha1.Objective {
	return &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceOf(i), Name: nameOf(i)},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web",
			Indicator: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
				Histogram: v1alpha1.Selector(fmt.Sprintf(`page_seconds{page="%d"}`, i)), Threshold: "2.5",
			}},
			Target: "75%", Window: v1alpha1.Window{Rolling: "28d"},
		},
	}
}

func attains90(o *v1alpha1.Objective) bool {
	return meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionMet) && o.Status.Attainment == "90%"
}

func recorded(o *v1alpha1.Objective) bool {
	return meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionRulesLoaded)
}

// each waits until something holds of each objective.
func (c *installed) each(b *testing.B, n int, what string, holds func(*v1alpha1.Objective) bool) {
	b.Helper()
	deadline := time.Now().Add(15 * time.Minute)
	for {
		right, why := c.count(b, holds)
		if right == n {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d objectives are %s; one of the others: %s", right, n, what, why)
		}
		// Reading them all costs the API server more than the operator does.
		time.Sleep(500*time.Millisecond + time.Duration(n)*time.Millisecond)
	}
}

func (c *installed) count(b *testing.B, holds func(*v1alpha1.Objective) bool) (count int, why string) {
	b.Helper()
	found := &v1alpha1.ObjectiveList{}
	if err := c.admin.List(b.Context(), found, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}}); err != nil {
		b.Fatal(err)
	}
	for i := range found.Items {
		o := &found.Items[i]
		if holds(o) {
			count++
		} else {
			why = fmt.Sprintf("%s/%s %q %+v", o.Namespace, o.Name, o.Status.Attainment, o.Status.Conditions)
		}
	}
	return count, why
}

// tick waits until a tick of all objectives has ended.
func (p *program) tick(b *testing.B, n int) {
	b.Helper()
	// No two ticks take the same time to the nanosecond.
	const took = "experience_source_tick_duration_seconds"
	before := p.gauges(b)[took]
	deadline := time.Now().Add(5 * time.Minute)
	for {
		now := p.gauges(b)
		if now[took] != before && int(now["experience_source_tick_objectives"]) == n {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("no tick of %d objectives ended", n)
		}
		time.Sleep(5 * time.Second) // gathering the metrics of all objectives costs
	}
}

// gauges gives the metrics that are about the program and its one source.
func (p *program) gauges(b *testing.B) map[string]float64 {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	_, text, err := get(ctx, "http://"+p.metrics+"/metrics", "")
	if err != nil {
		return nil // not yet served
	}
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if at := strings.IndexByte(name, '{'); at > 0 {
			if !strings.HasPrefix(name, "experience_source_") {
				continue
			}
			_, value, ok = strings.Cut(strings.TrimSpace(line), "} ")
			name = name[:at]
		}
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			out[name] += v
		}
	}
	return out
}

// megabytes is the memory of the process, at its highest or now.
func (p *program) megabytes(b *testing.B, which string) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), which); ok {
			kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	b.Fatal("the kernel does not tell the memory of a process")
	return 0
}
