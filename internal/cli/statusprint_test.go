package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// judged is an objective of the namespace shop with a verdict.
func judged(name string, met metav1.ConditionStatus, reason, attainment, budget string, edits ...func(*v1alpha1.Objective)) v1alpha1.Objective {
	events := int64(12000)
	o := v1alpha1.Objective{
		TypeMeta:   metav1.TypeMeta{APIVersion: "experience.slo/v1alpha1", Kind: "Objective"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Generation: 2, CreationTimestamp: metav1.NewTime(now.AddDate(0, 0, -60)), ResourceVersion: "1"},
		Spec: v1alpha1.ObjectiveSpec{
			Service: "checkout", Perspective: v1alpha1.PerspectiveUX, Touchpoint: "web", Target: "75%", Window: v1alpha1.Window{Rolling: "28d"}, MinimumEvents: 100,
			Indicator: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "good_total", Total: "all_total"}},
		},
		Status: v1alpha1.ObjectiveStatus{
			Attainment: attainment, BudgetRemaining: budget, Events: &events, Coverage: "100%", ObservedGeneration: 2,
			BurnRates: []v1alpha1.BurnRate{{Window: "1h", Rate: "0.50"}, {Window: "6h", Rate: "1.25"}},
			Conditions: []metav1.Condition{{
				Type: v1alpha1.ConditionMet, Status: met, Reason: reason, ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(now.AddDate(0, 0, -30)),
			}},
		},
	}
	for _, edit := range edits {
		edit(&o)
	}
	return o
}

func lasting(d time.Duration) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { o.Status.ExhaustsAt = new(metav1.NewTime(now.Add(d))) }
}

func since(d time.Duration) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) {
		o.Status.Conditions[0].LastTransitionTime = metav1.NewTime(now.Add(-d))
	}
}

// world is one objective of each standing, in no order.
func world() []v1alpha1.Objective {
	fresh := judged("new", metav1.ConditionUnknown, "", "", "")
	fresh.Status = v1alpha1.ObjectiveStatus{ObservedGeneration: -1}
	fresh.Namespace = "shop-eu"
	return []v1alpha1.Objective{
		judged("plenty", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "99.1%", "96.4%"),
		judged("short", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "76%", "4%", lasting(50*time.Hour)),
		judged("bad", metav1.ConditionFalse, v1alpha1.ReasonTargetMissed, "70%", "-20%", lasting(-time.Hour)),
		judged("survey", metav1.ConditionUnknown, v1alpha1.ReasonInconclusive, "80%", "20%", func(o *v1alpha1.Objective) {
			o.Spec.Perspective, o.Spec.Touchpoint = v1alpha1.PerspectiveCX, "email"
		}),
		fresh,
		judged("worse", metav1.ConditionFalse, v1alpha1.ReasonTargetMissed, "60%", "-60%", func(o *v1alpha1.Objective) {
			o.Spec.Service, o.Status.Band = "search", v1alpha1.BandPoor
		}),
	}
}

func names(all []v1alpha1.Objective) string {
	var out []string
	for _, o := range all {
		out = append(out, o.Name)
	}
	return strings.Join(out, " ")
}

// TestChoose orders what is asked for by how urgent it is.
func TestChoose(t *testing.T) {
	cases := map[string]struct {
		reason  string
		options statusOptions
		want    string
	}{
		"All":         {reason: "the worst first", want: "worse bad survey new short plenty"},
		"Name":        {reason: "one alone", options: statusOptions{name: "bad"}, want: "bad"},
		"Service":     {reason: "of a service", options: statusOptions{service: "search"}, want: "worse"},
		"Perspective": {reason: "of a perspective", options: statusOptions{perspective: "CX"}, want: "survey"},
		"Touchpoint":  {reason: "of a touchpoint", options: statusOptions{touchpoint: "web", service: "checkout"}, want: "bad new short plenty"},
		"None":        {reason: "of nothing", options: statusOptions{service: "none"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, names(tc.options.choose(world()))); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestStanding(t *testing.T) {
	cases := map[string]struct {
		reason string
		o      v1alpha1.Objective
		want   promise
	}{
		"Kept":    {reason: "met", o: judged("o", metav1.ConditionTrue, "", "", ""), want: promiseKept},
		"Broken":  {reason: "missed", o: judged("o", metav1.ConditionFalse, "", "", ""), want: promiseBroken},
		"Unknown": {reason: "nobody knows", o: judged("o", metav1.ConditionUnknown, "", "", ""), want: promiseUnknown},
		"New":     {reason: "nobody has looked", want: promiseUnknown},
		"Changed": {reason: "what was said is of another promise", o: judged("o", metav1.ConditionTrue, "", "", "", func(o *v1alpha1.Objective) { o.Generation = 3 }), want: promiseUnknown},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := standing(&tc.o); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.reason, got.word(), tc.want.word())
			}
		})
	}
}

