package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// objectiveOf is an objective as a test can bring it.
const objectiveOf = `
- apiVersion: experience.slo/v1alpha1
  kind: Objective
  metadata: {name: a, namespace: shop}
  spec:
    service: checkout
    perspective: UX
    indicator: {events: {good: good_total, total: all_total}}
    target: 90%
    window: {rolling: 1d}
`

// testFile is a file with one test on that objective.
func testFile(expect string) string {
	return "manifests:" + objectiveOf + `objective: shop/a
series: [good_total 0+95x60, all_total 0+100x60]
tests:
- name: most are good
  expect:
` + expect
}

// monthly is a test of a month's objective that misses, from four hours before
// January of 2024 ends.
func monthly(expect string) string {
	return strings.NewReplacer("{rolling: 1d}", "{calendar: {unit: Month}}", "0+95x60", "0+20x600", "0+100x60", "0+100x600",
		"tests:", "start: 2024-01-31T20:00:00Z\ntests:").Replace(testFile(expect))
}

// tests gives test files to the program, and runs it in their folder.
func tests(t *testing.T, files map[string]string, args ...string) outcome {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return do(t, "", append([]string{"test"}, args...)...)
}

func TestTest(t *testing.T) {
	one := testFile("  - {at: 1h, met: True, reason: TargetMet, attainment: 95.0%, budgetRemaining: 50%, events: 6000, band: Good, coverage: 4.2%, alerts: []}\n")
	burning := strings.Replace(testFile("  - {at: 1h, alerts: []}\n  - {at: 30m, alerts: [{severity: page}, {window: 1h, labels: {team: a}}]}\n"), "0+95", "0+20", 1)
	cases := map[string]struct {
		reason, file string
		want         outcome
	}{
		"Passed": {reason: "all figures are as expected", file: one, want: outcome{Out: "Unit Testing:  a.yaml\n  SUCCESS: 1 of 1 tests passed\n"}},
		"Failed": {
			reason: "what is different is told line by line, in the order of the file",
			file:   testFile("  - at: 1h\n    met: false\n    events: 6000\n    band: \"\"\n  - {at: 30m, attainment: 96%}\n"),
			want: outcome{Code: Failed, Out: `Unit Testing:  a.yaml
  FAILED: 0 of 1 tests passed
    a.yaml:14: most are good
      a.yaml:17: Objective shop/a at 1h: met
        - False
        + True
      a.yaml:19: Objective shop/a at 1h: band
        - (none)
        + Good
      a.yaml:20: Objective shop/a at 30m: attainment
        - 96%
        + 95%
`},
		},
		"Alerts": {
			reason: "alerts that fire are told, and those that do not", file: burning,
			want: outcome{Code: Failed, Out: `Unit Testing:  a.yaml
  FAILED: 0 of 1 tests passed
    a.yaml:14: most are good
      a.yaml:16: Objective shop/a at 1h: alerts
        - (none)
        + ExperienceBudgetBurn critical 13m
        + ExperienceBudgetBurn warning 2h34m
        + ExperienceBudgetBurn warning 51m
      a.yaml:17: Objective shop/a at 30m: alerts
        - 1h team="a"
        - page
        + ExperienceBudgetBurn critical 13m
        + ExperienceBudgetBurn warning 2h34m
        + ExperienceBudgetBurn warning 51m
`},
		},
		"NoBoundaries": {
			reason: "a histogram that nobody has seen has no alerts and no verdict",
			file: strings.Replace(testFile("  - {at: 1h, met: Unknown, reason: NoData, alerts: []}\n"), "events: {good: good_total, total: all_total}",
				`distribution: {histogram: x_seconds, threshold: "2", interpolate: true}`, 1),
			want: outcome{Out: "Unit Testing:  a.yaml\n  SUCCESS: 1 of 1 tests passed\n"},
		},
		"Promtool": {
			reason: "series can be written as promtool has them, times as moments, and what is alike is written once",
			file: "manifests:" + objectiveOf + `namespace: shop
start: 2026-03-01T01:00:00+01:00
tests:
- name: b
  interval: 30s
  series: &s
  - {series: good_total, values: 0+1x120}
  - {series: all_total, values: 0+1x120}
  expect: &e
  - {at: 2026-03-01T01:00:00Z, objective: a, attainment: 100%, events: 120}
- {name: c, series: *s, interval: 15s, expect: [{at: 30m, objective: shop/a, events: 120}]}
`,
			want: outcome{Out: "Unit Testing:  a.yaml\n  SUCCESS: 2 of 2 tests passed\n"},
		},
		"Months": {
			reason: "alerts are those of the month in which they are expected, wherever the test ends",
			file:   monthly("  - {at: 2h, alerts: [{window: 6h40m}, {window: 1d2h35m}, {window: 3d7h45m}]}\n  - {at: 5h, events: 6000}\n"),
			want:   outcome{Out: "Unit Testing:  a.yaml\n  SUCCESS: 1 of 1 tests passed\n"},
		},
		"Documents": {
			reason: "a file can hold several documents, each with manifests of its own",
			file:   one + "---\n" + strings.ReplaceAll(one, "95", "96"),
			want: outcome{Code: Failed, Out: `Unit Testing:  a.yaml
  FAILED: 1 of 2 tests passed
    a.yaml:31: most are good
      a.yaml:33: Objective shop/a at 1h: budgetRemaining
        - 50%
        + 60%
`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tests(t, map[string]string{"a.yaml": tc.file}, "a.yaml")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTestMistakes gives files that are none.
func TestTestMistakes(t *testing.T) {
	good := testFile("  - {at: 1h, met: True}\n")
	change := func(old, text string) string { return strings.Replace(good, old, text, 1) }
	expected := func(fields string) string { return testFile("  - {" + fields + "}\n") }
	cases := map[string]struct{ reason, file, want string }{
		"Field":          {"a field must exist", change("series:", "serie:"), "a.yaml:12: serie: there is no such field: write one of interval, manifests, namespace, objective, series, start, tests"},
		"TestField":      {"in a test too", change("expect:", "expects: []\n  expect:"), "a.yaml:15: expects: there is no such field: write one of expect, interval, manifests, name, objective, series, start"},
		"ExpectField":    {"and in what is expected", expected("at: 1h, mets: True"), "a.yaml:16: mets: there is no such field: write one of alerts, at, attainment, band, budgetRemaining, coverage, events, met, objective, reason"},
		"AlertField":     {"and of an alert", expected("at: 1h, alerts: [{tier: page}]"), "a.yaml:16: tier: there is no such field: write one of labels, name, severity, window"},
		"Twice":          {"a field is there once", change("objective:", "series: []\nobjective:"), "a.yaml:13: series: it is there twice: leave one out"},
		"NoTests":        {"tests are what it is for", "series: []\n", "a.yaml:1: tests: it is required: write a list of tests"},
		"Empty":          {"and an empty file has none", "# nothing\n", "error: a.yaml: there are no tests: write tests: and a list of them"},
		"Mark":           {"as has one with a byte order mark alone", "\ufeff", "a.yaml:1: there are no tests: write tests: and a list of them"},
		"YAML":           {"a file is YAML", "tests: [\n", "a.yaml:1: decode: yaml: "},
		"NoObject":       {"and an object", "- tests\n", "a.yaml:1: \"\" is no object: write fields, such as name: value"},
		"NoList":         {"tests are a list", "tests: all\n", "a.yaml:1: \"all\" is no list: write - before each item"},
		"NoText":         {"a name is text", change("name: most are good", "name: [a]"), "a.yaml:14: a list or an object stands where a single value is expected"},
		"NoName":         {"a test has a name", change("name: most are good\n  ", ""), "a.yaml:14: name: it is required: say what is tested"},
		"NoExpect":       {"and expects something", "tests: [{name: a}]\n", "a.yaml:1: expect: it is required: write what should be found, and at what time"},
		"ExpectEmpty":    {"and not nothing", "tests: [{name: a, expect: []}]\n", "a.yaml:1: expect: it is required: write what should be found, and at what time"},
		"EmptyList":      {"tests are some", "tests: []\n", "error: a.yaml: the list of tests is empty: write one with a name and what to expect\n"},
		"NoAt":           {"at some time", expected("met: True"), "a.yaml:16: at: it is required: write how long after the start, such as 1h30m, or a moment"},
		"NoFigure":       {"of some figure", expected("at: 1h"), "a.yaml:16: nothing is expected: write one of alerts, attainment, band, budgetRemaining, coverage, events, met, reason"},
		"NoObjective":    {"of some objective", change("objective: shop/a\n", ""), "a.yaml:15: objective: it is required, here or above: write namespace/name"},
		"OtherObjective": {"which is there", change("objective: shop/a\n", "objective: b\n"), "a.yaml:16: objective: \"default/b\": no manifest has it: write one of shop/a"},
		"Met":            {"met is one of three", expected("at: 1h, met: Yes"), "a.yaml:16: met: \"Yes\": write one of True, False, Unknown"},
		"Band":           {"and so is a band", expected("at: 1h, band: Fair"), "a.yaml:16: band: \"Fair\": write one of Good, NeedsImprovement, Poor"},
		"At":             {"a time is whole minutes", expected("at: 90s, met: True"), "a.yaml:16: at: \"90s\": write how long after the start, in whole minutes such as 1h30m, or a moment"},
		"Moment":         {"so is a moment", expected("at: 2024-01-01T01:00:30Z, met: True"), "a.yaml:16: at: \"2024-01-01T01:00:30Z\": objectives are judged at the ends of minutes: write a whole one"},
		"Before":         {"nothing is known before the start", expected("at: 2023-12-31T23:00:00Z, met: True"), "a.yaml:16: at: \"2023-12-31T23:00:00Z\": it is not within 400 days after the start, which is 2024-01-01T00:00:00Z"},
		"Late":           {"nor long after it", expected("at: 401d, met: True"), "a.yaml:16: at: \"401d\": it is not within 400 days"},
		"Start":          {"a start is a moment", change("objective:", "start: yesterday\nobjective:"), "a.yaml:11: start: \"yesterday\": write a moment in whole minutes, such as 2026-03-01T00:00:00Z"},
		"Interval":       {"an interval is short", change("objective:", "interval: 10m\nobjective:"), "a.yaml:11: interval: \"10m\": write a duration from 1s to 5m: what is further apart is a gap"},
		"Series":         {"a series is as promtool has it", change("0+95x60", "0+95y60"), "a.yaml:12: parse series \"good_total 0+95y60\": "},
		"SeriesTwice":    {"and is there once", change("all_total 0", "good_total 0"), "a.yaml:12: load series {__name__=\"good_total\"}: it is there twice: leave one out"},
		"Manifest":       {"a manifest has no mistake, and its line is told where it stands in the test", change("target: 90%", "target: 100%"), "a.yaml:9: Objective shop/a: spec.target: \"100%\": target must be above 0% and below 100%"},
		"ManifestField":  {"nor a field that is none", change("target: 90%", "targets: 90%"), "a.yaml:9: Objective shop/a: spec.targets: there is no such field"},
		"Months":         {"alerts are of months of one length", monthly("  - {at: 2h, alerts: []}\n  - {at: 5h, alerts: []}\n"), "a.yaml:18: alerts: at 2h and at 5h the calendar window has units of different lengths, whose rules differ: expect each in a test of its own\n"},
		"NoManifest":     {"and is there", change("manifests:", "manifests:\n- b.yaml"), "error: a.yaml:15: read manifests: stat b.yaml: no such file or directory"},
		"File":           {"a manifest of a file has its lines there", change("manifests:", "manifests:\n- bad/b.yaml"), "bad/b.yaml:2: kind: \"Promise\": experience.slo/v1alpha1 has no such kind"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"a.yaml": tc.file, "bad/b.yaml": "apiVersion: experience.slo/v1alpha1\nkind: Promise\n"}
			got := tests(t, files, "a.yaml")
			if got.Code != Unusable || got.Out != "" || !strings.Contains(got.Err, tc.want) {
				t.Errorf("%s: %+v, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestTestCommandLine(t *testing.T) {
	files := map[string]string{"t/a.yaml": testFile("  - {at: 1h, met: True}\n"), "t/b.yaml": testFile("  - {at: 1h, met: False}\n")}
	cases := map[string]struct {
		reason string
		args   []string
		code   int
		// want is a part of what is printed or told.
		want string
	}{
		"Folder":  {"of a folder all files are run", []string{"t"}, Failed, "Unit Testing:  t/a.yaml\n  SUCCESS: 1 of 1 tests passed\nUnit Testing:  t/b.yaml\n  FAILED: 0 of 1"},
		"Run":     {"tests are chosen by name", []string{"t/a.yaml", "--run", "^most"}, Done, "1 of 1 tests passed"},
		"RunNone": {"but some must be", []string{"t", "--run", "few"}, Unusable, "error: --run \"few\": no test has such a name\n"},
		"RunBad":  {"and the expression be one", []string{"t", "--run", "("}, Unusable, "error: --run \"(\": error parsing regexp"},
		"NoFile":  {"a file must be named", nil, Unusable, "error: requires at least 1 arg(s)"},
		"Absent":  {"and be there", []string{"c.yaml"}, Unusable, "no such file or directory"},
		"Output":  {"an output must exist", []string{"t", "-o", "xml"}, Unusable, "error: --output \"xml\": write one of text, json, junit\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tests(t, files, tc.args...)
			if got.Code != tc.code || !strings.Contains(got.Out+got.Err, tc.want) {
				t.Errorf("%s: %+v, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestTestInterrupted stops the program when its tests begin: a test that did not
// run has neither passed nor failed.
func TestTestInterrupted(t *testing.T) {
	for name, expect := range map[string]string{"Failing": "met: True", "Passing": "met: Unknown", "Alerts": "alerts: []"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.yaml")
			if err := os.WriteFile(path, []byte(testFile("  - {at: 1h, "+expect+"}\n")), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var out, told bytes.Buffer
			// Who asks for the time is a test that begins.
			p := Program{Out: &out, Err: &told, Patience: time.Hour, Now: func() time.Time { stop(); return now }}
			code := p.Run(ctx, []string{"test", path, "-o", "junit"})
			want := outcome{Code: Unusable, Err: "error: interrupted\nSee \"kubectl experience test --help\".\n"}
			if diff := cmp.Diff(want, outcome{Code: code, Out: out.String(), Err: told.String()}); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

// TestTestOutputs prints one result in each of the forms for programs.
func TestTestOutputs(t *testing.T) {
	files := map[string]string{"a.yaml": testFile("  - {at: 1h, met: True}\n") + "- name: and some are not\n  expect: [{at: 1h, met: False, alerts: [{severity: page}]}]\n"}
	t.Run("JSON", func(t *testing.T) {
		got := tests(t, files, "a.yaml", "-o", "json")
		var results []testResult
		if err := json.Unmarshal([]byte(got.Out), &results); err != nil || got.Code != Failed {
			t.Fatalf("%v: %+v", err, got)
		}
		want := []testResult{
			{File: "a.yaml", Line: 14, Name: "most are good", Passed: true},
			{File: "a.yaml", Line: 17, Name: "and some are not", Differences: []testDifference{
				{Line: 18, Objective: "shop/a", At: "1h", Field: "met", Expected: []string{"False"}, Got: []string{"True"}},
				{Line: 18, Objective: "shop/a", At: "1h", Field: "alerts", Expected: []string{"page"}, Got: []string{}},
			}},
		}
		if diff := cmp.Diff(want, results); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
	t.Run("JUnit", func(t *testing.T) {
		schema, err := filepath.Abs("testdata/junit.xsd")
		if err != nil {
			t.Fatal(err)
		}
		got := tests(t, files, "a.yaml", "-o", "junit")
		document := parseXML(t, got.Out)
		if faults := loadXSD(t, schema).validate(document); len(faults) > 0 || got.Code != Failed {
			t.Errorf("the report is not valid: %v: %+v", faults, got)
		}
		cases := document.one("testsuite").all("testcase")
		want := map[string]string{"message": "a.yaml:18: Objective shop/a at 1h: met", "type": "failure",
			"text": "a.yaml:18: Objective shop/a at 1h: met\n  - False\n  + True\na.yaml:18: Objective shop/a at 1h: alerts\n  - page\n  + (none)"}
		if len(cases) != 2 || len(cases[0].Children) != 0 {
			t.Fatalf("not two tests of which the first passed:\n%s", got.Out)
		}
		if diff := cmp.Diff(want, attributes(cases[1].one("failure"))); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
	})
}

// TestSampleTests runs the tests that are shipped beside the samples.
func TestSampleTests(t *testing.T) {
	got := do(t, "", "test", "../../config/samples/tests")
	if got.Code != Done || strings.Count(got.Out, "SUCCESS") < 3 {
		t.Errorf("the samples' tests: %+v", got)
	}
}

// TestSampleTestsCanFail breaks each expectation of the samples' tests, one at a time.
func TestSampleTestsCanFail(t *testing.T) {
	path := "../../config/samples/tests/sign_in.yaml"
	text := read(t, path)
	folder, err := filepath.Abs("../../config/samples")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"attainment: 100%", "attainment: 99%"}, {"budgetRemaining: -1328.6%", "budgetRemaining: -1328.5%"}, {"met: False", "met: True"},
		{"window: 6h}\n", "window: 5h}\n"}, {"team: identity,", "team: other,"}, {"alerts: []", "alerts: [{severity: page}]"},
		{", {window: 3d}]", "]"}, {"at: 50m", "at: 70m"}, {"60900+900x14", "60900+800x14"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Errorf("%q is not in %s", change[0], path)
		}
		got := tests(t, map[string]string{"a.yaml": strings.ReplaceAll(changed, "..", folder)}, "a.yaml")
		if got.Code != Failed {
			t.Errorf("with %q for %q: %+v", change[1], change[0], got)
		}
		t.Chdir(filepath.Join(folder, "../../internal/cli"))
	}
}
