package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/experience-slo/operator/internal/compile"
)

// Rules that a manifest can break, beside the reasons of compile.Error.
const (
	ruleDocument  = "InvalidDocument"
	ruleSchema    = "InvalidSchema"
	ruleDuplicate = "DuplicateIdentity"
)

// fault is what is wrong with a field of an object.
type fault struct {
	// rule is which of the rules is broken.
	rule string
	// field is a path, such as spec.matchers[1].label. It is empty where a whole
	// document is at fault.
	field string
	text  string
}

// String gives "spec.target: what is wrong".
func (f fault) String() string {
	if f.field == "" {
		return f.text
	}
	return f.field + ": " + f.text
}

// faultOf gives the fault that an error tells of.
func faultOf(err error) fault {
	if mistake, ok := errors.AsType[*compile.Error](err); ok {
		return fault{mistake.Reason, mistake.Field, mistake.Err.Error()}
	}
	return fault{rule: ruleSchema, text: err.Error()}
}

// mistake is what a person must mend in a document, or where it is a warning
// may have to.
type mistake struct {
	// place is the line of the field, or that where the document begins.
	place
	fault
	// object is such as "Objective shop/page-speed". It is empty where nobody can
	// tell.
	object  string
	warning bool
}

// String gives "objectives.yaml:12: what is wrong".
func (m mistake) String() string {
	out := m.place.String() + ": "
	if m.warning {
		out += "warning: "
	}
	if m.object != "" {
		out += m.object + ": "
	}
	return out + m.fault.String()
}

// refuse takes down a mistake in an object.
func (v *inventory) refuse(m manifest, object string, f fault) {
	v.mistakes = append(v.mistakes, mistake{place: m.placeOf(f.field), fault: f, object: object})
}

// warn takes down what may be a mistake.
func (v *inventory) warn(m manifest, object string, f fault) {
	v.mistakes = append(v.mistakes, mistake{place: m.placeOf(f.field), fault: f, object: object, warning: true})
}

// refused says whether there is a mistake that is no mere warning.
func (v *inventory) refused() bool {
	return slices.ContainsFunc(v.mistakes, func(m mistake) bool { return !m.warning })
}

// report gives the mistakes in the order in which they stand in the files.
func (v *inventory) report() []mistake {
	return slices.SortedStableFunc(slices.Values(v.mistakes), func(a, b mistake) int {
		return cmp.Or(cmp.Compare(v.order[a.file], v.order[b.file]), cmp.Compare(a.line, b.line))
	})
}

// nameOfObjective is how messages name an objective.
func nameOfObjective(o declared) string {
	return fmt.Sprintf("Objective %s/%s", o.Namespace, o.Name)
}
