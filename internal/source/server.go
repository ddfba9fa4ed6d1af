package source

import (
	"context"
	"math"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Retention is how much data a server keeps.
type Retention struct {
	// Text is what the server says, such as "15d" or "15d or 10GiB".
	Text string
	// Time is how long data is kept; it is 0 where the server bounds its size
	// alone, or says something else.
	Time time.Duration
}

// Retention asks the server how long it keeps data. Not every
// Prometheus-compatible server tells: then the text is empty, or there is an
// error of ReasonNotPrometheus.
func (c *Client) Retention(ctx context.Context) (Retention, error) {
	var out Retention
	err := c.query(ctx, func(ctx context.Context, api v1.API) error {
		info, err := api.Runtimeinfo(ctx)
		if err != nil {
			return err
		}
		out = retentionOf(clean(info.StorageRetention))
		return nil
	})
	return out, err
}

// retentionOf finds the time among the bounds, which Prometheus joins by "or":
// web/api/v1 of Prometheus, storageRetention of the runtime information.
func retentionOf(text string) Retention {
	out := Retention{Text: text}
	for bound := range strings.SplitSeq(text, " or ") {
		if d, err := model.ParseDuration(strings.TrimSpace(bound)); err == nil {
			out.Time = time.Duration(d)
		}
	}
	return out
}

// Now asks the server for its time.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	vector, err := c.Instant(ctx, "time()", time.Time{})
	if err != nil {
		return time.Time{}, err
	}
	if len(vector) != 1 || !isTime(float64(vector[0].Value)) {
		return time.Time{}, c.fail(ReasonNotPrometheus, nil, "did not answer a time to time(), so it is not the Prometheus API: %s", remedyURL)
	}
	seconds, part := math.Modf(float64(vector[0].Value))
	return time.Unix(int64(seconds), int64(part*float64(time.Second))), nil
}

// isTime says whether seconds are a moment that a time.Time can be of, which
// time.Unix does not check.
func isTime(seconds float64) bool {
	const year9999 = 253402300800
	return seconds > 0 && seconds < year9999
}
