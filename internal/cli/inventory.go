package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// inventory is what was found in manifests, in place of a cluster.
type inventory struct {
	definitions map[string]*definition
	// namespace is that of objects that name none.
	namespace string

	objectives []declared
	gates      []gateManifest
	journeys   []journeyManifest
	sources    map[compile.SourceKey]*origin
	indicators map[compile.IndicatorKey]*template
	exclusions []v1alpha1.Exclusion
	calendars  map[types.NamespacedName]*opening
	// seen is where each object is, by kind, namespace and name.
	seen     map[string]place
	mistakes []mistake
	// notes are lines about what is no mistake, but may not be what was meant.
	notes []string
	// order is that in which files were named.
	order map[string]int
}

// declared is an objective and where it was found.
type declared struct {
	manifest
	*v1alpha1.Objective
}

// template is an indicator and where it was found.
type template struct {
	manifest
	spec *v1alpha1.IndicatorSpec
	// wrong says that it has a mistake, which is told of once.
	wrong bool
}

// origin is a source as it was found or is assumed.
type origin struct {
	spec    *v1alpha1.MetricSourceSpec
	allowed *v1alpha1.AllowedNamespaces
}

func newInventory(namespace string) (*inventory, error) {
	definitions, err := loadDefinitions()
	return (&inventory{definitions: definitions}).another(namespace), err
}

// note takes down what is no mistake. What was said already is not said again.
func (v *inventory) note(format string, args ...any) {
	if line := fmt.Sprintf("note: "+format, args...); !slices.Contains(v.notes, line) {
		v.notes = append(v.notes, line)
	}
}

// take reads the documents of files.
func (v *inventory) take(ctx context.Context, files []file) {
	for i, f := range files {
		v.order[f.name] = i
		for _, d := range f.documents() {
			object, err := d.decode()
			if err != nil {
				v.refuse(manifest{place: d.place}, "", fault{rule: ruleDocument, text: err.Error()})
				continue
			}
			v.takeObject(ctx, manifest{place: d.place, in: &d, object: object})
		}
	}
	slices.SortStableFunc(v.objectives, func(a, b declared) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(v.journeys, func(a, b journeyManifest) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
}

func (v *inventory) takeObject(ctx context.Context, m manifest) {
	version, _ := m.object["apiVersion"].(string)
	kind, _ := m.object["kind"].(string)
	group, _, _ := strings.Cut(version, "/")
	switch {
	case group == v1alpha1.GroupVersion.Group:
		v.takeOurs(ctx, version, kind, m)
	case version == "v1" && kind == "List":
		v.takeList(ctx, m)
	case kind != "" && version != "":
		v.note("%s: %s %s is skipped: it is not of %s", m.place, version, kind, v1alpha1.GroupVersion.Group)
	case strings.HasPrefix(filepath.Base(m.file), "kustomization."):
		v.note("%s: skipped: kustomizations are not built", m.place)
	default:
		v.refuse(m, "", fault{ruleSchema, "apiVersion and kind", fmt.Sprintf("they are required: write apiVersion: %s", v1alpha1.GroupVersion)})
	}
}

// takeList takes the objects of a list, as kubectl get prints it.
func (v *inventory) takeList(ctx context.Context, m manifest) {
	items, _ := m.object["items"].([]any)
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			v.refuse(m, "", fault{ruleDocument, fmt.Sprintf("items[%d]", i), errNoObject.Error()})
			continue
		}
		v.takeObject(ctx, manifest{m.place, m.in, fmt.Sprintf("%sitems[%d].", m.within, i), object})
	}
}

