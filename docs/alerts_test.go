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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/internal/slo"
)

// alertPattern finds the alerts of a rule file, whatever holds it.
var alertPattern = regexp.MustCompile(`(?m)^ *(?:- )?alert: (\w+)$`)

// renderedAlerts are those that are shipped, and those of the golden files of
// what is rendered for objectives.
func renderedAlerts(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, pattern := range []string{"config/prometheus/*.yaml", "internal/rules/testdata/*.yaml"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("find rules %q: got %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, alert := range alertPattern.FindAllStringSubmatch(string(text), -1) {
				found[alert[1]] = true
			}
		}
	}
	return found
}

// runbookSections are what somebody who was woken asks, in this order.
var runbookSections = []string{"What it means", "How to look", "What to do", "How to silence"}

func TestEveryAlertHasARunbook(t *testing.T) {
	have := map[string]bool{}
	for path, p := range pages(t) {
		name, ok := strings.CutPrefix(path, "docs/runbooks/")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, ".md")
		have[name] = true
		headings := []string{}
		for _, heading := range headingPattern.FindAllStringSubmatch(p.prose, -1) {
			headings = append(headings, heading[1])
		}
		if diff := cmp.Diff(append([]string{name}, runbookSections...), headings); diff != "" {
			t.Errorf("headings of %s: -want, +got:\n%s", path, diff)
		}
		if !slices.ContainsFunc(p.blocks, func(b block) bool { return b.language == "promql" }) {
			t.Errorf("%s has no query to look with", path)
		}
	}
	if diff := cmp.Diff(renderedAlerts(t), have); diff != "" {
		t.Errorf("-alerts, +runbooks:\n%s", diff)
	}
}

func TestEveryAlertIsOnThePage(t *testing.T) {
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| \[(Experience\w+)\]\(runbooks/`).FindAllStringSubmatch(pages(t)["docs/alerts.md"].prose, -1) {
		listed[row[1]] = true
	}
	if diff := cmp.Diff(renderedAlerts(t), listed); diff != "" {
		t.Errorf("-alerts, +listed on docs/alerts.md:\n%s", diff)
	}
}

// tierRows are the rows of the table of tiers for a window of 28 days.
func tierRows() []string {
	var out []string
	for _, target := range []struct {
		name  string
		ratio float64
	}{{"50%", 0.5}, {"75%", 0.75}, {"90%", 0.9}, {"95%", 0.95}, {"99%", 0.99}, {"99.9%", 0.999}, {"99.99%", 0.9999}} {
		row := "| " + target.name
		for _, tier := range slo.Tiers(target.ratio, 28*24*time.Hour) {
			row += fmt.Sprintf(" | %.3g× over %s, %s of errors", tier.Factor, slo.FormatDuration(tier.Long), percent(tier.Factor*(1-target.ratio)))
		}
		out = append(out, row+" |")
	}
	return out
}

func percent(ratio float64) string { return fmt.Sprintf("%.3g%%", 100*ratio) }

func TestTiersAreThoseThatAreWatched(t *testing.T) {
	got := regexp.MustCompile(`(?m)^\| [0-9.]+% \|.*$`).FindAllString(pages(t)["docs/alerts.md"].prose, -1)
	if diff := cmp.Diff(tierRows(), got); diff != "" {
		t.Errorf("table of tiers on docs/alerts.md: -want, +got:\n%s", diff)
	}
}

// TestInhibitionIsTheShippedOne keeps the page's copy the one that is tested.
func TestInhibitionIsTheShippedOne(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "config/prometheus/inhibit_rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(text), "\ninhibit_rules:")
	want := "inhibit_rules:" + rules
	for _, b := range pages(t)["docs/alerts.md"].blocks {
		if strings.HasPrefix(b.text, "inhibit_rules:") {
			if diff := cmp.Diff(want, b.text); diff != "" {
				t.Errorf("inhibition on docs/alerts.md: -shipped, +got:\n%s", diff)
			}
			return
		}
	}
	t.Error("docs/alerts.md shows no inhibition")
}

func TestAlertsAreFound(t *testing.T) {
	const text = "rules:\n- alert: First\n  expr: vector(1)\n  - expr: alert\n    alert: Second\n# alert: Third\n"
	found := map[string]bool{}
	for _, alert := range alertPattern.FindAllStringSubmatch(text, -1) {
		found[alert[1]] = true
	}
	if diff := cmp.Diff([]string{"First", "Second"}, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("alerts: -want, +got:\n%s", diff)
	}
}
