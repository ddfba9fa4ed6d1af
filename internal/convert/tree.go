package convert

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a parsed document, with what was claimed of it.
type document struct {
	file     string
	line     int
	root     *yaml.Node
	claimed  map[*yaml.Node]bool
	leftover string
}

// field is a place in a document; one that is not there has no node, and the line
// of the field that should hold it.
type field struct {
	doc  *document
	path string
	node *yaml.Node
	line int
}

// unknownField is what is told of a leaf that no converter knows.
const unknownField = "it is not known to this version: see whether it matters"

// largest is the number of values that the aliases of a document may stand for: a
// few lines of them can stand for more than fits into memory.
const largest = 200_000

// expander replaces aliases.
type expander struct {
	// within says that an alias is being replaced, and left how many values may be.
	within, left int
}

// parse reads a document; one that cannot be read is a failure.
func (s *session) parse(d Document) {
	doc := &document{file: d.File, line: d.Line, claimed: map[*yaml.Node]bool{}, leftover: unknownField}
	s.read = append(s.read, doc)
	var tree yaml.Node
	err := yaml.Unmarshal(d.Text, &tree)
	if err != nil {
		// Once more with the lines above it, so that the message counts them.
		err = yaml.Unmarshal(append(bytes.Repeat([]byte("\n"), d.Line-1), d.Text...), &yaml.Node{})
	}
	if err == nil && len(tree.Content) == 1 {
		doc.root, err = (&expander{left: largest}).expand(tree.Content[0])
	}
	if err == nil && (doc.root == nil || doc.root.Kind != yaml.MappingNode) {
		err = errors.New("there is no object: write apiVersion, kind and spec")
	}
	if err != nil {
		doc.root = nil
		s.notes = append(s.notes, Note{File: d.File, Line: d.Line, Severity: Failed, Text: "decode: " + strings.Join(strings.Fields(err.Error()), " ")})
	}
}

// expand copies a tree, with what aliases stand for in place of them and merged
// fields in the place that they are merged into.
func (x *expander) expand(n *yaml.Node) (*yaml.Node, error) {
	if x.within > 0 {
		x.left--
	}
	if x.left < 0 {
		return nil, fmt.Errorf("its aliases stand for more than %d values: write them out, or fewer", largest)
	}
	if n.Kind == yaml.AliasNode {
		x.within++
		defer func() { x.within-- }()
		return x.expand(n.Alias)
	}
	out := *n
	out.Content = nil
	if n.Kind == yaml.MappingNode {
		return &out, x.mapping(n, &out)
	}
	for _, child := range n.Content {
		item, err := x.expand(child)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, item)
	}
	return &out, nil
}

func (x *expander) mapping(n, out *yaml.Node) error {
	seen := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		value, err := x.expand(n.Content[i+1])
		if err != nil {
			return err
		}
		if key.Tag == "!!merge" {
			merged = append(merged, mergedOf(value)...)
			continue
		}
		if seen[key.Value] {
			return fmt.Errorf("key %q is there twice", key.Value)
		}
		seen[key.Value] = true
		out.Content = append(out.Content, key, value)
	}
	for _, m := range merged {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !seen[m.Content[i].Value] {
				seen[m.Content[i].Value] = true
				out.Content = append(out.Content, m.Content[i], m.Content[i+1])
			}
		}
	}
	return nil
}

// mergedOf are the mappings that a merge key names, the first of which counts.
func mergedOf(value *yaml.Node) []*yaml.Node {
	if value.Kind == yaml.SequenceNode {
		return value.Content
	}
	return []*yaml.Node{value}
}

// objectsOf are the objects of all documents, those of lists among them.
func (s *session) objectsOf() []field {
	var out []field
	for _, d := range s.read {
		if d.root == nil {
			continue
		}
		root := field{doc: d, node: d.root, line: d.line}
		if root.at("kind").peek() != "List" || root.at("apiVersion").peek() != "v1" {
			out = append(out, root)
			continue
		}
		root.at("kind").claim()
		root.at("apiVersion").claim()
		s.drop(root.at("metadata"), "it is about the list, not about an object in it: nothing to do")
		out = append(out, root.at("items").items()...)
	}
	return out
}

