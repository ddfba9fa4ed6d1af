package docs_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

var (
	rowPattern     = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*)\\|$")
	foreignPattern = regexp.MustCompile(`^status\.conditions\[\]|\.selector\.`)
	betweenPattern = regexp.MustCompile(`must be between (\S+) and ([^\s,]+)`)
)

// rows are the tables of a page by their first cells, which are code.
func (p page) rows() map[string][]string {
	out := map[string][]string{}
	for _, row := range rowPattern.FindAllStringSubmatch(p.prose, -1) {
		var cells []string
		for cell := range strings.SplitSeq(row[2], " | ") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		out[row[1]] = cells
	}
	return out
}

// fact is what a page must say of a field.
type fact struct {
	// first is the cell after the name: the default, or that there is none.
	first string
	// bounds are texts that the row must hold.
	bounds []string
}

// facts gives what must be said of each field under spec and status.
func facts(root *apiextensionsv1.JSONSchemaProps) map[string]fact {
	out := map[string]fact{}
	for _, part := range []string{"spec", "status"} {
		props := root.Properties[part]
		children(part, &props, out)
	}
	return out
}

func children(path string, node *apiextensionsv1.JSONSchemaProps, out map[string]fact) {
	if isKeyReference(node) {
		return // explained once, where references are
	}
	if node.Items != nil && node.Items.Schema != nil {
		children(path+"[]", node.Items.Schema, out)
	}
	for name, child := range node.Properties {
		at := path + "." + name
		if foreignPattern.MatchString(at) {
			continue
		}
		out[at] = factOf(&child, slices.Contains(node.Required, name))
		children(at, &child, out)
	}
}

func isKeyReference(node *apiextensionsv1.JSONSchemaProps) bool {
	_, name := node.Properties["name"]
	_, key := node.Properties["key"]
	return name && key && len(node.Properties) == 2
}

func factOf(node *apiextensionsv1.JSONSchemaProps, required bool) fact {
	f := fact{first: fallbackOf(node), bounds: boundsOf(node)}
	if required {
		f.first = "required"
	}
	for _, rule := range node.XValidations {
		if m := betweenPattern.FindStringSubmatch(rule.Message); m != nil {
			f.bounds = append(slices.DeleteFunc(f.bounds, isNumber), m[1:]...)
		}
	}
	return f
}

// fallbackOf is a default that is a word or a number, as it is written.
func fallbackOf(node *apiextensionsv1.JSONSchemaProps) string {
	var fallback any
	if node.Default == nil || json.Unmarshal(node.Default.Raw, &fallback) != nil {
		return ""
	}
	switch v := fallback.(type) {
	case string:
		return "`" + v + "`"
	case float64:
		return "`" + plain(v) + "`"
	default:
		return ""
	}
}

func boundsOf(node *apiextensionsv1.JSONSchemaProps) []string {
	var out []string
	for _, value := range node.Enum {
		out = append(out, strings.Trim(string(value.Raw), `"`))
	}
	for _, number := range []*float64{node.Minimum, node.Maximum} {
		if number != nil {
			out = append(out, plain(*number))
		}
	}
	for _, number := range []*int64{node.MaxLength, node.MaxItems, node.MaxProperties} {
		if number != nil {
			out = append(out, strconv.FormatInt(*number, 10))
		}
	}
	return out
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// isNumber tells bounds of length, which say nothing beside bounds of value.
func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// gaps words what a page does not say, or says wrongly, about fields.
func gaps(p page, want map[string]fact) []string {
	rows := p.rows()
	var out []string
	for _, path := range slices.Sorted(maps.Keys(want)) {
		cells, ok := rows[path]
		if !ok {
			out = append(out, path+" is not explained")
			continue
		}
		// The operator writes the status: no default and no bound to heed.
		if strings.HasPrefix(path, "spec.") {
			out = append(out, want[path].missing(path, cells)...)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(rows)) {
		if _, ok := want[path]; !ok && (strings.HasPrefix(path, "spec.") || strings.HasPrefix(path, "status.")) {
			out = append(out, path+" does not exist")
		}
	}
	return out
}

// missing words what a field's row does not say.
func (f fact) missing(path string, cells []string) []string {
	var out []string
	if cells[0] != f.first {
		out = append(out, fmt.Sprintf("%s: the default cell is %q, want %q", path, cells[0], f.first))
	}
	for _, bound := range f.bounds {
		whole := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(bound) + `($|[^\w.]|\.($|\D))`)
		if !whole.MatchString(strings.Join(cells, " ")) {
			out = append(out, fmt.Sprintf("%s: the bound %s is missing", path, bound))
		}
	}
	return out
}

func TestEveryFieldIsExplained(t *testing.T) {
	all := pages(t)
	for file, kind := range kindOf {
		t.Run(kind, func(t *testing.T) {
			for _, gap := range gaps(all[file], facts(define(t, kind).openAPI())) {
				t.Errorf("%s: %s", file, gap)
			}
			if strings.HasSuffix(kind, "Source") && (!strings.Contains(all[file].prose, "`name`") || !strings.Contains(all[file].prose, "`key`")) {
				t.Errorf("%s does not explain references to keys", file)
			}
		})
	}
}

func TestGapsAreFound(t *testing.T) {
	minimum, maximum, length := 1.0, 64.0, int64(63)
	schema := &apiextensionsv1.JSONSchemaProps{Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"spec": {Required: []string{"name"}, Properties: map[string]apiextensionsv1.JSONSchemaProps{
			"name":  {Type: "string", MaxLength: &length},
			"count": {Type: "integer", Minimum: &minimum, Maximum: &maximum, Default: &apiextensionsv1.JSON{Raw: []byte("4")}},
		}},
		"status": {Properties: map[string]apiextensionsv1.JSONSchemaProps{"seen": {Type: "string", MaxLength: &length}}},
	}}
	const name, count, seen = "| `spec.name` | required | up to 63 |\n", "| `spec.count` | `4` | 1 to 64 |\n", "| `status.seen` | when |\n"
	cases := map[string]struct {
		reason, text string
		want         []string
	}{
		"Whole":    {"nothing to say", name + count + seen, nil},
		"Missing":  {"a field without a row", name + count, []string{"status.seen is not explained"}},
		"Default":  {"another default than the schema's", name + "| `spec.count` | `5` | 1 to 64 |\n" + seen, []string{"spec.count: the default cell is \"`5`\", want \"`4`\""}},
		"Required": {"a required field that reads as optional", "| `spec.name` | | up to 63 |\n" + count + seen, []string{`spec.name: the default cell is "", want "required"`}},
		"Bound":    {"a part of a number is another number", name + "| `spec.count` | `4` | 1 to 640 |\n" + seen, []string{"spec.count: the bound 64 is missing"}},
		"Surplus":  {"a field that does not exist", name + count + seen + "| `spec.gone` | | |\n", []string{"spec.gone does not exist"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, gaps(parsePage("page.md", c.text), facts(schema))); diff != "" {
				t.Errorf("%s: gaps: -want, +got:\n%s", c.reason, diff)
			}
		})
	}
}

