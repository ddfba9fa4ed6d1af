package promql

import "strings"

// part is a piece of an expression: code, or a string or comment in it.
type part struct {
	text string
	code bool
}

// lex parts an expression into strings, comments and what is between them.
func lex(expr string) []part {
	var out []part
	for expr != "" {
		begin := strings.IndexAny(expr, "\"'`#")
		if begin < 0 {
			return append(out, part{expr, true})
		}
		end := begin + lengthOf(expr[begin:])
		out = append(out, part{expr[:begin], true}, part{expr[begin:end], false})
		expr = expr[end:]
	}
	return out
}

// lengthOf is the length of the string or comment that a text begins with. One
// that does not end goes on to the end of the text, where the parser refuses it.
func lengthOf(text string) int {
	ends := text[0]
	if ends == '#' {
		ends = '\n'
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == ends:
			return i + 1
		case text[i] == '\\' && (ends == '"' || ends == '\''):
			i++
		}
	}
	return len(text)
}
