package v1alpha1

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

const crdFolder = "../../config/crd/bases"

// plurals are the resources of the group.
var plurals = []string{"calendars", "clusterindicators", "clustermetricsources", "exclusions", "gates", "indicators", "journeys", "metricsources", "objectives"}

// definition is a CustomResourceDefinition, and what the API server makes of it
// to check the objects of its kind.
type definition struct {
	crd        *apiextensions.CustomResourceDefinition
	structural *schema.Structural
	schema     validation.SchemaValidator
	cel        *cel.Validator
}

// load reads a generated definition and prepares it as the API server does.
func load(t testing.TB, plural string) *definition {
	t.Helper()
	path := filepath.Join(crdFolder, "experience.slo_"+plural+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read definition: %v", err)
	}
	v1 := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(text, v1); err != nil {
		t.Fatalf("decode %s: %v", path, err)
	}
	apiextensionsv1.SetDefaults_CustomResourceDefinition(v1)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&v1.Spec)
	// The API server writes these before it looks at them.
	v1.Status.StoredVersions = []string{GroupVersion.Version}

	scheme := runtime.NewScheme()
	install.Install(scheme)
	d := &definition{crd: &apiextensions.CustomResourceDefinition{}}
	if err := scheme.Convert(v1, d.crd, nil); err != nil {
		t.Fatalf("convert %s: %v", path, err)
	}
	if d.structural, err = schema.NewStructural(d.openAPI()); err != nil {
		t.Fatalf("make %s structural: %v", path, err)
	}
	if d.schema, _, err = validation.NewSchemaValidator(d.openAPI()); err != nil {
		t.Fatalf("make validator of %s: %v", path, err)
	}
	d.cel = cel.NewValidator(d.structural, true, celconfig.PerCallLimit)
	return d
}

// openAPI is the schema of the only version, which a conversion may keep on the
// spec or on the version.
func (d *definition) openAPI() *apiextensions.JSONSchemaProps {
	if d.crd.Spec.Validation != nil {
		return d.crd.Spec.Validation.OpenAPIV3Schema
	}
	return d.crd.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// decode reads a YAML object with numbers typed as the API server types them.
func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("decode object: %v", err)
	}
	object := map[string]any{}
	if err := utiljson.Unmarshal(asJSON, &object); err != nil {
		t.Fatalf("decode object: %v", err)
	}
	return object
}

// admit does to the object what the API server does to one that is created with
// strict field validation: it prunes, fills in defaults and validates. It returns
// each complaint as "field: message".
func (d *definition) admit(t testing.TB, object map[string]any) []string {
	t.Helper()
	var complaints []string
	unknown := pruning.PruneWithOptions(object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		complaints = append(complaints, path+": unknown field")
	}
	defaulting.Default(object, d.structural)
	errs := validation.ValidateCustomResource(nil, object, d.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.structural, object)...)
	if !blocking(errs) {
		celErrs, _ := d.cel.Validate(t.Context(), nil, d.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, celErrs...)
	}
	for _, err := range errs {
		detail := cmp.Or(strings.TrimPrefix(err.Detail, err.Field+" in body "), err.Type.String())
		complaints = append(complaints, err.Field+": "+detail)
	}
	slices.Sort(complaints)
	return complaints
}

// blocking says that the API server would not go on to run CEL.
func blocking(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		default:
		}
	}
	return false
}

// edits change an object: a path such as "spec.window.rolling" to a value, or to
// nil for a field that is taken away.
type edits map[string]any

func (e edits) apply(t testing.TB, object map[string]any) map[string]any {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(e)) {
		value := e[path]
		at, steps := object, strings.Split(path, ".")
		for _, step := range steps[:len(steps)-1] {
			if _, ok := at[step]; !ok {
				at[step] = map[string]any{}
			}
			at = at[step].(map[string]any)
		}
		last := steps[len(steps)-1]
		if value == nil {
			if _, ok := at[last]; !ok {
				t.Fatalf("take %s away: it is not there", path)
			}
			delete(at, last)
			continue
		}
		at[last] = value
	}
	return object
}

// walk calls visit for each node of a schema, with its path. Items are "[]" and
// values of maps are "{}".
func walk(path string, node *apiextensions.JSONSchemaProps, visit func(path string, node *apiextensions.JSONSchemaProps)) {
	visit(path, node)
	for name, child := range node.Properties {
		walk(strings.TrimPrefix(path+"."+name, "."), &child, visit)
	}
	if node.Items != nil && node.Items.Schema != nil {
		walk(path+"[]", node.Items.Schema, visit)
	}
	if node.AdditionalProperties != nil && node.AdditionalProperties.Schema != nil {
		walk(path+"{}", node.AdditionalProperties.Schema, visit)
	}
}
