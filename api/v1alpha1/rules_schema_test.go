package v1alpha1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	outputOnly = "spec.rules: namespace is for output ConfigMap: a PrometheusRule is made in the namespace of its objective"
	nameless   = "spec: rules.namespace is for a ClusterMetricSource: the ConfigMaps of a MetricSource are made in its own namespace, leave it out"
	keyForm    = "spec.rules.objectLabels: objectLabels must have keys that Kubernetes takes for labels, such as release or example.com/team"
	keyOurs    = "spec.rules.objectLabels: objectLabels must not hold app.kubernetes.io/managed-by nor a key that begins with experience.slo/: the operator finds its own objects by them; use another key"
	reserved   = "spec: matchers must not name alertname, objective, service, perspective, touchpoint, recipe, window or severity where a ruler records: the operator sets these labels on what is recorded; use another label, or rules.output None"
	ruleLabels = "spec.rules.labels: labels must have names such as cluster: letters, digits and underscores, and none of __name__, alertname, namespace, objective, service, perspective, touchpoint, recipe, window, severity, which the operator sets"
	labelForm  = "should match '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'"
	offsetForm = "spec.rules.queryOffset: queryOffset must be between 0s and 10m, written like 1m30s"
	prefixForm = "spec.rules.groupPrefix: should match '^[a-zA-Z0-9][a-zA-Z0-9_.-]*$'"
)

