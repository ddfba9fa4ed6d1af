package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/status"
)

// TestRules writes the condition beside those of an evaluated objective, which
// stay as they are, and takes it away again.
func TestRules(t *testing.T) {
	type want struct {
		Words  map[string]string
		Judged bool
	}
	// with gives the words of an evaluated objective and more.
	with := func(more string) map[string]string {
		out := map[string]string{"Ready": "True Evaluated: evaluated", "Met": "True TargetMet: the attainment is at least the target of 75%"}
		if more != "" {
			out["RulesLoaded"] = more
		}
		return out
	}
	cases := map[string]struct {
		reason string
		args   *metav1.Condition
		want   want
	}{
		"None": {reason: "an objective without rules has no condition", want: want{Words: with("")}},
		"Loaded": {
			reason: "the ruler does its work", args: new(status.RulesLoaded()),
			want: want{Judged: true, Words: with("True RulesLoaded: the ruler records the objective and evaluates its alerts")},
		},
		"Pending": {
			reason: "nothing is known yet", args: new(status.RulesPending("a wait")),
			want: want{Words: with("Unknown RulesPending: a wait")},
		},
		"Unseen": {
			reason: "nobody can be asked", args: new(status.RulesUnseen("down")),
			want: want{Words: with("Unknown SourceUnavailable: down")},
		},
		"Failing": {
			reason: "the ruler says what is wrong", args: new(status.RulesNotLoaded(v1alpha1.ReasonRuleFailing, "a rule")),
			want: want{Judged: true, Words: with("False RuleFailing: a rule")},
		},
		"NotWritten": {
			reason: "what was never written is no word of the ruler's", args: new(status.RulesNotLoaded(v1alpha1.ReasonSinkForbidden, "no right")),
			want: want{Words: with("False SinkForbidden: no right")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := anObject()
			status.Objective(o, aVerdict(), nil)
			if tc.args != nil {
				status.Rules(o, o.Generation, *tc.args)
			}
			got := want{Words: words(o.Status.Conditions), Judged: status.RulesJudged(o, o.Generation)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if status.RulesJudged(o, o.Generation+1) {
				t.Error("the word on one spec is taken for that on the next")
			}
			if has := status.HasRules(o); has != (tc.args != nil) {
				t.Errorf("HasRules() = %t", has)
			}
			status.NoRules(o)
			if diff := cmp.Diff(with(""), words(o.Status.Conditions)); diff != "" || status.HasRules(o) {
				t.Errorf("after NoRules(): -want +got:\n%s", diff)
			}
		})
	}
}
