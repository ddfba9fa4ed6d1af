package kube

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestApplyGate creates a gate and changes it, whoever wrote it before.
func TestApplyGate(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	type want struct {
		revision, asked string
		generation      int64
	}
	told := func(g *v1alpha1.Gate) want {
		return want{string(g.Spec.Revision), g.Annotations[v1alpha1.ReconcileRequestAnnotation], g.Generation}
	}
	other := &v1alpha1.Gate{}
	steps := []struct {
		reason string
		do     func() (*v1alpha1.Gate, error)
		want   want
	}{
		{"what is not there is created", func() (*v1alpha1.Gate, error) { return c.ApplyGate(t.Context(), manifest(namespace, "g", "v1")) }, want{"v1", "", 1}},
		{"the same again changes nothing", func() (*v1alpha1.Gate, error) { return c.ApplyGate(t.Context(), manifest(namespace, "g", "v1")) }, want{"v1", "", 1}},
		{"somebody else writes it", func() (*v1alpha1.Gate, error) {
			err := c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "g"}, other)
			other.Spec.Revision = "v2"
			return other, errors.Join(err, c.client.Update(t.Context(), other, client.FieldOwner("somebody")))
		}, want{"v2", "", 2}},
		{"and it is taken over", func() (*v1alpha1.Gate, error) { return c.ApplyGate(t.Context(), manifest(namespace, "g", "v3")) }, want{"v3", "", 3}},
		{"a new revision is all that is patched", func() (*v1alpha1.Gate, error) {
			return c.ChangeGate(t.Context(), namespace, "g", Change{Revision: new("v4")})
		}, want{"v4", "", 4}},
		{"a check can be asked for", func() (*v1alpha1.Gate, error) {
			return c.ChangeGate(t.Context(), namespace, "g", Change{RequestedAt: "now"})
		}, want{"v4", "now", 4}},
	}
	for _, step := range steps {
		gate, err := step.do()
		if err != nil {
			t.Fatalf("%s: %v", step.reason, err)
		}
		if diff := cmp.Diff(step.want, told(gate), cmp.AllowUnexported(want{})); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", step.reason, diff)
		}
		if gate.Kind != "Gate" && gate != other {
			t.Errorf("%s: the kind is %q", step.reason, gate.Kind)
		}
	}
	if _, err := c.ChangeGate(t.Context(), namespace, "none", Change{RequestedAt: "now"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a gate that is not there: %v", err)
	}
	refused := manifest(namespace, "g", "v 5")
	if _, err := c.ApplyGate(t.Context(), refused); err == nil || errors.Is(err, ErrForbidden) {
		t.Errorf("what the API server refuses is told: %v", err)
	}
}

// TestApplyGateAgainstAnother applies a gate that somebody else writes right after:
// what is given back is this one's all the same.
func TestApplyGateAgainstAnother(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	raced := *c
	raced.client = interceptor.NewClient(c.client, interceptor.Funcs{
		Apply: func(ctx context.Context, below client.WithWatch, o runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			err := below.Apply(ctx, o, options...)
			_, other := c.ChangeGate(ctx, namespace, "g", Change{Revision: new("theirs"), RequestedAt: "theirs"})
			return errors.Join(err, other)
		},
	})
	gate, err := raced.ApplyGate(t.Context(), manifest(namespace, "g", "ours"))
	if err != nil {
		t.Fatal(err)
	}
	if got := gate.Annotations[v1alpha1.ReconcileRequestAnnotation]; gate.Spec.Revision != "ours" || got != "" || gate.Name != "g" {
		t.Errorf("applied revision ours of g, was told of %s of %s, asked for %q", gate.Spec.Revision, gate.Name, got)
	}
	stored, err := c.Gate(t.Context(), namespace, "g")
	if err != nil || stored.Spec.Revision != "theirs" {
		t.Errorf("nobody wrote after it: revision %s (%v)", stored.Spec.Revision, err)
	}
}

// verdict writes one on a gate, in the operator's place.
func verdict(ctx context.Context, c *Cluster, namespace, name string, v v1alpha1.GateVerdict) error {
	gate, err := c.Gate(ctx, namespace, name)
	if err != nil {
		return err
	}
	gate.Status.Verdict, gate.Status.ObservedGeneration = v, gate.Generation
	return c.client.Status().Update(ctx, gate)
}

// TestAwaitGate waits with a watch and, where that is not allowed, without one.
func TestAwaitGate(t *testing.T) {
	admin := connect(t)
	namespace := space(t, admin)
	grant(t, namespace, "watcher", "get,watch,list")
	grant(t, namespace, "reader", "get")
	gone := func(ctx context.Context, name string) error {
		gate, err := admin.Gate(ctx, namespace, name)
		return errors.Join(err, admin.client.Delete(ctx, gate))
	}
	passes := func(ctx context.Context, name string) error {
		return verdict(ctx, admin, namespace, name, v1alpha1.GatePassed)
	}
	cases := map[string]struct {
		reason, user string
		then         func(ctx context.Context, name string) error
		want         error
	}{
		"watched":   {reason: "a change is seen at once", user: "watcher", then: passes},
		"polled":    {reason: "whoever may read may wait", user: "reader", then: passes},
		"gone":      {reason: "a gate that is deleted never passes", user: "watcher", then: gone, want: errGone},
		"missed":    {reason: "nor one whose deletion was not seen", user: "reader", then: gone, want: ErrNotFound},
		"cancelled": {reason: "waiting can be ended", user: "watcher", want: context.Canceled},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := admin.ApplyGate(t.Context(), manifest(namespace, name, "v1")); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var seen atomic.Int64
			var notes []string
			ended := make(chan error, 1)
			go func() {
				ended <- connect(t, "--as", tc.user).AwaitGate(ctx, namespace, name, func(text string) { notes = append(notes, text) }, func(g *v1alpha1.Gate) bool {
					seen.Add(1)
					return g.Status.Verdict == v1alpha1.GatePassed
				})
			}()
			eventually(t, "the first look", func() bool { return seen.Load() > 0 })
			if tc.then == nil {
				cancel()
			} else if err := tc.then(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, tc.want) {
				t.Errorf("%s: ended with %v, want %v", tc.reason, err, tc.want)
			}
			if len(notes) > 0 {
				t.Errorf("%s: told %q", tc.reason, notes)
			}
		})
	}
}

