package source

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/config"
)

func TestAnswers(t *testing.T) {
	failure := func(code int, kind, text string) answer {
		return jsonAnswer(code, `{"status":"error","errorType":"`+kind+`","error":"`+text+`"}`)
	}
	html := answer{code: 200, media: "text/html; charset=utf-8", body: "<!doctype html><title>Grafana 2024-05-06T07:08:09</title>"}
	redirect := func(to string) answer { return answer{code: 302, header: map[string]string{"Location": to}} }
	const down = ": look at its state and its log"
	const slow = " did not answer within 10s: raise spec.timeout, lighten the query or look at the server's load"
	cases := map[string]struct {
		reason string
		args   http.Handler
		want   outcome
	}{
		"HTML": {
			reason: "a login page or another web application",
			args:   html,
			want:   outcome{ReasonNotPrometheus, shop + " answered HTML, not the Prometheus API: check spec.url and its path prefix"},
		},
		"HTMLUndeclared": {
			reason: "told by its first byte",
			args:   jsonAnswer(200, "\n <html>"),
			want:   outcome{ReasonNotPrometheus, shop + " answered HTML, not the Prometheus API: check spec.url and its path prefix"},
		},
		"OtherJSON": {
			reason: "JSON of another API",
			args:   jsonAnswer(200, `{"ok":true}`),
			want:   outcome{ReasonNotPrometheus, shop + " answered JSON that is not the Prometheus API: check spec.url and its path prefix"},
		},
		"NoJSON": {
			reason: "neither JSON nor HTML",
			args:   answer{code: 200, media: "text/plain", body: "OK"},
			want:   outcome{ReasonNotPrometheus, shop + " answered something that is not the Prometheus API: check spec.url and its path prefix"},
		},
		"NoContent": {
			reason: "success without a word",
			args:   answer{code: 204},
			want:   outcome{ReasonNotPrometheus, shop + " answered something that is not the Prometheus API: check spec.url and its path prefix"},
		},
		"OddResultType": {
			reason: "a result of a type nobody knows",
			args:   jsonAnswer(200, `{"status":"success","data":{"resultType":"table","result":[]}}`),
			want:   outcome{ReasonNotPrometheus, shop + " answered something that is not the Prometheus API: check spec.url and its path prefix"},
		},
		"NotFound": {
			reason: "a wrong path prefix",
			args:   answer{code: 404, media: "text/plain", body: "404 page not found"},
			want:   outcome{ReasonNotPrometheus, shop + " has no Prometheus API at this address (HTTP 404): check spec.url and its path prefix"},
		},
		"MethodNotAllowed": {
			reason: "neither POST nor GET",
			args:   answer{code: 405},
			want:   outcome{ReasonNotPrometheus, shop + " answered HTTP 405 without an error of the Prometheus API: check spec.url and its path prefix"},
		},
		"PlainBadRequest": {
			reason: "a 400 that is not the API's says nothing about the query",
			args:   answer{code: 400, media: "text/plain", body: "bad host"},
			want:   outcome{ReasonNotPrometheus, shop + " answered HTTP 400 without an error of the Prometheus API: check spec.url and its path prefix"},
		},
		"BadData": {
			reason: "the parser's text is the user's own and stays",
			args:   failure(400, "bad_data", `invalid parameter \"query\": 1:5: parse error: unexpected \")\" in {a=\"b\"}`),
			want:   outcome{ReasonInvalidQuery, shop + ` rejected the query: 1:5: parse error: unexpected ")" in {a="b"}`},
		},
		"LongBadData": {
			reason: "at most 200 runes are quoted",
			args:   failure(400, "bad_data", strings.Repeat("x", 300)),
			want:   outcome{ReasonInvalidQuery, shop + " rejected the query: " + strings.Repeat("x", 199) + "…"},
		},
		"Execution": {
			reason: "a join that is not one to one; which labels are named is chance",
			args:   failure(422, "execution", `found duplicate series for the match group {pod=\"x\"}`),
			want:   outcome{ReasonInvalidQuery, shop + " rejected the query: found duplicate series for the match group {…}"},
		},
		"ExecutionStorage": {
			reason: "a store that is down is not the query's fault",
			args:   failure(422, "execution", `expanding series: proxy Series(): rpc error: 10.0.0.7:10901`),
			want:   outcome{ReasonServer, shop + " could not read its storage" + down},
		},
		"OwnType": {
			reason: "servers with types of their own",
			args:   failure(422, "422", "cannot select more than -search.maxSamplesPerQuery samples"),
			want:   outcome{ReasonInvalidQuery, shop + " rejected the query: cannot select more than -search.maxSamplesPerQuery samples"},
		},
		"ErrorInSuccess": {
			reason: "an error behind a good status",
			args:   failure(200, "bad_data", "no such function"),
			want:   outcome{ReasonInvalidQuery, shop + " rejected the query: no such function"},
		},
		"InternalInSuccess": {
			reason: "a failure behind a good status",
			args:   failure(200, "internal", "disk 7 at 12:13:14"),
			want:   outcome{ReasonServer, shop + " failed by its own account" + down},
		},
		"NotFoundInSuccess": {
			reason: "an endpoint the API does not have",
			args:   failure(200, "not_found", "no"),
			want:   outcome{ReasonNotPrometheus, shop + " does not know the query API: check spec.url and its path prefix"},
		},
		"TimeoutInSuccess": {
			reason: "a timeout behind a good status",
			args:   failure(200, "timeout", "query timed out"),
			want:   outcome{ReasonTimeout, shop + slow},
		},
		"Unauthorized": {
			reason: "nothing of the body is quoted",
			args:   answer{code: 401, media: "text/plain", body: "request 8f3a at 12:13:14: no org id"},
			want:   outcome{ReasonUnauthorized, shop + " refused the credentials (HTTP 401): check spec.authentication, its Secret and spec.tenant"},
		},
		"Forbidden": {
			reason: "known, but not allowed",
			args:   answer{code: 403, media: "text/html", body: "<html>"},
			want:   outcome{ReasonUnauthorized, shop + " does not let these credentials query (HTTP 403): check spec.authentication, spec.tenant and their rights"},
		},
		"RateLimited": {
			reason: "fewer queries, please",
			args:   answer{code: 429, media: "application/json", body: `{}`, header: map[string]string{"Retry-After": "30"}},
			want:   outcome{ReasonRateLimited, shop + " asks for fewer queries (HTTP 429): lower spec.limits.concurrency or raise the server's limits"},
		},
		"TooLong": {
			reason: "a proxy's limit on the request",
			args:   answer{code: 414},
			want:   outcome{ReasonInvalidQuery, shop + " or a proxy before it finds the query too long (HTTP 414): shorten it"},
		},
		"Internal": {
			reason: "a server's failure in its own words may differ each time",
			args:   failure(500, "internal", "block 01HX at 12:13:14"),
			want:   outcome{ReasonServer, shop + " failed (HTTP 500 Internal Server Error)" + down},
		},
		"Unavailable": {
			reason: "starting up or shutting down",
			args:   answer{code: 503, media: "text/plain", body: "Service Unavailable"},
			want:   outcome{ReasonServer, shop + " failed (HTTP 503 Service Unavailable)" + down},
		},
		"GatewayTimeout": {
			reason: "a proxy before a dead server, and its page is no sign of a wrong URL",
			args:   answer{code: 504, media: "text/html", body: "<html>"},
			want:   outcome{ReasonServer, shop + " failed (HTTP 504 Gateway Timeout)" + down},
		},
		"QueryTimeout": {
			reason: "the server keeps the timeout it was sent, and says what the client would have said",
			args:   failure(503, "timeout", "query timed out in expression evaluation"),
			want:   outcome{ReasonTimeout, shop + slow},
		},
		"RedirectElsewhere": {
			reason: "credentials would go there; the rest of the address may hold a secret",
			args:   redirect("https://ann:pw@login.example/auth?state=8f3a"),
			want: outcome{ReasonNotPrometheus, shop +
				" redirects to https://login.example, which is not followed because credentials would go with it: set spec.url to the final address"},
		},
		"RedirectSameHost": {
			reason: "not even within the host",
			args:   redirect("/prometheus/"),
			want: outcome{ReasonNotPrometheus, shop +
				" redirects to another path of the same host, which is not followed because credentials would go with it: set spec.url to the final address"},
		},
		"RedirectNowhere": {
			reason: "a redirect without an address",
			args:   answer{code: 307},
			want: outcome{ReasonNotPrometheus, shop +
				" redirects to another address, which is not followed because credentials would go with it: set spec.url to the final address"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 { // on two servers, so that a port in the message would show
				var seen []Observation
				c := connect(t, serve(t, tc.args).URL, func(cfg *Config) {
					cfg.Observe = func(o Observation) { seen = append(seen, o) }
				})
				got := outcomeOf(t, instant(c))
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
				}
				want := []Observation{{Reason: tc.want.Reason}}
				if diff := cmp.Diff(want, seen, cmpopts.IgnoreFields(Observation{}, "Duration", "Bytes")); diff != "" {
					t.Errorf("\n%s\nobserved: -want, +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := &recorder{next: jsonAnswer(200, oneVector)}
	target := serve(t, elsewhere)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	}))
	c := connect(t, srv.URL, func(cfg *Config) {
		cfg.HTTP.BearerToken = "hunter22"
		cfg.HTTP.FollowRedirects = true
	})
	if diff := cmp.Diff(ReasonNotPrometheus, ReasonOf(instant(c))); diff != "" {
		t.Errorf("ReasonOf(): -want, +got:\n%s", diff)
	}
	if n := len(elsewhere.all()); n != 0 {
		t.Errorf("the other host got %d requests, want none", n)
	}
}

func TestLimits(t *testing.T) {
	series := func(n int) string {
		one := `{"metric":{},"value":[1,"1"]}`
		list := strings.TrimSuffix(strings.Repeat(one+",", n), ",")
		return `{"status":"success","data":{"resultType":"vector","result":[` + list + `]}}`
	}
	announced := jsonAnswer(200, oneVector)
	streamed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush() // without a Content-Length
		_, _ = io.WriteString(w, oneVector)
	})
	truncated := strings.Replace(series(3), `"data"`, `"warnings":["results truncated due to limit"],"data"`, 1)
	size := int64(len(oneVector))
	tooLarge := func(limit string) outcome {
		return outcome{ReasonTooLarge, shop + " answered more than " + limit + " bytes: narrow the query or raise spec.limits.responseBytes"}
	}
	type args struct {
		handler http.Handler
		bytes   int64
		series  int
	}
	type want struct {
		Outcome outcome
		Bytes   int64
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"BytesAtLimit":      {reason: "the limit itself is allowed", args: args{handler: announced, bytes: size}, want: want{Bytes: size}},
		"StreamedAtLimit":   {reason: "with no length announced too", args: args{handler: streamed, bytes: size}, want: want{Bytes: size}},
		"BytesAbove":        {reason: "an announced answer is not read at all", args: args{handler: announced, bytes: 100}, want: want{Outcome: tooLarge("100")}},
		"StreamedAbove":     {reason: "a stream is read up to the limit and one byte", args: args{handler: streamed, bytes: 100}, want: want{tooLarge("100"), 101}},
		"SeriesAtLimit":     {reason: "the limit itself is allowed", args: args{handler: jsonAnswer(200, series(2)), series: 2}, want: want{Bytes: int64(len(series(2)))}},
		"SeriesAboveIgnore": {reason: "a server that ignores the limit", args: args{handler: jsonAnswer(200, series(3)), series: 2}, want: want{tooMany(2), int64(len(series(3)))}},
		"SeriesTruncated":   {reason: "a server that cuts, and warns of it", args: args{handler: jsonAnswer(200, truncated), series: 2}, want: want{tooMany(2), int64(len(truncated))}},
		"LongError": {
			reason: "of an error only so much is read as could be quoted",
			args:   args{handler: answer{code: 500, body: strings.Repeat("x", 1<<20)}},
			want: want{outcome{ReasonServer,
				shop + " failed (HTTP 500 Internal Server Error): look at its state and its log"}, maxErrorBytes + 1},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var seen Observation
			c := connect(t, serve(t, tc.args.handler).URL, func(cfg *Config) {
				cfg.MaxResponseBytes, cfg.MaxSeries = tc.args.bytes, tc.args.series
				cfg.Observe = func(o Observation) { seen = o }
			})
			got := want{Outcome: outcomeOf(t, instant(c)), Bytes: seen.Bytes}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
			if seen.Duration <= 0 {
				t.Errorf("observed duration %s, want more than none", seen.Duration)
			}
		})
	}
}

