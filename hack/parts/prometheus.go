package parts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	defaultScrapeInterval = 5 * time.Second
	// defaultRetention keeps written history that Prometheus' own 15 days would
	// delete, for windows of up to 400 days.
	defaultRetention = 500 * 24 * time.Hour
)

// PrometheusOptions says how to start a Prometheus. The zero value scrapes nothing.
type PrometheusOptions struct {
	// Dir keeps data (in data/, which may hold blocks already), configuration and
	// log. Empty: a temporary folder that Stop removes.
	Dir string
	// Targets are host:port addresses scraped by the one job "targets" every
	// ScrapeInterval (default 5s).
	Targets        []string
	ScrapeInterval time.Duration
	// Alertmanagers are host:port addresses that alerts are sent to.
	Alertmanagers []string
	// Rules are rule files by name, such as "shop.yaml", in the folder rules.
	Rules map[string]string
	// ConfigYAML is the whole prometheus.yml, instead of Targets, ScrapeInterval
	// and Alertmanagers. It finds Rules with `rule_files: [rules/*.yaml]`.
	ConfigYAML string
	// WebConfigYAML is the web configuration file, for TLS and basic auth.
	WebConfigYAML string
	// Client asks whether the server is ready and has it reload. It needs to be
	// set when WebConfigYAML asks for a password or uses a certificate that the
	// system does not trust.
	Client *http.Client
	// Retention is how long samples are kept; default 500 days.
	Retention time.Duration
	// Flags are added to the ones that the server has.
	Flags []string
}

// Prometheus is a running server.
type Prometheus struct {
	// URL is the address of the server, without a trailing slash. It stays the
	// same over Restart.
	URL string
	// Dir holds data, configuration and log.
	Dir string

	bin       Binaries
	args      []string
	client    *http.Client
	temporary bool
	process   *process
}

