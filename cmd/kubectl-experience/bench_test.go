package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// thousand is a thousand objectives of one stream, each with alerts of its own
// words.
func thousand() string {
	var out strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&out, `---
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: promise-%[1]d, namespace: shop}
spec:
  service: storefront
  perspective: UX
  description: Nearly all of promise %[1]d works.
  indicator: {events: {good: 'good_total{app="a%[1]d"}', total: 'all_total{app="a%[1]d"}'}}
  target: 99.5%%
  window: {rolling: 28d}
  alerting: {page: {}, ticket: {annotations: {team: 'call {{ $labels.service }}'}}}
`, i)
	}
	return out.String()
}

// BenchmarkThousand gives a thousand objectives to the program itself, on one
// core. The aim is less than 2 s and 200 MB.
func BenchmarkThousand(b *testing.B) {
	stream := thousand()
	for _, command := range []string{"render", "validate"} {
		b.Run(command, func(b *testing.B) {
			var took time.Duration
			var most int64
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), os.Args[0], command, "-f", "-")
				cmd.Env = []string{asProgram + "=1", "GOMAXPROCS=1"}
				cmd.Stdin = strings.NewReader(stream)
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				took += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
					most = max(most, usage.Maxrss) // kilobytes on Linux
				}
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "cpu-s")
			b.ReportMetric(float64(most)/1024, "peak-MB")
		})
	}
}
