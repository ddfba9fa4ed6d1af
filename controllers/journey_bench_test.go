package controllers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// journeysOver makes journeys of five stages over as many objectives each, whose
// figures do not change.
func journeysOver(tb testing.TB, ns, url string, journeys, each int) []*v1alpha1.Journey {
	tb.Helper()
	create(tb, aSource(ns, url))
	shop := indicator(v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: `orders_good_total{job="shop"}`, Total: `orders_total{job="shop"}`}})
	out := make([]*v1alpha1.Journey, journeys)
	for i := range out {
		stages := make([]v1alpha1.JourneyStage, 5)
		for k := range each {
			name := fmt.Sprintf("o%d-%d", i, k)
			side := func(*v1alpha1.ObjectiveSpec) {}
			if k%2 == 1 {
				side = service
			}
			create(tb, anObjective(ns, name, shop, side))
			at := k % len(stages)
			stages[at].Objectives.Names = append(stages[at].Objectives.Names, v1alpha1.Name(name))
		}
		for k := range stages {
			stages[k].Name, stages[k].Importance = v1alpha1.Label(fmt.Sprint("s", k)), v1alpha1.ImportanceCritical
		}
		out[i] = recoveredBy(aJourney(ns, fmt.Sprint("j", i), stages...), v1alpha1.Recovery{Stage: "s0", By: "s1", Cap: "50%"})
		create(tb, out[i])
	}
	return out
}

// holding waits until all of some journeys hold.
func holding(tb testing.TB, journeys []*v1alpha1.Journey) {
	tb.Helper()
	for _, j := range journeys {
		awaitWithin(tb, 5*patience, j, "a verdict", func(j *v1alpha1.Journey) bool { return j.Status.Verdict == v1alpha1.JourneyHolding })
	}
}

// versionsOf are those of some journeys.
func versionsOf(tb testing.TB, journeys []*v1alpha1.Journey) map[string]string {
	tb.Helper()
	out := map[string]string{}
	for _, j := range journeys {
		if err := env.admin.Get(context.Background(), client.ObjectKeyFromObject(j), j); err != nil {
			tb.Fatal(err)
		}
		out[j.Namespace+"/"+j.Name] = j.ResourceVersion
	}
	return out
}

// TestJourneysAreIdle lets minutes pass in which no figure changes: nothing is
// written, to journeys or to anything else.
func TestJourneysAreIdle(t *testing.T) {
	const journeys, each, minutes = 10, 10, 3
	op, ns := startOperator(t), namespace(t, "journeys-idle")
	all := journeysOver(t, ns, idlePrometheus(t), journeys, each)
	holding(t, all)
	op.round(t, journeys*each)
	before, writes := versionsOf(t, all), operatorWrites(t)
	for range minutes {
		op.round(t, journeys*each)
	}
	got := operatorWrites(t) - writes
	t.Logf("%d journeys over %d objectives: %d writes in %d minutes", journeys, journeys*each, got, minutes)
	if got != 0 {
		t.Errorf("%d writes while nothing changes", got)
	}
	for name, version := range versionsOf(t, all) {
		if before[name] != version {
			t.Errorf("journey %s was written", name)
		}
	}
}

// BenchmarkJourneyMinutes prints what 200 journeys over 2,000 objectives cost, of 20
// teams: minutes in which nothing changes, and then all journeys judged and written
// anew.
func BenchmarkJourneyMinutes(b *testing.B) {
	const teams, journeys, each, minutes = 20, 200, 10, 3
	op, url := startOperator(b), idlePrometheus(b)
	var all []*v1alpha1.Journey
	for i := range teams {
		all = append(all, journeysOver(b, namespace(b, fmt.Sprint("journeys-", i)), url, journeys/teams, each)...)
	}
	holding(b, all)
	op.round(b, journeys*each)
	before, writes, began := versionsOf(b, all), writtenResources(b), time.Now()
	var queries float64
	for range minutes {
		queries = op.round(b, journeys*each)
	}
	total := 0
	for resource, n := range writtenResources(b) {
		if n -= writes[resource]; n > 0 {
			b.Logf("%d writes of %s", n, resource)
			total += n
		}
	}
	b.ReportMetric(float64(total), "api-writes/3min")
	written := 0
	for name, version := range versionsOf(b, all) {
		if before[name] != version {
			written++
		}
	}
	b.ReportMetric(float64(written), "journeys-written")
	b.ReportMetric(queries, "queries/tick")
	b.ReportMetric(time.Since(began).Seconds()/minutes, "s/tick")
	began = time.Now()
	for _, j := range all {
		patch(b, j, `{"spec":{"aggregation":"Product"}}`)
	}
	for _, j := range all {
		awaitWithin(b, patience, j, "the new spec", func(j *v1alpha1.Journey) bool { return j.Status.ObservedGeneration == j.Generation })
	}
	b.ReportMetric(float64(time.Since(began).Milliseconds())/journeys, "ms/journey")
	b.ReportMetric(0, "ns/op")
}
