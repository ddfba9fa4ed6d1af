package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const (
	openSLOVersion = "openslo/v1"
	openSLOAlpha   = "openslo/v1alpha"
)

// Kinds of OpenSLO.
const (
	kindSLO        = "SLO"
	kindSLI        = "SLI"
	kindDataSource = "DataSource"
	kindService    = "Service"
	kindPolicy     = "AlertPolicy"
	kindCondition  = "AlertCondition"
	kindTarget     = "AlertNotificationTarget"
)

// reference names an object of OpenSLO.
type reference struct{ kind, name string }

// compatible are the types of data sources that answer as Prometheus does.
var compatible = map[string]bool{"prometheus": true, "thanos": true, "mimir": true, "cortex": true, "victoriametrics": true}

// openSLOKinds are the kinds of each version.
var openSLOKinds = map[string][]string{
	openSLOVersion: {kindSLO, kindSLI, kindDataSource, kindService, kindPolicy, kindCondition, kindTarget},
	openSLOAlpha:   {kindSLO, kindService},
}

func (s *session) openSLO(objects []field) {
	var slos, sources []field
	for _, root := range objects {
		version, kind := root.at("apiVersion"), root.at("kind")
		if !slices.Contains(openSLOKinds[version.peek()], kind.peek()) {
			s.skip(root)
			continue
		}
		version.claim()
		kind.claim()
		if kind.peek() == kindSLO {
			slos = append(slos, root)
		} else if s.enter(kind.peek(), root) && kind.peek() == kindDataSource {
			sources = append(sources, root)
		}
	}
	for _, root := range slos {
		s.openSLOObjectives(root)
	}
	for _, root := range sources {
		s.dataSource(root)
	}
	s.closeLibrary()
}

// enter takes down an object that others refer to. It is false for a second one
// of a name.
func (s *session) enter(kind string, root field) bool {
	name := root.at("metadata").at("name")
	key := reference{kind, name.peek()}
	if _, twice := s.library[key]; twice {
		s.refuse(name, root, fmt.Sprintf("there is another %s of this name: remove one of them", kind))
		return false
	}
	s.library[key] = root
	return true
}

// find looks an object up that a field refers to.
func (s *session) find(kind string, ref field) (field, bool) {
	key := reference{kind, ref.text()}
	root, ok := s.library[key]
	if ok && !s.used[key] {
		s.used[key] = true
		root.at("metadata").at("name").claim()
	}
	return root, ok
}

// closeLibrary tells of the objects that nothing refers to.
func (s *session) closeLibrary() {
	for key, root := range s.library {
		if key.kind == kindDataSource {
			continue
		}
		if !s.used[key] {
			s.drop(root, "no SLO among the documents refers to this %s: convert them together", key.kind)
		}
	}
}

// dataSource makes a MetricSource.
func (s *session) dataSource(root field) {
	metadata, spec := root.at("metadata"), root.at("spec")
	name, kind := metadata.at("name"), spec.at("type")
	if !compatible[strings.ToLower(kind.text())] {
		s.refuse(kind, root, "the operator reads from servers that answer as Prometheus does, and from no others: record the metrics there")
		return
	}
	out := &v1alpha1.MetricSource{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: string(v1alpha1.SourceKindMetricSource)}}
	out.Name, out.Namespace = s.called(name, name.text()), s.Namespace
	out.Labels, out.Annotations = s.metadataOf(metadata)
	for _, key := range []string{"url", "uri", "address", "server", "endpoint"} {
		address := spec.at("connectionDetails").at(key)
		switch {
		case !address.scalar():
		case out.Spec.URL == "":
			out.Spec.URL = strings.TrimSuffix(strings.TrimSuffix(address.text(), "/"), "/api/v1")
		default:
			s.drop(address, "there is an address before it: see which one is right")
		}
	}
	if out.Spec.URL == "" {
		s.refuse(spec.at("connectionDetails"), root, "there is no address: write it as url, without /api/v1")
		return
	}
	s.drop(spec.at("connectionDetails"), "credentials come from a Secret that spec.authentication of the MetricSource names: create it")
	for _, f := range []field{metadata.at("displayName"), spec.at("description")} {
		s.drop(f, "a MetricSource has none: write it as an annotation where it is needed")
	}
	s.objects = append(s.objects, Object{File: root.doc.file, Line: root.line, Value: out})
}

