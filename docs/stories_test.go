package docs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
	"github.com/experience-slo/operator/hack/stories"
)

const storiesPage = "docs/stories.md"

// storyFile is a file of a story's manifests.
func storyFile(t *testing.T, s *stories.Story, name string) string {
	t.Helper()
	folder := s.Namespace
	if folder == simulate.LaptopTurnedRound {
		folder = simulate.Laptop // whose manifests it has
	}
	text, err := os.ReadFile(filepath.Join(root, "config", "samples", "stories", folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// promisesOf are the rows that the manifests of a story make, by promise: the
// stage, the target and what comes out.
func promisesOf(t *testing.T, s *stories.Story) map[string][3]string {
	t.Helper()
	journey := v1alpha1.Journey{}
	if err := yaml.Unmarshal([]byte(storyFile(t, s, "journey.yaml")), &journey); err != nil {
		t.Fatal(err)
	}
	targets := map[string]string{}
	for text := range strings.SplitSeq(storyFile(t, s, "objectives.yaml"), "---\n") {
		o := v1alpha1.Objective{}
		if err := yaml.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		targets[o.Name] = string(o.Spec.Target)
	}
	rows := map[string][3]string{}
	for _, stage := range journey.Spec.Stages {
		for _, name := range stage.Objectives.Names {
			word := "violated"
			if s.Promises[string(name)].Kept {
				word = "met"
			}
			rows[string(name)] = [3]string{string(stage.Name), targets[string(name)], word}
		}
	}
	return rows
}

var promisePattern = regexp.MustCompile("(?m)^\\| ([a-z]+) \\| `([a-z-]+)` \\| (\\S+) \\| (\\S+) \\| (\\w+) \\|$")

// TestStoriesAreTold holds each table of the page against the manifests and the
// figures that the demo is held to. Tables are in the order of the stories.
func TestStoriesAreTold(t *testing.T) {
	tables := strings.Split(pages(t)[storiesPage].prose, "| stage | promise |")[1:]
	all := stories.All()
	if len(tables) != len(all) {
		t.Fatalf("the page has %d tables of promises for %d stories", len(tables), len(all))
	}
	for i, s := range all {
		t.Run(s.Namespace, func(t *testing.T) {
			got := map[string][3]string{}
			for _, row := range promisePattern.FindAllStringSubmatch(tables[i], -1) {
				got[row[2]] = [3]string{row[1], row[3], row[5]}
				if figure := s.Promises[row[2]].Attainment; !figure.Fits(row[4]) {
					t.Errorf("%s is told to be %s, and comes out as %s", row[2], row[4], figure)
				}
			}
			if diff := cmp.Diff(promisesOf(t, &s), got); diff != "" {
				t.Errorf("stage, target and outcome: -manifests, +page:\n%s", diff)
			}
		})
	}
}

// TestJourneysAreShownAsTheyComeOut reads each list of journeys that a page shows
// as the demo's.
func TestJourneysAreShownAsTheyComeOut(t *testing.T) {
	for _, path := range []string{storiesPage, "docs/quickstart.md"} {
		shown := 0
		for _, b := range pages(t)[path].blocks {
			if !strings.HasPrefix(b.text, "$ kubectl get journeys -A -o wide\n") {
				continue
			}
			shown++
			for _, s := range stories.All() {
				if wrong := shownOtherwise(&s, b.text); wrong != "" {
					t.Errorf("%s: %s", path, wrong)
				}
			}
		}
		if shown != 1 {
			t.Errorf("%s lists the journeys %d times", path, shown)
		}
	}
}

// shownOtherwise says how the row of a story differs from what comes out.
func shownOtherwise(s *stories.Story, table string) string {
	for line := range strings.Lines(table) {
		cells := strings.Fields(line)
		if len(cells) < 8 || cells[0] != s.Namespace {
			continue
		}
		want := []string{s.Journey, string(s.Verdict), string(s.Weakest), string(s.Pattern)}
		got := []string{cells[1], cells[2], cells[5], cells[7]}
		if !slices.Equal(want, got) || !s.UX.Fits(cells[3]) || !s.CX.Fits(cells[4]) {
			return fmt.Sprintf("want %v, UX %s, CX %s; shown is %s", want, s.UX, s.CX, strings.TrimSpace(line))
		}
		return ""
	}
	return s.Namespace + " is not shown"
}

// TestJourneysAreThoseOfTheManifests checks that a journey of the page can be found
// in the samples to the letter.
func TestJourneysAreThoseOfTheManifests(t *testing.T) {
	manifests := map[string]bool{}
	for _, s := range stories.All() {
		text := storyFile(t, &s, "journey.yaml")
		manifests[text[strings.Index(text, "apiVersion:"):]] = true
	}
	shown := 0
	for _, b := range pages(t)[storiesPage].blocks {
		if b.language != "yaml" {
			continue
		}
		shown++
		if !manifests[b.text] {
			t.Errorf("the samples have no such journey:\n%s", b.text)
		}
	}
	if shown == 0 {
		t.Errorf("the page shows none of %d journeys", len(slices.Collect(maps.Keys(manifests))))
	}
}
