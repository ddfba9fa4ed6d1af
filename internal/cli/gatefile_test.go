package cli

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// full is an output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestAppendTo adds to a page, and tells of one that cannot be written.
func TestAppendTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary.md")
	for _, text := range []string{"one\n", "two\n"} {
		if err := appendTo(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, path); got != "one\ntwo\n" {
		t.Errorf("the page is %q", got)
	}
	if err := appendTo(filepath.Join(path, "no-folder"), nil); err == nil || !strings.Contains(err.Error(), "write summary: open ") {
		t.Errorf("a page that cannot be: %v", err)
	}
}

// TestConcludeGates keeps the result when the page cannot be written, and has no
// result when the output cannot.
func TestConcludeGates(t *testing.T) {
	results := []gateResult{gateCheck{revision: "v2"}.resultOf(released(passed), 0)}
	nowhere := func(string) string { return filepath.Join(t.TempDir(), "no", "folder") }
	cases := map[string]struct {
		reason string
		p      Program
		told   string
		want   string
	}{
		"NoPage":   {reason: "the page is a courtesy", p: Program{Out: &safeBuffer{}, Getenv: nowhere}, told: "note: write summary: open "},
		"NoOutput": {reason: "the result is not", p: Program{Out: full{}}, want: "write result: no space left"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var told safeBuffer
			tc.p.Err, tc.p.Now = &told, clock
			err := tc.p.concludeGates(gateOptions{output: outputText}, results)
			if (err == nil) != (tc.want == "") || err != nil && err.Error() != tc.want || !strings.HasPrefix(told.String(), tc.told) {
				t.Errorf("%s: %v, told %q", tc.reason, err, told.String())
			}
		})
	}
}

// TestStatusCannotBeWritten tells that there was no room for it.
func TestStatusCannotBeWritten(t *testing.T) {
	w := &statusWatch{program: Program{Out: full{}, Now: clock}, options: statusOptions{output: outputTable}}
	if err := w.show(standings{objectives: world()}); err == nil || err.Error() != "write status: no space left" {
		t.Errorf("%v", err)
	}
	if err := (Program{Out: full{}}).print("text"); err == nil || err.Error() != "write explanation: no space left" {
		t.Errorf("%v", err)
	}
}
