package cli

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// placeOf is where a field is: its line or, where the field is not there, that of
// the field that should hold it. Without a field it is where the document begins.
func (m manifest) placeOf(field string) place {
	at := m.place
	// What is behind a space explains the path.
	field, _, _ = strings.Cut(field, " ")
	if m.in == nil || m.within+field == "" {
		return at
	}
	if line := m.in.lineOf(m.within + field); line > 0 {
		at.line = line
	}
	return at
}

// lineOf is the line of a path such as spec.matchers[1].label, or of the longest
// part of it that is there. It is 0 where nothing of it is.
func (d *document) lineOf(path string) int {
	if d.tree == nil {
		d.tree = &yaml.Node{}
		// What cannot be parsed has no lines, and was refused before.
		_ = yaml.Unmarshal(d.text, d.tree)
	}
	if len(d.tree.Content) == 0 {
		return 0
	}
	line := lineWithin(d.tree.Content[0], path)
	if line == 0 {
		return 0
	}
	return line + d.line - 1
}

func lineWithin(node *yaml.Node, path string) int {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	line := 0
	for path != "" {
		key, value, rest := step(node, path)
		if value == nil {
			return line
		}
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		line, node, path = key.Line, value, rest
	}
	return line
}

// step finds the beginning of a path in a node: the key and the value, which for
// the item of a list are the same, and what remains of the path.
func step(node *yaml.Node, path string) (key, value *yaml.Node, rest string) {
	switch node.Kind {
	case yaml.SequenceNode:
		value, rest = item(node, path)
		return value, value, rest
	case yaml.MappingNode:
		return entry(node, path)
	default:
		return nil, nil, ""
	}
}

// item finds the item of a list that a path begins with.
func item(node *yaml.Node, path string) (value *yaml.Node, rest string) {
	index, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(node.Content) {
		return nil, ""
	}
	return node.Content[i], strings.TrimPrefix(rest, ".")
}

// entry finds the field of an object that a path begins with.
func entry(node *yaml.Node, path string) (key, value *yaml.Node, rest string) {
	// A key may have dots of its own, so that the longest one counts.
	longest := -1
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		behind, found := strings.CutPrefix(path, name)
		if !found || len(name) <= longest || (behind != "" && !strings.ContainsAny(behind[:1], ".[")) {
			continue
		}
		longest, key, value, rest = len(name), node.Content[i], node.Content[i+1], strings.TrimPrefix(behind, ".")
	}
	return key, value, rest
}
