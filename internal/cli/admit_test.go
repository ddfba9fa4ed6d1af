package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestEveryKindIsDefined compares the definitions that the program carries with
// the kinds of the API.
func TestEveryKindIsDefined(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var want []string
	for kind, of := range scheme.KnownTypes(v1alpha1.GroupVersion) {
		if strings.HasSuffix(of.PkgPath(), "/api/v1alpha1") && !strings.HasSuffix(kind, "List") {
			want = append(want, kind)
		}
	}
	slices.Sort(want)
	definitions, err := loadDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(definitions))); diff != "" {
		t.Errorf("kinds: -API, +definitions:\n%s", diff)
	}
	for kind, d := range definitions {
		if d.namespaced == strings.HasPrefix(kind, "Cluster") {
			t.Errorf("%s: namespaced is %t", kind, d.namespaced)
		}
	}
}

func TestAdmit(t *testing.T) {
	const plain = `{apiVersion: experience.slo/v1alpha1, kind: Objective, metadata: {name: a}, spec: {service: checkout, perspective: UX,
		indicator: {events: {good: a, total: b}}, target: 99%, window: {rolling: 28d}`
	score := strings.Replace(strings.Replace(plain, "events: {good: a, total: b}", `score: {mean: {sum: a, count: b, lowest: "1", highest: "5"}}`, 1), "99%", "%s", 1)
	cases := map[string]struct {
		reason, args string
		want         []string
	}{
		"Good":       {reason: "nothing to say", args: plain},
		"Unknown":    {reason: "a field that does not exist", args: plain + ", colour: {a: 1}", want: []string{"spec.colour: there is no such field: correct or remove it"}},
		"Required":   {reason: "a field that is missing", args: strings.Replace(plain, "service: checkout, ", "", 1), want: []string{"spec.service: it is required: set it"}},
		"Enum":       {reason: "a value and those that there are", args: strings.Replace(plain, "UX", "UI", 1), want: []string{`spec.perspective: "UI": supported values: "UX", "CX"`}},
		"Number":     {reason: "a number out of bounds", args: plain + ", minimumEvents: 0", want: []string{"spec.minimumEvents: 0: should be greater than or equal to 1"}},
		"Type":       {reason: "a value of another type", args: plain + ", suspend: maybe", want: []string{`spec.suspend: "maybe": must be of type boolean: "string"`}},
		"Long":       {reason: "of a long value the beginning is told", args: plain + ", description: " + strings.Repeat("x", 1025), want: []string{`spec.description: "` + strings.Repeat("x", 80) + `"…: may not be more than 1024 bytes`}},
		"Rule":       {reason: "a rule of one field", args: strings.Replace(plain, "checkout", "Checkout", 1), want: []string{`spec.service: "Checkout": use lower-case letters and digits, with dashes between them, such as mobile-app`}},
		"Across":     {reason: "a rule across fields names the one that it begins with", args: strings.Replace(plain, "99%", "100%", 1), want: []string{`spec.target: "100%": target must be above 0% and below 100%: a target of 100% has no error budget`}},
		"AcrossDeep": {reason: "also below the place of the rule", args: strings.Replace(score, "%s", `"4"`, 1) + ", alerting: {page: {}}", want: []string{"spec: alerting.page cannot be set for a score: surveys never page, use alerting.ticket"}},
		"Exactly":    {reason: "a rule that begins with no field is told of its place", args: strings.Replace(plain, "rolling: 28d", "", 1), want: []string{"spec.window: set exactly one of rolling, calendar, for example rolling: 28d"}},
		"Key":        {reason: "a value under a name", args: plain + ", alerting: {page: {labels: {team: " + strings.Repeat("y", 1025) + "}}}", want: []string{`spec.alerting.page.labels.team: "` + strings.Repeat("y", 80) + `"…: may not be more than 1024 bytes`}},
		"Several":    {reason: "all that can be told at once is", args: strings.Replace(plain, "UX", "UI", 1) + ", colour: red", want: []string{"spec.colour: there is no such field: correct or remove it", `spec.perspective: "UI": supported values: "UX", "CX"`}},
	}
	definitions, err := loadDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object, err := document{place: place{"f", 1}, text: []byte(tc.args + "}}")}.decode()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range definitions["Objective"].admit(t.Context(), object) {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestComplaint(t *testing.T) {
	object := map[string]any{"spec": map[string]any{
		"list": []any{map[string]any{"label": "a-b"}, "text"}, "on": true, "share": 0.5, "name": "x", "inner": map[string]any{"name": "y"},
	}}
	at := func(path string) *field.Path { return field.NewPath(path) }
	cases := map[string]struct {
		reason string
		args   *field.Error
		want   string
	}{
		"Item":      {reason: "a field of an item", args: field.Invalid(at("spec.list[0].label"), "", "is wrong"), want: `spec.list[0].label: "a-b": is wrong`},
		"Text":      {reason: "an item", args: field.Invalid(at("spec.list[1]"), "", "is wrong"), want: `spec.list[1]: "text": is wrong`},
		"NoItem":    {reason: "an item that is not there", args: field.Invalid(at("spec.list[2]"), "", "is wrong"), want: "spec.list[2]: is wrong"},
		"NoNumber":  {reason: "a list has no names", args: field.Invalid(at("spec.list.label"), "", "is wrong"), want: "spec.list.label: is wrong"},
		"Below":     {reason: "a text has no fields", args: field.Invalid(at("spec.name.first"), "", "is wrong"), want: "spec.name.first: is wrong"},
		"Truth":     {reason: "a truth value", args: field.Invalid(at("spec.on"), "", "is wrong"), want: "spec.on: true: is wrong"},
		"Float":     {reason: "a number", args: field.Invalid(at("spec.share"), "", "is wrong"), want: "spec.share: 0.5: is wrong"},
		"Subject":   {reason: "the field of which a rule speaks", args: field.Invalid(at("spec"), "", "name is wrong"), want: `spec.name: "x": name is wrong`},
		"DeepField": {reason: "however deep", args: field.Invalid(at("spec"), "", "inner.name is wrong"), want: `spec.inner.name: "y": inner.name is wrong`},
		"Object":    {reason: "an object has no value to show", args: field.Invalid(at("spec"), "", "inner is wrong"), want: "spec: inner is wrong"},
		"Duplicate": {reason: "a fault without words has the name of its kind", args: field.Duplicate(at("spec.list[0]"), "a"), want: "spec.list[0]: duplicate value"},
		"InBody":    {reason: "what the schema's validator repeats is cut", args: field.Invalid(at("spec.name"), "", "spec.name in body should be long"), want: `spec.name: "x": should be long`},
		"Requirement": {
			reason: "a missing field has no value", args: field.Required(at("spec.target"), ""), want: "spec.target: it is required: set it",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, complaint(object, tc.args).String()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
