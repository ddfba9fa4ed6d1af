package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// TestExplainFiles explains manifests by a real Prometheus, and without one.
func TestExplainFiles(t *testing.T) {
	const at = "--prometheus"
	cases := map[string]struct {
		reason, in string
		args       []string
		terminal   bool
	}{
		"met":      {reason: "99 of 100 tasks succeed, and 98% are promised", in: daily("tasks", tasks, "98%"), args: []string{at, server.URL}},
		"violated": {reason: "80 of 100 pages are fast, and 90% are promised", in: daily("pages", pages, "90%"), args: []string{at, server.URL}, terminal: true},
		"offline":  {reason: "without figures there is what is promised", in: daily("pages", pages, "75%"), args: []string{"--expressions"}},
		"nodata":   {reason: "nobody knows", in: daily("none", "events: {good: no_total, total: nothing_total}", "98%"), args: []string{at, server.URL}},
		"reference": {
			reason: "an indicator is shown as its parameters make it", in: lcpIndicator + byReference, args: []string{"--expressions"},
		},
		"state": {reason: "a condition that is checked", in: daily("up", `state: {query: probe_success, operator: Equal, value: "1", noData: Bad}`, "99%"), args: []string{at, server.URL}},
		"interpolated": {
			reason: "Prometheus alone knows the buckets", in: daily("pages", strings.Replace(pages, `"2.5"`, `"3", interpolate: true`, 1), "75%"), args: []string{"--expressions"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", "none")
			var got outcome
			if tc.terminal {
				got = doOn(t, Program{Terminal: true, Width: 100}, tc.in, append([]string{"explain", "-f", "-"}, tc.args...)...)
			} else {
				got = do(t, tc.in, append([]string{"explain", "-f", "-"}, tc.args...)...)
			}
			if got.Code != Done {
				t.Fatalf("%s: ended with %d: %s", tc.reason, got.Code, got.Err)
			}
			golden(t, "explain/"+name+".txt", got.Out)
		})
	}
}

// doOn is do for a program with settings of its own.
func doOn(t *testing.T, p Program, manifests string, args ...string) outcome {
	t.Helper()
	var out, told safeBuffer
	p.In, p.Out, p.Err, p.Now, p.Patience = strings.NewReader(manifests), &out, &told, clock, time.Hour
	code := p.Run(t.Context(), args)
	return outcome{Code: code, Out: out.String(), Err: told.String()}
}

// TestExplainCluster explains what an operator wrote, and counts beside it.
func TestExplainCluster(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	cases := map[string]struct {
		reason string
		args   []string
		code   int
		out    []string
		err    string
	}{
		"Broken": {
			reason: "what the operator found", args: []string{"broken"},
			out: []string{"Objective testexplaincluster/broken: Violated\n", "Met   False, TargetMissed (since 2026-03-01 00:00 UTC)", "Name the server of its metrics with --prometheus", "1. Limit the harm first"},
			err: "note: ClusterMetricSource default cannot be read, and is taken to have the defaults",
		},
		"Counted": {
			reason: "and where its budget went", args: []string{"broken", "--prometheus", server.URL},
			out: []string{": Violated\n", "HOUR          EVENTS   LOST   BUDGET SPENT\n", "6000     60     4.2%"}, err: "note:",
		},
		"Open":      {reason: "what to do about not knowing", args: []string{"open"}, out: []string{"1. NoData: Check the metric's name and labels by pasting the selector into Prometheus"}, err: "note:"},
		"Nothing":   {reason: "there must be one", code: Unusable, err: "error: no objective: name one, or a file with --filename"},
		"Missing":   {reason: "a near miss", args: []string{"kpet"}, code: Unusable, err: `error: objective "kpet" is not in namespace "testexplaincluster": did you mean "kept" or "open"?`},
		"Forbidden": {reason: "no right", args: []string{"kept", "--as", "nobody"}, code: Unusable, err: `the verb "get" on "objectives.experience.slo"`},
		"NoServer":  {reason: "a server that does not answer", args: []string{"kept", "--prometheus", "http://127.0.0.1:1"}, code: Unusable, err: "--prometheus"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := begin(t, Program{Now: clock}, append([]string{"explain", "-n", namespace}, tc.args...)...).end()
			if got.Code != tc.code || !strings.Contains(got.Err, tc.err) || (tc.code != Done) != (got.Out == "") {
				t.Errorf("%s: ended with %d\n%s\n%s", tc.reason, got.Code, got.Out, got.Err)
			}
			for _, part := range tc.out {
				if !strings.Contains(got.Out, part) {
					t.Errorf("%s: %q is not in\n%s", tc.reason, part, got.Out)
				}
			}
		})
	}
}

