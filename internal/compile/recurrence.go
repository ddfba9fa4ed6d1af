package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Frequencies of events that recur.
const (
	yearly  = "YEARLY"
	monthly = "MONTHLY"
	weekly  = "WEEKLY"
	daily   = "DAILY"
)

// mostInterval bounds INTERVAL.
const mostInterval = 100

// understood are the parts that a rule of each frequency may have, beside those that
// all may have. A rule made of them recurs within some years, or never and is
// refused: looking for what recurs then always comes to an end soon.
var understood = map[string][]string{
	yearly:  {"BYMONTH", "BYMONTHDAY", "BYDAY"},
	monthly: {"BYMONTHDAY", "BYDAY"},
	weekly:  {"BYDAY"},
	daily:   {},
}

var understoodByAll = []string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}

// ruleOf reads the rule of an event that recurs.
func ruleOf(text string, start time.Time) (*rrule.RRule, error) {
	text = strings.ToUpper(text)
	frequency, err := checkParts(text)
	if err != nil {
		return nil, err
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return nil, err
	}
	r := rule{ROption: option, frequency: frequency, start: start}
	if err := r.check(); err != nil {
		return nil, err
	}
	option.Dtstart = start
	return rrule.NewRRule(*option)
}

// checkParts refuses parts that are not understood, and gives the frequency.
func checkParts(text string) (string, error) {
	given := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		given[name] = value
	}
	frequency := given["FREQ"]
	own, known := understood[frequency]
	if !known {
		return "", errors.New("FREQ must be YEARLY, MONTHLY, WEEKLY or DAILY")
	}
	for part := range strings.SplitSeq(text, ";") {
		name, _, _ := strings.Cut(part, "=")
		if !slices.Contains(own, name) && !slices.Contains(understoodByAll, name) {
			return "", fmt.Errorf("%s is not understood with FREQ=%s: write the dates themselves, in RDATE", shown(name), frequency)
		}
	}
	return frequency, nil
}

// rule is a rule with parts that are understood.
type rule struct {
	*rrule.ROption
	frequency string
	start     time.Time
}

// check refuses rules that may never recur.
func (r rule) check() error {
	if r.Interval < 0 || r.Interval > mostInterval {
		return fmt.Errorf("INTERVAL must be from 1 to %d", mostInterval)
	}
	return r.checkDays()
}

func (r rule) checkDays() error {
	switch {
	case len(r.Byweekday) > 0 && len(r.Bymonthday) > 0:
		return errors.New("BYDAY and BYMONTHDAY are not understood together: write the dates themselves, in RDATE")
	case r.nth() > 0 && slices.ContainsFunc(r.Byweekday, uncounted):
		return errors.New("BYDAY counts some days and not others: write two events")
	case r.nth() > r.mostNth():
		return fmt.Errorf("BYDAY counts to %d at the most with these parts", r.mostNth())
	case r.Interval > 1 && r.sparse():
		return errors.New("not every month or year has that day, and INTERVAL may pass over those that do: write the dates themselves, in RDATE")
	case !r.possible():
		return errors.New("no month that it names has that day")
	}
	return nil
}

func uncounted(day rrule.Weekday) bool { return day.N() == 0 }

// byDate says whether it goes by days of the month, at least of the start's.
func (r rule) byDate() bool {
	return len(r.Byweekday) == 0 && (r.frequency == yearly || r.frequency == monthly)
}

// dates are the days of the month by which it goes.
func (r rule) dates() []int {
	if len(r.Bymonthday) > 0 {
		return r.Bymonthday
	}
	return []int{r.start.Day()}
}

// nth is the highest number that counts weekdays, such as 4 for the fourth Thursday.
func (r rule) nth() int {
	highest := 0
	for _, day := range r.Byweekday {
		highest = max(highest, day.N(), -day.N())
	}
	return highest
}

// mostNth is how many weekdays of one name there are in what they are counted in.
func (r rule) mostNth() int {
	switch {
	case r.frequency == yearly && len(r.Bymonth) == 0:
		return 53
	case r.frequency == yearly, r.frequency == monthly:
		return 5
	default:
		return 0
	}
}

// sparse says whether some months or years do not have the day.
func (r rule) sparse() bool {
	if !r.byDate() {
		return r.nth() > 4
	}
	return slices.ContainsFunc(r.dates(), func(date int) bool { return max(date, -date) > 28 })
}

// possible says whether one of the months has one of the days, in a leap year.
func (r rule) possible() bool {
	months := r.Bymonth
	if len(months) == 0 && len(r.Bymonthday) == 0 {
		months = []int{int(r.start.Month())}
	}
	if !r.byDate() || len(months) == 0 {
		return true
	}
	return slices.ContainsFunc(months, func(month int) bool {
		last := time.Date(2000, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return slices.ContainsFunc(r.dates(), func(date int) bool { return max(date, -date) <= last })
	})
}
