package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/source"
	"github.com/experience-slo/operator/internal/status"
)

// readerRole is the shipped ClusterRole that lets the operator read the Secrets
// and ConfigMaps of a namespace whose owner binds it there.
const readerRole = "experience-slo-source-reader"

// faultError carries a fault through the gathering of many keys.
type faultError struct{ fault *status.Fault }

func (e *faultError) Error() string { return e.fault.Message }

// clientConfig reads a source's credentials and makes the configuration of its
// client. A fault says which field names something that cannot be read.
func (g *gatherer) clientConfig(ctx context.Context, o sourceObject) (source.Config, *status.Fault, error) {
	spec := o.SourceSpec()
	r := &keyReader{gatherer: g, namespace: o.GetNamespace()}
	if r.namespace == "" {
		r.namespace = g.namespace
	}
	out := source.Config{
		Name: keyOf(o).String(), URL: spec.URL, Timeout: spec.Timeout.Duration,
		Concurrency: int(spec.Limits.Concurrency), MaxResponseBytes: spec.Limits.ResponseBytes, MaxSeries: int(spec.Limits.Series),
	}
	for _, read := range []func(context.Context, *v1alpha1.MetricSourceSpec, *source.Config) error{
		r.authentication, r.tls, r.tenant,
	} {
		err := read(ctx, spec, &out)
		if fault := (*faultError)(nil); errors.As(err, &fault) {
			return source.Config{}, fault.fault, nil
		}
		if err != nil {
			return source.Config{}, nil, err
		}
	}
	return out, nil, nil
}

// keyReader reads keys in one namespace.
type keyReader struct {
	*gatherer
	namespace string
}

func (r *keyReader) authentication(ctx context.Context, spec *v1alpha1.MetricSourceSpec, out *source.Config) error {
	const field = "spec.authentication"
	auth := spec.Authentication
	switch {
	case auth == nil:
		return nil
	case auth.Basic != nil:
		username, err := r.secret(ctx, field+".basic.username", auth.Basic.Username)
		if err != nil {
			return err
		}
		password, err := r.secret(ctx, field+".basic.password", auth.Basic.Password)
		out.HTTP.BasicAuth = &config.BasicAuth{Username: username, Password: config.Secret(password)}
		return err
	case auth.BearerToken != nil:
		token, err := r.secret(ctx, field+".bearerToken", *auth.BearerToken)
		out.HTTP.Authorization = &config.Authorization{Type: "Bearer", Credentials: config.Secret(token)}
		return err
	case auth.OAuth2 != nil:
		return r.oauth2(ctx, field+".oauth2", auth.OAuth2, out)
	default:
		return r.sigV4(ctx, field+".sigV4", auth.SigV4, out)
	}
}

func (r *keyReader) oauth2(ctx context.Context, field string, auth *v1alpha1.OAuth2, out *source.Config) error {
	id, err := r.secret(ctx, field+".clientID", auth.ClientID)
	if err != nil {
		return err
	}
	secret, err := r.secret(ctx, field+".clientSecret", auth.ClientSecret)
	if err != nil {
		return err
	}
	out.HTTP.OAuth2 = &config.OAuth2{ClientID: id, ClientSecret: config.Secret(secret), TokenURL: auth.TokenURL, Scopes: auth.Scopes}
	if auth.CA != nil {
		out.HTTP.OAuth2.TLSConfig.CA, err = r.bundle(ctx, field+".ca", *auth.CA)
	}
	return err
}

func (r *keyReader) sigV4(ctx context.Context, field string, auth *v1alpha1.SigV4, out *source.Config) error {
	access, err := r.secret(ctx, field+".accessKey", auth.AccessKey)
	if err != nil {
		return err
	}
	secret, err := r.secret(ctx, field+".secretKey", auth.SecretKey)
	out.SigV4 = &sigv4.SigV4Config{Region: auth.Region, AccessKey: access, SecretKey: config.Secret(secret), RoleARN: auth.RoleARN}
	return err
}

