package slo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// interval is a pair of ratios.
type interval struct{ Lo, Hi float64 }

func TestParseLevel(t *testing.T) {
	type want struct {
		Level Level
		Err   string
	}
	cases := map[string]struct {
		reason string
		args   string
		want   want
	}{
		"Usual":    {reason: "The usual level.", args: "95%", want: want{Level: 0.95}},
		"Decimals": {reason: "Fractions are allowed.", args: "99.9%", want: want{Level: 0.999}},
		"Lowest":   {reason: "Half is the least.", args: "50%", want: want{Level: 0.5}},
		"Plain": {
			reason: "A plain number is ambiguous: 0.95 or 95?", args: "0.95",
			want: want{Err: `parse confidence: "0.95" is a plain number: write it like "95%"`},
		},
		"Certain": {
			reason: "No sample makes certain.", args: "100%",
			want: want{Err: `parse confidence: "100%" is not between 50% and 100%: write it like "95%"`},
		},
		"Guess": {
			reason: "Less than half is a guess.", args: "49.9%",
			want: want{Err: `parse confidence: "49.9%" is not between 50% and 100%: write it like "95%"`},
		},
		"Word": {
			reason: "Words are no numbers.", args: "high",
			want: want{Err: `parse confidence: "high" is not a decimal number: write it like "95%"`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			level, err := ParseLevel(tc.args)
			if diff := cmp.Diff(tc.want, want{level, message(err)}); diff != "" {
				t.Errorf("\n%s\nParseLevel(...): -want, +got:\n%s", tc.reason, diff)
			}
			if err == nil && level.String() != tc.args {
				t.Errorf("\n%s\nString() = %q, want %q", tc.reason, level, tc.args)
			}
		})
	}
}

