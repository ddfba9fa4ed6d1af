package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// line is where a node is in its file.
func (r *testReader) line(n *yaml.Node) int { return n.Line + r.in.line - 1 }

func (r *testReader) refuse(n *yaml.Node, format string, args ...any) {
	r.mistakes = append(r.mistakes, mistake{place: place{r.in.file, r.line(n)}, fault: fault{rule: ruleDocument, text: fmt.Sprintf(format, args...)}})
}

// resolved is the node that an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// object gives each field of an object to its reader.
func (r *testReader) object(n *yaml.Node, fields map[string]func(*yaml.Node)) {
	r.pairs(n, func(key, value *yaml.Node) {
		read, known := fields[key.Value]
		if !known {
			r.refuse(key, "%s: there is no such field: write one of %s", key.Value, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
			return
		}
		read(value)
	})
}

// pairs gives each key of an object with its value.
func (r *testReader) pairs(n *yaml.Node, read func(key, value *yaml.Node)) {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		r.refuse(n, "%q is no object: write fields, such as name: value", n.Value)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			r.refuse(key, "%s: it is there twice: leave one out", key.Value)
		}
		seen[key.Value] = true
		read(key, resolved(n.Content[i+1]))
	}
}

// list gives each item of a list to a reader.
func (r *testReader) list(n *yaml.Node, read func(*yaml.Node)) {
	if n = resolved(n); n.Kind != yaml.SequenceNode {
		r.refuse(n, "%q is no list: write - before each item", n.Value)
		return
	}
	for _, item := range n.Content {
		read(resolved(item))
	}
}

// text reads a word, a number or a truth value as it was written.
func (r *testReader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		r.refuse(n, "a list or an object stands where a single value is expected")
	}
	return n.Value
}
