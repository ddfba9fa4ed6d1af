package gitops_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/internal/evaluate"
	words "github.com/experience-slo/operator/internal/status"
	"github.com/experience-slo/operator/internal/web"
)

// serve asks the operator's endpoints, of a cluster that has one object.
func serve(t *testing.T, object runtime.Object, method, target, body string) (int, []byte) {
	t.Helper()
	absent := func(name string) error { return apierrors.NewNotFound(schema.GroupResource{}, name) }
	handler := web.Handler(web.Lookups{
		Gate: func(_ context.Context, namespace, name string) (*v1alpha1.Gate, error) {
			if g, ok := object.(*v1alpha1.Gate); ok && g.Namespace == namespace && g.Name == name {
				return g, nil
			}
			return nil, absent(name)
		},
		Objective: func(_ context.Context, namespace, name string) (*v1alpha1.Objective, error) {
			if o, ok := object.(*v1alpha1.Objective); ok && o.Namespace == namespace && o.Name == name {
				return o, nil
			}
			return nil, absent(name)
		},
	})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body)))
	return recorder.Code, recorder.Body.Bytes()
}

// outcome is what the operator says of a gate in a word.
func outcome(t *testing.T, g *v1alpha1.Gate) string {
	t.Helper()
	_, body := serve(t, g, "GET", "/v1/gates/"+g.Namespace+"/"+g.Name, "")
	var told web.Gate
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatal(err)
	}
	return string(told.Outcome)
}

// hosts are the Services of config/default that browsers and tools reach without a
// port, as the operator's DNS names.
var hosts = sync.OnceValues(func() (map[string]bool, error) {
	bin, err := parts.Find()
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(bin.Path(parts.Kubectl), "kustomize", shipped+"/default").Output()
	if err != nil {
		return nil, fmt.Errorf("build config/default: %w", err)
	}
	found := map[string]bool{}
	for text := range strings.SplitSeq(string(out), "\n---\n") {
		var about metav1.TypeMeta
		var s corev1.Service
		if err := yaml.Unmarshal([]byte(text), &about); err != nil {
			return nil, fmt.Errorf("decode object: %w", err)
		}
		if about.Kind != "Service" {
			continue
		}
		if err := yaml.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("decode service: %w", err)
		}
		if s.Spec.Ports[0].Port == 80 {
			found[s.Name+"."+s.Namespace] = true
		}
	}
	return found, nil
})

// path is what an address of a sample asks the operator for. Its host is the
// Service that is shipped.
func path(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	services, err := hosts()
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "http" || !services[u.Host] {
		t.Errorf("%s leads to %q, the operator serves on %v", address, u.Host, services)
	}
	return u.RequestURI()
}

// metric is as much of an AnalysisTemplate's as these tests read.
type metric struct {
	Interval                                 metav1.Duration
	SuccessCondition, FailureCondition       string
	ConsecutiveSuccessLimit, Count           int
	InconclusiveLimit, ConsecutiveErrorLimit int
	Provider                                 struct {
		Web struct{ URL, JSONPath string }
	}
}

type analysisTemplate struct {
	Metadata metav1.ObjectMeta
	Spec     struct{ Metrics []metric }
}

type argument struct{ Name, Value string }

type rollout struct {
	Spec struct {
		Strategy struct {
			Canary struct {
				Steps []struct {
					Analysis *struct {
						Templates []struct{ TemplateName string }
						Args      []argument
					}
				}
			}
		}
	}
}

// measure takes a measurement of a metric as Argo Rollouts does: a status that is
// no success, a value that is not there and a condition that fails are errors.
func measure(t *testing.T, object runtime.Object, m *metric, args []argument) string {
	t.Helper()
	address := m.Provider.Web.URL
	for _, a := range args {
		address = strings.ReplaceAll(address, "{{args."+a.Name+"}}", a.Value)
	}
	code, body := serve(t, object, "GET", path(t, address), "")
	if code != http.StatusOK {
		return fmt.Sprintf("Error: %d", code)
	}
	value, err := at(m.Provider.Web.JSONPath, body)
	if err != nil {
		return "Error: " + err.Error()
	}
	return m.phase(t, map[string]any{"result": value})
}