// StartPrometheus starts a server and returns when it is ready to answer queries.
// ctx bounds the start only; the caller stops what was started.
func StartPrometheus(ctx context.Context, o PrometheusOptions) (*Prometheus, error) {
	bin, err := Find()
	if err != nil {
		return nil, err
	}
	p := &Prometheus{bin: bin, client: o.Client}
	if p.client == nil {
		p.client = http.DefaultClient
	}
	if p.Dir, p.temporary, err = stateDir(o.Dir, "prometheus"); err != nil {
		return nil, err
	}
	if err := p.prepare(o); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	err = onFreePort(func(port int) error {
		p.URL = loopback(scheme(o.WebConfigYAML), port)
		return p.launch(ctx)
	})
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// Reload replaces prometheus.yml and has the server read it. A configuration that
// the server refuses is an error with its reason, and changes nothing.
func (p *Prometheus) Reload(ctx context.Context, configYAML string) error {
	before, err := os.ReadFile(p.config())
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := os.WriteFile(p.config(), []byte(configYAML), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if err := request(ctx, p.client, http.MethodPost, p.URL+"/-/reload"); err != nil {
		return errors.Join(fmt.Errorf("reload configuration: %w", err), os.WriteFile(p.config(), before, 0o600))
	}
	return nil
}

// ReloadRules replaces all rule files and has the server read them. Files that
// the server refuses are an error with its reason, and change nothing.
func (p *Prometheus) ReloadRules(ctx context.Context, rules map[string]string) error {
	before := p.rules() + ".before"
	if err := os.Rename(p.rules(), before); err != nil {
		return fmt.Errorf("keep rule files: %w", err)
	}
	err := writeRules(p.rules(), rules)
	if err == nil {
		err = request(ctx, p.client, http.MethodPost, p.URL+"/-/reload")
	}
	if err == nil {
		return os.RemoveAll(before)
	}
	err = fmt.Errorf("reload rules: %w", err)
	return errors.Join(err, os.RemoveAll(p.rules()), os.Rename(before, p.rules()))
}

// Restart ends the server and starts it again with the same data and address.
func (p *Prometheus) Restart(ctx context.Context) error {
	if err := p.process.stop(syscall.SIGTERM); err != nil {
		return err
	}
	return p.launch(ctx)
}

// Kill ends the server as a crash would. Restart brings it back.
func (p *Prometheus) Kill() error { return p.process.stop(syscall.SIGKILL) }

// Pause stops the server from answering while its port stays open, as a hanging
// server does; Resume undoes it.
func (p *Prometheus) Pause() error { return p.process.signal(syscall.SIGSTOP) }

// Resume undoes Pause.
func (p *Prometheus) Resume() error { return p.process.signal(syscall.SIGCONT) }

// Stop ends the server and removes its folder if it was a temporary one. It can
// be called more than once, and on a paused server.
func (p *Prometheus) Stop() error {
	var errs []error
	if p.process != nil {
		errs = append(errs, p.Resume(), p.process.stop(syscall.SIGTERM))
	}
	if p.temporary {
		errs = append(errs, os.RemoveAll(p.Dir))
	}
	return errors.Join(errs...)
}

// prepare writes the configuration and settles the flags except the address.
func (p *Prometheus) prepare(o PrometheusOptions) error {
	if o.Retention == 0 {
		o.Retention = defaultRetention
	}
	config := o.ConfigYAML
	if config == "" {
		config = scrapeConfig(o.Targets, o.ScrapeInterval) + alertConfig(o.Alertmanagers)
	}
	if err := writeRules(p.rules(), o.Rules); err != nil {
		return err
	}
	if err := os.WriteFile(p.config(), []byte(config), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	p.args = []string{
		"--config.file=" + p.config(),
		"--storage.tsdb.path=" + filepath.Join(p.Dir, "data"),
		fmt.Sprintf("--storage.tsdb.retention.time=%ds", int64(o.Retention.Seconds())),
		"--web.enable-lifecycle",
		// The server finds its Alertmanagers a few seconds after its start, and
		// would send what fired before only a minute later.
		"--rules.alert.resend-delay=5s",
	}
	if o.WebConfigYAML != "" {
		path := filepath.Join(p.Dir, "web.yml")
		if err := os.WriteFile(path, []byte(o.WebConfigYAML), 0o600); err != nil {
			return fmt.Errorf("write web configuration: %w", err)
		}
		p.args = append(p.args, "--web.config.file="+path)
	}
	p.args = append(p.args, o.Flags...)
	return nil
}

// launch runs the server at URL and waits until it is ready.
func (p *Prometheus) launch(ctx context.Context) error {
	u, err := url.Parse(p.URL)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	args := append([]string{"--web.listen-address=" + net.JoinHostPort(u.Hostname(), u.Port())}, p.args...)
	if p.process, err = spawn(p.Dir, p.bin.command(PromServer, args...)); err != nil {
		return err
	}
	return p.process.await(ctx, answers(p.client, p.URL+"/-/ready"))
}

func (p *Prometheus) config() string { return filepath.Join(p.Dir, "prometheus.yml") }

func (p *Prometheus) rules() string { return filepath.Join(p.Dir, "rules") }

// scheme is how a server with this web configuration is spoken to.
func scheme(webConfigYAML string) string {
	if strings.Contains(webConfigYAML, "tls_server_config") {
		return "https"
	}
	return "http"
}

// scrapeConfig is a prometheus.yml with one job over targets.
func scrapeConfig(targets []string, interval time.Duration) string {
	if interval == 0 {
		interval = defaultScrapeInterval
	}
	return fmt.Sprintf(`global:
  scrape_interval: %[1]dms
  scrape_timeout: %[1]dms
  evaluation_interval: %[1]dms
scrape_configs:
- job_name: targets
  static_configs:
  - targets: [%[2]s]
rule_files: [rules/*.yaml]
`, interval.Milliseconds(), quoted(targets))
}

// alertConfig is the part of a prometheus.yml that says where alerts go.
func alertConfig(alertmanagers []string) string {
	if len(alertmanagers) == 0 {
		return ""
	}
	return fmt.Sprintf(`alerting:
  alertmanagers:
  - static_configs:
    - targets: [%s]
`, quoted(alertmanagers))
}

func quoted(addresses []string) string {
	out := make([]string, len(addresses))
	for i, address := range addresses {
		out[i] = strconv.Quote(address)
	}
	return strings.Join(out, ", ")
}

// writeRules makes a folder of rule files.
func writeRules(dir string, rules map[string]string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder of rules: %w", err)
	}
	for name, text := range rules {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
	}
	return nil
}
