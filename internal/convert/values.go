package convert

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// decimals is how many a target may have.
const decimals = 5

// promise sets the target from a number that is multiplied by a scale to make it
// a percentage.
func (u *unit) promise(f field, scale int64) {
	if !f.exists() {
		u.fail(f, "it is required: write what is promised")
		return
	}
	value, ok := number(f.text())
	if !ok {
		u.fail(f, "it is no number: write one such as 99.9")
		return
	}
	value.Mul(value, big.NewRat(scale, 1))
	text := plainly(value)
	_, exact := value.FloatPrec()
	switch full := big.NewRat(100, 1); {
	case value.Sign() <= 0 || value.Cmp(full) > 0:
		u.fail(f, "it is %s%%: write one above 0%% and below 100%%", text)
	case value.Cmp(full) == 0:
		u.fail(f, "it is 100%%, which leaves no error budget: promise less, such as 99.99%%")
	case !exact || strings.Contains(text, ".") && len(text)-strings.Index(text, ".")-1 > decimals:
		u.fail(f, "it is %s%%: a target has at most %d decimals: write fewer", text, decimals)
	default:
		u.objective.Spec.Target = v1alpha1.Target(text + "%")
	}
}

// number reads a decimal number.
func number(text string) (*big.Rat, bool) {
	if len(text) > 32 || strings.ContainsAny(text, "/_xXpP") {
		return nil, false
	}
	// An exponent of a thousand digits would be written out.
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); ok && len(exponent) > 3 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// plainly writes a number without an exponent, as far as it goes.
func plainly(value *big.Rat) string {
	digits, _ := value.FloatPrec()
	return value.FloatString(min(digits, 20))
}

// decimal sets a number of an indicator. It is empty, and the objective fails,
// where there is none.
func (u *unit) decimal(f field) v1alpha1.Decimal {
	value, ok := number(f.text())
	if !ok {
		u.fail(f, "it is no number: write one such as 0.5")
		return ""
	}
	text := plainly(value)
	if len(text) > 20 {
		u.fail(f, "it has more than 20 digits: write a shorter one")
	}
	return v1alpha1.Decimal(text)
}

// rolling sets a rolling window from a number of hours.
func (u *unit) rolling(f field, hours float64) {
	whole := int64(hours)
	switch {
	case float64(whole) != hours || whole < 1 || whole > 9600:
		u.fail(f, "a window is a whole number of hours from 1h to 400d: write one such as 28d")
	case whole%24 == 0:
		u.objective.Spec.Window.Rolling = v1alpha1.RollingWindow(strconv.FormatInt(whole/24, 10) + "d")
	default:
		u.objective.Spec.Window.Rolling = v1alpha1.RollingWindow(strconv.FormatInt(whole, 10) + "h")
	}
}

// prometheusWindow sets a rolling window from one of Prometheus' durations.
func (u *unit) prometheusWindow(f field) {
	text := f.text()
	length, err := model.ParseDuration(text)
	if err != nil {
		u.fail(f, "it is no duration: write one such as 28d")
		return
	}
	u.rolling(f, float64(length)/float64(hour))
	if strings.ContainsAny(text, "y") {
		u.note(f, "a year is 365 days: it becomes %s", u.objective.Spec.Window.Rolling)
	}
}

// shorthand reads a duration of OpenSLO: a number and one of m, h, d, w, M, Q, Y.
func shorthand(text string) (count int64, unit string, err error) {
	if text != "" {
		unit = text[len(text)-1:]
		count, err = strconv.ParseInt(text[:len(text)-1], 10, 32)
	}
	if err != nil || count < 1 || !strings.Contains("mhdwMQY", unit) || unit == "" {
		return 0, "", fmt.Errorf("%q is no duration such as 28d", text)
	}
	return count, unit, nil
}

// hour is one in Prometheus' durations.
const hour = model.Duration(3600 * 1e9)

// seconds writes a duration as a number of seconds.
func seconds(d model.Duration) v1alpha1.Decimal {
	return v1alpha1.Decimal(plainly(big.NewRat(int64(d), 1e9)))
}
