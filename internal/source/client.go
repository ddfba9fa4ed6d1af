package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// MaxPoints is the most points a series may have in one answer. Prometheus
// refuses more, and Range does not split: callers ask for longer ranges in
// parts. Source: web/api/v1 of Prometheus, "exceeded maximum resolution of
// 11,000 points per timeseries".
const MaxPoints = 11000

// errQueryTimeout tells the source's own timeout from a caller's deadline.
var errQueryTimeout = errors.New("query timeout")

// Client asks one server. It may be used by many goroutines at once.
type Client struct {
	name      string
	base      *url.URL
	header    map[string]string
	timeout   time.Duration
	slots     chan struct{}
	maxBytes  int64
	maxSeries int
	observe   func(Observation)
	http      *http.Client
	closeIdle func()
	scrub     *strings.Replacer
}

// New returns a client that has not talked to its server yet. An error is an
// *Error: ReasonInvalidConfig names the field, its value where that is no
// secret, and the remedy; ReasonUnauthorized says that no AWS credentials were
// found.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if fault := cfg.validate(); fault != "" {
		return nil, &Error{Reason: ReasonInvalidConfig, Message: cfg.Name + ": " + fault}
	}
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, &Error{Reason: ReasonInvalidConfig, Message: cfg.Name + ": spec.url is not a URL"}
	}
	base.Path = strings.TrimRight(base.Path, "/")
	rt, closeIdle, err := newTransport(cfg)
	if err != nil {
		return nil, setupError(cfg, err)
	}
	observe := cfg.Observe
	if observe == nil {
		observe = func(Observation) {}
	}
	return &Client{
		name:      cfg.Name,
		base:      base,
		header:    cfg.Header,
		timeout:   cfg.Timeout,
		slots:     make(chan struct{}, cfg.Concurrency),
		maxBytes:  cfg.MaxResponseBytes,
		maxSeries: cfg.MaxSeries,
		observe:   observe,
		http:      &http.Client{Transport: rt, CheckRedirect: refuseRedirects},
		closeIdle: closeIdle,
		scrub:     scrubber(cfg),
	}, nil
}

