package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const catalogueFolder = "../../config/indicators"

// catalogue reads the indicators that are shipped, by name.
func catalogue(t *testing.T) map[string]*v1alpha1.ClusterIndicator {
	t.Helper()
	paths, err := filepath.Glob(catalogueFolder + "/*.yaml")
	if err != nil || len(paths) < 30 {
		t.Fatalf("list the catalogue: %v, %d files", err, len(paths))
	}
	out := map[string]*v1alpha1.ClusterIndicator{}
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		i := &v1alpha1.ClusterIndicator{}
		if err := yaml.UnmarshalStrict([]byte(read(t, path)), i); err != nil {
			t.Fatalf("decode %s: %v", path, err)
		}
		if i.Name+".yaml" != filepath.Base(path) {
			t.Errorf("%s holds %q", path, i.Name)
		}
		out[i.Name] = i
	}
	return out
}

// TestCatalogueTests runs the tests of the catalogue: a good and a bad case of each
// indicator, on simulated data of its metric.
func TestCatalogueTests(t *testing.T) {
	got := do(t, "", "test", catalogueFolder+"/tests")
	if got.Code != Done {
		t.Errorf("the catalogue's tests: %+v", got)
	}
	for name := range catalogue(t) {
		text := read(t, catalogueFolder+"/tests/"+name+".yaml")
		for _, want := range []string{"- ../" + name + ".yaml", "met: True", "met: False", "attainment: "} {
			if !strings.Contains(text, want) {
				t.Errorf("the tests of %s have no %q", name, want)
			}
		}
	}
}

// promiseBy is an objective that uses an indicator as it comes.
func promiseBy(i *v1alpha1.ClusterIndicator) string {
	var given []string
	for _, p := range i.Spec.Parameters {
		if p.Default == nil {
			given = append(given, fmt.Sprintf("%s: %q", p.Name, "x"))
		}
	}
	target := i.Spec.DefaultTarget
	if target == "" {
		target = "50%"
	}
	return fmt.Sprintf(`---
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: %s, namespace: shop}
spec:
  service: shop
  perspective: %s
  indicator: {ref: {kind: ClusterIndicator, name: %s, parameters: {%s}}}
  target: %q
  window: {rolling: %s}
  minimumEvents: %d
`, i.Name, i.Spec.Perspective, i.Name, strings.Join(given, ", "), target, i.Spec.DefaultWindow, *i.Spec.MinimumEvents)
}

// TestCatalogueRenders has Prometheus' checkers read the rules of an objective on
// each indicator, with its own target and window.
func TestCatalogueRenders(t *testing.T) {
	all := catalogue(t)
	var objectives strings.Builder
	for _, name := range sorted(all) {
		objectives.WriteString(promiseBy(all[name]))
	}
	path := filepath.Join(t.TempDir(), "objectives.yaml")
	if err := os.WriteFile(path, []byte(objectives.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"validate", "render"} {
		got := do(t, "", command, "-f", catalogueFolder, "-f", path)
		if got.Code != Done {
			t.Fatalf("%s: %s%s", command, got.Out, got.Err)
		}
		if command == "render" {
			for name := range all {
				if !strings.Contains(got.Out, "shop/"+name) {
					t.Errorf("there are no rules of %s", name)
				}
			}
			checkRules(t, got.Out)
		}
	}
}

// TestCatalogueSays checks that readers are told what they need.
func TestCatalogueSays(t *testing.T) {
	text := read(t, catalogueFolder+"/kustomization.yaml")
	for name, i := range catalogue(t) {
		if !strings.Contains(text, "- "+name+".yaml\n") {
			t.Errorf("kustomization.yaml leaves %s out", name)
		}
		for _, gap := range unsaid(i) {
			t.Errorf("%s does not say %s", name, gap)
		}
	}
}

// unsaid are the things that an indicator does not tell its readers.
func unsaid(i *v1alpha1.ClusterIndicator) []string {
	s := i.Spec
	said := map[string]bool{
		"metric": i.Annotations["experience.slo/metric"] != "", "exporter": i.Annotations["experience.slo/exporter"] != "",
		"source":        i.Annotations["experience.slo/source"] != "",
		"basis":         slices.Contains([]string{"Published", "Benchmark", "Judgement", "None"}, i.Annotations["experience.slo/basis"]),
		"description":   s.Description != "",
		"perspective":   s.Perspective != "",
		"unit":          s.Unit != "",
		"defaultWindow": s.DefaultWindow != "", "minimumEvents": s.MinimumEvents != nil,
		// How many go on to the next step differs from funnel to funnel.
		"defaultTarget": (s.DefaultTarget == "") == (i.Name == "funnel-step"),
	}
	for _, p := range s.Parameters {
		said["what "+string(p.Name)+" is for"] = p.Description != ""
	}
	return slices.DeleteFunc(sorted(said), func(what string) bool { return said[what] })
}
