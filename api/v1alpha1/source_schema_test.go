package v1alpha1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
)

// plainSource is a valid source that sets nothing it does not have to.
const plainSource = `
apiVersion: experience.slo/v1alpha1
kind: MetricSource
metadata: {name: prometheus, namespace: shop}
spec: {url: "http://prometheus.monitoring.svc:9090"}
`

// plainClusterSource is the same for a whole cluster.
const plainClusterSource = `
apiVersion: experience.slo/v1alpha1
kind: ClusterMetricSource
metadata: {name: default}
spec: {url: "http://prometheus.monitoring.svc:9090"}
`

func key() any { return map[string]any{"name": "credentials", "key": "value"} }

func keys(names ...string) any {
	out := map[string]any{}
	for _, name := range names {
		out[name] = key()
	}
	return out
}

func matchers(n int) any {
	out := make([]any, n)
	for i := range out {
		out[i] = map[string]any{"label": fmt.Sprintf("label_%d", i), "value": "a"}
	}
	return out
}

const (
	urlForm  = "spec.url: url must begin with http:// or https:// and name a host, for example http://prometheus.monitoring.svc:9090"
	urlExtra = "spec.url: url must hold no credentials, query or fragment: use spec.authentication and spec.tenant"
	urlAPI   = "spec.url: url must end before /api/v1: the operator adds it"
	oneAuth  = "spec.authentication: set exactly one of basic, bearerToken, oauth2, sigV4"
)

