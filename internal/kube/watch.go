package kube

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// errEnough ends a watch that has shown what was waited for.
var errEnough = errors.New("enough")

// Pauses before a request is made again.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
)

// backoff is a pause that doubles, until what it follows lasts again.
type backoff struct {
	next  time.Duration
	since time.Time
}

// wait pauses before another try.
func (b *backoff) wait(ctx context.Context) error {
	if time.Since(b.since) > longestPause {
		b.next = 0
	}
	b.next = min(max(2*b.next, firstPause), longestPause)
	defer func() { b.since = time.Now() }()
	timer := time.NewTimer(b.next)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// follow shows the changes of objects since a version, until the watch ends or
// see gives an error. A watch that is refused or too old ends at once without
// one: the caller asks again after a while.
func (c *Cluster) follow(ctx context.Context, list client.ObjectList, q Query, name, version string, see func(o client.Object, deleted bool) error) error {
	options := &client.ListOptions{Namespace: q.Namespace, LabelSelector: q.Selector, Raw: &metav1.ListOptions{ResourceVersion: version}}
	if name != "" {
		options.FieldSelector = fields.OneTermEqualSelector("metadata.name", name)
	}
	events, err := c.client.Watch(ctx, list, options)
	if err != nil {
		return ctx.Err()
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-events.ResultChan():
			if !open || event.Type == watch.Error {
				return nil
			}
			o, ok := event.Object.(client.Object)
			if !ok {
				continue
			}
			if err := see(o, event.Type == watch.Deleted); err != nil {
				return err
			}
		}
	}
}

// FollowObjectives shows all objectives that a query chooses whenever one of them
// changed, the first time at once, until the context ends or see gives an error.
// Once something was shown, trouble that may pass is told to note.
func (c *Cluster) FollowObjectives(ctx context.Context, q Query, note func(string), see func([]v1alpha1.Objective) error) error {
	return followAll(ctx, followed[v1alpha1.Objective]{c, q, &v1alpha1.ObjectiveList{}, c.listObjectives, note, see})
}

// FollowJourneys shows journeys as FollowObjectives does objectives.
func (c *Cluster) FollowJourneys(ctx context.Context, q Query, note func(string), see func([]v1alpha1.Journey) error) error {
	return followAll(ctx, followed[v1alpha1.Journey]{c, q, &v1alpha1.JourneyList{}, c.listJourneys, note, see})
}

// FollowGates shows gates as FollowObjectives does objectives.
func (c *Cluster) FollowGates(ctx context.Context, q Query, note func(string), see func([]v1alpha1.Gate) error) error {
	return followAll(ctx, followed[v1alpha1.Gate]{c, q, &v1alpha1.GateList{}, c.listGates, note, see})
}

// followed are the objects of a kind that a query chooses, and who is shown them.
type followed[T any] struct {
	*Cluster
	query Query
	empty client.ObjectList
	list  func(context.Context, Query) ([]T, string, error)
	note  func(string)
	see   func([]T) error
}

// object is a pointer to an object of a kind.
type object[T any] interface {
	*T
	client.Object
}

func followAll[T any, P object[T]](ctx context.Context, f followed[T]) error {
	pause, shown := backoff{since: time.Now()}, false
	for {
		all, version, err := f.list(ctx, f.query)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (!shown || !transient(err)):
			return err
		case err != nil:
			f.note(err.Error())
		default:
			shown = true
			if err := followFrom[T, P](ctx, f, all, version); err != nil {
				return err
			}
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// followFrom keeps a list up to date by what a watch tells.
func followFrom[T any, P object[T]](ctx context.Context, f followed[T], all []T, version string) error {
	known := map[client.ObjectKey]T{}
	for i := range all {
		known[client.ObjectKeyFromObject(P(&all[i]))] = all[i]
	}
	if err := f.see(all); err != nil {
		return err
	}
	return f.follow(ctx, f.empty, f.query, "", version, func(o client.Object, deleted bool) error {
		changed, ok := o.(P)
		if !ok {
			return nil
		}
		if key := client.ObjectKeyFromObject(o); deleted {
			delete(known, key)
		} else {
			known[key] = *changed
		}
		return f.see(slices.SortedFunc(maps.Values(known), func(a, b T) int { return compare(P(&a), P(&b)) }))
	})
}
