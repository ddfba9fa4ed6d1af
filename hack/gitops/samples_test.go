package gitops_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// pipelines are the samples that the page walks through.
const pipelines = shipped + "/samples/pipelines"

func sampleText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pipelines, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sample are the objects of one sample.
func sample(t *testing.T, file string) []manifest {
	t.Helper()
	var out []manifest
	for text := range strings.SplitSeq(sampleText(t, file), "\n---\n") {
		m := manifest{text: text}
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%s: %v in:\n%s", file, err, text)
		}
		out = append(out, m)
	}
	return out
}

// read decodes the objects of a kind of one sample.
func read[T any](t *testing.T, file, kind string) []T {
	t.Helper()
	var out []T
	for _, m := range sample(t, file) {
		if m.Kind != kind {
			continue
		}
		var object T
		if err := yaml.Unmarshal([]byte(m.text), &object); err != nil {
			t.Fatalf("%s: %v in:\n%s", file, err, m.text)
		}
		out = append(out, object)
	}
	if len(out) == 0 {
		t.Fatalf("%s has no %s", file, kind)
	}
	return out
}

func sampleFiles(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(pipelines + "/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples in %s: %v", pipelines, err)
	}
	var out []string
	for _, path := range paths {
		out = append(out, filepath.Base(path))
	}
	return out
}

// TestPageShowsSamples holds that the page shows of each sample what the file
// says, and leads to it. The gate of the CI job is in a file of its own for the
// command line to read.
func TestPageShowsSamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	all := blocks(t, "", "yaml")
	for _, file := range sampleFiles(t) {
		text := sampleText(t, file)
		quoted := slices.ContainsFunc(all, func(block string) bool { return strings.Contains(text, block) })
		if !quoted && file != "ci-gate.yaml" {
			t.Errorf("the page shows nothing of %s", file)
		}
		if !strings.Contains(string(page), "(../config/samples/pipelines/"+file+")") {
			t.Errorf("the page does not lead to %s", file)
		}
	}
}

var (
	imagePattern    = regexp.MustCompile(`image: \S+:([^\s}]+)`)
	revisionPattern = regexp.MustCompile(`revision(?:, value)?: ([^\s{}]+)`)
)

// TestSamplesReleaseOneRevision holds that a sample says the same of what it
// releases wherever it does.
func TestSamplesReleaseOneRevision(t *testing.T) {
	for _, file := range []string{"argocd-syncwave-gate.yaml", "flux-dependson.yaml", "argo-rollouts-analysistemplate.yaml", "flagger-canary.yaml"} {
		said := map[string]bool{}
		for _, pattern := range []*regexp.Regexp{imagePattern, revisionPattern} {
			for _, match := range pattern.FindAllStringSubmatch(sampleText(t, file), -1) {
				said[match[1]] = true
			}
		}
		if diff := cmp.Diff(map[string]bool{"1.4.2": true}, said); diff != "" {
			t.Errorf("%s: -want, +released:\n%s", file, diff)
		}
	}
}

// TestGateIsBetweenWaves holds that Argo CD applies the gate of the sample after
// the canary that it is about and before all others.
func TestGateIsBetweenWaves(t *testing.T) {
	waves := map[string]string{}
	for _, m := range sample(t, "argocd-syncwave-gate.yaml") {
		waves[m.Kind+" "+m.Metadata.Name] = m.Metadata.Annotations[waveAnnotation]
	}
	want := map[string]string{"Deployment checkout-canary": "0", "Gate checkout-canary": "1", "Deployment checkout": "2"}
	if diff := cmp.Diff(want, waves); diff != "" {
		t.Errorf("waves: -want, +got:\n%s", diff)
	}
	hook := sample(t, "argocd-postsync-gate.yaml")[0].Metadata.Annotations
	want = map[string]string{"argocd.argoproj.io/hook": "PostSync", "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation"}
	if diff := cmp.Diff(want, hook); diff != "" {
		t.Errorf("the hook: -want, +got:\n%s", diff)
	}
}

