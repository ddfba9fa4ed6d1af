package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mostEvents is how many events an iCalendar may have.
const mostEvents = 1000

// property is a line of an iCalendar.
type property struct {
	line   int
	name   string
	params map[string]string
	value  string
}

// event is a VEVENT with those of its properties that say when it is.
type event struct {
	line  int
	props map[string][]property
}

// telling are the properties of an event that say when it is.
var telling = []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"}

// String is the same for events at the same times.
func (e event) String() string {
	var out strings.Builder
	for _, name := range telling {
		for _, p := range e.props[name] {
			fmt.Fprintf(&out, "%s;%s;%s:%s ", name, p.params["VALUE"], p.params["TZID"], p.value)
		}
	}
	return out.String()
}

// one gives a property of which there is at most one that counts.
func (e event) one(name string) (property, bool) {
	if found := e.props[name]; len(found) > 0 {
		return found[0], true
	}
	return property{}, false
}

// eventsOf reads the events of an iCalendar (RFC 5545), leaving out those that were
// cancelled. What says nothing of when they are is passed over.
func eventsOf(text string) ([]event, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	r := calendarReader{}
	for _, line := range unfolded(text) {
		if err := r.read(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", line.number, err)
		}
	}
	switch {
	case len(r.within) > 0:
		return nil, fmt.Errorf("%s does not end: add END:%s", r.within[len(r.within)-1], r.within[len(r.within)-1])
	case len(r.events) > mostEvents:
		return nil, fmt.Errorf("it has more than %d events: leave out those that are over", mostEvents)
	}
	return r.events, nil
}

// unfoldedLine is a line with those that go on with it, and where it begins.
type unfoldedLine struct {
	number int
	text   string
}

// unfolded joins lines that begin with a blank to the one before them (section 3.1).
func unfolded(text string) []unfoldedLine {
	var out []unfoldedLine
	var long strings.Builder
	flush := func() {
		if n := len(out); n > 0 {
			out[n-1].text = long.String()
		}
		long.Reset()
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if goesOn := line != "" && (line[0] == ' ' || line[0] == '\t'); goesOn && len(out) > 0 {
			long.WriteString(line[1:])
			continue
		}
		if line != "" {
			flush()
			out = append(out, unfoldedLine{number: number})
			long.WriteString(line)
		}
	}
	flush()
	return out
}

// calendarReader reads lines; within are the components that have begun.
type calendarReader struct {
	within []string
	event  event
	events []event
}

func (r *calendarReader) read(line unfoldedLine) error {
	p, err := propertyOf(line)
	if err != nil {
		return err
	}
	switch {
	case p.name == "BEGIN":
		return r.begin(p)
	case p.name == "END":
		return r.end(p)
	case len(r.within) == 0:
		return errNoCalendar
	case r.inEvent() && len(r.within) == 2 && (p.name == "STATUS" || slices.Contains(telling, p.name)):
		r.event.props[p.name] = append(r.event.props[p.name], p)
	}
	return nil
}

var errNoCalendar = errors.New("it is outside of a calendar: begin with BEGIN:VCALENDAR")

func (r *calendarReader) begin(p property) error {
	name := strings.ToUpper(p.value)
	if len(r.within) == 0 && name != "VCALENDAR" {
		return errNoCalendar
	}
	r.within = append(r.within, name)
	if r.inEvent() && len(r.within) == 2 {
		r.event = event{line: p.line, props: map[string][]property{}}
	}
	return nil
}

func (r *calendarReader) end(p property) error {
	n := len(r.within)
	if n == 0 || r.within[n-1] != strings.ToUpper(p.value) {
		return fmt.Errorf("END:%s has no BEGIN", p.value)
	}
	if r.inEvent() && n == 2 {
		if status, _ := r.event.one("STATUS"); !strings.EqualFold(status.value, "CANCELLED") {
			r.events = append(r.events, r.event)
		}
	}
	r.within = r.within[:n-1]
	return nil
}

// inEvent says whether the reader is in an event, or in a part of one.
func (r *calendarReader) inEvent() bool { return len(r.within) > 1 && r.within[1] == "VEVENT" }

// propertyOf parts a line at the first colon, and what is before it at semicolons,
// unless they are in quotes.
func propertyOf(line unfoldedLine) (property, error) {
	quoted, from := false, 0
	var parts []string
	for i, c := range []byte(line.text) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted || c != ';' && c != ':':
		default:
			parts = append(parts, line.text[from:i])
			from = i + 1
			if c == ':' {
				out := property{line: line.number, name: strings.ToUpper(parts[0]), params: map[string]string{}, value: strings.TrimSpace(line.text[from:])}
				for _, param := range parts[1:] {
					name, value, _ := strings.Cut(param, "=")
					out.params[strings.ToUpper(name)] = strings.Trim(value, `"`)
				}
				return out, nil
			}
		}
	}
	return property{}, fmt.Errorf("%s has no colon: write a line such as DTSTART;VALUE=DATE:20261225", shown(line.text))
}

// shown is the beginning of a text that may be long, in quotes.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return fmt.Sprintf("%q", text)
}