// TestExplainFaults tells of manifests that cannot be explained.
func TestExplainFaults(t *testing.T) {
	both := daily("a", tasks, "98%") + daily("b", tasks, "98%")
	cases := map[string]struct {
		reason, in string
		args       []string
		want       string
	}{
		"Several": {reason: "one at a time", in: both, want: `error: there are 2 objectives among the manifests: name one, such as "a"`},
		"Missing": {reason: "one that is there", in: both, args: []string{"c"}, want: `error: objective "c" is not among the manifests: did you mean "a" or "b"?`},
		"Mistake": {reason: "one that can be", in: daily("a", tasks, "100%"), want: "spec.target"},
		"Empty":   {reason: "one at all", in: "", want: "no Objective is among the manifests"},
		"Token":   {reason: "credentials for nobody", in: both, args: []string{"a", "--token-file", "x"}, want: "error: credentials are sent to the server of --prometheus alone: name it"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", "none")
			got := do(t, tc.in, append([]string{"explain", "-f", "-"}, tc.args...)...)
			if got.Code != Unusable || got.Out != "" || !strings.Contains(got.Err, tc.want) {
				t.Errorf("%s: ended with %d, want %q:\n%s%s", tc.reason, got.Code, tc.want, got.Out, got.Err)
			}
		})
	}
}

// TestCounting says of each indicator what counts.
func TestCounting(t *testing.T) {
	cases := map[string]struct {
		reason string
		in     v1alpha1.ObjectiveIndicator
		want   string
	}{
		"Good":         {reason: "good events", in: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Good: "g", Total: "t"}}, want: "good: g; of all: t"},
		"Bad":          {reason: "bad events", in: v1alpha1.ObjectiveIndicator{Events: &v1alpha1.EventsIndicator{Bad: "b", Total: "t"}}, want: "bad: b; of all: t"},
		"Distribution": {reason: "a histogram", in: v1alpha1.ObjectiveIndicator{Distribution: &v1alpha1.DistributionIndicator{Histogram: "h", Threshold: "2.5", PoorAbove: "4"}}, want: "good: events of at most 2.5; of all: h; poor: events above 4"},
		"Apdex": {
			reason: "what is tolerated is four times what satisfies", in: v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "h", Satisfied: "0.3", Failed: `{code="500"}`}},
			want: `a point: for events of at most 0.3; half of one: for events of at most 1.2; of all: h; none: for events with {code="500"}`,
		},
		"Tolerated": {reason: "unless it says otherwise", in: v1alpha1.ObjectiveIndicator{Apdex: &v1alpha1.ApdexIndicator{Histogram: "h", Satisfied: "1", Tolerated: "2"}}, want: "a point: for events of at most 1; half of one: for events of at most 2; of all: h"},
		"Mean":      {reason: "ratings", in: v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{Mean: &v1alpha1.MeanScore{Sum: "s", Count: "c", Lowest: "1", Highest: "5"}}}, want: "ratings: s; answers: c; scale: from 1 to 5"},
		"Recommend": {reason: "recommendations", in: v1alpha1.ObjectiveIndicator{Score: &v1alpha1.ScoreIndicator{NetPromoter: &v1alpha1.NetPromoterScore{Promoters: "p", Detractors: "d", Responses: "r"}}}, want: "promoters: p; detractors: d; answers: r"},
		"State":     {reason: "a condition", in: v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "q", Operator: v1alpha1.OperatorLessThanOrEqual, Value: "3"}}, want: "good: a minute in which every value is at most 3; values: q"},
		"NoData":    {reason: "with a word on no data", in: v1alpha1.ObjectiveIndicator{State: &v1alpha1.StateIndicator{Query: "q", Operator: v1alpha1.OperatorEqual, Value: "3", NoData: v1alpha1.NoDataGood}}, want: "good: a minute in which every value is equal to 3; values: q; no data: counts as good"},
		"Queries":   {reason: "as the author says", in: v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: "p", Events: "e"}}, want: "points: p; of: e"},
		"Ref": {
			reason: "an indicator, and what it was given", want: "as in: Indicator lcp; app: shop; region: eu",
			in: v1alpha1.ObjectiveIndicator{Ref: &v1alpha1.IndicatorReference{Kind: "Indicator", Name: "lcp", Parameters: map[string]v1alpha1.ParameterValue{"region": "eu", "app": "shop"}}},
		},
		"None": {reason: "nothing", want: ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var parts []string
			for _, f := range counting(tc.in) {
				parts = append(parts, f.name+": "+f.text)
			}
			if got := strings.Join(parts, "; "); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// TestRemedies holds what the command says against the page about objectives.
func TestRemedies(t *testing.T) {
	said := map[string]string{}
	for line := range strings.Lines(read(t, "../../docs/spec/objective.md")) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), " |"), " | ")
		reason := strings.Trim(cells[0], "|` ")
		said[reason] = link.ReplaceAllString(cells[len(cells)-1], "$1")
	}
	for reason, remedy := range remedies {
		if said[reason] != remedy {
			t.Errorf("%s: the page says %q, the command %q", reason, said[reason], remedy)
		}
	}
}

