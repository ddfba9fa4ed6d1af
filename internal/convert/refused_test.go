package convert

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// pyrraSLO is an SLO of Pyrra whose spec has what is given in place of what it
// usually has.
func pyrraSLO(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: a, labels: {}}
spec:
  target: "99"
  window: 28d
  indicator: {ratio: {errors: {metric: 'x{code="500"}'}, total: {metric: x}}}
  alerting: {}
`)
}

// openSLO is the same of OpenSLO.
func openSLOWith(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: shop
  indicator: {spec: {ratioMetric: {counter: true, good: {metricSource: {type: Prometheus, spec: {query: 'x{code="200"}'}}}, total: {metricSource: {type: Prometheus, spec: {query: x}}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
`)
}

// TestRefused tells of what keeps an objective from being converted.
func TestRefused(t *testing.T) {
	const total = "total: {metricSource: {type: Prometheus, spec: {query: x}}}"
	cases := map[string]struct {
		reason string
		from   Format
		args   string
		// want is what is told, and nothing else is an error.
		want string
	}{
		"NoName":        {"a name is required", Pyrra, pyrraSLO("name: a", "name: ''"), "metadata.name: it is required"},
		"NoTarget":      {"and a target", Pyrra, pyrraSLO(`target: "99"`, ""), "spec.target: it is required"},
		"WordTarget":    {"which is a number", Pyrra, pyrraSLO(`"99"`, "most"), "spec.target: it is no number"},
		"ZeroTarget":    {"above 0%", Pyrra, pyrraSLO(`"99"`, "0"), "spec.target: it is 0%: write one above 0%"},
		"LargeTarget":   {"and not above 100%", Pyrra, pyrraSLO(`"99"`, "101"), "spec.target: it is 101%: write one above 0%"},
		"FractionOnly":  {"no fraction", Pyrra, pyrraSLO(`"99"`, "1/3"), "spec.target: it is no number"},
		"HugeExponent":  {"no number that fills the memory", Pyrra, pyrraSLO(`"99"`, "1e999999999"), "spec.target: it is no number"},
		"WordWindow":    {"a window is a duration", Pyrra, pyrraSLO("28d", "a month"), "spec.window: it is no duration"},
		"ShortWindow":   {"of an hour at least", Pyrra, pyrraSLO("28d", "30m"), "spec.window: a window is a whole number of hours"},
		"LongWindow":    {"and of 400 days at most", Pyrra, pyrraSLO("28d", "401d"), "spec.window: a window is a whole number of hours"},
		"Three":         {"two of three metrics", Pyrra, pyrraSLO("total:", "success: {metric: y}, total:"), "spec.indicator.ratio.success.metric: there are errors and total too"},
		"NoMetric":      {"a metric is required", Pyrra, pyrraSLO(", total: {metric: x}", ""), "spec.indicator.ratio.total.metric: it is required"},
		"Function":      {"and plain", Pyrra, pyrraSLO("{metric: x}", "{metric: 'rate(x[5m])'}"), "it is a plain counter and the total is a rate"},
		"Offset":        {"without an offset", Pyrra, pyrraSLO("{metric: x}", "{metric: x offset 5m}"), "it, or the metric beside it, is no plain selector"},
		"NativeWord":    {"a latency is a duration", Pyrra, pyrraSLO("ratio: {errors: {metric: 'x{code=\"500\"}'}, total: {metric: x}}", "latencyNative: {latency: fast, total: {metric: x}}"), "latencyNative.latency: it is no duration"},
		"NativeSum":     {"of a plain metric", Pyrra, pyrraSLO("ratio: {errors: {metric: 'x{code=\"500\"}'}, total: {metric: x}}", "latencyNative: {latency: 1s, total: {metric: sum(x)}}"), "latencyNative.total.metric: it is no plain selector"},
		"GaugeOffset":   {"a gauge without an offset", Pyrra, pyrraSLO("ratio: {errors: {metric: 'x{code=\"500\"}'}, total: {metric: x}}", "bool_gauge: {metric: x offset 5m}"), "bool_gauge.metric: it is no plain selector"},
		"NoSLOs":        {"an SLO is required", Sloth, "version: prometheus/v1\nservice: a\n", "slos: it is required"},
		"NoService":     {"and a service", Sloth, strings.Replace(slothWith(map[string]any{"raw": map[string]any{"error_ratio_query": "r"}}), `"service":"shop",`, "", 1), "service: it is required"},
		"NoSLI":         {"and an SLI", Sloth, slothWith(map[string]any{}), "slos[0].sli: there is none of events, raw and plugin"},
		"BothSLI":       {"one of them", Sloth, slothWith(map[string]any{"events": map[string]any{"error_query": "a"}, "raw": map[string]any{"error_ratio_query": "b"}}), "slos[0].sli.raw: there are events too"},
		"NoObjectives":  {"an objective is required", OpenSLO, openSLOWith("[{target: 0.99}]", "[]"), "spec.objectives: it is required"},
		"NoSLOService":  {"and a service", OpenSLO, openSLOWith("service: shop", "x: y"), "spec.service: it is required"},
		"BothTargets":   {"one target", OpenSLO, openSLOWith("target: 0.99", "target: 0.99, targetPercent: 99"), "targetPercent: there is a target too"},
		"Method":        {"a method that is known", OpenSLO, openSLOWith("Occurrences", "Guesses"), "spec.budgetingMethod: write one of"},
		"NoIndicator":   {"an indicator", OpenSLO, openSLOWith("indicator: {spec", "other: {spec"), "spec.indicator: there is neither"},
		"BothRefs":      {"in place or by name", OpenSLO, openSLOWith("  service", "  indicatorRef: b\n  service"), "spec.indicatorRef: there is an indicator too"},
		"BothMetrics":   {"of one kind", OpenSLO, openSLOWith("{ratioMetric", "{thresholdMetric: {}, ratioMetric"), "spec.indicator.spec.ratioMetric: there is a thresholdMetric too"},
		"GoodAndBad":    {"good or bad", OpenSLO, openSLOWith("good:", "bad: {metricSource: {}}, good:"), "ratioMetric.bad: there is good too"},
		"RawAndGood":    {"raw or good", OpenSLO, openSLOWith("good:", "rawType: success, raw: {metricSource: {type: Prometheus, spec: {query: r}}}, good:"), "ratioMetric.good: there is raw too"},
		"RawType":       {"raw of a type", OpenSLO, openSLOWith("good:", "raw: {metricSource: {type: Prometheus, spec: {query: r}}}, x:", total, "y: 1"), "ratioMetric.rawType: write success or failure"},
		"NoType":        {"a source of a type", OpenSLO, openSLOWith("type: Prometheus, spec: {query: x}", "spec: {query: x}"), "total.metricSource.type: it is required"},
		"OtherType":     {"that is compatible", OpenSLO, openSLOWith("type: Prometheus, spec: {query: x}", "type: Redshift, spec: {query: x}"), "total.metricSource.type: the operator reads from servers"},
		"TwoSources":    {"one source", OpenSLO, openSLOWith(`type: Prometheus, spec: {query: 'x{code="200"}'}`, `metricSourceRef: a, spec: {query: 'x{code="200"}'}`, "type: Prometheus, spec: {query: x}", "metricSourceRef: b, spec: {query: x}"), "total.metricSource.metricSourceRef: an objective has one source, and there is a too"},
		"TwoWindows":    {"one window", OpenSLO, openSLOWith("isRolling: true}", "isRolling: true}, {duration: 7d}"), "spec.timeWindow[1]: an objective has one window"},
		"NeitherWindow": {"rolling or by the calendar", OpenSLO, openSLOWith(", isRolling: true", ""), "spec.timeWindow[0].duration: it is neither rolling"},
		"BothWindow":    {"not both", OpenSLO, openSLOWith("isRolling: true", "isRolling: true, calendar: {timeZone: UTC}"), "spec.timeWindow[0].calendar: the window is rolling"},
		"CalendarDays":  {"a unit of the calendar", OpenSLO, openSLOWith("duration: 28d, isRolling: true", "duration: 2M, calendar: {timeZone: UTC}"), "spec.timeWindow[0].duration: a window along the calendar is one"},
		"WordDuration":  {"a duration", OpenSLO, openSLOWith("28d", "long"), "spec.timeWindow[0].duration: it is no duration"},
		"SliceTarget":   {"a target for slices", OpenSLO, openSLOWith("Occurrences", "Timeslices", "target: 0.99", "target: 0.99, timeSliceWindow: 1m"), "timeSliceTarget: it is required"},
		"SliceOp":       {"of at least", OpenSLO, openSLOWith("Occurrences", "Timeslices", "target: 0.99", "target: 0.99, timeSliceTarget: 0.9, op: lt"), "op: a slice is good when"},
		"SliceWindow":   {"a length for slices", OpenSLO, openSLOWith("Occurrences", "Timeslices", "target: 0.99", "target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1M"), "timeSliceWindow: it is no duration"},
		"Policy":        {"a policy that is there", OpenSLO, openSLOWith("  service", "  alertPolicies: [b]\n  service"), "spec.alertPolicies[0]: there is no AlertPolicy of this name"},
		"PolicyKind":    {"or in place", OpenSLO, openSLOWith("  service", "  alertPolicies: [{spec: {}}]\n  service"), "spec.alertPolicies[0].kind: write kind: AlertPolicy, or alertPolicyRef"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, told := converted(tc.from, tc.args)
			errors := 0
			for line := range strings.Lines(told) {
				errors += len(line) - len(strings.TrimPrefix(line, "error: "))
			}
			if o != nil || errors != len("error: ") || !strings.Contains(told, "error: ") || !strings.Contains(told, tc.want) {
				t.Errorf("%s: want one error with %q, got an objective: %t, and\n%s", tc.reason, tc.want, o != nil, told)
			}
		})
	}
}

