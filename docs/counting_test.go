package docs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/internal/promql"
)

// normal prints an expression in one way, whatever its line breaks.
func normal(t *testing.T, expr string) string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, expr)
	}
	return parsed.String()
}

// TestCountingShowsWhatIsBuilt compares the expressions on the page with those
// that are sent to servers.
func TestCountingShowsWhatIsBuilt(t *testing.T) {
	selector, err := promql.ParseSelector(`orders_total{app="shop"}`)
	if err != nil {
		t.Fatal(err)
	}
	counter := promql.Plain(selector)
	reads, err := promql.NewReads([]promql.Lane{{Name: "events", Counter: &counter}}, promql.OnKnownTarget, time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := promql.ParseSelector("latency_seconds_bucket")
	if err != nil {
		t.Fatal(err)
	}
	p := pages(t)["docs/design/counting.md"]
	var shown []string
	for _, b := range p.blocks {
		if b.language == "promql" {
			shown = append(shown, normal(t, b.text))
		}
	}
	cases := map[string]struct{ reason, built string }{
		"Delta":  {"the rule itself", counter.Delta(time.Minute, promql.OnKnownTarget)},
		"Steady": {"whole hours by their ends", reads.SteadyBucket},
		"Merged": {"a boundary in two spellings", promql.Bucket(bucket, 1).Delta(time.Minute, promql.Ignore)},
	}
	if len(shown) != len(cases) {
		t.Errorf("%s shows %d expressions, of which %d are compared", p.path, len(shown), len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := normal(t, c.built)
			for _, expr := range shown {
				// The page shows the core of the merged counter alone.
				if built == expr || (name == "Merged" && strings.Contains(built, expr)) {
					return
				}
			}
			t.Errorf("%s: %s does not show what is built:\n%s", c.reason, p.path, built)
		})
	}
}
