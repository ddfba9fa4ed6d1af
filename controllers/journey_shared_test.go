package controllers_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// elsewhere has a stage be of another namespace.
func elsewhere(namespace string, stage v1alpha1.JourneyStage) v1alpha1.JourneyStage {
	stage.Objectives.Namespace = v1alpha1.Label(namespace)
	return stage
}

// TestJourneyOverNamespaces has one team count what another team promises: once that
// team allows it, and for as long. Before, what is there cannot be told from what is
// not.
func TestJourneyOverNamespaces(t *testing.T) {
	startOperator(t)
	ns, theirs := namespace(t, "journey-shop"), namespace(t, "journey-support")
	all := promises(t, theirs)
	create(t, aSource(ns, env.prom.URL), anObjective(ns, "own"))
	hold := all["kind"]
	settled(t, hold, v1alpha1.ReasonTargetMet)
	web := passes("web", v1alpha1.ImportanceCritical, "own")
	closed := aJourney(ns, "closed", web, elsewhere(theirs, passes("phone", v1alpha1.ImportanceCritical, "kind")))
	nowhere := aJourney(ns, "nowhere", web, elsewhere(theirs, passes("phone", v1alpha1.ImportanceCritical, "none")))
	chosen := aJourney(ns, "chosen", web, elsewhere(theirs, chosenFor("phone", "phone")))
	create(t, closed, nowhere, chosen)
	says := func(j *v1alpha1.Journey) string {
		t.Helper()
		reaches(t, j, "Ready", v1alpha1.ReasonObjectivesNotShared)
		message := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionReady).Message
		t.Logf("%s: %s", j.Name, message)
		return message
	}
	const want = "these objectives of other namespaces do not exist or are not shared: journey-support/kind: have their owners add namespace journey-shop to spec.sharedWith, or leave them out of the spec"
	if got := says(closed); got != want {
		t.Errorf("without a grant: %q, want %q", got, want)
	}
	if got := says(nowhere); got != strings.Replace(want, "kind", "none", 1) {
		t.Errorf("of what does not exist: %q, which tells it from what is not shared", got)
	}
	says(chosen)
	for _, j := range []*v1alpha1.Journey{closed, nowhere} {
		if unknown := j.Status.Stages[1].Unknown[0]; unknown.Reason != v1alpha1.ReasonNotShared || unknown.Namespace != v1alpha1.Label(theirs) || j.Status.Pattern != "" {
			t.Errorf("%s tells %v", j.Name, unknown)
		}
	}

	patch(t, hold, `{"metadata":{"labels":{"stage":"phone"}},"spec":{"sharedWith":{"names":["`+ns+`"]}}}`)
	for _, j := range []*v1alpha1.Journey{closed, chosen} {
		reaches(t, j, "Met", v1alpha1.ReasonHolding)
		t.Log(journeyText(j))
	}
	says(nowhere)
	patch(t, hold, `{"spec":{"target":"99%"}}`)
	reaches(t, closed, "Met", v1alpha1.ReasonBroken)
	if got := closed.Status.Stages[1].Gets; !strings.HasPrefix(got, theirs+"/kind ") {
		t.Errorf("gets %q, want the objective with its namespace", got)
	}
	patch(t, hold, `{"spec":{"sharedWith":null}}`)
	says(closed)
	says(chosen)

	patch(t, hold, `{"spec":{"sharedWith":{"selector":{"matchLabels":{"desk":"main"}}}}}`)
	says(closed)
	label := func(to string) {
		t.Helper()
		if out, err := env.kubectl("label", "namespace", ns, to); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	label("desk=main")
	reaches(t, closed, "Met", v1alpha1.ReasonBroken)
	label("desk-")
	says(closed)
}
