package slo

import (
	"fmt"
	"math"
)

// Level is the confidence of a two-sided interval, such as 0.95.
type Level float64

// ParseLevel reads a confidence such as "95%". It must be at least 50%, because a
// lower one would call a guess a verdict, and below 100%, which no sample reaches.
func ParseLevel(text string) (Level, error) {
	value, percent, err := parseDecimal(text)
	if err != nil {
		return 0, fmt.Errorf("parse confidence: %q %w: write it like \"95%%\"", text, err)
	}
	if !percent {
		return 0, fmt.Errorf("parse confidence: %q is a plain number: write it like \"95%%\"", text)
	}
	ratio := Percent.ratio(value)
	if ratio < 0.5 || ratio >= 1 {
		return 0, fmt.Errorf("parse confidence: %q is not between 50%% and 100%%: write it like \"95%%\"", text)
	}
	return Level(ratio), nil
}

// String writes the level as it was parsed, such as "95%".
func (l Level) String() string {
	return Percent.FormatTarget(float64(l))
}

// z is the two-sided quantile of the standard normal distribution:
// P(|Z| < z) = erf(z/√2) = level, about 1.96 at 95%.
func (l Level) z() float64 {
	return math.Sqrt2 * math.Erfinv(float64(l))
}

// Wilson returns the score interval of a proportion, as ratios in [0,1], for
// points earned out of events:
//
//	(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)
//
// Source: E. B. Wilson, "Probable inference, the law of succession, and
// statistical inference", Journal of the American Statistical Association 22
// (1927). It is defined for events that earn 0 or 1. For events that earn parts
// of a point (Apdex, mean scores) it is conservative, that is too wide rather than
// too narrow, because no variable bounded to [0,1] with mean m varies by more than
// m(1−m). Points are clamped to [0, events]. Without events nothing is known, and
// the answer is the whole scale, 0 to 1.
func Wilson(points, events float64, level Level) (lo, hi float64) {
	if !(events > 0) || math.IsNaN(points) {
		return 0, 1
	}
	p := clamp(points / events)
	z := level.z()
	zz := z * z / events
	centre := p + zz/2
	margin := math.Sqrt(p*(1-p)*zz + zz*zz/4)
	lo, hi = (centre-margin)/(1+zz), (centre+margin)/(1+zz)
	return math.Min(clamp(lo), p), math.Max(clamp(hi), p)
}

// NetPromoterInterval returns the confidence interval of a Net Promoter Score, as
// ratios in [0,1] of its scale from −100 to 100:
//
//	Var = p₊ + p₋ − (p₊ − p₋)²,  margin = z·√(Var/n) in hundredths of a score
//
// which is the normal approximation for the mean of responses worth 1, 0 and −1.
// The ratio scale is half as long, so the margin is halved. The approximation
// claims certainty when every response falls in one group, however few they are;
// there the wider Wilson interval is returned. Without responses the answer is the
// whole scale, 0 to 1.
func NetPromoterInterval(promoters, detractors, responses float64, level Level) (lo, hi float64) {
	if !(responses > 0) {
		return 0, 1
	}
	up, down := promoters/responses, detractors/responses
	score := up - down
	centre := (score + 1) / 2
	variance := up + down - score*score
	if !(variance > clampNoise) {
		return Wilson(centre*responses, responses, level)
	}
	margin := level.z() * math.Sqrt(variance/responses) / 2
	return clamp(centre - margin), clamp(centre + margin)
}

func clamp(ratio float64) float64 {
	return math.Min(1, math.Max(0, ratio))
}
