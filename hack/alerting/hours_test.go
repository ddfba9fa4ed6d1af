package alerting_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// routing is as much of Alertmanager's configuration as holds pages back.
type routing struct {
	Route struct {
		Routes []struct {
			Matchers []string `json:"matchers"`
			Receiver string   `json:"receiver"`
			Active   []string `json:"active_time_intervals"`
			Mute     []string `json:"mute_time_intervals"`
		} `json:"routes"`
	} `json:"route"`
	TimeIntervals []struct {
		Name      string         `json:"name"`
		Intervals []timeInterval `json:"time_intervals"`
	} `json:"time_intervals"`
}

// timeInterval is a time interval, of the forms that the sample uses. What is left out
// matches always.
type timeInterval struct {
	Location string   `json:"location"`
	Weekdays []string `json:"weekdays"`
	Times    []struct {
		Start string `json:"start_time"`
		End   string `json:"end_time"`
	} `json:"times"`
	Days   []string `json:"days_of_month"`
	Months []string `json:"months"`
	Years  []string `json:"years"`
}

// contains reads an interval as Alertmanager's documentation explains it.
func (i timeInterval) contains(t *testing.T, at time.Time) bool {
	t.Helper()
	location, err := time.LoadLocation(i.Location)
	if err != nil {
		t.Fatal(err)
	}
	local := at.In(location)
	weekdays := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	within := func(ranges []string, now int, number func(string) int) bool {
		return len(ranges) == 0 || slices.ContainsFunc(ranges, func(text string) bool {
			from, to, both := strings.Cut(text, ":")
			if !both {
				to = from
			}
			return number(from) <= now && now <= number(to)
		})
	}
	plain := func(text string) int { n, _ := strconv.Atoi(text); return n }
	months := []string{"", "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	return i.atTime(local.Format("15:04")) && within(i.Weekdays, int(local.Weekday()), func(day string) int { return slices.Index(weekdays, day) }) &&
		within(i.Days, local.Day(), plain) && within(i.Years, local.Year(), plain) && within(i.Months, int(local.Month()), func(month string) int { return slices.Index(months, month) })
}

func (i timeInterval) atTime(clock string) bool {
	for _, r := range i.Times {
		if r.Start <= clock && clock < r.End {
			return true
		}
	}
	return len(i.Times) == 0
}

// holds says whether a moment is in one of the named intervals.
func (r routing) holds(t *testing.T, names []string, at time.Time) bool {
	t.Helper()
	for _, named := range r.TimeIntervals {
		if slices.Contains(names, named.Name) && slices.ContainsFunc(named.Intervals, func(i timeInterval) bool { return i.contains(t, at) }) {
			return true
		}
	}
	return false
}

// TestOpeningHoursOfAlertmanager has Alertmanager read the configuration that ships,
// and compares what it says of each quarter of an hour with the Calendar that ships:
// in the year of its dates and the one before.
func TestOpeningHoursOfAlertmanager(t *testing.T) {
	t.Parallel()
	text := readFile(t, filepath.Join(shipped, "opening_hours.yaml"))
	startAlertmanager(t, text) // which refuses what it does not understand
	var config routing
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	calendar := sampleCalendar(t)
	hours, err := compile.HoursOf(&calendar.Spec, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	pages := config.Route.Routes[0]
	if diff := cmp.Diff([]string{"severity=\"" + rules.Critical + "\"", rules.CalendarLabel + "=\"" + calendar.Name + "\""}, pages.Matchers); diff != "" {
		t.Errorf("matchers of the first route: -want, +got:\n%s", diff)
	}
	open := 0
	end := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.Add(15 * time.Minute) {
		paged := config.holds(t, pages.Active, at) && !config.holds(t, pages.Mute, at)
		if paged != hours.Open(at) {
			t.Fatalf("%s: pages are sent: %t, and the calendar is open: %t", at.In(hours.Location), paged, hours.Open(at))
		}
		if paged {
			open++
		}
	}
	t.Logf("%d quarters of an hour are open, by Alertmanager and by the calendar", open)
	if open == 0 {
		t.Error("nothing is ever open")
	}
}

func sampleCalendar(t *testing.T) *v1alpha1.Calendar {
	t.Helper()
	text, err := os.ReadFile("../../config/samples/calendar_support_hours.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := &v1alpha1.Calendar{}
	if err := yaml.UnmarshalStrict(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAlertsNameTheCalendar looks for the label on every alert of an objective with a
// calendar, and on none of one without.
func TestAlertsNameTheCalendar(t *testing.T) {
	calendar := sampleCalendar(t)
	o := promise("shop", "hold-time", "home", "99%", nil)
	in := compile.Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{}, Calendar: &calendar.Spec, Now: time.Now()}
	for name, want := range map[string]string{"": "", calendar.Name: calendar.Name} {
		o.Spec.CalendarRef = nil
		if name != "" {
			o.Spec.CalendarRef = &v1alpha1.CalendarReference{Name: v1alpha1.Name(name)}
		}
		plan, err := compile.Compile(in)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := rules.Groups(plan, rules.SettingsOf(in.Source))
		if err != nil {
			t.Fatal(err)
		}
		var got, all []string
		for _, group := range groups {
			for _, rule := range group.Rules {
				if rule.Alert != "" {
					got, all = append(got, rule.Labels[rules.CalendarLabel]), append(all, want)
				}
			}
		}
		if diff := cmp.Diff(all, got); diff != "" || len(got) == 0 {
			t.Errorf("calendar %q: labels of alerts: -want, +got:\n%s", name, diff)
		}
	}
}
