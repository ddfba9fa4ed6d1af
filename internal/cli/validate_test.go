package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// counts is the line with which validate ends.
func counts(objectives, sources, mistakes, warnings int) string {
	return fmt.Sprintf("objectives: %d, sources: %d, mistakes: %d, warnings: %d\n", objectives, sources, mistakes, warnings)
}

// TestValidate checks manifests without a server.
func TestValidate(t *testing.T) {
	cases := map[string]struct {
		reason, args string
		want         outcome
	}{
		"Good":         {reason: "nothing to say of what is right", args: daily("a", tasks, "98%"), want: outcome{Err: assumed + counts(1, 0, 0, 0)}},
		"Nothing":      {reason: "no objective is no mistake: a folder may hold sources alone", args: sourceOf("ClusterMetricSource", "name: a", ""), want: outcome{Err: counts(0, 1, 0, 0)}},
		"Interpolated": {reason: "only a server knows buckets", args: daily("a", `distribution: {histogram: h, threshold: "3", interpolate: true}`, "98%"), want: outcome{Err: assumed + counts(1, 0, 0, 0)}},
		"Schema": {
			reason: "a mistake is printed, for it was asked for", args: daily("a", tasks, "100%"),
			want: outcome{Code: Invalid, Out: "stdin:9: Objective shop/a: spec.target: \"100%\": target must be above 0% and below 100%: a target of 100% has no error budget\n", Err: counts(0, 0, 1, 0)},
		},
		"Query": {
			reason: "expressions are parsed", args: daily("a", "events: {good: 'a{', total: b}", "99%"),
			want: outcome{Code: Invalid, Out: "stdin:8: Objective shop/a: spec.indicator.events.good: parse \"a{\": 1:3: parse error: unexpected end of input inside braces\n", Err: assumed + counts(1, 0, 1, 0)},
		},
		"Suspended": {
			reason: "also of what is suspended",
			args:   strings.Replace(daily("a", "events: {good: 'a{', total: b}", "99%"), "\n---", "  suspend: true\n---", 1),
			want:   outcome{Code: Invalid, Out: "stdin:8: Objective shop/a: spec.indicator.events.good: parse \"a{\": 1:3: parse error: unexpected end of input inside braces\n", Err: assumed + counts(1, 0, 1, 0)},
		},
		"Template": {
			reason: "alerts are made, for they can be refused too",
			args:   strings.Replace(daily("a", tasks, "98%"), "\n---", "  alerting: {page: {annotations: {summary: '{{ .Broken'}}}\n---", 1),
			want:   outcome{Code: Invalid, Out: "stdin:11: Objective shop/a: spec.alerting.page.annotations.summary: \"{{ .Broken\" is no template of Prometheus: template: __alert_ExperienceBudgetBurn:1: unclosed action\n", Err: assumed + counts(1, 0, 1, 0)},
		},
		"Twice": {
			reason: "two objects of one name", args: daily("a", tasks, "98%") + daily("a", tasks, "97%"),
			want: outcome{Code: Invalid, Out: "stdin:15: Objective shop/a: metadata.name: \"a\": it is at stdin:2 too: remove one of them\n", Err: assumed + counts(1, 0, 1, 0)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, do(t, tc.args, "validate", "-f", "-")); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestValidateFindsWhatRenderDoes checks that both tell the same mistakes, apart
// from what only a server knows.
func TestValidateFindsWhatRenderDoes(t *testing.T) {
	want := ""
	for line := range strings.Lines(read(t, "testdata/mistakes.txt")) {
		if !strings.HasPrefix(line, "note: ") && !strings.Contains(line, "Prometheus alone knows") {
			want += line
		}
	}
	got := run(t, nil, "validate", "-f", "mistakes.yaml")
	if diff := cmp.Diff(want, got.Out); got.Code != Invalid || diff != "" {
		t.Errorf("ends with %d: -render, +validate:\n%s", got.Code, diff)
	}
}

// TestDuplicatesAcrossFiles names the other file.
func TestDuplicatesAcrossFiles(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a.yaml", "b.yaml"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(daily("same", tasks, "98%")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := do(t, "", "validate", "-f", folder)
	want := filepath.Join(folder, "b.yaml") + ":4: Objective shop/same: metadata.name: \"same\": it is at " + filepath.Join(folder, "a.yaml") + ":2 too: remove one of them\n"
	if diff := cmp.Diff(want, got.Out); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// TestValidateAsks has a real Prometheus say what is there.
func TestValidateAsks(t *testing.T) {
	const good, hour = "spec.indicator.events.good: ", "had a sample in the last hour"
	events := func(good string) string { return "events: {good: '" + good + "', total: shop_attempts_total}" }
	state := func(query string) string {
		return `state: {query: '` + query + `', operator: Equal, value: "1"}`
	}
	cases := map[string]struct {
		reason, args string
		// want is the mistake without its place, or the warning.
		want string
	}{
		"There":       {reason: "all is there", args: events(`shop_tasks_total{outcome="success"}`)},
		"Regular":     {reason: "matchers may be of any kind", args: events(`shop_tasks_total{outcome=~"succ.*",app!="phone",gone=""}`)},
		"Metric":      {reason: "a name that is nearly right", args: events("shop_task_total"), want: good + `no metric "shop_task_total" ` + hour + `: did you mean "shop_tasks_total"?`},
		"FarMetric":   {reason: "a name that is not like any", args: events("http_requests_total"), want: good + `no metric "http_requests_total" ` + hour},
		"Label":       {reason: "a label", args: events(`shop_tasks_total{outcom="success"}`), want: good + `metric "shop_tasks_total" has no label "outcom": did you mean "outcome"?`},
		"Value":       {reason: "a value", args: events(`shop_tasks_total{outcome="succes"}`), want: good + `no series of metric "shop_tasks_total" has outcome="succes": did you mean "success"?`},
		"FarValue":    {reason: "where there are few, all are told", args: events(`shop_tasks_total{app="telephone"}`), want: good + `no series of metric "shop_tasks_total" has app="telephone": there is "web"`},
		"Together":    {reason: "labels that are on no one series", args: `state: {query: 'up{instance="shop-0",job!="shop"}', operator: Equal, value: "1"}`, want: `spec.indicator.state.query: no series of metric "up" has all of these labels at once`},
		"Bad":         {reason: "errors that nobody has seen may come yet", args: "events: {bad: shop_errors_total, total: shop_attempts_total}", want: `warning: Objective shop/a: spec.indicator.events.bad: no metric "shop_errors_total" ` + hour},
		"Total":       {reason: "totals must be there", args: "events: {good: shop_tasks_total, total: shop_attempt_total}", want: `spec.indicator.events.total: no metric "shop_attempt_total" ` + hour + `: did you mean "shop_attempts_total"?`},
		"Boundary":    {reason: "a threshold that is none", args: `distribution: {histogram: shop_page_seconds, threshold: "3"}`, want: "spec.indicator.distribution.threshold: 3 is no bucket boundary of shop_page_seconds: the nearest boundaries are 2.5 and 4; use one of them, add the bucket, or set interpolate: true for an estimate"},
		"Estimated":   {reason: "unless it is to be estimated", args: `distribution: {histogram: shop_page_seconds, threshold: "3", interpolate: true}`},
		"AtBoundary":  {reason: "or is one", args: pages},
		"Histogram":   {reason: "histograms have names of their own", args: `distribution: {histogram: shop_pages_seconds, threshold: "3"}`, want: `spec.indicator.distribution.histogram: no histogram "shop_pages_seconds" ` + hour + `: did you mean "shop_page_seconds"?`},
		"NoHistogram": {reason: "what is no histogram", args: `distribution: {histogram: up, threshold: "3"}`, want: `spec.indicator.distribution.histogram: "up" is no classic histogram: write format: Native if it is a native one`},
		"NoNative":    {reason: "a classic one that is taken for native", args: `distribution: {histogram: shop_page_seconds, threshold: "3", format: Native}`, want: `spec.indicator.distribution.histogram: "shop_page_seconds" is a classic histogram: remove format: Native`},
		"State":       {reason: "expressions have selectors", args: state("min(up) * min(ups)"), want: `spec.indicator.state.query: no metric "ups" ` + hour + `: did you mean "up"?`},
		"Or":          {reason: "an expression may say what follows without series", args: state("upp or vector(1)"), want: `warning: Objective shop/a: spec.indicator.state.query: no metric "upp" ` + hour + `: did you mean "up"?`},
		"Absent":      {reason: "or ask for their absence", args: state("absent(gone)"), want: `warning: Objective shop/a: spec.indicator.state.query: no metric "gone" ` + hour},
		"AnyName":     {reason: "a name may be a pattern", args: state(`{__name__=~"gone.*"}`), want: `spec.indicator.state.query: no series is selected by {__name__=~"gone.*"}`},
		"Queries":     {reason: "queries have an interval to be filled in", args: `queries: {points: 'sum(increase(shop_tasks_totl[$interval]))', events: 'sum(increase(shop_attempts_total[$interval]))'}`, want: `spec.indicator.queries.points: no metric "shop_tasks_totl" ` + hour + `: did you mean "shop_tasks_total"?`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, daily("a", tc.args, "90%"), "validate", "-f", "-", "--prometheus", server.URL)
			want := outcome{Err: assumed + counts(1, 0, 0, 0)}
			switch {
			case strings.HasPrefix(tc.want, "warning"):
				want = outcome{Out: "stdin:8: " + tc.want + "\n", Err: assumed + counts(1, 0, 0, 1)}
			case tc.want != "":
				want = outcome{Code: Invalid, Out: "stdin:8: Objective shop/a: " + tc.want + "\n", Err: assumed + counts(1, 0, 1, 0)}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestValidateScores seeks each counter of scores.
func TestValidateScores(t *testing.T) {
	for reason, tc := range map[string]struct{ indicator, target, want string }{
		"a mean has two":   {`score: {mean: {sum: x_sum, count: x_count, lowest: "1", highest: "5"}}`, `"4"`, "mean.sum mean.count"},
		"votes have three": {"score: {netPromoter: {promoters: x_p, detractors: x_d, responses: x_r}}", `"30"`, "netPromoter.responses netPromoter.promoters? netPromoter.detractors?"},
		"Apdex has one":    {`apdex: {histogram: x, satisfied: "1"}`, `"0.9"`, "apdex.histogram"},
	} {
		var found []listed
		got := do(t, daily("a", tc.indicator, tc.target), "validate", "-f", "-", "-o", "json", "--prometheus", server.URL)
		if err := json.Unmarshal([]byte(got.Out), &found); err != nil {
			t.Fatalf("%v: %+v", err, got)
		}
		var fields []string
		for _, f := range found {
			name := strings.TrimPrefix(strings.TrimPrefix(f.Field, "spec.indicator."), "score.")
			if f.Severity == severityWarning {
				name += "?"
			}
			fields = append(fields, name)
		}
		if diff := cmp.Diff(tc.want, strings.Join(fields, " ")); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", reason, diff)
		}
	}
}

// TestValidateIsConfined checks that a name that only others have is not there.
func TestValidateIsConfined(t *testing.T) {
	confined := sourceOf("ClusterMetricSource", "name: default", ", matchers: [{label: app, value: phone}]")
	got := do(t, daily("a", tasks, "90%")+confined, "validate", "-f", "-", "--prometheus", server.URL)
	if got.Code != Invalid || !strings.Contains(got.Out, `no metric "shop_tasks_total" had a sample`) || strings.Contains(got.Out, "did you mean") {
		t.Errorf("names that may not be seen are told: %+v", got)
	}
}

func TestValidateAsJSON(t *testing.T) {
	got := do(t, daily("a", tasks, "100%")+"\n[]\n", "validate", "-f", "-", "-o", "json")
	var found []listed
	if err := json.Unmarshal([]byte(got.Out), &found); err != nil {
		t.Fatal(err)
	}
	want := []listed{
		{"stdin", 9, "error", "InvalidSchema", "Objective shop/a", "spec.target", `"100%": target must be above 0% and below 100%: a target of 100% has no error budget`},
		{"stdin", 13, "error", "InvalidDocument", "", "", errNoObject.Error()},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
	if none := do(t, daily("a", tasks, "98%"), "validate", "-f", "-", "-o", "json"); none.Out != "[]\n" {
		t.Errorf("no mistakes are an empty list, not %q", none.Out)
	}
}

// TestValidateAsSARIF holds the output against the schema of SARIF 2.1.0, and
// finds each mistake in it.
func TestValidateAsSARIF(t *testing.T) {
	for reason, manifests := range map[string]string{
		"mistakes of several rules":  read(t, "testdata/mistakes.yaml"),
		"nothing is a report too":    daily("a", tasks, "98%"),
		"a warning and a mistake":    daily("a", "events: {bad: shop_errors_total, total: shop_attempt_total}", "98%"),
		"text that JSON must escape": daily("a", `events: {good: 'a{b="<>&\"é"', total: b}`, "98%"),
	} {
		asked := []string{"validate", "-f", "-", "--prometheus", server.URL}
		got := do(t, manifests, append(asked, "-o", "sarif")...)
		report, err := sarif.FromString(got.Out)
		if err != nil {
			t.Fatalf("%s: %v", reason, err)
		}
		if err := report.Validate(); err != nil {
			t.Errorf("%s: the schema refuses it: %v", reason, err)
		}
		lines := ""
		for _, r := range report.Runs[0].Results {
			at := r.Locations[0].PhysicalLocation
			level := ""
			if r.Level == severityWarning {
				level = "warning: "
			}
			lines += fmt.Sprintf("%s:%d: %s%s\n", *at.ArtifactLocation.URI, *at.Region.StartLine, level, *r.Message.Text)
		}
		if diff := cmp.Diff(do(t, manifests, asked...).Out, lines); diff != "" {
			t.Errorf("%s: -text, +SARIF:\n%s", reason, diff)
		}
	}
}

func TestSARIFSchemaRefuses(t *testing.T) {
	report, err := sarif.FromString(`{"$schema": "x", "version": "2.1.0", "runs": [{"tool": {"driver": {}}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if report.Validate() == nil {
		t.Error("the schema takes a tool without a name: what passes it says nothing")
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"a", "a"}: 0, {"", "abc"}: 3, {"abc", ""}: 3, {"kitten", "sitting"}: 3, {"total", "totla"}: 2, {"up", "ups"}: 1,
	} {
		if got := distance(pair[0], pair[1]); got != want || distance(pair[1], pair[0]) != want {
			t.Errorf("from %q to %q are %d steps, want %d, as many as back", pair[0], pair[1], got, want)
		}
	}
}

func TestNear(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"Nearest": {reason: "the three nearest, the nearest first", args: []string{"abcx", "abcdef", "abce", "abcd1", "xxxx"}, want: `: did you mean "abcd1" or "abce" or "abcx"?`},
		"Few":     {reason: "all where none is near", args: []string{"one-thing", "another"}, want: `: there is "one-thing", "another"`},
		"Many":    {reason: "none where there are many", args: []string{"one-thing", "another", "a-third", "a-fourth"}},
		"None":    {reason: "none where there are none"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, near("abcd", tc.args)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
