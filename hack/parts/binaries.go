package parts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// BinEnv names the environment variable that says where the programs are, when
// they are not in bin/ of the repository.
const BinEnv = "EXPERIENCE_BIN"

// Names of the programs that this package knows to run, and of those that tests
// run themselves.
const (
	Etcd        = "etcd"
	APIServer   = "kube-apiserver"
	Kubectl     = "kubectl"
	PromServer  = "prometheus"
	Promtool    = "promtool"
	AlertServer = "alertmanager"
)

// errNoModule means that no go.mod lies at or above the working directory.
var errNoModule = errors.New("no go.mod at or above the working directory")

// Binaries is a folder that holds the programs.
type Binaries string

// Find returns the folder named by EXPERIENCE_BIN, or bin/ at the root of the
// module that the working directory is in. It fails, and says what to run, when
// a program is missing there.
func Find() (Binaries, error) {
	dir := os.Getenv(BinEnv)
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", fmt.Errorf("find programs: %w: set %s to their folder", err, BinEnv)
		}
		dir = filepath.Join(root, "bin")
	}
	for _, name := range []string{Etcd, APIServer, Kubectl, PromServer, Promtool, AlertServer} {
		if err := executable(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("find %s: %w: run `make parts` to build it, or set %s to a folder that has it", name, err, BinEnv)
		}
	}
	return Binaries(dir), nil
}

// Path returns where the named program is.
func (b Binaries) Path(name string) string { return filepath.Join(string(b), name) }

// command returns the named program with arguments, ready to be started.
func (b Binaries) command(name string, args ...string) *exec.Cmd {
	return exec.Command(b.Path(name), args...) //nolint:noctx // it outlives the context of its start
}

// executable fails unless path is a file that can be run.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%q is not an executable file", path)
	}
	return nil
}

// moduleRoot returns the nearest folder at or above the working directory that
// holds a go.mod: `go test` runs in the folder of the package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("get working directory: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errNoModule
		}
		dir = parent
	}
}
