package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KeyReference names a key of a Secret or a ConfigMap. It is read in the
// source's own namespace; for a ClusterMetricSource, in the operator's.
type KeyReference struct {
	// name is the name of the Secret or ConfigMap.
	// +required
	Name Name `json:"name,omitempty"`

	// key is the key in it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +required
	Key string `json:"key,omitempty"`
}

// BundleReference names certificates in a Secret or a ConfigMap.
//
// +kubebuilder:validation:XValidation:rule="has(self.secret) != has(self.configMap)",message="set exactly one of secret, configMap"
type BundleReference struct {
	// secret is the key of a Secret.
	// +optional
	Secret *KeyReference `json:"secret,omitempty"`

	// configMap is the key of a ConfigMap.
	// +optional
	ConfigMap *KeyReference `json:"configMap,omitempty"`
}

// BasicAuth is a user name and a password.
type BasicAuth struct {
	// username is the key of a Secret that holds the user name.
	// +required
	Username KeyReference `json:"username,omitzero"`

	// password is the key of a Secret that holds the password.
	// +required
	Password KeyReference `json:"password,omitzero"`
}

// OAuth2 is the client credentials grant.
type OAuth2 struct {
	// clientID is the key of a Secret that holds the client's ID.
	// +required
	ClientID KeyReference `json:"clientID,omitzero"`

	// clientSecret is the key of a Secret that holds the client's secret.
	// +required
	ClientSecret KeyReference `json:"clientSecret,omitzero"`

	// tokenURL is where tokens are asked for.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https']",message="tokenURL must be a URL that begins with http:// or https://"
	// +required
	TokenURL string `json:"tokenURL,omitempty"`

	// scopes are the scopes to ask for.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=set
	// +optional
	Scopes []string `json:"scopes,omitempty"`

	// ca holds the certificates of the authorities to trust at tokenURL, in PEM;
	// the system's when absent.
	// +optional
	CA *BundleReference `json:"ca,omitempty"`
}

// SigV4 signs requests for Amazon Managed Service for Prometheus.
type SigV4 struct {
	// region is the AWS region, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +required
	Region string `json:"region,omitempty"`

	// accessKey is the key of a Secret that holds the access key's ID.
	// +required
	AccessKey KeyReference `json:"accessKey,omitzero"`

	// secretKey is the key of a Secret that holds the secret access key.
	// +required
	SecretKey KeyReference `json:"secretKey,omitzero"`

	// roleARN is a role to assume with these keys.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	RoleARN string `json:"roleARN,omitempty"`
}

// Authentication is how the operator says who it is: set exactly one.
//
// +kubebuilder:validation:XValidation:rule="[has(self.basic), has(self.bearerToken), has(self.oauth2), has(self.sigV4)].filter(set, set).size() == 1",message="set exactly one of basic, bearerToken, oauth2, sigV4"
type Authentication struct {
	// basic is a user name and a password.
	// +optional
	Basic *BasicAuth `json:"basic,omitempty"`

	// bearerToken is the key of a Secret that holds a token.
	// +optional
	BearerToken *KeyReference `json:"bearerToken,omitempty"`

	// oauth2 is the client credentials grant.
	// +optional
	OAuth2 *OAuth2 `json:"oauth2,omitempty"`

	// sigV4 signs requests for Amazon Managed Service for Prometheus.
	// +optional
	SigV4 *SigV4 `json:"sigV4,omitempty"`
}

// TLS says which certificates are trusted and shown.
//
// +kubebuilder:validation:XValidation:rule="has(self.certificate) == has(self.key)",message="certificate and key are set together: a client certificate needs its key"
type TLS struct {
	// ca holds the certificates of the authorities to trust, in PEM; the
	// system's when absent.
	// +optional
	CA *BundleReference `json:"ca,omitempty"`

	// certificate is the client's certificate, in PEM.
	// +optional
	Certificate *KeyReference `json:"certificate,omitempty"`

	// key is the key of the client's certificate, in PEM.
	// +optional
	Key *KeyReference `json:"key,omitempty"`

	// serverName is the name expected on the server's certificate when it is
	// not the URL's host.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ServerName string `json:"serverName,omitempty"`
}

// Tenant is the tenant header of Mimir, Cortex, Thanos or Loki-like servers.
//
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.secret)",message="set exactly one of value, secret"
type Tenant struct {
	// header is the name of the header.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['authorization', 'host', 'cookie', 'content-length', 'content-type', 'connection', 'transfer-encoding'])",message="header names a header that the client sets itself: use spec.authentication for credentials"
	// +kubebuilder:default=X-Scope-OrgID
	// +optional
	Header string `json:"header,omitempty"`

	// value is the tenant.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[\x21-\x7e]+$`
	// +optional
	Value string `json:"value,omitempty"`

	// secret is the key of a Secret that holds the tenant.
	// +optional
	Secret *KeyReference `json:"secret,omitempty"`
}

// LabelName is the name of a label in Prometheus.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:Pattern=`^[a-zA-Z_][a-zA-Z0-9_]*$`
type LabelName string

// LabelMatcher is a label and the value that every series read must have.
type LabelMatcher struct {
	// label is the name of the label.
	// +required
	Label LabelName `json:"label,omitempty"`

	// value is the value of the label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +required
	Value string `json:"value,omitempty"`
}

