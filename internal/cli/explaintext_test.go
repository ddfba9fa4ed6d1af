package cli

import (
	"math"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// planOf compiles an objective with the defaults of a source.
func planOf(t *testing.T, o *v1alpha1.Objective) *compile.Plan {
	t.Helper()
	found, err := newInventory("shop")
	if err != nil {
		t.Fatal(err)
	}
	source, err := found.assumed()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := compile.Compile(compile.Input{Objective: o, Source: source.spec, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestExplainText writes what is known from a status alone, and what was counted.
func TestExplainText(t *testing.T) {
	full := func(o *v1alpha1.Objective) {
		o.Spec.Description, o.Spec.Confidence = "Three of four pages are fast.", "95%"
		o.Status.ConfidenceInterval, o.Status.Band = "74.1% to 78%", v1alpha1.BandGood
		o.Status.Window = &v1alpha1.EvaluatedWindow{Start: metav1.NewTime(now.AddDate(0, 0, -28)), End: metav1.NewTime(now)}
		o.Status.Conditions[0].Message = "the attainment is at least the target of 75%"
	}
	quarter := func(o *v1alpha1.Objective) {
		o.Spec.Window = v1alpha1.Window{Calendar: &v1alpha1.CalendarWindow{Unit: "Quarter", TimeZone: "Asia/Kolkata"}}
	}
	quiet := func(o *v1alpha1.Objective) {
		off := &v1alpha1.AlertTier{Mode: v1alpha1.AlertDisabled}
		o.Spec.Alerting = &v1alpha1.Alerting{Page: off, Ticket: off, MinimumBadEvents: 3}
	}
	fast := func(o *v1alpha1.Objective) {
		plan := planOf(t, o)
		o.Status.BurnRates = []v1alpha1.BurnRate{{Window: slo.FormatDuration(plan.Tiers[0].Long), Rate: "3.90"}, {Window: slo.FormatDuration(plan.Tiers[1].Long), Rate: "1.10"}}
	}
	changed := func(o *v1alpha1.Objective) { o.Generation = 3 }
	kept := func(edits ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
		o := judged("pages", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "76%", "4%", edits...)
		return &o
	}
	gaps := []portion{
		{start: now.AddDate(0, 0, -1), events: 10.5, lost: 2.5, spent: 0.2},
		{start: now, events: math.NaN(), lost: math.NaN(), spent: math.NaN()},
	}
	cases := map[string]struct {
		reason string
		o      *v1alpha1.Objective
		steps  []portion
	}{
		"lasting":   {reason: "all that a status can hold", o: kept(full, lasting(50*time.Hour), fast)},
		"exhausted": {reason: "nothing lasts at this pace", o: kept(lasting(0))},
		"quarter":   {reason: "a window of the calendar, by weeks", o: kept(quarter)},
		"quiet":     {reason: "without alerts", o: kept(quiet)},
		"changed":   {reason: "of a spec that was changed since", o: kept(changed)},
		"gaps":      {reason: "a day without data is not one without loss", o: kept(), steps: gaps},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := &explanation{declared: declared{Objective: tc.o}, plan: planOf(t, tc.o), now: now}
			if tc.steps != nil {
				e.steps, e.verdict = tc.steps, &evaluate.Verdict{Tiers: make([]evaluate.TierState, len(e.plan.Tiers))}
				e.verdict.Tiers[0].Long = math.NaN()
			}
			golden(t, "explain/text-"+name+".txt", e.text())
		})
	}
}

// TestExplainRefused takes a mistake in a spec for the reason, as the operator
// does, and believes the operator where it has said so.
func TestExplainRefused(t *testing.T) {
	namespace := space(t)
	broken := strings.Replace(daily("o", "events: {good: 'a{b=\"c\"', total: t}", "98%"), "namespace: shop", "namespace: "+namespace, 1)
	kubectl(t, broken, "apply", "-f", "-")
	got := begin(t, Program{}, "explain", "o", "-n", namespace).end()
	for _, part := range []string{": Unknown\n", "Stalled   True, InvalidQuery: spec.indicator.events.good: ", "1. InvalidQuery: The message quotes the field and the place."} {
		if got.Code != Done || !strings.Contains(got.Out, part) {
			t.Errorf("ended with %d, and %q is not in\n%s%s", got.Code, part, got.Out, got.Err)
		}
	}
	writeStatus(t, namespace, "objective/o", verdictOf([4]string{"Unknown", "SourceNotFound", "", ""}))
	if got := begin(t, Program{}, "explain", "o", "-n", namespace).end(); !strings.Contains(got.Out, "1. SourceNotFound: Create it") {
		t.Errorf("the operator said otherwise:\n%s", got.Out)
	}
}

func TestAmount(t *testing.T) {
	cases := map[float64]string{0: "0", -0.01: "0", 3: "3", 2.5: "2.5", 1e6: "1000000", math.Inf(1): "+Inf"}
	for n, want := range cases {
		if got := amount(n); got != want {
			t.Errorf("%v is written %q, want %q", n, got, want)
		}
	}
	if got := amount(math.NaN()); got != "" {
		t.Errorf("what is not known is written %q", got)
	}
}

// TestLeads counts promises in words.
func TestLeads(t *testing.T) {
	kept := judged("a", metav1.ConditionTrue, "", "", "")
	missed := judged("b", metav1.ConditionFalse, "", "", "")
	many := func(n int, o v1alpha1.Objective) []v1alpha1.Objective {
		var out []v1alpha1.Objective
		for range n {
			out = append(out, o)
		}
		return out
	}
	cases := map[string]struct {
		reason string
		all    []v1alpha1.Objective
		want   string
	}{
		"None": {reason: "nothing", want: "We have promised nothing yet that is measured."},
		"One":  {reason: "one", all: many(1, kept), want: "We keep our promise."},
		"Lost": {reason: "one that is lost", all: many(1, missed), want: "Of one promise, we do not keep one."},
		"All":  {reason: "all", all: many(3, kept), want: "We keep all of our three promises."},
		"Some": {reason: "some", all: append(many(13, kept), missed), want: "Of 14 promises, we keep 13 and we do not keep one."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (summary{objectives: tc.all}).lead(); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
