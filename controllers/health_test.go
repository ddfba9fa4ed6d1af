package controllers

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/experience-slo/operator/internal/metrics"
)

const stuckMessage = "the evaluator has not looked for due ticks for more than 1m0s"

// TestHealthz sees the evaluator work, get stuck and go on.
func TestHealthz(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC))
	recorder := metrics.New(prometheus.NewRegistry())
	sources := NewSources(recorder)
	op := &Operator{evaluator: NewEvaluator(sources, recorder, clock), clock: clock}
	check := func(reason, want string) {
		t.Helper()
		got := ""
		if err := op.Healthz(&http.Request{}); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", reason, diff)
		}
	}

	clock.Step(time.Hour)
	check("a manager that waits to lead evaluates nothing and is healthy", "")

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- op.evaluator.Start(ctx) }()
	until(t, "the evaluator's clock", clock.HasWaiters)
	step := func(d time.Duration) {
		clock.Step(d)
		until(t, "a look for due ticks", func() bool { return op.evaluator.Beat().Equal(clock.Now()) })
	}
	step(pace)
	check("it has looked for due ticks just now", "")

	sources.mu.Lock()
	step(pace) // it begins and is stuck
	clock.Step(stopped)
	check("a busy machine may be late", "")
	clock.Step(time.Second)
	check("it is stuck", stuckMessage)
	sources.mu.Unlock()
	until(t, "the look that was due", func() bool { return op.evaluator.Beat().Equal(clock.Now()) })
	check("it goes on", "")

	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Start: %v", err)
	}
	clock.Step(stopped + time.Second)
	check("it has ended", stuckMessage)
}

// until waits for what another goroutine is about to do.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}