// rulesMistakes are what the API server must refuse of spec.rules of both kinds
// of source, and exactly how.
var rulesMistakes = map[string]struct {
	reason string
	edits  edits
	want   []string
}{
	"OutputOther": {
		reason: "rules go where the operator knows to put them",
		edits:  edits{"spec.rules.output": "Thanos"},
		want:   []string{`spec.rules.output: supported values: "None", "PrometheusRule", "ConfigMap"`},
	},
	"ObjectLabelForm": {
		reason: "the value must be one that Kubernetes takes",
		edits:  edits{"spec.rules.objectLabels.release": "my release"},
		want:   []string{"spec.rules.objectLabels.release: " + labelForm},
	},
	"ObjectKeyForm": {
		reason: "so must the key",
		edits:  edits{"spec.rules.objectLabels": labelled("my release")},
		want:   []string{keyForm},
	},
	"ObjectKeyEmpty": {
		reason: "a label has a name",
		edits:  edits{"spec.rules.objectLabels": labelled("example.com/")},
		want:   []string{keyForm},
	},
	"ObjectKeyPrefix": {
		reason: "and a prefix is the name of a domain",
		edits:  edits{"spec.rules.objectLabels": labelled("example..com/team")},
		want:   []string{keyForm},
	},
	"ObjectKeyLong": {
		reason: "names and prefixes are as long as Kubernetes takes",
		edits:  edits{"spec.rules.objectLabels": labelled("example.com/" + long[:64])},
		want:   []string{keyForm},
	},
	"ObjectKeyPrefixLong": {
		reason: "which is more for prefixes",
		edits:  edits{"spec.rules.objectLabels": labelled(long[:254] + "/team")},
		want:   []string{keyForm},
	},
	"ObjectKeyManagedBy": {
		reason: "the operator knows its objects by this label",
		edits:  edits{"spec.rules.objectLabels": labelled("app.kubernetes.io/managed-by")},
		want:   []string{keyOurs},
	},
	"ObjectKeyOurs": {
		reason: "and by those of its own domain",
		edits:  edits{"spec.rules.objectLabels": labelled("experience.slo/source")},
		want:   []string{keyOurs},
	},
	"ObjectLabelLong": {
		reason: "and no longer than it takes",
		edits:  edits{"spec.rules.objectLabels.release": long[:64]},
		want:   []string{"spec.rules.objectLabels.release: may not be more than 63 bytes"},
	},
	"ObjectLabelsMany": {
		reason: "labels are bounded",
		edits:  edits{"spec.rules.objectLabels": texts(17)},
		want:   []string{"spec.rules.objectLabels: must have at most 16 items"},
	},
	"LabelName": {
		reason: "a label of a series has no dashes",
		edits:  edits{"spec.rules.labels.data-centre": "eu"},
		want:   []string{ruleLabels},
	},
	"LabelMetricName": {
		reason: "the name of a series is not a label to set",
		edits:  edits{"spec.rules.labels.__name__": "up"},
		want:   []string{ruleLabels},
	},
	"MatcherOfPrometheusRule": {
		reason: "what is recorded cannot have a window of its own and that of the matcher",
		edits:  edits{"spec.rules.output": "PrometheusRule", "spec.matchers": matching("cluster", "window")},
		want:   []string{reserved},
	},
	"MatcherOfConfigMap": {
		reason: "whatever the ruler is",
		edits:  edits{"spec.rules.output": "ConfigMap", "spec.matchers": matching("service")},
		want:   []string{reserved},
	},
	"LabelIdentity": {
		reason: "what says whose series it is is the operator's",
		edits:  edits{"spec.rules.labels.namespace": "other"},
		want:   []string{ruleLabels},
	},
	"LabelSeverity": {
		reason: "one severity for all alerts would hide which of them wakes somebody",
		edits:  edits{"spec.rules.labels.severity": "info"},
		want:   []string{ruleLabels},
	},
	"LabelTemplate": {
		reason: "a label of a series is the same for as long as it lives",
		edits:  edits{"spec.rules.labels.value": "{{ $value }}"},
		want:   []string{"spec.rules.labels.value: " + labelForm},
	},
	"LabelsMany": {
		reason: "they are on every recorded series",
		edits:  edits{"spec.rules.labels": texts(9)},
		want:   []string{"spec.rules.labels: must have at most 8 items"},
	},
	"PrefixEmpty": {reason: "a group has a name", edits: edits{"spec.rules.groupPrefix": ""}, want: []string{"spec.rules.groupPrefix: should be at least 1 chars long"}},
	"PrefixSlash": {reason: "slashes part the prefix from what is the operator's", edits: edits{"spec.rules.groupPrefix": "team/a"}, want: []string{prefixForm}},
	"PrefixLong":  {reason: "a prefix is bounded", edits: edits{"spec.rules.groupPrefix": long[:64]}, want: []string{"spec.rules.groupPrefix: may not be more than 63 bytes"}},
	"OffsetMinus": {reason: "rules do not look ahead", edits: edits{"spec.rules.queryOffset": "-1s"}, want: []string{offsetForm}},
	"OffsetLong":  {reason: "an alert that is eleven minutes late is no alert", edits: edits{"spec.rules.queryOffset": "11m"}, want: []string{offsetForm}},
	"PartialOther": {
		reason: "the words are Thanos' own",
		edits:  edits{"spec.rules.partialResponseStrategy": "warn"},
		want:   []string{`spec.rules.partialResponseStrategy: supported values: "Warn", "Abort"`},
	},
}

// labelled are labels with a key.
func labelled(key string) any { return map[string]any{key: "a"} }

// matching are matchers of labels.
func matching(labels ...string) any {
	var out []any
	for _, label := range labels {
		out = append(out, map[string]any{"label": label, "value": "a"})
	}
	return out
}

// TestReservedMatchers tries each label that the operator sets, and that all of
// them can be matched where nothing is recorded.
func TestReservedMatchers(t *testing.T) {
	d := load(t, "metricsources")
	cases := map[string]struct {
		reason string
		edits  edits
		want   []string
	}{
		"Unset":   {reason: "without rules nothing is recorded", edits: edits{}},
		"None":    {reason: "and without a ruler", edits: edits{"spec.rules.output": "None"}},
		"Ruled":   {reason: "a ruler sets them", edits: edits{"spec.rules.output": "PrometheusRule"}, want: []string{reserved}},
		"ByFiles": {reason: "any ruler does", edits: edits{"spec.rules.output": "ConfigMap"}, want: []string{reserved}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, label := range []string{"alertname", "objective", "service", "perspective", "touchpoint", "window", "severity"} {
				object := edits{"spec.matchers": matching("cluster", label)}.apply(t, tc.edits.apply(t, decode(t, plainSource)))
				if diff := cmp.Diff(tc.want, d.admit(t, object)); diff != "" {
					t.Errorf("%s: %s: complaints: -want, +got:\n%s", tc.reason, label, diff)
				}
			}
		})
	}
}

