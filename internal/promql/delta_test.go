package promql_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/internal/promql"
)

// printed is an expression as the parser prints it.
func printed(t *testing.T, expr string) string {
	t.Helper()
	parsed, err := promql.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.String()
}

func TestDelta(t *testing.T) {
	const (
		last   = "last_over_time(x[5m])"
		before = "last_over_time(x[5m] offset 1m)"
		was    = last + " < " + before + " or (" + last + " - " + before + ")"
		growth = "(" + last + " - min_over_time(x[1m]))"
		known  = "on (job, instance) ((up offset 1m == 1) or (last_over_time(process_start_time_seconds[1m]) > time() - 300))"
	)
	type args struct {
		counter promql.Counter
		step    time.Duration
		policy  promql.NewSeries
	}
	x := promql.Plain(selector(t, "x"))
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"OnKnownTarget": {
			reason: "A new series counts from zero where its target is known or its process young.",
			args:   args{x, time.Minute, promql.OnKnownTarget},
			want:   "sum((" + was + " or (" + last + " and " + known + ") or " + growth + ") < Inf)",
		},
		"FromZero": {
			reason: "A new series counts from zero.",
			args:   args{x, time.Minute, promql.FromZero},
			want:   "sum((" + was + " or " + last + " or " + growth + ") < Inf)",
		},
		"Ignore": {
			reason: "A new series counts from its first sample on.",
			args:   args{x, time.Minute, promql.Ignore},
			want:   "sum((" + was + " or " + growth + ") < Inf)",
		},
		"AtThePaceOfScraping": {
			reason: "With a shorter step, the differences are over it; the target must still be known a minute before.",
			args:   args{x, 5 * time.Second, promql.OnKnownTarget},
			want: "sum((last_over_time(x[5m]) < last_over_time(x[5m] offset 5s) or (last_over_time(x[5m]) - last_over_time(x[5m] offset 5s))" +
				" or (last_over_time(x[5m]) and on (job, instance) ((up offset 1m == 1) or (last_over_time(process_start_time_seconds[5s]) > time() - 300)))" +
				" or (last_over_time(x[5m]) - min_over_time(x[5s]))) < Inf)",
		},
		"MergedSpellings": {
			reason: "The two spellings of a bucket are one counter.",
			args:   args{promql.Bucket(selector(t, "x_bucket"), 1), time.Minute, promql.FromZero},
			want: `sum((max without (le) (last_over_time(x_bucket{le=~"1|1\\.0"}[5m])) < max without (le) (last_over_time(x_bucket{le=~"1|1\\.0"}[5m] offset 1m))` +
				` or (max without (le) (last_over_time(x_bucket{le=~"1|1\\.0"}[5m])) - max without (le) (last_over_time(x_bucket{le=~"1|1\\.0"}[5m] offset 1m)))` +
				` or max without (le) (last_over_time(x_bucket{le=~"1|1\\.0"}[5m]))` +
				` or (max without (le) (last_over_time(x_bucket{le=~"1|1\\.0"}[5m])) - max without (le) (min_over_time(x_bucket{le=~"1|1\\.0"}[1m])))) < Inf)`,
		},
		"OneSpelling": {
			reason: "A bucket with one spelling needs no merging.",
			args:   args{promql.Bucket(selector(t, "x_bucket"), 2.5), time.Minute, promql.Ignore},
			want: `sum((last_over_time(x_bucket{le="2.5"}[5m]) < last_over_time(x_bucket{le="2.5"}[5m] offset 1m)` +
				` or (last_over_time(x_bucket{le="2.5"}[5m]) - last_over_time(x_bucket{le="2.5"}[5m] offset 1m))` +
				` or (last_over_time(x_bucket{le="2.5"}[5m]) - min_over_time(x_bucket{le="2.5"}[1m]))) < Inf)`,
		},
		"Native": {
			reason: "The counts of a native histogram are differences of its count; its resets are told by the count.",
			args:   args{promql.NativeCount(selector(t, "x")), time.Minute, promql.FromZero},
			want: "sum((histogram_count(" + last + ") and (histogram_count(" + last + ") < histogram_count(" + before + "))" +
				" or clamp_min(histogram_count(" + last + ") - histogram_count(" + before + "), 0)" +
				" or histogram_count(" + last + ")" +
				" or (histogram_count(" + last + ") - min_over_time(histogram_count(x)[1m:5s]))) < Inf)",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := printed(t, tc.args.counter.Delta(tc.args.step, tc.args.policy))
			if diff := cmp.Diff(printed(t, tc.want), got); diff != "" {
				t.Errorf("\n%s\nDelta(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
