package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Resources that are asked for.
const (
	objectives    = "objectives"
	gates         = "gates"
	journeys      = "journeys"
	metricSources = "metricsources"

	indicators        = "indicators"
	clusterIndicators = "clusterindicators"
	calendars         = "calendars"
	exclusions        = "exclusions"

	clusterSources = "clustermetricsources"

	namespaceResource = "namespaces"
)

// pageSize is how many objects are asked for at once.
const pageSize = 500

// Query chooses objects.
type Query struct {
	// Namespace is empty for all of them.
	Namespace string
	// Selector is a label selector; nil chooses everything.
	Selector labels.Selector
}

// ParseSelector reads a label selector as kubectl does.
func ParseSelector(text string) (labels.Selector, error) {
	selector, err := labels.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--selector %q: %w: write it like app=checkout,tier!=test", text, err)
	}
	return selector, nil
}

// Objectives lists objectives, by namespace and name.
func (c *Cluster) Objectives(ctx context.Context, q Query) ([]v1alpha1.Objective, error) {
	out, _, err := c.listObjectives(ctx, q)
	return out, err
}

// listObjectives gives the version of the list too, for a watch to go on from.
func (c *Cluster) listObjectives(ctx context.Context, q Query) ([]v1alpha1.Objective, string, error) {
	var out []v1alpha1.Objective
	page := &v1alpha1.ObjectiveList{}
	err := c.pages(ctx, objectives, q, page, func() {
		out, page.Items = append(out, page.Items...), nil
	})
	for i := range out {
		out[i].TypeMeta = typeOf("Objective")
	}
	slices.SortFunc(out, func(a, b v1alpha1.Objective) int { return compare(&a, &b) })
	return out, page.ResourceVersion, err
}

// Gates lists gates, by namespace and name.
func (c *Cluster) Gates(ctx context.Context, q Query) ([]v1alpha1.Gate, error) {
	out, _, err := c.listGates(ctx, q)
	return out, err
}

func (c *Cluster) listGates(ctx context.Context, q Query) ([]v1alpha1.Gate, string, error) {
	var out []v1alpha1.Gate
	page := &v1alpha1.GateList{}
	err := c.pages(ctx, gates, q, page, func() {
		out, page.Items = append(out, page.Items...), nil
	})
	for i := range out {
		out[i].TypeMeta = typeOf("Gate")
	}
	slices.SortFunc(out, func(a, b v1alpha1.Gate) int { return compare(&a, &b) })
	return out, page.ResourceVersion, err
}

// Exclusions lists the exclusions of a namespace.
func (c *Cluster) Exclusions(ctx context.Context, namespace string) ([]v1alpha1.Exclusion, error) {
	var out []v1alpha1.Exclusion
	page := &v1alpha1.ExclusionList{}
	err := c.pages(ctx, exclusions, Query{Namespace: namespace}, page, func() {
		out, page.Items = append(out, page.Items...), nil
	})
	return out, err
}

// Journeys lists journeys, by namespace and name.
func (c *Cluster) Journeys(ctx context.Context, q Query) ([]v1alpha1.Journey, error) {
	out, _, err := c.listJourneys(ctx, q)
	return out, err
}

func (c *Cluster) listJourneys(ctx context.Context, q Query) ([]v1alpha1.Journey, string, error) {
	var out []v1alpha1.Journey
	page := &v1alpha1.JourneyList{}
	err := c.pages(ctx, journeys, q, page, func() {
		out, page.Items = append(out, page.Items...), nil
	})
	for i := range out {
		out[i].TypeMeta = typeOf("Journey")
	}
	slices.SortFunc(out, func(a, b v1alpha1.Journey) int { return compare(&a, &b) })
	return out, page.ResourceVersion, err
}

