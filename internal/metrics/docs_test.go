package metrics

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/source"
)

const page = "../../docs/metrics.md"

var (
	rowPattern    = regexp.MustCompile("(?m)^\\| `(experience_\\w+)` \\| (\\w+) \\| ([^|]*)\\|")
	queryPattern  = regexp.MustCompile("(?s)```promql\n(.*?)```")
	seriesPattern = regexp.MustCompile(`experience_\w+`)
	wordPattern   = regexp.MustCompile("`(\\w+)`")
)

// reasons are all that a query can fail for.
var reasons = []source.Reason{
	source.ReasonInvalidConfig, source.ReasonInvalidQuery, source.ReasonUnauthorized, source.ReasonCertificate,
	source.ReasonUnreachable, source.ReasonTimeout, source.ReasonCanceled, source.ReasonNotPrometheus,
	source.ReasonTooLarge, source.ReasonTooManySeries, source.ReasonPartial, source.ReasonRateLimited,
	source.ReasonServer,
}

// description is what the page says of a metric, or what the registry does.
type description struct{ Type, Labels string }

// full is a registry in which every metric has a series.
func full() *prometheus.Registry {
	reg := prometheus.NewPedanticRegistry()
	r := New(reg)
	v := whole()
	v.Segments = inSegments().Segments
	v.LastData, v.Tiers = evening, []evaluate.TierState{tier(slo.Page, time.Hour, true)}
	v.Excluded, v.Raw = 0.03, &evaluate.Figures{Attainment: 0.7}
	r.Objective(absentAfter(*speed, time.Hour), v)
	r.Journey(order, known(v1alpha1.JourneyBroken))
	r.Rules(local, 12, 12)
	r.Tick(local, 4, 3, time.Second)
	for _, reason := range reasons {
		r.Query(local, source.Observation{Duration: time.Second, Bytes: 10, Reason: reason})
	}
	return reg
}

func served(t *testing.T) map[string]description {
	t.Helper()
	families, err := full().Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	common := slices.Concat(objectiveLabels, journeyLabels, sourceLabels)
	out := map[string]description{}
	for _, f := range families {
		var further []string
		for _, label := range f.GetMetric()[0].GetLabel() {
			// Of a journey the perspective tells two scores apart.
			apart := label.GetName() == "perspective" && strings.Contains(f.GetName(), "_journey_")
			if apart || !slices.Contains(common, label.GetName()) {
				further = append(further, label.GetName())
			}
		}
		out[f.GetName()] = description{Type: strings.ToLower(f.GetType().String()), Labels: strings.Join(further, " ")}
	}
	return out
}

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatalf("read page: %v", err)
	}
	return string(text)
}

func TestPageListsEveryMetric(t *testing.T) {
	listed := map[string]description{}
	for _, row := range rowPattern.FindAllStringSubmatch(readPage(t), -1) {
		var labels []string
		for _, word := range wordPattern.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, word[1])
		}
		listed[row[1]] = description{Type: row[2], Labels: strings.Join(labels, " ")}
	}
	if diff := cmp.Diff(served(t), listed); diff != "" {
		t.Errorf("%s lists other metrics, types or labels than are served: -served, +listed:\n%s", page, diff)
	}
}

func TestPageListsEveryReason(t *testing.T) {
	_, after, _ := strings.Cut(readPage(t), "`reason` is one of")
	sentence, _, _ := strings.Cut(after, ".\n")
	var listed, want []string
	for _, word := range wordPattern.FindAllStringSubmatch(sentence, -1) {
		listed = append(listed, word[1])
	}
	for _, reason := range reasons {
		want = append(want, string(reason))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("reasons on %s: -want, +got:\n%s", page, diff)
	}
}

func TestPageQueriesReadServedMetrics(t *testing.T) {
	metrics := served(t)
	exampled := map[string]bool{}
	promql := parser.NewParser(parser.Options{})
	for _, block := range queryPattern.FindAllStringSubmatch(readPage(t), -1) {
		if _, err := promql.ParseExpr(block[1]); err != nil {
			t.Errorf("parse example %q: %v", block[1], err)
		}
		for _, name := range seriesPattern.FindAllString(block[1], -1) {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
			exampled[name] = true
			if _, ok := metrics[name]; !ok {
				t.Errorf("example %q reads %s, which is not served", block[1], name)
			}
		}
	}
	for name := range metrics {
		if !exampled[name] {
			t.Errorf("%s has no example on %s", name, page)
		}
	}
}

func TestNamesFollowConventions(t *testing.T) {
	problems, err := testutil.GatherAndLint(full())
	if err != nil {
		t.Fatalf("lint: %v", err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
