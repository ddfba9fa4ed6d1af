package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

const (
	header  = "NAMESPACE   NAME   SERVICE    PERSPECTIVE   TARGET   CURRENT   BUDGET   MET       READY\n"
	noData  = ": NoData: no number was found in the whole window: check the metric's name and labels in spec.indicator, that it is scraped, and that its samples are numbers\n"
	seeEval = "See \"kubectl experience evaluate --help\".\n"
)

// TestEvaluate judges objectives by a real Prometheus.
func TestEvaluate(t *testing.T) {
	cases := map[string]struct {
		reason, args string
		want         outcome
	}{
		"Met": {
			reason: "99 of 100 succeed", args: daily("a", tasks, "98%"),
			want: outcome{Out: strings.Replace(header, "MET       ", "MET    ", 1) +
				"shop        a      checkout   UX            98%      99%       50%      True   True\n"},
		},
		"Missed": {
			reason: "of pages only 80 are fast", args: daily("a", pages, "90%"),
			want: outcome{Code: Missed, Out: strings.Replace(header, "MET       ", "MET     ", 1) +
				"shop        a      checkout   UX            90%      80%       -100%    False   True\n"},
		},
		"Unknown": {
			reason: "what has no data is neither, and it is told why", args: daily("a", "events: {good: a_total, total: b_total}", "99%"),
			want: outcome{Code: Undecided, Out: header +
				"shop        a      checkout   UX            99%                         Unknown   True\n",
				Err: "stdin:8: Objective shop/a" + noData},
		},
		"NoBoundaries": {
			reason: "buckets that nobody has seen are no data",
			args:   daily("a", `distribution: {histogram: b_seconds, threshold: "2", interpolate: true}`, "99%"),
			want: outcome{Code: Undecided, Out: header +
				"shop        a      checkout   UX            99%                         Unknown   True\n",
				Err: "stdin:8: Objective shop/a" + noData},
		},
		"MissedAndUnknown": {
			reason: "of two codes the worse one counts, and objectives are sorted",
			args:   daily("b", "events: {good: a_total, total: b_total}", "99%") + daily("a", pages, "90%"),
			want: outcome{Code: Missed, Out: header +
				"shop        a      checkout   UX            90%      80%       -100%    False     True\n" +
				"shop        b      checkout   UX            99%                         Unknown   True\n",
				Err: "stdin:8: Objective shop/b" + noData},
		},
		"Mistake": {
			reason: "a mistake that only the server knows is one too, and the others are judged",
			args:   daily("a", tasks, "98%") + daily("b", `distribution: {histogram: shop_page_seconds, threshold: "3"}`, "90%"),
			want: outcome{Code: Unusable, Out: header +
				"shop        a      checkout   UX            98%      99%       50%      True      True\n" +
				"shop        b      checkout   UX            90%                         Unknown   False\n",
				Err: "stdin:19: Objective shop/b: InvalidThreshold: spec.indicator.distribution.threshold: 3 is no bucket boundary of shop_page_seconds: the nearest boundaries are 2.5 and 4; use one of them, add the bucket, or set interpolate: true for an estimate\n"},
		},
		"Suspended": {
			reason: "what is suspended is not judged", args: strings.Replace(daily("a", tasks, "98%"), "\n---", "  suspend: true\n---", 1),
			want: outcome{Out: "NAMESPACE   NAME   SERVICE   PERSPECTIVE   TARGET   CURRENT   BUDGET   MET   READY\n",
				Err: "note: Objective shop/a is skipped: spec.suspend is true\n"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, tc.args, "evaluate", "-f", "-", "--prometheus", server.URL)
			got.Err = strings.TrimPrefix(got.Err, assumed)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestEvaluateAt judges at moments: a probe failed all of the last day and none
// of the day before.
func TestEvaluateAt(t *testing.T) {
	objective := daily("a", `state: {query: probe_success, operator: Equal, value: "1"}`, "90%")
	cases := map[string]struct {
		reason string
		args   time.Time
		want   string
	}{
		"Now":    {reason: "the last day", args: now, want: "0%"},
		"Before": {reason: "the day before", args: now.Add(-24 * time.Hour), want: "100%"},
		"Middle": {reason: "half of each", args: now.Add(-12 * time.Hour), want: "50%"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, objective, "evaluate", "-f", "-", "--prometheus", server.URL, "-o", "json", "--at", tc.args.Format(time.RFC3339))
			var found struct{ Items []v1alpha1.Objective }
			if err := json.Unmarshal([]byte(got.Out), &found); err != nil || len(found.Items) != 1 {
				t.Fatalf("%d objectives, %v: %s", len(found.Items), err, got.Err)
			}
			status := found.Items[0].Status
			if status.Attainment != tc.want || !status.Window.End.Time.Equal(tc.args) {
				t.Errorf("%s: %s until %s, want %s until %s", tc.reason, status.Attainment, status.Window.End, tc.want, tc.args)
			}
		})
	}
}

// TestEvaluateOutputs checks that programs read the same objects from both, and
// that they can be given to the command again.
func TestEvaluateOutputs(t *testing.T) {
	args := []string{"evaluate", "-f", "-", "--prometheus", server.URL, "-o"}
	asJSON := do(t, daily("a", tasks, "98%"), append(args, "json")...)
	asYAML := do(t, daily("a", tasks, "98%"), append(args, "yaml")...)
	converted, err := yaml.YAMLToJSON([]byte(asYAML.Out))
	if err != nil {
		t.Fatal(err)
	}
	var one, other any
	if err := json.Unmarshal([]byte(asJSON.Out), &one); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(converted, &other); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("objects differ: -json, +yaml:\n%s", diff)
	}
	again := do(t, asJSON.Out, append(args, "json")...)
	if diff := cmp.Diff(asJSON, again); diff != "" {
		t.Errorf("what was printed cannot be read again: -first, +second:\n%s", diff)
	}
}

