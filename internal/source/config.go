package source

import (
	"cmp"
	"fmt"
	"maps"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
)

// Limits of a Config that sets none; the same as the defaults of the resources.
const (
	// DefaultTimeout is the time of one query.
	DefaultTimeout = 30 * time.Second
	// DefaultConcurrency is the number of queries in flight at once.
	DefaultConcurrency = 4
	// DefaultMaxResponseBytes is the size of the largest answer: 16 MiB.
	DefaultMaxResponseBytes = 16 << 20
	// DefaultMaxSeries is the number of series in the largest answer.
	DefaultMaxSeries = 1000
)

// Config is all that is needed to talk to one server; every secret has been
// read already.
type Config struct {
	// Name says in messages which source it is, as in "MetricSource shop/default".
	Name string
	// URL is the http or https address of the server, with its path prefix but
	// without /api/v1, user info, query or fragment.
	URL string
	// HTTP holds the credentials and TLS settings, with inline PEM and never
	// with files. OAuth2 is the client credentials grant; its own TLSConfig is
	// the one for the token endpoint. FollowRedirects is ignored.
	HTTP config.HTTPClientConfig
	// SigV4 signs every request for AWS when it is set.
	SigV4 *sigv4.SigV4Config
	// Header is sent with every query: a tenant, such as X-Scope-OrgID.
	Header map[string]string
	// Timeout is the time one query may take, waiting for its turn excluded.
	Timeout time.Duration
	// Concurrency is the number of queries in flight at once.
	Concurrency int
	// MaxResponseBytes is the size of the largest answer that is read.
	MaxResponseBytes int64
	// MaxSeries is the number of series in the largest answer that is given.
	MaxSeries int
	// Observe, when set, is called once for each query that went out, from the
	// goroutine that asked.
	Observe func(Observation)
}

// Observation is what one query cost and how it ended.
type Observation struct {
	// Duration runs from the first byte sent to the answer understood.
	Duration time.Duration
	// Bytes is the size of the answers read.
	Bytes int64
	// Reason is "" on success.
	Reason Reason
}

// String names the source and its address and nothing else: a Config holds
// secrets, and this is what %v and %+v print.
func (c Config) String() string {
	return fmt.Sprintf("%s at %s", c.Name, printableURL(c.URL))
}

// GoString is String, for %#v.
func (c Config) GoString() string { return c.String() }

// withDefaults bounds what the caller left unbounded, in a copy that shares
// nothing that is written to.
func (c Config) withDefaults() Config {
	c.Name = cmp.Or(c.Name, "the metric source")
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Concurrency = cmp.Or(c.Concurrency, DefaultConcurrency)
	c.MaxResponseBytes = cmp.Or(c.MaxResponseBytes, DefaultMaxResponseBytes)
	c.MaxSeries = cmp.Or(c.MaxSeries, DefaultMaxSeries)
	c.Header = maps.Clone(c.Header)
	if c.HTTP.Authorization != nil {
		// Validation writes the default type into it, and it is the caller's.
		authorization := *c.HTTP.Authorization
		c.HTTP.Authorization = &authorization
	}
	return c
}
