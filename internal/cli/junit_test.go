package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// validJUnit holds a report against the schema, and gives it.
func validJUnit(t *testing.T, text string) *node {
	t.Helper()
	document := parseXML(t, text)
	if faults := loadXSD(t, "testdata/junit.xsd").validate(document); len(faults) > 0 {
		t.Errorf("the report is not valid: %s\n%s", strings.Join(faults, "; "), text)
	}
	return document
}

// attributes are those of an element but for its name, with the text that is in it.
func attributes(n *node) map[string]string {
	out := map[string]string{}
	for _, a := range n.Attrs {
		out[a.Name.Local] = a.Value
	}
	if text := strings.TrimSpace(n.Text); text != "" {
		out["text"] = text
	}
	return out
}

func TestJUnitReport(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("", -3600))
	suite := func(tests, failures, errors, skipped, took string) map[string]string {
		return map[string]string{
			"id": "0", "package": "kubectl-experience", "name": "gate", "timestamp": "2026-03-02T00:30:00", "hostname": "localhost",
			"tests": tests, "failures": failures, "errors": errors, "skipped": skipped, "time": took,
		}
	}
	cases := map[string]struct {
		reason string
		args   []junitCase
		suite  map[string]string
		// child is what the last case holds, and its name.
		name  string
		child map[string]string
	}{
		"None":   {reason: "no case is a report too", suite: suite("0", "0", "0", "0", "0.000")},
		"Passed": {reason: "who passed has nothing to say", args: []junitCase{{class: "shop", name: "a", took: 1500 * time.Millisecond}}, suite: suite("1", "0", "0", "0", "1.500")},
		"Failed": {
			reason: "the first line is the message, and all of it the text",
			args:   []junitCase{{class: "shop", name: "a"}, {class: "shop", name: "b", failure: "it is 3\nand not 4"}},
			suite:  suite("2", "1", "0", "0", "0.000"), name: "failure",
			child: map[string]string{"type": "failure", "message": "it is 3", "text": "it is 3\nand not 4"},
		},
		"Trouble": {
			reason: "an error is no failure",
			args:   []junitCase{{class: "shop", name: "b", trouble: "no server"}}, suite: suite("1", "0", "1", "0", "0.000"),
			name: "error", child: map[string]string{"type": "error", "message": "no server", "text": "no server"},
		},
		"Skipped": {
			reason: "what was skipped was no test, and took hours",
			args:   []junitCase{{class: "shop", name: "b", skipped: "not chosen", took: 2 * time.Hour}}, suite: suite("1", "0", "0", "1", "7200.000"),
			name: "skipped", child: map[string]string{"message": "not chosen", "text": "not chosen"},
		},
		"Odd": {
			reason: "texts are escaped, and characters that XML has not are replaced",
			args:   []junitCase{{class: "shop", name: "b", failure: "<a> & \"b\" \x00 ]]>"}}, suite: suite("1", "1", "0", "0", "0.000"),
			name: "failure", child: map[string]string{"type": "failure", "message": "<a> & \"b\" \uFFFD ]]>", "text": "<a> & \"b\" \uFFFD ]]>"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text, err := junitReport("gate", at, tc.args)
			if err != nil {
				t.Fatal(err)
			}
			found := validJUnit(t, string(text)).one("testsuite")
			if diff := cmp.Diff(tc.suite, attributes(&node{Attrs: found.Attrs})); diff != "" {
				t.Errorf("%s: suite: -want, +got:\n%s", tc.reason, diff)
			}
			elements := found.all("testcase")
			if len(elements) != len(tc.args) {
				t.Fatalf("%s: %d cases, want %d", tc.reason, len(elements), len(tc.args))
			}
			if tc.child == nil {
				return
			}
			last := elements[len(elements)-1]
			if child := last.one(tc.name); child == nil || len(last.Children) != 1 {
				t.Errorf("%s: no single %s in:\n%s", tc.reason, tc.name, text)
			} else if diff := cmp.Diff(tc.child, attributes(child)); diff != "" {
				t.Errorf("%s: %s: -want, +got:\n%s", tc.reason, tc.name, diff)
			}
		})
	}
}

// TestJUnitSchema shows that the schema refuses what it should.
func TestJUnitSchema(t *testing.T) {
	text, err := junitReport("gate", time.Unix(0, 0), []junitCase{{class: "shop", name: "a", failure: "no"}})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ reason, old, new, want string }{
		"Valid":     {"a report is valid", "", "", ""},
		"Attribute": {"an attribute must be known", `classname=`, `class=`, "/testsuites/testsuite[0]/testcase[0]: no attribute classname"},
		"Required":  {"an attribute must be there", ` hostname="localhost"`, "", "/testsuites/testsuite[0]: no attribute hostname"},
		"Number":    {"a count is a number", `tests="1"`, `tests="one"`, `/testsuites/testsuite[0]/@tests: "one" is no xs:int`},
		"Moment":    {"a moment has no zone", `T00:00:00"`, `T00:00:00Z"`, `"1970-01-01T00:00:00Z" is no xs:dateTime`},
		"Seconds":   {"seconds are decimal", `time="0.000">`, `time="1h">`, `"1h" does not match`},
		"Order":     {"elements have an order", `<properties></properties>`, "", "no element properties"},
		"Element":   {"elements are known", `failure`, `fault`, "element fault is not allowed here"},
		"Text":      {"no text stands between elements", "</failure>", "</failure>text", "/testsuites/testsuite[0]/testcase[0]: text is not allowed"},
		"Root":      {"so is the whole", `testsuites`, `suites`, "no element suites"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			faults := loadXSD(t, "testdata/junit.xsd").validate(parseXML(t, strings.ReplaceAll(string(text), tc.old, tc.new)))
			got := strings.Join(faults, "; ")
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s: faults %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
