package v1alpha1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// plainGate is a valid gate that sets nothing it does not have to.
const plainGate = `
apiVersion: experience.slo/v1alpha1
kind: Gate
metadata: {name: checkout, namespace: shop}
spec: {objectives: {names: [checkout-page-speed]}}
`

const oneJourneyChoice = "spec.journeys: set exactly one of names, selector for the journeys, for example names: [order]"

const (
	revisionForm  = "spec.revision: revision must be an image tag, a digest or a commit: letters, digits and . _ : / @ + -"
	oneChoice     = "spec.objectives: set exactly one of names, selector, for example names: [page-speed]"
	oneRequired   = "spec.require: require at least one of met, pageTiers, budgetRemaining, attainment, or leave require out for its default"
	floorForm     = `spec.require.attainment: attainment must be Target, for each objective's own, or a value in the objectives' unit such as "95%", "30" or "4.2"`
	shareForm     = "spec.require.budgetRemaining: budgetRemaining must be a percentage from 0% to 100%, such as 10%"
	bakeForm      = "spec.bake.duration: duration must be between 1m and 23h, written like 1h30m"
	timeoutForm   = "spec.timeout: timeout must be between 2m and 24h, written like 1h30m"
	timeoutLonger = "spec: timeout must be longer than bake.duration, by some minutes: the last minute of the bake is measured after it ended"
)

// gateNames are n names of objectives.
func gateNames(n int) any {
	out := make([]any, n)
	for i := range out {
		out[i] = "o" + long[:i]
	}
	return out
}

// gateMistakes are what the API server must refuse of a gate, and exactly how.
var gateMistakes = map[string]struct {
	reason string
	edits  edits
	want   []string
}{
	"RevisionSpace": {
		reason: "a revision is no sentence", edits: edits{"spec.revision": "the new one"}, want: []string{revisionForm},
	},
	"RevisionLong": {
		reason: "nor a changelog", edits: edits{"spec.revision": long[:129]}, want: []string{"spec.revision: may not be more than 128 bytes"},
	},
	"ObjectivesMissing": {
		reason: "a gate on nothing would pass everything", edits: edits{"spec.objectives": nil}, want: []string{"spec: set objectives, journeys or both, for example objectives: {names: [page-speed]}"},
	},
	"ObjectivesEmpty": {
		reason: "nor on an empty choice", edits: edits{"spec.objectives": map[string]any{}}, want: []string{oneChoice},
	},
	"ObjectivesTwo": {
		reason: "names or labels", edits: edits{"spec.objectives.selector": map[string]any{"matchLabels": map[string]any{"app": "shop"}}}, want: []string{oneChoice},
	},
	"NamesNone": {
		reason: "an empty list is no choice", edits: edits{"spec.objectives.names": gateNames(0)}, want: []string{"spec.objectives.names: should have at least 1 items"},
	},
	"NamesMany": {
		reason: "a status holds 64", edits: edits{"spec.objectives.names": gateNames(65)}, want: []string{"spec.objectives.names: must have at most 64 items"},
	},
	"NamesTwice": {
		reason: "each once", edits: edits{"spec.objectives.names": []any{"a", "a"}}, want: []string{"spec.objectives.names[1]: Duplicate value"},
	},
	"RequireNothing": {
		reason: "a gate that asks for nothing is none", edits: edits{"spec.require": map[string]any{}}, want: []string{oneRequired},
	},
	"MetOther": {
		reason: "what need not hold is left out", edits: edits{"spec.require.met": "Wanted"}, want: []string{`spec.require.met: supported values: "Required"`},
	},
	"PageTiersOther": {
		reason: "and so are tiers", edits: edits{"spec.require.pageTiers": "Loud"}, want: []string{`spec.require.pageTiers: supported values: "Quiet"`},
	},
	"FloorWord": {
		reason: "a floor is a value or the target", edits: edits{"spec.require.attainment": "high"}, want: []string{floorForm},
	},
	"FloorLong": {
		reason: "of so many digits", edits: edits{"spec.require.attainment": "99.9999999999"}, want: []string{"spec.require.attainment: may not be more than 12 bytes"},
	},
	"BudgetPlain": {
		reason: "a budget is left in percent", edits: edits{"spec.require.budgetRemaining": "0.1"}, want: []string{shareForm},
	},
	"BudgetTooMuch": {
		reason: "and never more than whole", edits: edits{"spec.require.budgetRemaining": "101%"}, want: []string{shareForm},
	},
	"BakeShort": {
		reason: "a minute is as fine as anything is counted", edits: edits{"spec.bake.duration": "59s"}, want: []string{bakeForm},
	},
	"BakeLong": {
		reason: "a day is the longest, with its timeout", edits: edits{"spec.bake.duration": "24h", "spec.timeout": "24h"}, want: []string{bakeForm, timeoutLonger},
	},
	"BakeEventsNone": {
		reason: "nothing proves nothing", edits: edits{"spec.bake.minimumEvents": int64(0)}, want: []string{"spec.bake.minimumEvents: should be greater than or equal to 1"},
	},
	"TimeoutShort": {
		reason: "the first minute takes two", edits: edits{"spec.timeout": "1m", "spec.bake.duration": "1m"}, want: []string{timeoutForm, timeoutLonger},
	},
	"TimeoutDays": {
		reason: "days are not Go's", edits: edits{"spec.timeout": "1d"}, want: []string{timeoutForm},
	},
	"TimeoutBeforeBake": {
		reason: "such a gate could never pass", edits: edits{"spec.timeout": "10m"}, want: []string{timeoutLonger},
	},
	"JourneysNoChoice": {
		reason: "an empty choice is none", edits: edits{"spec.journeys": map[string]any{}}, want: []string{oneJourneyChoice},
	},
	"JourneysTwoChoices": {
		reason: "names or labels", edits: edits{"spec.journeys": map[string]any{"names": []any{"order"}, "selector": map[string]any{}}}, want: []string{oneJourneyChoice},
	},
	"JourneysTwice": {
		reason: "each once", edits: edits{"spec.journeys": map[string]any{"names": []any{"order", "order"}}}, want: []string{"spec.journeys.names[1]: Duplicate value"},
	},
	"JourneysMany": {
		reason: "sixteen at most", edits: edits{"spec.journeys": map[string]any{"names": gateNames(17)}}, want: []string{"spec.journeys.names: must have at most 16 items"},
	},
	"JourneysFloor": {
		reason: "a broken journey passes nothing", edits: edits{"spec.journeys": map[string]any{"names": []any{"order"}, "atLeast": "Broken"}}, want: []string{`spec.journeys.atLeast: supported values: "Holding", "Degraded"`},
	},
	"OnInconclusiveOther": {
		reason: "passed or failed", edits: edits{"spec.onInconclusive": "Wait"}, want: []string{`spec.onInconclusive: supported values: "Fail", "Pass"`},
	},
	"Unknown": {
		reason: "a misspelt field would mean its default", edits: edits{"spec.revison": "v2"}, want: []string{"spec.revison: unknown field"},
	},
}

