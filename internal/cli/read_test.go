package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocuments(t *testing.T) {
	type found struct {
		Place, Text string
	}
	cases := map[string]struct {
		reason, args string
		want         []found
	}{
		"Empty":       {reason: "nothing is no document", args: ""},
		"Comments":    {reason: "nor are comments and separators", args: "# one\n---\n\n# two\n---\n"},
		"One":         {reason: "a file may be one document", args: "a: 1\n", want: []found{{"f:1", "a: 1\n"}}},
		"NoNewline":   {reason: "its last line may not end", args: "a: 1", want: []found{{"f:1", "a: 1"}}},
		"Led":         {reason: "a separator may lead", args: "---\na: 1\n", want: []found{{"f:2", "a: 1\n"}}},
		"Two":         {reason: "lines are counted through the file", args: "a: 1\n---\n\n# here\nb: 2\nc: 3\n", want: []found{{"f:1", "a: 1\n"}, {"f:5", "b: 2\nc: 3\n"}}},
		"Windows":     {reason: "lines may end as in Windows", args: "a: 1\r\n---\r\nb: 2\r\n", want: []found{{"f:1", "a: 1\r\n"}, {"f:3", "b: 2\r\n"}}},
		"Remark":      {reason: "a separator may have a remark", args: "a: 1\n--- # second\nb: 2\n", want: []found{{"f:1", "a: 1\n"}, {"f:3", "b: 2\n"}}},
		"SameLine":    {reason: "and a document behind it", args: "a: 1\n--- {b: 2}\n", want: []found{{"f:1", "a: 1\n"}, {"f:2", " {b: 2}\n"}}},
		"End":         {reason: "dots end a document", args: "a: 1\n...\nb: 2\n", want: []found{{"f:1", "a: 1\n"}, {"f:3", "b: 2\n"}}},
		"Value":       {reason: "dashes in a value part nothing", args: "a: |\n  ---\n  b\nc: '---'\n", want: []found{{"f:1", "a: |\n  ---\n  b\nc: '---'\n"}}},
		"FourDashes":  {reason: "nor do more than three", args: "----: 1\n", want: []found{{"f:1", "----: 1\n"}}},
		"DashedWord":  {reason: "nor a word that begins so", args: "---a: 1\n", want: []found{{"f:1", "---a: 1\n"}}},
		"JustDashes":  {reason: "dashes at the very end are a separator", args: "a: 1\n---", want: []found{{"f:1", "a: 1\n"}}},
		"InnerRemark": {reason: "a remark in a document stays in it", args: "a: 1\n# and\nb: 2\n", want: []found{{"f:1", "a: 1\n# and\nb: 2\n"}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []found
			for _, d := range (file{"f", []byte(tc.args)}).documents() {
				got = append(got, found{d.String(), string(d.text)})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	type want struct {
		object map[string]any
		err    string
	}
	cases := map[string]struct {
		reason, args string
		want         want
	}{
		"Numbers": {
			reason: "whole numbers are integers, as in the API server: a schema tells them from floats",
			args:   "{a: 1, b: 1.5, c: [2], d: {e: 3}}",
			want:   want{object: map[string]any{"a": int64(1), "b": 1.5, "c": []any{int64(2)}, "d": map[string]any{"e": int64(3)}}},
		},
		"Twice":  {reason: "of two values the second would win in silence", args: "a: 1\na: 2\n", want: want{err: `decode: yaml: unmarshal errors: line 8: key "a" already set in map`}},
		"Broken": {reason: "lines are those of the file", args: "a: 1\nb: [\n", want: want{err: "decode: yaml: line 8: did not find expected node content"}},
		"Text":   {reason: "a text is no object", args: "hello", want: want{err: errNoObject.Error()}},
		"Null":   {reason: "nor is nothing", args: "null", want: want{err: errNoObject.Error()}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object, err := document{place: place{"f", 7}, text: []byte(tc.args)}.decode()
			if diff := cmp.Diff(tc.want.object, object); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want.err, got); diff != "" {
				t.Errorf("%s: error: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// FuzzDocuments checks that documents begin where they say, and that no text is
// lost but separators, comments that lead, and empty lines.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{"a: 1\n---\nb: 2\n", "--- {a: 1}\n...\n", "# x\n\n---\n---\t1", "-\n---"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		var kept strings.Builder
		last := 0
		for _, d := range (file{"f", []byte(text)}).documents() {
			first, _, _ := strings.Cut(strings.TrimLeft(string(d.text), " \t\r\n"), "\n")
			if d.line <= last || !strings.Contains(lines[d.line-1], strings.TrimSpace(first)) {
				t.Fatalf("in %q line %d, after line %d, does not begin with %q", text, d.line, last, first)
			}
			last = d.line
			kept.Write(d.text)
		}
		for _, line := range lines {
			if content := strings.TrimSpace(line); content != "..." && !strings.HasPrefix(content, "#") &&
				!strings.HasPrefix(line, "---") && !strings.Contains(kept.String(), content) {
				t.Fatalf("line %q of %q is lost", line, text)
			}
		}
	})
}
