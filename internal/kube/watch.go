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
	pause, shown := backoff{since: time.Now()}, false
	for {
		all, version, err := c.listObjectives(ctx, q)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (!shown || !transient(err)):
			return err
		case err != nil:
			note(err.Error())
		default:
			shown = true
			if err := c.followObjectives(ctx, q, all, version, see); err != nil {
				return err
			}
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// followObjectives keeps a list up to date by what a watch tells.
func (c *Cluster) followObjectives(ctx context.Context, q Query, all []v1alpha1.Objective, version string, see func([]v1alpha1.Objective) error) error {
	known := map[client.ObjectKey]v1alpha1.Objective{}
	for _, o := range all {
		known[client.ObjectKeyFromObject(&o)] = o
	}
	if err := see(all); err != nil {
		return err
	}
	return c.follow(ctx, &v1alpha1.ObjectiveList{}, q, "", version, func(object client.Object, deleted bool) error {
		o, ok := object.(*v1alpha1.Objective)
		if !ok {
			return nil
		}
		if key := client.ObjectKeyFromObject(o); deleted {
			delete(known, key)
		} else {
			known[key] = *o
		}
		return see(slices.SortedFunc(maps.Values(known), func(a, b v1alpha1.Objective) int { return compare(&a, &b) }))
	})
}
