package convert

import (
	"regexp"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// The most that an alert carries of either, and how long each may be.
const (
	mostTexts   = 16
	longestText = 1024
)

var (
	textName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)
	// reserved are the labels that the operator sets.
	reserved = map[string]bool{
		"__name__": true, "alertname": true, "namespace": true, "objective": true, "service": true,
		"perspective": true, "touchpoint": true, "recipe": true, "window": true,
	}
)

// carried is a label or an annotation of alerts and where it was written.
type carried struct {
	entry
	value string
}

// labelsOf are labels that alerts can carry. The others are told.
func (s *session) labelsOf(entries []entry) []carried {
	var out []carried
	for _, e := range entries {
		switch value := e.peek(); {
		case !e.scalar():
			continue // it is told when nobody claims it
		case reserved[e.key]:
			s.drop(e.field, "the operator sets this label itself: give it another name")
		case strings.Contains(value, "{{"):
			s.drop(e.field, "a label must not hold a template, for each change of it would be another alert: write it as an annotation")
		default:
			out = s.carry(out, e)
		}
	}
	return out
}

// annotationsOf are annotations that alerts can carry. The others are told.
func (s *session) annotationsOf(entries []entry) []carried {
	var out []carried
	for _, e := range entries {
		if !e.scalar() {
			continue // it is told when nobody claims it
		}
		out = s.carry(out, e)
		if strings.Contains(e.peek(), "{{") {
			s.note(e.field, "the template is kept; labels of its alerts are namespace, objective, service, window and severity here")
		}
	}
	return out
}

func (s *session) carry(out []carried, e entry) []carried {
	switch value := e.peek(); {
	case !textName.MatchString(e.key):
		s.drop(e.field, "a name has letters, digits and underscores, up to 64: give it another name")
	case len(value) > longestText:
		s.drop(e.field, "it has more than %d characters: write a shorter one", longestText)
	default:
		return append(out, carried{e, e.text()})
	}
	return out
}

// texts joins what alerts carry: what comes later replaces what came before.
func (s *session) texts(of ...[]carried) map[string]v1alpha1.AlertText {
	out, from := map[string]v1alpha1.AlertText{}, map[string]field{}
	for _, part := range of {
		for _, c := range part {
			before, twice := from[c.key]
			switch {
			case twice && before.peek() != c.value:
				s.note(before, "%s replaces it where both are given", c.path)
			case !twice && len(out) == mostTexts:
				s.note(c.field, "not all alerts carry it: they carry at most %d: remove others", mostTexts)
				continue
			}
			out[c.key], from[c.key] = v1alpha1.AlertText(c.value), c.field
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// tier makes what the alerts of a severity carry, or nothing where they are as
// they always are.
func tier(on bool, labels, annotations map[string]v1alpha1.AlertText) *v1alpha1.AlertTier {
	out := &v1alpha1.AlertTier{Labels: labels, Annotations: annotations}
	if !on {
		out.Mode = v1alpha1.AlertDisabled
	}
	if on && labels == nil && annotations == nil {
		return nil
	}
	return out
}

// alert sets the alerting of the objective; what is as always is left out.
func (u *unit) alert(page, ticket, absent *v1alpha1.AlertTier) {
	if page == nil && ticket == nil && absent == nil {
		return
	}
	u.objective.Spec.Alerting = &v1alpha1.Alerting{Page: page, Ticket: ticket}
	if absent != nil {
		u.objective.Spec.Alerting.DataAbsent = &v1alpha1.DataAbsentAlert{AlertTier: *absent}
	}
}
