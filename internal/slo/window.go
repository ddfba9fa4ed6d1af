package slo

import (
	"fmt"
	"time"
)

const (
	// MinRolling is the shortest rolling window.
	MinRolling = time.Hour
	// MaxRolling is the longest rolling window.
	MaxRolling = 400 * day

	day = 24 * time.Hour
)

// Calendar is a unit of the civil calendar.
type Calendar string

// The calendar units. Weeks begin on Monday, as in ISO 8601; quarters begin in
// January, April, July and October.
const (
	Week    Calendar = "Week"
	Month   Calendar = "Month"
	Quarter Calendar = "Quarter"
	Year    Calendar = "Year"
)

// longestShift is the largest step that any zone's clock has taken back at once
// since 2012 (Antarctica/Casey, three hours), and so the most by which a calendar
// unit outgrows its days.
const longestShift = 3 * time.Hour

// longest is the upper bound of each unit's length.
var longest = map[Calendar]time.Duration{
	Week:    7*day + longestShift,
	Month:   31*day + longestShift,
	Quarter: 92*day + longestShift,
	Year:    366*day + longestShift,
}

// Window is the stretch of time that an objective's promise covers: exactly one of
// Rolling and Calendar is set.
type Window struct {
	// Rolling is the length of a window that always ends now.
	Rolling time.Duration
	// Calendar is the unit of a window that begins with the current week, month,
	// quarter or year.
	Calendar Calendar
	// Location is the zone whose calendar is meant; nil is UTC. It means nothing to a
	// rolling window.
	Location *time.Location
}

// Span is a stretch of time that begins after Start and includes End: a minute that
// ends exactly at Start belongs to what came before.
type Span struct{ Start, End time.Time }

// Earlier returns the first of two moments.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Later returns the last of two moments.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Validate returns an error unless exactly one of Rolling and Calendar is set, to a
// length from MinRolling to MaxRolling or to a known unit. The other methods suppose
// a valid window.
func (w Window) Validate() error {
	switch _, known := longest[w.Calendar]; {
	case w.Rolling != 0 && w.Calendar != "":
		return fmt.Errorf("check window: it is both rolling (%s) and calendar (%s): keep one",
			FormatDuration(w.Rolling), w.Calendar)
	case w.Rolling == 0 && w.Calendar == "":
		return fmt.Errorf("check window: it is neither rolling nor calendar: choose one")
	case w.Calendar != "" && !known:
		return fmt.Errorf("check window: unknown calendar unit %q: choose Week, Month, Quarter or Year", w.Calendar)
	case w.Calendar == "" && (w.Rolling < MinRolling || w.Rolling > MaxRolling):
		return fmt.Errorf("check window: rolling %q is not between %s and %s",
			FormatDuration(w.Rolling), FormatDuration(MinRolling), FormatDuration(MaxRolling))
	}
	return nil
}

// Span returns what the window covers at now: the last Rolling, or everything since
// the first instant of the current calendar unit. At that very instant a calendar
// span is empty, since the minute that ends there belongs to the unit before.
func (w Window) Span(now time.Time) Span {
	if w.Calendar == "" {
		return Span{Start: now.Add(-w.Rolling), End: now}
	}
	start, _ := w.bounds(now)
	return Span{Start: start, End: now}
}

// Period returns the whole length of the window at now: Rolling, or the true length
// of the current calendar unit, with its number of days and its clock changes.
func (w Window) Period(now time.Time) time.Duration {
	if w.Calendar == "" {
		return w.Rolling
	}
	start, end := w.bounds(now)
	return end.Sub(start)
}

// Longest returns an upper bound of Period at any time, for sizing: Rolling, or the
// unit's greatest number of days and the largest clock change of any zone.
func (w Window) Longest() time.Duration {
	if w.Calendar == "" {
		return w.Rolling
	}
	return longest[w.Calendar]
}

func (w Window) location() *time.Location {
	if w.Location == nil {
		return time.UTC
	}
	return w.Location
}

// bounds returns the first instants of the calendar unit that holds now and of the
// one after it.
func (w Window) bounds(now time.Time) (start, end time.Time) {
	loc := w.location()
	local := now.In(loc)
	year, month, dom := local.Date()
	years, months, days := 0, 0, 0
	switch w.Calendar {
	case Week:
		dom -= (int(local.Weekday()) + 6) % 7
		days = 7
	case Month:
		dom, months = 1, 1
	case Quarter:
		month -= (month - 1) % 3
		dom, months = 1, 3
	case Year:
		month, dom, years = time.January, 1, 1
	case Day: // of recurrences alone: no window is a day of the calendar
		days = 1
	}
	first := time.Date(year, month, dom, 0, 0, 0, 0, time.UTC)
	return firstInstant(first, loc), firstInstant(first.AddDate(years, months, days), loc)
}

// firstInstant returns the first instant at which a clock in loc shows the given
// wall time or later; midnight carries the wall time as if it were UTC. time.Date
// does not promise that: where a clock change skips midnight (Asunción, Cairo,
// Beirut) it may answer with an hour of the day before, and where midnight comes
// twice (Havana), with either.
func firstInstant(midnight time.Time, loc *time.Location) time.Time {
	zone := midnight.Add(-2 * day).In(loc) // no zone is two days from UTC
	for {
		_, offset := zone.Zone()
		begin, end := zone.ZoneBounds()
		instant := midnight.Add(-time.Duration(offset) * time.Second)
		if instant.Before(begin) {
			instant = begin
		}
		if end.IsZero() || instant.Before(end) {
			return instant.In(loc)
		}
		zone = end
	}
}