// Tenancy confines every query to the objective's namespace.
type Tenancy struct {
	// label is the label that holds the namespace, often "namespace".
	// +required
	Label LabelName `json:"label,omitempty"`
}

// Limits bound what one source may cost the operator and the server.
type Limits struct {
	// concurrency is the number of queries in flight at once.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	// +kubebuilder:default=4
	// +optional
	Concurrency int32 `json:"concurrency,omitempty"`

	// responseBytes is the size of the largest answer that is read.
	// +kubebuilder:validation:Minimum=65536
	// +kubebuilder:validation:Maximum=268435456
	// +kubebuilder:default=16777216
	// +optional
	ResponseBytes int64 `json:"responseBytes,omitempty"`

	// series is the number of series in the largest answer that is read.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	// +kubebuilder:default=1000
	// +optional
	Series int32 `json:"series,omitempty"`
}

// MetricSourceSpec says where metrics are, and with what credentials and limits.
//
// +kubebuilder:validation:XValidation:rule="!has(self.matchers) || !has(self.rules) || !has(self.rules.output) || self.rules.output == 'None' || self.matchers.all(matcher, !(matcher.label in ['alertname', 'objective', 'service', 'perspective', 'touchpoint', 'recipe', 'window', 'severity']))",message="matchers must not name alertname, objective, service, perspective, touchpoint, recipe, window or severity where a ruler records: the operator sets these labels on what is recorded; use another label, or rules.output None"
type MetricSourceSpec struct {
	// url is the address of a Prometheus-compatible server, with its path
	// prefix but without /api/v1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must begin with http:// or https:// and name a host, for example http://prometheus.monitoring.svc:9090"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must hold no credentials, query or fragment: use spec.authentication and spec.tenant"
	// +kubebuilder:validation:XValidation:rule="!self.matches('/api/v1/?$')",message="url must end before /api/v1: the operator adds it"
	// +required
	URL string `json:"url,omitempty"`

	// matchers are added to every selector of every query, a cluster label say.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=label
	// +optional
	Matchers []LabelMatcher `json:"matchers,omitempty"`

	// tenancy confines every query to the objective's namespace.
	// +optional
	Tenancy *Tenancy `json:"tenancy,omitempty"`

	// authentication is how the operator says who it is.
	// +optional
	Authentication *Authentication `json:"authentication,omitempty"`

	// tls says which certificates are trusted and shown.
	// +optional
	TLS *TLS `json:"tls,omitempty"`

	// tenant is the tenant header of Mimir, Cortex and the like.
	// +optional
	Tenant *Tenant `json:"tenant,omitempty"`

	// interval is the time between two evaluations, from 15s to 1h.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('15s') && duration(self) <= duration('1h')",message="interval must be between 15s and 1h, written like 1m30s"
	// +kubebuilder:default="1m"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`

	// delay is how long after a minute's end its samples are all there, from 0s
	// to 15m.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('0s') && duration(self) <= duration('15m')",message="delay must be between 0s and 15m, written like 1m30s"
	// +kubebuilder:default="30s"
	// +optional
	Delay *metav1.Duration `json:"delay,omitempty"`

	// timeout is the time that one query may take, from 1s to 5m.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('1s') && duration(self) <= duration('5m')",message="timeout must be between 1s and 5m, written like 1m30s"
	// +kubebuilder:default="30s"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// staleAfter is how long the last good figures stand while the source does
	// not answer, from 1m to 24h.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(h|m|s|ms))+$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="staleAfter must be between 1m and 24h, written like 1m30s"
	// +kubebuilder:default="10m"
	// +optional
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`

	// limits bound what the source may cost the operator and the server.
	// +kubebuilder:default={}
	// +optional
	Limits Limits `json:"limits,omitzero"`

	// rules says who evaluates the deltas and the alerts.
	// +kubebuilder:default={}
	// +optional
	Rules Rules `json:"rules,omitzero"`
}

// RulesCount counts the objectives of a source by their rules.
type RulesCount struct {
	// expected is the number of objectives whose rules the ruler should evaluate.
	// +kubebuilder:validation:Minimum=0
	// +required
	Expected int32 `json:"expected"`

	// loaded is the number of those that the ruler recorded in the last minutes.
	// +kubebuilder:validation:Minimum=0
	// +required
	Loaded int32 `json:"loaded"`
}

// MetricSourceStatus is what the operator found at the source.
type MetricSourceStatus struct {
	// observedGeneration is the generation of the spec that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// version is the version that the server gives as its own.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Version string `json:"version,omitempty"`

	// retention is how long the server keeps data, and how much, as it says
	// itself. It is absent where the server does not tell.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Retention string `json:"retention,omitempty"`

	// rules is how many objectives have rules that the source's ruler should
	// evaluate, and of how many it does. It is absent where rules.output is None
	// and while the server does not answer.
	// +optional
	Rules *RulesCount `json:"rules,omitempty"`

	// lastHandledReconcileAt is the value of the annotation
	// experience.slo/requestedAt that was last answered.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready; Reconciling or Stalled while they hold; and while the
	// server answers what is known of it: RetentionSufficient, ClockInSync,
	// RulesLoaded.
	// +kubebuilder:validation:MaxItems=8
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}
