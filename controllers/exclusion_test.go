package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// anExclusion is one of all objectives of the service storefront, from and to some
// time from now.
func anExclusion(ns, name string, from, to time.Duration, change ...func(*v1alpha1.ExclusionSpec)) *v1alpha1.Exclusion {
	return exclusionAt(time.Now().UTC().Truncate(time.Second), ns, name, from, to, change...)
}

func exclusionAt(now time.Time, ns, name string, from, to time.Duration, change ...func(*v1alpha1.ExclusionSpec)) *v1alpha1.Exclusion {
	x := &v1alpha1.Exclusion{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		Spec: v1alpha1.ExclusionSpec{
			Services: []v1alpha1.Label{"storefront"}, From: metav1.NewTime(now.Add(from)), To: metav1.NewTime(now.Add(to)),
			Reason: "a test", Approver: "tests@example.com",
		},
	}
	for _, c := range change {
		c(&x.Spec)
	}
	return x
}

// stands waits until an exclusion is in a phase, for so many objectives.
func stands(t *testing.T, x *v1alpha1.Exclusion, phase v1alpha1.ExclusionState, objectives int32) {
	t.Helper()
	await(t, x, string(phase), func(x *v1alpha1.Exclusion) bool {
		return x.Status.State == phase && ptr.Deref(x.Status.Objectives, -1) == objectives && x.Status.ObservedGeneration == x.Generation
	})
}

func TestExclusionStates(t *testing.T) {
	startOperator(t)
	ns := namespace(t, "exclusion-phases")
	bySelector := func(s *v1alpha1.ExclusionSpec) {
		s.Services, s.Selector = nil, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "web"}}
	}
	lost := anObjective(ns, "lost")
	lost.Labels = map[string]string{"team": "web"}
	create(t, anObjective(ns, "page-speed"), lost)
	planned, active := anExclusion(ns, "planned", time.Hour, 2*time.Hour), anExclusion(ns, "active", -time.Hour, time.Hour, bySelector)
	begins, ends := anExclusion(ns, "begins", 2*time.Second, time.Hour), anExclusion(ns, "ends", -time.Hour, 2*time.Second)
	wrong := anExclusion(ns, "wrong", -time.Hour, 0, func(s *v1alpha1.ExclusionSpec) {
		s.Recurrence = &v1alpha1.Recurrence{Every: v1alpha1.ExclusionDaily, TimeZone: "Mars/Olympus"}
	})
	create(t, planned, active, begins, ends, wrong)

	stands(t, planned, v1alpha1.ExclusionPlanned, 2)
	stands(t, active, v1alpha1.ExclusionActive, 1)
	stands(t, begins, v1alpha1.ExclusionActive, 2)
	stands(t, ends, v1alpha1.ExclusionEnded, 2)
	await(t, wrong, "Stalled", func(x *v1alpha1.Exclusion) bool {
		return strings.Contains(conditionsOf(x.Status.Conditions), "Stalled=True InvalidTimeZone: spec.recurrence.timeZone: \"Mars/Olympus\" is no time zone")
	})
	for _, x := range []*v1alpha1.Exclusion{planned, active, begins, ends, wrong} {
		if said := complaints(context.Background(), x); len(said) > 0 {
			t.Errorf("the conditions of %s are not as they should be: %q", x.Name, said)
		}
	}

	// For whom it is follows labels and what there is.
	update(t, lost, func(o *v1alpha1.Objective) { o.Labels = map[string]string{"team": "app"} })
	stands(t, active, v1alpha1.ExclusionActive, 0)
	update(t, lost, func(o *v1alpha1.Objective) { o.Labels = map[string]string{"team": "web"} })
	stands(t, active, v1alpha1.ExclusionActive, 1)
	if err := env.admin.Delete(context.Background(), lost); err != nil {
		t.Fatal(err)
	}
	stands(t, active, v1alpha1.ExclusionActive, 0)
	stands(t, planned, v1alpha1.ExclusionPlanned, 1)

	refuses(t, ends, "nothing of its spec changes any more but withdrawn", func(x *v1alpha1.Exclusion) { x.Spec.Reason = "another" })
	refuses(t, begins, "from, reason, approver and, of one", func(x *v1alpha1.Exclusion) { x.Spec.From = planned.Spec.From })
	refuses(t, begins, "to only moves to a later time", func(x *v1alpha1.Exclusion) { x.Spec.To = metav1.NewTime(x.Spec.To.Add(-time.Minute)) })
	update(t, ends, func(x *v1alpha1.Exclusion) {
		x.Spec.Withdrawn = &v1alpha1.Withdrawal{Reason: "nothing happened", By: "tests"}
	})
	stands(t, ends, v1alpha1.ExclusionWithdrawn, 1)
	refuses(t, ends, "the exclusion was withdrawn and is a record", func(x *v1alpha1.Exclusion) { x.Spec.Withdrawn = nil })
}