// phase holds a result against the conditions.
func (m *metric) phase(t *testing.T, result map[string]any) string {
	t.Helper()
	good, err := holds(t.Context(), m.SuccessCondition, result)
	bad := err == nil && !good && m.FailureCondition == ""
	if err == nil && m.FailureCondition != "" {
		bad, err = holds(t.Context(), m.FailureCondition, result)
	}
	switch {
	case err != nil:
		return "Error: condition"
	case bad:
		return "Failed"
	case good:
		return "Successful"
	default:
		return "Inconclusive"
	}
}

// at is the value of a path in a document, found by the library that Argo Rollouts
// takes for it.
func at(path string, document []byte) (any, error) {
	var data any
	if err := json.Unmarshal(document, &data); err != nil {
		return nil, fmt.Errorf("decode answer: %w", err)
	}
	parser := jsonpath.New("metrics")
	if err := parser.Parse(path); err != nil {
		return nil, fmt.Errorf("parse path: %w", err)
	}
	found, err := parser.FindResults(data)
	if err != nil {
		return nil, fmt.Errorf("find value: %w", err)
	}
	return found[0][0].Interface(), nil
}

const rollouts = "argo-rollouts-analysistemplate.yaml"

// analyses are the metrics of the sample in the order in which its Rollout takes
// them, with their arguments.
func analyses(t *testing.T) (metrics []metric, args [][]argument) {
	t.Helper()
	templates := map[string]metric{}
	for _, template := range read[analysisTemplate](t, rollouts, "AnalysisTemplate") {
		templates[template.Metadata.Name] = template.Spec.Metrics[0]
	}
	for _, step := range read[rollout](t, rollouts, "Rollout")[0].Spec.Strategy.Canary.Steps {
		if step.Analysis == nil {
			continue
		}
		m, ok := templates[step.Analysis.Templates[0].TemplateName]
		if !ok {
			t.Fatalf("there is no template %q", step.Analysis.Templates[0].TemplateName)
		}
		metrics, args = append(metrics, m), append(args, step.Analysis.Args)
	}
	if len(metrics) != 2 {
		t.Fatalf("the sample has %d analyses", len(metrics))
	}
	return metrics, args
}

// sampled is the gate of a sample in a state.
func sampled(t *testing.T, file string, events ...func(*v1alpha1.Gate)) *v1alpha1.Gate {
	t.Helper()
	g := read[v1alpha1.Gate](t, file, "Gate")[0]
	g.Generation, g.Status.ObservedGeneration = 2, -1
	for _, happens := range events {
		happens(&g)
	}
	return &g
}

// before has the status of a gate be about the release before.
func before(happens func(*v1alpha1.Gate)) func(*v1alpha1.Gate) {
	return func(g *v1alpha1.Gate) {
		next := g.Spec.Revision
		g.Spec.Revision = "1.4.1"
		happens(g)
		g.Spec.Revision = next
		g.Generation++
	}
}

