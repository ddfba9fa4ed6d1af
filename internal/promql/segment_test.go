package promql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// twoLanes is a recipe of two counters in a namespace.
func twoLanes(t testing.TB) *Recipe {
	t.Helper()
	lane := func(name, selector string) Lane {
		s, err := ParseSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		c := Plain(s)
		return Lane{Name: name, Counter: &c}
	}
	r, err := NewRecipe(Recipe{
		Lanes:  []Lane{lane("events", "all_total"), lane("good", `all_total{code="200"}`)},
		Sums:   Sums{Events: []Term{{"events", 1}}, Points: []Term{{"good", 1}}},
		Bucket: time.Hour, Confine: Confinement{}.Confine("namespace", "shop"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// selectors gives the matchers of each selector of an expression that are on a label,
// and the number of all selectors.
func selectors(t testing.TB, expr, label string) (values map[string]int, all int) {
	t.Helper()
	parsed, err := plain.ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	values = map[string]int{}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		vector, ok := node.(*parser.VectorSelector)
		if !ok || vector.Name == "up" || vector.Name == "process_start_time_seconds" {
			return nil
		}
		all++
		for _, m := range vector.LabelMatchers {
			if m.Name == label && m.Type == labels.MatchEqual {
				values[m.Value]++
			}
		}
		return nil
	})
	return values, all
}

// FuzzSegmentValues holds that a value is one matcher of every selector and nothing
// else: the query's tree has the same shape whatever is in it.
func FuzzSegmentValues(f *testing.F) {
	for _, value := range []string{"phone", "", `"} or vector(1) #`, "a\nb", `\`, "é€\U0001F4F1", strings.Repeat("x", 10_000), "$1", "{{.}}", "\x00"} {
		f.Add(value)
	}
	whole := twoLanes(f)
	reads, err := whole.Reads()
	if err != nil {
		f.Fatal(err)
	}
	_, want := selectors(f, reads.Minute, "device")
	f.Fuzz(func(t *testing.T, value string) {
		segment, err := whole.Segment("device", value)
		if err != nil {
			t.Fatalf("Segment(%q): %v", value, err)
		}
		if segment.ID() == whole.ID() {
			t.Errorf("Segment(%q) has the ID of the whole", value)
		}
		expr, err := SegmentMinutes([]*Recipe{segment, segment})
		if err != nil {
			t.Fatalf("SegmentMinutes(%q): %v", value, err)
		}
		values, all := selectors(t, expr, "device")
		if all != 2*want || values[value] != all || len(values) != 1 {
			t.Errorf("%q: %d selectors, want %d; by value: %v", value, all, 2*want, values)
		}
	})
}

// TestSegmentMinutesTellHoursOnce holds that the length of a query for many segments
// does not grow with the hours.
func TestSegmentMinutesTellHoursOnce(t *testing.T) {
	hours := func(from int64) *Hours {
		return &Hours{Weekly: [7][]Stretch{{{from, from + 3600}}}, Closed: []Stretch{{7 * from, 7*from + 60}}}
	}
	morning, evening := hours(28800), hours(64800)
	segments := func(all ...*Hours) (out []*Recipe) {
		for i, h := range all {
			whole := *twoLanes(t)
			whole.Hours = h
			r, err := whole.Segment("device", fmt.Sprint(i))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, r)
		}
		return out
	}
	cases := map[string]struct {
		reason           string
		args             []*Recipe
		mornings, nights int
	}{
		"Same":   {"once for all lanes of all segments", segments(morning, morning, morning), 1, 0},
		"Others": {"those that go by others are not gated by these", segments(morning, morning, evening, nil), 1, 1},
		"Always": {"none where there are none", segments(nil, nil), 0, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := SegmentMinutes(tc.args)
			if err != nil {
				t.Fatal(err)
			}
			if m, n := strings.Count(got, "201600"), strings.Count(got, "453600"); m != tc.mornings || n != tc.nights {
				t.Errorf("%s: the hours are told %d and %d times:\n%s", tc.reason, m, n, got)
			}
			values, _ := selectors(t, got, "device")
			if len(values) != len(tc.args) {
				t.Errorf("%s: %d segments are asked for, want %d", tc.reason, len(values), len(tc.args))
			}
		})
	}
}

func TestSegmentRefuses(t *testing.T) {
	r, err := NewRecipe(Recipe{Lanes: []Lane{{Name: "events", Expr: "sum(up)"}}, Bucket: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		make   func() error
		want   string
	}{
		"Segment": {
			reason: "an expression takes no matcher", want: `match device="phone": lane "events" is no counter`,
			make: func() error { _, err := r.Segment("device", "phone"); return err },
		},
		"Ranking": {
			reason: "nor is there a counter whose values could be ranked", want: `rank values of device: lane "events" is no counter`,
			make: func() error { _, err := r.Ranking("device", time.Hour, time.Hour, 3); return err },
		},
		"Confined": {
			reason: "what the source's matchers contradict is an error, not an empty answer", want: `the metric source confines every query to namespace="shop"`,
			make: func() error { _, err := twoLanes(t).Segment("namespace", "other"); return err },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(tc.make()); !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestRanking(t *testing.T) {
	const last, before = `last_over_time(all_total{namespace="shop"}[%[1]s])`, `last_over_time(all_total{namespace="shop"}[%[1]s] offset %[1]s)`
	const counts = `sum by (device) (((` + last + ` - ` + before + `) >= 0) or (` + last + ` and ` + before + `) or ((` + last +
		` - min_over_time(all_total{namespace="shop"}[%[1]s])) + 0.000000001)) + 0.000000001 * sum by (device) (changes(all_total{namespace="shop"}[%[1]s]))`
	cases := map[string]struct {
		reason         string
		stretch, width time.Duration
		want           string
	}{
		"Minutes": {"a short stretch is one difference", 5 * time.Minute, 5 * time.Minute, "topk(3, (" + fmt.Sprintf(counts, "5m") + ") > 0)"},
		"Week": {
			"a long one is a sum of hours", 7 * 24 * time.Hour, time.Hour,
			"topk(3, (sum_over_time((" + fmt.Sprintf(counts, "1h") + ")[1w:1h])) > 0)",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := twoLanes(t).Ranking("device", tc.stretch, tc.width, 3)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
