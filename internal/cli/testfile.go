package cli

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/experience-slo/operator/internal/rehearse"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	// usualInterval is how far apart values of series are unless a test says more.
	usualInterval = time.Minute
	// longestInterval is what Prometheus takes for a gap.
	longestInterval = 5 * time.Minute
)

// usualStart is when tests begin that do not say when: on the first day of a
// year, a quarter, a month and a week.
var usualStart = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// noTests refuses a file or a document that holds nothing.
const noTests = "there are no tests: write tests: and a list of them"

// suite is the tests of one document of a test file.
type suite struct {
	trial

	tests []trial
}

// trial is a test. Where it says nothing, its suite does.
type trial struct {
	place
	name, namespace, objective string
	start                      time.Time
	interval                   time.Duration
	manifests                  []testManifest
	series                     []testSeries
	expect                     []expectation
}

// testManifest names a file or a folder, or is an object itself.
type testManifest struct {
	path   string
	object *manifest
}

type testSeries struct {
	line int
	rehearse.Series
}

// expectation is what should be found of an objective at a moment.
type expectation struct {
	line      int
	objective string
	// moment is as it was written.
	moment  string
	at      time.Time
	figures []wanted
	// alerts are all that should fire, where alertsAt is a line.
	alerts   []wantedAlert
	alertsAt int
}

// wanted is a figure of the status as people read it.
type wanted struct {
	line        int
	field, text string
}

// wantedAlert is labels that an alert must have.
type wantedAlert map[string]string

// testReader reads a document of a test file, and takes down its mistakes.
type testReader struct {
	in       document
	mistakes []mistake
}

// readSuite reads the tests of a document.
func readSuite(d document) (suite, []mistake) {
	r := &testReader{in: d}
	out := suite{trial: trial{place: d.place, namespace: "default", start: usualStart, interval: usualInterval}}
	root := &yaml.Node{}
	if err := yaml.Unmarshal(d.text, root); err != nil {
		r.mistakes = append(r.mistakes, mistake{place: d.place, fault: fault{rule: ruleDocument, text: fmt.Sprintf("decode: %v", err)}})
		return out, r.mistakes
	}
	if len(root.Content) == 0 { // such as a byte order mark alone
		r.mistakes = append(r.mistakes, mistake{place: d.place, fault: fault{rule: ruleDocument, text: noTests}})
		return out, r.mistakes
	}
	r.in.tree = root
	var tests *yaml.Node
	r.object(root.Content[0], with(r.common(&out.trial), map[string]func(*yaml.Node){
		"namespace": func(n *yaml.Node) { out.namespace = r.text(n) },
		"tests":     func(n *yaml.Node) { tests = n },
	}))
	if tests == nil {
		r.refuse(root.Content[0], "tests: it is required: write a list of tests")
		return out, r.mistakes
	}
	r.list(tests, func(n *yaml.Node) { out.tests = append(out.tests, r.test(n, out.trial)) })
	return out, r.mistakes
}

// with adds fields to others.
func with(fields, more map[string]func(*yaml.Node)) map[string]func(*yaml.Node) {
	maps.Copy(fields, more)
	return fields
}

// common are the fields that suites and tests have.
func (r *testReader) common(t *trial) map[string]func(*yaml.Node) {
	return map[string]func(*yaml.Node){
		"objective": func(n *yaml.Node) { t.objective = r.text(n) },
		"start":     func(n *yaml.Node) { t.start = r.start(n) },
		"interval":  func(n *yaml.Node) { t.interval = r.interval(n) },
		"manifests": func(n *yaml.Node) {
			r.list(n, func(n *yaml.Node) { t.manifests = append(t.manifests, r.manifest(n)) })
		},
		"series": func(n *yaml.Node) {
			r.list(n, func(n *yaml.Node) { t.series = append(t.series, r.series(n)) })
		},
	}
}

func (r *testReader) test(n *yaml.Node, from trial) trial {
	t := from
	t.line, t.manifests, t.series = r.line(n), slices.Clip(from.manifests), slices.Clip(from.series)
	var expect *yaml.Node
	r.object(n, with(r.common(&t), map[string]func(*yaml.Node){
		"name":   func(n *yaml.Node) { t.name = r.text(n) },
		"expect": func(n *yaml.Node) { expect = n },
	}))
	switch {
	case t.name == "":
		r.refuse(n, "name: it is required: say what is tested")
	case expect == nil || expect.Kind == yaml.SequenceNode && len(expect.Content) == 0:
		r.refuse(n, "expect: it is required: write what should be found, and at what time")
	default:
		r.list(expect, func(n *yaml.Node) { t.expect = append(t.expect, r.expectation(n, t)) })
	}
	return t
}

// statuses and bands are what met and band can be.
var (
	statuses = []string{"True", "False", "Unknown"}
	bands    = []string{"Good", "NeedsImprovement", "Poor", ""}
)

