package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

const (
	// gateGrace is how much longer than its own timeout a gate is waited for.
	gateGrace = 2 * time.Minute
	// hintAfter is when it is odd that no operator has taken up a check.
	hintAfter = 30 * time.Second
)

// gateWait waits for the check of one gate.
type gateWait struct {
	cluster *kube.Cluster
	check   gateCheck
	timeout time.Duration
	tell    func(format string, args ...any)

	mu   sync.Mutex
	last *v1alpha1.Gate
	told string
}

// awaitGates waits for all gates at once.
func (p Program) awaitGates(ctx context.Context, cluster *kube.Cluster, timeout time.Duration, begun []*v1alpha1.Gate) ([]gateResult, error) {
	results := make([]gateResult, len(begun))
	var telling sync.Mutex
	tell := func(format string, args ...any) {
		telling.Lock()
		defer telling.Unlock()
		p.tell(format, args...)
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, gate := range begun {
		w := &gateWait{cluster: cluster, check: checkOf(gate), timeout: cmp.Or(timeout, patienceFor(gate)), tell: tell, last: gate}
		group.Go(func() error {
			var err error
			results[i], err = w.await(ctx)
			return err
		})
	}
	return results, group.Wait()
}

// patienceFor is how long a gate is waited for that says nothing else.
func patienceFor(g *v1alpha1.Gate) time.Duration {
	if g.Spec.Timeout == nil {
		return time.Hour + gateGrace
	}
	return g.Spec.Timeout.Duration + gateGrace
}

// await waits until the check ended or the time is over.
func (w *gateWait) await(ctx context.Context) (gateResult, error) {
	first := w.last
	if w.check.state(first) == gateEnded {
		w.tell("note: gate %s/%s has a verdict%s already, of %s: use --again for a new check",
			first.Namespace, first.Name, strings.Replace(ofRevision(" ", w.check.revision), "of", "on", 1), first.Status.FinishedAt.UTC().Format(time.RFC3339))
		return w.check.resultOf(first, 0), nil
	}
	limited, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	hint := time.AfterFunc(hintAfter, w.hint)
	defer hint.Stop()
	err := w.cluster.AwaitGate(limited, first.Namespace, first.Name, func(text string) { w.tell("%s", text) }, w.see)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil, errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil:
		return w.check.resultOf(w.last, w.timeout), nil
	case ctx.Err() != nil:
		return gateResult{}, fmt.Errorf("interrupted: the check of gate %s/%s goes on in the cluster; wait for it again with: kubectl experience gate %s -n %s",
			first.Namespace, first.Name, first.Name, first.Namespace)
	default:
		return gateResult{}, err
	}
}

// see takes note of the gate, and says whether there is nothing more to wait for.
func (w *gateWait) see(g *v1alpha1.Gate) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = g
	switch w.check.state(g) {
	case gateEnded, gateReplaced, gateInvalid:
		return true
	default:
		if line := w.check.progressOf(g); line != w.told {
			w.told = line
			w.tell("%s", line)
		}
		return false
	}
}

// hint says what may be wrong where nothing happens.
func (w *gateWait) hint() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.check.state(w.last) == gateUnseen {
		w.tell("gate %s/%s: no operator has begun the check yet: see whether one runs", w.last.Namespace, w.last.Name)
	}
}
