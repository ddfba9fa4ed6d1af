package docs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// library stands for the package web-vitals: it calls back at once.
const library = `const vital = (name, value) => (report) => report({name, value, delta: value, id: 'v5-1', rating: 'good'});
export const onLCP = vital('LCP', 2300), onINP = vital('INP', 160), onCLS = vital('CLS', 0.04), onFCP = vital('FCP', 1200), onTTFB = vital('TTFB', 300);
`

// vitals is how many there are, each of which is sent once.
const vitals = 5

// TestJavaScriptExample runs the page's code in Node.js and in a browser, where they
// are, and gives what it sends to the Go example. Without either it is at least
// parsed: it never goes unlooked at.
func TestJavaScriptExample(t *testing.T) {
	ran := 0
	for name, run := range map[string]func(*testing.T, string){"node": runInNode, "chromium": runInBrowser, "google-chrome": runInBrowser} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) { run(t, path) })
	}
	if ran == 0 {
		parseJavaScript(t)
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// runInNode has the example send to a beacon that prints.
func runInNode(t *testing.T, node string) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"node_modules/web-vitals/package.json": `{"name":"web-vitals","type":"module","main":"index.js"}`,
		"node_modules/web-vitals/index.js":     library,
		"vitals.mjs":                           onlyBlock(t, "js"),
		"main.mjs": `Object.defineProperty(globalThis, 'navigator', {value: {sendBeacon: (url, body) => console.log(url + ' ' + body)}, configurable: true});
await import('./vitals.mjs');
`,
	})
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(dir, "main.mjs")).CombinedOutput()
	if err != nil {
		t.Fatalf("run the example: %v: %s", err, out)
	}
	beacon := NewInstruments(prometheus.NewRegistry()).Beacon("shop")
	sent := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(sent) != vitals {
		t.Errorf("sent %q, want five vitals", sent)
	}
	for _, line := range sent {
		body, ok := strings.CutPrefix(line, "/vitals ")
		if code := post(beacon, body); !ok || code != http.StatusNoContent {
			t.Errorf("%q is answered with %d", line, code)
		}
	}
}

// runInBrowser serves the example and the Go example to a real browser, whose own
// beacons arrive.
func runInBrowser(t *testing.T, browser string) {
	answers := make(chan int, 100)
	registry := prometheus.NewRegistry()
	beacon := NewInstruments(registry).Beacon("shop")
	mux := http.NewServeMux()
	serve := func(path, kind, text string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text) // the browser went away
		})
	}
	serve("/{$}", "text/html", `<!doctype html><script type="importmap">{"imports":{"web-vitals":"/web-vitals.js"}}</script><script type="module" src="/example.js"></script>`)
	serve("/web-vitals.js", "text/javascript", library)
	serve("/example.js", "text/javascript", onlyBlock(t, "js"))
	mux.HandleFunc("/vitals", func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		beacon(recorded, r)
		w.WriteHeader(recorded.Code)
		answers <- recorded.Code
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer visit(t, browser, server.URL)()
	patience := time.After(2 * time.Minute)
	for n := range vitals {
		select {
		case code := <-answers:
			if code != http.StatusNoContent {
				t.Errorf("a beacon is answered with %d", code)
			}
		case <-patience:
			t.Fatalf("%d beacons arrived, want %d", n, vitals)
		}
	}
	found, err := registry.Gather()
	if err != nil || len(found) != vitals {
		t.Errorf("%d metrics were observed: %v", len(found), err)
	}
}

// visit opens a page, until what it returns is called.
func visit(t *testing.T, browser, url string) (leave func()) {
	t.Helper()
	profile, err := os.MkdirTemp("", "experience-slo-browser-") //nolint:usetesting // what the browser writes to it at its end must not fail the test
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
		"--disable-dev-shm-usage", "--disable-sync", "--no-first-run", "--remote-debugging-port=0", "--user-data-dir="+profile, url)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and the processes that it began
		_ = cmd.Wait()                                      // it was killed
		_ = os.RemoveAll(profile)
	}
}

// parseJavaScript has the example read by a bundler, which is built from source.
func parseJavaScript(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "../hack/tools/build.sh", "esbuild").CombinedOutput(); err != nil {
		t.Fatalf("neither Node.js nor Chromium is installed, and there is no parser: %v: %s", err, out)
	}
	for text, want := range map[string]bool{onlyBlock(t, "js"): true, onlyBlock(t, "js") + "}": false} {
		cmd := exec.CommandContext(t.Context(), "../bin/esbuild", "--bundle", "--format=esm", "--external:web-vitals")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("esbuild says %v: %s", err, out)
		}
	}
}
