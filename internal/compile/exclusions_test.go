package compile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// clock is the moment of the plans of this file.
var clock = time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) metav1.Time { return metav1.NewTime(clock.Add(d)) }

// exclusion is one of the shop's hour that ended an hour ago.
func exclusion(change ...func(*v1alpha1.Exclusion)) v1alpha1.Exclusion {
	x := v1alpha1.Exclusion{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "migration"},
		Spec:       v1alpha1.ExclusionSpec{Services: []v1alpha1.Label{"checkout"}, From: after(-2 * time.Hour), To: after(-time.Hour)},
	}
	for _, c := range change {
		c(&x)
	}
	return x
}

func between(from, to time.Duration) func(*v1alpha1.Exclusion) {
	return func(x *v1alpha1.Exclusion) { x.Spec.From, x.Spec.To = after(from), after(to) }
}

func again(every v1alpha1.ExclusionPeriod, zone v1alpha1.TimeZone) func(*v1alpha1.Exclusion) {
	return func(x *v1alpha1.Exclusion) { x.Spec.Recurrence = &v1alpha1.Recurrence{Every: every, TimeZone: zone} }
}

func withdrawn(at *metav1.Time) func(*v1alpha1.Exclusion) {
	return func(x *v1alpha1.Exclusion) { x.Spec.Withdrawn = &v1alpha1.Withdrawal{At: at} }
}

