package cli

import "testing"

func TestLines(t *testing.T) {
	const text = `kind: Objective
metadata:
  annotations: {a.b/c: one}
  labels: &labels
    team: web
    team.lead: ann
spec:
  matchers:
  - label: cluster
    value: eu
  - {label: zone, value: a}
  nested:
  - - deep
    - deeper
  copied: *labels
`
	cases := map[string]struct {
		reason, args string
		want         int
	}{
		"Key":         {reason: "a field is where its name is", args: "kind", want: 11},
		"Holder":      {reason: "a field with fields too", args: "spec.matchers", want: 18},
		"Item":        {reason: "an item is where it begins", args: "spec.matchers[1]", want: 21},
		"OfItem":      {reason: "and its fields where they are", args: "spec.matchers[0].value", want: 20},
		"InFlow":      {reason: "also on one line", args: "spec.matchers[1].value", want: 21},
		"ListOfLists": {reason: "lists hold lists", args: "spec.nested[0][1]", want: 24},
		"Dots":        {reason: "a name may have dots", args: "metadata.annotations.a.b/c", want: 13},
		"Longest":     {reason: "of two names that fit the longer one is meant", args: "metadata.labels.team.lead", want: 16},
		"Copied":      {reason: "what is written once and used twice is where it is written", args: "spec.copied.team", want: 15},
		"Missing":     {reason: "a field that is missing is where its holder is", args: "spec.indicator.events.good", want: 17},
		"NoItem":      {reason: "and so is an item", args: "spec.matchers[7].label", want: 18},
		"NoNumber":    {reason: "a list has no names", args: "spec.matchers.label", want: 18},
		"OfText":      {reason: "a text has no fields", args: "kind.name", want: 11},
		"Explained":   {reason: "what follows a space explains the path", args: "kind (four times)", want: 11},
		"Nothing":     {reason: "of an object of which nothing is there, its beginning is told", args: "status", want: 11},
		"Whole":       {reason: "and of a document", args: "", want: 11},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := &document{place: place{"f", 11}, text: []byte(text)}
			if got := (manifest{place: in.place, in: in}).placeOf(tc.args).line; got != tc.want {
				t.Errorf("%s: line %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestLinesOfNothing checks that what has no lines is where it begins.
func TestLinesOfNothing(t *testing.T) {
	for reason, in := range map[string]*document{
		"there is no text": nil, "it is no YAML": {text: []byte("a: [")}, "it is empty": {}, "it is a text": {text: []byte("hello")},
	} {
		at := place{"f", 3}
		if in != nil {
			in.place = at
		}
		if got := (manifest{place: at, in: in}).placeOf("spec.target"); got != at {
			t.Errorf("%s: it is at %s", reason, got)
		}
	}
}
