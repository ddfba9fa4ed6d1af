package gitops_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/config/crd"
)

var update = flag.Bool("update", false, "write the patches of argocd-cm instead of comparing with them")

// shipped is where the parts are that Argo CD and Flux use.
const shipped = "../../config"

// scriptOf is the file of a kind's health.
var scriptOf = map[string]string{
	"Objective": "objective.lua", "MetricSource": "source.lua", "ClusterMetricSource": "source.lua", "Gate": "gate.lua",
	"Journey": "journey.lua", "Exclusion": "exclusion.lua", "Calendar": "calendar.lua",
}

// ignored is what Argo CD looks away from.
const ignored = "jsonPointers:\n- /status\n"

// setting is the key in argocd-cm of what Argo CD is told of a kind.
func setting(what, kind string) string {
	return "resource.customizations." + what + ".experience.slo_" + kind
}

func script(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shipped, "argocd", "health", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// severe makes a script of one that takes a broken promise for a healthy object.
func severe(t *testing.T, script string) string {
	t.Helper()
	const line = "local violated = \"%s\"\n"
	lenient, strict := strings.ReplaceAll(line, "%s", "Healthy"), strings.ReplaceAll(line, "%s", "Degraded")
	if strings.Count(script, lenient) != 1 {
		t.Fatalf("the script has no line %q", lenient)
	}
	return strings.Replace(script, lenient, strict, 1)
}

// patches are the data that each variant adds to argocd-cm.
func patches(t *testing.T) map[string]map[string]string {
	t.Helper()
	lenient := map[string]string{}
	for kind, file := range scriptOf {
		lenient[setting("health", kind)] = script(t, file)
		lenient[setting("ignoreDifferences", kind)] = ignored
		lenient[setting("ignoreResourceUpdates", kind)] = ignored
	}
	strict := map[string]string{}
	for _, kind := range []string{"Objective", "Journey"} {
		key := setting("health", kind)
		strict[key] = severe(t, lenient[key])
	}
	return map[string]map[string]string{"lenient": lenient, "strict": strict}
}

// TestPatchesHoldTheScripts keeps the scripts in one place: patches are made of
// them.
func TestPatchesHoldTheScripts(t *testing.T) {
	for variant, data := range patches(t) {
		path := filepath.Join(shipped, "argocd", variant, "argocd-cm.yaml")
		text, err := yaml.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "argocd-cm"}, "data": data,
		})
		if err != nil {
			t.Fatal(err)
		}
		want := "# Made of ../health by: go test ./hack/gitops -run TestPatchesHoldTheScripts -update\n" + string(text)
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not made of the scripts: -want, +got:\n%s", path, diff)
		}
	}
}

// TestEveryKindHasAHealth fails for a kind that Argo CD would take for healthy
// as soon as it is there, unless it has no status: then there is nothing to wait for.
func TestEveryKindHasAHealth(t *testing.T) {
	var defined []string
	files, err := crd.Bases.ReadDir("bases")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := crd.Bases.ReadFile("bases/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &definition); err != nil {
			t.Fatal(err)
		}
		if sub := definition.Spec.Versions[0].Subresources; sub != nil && sub.Status != nil {
			defined = append(defined, definition.Spec.Names.Kind)
		}
	}
	slices.Sort(defined)
	if diff := cmp.Diff(defined, slices.Sorted(maps.Keys(scriptOf))); diff != "" {
		t.Errorf("-kinds that are defined, +kinds that have a script:\n%s", diff)
	}
	for kind := range scriptOf {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(states())), func(name string) bool { return strings.HasPrefix(name, kind) }) {
			t.Errorf("no state of a %s is judged", kind)
		}
	}
}

// TestWithoutStatus shows kstatus the kinds that have none.
func TestWithoutStatus(t *testing.T) {
	for _, kind := range []string{"Indicator", "ClusterIndicator"} {
		o := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "experience.slo/v1alpha1", "kind": kind, "metadata": map[string]any{"name": "web-lcp", "generation": int64(3)}, "spec": map[string]any{},
		}}
		got, err := status.Compute(o)
		if err != nil || got.Status != status.CurrentStatus {
			t.Errorf("kstatus takes a %s for %v (%v), want Current", kind, got, err)
		}
	}
}

