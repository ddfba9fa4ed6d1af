package cli

import (
	"math"
	"strings"
	"unicode/utf8"
)

// colour is an SGR code of a terminal.
type colour string

const (
	plain  colour = ""
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	faint  colour = "2"
	bold   colour = "1"
)

// painter prints what a terminal can show and a file had better not hold.
type painter struct {
	// bars says that blocks are shown, and colours that colours are.
	bars, colours bool
	// width is that of the terminal in letters; 0 where nobody knows.
	width int
}

// painter follows https://no-color.org: NO_COLOR with any value means none.
func (p Program) painter() painter {
	return painter{bars: p.Terminal, colours: p.Terminal && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb", width: p.Width}
}

func (p painter) paint(text string, c colour) string {
	if !p.colours || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// barWidth is how many letters a bar has.
const barWidth = 10

// eighths are blocks of which the first fills an eighth of a letter.
var eighths = []rune("▏▎▍▌▋▊▉█")

// bar shows a share from 0 to 1; more and less is shown as one of them. It is
// empty only for nothing, and full only for all.
func bar(share float64) string {
	const steps = barWidth * 8
	n := int(math.Round(share * steps))
	switch {
	case share <= 0:
		n = 0
	case share >= 1:
		n = steps
	default:
		n = min(max(n, 1), steps-1)
	}
	out := strings.Repeat("█", n/8)
	if n%8 > 0 {
		out += string(eighths[n%8-1])
	}
	return out + strings.Repeat("░", barWidth-(n+7)/8)
}

// heights are blocks of which the first is the lowest.
var heights = []rune("▁▂▃▄▅▆▇█")

// sparkline shows numbers by their height over the largest; what is 0 is a blank
// and what is NaN, of which nothing is known, a dot.
func sparkline(values []float64) string {
	top := 0.0
	for _, v := range values {
		if v > top {
			top = v
		}
	}
	var out strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			out.WriteRune('·')
		case v <= 0 || top == 0:
			out.WriteRune(' ')
		default:
			out.WriteRune(heights[min(int(v/top*float64(len(heights))), len(heights)-1)])
		}
	}
	return out.String()
}

// cell is a word of a table.
type cell struct {
	text string
	colour
}

// cells makes cells without colours.
func cells(texts ...string) []cell {
	out := make([]cell, len(texts))
	for i, text := range texts {
		out[i] = cell{text: text}
	}
	return out
}

// gap is between the columns of a table.
const gap = 3

// widths are those of columns, but for the last one, which may be as long as it
// likes.
func widths(rows [][]cell) []int {
	var out []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], utf8.RuneCountInString(c.text))
		}
	}
	return out
}

// grid writes rows in columns of the given widths. The last word of a row is cut
// where the terminal ends; the others are too dear.
func (p painter) grid(rows [][]cell, columns []int) string {
	var out strings.Builder
	for _, row := range rows {
		last := len(row) - 1
		for last > 0 && row[last].text == "" {
			last--
		}
		at := 0
		for i, c := range row[:last+1] {
			if i == last {
				out.WriteString(p.paint(p.cut(c.text, at), c.colour))
				break
			}
			length := utf8.RuneCountInString(c.text)
			out.WriteString(p.paint(c.text, c.colour))
			out.WriteString(strings.Repeat(" ", max(columns[i]-length, 0)+gap))
			at += max(columns[i], length) + gap
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// shortest is how much of a word is left at least: less says nothing.
const shortest = 12

// cut shortens a text that begins at a column to what the terminal has room for.
func (p painter) cut(text string, at int) string {
	room := max(p.width-at, shortest)
	if p.width == 0 || room >= utf8.RuneCountInString(text) {
		return text
	}
	return string([]rune(text)[:room-1]) + "…"
}

// fits says whether a table with columns of these widths is as wide as the
// terminal at most.
func (p painter) fits(columns []int) bool {
	total := -gap
	for _, width := range columns {
		total += width + gap
	}
	return p.width == 0 || total <= p.width
}

// table writes rows, the first of which are the names of the columns.
func (p painter) table(rows [][]cell) string { return p.grid(rows, widths(rows)) }