// sourceMistakes are what the API server must refuse, and exactly how.
var sourceMistakes = map[string]struct {
	edits edits
	want  []string
}{
	"URLMissing":     {edits{"spec.url": nil}, []string{"spec.url: Required value"}},
	"URLEmpty":       {edits{"spec.url": ""}, []string{"spec.url: should be at least 1 chars long", urlForm}},
	"URLNoScheme":    {edits{"spec.url": "prometheus.monitoring.svc:9090"}, []string{urlForm}},
	"URLHostOnly":    {edits{"spec.url": "prometheus"}, []string{urlForm}},
	"URLOtherScheme": {edits{"spec.url": "file:///etc/passwd"}, []string{urlForm}},
	"URLNoHost":      {edits{"spec.url": "http://:9090"}, []string{urlForm}},
	"URLCredentials": {edits{"spec.url": "http://user:secret@prometheus:9090"}, []string{urlExtra}},
	"URLQuery":       {edits{"spec.url": "http://prometheus:9090?tenant=a"}, []string{urlExtra}},
	"URLFragment":    {edits{"spec.url": "http://prometheus:9090/#/graph"}, []string{urlExtra}},
	"URLAPI":         {edits{"spec.url": "http://prometheus:9090/api/v1"}, []string{urlAPI}},
	"URLAPISlash":    {edits{"spec.url": "http://mimir/prometheus/api/v1/"}, []string{urlAPI}},
	"URLLong":        {edits{"spec.url": "http://prometheus/" + long[:2048]}, []string{"spec.url: may not be more than 2048 bytes"}},
	"URLSpace":       {edits{"spec.url": "http://prometheus :9090"}, []string{urlForm}},

	"AuthenticationEmpty": {edits{"spec.authentication": map[string]any{}}, []string{oneAuth}},
	"AuthenticationTwo": {edits{
		"spec.authentication.bearerToken": key(), "spec.authentication.basic": keys("username", "password"),
	}, []string{oneAuth}},
	"BasicNoPassword": {edits{"spec.authentication.basic": keys("username")}, []string{"spec.authentication.basic.password: Required value"}},
	"BearerNoKey":     {edits{"spec.authentication.bearerToken": map[string]any{"name": "credentials"}}, []string{"spec.authentication.bearerToken.key: Required value"}},
	"BearerKeyForm":   {edits{"spec.authentication.bearerToken": map[string]any{"name": "credentials", "key": "a/b"}}, []string{"spec.authentication.bearerToken.key: should match '^[-._a-zA-Z0-9]+$'"}},
	"BearerInline":    {edits{"spec.authentication.bearerToken": "s3cret"}, []string{`spec.authentication.bearerToken: must be of type object: "string"`}},
	"OAuth2TokenURL": {edits{
		"spec.authentication.oauth2":          keys("clientID", "clientSecret"),
		"spec.authentication.oauth2.tokenURL": "login.example.com/token",
	}, []string{"spec.authentication.oauth2.tokenURL: tokenURL must be a URL that begins with http:// or https://"}},
	"OAuth2Scopes": {edits{
		"spec.authentication.oauth2":          keys("clientID", "clientSecret"),
		"spec.authentication.oauth2.tokenURL": "https://login.example.com/token",
		"spec.authentication.oauth2.scopes":   []any{"read", "read"},
	}, []string{"spec.authentication.oauth2.scopes[1]: Duplicate value"}},
	"SigV4NoRegion": {edits{"spec.authentication.sigV4": keys("accessKey", "secretKey")}, []string{"spec.authentication.sigV4.region: Required value"}},

	"TLSNoKey":         {edits{"spec.tls.certificate": key()}, []string{"spec.tls: certificate and key are set together: a client certificate needs its key"}},
	"TLSNoCertificate": {edits{"spec.tls.key": key()}, []string{"spec.tls: certificate and key are set together: a client certificate needs its key"}},
	"CANeither":        {edits{"spec.tls.ca": map[string]any{}}, []string{"spec.tls.ca: set exactly one of secret, configMap"}},
	"CABoth":           {edits{"spec.tls.ca": keys("secret", "configMap")}, []string{"spec.tls.ca: set exactly one of secret, configMap"}},

	"TenantNeither":     {edits{"spec.tenant": map[string]any{}}, []string{"spec.tenant: set exactly one of value, secret"}},
	"TenantBoth":        {edits{"spec.tenant.value": "a", "spec.tenant.secret": key()}, []string{"spec.tenant: set exactly one of value, secret"}},
	"TenantCredentials": {edits{"spec.tenant": map[string]any{"header": "Authorization", "value": "Bearer"}}, []string{"spec.tenant.header: header names a header that the client sets itself: use spec.authentication for credentials"}},
	"TenantHeaderForm":  {edits{"spec.tenant": map[string]any{"header": "X Tenant", "value": "a"}}, []string{"spec.tenant.header: should match '^[A-Za-z0-9-]+$'"}},
	"TenantTwoLines":    {edits{"spec.tenant.value": "a\r\nHost: b"}, []string{`spec.tenant.value: should match '^[\x21-\x7e]+$'`}},

	"MatcherTwice": {edits{"spec.matchers": []any{
		map[string]any{"label": "cluster", "value": "a"}, map[string]any{"label": "cluster", "value": "b"},
	}}, []string{"spec.matchers[1]: Duplicate value"}},
	"MatcherLabel":  {edits{"spec.matchers": []any{map[string]any{"label": "le-x", "value": "a"}}}, []string{"spec.matchers[0].label: should match '^[a-zA-Z_][a-zA-Z0-9_]*$'"}},
	"MatchersMany":  {edits{"spec.matchers": matchers(17)}, []string{"spec.matchers: must have at most 16 items"}},
	"TenancyEmpty":  {edits{"spec.tenancy": map[string]any{}}, []string{"spec.tenancy.label: Required value"}},
	"TenancyLabel":  {edits{"spec.tenancy.label": "name space"}, []string{"spec.tenancy.label: should match '^[a-zA-Z_][a-zA-Z0-9_]*$'"}},
	"IntervalShort": {edits{"spec.interval": "14s"}, []string{"spec.interval: interval must be between 15s and 1h, written like 1m30s"}},
	"IntervalLong":  {edits{"spec.interval": "61m"}, []string{"spec.interval: interval must be between 15s and 1h, written like 1m30s"}},
	"IntervalDays":  {edits{"spec.interval": "1d"}, []string{"spec.interval: interval must be between 15s and 1h, written like 1m30s"}},
	"IntervalText":  {edits{"spec.interval": "0" + long[:40]}, []string{"spec.interval: may not be more than 32 bytes"}},
	"DelayNegative": {edits{"spec.delay": "-1s"}, []string{"spec.delay: delay must be between 0s and 15m, written like 1m30s"}},
	"DelayLong":     {edits{"spec.delay": "16m"}, []string{"spec.delay: delay must be between 0s and 15m, written like 1m30s"}},
	"TimeoutZero":   {edits{"spec.timeout": "0s"}, []string{"spec.timeout: timeout must be between 1s and 5m, written like 1m30s"}},
	"TimeoutLong":   {edits{"spec.timeout": "6m"}, []string{"spec.timeout: timeout must be between 1s and 5m, written like 1m30s"}},
	"StaleShort":    {edits{"spec.staleAfter": "59s"}, []string{"spec.staleAfter: staleAfter must be between 1m and 24h, written like 1m30s"}},
	"StaleLong":     {edits{"spec.staleAfter": "25h"}, []string{"spec.staleAfter: staleAfter must be between 1m and 24h, written like 1m30s"}},

	"ConcurrencyZero":              {edits{"spec.limits.concurrency": int64(0)}, []string{"spec.limits.concurrency: should be greater than or equal to 1"}},
	"ConcurrencyMany":              {edits{"spec.limits.concurrency": int64(65)}, []string{"spec.limits.concurrency: should be less than or equal to 64"}},
	"ResponseBytesFew":             {edits{"spec.limits.responseBytes": int64(65535)}, []string{"spec.limits.responseBytes: should be greater than or equal to 65536"}},
	"ResponseBytesMany":            {edits{"spec.limits.responseBytes": int64(268435457)}, []string{"spec.limits.responseBytes: should be less than or equal to 268435456"}},
	"SeriesZero":                   {edits{"spec.limits.series": int64(0)}, []string{"spec.limits.series: should be greater than or equal to 1"}},
	"SeriesMany":                   {edits{"spec.limits.series": int64(100001)}, []string{"spec.limits.series: should be less than or equal to 100000"}},
	"NamespacesNotHere":            {edits{"spec.allowedNamespaces": map[string]any{"names": []any{"shop"}}}, []string{"spec.allowedNamespaces: unknown field"}},
	"RulesNamespaceNotHere":        {edits{"spec.rules.output": "ConfigMap", "spec.rules.namespace": "monitoring"}, []string{nameless}},
	"RulesNamespaceEvenOwnNotHere": {edits{"spec.rules.output": "ConfigMap", "spec.rules.namespace": "shop"}, []string{nameless}},
}

