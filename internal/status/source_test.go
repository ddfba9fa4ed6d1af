package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

const (
	sufficient = "True RetentionSufficient: the server keeps data for as long as the longest window of the objectives that use it"
	inSync     = "True ClockInSync: the clocks of the server and of the operator show the same time"
	allLoaded  = "True RulesLoaded: the ruler records every objective that uses the source and evaluates its alerts"
	wait       = "Unknown RulesPending: the rules of the objectives wait for their first minutes"
)

// aSource is a source in whose status everything is said that can be.
func aSource() *v1alpha1.MetricSource {
	o := &v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Name: "prometheus", Generation: 2}}
	status.Source(o, &o.Status, status.Findings{
		Version: "3.11.3", Retention: "15d", Keeps: 15 * 24 * time.Hour, Skew: new(time.Duration), Users: &status.Users{
			Longest: slo.Window{Rolling: time.Hour},
			Rules:   &status.SourceRules{Output: v1alpha1.RulesOutputConfigMap, Expected: 2, Loaded: 2},
		},
	}, nil)
	return o
}

func TestSourceSaysAll(t *testing.T) {
	o := aSource()
	want := v1alpha1.MetricSourceStatus{
		ObservedGeneration: 2, Version: "3.11.3", Retention: "15d", Rules: &v1alpha1.RulesCount{Expected: 2, Loaded: 2}, Conditions: o.Status.Conditions,
	}
	if diff := cmp.Diff(want, o.Status); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	conditions := map[string]string{
		"Ready": "True Available: the server answers queries", "RetentionSufficient": sufficient, "ClockInSync": inSync, "RulesLoaded": allLoaded,
	}
	if diff := cmp.Diff(conditions, words(o.Status.Conditions)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, c := range o.Status.Conditions {
		if c.ObservedGeneration != 2 {
			t.Errorf("%s is of generation %d, want 2", c.Type, c.ObservedGeneration)
		}
	}
}

// TestSourceFaultSaysNoMore shows that nothing is said of a server that does not
// answer but who it was.
func TestSourceFaultSaysNoMore(t *testing.T) {
	cases := map[string]*status.Fault{
		"Waiting":   {Kind: status.Waiting, Reason: v1alpha1.ReasonUnreachable, Message: "gone"},
		"Mistake":   {Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidSpec, Message: "a typo"},
		"Unchecked": status.Unchecked(),
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			o := aSource()
			status.Source(o, &o.Status, status.Findings{Skew: new(time.Hour), Users: &status.Users{Rules: &status.SourceRules{Expected: 1}}}, fault)
			var got []string
			for _, c := range o.Status.Conditions {
				if c.Type != v1alpha1.ConditionReady && c.Type != v1alpha1.ConditionReconciling && c.Type != v1alpha1.ConditionStalled {
					got = append(got, c.Type)
				}
			}
			if got != nil || o.Status.Rules != nil {
				t.Errorf("conditions %v and rules %v stay", got, o.Status.Rules)
			}
			if o.Status.Version != "3.11.3" || o.Status.Retention != "15d" {
				t.Errorf("version %q and retention %q are forgotten", o.Status.Version, o.Status.Retention)
			}
		})
	}
}

