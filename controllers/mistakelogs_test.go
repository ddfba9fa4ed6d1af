package controllers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// logLine is what tests read of a line of the log.
type logLine struct {
	Level, Msg, Controller, Namespace, Name, Reason, Message, Error string
}

// of is the object that a line is about, by its controller.
func (l logLine) of() string { return l.Controller + " " + l.Name }

// linesOf are the lines of the log that are about objects of a namespace, or about the
// source of all namespaces that is called like it.
func linesOf(t testing.TB, namespace string) []logLine {
	t.Helper()
	var out []logLine
	for line := range strings.Lines(env.logs.String()) {
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("read line of log %q: %v", line, err)
		}
		if l.Namespace == namespace || l.Namespace == "" && l.Name == namespace {
			out = append(out, l)
		}
	}
	return out
}

// linesBy is how often each object of a namespace is in lines of the log.
func linesBy(t testing.TB, namespace string, which func(logLine) bool) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, l := range linesOf(t, namespace) {
		if which(l) {
			out[l.of()]++
		}
	}
	return out
}

func isLook(l logLine) bool    { return l.Msg == "Reconciling" }
func isStalled(l logLine) bool { return l.Level == "info" && l.Msg == "stalled" }
func isError(l logLine) bool   { return l.Level == "error" || l.Error != "" }

// unreadable is a selector that the API server takes, and nobody can read.
func unreadable() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Contains", Values: []string{"web"}}}}
}

// stallable is an object with conditions.
type stallable interface {
	client.Object
	GetConditions() []metav1.Condition
}

// mistaken are objects of each kind with a mistake that the API server cannot see, by
// their controllers.
func mistaken(ns string) map[string]stallable {
	zone, chosen := anExclusion(ns, "zone", -time.Hour, 0, daily), anExclusion(ns, "chosen", -time.Hour, time.Hour)
	zone.Spec.Recurrence.TimeZone, chosen.Spec.Selector = "Mars/Olympus", unreadable()
	desk := mornings(ns)
	desk.Spec.TimeZone = "Europe/Atlantis"
	stage := passes("web", v1alpha1.ImportanceNormal)
	stage.Objectives = v1alpha1.StageObjectives{Selector: unreadable()}
	gate := &v1alpha1.Gate{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "release"}}
	gate.Spec.Objectives.Selector = unreadable()
	source := named("sealed", aSource(ns, env.prom.URL, func(s *v1alpha1.MetricSourceSpec) {
		s.TLS = &v1alpha1.TLS{CA: &v1alpha1.BundleReference{Secret: &v1alpha1.KeyReference{Name: "garbage", Key: "ca.crt"}}}
	}))
	all := mistakes(ns)
	return map[string]stallable{
		"objective typo": anObjective(ns, "typo", all["typo"].change), "objective many": anObjective(ns, "many", all["many-to-many"].change),
		"exclusion zone": zone, "exclusion chosen": chosen, "calendar desk": desk,
		"journey order": aJourney(ns, "order", stage), "gate release": gate, "metricsource sealed": source,
		"objective shared": anObjective(ns, "shared", shared(v1alpha1.Name(ns))),
	}
}

// TestMistakesInTheLog has objects with mistakes looked at again and again: each is told
// of once, and none as an error of the operator. A change of one is told of again.
func TestMistakesInTheLog(t *testing.T) {
	env.logs.start(t)
	op := startOperator(t)
	ns := namespace(t, "mistakes-in-log")
	bindReader(t, ns)
	sound, all := anObjective(ns, "sound"), mistaken(ns)
	create(t, secret(ns, "garbage", map[string]string{"ca.crt": "no certificate"}), aSource(ns, env.prom.URL), sound)
	for _, o := range all {
		create(t, o)
	}
	all["clustermetricsource "+ns] = clusterSource(t, ns, func(s *v1alpha1.ClusterMetricSourceSpec) {
		s.AllowedNamespaces = &v1alpha1.AllowedNamespaces{Selector: unreadable()}
	})
	want := map[string]int{}
	for name := range all {
		want[name] = 1
	}
	for _, o := range all {
		await(t, o, "Stalled", func(o stallable) bool {
			return meta.IsStatusConditionTrue(o.GetConditions(), v1alpha1.ConditionStalled)
		})
	}
	settled(t, sound, v1alpha1.ReasonTargetMet)
	op.stop()
	startOperator(t)
	for i := range 2 { // wakes what an objective is of concern to
		patch(t, sound, fmt.Sprintf(`{"metadata":{"labels":{"look":"%d"}}}`, i))
	}
	for _, name := range []string{"objective typo", "objective many"} {
		request(t, all[name].(*v1alpha1.Objective), "again")
	}
	eventually(t, "another look at each", func() bool {
		looks := linesBy(t, ns, isLook)
		return !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(name string) bool { return looks[name] < 2 })
	})
	if diff := cmp.Diff(want, linesBy(t, ns, isStalled)); diff != "" {
		t.Errorf("lines that tell of a mistake: -want, +got:\n%s", diff)
	}
	t.Logf("looks at each: %v", linesBy(t, ns, isLook))

	desk := all["calendar desk"].(*v1alpha1.Calendar)
	update(t, desk, func(c *v1alpha1.Calendar) { c.Spec.TimeZone = "Moon/Tycho" })
	eventually(t, "a line on the change", func() bool { return linesBy(t, ns, isStalled)["calendar desk"] == 2 })
	for _, l := range linesOf(t, ns) {
		switch {
		case isError(l):
			t.Errorf("a mistake is told of as an error: %+v", l)
		case isStalled(l):
			t.Logf("%s: %s: %s: %s", l.of(), l.Msg, l.Reason, l.Message)
		}
	}
}
