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

func selector(t *testing.T, text string) promql.Selector {
	t.Helper()
	s, err := promql.ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCountingShowsWhatIsBuilt compares the expressions on the page with those
// that are sent to servers.
func TestCountingShowsWhatIsBuilt(t *testing.T) {
	orders := promql.Plain(selector(t, `orders_total{app="shop"}`))
	reads, err := promql.NewReads([]promql.Lane{{Name: "events", Counter: &orders}}, promql.OnKnownTarget, time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	merged := promql.Bucket(selector(t, "latency_seconds_bucket"), 1)
	cases := []struct {
		reason, built string
		part          bool // the page shows a part
	}{
		{"the rule itself", orders.Delta(time.Minute, promql.OnKnownTarget), false},
		{"a boundary in two spellings", merged.Delta(time.Minute, promql.Ignore), true},
		{"whole hours by their ends", reads.SteadyBucket, false},
	}
	var shown []string
	for _, b := range pages(t)["docs/design/counting.md"].blocks {
		if b.language == "promql" {
			shown = append(shown, normal(t, b.text))
		}
	}
	if len(shown) != len(cases) {
		t.Fatalf("the page shows %d expressions, want %d", len(shown), len(cases))
	}
	for i, c := range cases {
		built := normal(t, c.built)
		if found := shown[i] == built || (c.part && strings.Contains(built, shown[i])); !found {
			t.Errorf("%s: the page shows\n%s\nbut this is built:\n%s", c.reason, shown[i], built)
		}
	}
}
