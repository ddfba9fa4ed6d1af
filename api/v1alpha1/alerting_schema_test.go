package v1alpha1

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	tierLabels      = "labels must have names such as team: letters, digits and underscores, and none of __name__, alertname, namespace, objective, service, perspective, touchpoint, recipe, window, which the operator sets"
	tierTemplates   = "labels must not hold templates: a label that changes makes a new alert; use annotations"
	tierAnnotations = "annotations must have names such as summary: letters, digits and underscores"
	afterForm       = "spec.alerting.dataAbsent.after: after must be between 5m and 168h, written like 1h30m"
	keepForm        = "spec.alerting.keepFiringFor: keepFiringFor must be between 0s and 24h, written like 10m"
	addressForm     = "write an address that begins with http:// or https://, without spaces and braces"
)

// texts are n names with a value each.
func texts(n int) any {
	out := map[string]any{}
	for i := range n {
		out[fmt.Sprintf("name_%d", i)] = "a"
	}
	return out
}

// alertingMistakes are what the API server must refuse of spec.alerting, and
// exactly how.
var alertingMistakes = map[string]struct {
	reason string
	edits  edits
	want   []string
}{
	"ModeOther": {
		reason: "an alert is on or off, in words",
		edits:  edits{"spec.alerting.page.mode": "Off"},
		want:   []string{`spec.alerting.page.mode: supported values: "Enabled", "Disabled"`},
	},
	"ModeBool": {
		reason: "and not a truth value",
		edits:  edits{"spec.alerting.ticket.mode": false},
		want:   []string{`spec.alerting.ticket.mode: must be of type string: "boolean"`, `spec.alerting.ticket.mode: supported values: "Enabled", "Disabled"`},
	},
	"TierUnknown": {
		reason: "a misspelt tier would leave the real one as it is",
		edits:  edits{"spec.alerting.pages.mode": "Disabled"},
		want:   []string{"spec.alerting.pages: unknown field"},
	},
	"TierAfter": {
		reason: "a tier has no time of its own",
		edits:  edits{"spec.alerting.page.after": "1h"},
		want:   []string{"spec.alerting.page.after: unknown field"},
	},
	"ScorePageDisabled": {
		reason: "surveys never page: there is nothing to switch off",
		edits:  instead("score", map[string]any{"mean": mean()}, "4.2", edits{"spec.alerting.page.mode": "Disabled"}),
		want:   []string{"spec: alerting.page cannot be set for a score: surveys never page, use alerting.ticket"},
	},
	"LabelName": {
		reason: "Alertmanager takes no dashes",
		edits:  edits{"spec.alerting.page.labels.on-call": "shop"},
		want:   []string{"spec.alerting.page.labels: " + tierLabels},
	},
	"LabelNameLong": {
		reason: "names are bounded",
		edits:  edits{"spec.alerting.page.labels." + long[:65]: "shop"},
		want:   []string{"spec.alerting.page.labels: " + tierLabels},
	},
	"LabelIdentity": {
		reason: "what says whose alert it is is the operator's",
		edits:  edits{"spec.alerting.ticket.labels.objective": "other"},
		want:   []string{"spec.alerting.ticket.labels: " + tierLabels},
	},
	"LabelMetricName": {
		reason: "the name of an alert's series is Prometheus' own",
		edits:  edits{"spec.alerting.page.labels.__name__": "up"},
		want:   []string{"spec.alerting.page.labels: " + tierLabels},
	},
	"LabelMetricNameAbsent": {
		reason: "of every alert",
		edits:  edits{"spec.alerting.dataAbsent.labels.__name__": "up", "spec.alerting.ticket.labels.__name__": "up"},
		want:   []string{"spec.alerting.dataAbsent.labels: " + tierLabels, "spec.alerting.ticket.labels: " + tierLabels},
	},
	"LabelTemplate": {
		reason: "a label with a value in it makes a new alert at each evaluation",
		edits:  edits{"spec.alerting.dataAbsent.labels.value": "{{ $value }}"},
		want:   []string{"spec.alerting.dataAbsent.labels: " + tierTemplates},
	},
	"LabelLong": {
		reason: "values are bounded",
		edits:  edits{"spec.alerting.page.labels.team": long[:1025]},
		want:   []string{"spec.alerting.page.labels.team: may not be more than 1024 bytes"},
	},
	"LabelsMany": {
		reason: "and so is their number",
		edits:  edits{"spec.alerting.page.labels": texts(17)},
		want:   []string{"spec.alerting.page.labels: must have at most 16 items"},
	},
	"AnnotationName": {
		reason: "Alertmanager's templates take no dashes either",
		edits:  edits{"spec.alerting.dataAbsent.annotations.run-book": "a"},
		want:   []string{"spec.alerting.dataAbsent.annotations: " + tierAnnotations},
	},
	"AnnotationLong": {
		reason: "values are bounded",
		edits:  edits{"spec.alerting.ticket.annotations.summary": long[:1025]},
		want:   []string{"spec.alerting.ticket.annotations.summary: may not be more than 1024 bytes"},
	},
	"AnnotationsMany": {
		reason: "and so is their number",
		edits:  edits{"spec.alerting.ticket.annotations": texts(17)},
		want:   []string{"spec.alerting.ticket.annotations: must have at most 16 items"},
	},
	"AfterShort":        {reason: "a restart is not an absence", edits: edits{"spec.alerting.dataAbsent.after": "4m59s"}, want: []string{afterForm}},
	"AfterLong":         {reason: "after a week nobody remembers", edits: edits{"spec.alerting.dataAbsent.after": "169h"}, want: []string{afterForm}},
	"AfterDays":         {reason: "Go's durations have no days", edits: edits{"spec.alerting.dataAbsent.after": "1d"}, want: []string{afterForm}},
	"AfterNumber":       {reason: "a number has no unit", edits: edits{"spec.alerting.dataAbsent.after": int64(3600)}, want: []string{`spec.alerting.dataAbsent.after: must be of type string: "integer"`}},
	"KeepFiringMinus":   {reason: "no time is below none", edits: edits{"spec.alerting.keepFiringFor": "-1m"}, want: []string{keepForm}},
	"KeepFiringLong":    {reason: "a day at most", edits: edits{"spec.alerting.keepFiringFor": "24h1s"}, want: []string{keepForm}},
	"BadEventsZero":     {reason: "none would alert on nothing", edits: edits{"spec.alerting.minimumBadEvents": int64(0)}, want: []string{"spec.alerting.minimumBadEvents: should be greater than or equal to 1"}},
	"BadEventsMany":     {reason: "a million at most", edits: edits{"spec.alerting.minimumBadEvents": int64(1_000_001)}, want: []string{"spec.alerting.minimumBadEvents: should be less than or equal to 1000000"}},
	"RunbookScheme":     {reason: "a runbook is a page of the web", edits: edits{"spec.alerting.runbookURL": "ftp://wiki/runbook"}, want: []string{"spec.alerting.runbookURL: " + addressForm}},
	"RunbookSpace":      {reason: "an address has no spaces", edits: edits{"spec.alerting.runbookURL": "https://wiki/run book"}, want: []string{"spec.alerting.runbookURL: " + addressForm}},
	"RunbookShort":      {reason: "an address names a host", edits: edits{"spec.alerting.runbookURL": "http://"}, want: []string{"spec.alerting.runbookURL: should be at least 8 chars long", "spec.alerting.runbookURL: " + addressForm}},
	"DashboardTemplate": {reason: "an address is no template", edits: edits{"spec.alerting.dashboardURL": "https://grafana/{{ $labels.objective }}"}, want: []string{"spec.alerting.dashboardURL: " + addressForm}},
	"DashboardLong":     {reason: "an address is bounded", edits: edits{"spec.alerting.dashboardURL": "https://" + long[:1017]}, want: []string{"spec.alerting.dashboardURL: may not be more than 1024 bytes"}},
}

