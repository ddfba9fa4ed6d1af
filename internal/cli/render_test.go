package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// manifestOf is an objective of the namespace shop; more is further YAML of its
// spec.
func manifestOf(name, indicator, target, more string) string {
	return `
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: ` + name + `, namespace: shop}
spec:
  service: checkout
  perspective: UX
  indicator: {` + indicator + `}
  target: ` + target + `
  window: {rolling: 28d}
` + more + "\n---"
}

const counted = "events: {good: good_total, total: all_total}"

// sourceOf is a source; spec is its YAML beside the address.
func sourceOf(kind, meta, spec string) string {
	return "\napiVersion: experience.slo/v1alpha1\nkind: " + kind + "\nmetadata: {" + meta + "}\nspec: {url: 'http://prometheus:9090'" + spec + "}\n---"
}

// inventoryOf takes a stream.
func inventoryOf(t *testing.T, stream string) *inventory {
	t.Helper()
	v, err := newInventory("default")
	if err != nil {
		t.Fatal(err)
	}
	v.take(t.Context(), []file{{"f", []byte(stream)}})
	return v
}

// TestRulesAreTheOperators checks that what is printed is what the operator's own
// code makes of the object that the API server would store.
func TestRulesAreTheOperators(t *testing.T) {
	stored := &v1alpha1.Objective{
		ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "shop"},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Target: "99.9%", Window: v1alpha1.Window{Rolling: "28d"},
			Indicator:     v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "good_total", Total: "all_total"}},
			MinimumEvents: 1, NewSeries: v1alpha1.NewSeriesOnKnownTarget,
		},
	}
	source := &v1alpha1.MetricSourceSpec{
		Matchers: []v1alpha1.LabelMatcher{{Label: "cluster", Value: "eu"}}, Tenancy: &v1alpha1.Tenancy{Label: "tenant"},
		Rules: v1alpha1.Rules{GroupPrefix: "slo", Labels: map[string]v1alpha1.ObjectLabel{"region": "a"}},
	}
	plan, err := compile.Compile(compile.Input{Objective: stored, Source: source, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	want, err := rules.Groups(plan, rules.SettingsOf(source))
	if err != nil {
		t.Fatal(err)
	}
	v := inventoryOf(t, manifestOf("orders", counted, "99.9%", "")+
		sourceOf("ClusterMetricSource", "name: default", ", matchers: [{label: cluster, value: eu}], tenancy: {label: tenant}, rules: {groupPrefix: slo, labels: {region: a}}"))
	var got []monitoringv1.RuleGroup
	for _, r := range v.render(now) {
		got = append(got, r.groups...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups: -operator, +command (%v):\n%s", v.mistakes, diff)
	}
}

func TestSourceOfObjective(t *testing.T) {
	const byName, bySelector = ", allowedNamespaces: {names: [bank]}", ", allowedNamespaces: {names: [bank], selector: {matchLabels: {a: b}}}"
	local := "  sourceRef: {kind: MetricSource, name: team}"
	labelled := func(value string) string { return ", rules: {labels: {from: " + value + "}}" }
	type want struct {
		// from is a label that a source puts on what is recorded.
		from            string
		notes, mistakes int
	}
	cases := map[string]struct {
		reason, args string
		want         want
	}{
		"Default":     {reason: "an objective that names none has the cluster's default", args: manifestOf("a", counted, "99%", "") + sourceOf("ClusterMetricSource", "name: default", labelled("default")), want: want{from: "default"}},
		"Later":       {reason: "and it may come before", args: sourceOf("ClusterMetricSource", "name: default", labelled("default")) + manifestOf("a", counted, "99%", ""), want: want{from: "default"}},
		"Other":       {reason: "not another one", args: manifestOf("a", counted, "99%", "") + sourceOf("ClusterMetricSource", "name: other", labelled("other")), want: want{notes: 1}},
		"Local":       {reason: "one of its own namespace", args: manifestOf("a", counted, "99%", local) + sourceOf("MetricSource", "name: team, namespace: shop", labelled("team")), want: want{from: "team"}},
		"Elsewhere":   {reason: "not of another namespace", args: manifestOf("a", counted, "99%", local) + sourceOf("MetricSource", "name: team, namespace: bank", labelled("team")), want: want{notes: 1}},
		"NoNamespace": {reason: "which is the one that was named, where none is written", args: manifestOf("a", counted, "99%", local) + sourceOf("MetricSource", "name: team", labelled("team")), want: want{notes: 1}},
		"OtherKind":   {reason: "nor of another kind", args: manifestOf("a", counted, "99%", local) + sourceOf("ClusterMetricSource", "name: team", labelled("team")), want: want{notes: 1}},
		"NotAllowed":  {reason: "a source that is not for this namespace", args: manifestOf("a", counted, "99%", "") + sourceOf("ClusterMetricSource", "name: default", byName), want: want{mistakes: 1}},
		"Allowed":     {reason: "one that is", args: strings.Replace(manifestOf("a", counted, "99%", ""), "shop", "bank", 1) + sourceOf("ClusterMetricSource", "name: default", byName+labelled("default")), want: want{from: "default"}},
		"Selected":    {reason: "labels of namespaces are not known here, so that they are taken to match", args: manifestOf("a", counted, "99%", "") + sourceOf("ClusterMetricSource", "name: default", bySelector+labelled("default")), want: want{from: "default"}},
		"Unreadable":  {reason: "unless nobody can read who is selected", args: manifestOf("a", counted, "99%", "") + sourceOf("ClusterMetricSource", "name: default", ", allowedNamespaces: {selector: {matchExpressions: [{key: a, operator: Like}]}}"), want: want{mistakes: 1}},
		"Broken":      {reason: "a source with a mistake is there: that mistake is the only one", args: manifestOf("a", counted, "99%", "") + sourceOf("ClusterMetricSource", "name: default", ", interval: 1s"), want: want{mistakes: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := inventoryOf(t, tc.args)
			got := want{}
			for _, r := range v.render(now) {
				got.from = r.groups[0].Rules[0].Labels["from"]
			}
			got.notes, got.mistakes = len(v.notes), len(v.mistakes)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s: -want, +got (%v %v):\n%s", tc.reason, v.notes, v.mistakes, diff)
			}
		})
	}
}

func TestHistograms(t *testing.T) {
	const boundary = "note: Objective shop/a: its thresholds are taken to be bucket boundaries"
	const offline = "Prometheus alone knows the buckets on either side, so rendering offline needs a bucket boundary as the threshold: " +
		"write one and remove interpolate, or apply the objective and have the operator install the rules"
	const absent = "note: ClusterMetricSource default is not among the manifests: it is taken to have the defaults of a ClusterMetricSource"
	type want struct {
		Notes, Mistakes []string
		Groups          int
	}
	cases := map[string]struct {
		reason, indicator, target string
		want                      want
	}{
		"Classic":          {"a threshold is taken for a boundary, and one is told", `distribution: {histogram: h, threshold: "2"}`, "75%", want{Notes: []string{absent, boundary}, Groups: 2}},
		"Native":           {"a native histogram has none", `distribution: {histogram: h, threshold: "2", format: Native}`, "75%", want{Notes: []string{absent}, Groups: 2}},
		"Interpolated":     {"between which boundaries a threshold lies is not known", `distribution: {histogram: h, threshold: "2", interpolate: true}`, "75%", want{Notes: []string{absent}, Mistakes: []string{"f:8: Objective shop/a: spec.indicator.distribution.interpolate: true: " + offline}}},
		"Apdex":            {"Apdex has thresholds too", `apdex: {histogram: h, satisfied: "1"}`, `"0.9"`, want{Notes: []string{absent, boundary}, Groups: 2}},
		"InterpolatedApex": {"and may lie between boundaries too", `apdex: {histogram: h, satisfied: "1", interpolate: true}`, `"0.9"`, want{Notes: []string{absent}, Mistakes: []string{"f:8: Objective shop/a: spec.indicator.apdex.interpolate: true: " + offline}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := inventoryOf(t, manifestOf("a", tc.indicator, tc.target, ""))
			got := want{}
			for _, r := range v.render(now) {
				got.Groups += len(r.groups)
			}
			got.Notes = v.notes
			for _, m := range v.report() {
				got.Mistakes = append(got.Mistakes, m.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNames checks what counts as the same object.
func TestNames(t *testing.T) {
	one := manifestOf("a", counted, "99%", "")
	inNamespace := func(namespace string) string { return strings.Replace(one, "namespace: shop", namespace, 1) }
	cases := map[string]struct {
		reason, args string
		want         []string
	}{
		"Different":   {reason: "names differ", args: one + manifestOf("b", counted, "99%", "")},
		"Namespaces":  {reason: "the same name in two namespaces is two objects", args: one + inNamespace("namespace: bank")},
		"Twice":       {reason: "of two objects of one name the second would win", args: one + one, want: []string{`f:15: Objective shop/a: metadata.name: "a": it is at f:2 too: remove one of them`}},
		"Default":     {reason: "whether the namespace is written or not", args: inNamespace("namespace: default") + inNamespace("labels: {}"), want: []string{`f:15: Objective default/a: metadata.name: "a": it is at f:2 too: remove one of them`}},
		"Cluster":     {reason: "a cluster's object has no namespace, whatever is written", args: sourceOf("ClusterMetricSource", "name: a", "") + sourceOf("ClusterMetricSource", "name: a, namespace: shop", ""), want: []string{`f:9: ClusterMetricSource a: metadata.name: "a": it is at f:2 too: remove one of them`}},
		"OtherKinds":  {reason: "kinds have names of their own", args: sourceOf("ClusterMetricSource", "name: a", "") + sourceOf("MetricSource", "name: a", "") + one},
		"NoName":      {reason: "a name is required", args: strings.Replace(one, "name: a, ", "", 1), want: []string{`f:4: Objective shop/: metadata.name: "": a lowercase RFC 1123 subdomain must consist of`}},
		"Generated":   {reason: "a name that a server would generate is none", args: strings.Replace(one, "name: a", "generateName: a-", 1), want: []string{`f:4: Objective shop/: metadata.name: "": a lowercase RFC 1123 subdomain must consist of`}},
		"NotMetadata": {reason: "metadata is an object", args: strings.Replace(one, "{name: a, namespace: shop}", "a", 1), want: []string{`f:4: Objective default/: metadata: "a": must be of type object: "string"`, `f:4: Objective default/: metadata.name: "": a lowercase RFC 1123 subdomain must consist of`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for i, m := range inventoryOf(t, tc.args).report() {
				line := m.String()
				if i < len(tc.want) && strings.HasPrefix(line, tc.want[i]) {
					line = tc.want[i] // the rest is Kubernetes' own
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