// TestTargetsAndWindows are written exactly.
func TestTargetsAndWindows(t *testing.T) {
	cases := map[string]struct {
		reason string
		from   Format
		args   string
		target v1alpha1.Target
		window v1alpha1.Window
	}{
		"Usual":      {"a plain one", Pyrra, pyrraSLO(), "99%", v1alpha1.Window{Rolling: "28d"}},
		"Decimals":   {"five decimals", Pyrra, pyrraSLO(`"99"`, "99.99999", "28d", "1d12h"), "99.99999%", v1alpha1.Window{Rolling: "36h"}},
		"Zeros":      {"zeros at the end are nothing", Pyrra, pyrraSLO(`"99"`, `"99.9000000"`, "28d", "4w"), "99.9%", v1alpha1.Window{Rolling: "28d"}},
		"Exponent":   {"an exponent", Pyrra, pyrraSLO(`"99"`, "9.95e1", "28d", "72h"), "99.5%", v1alpha1.Window{Rolling: "3d"}},
		"Share":      {"a share, for which binary numbers are no good", OpenSLO, openSLOWith("0.99", "0.9995"), "99.95%", v1alpha1.Window{Rolling: "28d"}},
		"SharpShare": {"with seven decimals", OpenSLO, openSLOWith("0.99", "0.9999999", "28d", "2w"), "99.99999%", v1alpha1.Window{Rolling: "14d"}},
		"Percent":    {"a percentage", OpenSLO, openSLOWith("target: 0.99", "targetPercent: 99.9", "28d", "1M"), "99.9%", v1alpha1.Window{Rolling: "30d"}},
		"Minutes":    {"minutes that are hours", OpenSLO, openSLOWith("28d", "120m"), "99%", v1alpha1.Window{Rolling: "2h"}},
		"Quarter":    {"a quarter", OpenSLO, openSLOWith("28d, isRolling: true", "1Q, calendar: {startTime: 2026-04-01 00:00:00, timeZone: Asia/Tokyo}"), "99%", v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Quarter", TimeZone: "Asia/Tokyo"}}},
		"NoZone":     {"no zone is UTC", OpenSLO, openSLOWith("28d, isRolling: true", "1w, calendar: {startTime: 2026-03-02 00:00:00}"), "99%", v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Week", TimeZone: "UTC"}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, told := converted(tc.from, tc.args)
			if o == nil {
				t.Fatalf("%s: it is refused: %s", tc.reason, told)
			}
			if diff := cmp.Diff(tc.window, o.Spec.Window); diff != "" || o.Spec.Target != tc.target {
				t.Errorf("%s: target %s, want %s; window: -want, +got:\n%s", tc.reason, o.Spec.Target, tc.target, diff)
			}
			if strings.Contains(told, "startTime") {
				t.Errorf("%s: a start that is the unit's own is told: %s", tc.reason, told)
			}
		})
	}
}

