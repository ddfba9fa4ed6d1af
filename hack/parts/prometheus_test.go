package parts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// basicAuthWebConfig asks every client for the password "secret" of user "reader".
const basicAuthWebConfig = `basic_auth_users:
  reader: $2b$04$7mOlXEyAvHosf3nEckRS6OUi7sBDFfe76IvIQlIMC2e9PMPoRqWtK
`

// startPrometheus starts a server that ends with the test.
func startPrometheus(t *testing.T, o PrometheusOptions) *Prometheus {
	t.Helper()
	p, err := StartPrometheus(t.Context(), o)
	if err != nil {
		t.Fatalf("StartPrometheus: %v", err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return p
}

// exporter serves one counter and returns its host:port.
func exporter(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE %[1]s counter\n%[1]s 42\n", name) //nolint:errcheck // a lost answer fails the test
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// query returns the result of an instant query, as Prometheus prints it.
func query(ctx context.Context, t *testing.T, p *Prometheus, promql string, at time.Time) (string, error) {
	t.Helper()
	client, err := promapi.NewClient(promapi.Config{Address: p.URL})
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	value, _, _, err := promv1.NewAPI(client).Query(ctx, promql, at)
	if err != nil {
		return "", err
	}
	return value.String(), nil
}

// eventually waits until the query gives a result that has want in it.
func eventually(t *testing.T, p *Prometheus, promql, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		got, err := query(ctx, t, p, promql, time.Now())
		if err == nil && strings.Contains(got, want) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("query %q: want a result with %q, got %q, %v", promql, want, got, err)
		}
		time.Sleep(pollEvery)
	}
}

func TestPrometheusScrapesItsTargets(t *testing.T) {
	t.Parallel()
	p := startPrometheus(t, PrometheusOptions{
		Targets:        []string{exporter(t, "first_total"), exporter(t, "second_total")},
		ScrapeInterval: time.Second,
	})
	eventually(t, p, `count(up{job="targets"} == 1)`, "=> 2 ")
	eventually(t, p, "first_total", "=> 42 ")
}

func TestPrometheusReload(t *testing.T) {
	t.Parallel()
	p := startPrometheus(t, PrometheusOptions{})
	if err := p.Reload(t.Context(), scrapeConfig([]string{exporter(t, "late_total")}, time.Second)); err != nil {
		t.Fatalf("Reload: %v", err)
	}
	eventually(t, p, "late_total", "=> 42 ")

	good, err := os.ReadFile(p.config())
	if err != nil {
		t.Fatal(err)
	}
	err = p.Reload(t.Context(), "scrape_configs: nonsense")
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("Reload of a bad configuration: want an error that quotes it, got %v", err)
	}
	kept, err := os.ReadFile(p.config())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(good), string(kept)); diff != "" {
		t.Errorf("configuration after a refused reload: -want, +got:\n%s", diff)
	}
}

// fires is a rule file whose one alert fires at once.
func fires(alert string) string {
	return "groups: [{name: " + alert + ", interval: 1s, rules: [{alert: " + alert + ", expr: vector(1)}]}]\n"
}

func TestPrometheusSendsAlerts(t *testing.T) {
	t.Parallel()
	a := startAlertmanager(t, AlertmanagerOptions{})
	p := startPrometheus(t, PrometheusOptions{
		ScrapeInterval: time.Second,
		Alertmanagers:  []string{a.Address},
		Rules:          map[string]string{"first.yaml": fires("First"), "second.yaml": fires("Second")},
	})
	holds(t, a, map[string]string{"First": "active", "Second": "active"})

	err := p.ReloadRules(t.Context(), map[string]string{"bad.yaml": "groups: nonsense"})
	if err == nil || !strings.Contains(err.Error(), "reload") {
		t.Errorf("ReloadRules of a bad file: want an error, got %v", err)
	}
	kept, err := filepath.Glob(filepath.Join(p.rules(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(p.rules(), "first.yaml"), filepath.Join(p.rules(), "second.yaml")}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("rule files after a refused reload: -want, +got:\n%s", diff)
	}

	if err := p.ReloadRules(t.Context(), map[string]string{"third.yaml": fires("Third")}); err != nil {
		t.Fatalf("ReloadRules: %v", err)
	}
	eventually(t, p, `ALERTS{alertname="Third"}`, "=> 1 ")
}

func TestPrometheusComesBackWithDataAndAddress(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		end    func(*Prometheus) error
	}{
		"Restart": {reason: "a polite end keeps the data", end: func(*Prometheus) error { return nil }},
		"Kill":    {reason: "a crash keeps what was in the write-ahead log", end: (*Prometheus).Kill},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPrometheus(t, PrometheusOptions{Targets: []string{exporter(t, "kept_total")}, ScrapeInterval: time.Second})
			eventually(t, p, "kept_total", "=> 42 ")
			url, pid := p.URL, p.process.pid
			if err := tc.end(p); err != nil {
				t.Fatalf("end: %v", err)
			}
			if err := os.WriteFile(p.config(), []byte(scrapeConfig(nil, 0)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := p.Restart(t.Context()); err != nil {
				t.Fatalf("Restart: %v", err)
			}
			if p.URL != url || p.process.pid == pid || !ended(pid) {
				t.Errorf("after Restart: want a new process at %s, got %d at %s", url, p.process.pid, p.URL)
			}
			eventually(t, p, "last_over_time(kept_total[5m])", "=> 42 ")
		})
	}
}

