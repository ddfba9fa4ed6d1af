package metrics

import (
	"math"
	"testing"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// weekdays are hours from eight to eighteen, from Monday to Friday.
func weekdays() *slo.Hours {
	var out []slo.Opening
	for day := range 5 {
		out = append(out, slo.Opening{Day: day, From: 8 * 60, To: 18 * 60})
	}
	return &slo.Hours{Location: time.UTC, Weekly: slo.Weekly(out...)}
}

// TestAbsent holds the age of the last data against what it may be, as the rule over
// these metrics does, for an objective whose data may be absent for an hour.
func TestAbsent(t *testing.T) {
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC) }
	out := func(start, end time.Time) slo.Span { return slo.Span{Start: start, End: end} }
	type args struct {
		hours     *slo.Hours
		excluded  []slo.Span
		last, now time.Time
	}
	type want struct {
		told bool // whether there is a series
		may  time.Duration
		fire bool
	}
	const h, m = time.Hour, time.Minute
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Night":        {"the desk is closed: nobody expects data", args{weekdays(), nil, at(19, 18, 0), at(20, 4, 0)}, want{true, 11 * h, false}},
		"NightEarlier": {"half an hour of its hours without data, and a night, are half an hour", args{weekdays(), nil, at(19, 17, 30), at(20, 4, 0)}, want{true, 11 * h, false}},
		"Morning":      {"half an hour on the next day is an hour in all, and not more", args{weekdays(), nil, at(19, 17, 30), at(20, 8, 30)}, want{true, 15 * h, false}},
		"MorningLater": {"the minute after it is", args{weekdays(), nil, at(19, 17, 30), at(20, 8, 31)}, want{true, 15 * h, true}},
		"Weekend":      {"from Friday evening to Monday morning", args{weekdays(), nil, at(20, 18, 0), at(23, 8, 59)}, want{true, 63 * h, false}},
		"WeekendOver":  {"and what did not come back on Monday", args{weekdays(), nil, at(20, 18, 0), at(23, 9, 1)}, want{true, 63 * h, true}},
		"StaysFiring":  {"what was absent when it closed is so still", args{weekdays(), nil, at(19, 16, 0), at(19, 23, 0)}, want{true, 6 * h, true}},
		"WhileOpen":    {"as without a calendar", args{weekdays(), nil, at(20, 10, 0), at(20, 11, 1)}, want{true, h, true}},
		"Always":       {"without a calendar every minute counts", args{nil, nil, at(19, 18, 0), at(20, 4, 0)}, want{true, h, true}},
		"Part":         {"an evaluation lags behind the minute it is of", args{weekdays(), nil, at(19, 17, 0), at(19, 18, 1).Add(40 * time.Second)}, want{true, h + m + 40*time.Second, false}},
		"Excluded": {
			"nobody is told during an exclusion", args{weekdays(), []slo.Span{out(at(20, 10, 0), at(20, 12, 0))}, at(20, 9, 0), at(20, 11, 30)}, want{},
		},
		"ExcludedUntilItClosed": {
			"time counts from the end of the exclusion, and by opening hours",
			args{weekdays(), []slo.Span{out(at(19, 14, 0), at(19, 17, 30))}, at(19, 13, 50), at(20, 4, 0)}, want{true, 3*h + 40*m + h + 10*h, false},
		},
		"ExcludedAndGone": {
			"and goes on in the morning",
			args{weekdays(), []slo.Span{out(at(19, 14, 0), at(19, 17, 30))}, at(19, 13, 50), at(20, 8, 31)}, want{true, 3*h + 40*m + h + 14*h, true},
		},
		"ExcludedLater": {
			"an exclusion that is to come changes nothing",
			args{weekdays(), []slo.Span{out(at(25, 0, 0), at(26, 0, 0))}, at(20, 10, 0), at(20, 11, 1)}, want{true, h, true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := absentAfter(*speed, h)
			p.Hours, p.Excluded = tc.args.hours, tc.args.excluded
			v := evaluate.Verdict{Window: slo.Span{End: tc.args.now.Truncate(m)}, At: tc.args.now, LastData: tc.args.last}
			got := absent(p, v)
			if told := !math.IsNaN(got); told != tc.want.told {
				t.Fatalf("%s: %v, want a series: %t", tc.reason, got, tc.want.told)
			}
			if fire := seconds(v.At)-seconds(v.LastData) > got; fire != tc.want.fire {
				t.Errorf("%s: data of %s may be %v s old at %s, the alert fires: %t", tc.reason, v.LastData, got, v.At, fire)
			}
			if may := tc.want.may; tc.want.told && got != may.Seconds() {
				t.Errorf("%s: it may be %v s old, want %v", tc.reason, got, may.Seconds())
			}
		})
	}
}

// TestAbsentNeverCame holds that the time before data first came is not reckoned.
func TestAbsentNeverCame(t *testing.T) {
	p := absentAfter(*speed, time.Hour)
	p.Hours = weekdays()
	if got := absent(p, empty()); got != 3600 {
		t.Errorf("it may be %v s old where there never was any, want 3600", got)
	}
	p = &compile.Plan{Hours: weekdays()}
	if got := absent(p, empty()); !math.IsNaN(got) {
		t.Errorf("it may be %v s old where the alert is off, want no series", got)
	}
}
