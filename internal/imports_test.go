// Package internal_test keeps the direction in which data flows: spec, plan,
// ledger, verdict, status. A package that reached back would let a judgement
// depend on a cluster or a network.
package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/experience-slo/operator/"

// layer is what the packages of one folder may import.
type layer struct {
	// module are the folders of this module that it may import, no others.
	module []string
	// deny are further imports that it may not have, by prefix, beside those
	// that its parent folder may not have.
	deny []string
	// standard allows nothing but Go's own library.
	standard bool
	// network allows net/http.
	network bool
	// files allows os below internal.
	files bool
	// cluster allows clients of a cluster below internal.
	cluster bool
}

// layers are the packages of the operator in the order in which data flows. A
// package that is not here has no place yet: give it one.
var layers = map[string]layer{
	"api/v1alpha1":               {},
	"internal/slo":               {standard: true},
	"internal/promql":            {},
	"internal/source":            {network: true},
	"internal/compile":           {module: []string{"api/v1alpha1", "internal/promql", "internal/slo"}},
	"internal/ledger":            {module: []string{"internal/compile", "internal/promql", "internal/slo"}},
	"internal/ledger/ledgertest": {},
	"internal/evaluate":          {module: []string{"api/v1alpha1", "internal/compile", "internal/ledger", "internal/slo"}, deny: []string{"context"}},
	"internal/rules":             {module: []string{"api/v1alpha1", "internal/compile", "internal/promql", "internal/slo"}, deny: []string{"context"}},
	"internal/status":            {module: []string{"api/v1alpha1", "internal/evaluate", "internal/slo"}},
	"internal/rehearse":          {},
	"internal/replay": {
		module: []string{"internal/compile", "internal/evaluate", "internal/ledger", "internal/rules", "internal/slo"},
		deny:   []string{"context"},
	},
	"internal/metrics": {module: []string{"api/v1alpha1", "internal/compile", "internal/evaluate", "internal/slo", "internal/source"}},
	"internal/convert": {module: []string{"api/v1alpha1", "internal/promql"}, deny: []string{"context"}},
	"internal/web":     {module: []string{"api/v1alpha1"}, network: true},
	"controllers": {
		module: []string{
			"api/v1alpha1", "internal/compile", "internal/evaluate", "internal/ledger",
			"internal/metrics", "internal/promql", "internal/rules", "internal/slo", "internal/source", "internal/status",
		},
		network: true, // health checks take an *http.Request; queries go through internal/source
	},
	"config/crd":    {},
	"internal/kube": {module: []string{"api/v1alpha1"}, cluster: true},
	"internal/cli": {
		module: []string{
			"api/v1alpha1", "config/crd", "internal/compile", "internal/convert", "internal/evaluate", "internal/kube", "internal/ledger",
			"internal/promql", "internal/rehearse", "internal/replay", "internal/rules", "internal/slo", "internal/source", "internal/status",
		},
		files: true,
	},
	"cmd/kubectl-experience": {module: []string{"internal/cli"}},
	"cmd/manager":            {module: []string{"api/v1alpha1", "controllers", "internal/metrics", "internal/web"}},
}

// pure is what nothing under internal may import: it takes values, not a
// cluster, a file or an environment.
var pure = []string{"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "os"}

// graph is the imports of packages, tests apart, by path. Paths of the module
// are without its name.
type graph map[string][]string

// with returns a copy of the graph with one more import.
func (g graph) with(from, to string) graph {
	out := maps.Clone(g)
	out[from] = append(slices.Clone(out[from]), to)
	return out
}

// violations words every import that is not allowed.
func violations(g graph) []string {
	var out []string
	for _, from := range slices.Sorted(maps.Keys(g)) {
		if strings.HasPrefix(from, "hack/") {
			continue // what builds and tests the operator may use all of it
		}
		l, known := layers[from]
		if !known {
			out = append(out, from+" has no layer")
			continue
		}
		for _, to := range slices.Sorted(slices.Values(g[from])) {
			if why := l.refuses(from, to, g); why != "" {
				out = append(out, fmt.Sprintf("%s imports %s: %s", from, to, why))
			}
		}
	}
	return out
}

// refuses says why a package may not import another; it is empty when it may.
func (l layer) refuses(from, to string, g graph) string {
	if _, own := g[to]; own {
		if slices.Contains(l.module, to) {
			return ""
		}
		return "data does not flow that way"
	}
	switch {
	case l.standard && strings.Contains(to, "."):
		return "it uses Go's own library alone"
	case !l.network && under(to, "net/http"):
		return "internal/source is the only one that asks"
	case under(to, l.impure(from)...):
		return "it takes values"
	case under(to, l.deny...):
		return "it waits for nothing"
	default:
		return ""
	}
}

// impure is what a package may not import because it takes values.
func (l layer) impure(from string) []string {
	if !strings.HasPrefix(from, "internal/") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(pure), func(path string) bool {
		if path == "os" {
			return l.files
		}
		return l.cluster
	})
}

// under reports whether a path is one of some packages or lies in their folders.
func under(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}

// load reads the module's imports with the Go command.
func load(t *testing.T) graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,GoFiles,Imports", "./...")
	cmd.Dir = ".."
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v: %s", err, complaint.String())
	}
	g := graph{}
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var p struct {
			ImportPath       string
			GoFiles, Imports []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatalf("decode package: %v", err)
		}
		if len(p.GoFiles) == 0 {
			continue // a folder with nothing but tests
		}
		imports := []string{}
		for _, path := range p.Imports {
			imports = append(imports, strings.TrimPrefix(path, module))
		}
		g[strings.TrimPrefix(p.ImportPath, module)] = imports
	}
}