func TestPlanExcludes(t *testing.T) {
	const day = 24 * time.Hour
	cut := after(-90 * time.Minute)
	span := func(from, to time.Duration) slo.Span { return slo.Span{Start: clock.Add(from), End: clock.Add(to)} }
	cases := map[string]struct {
		reason string
		args   []v1alpha1.Exclusion
		want   []slo.Span
	}{
		"None":    {reason: "nothing is excluded by nothing"},
		"Past":    {reason: "what was", args: []v1alpha1.Exclusion{exclusion()}, want: []slo.Span{span(-2*time.Hour, -time.Hour)}},
		"Planned": {reason: "and what comes", args: []v1alpha1.Exclusion{exclusion(between(day, 25*time.Hour))}, want: []slo.Span{span(day, 25*time.Hour)}},
		"Minutes": {
			reason: "in whole minutes", args: []v1alpha1.Exclusion{exclusion(between(-90*time.Second, -10*time.Second))},
			want: []slo.Span{span(-2*time.Minute, 0)},
		},
		"Overlapping": {
			reason: "once", args: []v1alpha1.Exclusion{exclusion(between(-time.Hour, time.Hour)), exclusion()},
			want: []slo.Span{span(-2*time.Hour, time.Hour)},
		},
		"TooOld":      {reason: "as far as the window reaches", args: []v1alpha1.Exclusion{exclusion(between(-30*day, -29*day))}},
		"TooFar":      {reason: "and two months ahead", args: []v1alpha1.Exclusion{exclusion(between(63*day, 64*day))}},
		"Withdrawn":   {reason: "taken back as if it had not been", args: []v1alpha1.Exclusion{exclusion(withdrawn(nil))}},
		"WithdrawnAt": {reason: "or since a moment", args: []v1alpha1.Exclusion{exclusion(withdrawn(&cut))}, want: []slo.Span{span(-2*time.Hour, -90*time.Minute)}},
		"Others": {
			reason: "of another namespace, service or name", args: []v1alpha1.Exclusion{
				exclusion(func(x *v1alpha1.Exclusion) { x.Namespace = "bank" }),
				exclusion(func(x *v1alpha1.Exclusion) { x.Spec.Services = []v1alpha1.Label{"search"} }),
				exclusion(func(x *v1alpha1.Exclusion) { x.Spec.Services, x.Spec.Objectives = nil, []v1alpha1.Name{"search"} }),
			},
		},
		"Mistakes": {
			reason: "one with a mistake disturbs no other", args: []v1alpha1.Exclusion{
				exclusion(again(v1alpha1.ExclusionDaily, "Mars/Olympus")), exclusion(),
				exclusion(between(-5*time.Hour, -4*time.Hour), func(x *v1alpha1.Exclusion) {
					x.Spec.Selector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Like"}}}
				}),
			},
			want: []slo.Span{span(-2*time.Hour, -time.Hour)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan, err := compile.Compile(compile.Input{
				Objective: objective(events("good_total", "", "x_total")), Source: &v1alpha1.MetricSourceSpec{}, Exclusions: tc.args, Now: clock,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, plan.Excluded); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPlanExcludesAgain counts the stretches of exclusions that come again: a window
// of 28 days and two hours, and 62 days ahead.
func TestPlanExcludesAgain(t *testing.T) {
	cut := after(-10 * 24 * time.Hour)
	cases := map[string]struct {
		reason string
		args   v1alpha1.Exclusion
		want   int
	}{
		"Daily":     {"each day of 90, and the one that is under way at the end", exclusion(between(-100*24*time.Hour, -100*24*time.Hour+time.Hour), again(v1alpha1.ExclusionDaily, "UTC")), 90},
		"Weekly":    {"each week", exclusion(between(-98*24*time.Hour+time.Hour, -98*24*time.Hour+2*time.Hour), again(v1alpha1.ExclusionWeekly, "UTC")), 13},
		"Monthly":   {"each month", exclusion(between(-90*24*time.Hour, -89*24*time.Hour), again(v1alpha1.ExclusionMonthly, "UTC")), 4},
		"Withdrawn": {"until it was taken back", exclusion(between(-28*24*time.Hour, -28*24*time.Hour+time.Hour), again(v1alpha1.ExclusionDaily, "UTC"), withdrawn(&cut)), 18},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan, err := compile.Compile(compile.Input{
				Objective: objective(events("good_total", "", "x_total")), Source: &v1alpha1.MetricSourceSpec{},
				Exclusions: []v1alpha1.Exclusion{tc.args}, Now: clock,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(plan.Excluded); got != tc.want {
				t.Errorf("%s: %d stretches, want %d: %v", tc.reason, got, tc.want, plan.Excluded)
			}
		})
	}
}

// TestPlanExcludesUntil looks further ahead than plans do by themselves, and never less
// far.
func TestPlanExcludesUntil(t *testing.T) {
	const day = 24 * time.Hour
	nightly := exclusion(between(day, 25*time.Hour), again(v1alpha1.ExclusionDaily, "UTC"))
	for until, want := range map[time.Duration]int{0: 61, 10 * day: 61, 100*day - time.Hour: 99, 400 * day: 399} {
		plan, err := compile.Compile(compile.Input{
			Objective: objective(events("good_total", "", "x_total")), Source: &v1alpha1.MetricSourceSpec{},
			Exclusions: []v1alpha1.Exclusion{nightly}, Now: clock, Until: clock.Add(until),
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(plan.Excluded); got != want {
			t.Errorf("until %s: %d stretches, want %d", until, got, want)
		}
	}
}

func TestExcludes(t *testing.T) {
	labelled := objective(events("good_total", "", "x_total"))
	labelled.Labels = map[string]string{"team": "web"}
	choose := func(change func(*v1alpha1.ExclusionSpec)) v1alpha1.Exclusion {
		return exclusion(func(x *v1alpha1.Exclusion) {
			x.Spec.Services = nil
			change(&x.Spec)
		})
	}
	selector := func(labels map[string]string) func(*v1alpha1.ExclusionSpec) {
		return func(s *v1alpha1.ExclusionSpec) { s.Selector = &metav1.LabelSelector{MatchLabels: labels} }
	}
	cases := map[string]struct {
		reason string
		args   v1alpha1.Exclusion
		want   bool
	}{
		"Service": {"by service", exclusion(), true},
		"Name":    {"by name", choose(func(s *v1alpha1.ExclusionSpec) { s.Objectives = []v1alpha1.Name{"other", v1alpha1.Name(labelled.Name)} }), true},
		"Labels":  {"by labels", choose(selector(map[string]string{"team": "web"})), true},
		"All":     {"an empty selector is for all", choose(selector(nil)), true},
		"Other":   {"other labels are not its", choose(selector(map[string]string{"team": "app"})), false},
		"Any": {"any of the ways is enough", choose(func(s *v1alpha1.ExclusionSpec) {
			s.Services = []v1alpha1.Label{"checkout"}
			selector(map[string]string{"a": "b"})(s)
		}), true},
		"Nobody":   {"none is for nobody", choose(func(*v1alpha1.ExclusionSpec) {}), false},
		"NotHere":  {"of another namespace", exclusion(func(x *v1alpha1.Exclusion) { x.Namespace = "bank" }), false},
		"Mistaken": {"a selector that cannot be read is for nobody", choose(selector(map[string]string{"a": "not a label's value"})), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := compile.Excludes(&tc.args, labelled); got != tc.want {
				t.Errorf("%s: Excludes() = %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestQuiet compares each minute of a day with all of its exclusions, one by one.
func TestQuiet(t *testing.T) {
	quiet, told := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		plan := &compile.Plan{}
		minutes := rapid.IntRange(-100, 1600)
		for range rapid.IntRange(0, 8).Draw(t, "exclusions") {
			from := minutes.Draw(t, "from")
			plan.Excluded = append(plan.Excluded, slo.Span{
				Start: clock.Add(time.Duration(from) * time.Minute),
				End:   clock.Add(time.Duration(from+rapid.IntRange(1, 200).Draw(t, "length")) * time.Minute),
			})
		}
		plan.Excluded = slo.Merge(plan.Excluded)
		later := time.Duration(rapid.IntRange(0, 90).Draw(t, "for after")) * time.Minute
		for at := clock; at.Before(clock.AddDate(0, 0, 1)); at = at.Add(30 * time.Second) {
			want := false
			for _, s := range plan.Excluded {
				want = want || !at.Before(s.Start) && at.Before(s.End.Add(later+time.Minute))
			}
			if got := plan.Quiet(at, later); got != want {
				t.Fatalf("at %s, %s after %v: quiet is %t, want %t", at, later, plan.Excluded, got, want)
			}
			if want {
				quiet++
			} else {
				told++
			}
		}
	})
	if quiet == 0 || told == 0 {
		t.Errorf("%d half minutes are quiet, %d are not", quiet, told)
	}
}