// TestStarts are told where a unit does not begin there.
func TestStarts(t *testing.T) {
	for text, want := range map[string]bool{
		"1w 2026-03-02 00:00:00": false, "1w 2026-03-03 00:00:00": true, "1w 2026-03-02 08:00:00": true,
		"1M 2026-03-01 00:00:00": false, "1M 2026-03-02 00:00:00": true, "1Q 2026-01-01 00:00:00": false,
		"1Q 2026-02-01 00:00:00": true, "1Y 2026-01-01 00:00:00": false, "1Y 2026-02-01 00:00:00": true, "1Y soon": true,
	} {
		unit, start, _ := strings.Cut(text, " ")
		_, told := converted(OpenSLO, openSLOWith("28d, isRolling: true", unit+", calendar: {startTime: '"+start+"', timeZone: UTC}"))
		if got := strings.Contains(told, "calendar.startTime: "); got != want {
			t.Errorf("%s is told: %t, want %t: %s", text, got, want, told)
		}
	}
}

// TestNames are made of what people write.
func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"checkout": "checkout", "Checkout API": "checkout-api", "a__b": "a-b", "-a-": "a", "a.b": "a-b", "ünï": "n",
		strings.Repeat("a", 70): strings.Repeat("a", 63), strings.Repeat("a", 62) + "-b": strings.Repeat("a", 62), "…": "",
	} {
		if got := dashed(text, 63, ""); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := dashed("a.b.", 253, "."); got != "a.b" {
		t.Errorf("dots are kept inside alone, not as in %q", got)
	}
}