func (r *keyReader) tls(ctx context.Context, spec *v1alpha1.MetricSourceSpec, out *source.Config) error {
	const field = "spec.tls"
	if spec.TLS == nil {
		return nil
	}
	out.HTTP.TLSConfig.ServerName = spec.TLS.ServerName
	if spec.TLS.CA != nil {
		ca, err := r.bundle(ctx, field+".ca", *spec.TLS.CA)
		if err != nil {
			return err
		}
		out.HTTP.TLSConfig.CA = ca
	}
	if spec.TLS.Certificate != nil && spec.TLS.Key != nil {
		certificate, err := r.secret(ctx, field+".certificate", *spec.TLS.Certificate)
		if err != nil {
			return err
		}
		key, err := r.secret(ctx, field+".key", *spec.TLS.Key)
		if err != nil {
			return err
		}
		out.HTTP.TLSConfig.Cert, out.HTTP.TLSConfig.Key = certificate, config.Secret(key)
	}
	return nil
}

func (r *keyReader) tenant(ctx context.Context, spec *v1alpha1.MetricSourceSpec, out *source.Config) error {
	if spec.Tenant == nil {
		return nil
	}
	value := spec.Tenant.Value
	if spec.Tenant.Secret != nil {
		var err error
		if value, err = r.secret(ctx, "spec.tenant.secret", *spec.Tenant.Secret); err != nil {
			return err
		}
	}
	out.Header = map[string]string{spec.Tenant.Header: value}
	return nil
}

func (r *keyReader) bundle(ctx context.Context, field string, ref v1alpha1.BundleReference) (string, error) {
	if ref.Secret != nil {
		return r.secret(ctx, field+".secret", *ref.Secret)
	}
	found := &corev1.ConfigMap{}
	if err := r.get(ctx, field+".configMap", "ConfigMap", ref.ConfigMap.Name, found); err != nil {
		return "", err
	}
	value, ok := found.Data[ref.ConfigMap.Key]
	return value, r.present(ok, field+".configMap", "ConfigMap", *ref.ConfigMap)
}

func (r *keyReader) secret(ctx context.Context, field string, ref v1alpha1.KeyReference) (string, error) {
	found := &corev1.Secret{}
	if err := r.get(ctx, field, "Secret", ref.Name, found); err != nil {
		return "", err
	}
	value, ok := found.Data[ref.Key]
	// Editors end a file with a line break, which no credential contains.
	return strings.TrimSpace(string(value)), r.present(ok, field, "Secret", ref)
}

func (r *keyReader) get(ctx context.Context, field, kind string, name v1alpha1.Name, into client.Object) error {
	err := r.direct.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: string(name)}, into)
	what := fmt.Sprintf("%s %s/%s", kind, r.namespace, name)
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return waiting(v1alpha1.ReasonSecretNotFound, "%s: %s does not exist: create it", field, what)
	case apierrors.IsForbidden(err):
		return waiting(v1alpha1.ReasonReferenceForbidden,
			"%s: the operator may not read %s: run: kubectl create rolebinding %s --clusterrole=%s --serviceaccount=%s:%s --namespace=%s",
			field, what, readerRole, readerRole, r.gatherer.namespace, r.account, r.namespace)
	default:
		return fmt.Errorf("get %s: %w", what, err)
	}
}

func (r *keyReader) present(ok bool, field, kind string, ref v1alpha1.KeyReference) error {
	if ok {
		return nil
	}
	return waiting(v1alpha1.ReasonSecretNotFound, "%s: %s %s/%s has no key %q: add the key or name another", field, kind, r.namespace, ref.Name, ref.Key)
}

func waiting(reason, format string, args ...any) error {
	return &faultError{&status.Fault{Kind: status.Waiting, Reason: reason, Message: fmt.Sprintf(format, args...)}}
}
