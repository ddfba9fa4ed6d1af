package parts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shell starts a shell script as a child that ends with the test.
func shell(t *testing.T, script string) *process {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	p, err := spawn(t.TempDir(), exec.Command(sh, "-c", script))
	if err != nil {
		t.Fatalf("spawn: %v", err)
	}
	t.Cleanup(func() {
		if err := p.stop(syscall.SIGKILL); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return p
}

func never(context.Context) error { return errors.New("not yet") }

func TestAwait(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	cases := map[string]struct {
		reason string
		ctx    context.Context
		script string
		ready  func(context.Context) error
		want   error
		quotes string
	}{
		"Ready": {
			reason: "a child that answers is ready",
			ctx:    t.Context(), script: "exec sleep 60",
			ready: func(context.Context) error { return nil },
		},
		"EndsFirst": {
			reason: "a child that ends is an error with its last lines",
			ctx:    t.Context(), script: "seq 1 100; echo out of luck >&2; exit 3",
			ready: never, want: errEnded, quotes: "99\n100\nout of luck",
		},
		"PortTaken": {
			reason: "a port taken by another is told apart, so that another one is tried",
			ctx:    t.Context(), script: "echo listen tcp 127.0.0.1:1: bind: address already in use; exit 1",
			ready: never, want: errPortTaken, quotes: "address already in use",
		},
		"Cancelled": {
			reason: "the caller's patience ends the wait, and the last answer is told",
			ctx:    cancelled, script: "exec sleep 60",
			ready: never, want: context.Canceled, quotes: "not yet",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := shell(t, tc.script).await(tc.ctx, tc.ready)
			if tc.want == nil {
				if err != nil {
					t.Errorf("%s: got %v", tc.reason, err)
				}
				return
			}
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.quotes) {
				t.Errorf("%s: want %T that quotes %q, got %v", tc.reason, tc.want, tc.quotes, err)
			}
		})
	}
}

func TestFailureQuotesOnlyThisRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sh.log"), []byte("bind: address already in use\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := spawn(dir, exec.Command("/bin/sh", "-c", "echo this time another reason; exit 1"))
	if err != nil {
		t.Fatalf("spawn: %v", err)
	}
	err = p.await(t.Context(), never)
	if errors.Is(err, errPortTaken) || !strings.Contains(err.Error(), "this time another reason") {
		t.Errorf("await: want the reason of this run, got %v", err)
	}
}

func TestSpawnOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := spawn(t.TempDir(), exec.Command("/no/such/program"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "start program") {
		t.Errorf("spawn: want a wrapped %v, got %v", os.ErrNotExist, err)
	}
}

func TestOnFreePort(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	cases := map[string]struct {
		reason  string
		answers []error
		want    error
		calls   int
	}{
		"FirstTry":    {reason: "one good port is enough", answers: []error{nil}, calls: 1},
		"TakenTwice":  {reason: "a taken port is tried again with another", answers: []error{errPortTaken, errPortTaken, nil}, calls: 3},
		"OtherError":  {reason: "what a port cannot mend is not tried again", answers: []error{broken}, want: broken, calls: 1},
		"AlwaysTaken": {reason: "it gives up in the end", answers: []error{errPortTaken, errPortTaken, errPortTaken, errPortTaken, errPortTaken}, want: errPortTaken, calls: portAttempts},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			err := onFreePort(func(port int) error {
				l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
				if err != nil {
					return err
				}
				calls++
				return errors.Join(l.Close(), tc.answers[calls-1])
			})
			if !errors.Is(err, tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, err)
			}
			if diff := cmp.Diff(tc.calls, calls); diff != "" {
				t.Errorf("%s: calls: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
