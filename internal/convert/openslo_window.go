package convert

import (
	"strconv"
	"strings"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// hoursOf are the hours of a unit, where these are always as many.
var hoursOf = map[string]float64{"m": 1. / 60, "h": 1, "d": 24, "w": 7 * 24}

// daysAbout are the days that are counted for a unit of the calendar where a
// window is rolling.
var daysAbout = map[string]int64{"M": 30, "Q": 90, "Y": 365}

// units are those of the calendar.
var units = map[string]v1alpha1.CalendarUnit{"w": "Week", "M": "Month", "Q": "Quarter", "Y": "Year"}

func (u *unit) openSLOWindow(spec field) {
	windows := spec.at("timeWindow").items()
	if alpha := spec.at("timeWindows"); alpha.exists() {
		windows = alpha.items()
	}
	switch {
	case len(windows) == 0:
		u.objective.Spec.Window.Rolling = u.Window
		u.note(spec.at("timeWindow"), "there is none: the window is %s: --window says another", u.Window)
	case len(windows) > 1:
		u.fail(windows[1], "an objective has one window: remove the others")
	default:
		u.timeWindow(windows[0])
	}
}

func (u *unit) timeWindow(window field) {
	length := window.at("duration")
	text := length.text()
	if count := window.at("count"); count.exists() {
		length = count
		text = count.text() + alphaUnit(window.at("unit").text())
	}
	n, letter, err := shorthand(text)
	if err != nil {
		u.fail(length, "it is no duration: write one such as 28d, or 1M with a calendar")
		return
	}
	rolling, said := window.at("isRolling").flag()
	calendar := window.at("calendar")
	switch {
	case rolling && calendar.exists():
		u.fail(calendar, "the window is rolling: remove isRolling or calendar")
	case calendar.exists():
		u.calendar(length, calendar, n, letter)
	case !rolling && (said || length.name() != "count"):
		u.fail(length, "it is neither rolling nor has it a calendar: write isRolling: true, or a calendar")
	default:
		u.rollingShorthand(length, n, letter)
	}
}

// alphaUnit gives the letter of a unit in the alpha version.
func alphaUnit(unit string) string {
	letters := map[string]string{"Minute": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y"}
	return letters[unit]
}

func (u *unit) rollingShorthand(f field, n int64, letter string) {
	if days, about := daysAbout[letter]; about {
		u.rolling(f, float64(n*days*24))
		u.note(f, "a rolling window has a fixed length: it becomes %s", u.objective.Spec.Window.Rolling)
		return
	}
	hours := float64(n) * hoursOf[letter]
	if letter == "m" && n%60 == 0 {
		hours = float64(n / 60)
	}
	u.rolling(f, hours)
}

func (u *unit) calendar(f, calendar field, n int64, letter string) {
	unit, ok := units[letter]
	if !ok || n != 1 {
		u.fail(f, "a window along the calendar is one week, month, quarter or year: write 1w, 1M, 1Q or 1Y, or a rolling window")
		return
	}
	zone := calendar.at("timeZone").text()
	if zone == "" {
		zone = "UTC"
	}
	u.objective.Spec.Window.Calendar = &v1alpha1.CalendarWindow{Unit: unit, TimeZone: v1alpha1.TimeZone(zone)}
	start := calendar.at("startTime")
	if at, ok := startOf(start.text()); start.exists() && (!ok || !begins(unit, at)) {
		u.tell(Dropped, start, "a "+strings.ToLower(string(unit))+" begins at midnight of its first day, weeks on Monday: nothing to do if that will do")
	}
}

func startOf(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// begins says whether a unit of the calendar begins at a moment.
func begins(unit v1alpha1.CalendarUnit, at time.Time) bool {
	if at != at.Truncate(24*time.Hour) {
		return false
	}
	switch unit {
	case "Week":
		return at.Weekday() == time.Monday
	case "Month":
		return at.Day() == 1
	case "Quarter":
		return at.Day() == 1 && at.Month()%3 == 1
	default:
		return at.YearDay() == 1
	}
}

// slice is the length of a time slice in minutes; a bare number is one of minutes.
func slice(text string) (minutes float64, ok bool) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return float64(n), n > 0
	}
	n, letter, err := shorthand(text)
	hours, fixed := hoursOf[letter]
	return float64(n) * hours * 60, err == nil && fixed
}
