package slo

import (
	"cmp"
	"slices"
	"time"
)

const (
	daySeconds = int64(day / time.Second)
	// dayMinutes is midnight at the end of a day, in minutes since the midnight
	// at its beginning.
	dayMinutes = 24 * 60
)

// DayTime is a stretch of a day by the clock on the wall, in minutes since
// midnight: from From on and up to To, which is at most 1440.
type DayTime struct{ From, To int }

// Date is a day of the civil calendar. Year 0 means that day of every year.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// Hours say which minutes are open. They are read off a clock on a wall in
// Location: an hour that the clock skips is not there, and one that it shows
// twice is open twice. Hours are never written to once they are in use.
type Hours struct {
	Location *time.Location
	// Weekly are the hours of each day of the week, Monday first.
	Weekly [7][]DayTime
	// Dates have hours of their own, from midnight to midnight, and none where the
	// day is closed. A date with a year comes before the same one of every year.
	Dates map[Date][]DayTime
	// Closed is closed whatever the day is, in order and without overlap.
	Closed []Span
}

// Opening is a stretch of the week that begins on a day, 0 for Monday. With To at
// or before From it ends on the next day.
type Opening struct{ Day, From, To int }

// Weekly sorts openings into the days of the week, and joins what overlaps.
func Weekly(openings ...Opening) [7][]DayTime {
	var out [7][]DayTime
	for _, o := range openings {
		if o.To > o.From {
			out[o.Day] = append(out[o.Day], DayTime{o.From, o.To})
			continue
		}
		next := (o.Day + 1) % 7
		out[o.Day] = append(out[o.Day], DayTime{o.From, dayMinutes})
		if o.To > 0 {
			out[next] = append(out[next], DayTime{0, o.To})
		}
	}
	for i := range out {
		out[i] = JoinTimes(out[i])
	}
	return out
}

// JoinTimes sorts stretches of a day, and joins those that touch or overlap.
func JoinTimes(times []DayTime) []DayTime {
	slices.SortFunc(times, func(a, b DayTime) int { return cmp.Compare(a.From, b.From) })
	var out []DayTime
	for _, t := range times {
		if n := len(out); n > 0 && t.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, t.To)
			continue
		}
		out = append(out, t)
	}
	return out
}

// extend adds a span that does not begin before the last one.
func extend(spans []Span, next Span) []Span {
	if n := len(spans); n > 0 && !next.Start.After(spans[n-1].End) {
		if next.End.After(spans[n-1].End) {
			spans[n-1].End = next.End
		}
		return spans
	}
	return append(spans, next)
}

// Open says whether the minute that begins at a moment is open.
func (h *Hours) Open(begin time.Time) bool {
	return len(h.Spans(Span{Start: begin, End: begin.Add(time.Minute)})) > 0
}

// OpenMinutes counts the open minutes of a span.
func (h *Hours) OpenMinutes(within Span) int {
	var sum time.Duration
	for _, s := range h.Spans(within) {
		sum += s.End.Sub(s.Start)
	}
	return int(sum / time.Minute)
}

// Spans gives the open stretches of a span, in order. Those that touch are one.
func (h *Hours) Spans(within Span) []Span {
	var out []Span
	h.days(within, func(d dayPart) {
		for _, t := range h.of(d) {
			if s, ok := d.clip(t); ok {
				out = extend(out, s)
			}
		}
	})
	return subtract(out, h.Closed)
}

// NextChange is when hours change from open to closed or back, first after a
// moment; false where they do not until the other.
func (h *Hours) NextChange(after, until time.Time) (time.Time, bool) {
	at := after.Truncate(time.Minute)
	open := h.Open(at)
	for ; at.Before(until); at = at.Add(7 * day) {
		end := at.Add(7 * day)
		if end.After(until) {
			end = until
		}
		spans := h.Spans(Span{Start: at, End: end})
		switch {
		case !open && len(spans) > 0:
			return spans[0].Start, true
		case open && (len(spans) == 0 || spans[0].Start.After(at)):
			return at, true
		case open && spans[0].End.Before(end):
			return spans[0].End, true
		}
	}
	return time.Time{}, false
}

