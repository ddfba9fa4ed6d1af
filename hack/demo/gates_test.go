package main

import (
	"path"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestGatesGuardPromises reads the gates of the demo: each waits for objectives
// that are there.
func TestGatesGuardPromises(t *testing.T) {
	promises := expectations()
	for _, r := range releases() {
		text, err := gates.ReadFile(path.Join("gates", r.file))
		if err != nil {
			t.Fatal(err)
		}
		var g v1alpha1.Gate
		if err := yaml.UnmarshalStrict(text, &g); err != nil {
			t.Fatalf("decode %s: %v", r.file, err)
		}
		if len(g.Spec.Objectives.Names) == 0 {
			t.Errorf("%s names no objective", r.file)
		}
		for _, name := range g.Spec.Objectives.Names {
			if _, ok := promises[g.Namespace+"/"+string(name)]; !ok {
				t.Errorf("%s waits for %s/%s, which there is not", r.file, g.Namespace, name)
			}
		}
	}
}
