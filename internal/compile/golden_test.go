package compile_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// everyKind is an objective of each kind, the boundaries of classic histograms
// being 0.25, 0.5, 1, 2.5 and 4.
var everyKind = map[string]*v1alpha1.Objective{
	"events-good":  objective(events(`requests_total{code!~"5.."}`, "", "requests_total")),
	"events-bad":   objective(events("", `requests_total{code=~"5.."}`, "requests_total")),
	"distribution": objective(distribution("2.5", "4", false)),
	"interpolated": objective(distribution("2", "", true)),
	"apdex":        objective(apdex("0.25", "", `{code=~"5.."}`, false), target("0.85")),
	"native": objective(v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{
		Histogram: "page_seconds", Threshold: "2.5", Format: v1alpha1.HistogramFormatNative,
	}}),
	"mean":         objective(mean("1", "5"), target("4.2")),
	"net-promoter": objective(netPromoter(), target("30"), month("Asia/Kolkata")),
	"state":        objective(state(v1alpha1.NoDataBad)),
	"queries":      objective(queries()),
}

func bound(t *testing.T, o *v1alpha1.Objective) *compile.Plan {
	t.Helper()
	plan, err := compile.Compile(input(o))
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Bind(promql.Boundaries{0.25, 0.5, 1, 2.5, 4}); err != nil {
		t.Fatal(err)
	}
	return plan
}

// expressionsOf are all the queries of a plan, with the names of their forms.
func expressionsOf(p *compile.Plan) []struct{ name, text string } {
	reads, err := p.Recipe.Reads()
	if err != nil {
		panic(err) // of a recipe that was checked
	}
	all := []struct{ name, text string }{
		{"Minute", reads.Minute}, {"Bucket", reads.Bucket}, {"ExactMinute", reads.ExactMinute},
		{"ExactBucket", reads.ExactBucket}, {"SteadyBucket", reads.SteadyBucket},
	}
	if p.Histogram != nil {
		all = append(all, struct{ name, text string }{"Probe", p.Histogram.Probe})
	}
	var out []struct{ name, text string }
	for _, e := range all {
		if e.text != "" {
			out = append(out, e)
		}
	}
	return out
}

// TestQueries compares each kind's queries with testdata, where a minute's is
// laid out by the parser and the others are in one line.
func TestQueries(t *testing.T) {
	for name, o := range everyKind {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, e := range expressionsOf(bound(t, o)) {
				expr, err := parser.NewParser(parser.Options{}).ParseExpr(e.text)
				if err != nil {
					t.Fatalf("%s: %v", e.name, err)
				}
				text := expr.String()
				if e.name == "Minute" {
					text = expr.Pretty(0)
				}
				got.WriteString("# " + e.name + "\n" + text + "\n")
			}
			golden := filepath.Join("testdata", name+".promql")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("queries of %s (-update writes them): -want, +got:\n%s", name, diff)
			}
		})
	}
}

// TestQueriesAreConfined walks every selector of every query: one that is not
// confined would read another tenant's data.
func TestQueriesAreConfined(t *testing.T) {
	for name, o := range everyKind {
		t.Run(name, func(t *testing.T) {
			for _, e := range expressionsOf(bound(t, o)) {
				expr, err := parser.NewParser(parser.Options{}).ParseExpr(e.text)
				if err != nil {
					t.Fatalf("%s: %v", e.name, err)
				}
				selectors := 0
				parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
					if vector, ok := node.(*parser.VectorSelector); ok {
						selectors++
						checkConfined(t, e.name, vector)
					}
					return nil
				})
				if selectors == 0 {
					t.Errorf("%s selects nothing: %s", e.name, e.text)
				}
			}
		})
	}
}

func checkConfined(t *testing.T, form string, vector *parser.VectorSelector) {
	t.Helper()
	want := map[string]string{"cluster": "eu", "namespace": "shop"}
	got := map[string]string{}
	for _, m := range vector.LabelMatchers {
		if _, ok := want[m.Name]; ok && m.Type == labels.MatchEqual {
			got[m.Name] = m.Value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s: matchers, -want, +got:\n%s", form, vector, diff)
	}
}

// TestQueriesAreStable compiles each kind many times: two plans with different
// texts would each have a book of their own.
func TestQueriesAreStable(t *testing.T) {
	for name, o := range everyKind {
		t.Run(name, func(t *testing.T) {
			first := bound(t, o)
			for range 20 {
				again := bound(t, o)
				if first.Recipe.ID() != again.Recipe.ID() {
					t.Fatal("the recipe has another ID")
				}
				if !slices.Equal(expressionsOf(first), expressionsOf(again)) {
					t.Fatalf("queries: %v, want those of before: %v", expressionsOf(again), expressionsOf(first))
				}
			}
		})
	}
}
