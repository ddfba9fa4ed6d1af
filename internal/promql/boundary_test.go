package promql_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/experience-slo/operator/internal/promql"
)

func TestNewBoundaries(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		want   promql.Boundaries
	}{
		"Sorted":    {reason: "By value, not by text.", args: []string{"10", "2.5", "1"}, want: promql.Boundaries{1, 2.5, 10}},
		"Spellings": {reason: "Two spellings are one boundary.", args: []string{"1.0", "1", "1e0"}, want: promql.Boundaries{1}},
		"Infinite":  {reason: "The last bucket has no boundary.", args: []string{"1", "+Inf", "-Inf"}, want: promql.Boundaries{1}},
		"Rubbish":   {reason: "What is no number is no boundary.", args: []string{"", "fast", "NaN", "2"}, want: promql.Boundaries{2}},
		"None":      {reason: "No series, no boundaries."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, promql.NewBoundaries(tc.args)); diff != "" {
				t.Errorf("\n%s\nNewBoundaries(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
		})
	}
}

func TestBoundariesAround(t *testing.T) {
	type want struct {
		Below, Above float64
		Exact        bool
		Nearest      string
	}
	type args struct {
		boundaries promql.Boundaries
		value      float64
	}
	nan := math.NaN()
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Exact": {
			reason: "A boundary is found.", args: args{promql.Boundaries{1, 2.5, 4}, 2.5},
			want: want{2.5, 2.5, true, ""},
		},
		"Between": {
			reason: "Between two, both are named.", args: args{promql.Boundaries{1, 2.5, 4}, 2},
			want: want{1, 2.5, false, "the nearest boundaries are 1 and 2.5"},
		},
		"Below": {
			reason: "Below the lowest there is one.", args: args{promql.Boundaries{1, 2.5}, 0.3},
			want: want{nan, 1, false, "the nearest boundary is 1"},
		},
		"Above": {
			reason: "Above the highest there is one.", args: args{promql.Boundaries{1, 2.5}, 100},
			want: want{2.5, nan, false, "the nearest boundary is 2.5"},
		},
		"None": {
			reason: "Without boundaries there is none.", args: args{nil, 1},
			want: want{nan, nan, false, "the histogram has no finite bucket"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			below, above, exact := tc.args.boundaries.Around(tc.args.value)
			got := want{Below: below, Above: above, Exact: exact}
			if !exact {
				got.Nearest = tc.args.boundaries.Nearest(tc.args.value)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("\n%s\nAround(%v), Nearest(...): -want, +got:\n%s", tc.reason, tc.args.value, diff)
			}
		})
	}
}
