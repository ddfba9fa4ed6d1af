package slo

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

type durationUnit struct {
	symbol byte
	length time.Duration
}

// durationUnits are the units of ParseDuration from the longest to the shortest.
// Months and years are missing on purpose: they have no fixed length here, and
// calendar windows say them exactly.
var durationUnits = []durationUnit{
	{'w', 7 * 24 * time.Hour},
	{'d', 24 * time.Hour},
	{'h', time.Hour},
	{'m', time.Minute},
	{'s', time.Second},
}

// ParseDuration reads a duration as Prometheus writes it: whole numbers with the
// units w, d, h, m and s, each at most once and from the longest to the shortest,
// such as "28d", "4w" or "1h30m". A day is 24 hours. Signs, fractions, bare numbers
// and other units are refused, as is anything longer than a time.Duration holds,
// about 292 years.
func ParseDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, fmt.Errorf("parse duration %q: it is empty: write it like \"28d\" or \"1h30m\"", s)
	}
	var total time.Duration
	units := durationUnits
	for rest := s; rest != ""; {
		count, after, err := leadingCount(rest)
		if err != nil {
			return 0, fmt.Errorf("parse duration %q: %w", s, err)
		}
		at := unitIndex(units, after)
		if at < 0 {
			return 0, fmt.Errorf("parse duration %q: "+
				"units are w, d, h, m and s, each once and the longest first: write it like \"28d\" or \"1h30m\"", s)
		}
		length := units[at].length
		if count > (math.MaxInt64-int64(total))/int64(length) {
			return 0, fmt.Errorf("parse duration %q: it is longer than 292 years", s)
		}
		total += time.Duration(count) * length
		units, rest = units[at+1:], after[1:]
	}
	return total, nil
}

// unitIndex finds the unit whose symbol the text begins with, or -1.
func unitIndex(units []durationUnit, text string) int {
	return slices.IndexFunc(units, func(unit durationUnit) bool {
		return text != "" && text[0] == unit.symbol
	})
}

// leadingCount cuts the whole number that the text begins with.
func leadingCount(text string) (count int64, rest string, err error) {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	switch {
	case end == 0:
		return 0, "", fmt.Errorf("%q does not begin with a whole number: write it like \"28d\" or \"1h30m\"", text)
	case end < 0:
		return 0, "", fmt.Errorf("%q has no unit: write it like \"28d\" or \"1h30m\"", text)
	}
	for _, digit := range text[:end] {
		if count > (math.MaxInt64-9)/10 {
			return 0, "", fmt.Errorf("%q is longer than 292 years", text)
		}
		count = count*10 + int64(digit-'0')
	}
	return count, text[end:], nil
}

// FormatDuration writes a duration in days, hours, minutes and seconds, leaving
// out what is zero: "28d", "1h30m", "0s". It never writes weeks, because people
// compare windows in days. Parts of a second are rounded; a negative duration
// begins with a minus, which ParseDuration does not read.
func FormatDuration(d time.Duration) string {
	d = d.Round(time.Second)
	if d == 0 {
		return "0s"
	}
	var out strings.Builder
	if d < 0 {
		out.WriteByte('-')
	}
	for _, unit := range durationUnits[1:] {
		if count := (d / unit.length).Abs(); count > 0 {
			fmt.Fprintf(&out, "%d%c", count, unit.symbol)
		}
		d %= unit.length
	}
	return out.String()
}
