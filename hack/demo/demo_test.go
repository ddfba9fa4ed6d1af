package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
)

// objectives decodes every objective of the manifests; a field that the API does
// not have is an error.
func objectives(t *testing.T) map[string]v1alpha1.Objective {
	t.Helper()
	files, err := fs.Glob(manifests, "manifests/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]v1alpha1.Objective{}
	for _, file := range files {
		text, err := manifests.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			if !strings.Contains(document, "kind: Objective\n") {
				continue
			}
			var o v1alpha1.Objective
			if err := yaml.UnmarshalStrict([]byte(document), &o); err != nil {
				t.Fatalf("decode %s: %v", file, err)
			}
			all[o.Namespace+"/"+o.Name] = o
		}
	}
	return all
}

func TestEveryManifestHasAnExpectation(t *testing.T) {
	names, wanted := map[string]bool{}, map[string]bool{}
	for name := range objectives(t) {
		names[name] = true
	}
	for name := range expectations() {
		wanted[name] = true
	}
	if diff := cmp.Diff(wanted, names); diff != "" {
		t.Errorf("objectives: -expected, +in manifests:\n%s", diff)
	}
}

// TestSelectorsFindTheSimulation checks that each selector names a metric that
// the story's namespace really has, and that the one mistake is a mistake.
func TestSelectorsFindTheSimulation(t *testing.T) {
	world := simulate.New(seed)
	if err := world.WriteHistory(t.TempDir(), time.Date(2026, time.March, 2, 20, 0, 0, 0, time.UTC), 7, 2*time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	p := parser.NewParser(parser.Options{})
	for name, o := range objectives(t) {
		t.Run(name, func(t *testing.T) {
			for _, s := range selectors(o.Spec.Indicator) {
				matchers, err := p.ParseMetricSelector(s)
				unclosed := expectations()[name] == mistaken && !strings.HasSuffix(s, "}")
				if (err != nil) != unclosed {
					t.Fatalf("%s: unexpected error %v", s, err)
				}
				if err != nil {
					continue
				}
				equal := map[string]string{}
				for _, m := range matchers {
					equal[m.Name] = m.Value
				}
				if diff := cmp.Diff(o.Namespace, equal["namespace"]); diff != "" {
					t.Errorf("%s: namespace: -want, +got:\n%s", s, diff)
				}
				if !shown(world, equal[model.MetricNameLabel], o.Namespace) {
					t.Errorf("%s: the story has no such metric", s)
				}
			}
		})
	}
}

// shown reports whether a namespace has events of a counter or a histogram.
func shown(world *simulate.World, metric, namespace string) bool {
	return world.Total(metric, "namespace", namespace)+world.Total(metric+"_count", "namespace", namespace) > 0
}

// selectors returns every selector of counters that an indicator has.
func selectors(i v1alpha1.Indicator) []string {
	var all []v1alpha1.Selector
	switch {
	case i.Events != nil:
		all = append(all, i.Events.Good, i.Events.Bad, i.Events.Total)
	case i.Distribution != nil:
		all = append(all, i.Distribution.Histogram)
	case i.Apdex != nil:
		all = append(all, i.Apdex.Histogram)
	case i.Score != nil && i.Score.Mean != nil:
		all = append(all, i.Score.Mean.Sum, i.Score.Mean.Count)
	case i.Score != nil && i.Score.NetPromoter != nil:
		n := i.Score.NetPromoter
		all = append(all, n.Promoters, n.Detractors, n.Responses)
	}
	var texts []string
	for _, s := range all {
		if s != "" {
			texts = append(texts, string(s))
		}
	}
	return texts
}

func TestSourceManifest(t *testing.T) {
	var got v1alpha1.ClusterMetricSource
	if err := yaml.UnmarshalStrict([]byte(sourceManifest("http://127.0.0.1:9090")), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{v1alpha1.DefaultSourceName, "http://127.0.0.1:9090"}, []string{got.Name, got.Spec.URL}); diff != "" {
		t.Errorf("name and URL: -want, +got:\n%s", diff)
	}
}

// objective builds an objective of generation 2 with conditions TYPE=STATUS/REASON.
func objective(observed int64, conditions ...string) v1alpha1.Objective {
	o := v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "speed", Generation: 2}}
	o.Status.ObservedGeneration = observed
	for _, text := range conditions {
		kind, rest, _ := strings.Cut(text, "=")
		status, reason, _ := strings.Cut(rest, "/")
		o.Status.Conditions = append(o.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason})
	}
	return o
}