// refuses changes an object, which the API server must refuse with these words.
func refuses(t *testing.T, x *v1alpha1.Exclusion, words string, change func(*v1alpha1.Exclusion)) {
	t.Helper()
	before := x.DeepCopy()
	after := x.DeepCopy()
	change(after)
	err := env.admin.Patch(context.Background(), after, client.MergeFrom(before))
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("the API server says %v, want %q in it", err, words)
	}
}

// withdraw takes exclusions back.
func withdraw(t *testing.T, all ...*v1alpha1.Exclusion) {
	t.Helper()
	for _, x := range all {
		await(t, x, "phase", func(x *v1alpha1.Exclusion) bool { return x.Status.State != "" })
		update(t, x, func(x *v1alpha1.Exclusion) { x.Spec.Withdrawn = &v1alpha1.Withdrawal{Reason: "over", By: "tests"} })
	}
}

// only has an exclusion be for objectives by name alone.
func only(names ...v1alpha1.Name) func(*v1alpha1.ExclusionSpec) {
	return func(s *v1alpha1.ExclusionSpec) { s.Services, s.Objectives = nil, names }
}

func daily(s *v1alpha1.ExclusionSpec) {
	s.Recurrence = &v1alpha1.Recurrence{Every: v1alpha1.ExclusionDaily, TimeZone: "Europe/Berlin"}
}

// figuresOf words what is counted of an objective, and what there is.
func figuresOf(o *v1alpha1.Objective) string {
	if o.Status.Raw == nil {
		return fmt.Sprintf("%s: %d events, %s", o.Name, ptr.Deref(o.Status.Events, 0), o.Status.Attainment)
	}
	return fmt.Sprintf("%s: %d events, %s, of %d, %s; %s excluded", o.Name, ptr.Deref(o.Status.Events, 0), o.Status.Attainment,
		ptr.Deref(o.Status.Raw.Events, 0), o.Status.Raw.Attainment, o.Status.Excluded)
}

// count waits until objectives of which each leaves something out count so many events
// together.
func count(t *testing.T, reason string, total int64, all ...*v1alpha1.Objective) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for counted := int64(0); counted != total; time.Sleep(50 * time.Millisecond) {
		counted = 0
		var figures []string
		for _, o := range all {
			await(t, o, "raw figures", func(o *v1alpha1.Objective) bool { return o.Status.Raw != nil })
			counted += ptr.Deref(o.Status.Events, 0)
			figures = append(figures, figuresOf(o))
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: together they count %d of %d events\n%s", reason, counted, total, strings.Join(figures, "\n"))
		}
	}
}

