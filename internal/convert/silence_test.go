package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// kindOf is how fields.txt names the kind of a document.
func kindOf(d *document) string {
	root := field{doc: d, node: d.root}
	version, kind := root.at("apiVersion").peek(), root.at("kind").peek()
	switch {
	case version == slothVersion && kind == slothKind:
		return "cluster"
	case version == slothVersion && kind == slothWindows:
		return "windows"
	case root.at("version").peek() == slothPlain:
		return "plain"
	case version == pyrraVersion:
		return "slo"
	case version == openSLOAlpha:
		return "Alpha"
	default:
		return kind
	}
}

// treesOf parses the documents of a file.
func treesOf(name, text string) []*document {
	s := &session{order: map[string]int{}}
	for _, d := range parted(name, text) {
		s.parse(d)
	}
	return s.read
}

// pattern matches the paths of a field of fields.txt.
func pattern(path string) *regexp.Regexp {
	text := regexp.QuoteMeta(path)
	text = strings.NewReplacer(`\[\]`, `\[[0-9]+\]`, `\.\*`, `\..+`).Replace(text)
	return regexp.MustCompile("^" + text + "$")
}

// TestEveryFieldOccurs finds each documented field of a format in a manifest.
func TestEveryFieldOccurs(t *testing.T) {
	for _, from := range Formats {
		list, err := os.ReadFile(filepath.Join("testdata", string(from), "fields.txt"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string][]string{}
		for name, text := range manifests(t, from) {
			for _, d := range treesOf(name, text) {
				for _, leaf := range (field{doc: d, node: d.root}).leaves() {
					seen[kindOf(d)] = append(seen[kindOf(d)], leaf.path)
				}
			}
		}
		for line := range strings.Lines(string(list)) {
			kind, path, ok := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(line, "#") || !ok {
				continue
			}
			if !slices.ContainsFunc(seen[kind], pattern(path).MatchString) {
				t.Errorf("%s: no manifest has the field %s of %s", from, path, kind)
			}
		}
	}
}

// facts are what a result says, but for where.
func facts(t *testing.T, r Result) string {
	t.Helper()
	out := printed(t, Result{Objects: r.Objects})
	for _, n := range r.Notes {
		n.File, n.Line = "", 0
		out += n.String() + "\n"
	}
	return out
}

// isNamed says whether a note names a field, or tells that all around it was not
// converted.
func isNamed(notes []Note, path string) bool {
	return slices.ContainsFunc(notes, func(n Note) bool {
		return n.Field == path || n.covers == "." || n.covers != "" && strings.HasPrefix(path, n.covers)
	})
}

// altered gives a tree as text with one scalar changed: a number or a truth value
// to another, a text to a longer one.
func altered(d *document, leaf *yaml.Node, change func(*yaml.Node)) []byte {
	before := *leaf
	change(leaf)
	text, err := yaml.Marshal(d.root)
	*leaf = before
	if err != nil {
		panic(err)
	}
	return text
}

func otherwise(n *yaml.Node) {
	switch n.Tag {
	case "!!bool":
		n.Value = map[string]string{"true": "false", "false": "true"}[n.Value]
	case "!!int", "!!float":
		n.Value += "7"
	default:
		n.Value, n.Style = n.Value+"x", yaml.DoubleQuotedStyle
	}
}

// TestNothingIsDroppedInSilence changes each value of each manifest in turn:
// either a note names its field, or what comes out is another.
func TestNothingIsDroppedInSilence(t *testing.T) {
	for _, from := range Formats {
		converted, told := 0, 0
		for name, text := range manifests(t, from) {
			trees := treesOf(name, text)
			for i, d := range trees {
				asIs := Convert(with(trees, i, altered(d, d.root, func(*yaml.Node) {})), options(from))
				for _, leaf := range values(d) {
					if isNamed(notesOf(asIs, i), leaf.path) {
						told++
						continue
					}
					converted++
					changed := Convert(with(trees, i, altered(d, leaf.node, otherwise)), options(from))
					if cmp.Equal(facts(t, asIs), facts(t, changed)) {
						t.Errorf("%s: document %d: %s: no note names it, and it changes nothing", name, i, leaf.path)
					}
				}
			}
		}
		t.Logf("%s: %d values converted, %d told", from, converted, told)
		if converted < 50 || told < 50 {
			t.Errorf("%s: %d values converted, %d told: the test sees too few", from, converted, told)
		}
	}
}

// values are the leaves of a document that say something.
func values(d *document) []field {
	return slices.DeleteFunc(field{doc: d, node: d.root}.leaves(), func(leaf field) bool { return !leaf.scalar() })
}

// with gives the documents of a file, each a file of its own, one of them as the
// given text.
func with(trees []*document, i int, text []byte) []Document {
	var out []Document
	for j, d := range trees {
		if j != i {
			text, err := yaml.Marshal(d.root)
			if err != nil {
				panic(err)
			}
			out = append(out, Document{File: fmt.Sprint(j), Line: 1, Text: text})
			continue
		}
		out = append(out, Document{File: fmt.Sprint(i), Line: 1, Text: text})
	}
	return out
}

// notesOf are those of one document.
func notesOf(r Result, i int) []Note {
	return slices.DeleteFunc(slices.Clone(r.Notes), func(n Note) bool { return n.File != fmt.Sprint(i) })
}

// TestUnknownFieldsAreTold adds a field that nobody knows to each mapping of each
// manifest: a note names it, or what comes out holds it.
func TestUnknownFieldsAreTold(t *testing.T) {
	const stranger = "strange"
	for _, from := range Formats {
		for name, text := range manifests(t, from) {
			trees := treesOf(name, text)
			for i, d := range trees {
				for _, path := range mappings(field{doc: d, node: d.root}) {
					before := path.node.Content
					path.node.Content = append(slices.Clone(before), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: stranger}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "found-me"})
					documents := with(trees, -1, nil)
					path.node.Content = before
					got := Convert(documents, options(from))
					if !strings.Contains(printed(t, Result{Objects: got.Objects}), "found-me") &&
						!isNamed(notesOf(got, i), strings.TrimPrefix(path.path+"."+stranger, ".")) {
						t.Errorf("%s: document %d: a field added to %q is dropped in silence", name, i, path.path)
					}
				}
			}
		}
	}
}

// mappings are those at a field and under it.
func mappings(f field) []field {
	var out []field
	if f.node.Kind == yaml.MappingNode {
		out = append(out, f)
	}
	for _, e := range f.entries() {
		out = append(out, mappings(e.field)...)
	}
	for _, item := range f.items() {
		out = append(out, mappings(item)...)
	}
	return out
}