func TestRulesMistakes(t *testing.T) {
	local, shared := load(t, "metricsources"), load(t, "clustermetricsources")
	for name, tc := range rulesMistakes {
		t.Run(name, func(t *testing.T) {
			got := local.admit(t, tc.edits.apply(t, decode(t, plainSource)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: complaints: -want, +got:\n%s", tc.reason, diff)
			}
			got = shared.admit(t, tc.edits.apply(t, decode(t, plainClusterSource)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: complaints about a cluster's source: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdmittedRules lists what must be taken, with defaults filled in.
func TestAdmittedRules(t *testing.T) {
	cases := map[string]struct {
		reason string
		edits  edits
		want   Rules
	}{
		"Empty": {
			reason: "no ruler is needed to begin with",
			edits:  edits{"spec.rules": map[string]any{}},
			want:   Rules{Output: RulesOutputNone, GroupPrefix: "experience"},
		},
		"PrometheusRule": {
			reason: "a ruler that selects by labels, and gets samples late",
			edits: edits{
				"spec.rules.output":       "PrometheusRule",
				"spec.rules.objectLabels": map[string]any{"release": "kube-prometheus-stack", "empty": "", "example.com/team": "shop", "app.kubernetes.io/part-of": "slo"},
				"spec.rules.queryOffset":  "10m",
			},
			want: Rules{
				Output: RulesOutputPrometheusRule, GroupPrefix: "experience",
				ObjectLabels: map[string]ObjectLabel{"release": "kube-prometheus-stack", "empty": "", "example.com/team": "shop", "app.kubernetes.io/part-of": "slo"},
				QueryOffset:  &metav1.Duration{Duration: 10 * time.Minute},
			},
		},
		"ConfigMap": {
			reason: "a plain Prometheus in a namespace of its own",
			edits: edits{
				"spec.rules.output": "ConfigMap", "spec.rules.groupPrefix": "team-a.slo",
				"spec.rules.labels": map[string]any{"cluster": "eu-1"}, "spec.rules.queryOffset": "0s",
			},
			want: Rules{
				Output: RulesOutputConfigMap, GroupPrefix: "team-a.slo",
				Labels: map[string]ObjectLabel{"cluster": "eu-1"}, QueryOffset: &metav1.Duration{},
			},
		},
		"Thanos": {
			reason: "a Thanos ruler has a strategy",
			edits:  edits{"spec.rules.output": "PrometheusRule", "spec.rules.partialResponseStrategy": "Abort"},
			want:   Rules{Output: RulesOutputPrometheusRule, GroupPrefix: "experience", PartialResponseStrategy: PartialResponseAbort},
		},
	}
	d := load(t, "metricsources")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainSource))
			if complaints := d.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := MetricSource{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(tc.want, got.Spec.Rules); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestRulesRecorded(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   RulesOutput
		want   bool
	}{
		"Unset":          {reason: "without defaults nothing is recorded", want: false},
		"None":           {reason: "the operator evaluates the deltas itself", args: RulesOutputNone, want: false},
		"PrometheusRule": {reason: "a ruler records them", args: RulesOutputPrometheusRule, want: true},
		"ConfigMap":      {reason: "a plain Prometheus does too", args: RulesOutputConfigMap, want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (Rules{Output: tc.args}).Recorded(); got != tc.want {
				t.Errorf("%s: got %t", tc.reason, got)
			}
		})
	}
}
