package controllers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// journeyRule waits for the PrometheusRule of a journey and a condition of it.
func journeyRule(t testing.TB, j *v1alpha1.Journey, what string, holds func(*monitoringv1.PrometheusRule) bool) *monitoringv1.PrometheusRule {
	t.Helper()
	return rule(t, &v1alpha1.Objective{ObjectMeta: metav1.ObjectMeta{Namespace: j.Namespace, Name: j.Name + ".journey"}}, what, holds)
}

// rulesOfJourney waits until RulesLoaded of a journey has a reason, "" for none, and
// gives its message.
func rulesOfJourney(t testing.TB, j *v1alpha1.Journey, reason string) (message string) {
	t.Helper()
	await(t, j, "RulesLoaded with reason "+reason, func(j *v1alpha1.Journey) bool {
		c := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionRulesLoaded)
		if c != nil {
			message = c.Message
		}
		return c == nil && reason == "" || c != nil && c.Reason == reason
	})
	return message
}

// TestJourneyRules follows the rules of a journey through what happens to it, its
// objectives and their source.
func TestJourneyRules(t *testing.T) {
	ctx, admin := context.Background(), rulesAdmin(t)
	definePrometheusRules(t)
	startOperator(t)
	ns := namespace(t, "journey-rules")
	bindWriter(t, ns)
	source := aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule))
	fast, kind := anObjective(ns, "fast"), anObjective(ns, "kind", service)
	j := aJourney(ns, "order", passes("web", v1alpha1.ImportanceCritical, "fast"), passes("phone", v1alpha1.ImportanceCritical, "kind"))
	create(t, source, fast, kind, j)
	made := journeyRule(t, j, "to be made", there)
	group := made.Spec.Groups[0]
	if owner := metav1.GetControllerOf(made); owner == nil || owner.UID != j.UID || owner.Kind != "Journey" || group.Name != "experience/"+ns+"/order/journey" {
		t.Errorf("group %s, owner %v, want the journey %s", group.Name, owner, j.UID)
	}
	t.Logf("%d rules every %s, the last one %s: %s", len(group.Rules), *group.Interval, group.Rules[len(group.Rules)-1].Alert, group.Rules[len(group.Rules)-1].Expr.String())

	t.Run("NothingChanged", func(t *testing.T) {
		for _, o := range []*v1alpha1.Objective{fast, kind} {
			rule(t, o, "to be made", there)
			settled(t, o, v1alpha1.ReasonTargetMet)
		}
		before, read := ruleWrites(t, ns), ruleRequests(t, ns, "get")
		patch(t, source, `{"spec":{"timeout":"29s"}}`) // has all rules of the source looked at
		eventually(t, "a look at three PrometheusRules", func() bool { return ruleRequests(t, ns, "get") >= read+3 })
		if after := ruleWrites(t, ns); after != before {
			t.Errorf("%d writes although nothing changed", after-before)
		}
	})
	t.Run("DeletedByHand", func(t *testing.T) {
		if err := admin.Delete(ctx, made.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		journeyRule(t, j, "to come back", func(r *monitoringv1.PrometheusRule) bool { return r.UID != made.UID })
	})
	t.Run("ObjectiveChanged", func(t *testing.T) {
		patch(t, fast, `{"spec":{"target":"80%"}}`)
		journeyRule(t, j, "to have the target", func(r *monitoringv1.PrometheusRule) bool {
			return strings.Contains(fmt.Sprint(r.Spec), "bool 0.799999999999")
		})
	})
	t.Run("Files", func(t *testing.T) {
		patch(t, source, `{"spec":{"rules":{"output":"ConfigMap"}}}`)
		awaitFiles(t, ns, ns+".fast.yaml", ns+".kind.yaml", "Journey."+ns+".order.yaml")
		eventually(t, "the end of the PrometheusRule", func() bool {
			return apierrors.IsNotFound(admin.Get(ctx, client.ObjectKeyFromObject(made), &monitoringv1.PrometheusRule{}))
		})
	})
	t.Run("Untold", func(t *testing.T) {
		patch(t, fast, `{"spec":{"confidence":"95%"}}`)
		awaitFiles(t, ns, ns+".fast.yaml", ns+".kind.yaml")
		patch(t, fast, `{"spec":{"confidence":null}}`)
		awaitFiles(t, ns, ns+".fast.yaml", ns+".kind.yaml", "Journey."+ns+".order.yaml")
	})
	t.Run("Mistake", func(t *testing.T) {
		patch(t, fast, `{"spec":{"indicator":{"distribution":{"histogram":"rate(x[5m])"}}}}`)
		awaitCondition(t, fast, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidQuery)
		patch(t, source, `{"spec":{"timeout":"28s"}}`)
		awaitFiles(t, ns, ns+".fast.yaml", ns+".kind.yaml", "Journey."+ns+".order.yaml")
	})
	t.Run("Deleted", func(t *testing.T) {
		deleteNow(t, j)
		awaitFiles(t, ns, ns+".fast.yaml", ns+".kind.yaml")
	})
}

// TestJourneyRuleConflict has somebody else's PrometheusRule in the way.
func TestJourneyRuleConflict(t *testing.T) {
	ctx, admin := context.Background(), rulesAdmin(t)
	definePrometheusRules(t)
	startOperator(t)
	ns := namespace(t, "journey-rules-conflict")
	theirs := &monitoringv1.PrometheusRule{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "order.journey"}}
	if err := admin.Create(ctx, theirs); err != nil {
		t.Fatal(err)
	}
	j := aJourney(ns, "order", passes("web", v1alpha1.ImportanceCritical, "fast"))
	create(t, aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), anObjective(ns, "fast"), j)
	const want = "PrometheusRule journey-rules-conflict/order.journey is not the operator's, which leaves it alone: delete or rename it, or rename the journey"
	if got := rulesOfJourney(t, j, v1alpha1.ReasonSinkConflict); got != want {
		t.Errorf("RulesLoaded says %q, want %q", got, want)
	}
	reaches(t, j, "Met", v1alpha1.ReasonHolding)
	if ready := meta.FindStatusCondition(j.Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %s: rules that cannot be written leave the verdict alone", ready.Status)
	}
	if err := admin.Delete(ctx, theirs); err != nil {
		t.Fatal(err)
	}
	patch(t, j, `{"spec":{"description":"From the shop to the parcel."}}`)
	rulesOfJourney(t, j, "")
	journeyRule(t, j, "to be made", there)
}
