package docs_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

var update = flag.Bool("update", false, "write docs/catalogue.md instead of comparing with it")

// mistakesOf gives the mistake of an indicator, if it has one.
func mistakesOf(t *testing.T, object map[string]any) []string {
	t.Helper()
	i := &v1alpha1.ClusterIndicator{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, i); err != nil {
		t.Fatal(err)
	}
	if err := compile.CheckIndicator(&i.Spec); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// catalogue reads the indicators of config/indicators in the order of their names.
func catalogue(t *testing.T) []v1alpha1.ClusterIndicator {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "config", "indicators", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("list the catalogue: %v, %d files", err, len(paths))
	}
	var out []v1alpha1.ClusterIndicator
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var i v1alpha1.ClusterIndicator
		if err := yaml.Unmarshal(text, &i); err != nil {
			t.Fatal(err)
		}
		if i.Kind == "ClusterIndicator" {
			out = append(out, i)
		}
	}
	return out
}

// shipped are the specs of the catalogue by name.
func shipped(t *testing.T) map[string]*v1alpha1.IndicatorSpec {
	t.Helper()
	out := map[string]*v1alpha1.IndicatorSpec{}
	for _, i := range catalogue(t) {
		out[i.Name] = &i.Spec
	}
	return out
}

const catalogueHead = `# The catalogue

Indicators for most of what customers meet, as
[ClusterIndicators](spec/clusterindicator.md). They are installed once the definitions of
the operator are there:

` + "```" + `
kubectl apply -k config/indicators
` + "```" + `

An objective names one and gives its parameters, its own target and its own window: see
[ref](spec/objective.md#ref). Targets and windows on this page are what to begin with.
The basis of a threshold is *Published* by those who defined it, a *Benchmark* of others'
figures, or our *Judgement*. Metrics of the contract are explained in
[metric contract](metric-contract.md); the others come from the exporter that is named.
Each indicator has a good and a bad case in ` + "`config/indicators/tests`" + `.

This page is generated from ` + "`config/indicators`" + `: go test ./docs -run Catalogue -update.
`

// entry is the page's part on one indicator.
func entry(i v1alpha1.ClusterIndicator) string {
	var out strings.Builder
	say := func(key string) string { return i.Annotations["experience.slo/"+key] }
	target := "your own"
	if i.Spec.DefaultTarget != "" {
		target = string(i.Spec.DefaultTarget)
	}
	fmt.Fprintf(&out, "\n### %s\n\n%s\n\n", i.Name, i.Spec.Description)
	fmt.Fprintf(&out, "- target %s over %s, from %d events; unit: %s\n", target, i.Spec.DefaultWindow, *i.Spec.MinimumEvents, i.Spec.Unit)
	fmt.Fprintf(&out, "- metric: `%s`, from %s\n- basis: %s: %s\n", say("metric"), say("exporter"), say("basis"), say("source"))
	if bands := say("bands"); bands != "" {
		fmt.Fprintf(&out, "- bands: %s\n", bands)
	}
	out.WriteString("\n| parameter | type | default | meaning |\n|---|---|---|---|\n")
	for _, p := range i.Spec.Parameters {
		fallback := "required"
		if p.Default != nil {
			fallback = "`" + string(*p.Default) + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", p.Name, p.Type, fallback, p.Description)
	}
	text, err := yaml.Marshal(i.Spec.Template)
	if err != nil {
		return err.Error()
	}
	fmt.Fprintf(&out, "\n<details><summary>template</summary>\n\n```\n%s```\n\n</details>\n", text)
	return out.String()
}

// TestCatalogue compares the page with the manifests, or writes it.
func TestCatalogue(t *testing.T) {
	sides := map[v1alpha1.Perspective]string{}
	for _, i := range catalogue(t) {
		sides[i.Spec.Perspective] += entry(i)
	}
	want := catalogueHead + "\n## UX: the product in use\n" + sides["UX"] + "\n## CX: everything that a customer meets\n" + sides["CX"]
	if *update {
		if err := os.WriteFile("catalogue.md", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/catalogue.md is not of the manifests; -update writes it: -want, +got:\n%s", diff)
	}
}

// contracted are the names of metrics of the contract that the catalogue expects.
func contracted(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	for _, i := range catalogue(t) {
		if !strings.HasPrefix(i.Annotations["experience.slo/exporter"], "contract") {
			continue
		}
		for name := range strings.SplitSeq(i.Annotations["experience.slo/metric"], ", ") {
			names[strings.TrimSuffix(name, "_count")] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
