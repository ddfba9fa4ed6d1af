package convert

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// unit is one objective under way, from the part of a document that declares it.
type unit struct {
	*session
	root      field
	objective *v1alpha1.Objective
	failed    bool
	// referred says that the document names the source.
	referred bool
}

func (s *session) begin(root field) *unit {
	o := &v1alpha1.Objective{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Objective"}}
	o.Spec.Perspective, o.Spec.Touchpoint = s.Perspective, s.Touchpoint
	if s.Source != nil {
		ref := *s.Source
		o.Spec.SourceRef = &ref
	}
	return &unit{session: s, root: root, objective: o}
}

// fail keeps the objective from being converted, and says why.
func (u *unit) fail(f field, format string, args ...any) {
	u.failed = true
	u.refuse(f, u.root, fmt.Sprintf(format, args...))
}

// refuse tells why all that is under a root was not converted.
func (s *session) refuse(f, root field, text string) {
	f.claim()
	s.notes = append(s.notes, Note{
		File: f.doc.file, Line: f.line, Severity: Failed, Field: f.path, Value: f.shown(), Text: text, covers: root.path + ".",
	})
	for _, leaf := range root.leaves() {
		leaf.claim()
	}
}

// nothingOf tells of a document of which no objective could be converted, so that
// what its objectives share is in none.
func (s *session) nothingOf(root field, before int) {
	if len(s.objects) > before {
		return
	}
	for _, leaf := range root.leaves() {
		leaf.claim()
	}
	s.notes = append(s.notes, Note{
		File: root.doc.file, Line: root.line, Severity: Dropped, Field: root.path,
		Text: "nothing of it is converted: see the errors", covers: root.path + ".",
	})
}

// finish keeps the objective unless it failed.
func (u *unit) finish() {
	if !u.failed {
		u.objects = append(u.objects, Object{File: u.root.doc.file, Line: u.root.line, Value: u.objective})
	}
}

// place names the object and its namespace.
func (u *unit) place(metadata field, name string) {
	u.objective.Name = name
	u.objective.Namespace = u.Namespace
	if namespace := metadata.at("namespace"); namespace.exists() {
		u.objective.Namespace = namespace.text()
	}
}

// called turns the text of a field into a name, and notes it where it is another.
func (s *session) called(f field, text string) string {
	name := dashed(text, 253, ".")
	if name != text {
		s.note(f, "an object's name must be in lower case, with dashes: it becomes %q", name)
	}
	return name
}

// serve sets the service.
func (u *unit) serve(f field, text string) {
	service := v1alpha1.Label(dashed(text, 63, ""))
	if string(service) != text {
		u.note(f, "a service must be in lower case, with dashes: it becomes %q", service)
	}
	u.objective.Spec.Service = service
}

// dashed makes a name of lower-case letters, digits and dashes of a text. What
// is to be kept beside them is kept inside.
func dashed(text string, longest int, keep string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(keep, r) {
			out.WriteRune(r)
		} else if !strings.HasSuffix(out.String(), "-") {
			out.WriteByte('-')
		}
	}
	name := strings.Trim(out.String(), "-.")
	return strings.Trim(name[:min(len(name), longest)], "-.")
}

// describe sets the description from what is there of a name for people and a
// description.
func (u *unit) describe(fields ...field) {
	var parts []string
	last := u.root
	for _, f := range fields {
		if text := strings.TrimSpace(f.text()); text != "" {
			parts, last = append(parts, text), f
		}
	}
	const longest = 1024
	text := strings.Join(parts, ": ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "")
		u.note(last, "a description has at most %d characters: its end is cut off", longest)
	}
	u.objective.Spec.Description = text
}

// serverFields are those of metadata that a cluster sets.
var serverFields = []string{"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields", "ownerReferences", "finalizers"}

// lastApplied is the annotation in which kubectl keeps a copy of the manifest.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// served drops what a cluster wrote on an object.
func (s *session) served(root field) {
	for _, name := range serverFields {
		s.drop(root.at("metadata").at(name), "a cluster writes it: nothing to do")
	}
	s.drop(root.at("metadata").at("annotations").at(lastApplied), "kubectl writes it: nothing to do")
	s.drop(root.at("status"), "a controller writes it: nothing to do")
}
