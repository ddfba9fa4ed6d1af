package source

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestConcurrency sends many queries at a server that answers none until as
// many as allowed are in flight, and counts them.
func TestConcurrency(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   int
		want   int64
	}{
		"One":     {reason: "one after the other", args: 1, want: 1},
		"Three":   {reason: "three together, all the time", args: 3, want: 3},
		"Default": {reason: "a limit by default", args: 0, want: DefaultConcurrency},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var inFlight, most atomic.Int64
			full := make(chan struct{})
			var once sync.Once
			srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := inFlight.Add(1)
				defer inFlight.Add(-1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				if n >= tc.want {
					once.Do(func() { close(full) })
				}
				<-full
				jsonAnswer(200, oneVector).ServeHTTP(w, r)
			}))
			var observed atomic.Int64
			c := connect(t, srv.URL, func(cfg *Config) {
				cfg.Concurrency = tc.args
				cfg.Observe = func(Observation) { observed.Add(1) }
			})
			var group sync.WaitGroup
			for range 24 {
				group.Go(func() {
					if err := instant(c); err != nil {
						t.Errorf("Instant(): %v", err)
					}
				})
			}
			group.Wait()
			if diff := cmp.Diff([]int64{tc.want, 24}, []int64{most.Load(), observed.Load()}); diff != "" {
				t.Errorf("\n%s\nmost in flight, observed: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestWaiting has the only turn taken by a query that hangs.
func TestWaiting(t *testing.T) {
	type want struct {
		Outcome  outcome
		Observed int64
	}
	cases := map[string]struct {
		reason string
		args   func() (context.Context, context.CancelFunc)
		want   want
		is     error
	}{
		"Cancelled": {
			reason: "a caller that gave up is not kept waiting, and no query went out",
			args: func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				return ctx, cancel
			},
			want: want{Outcome: outcome{ReasonCanceled, shop + " was not asked: the query was cancelled before its turn"}},
			is:   context.Canceled,
		},
		"Deadline": {
			reason: "the remedy is the number of queries, not the timeout of one",
			args: func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 20*time.Millisecond)
			},
			want: want{Outcome: outcome{ReasonTimeout,
				shop + " was not asked in time, too many queries wait: raise spec.limits.concurrency or ask for less"}},
			is: context.DeadlineExceeded,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reached := make(chan struct{})
			srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(reached)
				hang(w, r)
			}))
			var observed atomic.Int64
			c := connect(t, srv.URL, func(cfg *Config) {
				cfg.Concurrency = 1
				cfg.Observe = func(Observation) { observed.Add(1) }
			})
			holding, release := context.WithCancel(t.Context())
			var group sync.WaitGroup
			group.Go(func() { _, _ = c.Instant(holding, "up", time.Time{}) })
			<-reached
			ctx, cancel := tc.args()
			defer cancel()
			_, err := c.Instant(ctx, "up", time.Time{})
			got := want{Outcome: outcomeOf(t, err), Observed: observed.Load()}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nInstant(): -want, +got:\n%s", tc.reason, diff)
			}
			if !errors.Is(err, tc.is) {
				t.Errorf("\n%s\nerrors.Is(err, %v) = false", tc.reason, tc.is)
			}
			release()
			group.Wait()
		})
	}
}

// TestTurnIsGivenBack asks more often than there are turns, each time in vain.
func TestTurnIsGivenBack(t *testing.T) {
	c := connect(t, serve(t, answer{code: 500}).URL, func(cfg *Config) { cfg.Concurrency = 2 })
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := c.Instant(ctx, "up", time.Time{})
		cancel()
		if diff := cmp.Diff(ReasonServer, ReasonOf(err)); diff != "" {
			t.Fatalf("a failed query keeps its turn: -want, +got:\n%s", diff)
		}
	}
}

// TestTimeoutStartsWithTheTurn has a query wait for longer than its timeout.
func TestTimeoutStartsWithTheTurn(t *testing.T) {
	const timeout = 300 * time.Millisecond
	first := make(chan struct{})
	var asked atomic.Int64
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			close(first)
			hang(w, r) // until its own timeout
			return
		}
		jsonAnswer(200, oneVector).ServeHTTP(w, r)
	}))
	c := connect(t, srv.URL, withTimeout(timeout), func(cfg *Config) { cfg.Concurrency = 1 })
	got := make(chan Reason)
	go func() { got <- ReasonOf(instant(c)) }()
	<-first
	if err := instant(c); err != nil {
		t.Errorf("the query behind a hanging one: %v", err)
	}
	if r := <-got; r != ReasonTimeout {
		t.Errorf("the hanging query: %q, want %q", r, ReasonTimeout)
	}
}
