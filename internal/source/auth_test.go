package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
)

func TestCredentials(t *testing.T) {
	tokens := serve(t, jsonAnswer(200, `{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`))
	cases := map[string]struct {
		reason string
		args   func(*Config)
		header string
		want   string // a pattern
	}{
		"None": {reason: "no credentials, no header", args: func(*Config) {}, header: "Authorization", want: `^$`},
		"Basic": {
			reason: "a user name and a password",
			args: func(c *Config) {
				c.HTTP.BasicAuth = &config.BasicAuth{Username: "ann", Password: "hunter22"}
			},
			header: "Authorization",
			want:   `^Basic YW5uOmh1bnRlcjIy$`,
		},
		"Bearer": {
			reason: "a token",
			args:   func(c *Config) { c.HTTP.Authorization = &config.Authorization{Credentials: "t0ken"} },
			header: "Authorization",
			want:   `^Bearer t0ken$`,
		},
		"BearerOld": {
			reason: "a token by the older field",
			args:   func(c *Config) { c.HTTP.BearerToken = "t0ken" },
			header: "Authorization",
			want:   `^Bearer t0ken$`,
		},
		"OAuth2": {
			reason: "a token that was fetched",
			args: func(c *Config) {
				c.HTTP.OAuth2 = &config.OAuth2{ClientID: "me", ClientSecret: "s3cr3t", TokenURL: tokens.URL}
			},
			header: "Authorization",
			want:   `^Bearer t0ken$`,
		},
		"SigV4": {
			reason: "a signature over the tenant too, which is set before signing",
			args: func(c *Config) {
				c.SigV4 = &sigv4.SigV4Config{Region: "eu-west-1", AccessKey: "AKIA", SecretKey: "s3cr3t"}
				c.Header = map[string]string{"X-Scope-OrgID": "shop"}
			},
			header: "Authorization",
			want:   `^AWS4-HMAC-SHA256 Credential=AKIA/\d{8}/eu-west-1/aps/aws4_request, SignedHeaders=[a-z0-9;-]*x-scope-orgid[a-z0-9;-]*, Signature=[0-9a-f]{64}$`,
		},
		"Tenant": {
			reason: "the tenant of Mimir",
			args:   func(c *Config) { c.Header = map[string]string{"X-Scope-OrgID": "shop"} },
			header: "X-Scope-OrgID",
			want:   `^shop$`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{next: jsonAnswer(200, oneVector)}
			c := connect(t, serve(t, rec).URL, tc.args)
			for range 2 { // the second query reuses what the first set up
				if err := instant(c); err != nil {
					t.Fatalf("Instant(): %v", err)
				}
				got := rec.last(t).header.Values(tc.header)
				if len(got) > 1 || !regexp.MustCompile(tc.want).MatchString(strings.Join(got, "")) {
					t.Errorf("\n%s\n%s = %q, want one that matches %s", tc.reason, tc.header, got, tc.want)
				}
			}
		})
	}
}

func TestSigV4Role(t *testing.T) {
	sts := serve(t, answer{code: 403, media: "text/xml", body: `<ErrorResponse><Error><Code>AccessDenied</Code>` +
		`<Message>no</Message></Error><RequestId>8f3a</RequestId></ErrorResponse>`})
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	c := connect(t, serve(t, jsonAnswer(200, oneVector)).URL, func(cfg *Config) {
		cfg.SigV4 = &sigv4.SigV4Config{Region: "eu-west-1", AccessKey: "AKIA", SecretKey: "s3cr3t", RoleARN: "arn:aws:iam::1:role/x"}
	})
	err := instant(c)
	want := outcome{ReasonUnauthorized, shop + " could not be asked, because AWS gave no credentials for the role: check spec.authentication.sigV4"}
	if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
		t.Errorf("Instant(): -want, +got:\n%s", diff)
	}
}

// withOAuth2 authenticates at a token endpoint.
func withOAuth2(tokenURL string) func(*Config) {
	return func(c *Config) {
		c.HTTP.OAuth2 = &config.OAuth2{
			ClientID: "me", ClientSecret: "s3cr3t", TokenURL: tokenURL, Scopes: []string{"read"},
			EndpointParams: map[string]string{"audience": "metrics"},
		}
	}
}

