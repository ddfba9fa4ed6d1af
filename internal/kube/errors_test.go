package kube

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestTransient tells what may pass from what a person must change.
func TestTransient(t *testing.T) {
	resource := schema.GroupResource{Resource: gates}
	cases := map[string]struct {
		reason string
		err    error
		want   bool
	}{
		"Unreachable": {reason: "the network comes back", err: &fault{kind: ErrUnreachable}, want: true},
		"Busy":        {reason: "the server has its hands full", err: fmt.Errorf("get: %w", apierrors.NewTooManyRequests("later", 1)), want: true},
		"Internal":    {reason: "or trips", err: apierrors.NewInternalError(errors.New("etcd")), want: true},
		"Starting":    {reason: "or is not up yet", err: apierrors.NewServiceUnavailable("starting"), want: true},
		"Timeout":     {reason: "or takes too long", err: apierrors.NewServerTimeout(resource, "get", 1), want: true},
		"Forbidden":   {reason: "a right does not come by itself", err: &fault{kind: ErrForbidden}},
		"NotFound":    {reason: "nor does an object", err: apierrors.NewNotFound(resource, "g")},
		"Invalid":     {reason: "nor another value", err: apierrors.NewBadRequest("no")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := transient(tc.err); got != tc.want {
				t.Errorf("%s: %t, want %t", tc.reason, got, tc.want)
			}
		})
	}
}

// TestWordKeeps leaves what is told to programs, and what is no fault.
func TestWordKeeps(t *testing.T) {
	c := &Cluster{Host: "https://example.com"}
	if err := c.word(request{}, nil); err != nil {
		t.Errorf("nothing happened: %v", err)
	}
	if err := c.word(request{}, context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("somebody gave up: %v", err)
	}
	err := c.word(request{verb: "get", resource: gates, namespace: "shop", name: "g"}, errors.New("odd"))
	if diff := cmp.Diff("get gates shop/g: odd", err.Error()); diff != "" {
		t.Errorf("what nobody knows: -want, +got:\n%s", diff)
	}
	namespaces := request{verb: "list", resource: namespaceResource}
	if diff := cmp.Diff("kubectl auth can-i list namespaces -A", namespaces.question()); diff != "" {
		t.Errorf("the core group has no name: -want, +got:\n%s", diff)
	}
}

// TestBackoff waits for longer each time, up to a limit, until what it follows
// lasts again.
func TestBackoff(t *testing.T) {
	b := backoff{since: time.Now()}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var got []time.Duration
	for range 7 {
		if err := b.wait(ended); !errors.Is(err, context.Canceled) {
			t.Fatalf("nobody waits any more: %v", err)
		}
		got = append(got, b.next)
	}
	b.since = time.Now().Add(-time.Minute)
	_ = b.wait(ended)
	want := []time.Duration{firstPause, 2 * firstPause, 4 * firstPause, 8 * firstPause, 16 * firstPause, longestPause, longestPause, firstPause}
	if diff := cmp.Diff(want, append(got, b.next)); diff != "" {
		t.Errorf("pauses: -want, +got:\n%s", diff)
	}
}
