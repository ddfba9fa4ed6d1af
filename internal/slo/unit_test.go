package slo

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// stars is the unit of a five-star rating.
var stars = mustMean(1, 5)

func mustMean(lowest, highest float64) Unit {
	u, err := Mean(lowest, highest)
	if err != nil {
		panic(err)
	}
	return u
}

func TestMean(t *testing.T) {
	const remedy = ": lowest must be at least 1 below highest, and both within ±1000"
	type args struct{ lowest, highest float64 }
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Stars":      {reason: "A five-star rating.", args: args{1, 5}},
		"Negative":   {reason: "Scales may begin below zero.", args: args{-2, 2}},
		"Fractional": {reason: "Ends need not be whole.", args: args{0.5, 1.5}},
		"Reversed":   {reason: "A scale goes up.", args: args{5, 1}, want: "build scale from 5 to 1" + remedy},
		"Point":      {reason: "A scale has a length.", args: args{3, 3}, want: "build scale from 3 to 3" + remedy},
		"Narrow":     {reason: "Six decimals must tell values apart.", args: args{0, 0.5}, want: "build scale from 0 to 0.5" + remedy},
		"Huge":       {reason: "A float64 must hold six decimals of it.", args: args{0, 1001}, want: "build scale from 0 to 1001" + remedy},
		"Deep":       {reason: "A float64 must hold six decimals of it.", args: args{-1001, 0}, want: "build scale from -1001 to 0" + remedy},
		"NaN":        {reason: "NaN is no end.", args: args{math.NaN(), 5}, want: "build scale from NaN to 5" + remedy},
		"Infinite":   {reason: "A scale has ends.", args: args{1, math.Inf(1)}, want: "build scale from 1 to +Inf" + remedy},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			u, err := Mean(tc.args.lowest, tc.args.highest)
			if diff := cmp.Diff(tc.want, message(err)); diff != "" {
				t.Errorf("\n%s\nMean(...): -want error, +got error:\n%s", tc.reason, diff)
			}
			if (err == nil) != (u.String() == "mean") {
				t.Errorf("\n%s\nMean(...) = %q with error %v", tc.reason, u, err)
			}
		})
	}
}

