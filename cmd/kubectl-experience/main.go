// Command kubectl-experience works with experience objectives without a cluster.
// It holds wiring only.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"time"
	_ "time/tzdata" // calendar windows need time zones, and a machine may have none

	"github.com/experience-slo/operator/internal/cli"
)

// version is set when a release is linked.
var version string

func main() {
	tune()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	program := cli.Program{Version: versionText(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Getenv: os.Getenv}
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
