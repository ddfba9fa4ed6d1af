package stories

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/simulate"
	"github.com/experience-slo/operator/internal/compile"
)

const (
	folder    = "../../config/samples/stories"
	catalogue = "../../config/indicators"
)

// documents decodes those of a file that are of a kind. A field that the API does
// not have is an error.
func documents[T any](t *testing.T, path, kind string) []T {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for document := range strings.SplitSeq(string(text), "---\n") {
		if !strings.Contains("\n"+document, "\nkind: "+kind+"\n") {
			continue
		}
		var object T
		if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
			t.Fatalf("decode %s: %v", path, err)
		}
		out = append(out, object)
	}
	return out
}

// manifestsOf is the folder of a story: the one turned round has the laptop's.
func manifestsOf(s *Story) string {
	if s.Namespace == simulate.LaptopTurnedRound {
		return filepath.Join(folder, simulate.Laptop)
	}
	return filepath.Join(folder, s.Namespace)
}

// TestPromisesAreThoseOfTheManifests checks that the table knows each objective,
// that each is at one stage of the journey, and that nothing is at a stage that is
// not there.
func TestPromisesAreThoseOfTheManifests(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Namespace, func(t *testing.T) {
			names, staged := []string{}, []string{}
			for _, o := range documents[v1alpha1.Objective](t, filepath.Join(manifestsOf(&s), "objectives.yaml"), "Objective") {
				names = append(names, o.Name)
			}
			journeys := documents[v1alpha1.Journey](t, filepath.Join(manifestsOf(&s), "journey.yaml"), "Journey")
			if len(journeys) != 1 || journeys[0].Name != s.Journey {
				t.Fatalf("want the journey %s, found %d", s.Journey, len(journeys))
			}
			for _, stage := range journeys[0].Spec.Stages {
				for _, name := range stage.Objectives.Names {
					staged = append(staged, string(name))
				}
			}
			slices.Sort(names)
			slices.Sort(staged)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(s.Promises)), names); diff != "" {
				t.Errorf("objectives: -table, +manifests:\n%s", diff)
			}
			if diff := cmp.Diff(names, staged); diff != "" {
				t.Errorf("objectives: -manifests, +stages:\n%s", diff)
			}
		})
	}
}

// TestObjectivesAreMeasuredByIndicators compiles the objectives of each story with
// the catalogue and the indicators that it brings.
func TestObjectivesAreMeasuredByIndicators(t *testing.T) {
	shipped := map[string]v1alpha1.IndicatorSpec{}
	paths, err := filepath.Glob(filepath.Join(catalogue, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for _, i := range documents[v1alpha1.ClusterIndicator](t, path, "ClusterIndicator") {
			shipped["ClusterIndicator/"+i.Name] = i.Spec
		}
	}
	for _, s := range All() {
		known := maps.Clone(shipped)
		for _, i := range documents[v1alpha1.Indicator](t, filepath.Join(manifestsOf(&s), "indicators.yaml"), "Indicator") {
			known["Indicator/"+i.Name] = i.Spec
		}
		for _, o := range documents[v1alpha1.Objective](t, filepath.Join(manifestsOf(&s), "objectives.yaml"), "Objective") {
			o.Namespace = s.Namespace
			checkMeasured(t, &o, known)
		}
	}
}

// checkMeasured compiles an objective with the indicator that it refers to, whose
// perspective it shares.
func checkMeasured(t *testing.T, o *v1alpha1.Objective, indicators map[string]v1alpha1.IndicatorSpec) {
	t.Helper()
	ref := o.Spec.Indicator.Ref
	if ref == nil {
		t.Errorf("%s/%s says itself how it is measured", o.Namespace, o.Name)
		return
	}
	spec := indicators[string(ref.Kind)+"/"+string(ref.Name)]
	if spec.Perspective != o.Spec.Perspective {
		t.Errorf("%s/%s is %s, and its indicator %q", o.Namespace, o.Name, o.Spec.Perspective, spec.Perspective)
	}
	if _, err := compile.Compile(compile.Input{Objective: o, Source: &v1alpha1.MetricSourceSpec{}, Indicator: &spec, Now: time.Now()}); err != nil {
		t.Errorf("%s/%s: %v", o.Namespace, o.Name, err)
	}
}

// TestAllIsWhatIsApplied checks that kustomize finds each story.
func TestAllIsWhatIsApplied(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	list := struct{ Resources []string }{}
	if err := yaml.Unmarshal(text, &list); err != nil {
		t.Fatalf("decode list: %v", err)
	}
	var told []string
	for _, s := range All() {
		told = append(told, s.Namespace)
	}
	if diff := cmp.Diff(told, list.Resources); diff != "" {
		t.Errorf("stories: -table, +kustomization.yaml:\n%s", diff)
	}
}

// TestTouchpointsAreSplit checks what the app that was not as described is told
// for: everything on the web is Good, and everything in the app is not.
func TestTouchpointsAreSplit(t *testing.T) {
	s := appMismatch()
	got := map[string]map[v1alpha1.Band]int{}
	for _, o := range documents[v1alpha1.Objective](t, filepath.Join(manifestsOf(&s), "objectives.yaml"), "Objective") {
		if o.Spec.Perspective != v1alpha1.PerspectiveUX {
			continue
		}
		place := string(o.Spec.Touchpoint)
		if got[place] == nil {
			got[place] = map[v1alpha1.Band]int{}
		}
		got[place][s.Promises[o.Name].Band()]++
	}
	want := map[string]map[v1alpha1.Band]int{"web": {v1alpha1.BandGood: 4}, "mobile-app": {v1alpha1.BandPoor: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bands of UX objectives by touchpoint: -want, +got:\n%s", diff)
	}
}
