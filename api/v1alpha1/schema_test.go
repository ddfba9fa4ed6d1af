package v1alpha1

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

func TestDefinitionsAreValid(t *testing.T) {
	for _, plural := range plurals {
		t.Run(plural, func(t *testing.T) {
			d := load(t, plural)
			for _, err := range crdvalidation.ValidateCustomResourceDefinition(t.Context(), d.crd) {
				t.Errorf("the API server refuses the definition: %v", err)
			}
			for _, err := range schema.ValidateStructural(nil, d.structural) {
				t.Errorf("schema is not structural: %v", err)
			}
		})
	}
}

// TestRuleCosts prints what the API server estimates each CEL rule to cost at
// worst, and keeps far enough below its limits that a later Kubernetes with a
// slightly dearer estimate still takes the definitions.
func TestRuleCosts(t *testing.T) {
	for _, plural := range plurals {
		t.Run(plural, func(t *testing.T) {
			total := uint64(0)
			costs(t, load(t, plural), func(path, rule string, cost uint64) {
				t.Logf("%9d  %-40s %s", cost, path, rule)
				total += cost
				if cost > crdvalidation.StaticEstimatedCostLimit/2 {
					t.Errorf("rule at %s costs %d, more than half of the limit of %d: bound what it reads", path, cost, crdvalidation.StaticEstimatedCostLimit)
				}
			})
			t.Logf("%9d  in all, %.1f%% of the limit", total, 100*float64(total)/crdvalidation.StaticEstimatedCRDCostLimit)
			if total > crdvalidation.StaticEstimatedCRDCostLimit/2 {
				t.Errorf("rules cost %d, more than half of the limit of %d", total, crdvalidation.StaticEstimatedCRDCostLimit)
			}
		})
	}
}

// costs compiles every rule and gives its estimated cost, times how often the
// largest object evaluates it.
func costs(t *testing.T, d *definition, each func(path, rule string, cost uint64)) {
	t.Helper()
	env := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	var visit func(path string, node *apiextensions.JSONSchemaProps, context *crdvalidation.CELSchemaContext)
	visit = func(path string, node *apiextensions.JSONSchemaProps, context *crdvalidation.CELSchemaContext) {
		info, err := context.TypeInfo()
		if err != nil {
			t.Fatalf("type %s: %v", path, err)
		}
		if len(node.XValidations) > 0 {
			results, err := cel.Compile(info.Schema, info.DeclType, celconfig.PerCallLimit, env, cel.NewExpressionsEnvLoader())
			if err != nil {
				t.Fatalf("compile rules at %s: %v", path, err)
			}
			for i, result := range results {
				if result.Error != nil {
					t.Errorf("compile rule %q at %s: %v", node.XValidations[i].Rule, path, result.Error)
				}
				each(path, node.XValidations[i].Rule, result.MaxCost**context.MaxCardinality)
			}
		}
		for name, child := range node.Properties {
			visit(path+"."+name, &child, context.ChildPropertyContext(&child, name))
		}
		if node.Items != nil {
			visit(path+"[]", node.Items.Schema, context.ChildItemsContext(node.Items.Schema))
		}
		if node.AdditionalProperties != nil && node.AdditionalProperties.Schema != nil {
			visit(path+"{}", node.AdditionalProperties.Schema, context.ChildAdditionalPropertiesContext(node.AdditionalProperties.Schema))
		}
	}
	visit("", d.openAPI(), crdvalidation.RootCELContext(d.openAPI()))
}

// foreign are the parts of the schema that other projects define.
var foreign = regexp.MustCompile(`^(apiVersion|kind|metadata)$|\.conditions\[\]\.|\.selector\.`)

func TestEverythingIsBounded(t *testing.T) {
	for _, plural := range plurals {
		t.Run(plural, func(t *testing.T) {
			walk("", load(t, plural).openAPI(), func(path string, node *apiextensions.JSONSchemaProps) {
				if foreign.MatchString(path) {
					return
				}
				if missing := unbounded(node); missing != "" {
					t.Errorf("%s has no %s", path, missing)
				}
			})
		})
	}
}