// built is argocd-cm as kustomize makes it of one that is there and a variant.
func built(t *testing.T, existing *corev1.ConfigMap, kustomization string) *corev1.ConfigMap {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "operator"), os.DirFS(shipped)); err != nil {
		t.Fatal(err)
	}
	if existing != nil {
		text, err := yaml.Marshal(existing)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "argocd-cm.yaml"), string(text))
		kustomization = "resources: [argocd-cm.yaml]\n" + kustomization
	}
	write(t, filepath.Join(dir, "kustomization.yaml"), kustomization)
	out := kubectl(t, "", "kustomize", dir)
	got := &corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict([]byte(out), got); err != nil {
		t.Fatalf("kustomize does not build one ConfigMap: %v in:\n%s", err, out)
	}
	return got
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKustomizeAddsTheSettings(t *testing.T) {
	parts := patches(t)
	here := func(namespace string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Name: "argocd-cm", Namespace: namespace},
			Data:       map[string]string{"url": "https://argocd.example.com"},
		}
	}
	with := func(data ...map[string]string) map[string]string {
		all := map[string]string{"url": "https://argocd.example.com"}
		for _, more := range data {
			maps.Copy(all, more)
		}
		return all
	}
	cases := map[string]struct {
		reason        string
		existing      *corev1.ConfigMap
		kustomization string
		want          map[string]string
	}{
		"Lenient":    {"what was there stays", here(""), "components: [operator/argocd/lenient]", with(parts["lenient"])},
		"Strict":     {"one script is another", here(""), "components: [operator/argocd/strict]", with(parts["lenient"], parts["strict"])},
		"Namespaced": {"a ConfigMap that names its namespace", here("argocd"), "components: [operator/argocd/strict]", with(parts["lenient"], parts["strict"])},
		"Moved":      {"one that kustomize moves", here(""), "namespace: argocd\ncomponents: [operator/argocd/lenient]", with(parts["lenient"])},
		"Alone":      {"to be applied beside what is there", nil, "resources: [operator/argocd]", parts["lenient"]},
		"AloneThenStrict": {"and so can be the other variant", nil, "resources: [operator/argocd]\ncomponents: [operator/argocd/strict]",
			func() map[string]string {
				all := with(parts["lenient"], parts["strict"])
				delete(all, "url")
				return all
			}()},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := built(t, c.existing, c.kustomization)
			if diff := cmp.Diff(c.want, got.Data); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// as is how Argo CD would call what kstatus says. A suspended object is current
// for kstatus, which knows no such state.
var as = map[status.Status][]string{
	status.CurrentStatus:     {"Healthy", "Suspended"},
	status.InProgressStatus:  {"Progressing"},
	status.TerminatingStatus: {"Progressing"},
	status.FailedStatus:      {"Degraded"},
}

func TestHealth(t *testing.T) {
	lenient, strict := patches(t)["lenient"], patches(t)["strict"]
	for name, s := range states() {
		t.Run(name, func(t *testing.T) {
			object := seen(t, s.object)
			key := setting("health", object.GetKind())
			strictly, ok := strict[key]
			if !ok {
				strictly = lenient[key]
			}
			computed, err := status.Compute(object)
			if err != nil {
				t.Fatal(err)
			}
			got := health{kstatus: computed.Status.String()}
			if got.lenient, got.message, err = assess(t.Context(), lenient[key], object.Object); err != nil {
				t.Fatal(err)
			}
			var message string
			if got.strict, message, err = assess(t.Context(), strictly, object.Object); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.want, got, cmp.AllowUnexported(health{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", s.reason, diff)
			}
			if message != got.message {
				t.Errorf("%s: the strict script says %q, the other %q", s.reason, message, got.message)
			}
			if !slices.Contains(as[computed.Status], got.lenient) {
				t.Errorf("%s: kstatus says %s, Argo CD %s", s.reason, computed.Status, got.lenient)
			}
		})
	}
}

// TestHealthOfHalfAnObject shows scripts what no operator writes: they must wait
// and not fail, for a script that fails makes an application Unknown.
func TestHealthOfHalfAnObject(t *testing.T) {
	about := map[string]any{"name": "a", "generation": int64(1)}
	seen := func(more ...any) map[string]any {
		return map[string]any{"observedGeneration": int64(1), "conditions": more}
	}
	cases := map[string]struct {
		reason string
		object map[string]any
		want   string
	}{
		"NoStatus":     {"a definition without defaults", map[string]any{"metadata": about}, "Progressing"},
		"NoConditions": {"a status of nothing else", map[string]any{"metadata": about, "status": map[string]any{"observedGeneration": int64(1)}}, "Progressing"},
		"NotReady": {"not ready for no reason that is known", map[string]any{"metadata": about, "status": seen(
			map[string]any{"type": "Ready", "status": "False", "reason": "Later", "message": "one day"})}, "Progressing"},
		"Unknown": {"ready or not", map[string]any{"metadata": about, "status": seen(
			map[string]any{"type": "Ready", "status": "Unknown", "reason": "Later", "message": "one day"})}, "Progressing"},
		"ReadyAlone": {"nothing but ready", map[string]any{"metadata": about, "status": seen(
			map[string]any{"type": "Ready", "status": "True", "reason": "Fine", "message": "fine"})}, "Healthy"},
		"Over": {"conditions that ended stop nothing", map[string]any{"metadata": about, "status": seen(
			map[string]any{"type": "Stalled", "status": "False", "reason": "Mended", "message": "mended"},
			map[string]any{"type": "Reconciling", "status": "False", "reason": "Done", "message": "done"},
			map[string]any{"type": "Ready", "status": "True", "reason": "Fine", "message": "fine"})}, "Healthy"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for kind, file := range scriptOf {
				got, _, err := assess(t.Context(), script(t, file), c.object)
				if err != nil || got != c.want {
					t.Errorf("%s: a %s is %q, want %q (%v)", c.reason, kind, got, c.want, err)
				}
			}
		})
	}
}
