package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	lcpIndicator = `apiVersion: experience.slo/v1alpha1
kind: Indicator
metadata: {name: lcp}
spec:
  parameters: [{name: app}]
  template: {events: {good: 'good_total{app="${app}"}', total: 'all_total{app="${app}"}'}}
---
`
	byReference = `apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: speed}
spec:
  service: shop
  perspective: UX
  indicator:
    ref:
      kind: Indicator
      name: lcp
      parameters: {app: shop}
  target: 75%
  window: {rolling: 28d}
`
)

// TestReferences validates objectives that refer to an indicator among the
// manifests, and some that cannot.
func TestReferences(t *testing.T) {
	const object = "Objective default/speed: "
	cases := map[string]struct {
		reason, manifests string
		want              string
		code              int
	}{
		"There":    {"with its parameters", lcpIndicator + byReference, "", Done},
		"Later":    {"in any order", byReference + "---\n" + lcpIndicator, "", Done},
		"NotThere": {"an indicator must be among the manifests", byReference, "m.yaml:8: " + object + "spec.indicator.ref: Indicator default/lcp does not exist: create it, or name another\n", Invalid},
		"Missing":  {"a parameter that is left out", lcpIndicator + cut(byReference, "      parameters: {app: shop}\n"), "m.yaml:15: " + object + "spec.indicator.ref.parameters: app is missing and has no default: add it, a String\n", Invalid},
		"Unknown":  {"one that is none, at its line", lcpIndicator + swap(byReference, "{app: shop}", "{app: shop, team: a}"), "m.yaml:18: " + object + "spec.indicator.ref.parameters.team: the indicator has no such parameter: its parameters are app\n", Invalid},
		"Mistake":  {"an indicator's own mistake is told of once, there", swap(lcpIndicator, "good_total{app=", "rate(x[5m]){app=") + byReference, "m.yaml:6: Indicator default/lcp: spec.template.events.good: parse \"rate(x[5m]){app=\\\"${app}\\\"}\": 1:12: parse error: unexpected \"{\"\n", Invalid},
		"Schema":   {"and so is one of the schema", swap(lcpIndicator, "name: app", "name: App") + byReference, "m.yaml:5: Indicator default/lcp: spec.parameters[0].name: \"App\": a parameter's name begins with a lower-case letter, with letters and digits behind it\n", Invalid},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.yaml")
			if err := os.WriteFile(path, []byte(tc.manifests), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Chdir(filepath.Dir(path))
			got := do(t, "", "validate", "-f", "m.yaml")
			if got.Code != tc.code {
				t.Errorf("%s: ended with %d: %+v", tc.reason, got.Code, got)
			}
			if diff := cmp.Diff(tc.want, got.Out); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func cut(text, part string) string { return swap(text, part, "") }

func swap(text, part, other string) string {
	before, after, found := strings.Cut(text, part)
	if !found {
		panic(part + " is not there")
	}
	return before + other + after
}
