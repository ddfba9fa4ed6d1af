package compile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/experience-slo/operator/internal/slo"
)

const (
	// mostRecurring is how many events of an iCalendar may recur.
	mostRecurring = 50
	// longestEvent is how long one event may be.
	longestEvent = year
)

const (
	dateLayout   = "20060102"
	momentLayout = "20060102T150405"
)

// closure is an event that may recur.
type closure struct {
	// days says that it is whole days. Start is then midnight in UTC, whatever the
	// zone is in which the day is meant.
	days   bool
	start  time.Time
	length time.Duration
	rule   *rrule.RRule
	// more and fewer are occurrences beside those of the rule, and exceptions.
	more, fewer []time.Time
}

// addClosures closes hours while the events of an iCalendar last. Of those that
// recur it takes what is in a span.
func addClosures(into *slo.Hours, text string, known slo.Span) error {
	events, err := eventsOf(text)
	if err != nil {
		return err
	}
	own := len(into.Dates) > 0
	recurring := 0
	for _, e := range events {
		c, err := closureOf(e, into.Location)
		if err != nil {
			return fmt.Errorf("event at line %d: %w", e.line, err)
		}
		if c.rule != nil {
			recurring++
		}
		if recurring > mostRecurring {
			return fmt.Errorf("more than %d events recur: write the dates themselves", mostRecurring)
		}
		for _, at := range c.occurrences(known) {
			c.close(into, at, own)
		}
	}
	into.Closed = slo.Merge(into.Closed)
	return nil
}

// close closes one occurrence. Dates that the calendar says itself stay.
func (c closure) close(into *slo.Hours, at time.Time, own bool) {
	if !c.days {
		// A minute of which a second is closed is closed.
		end := at.Add(c.length + time.Minute - time.Nanosecond).Truncate(time.Minute)
		into.Closed = append(into.Closed, slo.Span{Start: at.Truncate(time.Minute).UTC(), End: end.UTC()})
		return
	}
	for end := at.Add(c.length); at.Before(end); at = at.AddDate(0, 0, 1) {
		date := slo.Date{Year: at.Year(), Month: at.Month(), Day: at.Day()}
		if own {
			_, every := into.Dates[slo.Date{Month: date.Month, Day: date.Day}]
			_, once := into.Dates[date]
			if every || once {
				continue
			}
		}
		into.Dates[date] = nil
	}
}

// occurrences are those that reach into a span.
func (c closure) occurrences(known slo.Span) []time.Time {
	from := known.Start.Add(-c.length)
	all := []time.Time{c.start}
	if c.rule != nil {
		all = c.rule.Between(from, known.End, true)
	}
	return slices.DeleteFunc(append(all, c.more...), func(at time.Time) bool {
		return at.Before(from) || at.After(known.End) || slices.ContainsFunc(c.fewer, at.Equal)
	})
}

var errNoStart = errors.New("it has no DTSTART: write one such as DTSTART;VALUE=DATE:20261225")

func closureOf(e event, zone *time.Location) (closure, error) {
	for _, name := range []string{"RECURRENCE-ID", "EXRULE"} {
		if _, there := e.one(name); there {
			return closure{}, fmt.Errorf("%s is not understood: write such an event without a rule, and its date in EXDATE of the other", name)
		}
	}
	start, there := e.one("DTSTART")
	if !there {
		return closure{}, errNoStart
	}
	var out closure
	var err error
	if out.start, out.days, err = momentOf(start, start.value, zone); err != nil {
		return closure{}, err
	}
	if out.length, err = lengthOf(e, out, zone); err != nil {
		return closure{}, err
	}
	if out.more, err = listOf(e.props["RDATE"], out.days, zone); err != nil {
		return closure{}, err
	}
	if out.fewer, err = listOf(e.props["EXDATE"], out.days, zone); err != nil {
		return closure{}, err
	}
	if rule, recurs := e.one("RRULE"); recurs {
		if out.rule, err = ruleOf(rule.value, out.start); err != nil {
			return closure{}, fmt.Errorf("RRULE:%s: %w", shown(rule.value), err)
		}
	}
	return out, nil
}

