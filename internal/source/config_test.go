package source

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
)

func TestNewInvalid(t *testing.T) {
	authority := newAuthority(t, "one")
	pair := authority.issue(t, leaf{})
	other := authority.issue(t, leaf{})
	good := func(change func(*Config)) Config {
		c := Config{Name: shop, URL: "http://prometheus:9090"}
		change(&c)
		return c
	}
	at := func(raw string) Config { return good(func(c *Config) { c.URL = raw }) }
	oauth := func(o config.OAuth2) Config { return good(func(c *Config) { c.HTTP.OAuth2 = &o }) }
	cases := map[string]struct {
		reason string
		args   Config
		want   string
	}{
		"NoURL":      {reason: "an address is needed", args: at(""), want: `spec.url "" must begin with http:// or https:// and name a host`},
		"Scheme":     {reason: "only HTTP is spoken", args: at("ftp://prometheus"), want: `spec.url "ftp://prometheus" must begin with http:// or https:// and name a host`},
		"NoScheme":   {reason: "a bare host is read as a scheme", args: at("prometheus:9090"), want: `spec.url "prometheus:9090" must begin with http:// or https:// and name a host`},
		"NoHost":     {reason: "a port alone is no host", args: at("http://:9090"), want: `spec.url "http://:9090" must begin with http:// or https:// and name a host`},
		"Unreadable": {reason: "the parser's complaint is not repeated", args: at("http://a b"), want: `spec.url "http://a b" is not a URL: write http:// or https://, a host and, if needed, a port and a path prefix`},
		"UserInfo":   {reason: "the value is a secret, so it is not shown", args: at("http://ann:hunter22@prometheus"), want: `spec.url holds a user name or password: put them in a Secret and name it in spec.authentication`},
		"BadUserInfo": {
			reason: "an unreadable URL may hold a password too",
			args:   at("http://ann:hunter 22@prometheus"),
			want:   `spec.url (not shown, it may hold a password) is not a URL: write http:// or https://, a host and, if needed, a port and a path prefix`,
		},
		"Query":    {reason: "a query may hold a token", args: at("http://prometheus?token=hunter22"), want: `spec.url holds a query or a fragment: end it with the path`},
		"Fragment": {reason: "a fragment is never sent", args: at("http://prometheus/#/graph"), want: `spec.url holds a query or a fragment: end it with the path`},
		"APIPath":  {reason: "the API's path would be doubled", args: at("http://prometheus/api/v1/"), want: `spec.url "http://prometheus/api/v1/" must end before /api/v1: it is added to every query`},
		"Timeout":  {reason: "no negative time", args: good(func(c *Config) { c.Timeout = -time.Second }), want: "spec.timeout is negative: set it above zero"},
		"Concurrency": {
			reason: "no negative number of queries",
			args:   good(func(c *Config) { c.Concurrency = -1 }),
			want:   "spec.limits.concurrency is negative: set it above zero",
		},
		"Bytes":  {reason: "no negative size", args: good(func(c *Config) { c.MaxResponseBytes = -1 }), want: "spec.limits.responseBytes is negative: set it above zero"},
		"Series": {reason: "no negative number of series", args: good(func(c *Config) { c.MaxSeries = -1 }), want: "spec.limits.series is negative: set it above zero"},
		"CA": {
			reason: "text that is no PEM trusts nobody",
			args:   good(func(c *Config) { c.HTTP.TLSConfig.CA = "hunter22" }),
			want:   "spec.tls.ca holds no certificate: give the authority's certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
		},
		"CertificateAlone": {
			reason: "a certificate needs its key",
			args:   good(func(c *Config) { c.HTTP.TLSConfig.Cert = pair.cert }),
			want:   "spec.tls.certificate and spec.tls.key go together: give both or neither",
		},
		"WrongKey": {
			reason: "another certificate's key",
			args:   good(func(c *Config) { c.HTTP.TLSConfig = config.TLSConfig{Cert: pair.cert, Key: config.Secret(other.key)} }),
			want:   "spec.tls.certificate and spec.tls.key are no pair in PEM (tls: private key does not match public key): give a certificate and the key it was made with",
		},
		"TLSVersions": {
			reason: "what only the TLS library finds is told in its words",
			args: good(func(c *Config) {
				c.HTTP.TLSConfig = config.TLSConfig{MinVersion: config.TLSVersions["TLS13"], MaxVersion: config.TLSVersions["TLS12"]}
			}),
			want: "no client can be made: tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified",
		},
		"File": {
			reason: "no file of this process is read on a user's word",
			args:   good(func(c *Config) { c.HTTP.TLSConfig.CAFile = "/etc/passwd" }),
			want:   `the client's settings name "/etc/passwd" to be read later: give the value itself`,
		},
		"BearerFile": {
			reason: "the operator's own token least of all",
			args: good(func(c *Config) {
				c.HTTP.Authorization = &config.Authorization{CredentialsFile: "/var/run/secrets/token"}
			}),
			want: `the client's settings name "/var/run/secrets/token" to be read later: give the value itself`,
		},
		"PasswordFile": {
			reason: "nor a password file",
			args:   good(func(c *Config) { c.HTTP.BasicAuth = &config.BasicAuth{PasswordFile: "/p"} }),
			want:   `the client's settings name "/p" to be read later: give the value itself`,
		},
		"HeaderFile": {
			reason: "nor a header file",
			args: good(func(c *Config) {
				c.HTTP.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{"X-A": {Files: []string{"/h"}}}}
			}),
			want: `the client's settings name "/h" to be read later: give the value itself`,
		},
		"OAuth2File": {
			reason: "nor the file of the token endpoint's CA",
			args:   oauth(config.OAuth2{ClientID: "a", TokenURL: "http://t", TLSConfig: config.TLSConfig{CAFile: "/ca"}}),
			want:   `the client's settings name "/ca" to be read later: give the value itself`,
		},
		"TwoCredentials": {
			reason: "one identity at a time",
			args: good(func(c *Config) {
				c.HTTP.BasicAuth, c.HTTP.BearerToken = &config.BasicAuth{Password: "hunter22"}, "hunter22"
			}),
			want: "spec.authentication cannot be used: at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured",
		},
		"TokenLineBreak": {
			reason: "the commonest mistake with a Secret, and the token is not shown",
			args:   good(func(c *Config) { c.HTTP.Authorization = &config.Authorization{Credentials: "hunter22\n"} }),
			want:   "spec.authentication.bearerToken holds a line break or another control character: store it without",
		},
		"OldTokenLineBreak": {
			reason: "the same by the older field",
			args:   good(func(c *Config) { c.HTTP.BearerToken = "hunter22\n" }),
			want:   "spec.authentication.bearerToken holds a line break or another control character: store it without",
		},
		"TokenURL": {
			reason: "the token endpoint is an address too",
			args:   oauth(config.OAuth2{ClientID: "a", ClientSecret: "hunter22", TokenURL: "token"}),
			want:   `spec.authentication.oauth2.tokenURL "token" must begin with http:// or https:// and name a host`,
		},
		"TokenCA": {
			reason: "and has an authority of its own",
			args:   oauth(config.OAuth2{ClientID: "a", TokenURL: "http://t", TLSConfig: config.TLSConfig{CA: "x"}}),
			want:   "spec.tls.ca holds no certificate: give the authority's certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
		},
		"Grant": {
			reason: "one grant is supported",
			args:   oauth(config.OAuth2{ClientID: "a", TokenURL: "http://t", GrantType: "password"}),
			want:   `spec.authentication.oauth2 asks for the grant "password": only client_credentials is supported`,
		},
		"NoClientID": {
			reason: "a grant needs a client",
			args:   oauth(config.OAuth2{TokenURL: "http://t"}),
			want:   "spec.authentication cannot be used: oauth2 client_id must be configured",
		},
		"SigV4AndBasic": {
			reason: "both write the same header",
			args: good(func(c *Config) {
				c.SigV4 = &sigv4.SigV4Config{Region: "eu-west-1"}
				c.HTTP.BasicAuth = &config.BasicAuth{Username: "ann"}
			}),
			want: "spec.authentication sets sigV4 beside other credentials: keep one of them",
		},
		"SigV4Region": {
			reason: "a signature names its region",
			args:   good(func(c *Config) { c.SigV4 = &sigv4.SigV4Config{} }),
			want:   "spec.authentication.sigV4.region is empty: name the region of the workspace, such as eu-west-1",
		},
		"SigV4Half": {
			reason: "keys come in pairs",
			args:   good(func(c *Config) { c.SigV4 = &sigv4.SigV4Config{Region: "r", SecretKey: "hunter22"} }),
			want:   "spec.authentication.sigV4 cannot be used: set accessKey and secretKey together, and what belongs to a role only with roleARN",
		},
		"SigV4LineBreak": {
			reason: "the key's ID is sent in a header",
			args: good(func(c *Config) {
				c.SigV4 = &sigv4.SigV4Config{Region: "r", AccessKey: "AKIA\n", SecretKey: "hunter22"}
			}),
			want: "spec.authentication.sigV4.accessKey holds a line break or another control character: store it without",
		},
		"SigV4Profile": {
			reason: "a profile is a file of this process",
			args:   good(func(c *Config) { c.SigV4 = &sigv4.SigV4Config{Region: "r", Profile: "admin"} }),
			want:   `the client's settings name "admin" to be read later: give the value itself`,
		},
		"HeaderName": {
			reason: "a header needs a name that HTTP knows",
			args:   good(func(c *Config) { c.Header = map[string]string{"X Scope": "a"} }),
			want:   `spec.tenant.header "X Scope" is no header name: use letters, digits and hyphens`,
		},
		"HeaderReserved": {
			reason: "credentials have a field of their own",
			args:   good(func(c *Config) { c.Header = map[string]string{"authorization": "hunter22"} }),
			want:   `spec.tenant.header "authorization" is set by the client itself: use spec.authentication for credentials`,
		},
		"HeaderValue": {
			reason: "the value may come from a Secret, so it is not shown",
			args:   good(func(c *Config) { c.Header = map[string]string{"X-Scope-OrgID": "hunter22\r\n"} }),
			want:   `the value of spec.tenant.header "X-Scope-OrgID" holds a line break or another control character: store it without`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := New(tc.args)
			if err == nil {
				c.Close()
				t.Fatalf("\n%s\nNew() gave a client, want an error", tc.reason)
			}
			want := outcome{ReasonInvalidConfig, shop + ": " + tc.want}
			if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
				t.Errorf("\n%s\nNew(): -want, +got:\n%s", tc.reason, diff)
			}
			if text := formats(err) + formats(tc.args); strings.Contains(text, "hunter") {
				t.Errorf("a secret shows:\n%s", text)
			}
		})
	}
}

