package gitops_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// check is an item of healthCheckExprs.
type check struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

// kustomization is as much of Flux's kind as these tests read.
type kustomization struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Path             string  `json:"path"`
		Interval         string  `json:"interval"`
		HealthCheckExprs []check `json:"healthCheckExprs"`
	} `json:"spec"`
}

// checks are the expressions of a variant by kind.
func checks(t *testing.T, variant string) map[string]check {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shipped, "flux", variant, "health.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var k kustomization
	if err := yaml.UnmarshalStrict(text, &k); err != nil {
		t.Fatal(err)
	}
	out := map[string]check{}
	for _, c := range k.Spec.HealthCheckExprs {
		out[c.Kind] = c
	}
	return out
}

// holds evaluates an expression over an object, whose fields are its variables,
// in the environment that Flux makes for health checks.
func holds(ctx context.Context, expression string, object map[string]any) (bool, error) {
	env, err := cel.NewEnv(cel.HomogeneousAggregateLiterals(), cel.EagerlyValidateDeclarations(true), cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.Encoders())
	if err != nil {
		return false, fmt.Errorf("make environment: %w", err)
	}
	ast, issues := env.Parse(expression)
	if err := issues.Err(); err != nil {
		return false, fmt.Errorf("parse %q: %w", expression, err)
	}
	program, err := env.Program(ast)
	if err != nil {
		return false, fmt.Errorf("plan %q: %w", expression, err)
	}
	value, _, err := program.ContextEval(ctx, object)
	if err != nil {
		return false, fmt.Errorf("evaluate %q: %w", expression, err)
	}
	answer, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("%q is %v, neither true nor false", expression, value)
	}
	return answer, nil
}

// verdict judges an object as Flux does (its RFC 0009): a spec that was not seen
// is in progress, then the first expression that holds wins, and none of them is
// in progress too.
func (c check) verdict(ctx context.Context, object map[string]any) (status.Status, error) {
	seen, _ := object["status"].(map[string]any)
	about, _ := object["metadata"].(map[string]any)
	if generation, ok := seen["observedGeneration"]; ok && generation != about["generation"] {
		return status.InProgressStatus, nil
	}
	for _, rule := range []struct {
		expression string
		means      status.Status
	}{{c.InProgress, status.InProgressStatus}, {c.Failed, status.FailedStatus}, {c.Current, status.CurrentStatus}} {
		if yes, err := holds(ctx, rule.expression, object); err != nil || yes {
			return rule.means, err
		}
	}
	return status.InProgressStatus, nil
}

func TestEveryKindHasExpressions(t *testing.T) {
	for _, variant := range []string{"lenient", "strict"} {
		var got []string
		for kind, c := range checks(t, variant) {
			got = append(got, kind)
			if c.APIVersion != "experience.slo/v1alpha1" {
				t.Errorf("%s: the expressions of %s are for %s", variant, kind, c.APIVersion)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(scriptOf)), got); diff != "" {
			t.Errorf("%s: -kinds, +kinds that have expressions:\n%s", variant, diff)
		}
	}
}

func TestExpressions(t *testing.T) {
	lenient, strict := checks(t, "lenient"), checks(t, "strict")
	for name, s := range states() {
		t.Run(name, func(t *testing.T) {
			object := seen(t, s.object)
			// Expressions have no word for what is being deleted but "in progress".
			want := status.Status(s.want.kstatus)
			if want == status.TerminatingStatus {
				want = status.InProgressStatus
			}
			got, err := lenient[object.GetKind()].verdict(t.Context(), object.Object)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s: lenient is %s, kstatus %s", s.reason, got, want)
			}
			// The two tools are to agree on what a broken promise is.
			if s.want.strict == "Degraded" {
				want = status.FailedStatus
			}
			if got, err = strict[object.GetKind()].verdict(t.Context(), object.Object); err != nil || got != want {
				t.Errorf("%s: strict is %s, want %s (%v)", s.reason, got, want, err)
			}
		})
	}
}

func TestExpressionsOfHalfAnObject(t *testing.T) {
	cases := map[string]struct {
		reason string
		status map[string]any
	}{
		"NoConditions": {"a status of nothing else", map[string]any{"observedGeneration": int64(1)}},
		"NotReady": {"not ready for no reason that is known", map[string]any{"conditions": []any{
			map[string]any{"type": "Ready", "status": "False"}}}},
		"Broken": {"a promise says nothing of an object that is not ready", map[string]any{"conditions": []any{
			map[string]any{"type": "Met", "status": "False"}, map[string]any{"type": "Ready", "status": "Unknown"}}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			object := map[string]any{"metadata": map[string]any{"generation": int64(1)}, "spec": map[string]any{}, "status": c.status}
			for kind, check := range checks(t, "lenient") {
				got, err := check.verdict(t.Context(), object)
				if err != nil || got != status.InProgressStatus {
					t.Errorf("%s: a %s is %q, want InProgress (%v)", c.reason, kind, got, err)
				}
			}
		})
	}
}

func TestKustomizeAddsTheExpressions(t *testing.T) {
	const plain = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: promises, namespace: shop}\n" +
		"spec: {path: ./promises, interval: 5m%s}\n"
	cases := map[string]struct{ reason, variant, more string }{
		"Lenient":  {"one without", "lenient", ""},
		"Strict":   {"the other variant", "strict", ""},
		"Replaced": {"what it has is replaced", "strict", ", healthCheckExprs: [{apiVersion: v1, kind: Secret, current: 'true'}]"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "operator"), os.DirFS(shipped)); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "promises.yaml"), fmt.Sprintf(plain, c.more))
			write(t, filepath.Join(dir, "kustomization.yaml"), "resources: [promises.yaml]\ncomponents: [operator/flux/"+c.variant+"]\n")
			var got kustomization
			if err := yaml.UnmarshalStrict([]byte(kubectl(t, "", "kustomize", dir)), &got); err != nil {
				t.Fatal(err)
			}
			added := map[string]check{}
			for _, item := range got.Spec.HealthCheckExprs {
				added[item.Kind] = item
			}
			if diff := cmp.Diff(checks(t, c.variant), added); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", c.reason, diff)
			}
			if got.Metadata.Name != "promises" || got.Metadata.Namespace != "shop" || got.Spec.Path != "./promises" || got.Spec.Interval != "5m" {
				t.Errorf("%s: something else became of the Kustomization: %+v", c.reason, got)
			}
		})
	}
}
