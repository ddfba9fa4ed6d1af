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
	"runtime"
	"strings"
	"syscall"
	"time"
)

// managerTimeout is how long the manager may take to start, and to end.
const managerTimeout = 30 * time.Second

// managerPath is where the manager is built, from the repository's root, and
// left for the next run.
var managerPath = filepath.Join("bin", "manager")

// buildManager builds the operator as it is in this tree.
func (d *demo) buildManager(ctx context.Context) error {
	d.say("building the operator")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", managerPath, "./cmd/manager")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build manager: %w\n%s", err, text)
	}
	d.say("operator built")
	return nil
}

// manager is the running operator.
type manager struct {
	process *os.Process
	log     string
	done    chan struct{} // closed when it has ended
	err     error         // why; read only after done is closed
}

// startManager runs the operator and waits until it says that it is ready.
func (d *demo) startManager(ctx context.Context) error {
	health, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	m, err := d.spawnManager(ctx, health)
	if err != nil {
		return err
	}
	d.operator = m
	d.atEnd(m.stop)
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	err = poll(ctx, func() (bool, error) {
		select {
		case <-m.done:
			return false, fmt.Errorf("it ended by itself: %w", errors.Join(m.err, errEnded))
		default:
			return answers(ctx, "http://"+health+"/readyz"), nil
		}
	})
	if err != nil {
		return fmt.Errorf("start manager: %w\nlast lines of its log:\n%s", err, m.tail())
	}
	d.say("operator is ready")
	return nil
}

// errEnded is why a manager that ended without an error is no use.
var errEnded = errors.New("nothing runs any more")

// spawnManager starts the manager with its output in a file.
func (d *demo) spawnManager(ctx context.Context, health string) (*manager, error) {
	m := &manager{log: d.folder("manager.log"), done: make(chan struct{})}
	out, err := os.Create(m.log)
	if err != nil {
		return nil, fmt.Errorf("make manager's log: %w", err)
	}
	// Not killed when ctx ends: it is asked to stop, in its turn.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), managerPath,
		"--kubeconfig="+d.cluster.Kubeconfig, "--leader-elect=false",
		"--metrics-bind-address=0", "--health-probe-bind-address="+health)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go func() {
		// The signal that ends a child with its parent is sent when the thread that
		// made the child ends, so that thread stays for as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			m.err = cmd.Wait()
		}
		_ = out.Close() // it belonged to the child
		close(m.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start manager: %w", err)
	}
	m.process = cmd.Process
	return m, nil
}

// stop asks the manager to end, and insists when it does not.
func (m *manager) stop() error {
	if err := m.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop manager: %w", err)
	}
	select {
	case <-m.done:
		return nil
	case <-time.After(managerTimeout):
	}
	err := m.process.Kill()
	<-m.done
	return errors.Join(fmt.Errorf("stop manager: killed after %s", managerTimeout), err)
}

// tail returns the last lines of the log, or why there are none.
func (m *manager) tail() string {
	text, err := os.ReadFile(m.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// freeAddress returns a free address of the loopback interface.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// answers reports whether a GET of url is answered with 200.
func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}