// checks are gates of every state.
func checks() []v1alpha1.Gate {
	state := func(name string, edits ...func(*v1alpha1.Gate)) v1alpha1.Gate {
		g := released(edits...)
		g.Name, g.Status.StartedAt = name, new(metav1.NewTime(now.Add(-10*time.Minute)))
		return *g
	}
	stalls := func(g *v1alpha1.Gate) {
		g.Status.Conditions = append(g.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue})
	}
	return []v1alpha1.Gate{
		state("baking", func(g *v1alpha1.Gate) {
			g.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonBaking, Message: "too little was seen yet"}}
		}),
		state("failed", finished(v1alpha1.GateFailed, metav1.ConditionFalse, v1alpha1.ReasonObjectivesFailed, "bad: TargetMissed"), stalls),
		state("new", func(g *v1alpha1.Gate) { g.Status = v1alpha1.GateStatus{} }),
		state("passed", passed),
		state("unread", func(g *v1alpha1.Gate) {
			g.Status = v1alpha1.GateStatus{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: v1alpha1.ReasonInvalidSpec, Message: "too many objectives"}}}
		}, stalls),
	}
}

// TestStatusPrint writes a cluster in every form, for a file and for a terminal.
func TestStatusPrint(t *testing.T) {
	screen := painter{bars: true, colours: true, width: 100}
	cases := map[string]struct {
		reason  string
		options statusOptions
		painter painter
	}{
		"table":      {reason: "a file", options: statusOptions{output: outputTable}},
		"everywhere": {reason: "with namespaces", options: statusOptions{output: outputTable, everywhere: true}},
		"wide":       {reason: "with all that is known", options: statusOptions{output: outputWide}},
		"terminal":   {reason: "with bars and colours, and lines that end where it ends", options: statusOptions{output: outputTable}, painter: screen},
		"narrow":     {reason: "without bars where they would take the room of words", options: statusOptions{output: outputTable, everywhere: true}, painter: painter{bars: true, colours: true, width: 86}},
		"name":       {reason: "as kubectl names them", options: statusOptions{output: outputName}},
		"one.yaml":   {reason: "one object", options: statusOptions{output: outputYAML, name: "bad"}},
		"list.json":  {reason: "a list", options: statusOptions{output: outputJSON, perspective: "CX"}},
		"none.json":  {reason: "an empty list is one", options: statusOptions{output: outputJSON, service: "none"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := standings{objectives: tc.options.choose(world()), gates: checks(), options: tc.options, painter: tc.painter, now: now}
			text, err := s.write()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "\x1b") != tc.painter.colours {
				t.Errorf("%s: colours are %t", tc.reason, !tc.painter.colours)
			}
			golden(t, "status/"+name+".txt", string(text))
		})
	}
}

func TestShortly(t *testing.T) {
	cases := map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1500 * time.Millisecond: "1s", 90 * time.Second: "1m", 119 * time.Minute: "119m",
		3*time.Hour + 59*time.Minute: "3h", 49 * time.Hour: "2d", 700 * time.Hour: "29d",
	}
	for d, want := range cases {
		if got := shortly(d); got != want {
			t.Errorf("%s is written %s, want %s", d, got, want)
		}
	}
}

