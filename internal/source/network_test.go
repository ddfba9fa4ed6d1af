package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listen accepts connections on loopback and hands each to talk, until the test
// ends. It returns the address as a URL.
func listen(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer func() { _ = conn.Close() }()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		group.Wait()
	})
	return "http://" + l.Addr().String()
}

// readHeader reads until the request's header ends.
func readHeader(conn net.Conn) {
	var seen strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(seen.String(), "\r\n\r\n") {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		seen.Write(buffer[:n])
	}
}

func TestNetworkFaults(t *testing.T) {
	const slow = " did not answer within 50ms: raise spec.timeout, lighten the query or look at the server's load"
	const broken = " closed the connection before its answer was complete: look at its state and its log"
	say := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			readHeader(conn)
			_, _ = io.WriteString(conn, text)
		}
	}
	cases := map[string]struct {
		reason  string
		args    func(t *testing.T) string
		timeout time.Duration
		want    outcome
	}{
		"Refused": {
			reason: "nothing listens there",
			args: func(t *testing.T) string {
				srv := serve(t, answer{code: 200})
				srv.Close()
				return srv.URL
			},
			want: outcome{ReasonUnreachable, shop + " refused the connection: check that it runs and that spec.url has the right host and port"},
		},
		"Hanging": {
			reason:  "a server that takes the question and keeps quiet",
			args:    func(t *testing.T) string { return serve(t, http.HandlerFunc(hang)).URL },
			timeout: 50 * time.Millisecond,
			want:    outcome{ReasonTimeout, shop + slow},
		},
		"HangingBody": {
			reason: "a server that stops in the middle",
			args: func(t *testing.T) string {
				return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, `{"status":`)
					w.(http.Flusher).Flush()
					hang(w, r)
				})).URL
			},
			timeout: 50 * time.Millisecond,
			want:    outcome{ReasonTimeout, shop + slow},
		},
		"HangingHandshake": {
			reason: "a port that accepts and never speaks TLS",
			args: func(t *testing.T) string {
				raw := listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
				return strings.Replace(raw, "http://", "https://", 1)
			},
			timeout: 50 * time.Millisecond,
			want:    outcome{ReasonTimeout, shop + slow},
		},
		"Closed": {
			reason: "a server that hangs up without a word",
			args:   func(t *testing.T) string { return listen(t, readHeader) },
			want:   outcome{ReasonUnreachable, shop + broken},
		},
		"Reset": {
			reason: "a server that is killed",
			args: func(t *testing.T) string {
				return listen(t, func(conn net.Conn) {
					readHeader(conn)
					_ = conn.(*net.TCPConn).SetLinger(0)
				})
			},
			want: outcome{ReasonUnreachable, shop + broken},
		},
		"ShortBody": {
			reason: "an answer shorter than announced is no answer",
			args: func(t *testing.T) string {
				return listen(t, say("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"status\":"))
			},
			want: outcome{ReasonUnreachable, shop + broken},
		},
		"OtherProtocol": {
			reason: "a port of something else",
			args:   func(t *testing.T) string { return listen(t, say("-ERR unknown command 'POST'\r\n")) },
			want:   outcome{ReasonNotPrometheus, shop + " does not speak HTTP: check the port in spec.url"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 { // on two ports, so that a port in the message would show
				var seen []Reason
				c := connect(t, tc.args(t), func(cfg *Config) {
					cfg.Observe = func(o Observation) { seen = append(seen, o.Reason) }
					if tc.timeout > 0 {
						cfg.Timeout = tc.timeout
					}
				})
				if diff := cmp.Diff(tc.want, outcomeOf(t, instant(c))); diff != "" {
					t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
				}
				if diff := cmp.Diff([]Reason{tc.want.Reason}, seen); diff != "" {
					t.Errorf("\n%s\nobserved: -want, +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

// TestTransportError explains errors that loopback cannot give: name servers,
// routes and whatever the standard library puts into their text.
func TestTransportError(t *testing.T) {
	dialing := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://prometheus:9090/api/v1/query", Err: &net.OpError{
			Op: "dial", Net: "tcp",
			Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 43210},
			Addr:   &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 9090}, Err: err,
		}}
	}
	cases := map[string]struct {
		reason string
		args   error
		want   outcome
	}{
		"NoSuchHost": {
			reason: "the name is shown, the name server is not",
			args:   dialing(&net.DNSError{Err: "no such host", Name: "prometheus.shop", Server: "10.96.0.10:53", IsNotFound: true}),
			want:   outcome{ReasonUnreachable, shop + ` has a host that does not resolve, "prometheus.shop": check spec.url`},
		},
		"NameServerDown": {
			reason: "a name server that times out says nothing about the name",
			args:   dialing(&net.DNSError{Err: "i/o timeout", Name: "prometheus.shop", Server: "10.96.0.10:53", IsTimeout: true}),
			want:   outcome{ReasonUnreachable, shop + ` has a host that could not be looked up, "prometheus.shop": check the name server`},
		},
		"NoRoute": {
			reason: "the system's own word, without addresses",
			args:   dialing(os.NewSyscallError("connect", syscall.EHOSTUNREACH)),
			want:   outcome{ReasonUnreachable, shop + " could not be reached (no route to host): check spec.url and the network"},
		},
		"ConnectTimeout": {
			reason: "a packet filter that drops",
			args:   dialing(os.NewSyscallError("connect", syscall.ETIMEDOUT)),
			want:   outcome{ReasonTimeout, shop + " did not finish connecting in time: check spec.url and what stands between"},
		},
		"Unverified": {
			reason: "a certificate that fails in a way without a type",
			args:   dialing(&tls.CertificateVerificationError{Err: errors.New("x509: at 2024-05-06T07:08:09Z")}),
			want:   outcome{ReasonCertificate, shop + " shows a certificate that cannot be verified: check it and spec.tls.ca"},
		},
		"ExpiredWithoutCertificate": {
			reason: "nothing to read a date from",
			args:   dialing(x509.CertificateInvalidError{Reason: x509.Expired}),
			want:   outcome{ReasonCertificate, shop + " shows a certificate that expired: renew it on the server"},
		},
		"Unknown": {
			reason: "text that is not known is not repeated",
			args:   dialing(errors.New("at 12:13:14 from 10.0.0.1:43210")),
			want:   outcome{ReasonUnreachable, shop + " could not be asked: check spec.url"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, "http://prometheus:9090")
			err := c.transportError(t.Context(), tc.args)
			if diff := cmp.Diff(tc.want, outcomeOf(t, err)); diff != "" {
				t.Errorf("\n%s\ntransportError(): -want, +got:\n%s", tc.reason, diff)
			}
			if !errors.Is(err, tc.args) {
				t.Errorf("\n%s\nthe cause is lost: %v", tc.reason, err.Err)
			}
		})
	}
}

