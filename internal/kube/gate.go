package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Manager is who owns the fields that the command line writes.
const Manager = "kubectl-experience"

// ApplyGate creates a gate or makes it what the manifest says, by server-side
// apply. Fields that somebody else wrote before are taken over: who asks for a
// check means this one. The gate is as it was stored: read again, it might be
// somebody else's by then.
func (c *Cluster) ApplyGate(ctx context.Context, object map[string]any) (*v1alpha1.Gate, error) {
	u := &unstructured.Unstructured{Object: object}
	r := request{verb: "patch", resource: gates, namespace: u.GetNamespace(), name: u.GetName()}
	err := c.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(Manager), client.ForceOwnership)
	if err != nil {
		return nil, c.word(r, err)
	}
	out := &v1alpha1.Gate{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil, fmt.Errorf("read what was applied of gate %s/%s: %w", u.GetNamespace(), u.GetName(), err)
	}
	return out, nil
}

// Change is what is changed of a gate to begin a check.
type Change struct {
	// Revision is the new one; nil leaves it.
	Revision *string
	// RequestedAt is a new value of the annotation that asks for a check; empty
	// leaves it.
	RequestedAt string
}

// ChangeGate begins a check of a gate that is there.
func (c *Cluster) ChangeGate(ctx context.Context, namespace, name string, change Change) (*v1alpha1.Gate, error) {
	patch := map[string]any{}
	if change.Revision != nil {
		patch["spec"] = map[string]any{"revision": *change.Revision}
	}
	if change.RequestedAt != "" {
		patch["metadata"] = map[string]any{"annotations": map[string]any{v1alpha1.ReconcileRequestAnnotation: change.RequestedAt}}
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("write patch: %w", err)
	}
	out := &v1alpha1.Gate{}
	out.Namespace, out.Name = namespace, name
	err = c.client.Patch(ctx, out, client.RawPatch("application/merge-patch+json", text), client.FieldOwner(Manager))
	if err != nil {
		return nil, c.word(request{verb: "patch", resource: gates, namespace: namespace, name: name}, err)
	}
	out.TypeMeta = typeOf("Gate")
	return out, nil
}

// errGone ends a watch of an object that was deleted.
var errGone = errors.New("it was deleted")

// AwaitGate shows a gate whenever it changed, the first time at once, until see
// says that it is enough. It watches and, where that is not allowed or breaks,
// asks again after a while. Trouble that may pass is told to note.
func (c *Cluster) AwaitGate(ctx context.Context, namespace, name string, note func(string), see func(*v1alpha1.Gate) bool) error {
	pause := backoff{since: time.Now()}
	for {
		gate, err := c.Gate(ctx, namespace, name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !transient(err):
			return err
		case err != nil:
			note(err.Error())
		case see(gate):
			return nil
		default:
			if done, err := c.followGate(ctx, gate, see); done || err != nil {
				return err
			}
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// followGate shows a gate as a watch tells of it. It is false when the watch ended
// before see had enough.
func (c *Cluster) followGate(ctx context.Context, gate *v1alpha1.Gate, see func(*v1alpha1.Gate) bool) (bool, error) {
	done := false
	err := c.follow(ctx, &v1alpha1.GateList{}, Query{Namespace: gate.Namespace}, gate.Name, gate.ResourceVersion, func(o client.Object, deleted bool) error {
		changed, ok := o.(*v1alpha1.Gate)
		if !ok || done {
			return nil
		}
		if deleted {
			return fmt.Errorf("watch gate %s/%s: %w", gate.Namespace, gate.Name, errGone)
		}
		if done = see(changed); done {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return true, nil
	}
	return false, err
}