// unbounded names the bound that a node lacks.
func unbounded(node *apiextensions.JSONSchemaProps) string {
	switch {
	case node.Type == "string" && !boundedString(node):
		return "maxLength"
	case node.Type == "array" && node.MaxItems == nil:
		return "maxItems"
	case node.AdditionalProperties != nil && node.MaxProperties == nil:
		return "maxProperties"
	case node.XPreserveUnknownFields != nil:
		return "schema of its own"
	default:
		return ""
	}
}

func boundedString(node *apiextensions.JSONSchemaProps) bool {
	return node.MaxLength != nil || len(node.Enum) > 0 || node.Format == "date-time"
}

func TestNumbersAreIntegersWithinBounds(t *testing.T) {
	for _, plural := range plurals {
		t.Run(plural, func(t *testing.T) {
			walk("", load(t, plural).openAPI(), func(path string, node *apiextensions.JSONSchemaProps) {
				if node.Type == "number" {
					t.Errorf("%s is a float, which not every client reads back alike", path)
				}
				if node.Type == "integer" && strings.HasPrefix(path, "spec.") && (node.Minimum == nil || node.Maximum == nil) {
					t.Errorf("%s has no minimum or no maximum", path)
				}
			})
		})
	}
}

func TestEveryFieldIsDescribed(t *testing.T) {
	for _, plural := range plurals {
		t.Run(plural, func(t *testing.T) {
			walk("", load(t, plural).openAPI(), func(path string, node *apiextensions.JSONSchemaProps) {
				item := strings.HasSuffix(path, "[]") || strings.HasSuffix(path, "{}")
				if path != "" && path != "metadata" && !item && node.Description == "" {
					t.Errorf("%s has no description: kubectl explain would be silent", path)
				}
			})
		})
	}
}

// column is a printer column; wide ones show with -o wide alone.
type column struct {
	Name, Path string
	Wide       bool
}