// TestRolloutsGate measures the sample's gate in each state.
func TestRolloutsGate(t *testing.T) {
	metrics, args := analyses(t)
	cases := map[string]struct {
		reason string
		object runtime.Object
		want   string
	}{
		"NotSeen":      {"the operator has not begun", sampled(t, rollouts), "Inconclusive"},
		"Baking":       {"too little was seen", sampled(t, rollouts, baking), "Inconclusive"},
		"Passed":       {"the release may go on", sampled(t, rollouts, passed), "Successful"},
		"Failed":       {"it must not", sampled(t, rollouts, failed), "Failed"},
		"Inconclusive": {"nobody knows, which is not good enough", sampled(t, rollouts, undecided), "Failed"},
		"Waved":        {"nobody knows, which is good enough", sampled(t, rollouts, lenient, undecided), "Successful"},
		"Invalid":      {"a mistake in the spec", sampled(t, rollouts, invalid), "Failed"},
		"PassedBefore": {"the verdict is on the release before", sampled(t, rollouts, before(passed)), "Inconclusive"},
		"FailedBefore": {"and so is this one", sampled(t, rollouts, before(failed)), "Inconclusive"},
		"Behind": {"the gate has not heard of the release yet", sampled(t, rollouts, func(g *v1alpha1.Gate) { g.Spec.Revision = "1.4.1" }, passed),
			"Inconclusive"},
		"Absent": {"there is no such gate", gate(passed), "Error: 404"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := measure(t, c.object, &metrics[1], args[1]); got != c.want {
				t.Errorf("%s: the measurement is %s, want %s", c.reason, got, c.want)
			}
		})
	}
	m, timeout := metrics[1], sampled(t, rollouts).Spec.Timeout.Duration
	if waits := m.Interval.Duration * time.Duration(m.InconclusiveLimit); waits < timeout || m.ConsecutiveSuccessLimit != 1 || m.Count != 0 {
		t.Errorf("the analysis waits for %s and ends after %d successes or %d measurements, the gate takes %s",
			waits, m.ConsecutiveSuccessLimit, m.Count, timeout)
	}
}

// TestRolloutsBudget measures the objective's budget.
func TestRolloutsBudget(t *testing.T) {
	left := func(budget float64) func(*v1alpha1.Objective) {
		return func(o *v1alpha1.Objective) {
			met(o)
			o.Status.BudgetRemaining = fmt.Sprintf("%.1f%%", budget)
		}
	}
	named := func(events ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
		o := objective(events...)
		o.Name = "checkout-page-speed"
		return o
	}
	metrics, args := analyses(t)
	cases := map[string]struct {
		reason string
		object runtime.Object
		want   string
	}{
		"Left":    {"there is budget to risk", named(left(25.2)), "Successful"},
		"Little":  {"there is too little", named(left(10)), "Failed"},
		"Over":    {"it is overspent", named(left(-20)), "Failed"},
		"NotSeen": {"null is no number", named(), "Error: condition"},
		"Away":    {"nobody stands for old figures", named(left(80), faulty(words.Waiting, v1alpha1.ReasonSourceUnavailable, "no answer")), "Error: condition"},
		"Few":     {"the verdict is open, the budget is known", named(judged(evaluate.Unknown, v1alpha1.ReasonInsufficientData), left(80)), "Successful"},
		"Absent":  {"there is no such objective", objective(met), "Error: 404"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := measure(t, c.object, &metrics[0], args[0]); got != c.want {
				t.Errorf("%s: the measurement is %s, want %s", c.reason, got, c.want)
			}
		})
	}
}

// TestPageShowsAnswers holds that the answers that the page shows have the fields
// of those that are given, in their order.
func TestPageShowsAnswers(t *testing.T) {
	keys := regexp.MustCompile(`"(\w+)":`)
	_, aGate := serve(t, gate(passed), "GET", "/v1/gates/shop/release", "")
	_, anObjective := serve(t, objective(met), "GET", "/v1/objectives/shop/page-speed", "")
	asked := strings.Split(blocks(t, "Over HTTP", "console")[0], "$ curl ")
	if len(asked) != 3 {
		t.Fatalf("the page asks %d times", len(asked)-1)
	}
	for i, answer := range []string{string(aGate), string(anObjective)} {
		address, body, _ := strings.Cut(asked[i+1], "\n")
		path(t, address)
		told := keys.FindAllString(body, -1)
		given := keys.FindAllString(answer, -1)
		if diff := cmp.Diff(told, given[:min(len(told), len(given))]); diff != "" || len(told) < 10 {
			t.Errorf("%s: -fields on the page, +fields of an answer:\n%s", address, diff)
		}
	}
}
