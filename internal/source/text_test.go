package source

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
	"github.com/prometheus/sigv4"
)

func TestClean(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   string
		want   string
	}{
		"Plain":      {reason: "good text is kept", args: `parse error: unexpected ")"`, want: `parse error: unexpected ")"`},
		"Lines":      {reason: "a condition's message is one line", args: "a\r\n\tb\u2028c", want: "a b c"},
		"Control":    {reason: "no terminal sequences", args: "a\x1b[31mb\x00", want: "a[31mb"},
		"Invisible":  {reason: "no text that reads otherwise than it is", args: "a\u202eb\ufeff", want: "ab"},
		"BadUTF8":    {reason: "the API server refuses strings that are not UTF-8", args: "a\xff\xfeb", want: "ab"},
		"AtLimit":    {reason: "200 runes fit", args: strings.Repeat("é", 200), want: strings.Repeat("é", 200)},
		"AboveLimit": {reason: "201 do not, and the cut shows", args: strings.Repeat("é", 201), want: strings.Repeat("é", 199) + "…"},
		"Empty":      {reason: "nothing stays nothing", args: " \n ", want: ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, clean(tc.args)); diff != "" {
				t.Errorf("\n%s\nclean(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("found duplicate series\nfor {a=\"b\"}\x00")
	f.Add(strings.Repeat("\u2028 ", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text)
		if !utf8.ValidString(got) {
			t.Errorf("clean(%q) = %q, which is not UTF-8", text, got)
		}
		if n := utf8.RuneCountInString(got); n > maxQuoted {
			t.Errorf("clean(%q) has %d runes, want at most %d", text, n, maxQuoted)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("clean(%q) = %q, which is not printable at %d", text, got, i)
		}
		if again := clean(got); again != got {
			t.Errorf("clean(clean(%q)) = %q, want %q", text, again, got)
		}
	})
}

func TestElideLabels(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   string
		want   string
	}{
		"Pairs": {
			reason: "which series is named first is chance",
			args:   `found duplicate series for the match group {job="a"} on the right: [{pod="x"}, {pod="y"}]`,
			want:   `found duplicate series for the match group {…} on the right: [{…}, {…}]`,
		},
		"None":     {reason: "other text is kept", args: "too many samples", want: "too many samples"},
		"Unclosed": {reason: "a lone brace is text", args: "unexpected {", want: "unexpected {"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, elideLabels(tc.args)); diff != "" {
				t.Errorf("\n%s\nelideLabels(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestScrubber(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   Config
		text   string
		want   string
	}{
		"Nothing": {
			reason: "without secrets nothing changes, not even empty ones",
			args:   Config{HTTP: config.HTTPClientConfig{BasicAuth: &config.BasicAuth{}}},
			text:   "some text",
			want:   "some text",
		},
		"Basic": {
			reason: "a password is hidden, plain and as it is sent",
			args:   Config{HTTP: config.HTTPClientConfig{BasicAuth: &config.BasicAuth{Username: "ann", Password: "hunter22"}}},
			text:   "ann hunter22 Basic YW5uOmh1bnRlcjIy",
			want:   "ann <secret> Basic <secret>",
		},
		"Bearer": {
			reason: "both ways to give a token",
			args: Config{HTTP: config.HTTPClientConfig{
				BearerToken: "token-one", Authorization: &config.Authorization{Credentials: "token-two"},
			}},
			text: "token-one, token-two",
			want: "<secret>, <secret>",
		},
		"OAuth2AndKey": {
			reason: "the client's secret and its key",
			args: Config{HTTP: config.HTTPClientConfig{
				OAuth2: &config.OAuth2{ClientID: "me", ClientSecret: "shh-secret"}, TLSConfig: config.TLSConfig{Key: "PEM-KEY"},
			}},
			text: "me shh-secret PEM-KEY",
			want: "me <secret> <secret>",
		},
		"SigV4": {
			reason: "the secret key, not the public ID",
			args:   Config{SigV4: &sigv4.SigV4Config{AccessKey: "AKIA", SecretKey: "wJalr"}},
			text:   "AKIA wJalr",
			want:   "AKIA <secret>",
		},
		"Headers": {
			reason: "a long header value is a secret, a short one the name of a tenant",
			args: Config{
				Header: map[string]string{"X-Scope-OrgID": "shop", "X-Key": "0123456789abcdef"},
				HTTP: config.HTTPClientConfig{HTTPHeaders: &config.Headers{Headers: map[string]config.Header{
					"X-Other": {Secrets: []config.Secret{"other"}},
				}}},
			},
			text: `up{namespace="shop"} 0123456789abcdef other`,
			want: `up{namespace="shop"} <secret> <secret>`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, scrubber(tc.args).Replace(tc.text)); diff != "" {
				t.Errorf("\n%s\nscrubber().Replace(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestShortDuration(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   time.Duration
		want   string
	}{
		"Seconds":      {reason: "as time.Duration", args: 10 * time.Second, want: "10s"},
		"Milliseconds": {reason: "as time.Duration", args: 50 * time.Millisecond, want: "50ms"},
		"Minute":       {reason: "no empty seconds", args: time.Minute, want: "1m"},
		"Mixed":        {reason: "seconds that count are kept", args: 90 * time.Second, want: "1m30s"},
		"Ten":          {reason: "the zero of ten is no unit", args: 70*time.Minute + 10*time.Second, want: "1h10m10s"},
		"Hour":         {reason: "no empty minutes", args: time.Hour, want: "1h"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, shortDuration(tc.args)); diff != "" {
				t.Errorf("\n%s\nshortDuration(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
