package rules_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/internal/rules"
)

// TestFileHoldsEveryField writes a group whose every field is set, so that one
// that is new in monitoringv1 cannot be left out in silence.
func TestFileHoldsEveryField(t *testing.T) {
	minute, hour, limit := monitoringv1.Duration("1m"), monitoringv1.NonEmptyDuration("1h"), 7
	rule := monitoringv1.Rule{
		Record: "recorded", Alert: "alert", Expr: intstr.FromString("up == 0"), For: &minute, KeepFiringFor: &hour,
		Labels: map[string]string{"severity": "critical"}, Annotations: map[string]string{"summary": "a: \"b\"\n# c"},
	}
	group := monitoringv1.RuleGroup{
		Name: "group", Labels: map[string]string{"cluster": "1"}, Interval: &minute, QueryOffset: &minute,
		Rules: []monitoringv1.Rule{rule}, PartialResponseStrategy: "warn", Limit: &limit,
	}
	for _, v := range []reflect.Value{reflect.ValueOf(rule), reflect.ValueOf(group)} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s has a field that is not set here: %s", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
	text, err := rules.File([]monitoringv1.RuleGroup{group})
	if err != nil {
		t.Fatal(err)
	}
	got, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(map[string]any{"groups": []monitoringv1.RuleGroup{group}})
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(want, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
