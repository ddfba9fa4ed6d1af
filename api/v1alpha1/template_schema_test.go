package v1alpha1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainIndicator is a valid indicator that sets nothing it does not have to.
const plainIndicator = `
apiVersion: experience.slo/v1alpha1
kind: Indicator
metadata: {name: web-lcp, namespace: shop}
spec:
  parameters: [{name: app}]
  template:
    distribution: {histogram: 'lcp_seconds{app="${app}"}', threshold: "2.5"}
`

// as replaces the plain indicator's template.
func as(member string, template any) edits {
	return edits{"spec.template.distribution": nil, "spec.template." + member: template}
}

func parameters(all ...any) edits { return edits{"spec.parameters": all} }

const (
	parameterForm = `a parameter's name begins with a lower-case letter, with letters and digits behind it`
	numberForm    = `write a plain decimal number such as "2.5", or a parameter such as ${threshold}`
)

var templateMistakes = map[string]struct {
	edits edits
	want  []string
}{
	"None":              {edits{"spec.template.distribution": nil}, []string{"spec.template: set exactly one of events, distribution, apdex, score, state, queries"}},
	"Two":               {edits{"spec.template.apdex": apdex()}, []string{"spec.template: set exactly one of events, distribution, apdex, score, state, queries"}},
	"Ref":               {as("ref", reference(nil)), []string{"spec.template.ref: unknown field", "spec.template: set exactly one of events, distribution, apdex, score, state, queries"}},
	"ParameterName":     {parameters(map[string]any{"name": "App"}), []string{"spec.parameters[0].name: " + parameterForm}},
	"ParameterTwice":    {parameters(map[string]any{"name": "app"}, map[string]any{"name": "app"}), []string{`spec.parameters[1]: Duplicate value`}},
	"ParameterType":     {parameters(map[string]any{"name": "app", "type": "Bool"}), []string{`spec.parameters[0].type: supported values: "String", "Regex", "Number", "Duration"`}},
	"ParameterLong":     {parameters(map[string]any{"name": "app", "default": long}), []string{"spec.parameters[0].default: may not be more than 256 bytes"}},
	"Threshold":         {edits{"spec.template.distribution.threshold": "2.5s"}, []string{"spec.template.distribution.threshold: " + numberForm}},
	"ThresholdPart":     {edits{"spec.template.distribution.threshold": "2${digits}"}, []string{"spec.template.distribution.threshold: " + numberForm}},
	"ThresholdNone":     {edits{"spec.template.distribution.threshold": nil}, []string{"spec.template.distribution.threshold: Required value"}},
	"PoorAbove":         {edits{"spec.template.distribution.poorAbove": "much"}, []string{"spec.template.distribution.poorAbove: " + numberForm}},
	"Satisfied":         {as("apdex", map[string]any{"histogram": "h", "satisfied": "quick"}), []string{"spec.template.apdex.satisfied: " + numberForm}},
	"StateValue":        {as("state", map[string]any{"query": "up", "operator": "Equal", "value": "up"}), []string{"spec.template.state.value: " + numberForm}},
	"Events":            {as("events", map[string]any{"total": "all_total"}), []string{"spec.template.events: set exactly one of good, bad"}},
	"Score":             {as("score", map[string]any{"mean": mean(), "netPromoter": netPromoter()}), []string{"spec.template.score: set exactly one of mean, netPromoter"}},
	"QueriesInterval":   {as("queries", map[string]any{"points": "a", "events": "b"}), []string{"spec.template.queries: points and events must both use $interval as their range, for example increase(orders_total[$interval])"}},
	"DefaultTarget":     {edits{"spec.defaultTarget": "most"}, []string{`spec.defaultTarget: write target as a percentage such as "75%" or, for apdex and scores, as a number such as "30" or "4.2", with at most five decimals`}},
	"DefaultWindow":     {edits{"spec.defaultWindow": "a month"}, []string{"spec.defaultWindow: may not be more than 6 bytes"}},
	"MinimumEventsNone": {edits{"spec.minimumEvents": int64(0)}, []string{"spec.minimumEvents: should be greater than or equal to 1"}},
}

func TestIndicatorMistakes(t *testing.T) {
	for _, plural := range []string{"indicators", "clusterindicators"} {
		d := load(t, plural)
		for name, tc := range templateMistakes {
			t.Run(plural+name, func(t *testing.T) {
				got := d.admit(t, tc.edits.apply(t, decode(t, plainIndicator)))
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("complaints: -want, +got:\n%s", diff)
				}
			})
		}
	}
}

func TestIndicatorsAreAdmitted(t *testing.T) {
	cases := map[string]struct {
		reason string
		edits  edits
	}{
		"Plain":     {reason: "as little as can be"},
		"Parameter": {reason: "a number that an objective chooses", edits: edits{"spec.template.distribution.threshold": "${threshold}"}},
		"Empty":     {reason: "a default of nothing is one", edits: parameters(map[string]any{"name": "app", "default": ""})},
		"Apdex":     {reason: "numbers of every kind", edits: as("apdex", map[string]any{"histogram": "h", "satisfied": "${t}", "tolerated": "${f}", "failed": `{code=~"${failed}"}`})},
		"Read":      {reason: "what readers are told", edits: edits{"spec.perspective": "UX", "spec.unit": "seconds", "spec.defaultTarget": "75%", "spec.defaultWindow": "28d", "spec.minimumEvents": int64(100)}},
	}
	d := load(t, "indicators")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainIndicator))
			if complaints := d.admit(t, object); complaints != nil {
				t.Errorf("%s: refused: %q", tc.reason, complaints)
			}
			if kind := at(object, "spec.template.distribution.format"); kind != nil && kind != "Classic" {
				t.Errorf("format = %v", kind)
			}
		})
	}
}
