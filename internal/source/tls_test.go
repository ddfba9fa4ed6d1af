package source

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
)

// authority issues certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

// leaf says what is wrong with a certificate; the zero value is a good one.
type leaf struct {
	notBefore, notAfter time.Time
	names               []string
	usage               x509.ExtKeyUsage
}

type keyPair struct{ cert, key string }

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-48 * time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("create authority: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("parse authority: %v", err)
	}
	return authority{cert, key, encodePEM("CERTIFICATE", der)}
}

func (a authority) issue(t *testing.T, l leaf) keyPair {
	t.Helper()
	if l.notBefore.IsZero() {
		l.notBefore = time.Now().Add(-24 * time.Hour)
	}
	if l.notAfter.IsZero() {
		l.notAfter = time.Now().Add(24 * time.Hour)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "leaf"},
		NotBefore:    l.notBefore,
		NotAfter:     l.notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{l.usage},
		DNSNames:     l.names,
	}
	if l.usage == x509.ExtKeyUsageAny {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if l.names == nil {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatalf("create certificate: %v", err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatalf("marshal key: %v", err)
	}
	return keyPair{encodePEM("CERTIFICATE", der), encodePEM("EC PRIVATE KEY", private)}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("generate key: %v", err)
	}
	return key
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// serveTLS serves h with the certificate; clients, when given, is the authority
// that a client's certificate must come from.
func serveTLS(t *testing.T, h http.Handler, pair keyPair, clients *authority) *httptest.Server {
	t.Helper()
	cert, err := tls.X509KeyPair([]byte(pair.cert), []byte(pair.key))
	if err != nil {
		t.Fatalf("load key pair: %v", err)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	if clients != nil {
		srv.TLS.ClientAuth = tls.RequireAndVerifyClientCert
		srv.TLS.ClientCAs = x509.NewCertPool()
		srv.TLS.ClientCAs.AddCert(clients.cert)
		// With TLS 1.3 a client ends its handshake before the server has seen
		// its certificate, and the refusal may be lost in the reset that
		// follows; with 1.2 it is part of the handshake.
		srv.TLS.MaxVersion = tls.VersionTLS12
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func TestServerCertificate(t *testing.T) {
	trusted := newAuthority(t, "trusted")
	stranger := newAuthority(t, "stranger")
	day := 24 * time.Hour
	cases := map[string]struct {
		reason string
		args   keyPair
		want   outcome
	}{
		"Good": {
			reason: "an authority given inline is trusted",
			args:   trusted.issue(t, leaf{}),
			want:   outcome{},
		},
		"Expired": {
			reason: "the remedy is on the server",
			args:   trusted.issue(t, leaf{notBefore: time.Now().Add(-2 * day), notAfter: time.Now().Add(-day)}),
			want:   outcome{ReasonCertificate, shop + " shows a certificate that expired: renew it on the server"},
		},
		"NotYetValid": {
			reason: "not the same as expired, although the library calls it so",
			args:   trusted.issue(t, leaf{notBefore: time.Now().Add(day), notAfter: time.Now().Add(2 * day)}),
			want:   outcome{ReasonCertificate, shop + " shows a certificate that is not valid yet: check the clocks or when it was issued"},
		},
		"UnknownAuthority": {
			reason: "the remedy is the field that holds the authority",
			args:   stranger.issue(t, leaf{}),
			want: outcome{ReasonCertificate,
				shop + " shows a certificate of an unknown authority: put that authority's certificate in spec.tls.ca"},
		},
		"WrongName": {
			reason: "the name expected is shown, the port is not",
			args:   trusted.issue(t, leaf{names: []string{"prometheus.example"}}),
			want: outcome{ReasonCertificate,
				shop + ` shows a certificate that is not for "127.0.0.1": correct spec.url or set spec.tls.serverName`},
		},
		"WrongUse": {
			reason: "a client's certificate on a server",
			args:   trusted.issue(t, leaf{usage: x509.ExtKeyUsageClientAuth}),
			want: outcome{ReasonCertificate,
				shop + " shows a certificate that must not be used so: check how it and its authority's were made"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 { // on two servers, so that a port in the message would show
				srv := serveTLS(t, jsonAnswer(200, oneVector), tc.args, nil)
				c := connect(t, srv.URL, func(cfg *Config) { cfg.HTTP.TLSConfig.CA = trusted.pem })
				if diff := cmp.Diff(tc.want, outcomeOf(t, instant(c))); diff != "" {
					t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

func TestServerName(t *testing.T) {
	trusted := newAuthority(t, "trusted")
	srv := serveTLS(t, jsonAnswer(200, oneVector), trusted.issue(t, leaf{names: []string{"prometheus.example"}}), nil)
	c := connect(t, srv.URL, func(cfg *Config) {
		cfg.HTTP.TLSConfig = config.TLSConfig{CA: trusted.pem, ServerName: "prometheus.example"}
	})
	if err := instant(c); err != nil {
		t.Errorf("Instant() with the server's name: %v", err)
	}
}

func TestClientCertificate(t *testing.T) {
	servers, clients, stranger := newAuthority(t, "servers"), newAuthority(t, "clients"), newAuthority(t, "stranger")
	client := leaf{usage: x509.ExtKeyUsageClientAuth}
	expired := leaf{usage: x509.ExtKeyUsageClientAuth, notBefore: time.Now().Add(-48 * time.Hour), notAfter: time.Now().Add(-time.Hour)}
	refused := func(alert string) outcome {
		return outcome{ReasonCertificate, shop + " refused the TLS handshake (tls: " + alert + "): check spec.tls.certificate and spec.tls.key"}
	}
	cases := map[string]struct {
		reason string
		args   keyPair
		want   outcome
	}{
		"Good":     {reason: "a certificate of the right authority", args: clients.issue(t, client), want: outcome{}},
		"Missing":  {reason: "none at all", args: keyPair{}, want: refused("handshake failure")},
		"Stranger": {reason: "of an authority the server does not know", args: stranger.issue(t, client), want: refused("unknown certificate authority")},
		"Expired":  {reason: "the server says why", args: clients.issue(t, expired), want: refused("expired certificate")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				srv := serveTLS(t, jsonAnswer(200, oneVector), servers.issue(t, leaf{}), &clients)
				c := connect(t, srv.URL, func(cfg *Config) {
					cfg.HTTP.TLSConfig = config.TLSConfig{CA: servers.pem, Cert: tc.args.cert, Key: config.Secret(tc.args.key)}
				})
				if diff := cmp.Diff(tc.want, outcomeOf(t, instant(c))); diff != "" {
					t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

func TestSchemeMismatch(t *testing.T) {
	plain := serve(t, jsonAnswer(200, oneVector))
	secure := serveTLS(t, jsonAnswer(200, oneVector), newAuthority(t, "a").issue(t, leaf{}), nil)
	cases := map[string]struct {
		reason string
		args   string
		want   outcome
	}{
		"HTTPSToPlain": {
			reason: "a server without TLS",
			args:   strings.Replace(plain.URL, "http://", "https://", 1),
			want: outcome{ReasonNotPrometheus,
				shop + " speaks plain HTTP where spec.url says https: write http:// or enable TLS on the server"},
		},
		"PlainToHTTPS": {
			reason: "a server with TLS",
			args:   strings.Replace(secure.URL, "https://", "http://", 1),
			want:   outcome{ReasonNotPrometheus, shop + " speaks HTTPS where spec.url says http: write https://"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := connect(t, tc.args)
			if diff := cmp.Diff(tc.want, outcomeOf(t, instant(c))); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
