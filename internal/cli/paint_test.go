package cli

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestBar(t *testing.T) {
	cases := map[string]struct {
		reason string
		share  float64
		want   string
	}{
		"Nothing":      {reason: "nothing is left", share: 0, want: "░░░░░░░░░░"},
		"Overspent":    {reason: "less than nothing looks like it", share: -0.4, want: "░░░░░░░░░░"},
		"AlmostNone":   {reason: "a trace is shown", share: 0.0001, want: "▏░░░░░░░░░"},
		"Some":         {reason: "eighths of a letter", share: 0.252, want: "██▌░░░░░░░"},
		"Half":         {reason: "whole letters", share: 0.5, want: "█████░░░░░"},
		"AlmostAll":    {reason: "what is lost is shown", share: 0.9999, want: "█████████▉"},
		"All":          {reason: "all is left", share: 1, want: "██████████"},
		"MoreThanFull": {reason: "more is not longer", share: 1.2, want: "██████████"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := bar(tc.share)
			if diff := cmp.Diff(strings.ReplaceAll(tc.want, "▉", "▉"), got); diff != "" || utf8.RuneCountInString(got) != barWidth {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSparkline(t *testing.T) {
	cases := map[string]struct {
		reason string
		values []float64
		want   string
	}{
		"Rising":  {reason: "the largest is a whole letter", values: []float64{1, 2, 3, 4, 5, 6, 7, 8}, want: "▂▃▄▅▆▇██"},
		"Zero":    {reason: "none is a blank", values: []float64{0, 4, 0}, want: " █ "},
		"Unknown": {reason: "what is not known is a dot", values: []float64{math.NaN(), 1}, want: "·█"},
		"Nothing": {reason: "without any there are blanks", values: []float64{0, 0}, want: "  "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, sparkline(tc.values)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGrid(t *testing.T) {
	rows := [][]cell{cells("NAME", "WHY"), {{text: "a"}, {"Missed", red}}, {{text: "long name"}, {text: ""}}}
	cases := map[string]struct {
		reason  string
		painter painter
		want    string
	}{
		"Plain":   {reason: "no codes, and no blanks at the end", want: "NAME        WHY\na           Missed\nlong name\n"},
		"Colours": {reason: "codes take no room", painter: painter{colours: true}, want: "NAME        WHY\na           \x1b[31mMissed\x1b[0m\nlong name\n"},
		"Narrow":  {reason: "short words are whole in any terminal", painter: painter{width: 14}, want: "NAME        WHY\na           Missed\nlong name\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.painter.table(rows)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCut(t *testing.T) {
	rows := [][]cell{cells("NAME", "WHY"), cells("a", "the last words are cut")}
	cases := map[string]struct {
		reason string
		width  int
		want   string
	}{
		"Unknown": {reason: "nobody knows how wide it is", want: "NAME   WHY\na      the last words are cut\n"},
		"Wide":    {reason: "there is room", width: 29, want: "NAME   WHY\na      the last words are cut\n"},
		"Narrow":  {reason: "there is less", width: 28, want: "NAME   WHY\na      the last words are c…\n"},
		"Tiny":    {reason: "there is too little for anything", width: 4, want: "NAME   WHY\na      the last wo…\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, painter{width: tc.width}.table(rows)); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestPainter(t *testing.T) {
	cases := map[string]struct {
		reason string
		on     Program
		want   painter
	}{
		"Piped":    {reason: "a file holds no codes", want: painter{}},
		"Terminal": {reason: "a terminal shows all", on: Program{Terminal: true, Width: 80}, want: painter{bars: true, colours: true, width: 80}},
		"NoColor":  {reason: "unless a person does not want colours", on: Program{Terminal: true, Getenv: func(name string) string { return map[string]string{"NO_COLOR": "1"}[name] }}, want: painter{bars: true}},
		"Dumb":     {reason: "or the terminal has none", on: Program{Terminal: true, Getenv: func(name string) string { return map[string]string{"TERM": "dumb"}[name] }}, want: painter{bars: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.on.painter(), cmp.AllowUnexported(painter{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
