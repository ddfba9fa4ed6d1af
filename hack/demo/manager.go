package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/experience-slo/operator/hack/parts"
)

// managerPath is where `make demo` builds the operator, from the repository's
// root.
var managerPath = filepath.Join("bin", "manager")

// startManager runs the operator and waits until it says that it is ready.
func (d *demo) startManager(ctx context.Context) error {
	health, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	dir := d.folder("operator")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder for the operator: %w", err)
	}
	// parts ends the program; the end of ctx must not.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), managerPath,
		"--kubeconfig="+d.cluster.Kubeconfig, "--leader-elect=false",
		"--metrics-bind-address=0", "--web-bind-address=0", "--health-probe-bind-address="+health)
	d.operator, err = parts.StartProgram(ctx, dir, cmd, func(ctx context.Context) error {
		return ready(ctx, "http://"+health+"/readyz")
	})
	if err != nil {
		return fmt.Errorf("start operator: %w", err)
	}
	d.atEnd(d.operator.Stop)
	d.say("the operator is ready")
	return nil
}

// freeAddress returns a free address of the loopback interface.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// ready returns nil when a GET of url is answered with 200.
func ready(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("ask %s: answered %s", url, response.Status)
	}
	return errors.Join(err, response.Body.Close())
}
