// Command kubectl-experience works with experience objectives, with a cluster and
// without.
// It holds wiring only.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // calendar windows need time zones, and a machine may have none

	"golang.org/x/term"

	"github.com/experience-slo/operator/internal/cli"
)

// version is set when a release is linked.
var version string

func main() {
	tune()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	program := cli.Program{Version: versionText(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Getenv: os.Getenv}
	if screen := int(os.Stdout.Fd()); term.IsTerminal(screen) {
		program.Terminal = true
		program.Width, _, _ = term.GetSize(screen) // nobody knows it where it fails
	}
	code := program.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// versionText is the release, or what the toolchain knows of the source.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