// pages reads a list page by page; take empties the page.
func (c *Cluster) pages(ctx context.Context, resource string, q Query, page client.ObjectList, take func()) error {
	options := &client.ListOptions{Namespace: q.Namespace, LabelSelector: q.Selector, Limit: c.page}
	for {
		// What an answer leaves out would stay as it was.
		page.SetContinue("")
		if err := c.client.List(ctx, page, options); err != nil {
			return c.word(request{verb: "list", resource: resource, namespace: q.Namespace}, err)
		}
		take()
		if options.Continue = page.GetContinue(); options.Continue == "" {
			return nil
		}
	}
}

// Objective reads one objective.
func (c *Cluster) Objective(ctx context.Context, namespace, name string) (*v1alpha1.Objective, error) {
	out := &v1alpha1.Objective{}
	if err := c.get(ctx, objectives, namespace, name, out); err != nil {
		return nil, err
	}
	out.TypeMeta = typeOf("Objective")
	return out, nil
}

// Gate reads one gate.
func (c *Cluster) Gate(ctx context.Context, namespace, name string) (*v1alpha1.Gate, error) {
	out := &v1alpha1.Gate{}
	if err := c.get(ctx, gates, namespace, name, out); err != nil {
		return nil, err
	}
	out.TypeMeta = typeOf("Gate")
	return out, nil
}

// Source reads the source of an objective.
func (c *Cluster) Source(ctx context.Context, o *v1alpha1.Objective) (*v1alpha1.MetricSourceSpec, error) {
	ref := o.Source()
	if ref.Kind == v1alpha1.SourceKindMetricSource {
		out := &v1alpha1.MetricSource{}
		err := c.get(ctx, metricSources, o.Namespace, string(ref.Name), out)
		return &out.Spec, err
	}
	out := &v1alpha1.ClusterMetricSource{}
	err := c.get(ctx, clusterSources, "", string(ref.Name), out)
	return out.SourceSpec(), err
}

// Indicator reads the indicator that an objective refers to; nil where it refers to
// none.
func (c *Cluster) Indicator(ctx context.Context, o *v1alpha1.Objective) (*v1alpha1.IndicatorSpec, error) {
	ref := o.Spec.Indicator.Ref
	if ref == nil {
		return nil, nil
	}
	if ref.Kind == v1alpha1.IndicatorKindIndicator {
		out := &v1alpha1.Indicator{}
		err := c.get(ctx, indicators, o.Namespace, string(ref.Name), out)
		return &out.Spec, err
	}
	out := &v1alpha1.ClusterIndicator{}
	err := c.get(ctx, clusterIndicators, "", string(ref.Name), out)
	return &out.Spec, err
}

// Calendar reads a calendar.
func (c *Cluster) Calendar(ctx context.Context, namespace, name string) (*v1alpha1.CalendarSpec, error) {
	out := &v1alpha1.Calendar{}
	err := c.get(ctx, calendars, namespace, name, out)
	return &out.Spec, err
}

func (c *Cluster) get(ctx context.Context, resource, namespace, name string, into client.Object) error {
	r := request{verb: "get", resource: resource, namespace: namespace, name: name}
	return c.word(r, c.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into))
}

// Namespaces lists the names of namespaces.
func (c *Cluster) Namespaces(ctx context.Context) ([]string, error) {
	list := &corev1.NamespaceList{}
	if err := c.client.List(ctx, list); err != nil {
		return nil, c.word(request{verb: "list", resource: namespaceResource}, err)
	}
	var out []string
	for _, n := range list.Items {
		out = append(out, n.Name)
	}
	slices.Sort(out)
	return out, nil
}

// typeOf is what the API server leaves out of the objects of a list.
func typeOf(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
}

func compare(a, b metav1.Object) int {
	return cmp.Or(strings.Compare(a.GetNamespace(), b.GetNamespace()), strings.Compare(a.GetName(), b.GetName()))
}

// Object is an object of a cluster.
type Object = client.Object

// Key is the namespace and the name of an object.
type Key = client.ObjectKey

// KeyOf gives the key of an object.
func KeyOf(o client.Object) Key { return client.ObjectKeyFromObject(o) }
