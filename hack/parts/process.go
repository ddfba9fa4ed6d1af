package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	pollEvery    = 25 * time.Millisecond
	startTimeout = 3 * time.Minute
	stopTimeout  = time.Minute
	portAttempts = 5
	quotedLines  = 15
)

// errPortTaken means that another program took the port between the moment it
// was found free and the moment the child listened on it.
var errPortTaken = errors.New("the port was taken by another program")

// errEnded means that a child ended by itself, which none is meant to do.
var errEnded = errors.New("it ended by itself")

// process is a running child in a process group of its own.
type process struct {
	name string
	log  string
	from int64 // where this child's part of the log begins
	pid  int
	done chan struct{} // closed when the child has been reaped
	err  error         // why it ended; read only after done is closed
}

// spawn starts the command with its output appended to NAME.log in dir.
func spawn(dir string, cmd *exec.Cmd) (*process, error) {
	name := filepath.Base(cmd.Path)
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	if p.from, err = out.Seek(0, io.SeekEnd); err != nil {
		return nil, fmt.Errorf("find end of log of %s: %w", name, err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = childAttributes()
	started := make(chan error, 1)
	go p.run(cmd, out, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// run starts the child and reaps it. Linux sends the parent-death signal when
// the thread that forked ends, so the thread is held for the life of the child.
func (p *process) run(cmd *exec.Cmd, out *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer out.Close() //nolint:errcheck // the child wrote to it, not this process
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	p.err = cmd.Wait()
	close(p.done)
}

// await polls ready until it returns nil. It fails, quoting the log, when the
// child ends first, when ctx ends, or after a minute.
func (p *process) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.failed(p.ended())
		case <-ctx.Done():
			return p.failed(fmt.Errorf("%w: last answer: %w", context.Cause(ctx), err))
		case <-tick.C:
		}
	}
}

// ended says why a reaped child ended.
func (p *process) ended() error {
	if strings.Contains(p.tail(), "address already in use") {
		return errPortTaken
	}
	if p.err == nil {
		return errEnded
	}
	return fmt.Errorf("%w: %w", errEnded, p.err)
}

// failed wraps why with the name of the child and the end of its log.
func (p *process) failed(why error) error {
	return fmt.Errorf("wait for %s: %w\nlast lines of %s:\n%s", p.name, why, p.log, p.tail())
}

// stop asks the process group to end and waits for it; a child that does not end
// in time is killed. Stopping a child that has ended does nothing.
func (p *process) stop(sig syscall.Signal) error {
	if err := p.signal(sig); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopTimeout):
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return fmt.Errorf("stop %s: killed after %s", p.name, stopTimeout)
}

// signal sends sig to the process group unless the child has been reaped: its
// number may belong to someone else by then.
func (p *process) signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := syscall.Kill(-p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// onFreePort calls start with free ports until one is still free when the child
// listens on it.
func onFreePort(start func(port int) error) error {
	var err error
	for range portAttempts {
		var port int
		if port, err = freePort(); err != nil {
			return err
		}
		if err = start(port); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// freePort returns a TCP port of the loopback interface that is free now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it never waits
	if err != nil {
		return 0, fmt.Errorf("find free port: %w", err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find free port: %s is not a TCP address", l.Addr())
	}
	return addr.Port, nil
}

// tail returns the last lines that this child logged, or why there are none.
func (p *process) tail() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(content[p.from:]), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-quotedLines):], "\n")
}
