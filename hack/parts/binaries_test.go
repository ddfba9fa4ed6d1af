package parts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	all := []string{Etcd, APIServer, Kubectl, PromServer, Promtool, AlertServer}
	cases := map[string]struct {
		reason string
		make   func(t *testing.T, dir string)
		want   []string // parts of the error; none: the folder is found
	}{
		"Complete": {
			reason: "a folder with all programs is good",
			make:   func(t *testing.T, dir string) { writePrograms(t, dir, all, 0o700) },
		},
		"Empty": {
			reason: "the error says what to run and what to set",
			make:   func(*testing.T, string) {},
			want:   []string{"make parts", BinEnv, Etcd},
		},
		"OneMissing": {
			reason: "the error names the program that is missing",
			make:   func(t *testing.T, dir string) { writePrograms(t, dir, all[:5], 0o700) },
			want:   []string{"make parts", AlertServer},
		},
		"NotExecutable": {
			reason: "a file that cannot be run is not a program",
			make:   func(t *testing.T, dir string) { writePrograms(t, dir, all, 0o600) },
			want:   []string{"not an executable file", "make parts"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			tc.make(t, dir)
			t.Setenv(BinEnv, dir)
			got, err := Find()
			if len(tc.want) == 0 {
				if err != nil || got != Binaries(dir) {
					t.Errorf("%s: want %q, got %q, %v", tc.reason, dir, got, err)
				}
				return
			}
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: want an error with %q, got %v", tc.reason, want, err)
				}
			}
		})
	}
}

func TestFindLooksInTheModule(t *testing.T) {
	root := t.TempDir()
	below := filepath.Join(root, "some", "package")
	for _, dir := range []string{below, filepath.Join(root, "bin")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	writePrograms(t, filepath.Join(root, "bin"), []string{Etcd, APIServer, Kubectl, PromServer, Promtool, AlertServer}, 0o700)
	t.Setenv(BinEnv, "")
	t.Chdir(below)
	got, err := Find()
	if want := filepath.Join(root, "bin", Etcd); err != nil || got.Path(Etcd) != want {
		t.Errorf("Path(%q): want %q, got %q, %v", Etcd, want, got.Path(Etcd), err)
	}
}

// writePrograms writes empty files with the names of programs.
func writePrograms(t *testing.T, dir string, names []string, mode os.FileMode) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
}
