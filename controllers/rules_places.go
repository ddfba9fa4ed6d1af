package controllers

import (
	"context"
	"fmt"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// placesName is the ConfigMap in the operator's namespace that keeps, over
// restarts, the namespaces in which it made ConfigMaps of rules: it may not look
// for them everywhere.
const placesName = "experience-slo-rules-places"

// What a ConfigMap of rules says of itself. The name of a source can be longer
// than a label's value, so the annotation has it in full.
const (
	sourceKindLabel  = "experience.slo/source-kind"
	sourceLabel      = "experience.slo/source"
	namespaceLabel   = "experience.slo/namespace"
	sourceAnnotation = "experience.slo/source-name"
)

// shelf is the rules of a source's objectives in one namespace.
type shelf struct {
	Source    compile.SourceKey
	Namespace string
}

// labels are those of the shelf's ConfigMaps.
func (s shelf) labels() client.MatchingLabels {
	return client.MatchingLabels{
		rules.ManagedBy: rules.Manager, sourceKindLabel: string(s.Source.Kind),
		sourceLabel: rules.Bounded(s.Source.Name, 63), namespaceLabel: s.Namespace,
	}
}

// shelfOf reads from a ConfigMap whose rules it holds.
func shelfOf(o metav1.Object) (shelf, bool) {
	labels := o.GetLabels()
	s := shelf{
		Source:    compile.SourceKey{Kind: v1alpha1.SourceKind(labels[sourceKindLabel]), Name: o.GetAnnotations()[sourceAnnotation]},
		Namespace: labels[namespaceLabel],
	}
	if s.Source.Kind == v1alpha1.SourceKindMetricSource {
		s.Source.Namespace = s.Namespace
	}
	return s, s.Source.Name != "" && s.Namespace != ""
}

// rulePlaces knows in which namespaces the ConfigMaps of each shelf are.
type rulePlaces struct {
	live client.Client
	// own is the operator's namespace.
	own string

	mu     sync.Mutex
	loaded bool
	// saved is what the record holds.
	saved map[string]string
	// unseen are places that could not be looked through yet.
	unseen map[string]bool
	shelf  map[shelf]map[string]bool
	// fresh are shelves that were found and not told of.
	fresh []shelf
}

func newRulePlaces(live client.Client, own string) *rulePlaces {
	return &rulePlaces{live: live, own: own, unseen: map[string]bool{}, shelf: map[shelf]map[string]bool{}}
}

// ready surveys if nobody did since the start.
func (p *rulePlaces) ready(ctx context.Context) error {
	p.mu.Lock()
	loaded := p.loaded
	p.mu.Unlock()
	if loaded {
		return nil
	}
	return p.survey(ctx)
}

// survey finds, once after a start, what an earlier process left. A place whose
// owner took the right to look away is tried again.
func (p *rulePlaces) survey(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.loaded {
		record := &corev1.ConfigMap{}
		err := p.live.Get(ctx, types.NamespacedName{Namespace: p.own, Name: placesName}, record)
		if client.IgnoreNotFound(err) != nil && !apierrors.IsForbidden(err) {
			return fmt.Errorf("get places of rules: %w", err)
		}
		p.loaded, p.unseen[p.own], p.saved = true, true, record.Data
		for place := range record.Data {
			p.unseen[place] = true
		}
	}
	for place := range p.unseen {
		err := p.look(ctx, place)
		if err != nil && !apierrors.IsForbidden(err) {
			return fmt.Errorf("list ConfigMaps of rules in %q: %w", place, err)
		}
	}
	return p.save(ctx)
}

func (p *rulePlaces) look(ctx context.Context, place string) error {
	found := metadataOf("ConfigMapList")
	if err := p.live.List(ctx, found, client.InNamespace(place), client.MatchingLabels{rules.ManagedBy: rules.Manager}); err != nil {
		return err
	}
	delete(p.unseen, place)
	for i := range found.Items {
		if s, ok := shelfOf(&found.Items[i]); ok {
			p.add(s, place)
			p.fresh = append(p.fresh, s)
		}
	}
	return nil
}

// take gives the shelves that surveys found since it was last called.
func (p *rulePlaces) take() []shelf {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.fresh
	p.fresh = nil
	return out
}

// of gives the places in which ConfigMaps of a shelf are.
func (p *rulePlaces) of(s shelf) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for place := range p.shelf[s] {
		out = append(out, place)
	}
	return out
}

// known gives the shelves of a source that have ConfigMaps somewhere.
func (p *rulePlaces) known(source compile.SourceKey) []shelf {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []shelf
	for s := range p.shelf {
		if s.Source == source {
			out = append(out, s)
		}
	}
	return out
}

// note keeps that ConfigMaps of a shelf will be made in a place. It is called
// before the first one is, so that none is ever forgotten.
func (p *rulePlaces) note(ctx context.Context, s shelf, place string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shelf[s][place] {
		return nil
	}
	p.add(s, place)
	return p.save(ctx)
}

// drop forgets a place in which a shelf has no ConfigMap any more.
func (p *rulePlaces) drop(ctx context.Context, s shelf, place string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if delete(p.shelf[s], place); len(p.shelf[s]) == 0 {
		delete(p.shelf, s)
	}
	return p.save(ctx)
}

func (p *rulePlaces) add(s shelf, place string) {
	if p.shelf[s] == nil {
		p.shelf[s] = map[string]bool{}
	}
	p.shelf[s][place] = true
}

// all gives the places that must be remembered. The operator's own is not
// forgotten.
func (p *rulePlaces) all() map[string]string {
	out := map[string]string{}
	for place := range p.unseen {
		out[place] = ""
	}
	for _, places := range p.shelf {
		for place := range places {
			out[place] = ""
		}
	}
	delete(out, p.own)
	return out
}

// save writes the record when it is not what it was.
func (p *rulePlaces) save(ctx context.Context) error {
	places := p.all()
	if maps.Equal(places, p.saved) {
		return nil
	}
	record := &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.own, Name: placesName, Labels: map[string]string{rules.ManagedBy: rules.Manager},
		},
		Data: places,
	}
	var err error
	if len(places) == 0 {
		err = client.IgnoreNotFound(p.live.Delete(ctx, record))
	} else {
		_, err = applyTo(ctx, p.live, record)
	}
	if err != nil {
		return fmt.Errorf("write places of rules: %w", err)
	}
	p.saved = places
	return nil
}

// metadataOf is an empty list of the metadata of a core kind's objects.
func metadataOf(kind string) *metav1.PartialObjectMetadataList {
	out := &metav1.PartialObjectMetadataList{}
	out.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return out
}
