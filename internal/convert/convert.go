// Package convert turns objectives that were written for Sloth, Pyrra or OpenSLO
// into those of this project. It takes text and gives objects and notes. Nothing
// is dropped in silence, by construction: a document is a tree whose leaves are
// claimed as they are read, and a leaf that nobody claimed becomes a note.
package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Format is what documents were written for.
type Format string

// Formats that can be converted.
const (
	Sloth   Format = "sloth"
	Pyrra   Format = "pyrra"
	OpenSLO Format = "openslo"
)

// Formats are all that can be converted.
var Formats = []Format{Sloth, Pyrra, OpenSLO}

// Options say what the documents do not.
type Options struct {
	From Format
	// Namespace is that of objects whose documents name none; they name none
	// either where it is empty.
	Namespace   string
	Perspective v1alpha1.Perspective
	Touchpoint  v1alpha1.Label
	// Service is that of documents that name none.
	Service v1alpha1.Label
	// Source is that of objectives whose documents name none; nil is the default
	// ClusterMetricSource.
	Source *v1alpha1.SourceReference
	// Window is that of documents that name none.
	Window v1alpha1.RollingWindow
}

// Document is the text of one document and where it was found.
type Document struct {
	File string
	// Line is that of the text's first line in the file.
	Line int
	Text []byte
}

// Object is an Objective or a MetricSource, and where it comes from.
type Object struct {
	File string
	Line int
	// Value is a *v1alpha1.Objective or a *v1alpha1.MetricSource.
	Value any
}

// Severity is what a note says of a field.
type Severity string

const (
	// Changed is converted, and something about it is worth knowing.
	Changed Severity = "note"
	// Dropped has nothing like it here.
	Dropped Severity = "not converted"
	// Failed keeps a whole objective from being converted.
	Failed Severity = "error"
)

// Note tells what became of a field.
type Note struct {
	// File is empty for what holds for all documents.
	File string
	Line int
	Severity
	// Field is a path such as spec.slos[0].name, and Value its value as it is
	// shown: quoted, short, and hidden where it may be a secret.
	Field, Value string
	Text         string

	// covers ends with a dot: what begins with it was not converted, and a dot
	// alone is the whole document.
	covers string
}

// String gives "slos.yaml:12: not converted: spec.x: "value": why, and what to do".
func (n Note) String() string {
	out := string(n.Severity) + ": "
	if n.File != "" {
		out = fmt.Sprintf("%s:%d: %s", n.File, n.Line, out)
	}
	for _, part := range []string{n.Field, n.Value} {
		if part != "" {
			out += part + ": "
		}
	}
	return out + n.Text
}

// Result is what became of documents.
type Result struct {
	Objects []Object
	// Notes are in the order of the documents and their lines; those that hold
	// for all come last.
	Notes []Note
}

// Failed says whether an objective could not be converted.
func (r Result) Failed() bool {
	return slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Severity == Failed })
}

// session is a conversion under way.
type session struct {
	Options
	objects []Object
	notes   []Note
	order   map[string]int
	read    []*document
	// library is what documents refer to by name.
	library map[reference]field
	used    map[reference]bool
}

// Convert converts documents.
func Convert(documents []Document, o Options) Result {
	s := &session{Options: o, order: map[string]int{}, library: map[reference]field{}, used: map[reference]bool{}}
	for i, d := range documents {
		if _, known := s.order[d.File]; !known {
			s.order[d.File] = i
		}
		s.parse(d)
	}
	converters := map[Format]func([]field){Sloth: s.sloth, Pyrra: s.pyrra, OpenSLO: s.openSLO}
	converters[o.From](s.objectsOf())
	for _, d := range s.read {
		s.leftovers(d)
	}
	s.assumptions()
	return Result{Objects: s.objects, Notes: s.sorted()}
}

// sorted gives the notes in the order of the text, each once.
func (s *session) sorted() []Note {
	out := slices.Clone(s.notes)
	slices.SortStableFunc(out, func(a, b Note) int {
		return cmp.Or(
			cmp.Compare(b2i(a.File == ""), b2i(b.File == "")),
			cmp.Compare(s.order[a.File], s.order[b.File]), cmp.Compare(a.Line, b.Line), strings.Compare(a.Field, b.Field),
		)
	})
	seen := map[Note]bool{}
	return slices.DeleteFunc(out, func(n Note) bool {
		twice := seen[n]
		seen[n] = true
		return twice
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// assumptions tells once what was assumed of all objectives.
func (s *session) assumptions() {
	if !slices.ContainsFunc(s.objects, isObjective) {
		return
	}
	general := func(format string, args ...any) {
		s.notes = append(s.notes, Note{Severity: Changed, Text: fmt.Sprintf(format, args...)})
	}
	general("perspective: %s for all objectives; neither is known to %s: --perspective says otherwise, and --touchpoint where people meet the service", s.Perspective, s.From)
	if s.Source == nil && slices.ContainsFunc(s.objects, func(o Object) bool { return isObjective(o) && o.Value.(*v1alpha1.Objective).Spec.SourceRef == nil }) {
		general("source: the ClusterMetricSource %q, where nothing is said of one: --source names another", v1alpha1.DefaultSourceName)
	}
	if s.From == Sloth {
		general("window: %s: Sloth takes it from its command line: --window says another", s.Window)
		general("alerting.dataAbsent: on, and without an equal in Sloth: set its mode to Disabled to be without")
	}
}

func isObjective(o Object) bool {
	_, ok := o.Value.(*v1alpha1.Objective)
	return ok
}

// note tells of a field that is converted.
func (s *session) note(f field, format string, args ...any) {
	s.tell(Changed, f, fmt.Sprintf(format, args...))
}

// drop claims all that is under a field, and tells of each leaf that it is not
// converted.
func (s *session) drop(f field, format string, args ...any) {
	for _, leaf := range f.leaves() {
		if leaf.claim() {
			s.tell(Dropped, leaf, fmt.Sprintf(format, args...))
		}
	}
}

func (s *session) tell(severity Severity, f field, text string) {
	s.notes = append(s.notes, Note{File: f.doc.file, Line: f.line, Severity: severity, Field: f.path, Value: f.shown(), Text: text})
}

// leftovers tells of the leaves that nobody claimed.
func (s *session) leftovers(d *document) {
	for _, leaf := range (field{doc: d, node: d.root, line: d.line}).leaves() {
		if leaf.claim() {
			s.tell(Dropped, leaf, d.leftover)
		}
	}
}
