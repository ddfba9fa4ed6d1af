package controllers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestEvents follows an objective through changes and counts what is announced:
// each change once, and an evaluation that finds the same never.
func TestEvents(t *testing.T) {
	op := startOperator(t)
	ns := namespace(t, "events")
	p := newProxy(t)
	source, o := aSource(ns, p.URL), anObjective(ns, "page-speed", rolling("1d"))
	create(t, source)
	saysReady(t, source, v1alpha1.ReasonAvailable)
	create(t, o)
	asked := 0
	again := func() {
		for range 3 {
			asked++
			request(t, o, fmt.Sprint("again-", asked))
		}
	}
	settled(t, o, v1alpha1.ReasonTargetMet)
	again()
	patch(t, o, `{"spec":{"target":"99%"}}`)
	settled(t, o, v1alpha1.ReasonTargetMissed)
	again()
	patch(t, o, `{"spec":{"indicator":{"distribution":{"threshold":"2.4"}}}}`)
	settled(t, o, v1alpha1.ReasonInvalidThreshold)
	again()
	patch(t, o, `{"spec":{"target":"75%","indicator":{"distribution":{"threshold":"2.5"}}}}`)
	settled(t, o, v1alpha1.ReasonTargetMet)
	p.fail(page(http.StatusServiceUnavailable, "text/plain", "down"))
	op.clock.forward(time.Minute) // there is a minute to read
	again()
	settled(t, o, v1alpha1.ReasonSourceUnavailable)
	p.fail(nil)
	again()
	settled(t, o, v1alpha1.ReasonTargetMet)
	patch(t, o, `{"spec":{"suspend":true}}`)
	settled(t, o, v1alpha1.ReasonSuspended)

	unavailable := "MetricSource events/prometheus failed (HTTP 503 Service Unavailable): look at its state and its log"
	invalid := "spec.indicator.distribution.threshold: 2.4 is no bucket boundary of web_vitals_lcp_seconds: the nearest boundaries are 1 and 2.5; use one of them, add the bucket, or set interpolate: true for an estimate"
	want := []string{
		"Normal TargetMet: the attainment is at least the target of 75%",
		"Warning TargetMissed: the attainment is below the target of 99%",
		"Warning InvalidThreshold: " + invalid,
		"Normal TargetMet: the attainment is at least the target of 75%",
		"Warning SourceUnavailable: " + unavailable,
		"Normal TargetMet: the attainment is at least the target of 75%",
		"Normal Suspended: evaluation is suspended: set spec.suspend to false to go on",
	}
	var got []string
	eventually(t, "the event of the last change", func() bool {
		got = announced(t, ns, o.Name)
		return slices.Contains(got, want[len(want)-1])
	})
	t.Logf("%d evaluations on request and %d changes -> %d events", asked, len(want), len(got))
	for _, line := range got {
		t.Log(line)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// announced lists the events about an object, one that was counted again as
// often as it was.
func announced(t testing.TB, ns, name string) []string {
	t.Helper()
	list := &eventsv1.EventList{}
	if err := env.admin.List(context.Background(), list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list.Items, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	var out []string
	for _, e := range list.Items {
		if e.Regarding.Name != name {
			continue
		}
		times := 1
		if e.Series != nil {
			times = int(e.Series.Count)
		}
		for range times {
			out = append(out, e.Type+" "+e.Reason+": "+e.Note)
		}
	}
	return out
}
