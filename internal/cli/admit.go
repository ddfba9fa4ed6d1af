package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/config/crd"
)

// definition is what the API server makes of a CustomResourceDefinition to check
// the objects of its kind.
type definition struct {
	namespaced bool
	structural *schema.Structural
	schema     validation.SchemaValidator
	// cel compiles the rules of a kind when the first object of it is checked: that
	// takes longer than all else.
	cel func() *cel.Validator
}

// loadDefinitions gives the definitions that the program carries, by kind. They are
// made once, and may be used by several goroutines at once.
var loadDefinitions = sync.OnceValues(readDefinitions)

func readDefinitions() (map[string]*definition, error) {
	const folder = "bases"
	entries, err := crd.Bases.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("list definitions: %w", err)
	}
	out := map[string]*definition{}
	for _, entry := range entries {
		text, err := crd.Bases.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read definition: %w", err)
		}
		object := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(text, object); err != nil {
			return nil, fmt.Errorf("decode definition %q: %w", entry.Name(), err)
		}
		if out[object.Spec.Names.Kind], err = newDefinition(object); err != nil {
			return nil, fmt.Errorf("prepare definition %q: %w", entry.Name(), err)
		}
	}
	return out, nil
}

func newDefinition(object *apiextensionsv1.CustomResourceDefinition) (*definition, error) {
	openAPI := &apiextensions.JSONSchemaProps{}
	version := object.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version, openAPI, nil); err != nil {
		return nil, fmt.Errorf("convert schema: %w", err)
	}
	structural, err := schema.NewStructural(openAPI)
	if err != nil {
		return nil, fmt.Errorf("make schema structural: %w", err)
	}
	validator, _, err := validation.NewSchemaValidator(openAPI)
	if err != nil {
		return nil, fmt.Errorf("make validator: %w", err)
	}
	return &definition{
		namespaced: object.Spec.Scope == apiextensionsv1.NamespaceScoped,
		structural: structural, schema: validator,
		cel: sync.OnceValue(func() *cel.Validator { return cel.NewValidator(structural, true, celconfig.PerCallLimit) }),
	}, nil
}

// admit does to an object what the API server does to one that is created with
// strict field validation: it fills in defaults and validates. It returns each
// complaint with the field and, where it is one, the value.
func (d *definition) admit(ctx context.Context, object map[string]any) []fault {
	var out []fault
	for _, path := range pruning.PruneWithOptions(object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, fault{ruleSchema, path, "there is no such field: correct or remove it"})
	}
	d.fill(object)
	errs := validation.ValidateCustomResource(nil, object, d.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.structural, object)...)
	if !slices.ContainsFunc(errs, blocks) {
		broken, _ := d.cel().Validate(ctx, nil, d.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		out = append(out, complaint(object, err))
	}
	slices.SortFunc(out, func(a, b fault) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// blocks says that a fault leaves nothing that rules could be held against.
func blocks(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}

// subject is the field that the message of a rule across fields begins with.
var subject = regexp.MustCompile(`^[a-zA-Z.0-9]+`)

// complaint words a fault. The message of a rule across fields says of which of
// them it speaks.
func complaint(object map[string]any, err *field.Error) fault {
	path, detail := err.Field, strings.TrimPrefix(err.Detail, err.Field+" in body ")
	if err.Type == field.ErrorTypeRequired {
		return fault{ruleSchema, path, "it is required: set it"}
	}
	if detail == "" {
		detail = strings.ToLower(err.Type.String())
	}
	value, known := valueAt(object, path)
	if !known {
		if value, known = valueAt(object, path+"."+subject.FindString(detail)); known {
			path += "." + subject.FindString(detail)
		}
	}
	if !known {
		return fault{ruleSchema, path, detail}
	}
	return fault{ruleSchema, path, value + ": " + detail}
}

// longest is how much of a value is quoted.
const longest = 80

// valueAt gives the text, number or truth value at a path such as
// spec.matchers[1].label.
func valueAt(object map[string]any, path string) (string, bool) {
	var at any = object
	for step := range strings.SplitSeq(strings.ReplaceAll(path, "[", "."), ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, err := strconv.Atoi(strings.TrimSuffix(step, "]"))
			if err != nil || i >= len(v) {
				return "", false
			}
			at = v[i]
		default:
			return "", false
		}
	}
	switch v := at.(type) {
	case string:
		if len(v) > longest {
			return strconv.Quote(v[:longest]) + "…", true
		}
		return strconv.Quote(v), true
	case bool, int64, float64:
		return fmt.Sprint(v), true
	default:
		return "", false
	}
}

// fill adds defaults to an object.
func (d *definition) fill(object map[string]any) { defaulting.Default(object, d.structural) }
