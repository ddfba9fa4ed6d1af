package rules_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/model/labels"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/rules"
)

// promtool is built by `hack/tools/build.sh promtool`.
const promtool = "../../bin/promtool"

// Parts of a unit test as promtool reads it.
type (
	unitTests struct {
		RuleFiles          []string   `json:"rule_files"`
		EvaluationInterval string     `json:"evaluation_interval"`
		Tests              []unitTest `json:"tests"`
	}
	unitTest struct {
		Name            string           `json:"name"`
		Interval        string           `json:"interval"`
		InputSeries     []inputSeries    `json:"input_series"`
		AlertRuleTest   []alertTest      `json:"alert_rule_test"`
		PromqlExprTests []expressionTest `json:"promql_expr_test"`
	}
	inputSeries struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	alertTest struct {
		EvalTime  string          `json:"eval_time"`
		Alertname string          `json:"alertname"`
		ExpAlerts []expectedAlert `json:"exp_alerts"`
	}
	expectedAlert struct {
		Labels      map[string]string `json:"exp_labels"`
		Annotations map[string]string `json:"exp_annotations"`
	}
	expressionTest struct {
		Expr       string           `json:"expr"`
		EvalTime   string           `json:"eval_time"`
		ExpSamples []expectedSample `json:"exp_samples"`
	}
	expectedSample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
)

// TestPromtoolOnSamples renders each objective of config/samples, and lets
// promtool check the rules and run them over a good quarter of an hour and over
// an outage.
func TestPromtoolOnSamples(t *testing.T) {
	if _, err := os.Stat(promtool); err != nil {
		t.Fatalf("find promtool: %v: run hack/tools/build.sh promtool", err)
	}
	tool, err := filepath.Abs(promtool)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("../../config/samples/objective_*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("list samples: %v, %d found", err, len(paths))
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			o := resolved(t, sample(t, path))
			plan := planOfSample(t, o)
			groups, err := rules.Groups(plan, rules.Settings{Prefix: "experience"})
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			text, err := rules.File(groups)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(folder, "rules.yaml"), text)
			run(t, folder, tool, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
			tests, err := yaml.Marshal(unitTests{
				RuleFiles: []string{"rules.yaml"}, EvaluationInterval: "1m",
				Tests: []unitTest{goodTimes(plan, o), badTimes(t, plan, o, groups)},
			})
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(folder, "tests.yaml"), tests)
			run(t, folder, tool, "test", "rules", "tests.yaml")
		})
	}
}

// resolved has the indicator of the samples in the place of a reference to it.
func resolved(t *testing.T, o *v1alpha1.Objective) *v1alpha1.Objective {
	t.Helper()
	ref := o.Spec.Indicator.Ref
	if ref == nil {
		return o
	}
	text, err := os.ReadFile("../../config/samples/indicator_" + string(ref.Name) + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	indicator := &v1alpha1.Indicator{}
	if err := yaml.UnmarshalStrict(text, indicator); err != nil {
		t.Fatal(err)
	}
	out, err := compile.Resolve(compile.Input{Objective: o, Indicator: &indicator.Spec})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sample reads an objective with the defaults that the API server sets.
func sample(t *testing.T, path string) *v1alpha1.Objective {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := &v1alpha1.Objective{}
	if err := yaml.UnmarshalStrict(text, o); err != nil {
		t.Fatalf("decode %s: %v", path, err)
	}
	o.Namespace, o.UID = "shop", "u-1"
	if o.Spec.NewSeries == "" {
		o.Spec.NewSeries = v1alpha1.NewSeriesOnKnownTarget
	}
	return o
}

func planOfSample(t *testing.T, o *v1alpha1.Objective) *compile.Plan {
	t.Helper()
	in := compile.Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{}, Now: begin}
	if o.Spec.CalendarRef != nil {
		// Unit tests begin at midnight of 1970: what is always open is open then.
		in.Calendar = &v1alpha1.CalendarSpec{Weekly: []v1alpha1.WeeklyHours{{Days: v1alpha1.Weekdays, Open: "00:00", Close: "24:00"}}}
	}
	plan, err := compile.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Bind(nil); err != nil {
		t.Fatal(err)
	}
	return plan
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, folder, tool string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// goodTimes expects what is recorded of a minute, and no alert.
func goodTimes(plan *compile.Plan, o *v1alpha1.Objective) unitTest {
	events := perMinute(o)
	test := unitTest{Name: "good", Interval: "15s", InputSeries: input(o, true)}
	for _, at := range []string{"3m", "10m", "15m"} {
		for _, name := range []string{promql.RecordedEvents, promql.RecordedPoints} {
			test.PromqlExprTests = append(test.PromqlExprTests, expressionTest{
				Expr: name, EvalTime: at, ExpSamples: []expectedSample{{Labels: recordedLabels(plan, name), Value: events}},
			})
		}
	}
	for _, name := range []string{rules.BudgetBurn, rules.DataAbsent} {
		test.AlertRuleTest = append(test.AlertRuleTest, alertTest{EvalTime: "15m", Alertname: name, ExpAlerts: []expectedAlert{}})
	}
	return test
}

// badTimes expects every alert of a tier, with all that it carries.
func badTimes(t *testing.T, plan *compile.Plan, o *v1alpha1.Objective, groups []monitoringv1.RuleGroup) unitTest {
	t.Helper()
	test := unitTest{Name: "outage", Interval: "15s", InputSeries: input(o, false)}
	test.PromqlExprTests = []expressionTest{{
		Expr: promql.RecordedPoints, EvalTime: "15m", ExpSamples: []expectedSample{{Labels: recordedLabels(plan, promql.RecordedPoints), Value: 0}},
	}}
	expected := []expectedAlert{}
	for _, group := range groups {
		for _, r := range group.Rules {
			if r.Alert != rules.BudgetBurn {
				continue
			}
			annotations := map[string]string{}
			for name, text := range r.Annotations {
				annotations[name] = expand(t, text, seriesLabels(plan, r.Labels["window"]), fastest(plan))
			}
			expected = append(expected, expectedAlert{Labels: r.Labels, Annotations: annotations})
		}
	}
	if len(expected) == 0 {
		t.Fatal("the sample has no tier that could fire")
	}
	test.AlertRuleTest = []alertTest{{EvalTime: "15m", Alertname: rules.BudgetBurn, ExpAlerts: expected}}
	return test
}

// fastest is how fast the budget burns when everything is bad.
func fastest(plan *compile.Plan) float64 { return math.Round(1e6/(1-plan.Target)) / 1e6 }

const recipeLabel = promql.RecipeLabel

func recordedLabels(plan *compile.Plan, name string) string {
	own := seriesLabels(plan, "")
	own[recipeLabel] = plan.Recipe.ID()
	return name + labels.FromMap(own).String()
}

// number is a number as text.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// rising is a counter that grows by so much each minute, steady a gauge.
func rising(step float64) string { return "0+" + number(step/4) + "x80" }
func steady(v float64) string    { return number(v) + "+0x80" }

// names gives the keys of a map in order.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// asSeries writes a series that a test scrapes.
func asSeries(name string, own map[string]string) string {
	var pairs []string
	for _, label := range names(own) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, own[label]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}
