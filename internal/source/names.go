package source

import (
	"context"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// LabelNames gives the names of the labels that series had between two moments,
// in order. An empty selector is all series.
func (c *Client) LabelNames(ctx context.Context, selector string, start, end time.Time) ([]string, error) {
	var out []string
	err := c.query(ctx, func(ctx context.Context, api v1.API) error {
		names, warnings, _, err := api.LabelNames(ctx, selectors(selector), start, end, v1.WithTimeout(c.timeout))
		if err != nil {
			return err
		}
		for _, name := range names {
			out = append(out, string(name))
		}
		return c.accept(0, warnings)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// LabelValues gives the values of a label that series had between two moments, in
// order. An empty selector is all series. The bytes of the answer are bounded,
// the values are not: names of metrics are many.
func (c *Client) LabelValues(ctx context.Context, label, selector string, start, end time.Time) ([]string, error) {
	var out []string
	err := c.query(ctx, func(ctx context.Context, api v1.API) error {
		values, warnings, _, err := api.LabelValues(ctx, label, selectors(selector), start, end, v1.WithTimeout(c.timeout))
		if err != nil {
			return err
		}
		for _, value := range values {
			out = append(out, string(value))
		}
		return c.accept(0, warnings)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func selectors(selector string) []string {
	if selector == "" {
		return nil
	}
	return []string{selector}
}