func TestContexts(t *testing.T) {
	type want struct {
		Outcome outcome
		Is      error
	}
	cases := map[string]struct {
		reason string
		args   func(reached <-chan struct{}) (context.Context, context.CancelFunc)
		want   want
	}{
		"Cancelled": {
			reason: "a caller that gives up says nothing about the server",
			args: func(reached <-chan struct{}) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-reached
					cancel()
				}()
				return ctx, cancel
			},
			want: want{outcome{ReasonCanceled, shop + " was not waited for: the query was cancelled"}, context.Canceled},
		},
		"CancelledWithCause": {
			reason: "whatever the cause",
			args: func(reached <-chan struct{}) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					<-reached
					cancel(errors.New("at 12:13:14"))
				}()
				return ctx, func() { cancel(nil) }
			},
			want: want{outcome{ReasonCanceled, shop + " was not waited for: the query was cancelled"}, nil},
		},
		"CallersDeadline": {
			reason: "a deadline that is not the source's does not blame spec.timeout",
			args: func(<-chan struct{}) (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 50*time.Millisecond)
			},
			want: want{outcome{ReasonTimeout,
				shop + " did not answer before the deadline of the evaluation: lighten the query or look at the server's load"}, context.DeadlineExceeded},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reached := make(chan struct{})
			c := connect(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(reached)
				hang(w, r)
			})).URL)
			ctx, cancel := tc.args(reached)
			defer cancel()
			_, err := c.Instant(ctx, "up", time.Time{})
			if diff := cmp.Diff(tc.want.Outcome, outcomeOf(t, err)); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
			if tc.want.Is != nil && !errors.Is(err, tc.want.Is) {
				t.Errorf("\n%s\nerrors.Is(err, %v) = false", tc.reason, tc.want.Is)
			}
		})
	}
}

// TestDeadlineOfConnection has a connection fail with the deadline a moment
// before the context does, which must read the same.
func TestDeadlineOfConnection(t *testing.T) {
	c := connect(t, "http://prometheus:9090", withTimeout(20*time.Millisecond))
	c.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		deadline, _ := r.Context().Deadline()
		for !time.Now().After(deadline) { // not awaited on the context: that is the point
			time.Sleep(time.Until(deadline))
		}
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	})
	want := outcome{ReasonTimeout, shop + " did not answer within 20ms: raise spec.timeout, lighten the query or look at the server's load"}
	for range 20 {
		if diff := cmp.Diff(want, outcomeOf(t, instant(c))); diff != "" {
			t.Fatalf("Instant(): -want, +got:\n%s", diff)
		}
	}
}
