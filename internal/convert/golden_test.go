package convert

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files")

// options are those of all tests of a format.
func options(from Format) Options {
	return Options{From: from, Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web", Window: "30d"}
}

// parted gives the documents of a file as the command line parts them.
func parted(name, text string) []Document {
	var out []Document
	line := 1
	for part := range strings.SplitSeq(text, "\n---\n") {
		out = append(out, Document{File: filepath.Base(name), Line: line, Text: []byte(part)})
		line += strings.Count(part, "\n") + 2
	}
	return out
}

// manifests are the files of a format's folder, by their paths.
func manifests(t *testing.T, from Format) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", string(from), "*.yaml"))
	if err != nil || len(names) < 10 {
		t.Fatalf("%d manifests of %s, and %v: want ten at least", len(names), from, err)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

// printed is a result as text.
func printed(t *testing.T, r Result) string {
	t.Helper()
	var out strings.Builder
	for _, o := range r.Objects {
		text, err := yaml.Marshal(o.Value)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(string(text) + "---\n")
	}
	for _, n := range r.Notes {
		out.WriteString(n.String() + "\n")
	}
	return out.String()
}

// TestGolden compares what becomes of each manifest with what became of it when
// somebody looked.
func TestGolden(t *testing.T) {
	for _, from := range Formats {
		for name, text := range manifests(t, from) {
			t.Run(name, func(t *testing.T) {
				got := printed(t, Convert(parted(name, text), options(from)))
				golden := strings.TrimSuffix(name, ".yaml") + ".golden"
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("-want, +got:\n%s", diff)
				}
			})
		}
	}
}

// TestSecretsAreNotRepeated looks for credentials in all that is told.
func TestSecretsAreNotRepeated(t *testing.T) {
	hiddenOnes := 0
	for name, text := range manifests(t, OpenSLO) {
		got := printed(t, Convert(parted(name, text), options(OpenSLO)))
		if strings.Contains(got, "not-to-be-repeated") {
			t.Errorf("%s: a credential is repeated:\n%s", name, got)
		}
		hiddenOnes += strings.Count(got, hidden)
	}
	if hiddenOnes == 0 {
		t.Error("no credential was told as hidden: the test cannot fail")
	}
}
