package rehearse

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// loaded is a store with series whose values are a minute apart.
func loaded(t *testing.T, all ...string) *Store {
	t.Helper()
	s := NewStore()
	for _, text := range all {
		series, err := ParseSeries(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Load(series, start, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func minutes(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// values gives the values of an instant query, by the label a.
func values(t *testing.T, s *Store, expr string, at time.Time) map[string]float64 {
	t.Helper()
	found, err := s.Instant(t.Context(), expr, at)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, sample := range found {
		out[string(sample.Metric["a"])] = float64(sample.Value)
	}
	return out
}

func TestStore(t *testing.T) {
	s := loaded(t, `x_total{a="2"} 0+2x10`, `x_total{a="1"} 0+1x10`, `y{a="1"} 1 _ 3 stale`, `h{a="1"} {{schema:0 sum:1 count:4 buckets:[1 3]}}x5`)
	cases := map[string]struct {
		reason, expr string
		at           int
		want         map[string]float64
	}{
		"First":     {"the first value is at the start", "x_total", 0, map[string]float64{"1": 0, "2": 0}},
		"Before":    {"before it there is nothing", "x_total", -1, map[string]float64{}},
		"Later":     {"others follow at intervals", "x_total", 7, map[string]float64{"1": 7, "2": 14}},
		"Lookback":  {"a value lasts", "x_total", 14, map[string]float64{"1": 10, "2": 20}},
		"Gone":      {"but less than five minutes", "x_total", 15, map[string]float64{}},
		"Matched":   {"series are selected by labels", `x_total{a!="1"}`, 3, map[string]float64{"2": 6}},
		"Omitted":   {"a value that is left out is none", "count_over_time(y[3m])", 2, map[string]float64{"1": 2}},
		"Stale":     {"a series that ends is gone at once", "y", 3, map[string]float64{}},
		"Range":     {"a range begins after its start", "count_over_time(x_total[2m])", 9, map[string]float64{"1": 2, "2": 2}},
		"Histogram": {"native histograms are read", "histogram_count(h)", 4, map[string]float64{"1": 4}},
		"Offset":    {"so is the future, as some rules do", "x_total offset -2m", 3, map[string]float64{"1": 5, "2": 10}},
		"Subquery":  {"subqueries are evaluated each minute", "sum_over_time(x_total{a=\"1\"}[3m:])", 3, map[string]float64{"1": 6}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, values(t, s, tc.expr, minutes(tc.at))); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestHistogramsAreCopied asks twice: the engine changes the histograms it is given.
func TestHistogramsAreCopied(t *testing.T) {
	s := loaded(t, `h{a="1"} {{schema:0 sum:1 count:4 buckets:[1 3]}}+{{schema:0 sum:1 count:4 buckets:[1 3]}}x5`)
	for range 2 {
		if got := values(t, s, "histogram_count(sum_over_time(h[3m]) * 2)", minutes(2))["1"]; got != 48 {
			t.Errorf("sum of counts: %v, want 48", got)
		}
	}
}

func TestRangeAnswersEachStep(t *testing.T) {
	found, err := loaded(t, `x_total{a="1"} 0+1x10`).Range(t.Context(), "x_total", minutes(2), minutes(6), 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := model.Matrix{{Metric: model.Metric{"__name__": "x_total", "a": "1"}, Values: []model.SamplePair{
		{Timestamp: model.TimeFromUnixNano(minutes(2).UnixNano()), Value: 2},
		{Timestamp: model.TimeFromUnixNano(minutes(4).UnixNano()), Value: 4},
		{Timestamp: model.TimeFromUnixNano(minutes(6).UnixNano()), Value: 6},
	}}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

func TestBadQueries(t *testing.T) {
	s := loaded(t, `x_total{a="1"} 0+1x10`, `x_total{a="2"} 0+1x10`)
	cases := map[string]struct{ reason, expr, want string }{
		"Syntax": {"an expression must be one", "sum(", "prepare query"},
		"Run":    {"and lead to an answer", "x_total * on () x_total", "run query"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Instant(t.Context(), tc.expr, start); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestParseSeries(t *testing.T) {
	cases := map[string]struct {
		reason, text, want string
		length             int
	}{
		"Good":    {reason: "the first value counts too", text: `up{job="a"} 1x3`, length: 4},
		"Long":    {reason: "there are bounds", text: "up 1x600000", want: "more than 600000: take a longer interval"},
		"Nothing": {reason: "values must be there", text: "up", want: "it has no values"},
		"NoName":  {reason: "and a name", text: `{job="a"} 1x3`, want: "it has no name"},
		"Syntax":  {reason: "and notation is as promtool has it", text: "up 1xy", want: `parse series "up 1xy": `},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSeries(tc.text)
			switch {
			case tc.want == "" && (err != nil || got.Length() != tc.length):
				t.Errorf("%s: %d values, %v", tc.reason, got.Length(), err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s: %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestSeriesTwice(t *testing.T) {
	s := loaded(t, `up{job="a"} 1x3`)
	again, err := ParseSeries(`up{job="a"} 0x3`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(again, start, time.Minute); err == nil || !strings.Contains(err.Error(), "there twice") {
		t.Errorf("a series that is there twice: %v", err)
	}
}

func TestNumbersOnly(t *testing.T) {
	s := loaded(t, "x{a=\"1\"} NaN Inf")
	if got := values(t, s, "x", minutes(0))["1"]; !math.IsNaN(got) {
		t.Errorf("no number: %v", got)
	}
	if got := values(t, s, "x", minutes(1))["1"]; !math.IsInf(got, 1) {
		t.Errorf("infinity: %v", got)
	}
}
