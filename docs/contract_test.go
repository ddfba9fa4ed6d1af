package docs_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const contractPage = "docs/metric-contract.md"

// promised is a metric as the contract's tables have it.
type promised struct {
	kind            string
	labels, buckets []string
}

var labelPattern = regexp.MustCompile("`([a-z_]+)`")

func contract(t *testing.T) map[string]promised {
	t.Helper()
	out := map[string]promised{}
	for name, cells := range pages(t)[contractPage].rows() {
		if len(cells) != 4 {
			t.Fatalf("the row of %s has %d cells", name, len(cells)+1)
		}
		p := promised{kind: cells[0]}
		for _, found := range labelPattern.FindAllStringSubmatch(cells[1], -1) {
			p.labels = append(p.labels, found[1])
		}
		if cells[2] != "" {
			p.buckets = strings.Split(cells[2], ", ")
		}
		out[name] = p
	}
	return out
}

// TestContract holds the catalogue against the contract: each metric is in it, with
// the labels that are matched and the buckets that thresholds need.
func TestContract(t *testing.T) {
	all := contract(t)
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(contracted(t), names); diff != "" {
		t.Errorf("-metrics that the catalogue expects, +metrics of the contract:\n%s", diff)
	}
	for _, i := range catalogue(t) {
		var labels []string
		for name := range strings.SplitSeq(i.Annotations["experience.slo/metric"], ", ") {
			metric := all[strings.TrimSuffix(name, "_count")]
			labels = append(labels, metric.labels...)
			if metric.kind == "histogram" {
				lacking(t, i, metric.buckets)
			}
		}
		if strings.HasPrefix(i.Annotations["experience.slo/exporter"], "contract") {
			unlabelled(t, i, labels)
		}
	}
}

var matchedPattern = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`)

// unlabelled complains of labels that are matched and not in the contract.
func unlabelled(t *testing.T, i v1alpha1.ClusterIndicator, labels []string) {
	t.Helper()
	known := append([]string{"__name__", "le"}, labels...)
	for _, found := range matchedPattern.FindAllStringSubmatch(templateText(i), -1) {
		if !slices.Contains(known, found[1]) {
			t.Errorf("%s matches %s, which is no label of the contract", i.Name, found[1])
		}
	}
}

func templateText(i v1alpha1.ClusterIndicator) string {
	s := i.Spec.Template
	switch {
	case s.Events != nil:
		return string(s.Events.Good + s.Events.Bad + s.Events.Total)
	case s.Distribution != nil:
		return string(s.Distribution.Histogram)
	case s.Score != nil && s.Score.Mean != nil:
		return string(s.Score.Mean.Sum + s.Score.Mean.Count)
	case s.Score != nil:
		return string(s.Score.NetPromoter.Promoters + s.Score.NetPromoter.Detractors + s.Score.NetPromoter.Responses)
	case s.Queries != nil:
		return string(s.Queries.Points + s.Queries.Events)
	default:
		return ""
	}
}

// lacking complains of default thresholds that are no bucket.
func lacking(t *testing.T, i v1alpha1.ClusterIndicator, buckets []string) {
	t.Helper()
	for _, p := range i.Spec.Parameters {
		if p.Type == v1alpha1.ParameterTypeNumber && !slices.Contains(buckets, string(*p.Default)) {
			t.Errorf("%s asks for a bucket at %s, which the contract leaves out: %v", i.Name, *p.Default, buckets)
		}
	}
}

// block gives the only block of the page in a language.
func onlyBlock(t *testing.T, language string) string {
	t.Helper()
	var found []string
	for _, b := range pages(t)[contractPage].blocks {
		if b.language == language {
			found = append(found, b.text)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks of %s", contractPage, len(found), language)
	}
	return found[0]
}

func TestGoExampleIsCompiled(t *testing.T) {
	text, err := os.ReadFile("contract_example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "// begin\n")
	code, _, _ = strings.Cut(code, "\n// end")
	if diff := cmp.Diff(code, onlyBlock(t, "go")); diff != "" {
		t.Errorf("the page shows other code than is compiled: -compiled, +shown:\n%s", diff)
	}
}

// TestGoExampleKeepsTheContract gathers what the example registers.
func TestGoExampleKeepsTheContract(t *testing.T) {
	registry := prometheus.NewRegistry()
	i := NewInstruments(registry)
	i.Declare("shop", "checkout")
	i.Task("shop", "checkout", true)
	i.Task("shop", "checkout", false)
	i.Answered("email", 20*time.Minute)
	beacon := i.Beacon("shop")
	for name := range i.vitals {
		if code := post(beacon, `{"app":"shop","name":"`+name+`","value":0.05}`); code != http.StatusNoContent {
			t.Errorf("%s is answered with %d", name, code)
		}
	}
	all := contract(t)
	found, err := registry.Gather()
	if err != nil || len(found) != 7 {
		t.Fatalf("gather: %v, %d families", err, len(found))
	}
	for _, family := range found {
		want, known := all[family.GetName()]
		if !known || want.kind != strings.ToLower(family.GetType().String()) {
			t.Errorf("%s, a %s, is not in the contract", family.GetName(), family.GetType())
		}
		slices.Sort(want.labels)
		if diff := cmp.Diff(want, kept(want.kind, family.GetMetric()[0]), cmp.AllowUnexported(promised{})); diff != "" {
			t.Errorf("%s: -contract, +example:\n%s", family.GetName(), diff)
		}
	}
}

// kept is a metric as it is gathered.
func kept(kind string, metric *dto.Metric) promised {
	out := promised{kind: kind}
	for _, pair := range metric.GetLabel() {
		out.labels = append(out.labels, pair.GetName())
	}
	for _, bucket := range metric.GetHistogram().GetBucket() {
		out.buckets = append(out.buckets, strconv.FormatFloat(bucket.GetUpperBound(), 'f', -1, 64))
	}
	return out
}

func post(handler http.Handler, body string) int {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/vitals", strings.NewReader(body)))
	return answer.Code
}

func TestBeaconRefuses(t *testing.T) {
	beacon := NewInstruments(prometheus.NewRegistry()).Beacon("shop")
	cases := map[string]struct{ reason, body string }{
		"Text":     {"what is no JSON", "LCP=2"},
		"Name":     {"a vital that is none", `{"app":"shop","name":"FID","value":1}`},
		"App":      {"an app that nobody knows would be a series of its own", `{"app":"evil","name":"LCP","value":1}`},
		"Negative": {"a time before its beginning", `{"app":"shop","name":"LCP","value":-1}`},
		"Long":     {"more than a vital is long", `{"app":"` + strings.Repeat("x", 2000) + `"}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if code := post(beacon, tc.body); code != http.StatusBadRequest {
				t.Errorf("%s: answered with %d", tc.reason, code)
			}
		})
	}
}
