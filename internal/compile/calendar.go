package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	fieldCalendar = "spec.calendarRef"

	// ahead is how far into the future hours are told in an expression, from the
	// beginning of the month on: it is renewed each month, and good for two more.
	ahead = 100 * 24 * time.Hour
	// behind is how far before the longest window they are told.
	behind = 62 * 24 * time.Hour
	// year is how far hours are known, at least, in both directions.
	year = 366 * 24 * time.Hour
	// mostExceptions bounds the length of expressions.
	mostExceptions = 500
)

// CalendarOf is the key of the calendar that an objective goes by: its own or, where
// it has none, that of the indicator that it refers to, which may be nil.
func CalendarOf(o *v1alpha1.Objective, indicator *v1alpha1.IndicatorSpec) (types.NamespacedName, bool) {
	ref := o.Spec.CalendarRef
	if ref == nil && indicator != nil {
		ref = indicator.CalendarRef
	}
	if ref == nil {
		return types.NamespacedName{}, false
	}
	return types.NamespacedName{Namespace: o.Namespace, Name: string(ref.Name)}, true
}

func nameOf(calendar types.NamespacedName) string { return "Calendar " + calendar.String() }

// MissingCalendar is the mistake of an objective whose calendar does not exist.
func MissingCalendar(key types.NamespacedName) *Error {
	return &Error{
		Reason: v1alpha1.ReasonCalendarNotFound, Field: fieldCalendar,
		Err: fmt.Errorf("%s does not exist: create it, or name another", nameOf(key)),
	}
}

// keepHours has a plan count the minutes alone that the objective's calendar says are
// open, for sums and as PromQL.
func (p *Plan) keepHours(in Input) error {
	key, refers := CalendarOf(in.Objective, in.Indicator)
	if !refers {
		return nil
	}
	if in.Calendar == nil {
		return MissingCalendar(key)
	}
	hours, err := HoursOf(in.Calendar, in.Now)
	if mistake, ok := errors.AsType[*Error](err); ok {
		return &Error{Reason: mistake.Reason, Field: fieldCalendar, Err: fmt.Errorf("%s: %w", nameOf(key), mistake), Dated: mistake.Dated}
	}
	month := monthOf(in.Now)
	end := month.Add(ahead)
	if in.Until.After(end) {
		end = in.Until
	}
	p.Calendar, p.Hours, p.Grid = key.Name, hours, hours.Grid(p.Window, in.Now)
	p.build.width = p.Grid.Width
	p.build.hours = written(hours, in.Calendar, slo.Span{Start: month.Add(-p.Window.Longest() - behind), End: end})
	return nil
}