// TestAwaitGateAtOnce asks once where that is enough.
func TestAwaitGateAtOnce(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	if _, err := c.ApplyGate(t.Context(), manifest(namespace, "g", "v1")); err != nil {
		t.Fatal(err)
	}
	looks := 0
	err := c.AwaitGate(t.Context(), namespace, "g", func(string) {}, func(*v1alpha1.Gate) bool { looks++; return true })
	if err != nil || looks != 1 {
		t.Errorf("looked %d times: %v", looks, err)
	}
	if err := c.AwaitGate(t.Context(), namespace, "none", func(string) {}, func(*v1alpha1.Gate) bool { return true }); !errors.Is(err, ErrNotFound) {
		t.Errorf("a gate that is not there: %v", err)
	}
}

// TestFollowObjectives is shown what comes, changes and goes.
func TestFollowObjectives(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	if err := c.client.Create(t.Context(), objective(namespace, "a", nil)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shown := make(chan []string, 16)
	ended := make(chan error, 1)
	go func() {
		ended <- c.FollowObjectives(ctx, Query{Namespace: namespace}, func(string) {}, func(all []v1alpha1.Objective) error {
			names := []string{}
			for _, o := range all {
				names = append(names, o.Name+" "+string(o.Spec.Target))
			}
			shown <- names
			return nil
		})
	}()
	second := objective(namespace, "b", nil)
	steps := []struct {
		reason string
		do     func() error
		want   []string
	}{
		{"what is there", func() error { return nil }, []string{"a 99%"}},
		{"one more", func() error { return c.client.Create(t.Context(), second) }, []string{"a 99%", "b 99%"}},
		{"one changed", func() error {
			second.Spec.Target = "98%"
			return c.client.Update(t.Context(), second)
		}, []string{"a 99%", "b 98%"}},
		{"one went", func() error { return c.client.Delete(t.Context(), second) }, []string{"a 99%"}},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, <-shown); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", step.reason, diff)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("an end that was asked for: %v", err)
	}
	if err := connect(t, "--as", "nobody").FollowObjectives(t.Context(), Query{}, nil, nil); !errors.Is(err, ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}

// TestFollowOthers is shown journeys and gates whenever one of them changed.
func TestFollowOthers(t *testing.T) {
	c := connect(t)
	namespace := space(t, c)
	journey := &v1alpha1.Journey{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "order"}, Spec: v1alpha1.JourneySpec{
		Stages: []v1alpha1.JourneyStage{{Name: "web", Objectives: v1alpha1.StageObjectives{Names: []v1alpha1.Name{"a"}}}},
	}}
	if err := c.client.Create(t.Context(), journey); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ApplyGate(t.Context(), manifest(namespace, "g", "v1")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shown, ended := make(chan string, 16), make(chan error, 2)
	query := Query{Namespace: namespace}
	go func() {
		ended <- c.FollowJourneys(ctx, query, func(string) {}, func(all []v1alpha1.Journey) error {
			shown <- fmt.Sprintf("%d journeys: %s %s", len(all), all[0].Name, all[0].Status.Verdict)
			return nil
		})
	}()
	shows(t, shown, "1 journeys: order ")
	go func() {
		ended <- c.FollowGates(ctx, query, func(string) {}, func(all []v1alpha1.Gate) error {
			shown <- fmt.Sprintf("%d gates: %s %s", len(all), all[0].Name, all[0].Status.Verdict)
			return nil
		})
	}()
	shows(t, shown, "1 gates: g ")
	journey.Status.Verdict = v1alpha1.JourneyBroken
	if err := c.client.Status().Update(t.Context(), journey); err != nil {
		t.Fatal(err)
	}
	shows(t, shown, "1 journeys: order Broken")
	if err := verdict(t.Context(), c, namespace, "g", v1alpha1.GateBaking); err != nil {
		t.Fatal(err)
	}
	shows(t, shown, "1 gates: g Baking")
	cancel()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("an end that was asked for: %v", err)
		}
	}
	if err := connect(t, "--as", "nobody").FollowJourneys(t.Context(), Query{}, nil, nil); !errors.Is(err, ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}

// shows waits for what is shown next.
func shows(t *testing.T, shown <-chan string, want string) {
	t.Helper()
	if got := <-shown; got != want {
		t.Errorf("shown is %q, want %q", got, want)
	}
}