func TestUnitString(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   Unit
		want   string
	}{
		"Percent":     {reason: "Most indicators.", args: Percent, want: "percent"},
		"Apdex":       {reason: "Apdex.", args: Apdex, want: "apdex"},
		"NetPromoter": {reason: "NPS.", args: NetPromoter, want: "nps"},
		"Mean":        {reason: "Any average score.", args: stars, want: "mean"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.String()); diff != "" {
				t.Errorf("\n%s\nString(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestUnitParse(t *testing.T) {
	type args struct {
		unit   Unit
		target string
	}
	type want struct {
		Ratio float64
		Err   string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Percent":         {reason: "Whole percent.", args: args{Percent, "75%"}, want: want{Ratio: 0.75}},
		"PercentDecimals": {reason: "As near as a float64 can be.", args: args{Percent, "99.95%"}, want: want{Ratio: 0.9995}},
		"PercentTight":    {reason: "Six decimals are the limit.", args: args{Percent, "99.999999%"}, want: want{Ratio: 0.99999999}},
		"Apdex":           {reason: "Apdex is a ratio already.", args: args{Apdex, "0.85"}, want: want{Ratio: 0.85}},
		"NPS":             {reason: "-100..100 becomes 0..1.", args: args{NetPromoter, "30"}, want: want{Ratio: 0.65}},
		"NPSNegative":     {reason: "A score may be negative.", args: args{NetPromoter, "-40"}, want: want{Ratio: 0.3}},
		"NPSZero":         {reason: "0 is the middle of the scale, not its bottom.", args: args{NetPromoter, "0"}, want: want{Ratio: 0.5}},
		"Mean":            {reason: "4.2 on a scale of 1 to 5.", args: args{stars, "4.2"}, want: want{Ratio: 0.8}},
		"PlainForPercent": {
			reason: "30 is not 30%, and may be a score that landed on the wrong kind.", args: args{Percent, "30"},
			want: want{Err: `target "30" is a plain number, but this indicator is measured in percent: write it like "75%"`},
		},
		"RatioForPercent": {
			reason: "0.75 could mean 75% or 0.75%.", args: args{Percent, "0.75"},
			want: want{Err: `target "0.75" is a plain number, but this indicator is measured in percent: write it like "75%"`},
		},
		"PercentForApdex": {
			reason: "Apdex is not a percentage.", args: args{Apdex, "85%"},
			want: want{Err: `target "85%" is a percentage, but this indicator is measured as an Apdex score: write it like "0.85"`},
		},
		"PercentForNPS": {
			reason: "NPS is not a percentage.", args: args{NetPromoter, "30%"},
			want: want{Err: `target "30%" is a percentage, but this indicator is measured as a Net Promoter Score: write it like "30"`},
		},
		"PercentForMean": {
			reason: "Stars are not a percentage.", args: args{stars, "80%"},
			want: want{Err: `target "80%" is a percentage, but this indicator is measured as a score: write it like "4"`},
		},
		"Hundred": {
			reason: "A 100% target has no budget.", args: args{Percent, "100%"},
			want: want{Err: `target "100%" leaves no error budget: choose one below 100%, like "75%"`},
		},
		"TopOfNPS": {
			reason: "The top of any scale has no budget.", args: args{NetPromoter, "100"},
			want: want{Err: `target "100" leaves no error budget: choose one below 100, like "30"`},
		},
		"TopOfStars": {
			reason: "The top of any scale has no budget.", args: args{stars, "5.0"},
			want: want{Err: `target "5.0" leaves no error budget: choose one below 5, like "4"`},
		},
		"Zero": {
			reason: "0% is always met.", args: args{Percent, "0%"},
			want: want{Err: `target "0%" promises nothing: choose one above 0%, like "75%"`},
		},
		"MinusZero": {
			reason: "-0 is 0.", args: args{Percent, "-0%"},
			want: want{Err: `target "-0%" promises nothing: choose one above 0%, like "75%"`},
		},
		"BottomOfNPS": {
			reason: "The bottom of any scale is always met.", args: args{NetPromoter, "-100"},
			want: want{Err: `target "-100" promises nothing: choose one above -100, like "30"`},
		},
		"BottomOfStars": {
			reason: "No rating is below one star.", args: args{stars, "1"},
			want: want{Err: `target "1" promises nothing: choose one above 1, like "4"`},
		},
		"Above": {
			reason: "More than everything.", args: args{Percent, "120%"},
			want: want{Err: `target "120%" is off the scale from 0% to 100%: write it like "75%"`},
		},
		"Below": {
			reason: "Less than one star.", args: args{stars, "0.5"},
			want: want{Err: `target "0.5" is off the scale from 1 to 5: write it like "4"`},
		},
		"Empty": {
			reason: "Nothing is no number.", args: args{Percent, ""},
			want: want{Err: `target "" is not a decimal number: write it like "75%"`},
		},
		"Sign": {
			reason: "A sign alone is no number.", args: args{Percent, "%"},
			want: want{Err: `target "%" is not a decimal number: write it like "75%"`},
		},
		"Comma": {
			reason: "Decimals take a point.", args: args{NetPromoter, "30,5"},
			want: want{Err: `target "30,5" is not a decimal number: write it like "30"`},
		},
		"Exponent": {
			reason: "One way to write a number.", args: args{NetPromoter, "3e1"},
			want: want{Err: `target "3e1" is not a decimal number: write it like "30"`},
		},
		"Space": {
			reason: "One way to write a number.", args: args{Percent, "75 %"},
			want: want{Err: `target "75 %" is not a decimal number: write it like "75%"`},
		},
		"Fraction": {
			reason: "big.Rat would read 1/2.", args: args{Apdex, "1/2"},
			want: want{Err: `target "1/2" is not a decimal number: write it like "0.85"`},
		},
		"BarePoint": {
			reason: "Digits follow a point.", args: args{Percent, "75.%"},
			want: want{Err: `target "75.%" is not a decimal number: write it like "75%"`},
		},
		"TwoPoints": {
			reason: "One point.", args: args{Percent, "7.5.1%"},
			want: want{Err: `target "7.5.1%" is not a decimal number: write it like "75%"`},
		},
		"SevenDecimals": {
			reason: "More decimals than are ever shown.", args: args{Percent, "99.9999999%"},
			want: want{Err: `target "99.9999999%" has more than 6 decimals: write it like "75%"`},
		},
		"Huge": {
			reason: "No scale reaches that far.", args: args{NetPromoter, "1234567890"},
			want: want{Err: `target "1234567890" is too large: write it like "30"`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ratio, err := tc.args.unit.Parse(tc.args.target)
			if diff := cmp.Diff(tc.want, want{ratio, message(err)}); diff != "" {
				t.Errorf("\n%s\nParse(%q): -want, +got:\n%s", tc.reason, tc.args.target, diff)
			}
		})
	}
}

// TestUnitParseFloor shows where a floor differs from a target: it may be either
// end of the scale.
func TestUnitParseFloor(t *testing.T) {
	type args struct {
		unit  Unit
		floor string
	}
	type want struct {
		Ratio float64
		Err   string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Within":    {reason: "As a target.", args: args{Percent, "95%"}, want: want{Ratio: 0.95}},
		"Top":       {reason: "A release may be asked to be perfect.", args: args{Percent, "100%"}, want: want{Ratio: 1}},
		"Bottom":    {reason: "Or for nothing but to have events.", args: args{NetPromoter, "-100"}, want: want{Ratio: 0}},
		"Beyond":    {reason: "Nothing reaches it.", args: args{stars, "5.1"}, want: want{Err: `floor "5.1" is off the scale from 1 to 5: write it like "4"`}},
		"Below":     {reason: "Everything does.", args: args{Percent, "-1%"}, want: want{Err: `floor "-1%" is off the scale from 0% to 100%: write it like "75%"`}},
		"Percent":   {reason: "A score is no percentage.", args: args{Apdex, "95%"}, want: want{Err: `floor "95%" is a percentage, but this indicator is measured as an Apdex score: write it like "0.85"`}},
		"Plain":     {reason: "And the other way round.", args: args{Percent, "0.95"}, want: want{Err: `floor "0.95" is a plain number, but this indicator is measured in percent: write it like "75%"`}},
		"NoNumber":  {reason: "A word.", args: args{Percent, "most"}, want: want{Err: `floor "most" is not a decimal number: write it like "75%"`}},
		"NoShare":   {reason: "A share of a budget is read the same way.", args: args{Percent, "101%"}, want: want{Err: `floor "101%" is off the scale from 0% to 100%: write it like "75%"`}},
		"HalfShare": {reason: "Halves too.", args: args{Percent, "12.5%"}, want: want{Ratio: 0.125}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ratio, err := tc.args.unit.ParseFloor(tc.args.floor)
			if diff := cmp.Diff(tc.want, want{ratio, message(err)}); diff != "" {
				t.Errorf("\n%s\nParseFloor(%q): -want, +got:\n%s", tc.reason, tc.args.floor, diff)
			}
			if share, err := ParseShare(tc.args.floor); tc.args.unit == Percent && (share != ratio || message(err) != tc.want.Err) {
				t.Errorf("ParseShare(%q) = %v, %v", tc.args.floor, share, err)
			}
		})
	}
}

func TestUnitFormat(t *testing.T) {
	type args struct {
		unit  Unit
		ratio float64
	}
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Percent":       {reason: "One decimal.", args: args{Percent, 0.8127}, want: "81.3%"},
		"PercentWhole":  {reason: "Zeros say nothing.", args: args{Percent, 0.75}, want: "75%"},
		"PercentAll":    {reason: "Everything earned.", args: args{Percent, 1}, want: "100%"},
		"PercentAlmost": {reason: "One bad event in 100,000 must show.", args: args{Percent, 0.99999}, want: "99.999%"},
		"PercentOneOf33M": {
			reason: "One bad event in 33 million must show.",
			args:   args{Percent, 33022381.0 / 33022382}, want: "99.999997%",
		},
		"PercentBeyondDecimals": {
			reason: "What six decimals cannot show is rounded away from the end, not onto it.",
			args:   args{Percent, 1 - 1e-10}, want: "99.999999%",
		},
		"PercentNone":   {reason: "Nothing earned.", args: args{Percent, 0}, want: "0%"},
		"PercentHardly": {reason: "One good event in 5,000 must show.", args: args{Percent, 0.0002}, want: "0.02%"},
		"PercentTrace": {
			reason: "What six decimals cannot show is rounded away from the end, not onto it.",
			args:   args{Percent, 1e-10}, want: "0.000001%",
		},
		"PercentBeyond": {reason: "Impossible figures stay visible.", args: args{Percent, 1.5}, want: "150%"},
		"PercentBelow":  {reason: "Impossible figures stay visible.", args: args{Percent, -0.5}, want: "-50%"},
		"NaN":           {reason: "Even nonsense is written, and ends.", args: args{Percent, math.NaN()}, want: "NaN%"},
		"Infinite":      {reason: "Even nonsense is written, and ends.", args: args{Apdex, math.Inf(1)}, want: "+Inf"},
		"Apdex":         {reason: "Two decimals.", args: args{Apdex, 0.9149}, want: "0.91"},
		"ApdexAlmost":   {reason: "One frustrated user in 1,000.", args: args{Apdex, 0.999}, want: "0.999"},
		"NPS":           {reason: "Whole points.", args: args{NetPromoter, 0.67}, want: "34"},
		"NPSNegative":   {reason: "More detractors than promoters.", args: args{NetPromoter, 0.3}, want: "-40"},
		"NPSNoMinus":    {reason: "-0 is no score.", args: args{NetPromoter, 0.499}, want: "0"},
		"NPSTens":       {reason: "Zeros before the point are not decimals.", args: args{NetPromoter, 0.75}, want: "50"},
		"Mean":          {reason: "One decimal.", args: args{stars, 0.8}, want: "4.2"},
		"MeanTop":       {reason: "Every response the highest.", args: args{stars, 1}, want: "5"},
		"MeanAlmostTop": {reason: "One response below the highest.", args: args{stars, 0.9999}, want: "4.9996"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.unit.Format(tc.args.ratio)); diff != "" {
				t.Errorf("\n%s\nFormat(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestUnitFormatAgainst(t *testing.T) {
	type args struct {
		unit          Unit
		ratio, target float64
	}
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Far":          {reason: "Far from the target one decimal will do.", args: args{Percent, 0.8127, 0.75}, want: "81.3%"},
		"JustMissed":   {reason: "74.97% must not read as 75%.", args: args{Percent, 0.7497, 0.75}, want: "74.97%"},
		"JustMet":      {reason: "75.03% may read as 75%, which is met.", args: args{Percent, 0.7503, 0.75}, want: "75%"},
		"FineTarget":   {reason: "One decimal would read 100%, two read as met.", args: args{Percent, 0.99951, 0.9995}, want: "99.95%"},
		"FineMissed":   {reason: "99.949% may read as 99.9%, which is missed.", args: args{Percent, 0.99949, 0.9995}, want: "99.9%"},
		"MetRoundsOff": {reason: "75.24% meets 75.22% and must not read as 75.2%.", args: args{Percent, 0.7524, 0.7522}, want: "75.24%"},
		"Exact":        {reason: "Met exactly.", args: args{Percent, 0.9995, 0.9995}, want: "99.95%"},
		"Tie":          {reason: "A tie that rounding broke reads as met.", args: args{Percent, 0.75 - 1e-15, 0.75}, want: "75%"},
		"Hairline": {
			reason: "What six decimals cannot show is rounded to the true side of the target.",
			args:   args{Percent, 0.75 - 1e-10, 0.75}, want: "74.999999%",
		},
		"Trace": {
			reason: "Between the bottom and the least target six decimals have no room: the verdict goes first.",
			args:   args{Percent, 5e-9, 1e-8}, want: "0%",
		},
		"NPSMissed":  {reason: "29.7 must not read as 30.", args: args{NetPromoter, 0.6485, 0.65}, want: "29.7"},
		"NPSMet":     {reason: "30.4 may read as 30, which is met.", args: args{NetPromoter, 0.652, 0.65}, want: "30"},
		"MeanMissed": {reason: "4.19 must not read as 4.2.", args: args{stars, 0.7975, 0.8}, want: "4.19"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.args.unit.FormatAgainst(tc.args.ratio, tc.args.target)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nFormatAgainst(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestUnitFormatTarget(t *testing.T) {
	type args struct {
		unit  Unit
		ratio float64
	}
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Whole":      {reason: "No decimals where none were written.", args: args{Percent, 0.75}, want: "75%"},
		"Two":        {reason: "As many decimals as were written.", args: args{Percent, 0.9995}, want: "99.95%"},
		"Six":        {reason: "Up to six.", args: args{Percent, 0.99999999}, want: "99.999999%"},
		"Unwritable": {reason: "A ratio nobody can write is rounded.", args: args{Percent, 1.0 / 3}, want: "33.333333%"},
		"NPS":        {reason: "Back to the scale.", args: args{NetPromoter, 0.65}, want: "30"},
		"Mean":       {reason: "Back to the scale.", args: args{stars, 0.8}, want: "4.2"},
		"Apdex":      {reason: "Back to the scale.", args: args{Apdex, 0.9}, want: "0.9"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.unit.FormatTarget(tc.args.ratio)); diff != "" {
				t.Errorf("\n%s\nFormatTarget(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// drawUnit draws any unit, means of odd scales included.
func drawUnit(t *rapid.T) Unit {
	switch rapid.IntRange(0, 3).Draw(t, "unit") {
	case 0:
		return Percent
	case 1:
		return Apdex
	case 2:
		return NetPromoter
	}
	lowest := float64(rapid.IntRange(-1000, 998).Draw(t, "lowest"))
	highest := float64(rapid.IntRange(int(lowest)+1, 1000).Draw(t, "highest"))
	return mustMean(lowest, highest)
}

// drawTarget draws a target that the unit accepts, with its ratio.
func drawTarget(t *rapid.T, u Unit) (text string, ratio float64) {
	low, high := int64(u.lowest*1e6), int64(u.highest*1e6)
	millionths := rapid.Int64Range(low+1, high-1).Draw(t, "millionths")
	text = strconv.FormatFloat(float64(millionths)/1e6, 'f', 6, 64)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".") + u.suffix
	ratio, err := u.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return text, ratio
}

// What is parsed is shown as it was written, to the last decimal.
func TestUnitRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUnit(t)
		text, ratio := drawTarget(t, u)
		if !(0 < ratio && ratio < 1) {
			t.Fatalf("Parse(%q) = %v", text, ratio)
		}
		if got := u.FormatTarget(ratio); got != text {
			t.Fatalf("FormatTarget(Parse(%q)) = %q", text, got)
		}
	})
}

// A figure never claims more or less than the verdict beside it, however close they
// are.
func TestFormatAgainstAgreesWithTheVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUnit(t)
		_, target := drawTarget(t, u)
		ratio := rapid.Float64Range(0, 1).Draw(t, "ratio")
		if rapid.Bool().Draw(t, "close") {
			gap := math.Pow10(-rapid.IntRange(1, 14).Draw(t, "exponent"))
			ratio = clamp(target + rapid.SampledFrom([]float64{-gap, 0, gap}).Draw(t, "gap"))
		}
		text := u.FormatAgainst(ratio, target)
		shown := u.shown(text)
		if Meets(shown, target) != Meets(ratio, target) {
			t.Fatalf("ratio %v, target %v, shown %q", ratio, target, text)
		}
		leastTarget := math.Pow10(-maxDecimals) / (u.highest - u.lowest)
		if roomy := target > 1.5*leastTarget; roomy && (ratio > tieNoise) != (shown > 0) {
			t.Fatalf("ratio %v reads as the bottom of the scale: %q", ratio, text)
		}
		if (ratio < 1-tieNoise) != (shown < 1) {
			t.Fatalf("ratio %v reads as the top of the scale: %q", ratio, text)
		}
		step := math.Pow10(-u.decimals) / (u.highest - u.lowest)
		if math.Abs(shown-ratio) > step {
			t.Fatalf("ratio %v is shown as %q, more than one step away", ratio, text)
		}
	})
}

func FuzzUnitParse(f *testing.F) {
	for _, seed := range []string{"75%", "99.95%", "30", "-40", "4.2", "0.85", "100%", "", "%", "1e3", "0x1p-2", "1_000", "٣%", "-.5", "00075.50%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		for _, u := range []Unit{Percent, Apdex, NetPromoter, stars} {
			ratio, err := u.Parse(target)
			if err != nil {
				if ratio != 0 || !strings.Contains(err.Error(), strconv.Quote(target)) {
					t.Errorf("%s: Parse(%q) = %v, %v: want no ratio and the value in the message", u, target, ratio, err)
				}
				continue
			}
			again, err := u.Parse(u.FormatTarget(ratio))
			if err != nil || again != ratio || !(0 < ratio && ratio < 1) {
				t.Errorf("%s: Parse(%q) = %v, but its format reads back as %v, %v", u, target, ratio, again, err)
			}
		}
	})
}
