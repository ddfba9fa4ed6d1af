package source

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
)

// idleConnTimeout closes connections that wait for longer than any usual
// interval between two ticks.
const idleConnTimeout = 90 * time.Second

// dialerName labels connection metrics. It is one name for all sources, because
// such a series can never be removed again.
const dialerName = "metric_source"

// userAgent tells a server's administrator who asks.
const userAgent = "experience-slo-operator"

// newTransport returns a round tripper that dials, secures and authenticates,
// and a function that closes its idle connections.
func newTransport(c Config) (http.RoundTripper, func(), error) {
	base := c.HTTP
	base.OAuth2 = nil
	dial, err := newDialer(base)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case c.HTTP.OAuth2 != nil:
		return newOAuth2(c.HTTP.OAuth2, dial)
	case c.SigV4 != nil:
		signed, err := newSigner(c, dial)
		return signed, func() { closeIdle(dial) }, err
	}
	return dial, func() { closeIdle(dial) }, nil
}

func newDialer(c config.HTTPClientConfig) (http.RoundTripper, error) {
	return config.NewRoundTripperFromConfig(c, dialerName, config.WithIdleConnTimeout(idleConnTimeout))
}

// newSigner may look for AWS credentials outside the configuration, which must
// not hang.
func newSigner(c Config, next http.RoundTripper) (http.RoundTripper, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	return sigv4.NewSigV4RoundTripper(c.SigV4, next, sigv4.WithContext(ctx))
}

func closeIdle(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// refuseRedirects hands the redirect itself to the caller.
func refuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