func tooMany(limit int) outcome {
	return outcome{ReasonTooManySeries, shop + " answered more than " + string(rune('0'+limit)) +
		" series: narrow the query or raise spec.limits.series"}
}

// TestEchoedSecrets has a server that repeats the credentials it got.
func TestEchoedSecrets(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		text := r.Header.Get("Authorization") + " " + user + " " + password
		jsonAnswer(400, `{"status":"error","errorType":"bad_data","error":"got `+text+`"}`).ServeHTTP(w, r)
	})
	tokens := serve(t, jsonAnswer(200, `{"access_token":"hunter22","token_type":"Bearer"}`))
	cases := map[string]struct {
		reason string
		args   config.HTTPClientConfig
		want   string
	}{
		"Basic": {
			reason: "as it was sent, and decoded",
			args:   config.HTTPClientConfig{BasicAuth: &config.BasicAuth{Username: "ann", Password: "hunter22"}},
			want:   "got Basic <secret> ann <secret>",
		},
		"Bearer": {
			reason: "the configured token",
			args:   config.HTTPClientConfig{Authorization: &config.Authorization{Credentials: "hunter22"}},
			want:   "got Bearer <secret>",
		},
		"OAuth2": {
			reason: "a token that is in no configuration",
			args:   config.HTTPClientConfig{OAuth2: &config.OAuth2{ClientID: "me", ClientSecret: "s3cr3t", TokenURL: tokens.URL}},
			want:   "got Bearer <secret>",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, serve(t, echo).URL, func(cfg *Config) { cfg.HTTP = tc.args })
			want := outcome{ReasonInvalidQuery, shop + " rejected the query: " + tc.want}
			if diff := cmp.Diff(want, outcomeOf(t, instant(c))); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// FuzzAnswer has a server answer anything with any status: no answer may panic,
// give an error that is not an *Error, or a message unfit for a condition.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", oneVector)
	f.Add(200, "application/json", `{"status":"success","data":{"resultType":"vector","result":[{}]}}`)
	f.Add(422, "application/json", `{"status":"error","errorType":"execution","error":"a\u0000{\u202e}"}`)
	f.Add(301, "text/html", "<html>")
	f.Add(400, "text/plain", "Client sent an HTTP request to an HTTPS server.")
	f.Fuzz(func(t *testing.T, code int, media, body string) {
		c, err := New(Config{Name: shop, URL: "http://prometheus.invalid", MaxResponseBytes: 1 << 16})
		if err != nil {
			t.Fatalf("New(): %v", err)
		}
		c.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: code, Header: http.Header{"Content-Type": {media}}, ContentLength: -1,
				Body: io.NopCloser(strings.NewReader(body)), Request: r,
			}, nil
		})
		got := outcomeOf(t, c.Ping(t.Context()))
		text, _ := strings.CutPrefix(got.Message, shop)
		if (got.Reason == "") != (text == "") || len([]rune(text)) > 2*maxQuoted || strings.ContainsAny(text, "\n\x00") {
			t.Errorf("HTTP %d %q gives reason %q and message %q", code, body, got.Reason, got.Message)
		}
	})
}

// roundTrip is a round tripper made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
