package source

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// RuleGroupHealth is what a ruler says of one of its rule groups.
type RuleGroupHealth struct {
	Name string
	// File is where the ruler read the group.
	File  string
	Rules []RuleHealth
}

// RuleHealth is what a ruler says of one rule.
type RuleHealth struct {
	Name string
	// Health is "ok", "err", or "unknown" before the first evaluation.
	Health string
	// LastError is the error of the last evaluation; it is empty when that went
	// well.
	LastError string
}

// rulesAnswer is an answer of /api/v1/rules.
type rulesAnswer struct {
	Status string `json:"status"`
	Data   *struct {
		Groups []struct {
			Name  string `json:"name"`
			File  string `json:"file"`
			Rules []struct {
				Name      string `json:"name"`
				Health    string `json:"health"`
				LastError string `json:"lastError"`
			} `json:"rules"`
		} `json:"groups"`
	} `json:"data"`
}

// Rules asks the ruler for rule groups by their names. Those that it has not
// loaded are not in the answer. Servers that cannot choose give all their groups,
// of which the others are dropped.
func (c *Client) Rules(ctx context.Context, groups []string) ([]RuleGroupHealth, error) {
	if err := c.acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { <-c.slots }()
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errQueryTimeout)
	defer cancel()
	x := &exchange{client: c}
	start := time.Now()
	answer, err := x.rules(ctx, groups)
	err = c.explain(err, x)
	c.observe(Observation{Duration: time.Since(start), Bytes: x.bytes, Reason: ReasonOf(err)})
	if err != nil {
		return nil, err
	}
	return x.health(answer, groups), nil
}

func (x *exchange) rules(ctx context.Context, groups []string) (*rulesAnswer, error) {
	u := x.URL("/api/v1/rules", nil)
	// A server that leaves a parameter out of account answers more, not wrong.
	u.RawQuery = url.Values{"rule_group[]": groups, "exclude_alerts": {"true"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	_, body, err := x.Do(ctx, req) //nolint:bodyclose // Do closes the body that it read
	if err != nil {
		return nil, err
	}
	answer := &rulesAnswer{}
	if err := json.Unmarshal(body, answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" || answer.Data == nil {
		return nil, x.client.fail(ReasonNotPrometheus, nil, "answered its rules in no form of the Prometheus API: %s", remedyURL)
	}
	return answer, nil
}

// health keeps the groups that were asked for. What a ruler says of an error may
// repeat what it was sent.
func (x *exchange) health(answer *rulesAnswer, names []string) []RuleGroupHealth {
	var out []RuleGroupHealth
	for _, g := range answer.Data.Groups {
		if !slices.Contains(names, g.Name) {
			continue
		}
		group := RuleGroupHealth{Name: g.Name, File: g.File}
		for _, r := range g.Rules {
			group.Rules = append(group.Rules, RuleHealth{Name: r.Name, Health: r.Health, LastError: clean(x.scrub(r.LastError))})
		}
		out = append(out, group)
	}
	return out
}
