package commandline_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/exits.md anew")

// page is where the table is.
var page = filepath.Join(root, "docs", "exits.md")

const preface = `# What the commands say, and how they end

Each row was run: the program itself, against a real API server and a real Prometheus.
Written by ` + "`go test ./hack/commandline -update`" + `. Shown is the
line that tells most, of the standard output or of the standard error.

0: done, or met, or passed. 1: a mistake in a manifest, or missed, or failed. 2: the command
line, a file, a cluster or a server cannot be used. 3: nobody knows yet.
`

// row is a command in a situation.
type row struct {
	situation  string
	args       string
	in         string
	kubeconfig string
	code       int
	// says is a part of what is printed, to either stream.
	says string
}

// TestExits runs the program in each situation and holds the table of the page
// against what happened.
func TestExits(t *testing.T) {
	w := start(t)
	var got strings.Builder
	got.WriteString(preface)
	for _, section := range []struct {
		name string
		rows []row
	}{
		{"evaluate", w.evaluations()}, {"validate", w.validations(t)},
		{"gate", w.gates(t)}, {"test", w.tests(t)}, {"replay", w.replays(t)}, {"convert", w.conversions()},
		{"what cannot be used", w.failures(t)},
	} {
		fmt.Fprintf(&got, "\n## %s\n\n| command | situation | exit | it says |\n|---|---|---|---|\n", section.name)
		for _, r := range section.rows {
			w.try(t, &got, r)
		}
	}
	t.Log(got.String())
	if *update {
		must(t, os.WriteFile(page, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(page)
	must(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("docs/exits.md is not what happens; -update writes it: -want, +got:\n%s", diff)
	}
}

// try runs one command and adds its row.
func (w *world) try(t *testing.T, table *strings.Builder, r row) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := strings.Fields(strings.NewReplacer("PROMETHEUS", w.prometheus, "FROM", w.from, "TO", w.to).Replace(r.args))
	got := w.run(ctx, t, r.kubeconfig, r.in, args...)
	if got.code != r.code {
		t.Errorf("%s: %s: ends with %d, want %d:\n%s%s", r.args, r.situation, got.code, r.code, got.out, got.err)
	}
	if said := got.out + got.err; !strings.Contains(said, r.says) {
		t.Errorf("%s: %s: says\n%s\nwant %q", r.args, r.situation, said, r.says)
	}
	line := told(got.out+got.err, r.says)
	fmt.Fprintf(table, "| `%s` | %s | %d | `%s` |\n", w.tidy(strings.NewReplacer("PROMETHEUS", "http://prometheus:9090", "FROM", "2026-03-01T06:00:00Z", "TO", "2026-03-01T12:00:00Z").Replace(r.args)), r.situation, got.code, strings.ReplaceAll(w.tidy(line), "|", "¦"))
}

// told is the line that says it, without the blanks that align columns.
func told(text, says string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, says) {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return ""
}

var (
	moment = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	hour   = regexp.MustCompile(`\d\d:\d\d:\d\d UTC`)
	port   = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`)
)

// tidy replaces what is different in each run.
func (w *world) tidy(text string) string {
	text = strings.ReplaceAll(text, w.prometheus, "http://prometheus:9090")
	text = strings.ReplaceAll(text, w.dir+"/", "")
	text = moment.ReplaceAllString(text, "2026-03-01T12:00:00Z")
	text = hour.ReplaceAllString(text, "12:00:00 UTC")
	return port.ReplaceAllString(text, "cluster:6443")
}

// objective is a promise of the shop's history.
func objective(name, app, more string) string {
	return fmt.Sprintf(`---
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: %s, namespace: shop}
spec:
  service: shop
  perspective: UX
  indicator: {events: {good: 'ux_task_total{app="%[2]s",outcome="success"}', total: 'ux_task_total{app="%[2]s"}'}}
  target: 95%%
  window: {rolling: 24h}%[3]s
`, name, app, more)
}

// exclusion leaves out two hours of the shop, which may come again.
func (w *world) exclusion(t *testing.T, more string) string {
	t.Helper()
	from, err := time.Parse(time.RFC3339, w.from)
	must(t, err)
	return fmt.Sprintf(`---
apiVersion: experience.slo/v1alpha1
kind: Exclusion
metadata: {name: move, namespace: shop}
spec:
  services: [shop]
  from: %q
  to: %q
  reason: The database moves.
  approver: CHG-2041
%s`, from.Add(2*time.Hour).Format(time.RFC3339), from.Add(4*time.Hour).Format(time.RFC3339), more)
}

// nowhere has an exclusion come again in a time zone that there is not.
const nowhere = "  recurrence: {every: Day, timeZone: Mars/Olympus}\n"

func (w *world) evaluations() []row {
	const command = "evaluate -f - --prometheus PROMETHEUS -o json"
	met, missed := objective("orders", "orders", ""), objective("search", "search", "")
	few := objective("few", "orders", "\n  minimumEvents: 999999999")
	return []row{
		{situation: "met", args: "evaluate -f - --prometheus PROMETHEUS", in: met, says: "98%"},
		{situation: "missed", args: "evaluate -f - --prometheus PROMETHEUS", in: missed, code: 1, says: "90%"},
		{situation: "too few events", args: "evaluate -f - --prometheus PROMETHEUS", in: few, code: 3, says: "InsufficientData"},
		{situation: "one met, one missed, one unknown", args: command, in: met + missed + few, code: 1, says: "TargetMissed"},
		{situation: "no such metric", args: command, in: objective("typo", "oders", ""), code: 3, says: "NoData"},
		{situation: "a mistake in the manifest", args: command, in: strings.Replace(met, "95%", "100%", 1), code: 2, says: "100% has no error budget"},
		{situation: "a server that is not there", args: "evaluate -f - --prometheus http://127.0.0.1:1", in: met, code: 2, says: "refused the connection"},
	}
}

func (w *world) validations(t *testing.T) []row {
	t.Helper()
	good := objective("orders", "orders", "")
	return []row{
		{situation: "good manifests", args: "validate -f -", in: good, says: "mistakes: 0"},
		{situation: "a rule across fields is broken", args: "validate -f -", in: strings.Replace(good, "95%", "100%", 1), code: 1, says: `spec.target: "100%"`},
		{situation: "a typo in PromQL", args: "validate -f -", in: strings.Replace(good, `app="orders"}`, `app="orders"`, 1), code: 1, says: "parse error"},
		{situation: "the same identity twice", args: "validate -f -", in: good + good, code: 1, says: "it is at stdin:2 too"},
		{situation: "an exclusion in no time zone", args: "validate -f -", in: good + w.exclusion(t, nowhere), code: 1, says: "Mars/Olympus"},
		{situation: "as SARIF", args: "validate -f - -o sarif", in: good + "kind: [\n", code: 1, says: `"version": "2.1.0"`},
		{situation: "a metric that is nearly there", args: "validate -f - --prometheus PROMETHEUS", in: strings.ReplaceAll(good, "ux_task_total", "ux_tasks_total"), code: 1, says: "ux_task_total"},
		{situation: "all is there", args: "validate -f - --prometheus PROMETHEUS", in: good, says: "mistakes: 0"},
	}
}

func (w *world) replays(t *testing.T) []row {
	t.Helper()
	good := objective("orders", "orders", "")
	return []row{
		{situation: "a promise that was kept", args: "replay -f - --prometheus PROMETHEUS --from FROM --to TO", in: good, says: "98%"},
		{situation: "one that was broken", args: "replay -f - --prometheus PROMETHEUS --from FROM --to TO", in: objective("search", "search", ""), says: "90%"},
		{situation: "two hours of which do not count", args: "replay -f - --prometheus PROMETHEUS --from FROM --to TO", in: objective("search", "search", "") + w.exclusion(t, ""), says: "8.3%"},
		{situation: "an exclusion in no time zone", args: "replay -f - --prometheus PROMETHEUS --from FROM --to TO", in: good + w.exclusion(t, nowhere), code: 2, says: "Mars/Olympus"},
		{situation: "as a picture", args: "replay -f - --prometheus PROMETHEUS --from FROM --to TO -o svg", in: good, says: "<svg"},
		{situation: "no beginning", args: "replay -f - --prometheus PROMETHEUS", in: good, code: 2, says: "--from"},
		{situation: "a beginning that is none", args: "replay -f - --prometheus PROMETHEUS --from yesterday", in: good, code: 2, says: `--from "yesterday"`},
		{situation: "a mistake in the manifest", args: "replay -f - --prometheus PROMETHEUS --from FROM --to TO", in: strings.Replace(good, "95%", "100%", 1), code: 2, says: "100% has no error budget"},
		{situation: "a server that is not there", args: "replay -f - --prometheus http://127.0.0.1:1 --from FROM --to TO", in: good, code: 2, says: "refused the connection"},
	}
}

const slothSpec = `version: prometheus/v1
service: shop
slos:
- name: orders
  objective: 99.9
  sli:
    events:
      error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
      total_query: sum(rate(http_requests_total[{{.window}}]))
  alerting: {name: OrdersFail, page_alert: {}, ticket_alert: {}}
`

func (w *world) conversions() []row {
	return []row{
		{situation: "a document of Sloth", args: "convert -f - --from sloth", in: slothSpec, says: "kind: Objective"},
		{situation: "a target without a budget", args: "convert -f - --from sloth", in: strings.Replace(slothSpec, "99.9", "100", 1), code: 1, says: "100"},
		{situation: "a format that is not known", args: "convert -f - --from keptn", in: slothSpec, code: 2, says: `--from "keptn"`},
		{situation: "a document of another format", args: "convert -f - --from pyrra", in: slothSpec, code: 1, says: "no objective of pyrra is among the documents"},
	}
}

// tests are unit tests of one objective.
func (w *world) tests(t *testing.T) []row {
	t.Helper()
	w.write(t, "orders.yaml", objective("orders", "orders", ""))
	const file = `manifests: [orders.yaml]
tests:
- name: two of a hundred fail
  objective: shop/orders
  series:
  - ux_task_total{app="orders",outcome="success"} 0+98x60
  - ux_task_total{app="orders",outcome="failure"} 0+2x60
  expect:
  - {at: 1h, met: %s, attainment: 98%%, events: 6000}
`
	w.write(t, "good_test.yaml", fmt.Sprintf(file, "True"))
	w.write(t, "bad_test.yaml", fmt.Sprintf(file, "False"))
	w.write(t, "typo_test.yaml", strings.Replace(fmt.Sprintf(file, "True"), "attainment", "attainement", 1))
	w.write(t, "series_test.yaml", strings.Replace(fmt.Sprintf(file, "True"), "0+98x60", "0+98y60", 1))
	return []row{
		{situation: "all is as expected", args: "test good_test.yaml", says: "SUCCESS"},
		{situation: "something is not", args: "test bad_test.yaml", code: 1, says: "FAILED"},
		{situation: "as JUnit", args: "test bad_test.yaml -o junit", code: 1, says: "<failure"},
		{situation: "as JSON", args: "test good_test.yaml -o json", says: `"two of a hundred fail"`},
		{situation: "a field that there is not", args: "test typo_test.yaml", code: 2, says: "attainement"},
		{situation: "a series that cannot be read", args: "test series_test.yaml", code: 2, says: "series_test.yaml:6"},
		{situation: "a file that is not there", args: "test absent.yaml", code: 2, says: "no such file"},
	}
}

func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

// failures are what keeps any command from its work.
func (w *world) failures(t *testing.T) []row {
	t.Helper()
	good := objective("orders", "orders", "")
	const other = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	w.write(t, "large.yaml", good+strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 100_000))
	w.write(t, "mess.yaml", strings.Repeat("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b", 1_000_000))
	return []row{
		{situation: "a wrong flag", args: "validate -f - --outptu x", in: good, code: 2, says: "unknown flag: --outptu"},
		{situation: "no such command", args: "evalute -f -", in: good, code: 2, says: "unknown command"},
		{situation: "a file that cannot be read", args: "render -f /proc/self/mem", code: 2, says: "input/output error"},
		{situation: "a manifest of another kind", args: "evaluate -f - --prometheus PROMETHEUS", in: other, code: 2, says: "no Objective is among the manifests"},
		{situation: "one bad document of several", args: "evaluate -f - --prometheus PROMETHEUS", in: good + "---\nkind: [\n" + objective("search", "search", ""), code: 2, says: "stdin:12: decode: yaml: line 12"},
		{situation: "ten megabytes, nearly all of it comments", args: "validate -f large.yaml", says: "mistakes: 0"},
		{situation: "ten megabytes of anything", args: "validate -f mess.yaml", code: 1, says: "mess.yaml:1: decode: yaml: control characters"},
		{situation: "no kubeconfig", args: "status", code: 2, says: "kubeconfig"},
		{situation: "a kubeconfig that is not there", args: "gate passed", kubeconfig: w.dir + "/none", code: 2, says: "no kubeconfig"},
		{situation: "no permission to list", args: "status -n shop", kubeconfig: w.nobody, code: 2, says: "it is not allowed"},
		{situation: "no permission to read a gate", args: "gate passed -n shop", kubeconfig: w.nobody, code: 2, says: "it is not allowed"},
		{situation: "a cluster that is not there", args: "status -n shop", kubeconfig: w.lost, code: 2, says: "does not answer"},
		{situation: "a cluster without the operator's kinds", args: "status -n shop", kubeconfig: w.bare, code: 2, says: "experience.slo"},
		{situation: "a Prometheus that is not there", args: "validate -f - --prometheus http://127.0.0.1:1", in: good, code: 2, says: "refused the connection"},
		{situation: "a server that is no Prometheus", args: "evaluate -f - --prometheus PROMETHEUS/graph", in: good, code: 2, says: "has no Prometheus API"},
	}
}
