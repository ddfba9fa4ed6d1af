package convert

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// treeOf parses one document.
func treeOf(text string) (field, *session) {
	s := &session{Options: Options{From: Sloth}, order: map[string]int{}}
	s.parse(Document{File: "a", Line: 11, Text: []byte(text)})
	return field{doc: s.read[0], node: s.read[0].root, line: 11}, s
}

// paths are the leaves under a field, with their values.
func paths(f field) []string {
	var out []string
	for _, leaf := range f.leaves() {
		out = append(out, leaf.path+"="+leaf.peek())
	}
	return out
}

// TestLeaves finds all that a document says.
func TestLeaves(t *testing.T) {
	cases := map[string]struct {
		reason, args string
		want         []string
	}{
		"Nested":     {"lists and mappings", "a: {b: [1, {c: x}]}", []string{"a.b[0]=1", "a.b[1].c=x"}},
		"Empty":      {"what is empty is a leaf too", "a: {}\nb: []\nc:\nd: ''", []string{"a=", "b=", "c=", "d="}},
		"Dots":       {"names may have dots", "metadata: {labels: {a.b/c: x}}", []string{"metadata.labels.a.b/c=x"}},
		"Alias":      {"an alias is what it stands for, each time", "a: &x {b: 1}\nc: *x", []string{"a.b=1", "c.b=1"}},
		"Merge":      {"a merged field, unless it is there", "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", []string{"a.b=1", "a.c=2", "d.c=3", "d.b=1"}},
		"MergeList":  {"of several the first counts", "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}", []string{"a.b=1", "c.b=2", "c.d=3", "e.b=1", "e.d=3"}},
		"MergeInner": {"what is merged may be merged itself", "a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {<<: *y}", []string{"a.b=1", "c.d=2", "c.b=1", "e.d=2", "e.b=1"}},
		"JSON":       {"JSON is YAML", `{"a": {"b": [true, null]}}`, []string{"a.b[0]=true", "a.b[1]="}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			root, _ := treeOf(tc.args)
			if diff := cmp.Diff(tc.want, paths(root)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestClaims leaves over what nobody claimed.
func TestClaims(t *testing.T) {
	cases := map[string]struct {
		reason, args string
		read         func(root field)
		want         []string
	}{
		"Nothing":   {"all is left where nothing is read", "a: 1\nb: {c: 2}", func(field) {}, []string{"a", "b.c"}},
		"Text":      {"a text that is read", "a: 1\nb: 2", func(f field) { f.at("a").text() }, []string{"b"}},
		"Peek":      {"a look is no claim", "a: 1", func(f field) { f.at("a").peek() }, []string{"a"}},
		"NoText":    {"what is no text stays", "a: {b: 1}", func(f field) { f.at("a").text() }, []string{"a.b"}},
		"Flag":      {"a truth value", "a: true\nb: 'true'", func(f field) { f.at("a").flag(); f.at("b").flag() }, []string{"b"}},
		"NoMapping": {"a field of what is no mapping", "a: x", func(f field) { f.at("a").at("b").text() }, []string{"a"}},
		"NoList":    {"items of what is no list", "a: {b: 1}", func(f field) { f.at("a").items() }, []string{"a.b"}},
		"Empty":     {"what is empty is claimed with its fields", "a: {}\nb: null\nc: []", func(f field) { f.at("a").at("x").text(); f.at("b").at("x").text(); f.at("c").items() }, nil},
		"Items":     {"each item by itself", "a: [1, 2]", func(f field) { f.at("a").items()[0].text() }, []string{"a[1]"}},
		"Aliases":   {"each use of an alias by itself", "a: &x {b: 1}\nc: *x", func(f field) { f.at("c").at("b").text() }, []string{"a.b"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			root, s := treeOf(tc.args)
			tc.read(root)
			s.leftovers(root.doc)
			var got []string
			for _, n := range s.notes {
				if n.Severity != Dropped || n.Text != unknownField {
					t.Errorf("a leftover is told as %s", n)
				}
				got = append(got, n.Field)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestLines are those of the file, not of the document.
func TestLines(t *testing.T) {
	root, s := treeOf("a:\n  b: 1\n  c:\n  - x\n  - y: z\n")
	for path, want := range map[string]int{"a": 11, "a.b": 12, "a.c": 13, "a.c[0]": 14, "a.c[1].y": 15} {
		if got := sought(root, path).line; got != want {
			t.Errorf("%s is at line %d, want %d", path, got, want)
		}
	}
	if missing := root.at("a").at("gone"); missing.line != 11 || missing.exists() {
		t.Errorf("what is not there is at line %d: want that of what should hold it", missing.line)
	}
	s.leftovers(root.doc)
	if got := s.notes[2].String(); got != `a:15: not converted: a.c[1].y: "z": `+unknownField {
		t.Errorf("the note reads %s", got)
	}
}

// sought finds a field by its path.
func sought(f field, path string) field {
	for _, e := range append(f.entries(), entriesOf(f.items())...) {
		if e.path == path {
			return e.field
		}
		if strings.HasPrefix(path, e.path) {
			return sought(e.field, path)
		}
	}
	return field{}
}

func entriesOf(items []field) []entry {
	var out []entry
	for _, item := range items {
		out = append(out, entry{field: item})
	}
	return out
}

// TestUnreadable are documents of which nothing can be made.
func TestUnreadable(t *testing.T) {
	cases := map[string]struct{ reason, args, want string }{
		"Syntax":  {"no YAML", "a: [", "yaml: line 11: did not find expected node content"},
		"Twice":   {"a key that is there twice", "a: 1\na: 2", `key "a" is there twice`},
		"List":    {"no object", "- a", "there is no object"},
		"Text":    {"nor a text", "a", "there is no object"},
		"Nothing": {"nor nothing", "", "there is no object"},
		"Endless": {"an alias within itself", "a: &x [*x]", "stand for more than 200000 values"},
		"Bomb":    {"aliases that multiply", bomb(), "stand for more than 200000 values"},
		"Unknown": {"an alias of nothing", "a: *x", "unknown anchor"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, s := treeOf(tc.args)
			if len(s.notes) != 1 || s.notes[0].Severity != Failed || !strings.Contains(s.notes[0].String(), tc.want) {
				t.Errorf("%s: want to be told %q, got %v", tc.reason, tc.want, s.notes)
			}
		})
	}
}

// bomb is ten levels of ten aliases each.
func bomb() string {
	text := "a0: &a0 [x]\n"
	for i := range 9 {
		from, to := "*a"+string(rune('0'+i)), "a"+string(rune('1'+i))
		text += to + ": &" + to + " [" + strings.Repeat(from+",", 10) + "]\n"
	}
	return text
}

// FuzzConvert has no document make a converter panic, and none be dropped without
// a word.
func FuzzConvert(f *testing.F) {
	for _, seed := range []string{
		slothWith(map[string]any{"events": map[string]any{"error_query": "a", "total_query": "b"}}),
		"apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nspec: {target: 1, window: 1w, indicator: {ratio: []}}",
		"apiVersion: openslo/v1\nkind: SLO\nspec: {objectives: [{target: 0.5, indicator: {spec: {ratioMetric: 1}}}], timeWindow: [x], alertPolicies: [1, {}]}",
		"apiVersion: openslo/v1alpha\nkind: SLO\nspec: {objectives: [{target: 1e-400}], timeWindows: [{count: 1}]}",
		"apiVersion: v1\nkind: List\nitems: [1, {}, [a]]", "a: &x [*x]", "{}", "kind: {}\nversion: []",
		"apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec: 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, from := range Formats {
			got := Convert([]Document{{File: "a", Line: 1, Text: []byte(text)}}, options(from))
			if len(got.Objects) == 0 && len(got.Notes) == 0 && strings.Trim(text, " \r\n{}[]") != "" && !strings.HasPrefix(strings.TrimSpace(text), "#") {
				t.Errorf("%s: %q makes nothing, and nothing is told", from, text)
			}
		}
	})
}
