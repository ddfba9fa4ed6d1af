package parts

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// Program is any other running child, such as the operator itself.
type Program struct {
	// Log is the file that its output is appended to.
	Log string

	process *process
}

// StartProgram starts the command and returns when ready, which is asked again
// and again, returns nil. Its output goes to NAME.log in dir, which must exist. A
// command that ends before it is ready is an error that quotes the log; a nil
// ready asks nothing. ctx bounds the start only; the caller stops the program.
func StartProgram(ctx context.Context, dir string, cmd *exec.Cmd, ready func(context.Context) error) (*Program, error) {
	p, err := spawn(dir, cmd)
	if err != nil {
		return nil, err
	}
	if ready == nil {
		ready = func(context.Context) error { return nil }
	}
	if err := p.await(ctx, ready); err != nil {
		return nil, errors.Join(err, p.stop(syscall.SIGKILL))
	}
	return &Program{Log: p.log, process: p}, nil
}

// Done is closed when the program has ended, in whatever way.
func (p *Program) Done() <-chan struct{} { return p.process.done }

// Stop asks the program and its children to end, and kills them after a while.
// Stopping what has ended does nothing.
func (p *Program) Stop() error { return p.process.stop(syscall.SIGTERM) }

// Kill ends the program and its children as a crash would.
func (p *Program) Kill() error { return p.process.stop(syscall.SIGKILL) }

// Tail returns the last lines that the program logged.
func (p *Program) Tail() string { return p.process.tail() }