// TestStatusWatchAdds adds lines for what changed, in the columns of the first.
func TestStatusWatchAdds(t *testing.T) {
	var out strings.Builder
	w := &statusWatch{program: Program{Out: &out, Now: func() time.Time { return now }}, options: statusOptions{output: outputTable}}
	first := world()
	second := world()
	second[0] = judged("plenty", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "98%", "92%", func(o *v1alpha1.Objective) { o.ResourceVersion = "2" })
	third := append(second[1:], judged("added", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "100%", "100%"))
	for _, all := range [][]v1alpha1.Objective{first, first, second, third} {
		if err := w.show(standings{objectives: all}); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "status/watch.txt", out.String())
	out.Reset()
	w = &statusWatch{program: Program{Out: &out, Terminal: true, Now: func() time.Time { return now }}, options: statusOptions{output: outputTable}}
	if err := w.show(standings{objectives: first}); err != nil || !strings.HasPrefix(out.String(), clearScreen) || !strings.Contains(out.String(), "█") {
		t.Errorf("a terminal is drawn anew: %q: %v", out.String(), err)
	}
}

// TestStatusWatchAddsOthers adds lines for journeys and gates, below their columns where
// the line before is of another kind.
func TestStatusWatchAddsOthers(t *testing.T) {
	var out strings.Builder
	w := &statusWatch{program: Program{Out: &out, Now: func() time.Time { return now }}, options: statusOptions{output: outputTable}}
	kept := judged("kept", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "98%", "92%")
	holds, broken := way("order", v1alpha1.JourneyHolding, metav1.ConditionTrue, ""), way("order", v1alpha1.JourneyBroken, metav1.ConditionFalse, "web")
	broken.ResourceVersion = "2"
	baking, passed := checks()[0], checks()[3]
	passed.Name, passed.ResourceVersion = baking.Name, "2"
	other := checks()[1]
	other.ResourceVersion = "7"
	objectives, journeys := []v1alpha1.Objective{kept}, []v1alpha1.Journey{holds}
	for _, step := range []struct {
		reason string
		args   standings
		want   string
	}{
		{"nothing is there yet", standings{}, ""},
		{"all at once", standings{objectives: objectives, journeys: journeys, gates: []v1alpha1.Gate{baking}}, `
NAME   SERVICE    PERSPECTIVE   TARGET   CURRENT   BUDGET   LASTS   MET
kept   checkout   UX            75%      98%       92%              Met

JOURNEY   VERDICT   UX     CX    WEAKEST   BUDGET
order     Holding   100%   80%   web       12%

GATE     REVISION   VERDICT   SINCE   WHY
baking   v2         Baking    10m     too little was seen yet
`},
		{"nothing changed", standings{objectives: objectives, journeys: journeys, gates: []v1alpha1.Gate{baking}}, ""},
		{"the gate that somebody waited for, as the last line is of a gate", standings{objectives: objectives, journeys: journeys, gates: []v1alpha1.Gate{passed}}, `
baking   v2         Passed    10m     all that is required holds
`},
		{"it is told once", standings{objectives: objectives, journeys: journeys, gates: []v1alpha1.Gate{passed}}, ""},
		{"the journey", standings{objectives: objectives, journeys: []v1alpha1.Journey{broken}, gates: []v1alpha1.Gate{passed, other}}, `

JOURNEY   VERDICT   UX     CX    WEAKEST   BUDGET
order     Broken    100%   80%   web       12%

GATE     REVISION   VERDICT   SINCE   WHY
failed   v2         Failed    10m     bad: TargetMissed
`},
		{"what went is not told", standings{objectives: objectives}, ""},
	} {
		out.Reset()
		if err := w.show(step.args); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimPrefix(step.want, "\n"), out.String()); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", step.reason, diff)
		}
	}
	w = &statusWatch{program: Program{Out: &out, Terminal: true, Now: func() time.Time { return now }}, options: statusOptions{output: outputTable}}
	out.Reset()
	if err := w.show(standings{objectives: objectives, journeys: journeys, gates: []v1alpha1.Gate{baking}}); err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"PERSPECTIVE", "JOURNEY", "GATE"} {
		if strings.Count(out.String(), column) != 1 {
			t.Errorf("a terminal shows %s not once: %q", column, out.String())
		}
	}
}