func TestPresentation(t *testing.T) {
	ready := []column{
		{Name: "URL", Path: ".spec.url"},
		{Name: "Ready", Path: `.status.conditions[?(@.type=="Ready")].status`},
		{Name: "Why", Path: `.status.conditions[?(@.type=="Ready")].reason`},
		{Name: "Version", Path: ".status.version", Wide: true},
		{Name: "Retention", Path: ".status.retention", Wide: true},
		{Name: "Loaded", Path: ".status.rules.loaded", Wide: true},
		{Name: "Expected", Path: ".status.rules.expected", Wide: true},
		{Name: "Age", Path: ".metadata.creationTimestamp"},
	}
	type want struct {
		Kind, Short string
		Categories  []string
		Scope       apiextensions.ResourceScope
		Columns     []column
	}
	cases := map[string]struct {
		reason string
		want   want
	}{
		"objectives": {
			reason: "the table of an objective leads with what it promises and ends with whether it holds",
			want: want{
				Kind: "Objective", Short: "xo", Categories: []string{"experience"}, Scope: apiextensions.NamespaceScoped,
				Columns: []column{
					{Name: "Service", Path: ".spec.service"},
					{Name: "Perspective", Path: ".spec.perspective"},
					{Name: "Touchpoint", Path: ".spec.touchpoint", Wide: true},
					{Name: "Target", Path: ".spec.target"},
					{Name: "Current", Path: ".status.attainment"},
					{Name: "Budget", Path: ".status.budgetRemaining"},
					{Name: "Events", Path: ".status.events", Wide: true},
					{Name: "Band", Path: ".status.band", Wide: true},
					{Name: "Excluded", Path: ".status.excluded", Wide: true},
					{Name: "Met", Path: `.status.conditions[?(@.type=="Met")].status`},
					{Name: "Ready", Path: `.status.conditions[?(@.type=="Ready")].status`},
					{Name: "Why", Path: `.status.conditions[?(@.type=="Met")].reason`, Wide: true},
					{Name: "Age", Path: ".metadata.creationTimestamp"},
				},
			},
		},
		"gates": {
			reason: "a gate shows what is checked, what came of it and why",
			want: want{
				Kind: "Gate", Short: "xg", Categories: []string{"experience"}, Scope: apiextensions.NamespaceScoped,
				Columns: []column{
					{Name: "Revision", Path: ".status.revision"},
					{Name: "Verdict", Path: ".status.verdict"},
					{Name: "Ready", Path: `.status.conditions[?(@.type=="Ready")].status`},
					{Name: "Why", Path: `.status.conditions[?(@.type=="Ready")].message`, Wide: true},
					{Name: "Started", Path: ".status.startedAt"},
					{Name: "Age", Path: ".metadata.creationTimestamp"},
				},
			},
		},
		"exclusions": {
			reason: "an exclusion shows when, for how many, and with more room by whom and why",
			want: want{
				Kind: "Exclusion", Short: "xex", Categories: []string{"experience"}, Scope: apiextensions.NamespaceScoped,
				Columns: []column{
					{Name: "State", Path: ".status.state"},
					{Name: "From", Path: ".spec.from"},
					{Name: "To", Path: ".spec.to"},
					{Name: "Every", Path: ".spec.recurrence.every"},
					{Name: "Objectives", Path: ".status.objectives"},
					{Name: "Approver", Path: ".spec.approver", Wide: true},
					{Name: "Reason", Path: ".spec.reason", Wide: true},
					{Name: "Ready", Path: `.status.conditions[?(@.type=="Ready")].status`},
					{Name: "Age", Path: ".metadata.creationTimestamp"},
				},
			},
		},
		"journeys": {
			reason: "a journey shows how it is, by product and by all, and where it is weakest",
			want: want{
				Kind: "Journey", Short: "xj", Categories: []string{"experience"}, Scope: apiextensions.NamespaceScoped,
				Columns: []column{
					{Name: "Verdict", Path: ".status.verdict"},
					{Name: "UX", Path: ".status.scores.ux"},
					{Name: "CX", Path: ".status.scores.cx"},
					{Name: "Weakest", Path: ".status.weakestStage"},
					{Name: "Budget", Path: ".status.budgetRemaining"},
					{Name: "Pattern", Path: ".status.pattern", Wide: true},
					{Name: "Met", Path: `.status.conditions[?(@.type=="Met")].status`},
					{Name: "Ready", Path: `.status.conditions[?(@.type=="Ready")].status`},
					{Name: "Why", Path: `.status.conditions[?(@.type=="Met")].message`, Wide: true},
					{Name: "Age", Path: ".metadata.creationTimestamp"},
				},
			},
		},
		"calendars": {
			reason: "a calendar shows whether it is open and when that changes",
			want: want{
				Kind: "Calendar", Short: "xcal", Categories: []string{"experience"}, Scope: apiextensions.NamespaceScoped,
				Columns: []column{
					{Name: "Time Zone", Path: ".spec.timeZone"},
					{Name: "State", Path: ".status.state"},
					{Name: "Next Change", Path: ".status.nextChange"},
					{Name: "Ready", Path: `.status.conditions[?(@.type=="Ready")].status`},
					{Name: "Why", Path: `.status.conditions[?(@.type=="Ready")].reason`, Wide: true},
					{Name: "Age", Path: ".metadata.creationTimestamp"},
				},
			},
		},
		"metricsources": {
			reason: "a source shows where it is and why it does not work",
			want:   want{Kind: "MetricSource", Short: "xms", Categories: []string{"experience"}, Scope: apiextensions.NamespaceScoped, Columns: ready},
		},
		"clustermetricsources": {
			reason: "a cluster's source shows the same",
			want:   want{Kind: "ClusterMetricSource", Short: "cxms", Categories: []string{"experience"}, Scope: apiextensions.ClusterScoped, Columns: ready},
		},
	}
	for plural, tc := range cases {
		t.Run(plural, func(t *testing.T) {
			spec := load(t, plural).crd.Spec
			got := want{Kind: spec.Names.Kind, Short: spec.Names.ShortNames[0], Categories: spec.Names.Categories, Scope: spec.Scope}
			for _, c := range spec.AdditionalPrinterColumns {
				got.Columns = append(got.Columns, column{Name: c.Name, Path: c.JSONPath, Wide: c.Priority > 0})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if spec.Subresources == nil || spec.Subresources.Status == nil {
				t.Errorf("%s has no status subresource", plural)
			}
		})
	}
}
