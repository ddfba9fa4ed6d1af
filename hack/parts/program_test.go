package parts

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		script string
		end    func(*Program) error
		want   string // the last line logged
	}{
		"Stop": {
			reason: "a program is asked, and may tidy up",
			script: "trap 'echo tidy; exit 0' TERM; echo up; while :; do sleep 0.05; done",
			end:    (*Program).Stop, want: "tidy",
		},
		"Kill": {
			reason: "a crash leaves no time to tidy up",
			script: "trap 'echo tidy; exit 0' TERM; echo up; while :; do sleep 0.05; done",
			end:    (*Program).Kill, want: "up",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p, err := StartProgram(t.Context(), dir, exec.Command("/bin/sh", "-c", tc.script), logged(dir, "up"))
			if err != nil {
				t.Fatalf("StartProgram: %v", err)
			}
			if err := tc.end(p); err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			<-p.Done()
			if !ended(p.process.pid) || !strings.HasSuffix(p.Tail(), tc.want) {
				t.Errorf("%s: want it gone and %q logged last, got %q", tc.reason, tc.want, p.Tail())
			}
			if err := p.Stop(); err != nil {
				t.Errorf("Stop of what has ended: %v", err)
			}
		})
	}
}

func TestStartProgramThatNeverGetsReady(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	var asked int
	p, err := StartProgram(ctx, t.TempDir(), exec.Command("/bin/sh", "-c", "exec sleep 600"), func(context.Context) error {
		if asked++; asked == 3 {
			cancel(enough)
		}
		return errors.New("still asleep")
	})
	if p != nil || !errors.Is(err, enough) || !strings.Contains(err.Error(), "still asleep") {
		t.Errorf("StartProgram: want %v and the last answer, got %v, %v", enough, p, err)
	}
}

// logged is ready when sh.log in dir has the line.
func logged(dir, line string) func(context.Context) error {
	tail := (&process{log: dir + "/sh.log"}).tail
	return func(context.Context) error {
		if !strings.Contains(tail(), line) {
			return errors.New("not logged yet")
		}
		return nil
	}
}
