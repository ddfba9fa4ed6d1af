package promql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/internal/promql"
)

// TestOpen shows the expressions of some hours. What they give is compared with Go's
// time package where hours are compiled.
func TestOpen(t *testing.T) {
	day := func(hours ...int64) (out []promql.Stretch) {
		for i := 0; i < len(hours); i += 2 {
			out = append(out, promql.Stretch{From: hours[i] * 3600, To: hours[i+1] * 3600})
		}
		return out
	}
	work := day(8, 18)
	const week = "vector(time() + 259199) % 604800"
	cases := map[string]struct {
		reason string
		args   *promql.Hours
		want   string
	}{
		"None":    {reason: "Without hours all minutes count."},
		"Never":   {reason: "Hours of no day are never.", args: &promql.Hours{}, want: "vector(1) < 0"},
		"Working": {reason: "Days in a row that are alike are one condition.", args: &promql.Hours{Weekly: [7][]promql.Stretch{work, work, work, work, work}}, want: "(" + week + " >= 0 < 432000) % 86400 >= 28800 < 64800"},
		"Apart": {
			reason: "Others are more.", args: &promql.Hours{Weekly: [7][]promql.Stretch{work, nil, work}},
			want: "(" + week + " >= 0 < 86400) % 86400 >= 28800 < 64800 or (" + week + " >= 172800 < 259200) % 86400 >= 28800 < 64800",
		},
		"Lunch": {
			reason: "A break makes two.", args: &promql.Hours{Weekly: [7][]promql.Stretch{1: day(8, 12, 13, 18), 2: day(13, 18)}},
			want: "(" + week + " >= 86400 < 172800) % 86400 >= 28800 < 43200 or (" + week + " >= 86400 < 259200) % 86400 >= 46800 < 64800",
		},
		"Daily":   {reason: "Every day needs no week.", args: &promql.Hours{Weekly: [7][]promql.Stretch{work, work, work, work, work, work, work}}, want: "(" + week + ") % 86400 >= 28800 < 64800"},
		"Weekend": {reason: "A whole day needs no hours.", args: &promql.Hours{Weekly: [7][]promql.Stretch{5: day(0, 24), 6: day(0, 24)}}, want: week + " >= 432000 < 604800"},
		"Shifts": {
			reason: "Each change of the offset is a step.",
			args: &promql.Hours{
				Weekly:  [7][]promql.Stretch{work},
				Offsets: []promql.Offset{{From: 100, Seconds: 3600}, {From: 200, Seconds: 7200}, {From: 300, Seconds: 3600}},
			},
			want: "(vector(time() + 262799 + 3600 * (time() > bool 200) + -3600 * (time() > bool 300)) % 604800 >= 0 < 86400) % 86400 >= 28800 < 64800",
		},
		"Holidays": {
			reason: "Some days are closed, and some have hours of their own.",
			args: &promql.Hours{
				Weekly: [7][]promql.Stretch{work}, Closed: []promql.Stretch{{From: 86400, To: 172800}, {From: 200, To: 260}}, Opened: []promql.Stretch{{From: 90000, To: 93600}},
			},
			want: "((" + week + " >= 0 < 86400) % 86400 >= 28800 < 64800) unless on () (vector(time()) > 86400 <= 172800 or vector(time()) > 200 <= 260) or vector(time()) > 90000 <= 93600",
		},
		"Special": {reason: "What is open on some days alone has no week.", args: &promql.Hours{Opened: []promql.Stretch{{From: 60, To: 120}}, Closed: []promql.Stretch{{From: 0, To: 600}}}, want: "vector(time()) > 60 <= 120"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := c.args.Open()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s Open(): -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestGates looks for the hours in every query and rule, but for the two that need
// none: the steady form, and the heartbeat.
func TestGates(t *testing.T) {
	hours := &promql.Hours{ID: "x", Weekly: [7][]promql.Stretch{{{From: 0, To: 86400}}}}
	open, err := hours.Open()
	if err != nil {
		t.Fatal(err)
	}
	total, err := promql.ParseSelector("all_total")
	if err != nil {
		t.Fatal(err)
	}
	counter := promql.Plain(total)
	recipe, err := promql.NewRecipe(promql.Recipe{
		Lanes: []promql.Lane{{Name: "events", Counter: &counter}, {Name: "points", Expr: "good"}}, Bucket: 3600e9, Hours: hours,
		Sums: promql.Sums{Events: []promql.Term{{Lane: "events", Weight: 1}}, Points: []promql.Term{{Lane: "points", Weight: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	reads, err := recipe.Reads()
	if err != nil {
		t.Fatal(err)
	}
	recording, err := recipe.Recording()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for name, expr := range map[string]string{
		"minute": reads.Minute, "bucket": reads.Bucket, "exact minute": reads.ExactMinute, "exact bucket": reads.ExactBucket,
		"events": recording.Events, "points": recording.Points,
	} {
		got[name] = strings.Count(expr, "and on () ("+open+")")
	}
	// Of the points, whose expression can be no number, the events look out for that.
	want := map[string]int{"minute": 2, "bucket": 3, "exact minute": 3, "exact bucket": 3, "events": 4, "points": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lanes that hours gate: -want, +got:\n%s", diff)
	}
}
