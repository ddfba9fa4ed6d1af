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
	"github.com/experience-slo/operator/hack/stories"
)

// objectives decodes every objective of the demo's own manifests; a field that the
// API does not have is an error.
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
	for _, s := range stories.All() {
		for name := range s.Promises {
			names[s.Namespace+"/"+name] = true
		}
	}
	for name := range expectations() {
		wanted[name] = true
	}
	if diff := cmp.Diff(wanted, names); diff != "" {
		t.Errorf("objectives: -expected, +in manifests and stories:\n%s", diff)
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
				unclosed := expectations()[name].stalled && !strings.HasSuffix(s, "}")
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
func selectors(i v1alpha1.ObjectiveIndicator) []string {
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
	o.Status.ObservedGeneration, o.Status.Attainment = observed, "81.3%"
	for _, text := range conditions {
		kind, rest, _ := strings.Cut(text, "=")
		status, reason, _ := strings.Cut(rest, "/")
		o.Status.Conditions = append(o.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason})
	}
	return o
}

func TestVerdicts(t *testing.T) {
	type found map[string]finding
	cases := map[string]struct {
		reason string
		object v1alpha1.Objective
		want   found
	}{
		"New":     {"no conditions, no verdict", objective(-1), found{}},
		"Old":     {"a verdict on an older spec is none", objective(1, "Met=True/TargetMet"), found{}},
		"Waiting": {"while the operator waits there is none", objective(2, "Met=Unknown/EvaluationPending", "Reconciling=True/EvaluationPending"), found{}},
		"Met":     {"a kept promise", objective(2, "Ready=True/Evaluated", "Met=True/TargetMet"), found{"shop/speed": {kept(0, 0).verdict, "81.3%"}}},
		"Broken":  {"a broken promise", objective(2, "Ready=True/Evaluated", "Met=False/TargetMissed"), found{"shop/speed": {broken(0, 0).verdict, "81.3%"}}},
		"Few":     {"too few events are a verdict too", objective(2, "Ready=True/Evaluated", "Met=Unknown/InsufficientData"), found{"shop/speed": {undecided("InsufficientData", false).verdict, "81.3%"}}},
		"Mistake": {"a mistake has to be seen as one", objective(2, "Ready=False/InvalidQuery", "Stalled=True/InvalidQuery", "Met=Unknown/InvalidQuery"), found{"shop/speed": {undecided("InvalidQuery", true).verdict, "81.3%"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := found(verdicts([]v1alpha1.Objective{c.object}))
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(finding{}, verdict{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	type want map[string]expectation
	type found map[string]finding
	mistake := undecided("InvalidQuery", true)
	cases := map[string]struct {
		reason string
		want   want
		got    found
		lines  []string
	}{
		"Same":      {"nothing to say", want{"a": kept(90, 1)}, found{"a": {kept(0, 0).verdict, "90.9%"}}, nil},
		"NoFigure":  {"any figure will do where none is expected", want{"a": mistake}, found{"a": {mistake.verdict, ""}}, nil},
		"Score":     {"a figure may be a score", want{"a": kept(4.2, 0.1)}, found{"a": {kept(0, 0).verdict, "4.25"}}, nil},
		"Verdict":   {"both verdicts are named", want{"a": kept(90, 1)}, found{"a": {broken(0, 0).verdict, "90%"}}, []string{"a: want Met=True (TargetMet) 90±1, found Met=False (TargetMissed) 90%"}},
		"Figure":    {"the right verdict from a wrong figure is wrong", want{"a": kept(90, 1)}, found{"a": {kept(0, 0).verdict, "120.6%"}}, []string{"a: want Met=True (TargetMet) 90±1, found Met=True (TargetMet) 120.6%"}},
		"NotThere":  {"and so is a verdict without one", want{"a": kept(90, 1)}, found{"a": {kept(0, 0).verdict, ""}}, []string{"a: want Met=True (TargetMet) 90±1, found Met=True (TargetMet)"}},
		"Missing":   {"an objective without verdict is a difference", want{"a": mistake}, nil, []string{"a: want Met=Unknown (InvalidQuery), Stalled, found no verdict"}},
		"Surplus":   {"so is one that nobody expected", nil, found{"a": {verdict: mistake.verdict}}, []string{"a: nothing was expected, found Met=Unknown (InvalidQuery), Stalled"}},
		"InOrder":   {"lines come in order", want{"b": mistake, "a": mistake}, nil, []string{"a: want Met=Unknown (InvalidQuery), Stalled, found no verdict", "b: want Met=Unknown (InvalidQuery), Stalled, found no verdict"}},
		"NoStalled": {"a mistake that does not stall is told from one that does", want{"a": mistake}, found{"a": {verdict: undecided("InvalidQuery", false).verdict}}, []string{"a: want Met=Unknown (InvalidQuery), Stalled, found Met=Unknown (InvalidQuery)"}},
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
