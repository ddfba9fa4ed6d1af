package docs_test

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// plurals are the resources by kind.
var plurals = map[string]string{
	"Objective":           "objectives",
	"Indicator":           "indicators",
	"ClusterIndicator":    "clusterindicators",
	"MetricSource":        "metricsources",
	"ClusterMetricSource": "clustermetricsources",
	"Gate":                "gates",
	"Journey":             "journeys",
	"Calendar":            "calendars",
	"Exclusion":           "exclusions",
}

// definition is the schema of a kind.
type definition struct {
	crd        *apiextensionsv1.CustomResourceDefinition
	structural *schema.Structural
	schema     validation.SchemaValidator
	cel        *cel.Validator
}

// defined are the definitions that were read: preparing one takes a while.
var defined = map[string]*definition{}

// define gives the generated definition of a kind.
func define(t *testing.T, kind string) *definition {
	t.Helper()
	if defined[kind] == nil {
		defined[kind] = read(t, kind)
	}
	return defined[kind]
}

func read(t *testing.T, kind string) *definition {
	t.Helper()
	path := filepath.Join(root, "config", "crd", "bases", "experience.slo_"+plurals[kind]+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := &definition{crd: &apiextensionsv1.CustomResourceDefinition{}}
	if err := yaml.UnmarshalStrict(text, d.crd); err != nil {
		t.Fatalf("decode %s: %v", path, err)
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(d.openAPI(), internal, nil); err != nil {
		t.Fatalf("convert %s: %v", path, err)
	}
	if d.structural, err = schema.NewStructural(internal); err != nil {
		t.Fatalf("make %s structural: %v", path, err)
	}
	if d.schema, _, err = validation.NewSchemaValidator(internal); err != nil {
		t.Fatalf("make validator of %s: %v", path, err)
	}
	d.cel = cel.NewValidator(d.structural, true, celconfig.PerCallLimit)
	return d
}

func (d *definition) openAPI() *apiextensionsv1.JSONSchemaProps {
	return d.crd.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// refusals is what the API server would have against an object that is created.
// It fills in the object's defaults.
func (d *definition) refusals(t *testing.T, object map[string]any) []string {
	t.Helper()
	var out []string
	for _, path := range pruning.PruneWithOptions(object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, path+": unknown field")
	}
	defaulting.Default(object, d.structural)
	errs := validation.ValidateCustomResource(nil, object, d.schema)
	if len(errs) == 0 {
		errs, _ = d.cel.Validate(t.Context(), nil, d.structural, object, nil, celconfig.RuntimeCELCostBudget)
	}
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

// decode reads a YAML document with numbers typed as the API server types them.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("decode: %v in:\n%s", err, text)
	}
	object := map[string]any{}
	if err := utiljson.Unmarshal(asJSON, &object); err != nil {
		t.Fatalf("decode: %v in:\n%s", err, text)
	}
	return object
}
