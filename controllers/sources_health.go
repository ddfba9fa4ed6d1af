package controllers

import (
	"context"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/source"
)

// health is what the last check of a server found.
type health struct {
	checking atomic.Bool
	last     atomic.Pointer[checkup]
	// missing is since when objectives are not recorded. The controller of the
	// source alone touches it.
	missing map[types.NamespacedName]time.Time
}

// checkup is the outcome of one check.
type checkup struct {
	version   string
	retention source.Retention
	// skew is how much the server's clock is ahead; nil where it did not tell.
	skew *time.Duration
	err  error
	// request is the request annotation that the check answers.
	request string
	at      time.Time
}

// check asks the server for a sign of life, in the background: a server that
// hangs keeps nobody waiting. It calls done when the outcome is there, and does
// nothing while another check goes on.
func (l *Live) check(request string, now func() time.Time, done func()) {
	if !l.health.checking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		found := &checkup{request: request}
		if found.err = l.Client.Ping(l.ctx); found.err == nil {
			found.learn(l.ctx, l.Client, l.health.last.Load(), now)
		}
		found.at = now()
		l.health.last.Store(found)
		l.health.checking.Store(false)
		done()
	}()
}

// learn asks for what not every server tells and none has to. What one could not
// tell for once is as it was before.
func (c *checkup) learn(ctx context.Context, client *source.Client, before *checkup, now func() time.Time) {
	if before == nil {
		before = &checkup{}
	}
	var err error
	if c.version, err = client.BuildInfo(ctx); passing(err) {
		c.version = before.version
	}
	if c.retention, err = client.Retention(ctx); passing(err) {
		c.retention = before.retention
	}
	asked := now()
	server, err := client.Now(ctx)
	switch {
	case err == nil:
		c.skew = new(skewOf(server, asked, now()))
	case passing(err):
		c.skew = before.skew
	}
}

// passing says whether a server that tells something may have failed to for once.
func passing(err error) bool {
	switch source.ReasonOf(err) {
	case source.ReasonTimeout, source.ReasonUnreachable, source.ReasonRateLimited, source.ReasonServer, source.ReasonCanceled:
		return true
	default:
		return false
	}
}

// skewOf is how much a server's clock is ahead of the one that was read before
// and after it was asked: nothing when its time lies between.
func skewOf(server, before, after time.Time) time.Duration {
	switch {
	case server.Before(before):
		return server.Sub(before)
	case server.After(after):
		return server.Sub(after)
	default:
		return 0
	}
}

// overdue gives those of the missing objectives that have been missing for so
// long that it is no delay of new rules.
func (h *health) overdue(missing []types.NamespacedName, now time.Time) []string {
	since := make(map[types.NamespacedName]time.Time, len(missing))
	var out []string
	for _, key := range missing {
		first, known := h.missing[key]
		if !known {
			first = now
		}
		since[key] = first
		if now.Sub(first) >= ledger.Grace {
			out = append(out, key.String())
		}
	}
	h.missing = since
	return out
}
