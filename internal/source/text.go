package source

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"

	"github.com/prometheus/common/config"
)

// maxQuoted is the most that a message quotes of somebody else's text: enough
// for the longest of the engine's complaints, that of a join of many to many.
const maxQuoted = 200

// minScrubbedHeader is the length from which a header's value is taken for a
// secret. Shorter ones are names of tenants, which also occur in queries, where
// hiding them would make an error unreadable.
const minScrubbedHeader = 16

// redacted replaces a secret.
const redacted = "<secret>"

// braces finds label sets.
var braces = regexp.MustCompile(`\{[^{}]*\}`)

// clean makes text of unknown origin fit for one line of a condition: printable
// runes, single spaces, at most maxQuoted runes.
func clean(text string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	runes := []rune(strings.Join(strings.Fields(printable), " "))
	if len(runes) <= maxQuoted {
		return string(runes)
	}
	return string(runes[:maxQuoted-1]) + "…"
}

// elideLabels drops label sets: which of many series an engine names first
// differs from one evaluation to the next.
func elideLabels(text string) string {
	return braces.ReplaceAllString(text, "{…}")
}

// scrubber replaces every secret of the configuration, should a server send one
// back in an error.
func scrubber(c Config) *strings.Replacer {
	secrets := []config.Secret{c.HTTP.BearerToken, c.HTTP.TLSConfig.Key}
	if a := c.HTTP.Authorization; a != nil {
		secrets = append(secrets, a.Credentials)
	}
	if a := c.HTTP.BasicAuth; a != nil {
		encoded := base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + string(a.Password)))
		secrets = append(secrets, config.Secret(encoded), a.Password)
	}
	if o := c.HTTP.OAuth2; o != nil {
		secrets = append(secrets, o.ClientSecret)
	}
	if c.SigV4 != nil {
		secrets = append(secrets, c.SigV4.SecretKey)
	}
	if c.HTTP.HTTPHeaders != nil {
		for _, h := range c.HTTP.HTTPHeaders.Headers {
			secrets = append(secrets, h.Secrets...)
		}
	}
	for _, value := range c.Header {
		if len(value) >= minScrubbedHeader {
			secrets = append(secrets, config.Secret(value))
		}
	}
	return replacer(secrets)
}

func replacer(secrets []config.Secret) *strings.Replacer {
	var pairs []string
	for _, secret := range secrets {
		if secret != "" {
			pairs = append(pairs, string(secret), redacted)
		}
	}
	return strings.NewReplacer(pairs...)
}