// TestKustomizationsWaitLongEnough holds that what waits for the gate of a sample
// does so for longer than the gate takes, and that all have one source: Flux
// compares commits between those alone.
func TestKustomizationsWaitLongEnough(t *testing.T) {
	const file = "flux-dependson.yaml"
	type flux struct {
		Metadata metav1.ObjectMeta
		Spec     struct {
			Timeout      metav1.Duration
			SourceRef    reference
			HealthChecks []reference
		}
	}
	there := map[reference]bool{}
	for _, m := range sample(t, file) {
		there[reference{m.APIVersion, m.Kind, m.Metadata.Namespace, m.Metadata.Name}] = true
	}
	gate := read[v1alpha1.Gate](t, file, "Gate")[0]
	waits := 0
	for _, k := range read[flux](t, file, "Kustomization") {
		if diff := cmp.Diff(reference{Kind: "GitRepository", Name: "shop"}, k.Spec.SourceRef); diff != "" {
			t.Errorf("%s: the source: -want, +got:\n%s", k.Metadata.Name, diff)
		}
		for _, on := range k.Spec.HealthChecks {
			waits++
			if !there[on] {
				t.Errorf("%s waits for %v, which is not there", k.Metadata.Name, on)
			}
			if k.Spec.Timeout.Duration < gate.Spec.Timeout.Duration+time.Minute {
				t.Errorf("%s waits for %s, the gate takes %s", k.Metadata.Name, k.Spec.Timeout.Duration, gate.Spec.Timeout.Duration)
			}
		}
	}
	if waits != 1 {
		t.Errorf("%d Kustomizations wait for the gate", waits)
	}
}

// row is one of the page's table of a gate's states.
type row struct{ kstatus, argo, web, exit string }

// gateRows are the states that the rows are about, by how they begin.
var gateRows = map[string][]string{
	"not seen yet": {"NotSeen", "PassedThenReleased", "FailedThenReleased"},
	"`Baking`":     {"Baking", "FailedThenBaking"},
	"`Passed`":     {"Passed", "Repeated", "AtLength", "AtTheLimit", "Anonymous", "PassedThenChanged"},
	"`Failed`":     {"Failed"},
	"`Inconclusive` at its timeout, `onInconclusive: Pass`": {"PassedInconclusive"},
	"`Inconclusive` at its timeout, `onInconclusive: Fail`": {"Inconclusive"},
	"a mistake": {"Invalid"},
	"deleted":   {"Deleted"},
}

// gateTable is the page's table.
func gateTable(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Gates\n")
	section, _, _ = strings.Cut(section, "\n## ")
	out := map[string]row{}
	for _, line := range regexp.MustCompile(`(?m)^\| (.+?) \| (\w+) \| (\w+) \| (.+?) \| (.+?) \|$`).FindAllStringSubmatch(section, -1) {
		for about := range gateRows {
			if strings.HasPrefix(line[1], about) {
				out[about] = row{line[2], line[3], line[4], line[5]}
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(gateRows)), slices.Sorted(maps.Keys(out))); diff != "" {
		t.Fatalf("-rows that the table should have, +has:\n%s", diff)
	}
	return out
}

// TestPageTellsTheStatesOfGates compares the table with what the tools say. What
// the command line says is compared on a cluster.
func TestPageTellsTheStatesOfGates(t *testing.T) {
	all, covered := gates(), map[string]bool{}
	for about, told := range gateTable(t) {
		for _, name := range gateRows[about] {
			covered[name] = true
			s := all[name]
			g, ok := s.object.(*v1alpha1.Gate)
			if !ok {
				t.Fatalf("%s is no gate", name)
			}
			answers := post(t, g, "/check") + ", " + post(t, g, "/failed")
			got := row{s.want.kstatus, s.want.lenient, outcome(t, g) + ", " + answers, told.exit}
			if diff := cmp.Diff(got, told, cmp.AllowUnexported(row{})); diff != "" {
				t.Errorf("%s: -what tools say, +what the page says:\n%s", name, diff)
			}
			if s.want.strict != s.want.lenient {
				t.Errorf("%s: the variants differ", name)
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(covered))); diff != "" {
		t.Errorf("-states of a gate, +states that the table is about:\n%s", diff)
	}
	for _, s := range []status.Status{status.InProgressStatus, status.CurrentStatus, status.FailedStatus, status.TerminatingStatus} {
		if !slices.ContainsFunc(slices.Collect(maps.Values(gateTable(t))), func(r row) bool { return r.kstatus == string(s) }) {
			t.Errorf("no row is about %s", s)
		}
	}
}

// post asks a webhook of the operator about a gate, and gives the status of the
// answer.
func post(t *testing.T, g *v1alpha1.Gate, hook string) string {
	t.Helper()
	code, _ := serve(t, g, "POST", "/v1/gates/"+g.Namespace+"/"+g.Name+hook, "")
	return strconv.Itoa(code)
}
