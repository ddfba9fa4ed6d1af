package gitops_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// conclude answers a gate that has begun no check of what it is about.
func (c *cluster) conclude(ctx context.Context, g *v1alpha1.Gate) error {
	comes, asked := c.concludes.Load(), g.Annotations[v1alpha1.ReconcileRequestAnnotation]
	if comes == nil || (g.Status.ObservedGeneration == g.Generation && g.Status.LastHandledReconcileAt == asked) {
		return nil
	}
	(*comes)(g)
	err := c.admin.Status().Update(ctx, g)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // what came between has an event of its own
	}
	return err
}

// testSamples has the API server admit what the samples hold of kinds that it
// knows. Those of Argo, Flux and Flagger it does not.
func (c *cluster) testSamples(t *testing.T) {
	kubectl(t, c.kubeconfig, "create", "namespace", "experience-slo-system")
	admitted := map[string]int{}
	for _, file := range sampleFiles(t) {
		if file == "ci-job.yaml" {
			continue // a workflow is no object
		}
		for _, m := range sample(t, file) {
			group, _, _ := strings.Cut(m.APIVersion, "/")
			if !slices.Contains([]string{"experience.slo", "apps", "networking.k8s.io"}, group) {
				continue
			}
			path := filepath.Join(t.TempDir(), "object.yaml")
			write(t, path, m.text)
			if out, err := tryKubectl(t, c.kubeconfig, "create", "--dry-run=server", "--validate=strict", "-f", path); err != nil {
				t.Errorf("%s: %s %s: %s", file, m.Kind, m.Metadata.Name, out)
			}
			admitted[m.Kind]++
		}
	}
	if diff := cmp.Diff(map[string]int{"Gate": 6, "Deployment": 2, "NetworkPolicy": 1}, admitted); diff != "" {
		t.Errorf("-want, +admitted:\n%s", diff)
	}
}

// releaseStep is one of the job that releases.
type releaseStep struct{ Name, ID, Run, If string }

func releaseSteps(t *testing.T) []releaseStep {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct{ Steps []releaseStep }
	}
	if err := yaml.Unmarshal([]byte(sampleText(t, "ci-job.yaml")), &workflow); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(workflow.Jobs["release"].Steps, func(s releaseStep) bool { return s.Run == "" })
}

// ended is what became of a job.
type ended struct {
	// Failed is the step that did, with its exit status, and Then are those that
	// are for that case.
	Failed string
	Status int
	Then   []string
	// Failures are those that the test report counts.
	Failures int
	// Told says whether the summary of the job names the revision.
	Told bool
}

// release runs the job for a commit in a folder.
func (c *cluster) release(t *testing.T, folder, commit, patience string) ended {
	t.Helper()
	summary := filepath.Join(t.TempDir(), "summary.md")
	environment := "export GITHUB_SHA=" + commit + " GITHUB_STEP_SUMMARY=" + summary + "\n"
	var got ended
	outcomes := map[string]string{}
	for _, s := range releaseSteps(t) {
		// Without kubelets there are no pods to wait for, and none to go back to.
		switch {
		case s.Name == "Wait until it serves":
		case s.If == "failure() && steps.gate.outcome == 'failure'":
			if outcomes["gate"] == "failure" {
				got.Then = append(got.Then, s.Name)
			}
		case got.Failed == "" && s.If == "":
			out, err := c.shell(t, folder, environment+strings.ReplaceAll(s.Run, "--timeout 45m", "--timeout "+patience))
			if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
				t.Logf("%s: %v: %s", s.Name, err, out)
				got.Failed, got.Status = s.Name, exit.ExitCode()
				outcomes[s.ID] = "failure"
			}
		}
	}
	got.Failures = failures(t, filepath.Join(folder, "gate.xml"))
	if text, err := os.ReadFile(summary); err == nil {
		got.Told = strings.Contains(string(text), commit)
	}
	return got
}

// failures are those of a test report.
func failures(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0 // the gate was not asked
	}
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Suites []struct {
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &report); err != nil {
		t.Fatalf("%s: %v in:\n%s", path, err, text)
	}
	count := 0
	for _, suite := range report.Suites {
		count += suite.Failures + suite.Errors
	}
	return count
}

// testRelease runs the job that releases for one commit after another, against one
// gate. The command ends as the page's table says, and never by an older verdict.
func (c *cluster) testRelease(t *testing.T) {
	holds := met
	c.finds.Store(&holds)
	table := gateTable(t)
	status := func(about string) int {
		n, err := strconv.Atoi(table[about].exit)
		if err != nil {
			t.Fatalf("the row %q has no exit status: %v", about, err)
		}
		return n
	}
	const (
		question = "Is this release good?"
		pass     = "`Inconclusive` at its timeout, `onInconclusive: Pass`"
		fail     = "`Inconclusive` at its timeout, `onInconclusive: Fail`"
	)
	back := []string{"Take it back"}
	cases := []struct {
		reason   string
		comes    func(*v1alpha1.Gate)
		patience string
		want     ended
	}{
		{"a good release", passed, "45m", ended{Status: status("`Passed`"), Told: true}},
		{"the next one, while the operator is away", nil, "3s", ended{Failed: question, Status: 3, Then: back, Failures: 1, Told: true}},
		{"a bad release", failed, "45m", ended{Failed: question, Status: status("`Failed`"), Then: back, Failures: 1, Told: true}},
		{"one that nobody used", undecided, "45m", ended{Failed: question, Status: status(fail), Then: back, Failures: 1, Told: true}},
		{"one that nobody used, which will do", func(g *v1alpha1.Gate) { lenient(g); undecided(g) }, "45m", ended{Status: status(pass), Told: true}},
		{"a gate over too many objectives", invalid, "45m", ended{Failed: question, Status: status("a mistake"), Then: back, Failures: 1, Told: true}},
		{"the fix", passed, "45m", ended{Told: true}},
	}
	folder := releaseFolder(t)
	for i, tc := range cases {
		c.concludes.Store(nil)
		if tc.comes != nil {
			c.concludes.Store(&tc.comes)
		}
		got := c.release(t, folder, "c0ffee"+strconv.Itoa(i), tc.patience)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
		}
	}
	broken := releaseFolder(t)
	write(t, filepath.Join(broken, "deploy", "broken.yaml"), "kind: [\n")
	want := ended{Failed: "Check the objectives, without a cluster", Status: 1}
	if diff := cmp.Diff(want, c.release(t, broken, "badbad", "45m")); diff != "" {
		t.Errorf("what was not deployed is not taken back: -want, +got:\n%s", diff)
	}
}

// releaseFolder is the repository that the job works in.
func releaseFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"deploy", "ci"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var shop []string
	for _, m := range append(shown(t, "apps", "Deployment"), shown(t, "experience.slo", "Objective")...) {
		shop = append(shop, m.text)
	}
	write(t, filepath.Join(folder, "deploy", "shop.yaml"), strings.Join(shop, "\n---\n"))
	write(t, filepath.Join(folder, "ci", "gate.yaml"), sampleText(t, "ci-gate.yaml"))
	return folder
}