func TestRefusedGates(t *testing.T) {
	d := load(t, "gates")
	for name, tc := range gateMistakes {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainGate)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdmittedGates lists gates that must be taken, and the spec that they have
// once defaults are filled in.
func TestAdmittedGates(t *testing.T) {
	duration := func(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
	plain := GateSpec{
		Objectives: GateObjectives{Names: []Name{"checkout-page-speed"}},
		Require:    GateRequirements{Attainment: FloorTarget, PageTiers: PageTiersQuiet},
		Bake:       Bake{Duration: duration(10 * time.Minute), MinimumEvents: 1},
		Timeout:    duration(time.Hour), OnInconclusive: OnInconclusiveFail,
	}
	but := func(change func(*GateSpec)) GateSpec {
		spec := *plain.DeepCopy()
		change(&spec)
		return spec
	}
	cases := map[string]struct {
		reason string
		edits  edits
		want   GateSpec
	}{
		"Plain": {reason: "the objectives are enough", want: plain},
		"Require": {
			reason: "what is asked for is all that is asked for", edits: edits{"spec.require": map[string]any{"budgetRemaining": "100%"}},
			want: but(func(s *GateSpec) { s.Require = GateRequirements{BudgetRemaining: "100%"} }),
		},
		"Bake": {
			reason: "half of the bake keeps the other's default", edits: edits{"spec.bake.minimumEvents": int64(500)},
			want: but(func(s *GateSpec) { s.Bake.MinimumEvents = 500 }),
		},
		"Floor": {
			reason: "a floor below zero is one of a Net Promoter Score", edits: edits{"spec.require": map[string]any{"attainment": "-12.5"}},
			want: but(func(s *GateSpec) { s.Require = GateRequirements{Attainment: "-12.5"} }),
		},
		"Longest": {
			reason: "a whole day", edits: edits{"spec.bake.duration": "23h", "spec.timeout": "24h"},
			want: but(func(s *GateSpec) { s.Bake.Duration, s.Timeout = duration(23*time.Hour), duration(24*time.Hour) }),
		},
		"Digest": {
			reason: "a digest names a release too", edits: edits{"spec.revision": "ghcr.io/shop/checkout@sha256:4bc4"},
			want: but(func(s *GateSpec) { s.Revision = "ghcr.io/shop/checkout@sha256:4bc4" }),
		},
	}
	d := load(t, "gates")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainGate))
			if complaints := d.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := Gate{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(tc.want, got.Spec); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if got.Status.ObservedGeneration != -1 || got.Status.Finished() || !got.Deadline().IsZero() {
				t.Errorf("a gate that nobody has looked at must not read as observed: %+v", got.Status)
			}
		})
	}
}

func TestGateDeadline(t *testing.T) {
	began := metav1.NewTime(time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC))
	hour := &metav1.Duration{Duration: time.Hour}
	cases := map[string]struct {
		reason string
		args   Gate
		want   time.Time
	}{
		"Running":   {reason: "counted from the beginning", args: Gate{Spec: GateSpec{Timeout: hour}, Status: GateStatus{StartedAt: &began}}, want: began.Add(time.Hour)},
		"NotBegun":  {reason: "none before", args: Gate{Spec: GateSpec{Timeout: hour}}},
		"NoTimeout": {reason: "none where the API server filled in nothing", args: Gate{Status: GateStatus{StartedAt: &began}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.args.Deadline(); !got.Equal(tc.want) {
				t.Errorf("%s: Deadline() = %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
