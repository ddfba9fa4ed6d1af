package parts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// orphanEnv names the variable that makes this test binary start a child in the
// folder it holds, print the child's number, and wait to be killed.
const orphanEnv = "PARTS_TEST_ORPHAN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanEnv); dir != "" {
		p, err := spawn(dir, exec.Command("/bin/sh", "-c", "exec sleep 600"))
		if err != nil {
			panic(err)
		}
		fmt.Println(p.pid)
		<-p.done
		return
	}
	os.Exit(m.Run())
}

func TestChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), orphanEnv+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var child int
	if _, scan := fmt.Sscan(line, &child); scan != nil {
		t.Fatalf("number of the child: %v, %v", scan, err)
	}
	if err := awaitDeath(expired(), child); err == nil {
		t.Fatalf("the child %d is dead before its parent", child)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatalf("kill: %v", err)
	}
	if err := awaitDeath(t.Context(), child); err != nil {
		t.Errorf("after kill -9 of the parent: %v", err)
	}
	if err := parent.Wait(); err == nil {
		t.Error("wait for the parent: want it killed, got a normal end")
	}
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	p := shell(t, "sleep 600 & echo $!; wait")
	var grandchild int
	err := p.await(t.Context(), func(context.Context) error {
		_, err := fmt.Sscan(p.tail(), &grandchild)
		return err
	})
	if err != nil {
		t.Fatalf("await: %v", err)
	}
	if got, err := syscall.Getpgid(grandchild); err != nil || got != p.pid {
		t.Fatalf("group of the child's child: want %d, got %d, %v", p.pid, got, err)
	}
	if err := p.stop(syscall.SIGTERM); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if !ended(p.pid) {
		t.Errorf("the child %d still exists", p.pid)
	}
	if err := awaitDeath(t.Context(), grandchild); err != nil {
		t.Errorf("the child's child: %v", err)
	}
}

// expired returns a context that has ended, to look once instead of waiting.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// awaitDeath waits up to ten seconds until the process runs no more. A dead one
// that nobody has reaped yet counts as dead.
func awaitDeath(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("process %d still runs: %s", pid, stat)
		}
		time.Sleep(pollEvery)
	}
}
