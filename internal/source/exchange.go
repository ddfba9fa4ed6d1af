package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// remedyURL is what to do about an answer of something else.
const remedyURL = "check spec.url and its path prefix"

// maxErrorBytes is the most that is read of an answer that is an error.
const maxErrorBytes = 64 << 10

// exchange carries one query, which may be two requests: client_golang asks
// again with GET where POST is not allowed. It is an api.Client.
type exchange struct {
	client *Client
	bytes  int64
	sent   string // the credentials of the last request, to keep them out of messages
}

// URL joins the path of an endpoint to the address of the server. What an endpoint
// such as /label/:name/values leaves open is filled in.
func (x *exchange) URL(endpoint string, args map[string]string) *url.URL {
	u := *x.client.base
	u.Path = path.Join("/", u.Path, endpoint)
	for name, value := range args {
		u.Path = strings.ReplaceAll(u.Path, ":"+name, value)
	}
	return &u
}

// Do sends one request and returns its answer only if it may be one of the
// Prometheus API. The response comes back beside an error, because
// client_golang decides by its status whether to ask with GET.
func (x *exchange) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	for name, value := range x.client.header {
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := x.client.http.Do(req.WithContext(ctx))
	if err != nil {
		return nil, nil, x.client.transportError(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }() // all that matters has been read
	_, x.sent, _ = strings.Cut(resp.Request.Header.Get("Authorization"), " ")
	body, err := x.read(resp)
	if err != nil {
		if known, ok := errors.AsType[*Error](err); ok {
			return resp, nil, known
		}
		return resp, nil, x.client.transportError(ctx, err)
	}
	if f := x.judge(resp, body); f.reason != "" {
		return resp, nil, x.client.fail(f.reason, nil, "%s", f.text)
	}
	return resp, body, nil
}

// read reads at most one byte more than the limit, and nothing where the server
// announces more.
func (x *exchange) read(resp *http.Response) ([]byte, error) {
	limit := x.client.maxBytes
	success := resp.StatusCode/100 == 2
	if !success {
		limit = min(limit, maxErrorBytes)
	}
	if success && resp.ContentLength > limit {
		return nil, x.tooLarge()
	}
	var buffer bytes.Buffer
	if success && resp.ContentLength > 0 {
		buffer.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(resp.Body, limit+1))
	x.bytes += n
	if err != nil {
		return nil, err
	}
	if success && n > limit {
		return nil, x.tooLarge()
	}
	return buffer.Bytes(), nil
}

func (x *exchange) tooLarge() *Error {
	return x.client.fail(ReasonTooLarge, nil, "answered more than %d bytes: narrow the query or raise spec.limits.responseBytes", x.client.maxBytes)
}

// fault is a reason and what follows the source's name in a message.
type fault struct {
	reason Reason
	text   string
}

// statusFaults are the statuses that say all there is to know.
var statusFaults = map[int]fault{
	http.StatusUnauthorized:          {ReasonUnauthorized, "refused the credentials (HTTP 401): check spec.authentication, its Secret and spec.tenant"},
	http.StatusForbidden:             {ReasonUnauthorized, "does not let these credentials query (HTTP 403): check spec.authentication, spec.tenant and their rights"},
	http.StatusProxyAuthRequired:     {ReasonUnauthorized, "is behind a proxy that asks for credentials (HTTP 407)"},
	http.StatusNotFound:              {ReasonNotPrometheus, "has no Prometheus API at this address (HTTP 404): " + remedyURL},
	http.StatusRequestEntityTooLarge: {ReasonInvalidQuery, "or a proxy before it finds the query too long (HTTP 413): shorten it"},
	http.StatusRequestURITooLong:     {ReasonInvalidQuery, "or a proxy before it finds the query too long (HTTP 414): shorten it"},
	http.StatusTooManyRequests:       {ReasonRateLimited, "asks for fewer queries (HTTP 429): lower spec.limits.concurrency or raise the server's limits"},
}

// plainToTLS finds what Go's server and nginx say to plain HTTP on a TLS port.
var plainToTLS = regexp.MustCompile(`HTTP request (to an HTTPS server|was sent to HTTPS port)`)

// apiError is the part of an API answer that tells of a failure.
type apiError struct {
	Status string `json:"status"`
	Type   string `json:"errorType"`
	Text   string `json:"error"`
}

// judge finds the fault in an answer by its status, and by its first bytes
// where the status is good; decoding is left to client_golang.
func (x *exchange) judge(resp *http.Response, body []byte) fault {
	code := resp.StatusCode
	if f, ok := statusFaults[code]; ok {
		return f
	}
	if code/100 == 3 {
		return fault{ReasonNotPrometheus, redirectText(resp)}
	}
	if code == http.StatusBadRequest && plainToTLS.Match(body) {
		return fault{ReasonNotPrometheus, "speaks HTTPS where spec.url says http: write https://"}
	}
	if isHTML(resp, body) && code/100 != 5 {
		return fault{ReasonNotPrometheus, "answered HTML, not the Prometheus API: " + remedyURL}
	}
	if code/100 == 2 {
		return fault{}
	}
	var failure apiError
	if err := json.Unmarshal(body, &failure); err != nil {
		failure = apiError{}
	}
	return x.failed(code, failure)
}

// failed explains a status of 4xx or 5xx.
func (x *exchange) failed(code int, failure apiError) fault {
	switch {
	case failure.Type == "timeout", code == http.StatusRequestTimeout:
		return fault{ReasonTimeout, x.client.timeoutText()}
	case code/100 == 5:
		return fault{ReasonServer, fmt.Sprintf("failed (HTTP %d %s): look at its state and its log", code, http.StatusText(code))}
	case failure.Status == "error" && (code == http.StatusBadRequest || code == http.StatusUnprocessableEntity):
		return x.apiFault(failure)
	}
	return fault{ReasonNotPrometheus, fmt.Sprintf("answered HTTP %d without an error of the Prometheus API: %s", code, remedyURL)}
}

// storageTexts mark an execution error that is not the expression's: Thanos and
// its kin report a store that is down as they report a bad join.
var storageTexts = []string{"rpc error", "expanding series", "context canceled", "context deadline exceeded"}

// apiFault explains an error of the API by its type, as listed in web/api/v1 of
// Prometheus. Servers with types of their own use them for bad queries.
func (x *exchange) apiFault(failure apiError) fault {
	text := x.scrub(failure.Text)
	switch failure.Type {
	case "timeout":
		return fault{ReasonTimeout, x.client.timeoutText()}
	case "canceled", "internal", "unavailable", "server_error":
		return fault{ReasonServer, "failed by its own account: look at its state and its log"}
	case "not_found":
		return fault{ReasonNotPrometheus, "does not know the query API: " + remedyURL}
	case "execution":
		for _, mark := range storageTexts {
			if strings.Contains(text, mark) {
				return fault{ReasonServer, "could not read its storage: look at its state and its log"}
			}
		}
		text = elideLabels(text)
	}
	text = strings.TrimPrefix(text, `invalid parameter "query": `)
	return fault{ReasonInvalidQuery, "rejected the query: " + clean(text)}
}

// scrub removes the configured secrets and the credentials that were sent.
func (x *exchange) scrub(text string) string {
	if x.sent != "" {
		text = strings.ReplaceAll(text, x.sent, redacted)
	}
	return x.client.scrub.Replace(text)
}

// redirectText names the host only: the rest of a redirect to a login page is
// new each time and may hold a secret.
func redirectText(resp *http.Response) string {
	where := "another address"
	if to, err := resp.Location(); err == nil {
		where = "another path of the same host"
		if to.Host != resp.Request.URL.Host || to.Scheme != resp.Request.URL.Scheme {
			where = clean(to.Scheme + "://" + to.Host)
		}
	}
	return fmt.Sprintf("redirects to %s, which is not followed because credentials would go with it: set spec.url to the final address", where)
}

func isHTML(resp *http.Response, body []byte) bool {
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err == nil && media == "text/html" {
		return true
	}
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}
