package parts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// quietConfig routes every alert to nobody.
const quietConfig = `route: {receiver: nobody}
receivers: [{name: nobody}]
`

// AlertmanagerOptions says how to start an Alertmanager. The zero value holds
// alerts and tells nobody.
type AlertmanagerOptions struct {
	// Dir keeps silences, configuration and log. Empty: a temporary folder that
	// Stop removes.
	Dir string
	// ConfigYAML is the whole alertmanager.yml.
	ConfigYAML string
	// Flags are added to the ones that the server has.
	Flags []string
}

// Alertmanager is a running server.
type Alertmanager struct {
	// URL is the address of the server, without a trailing slash.
	URL string
	// Address is its host and port, as Prometheus wants it.
	Address string
	// Dir holds silences, configuration and log.
	Dir string

	bin       Binaries
	args      []string
	temporary bool
	process   *process
}

// Alert is what is sent to an Alertmanager, and what it holds.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    time.Time         `json:"startsAt,omitzero"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
	// Status is the server's word; it is not sent.
	Status AlertStatus `json:"status,omitzero"`
}

// AlertStatus says whether somebody is told of an alert.
type AlertStatus struct {
	// State is active, suppressed or unprocessed.
	State string `json:"state"`
	// InhibitedBy are the fingerprints of alerts, SilencedBy the IDs of silences.
	InhibitedBy []string `json:"inhibitedBy"`
	SilencedBy  []string `json:"silencedBy"`
}

// StartAlertmanager starts a server and returns when it is ready for alerts. ctx
// bounds the start only; the caller stops what was started.
func StartAlertmanager(ctx context.Context, o AlertmanagerOptions) (*Alertmanager, error) {
	bin, err := Find()
	if err != nil {
		return nil, err
	}
	a := &Alertmanager{bin: bin}
	if a.Dir, a.temporary, err = stateDir(o.Dir, "alertmanager"); err != nil {
		return nil, err
	}
	if err := a.prepare(o); err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	err = onFreePort(func(port int) error { return a.launch(ctx, port) })
	if err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return a, nil
}

// prepare writes the configuration and settles the flags except the address.
func (a *Alertmanager) prepare(o AlertmanagerOptions) error {
	config := o.ConfigYAML
	if config == "" {
		config = quietConfig
	}
	path := filepath.Join(a.Dir, "alertmanager.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	a.args = append([]string{
		"--config.file=" + path,
		"--storage.path=" + filepath.Join(a.Dir, "data"),
		"--cluster.listen-address=", // alone: it looks for no peers
	}, o.Flags...)
	return nil
}

// launch runs the server on a port and waits until it is ready.
func (a *Alertmanager) launch(ctx context.Context, port int) error {
	a.URL = loopback("http", port)
	u, err := url.Parse(a.URL)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	a.Address = net.JoinHostPort(u.Hostname(), u.Port())
	args := append([]string{"--web.listen-address=" + a.Address}, a.args...)
	if a.process, err = spawn(a.Dir, a.bin.command(AlertServer, args...)); err != nil {
		return err
	}
	return a.process.await(ctx, answers(http.DefaultClient, a.URL+"/-/ready"))
}

// Alerts returns the alerts that the server holds and that have not ended,
// those that are silenced or inhibited with them.
func (a *Alertmanager) Alerts(ctx context.Context) ([]Alert, error) {
	var held []Alert
	err := exchange(ctx, http.MethodGet, a.URL+"/api/v2/alerts", nil, &held)
	return held, err
}

// Send gives alerts to the server, as Prometheus does.
func (a *Alertmanager) Send(ctx context.Context, alerts ...Alert) error {
	return exchange(ctx, http.MethodPost, a.URL+"/api/v2/alerts", alerts, nil)
}

// matcher is one condition of a silence.
type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
}

// Silence has the server tell nobody of alerts with all of some labels for a
// while, and returns the silence's ID.
func (a *Alertmanager) Silence(ctx context.Context, labels map[string]string, d time.Duration) (string, error) {
	matchers := make([]matcher, 0, len(labels))
	for name, value := range labels {
		matchers = append(matchers, matcher{Name: name, Value: value})
	}
	now := time.Now()
	silence := map[string]any{
		"matchers": matchers, "startsAt": now, "endsAt": now.Add(d), "createdBy": "parts", "comment": "a test",
	}
	var made struct{ SilenceID string }
	err := exchange(ctx, http.MethodPost, a.URL+"/api/v2/silences", silence, &made)
	return made.SilenceID, err
}

// Stop ends the server and removes its folder if it was a temporary one. It can
// be called more than once.
func (a *Alertmanager) Stop() error {
	var errs []error
	if a.process != nil {
		errs = append(errs, a.process.stop(syscall.SIGTERM))
	}
	if a.temporary {
		errs = append(errs, os.RemoveAll(a.Dir))
	}
	return errors.Join(errs...)
}

// exchange sends in, unless it is nil, and reads the answer to out, unless that
// is nil, both as JSON.
func exchange(ctx context.Context, method, address string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	answer, err := send(ctx, http.DefaultClient, method, address, &body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode answer of %q: %w", address, err)
	}
	return nil
}