func (r *testReader) expectation(n *yaml.Node, t trial) expectation {
	e := expectation{line: r.line(n), objective: t.objective}
	fields := map[string]func(*yaml.Node){
		"at":        func(n *yaml.Node) { e.moment, e.at = n.Value, r.moment(n, t.start) },
		"objective": func(n *yaml.Node) { e.objective = r.text(n) },
		"alerts": func(n *yaml.Node) {
			e.alertsAt = r.line(n)
			r.list(n, func(n *yaml.Node) { e.alerts = append(e.alerts, r.alert(n)) })
		},
	}
	for field := range figures {
		fields[field] = func(n *yaml.Node) { e.figures = append(e.figures, r.figure(field, n)) }
	}
	r.object(n, fields)
	switch {
	case e.moment == "":
		r.refuse(n, "at: it is required: write how long after the start, such as 1h30m, or a moment")
	case e.objective == "":
		r.refuse(n, "objective: it is required, here or above: write namespace/name")
	case len(e.figures) == 0 && e.alertsAt == 0:
		r.refuse(n, "nothing is expected: write one of alerts, %s", strings.Join(figureNames(), ", "))
	}
	if !strings.Contains(e.objective, "/") {
		e.objective = t.namespace + "/" + e.objective
	}
	slices.SortFunc(e.figures, func(a, b wanted) int { return a.line - b.line })
	return e
}

func (r *testReader) figure(field string, n *yaml.Node) wanted {
	out := wanted{line: r.line(n), field: field, text: r.text(n)}
	if field == "met" && n.Tag == "!!bool" { // True is a truth value to YAML
		out.text = strings.ToUpper(out.text[:1]) + strings.ToLower(out.text[1:])
	}
	for name, allowed := range map[string][]string{"met": statuses, "band": bands} {
		if field == name && !slices.Contains(allowed, out.text) {
			r.refuse(n, "%s: %q: write one of %s", field, out.text, strings.Trim(strings.Join(allowed, ", "), ", "))
		}
	}
	return out
}

func (r *testReader) alert(n *yaml.Node) wantedAlert {
	out := wantedAlert{}
	r.object(n, map[string]func(*yaml.Node){
		"name":     func(n *yaml.Node) { out[alertName] = r.text(n) },
		"severity": func(n *yaml.Node) { out[alertSeverity] = r.text(n) },
		"window":   func(n *yaml.Node) { out[alertWindow] = r.text(n) },
		"labels": func(n *yaml.Node) {
			r.pairs(n, func(key, value *yaml.Node) { out[key.Value] = r.text(value) })
		},
	})
	return out
}

func (r *testReader) manifest(n *yaml.Node) testManifest {
	if n.Kind != yaml.MappingNode {
		path := r.text(n)
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(r.in.file), path)
		}
		return testManifest{path: path}
	}
	text, err := yaml.Marshal(n)
	if err == nil {
		var object map[string]any
		d := document{place: place{r.in.file, r.line(n)}, text: text}
		if object, err = d.decode(); err == nil {
			// Lines count from where the object is.
			d.tree, d.line = &yaml.Node{Content: []*yaml.Node{n}}, r.in.line
			return testManifest{object: &manifest{place: place{r.in.file, r.line(n)}, in: &d, object: object}}
		}
	}
	r.refuse(n, "%v", err)
	return testManifest{}
}

// series takes "name{labels} values", and promtool's pair of both.
func (r *testReader) series(n *yaml.Node) testSeries {
	text := n.Value
	if n.Kind == yaml.MappingNode {
		var labels, values string
		r.object(n, map[string]func(*yaml.Node){
			"series": func(n *yaml.Node) { labels = r.text(n) },
			"values": func(n *yaml.Node) { values = r.text(n) },
		})
		text = labels + " " + values
	}
	out, err := rehearse.ParseSeries(text)
	if err != nil {
		r.refuse(n, "%v", err)
	}
	return testSeries{r.line(n), out}
}

func (r *testReader) interval(n *yaml.Node) time.Duration {
	d, err := slo.ParseDuration(r.text(n))
	if err != nil || d < time.Second || d > longestInterval {
		r.refuse(n, "interval: %q: write a duration from 1s to 5m: what is further apart is a gap", n.Value)
		return usualInterval
	}
	return d
}

func (r *testReader) start(n *yaml.Node) time.Time {
	at, err := time.Parse(time.RFC3339, r.text(n))
	if err != nil || !at.Equal(at.Truncate(time.Minute)) {
		r.refuse(n, "start: %q: write a moment in whole minutes, such as 2026-03-01T00:00:00Z", n.Value)
		return usualStart
	}
	return at.UTC()
}

var wholeMinutes = regexp.MustCompile(`^[0-9].*[wdhm]$`)

// moment reads how long after the start something is expected, or when.
func (r *testReader) moment(n *yaml.Node, start time.Time) time.Time {
	text := r.text(n)
	at, err := time.Parse(time.RFC3339, text)
	if wholeMinutes.MatchString(text) {
		var after time.Duration
		after, err = slo.ParseDuration(text)
		at = start.Add(after)
	}
	switch {
	case err != nil:
		r.refuse(n, "at: %q: write how long after the start, in whole minutes such as 1h30m, or a moment such as 2026-03-01T00:00:00Z", text)
	case !at.Equal(at.Truncate(time.Minute)):
		r.refuse(n, "at: %q: objectives are judged at the ends of minutes: write a whole one", text)
	case at.Before(start) || at.Sub(start) > slo.MaxRolling:
		r.refuse(n, "at: %q: it is not within 400 days after the start, which is %s", text, start.Format(time.RFC3339))
	}
	return at.UTC()
}
