package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/source"
)

// links are the clients of sources.
type links struct {
	of map[compile.SourceKey]*source.Client
	// notes are what sources say that the command cannot follow.
	notes []string
}

func (l links) close() {
	for _, client := range l.of {
		client.Close()
	}
}

// connect makes a client for each source of objectives and asks whether its
// server is there. The address replaces those of the sources unless it is empty.
func (v *inventory) connect(ctx context.Context, all []planned, address string, secrets config.HTTPClientConfig) (links, error) {
	out := links{of: map[compile.SourceKey]*source.Client{}}
	if err := checkAddress(address); err != nil {
		return out, err
	}
	for _, o := range all {
		if key := o.plan.Source; out.of[key] == nil {
			client, err := out.dial(ctx, key, o.source, address, secrets)
			if err != nil && address != "" {
				return out, errors.New(strings.ReplaceAll(err.Error(), "spec.url", "--prometheus"))
			}
			if err != nil {
				return out, err
			}
			out.of[key] = client
		}
	}
	return out, nil
}

// checkAddress words a fault of --prometheus, which no source is to blame for.
func checkAddress(address string) error {
	if address == "" {
		return nil
	}
	client, err := source.New(source.Config{Name: "--prometheus", URL: address})
	if err != nil {
		return errors.New(strings.Replace(err.Error(), ": spec.url", "", 1))
	}
	client.Close()
	return nil
}

func (l *links) dial(ctx context.Context, key compile.SourceKey, spec *v1alpha1.MetricSourceSpec, address string, secrets config.HTTPClientConfig) (*source.Client, error) {
	name := key.String()
	if address == "" {
		if address = spec.URL; address == "" {
			return nil, fmt.Errorf("%s is not among the manifests: add it, or name a server with --prometheus", key)
		}
		if spec.Authentication != nil {
			l.notes = append(l.notes, name+": spec.authentication is not used: Secrets are not read; name the server with --prometheus, and a file with --token-file or --basic-auth-file")
		}
	}
	cfg := source.Config{
		Name: name, URL: address, HTTP: secrets, Timeout: spec.Timeout.Duration,
		Concurrency: int(spec.Limits.Concurrency), MaxResponseBytes: spec.Limits.ResponseBytes, MaxSeries: int(spec.Limits.Series),
	}
	l.follow(name, spec, &cfg)
	client, err := source.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// follow takes over what a source says of certificates and of its tenant, as far
// as it is not in Secrets.
func (l *links) follow(name string, spec *v1alpha1.MetricSourceSpec, cfg *source.Config) {
	if tls := spec.TLS; tls != nil {
		cfg.HTTP.TLSConfig.ServerName = tls.ServerName
		if tls.CA != nil || tls.Certificate != nil {
			l.notes = append(l.notes, name+": certificates of spec.tls are not used: the system's are trusted, and those of SSL_CERT_FILE")
		}
	}
	if tenant := spec.Tenant; tenant != nil && tenant.Secret == nil {
		cfg.Header = map[string]string{tenant.Header: tenant.Value}
	} else if tenant != nil {
		l.notes = append(l.notes, name+": spec.tenant is not used: Secrets are not read")
	}
}