func TestAlertingMistakes(t *testing.T) {
	d := load(t, "objectives")
	for name, tc := range alertingMistakes {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainObjective)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: complaints: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdmittedAlerting lists what must be taken, with defaults filled in.
func TestAdmittedAlerting(t *testing.T) {
	length := func(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
	cases := map[string]struct {
		reason string
		edits  edits
		want   *Alerting
	}{
		"Absent": {reason: "who says nothing has every alert, and nothing is written for them"},
		"Empty": {
			reason: "an empty object is no other wish than none",
			edits:  edits{"spec.alerting": map[string]any{}},
			want:   &Alerting{MinimumBadEvents: 3},
		},
		"EmptyTiers": {
			reason: "a tier that is named is on",
			edits:  edits{"spec.alerting": map[string]any{"page": map[string]any{}, "dataAbsent": map[string]any{}}},
			want: &Alerting{
				Page: &AlertTier{Mode: AlertEnabled}, DataAbsent: &DataAbsentAlert{AlertTier: AlertTier{Mode: AlertEnabled}}, MinimumBadEvents: 3,
			},
		},
		"Off": {
			reason: "a tier is off where it says so",
			edits:  edits{"spec.alerting.page.mode": "Disabled", "spec.alerting.ticket.mode": "Disabled", "spec.alerting.dataAbsent.mode": "Disabled"},
			want: &Alerting{
				Page: &AlertTier{Mode: AlertDisabled}, Ticket: &AlertTier{Mode: AlertDisabled},
				DataAbsent: &DataAbsentAlert{AlertTier: AlertTier{Mode: AlertDisabled}}, MinimumBadEvents: 3,
			},
		},
		"Texts": {
			reason: "labels route, and a severity replaces the operator's; annotations may hold templates",
			edits: edits{
				"spec.alerting.page.labels":      map[string]any{"team": "shop", "severity": "p1", "_x": ""},
				"spec.alerting.page.annotations": map[string]any{"summary": "Burning {{ $value }}x"},
			},
			want: &Alerting{
				Page: &AlertTier{
					Mode:        AlertEnabled,
					Labels:      map[string]AlertText{"team": "shop", "severity": "p1", "_x": ""},
					Annotations: map[string]AlertText{"summary": "Burning {{ $value }}x"},
				},
				MinimumBadEvents: 3,
			},
		},
		"Lowest": {
			reason: "the lower bounds are within",
			edits:  edits{"spec.alerting.dataAbsent.after": "5m", "spec.alerting.keepFiringFor": "0s", "spec.alerting.minimumBadEvents": int64(1)},
			want: &Alerting{
				DataAbsent: &DataAbsentAlert{AlertTier: AlertTier{Mode: AlertEnabled}, After: length(5 * time.Minute)}, KeepFiringFor: length(0), MinimumBadEvents: 1,
			},
		},
		"Highest": {
			reason: "and so are the upper ones",
			edits:  edits{"spec.alerting.dataAbsent.after": "168h", "spec.alerting.keepFiringFor": "24h", "spec.alerting.minimumBadEvents": int64(1_000_000)},
			want: &Alerting{
				DataAbsent:    &DataAbsentAlert{AlertTier: AlertTier{Mode: AlertEnabled}, After: length(168 * time.Hour)},
				KeepFiringFor: length(24 * time.Hour), MinimumBadEvents: 1_000_000,
			},
		},
		"Addresses": {
			reason: "addresses may have paths, queries and fragments",
			edits:  edits{"spec.alerting.runbookURL": "http://wiki/a#b", "spec.alerting.dashboardURL": "https://grafana.example.com/d/1?var-objective=a&from=now-6h"},
			want: &Alerting{
				MinimumBadEvents: 3, RunbookURL: "http://wiki/a#b", DashboardURL: "https://grafana.example.com/d/1?var-objective=a&from=now-6h",
			},
		},
	}
	d := load(t, "objectives")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainObjective))
			if complaints := d.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := Objective{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(tc.want, got.Spec.Alerting); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestAlertTierOn(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   *AlertTier
		want   bool
	}{
		"Absent":   {reason: "an alert is on that nobody spoke of", want: true},
		"Unset":    {reason: "also where defaults were not filled in", args: &AlertTier{}, want: true},
		"Enabled":  {reason: "an alert is on that says so", args: &AlertTier{Mode: AlertEnabled}, want: true},
		"Disabled": {reason: "and off only where it says that", args: &AlertTier{Mode: AlertDisabled}, want: false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.args.On(); got != tc.want {
				t.Errorf("%s: got %t", tc.reason, got)
			}
		})
	}
}