// TestHarm holds what the command says against the runbook.
func TestHarm(t *testing.T) {
	runbook := strings.Join(strings.Fields(read(t, "../../docs/runbooks/ExperienceBudgetBurn.md")), " ")
	steps := strings.ToLower(strings.Join(harm, " "))
	for _, part := range []string{
		"Roll back, switch the feature off, move traffic away; for support, open another channel or add people.",
		"split the indicator's own metric by version, region, page or channel, and look at what was changed at the time at which it began.",
		"mend the metric or the indicator", "the target is stricter than what people need",
	} {
		if !strings.Contains(steps, strings.ToLower(part)) || !strings.Contains(runbook, part) {
			t.Errorf("the command and the runbook do not both say %q", part)
		}
	}
}

// TestNext says what to do in each state.
func TestNext(t *testing.T) {
	unloaded := func(o *v1alpha1.Objective) {
		o.Status.Conditions = append(o.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionRulesLoaded, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSinkConflict})
	}
	kept := func(edits ...func(*v1alpha1.Objective)) v1alpha1.Objective {
		return judged("o", metav1.ConditionTrue, v1alpha1.ReasonTargetMet, "99%", "50%", edits...)
	}
	cases := map[string]struct {
		reason string
		o      v1alpha1.Objective
		// written says that it is one of a manifest.
		written bool
		want    string
	}{
		"Kept":    {reason: "all is well", o: kept(), want: "Nothing."},
		"Burning": {reason: "while it lasts", o: kept(lasting(1)), want: "The budget does not last"},
		"Broken":  {reason: "as the runbook has it", o: judged("o", metav1.ConditionFalse, v1alpha1.ReasonTargetMissed, "", ""), want: harm[0]},
		"Unknown": {reason: "as the page has it", o: judged("o", metav1.ConditionUnknown, v1alpha1.ReasonInconclusive, "", ""), want: "Inconclusive: Wait for more events"},
		"Changed": {reason: "what was found is of another spec", o: kept(func(o *v1alpha1.Objective) { o.Generation = 3 }), want: "EvaluationPending: Wait: seconds"},
		"New":     {reason: "nobody has looked", o: v1alpha1.Objective{Status: v1alpha1.ObjectiveStatus{ObservedGeneration: -1}}, want: "EvaluationPending"},
		"Written": {reason: "nobody can have", o: v1alpha1.Objective{}, written: true, want: "Name the server of its metrics with --prometheus"},
		"Rules":   {reason: "alerts are missing too", o: kept(unloaded), want: "Alerts are missing. SinkConflict: Delete or rename it."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := &explanation{declared: declared{Objective: &tc.o}, plan: &compile.Plan{}, now: now, written: tc.written}
			if got := e.next(); !strings.HasPrefix(got[0], tc.want) {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// clock stands still at the end of the world of these tests.
func clock() time.Time { return now }
