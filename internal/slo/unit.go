package slo

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDecimals bounds what a target may be written with and what a figure is shown
// with, so that every target can be shown exactly.
const maxDecimals = 6

// maxScale bounds the ends of a scale, so that six decimals of any value survive
// in a float64.
const maxScale = 1000

// Unit turns a ratio in [0,1] into what people read, and back. The zero Unit
// measures nothing; use Percent, Apdex, NetPromoter or Mean. Units are comparable.
type Unit struct {
	name            string
	noun            string // how an error names the unit
	example         string // a target that is well written
	lowest, highest float64
	decimals        int
	suffix          string
}

var (
	// Percent shows a ratio as "81.3%". Targets are written "75%" or "99.95%".
	Percent = Unit{
		name: "percent", noun: "in percent", example: "75%",
		lowest: 0, highest: 100, decimals: 1, suffix: "%",
	}
	// Apdex shows a ratio as "0.91", on a scale from 0 to 1.
	Apdex = Unit{
		name: "apdex", noun: "as an Apdex score", example: "0.85",
		lowest: 0, highest: 1, decimals: 2,
	}
	// NetPromoter shows a ratio as "34", on a scale from -100 to 100.
	NetPromoter = Unit{
		name: "nps", noun: "as a Net Promoter Score", example: "30",
		lowest: -100, highest: 100, decimals: 0,
	}
)

// Mean returns the unit of an average score, which shows a ratio as a value of the
// scale, such as "4.2". The scale's ends must lie within ±1000 and at least 1
// apart.
func Mean(lowest, highest float64) (Unit, error) {
	if !(math.Abs(lowest) <= maxScale) || !(math.Abs(highest) <= maxScale) || !(highest-lowest >= 1) {
		return Unit{}, fmt.Errorf("build scale from %v to %v: "+
			"lowest must be at least 1 below highest, and both within ±1000", lowest, highest)
	}
	u := Unit{name: "mean", noun: "as a score", lowest: lowest, highest: highest, decimals: 1}
	u.example = u.text(0.75, u.decimals)
	return u, nil
}

// String names the kind of unit: percent, apdex, nps or mean.
func (u Unit) String() string { return u.name }

// Parse reads a target written in the unit and returns it as a ratio strictly
// between 0 and 1. Its errors name the value and say what to write instead: for a
// plain number where a percentage is due and the other way round, a value off the
// scale, the top of the scale (which leaves no error budget), its bottom (which
// promises nothing) and more than six decimals.
func (u Unit) Parse(target string) (ratio float64, err error) {
	ratio, err = u.read("target", target)
	if err != nil {
		return 0, err
	}
	return u.inside(target, ratio)
}

// ParseFloor reads an attainment that is asked for at least, which may be either
// end of the scale: a floor needs no error budget. Its errors are those of Parse.
func (u Unit) ParseFloor(floor string) (ratio float64, err error) {
	ratio, err = u.read("floor", floor)
	if err == nil && (ratio > 1 || ratio < 0) {
		return 0, u.offScale("floor", floor)
	}
	return ratio, err
}

// read reads a value of the unit, on its scale or off it.
func (u Unit) read(what, text string) (ratio float64, err error) {
	value, percent, err := parseDecimal(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s %q %w: write it like %q", what, text, err, u.example)
	case percent && u.suffix == "":
		return 0, fmt.Errorf("%s %q is a percentage, but this indicator is measured %s: write it like %q",
			what, text, u.noun, u.example)
	case !percent && u.suffix != "":
		return 0, fmt.Errorf("%s %q is a plain number, but this indicator is measured %s: write it like %q",
			what, text, u.noun, u.example)
	}
	return u.ratio(value), nil
}

func (u Unit) offScale(what, text string) error {
	return fmt.Errorf("%s %q is off the scale from %s to %s: write it like %q",
		what, text, u.text(0, u.decimals), u.text(1, u.decimals), u.example)
}

// ParseShare reads a share of a whole in percent, from "0%" to "100%", as a ratio.
func ParseShare(text string) (ratio float64, err error) { return Percent.ParseFloor(text) }

// inside refuses a target at or beyond the ends of the scale.
func (u Unit) inside(target string, ratio float64) (float64, error) {
	bottom, top := u.text(0, u.decimals), u.text(1, u.decimals)
	switch {
	case ratio > 1 || ratio < 0:
		return 0, u.offScale("target", target)
	case ratio == 1:
		return 0, fmt.Errorf("target %q leaves no error budget: choose one below %s, like %q",
			target, top, u.example)
	case ratio == 0:
		return 0, fmt.Errorf("target %q promises nothing: choose one above %s, like %q",
			target, bottom, u.example)
	}
	return ratio, nil
}