// clusterMistakes are those that only a ClusterMetricSource can have.
var clusterMistakes = map[string]struct {
	edits edits
	want  []string
}{
	"NamespacesEmpty":                {edits{"spec.allowedNamespaces": map[string]any{}}, []string{"spec.allowedNamespaces: set names, selector or both; leave allowedNamespaces out to allow every namespace"}},
	"NamespacesTwice":                {edits{"spec.allowedNamespaces.names": []any{"shop", "shop"}}, []string{"spec.allowedNamespaces.names[1]: Duplicate value"}},
	"RulesNamespaceOfNone":           {edits{"spec.rules.namespace": "monitoring"}, []string{outputOnly}},
	"RulesNamespaceOfPrometheusRule": {edits{"spec.rules.output": "PrometheusRule", "spec.rules.namespace": "monitoring"}, []string{outputOnly}},
	"RulesNamespaceForm": {
		edits{"spec.rules.output": "ConfigMap", "spec.rules.namespace": "Monitoring"},
		[]string{"spec.rules.namespace: use lower-case letters and digits, with dashes between them, such as mobile-app"},
	},
	"NamespacesForm": {edits{"spec.allowedNamespaces.names": []any{"shop-*"}}, []string{"spec.allowedNamespaces.names[0]: use lower-case letters and digits, with dashes between them, such as mobile-app"}},
}

func TestSourceMistakes(t *testing.T) {
	d := load(t, "metricsources")
	for name, tc := range sourceMistakes {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainSource)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("complaints: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestClusterSourceMistakes checks that a ClusterMetricSource has all rules of a
// MetricSource and its own.
func TestClusterSourceMistakes(t *testing.T) {
	d := load(t, "clustermetricsources")
	for name, tc := range sourceMistakes {
		if strings.HasSuffix(name, "NotHere") {
			continue // they belong here
		}
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainClusterSource)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("complaints: -want, +got:\n%s", diff)
			}
		})
	}
	for name, tc := range clusterMistakes {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainClusterSource)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("complaints: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestEveryRuleIsTried fails when a rule is written that no mistake above meets.
func TestEveryRuleIsTried(t *testing.T) {
	var met strings.Builder
	for _, mistakes := range []map[string]mistake{alertingMistakes, rulesMistakes, gateMistakes, journeyMistakes(t), exclusionMistakes, calendarMistakes()} {
		for _, tc := range mistakes {
			fmt.Fprintln(&met, tc.want)
		}
	}
	for _, mistakes := range []map[string]struct {
		edits edits
		want  []string
	}{objectiveMistakes, sourceMistakes, clusterMistakes} {
		for _, tc := range mistakes {
			fmt.Fprintln(&met, tc.want)
		}
	}
	for _, tc := range templateMistakes {
		fmt.Fprintln(&met, tc.want)
	}
	for _, tc := range exclusionChanges {
		fmt.Fprintln(&met, tc.want)
	}
	for _, plural := range plurals {
		walk("", load(t, plural).openAPI(), func(path string, node *apiextensions.JSONSchemaProps) {
			for _, rule := range node.XValidations {
				if !strings.Contains(met.String(), rule.Message) {
					t.Errorf("%s: no mistake meets the rule %q with the message %q", path, rule.Rule, rule.Message)
				}
			}
		})
	}
}
