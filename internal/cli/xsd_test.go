package cli

import (
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// node is an XML element, read without knowing what it should be.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []*node    `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (n *node) attr(name string) (string, bool) {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// of gives an attribute that may be missing.
func (n *node) of(name string) string {
	value, _ := n.attr(name)
	return value
}

// all gives the children of a name.
func (n *node) all(name string) []*node {
	var out []*node
	for _, child := range n.Children {
		if child.XMLName.Local == name {
			out = append(out, child)
		}
	}
	return out
}

func (n *node) one(name string) *node {
	if all := n.all(name); len(all) > 0 {
		return all[0]
	}
	return nil
}

// parseXML reads a whole document.
func parseXML(t *testing.T, text string) *node {
	t.Helper()
	out := &node{}
	if err := xml.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("no XML: %v in:\n%s", err, text)
	}
	return out
}

// xsd checks documents by an XML Schema. It knows what the schemas of testdata
// are written with: elements, references, named and nameless types, sequences,
// choices, attributes and patterns, and refuses a schema that has anything else.
type xsd struct {
	elements, types map[string]*node
	faults          []string
}

func loadXSD(t *testing.T, path string) *xsd {
	t.Helper()
	out := &xsd{elements: map[string]*node{}, types: map[string]*node{}}
	for _, n := range parseXML(t, read(t, path)).Children {
		switch n.XMLName.Local {
		case "element":
			out.elements[n.of("name")] = n
		case "complexType", "simpleType":
			out.types[n.of("name")] = n
		default:
			t.Fatalf("%s: %s is not known", path, n.XMLName.Local)
		}
	}
	return out
}

// validate gives what a document does that the schema forbids.
func (x *xsd) validate(document *node) []string {
	x.faults = nil
	if decl := x.elements[document.XMLName.Local]; decl == nil {
		x.fault("/", "no element %s", document.XMLName.Local)
	} else {
		x.element(decl, document, "/"+document.XMLName.Local)
	}
	return x.faults
}

func (x *xsd) fault(path, format string, args ...any) {
	x.faults = append(x.faults, path+": "+fmt.Sprintf(format, args...))
}

func (x *xsd) element(decl, n *node, path string) {
	if ref, ok := decl.attr("ref"); ok {
		decl = x.elements[ref]
	}
	kind := decl.one("complexType")
	if name, ok := decl.attr("type"); ok {
		kind = x.types[name]
		if kind == nil || kind.XMLName.Local == "simpleType" {
			x.value(name, n.Text, path)
			x.content(&node{}, n, path)
			return
		}
	}
	x.content(kind, n, path)
}

// content checks an element of a complex type.
func (x *xsd) content(kind, n *node, path string) {
	x.attributes(kind, n, path)
	simple := len(kind.Children) == 0
	if !simple && kind.of("mixed") != "true" && strings.TrimSpace(n.Text) != "" {
		x.fault(path, "text is not allowed")
	}
	rest := n.Children
	if group := kind.one("sequence"); group != nil {
		for _, decl := range group.Children {
			rest = x.some(decl, rest, path)
		}
	} else if group := kind.one("choice"); group != nil {
		rest = x.choose(group, rest, path)
	}
	for _, child := range rest {
		x.fault(path, "element %s is not allowed here", child.XMLName.Local)
	}
}

func (x *xsd) attributes(kind, n *node, path string) {
	allowed := map[string]*node{}
	for _, a := range kind.all("attribute") {
		allowed[a.of("name")] = a
		if _, there := n.attr(a.of("name")); !there && a.of("use") == "required" {
			x.fault(path, "no attribute %s", a.of("name"))
		}
	}
	for _, a := range n.Attrs {
		if decl := allowed[a.Name.Local]; decl == nil {
			x.fault(path, "attribute %s is not allowed", a.Name.Local)
		} else {
			x.value(decl.of("type"), a.Value, path+"/@"+a.Name.Local)
		}
	}
}

// some takes the elements of one declaration from the beginning of a list.
func (x *xsd) some(decl *node, rest []*node, path string) []*node {
	lowest, highest := occurs(decl)
	name := decl.of("name") + decl.of("ref")
	taken := 0
	for len(rest) > 0 && taken < highest && rest[0].XMLName.Local == name {
		x.element(decl, rest[0], fmt.Sprintf("%s/%s[%d]", path, name, taken))
		rest, taken = rest[1:], taken+1
	}
	if taken < lowest {
		x.fault(path, "no element %s", name)
	}
	return rest
}

// choose takes one of the elements of a choice.
func (x *xsd) choose(group *node, rest []*node, path string) []*node {
	for _, decl := range group.Children {
		if len(rest) > 0 && rest[0].XMLName.Local == decl.of("name") {
			return x.some(decl, rest, path)
		}
	}
	if lowest, _ := occurs(group); lowest > 0 {
		x.fault(path, "nothing of a choice")
	}
	return rest
}

func occurs(decl *node) (lowest, highest int) {
	lowest, highest = 1, 1
	if text, ok := decl.attr("minOccurs"); ok {
		lowest, _ = strconv.Atoi(text)
	}
	if decl.of("maxOccurs") == "unbounded" {
		highest = 1 << 30
	}
	return lowest, highest
}

var builtins = map[string]func(string) bool{
	"xs:string": func(string) bool { return true },
	"xs:token":  func(text string) bool { return strings.Join(strings.Fields(text), " ") == text },
	"xs:int":    func(text string) bool { _, err := strconv.ParseInt(text, 10, 32); return err == nil },
	"xs:decimal": func(text string) bool {
		_, err := strconv.ParseFloat(text, 64)
		return err == nil && !strings.ContainsAny(text, "eE")
	},
	"xs:dateTime": func(text string) bool { _, err := time.Parse("2006-01-02T15:04:05", text); return err == nil },
}

func (x *xsd) value(name, text, path string) {
	if check, ok := builtins[name]; ok {
		if !check(text) {
			x.fault(path, "%q is no %s", text, name)
		}
		return
	}
	kind := x.types[name]
	if kind == nil {
		x.fault(path, "the schema has no type %s; it has %v", name, slices.Sorted(maps.Keys(x.types)))
		return
	}
	restriction := kind.one("restriction")
	x.value(restriction.of("base"), text, path)
	for _, pattern := range restriction.all("pattern") {
		if !regexp.MustCompile(`^(?:` + pattern.of("value") + `)$`).MatchString(text) {
			x.fault(path, "%q does not match %s", text, pattern.of("value"))
		}
	}
}