func TestNewNoAWSCredentials(t *testing.T) {
	_, err := New(Config{Name: shop, URL: "http://prometheus:9090", Timeout: patience, SigV4: &sigv4.SigV4Config{Region: "eu-west-1"}})
	want := outcome{ReasonUnauthorized, shop + ": no AWS credentials could be had: check spec.authentication.sigV4 and its Secret"}
	if diff := cmp.Diff(want, outcomeOf(t, err)); diff != "" {
		t.Errorf("New(): -want, +got:\n%s", diff)
	}
}

func TestWithDefaults(t *testing.T) {
	type limits struct {
		Name        string
		Timeout     time.Duration
		Concurrency int
		Bytes       int64
		Series      int
	}
	cases := map[string]struct {
		reason string
		args   Config
		want   limits
	}{
		"Zero": {
			reason: "nothing is unbounded by omission",
			args:   Config{},
			want:   limits{"the metric source", 30 * time.Second, 4, 16777216, 1000},
		},
		"Set": {
			reason: "what is set is kept",
			args:   Config{Name: "x", Timeout: time.Second, Concurrency: 1, MaxResponseBytes: 2, MaxSeries: 3},
			want:   limits{"x", time.Second, 1, 2, 3},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := tc.args.withDefaults()
			got := limits{c.Name, c.Timeout, c.Concurrency, c.MaxResponseBytes, c.MaxSeries}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nwithDefaults(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNewLeavesItsInputAlone(t *testing.T) {
	cfg := Config{
		URL:    "http://prometheus:9090",
		Header: map[string]string{"X-Scope-OrgID": "shop"},
		HTTP:   config.HTTPClientConfig{Authorization: &config.Authorization{Credentials: "t"}},
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatalf("New(): %v", err)
	}
	defer c.Close()
	if diff := cmp.Diff(config.Authorization{Credentials: "t"}, *cfg.HTTP.Authorization); diff != "" {
		t.Errorf("a shared setting was written to: -want, +got:\n%s", diff)
	}
	cfg.Header["X-Scope-OrgID"] = "another"
	if diff := cmp.Diff(map[string]string{"X-Scope-OrgID": "shop"}, c.header); diff != "" {
		t.Errorf("the client follows a map that is the caller's: -want, +got:\n%s", diff)
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	pair := newAuthority(t, "one").issue(t, leaf{})
	cases := map[string]struct {
		reason string
		args   func(*Config)
	}{
		"Basic":  {reason: "password", args: func(c *Config) { c.HTTP.BasicAuth = &config.BasicAuth{Password: "hunter22"} }},
		"Bearer": {reason: "token", args: func(c *Config) { c.HTTP.BearerToken = "hunter22" }},
		"OAuth2": {reason: "client secret", args: func(c *Config) {
			c.HTTP.OAuth2 = &config.OAuth2{ClientID: "a", ClientSecret: "hunter22", TokenURL: "http://t"}
		}},
		"SigV4": {reason: "secret key", args: func(c *Config) {
			c.SigV4 = &sigv4.SigV4Config{Region: "r", AccessKey: "AKIA", SecretKey: "hunter22"}
		}},
		"Tenant": {reason: "a tenant may come from a Secret", args: func(c *Config) { c.Header = map[string]string{"X-A": "hunter22"} }},
		"Key": {reason: "the client's key", args: func(c *Config) {
			c.HTTP.TLSConfig = config.TLSConfig{Cert: pair.cert, Key: config.Secret(pair.key)}
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Name: shop, URL: "http://prometheus:9090"}
			tc.args(&cfg)
			c, err := New(cfg)
			if err != nil {
				t.Fatalf("New(): %v", err)
			}
			defer c.Close()
			text := formats(cfg) + formats(&cfg) + formats(struct{ C Config }{cfg}) + formats(c)
			for _, secret := range []string{"hunter22", "PRIVATE KEY", url.QueryEscape("hunter22")} {
				if strings.Contains(text, secret) {
					t.Errorf("%s shows as %q in:\n%s", tc.reason, secret, text)
				}
			}
			if !strings.Contains(text, `MetricSource shop/default at "http://prometheus:9090"`) {
				t.Errorf("the name and address do not show in:\n%s", text)
			}
		})
	}
}
