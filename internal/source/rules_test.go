package source

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prometheus/common/config"
)

// twoGroups is an answer of a server that gives all its groups.
const twoGroups = `{"status":"success","data":{"groups":[
	{"name":"a","file":"/rules/a.yaml","interval":60,"rules":[
		{"name":"x","type":"recording","health":"ok","evaluationTime":0.1},
		{"name":"y","type":"alerting","health":"err","lastError":"many-to-many\nmatching"},
		{"name":"z","type":"recording","health":"unknown"}]},
	{"name":"b","file":"/rules/b.yaml","rules":[]}]}}`

func TestRules(t *testing.T) {
	type want struct {
		Groups  []RuleGroupHealth
		Outcome outcome
	}
	cases := map[string]struct {
		reason string
		args   answer
		want   want
	}{
		"Asked": {
			reason: "the groups that were asked for are told of, others not",
			args:   jsonAnswer(http.StatusOK, twoGroups),
			want: want{Groups: []RuleGroupHealth{{Name: "a", File: "/rules/a.yaml", Rules: []RuleHealth{
				{Name: "x", Health: "ok"}, {Name: "y", Health: "err", LastError: "many-to-many matching"}, {Name: "z", Health: "unknown"},
			}}}},
		},
		"NotLoaded": {
			reason: "a group that is not loaded is not in the answer, which is no error",
			args:   jsonAnswer(http.StatusOK, `{"status":"success","data":{"groups":[]}}`),
		},
		"NoData": {
			reason: "an answer without data tells nothing of groups",
			args:   jsonAnswer(http.StatusOK, `{"status":"success"}`),
			want:   want{Outcome: outcome{ReasonNotPrometheus, shop + " answered its rules in no form of the Prometheus API: check spec.url and its path prefix"}},
		},
		"NotJSON": {
			reason: "nor does what is no JSON",
			args:   jsonAnswer(http.StatusOK, `rules: none`),
			want:   want{Outcome: outcome{ReasonNotPrometheus, shop + " answered something that is not the Prometheus API: check spec.url and its path prefix"}},
		},
		"NoRules": {
			reason: "a server that answers queries alone has no such address",
			args:   answer{code: http.StatusNotFound, media: "text/plain", body: "404 page not found"},
			want:   want{Outcome: outcome{ReasonNotPrometheus, shop + " has no Prometheus API at this address (HTTP 404): check spec.url and its path prefix"}},
		},
		"Down": {
			reason: "a server that failed is no proof of anything",
			args:   answer{code: http.StatusBadGateway, media: "text/plain", body: "down"},
			want:   want{Outcome: outcome{ReasonServer, shop + " failed (HTTP 502 Bad Gateway): look at its state and its log"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := &recorder{next: tc.args}
			observed := 0
			c := connect(t, serve(t, server).URL, func(c *Config) { c.Observe = func(Observation) { observed++ } })
			groups, err := c.Rules(context.Background(), []string{"a", "c"})
			if diff := cmp.Diff(tc.want, want{groups, outcomeOf(t, err)}); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			asked := server.last(t)
			if diff := cmp.Diff(map[string][]string{"rule_group[]": {"a", "c"}, "exclude_alerts": {"true"}}, asked.form); diff != "" || asked.path != "/api/v1/rules" {
				t.Errorf("asked %s: -want +got:\n%s", asked.path, diff)
			}
			if observed != 1 {
				t.Errorf("%d observations, want 1", observed)
			}
		})
	}
}

// TestRulesHideSecrets has a ruler repeat what it was sent.
func TestRulesHideSecrets(t *testing.T) {
	const token = "token-of-the-ruler"
	c := connect(t, serve(t, jsonAnswer(http.StatusOK,
		`{"status":"success","data":{"groups":[{"name":"a","rules":[{"name":"x","health":"err","lastError":"sent `+token+`"}]}]}}`)).URL,
		func(c *Config) {
			c.HTTP.Authorization = &config.Authorization{Type: "Bearer", Credentials: token}
		})
	got, err := c.Rules(context.Background(), []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("sent <secret>", got[0].Rules[0].LastError); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRulesTimeOut(t *testing.T) {
	c := connect(t, serve(t, http.HandlerFunc(hang)).URL, withTimeout(50*time.Millisecond))
	_, err := c.Rules(context.Background(), []string{"a"})
	if got := outcomeOf(t, err).Reason; got != ReasonTimeout {
		t.Errorf("reason = %q, want %q", got, ReasonTimeout)
	}
}