// Offset is how far a zone's clock is ahead of UTC from a moment on.
type Offset struct {
	From    time.Time
	Seconds int
}

// Offsets gives the offsets of the zone within a span; the first one is that at
// its beginning.
func (h *Hours) Offsets(within Span) []Offset {
	var out []Offset
	for at := within.Start.In(h.Location); at.Before(within.End); {
		_, seconds := at.Zone()
		if n := len(out); n == 0 || out[n-1].Seconds != seconds {
			out = append(out, Offset{From: at.UTC(), Seconds: seconds})
		}
		_, end := at.ZoneBounds()
		if end.IsZero() {
			break
		}
		at = end
	}
	return out
}

// Exceptions gives what within a span is not as the week says: what is closed,
// and what is open instead, both in order.
func (h *Hours) Exceptions(within Span) (closed, open []Span) {
	h.days(within, func(d dayPart) {
		times, special := h.special(d.date)
		if !special {
			return
		}
		whole, _ := d.clip(DayTime{0, dayMinutes})
		closed = extend(closed, whole)
		for _, t := range times {
			if s, ok := d.clip(t); ok {
				open = extend(open, s)
			}
		}
	})
	for _, s := range h.Closed {
		if s.End.After(within.Start) && s.Start.Before(within.End) {
			closed = append(closed, s)
		}
	}
	return Merge(closed), subtract(open, h.Closed)
}

// of are the hours of a day.
func (h *Hours) of(d dayPart) []DayTime {
	if times, special := h.special(d.date); special {
		return times
	}
	return h.Weekly[d.weekday]
}

func (h *Hours) special(date Date) ([]DayTime, bool) {
	if len(h.Dates) == 0 {
		return nil, false
	}
	if times, ok := h.Dates[date]; ok {
		return times, true
	}
	date.Year = 0
	times, ok := h.Dates[date]
	return times, ok
}

// dayPart is a day, or what of it lies in a span and has one offset.
type dayPart struct {
	date    Date
	weekday int
	// midnight is the second at which the day would begin were its offset always
	// that of this part, which is from one second up to another.
	midnight, from, to int64
}

// clip gives the part of a stretch of the day that is in the part of the day.
func (d dayPart) clip(t DayTime) (Span, bool) {
	from, to := max(d.midnight+int64(t.From)*60, d.from), min(d.midnight+int64(t.To)*60, d.to)
	return Span{Start: time.Unix(from, 0).UTC(), End: time.Unix(to, 0).UTC()}, from < to
}

// days visits the days of a span in order.
func (h *Hours) days(within Span, visit func(dayPart)) {
	for at := within.Start.In(h.Location); at.Before(within.End); {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(within.End) {
			end = within.End
		}
		for from := at.Unix(); from < end.Unix(); {
			number := floorDiv(from+int64(offset), daySeconds)
			midnight := number*daySeconds - int64(offset)
			to := min(midnight+daySeconds, end.Unix())
			year, month, dom := time.Unix(number*daySeconds, 0).UTC().Date()
			visit(dayPart{
				date: Date{year, month, dom}, weekday: int(((number+3)%7 + 7) % 7), // 1970 began on a Thursday
				midnight: midnight, from: from, to: to,
			})
			from = to
		}
		at = end.In(h.Location)
	}
}

// subtract takes spans away from others; both are in order and without overlap.
func subtract(from, away []Span) []Span {
	if len(away) == 0 {
		return from
	}
	var out []Span
	for _, s := range from {
		for _, a := range away {
			if !a.End.After(s.Start) || !a.Start.Before(s.End) {
				continue
			}
			if a.Start.After(s.Start) {
				out = append(out, Span{Start: s.Start, End: a.Start})
			}
			s.Start = a.End
			if !s.Start.Before(s.End) {
				break
			}
		}
		if s.Start.Before(s.End) {
			out = append(out, s)
		}
	}
	return out
}