// at is a field of a field.
func (f field) at(name string) field {
	f.claimEmpty()
	out := field{doc: f.doc, path: strings.TrimPrefix(f.path+"."+name, "."), line: f.line}
	if f.node == nil || f.node.Kind != yaml.MappingNode {
		return out
	}
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		if f.node.Content[i].Value == name {
			out.node, out.line = f.node.Content[i+1], f.doc.lineOf(f.node.Content[i])
		}
	}
	return out
}

func (d *document) lineOf(n *yaml.Node) int { return d.line + n.Line - 1 }

// exists says whether there is something at the field.
func (f field) exists() bool { return f.node != nil && f.node.Tag != "!!null" }

// name is the last part of the path.
func (f field) name() string { return f.path[strings.LastIndex(f.path, ".")+1:] }

// scalar says whether the field holds a text, a number or a truth value.
func (f field) scalar() bool { return f.exists() && f.node.Kind == yaml.ScalarNode }

// peek is the text at the field, which is not claimed.
func (f field) peek() string {
	if !f.scalar() {
		return ""
	}
	return f.node.Value
}

// text claims the field and gives its text. What is no scalar has none and stays
// unclaimed.
func (f field) text() string {
	if f.scalar() {
		f.claim()
	}
	return f.peek()
}

// flag claims a truth value; set says whether there is one.
func (f field) flag() (value, set bool) {
	if !f.scalar() || f.node.Tag != "!!bool" {
		return false, false
	}
	f.claim()
	value, err := strconv.ParseBool(strings.ToLower(f.node.Value))
	return value, err == nil
}

// items are those of a list.
func (f field) items() []field {
	f.claimEmpty()
	if f.node == nil || f.node.Kind != yaml.SequenceNode {
		return nil
	}
	var out []field
	for i, item := range f.node.Content {
		out = append(out, field{doc: f.doc, path: fmt.Sprintf("%s[%d]", f.path, i), node: item, line: f.doc.lineOf(item)})
	}
	return out
}

// entry is a field of a mapping whose names are data.
type entry struct {
	key string
	field
}

// entries are those of a mapping.
func (f field) entries() []entry {
	f.claimEmpty()
	if f.node == nil || f.node.Kind != yaml.MappingNode {
		return nil
	}
	var out []entry
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		key := f.node.Content[i]
		path := strings.TrimPrefix(f.path+"."+key.Value, ".")
		out = append(out, entry{key.Value, field{doc: f.doc, path: path, node: f.node.Content[i+1], line: f.doc.lineOf(key)}})
	}
	return out
}

// leaves are the scalars and the empty lists and mappings under a field.
func (f field) leaves() []field {
	switch {
	case f.node == nil:
		return nil
	case len(f.node.Content) == 0:
		return []field{f}
	}
	var out []field
	for _, e := range f.entries() {
		out = append(out, e.leaves()...)
	}
	for _, item := range f.items() {
		out = append(out, item.leaves()...)
	}
	return out
}

// claim takes responsibility for a leaf. It is false where that was done before.
func (f field) claim() bool {
	if f.node == nil || f.doc.claimed[f.node] {
		return false
	}
	f.doc.claimed[f.node] = true
	return true
}

// claimEmpty claims a field that says nothing: null, {} and [].
func (f field) claimEmpty() {
	if f.node != nil && len(f.node.Content) == 0 && (f.node.Kind != yaml.ScalarNode || f.node.Tag == "!!null") {
		f.claim()
	}
}

// shown is the value as a note has it.
func (f field) shown() string {
	const longest = 80
	switch {
	case !f.scalar():
		return ""
	case f.secret():
		return hidden
	case f.node.Tag != "!!str":
		return f.node.Value
	case len(f.node.Value) > longest:
		return strconv.Quote(f.node.Value[:longest]) + "…"
	default:
		return strconv.Quote(f.node.Value)
	}
}

// hidden is shown in place of what may be a credential.
const hidden = "(hidden)"

// secretName are names of fields of a metric's source that are not repeated.
var secretName = regexp.MustCompile(`(?i)key|secret|token|password|credential|auth|user`)

// secret says whether the value may be a credential: what a data source is
// reached with may be anything.
func (f field) secret() bool {
	return strings.Contains(f.path, "connectionDetails") ||
		strings.Contains(f.path, "metricSource.spec") && secretName.MatchString(f.name())
}