func TestPrometheusServesWrittenHistory(t *testing.T) {
	t.Parallel()
	bin, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	dir, at := t.TempDir(), time.Now().Add(-90*24*time.Hour).Truncate(time.Hour)
	text := filepath.Join(dir, "history.txt")
	history := fmt.Sprintf("# TYPE old counter\nold_total 7 %d\n# EOF\n", at.Unix())
	if err := os.WriteFile(text, []byte(history), 0o600); err != nil {
		t.Fatal(err)
	}
	create := exec.Command(bin.Path(Promtool), "tsdb", "create-blocks-from", "openmetrics", text, filepath.Join(dir, "data"))
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v: %s", err, out)
	}
	p := startPrometheus(t, PrometheusOptions{Dir: dir})
	got, err := query(t.Context(), t, p, "old_total", at)
	if err != nil || !strings.Contains(got, "=> 7 ") {
		t.Errorf("a sample of 90 days ago: want 7, got %q, %v", got, err)
	}
}

func TestPrometheusWithPasswordAndCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trusted := writeCertificate(t, dir)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	web := basicAuthWebConfig + "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n"
	p := startPrometheus(t, PrometheusOptions{
		Dir:           dir,
		WebConfigYAML: web,
		Client:        &http.Client{Transport: withPassword{transport, "reader", "secret"}},
	})
	cases := map[string]struct {
		reason   string
		password string
		want     int
	}{
		"Right": {reason: "the password opens it", password: "secret", want: http.StatusOK},
		"Wrong": {reason: "another password does not", password: "guess", want: http.StatusUnauthorized},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			client := &http.Client{Transport: withPassword{transport, "reader", tc.password}}
			resp, err := client.Get(p.URL + "/api/v1/query?query=1")
			if err != nil {
				t.Fatalf("GET: %v", err)
			}
			defer resp.Body.Close() //nolint:errcheck // only the code is of interest
			if resp.StatusCode != tc.want {
				t.Errorf("%s: want %d, got %s", tc.reason, tc.want, resp.Status)
			}
		})
	}
	var unknown x509.UnknownAuthorityError
	if err := request(t.Context(), http.DefaultClient, http.MethodGet, p.URL); !errors.As(err, &unknown) {
		t.Errorf("GET without the certificate: want %T, got %v", unknown, err)
	}
}

// hangs waits until a query is not answered within a while: a signal takes a
// moment to reach all threads of a busy server.
func hangs(t *testing.T, p *Prometheus) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		got, err := query(ctx, t, p, "1", time.Now())
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return
		case err != nil || time.Now().After(deadline):
			t.Fatalf("query of a paused server: want it to hang until its deadline, got %q, %v", got, err)
		}
	}
}

func TestPrometheusPauseHangsAndResumeEndsIt(t *testing.T) {
	t.Parallel()
	p := startPrometheus(t, PrometheusOptions{})
	if err := p.Pause(); err != nil {
		t.Fatalf("Pause: %v", err)
	}
	hangs(t, p)
	if err := p.Resume(); err != nil {
		t.Fatalf("Resume: %v", err)
	}
	eventually(t, p, "vector(1)", "=> 1 ")
}

func TestPrometheusStopLeavesNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		before func(*Prometheus) error
	}{
		"Running": {reason: "a running server ends", before: func(*Prometheus) error { return nil }},
		"Paused":  {reason: "a paused server ends too", before: (*Prometheus).Pause},
		"Killed":  {reason: "a dead server is no error", before: (*Prometheus).Kill},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPrometheus(t, PrometheusOptions{})
			if err := tc.before(p); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := p.Stop(); err != nil {
				t.Fatalf("%s: Stop: %v", tc.reason, err)
			}
			if !ended(p.process.pid) {
				t.Errorf("%s: process %d still exists", tc.reason, p.process.pid)
			}
			if _, err := os.Stat(p.Dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: want the temporary folder gone, got %v", tc.reason, err)
			}
		})
	}
}

func TestStartPrometheusThatFails(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		o      PrometheusOptions
		want   string
	}{
		"BadConfiguration": {
			reason: "the error quotes what the server logged",
			o:      PrometheusOptions{ConfigYAML: "global: {no_such_field: 1}"},
			want:   "no_such_field",
		},
		"BadFlag": {
			reason: "a flag that it does not know is named",
			o:      PrometheusOptions{Flags: []string{"--no-such-flag"}},
			want:   "no-such-flag",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := StartPrometheus(t.Context(), tc.o)
			if p != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want no server and an error with %q, got %v, %v", tc.reason, tc.want, p, err)
			}
		})
	}
}

// withPassword adds basic auth to each request.
type withPassword struct {
	http.RoundTripper
	user, password string
}

func (w withPassword) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(w.user, w.password)
	return w.RoundTripper.RoundTrip(r)
}

// writeCertificate writes tls.crt and tls.key for 127.0.0.1 to dir and returns a
// pool that trusts them.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	writes := errors.Join(
		os.WriteFile(filepath.Join(dir, "tls.crt"), certificate, 0o600),
		os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600),
	)
	if writes != nil {
		t.Fatal(writes)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificate) {
		t.Fatal("certificate was not accepted")
	}
	return pool
}
