package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/internal/slo"
)

// page is what a program serves on /metrics, by metric.
type page map[string]*dto.MetricFamily

func parsePage(t *testing.T, text string) page {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("parse metrics: %v", err)
	}
	return families
}

// sum adds up the series of a metric that have a label's value.
func (p page) sum(metric, label, value string) float64 {
	sum := 0.0
	for _, m := range p[metric].GetMetric() {
		if labelOf(m, label) == value {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sum
}

// of gives the gauges of a namespace's objectives, by the objective's name.
func (p page) of(metric, namespace string) map[string]float64 {
	out := map[string]float64{}
	for _, m := range p[metric].GetMetric() {
		if labelOf(m, "namespace") == namespace {
			out[labelOf(m, "objective")] = m.GetGauge().GetValue()
		}
	}
	return out
}

func labelOf(m *dto.Metric, name string) string {
	at := slices.IndexFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == name })
	if at < 0 {
		return ""
	}
	return m.GetLabel()[at].GetValue()
}

// shown are the figures that metrics show as ratios, in the words of a status.
type shown struct {
	Attainment, Target, Budget, Coverage, Met string
	Events                                    int64
}

// checkFigures compares a namespace's metrics with what its objectives say.
func checkFigures(t *testing.T, read page, namespace string, says map[string]figures) {
	t.Helper()
	ratio := func(metric string) map[string]float64 { return read.of("experience_objective_"+metric, namespace) }
	attainment, targets, budgets, coverage, events, met := ratio("attainment_ratio"), ratio("target_ratio"),
		ratio("budget_remaining_ratio"), ratio("coverage_ratio"), ratio("events"), ratio("met")
	for _, p := range promises() {
		f := says[p.name]
		want := shown{f.Attainment, f.Target, f.Budget, f.Coverage, strings.Fields(f.Met)[0], f.Events}
		got := shown{
			Attainment: p.unit.FormatAgainst(attainment[p.name], targets[p.name]), Target: p.unit.FormatTarget(targets[p.name]),
			Budget: slo.FormatBudget(budgets[p.name]), Coverage: slo.Percent.Format(coverage[p.name]),
			Met: "Unknown", Events: int64(math.Round(events[p.name])),
		}
		if v, known := met[p.name]; known {
			got.Met = map[float64]string{0: "False", 1: "True"}[v]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s/%s: -status, +metrics:\n%s", namespace, p.name, diff)
		}
	}
}

// checkWithPromtool has promtool judge the operator's own metrics.
func checkWithPromtool(t *testing.T, text string) {
	t.Helper()
	var own strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "experience_") {
			own.WriteString(line)
		}
	}
	if own.Len() == 0 {
		t.Error("the page holds no metric of the operator's own")
	}
	programs, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), programs.Path(parts.Promtool), "check", "metrics")
	cmd.Stdin = strings.NewReader(own.String())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// read gives the metrics of a running program.
func (p *program) read(ctx context.Context, scheme, token string) (string, error) {
	code, text, err := get(ctx, scheme+"://"+p.metrics+"/metrics", token)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("metrics: answered %d: %.200s", code, text)
	}
	return text, err
}

// testMetrics reads the metrics of a running program as Prometheus would.
func (c *installed) testMetrics(t *testing.T, p *program, namespace string) {
	says := c.settled(t, namespace)
	checkMetrics(t, c, "https://"+p.metrics+"/metrics")
	token := c.token(t, "prometheus")
	text, err := p.read(t.Context(), "https", token)
	if err != nil {
		t.Fatal(err)
	}
	checkFigures(t, parsePage(t, text), namespace, says)
	checkWithPromtool(t, text)

	gone := promises()[0].objective(namespace)
	if err := c.admin.Delete(t.Context(), gone); err != nil {
		t.Fatalf("delete objective: %v", err)
	}
	label := fmt.Sprintf("namespace=%q,objective=%q", namespace, gone.Name)
	if !strings.Contains(text, label) {
		t.Errorf("no series has %s before the objective is deleted", label)
	}
	eventually(t, "no series of a deleted objective", func(ctx context.Context) error {
		if text, err = p.read(ctx, "https", token); err == nil && strings.Contains(text, label) {
			err = fmt.Errorf("the page still has %s", label)
		}
		return err
	})
	if left, want := parsePage(t, text).of("experience_objective_events", namespace), len(promises())-1; len(left) != want {
		t.Errorf("%d objectives have series, want %d: %v", len(left), want, slices.Sorted(maps.Keys(left)))
	}
	c.create(t, promises()[0].objective(namespace))
	c.settled(t, namespace)
}
