package slo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	type want struct {
		Duration time.Duration
		Err      string
	}
	const order = "units are w, d, h, m and s, each once and the longest first: write it like \"28d\" or \"1h30m\""
	cases := map[string]struct {
		reason string
		args   string
		want   want
	}{
		"Days":     {reason: "The usual window.", args: "28d", want: want{Duration: 28 * day}},
		"Longest":  {reason: "The longest window.", args: "400d", want: want{Duration: MaxRolling}},
		"Weeks":    {reason: "Weeks are seven days.", args: "4w", want: want{Duration: 28 * day}},
		"Compound": {reason: "Units add up.", args: "1h30m", want: want{Duration: 90 * time.Minute}},
		"All": {
			reason: "Every unit once.", args: "1w2d3h4m5s",
			want: want{Duration: 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second},
		},
		"Zero":   {reason: "Zero has a unit too.", args: "0s", want: want{}},
		"Padded": {reason: "Leading zeros are digits.", args: "007d", want: want{Duration: 7 * day}},
		"Largest": {
			reason: "The most a time.Duration holds in seconds.", args: "9223372036s",
			want: want{Duration: 9223372036 * time.Second},
		},
		"Empty": {
			reason: "Nothing is no duration.", args: "",
			want: want{Err: `parse duration "": it is empty: write it like "28d" or "1h30m"`},
		},
		"Bare": {
			reason: "A number says nothing without a unit.", args: "28",
			want: want{Err: `parse duration "28": "28" has no unit: write it like "28d" or "1h30m"`},
		},
		"BareZero": {
			reason: "Not even zero.", args: "0",
			want: want{Err: `parse duration "0": "0" has no unit: write it like "28d" or "1h30m"`},
		},
		"BareEnd": {
			reason: "Every number has a unit.", args: "1h30",
			want: want{Err: `parse duration "1h30": "30" has no unit: write it like "28d" or "1h30m"`},
		},
		"UnitAlone": {
			reason: "Every unit has a number.", args: "d",
			want: want{Err: `parse duration "d": "d" does not begin with a whole number: write it like "28d" or "1h30m"`},
		},
		"Negative": {
			reason: "Windows look back by themselves.", args: "-1h",
			want: want{Err: `parse duration "-1h": "-1h" does not begin with a whole number: write it like "28d" or "1h30m"`},
		},
		"Fraction": {reason: "Whole numbers only.", args: "1.5h", want: want{Err: `parse duration "1.5h": ` + order}},
		"Month":    {reason: "Months have no fixed length.", args: "1M", want: want{Err: `parse duration "1M": ` + order}},
		"Year":     {reason: "Years have no fixed length.", args: "1y", want: want{Err: `parse duration "1y": ` + order}},
		"Milli": {reason: "Minutes come once, and are not milliseconds.", args: "5ms", want: want{
			Err: `parse duration "5ms": "s" does not begin with a whole number: write it like "28d" or "1h30m"`,
		}},
		"Order":  {reason: "The longest first.", args: "30m1h", want: want{Err: `parse duration "30m1h": ` + order}},
		"Twice":  {reason: "Each once.", args: "1h1h", want: want{Err: `parse duration "1h1h": ` + order}},
		"Space":  {reason: "One way to write it.", args: "1h 30m", want: want{Err: `parse duration "1h 30m": " 30m" does not begin with a whole number: write it like "28d" or "1h30m"`}},
		"Arabic": {reason: "Digits are ASCII.", args: "٣d", want: want{Err: `parse duration "٣d": "٣d" does not begin with a whole number: write it like "28d" or "1h30m"`}},
		"TooLong": {
			reason: "A time.Duration ends.", args: "9223372037s",
			want: want{Err: `parse duration "9223372037s": it is longer than 292 years`},
		},
		"TooLongTogether": {
			reason: "Sums are checked, not only parts.", args: "106751d23h48m",
			want: want{Err: `parse duration "106751d23h48m": it is longer than 292 years`},
		},
		"TooManyDigits": {
			reason: "Counts are checked before they wrap.", args: "99999999999999999999s",
			want: want{Err: `parse duration "99999999999999999999s": "99999999999999999999s" is longer than 292 years`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d, err := ParseDuration(tc.args)
			if diff := cmp.Diff(tc.want, want{d, message(err)}); diff != "" {
				t.Errorf("\n%s\nParseDuration(%q): -want, +got:\n%s", tc.reason, tc.args, diff)
			}
		})
	}
}

func TestFormatDuration(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   time.Duration
		want   string
	}{
		"Days":     {reason: "Windows are compared in days.", args: 28 * day, want: "28d"},
		"Longest":  {reason: "No years.", args: MaxRolling, want: "400d"},
		"Hour":     {reason: "One hour.", args: time.Hour, want: "1h"},
		"Minutes":  {reason: "Five minutes.", args: 5 * time.Minute, want: "5m"},
		"Compound": {reason: "What is zero is left out.", args: day + 90*time.Second, want: "1d1m30s"},
		"Month":    {reason: "A month with a clock change.", args: 31*day - time.Hour, want: "30d23h"},
		"Zero":     {reason: "Nothing is still written.", args: 0, want: "0s"},
		"Rounded":  {reason: "Parts of a second say nothing here.", args: 1499 * time.Millisecond, want: "1s"},
		"Vanished": {reason: "Rounded to nothing.", args: time.Millisecond, want: "0s"},
		"Negative": {reason: "A minus comes first.", args: -90 * time.Minute, want: "-1h30m"},
		"Largest":  {reason: "The ends of time.Duration.", args: 1<<63 - 1, want: "106751d23h47m16s"},
		"Smallest": {reason: "The ends of time.Duration.", args: -1 << 63, want: "-106751d23h47m16s"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, FormatDuration(tc.args)); diff != "" {
				t.Errorf("\n%s\nFormatDuration(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, 1<<33).Draw(t, "seconds")) * time.Second
		text := FormatDuration(want)
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Fatalf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	})
}

// Rules and queries carry these durations to Prometheus, so whatever is accepted
// here must mean the same there.
func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"28d", "4w", "1h30m", "400d", "0s", "", "1w2d3h4m5s", "30m1h", "99999999999999999999s", "1.5h", "5ms", "-1h", "١d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseDuration(text)
		if err != nil {
			if got != 0 {
				t.Errorf("ParseDuration(%q) = %v beside the error %v", text, got, err)
			}
			return
		}
		want, err := model.ParseDuration(text)
		if err != nil || time.Duration(want) != got {
			t.Errorf("ParseDuration(%q) = %v, but Prometheus reads %v, %v", text, got, want, err)
		}
		if again, err := ParseDuration(FormatDuration(got)); err != nil || again != got {
			t.Errorf("%q is %v, but its format reads back as %v, %v", text, got, again, err)
		}
	})
}
