// Command demo shows the operator at work on this machine alone: a real
// Kubernetes API server, a real Prometheus with 28 days of written history that
// goes on living, and the operator between them. It applies the catalogue and the
// journeys of five stories, waits until each promise and each journey has its
// verdict, checks them against those that a person would give, and prints what
// kubectl shows. Then two releases wait at their gates, of which one passes and one
// fails.
//
// It stays until Ctrl-C, then removes everything. With DEMO_ONCE=1 it ends by
// itself: with 0 when every verdict, pattern and weakest stage is the expected one
// and both gates end as they should, otherwise with 1 and the differences.
// `make demo` builds what it needs and runs it from the repository's root.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is all there is to say when Ctrl-C came before the end.
var errInterrupted = errors.New("interrupted before every verdict was in")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	d := newDemo(os.Stdout)
	err := d.run(ctx, os.Getenv("DEMO_ONCE") == "1")
	if err != nil && ctx.Err() != nil {
		err = errInterrupted
	}
	stop() // a second Ctrl-C ends it without ceremony
	if err = errors.Join(err, d.close()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