func TestSourceClock(t *testing.T) {
	skewed := func(difference string) string {
		return "False ClockSkewed: the server's clock is more than " + difference + " the operator's: set the clocks of both machines, by NTP say"
	}
	cases := map[string]struct {
		reason string
		args   *time.Duration
		want   string
	}{
		"Unknown":   {reason: "a server that does not tell its time"},
		"Same":      {reason: "as it should be", args: new(time.Duration), want: inSync},
		"Half":      {reason: "a delay makes up for as much", args: new(30 * time.Second), want: inSync},
		"HalfBack":  {reason: "either way", args: new(-30 * time.Second), want: inSync},
		"More":      {reason: "a little more", args: new(30*time.Second + time.Millisecond), want: skewed("30s ahead of")},
		"Behind":    {reason: "behind", args: new(-4 * time.Minute), want: skewed("30s behind")},
		"Minutes":   {reason: "the message moves in large steps", args: new(6 * time.Minute), want: skewed("5m ahead of")},
		"TimeZone":  {reason: "a clock set to local time", args: new(-5*time.Hour - 30*time.Minute), want: skewed("1h behind")},
		"OtherYear": {reason: "a clock that lost its battery", args: new(-20000 * 24 * time.Hour), want: skewed("1d behind")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := aSource()
			status.Source(o, &o.Status, status.Findings{Skew: tc.args}, nil)
			if diff := cmp.Diff(tc.want, words(o.Status.Conditions)["ClockInSync"]); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSourceRetention(t *testing.T) {
	const day = 24 * time.Hour
	short := func(kept, window, flag string) string {
		return "False RetentionTooShort: the server keeps data for " + kept + ", which is less than the longest window of the objectives that use it, " + window +
			": set --storage.tsdb.retention.time=" + flag + " or more, choose a shorter window, or use a source with long-term storage"
	}
	type args struct {
		keeps time.Duration
		said  string
		users *status.Users
	}
	window := func(w slo.Window) *status.Users { return &status.Users{Longest: w} }
	rolling := func(d time.Duration) *status.Users { return window(slo.Window{Rolling: d}) }
	cases := map[string]struct {
		reason string
		args   args
		want   string
	}{
		"Exact":   {reason: "as long as the window", args: args{28 * day, "4w", rolling(28 * day)}, want: sufficient},
		"Shorter": {reason: "Prometheus' own default", args: args{15 * day, "15d or 10GiB", rolling(28 * day)}, want: short("15d or 10GiB", "28d", "28d")},
		"Month": {
			reason: "a month has up to 31 days", args: args{30 * day, "30d", window(slo.Window{Calendar: slo.Month})},
			want: short("30d", "a calendar month", "31d"),
		},
		"MonthKept": {reason: "and an hour more where clocks change, which is not asked for", args: args{31 * day, "31d", window(slo.Window{Calendar: slo.Month})}, want: sufficient},
		"Quarter": {
			reason: "a quarter up to 92", args: args{31 * day, "31d", window(slo.Window{Calendar: slo.Quarter})},
			want: short("31d", "a calendar quarter", "92d"),
		},
		"NotTold":  {reason: "not every server tells", args: args{0, "", rolling(28 * day)}},
		"SizeOnly": {reason: "a size may be any time", args: args{0, "10GiB", rolling(28 * day)}},
		"NoUsers":  {reason: "nothing to compare it with", args: args{15 * day, "15d", &status.Users{}}},
		"NotAllKnown": {
			reason: "what was said stands until all objectives are known", args: args{time.Hour, "1h", nil}, want: sufficient,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := aSource()
			status.Source(o, &o.Status, status.Findings{Retention: tc.args.said, Keeps: tc.args.keeps, Users: tc.args.users}, nil)
			if diff := cmp.Diff(tc.want, words(o.Status.Conditions)["RetentionSufficient"]); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if o.Status.Retention != tc.args.said {
				t.Errorf("retention = %q, want what the server says, %q", o.Status.Retention, tc.args.said)
			}
		})
	}
}

func TestSourceRules(t *testing.T) {
	const (
		selectors = "check that ruleSelector and ruleNamespaceSelector of its Prometheus select their PrometheusRules, or set spec.rules.objectLabels"
		mounts    = "check that its Prometheus mounts their ConfigMaps and is reloaded, or set spec.rules.objectLabels for the selector of what loads them"
	)
	missing := func(names, remedy string) string {
		return "False RulesNotLoaded: the ruler has recorded nothing of " + names + " for some minutes: " + remedy + "; the condition RulesLoaded of each objective says more"
	}
	count := func(expected, loaded int32) *v1alpha1.RulesCount {
		return &v1alpha1.RulesCount{Expected: expected, Loaded: loaded}
	}
	type want struct {
		Condition string
		Rules     *v1alpha1.RulesCount
	}
	cases := map[string]struct {
		reason string
		args   *status.SourceRules
		// fresh is a source of which nothing was said before.
		fresh, said want
	}{
		"NoRuler": {reason: "there is nothing to load"},
		"All": {
			reason: "as it should be", args: &status.SourceRules{Expected: 3, Loaded: 3},
			fresh: want{allLoaded, count(3, 3)}, said: want{allLoaded, count(3, 3)},
		},
		"NoObjectives": {
			reason: "nothing is loaded where nothing is to be", args: &status.SourceRules{},
			fresh: want{"Unknown RulesPending: no objective that uses the source has rules", count(0, 0)},
			said:  want{"Unknown RulesPending: no objective that uses the source has rules", count(0, 0)},
		},
		"OneNew": {
			reason: "a new objective does not take away what is known of the others", args: &status.SourceRules{Expected: 3, Loaded: 2},
			fresh: want{wait, count(3, 2)}, said: want{allLoaded, count(3, 2)},
		},
		"Restarted": {
			reason: "after a start nothing is known, and nothing changes", args: &status.SourceRules{Expected: 2, Unknown: true},
			fresh: want{wait, nil}, said: want{allLoaded, count(2, 2)},
		},
		"Selectors": {
			reason: "how the Prometheus operator is told", args: &status.SourceRules{Output: v1alpha1.RulesOutputPrometheusRule, Expected: 2, Loaded: 1, Missing: []string{"shop/speed"}},
			fresh: want{missing("shop/speed", selectors), count(2, 1)}, said: want{missing("shop/speed", selectors), count(2, 1)},
		},
		"Mounts": {
			reason: "how a plain Prometheus is", args: &status.SourceRules{Output: v1alpha1.RulesOutputConfigMap, Expected: 3, Missing: []string{"a/a", "a/b", "b/a"}},
			fresh: want{missing("a/a, a/b, b/a", mounts), count(3, 0)}, said: want{missing("a/a, a/b, b/a", mounts), count(3, 0)},
		},
		"Many": {
			reason: "a message is no list", args: &status.SourceRules{Output: v1alpha1.RulesOutputConfigMap, Expected: 4, Missing: []string{"a/a", "a/b", "b/a", "b/b"}},
			fresh: want{missing("a/a, a/b, b/a and others", mounts), count(4, 0)}, said: want{missing("a/a, a/b, b/a and others", mounts), count(4, 0)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			fresh := &v1alpha1.MetricSource{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
			for o, expected := range map[*v1alpha1.MetricSource]want{fresh: tc.fresh, aSource(): tc.said} {
				status.Source(o, &o.Status, status.Findings{Users: &status.Users{Rules: tc.args}}, nil)
				got := want{words(o.Status.Conditions)["RulesLoaded"], o.Status.Rules}
				if diff := cmp.Diff(expected, got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

// TestSourceTextIsBounded keeps the API server from refusing a status for what a
// server says of itself.
func TestSourceTextIsBounded(t *testing.T) {
	cases := map[string]struct{ args, want string }{
		"Fits":    {strings.Repeat("é", 64), strings.Repeat("é", 64)},
		"TooLong": {strings.Repeat("é", 65), strings.Repeat("é", 61) + "..."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := aSource()
			status.Source(o, &o.Status, status.Findings{Version: tc.args, Retention: tc.args}, nil)
			if diff := cmp.Diff([]string{tc.want, tc.want}, []string{o.Status.Version, o.Status.Retention}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