// TestExclusionFigures has two objectives over all of history, of which one leaves
// out what the other counts: together they count what the simulated world wrote,
// event by event.
func TestExclusionFigures(t *testing.T) {
	const day = 24 * time.Hour
	startOperator(t)
	ns := namespace(t, "exclusion-figures")
	create(t, aSource(ns, env.prom.URL))
	total := int64(env.world.Total("web_vitals_lcp_seconds_count", "namespace", "long-hold"))
	part, rest := anObjective(ns, "part", rolling("35d"), target("50%")), anObjective(ns, "rest", rolling("35d"), target("50%"))
	create(t, part, rest)
	whole := func(o *v1alpha1.Objective) bool {
		return ptr.Deref(o.Status.Events, 0) == total && o.Status.Raw == nil && o.Status.Excluded == ""
	}
	await(t, part, "all events", whole)
	await(t, rest, "all events", whole)

	// Of whole minutes, so that none is touched by both.
	now := time.Now().UTC().Truncate(time.Minute)
	of := func(name string, from, to time.Duration, change ...func(*v1alpha1.ExclusionSpec)) *v1alpha1.Exclusion {
		return exclusionAt(now, ns, name, from, to, change...)
	}
	cases := []struct {
		name, reason string
		// without and with are what the one leaves out, and the other counts.
		without, with []*v1alpha1.Exclusion
	}{
		{
			"retroactive", "a stretch of ten days ago that begins and ends within hours",
			[]*v1alpha1.Exclusion{of("r-1", -10*day, -9*day-7*time.Hour-13*time.Minute, only("part"))},
			[]*v1alpha1.Exclusion{
				of("r-2", -40*day, -10*day, only("rest")), of("r-3", -9*day-7*time.Hour-13*time.Minute, day, only("rest")),
			},
		},
		{
			"overlapping", "three that overlap, of which one has hardly ended",
			[]*v1alpha1.Exclusion{
				of("o-1", -5*day, -3*day, only("part")), of("o-2", -4*day, -29*time.Hour, only("part")),
				of("o-3", -30*time.Hour, -time.Minute, only("part")),
			},
			[]*v1alpha1.Exclusion{of("o-4", -36*day, -5*day, only("rest")), of("o-5", -time.Minute, day, only("rest"))},
		},
		{
			"recurring", "an hour of every night, and all of every day but this hour",
			[]*v1alpha1.Exclusion{of("n-1", -40*day, -40*day+75*time.Minute, only("part"), daily)},
			[]*v1alpha1.Exclusion{of("n-2", -40*day+75*time.Minute, -39*day, only("rest"), daily)},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			all := slices.Concat(tc.without, tc.with)
			for _, x := range all {
				create(t, x)
			}
			count(t, tc.reason, total, part, rest)
			t.Logf("%s\n%s", figuresOf(part), figuresOf(rest))
			if *part.Status.Raw.Events != total || *part.Status.Events**rest.Status.Events == 0 {
				t.Errorf("%s: raw is %d events, want %d, and both count some", tc.reason, *part.Status.Raw.Events, total)
			}
			withdraw(t, all...)
			await(t, part, "all events again", whole)
			await(t, rest, "all events again", whole)
		})
	}

	planned := of("planned", day, 2*day, only("part"))
	create(t, planned)
	stands(t, planned, v1alpha1.ExclusionPlanned, 1)
	if got := request(t, part, "planned"); !whole(got) {
		t.Errorf("what is planned changes figures: %s", figuresOf(got))
	}

	create(t, of("w-1", -31*day, 0, only("part")), of("w-2", -50*day, -31*day, only("part")), of("w-3", 0, time.Hour, only("part")))
	settled(t, part, v1alpha1.ReasonExcluded)
	t.Log(figuresOf(part) + "\n" + describe(part))
	want := fmt.Sprintf("part: 0 events, , of %d, %s; 100%% excluded", total, rest.Status.Attainment)
	if got := figuresOf(part); got != want {
		t.Errorf("all of the window is left out: %s, want %s", got, want)
	}
}

// TestExclusionRules has an exclusion come within reach of the rules of an objective,
// whose histogram was looked at long before, and go.
func TestExclusionRules(t *testing.T) {
	definePrometheusRules(t)
	op := startOperator(t)
	ns := namespace(t, "exclusion-rules")
	o := anObjective(ns, "page-speed")
	create(t, aSource(ns, env.prom.URL, ruled(v1alpha1.RulesOutputPrometheusRule)), o)
	sifts := func(r *monitoringv1.PrometheusRule) bool {
		return slices.ContainsFunc(r.Spec.Groups, func(g monitoringv1.RuleGroup) bool {
			return slices.ContainsFunc(g.Rules, func(r monitoringv1.Rule) bool { return strings.Contains(r.Expr.StrVal, "unless on () (vector(time())") })
		})
	}
	plain := rule(t, o, "to be made", there)
	if sifts(plain) {
		t.Fatal("there is nothing to leave out yet")
	}
	x := anExclusion(ns, "planned", 80*time.Minute, 90*time.Minute)
	create(t, x)
	stands(t, x, v1alpha1.ExclusionPlanned, 1)
	request(t, o, "planned") // it is known now, and too far ahead
	if sifts(rule(t, o, "to stay", there)) {
		t.Error("rules are changed long before the exclusion")
	}
	op.clock.forward(21 * time.Minute)
	rule(t, o, "to leave minutes out an hour before", sifts)
	if err := env.admin.Delete(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	back := rule(t, o, "to be as it was", func(r *monitoringv1.PrometheusRule) bool { return !sifts(r) })
	if diff := cmp.Diff(plain.Spec, back.Spec); diff != "" {
		t.Errorf("without the exclusion the rules are others than before: -before, +after:\n%s", diff)
	}
}