func TestImportsFollowTheData(t *testing.T) {
	g := load(t)
	for _, violation := range violations(g) {
		t.Error(violation)
	}
	for path := range layers {
		if _, ok := g[path]; !ok {
			t.Errorf("%s has a layer, but there is no such package", path)
		}
	}
}

// TestForbiddenImportsAreFound adds one import to the real graph and expects to
// be told of that one.
func TestForbiddenImportsAreFound(t *testing.T) {
	g := load(t)
	const flow = "data does not flow that way"
	cases := map[string]struct {
		reason   string
		from, to string
		want     []string
	}{
		"MathsOfOthers":    {"the maths is Go's own library alone", "internal/slo", "k8s.io/apimachinery/pkg/types", []string{"it uses Go's own library alone"}},
		"MathsOfOurs":      {"and knows nothing of the operator", "internal/slo", "internal/promql", []string{flow}},
		"ExpressionsMaths": {"expressions are built without the maths", "internal/promql", "internal/slo", []string{flow}},
		"PlanAsks":         {"compiling asks nobody", "internal/compile", "internal/source", []string{flow}},
		"LedgerAsks":       {"the ledger asks through an interface of its own", "internal/ledger", "internal/source", []string{flow}},
		"LedgerJudges":     {"the ledger counts and does not judge", "internal/ledger", "internal/evaluate", []string{flow}},
		"JudgeSeesCluster": {"a judge sees no cluster", "internal/evaluate", "k8s.io/client-go/rest", []string{"it takes values"}},
		"JudgeReconciles":  {"nor reconciles", "internal/evaluate", "sigs.k8s.io/controller-runtime/pkg/client", []string{"it takes values"}},
		"JudgeReads":       {"nor reads files or the environment", "internal/evaluate", "os", []string{"it takes values"}},
		"JudgeAsks":        {"nor asks", "internal/evaluate", "net/http", []string{"internal/source is the only one that asks"}},
		"JudgeWaits":       {"nor waits", "internal/evaluate", "context", []string{"it waits for nothing"}},
		"JudgeWords":       {"nor words what it found", "internal/evaluate", "internal/status", []string{flow}},
		"StatusCounts":     {"status words a verdict, not a book", "internal/status", "internal/ledger", []string{flow}},
		"SourceKnowsPlans": {"the client knows queries, not plans", "internal/source", "internal/compile", []string{flow}},
		"MetricsServe":     {"metrics are served by the manager", "internal/metrics", "net/http/httptest", []string{"internal/source is the only one that asks"}},
		"BackToController": {"nothing under internal knows the controllers", "internal/status", "controllers", []string{flow}},
		"TestsInProduct":   {"worlds of tests stay in tests", "internal/ledger", "internal/ledger/ledgertest", []string{flow}},
		"HackInProduct":    {"and so does what runs real parts", "controllers", "hack/parts", []string{flow}},
		"APIKnowsOperator": {"others import the API and nothing of the operator with it", "api/v1alpha1", "internal/slo", []string{flow}},
		"ManagerMeasures":  {"the manager wires and does not measure", "cmd/manager", "internal/ledger", []string{flow}},
		"ManagerAsks":      {"nor asks", "cmd/manager", "net/http", []string{"internal/source is the only one that asks"}},
		"CLIAsks":          {"the command line asks as the operator does", "internal/cli", "net/http", []string{"internal/source is the only one that asks"}},
		"CLISeesCluster":   {"and sees a cluster through one package", "internal/cli", "k8s.io/client-go/rest", []string{"it takes values"}},
		"CLIAsksCluster":   {"which it does", "internal/cli", "internal/kube", nil},
		"KubeReads":        {"that package reads no files but through kubectl's flags", "internal/kube", "os", []string{"it takes values"}},
		"KubeSees":         {"it does see a cluster", "internal/kube", "k8s.io/client-go/rest", nil},
		"KubeJudges":       {"and judges nothing", "internal/kube", "internal/evaluate", []string{flow}},
		"CLIServes":        {"it tells people, not Prometheus", "internal/cli", "internal/metrics", []string{flow}},
		"CLIMeasures":      {"it measures with the operator's own code", "internal/cli", "internal/ledger", nil},
		"CommandRenders":   {"a command wires and does nothing itself", "cmd/kubectl-experience", "internal/rules", []string{flow}},
		"CLIReads":         {"the command line does read files", "internal/cli", "os", nil},
		"SourceAsks":       {"the client of sources does ask", "internal/source", "net/http/cookiejar", nil},
		"PlanNeedsMaths":   {"a plan is made with the maths", "internal/compile", "internal/slo", nil},
		"WebServes":        {"the endpoints are served", "internal/web", "net/http/pprof", nil},
		"WebSeesCluster":   {"over lookups that it is given", "internal/web", "sigs.k8s.io/controller-runtime/pkg/client", []string{"it takes values"}},
		"WebMeasures":      {"and tells what is on the status", "internal/web", "internal/evaluate", []string{flow}},
		"OsIsNotOsteo":     {"only whole names count", "internal/evaluate", "osteo/bone", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, why := range c.want {
				want = append(want, fmt.Sprintf("%s imports %s: %s", c.from, c.to, why))
			}
			if diff := cmp.Diff(want, violations(g.with(c.from, c.to))); diff != "" {
				t.Errorf("%s: violations: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestPackageWithoutLayerIsFound(t *testing.T) {
	g := load(t)
	g["internal/newcomer"] = []string{"fmt"}
	if diff := cmp.Diff([]string{"internal/newcomer has no layer"}, violations(g)); diff != "" {
		t.Errorf("violations: -want, +got:\n%s", diff)
	}
}
