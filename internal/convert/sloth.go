package convert

import (
	"fmt"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Sloth's documents: objects for a cluster, whose fields are in camel case, and
// plain ones, whose fields are in snake case.
const (
	slothVersion  = "sloth.slok.dev/v1"
	slothKind     = "PrometheusServiceLevel"
	slothWindows  = "AlertWindows"
	slothPlain    = "prometheus/v1"
	partOf        = "app.kubernetes.io/part-of"
	onlySlothRule = "Sloth's rules have it, and those of the operator do not: nothing to do unless a dashboard uses it"
)

// spelled spells the names of fields.
type spelled func(name string) string

func camel(name string) string { return name }

func snake(name string) string {
	var out strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

func (s *session) sloth(objects []field) {
	for _, root := range objects {
		version, kind := root.at("apiVersion").peek(), root.at("kind").peek()
		switch {
		case version == slothVersion && kind == slothKind:
			root.at("apiVersion").claim()
			root.at("kind").claim()
			s.slothService(root, root.at("spec"), camel)
		case version == slothVersion && kind == slothWindows:
			root.at("apiVersion").claim()
			root.at("kind").claim()
			s.drop(root.at("spec").at("sloPeriod"), "give it as --window")
			s.drop(root, "the operator derives the windows of its alerts from window and target: see docs/alerts.md")
		case version == "" && root.at("version").peek() == slothPlain:
			root.at("version").claim()
			s.slothService(root, root, snake)
		default:
			s.skip(root)
		}
	}
}

// skip passes over an object of another's.
func (s *session) skip(root field) {
	what := strings.TrimSpace(root.at("apiVersion").peek() + " " + root.at("kind").peek())
	if what == "" {
		what = "an object without apiVersion and kind"
	}
	for _, leaf := range root.leaves() {
		leaf.claim()
	}
	s.notes = append(s.notes, Note{
		File: root.doc.file, Line: root.line, Severity: Dropped, Field: root.path,
		Text: fmt.Sprintf("%s is skipped: it is no objective of %s", what, s.From), covers: root.path + ".",
	})
}

func (s *session) slothService(root, spec field, as spelled) {
	s.served(root)
	slos := spec.at("slos").items()
	if len(slos) == 0 {
		s.refuse(spec.at("slos"), root, "it is required: list at least one SLO")
		return
	}
	before := len(s.objects)
	for _, slo := range slos {
		s.slothObjective(root, spec, slo, as)
	}
	s.nothingOf(root, before)
	for _, e := range root.at("metadata").at("annotations").entries() {
		s.drop(e.field, "annotations of Sloth's object are not those of an objective: copy it by hand where it is needed")
	}
	s.slothPlugins(spec.at(as("sloPlugins")))
}

func (s *session) slothPlugins(plugins field) {
	s.drop(plugins, "plugins change Sloth's rules, and there are none here: look for a field of Objective that does the same")
}

func (s *session) slothObjective(root, spec, slo field, as spelled) {
	u := s.begin(slo)
	service := spec.at("service").text()
	if service == "" {
		u.fail(spec.at("service"), "it is required: write the name of the service")
	}
	name := slo.at("name").text()
	if name == "" {
		u.fail(slo.at("name"), "it is required: write the name of the SLO")
	}
	u.place(root.at("metadata"), s.called(slo.at("name"), service+"-"+name))
	u.labelled(root.at("metadata"))
	u.serve(spec.at("service"), service)
	u.describe(slo.at("description"))
	u.promise(slo.at("objective"), 1)
	u.objective.Spec.Window.Rolling = s.Window
	u.slothIndicator(slo.at("sli"), as)
	u.slothAlerting(spec, slo, as)
	s.slothPlugins(slo.at("plugins"))
	s.drop(slo.at("infoLabels"), onlySlothRule)
	s.drop(slo.at("interval"), "the source says how often its rules are evaluated: set spec.interval of the MetricSource")
	u.finish()
}

// labelled keeps the labels of an object, and its name as that of what the
// objective is a part of.
func (u *unit) labelled(metadata field) {
	for _, e := range metadata.at("labels").entries() {
		u.keep(&u.objective.Labels, e)
	}
	name := metadata.at("name")
	switch text := name.text(); {
	case text == "":
	case len(validation.IsValidLabelValue(text)) > 0:
		u.tell(Dropped, name, "objectives are named after the service and the SLO, and it is too long for a label: nothing to do")
	default:
		u.keep(&u.objective.Labels, entry{partOf, name})
	}
}

func (u *unit) slothIndicator(sli field, as spelled) {
	events, raw, plugin := sli.at("events"), sli.at("raw"), sli.at("plugin")
	switch {
	case plugin.exists():
		u.fail(plugin.at("id"), "a plugin is Go code: run sloth generate, and convert the queries that it makes as events")
	case events.exists() && raw.exists():
		u.fail(raw, "there are events too: remove one of them")
	case events.exists():
		bad := events.at(as("errorQuery"))
		if r, ok := u.ratioOf(bad, events.at(as("totalQuery")), true); ok {
			u.count(bad, r)
		}
	case raw.exists():
		u.measured(raw.at(as("errorRatioQuery")), true)
	default:
		u.fail(sli, "there is none of events, raw and plugin: write one")
	}
}

func (u *unit) slothAlerting(spec, slo field, as spelled) {
	alerting := slo.at("alerting")
	u.drop(alerting.at("name"), "alerts are called ExperienceBudgetBurn and ExperienceDataAbsent: route them by their labels objective and service")
	common := append(u.labelsOf(spec.at("labels").entries()), u.labelsOf(slo.at("labels").entries())...)
	common = append(common, u.labelsOf(alerting.at("labels").entries())...)
	annotations := u.annotationsOf(alerting.at("annotations").entries())
	page, ticket := alerting.at(as("pageAlert")), alerting.at(as("ticketAlert"))
	pageOff, _ := page.at("disable").flag()
	ticketOff, _ := ticket.at("disable").flag()
	u.alert(
		tier(!pageOff, u.texts(common, u.labelsOf(page.at("labels").entries())), u.texts(annotations, u.annotationsOf(page.at("annotations").entries()))),
		tier(!ticketOff, u.texts(common, u.labelsOf(ticket.at("labels").entries())), u.texts(annotations, u.annotationsOf(ticket.at("annotations").entries()))),
		tier(true, u.texts(common), nil),
	)
}