// TestEvaluateBySource takes the address, the labels and the tenant of a source.
func TestEvaluateBySource(t *testing.T) {
	var tenants, asked = map[string]bool{}, map[string]bool{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenants[r.Header.Get("X-Scope-OrgID")], asked[r.Header.Get("Authorization")] = true, true
		http.Redirect(w, r, server.URL+r.URL.String(), http.StatusTemporaryRedirect)
	}))
	defer proxy.Close()
	at := func(url, more string) string {
		return strings.Replace(sourceOf("ClusterMetricSource", "name: default", more), "http://prometheus:9090", url, 1)
	}
	objective := daily("a", tasks, "98%")
	cases := map[string]struct {
		reason string
		args   []string
		want   outcome
	}{
		"Matchers": {
			reason: "labels of a source confine what is counted",
			args:   []string{objective + at(server.URL, ", matchers: [{label: app, value: phone}]")},
			want:   outcome{Code: Undecided},
		},
		"Address": {reason: "the address of a source is used", args: []string{objective + at(server.URL, "")}},
		"Replaced": {
			reason: "unless the command line has another", args: []string{objective + at("http://127.0.0.1:1", ""), "--prometheus", server.URL},
		},
		"Secrets": {
			reason: "what Secrets hold is not read, and one is told",
			args:   []string{objective + at(server.URL, ", authentication: {bearerToken: {name: a, key: b}}, tls: {ca: {secret: {name: a, key: b}}}, tenant: {secret: {name: a, key: b}}")},
			want: outcome{Err: "note: ClusterMetricSource default: spec.authentication is not used: Secrets are not read; name the server with --prometheus, and a file with --token-file or --basic-auth-file\n" +
				"note: ClusterMetricSource default: certificates of spec.tls are not used: the system's are trusted, and those of SSL_CERT_FILE\n" +
				"note: ClusterMetricSource default: spec.tenant is not used: Secrets are not read\n"},
		},
		"NoAddress": {
			reason: "without any address there is nobody to ask", args: []string{objective},
			want: outcome{Code: Unusable, Err: assumed + "error: ClusterMetricSource default is not among the manifests: add it, or name a server with --prometheus\n" + seeEval},
		},
		"Redirected": {
			reason: "a server that sends elsewhere is not followed, and the tenant was sent",
			args:   []string{objective + at(proxy.URL, ", tenant: {value: shop}")},
			want:   outcome{Code: Unusable},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := do(t, tc.args[0], append([]string{"evaluate", "-f", "-"}, tc.args[1:]...)...)
			if got.Code != tc.want.Code {
				t.Errorf("%s: ends with %d, want %d: %s", tc.reason, got.Code, tc.want.Code, got.Err)
			}
			if diff := cmp.Diff(tc.want.Err, got.Err); tc.want.Err != "" && diff != "" {
				t.Errorf("%s: told: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if !tenants["shop"] || len(tenants) != 1 || len(asked) != 1 || !asked[""] {
		t.Errorf("the source was asked as %v with %v", tenants, asked)
	}
}

// TestCredentials checks where a credential goes, and where it does not.
func TestCredentials(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token, pair, empty := file("token", "abc\n"), file("pair", "ann:secret:er\n"), file("empty", "\n")
	type want struct {
		sent, err string
	}
	cases := map[string]struct {
		reason string
		args   access
		env    map[string]string
		want   want
	}{
		"None":        {reason: "nobody is asked for a name", args: access{url: "here"}},
		"Token":       {reason: "a line break is no part of a token", args: access{"here", token, ""}, want: want{sent: "Bearer abc"}},
		"Basic":       {reason: "a password may have colons", args: access{"here", "", pair}, want: want{sent: "ann / secret:er"}},
		"Environment": {reason: "the environment names files too", args: access{url: "here"}, env: map[string]string{tokenVariable: token}, want: want{sent: "Bearer abc"}},
		"FlagFirst":   {reason: "a flag goes before", args: access{"here", "", pair}, env: map[string]string{tokenVariable: token}, want: want{sent: "ann / secret:er"}},
		"Elsewhere":   {reason: "no manifest says where a token goes", args: access{"", token, ""}, want: want{err: "credentials are sent to the server of --prometheus alone: name it"}},
		"NotAsked":    {reason: "and that of the environment stays here", env: map[string]string{tokenVariable: token}},
		"Both":        {reason: "one of two would be forgotten", args: access{"here", token, pair}, want: want{err: "a bearer token and a password: use one of them"}},
		"NoColon":     {reason: "a password needs a name", args: access{"here", "", token}, want: want{err: "read " + `"` + token + `": it holds no colon: write name:password`}},
		"Empty":       {reason: "an empty token is a file that was not filled", args: access{"here", empty, ""}, want: want{err: "read " + `"` + empty + `": it is empty`}},
		"Missing":     {reason: "a file must be there", args: access{"here", folder + "/absent", ""}, want: want{err: "read credentials: open " + folder + "/absent: no such file or directory"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found, err := tc.args.read(func(name string) string { return tc.env[name] })
			got := want{}
			switch {
			case err != nil:
				got.err = err.Error()
			case found.Authorization != nil:
				got.sent = found.Authorization.Type + " " + string(found.Authorization.Credentials)
			case found.BasicAuth != nil:
				got.sent = found.BasicAuth.Username + " / " + string(found.BasicAuth.Password)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTokenIsSent asks a server that wants one.
func TestTokenIsSent(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent string
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer closed.Close()
	got := do(t, daily("a", tasks, "98%"), "evaluate", "-f", "-", "--prometheus", closed.URL, "--token-file", token)
	if got.Code != Unusable || sent != "Bearer abc" || strings.Contains(got.Err, "abc") {
		t.Errorf("sent %q, %+v", sent, got)
	}
}
