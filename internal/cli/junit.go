package cli

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// outputJUnit is a report that pipelines show beside those of other tests.
const outputJUnit = "junit"

// junitCase is what was tested, and at most one of three texts: of what did not
// hold, of what kept from finding out, and of why nobody tried.
type junitCase struct {
	class, name string
	took        time.Duration

	failure, trouble, skipped string
}

// junitReport writes the JUnit XML that Jenkins, GitLab and others read, in the
// stricter form of Apache Ant. Its times are in seconds, and its moment in UTC.
func junitReport(suite string, at time.Time, cases []junitCase) ([]byte, error) {
	out := junitSuite{
		Name: suite, Package: "kubectl-experience", Host: "localhost",
		Timestamp: at.UTC().Format("2006-01-02T15:04:05"), Tests: len(cases),
	}
	total := time.Duration(0)
	for _, c := range cases {
		total += c.took
		out.add(c)
	}
	out.Time = junitSeconds(total)
	text, err := xml.MarshalIndent(junitSuites{Suites: []junitSuite{out}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return []byte(xml.Header + string(text) + "\n"), nil
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

// junitSuite has what Ant's schema requires, also where there is nothing to say.
type junitSuite struct {
	ID        int    `xml:"id,attr"`
	Package   string `xml:"package,attr"`
	Name      string `xml:"name,attr"`
	Timestamp string `xml:"timestamp,attr"`
	Host      string `xml:"hostname,attr"`
	Tests     int    `xml:"tests,attr"`
	Failures  int    `xml:"failures,attr"`
	Errors    int    `xml:"errors,attr"`
	Skipped   int    `xml:"skipped,attr"`
	Time      string `xml:"time,attr"`

	Properties struct{}       `xml:"properties"`
	Cases      []junitElement `xml:"testcase"`
	Out        string         `xml:"system-out"`
	Err        string         `xml:"system-err"`
}

type junitElement struct {
	Class string `xml:"classname,attr"`
	Name  string `xml:"name,attr"`
	Time  string `xml:"time,attr"`

	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
	Skipped *junitText `xml:"skipped"`
}

// junitText is a text whose first line is its message.
type junitText struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(c junitCase) {
	e := junitElement{Class: c.class, Name: c.name, Time: junitSeconds(c.took)}
	switch {
	case c.failure != "":
		s.Failures++
		e.Failure = newJUnitText("failure", c.failure)
	case c.trouble != "":
		s.Errors++
		e.Error = newJUnitText("error", c.trouble)
	case c.skipped != "":
		s.Skipped++
		e.Skipped = newJUnitText("", c.skipped)
	}
	s.Cases = append(s.Cases, e)
}

func newJUnitText(kind, text string) *junitText {
	message, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return &junitText{Type: kind, Message: message, Text: text}
}

func junitSeconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}
