package promql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	secondsOfDay  = 24 * 60 * 60
	secondsOfWeek = 7 * secondsOfDay
	// thursday is the second of the week at which 1970 began, where weeks begin on
	// Monday.
	thursday = 3 * secondsOfDay
)

// Stretch is a stretch of time in seconds: from From on and up to To.
type Stretch struct{ From, To int64 }

// Offset is how many seconds a clock is ahead of UTC from a second on.
type Offset struct{ From, Seconds int64 }

// Hours are opening hours as PromQL can tell them.
type Hours struct {
	// ID is the same for hours that mean the same, however far ahead they are told.
	ID string
	// Weekly are seconds since midnight on each day, Monday first, in order, by a
	// clock that is ahead by Offsets; the first of those counts before it too.
	Weekly  [7][]Stretch
	Offsets []Offset
	// Closed is not open whatever the week says, and Opened is, whatever Closed says;
	// both in seconds since 1970.
	Closed, Opened []Stretch
}

// Open is an expression that is there in the minutes that are open, and gives
// nothing in others. All boundaries are whole minutes: whenever it is evaluated in
// the minute after its beginning, up to its end, it tells of that minute. It is empty
// where there are no hours to go by.
func (h *Hours) Open() (string, error) {
	if h == nil {
		return "", nil
	}
	expr := strings.Join(h.weekly(), " or ")
	if closed := between(h.Closed); expr != "" && closed != "" {
		expr = "(" + expr + ") unless on () (" + closed + ")"
	}
	if opened := between(h.Opened); opened != "" {
		expr = strings.TrimPrefix(expr+" or "+opened, " or ")
	}
	if expr == "" {
		expr = "vector(1) < 0"
	}
	return check(expr)
}

// between holds the stretches since 1970, each of which ends with its last minute.
func between(stretches []Stretch) string {
	parts := make([]string, len(stretches))
	for i, s := range stretches {
		parts[i] = fmt.Sprintf("vector(time()) > %d <= %d", s.From, s.To)
	}
	return strings.Join(parts, " or ")
}

// weekly gives a condition for each stretch of the day and each run of days that
// have it.
func (h *Hours) weekly() []string {
	week := "vector(" + h.clock() + ") % " + strconv.Itoa(secondsOfWeek)
	var out []string
	for day, stretches := range h.Weekly {
		for _, s := range stretches {
			if day > 0 && slices.Contains(h.Weekly[day-1], s) {
				continue // it is part of a run
			}
			last := day
			for last < 6 && slices.Contains(h.Weekly[last+1], s) {
				last++
			}
			out = append(out, condition(week, day, last, s))
		}
	}
	return out
}

func condition(week string, first, last int, s Stretch) string {
	if first > 0 || last < 6 {
		week = fmt.Sprintf("%s >= %d < %d", week, first*secondsOfDay, (last+1)*secondsOfDay)
	}
	if s.From == 0 && s.To == secondsOfDay {
		return week
	}
	return fmt.Sprintf("(%s) %% %d >= %d < %d", week, secondsOfDay, s.From, s.To)
}

// clock is a clock on the wall, counted from a Monday: UTC and the offset, which is
// a step for each of its changes. It is a second slow, so that it shows the minute
// that ends.
func (h *Hours) clock() string {
	offset := int64(0)
	if len(h.Offsets) > 0 {
		offset = h.Offsets[0].Seconds
	}
	var out strings.Builder
	fmt.Fprintf(&out, "time() + %d", thursday-1+offset)
	for _, next := range h.Offsets[min(1, len(h.Offsets)):] {
		fmt.Fprintf(&out, " + %d * (time() > bool %d)", next.Seconds-offset, next.From)
		offset = next.Seconds
	}
	return out.String()
}

// during gates an expression by opening hours.
func during(expr, open string) string {
	if open == "" {
		return expr
	}
	return "(" + expr + ") and on () (" + open + ")"
}
