package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/aws/smithy-go"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"golang.org/x/oauth2"
)

// stringResult is client_golang's word for a result it does not decode.
const stringResult = `unexpected value type "string"`

// explain turns what client_golang returns into an *Error. Most errors are one
// already, made where they happened; what is left are answers with a good
// status that it could not decode or that say "error" inside.
func (c *Client) explain(err error, x *exchange) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	answer, isAnswer := errors.AsType[*v1.Error](err)
	if isAnswer && strings.Contains(answer.Msg, stringResult) {
		return c.fail(ReasonInvalidQuery, nil, "answered a string where the query should give a number: change the expression")
	}
	if isAnswer && answer.Type != v1.ErrBadResponse {
		f := x.apiFault(apiError{Type: string(answer.Type), Text: answer.Msg})
		return c.fail(f.reason, nil, "%s", f.text)
	}
	return c.fail(ReasonNotPrometheus, nil, "answered something that is not the Prometheus API: %s", remedyURL)
}

// setupError explains why a validated configuration gives no client.
func setupError(cfg Config, err error) *Error {
	if cfg.SigV4 != nil {
		return &Error{
			Reason:  ReasonUnauthorized,
			Message: cfg.Name + ": no AWS credentials could be had: check spec.authentication.sigV4 and its Secret",
			Err:     err,
		}
	}
	return &Error{
		Reason:  ReasonInvalidConfig,
		Message: cfg.Name + ": no client can be made: " + clean(scrubber(cfg).Replace(err.Error())),
	}
}

// transportError explains a request that got no complete answer. The texts are
// fixed for each kind of fault, because those of the standard library name
// ephemeral ports, addresses of resolvers and the present time.
func (c *Client) transportError(ctx context.Context, err error) *Error {
	subject := c.name
	if _, ok := errors.AsType[*tokenError](err); ok {
		subject += "'s OAuth2 token endpoint"
	}
	explanations := []func(error) fault{
		func(error) fault { return c.contextFault(ctx) },
		tokenFault, signingFault, tlsFault, networkFault, brokenFault,
	}
	for _, explain := range explanations {
		if f := explain(err); f.reason != "" {
			return &Error{Reason: f.reason, Message: subject + " " + f.text, Err: safeCause(err)}
		}
	}
	return &Error{Reason: ReasonUnreachable, Message: subject + " could not be asked: check spec.url", Err: safeCause(err)}
}

// safeCause drops the errors that quote an answer of a token endpoint or of
// AWS, either of which may repeat what it was sent.
func safeCause(err error) error {
	_, retrieved := errors.AsType[*oauth2.RetrieveError](err)
	_, assumed := errors.AsType[*smithy.OperationError](err)
	if retrieved || assumed {
		return nil
	}
	return err
}

func (c *Client) timeoutText() string {
	return fmt.Sprintf("did not answer within %s: raise spec.timeout, lighten the query or look at the server's load", shortDuration(c.timeout))
}

// shortDuration writes 1m where time.Duration writes 1m0s, as resources do.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (c *Client) contextFault(ctx context.Context) fault {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		// A connection gets the context's deadline too and may fail with it a
		// moment earlier; the same fault must not have two explanations.
		<-ctx.Done()
	}
	switch {
	case ctx.Err() == nil:
		return fault{}
	case errors.Is(context.Cause(ctx), errQueryTimeout):
		return fault{ReasonTimeout, c.timeoutText()}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault{ReasonTimeout, "did not answer before the deadline of the evaluation: lighten the query or look at the server's load"}
	}
	return fault{ReasonCanceled, "was not waited for: the query was cancelled"}
}

// tokenFault explains an answer of the token endpoint that is no token.
func tokenFault(err error) fault {
	if _, ok := errors.AsType[*tokenError](err); !ok {
		return fault{}
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if strings.Contains(err.Error(), "oauth2: ") {
			return fault{ReasonUnauthorized, "answered something that is not a token: check spec.authentication.oauth2.tokenURL"}
		}
		return fault{} // a fault of the network, explained as any other
	}
	switch code := refused.Response.StatusCode; {
	case code == http.StatusTooManyRequests:
		return fault{ReasonRateLimited, "asks for fewer requests (HTTP 429)"}
	case code/100 == 5:
		return fault{ReasonServer, fmt.Sprintf("failed (HTTP %d %s): look at its state and its log", code, http.StatusText(code))}
	default:
		return fault{ReasonUnauthorized, fmt.Sprintf("gave no token (HTTP %d): check clientID, clientSecret, scopes and tokenURL in spec.authentication.oauth2", code)}
	}
}

// signingFault explains a role that could not be assumed.
func signingFault(err error) fault {
	if _, ok := errors.AsType[*smithy.OperationError](err); ok {
		return fault{ReasonUnauthorized, "could not be asked, because AWS gave no credentials for the role: check spec.authentication.sigV4"}
	}
	return fault{}
}

func tlsFault(err error) fault {
	var (
		invalid    x509.CertificateInvalidError
		unknown    x509.UnknownAuthorityError
		host       x509.HostnameError
		unverified *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &invalid):
		return fault{ReasonCertificate, invalidText(invalid)}
	case errors.As(err, &unknown):
		return fault{ReasonCertificate, "shows a certificate of an unknown authority: put that authority's certificate in spec.tls.ca"}
	case errors.As(err, &host):
		return fault{ReasonCertificate, fmt.Sprintf("shows a certificate that is not for %q: correct spec.url or set spec.tls.serverName", clean(host.Host))}
	case errors.As(err, &unverified):
		return fault{ReasonCertificate, "shows a certificate that cannot be verified: check it and spec.tls.ca"}
	}
	return handshakeFault(err)
}

func invalidText(invalid x509.CertificateInvalidError) string {
	if invalid.Reason != x509.Expired {
		return "shows a certificate that must not be used so: check how it and its authority's were made"
	}
	if invalid.Cert != nil && time.Now().Before(invalid.Cert.NotBefore) {
		return "shows a certificate that is not valid yet: check the clocks or when it was issued"
	}
	return "shows a certificate that expired: renew it on the server"
}

func handshakeFault(err error) fault {
	var alert *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &alert) && alert.Op == "remote error":
		return fault{ReasonCertificate, fmt.Sprintf("refused the TLS handshake (%s): check spec.tls.certificate and spec.tls.key", clean(alert.Err.Error()))}
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return fault{ReasonNotPrometheus, "speaks plain HTTP where spec.url says https: write http:// or enable TLS on the server"}
	}
	return fault{}
}

func networkFault(err error) fault {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fault{ReasonUnreachable, fmt.Sprintf("has a host that does not resolve, %q: check spec.url", clean(dns.Name))}
	case errors.As(err, &dns):
		return fault{ReasonUnreachable, fmt.Sprintf("has a host that could not be looked up, %q: check the name server", clean(dns.Name))}
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault{ReasonUnreachable, "refused the connection: check that it runs and that spec.url has the right host and port"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return fault{ReasonTimeout, "did not finish connecting in time: check spec.url and what stands between"}
	}
	return fault{}
}

// brokenFault explains a connection that was made and then failed.
func brokenFault(err error) fault {
	for _, closed := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, closed) {
			return fault{ReasonUnreachable, "closed the connection before its answer was complete: look at its state and its log"}
		}
	}
	if strings.Contains(err.Error(), "malformed HTTP") {
		return fault{ReasonNotPrometheus, "does not speak HTTP: check the port in spec.url"}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return fault{ReasonUnreachable, fmt.Sprintf("could not be reached (%s): check spec.url and the network", errno.Error())}
	}
	return fault{}
}
