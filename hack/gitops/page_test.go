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

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var (
	blockPattern    = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	sectionPattern  = regexp.MustCompile(`(?m)^## `)
	waveAnnotation  = "argocd.argoproj.io/sync-wave"
	publicComponent = "https://github.com/experience-slo/operator//config/"
)

// blocks are those of a language in a section of the page, and in all of it
// where the section is empty.
func blocks(t *testing.T, section, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, part := range sectionPattern.Split(string(text), -1) {
		if section != "" && !strings.HasPrefix(part, section+"\n") {
			continue
		}
		for _, block := range blockPattern.FindAllStringSubmatch(part, -1) {
			if block[1] == language {
				out = append(out, block[2])
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("section %q has no block of %s", section, language)
	}
	return out
}

// manifest is what the page's objects have in common.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	text string
}

// manifests are the objects that the page shows, of that group.
func manifests(t *testing.T, group string) []manifest {
	t.Helper()
	var out []manifest
	for _, block := range blocks(t, "", "yaml") {
		for text := range strings.SplitSeq(block, "\n---\n") {
			m := manifest{text: text}
			if err := yaml.Unmarshal([]byte(text), &m); err != nil {
				t.Fatalf("%v in:\n%s", err, text)
			}
			if strings.HasPrefix(m.APIVersion, group+"/") {
				out = append(out, m)
			}
		}
	}
	return out
}

// shown are the objects that the page shows of a kind.
func shown(t *testing.T, group, kind string) []manifest {
	t.Helper()
	out := slices.DeleteFunc(manifests(t, group), func(m manifest) bool { return m.Kind != kind })
	if len(out) == 0 {
		t.Fatalf("the page shows no %s", kind)
	}
	return out
}

// TestPageOrdersWaves holds that what is measured is there before its objective.
func TestPageOrdersWaves(t *testing.T) {
	wave := func(m manifest) int {
		n, err := strconv.Atoi(m.Metadata.Annotations[waveAnnotation])
		if err != nil {
			t.Errorf("%s %s has no wave: %v", m.Kind, m.Metadata.Name, err)
		}
		return n
	}
	workloads, objectives := shown(t, "apps", "Deployment"), shown(t, "experience.slo", "Objective")
	for _, w := range workloads {
		for _, o := range objectives {
			if wave(w) >= wave(o) || w.Metadata.Namespace != o.Metadata.Namespace {
				t.Errorf("%s is not applied before %s", w.Metadata.Name, o.Metadata.Name)
			}
		}
	}
}

// TestPageDeploysWhereTheObjectiveIs holds that the examples belong together.
func TestPageDeploysWhereTheObjectiveIs(t *testing.T) {
	objectives, applications := shown(t, "experience.slo", "Objective"), shown(t, "argoproj.io", "Application")
	for _, a := range applications {
		var application struct {
			Spec struct {
				Destination struct{ Namespace string }
			}
		}
		if err := yaml.Unmarshal([]byte(a.text), &application); err != nil {
			t.Fatal(err)
		}
		if got := application.Spec.Destination.Namespace; got != objectives[0].Metadata.Namespace {
			t.Errorf("the application deploys to %q, the objective is in %q", got, objectives[0].Metadata.Namespace)
		}
	}
}

// reference is an object that another one waits for.
type reference struct{ APIVersion, Kind, Namespace, Name string }

// awaited are what a Kustomization of Flux waits for.
func awaited(t *testing.T, m manifest) []reference {
	t.Helper()
	var k struct {
		Spec struct{ DependsOn, HealthChecks []reference }
	}
	if err := yaml.Unmarshal([]byte(m.text), &k); err != nil {
		t.Fatal(err)
	}
	out := k.Spec.HealthChecks
	for _, on := range k.Spec.DependsOn {
		out = append(out, reference{m.APIVersion, m.Kind, m.Metadata.Namespace, on.Name})
	}
	return out
}

// TestPageOrdersKustomizations holds that what Flux is told to wait for is shown.
func TestPageOrdersKustomizations(t *testing.T) {
	there := map[reference]bool{}
	kustomizations := manifests(t, "kustomize.toolkit.fluxcd.io")
	for _, m := range slices.Concat(manifests(t, "experience.slo"), kustomizations, sample(t, "flux-dependson.yaml")) {
		there[reference{m.APIVersion, m.Kind, m.Metadata.Namespace, m.Metadata.Name}] = true
	}
	kinds := map[string]bool{}
	for _, m := range kustomizations {
		for _, on := range awaited(t, m) {
			kinds[on.Kind] = true
			if !there[on] {
				t.Errorf("%s waits for %s, which is not shown", m.Metadata.Name, on)
			}
		}
	}
	if want := map[string]bool{"Kustomization": true, "Objective": true, "Gate": true}; !cmp.Equal(want, kinds) {
		t.Errorf("the page has Flux wait for %v, want %v", kinds, want)
	}
}

// TestPageBuilds has kustomize build what the page shows, with the components of
// this tree for the published ones and files for what is on the web.
func TestPageBuilds(t *testing.T) {
	stands := map[string]string{
		"https://raw.githubusercontent.com/argoproj/argo-cd/stable/manifests/install.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\n",
		"shop.yaml": manifests(t, "kustomize.toolkit.fluxcd.io")[0].text,
	}
	want := map[string]string{"argocd/lenient": setting("health", "Objective"), "flux/strict": "c.type == 'Met'"}
	for _, m := range manifests(t, "kustomize.config.k8s.io") {
		dir := t.TempDir()
		if err := os.CopyFS(filepath.Join(dir, "operator"), os.DirFS(shipped)); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(m.text, publicComponent, "operator/")
		for resource, stand := range stands {
			if strings.Contains(text, resource) {
				text = strings.ReplaceAll(text, resource, "stand.yaml")
				write(t, filepath.Join(dir, "stand.yaml"), stand)
			}
		}
		write(t, filepath.Join(dir, "kustomization.yaml"), text)
		out := kubectl(t, "", "kustomize", dir)
		for component, sign := range want {
			if strings.Contains(text, component) && strings.Contains(out, sign) {
				delete(want, component)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("the page does not build %v", slices.Sorted(maps.Keys(want)))
	}
}

// TestPageTellsTheHealth compares the table of the page with what the tools say
// of the states that its rows are about.
func TestPageTellsTheHealth(t *testing.T) {
	rows := map[string][]string{
		"nothing yet":      {"NotSeen", "Changed"},
		"`Reconciling`":    {"Pending", "Waiting", "NoSource"},
		"`Stalled`":        {"Mistake"},
		"`Met` is True":    {"Met", "Mended", "RulesMissing"},
		"`Met` is Unknown": {"TooFewEvents", "Inconclusive", "Bridged"},
		"`Met` is False":   {"Missed"},
		"suspended":        {"Suspended"},
		"is being deleted": {"Deleted"},
	}
	text, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?m)^\| (.+?) \| (\w+)(?:, Flux)? \| (\w+)[^|]* \| (.+?) \|$`)
	all := objectives()
	for _, row := range table.FindAllStringSubmatch(string(text), -1) {
		for about, names := range rows {
			if !strings.HasPrefix(row[1], about) {
				continue
			}
			delete(rows, about)
			for _, name := range names {
				want := all[name].want
				strictly := "the same"
				if want.strict != want.lenient {
					strictly = "**" + want.strict + "**, **" + status.FailedStatus.String() + "**"
				}
				if diff := cmp.Diff([]string{want.kstatus, want.lenient, strictly}, row[2:]); diff != "" {
					t.Errorf("%q of %s: -want, +shown:\n%s", row[1], name, diff)
				}
			}
		}
	}
	if len(rows) > 0 {
		t.Errorf("the table has no rows for %v", slices.Sorted(maps.Keys(rows)))
	}
}