// message is the text of an error, or nothing.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLevelQuantile(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   Level
		want   float64
	}{
		"50": {reason: "The quartile of any normal table.", args: 0.50, want: 0.67449},
		"90": {reason: "As in any normal table.", args: 0.90, want: 1.64485},
		"95": {reason: "As in any normal table.", args: 0.95, want: 1.95996},
		"99": {reason: "As in any normal table.", args: 0.99, want: 2.57583},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.args.z(), approx(5e-6)); diff != "" {
				t.Errorf("\n%s\nz(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestWilson(t *testing.T) {
	type args struct{ points, events float64 }
	cases := map[string]struct {
		reason string
		args   args
		want   interval
	}{
		"Survey20": {
			reason: "18 of 20 content is published as .699 to .972.",
			args:   args{18, 20}, want: interval{0.699, 0.972},
		},
		"Survey500": {
			reason: "450 of 500 content is published as .871 to .923.",
			args:   args{450, 500}, want: interval{0.871, 0.923},
		},
		"TenOfTen": {
			reason: "Ten completed tasks of ten do not prove that all complete: n/(n+z²) = .722.",
			args:   args{10, 10}, want: interval{0.722, 1},
		},
		"NoneOfTen": {
			reason: "The mirror of ten of ten.",
			args:   args{0, 10}, want: interval{0, 0.278},
		},
		"NoEvents": {
			reason: "Nothing is known, not even that it is bad.",
			args:   args{0, 0}, want: interval{0, 1},
		},
		"NaN": {
			reason: "Nothing is known.",
			args:   args{math.NaN(), 10}, want: interval{0, 1},
		},
		"PointsBeyondEvents": {
			reason: "Points are clamped to the events.",
			args:   args{12, 10}, want: interval{0.722, 1},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			lo, hi := Wilson(tc.args.points, tc.args.events, 0.95)
			if diff := cmp.Diff(tc.want, interval{lo, hi}, approx(0.0005)); diff != "" {
				t.Errorf("\n%s\nWilson(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// Wilson's bounds are by definition the proportions b at which the observed p lies
// exactly z standard errors away: (p − b)² = z²·b(1 − b)/n. The closed form is held
// against that definition, not against itself.
func TestWilsonInvertsTheScoreTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Float64Range(1, 1e6).Draw(t, "events")
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		level := Level(rapid.Float64Range(0.5, 0.9999).Draw(t, "level"))
		lo, hi := Wilson(p*n, n, level)
		z := math.Sqrt2 * math.Erfinv(float64(level))
		for _, bound := range []float64{lo, hi} {
			left, right := (p-bound)*(p-bound), z*z*bound*(1-bound)/n
			if math.Abs(left-right) > 1e-9 {
				t.Fatalf("bound %v of %v/%v at %v: %v != %v", bound, p*n, n, level, left, right)
			}
		}
		if !(0 <= lo && lo <= p*n/n && p*n/n <= hi && hi <= 1) {
			t.Fatalf("%v is not within [%v, %v]", p, lo, hi)
		}
	})
}

// The doc says that Wilson is conservative for events that earn half a point. Here
// it is asked to hold the true mean of Apdex-like events at least as often as its
// level promises.
func TestWilsonIsConservativeForHalfPoints(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const trials, size = 4000, 40
	mixes := map[string]struct {
		reason                string
		satisfied, tolerating float64
	}{
		"Apdex":      {reason: "The published Apdex sample.", satisfied: 0.6, tolerating: 0.3},
		"AllMiddle":  {reason: "Mostly half points, where variance is smallest.", satisfied: 0.1, tolerating: 0.8},
		"NearlyGood": {reason: "Close to the end of the scale.", satisfied: 0.9, tolerating: 0.08},
	}
	for name, mix := range mixes {
		t.Run(name, func(t *testing.T) {
			truth := mix.satisfied + mix.tolerating/2
			covered := 0
			for range trials {
				points := 0.0
				for range size {
					switch draw := random.Float64(); {
					case draw < mix.satisfied:
						points++
					case draw < mix.satisfied+mix.tolerating:
						points += 0.5
					}
				}
				if lo, hi := Wilson(points, size, 0.95); lo <= truth && truth <= hi {
					covered++
				}
			}
			if got := float64(covered) / trials; got < 0.95 {
				t.Errorf("\n%s\nWilson held the truth in %.1f%% of samples, want at least 95%%", mix.reason, 100*got)
			}
		})
	}
}

func TestNetPromoterInterval(t *testing.T) {
	type args struct{ promoters, detractors, responses float64 }
	// around is a score and its margin, as they are published, in ratio units.
	around := func(score, margin float64) interval {
		return interval{(score - margin + 100) / 200, (score + margin + 100) / 200}
	}
	cases := map[string]struct {
		reason string
		args   args
		want   interval
	}{
		"Fifty":    {reason: "p+=.5 p-=.2 n=50 is published as ±21.6.", args: args{25, 10, 50}, want: around(30, 21.6)},
		"TwoHund":  {reason: "p+=.5 p-=.2 n=200 is published as ±10.8.", args: args{100, 40, 200}, want: around(30, 10.8)},
		"Thousand": {reason: "p+=.5 p-=.2 n=1000 is published as ±4.8.", args: args{500, 200, 1000}, want: around(30, 4.8)},
		"AllPromoters": {
			reason: "Three promoters of three are no proof of a perfect score: Wilson takes over, 3/(3+z²).",
			args:   args{3, 0, 3}, want: interval{0.4385, 1},
		},
		"AllDetractors": {
			reason: "The mirror of three promoters.",
			args:   args{0, 3, 3}, want: interval{0, 0.5615},
		},
		"AllPassive": {
			reason: "Four passives have no variance either, and are no proof of a 0.",
			args:   args{0, 0, 4}, want: interval{0.15, 0.85},
		},
		"Clamped": {
			reason: "An interval never leaves the scale.",
			args:   args{4, 0, 5}, want: interval{0.7247, 1},
		},
		"NoResponses": {reason: "Nothing is known.", args: args{0, 0, 0}, want: interval{0, 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			lo, hi := NetPromoterInterval(tc.args.promoters, tc.args.detractors, tc.args.responses, 0.95)
			// A twentieth of a score is what one printed decimal says.
			if diff := cmp.Diff(tc.want, interval{lo, hi}, approx(0.05/200)); diff != "" {
				t.Errorf("\n%s\nNetPromoterInterval(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// The variance formula is held against the variance of the responses themselves.
func TestNetPromoterIntervalFollowsTheResponses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		promoters := rapid.IntRange(1, 500).Draw(t, "promoters")
		passives := rapid.IntRange(1, 500).Draw(t, "passives")
		detractors := rapid.IntRange(1, 500).Draw(t, "detractors")
		n := float64(promoters + passives + detractors)
		mean := (float64(promoters) + float64(passives)/2) / n
		squares := 0.0
		for value, count := range map[float64]int{0: detractors, 0.5: passives, 1: promoters} {
			squares += float64(count) * (value - mean) * (value - mean)
		}
		margin := 1.959963984540054 * math.Sqrt(squares/n/n)
		want := interval{math.Max(0, mean-margin), math.Min(1, mean+margin)}
		lo, hi := NetPromoterInterval(float64(promoters), float64(detractors), n, 0.95)
		if diff := cmp.Diff(want, interval{lo, hi}, approx(1e-9)); diff != "" {
			t.Fatalf("-want, +got:\n%s", diff)
		}
	})
}