// TestNamesOfSeveral are each another, whatever the objectives of an SLO are called.
func TestNamesOfSeveral(t *testing.T) {
	cases := map[string]struct {
		reason string
		// args are displayNames.
		args, want []string
	}{
		"Different": {"names of people", []string{"Good", "Great"}, []string{"a-good", "a-great"}},
		"None":      {"numbers without", []string{"", "…"}, []string{"a-1", "a-2"}},
		"Same":      {"the same name twice", []string{"Good", "good!"}, []string{"a-good", "a-good-2"}},
		"Thrice":    {"and once more", []string{"Good", "Good", "Good"}, []string{"a-good", "a-good-2", "a-good-3"}},
		"AsMade":    {"a name as one that is made", []string{"Good", "Good", "Good 2"}, []string{"a-good", "a-good-2", "a-good-2-3"}},
		"Number":    {"a name that is the number of another", []string{"2", ""}, []string{"a-2", "a-2-2"}},
		"Long":      {"names that are the same in their first letters", []string{strings.Repeat("a", 70), strings.Repeat("a", 71)}, []string{"a-" + strings.Repeat("a", 63), "a-" + strings.Repeat("a", 63) + "-2"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var items []string
			for _, display := range tc.args {
				items = append(items, fmt.Sprintf("{target: 0.99, displayName: %q}", display))
			}
			text := openSLOWith("[{target: 0.99}]", "["+strings.Join(items, ", ")+"]")
			var got []string
			for _, o := range Convert([]Document{{File: "a", Line: 1, Text: []byte(text)}}, options(OpenSLO)).Objects {
				got = append(got, o.Value.(*v1alpha1.Objective).Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAlertTexts keeps what alerts can carry.
func TestAlertTexts(t *testing.T) {
	many := ""
	for _, c := range "abcdefghijklmnopqrst" {
		many += "pyrra.dev/" + string(c) + ": x, "
	}
	cases := map[string]struct{ reason, args, labels, told string }{
		"Usual":    {"a label of a name and a value", "pyrra.dev/team: a", "team=a", ""},
		"Reserved": {"one that the operator sets", "pyrra.dev/objective: a", "", "pyrra.dev/objective: the operator sets this label itself"},
		"Name":     {"a name that is none", "pyrra.dev/a-b: x", "", "a name has letters, digits and underscores"},
		"Template": {"a value that changes", "pyrra.dev/a: '{{ $value }}'", "", "a label must not hold a template"},
		"Long":     {"a long value", "pyrra.dev/a: " + strings.Repeat("x", 1025), "", "it has more than 1024 characters"},
		"Many":     {"more than there may be", many, "a=x b=x c=x d=x e=x f=x g=x h=x i=x j=x k=x l=x m=x n=x o=x p=x", "they carry at most 16"},
		"List":     {"what is no text", "pyrra.dev/a: [x]", "", "pyrra.dev/a[0]: " + unknownField},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, told := converted(Pyrra, pyrraSLO("labels: {}", "labels: {"+tc.args+"}"))
			var got []string
			if o.Spec.Alerting != nil {
				for _, c := range "abcdefghijklmnopqrstuvwxyz" {
					if v, ok := o.Spec.Alerting.Page.Labels[string(c)]; ok {
						got = append(got, string(c)+"="+string(v))
					}
				}
				if v, ok := o.Spec.Alerting.Page.Labels["team"]; ok {
					got = append(got, "team="+string(v))
				}
			}
			if diff := cmp.Diff(tc.labels, strings.Join(got, " ")); diff != "" || !strings.Contains(told, tc.told) {
				t.Errorf("%s: want to be told %q, got %q; -want, +got:\n%s", tc.reason, tc.told, told, diff)
			}
		})
	}
}

// TestLaterLabelsReplace tells of a label that is given twice.
func TestLaterLabelsReplace(t *testing.T) {
	text := strings.Replace(slothWith(map[string]any{"events": map[string]any{"error_query": "sum(rate(a[5m]))", "total_query": "sum(rate(b[5m]))"}}),
		`"alerting":{}`, `"labels":{"team":"one"},"alerting":{"labels":{"team":"two"},"page_alert":{"labels":{"team":"three"}}}`, 1)
	o, told := converted(Sloth, text)
	if o.Spec.Alerting.Page.Labels["team"] != "three" || o.Spec.Alerting.Ticket.Labels["team"] != "two" || o.Spec.Alerting.DataAbsent.Labels["team"] != "two" {
		t.Errorf("another label counts: %+v", o.Spec.Alerting)
	}
	for _, want := range []string{"slos[0].labels.team: slos[0].alerting.labels.team replaces it", "slos[0].alerting.labels.team: slos[0].alerting.page_alert.labels.team replaces it"} {
		if !strings.Contains(told, want) {
			t.Errorf("it is not told that %s: %s", want, told)
		}
	}
}