// Format writes a ratio for people. It rounds to the unit's usual decimals and
// takes more, up to six, rather than read as the top of the scale when anything
// was lost, or as its bottom when anything was earned.
func (u Unit) Format(ratio float64) string {
	return u.render(ratio, func(shown float64) bool { return u.honestEnds(ratio, shown) })
}

// FormatAgainst is Format for a ratio that is shown beside its target: it also
// takes more decimals rather than read as reaching a target that is missed, or as
// missing one that is reached.
func (u Unit) FormatAgainst(ratio, target float64) string {
	return u.render(ratio, func(shown float64) bool {
		return u.honestEnds(ratio, shown) && Meets(shown, target) == Meets(ratio, target)
	})
}

// FormatTarget writes a target with the fewest decimals that Parse reads back to
// the same ratio, at most six.
func (u Unit) FormatTarget(ratio float64) string {
	for decimals := range maxDecimals {
		text := u.text(ratio, decimals)
		if math.Abs(u.shown(text)-ratio) <= tieNoise {
			return text
		}
	}
	return u.text(ratio, maxDecimals)
}

// honestEnds reports whether both ratios lie on the same side of each end of the
// scale.
func (u Unit) honestEnds(ratio, shown float64) bool {
	return Meets(shown, 1) == Meets(ratio, 1) && Meets(0, shown) == Meets(0, ratio)
}

// render writes the ratio with the fewest decimals that honest accepts. Where even
// the last decimal rounds across a line, it rounds to the other side: up if that is
// honest, else down, which never claims more than was earned.
func (u Unit) render(ratio float64, honest func(shown float64) bool) string {
	for decimals := u.decimals; decimals <= maxDecimals; decimals++ {
		text := u.text(ratio, decimals)
		if honest(u.shown(text)) {
			return text
		}
	}
	scale := math.Pow10(maxDecimals)
	up := u.write(math.Ceil(u.value(ratio)*scale)/scale, maxDecimals)
	if honest(u.shown(up)) {
		return up
	}
	return u.write(math.Floor(u.value(ratio)*scale)/scale, maxDecimals)
}

// value places a ratio on the unit's scale.
func (u Unit) value(ratio float64) float64 {
	return u.lowest + ratio*(u.highest-u.lowest)
}

// text writes a ratio with at most so many decimals.
func (u Unit) text(ratio float64, decimals int) string {
	return u.write(u.value(ratio), decimals)
}

// write prints a value of the scale without trailing zeros and without "-0".
func (u Unit) write(value float64, decimals int) string {
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0"
	}
	return text + u.suffix
}

// shown reads back what write printed, as a ratio. It runs for every figure of every
// evaluation, so it takes the float64 quotient, which on these scales is within a
// tenth of a tie of the exact one.
func (u Unit) shown(text string) float64 {
	value, _ := strconv.ParseFloat(strings.TrimSuffix(text, u.suffix), 64) // write prints numbers
	return (value - u.lowest) / (u.highest - u.lowest)
}

// ratio maps a decimal of the scale to the float64 nearest to its exact ratio, so
// that "99.95%" equals 1999 good of 2000 to the last bit.
func (u Unit) ratio(value *big.Rat) float64 {
	lowest, highest := exact(u.lowest), exact(u.highest)
	length := highest.Sub(highest, lowest)
	ratio, _ := new(big.Rat).Quo(new(big.Rat).Sub(value, lowest), length).Float64()
	return ratio
}

// exact takes a finite float64 for the shortest decimal that stands for it, which
// is what its author wrote.
func exact(v float64) *big.Rat {
	value, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'f', -1, 64))
	return value
}

var (
	errNotNumber = errors.New("is not a decimal number")
	errPrecision = errors.New("has more than 6 decimals")
	errTooLong   = errors.New("is too large")
)

// parseDecimal reads an optional minus, digits, an optional fraction and an
// optional percent sign. Exponents, spaces and digit separators are refused: the
// API shows targets as they were written, so there is one way to write them.
func parseDecimal(text string) (value *big.Rat, percent bool, err error) {
	number, percent := strings.CutSuffix(text, "%")
	whole, fraction, dotted := strings.Cut(strings.TrimPrefix(number, "-"), ".")
	switch {
	case !digits(whole), dotted && !digits(fraction):
		return nil, false, errNotNumber
	case len(whole) > 9:
		return nil, false, errTooLong
	case len(fraction) > maxDecimals:
		return nil, false, errPrecision
	}
	value, _ = new(big.Rat).SetString(number)
	return value, percent, nil
}

// digits reports whether text is one or more ASCII digits.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