func monthOf(now time.Time) time.Time {
	year, month, _ := now.UTC().Date()
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

// HoursOf gives the hours of a calendar as they are around a moment: for the longest
// window before it and a year after it. The *Error names the field of the calendar
// that is at fault.
func HoursOf(spec *v1alpha1.CalendarSpec, now time.Time) (*slo.Hours, error) {
	location, err := zoneOf(spec.TimeZone, "spec.timeZone")
	if err != nil {
		return nil, err
	}
	openings, err := openingsOf(spec.Weekly)
	if err != nil {
		return nil, err
	}
	out := &slo.Hours{Location: location, Weekly: slo.Weekly(openings...), Dates: map[slo.Date][]slo.DayTime{}}
	for i, holiday := range spec.Holidays {
		if err := addHoliday(out, holiday); err != nil {
			return nil, &Error{Reason: v1alpha1.ReasonInvalidCalendar, Field: fmt.Sprintf("spec.holidays[%d].date", i), Err: err}
		}
	}
	month := monthOf(now)
	known := slo.Span{Start: month.Add(-slo.MaxRolling - behind), End: month.Add(year + behind)}
	if err := addClosures(out, spec.ICalendar, known); err != nil {
		return nil, &Error{Reason: v1alpha1.ReasonInvalidCalendar, Field: "spec.iCalendar", Err: err}
	}
	return out, checkHours(out, known)
}

// checkHours refuses hours that are none, and such as take too long an expression,
// around this date.
func checkHours(h *slo.Hours, known slo.Span) error {
	if closed, opened := h.Exceptions(known); len(closed)+len(opened) > mostExceptions {
		return &Error{
			Reason: v1alpha1.ReasonInvalidCalendar, Field: "spec", Dated: true,
			Err: fmt.Errorf("holidays and events make more than %d stretches that are not as the week says, in two years and a half: put what comes every week into spec.weekly", mostExceptions),
		}
	}
	if _, changes := h.NextChange(known.Start, known.End); !changes && !h.Open(known.Start) {
		return &Error{
			Reason: v1alpha1.ReasonNeverOpen, Field: "spec", Dated: true,
			Err: errors.New("no minute is open, in the year past or the one ahead: add hours to spec.weekly, or remove what closes them"),
		}
	}
	return nil
}

func openingsOf(weekly []v1alpha1.WeeklyHours) ([]slo.Opening, error) {
	var out []slo.Opening
	for i, hours := range weekly {
		from, wrongFrom := minuteOf(string(hours.Open))
		to, wrongTo := minuteOf(string(hours.Close))
		for _, day := range hours.Days {
			number := slices.Index(v1alpha1.Weekdays, day)
			if wrong := errors.Join(wrongFrom, wrongTo); wrong != nil || number < 0 {
				return nil, &Error{
					Reason: v1alpha1.ReasonInvalidCalendar, Field: fmt.Sprintf("spec.weekly[%d]", i),
					Err: fmt.Errorf("%s from %q to %q: write days from Monday to Sunday, and times such as \"08:00\"", day, hours.Open, hours.Close),
				}
			}
			out = append(out, slo.Opening{Day: number, From: from, To: to})
		}
	}
	return out, nil
}

// minuteOf reads a time of day, of which midnight at the end is 24:00.
func minuteOf(text string) (int, error) {
	hour, minute, _ := strings.Cut(text, ":")
	h, wrongHour := strconv.Atoi(hour)
	m, wrongMinute := strconv.Atoi(minute)
	return 60*h + m, errors.Join(wrongHour, wrongMinute)
}

func addHoliday(into *slo.Hours, holiday v1alpha1.Holiday) error {
	text, layout := string(holiday.Date), time.DateOnly
	if len(text) < len(layout) {
		text = "2000-" + text // a leap year
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		return fmt.Errorf("%q is no date: write one such as \"2026-12-25\", or \"12-25\" for that day of every year", holiday.Date)
	}
	date := slo.Date{Year: at.Year(), Month: at.Month(), Day: at.Day()}
	if len(holiday.Date) < len(layout) {
		date.Year = 0
	}
	var times []slo.DayTime
	for _, hours := range holiday.Hours {
		from, _ := minuteOf(string(hours.Open)) // the schema has them right
		to, _ := minuteOf(string(hours.Close))
		times = append(times, slo.DayTime{From: from, To: to})
	}
	into.Dates[date] = slo.JoinTimes(times)
	return nil
}

// written tells hours as PromQL can, within a span.
func written(h *slo.Hours, spec *v1alpha1.CalendarSpec, within slo.Span) *promql.Hours {
	out := &promql.Hours{ID: meaningOf(h, spec)}
	for day, times := range h.Weekly {
		for _, t := range times {
			out.Weekly[day] = append(out.Weekly[day], promql.Stretch{From: int64(t.From) * 60, To: int64(t.To) * 60})
		}
	}
	for _, o := range h.Offsets(within) {
		out.Offsets = append(out.Offsets, promql.Offset{From: o.From.Unix(), Seconds: int64(o.Seconds)})
	}
	closed, opened := h.Exceptions(within)
	out.Closed, out.Opened = seconds(closed), seconds(opened)
	return out
}

func seconds(spans []slo.Span) []promql.Stretch {
	var out []promql.Stretch
	for _, s := range spans {
		out = append(out, promql.Stretch{From: s.Start.Unix(), To: s.End.Unix()})
	}
	return out
}

// meaningOf is the same for calendars with the same hours, whatever their days are
// called and whenever it is asked for.
func meaningOf(h *slo.Hours, spec *v1alpha1.CalendarSpec) string {
	own := &slo.Hours{Dates: map[slo.Date][]slo.DayTime{}}
	for _, holiday := range spec.Holidays {
		_ = addHoliday(own, holiday) // it was added to h before
	}
	var all strings.Builder
	fmt.Fprintf(&all, "%s %v", h.Location, h.Weekly)
	byDate := func(a, b slo.Date) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	for _, date := range slices.SortedFunc(maps.Keys(own.Dates), byDate) {
		fmt.Fprintf(&all, "\n%v %v", date, own.Dates[date])
	}
	events, _ := eventsOf(spec.ICalendar) // they were read before
	for _, e := range events {
		fmt.Fprintf(&all, "\n%s", e)
	}
	sum := sha256.Sum256([]byte(all.String()))
	return hex.EncodeToString(sum[:])
}