// Range evaluates expr at start, start+step and so on up to end. At most
// MaxPoints points: more is an error of ReasonInvalidQuery, and so is a step
// that is not positive.
func (c *Client) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	if step <= 0 || end.Before(start) {
		return nil, c.fail(ReasonInvalidQuery, nil, "was not asked: a range needs a positive step and an end that is not before its start")
	}
	if points := int64(end.Sub(start)/step) + 1; points > MaxPoints {
		return nil, c.fail(ReasonInvalidQuery, nil, "was not asked: a range has at most %d points, ask for it in parts", MaxPoints)
	}
	var result model.Matrix
	err := c.query(ctx, func(ctx context.Context, api v1.API) error {
		value, warnings, _, err := api.QueryRange(ctx, expr, v1.Range{Start: start, End: end, Step: step}, c.options()...)
		if err != nil {
			return err
		}
		matrix, ok := value.(model.Matrix)
		if !ok {
			return c.wrongShape(value, "a range of numbers")
		}
		result = matrix
		return c.accept(len(matrix), warnings)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Instant evaluates expr at one moment, or at the server's present when at is
// zero. A scalar comes back as a vector of one sample without labels.
func (c *Client) Instant(ctx context.Context, expr string, at time.Time) (model.Vector, error) {
	var result model.Vector
	err := c.query(ctx, func(ctx context.Context, api v1.API) error {
		value, warnings, _, err := api.Query(ctx, expr, at, c.options()...)
		if err != nil {
			return err
		}
		switch v := value.(type) {
		case model.Vector:
			result = v
		case *model.Scalar:
			result = model.Vector{{Metric: model.Metric{}, Value: v.Value, Timestamp: v.Timestamp}}
		default:
			return c.wrongShape(value, "a number or an instant vector")
		}
		return c.accept(len(result), warnings)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Samples gives the samples that a range selector holds at a moment, with the
// times at which they were written.
func (c *Client) Samples(ctx context.Context, selector string, at time.Time) (model.Matrix, error) {
	var result model.Matrix
	err := c.query(ctx, func(ctx context.Context, api v1.API) error {
		value, warnings, _, err := api.Query(ctx, selector, at, c.options()...)
		if err != nil {
			return err
		}
		matrix, ok := value.(model.Matrix)
		if !ok {
			return c.wrongShape(value, "a range of samples")
		}
		result = matrix
		return c.accept(len(matrix), warnings)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// BuildInfo returns the version the server gives itself. Not every
// Prometheus-compatible server has one.
func (c *Client) BuildInfo(ctx context.Context) (version string, err error) {
	err = c.query(ctx, func(ctx context.Context, api v1.API) error {
		info, err := api.Buildinfo(ctx)
		if err != nil {
			return err
		}
		if info.Version == "" {
			return c.fail(ReasonNotPrometheus, nil, "does not tell its version")
		}
		version = info.Version
		return nil
	})
	return version, err
}

// Ping asks for vector(1), which shows cheaply that the server is there, that
// it is a Prometheus API and that it accepts the credentials.
func (c *Client) Ping(ctx context.Context) error {
	vector, err := c.Instant(ctx, "vector(1)", time.Time{})
	if err != nil {
		return err
	}
	if len(vector) != 1 || vector[0].Value != 1 {
		return c.fail(ReasonNotPrometheus, nil, "did not answer 1 to vector(1), so it is not the Prometheus API: %s", remedyURL)
	}
	return nil
}

// Close closes idle connections. Call it after the last query.
func (c *Client) Close() { c.closeIdle() }

// String names the source; a client holds secrets.
func (c *Client) String() string { return c.name }

// GoString is String, for %#v.
func (c *Client) GoString() string { return c.name }

// options asks the server to stop by itself, in time and at one series more
// than the limit: that one tells an answer that fits from one that was cut.
func (c *Client) options() []v1.Option {
	return []v1.Option{v1.WithTimeout(c.timeout), v1.WithLimit(uint64(c.maxSeries) + 1)}
}

// query waits for a turn, runs call with the source's timeout and observes it.
func (c *Client) query(ctx context.Context, call func(context.Context, v1.API) error) error {
	if err := c.acquire(ctx); err != nil {
		return err
	}
	defer func() { <-c.slots }()
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errQueryTimeout)
	defer cancel()
	x := &exchange{client: c}
	start := time.Now()
	err := c.explain(call(ctx, v1.NewAPI(x)), x)
	c.observe(Observation{Duration: time.Since(start), Bytes: x.bytes, Reason: ReasonOf(err)})
	return err
}

func (c *Client) acquire(ctx context.Context) error {
	if ctx.Err() == nil {
		select {
		case c.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return c.fail(ReasonCanceled, ctx.Err(), "was not asked: the query was cancelled before its turn")
	}
	return c.fail(ReasonTimeout, ctx.Err(), "was not asked in time, too many queries wait: raise spec.limits.concurrency or ask for less")
}

// accept judges an answer of the right shape. The limit comes first, because a
// server that was told of it warns about the cut.
func (c *Client) accept(series int, warnings v1.Warnings) error {
	if series > c.maxSeries {
		return c.fail(ReasonTooManySeries, nil, "answered more than %d series: narrow the query or raise spec.limits.series", c.maxSeries)
	}
	// Older servers send remarks on the expression, which say nothing about
	// completeness, among the warnings instead of the infos.
	warnings = slices.DeleteFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "PromQL info") })
	if len(warnings) == 0 {
		return nil
	}
	return c.fail(ReasonPartial, nil, "answered with a warning, so the result may be incomplete: %s",
		clean(c.scrub.Replace(slices.Min(warnings))))
}

func (c *Client) wrongShape(value model.Value, want string) error {
	if value == nil {
		return c.fail(ReasonNotPrometheus, nil, "answered JSON that is not the Prometheus API: %s", remedyURL)
	}
	return c.fail(ReasonInvalidQuery, nil, "answered a %s where the query should give %s: change the expression", value.Type(), want)
}

// fail returns an error whose message begins with the source's name.
func (c *Client) fail(reason Reason, cause error, format string, args ...any) *Error {
	return &Error{Reason: reason, Message: c.name + " " + fmt.Sprintf(format, args...), Err: cause}
}
