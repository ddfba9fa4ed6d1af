package promql

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// boundaryPattern matches every usual spelling of a bucket boundary.
func boundaryPattern(boundary float64) string {
	var quoted []string
	for _, s := range spellings(boundary) {
		quoted = append(quoted, regexp.QuoteMeta(s))
	}
	return strings.Join(quoted, "|")
}

func spellings(boundary float64) []string {
	plain := strconv.FormatFloat(boundary, 'f', -1, 64)
	out := []string{plain}
	if !strings.Contains(plain, ".") {
		out = append(out, plain+".0")
	}
	if short := strconv.FormatFloat(boundary, 'g', -1, 64); short != plain {
		out = append(out, short)
	}
	return out
}

// Boundaries are the finite upper bounds of a classic histogram's buckets, in
// rising order.
type Boundaries []float64

// NewBoundaries reads the values of le labels; what is no finite number, +Inf
// included, is left out.
func NewBoundaries(le []string) Boundaries {
	var out Boundaries
	for _, text := range le {
		value, err := strconv.ParseFloat(text, 64)
		if err == nil && !math.IsInf(value, 0) && !math.IsNaN(value) {
			out = append(out, value)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Around finds a value among the boundaries: exact when it is one of them, and
// otherwise the nearest boundaries below and above, NaN where there is none.
func (b Boundaries) Around(value float64) (below, above float64, exact bool) {
	i, found := slices.BinarySearchFunc(b, value, cmp.Compare[float64])
	if found {
		return value, value, true
	}
	below, above = math.NaN(), math.NaN()
	if i > 0 {
		below = b[i-1]
	}
	if i < len(b) {
		above = b[i]
	}
	return below, above, false
}

// Nearest words the boundaries around a value, for an error.
func (b Boundaries) Nearest(value float64) string {
	below, above, _ := b.Around(value)
	switch {
	case math.IsNaN(below) && math.IsNaN(above):
		return "the histogram has no finite bucket"
	case math.IsNaN(below):
		return fmt.Sprintf("the nearest boundary is %s", number(above))
	case math.IsNaN(above):
		return fmt.Sprintf("the nearest boundary is %s", number(below))
	default:
		return fmt.Sprintf("the nearest boundaries are %s and %s", number(below), number(above))
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
