package source

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// oauthTransport sends a token of the client credentials grant. The round
// tripper of prometheus/common fetches tokens without a context and follows
// redirects with the client's secret; this one does neither.
type oauthTransport struct {
	next   http.RoundTripper
	client *http.Client
	grant  *clientcredentials.Config
	lock   chan struct{} // a mutex that a context can stop waiting for
	token  *oauth2.Token
}

// tokenError says that a query failed at the token endpoint, not at the server.
type tokenError struct{ err error }

// Error says where it failed, before the cause.
func (e *tokenError) Error() string { return "fetch OAuth2 token: " + e.err.Error() }

// Unwrap returns the cause.
func (e *tokenError) Unwrap() error { return e.err }

func newOAuth2(o *config.OAuth2, next http.RoundTripper) (http.RoundTripper, func(), error) {
	dial, err := newDialer(config.HTTPClientConfig{TLSConfig: o.TLSConfig, ProxyConfig: o.ProxyConfig})
	if err != nil {
		return nil, nil, fmt.Errorf("set up OAuth2: %w", err)
	}
	params := url.Values{}
	for name, value := range o.EndpointParams {
		params.Set(name, value)
	}
	return &oauthTransport{
			next:   next,
			client: &http.Client{Transport: dial, CheckRedirect: refuseRedirects},
			grant: &clientcredentials.Config{
				ClientID:       o.ClientID,
				ClientSecret:   string(o.ClientSecret),
				TokenURL:       o.TokenURL,
				Scopes:         o.Scopes,
				EndpointParams: params,
			},
			lock: make(chan struct{}, 1),
		}, func() {
			closeIdle(dial)
			closeIdle(next)
		}, nil
}

// RoundTrip adds the token. After a 401 the token is forgotten, so that the
// next query fetches a new one even if this one has not expired.
func (t *oauthTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.current(req.Context())
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // RoundTrip has to close it, and nothing was read
		}
		return nil, &tokenError{err}
	}
	authorized := req.Clone(req.Context())
	token.SetAuthHeader(authorized)
	resp, err := t.next.RoundTrip(authorized)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		t.forget(req.Context(), token)
	}
	return resp, err
}

// current returns the token, fetched within ctx when there is none or it
// expired. One query fetches; the others wait for it.
func (t *oauthTransport) current(ctx context.Context) (*oauth2.Token, error) {
	if err := t.acquire(ctx); err != nil {
		return nil, err
	}
	defer t.release()
	if t.token.Valid() {
		return t.token, nil
	}
	token, err := t.grant.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return nil, err
	}
	t.token = token
	return token, nil
}

func (t *oauthTransport) forget(ctx context.Context, token *oauth2.Token) {
	if t.acquire(ctx) != nil {
		return
	}
	defer t.release()
	if t.token == token {
		t.token = nil
	}
}

func (t *oauthTransport) acquire(ctx context.Context) error {
	select {
	case t.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *oauthTransport) release() { <-t.lock }