// momentOf reads a date or a moment. One without a zone is of the calendar's.
func momentOf(p property, value string, zone *time.Location) (at time.Time, date bool, err error) {
	if len(value) == len(dateLayout) {
		at, err = time.ParseInLocation(dateLayout, value, time.UTC)
		date = true
	} else {
		at, err = clockOf(p, value, zone)
	}
	if err != nil || at.Year() < 1970 || at.Year() > 2200 {
		return at, date, fmt.Errorf("%s:%s is no date or moment from 1970 to 2200: write one such as 20261225, 20261224T140000 or 20261224T130000Z, with a TZID that is an IANA name", p.name, shown(value))
	}
	return at, date, nil
}

func clockOf(p property, value string, zone *time.Location) (time.Time, error) {
	if rest, utc := strings.CutSuffix(value, "Z"); utc {
		return time.ParseInLocation(momentLayout, rest, time.UTC)
	}
	if name := p.params["TZID"]; name != "" {
		loaded, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			return time.Time{}, fmt.Errorf("%q is no time zone", name)
		}
		zone = loaded
	}
	return time.ParseInLocation(momentLayout, value, zone)
}

// listOf reads lists of dates, which are of the same kind as the start of the event.
func listOf(props []property, days bool, zone *time.Location) ([]time.Time, error) {
	var out []time.Time
	for _, p := range props {
		for value := range strings.SplitSeq(p.value, ",") {
			at, date, err := momentOf(p, strings.TrimSpace(value), zone)
			if err != nil {
				return nil, err
			}
			if date != days {
				return nil, fmt.Errorf("%s:%s and DTSTART are not both dates or both moments", p.name, shown(p.value))
			}
			out = append(out, at)
		}
	}
	return out, nil
}

// lengthOf is how long one occurrence lasts: a day where a date alone is given.
func lengthOf(e event, c closure, zone *time.Location) (time.Duration, error) {
	out, err := givenLength(e, c, zone)
	if err != nil {
		return 0, err
	}
	if out <= 0 || out > longestEvent || c.days && out%(24*time.Hour) != 0 {
		return 0, errors.New("it does not end after it begins, lasts longer than a year, or is no whole number of days: write a DTEND, which is the first day or moment after it")
	}
	return out, nil
}

func givenLength(e event, c closure, zone *time.Location) (time.Duration, error) {
	if length, there := e.one("DURATION"); there {
		return durationOf(length.value)
	}
	end, there := e.one("DTEND")
	if !there && c.days {
		return 24 * time.Hour, nil
	}
	if !there {
		return 0, nil
	}
	at, date, err := momentOf(end, end.value, zone)
	if err == nil && date != c.days {
		err = errors.New("DTSTART and DTEND are not both dates or both moments")
	}
	return at.Sub(c.start), err
}

// durationOf reads a duration such as P1D or PT4H30M: as Go writes it, but for days
// and weeks, of which there are no others beside.
func durationOf(text string) (time.Duration, error) {
	wrong := fmt.Errorf("DURATION:%s is no duration: write one such as P1D or PT4H", shown(text))
	rest, ok := strings.CutPrefix(strings.TrimPrefix(text, "+"), "P")
	if !ok {
		return 0, wrong
	}
	if clock, ok := strings.CutPrefix(rest, "T"); ok {
		out, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil {
			return 0, wrong
		}
		return out, nil
	}
	for unit, days := range map[string]int{"D": 1, "W": 7} {
		if number, ok := strings.CutSuffix(rest, unit); ok {
			if n, err := strconv.Atoi(number); err == nil && n > 0 && n < 1000 {
				return time.Duration(n*days) * 24 * time.Hour, nil
			}
		}
	}
	return 0, wrong
}
