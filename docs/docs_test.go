// Package docs_test keeps the pages true: links lead somewhere, examples are
// accepted by the API, and each field and reason is explained.
package docs_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"
)

// root is the repository's, from here.
const root = ".."

// page is one Markdown file.
type page struct {
	// path is relative to the repository's root.
	path string
	// prose is the text without its code blocks.
	prose  string
	blocks []block
}

// block is a fenced piece of code.
type block struct{ language, text string }

var fencePattern = regexp.MustCompile("(?ms)^( *)```(\\w*)\n(.*?)^ *```$")

func parsePage(path, text string) page {
	p := page{path: path}
	p.prose = fencePattern.ReplaceAllStringFunc(text, func(fenced string) string {
		parts := fencePattern.FindStringSubmatch(fenced)
		// A block in a list is indented with it.
		code := strings.ReplaceAll("\n"+parts[3], "\n"+parts[1], "\n")[1:]
		p.blocks = append(p.blocks, block{language: parts[2], text: code})
		return ""
	})
	return p
}

// pages reads all pages that people write or generate.
func pages(t *testing.T) map[string]page {
	t.Helper()
	var paths []string
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		paths = append(paths, filepath.Join(root, name))
	}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]page{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(root, filepath.Join("..", "docs", path))
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		out[name] = parsePage(name, string(text))
	}
	return out
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	anchorPattern  = regexp.MustCompile(`<a id="([^"]+)">|name="([^"]+)"`)
	dropPattern    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the names by which a page's headings are linked to.
func (p page) anchors() map[string]bool {
	out := map[string]bool{}
	for _, heading := range headingPattern.FindAllStringSubmatch(p.prose, -1) {
		name := dropPattern.ReplaceAllString(strings.ToLower(heading[1]), "")
		out[strings.ReplaceAll(name, " ", "-")] = true
	}
	for _, named := range anchorPattern.FindAllStringSubmatch(p.prose, -1) {
		out[named[1]+named[2]] = true
	}
	return out
}

// broken gives the links of a page within the repository that lead nowhere.
func broken(p page, all map[string]page, exists func(path string) bool) []string {
	var out []string
	for _, link := range linkPattern.FindAllStringSubmatch(spanPattern.ReplaceAllString(p.prose, ""), -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		path, anchor, anchored := strings.Cut(link[1], "#")
		target := p.path
		if path != "" {
			target = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), path))
		}
		if !exists(target) || (anchored && !all[target].anchors()[anchor]) {
			out = append(out, link[1])
		}
	}
	return out
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	exists := func(path string) bool {
		_, err := os.Stat(filepath.Join(root, path))
		return err == nil
	}
	for _, p := range all {
		for _, link := range broken(p, all, exists) {
			t.Errorf("%s: %s leads nowhere", p.path, link)
		}
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	there := parsePage("docs/there.md", "# Why `Ready`, and Met?\n")
	cases := map[string]struct {
		reason, text string
		want         []string
	}{
		"Page":     {"a page that is there", "see [it](there.md)", nil},
		"NoPage":   {"a page that is not", "see [it](here.md)", []string{"here.md"}},
		"Heading":  {"a heading is linked without its marks", "see [it](there.md#why-ready-and-met)", nil},
		"NoHeader": {"a heading that is not there", "see [it](there.md#why-not)", []string{"there.md#why-not"}},
		"Self":     {"a page links to its own headings", "# Here\n[up](#here) [down](#there)", []string{"#there"}},
		"Web":      {"the web is not asked", "see [it](https://example.com/nowhere)", nil},
		"Code":     {"code holds no links", "```go\nmap[string](nowhere)\n```\n", nil},
		"Span":     {"nor does a span of code", "`[a](nowhere)` and [`it`](there.md)", nil},
		"Up":       {"links go up folders", "see [it](../docs/there.md), [it](../there.md)", []string{"../there.md"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := parsePage("docs/page.md", c.text)
			all := map[string]page{p.path: p, there.path: there}
			got := broken(p, all, func(path string) bool { return all[path].path != "" })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: broken links: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

var (
	spanPattern   = regexp.MustCompile("`([^`\n]+)`")
	makePattern   = regexp.MustCompile(`(?m)(?:^|[;&|] |=\S* |\$ )make ([a-z][a-z-]*)`)
	targetPattern = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
)

// targets are what a page tells people to make.
func (p page) targets() []string {
	code := []string{}
	for _, span := range spanPattern.FindAllStringSubmatch(p.prose, -1) {
		code = append(code, span[1])
	}
	for _, b := range p.blocks {
		code = append(code, b.text)
	}
	found := map[string]bool{}
	for _, text := range code {
		for _, m := range makePattern.FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestEverythingToMakeCanBeMade(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range targetPattern.FindAllStringSubmatch(string(text), -1) {
		known[m[1]] = true
	}
	mentioned := 0
	for _, p := range pages(t) {
		for _, target := range p.targets() {
			mentioned++
			if !known[target] {
				t.Errorf("%s: make %s: the Makefile has no such target", p.path, target)
			}
		}
	}
	if mentioned == 0 {
		t.Error("no page mentions anything to make: the pattern is wrong")
	}
}

func TestTargetsAreFound(t *testing.T) {
	p := parsePage("page.md", "Run `make demo` or `DEMO_ONCE=1 make test`, not make believe.\n\n```sh\n"+
		"make parts && make bench\n$ make fuzz FUZZTIME=1m\nwe make do\n```\n")
	if diff := cmp.Diff([]string{"bench", "demo", "fuzz", "parts", "test"}, p.targets()); diff != "" {
		t.Errorf("targets: -want, +got:\n%s", diff)
	}
}

func TestQueriesParse(t *testing.T) {
	promql := parser.NewParser(parser.Options{})
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "promql" {
				continue
			}
			if _, err := promql.ParseExpr(b.text); err != nil {
				t.Errorf("%s: %v in:\n%s", p.path, err, b.text)
			}
		}
	}
}
