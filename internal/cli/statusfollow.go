package cli

import (
	"context"
	"errors"
	"sync"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

// board is what is known of a cluster, for whoever shows it.
type board struct {
	program   Program
	followers sync.WaitGroup
	// changed tells that there is something to take, once all that is followed was
	// read.
	changed chan struct{}

	mu sync.Mutex
	// unread is how many kinds were not read yet.
	unread int
	known  standings
}

// put takes a change of what is known. The first one of a kind has it read.
func (b *board) put(first bool, change func(*standings)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.known)
	if first {
		b.unread--
	}
	if b.unread > 0 {
		return
	}
	select {
	case b.changed <- struct{}{}:
	default: // nobody has taken the change before, and will take this one with it
	}
}

// take gives what is known now.
func (b *board) take() standings {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known
}

// note tells of trouble. One at a time: several kinds are followed at once.
func (b *board) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.program.tell("%s", text)
}

// followStatus keeps what is known of a cluster up to date. It ends with the context or
// where objectives cannot be read; without journeys and gates it goes on.
func (p Program) followStatus(ctx context.Context, cluster *kube.Cluster, query kube.Query, o statusOptions) (*board, <-chan error) {
	b, ended := &board{program: p, changed: make(chan struct{}, 1), unread: 1}, make(chan error, 1)
	beside := kube.Query{Namespace: query.Namespace}
	if o.withGates() {
		b.unread = 3
		b.followers.Go(func() {
			followBeside(ctx, b, "journeys", beside, cluster.FollowJourneys, func(s *standings, all []v1alpha1.Journey) { s.journeys = all })
		})
		b.followers.Go(func() {
			followBeside(ctx, b, "gates", beside, cluster.FollowGates, func(s *standings, all []v1alpha1.Gate) { s.gates = all })
		})
	}
	b.followers.Go(func() {
		ended <- follow(ctx, b, query, cluster.FollowObjectives, func(s *standings, all []v1alpha1.Objective) { s.objectives = all })
	})
	return b, ended
}

// follower is one of the cluster's.
type follower[T any] func(ctx context.Context, q kube.Query, note func(string), see func([]T) error) error

func follow[T any](ctx context.Context, b *board, q kube.Query, from follower[T], keep func(*standings, []T)) error {
	first := true
	return from(ctx, q, b.note, func(all []T) error {
		b.put(first, func(s *standings) { keep(s, all) })
		first = false
		return nil
	})
}

// followBeside follows what is shown behind the objectives. Whoever may read objectives
// alone is told so.
func followBeside[T any](ctx context.Context, b *board, what string, q kube.Query, from follower[T], keep func(*standings, []T)) {
	read := false
	err := follow(ctx, b, q, from, func(s *standings, all []T) {
		keep(s, all)
		read = true
	})
	if errors.Is(err, context.Canceled) {
		return
	}
	b.note("note: " + what + " are not shown: " + err.Error())
	b.put(!read, func(s *standings) { keep(s, nil) })
}