func TestOAuth2Request(t *testing.T) {
	rec := &recorder{next: jsonAnswer(200, `{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`)}
	c := connect(t, serve(t, jsonAnswer(200, oneVector)).URL, withOAuth2(serve(t, rec).URL+"/token"))
	for range 3 {
		if err := instant(c); err != nil {
			t.Fatalf("Instant(): %v", err)
		}
	}
	if n := len(rec.all()); n != 1 {
		t.Errorf("%d tokens were fetched for three queries, want one", n)
	}
	r := rec.last(t)
	want := map[string][]string{"grant_type": {"client_credentials"}, "scope": {"read"}, "audience": {"metrics"}}
	if diff := cmp.Diff(want, r.form); diff != "" {
		t.Errorf("token request: -want, +got:\n%s", diff)
	}
	if diff := cmp.Diff("Basic bWU6czNjcjN0", r.header.Get("Authorization")); diff != "" {
		t.Errorf("token request's credentials: -want, +got:\n%s", diff)
	}
}

func TestOAuth2Faults(t *testing.T) {
	const endpoint = shop + "'s OAuth2 token endpoint"
	const check = ": check clientID, clientSecret, scopes and tokenURL in spec.authentication.oauth2"
	cases := map[string]struct {
		reason string
		args   http.Handler
		want   outcome
	}{
		"WrongSecret": {
			reason: "the endpoint repeats the secret, the message does not",
			args:   jsonAnswer(401, `{"error":"invalid_client","error_description":"s3cr3t is wrong"}`),
			want:   outcome{ReasonUnauthorized, endpoint + " gave no token (HTTP 401)" + check},
		},
		"ErrorInSuccess": {
			reason: "some endpoints fail with 200",
			args:   jsonAnswer(200, `{"error":"invalid_scope"}`),
			want:   outcome{ReasonUnauthorized, endpoint + " gave no token (HTTP 200)" + check},
		},
		"Down": {
			reason: "not the user's fault",
			args:   answer{code: 503, media: "text/html", body: "<html>s3cr3t"},
			want:   outcome{ReasonServer, endpoint + " failed (HTTP 503 Service Unavailable): look at its state and its log"},
		},
		"RateLimited": {
			reason: "asked too often",
			args:   answer{code: 429, media: "text/plain"},
			want:   outcome{ReasonRateLimited, endpoint + " asks for fewer requests (HTTP 429)"},
		},
		"NoToken": {
			reason: "JSON without a token",
			args:   jsonAnswer(200, `{"ok":true}`),
			want:   outcome{ReasonUnauthorized, endpoint + " answered something that is not a token: check spec.authentication.oauth2.tokenURL"},
		},
		"NoJSON": {
			reason: "a web page",
			args:   answer{code: 200, media: "text/html", body: "<html>s3cr3t"},
			want:   outcome{ReasonUnauthorized, endpoint + " answered something that is not a token: check spec.authentication.oauth2.tokenURL"},
		},
		"Hanging": {
			reason: "the query's timeout covers its token",
			args:   http.HandlerFunc(hang),
			want: outcome{ReasonTimeout,
				endpoint + " did not answer within 100ms: raise spec.timeout, lighten the query or look at the server's load"},
		},
		"Refused": {
			reason: "nothing listens there",
			args:   nil,
			want:   outcome{ReasonUnreachable, endpoint + " refused the connection: check that it runs and that spec.url has the right host and port"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				tokens := serve(t, tc.args)
				timeout := patience
				switch name {
				case "Refused":
					tokens.Close()
				case "Hanging":
					timeout = 100 * time.Millisecond
				}
				server := &recorder{next: jsonAnswer(200, oneVector)}
				c := connect(t, serve(t, server).URL, withOAuth2(tokens.URL), withTimeout(timeout))
				err := instant(c)
				if diff := cmp.Diff(tc.want, outcomeOf(t, err)); diff != "" {
					t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
				}
				for ; err != nil; err = errors.Unwrap(err) {
					if text := formats(err); strings.Contains(text, "s3cr3t") {
						t.Errorf("\n%s\na secret shows in the chain:\n%s", tc.reason, text)
					}
				}
				if n := len(server.all()); n != 0 {
					t.Errorf("\n%s\nthe server got %d requests without a token", tc.reason, n)
				}
			}
		})
	}
}

