package slo

import (
	"slices"
	"time"
)

// Day is a unit of the civil calendar that stretches of time come again in. No
// window has it: a promise over a day is a rolling one.
const Day Calendar = "Day"

// Recurrence is a stretch of time, and when it comes again.
type Recurrence struct {
	// First is the stretch itself, which is taken as it is.
	First Span
	// Every is Day, Week or Month; empty for a stretch that does not come again.
	Every Calendar
	// Location is the zone whose clock on the wall says when; nil is UTC.
	Location *time.Location
	// Until is when no stretch begins any more; zero where there is no end.
	Until time.Time
}

// Next gives the first stretch that ends after a moment. It is false where none
// does.
//
// A later stretch begins and ends when the clock on the wall first shows the times
// of the first one, or a later time where it skips them. What the clock skips whole,
// and a day that a month does not have, is no stretch.
func (r Recurrence) Next(after time.Time) (Span, bool) {
	if r.First.End.After(after) {
		return r.First, true
	}
	if r.Every == "" {
		return Span{}, false
	}
	for k := max(r.before(after), 1); ; k++ {
		start, end, ok := r.stretch(k)
		switch {
		case !r.Until.IsZero() && !start.Before(r.Until):
			return Span{}, false
		case ok && end.After(after) && end.After(start):
			return Span{Start: start, End: end}, true
		}
	}
}

// Within gives the stretches that are in a span, whole or in part, in order.
func (r Recurrence) Within(span Span) []Span {
	var out []Span
	for next, ok := r.Next(span.Start); ok && next.Start.Before(span.End); next, ok = r.Next(next.End) {
		out = append(out, next)
	}
	return out
}

// before is the number of a stretch that is over at a moment, and not by many.
func (r Recurrence) before(at time.Time) int {
	days := int(at.Sub(r.First.End) / day)
	switch r.Every {
	case Day:
		return days - 2
	case Week:
		return days/7 - 2
	default:
		return days/31 - 2
	}
}

// stretch gives the k-th stretch. It is false where the month has no such day;
// start is then one that is not after the day before the month's end.
func (r Recurrence) stretch(k int) (start, end time.Time, ok bool) {
	from, to := r.wall(r.First.Start), r.wall(r.First.End)
	var first time.Time
	switch r.Every {
	case Day:
		first = from.AddDate(0, 0, k)
	case Week:
		first = from.AddDate(0, 0, 7*k)
	default:
		first = from.AddDate(0, k, 0)
		if first.Day() != from.Day() { // it went over into the month after
			return firstInstant(first.AddDate(0, 0, -first.Day()), r.location()), time.Time{}, false
		}
	}
	last := first.Add(to.Sub(from))
	return firstInstant(first, r.location()), firstInstant(last, r.location()), true
}

// wall is what the clock on the wall shows, as if it were UTC.
func (r Recurrence) wall(at time.Time) time.Time {
	local := at.In(r.location())
	_, offset := local.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

func (r Recurrence) location() *time.Location {
	if r.Location == nil {
		return time.UTC
	}
	return r.Location
}

// Minutes widens a span to the whole minutes that it touches.
func (s Span) Minutes() Span {
	out := Span{Start: s.Start.Truncate(time.Minute), End: s.End.Truncate(time.Minute)}
	if out.End.Before(s.End) {
		out.End = out.End.Add(time.Minute)
	}
	return Span{Start: out.Start.UTC(), End: out.End.UTC()}
}

// Holds says whether a moment is in a span, of which the first is not.
func (s Span) Holds(at time.Time) bool { return at.After(s.Start) && !at.After(s.End) }

// Merge puts spans in order and joins those that touch.
func Merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	var out []Span
	for _, s := range spans {
		switch n := len(out); {
		case !s.End.After(s.Start):
		case n > 0 && !s.Start.After(out[n-1].End):
			if s.End.After(out[n-1].End) {
				out[n-1].End = s.End
			}
		default:
			out = append(out, s)
		}
	}
	return out
}