// reasons reads the constants of the API by the comment of their group, whose
// first words say whose they are.
func reasons(t *testing.T) (objective, source, gate, journey, calendar, exclusion []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "api", "v1alpha1", "conditions.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	whose := map[string]*[]string{
		"Reasons of an Objective": &objective, "Reasons of RulesLoaded": &objective,
		"Reasons of a Gate": &gate, "Reasons of a Journey": &journey, "Reasons of a Calendar": &calendar,
		"Reasons of an Exclusion": &exclusion,
	}
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant, _ := spec.(*ast.ValueSpec)
			value, _ := constant.Values[0].(*ast.BasicLit)
			if !strings.HasPrefix(constant.Names[0].Name, "Reason") {
				continue
			}
			of := &source
			for words, list := range whose {
				if strings.HasPrefix(group.Doc.Text(), words) {
					of = list
				}
			}
			*of = append(*of, strings.Trim(value.Value, `"`))
		}
	}
	return objective, source, gate, journey, calendar, exclusion
}

func TestEveryReasonIsExplained(t *testing.T) {
	objective, source, gate, journey, calendar, exclusion := reasons(t)
	if len(objective) < 10 || len(source) < 5 || len(gate) < 10 || len(journey) < 5 || len(calendar) < 3 || len(exclusion) < 4 {
		t.Fatalf("found %d, %d, %d, %d, %d and %d reasons: the API's file reads otherwise now", len(objective), len(source), len(gate), len(journey), len(calendar), len(exclusion))
	}
	all := pages(t)
	known := slices.Concat(objective, source, gate, journey, calendar, exclusion)
	cases := map[string]struct {
		file string
		want []string
	}{
		"Objective":           {"docs/spec/objective.md", append(slices.Clone(objective), "InvalidCalendar", "NeverOpen")},
		"MetricSource":        {"docs/spec/metricsource.md", append(source, "InvalidSpec")},
		"ClusterMetricSource": {"docs/spec/clustermetricsource.md", append(source, "InvalidSpec")},
		"Gate":                {"docs/spec/gate.md", append(gate, "Inconclusive", "InvalidSpec", "TargetMissed")},
		"Journey":             {"docs/spec/journey.md", append(journey, "Evaluated", "EvaluationPending", "InvalidSpec")},
		"Calendar":            {"docs/spec/calendar.md", append(calendar, "InvalidTimeZone")},
		"Exclusion":           {"docs/spec/exclusion.md", append(exclusion, "InvalidTimeZone", "InvalidSpec")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, fault := range unexplained(all[c.file], c.want, known) {
				t.Errorf("%s: %s", c.file, fault)
			}
		})
	}
}

var wordPattern = regexp.MustCompile(`^[A-Z]\w+$`)

// unexplained words which reasons have no row, and which rows no reason.
func unexplained(p page, want, known []string) []string {
	rows := p.rows()
	var out []string
	for _, reason := range want {
		if _, ok := rows[reason]; !ok {
			out = append(out, reason+" is not explained")
		}
	}
	for _, first := range slices.Sorted(maps.Keys(rows)) {
		if wordPattern.MatchString(first) && !slices.Contains(known, first) {
			out = append(out, first+" is no reason")
		}
	}
	return out
}

func TestUnexplainedReasonsAreFound(t *testing.T) {
	p := parsePage("page.md", "| `Evaluated` | all is well |\n| `Vanished` | was renamed |\n| `spec.url` | required |\n")
	want := []string{"Timeout is not explained", "Vanished is no reason"}
	if diff := cmp.Diff(want, unexplained(p, []string{"Evaluated", "Timeout"}, []string{"Evaluated", "Timeout"})); diff != "" {
		t.Errorf("unexplained: -want, +got:\n%s", diff)
	}
}