func TestOAuth2RedirectIsNotFollowed(t *testing.T) {
	elsewhere := &recorder{next: jsonAnswer(200, `{"access_token":"x"}`)}
	target := serve(t, elsewhere)
	tokens := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	}))
	c := connect(t, serve(t, jsonAnswer(200, oneVector)).URL, withOAuth2(tokens.URL))
	if diff := cmp.Diff(ReasonUnauthorized, ReasonOf(instant(c))); diff != "" {
		t.Errorf("ReasonOf(): -want, +got:\n%s", diff)
	}
	if n := len(elsewhere.all()); n != 0 {
		t.Errorf("the client's secret went to another host %d times", n)
	}
}

// TestOAuth2Revoked has a server that no longer takes a token before it expires.
func TestOAuth2Revoked(t *testing.T) {
	var issued atomic.Int64
	tokens := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := json.Marshal(map[string]any{"access_token": fmt.Sprintf("t%d", issued.Add(1)), "token_type": "Bearer", "expires_in": 3600})
		jsonAnswer(200, string(body)).ServeHTTP(w, r)
	}))
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer t1" {
			answer{code: 401}.ServeHTTP(w, r)
			return
		}
		jsonAnswer(200, oneVector).ServeHTTP(w, r)
	}))
	c := connect(t, srv.URL, withOAuth2(tokens.URL))
	got := []Reason{ReasonOf(instant(c)), ReasonOf(instant(c)), ReasonOf(instant(c))}
	if diff := cmp.Diff([]Reason{ReasonUnauthorized, "", ""}, got); diff != "" {
		t.Errorf("the token should be fetched anew after a 401: -want, +got:\n%s", diff)
	}
	if n := issued.Load(); n != 2 {
		t.Errorf("%d tokens were fetched, want 2", n)
	}
}

// TestOAuth2Concurrent has many queries need the first token at once, from an
// endpoint that hangs: each waits for its own time only, and one asks at a time.
func TestOAuth2Concurrent(t *testing.T) {
	var asking, most atomic.Int64
	tokens := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := asking.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer asking.Add(-1)
		hang(w, r)
	}))
	c := connect(t, serve(t, jsonAnswer(200, oneVector)).URL, withOAuth2(tokens.URL),
		withTimeout(time.Second), func(cfg *Config) { cfg.Concurrency = 16 })
	start := time.Now()
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if r := ReasonOf(instant(c)); r != ReasonTimeout {
				t.Errorf("ReasonOf() = %q, want %q", r, ReasonTimeout)
			}
		})
	}
	group.Wait()
	// One after the other they would take 16 seconds.
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("16 queries took %s, want about their timeout of 1s", took)
	}
	if n := most.Load(); n < 1 || n > 2 { // 2: the server learns late that a client is gone
		t.Errorf("%d queries asked for a token at once, want one", n)
	}
}

// TestOAuth2TLS fetches the token over TLS, with the endpoint's own authority.
func TestOAuth2TLS(t *testing.T) {
	trusted := newAuthority(t, "tokens")
	handler := jsonAnswer(200, `{"access_token":"t0ken","token_type":"Bearer"}`)
	tokens := serveTLS(t, handler, trusted.issue(t, leaf{}), nil)
	cases := map[string]struct {
		reason string
		args   string
		want   outcome
	}{
		"Trusted": {reason: "the authority is known", args: trusted.pem, want: outcome{}},
		"Unknown": {
			reason: "the message says whose certificate it is",
			args:   newAuthority(t, "other").pem,
			want: outcome{ReasonCertificate, shop + "'s OAuth2 token endpoint shows a certificate of an unknown authority: " +
				"put that authority's certificate in spec.tls.ca"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, serve(t, jsonAnswer(200, oneVector)).URL, withOAuth2(tokens.URL), func(cfg *Config) {
				cfg.HTTP.OAuth2.TLSConfig.CA = tc.args
			})
			_, err := c.Instant(t.Context(), "up", time.Time{})
			if diff := cmp.Diff(tc.want, outcomeOf(t, err)); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
