package convert

import (
	"regexp"
	"slices"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// pages are severities for which a person is called at once.
var pages = regexp.MustCompile(`(?i)page|crit|urgent|emergency|high|^(sev|p)-?[01]$`)

// asked is what the alert policies of an SLO ask for.
type asked struct {
	page, ticket, absent bool
	// severities and targets are those of the alerts, by tier.
	pageSeverity, ticketSeverity string
	targets                      []string
}

// targetLabel is the label by which a router finds who is told.
const targetLabel = "notification_target"

// policies sets the alerting: an SLO without a policy has no alerts.
func (u *unit) policies(list field) {
	var a asked
	for _, item := range list.items() {
		u.policy(item, &a)
	}
	if !list.exists() && !u.failed {
		u.note(list, "there are none, so all alerts are off: remove spec.alerting to have those of the operator")
	}
	slices.Sort(a.targets)
	labels := func(severity string) map[string]v1alpha1.AlertText {
		out := map[string]v1alpha1.AlertText{}
		if severity != "" {
			out["severity"] = v1alpha1.AlertText(severity)
		}
		if len(a.targets) > 0 {
			out[targetLabel] = v1alpha1.AlertText(strings.Join(slices.Compact(a.targets), ","))
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	u.alert(tierWhen(a.page, labels(a.pageSeverity)), tierWhen(a.ticket, labels(a.ticketSeverity)), tierWhen(a.absent, labels("")))
}

// tierWhen is a tier that carries labels while it is on.
func tierWhen(on bool, labels map[string]v1alpha1.AlertText) *v1alpha1.AlertTier {
	if !on {
		return tier(false, nil, nil)
	}
	return tier(true, labels, nil)
}

// resolved finds the spec of an object that is written in place or referred to.
func (u *unit) resolved(item field, refName, kind string) (spec field, name string, ok bool) {
	ref := item.at(refName)
	if !ref.exists() && item.scalar() {
		ref = item // some write the bare name
	}
	if ref.exists() {
		root, found := u.find(kind, ref)
		if !found {
			u.fail(ref, "there is no %s of this name among the documents: convert them together", kind)
			return field{}, "", false
		}
		u.about(root.at("metadata"), root.at("spec"))
		return root.at("spec"), ref.peek(), true
	}
	if inline := item.at("kind"); inline.text() != kind {
		u.fail(inline, "write kind: %s, or %s", kind, refName)
		return field{}, "", false
	}
	name = item.at("metadata").at("name").peek()
	if kind == kindTarget {
		item.at("metadata").at("name").claim() // it becomes a label
	}
	u.about(item.at("metadata"), item.at("spec"))
	return item.at("spec"), name, true
}

// about drops what an object of alerting says of itself.
func (u *unit) about(metadata, spec field) {
	const why = "it is folded into the alerting of objectives, which has no name or description of its own: nothing to do"
	name := metadata.at("name")
	for _, leaf := range metadata.leaves() {
		if leaf.path != name.path {
			u.drop(leaf, why)
		}
	}
	u.drop(name, why)
	u.drop(spec.at("description"), why)
}

func (u *unit) policy(item field, a *asked) {
	spec, _, ok := u.resolved(item, "alertPolicyRef", kindPolicy)
	if !ok {
		return
	}
	breaching, _ := spec.at("alertWhenBreaching").flag()
	absent, _ := spec.at("alertWhenNoData").flag()
	a.absent = a.absent || absent
	if resolved := spec.at("alertWhenResolved"); resolved.exists() {
		resolved.text()
		u.tell(Dropped, resolved, "Alertmanager tells that an alert is over: set send_resolved of its receiver")
	}
	for _, condition := range spec.at("conditions").items() {
		u.condition(condition, breaching, a)
	}
	for _, target := range spec.at("notificationTargets").items() {
		u.target(target, a)
	}
}

// condition switches the alerts of its severity on.
func (u *unit) condition(item field, breaching bool, a *asked) {
	spec, _, ok := u.resolved(item, "conditionRef", kindCondition)
	if !ok {
		return
	}
	severity := spec.at("severity")
	text := severity.text()
	tier, label := &a.ticket, &a.ticketSeverity
	if pages.MatchString(text) {
		tier, label = &a.page, &a.pageSeverity
	}
	*tier = *tier || breaching
	switch {
	case !breaching:
		u.tell(Dropped, severity, "alertWhenBreaching is not true, so it asks for no alert: nothing to do")
	case *label == "" || *label == text:
		*label = text
		u.note(severity, "the alerts of the %s tiers carry it", map[bool]string{true: "page", false: "ticket"}[tier == &a.page])
	default:
		u.tell(Dropped, severity, "alerts of a kind carry one severity, and there is "+*label+" too: remove one of them")
	}
	u.drop(spec.at("condition"), "the operator derives windows and thresholds of its alerts from window and target: see docs/alerts.md")
}

// target hands the name of a target on to the router of alerts.
func (u *unit) target(item field, a *asked) {
	spec, name, ok := u.resolved(item, "targetRef", kindTarget)
	if !ok {
		return
	}
	a.targets = append(a.targets, name)
	u.drop(spec.at("target"), "alerts carry %s=%q: route it in Alertmanager", targetLabel, name)
}
