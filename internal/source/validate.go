package source

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
)

// hiddenURL stands for a URL that may hold a password.
const hiddenURL = "(not shown, it may hold a password)"

// validate returns the first fault of the configuration: the field, its value
// where that is no secret, and the remedy; "" when there is none.
func (c Config) validate() string {
	checks := []func(Config) string{
		func(c Config) string { return checkURL("spec.url", c.URL) },
		checkAPIPath, checkLimits, checkInline, checkTLS, checkAuthentication, checkSigV4, checkSecrets, checkHeaders,
	}
	for _, check := range checks {
		if fault := check(c); fault != "" {
			return fault
		}
	}
	return ""
}

// checkURL accepts an http or https URL with a host and nothing that could
// carry a credential.
func checkURL(field, raw string) string {
	shown := printableURL(raw)
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The parser's text quotes the URL, which may hold a password.
		return fmt.Sprintf("%s %s is not a URL: write http:// or https://, a host and, if needed, a port and a path prefix", field, shown)
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return fmt.Sprintf("%s %s must begin with http:// or https:// and name a host", field, shown)
	case u.User != nil:
		return fmt.Sprintf("%s holds a user name or password: put them in a Secret and name it in spec.authentication", field)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Sprintf("%s holds a query or a fragment: end it with the path", field)
	}
	return ""
}

// checkAPIPath refuses the path that the client adds itself.
func checkAPIPath(c Config) string {
	if strings.HasSuffix(strings.TrimRight(c.URL, "/"), "/api/v1") {
		return fmt.Sprintf("spec.url %q must end before /api/v1: it is added to every query", c.URL)
	}
	return ""
}

// printableURL quotes a URL unless a part of it could be a credential.
func printableURL(raw string) string {
	if strings.ContainsAny(raw, "@?#") {
		return hiddenURL
	}
	return fmt.Sprintf("%q", clean(raw))
}

func checkLimits(c Config) string {
	for _, limit := range []struct {
		field string
		value int64
	}{
		{"spec.timeout", int64(c.Timeout)},
		{"spec.limits.concurrency", int64(c.Concurrency)},
		{"spec.limits.responseBytes", c.MaxResponseBytes},
		{"spec.limits.series", int64(c.MaxSeries)},
	} {
		if limit.value < 0 {
			return limit.field + " is negative: set it above zero"
		}
	}
	return ""
}

// checkInline refuses every way of having this process read a file or fetch a
// reference: what a client may use has been gathered before.
func checkInline(c Config) string {
	indirect := []string{c.HTTP.BearerTokenFile}
	if a := c.HTTP.BasicAuth; a != nil {
		indirect = append(indirect, a.UsernameFile, a.UsernameRef, a.PasswordFile, a.PasswordRef)
	}
	if a := c.HTTP.Authorization; a != nil {
		indirect = append(indirect, a.CredentialsFile, a.CredentialsRef)
	}
	indirect = append(indirect, indirectTLS(c.HTTP.TLSConfig)...)
	if o := c.HTTP.OAuth2; o != nil {
		indirect = append(indirect, o.ClientSecretFile, o.ClientSecretRef, o.ClientCertificateKeyFile, o.ClientCertificateKeyRef)
		indirect = append(indirect, indirectTLS(o.TLSConfig)...)
	}
	if c.HTTP.HTTPHeaders != nil {
		for _, h := range c.HTTP.HTTPHeaders.Headers {
			indirect = append(indirect, h.Files...)
		}
	}
	if c.SigV4 != nil {
		indirect = append(indirect, c.SigV4.Profile)
	}
	for _, name := range indirect {
		if name != "" {
			return fmt.Sprintf("the client's settings name %q to be read later: give the value itself", clean(name))
		}
	}
	return ""
}

func indirectTLS(t config.TLSConfig) []string {
	return []string{t.CAFile, t.CARef, t.CertFile, t.CertRef, t.KeyFile, t.KeyRef}
}

func checkTLS(c Config) string {
	if fault := checkPEM(c.HTTP.TLSConfig); fault != "" {
		return fault
	}
	if c.HTTP.OAuth2 != nil {
		return checkPEM(c.HTTP.OAuth2.TLSConfig)
	}
	return ""
}

func checkPEM(t config.TLSConfig) string {
	if t.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(t.CA)) {
		return "spec.tls.ca holds no certificate: give the authority's certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE"
	}
	if t.Cert == "" && t.Key == "" {
		return ""
	}
	if t.Cert == "" || t.Key == "" {
		return "spec.tls.certificate and spec.tls.key go together: give both or neither"
	}
	if _, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key)); err != nil {
		return fmt.Sprintf("spec.tls.certificate and spec.tls.key are no pair in PEM (%s): give a certificate and the key it was made with", clean(err.Error()))
	}
	return ""
}

func checkAuthentication(c Config) string {
	if err := c.HTTP.Validate(); err != nil {
		return fmt.Sprintf("spec.authentication cannot be used: %s", clean(err.Error()))
	}
	if o := c.HTTP.OAuth2; o != nil {
		if o.GrantType != "" && o.GrantType != "client_credentials" {
			return fmt.Sprintf("spec.authentication.oauth2 asks for the grant %q: only client_credentials is supported", clean(o.GrantType))
		}
		return checkURL("spec.authentication.oauth2.tokenURL", o.TokenURL)
	}
	return ""
}

func checkSigV4(c Config) string {
	if c.SigV4 == nil {
		return ""
	}
	if c.HTTP.BasicAuth != nil || c.HTTP.Authorization != nil || c.HTTP.OAuth2 != nil || c.HTTP.BearerToken != "" {
		return "spec.authentication sets sigV4 beside other credentials: keep one of them"
	}
	if c.SigV4.Region == "" {
		return "spec.authentication.sigV4.region is empty: name the region of the workspace, such as eu-west-1"
	}
	if err := c.SigV4.Validate(); err != nil {
		return "spec.authentication.sigV4 cannot be used: set accessKey and secretKey together, and what belongs to a role only with roleARN"
	}
	return ""
}

// checkSecrets finds what a header cannot carry; a line break at the end of a
// Secret's value is the usual case.
func checkSecrets(c Config) string {
	const remedy = " holds a line break or another control character: store it without"
	token := c.HTTP.BearerToken
	if c.HTTP.Authorization != nil {
		token = c.HTTP.Authorization.Credentials
	}
	if !httpguts.ValidHeaderFieldValue(string(token)) {
		return "spec.authentication.bearerToken" + remedy
	}
	if c.SigV4 != nil && !httpguts.ValidHeaderFieldValue(c.SigV4.AccessKey) {
		return "spec.authentication.sigV4.accessKey" + remedy
	}
	return ""
}

func checkHeaders(c Config) string {
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		_, reserved := config.ReservedHeaders[http.CanonicalHeaderKey(name)]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return fmt.Sprintf("spec.tenant.header %q is no header name: use letters, digits and hyphens", clean(name))
		case reserved:
			return fmt.Sprintf("spec.tenant.header %q is set by the client itself: use spec.authentication for credentials", name)
		case !httpguts.ValidHeaderFieldValue(c.Header[name]):
			return fmt.Sprintf("the value of spec.tenant.header %q holds a line break or another control character: store it without", name)
		}
	}
	return ""
}