// takeOurs takes an object of the operator's group.
func (v *inventory) takeOurs(ctx context.Context, version, kind string, m manifest) {
	switch {
	case version != v1alpha1.GroupVersion.String():
		v.refuse(m, "", fault{ruleSchema, "apiVersion", fmt.Sprintf("%q: there is no such version: write %s", version, v1alpha1.GroupVersion)})
	case v.definitions[kind] == nil:
		known := slices.Sorted(maps.Keys(v.definitions))
		v.refuse(m, "", fault{ruleSchema, "kind", fmt.Sprintf("%q: %s has no such kind: write one of %s", kind, v1alpha1.GroupVersion, strings.Join(known, ", "))})
	default:
		v.admit(ctx, kind, m)
	}
}

// admit checks an object and keeps it.
func (v *inventory) admit(ctx context.Context, kind string, m manifest) {
	bare, namespace := v.nameOf(kind, m)
	name := kind + " " + strings.TrimPrefix(namespace+"/"+bare, "/")
	var gate gateManifest
	if kind == kindGate {
		gate = writtenGate(m, namespace)
	}
	faults := v.definitions[kind].admit(ctx, m.object)
	for _, complaint := range validation.IsDNS1123Subdomain(bare) {
		faults = append(faults, fault{ruleSchema, "metadata.name", fmt.Sprintf("%q: %s", bare, complaint)})
	}
	if first, twice := v.seen[name]; twice {
		faults = append(faults, fault{ruleDuplicate, "metadata.name", fmt.Sprintf("%q: it is at %s too: remove one of them", bare, first)})
	}
	v.seen[name] = m.place
	for _, fault := range faults {
		v.refuse(m, name, fault)
	}
	if len(faults) > 0 {
		return
	}
	if kind == kindGate {
		v.gates = append(v.gates, gate)
	} else if err := v.keep(kind, namespace, m); err != nil {
		v.refuse(m, name, faultOf(err))
	}
}

// nameOf gives the object's name, and the namespace that it is in.
func (v *inventory) nameOf(kind string, m manifest) (name, namespace string) {
	meta, _ := m.object["metadata"].(map[string]any)
	name, _ = meta["name"].(string)
	if !v.definitions[kind].namespaced {
		return name, ""
	}
	namespace, _ = meta["namespace"].(string)
	return name, cmp.Or(namespace, v.namespace)
}

func (v *inventory) keep(kind, namespace string, m manifest) error {
	switch kind {
	case "Objective":
		o := declared{m, &v1alpha1.Objective{}}
		if err := convert(m.object, o.Objective); err != nil {
			return err
		}
		o.Namespace = namespace
		v.objectives = append(v.objectives, o)
	case string(v1alpha1.SourceKindMetricSource), string(v1alpha1.SourceKindClusterMetricSource):
		return v.keepSource(v1alpha1.SourceKind(kind), namespace, m)
	case string(v1alpha1.IndicatorKindIndicator), string(v1alpha1.IndicatorKindClusterIndicator):
		return v.keepIndicator(compile.IndicatorKey{Kind: v1alpha1.IndicatorKind(kind), Namespace: namespace}, m)
	case "Exclusion":
		return v.keepExclusion(namespace, m)
	case "Calendar":
		return v.keepCalendar(namespace, m)
	case "Journey":
		return v.keepJourney(namespace, m)
	}
	return nil
}

func (v *inventory) keepSource(kind v1alpha1.SourceKind, namespace string, m manifest) error {
	if kind == v1alpha1.SourceKindMetricSource {
		s := &v1alpha1.MetricSource{}
		if err := convert(m.object, s); err != nil {
			return err
		}
		v.sources[compile.SourceKey{Kind: kind, Namespace: namespace, Name: s.Name}] = &origin{spec: &s.Spec}
		return nil
	}
	s := &v1alpha1.ClusterMetricSource{}
	if err := convert(m.object, s); err != nil {
		return err
	}
	if _, err := compile.Granted(s.Spec.AllowedNamespaces); err != nil {
		return err
	}
	v.sources[compile.SourceKey{Kind: kind, Name: s.Name}] = &origin{s.SourceSpec(), s.Spec.AllowedNamespaces}
	return nil
}

func convert(object map[string]any, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, into); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}
