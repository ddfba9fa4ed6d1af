package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/common/config"
	"github.com/spf13/pflag"
)

// Names of variables that name files, for those who would not write them on
// every command line.
const (
	tokenVariable = "EXPERIENCE_TOKEN_FILE"
	basicVariable = "EXPERIENCE_BASIC_AUTH_FILE"
)

// access is the flags that say which server is asked, and by whom.
type access struct{ url, tokenFile, basicFile string }

func (a *access) bind(flags *pflag.FlagSet) {
	flags.StringVar(&a.url, "prometheus", "", "the address of the server, without /api/v1; it replaces those of sources")
	flags.StringVar(&a.tokenFile, "token-file", "", "a file with a bearer token for the server of --prometheus; also "+tokenVariable)
	flags.StringVar(&a.basicFile, "basic-auth-file", "", "a file with name:password for the server of --prometheus; also "+basicVariable)
}

// read reads the credentials. Flags go before the environment.
func (a access) read(getenv func(string) string) (config.HTTPClientConfig, error) {
	var out config.HTTPClientConfig
	if a.url == "" {
		if a.tokenFile != "" || a.basicFile != "" {
			return out, errors.New("credentials are sent to the server of --prometheus alone: name it")
		}
		return out, nil
	}
	if a.tokenFile == "" && a.basicFile == "" && getenv != nil {
		a.tokenFile, a.basicFile = getenv(tokenVariable), getenv(basicVariable)
	}
	return a.open()
}

// open reads the one file that is named, if one is.
func (a access) open() (config.HTTPClientConfig, error) {
	var out config.HTTPClientConfig
	switch {
	case a.tokenFile != "" && a.basicFile != "":
		return out, errors.New("a bearer token and a password: use one of them")
	case a.tokenFile != "":
		token, err := credential(a.tokenFile)
		out.Authorization = &config.Authorization{Type: "Bearer", Credentials: config.Secret(token)}
		return out, err
	case a.basicFile != "":
		var err error
		out.BasicAuth, err = login(a.basicFile)
		return out, err
	default:
		return out, nil
	}
}

// login reads a name and a password.
func login(path string) (*config.BasicAuth, error) {
	pair, err := credential(path)
	if err != nil {
		return nil, err
	}
	name, password, ok := strings.Cut(pair, ":")
	if !ok {
		return nil, fmt.Errorf("read %q: it holds no colon: write name:password", path)
	}
	return &config.BasicAuth{Username: name, Password: config.Secret(password)}, nil
}

// credential reads a file. Editors end it with a line break, which no credential
// contains.
func credential(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	out := strings.TrimSpace(string(text))
	if out == "" {
		return "", fmt.Errorf("read %q: it is empty", path)
	}
	return out, nil
}
