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
	ruleLabels = "spec.rules.labels: labels must have names such as cluster: letters, digits and underscores, and none of alertname, namespace, objective, service, perspective, touchpoint, window, severity, which the operator sets"
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
	"NamespaceOfNone": {
		reason: "nothing is made, so nowhere",
		edits:  edits{"spec.rules.namespace": "monitoring"},
		want:   []string{outputOnly},
	},
	"NamespaceOfPrometheusRule": {
		reason: "a PrometheusRule goes with its objective",
		edits:  edits{"spec.rules.output": "PrometheusRule", "spec.rules.namespace": "monitoring"},
		want:   []string{outputOnly},
	},
	"NamespaceForm": {
		reason: "a namespace has no capitals",
		edits:  edits{"spec.rules.output": "ConfigMap", "spec.rules.namespace": "Monitoring"},
		want:   []string{"spec.rules.namespace: use lower-case letters and digits, with dashes between them, such as mobile-app"},
	},
	"ObjectLabelForm": {
		reason: "the value must be one that Kubernetes takes",
		edits:  edits{"spec.rules.objectLabels.release": "my release"},
		want:   []string{"spec.rules.objectLabels.release: " + labelForm},
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
				"spec.rules.objectLabels": map[string]any{"release": "kube-prometheus-stack", "empty": ""},
				"spec.rules.queryOffset":  "10m",
			},
			want: Rules{
				Output: RulesOutputPrometheusRule, GroupPrefix: "experience",
				ObjectLabels: map[string]ObjectLabel{"release": "kube-prometheus-stack", "empty": ""},
				QueryOffset:  &metav1.Duration{Duration: 10 * time.Minute},
			},
		},
		"ConfigMap": {
			reason: "a plain Prometheus in a namespace of its own",
			edits: edits{
				"spec.rules.output": "ConfigMap", "spec.rules.namespace": "monitoring", "spec.rules.groupPrefix": "team-a.slo",
				"spec.rules.labels": map[string]any{"cluster": "eu-1"}, "spec.rules.queryOffset": "0s",
			},
			want: Rules{
				Output: RulesOutputConfigMap, Namespace: "monitoring", GroupPrefix: "team-a.slo",
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