func TestVerdicts(t *testing.T) {
	cases := map[string]struct {
		reason string
		object v1alpha1.Objective
		want   map[string]verdict
	}{
		"New":     {"no conditions, no verdict", objective(-1), map[string]verdict{}},
		"Old":     {"a verdict on an older spec is none", objective(1, "Met=True/TargetMet"), map[string]verdict{}},
		"Waiting": {"while the operator waits there is none", objective(2, "Met=Unknown/EvaluationPending", "Reconciling=True/EvaluationPending"), map[string]verdict{}},
		"Met":     {"a kept promise", objective(2, "Ready=True/Evaluated", "Met=True/TargetMet"), map[string]verdict{"shop/speed": met}},
		"Broken":  {"a broken promise", objective(2, "Ready=True/Evaluated", "Met=False/TargetMissed"), map[string]verdict{"shop/speed": violated}},
		"Few":     {"too few events are a verdict too", objective(2, "Ready=True/Evaluated", "Met=Unknown/InsufficientData"), map[string]verdict{"shop/speed": tooFew}},
		"Mistake": {"a mistake has to be seen as one", objective(2, "Ready=False/InvalidQuery", "Stalled=True/InvalidQuery", "Met=Unknown/InvalidQuery"), map[string]verdict{"shop/speed": mistaken}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := verdicts([]v1alpha1.Objective{c.object})
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	cases := map[string]struct {
		reason    string
		want, got map[string]verdict
		lines     []string
	}{
		"Same":     {"nothing to say", map[string]verdict{"a": met}, map[string]verdict{"a": met}, nil},
		"Other":    {"both verdicts are named", map[string]verdict{"a": met}, map[string]verdict{"a": violated}, []string{"a: want Met=True (TargetMet), found Met=False (TargetMissed)"}},
		"Missing":  {"an objective without verdict is a difference", map[string]verdict{"a": mistaken}, nil, []string{"a: want Met=Unknown (InvalidQuery), Stalled, found no verdict"}},
		"Surplus":  {"so is one that nobody expected", nil, map[string]verdict{"a": tooFew}, []string{"a: nothing was expected, found Met=Unknown (InsufficientData)"}},
		"InOrder":  {"lines come in order", map[string]verdict{"b": met, "a": met}, nil, []string{"a: want Met=True (TargetMet), found no verdict", "b: want Met=True (TargetMet), found no verdict"}},
		"OnlyThat": {"a stalled objective with the right reason is told from one that is not stalled", map[string]verdict{"a": mistaken}, map[string]verdict{"a": {met: mistaken.met, reason: mistaken.reason}}, []string{"a: want Met=Unknown (InvalidQuery), Stalled, found Met=Unknown (InvalidQuery)"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.lines, differences(c.want, c.got)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestCloseEndsEverythingLastFirst(t *testing.T) {
	var order []string
	d := newDemo(&bytes.Buffer{})
	for _, name := range []string{"first", "second", "third"} {
		d.atEnd(func() error {
			order = append(order, name)
			if name == "second" {
				return errors.New("second failed")
			}
			return nil
		})
	}
	err := d.close()
	if diff := cmp.Diff([]string{"third", "second", "first"}, order); diff != "" {
		t.Errorf("order: -want, +got:\n%s", diff)
	}
	if err == nil || err.Error() != "second failed" {
		t.Errorf("want the failure on the way reported, got %v", err)
	}
	if err := d.close(); err != nil || len(order) != 3 {
		t.Errorf("a second close has nothing to end, got %v and %v", order, err)
	}
}

func TestPoll(t *testing.T) {
	broken := errors.New("broken")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	cases := map[string]struct {
		reason string
		ctx    context.Context
		done   func(call int) (bool, error)
		want   error
		calls  int
	}{
		"AtOnce":   {"done is done", context.Background(), func(int) (bool, error) { return true, nil }, nil, 1},
		"Later":    {"it asks again", context.Background(), func(n int) (bool, error) { return n == 3, nil }, nil, 3},
		"Broken":   {"an error ends it", context.Background(), func(int) (bool, error) { return false, broken }, broken, 1},
		"Canceled": {"so does the end of the context", canceled, func(int) (bool, error) { return false, nil }, context.Canceled, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			calls := 0
			err := poll(c.ctx, func() (bool, error) { calls++; return c.done(calls) })
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s: want error %v, got %v", c.reason, c.want, err)
			}
			if diff := cmp.Diff(c.calls, calls); diff != "" {
				t.Errorf("%s: calls: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestSayTellsTheTime(t *testing.T) {
	var out bytes.Buffer
	d := newDemo(&out)
	d.began = time.Now().Add(-90 * time.Second)
	d.say("step %d", 2)
	var seconds float64
	var number int
	if _, err := fmt.Sscanf(out.String(), "%fs step %d\n", &seconds, &number); err != nil || seconds < 90 || number != 2 {
		t.Errorf("want seconds since the start and the step, got %q (%v)", out.String(), err)
	}
}

func TestReady(t *testing.T) {
	cases := map[string]struct {
		reason string
		status int
		fails  bool
	}{
		"OK":     {"200 is ready", http.StatusOK, false},
		"NotYet": {"anything else is not", http.StatusServiceUnavailable, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) }))
			err := ready(context.Background(), server.URL)
			server.Close()
			if (err != nil) != c.fails {
				t.Errorf("%s: unexpected error %v", c.reason, err)
			}
			if ready(context.Background(), server.URL) == nil {
				t.Error("a closed server is ready")
			}
		})
	}
}