// metadataOf gives the labels and annotations that an object can keep.
func (s *session) metadataOf(metadata field) (labels, annotations map[string]string) {
	u := s.begin(metadata)
	for _, e := range metadata.at("labels").entries() {
		items := e.items()
		if len(items) > 0 {
			for _, item := range items[1:] {
				s.drop(item, "a label has one value: the first is kept")
			}
			e.field = items[0]
		}
		u.keep(&labels, e)
	}
	for _, e := range metadata.at("annotations").entries() {
		u.keep(&annotations, e)
	}
	return labels, annotations
}

// openSLOObjectives makes an objective of each of those that an SLO has.
func (s *session) openSLOObjectives(root field) {
	spec := root.at("spec")
	items := spec.at("objectives").items()
	if len(items) == 0 {
		s.refuse(spec.at("objectives"), root, "it is required: list at least one objective")
		return
	}
	before := len(s.objects)
	for i, suffix := range suffixes(items) {
		s.openSLOObjective(root, items[i], suffix)
	}
	s.nothingOf(root, before)
}

// suffixes tell objectives of one SLO apart: by what they are called, by their
// number, or by both where another is called the same. One needs none.
func suffixes(items []field) []string {
	if len(items) == 1 {
		return []string{""}
	}
	var out []string
	for i, item := range items {
		number := fmt.Sprint(i + 1)
		suffix := cmp.Or(dashed(item.at("displayName").peek(), 63, ""), number)
		for slices.Contains(out, suffix) {
			suffix += "-" + number
		}
		out = append(out, suffix)
	}
	return out
}

// openSLOObjective makes an objective of one of those of an SLO; an only one has
// no suffix.
func (s *session) openSLOObjective(root, item field, suffix string) {
	whole := item
	if suffix == "" {
		whole = root
	}
	u := s.begin(whole)
	metadata, spec := root.at("metadata"), root.at("spec")
	name := metadata.at("name")
	if name.text() == "" {
		u.fail(name, "it is required: write the name of the SLO")
	}
	full := s.called(name, name.text())
	display := item.at("displayName")
	if suffix != "" {
		full += "-" + suffix
		s.note(name, "each of its objectives becomes one of its own: %q", full)
	}
	u.place(metadata, full)
	u.objective.Labels, u.objective.Annotations = s.metadataOf(metadata)
	u.openSLOService(spec.at("service"))
	u.describe(metadata.at("displayName"), display, spec.at("description"))
	u.openSLOTarget(item)
	u.openSLOWindow(spec)
	u.openSLOIndicator(spec, item)
	u.policies(spec.at("alertPolicies"))
	s.drop(item.at("compositeWeight"), "objectives are not weighed against each other: each is judged by itself")
	u.finish()
}

func (u *unit) openSLOService(f field) {
	if f.text() == "" {
		u.fail(f, "it is required: write the name of the service")
		return
	}
	u.serve(f, f.text())
	if service, ok := u.find(kindService, f); ok {
		for _, about := range []field{service.at("metadata").at("displayName"), service.at("spec").at("description")} {
			u.drop(about, "there is no kind for services: write it where services are described")
		}
		u.drop(service.at("metadata"), "there is no kind for services: nothing to do")
	}
}

func (u *unit) openSLOTarget(item field) {
	share, percent := item.at("target"), item.at("targetPercent")
	switch {
	case share.exists() && percent.exists():
		u.fail(percent, "there is a target too: remove one of them")
	case percent.exists():
		u.promise(percent, 1)
	default:
		u.promise(share, 100)
	}
}
