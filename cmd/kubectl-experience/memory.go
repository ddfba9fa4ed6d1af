package main

import (
	"os"
	"runtime/debug"
)

// What the program may take before it tidies up more often.
const (
	garbage = 400
	memory  = 120 << 20
)

// tune lets garbage lie: a command ends soon, and a third of the time of a large
// one went into collecting. What the environment says goes before.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
}
