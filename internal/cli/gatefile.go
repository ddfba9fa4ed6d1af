package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// kindGate is how manifests name gates.
const kindGate = "Gate"

// gateManifest is a gate as a person wrote it, without the defaults: what is
// applied is owned by whoever applies it, and defaults are nobody's.
type gateManifest struct {
	place
	Metadata, Spec map[string]any
}

// writtenGate takes what is applied of a gate: what came from a server besides
// would be refused.
func writtenGate(m manifest, namespace string) gateManifest {
	metadata, _ := m.object["metadata"].(map[string]any)
	spec, _ := m.object["spec"].(map[string]any)
	out := gateManifest{place: m.place, Metadata: map[string]any{"namespace": namespace}, Spec: runtime.DeepCopyJSON(spec)}
	for _, key := range []string{"name", "labels", "annotations"} {
		if value, ok := metadata[key]; ok {
			out.Metadata[key] = runtime.DeepCopyJSONValue(value)
		}
	}
	return out
}

func (m gateManifest) annotate(key, value string) {
	annotations, ok := m.Metadata["annotations"].(map[string]any)
	if !ok {
		annotations = map[string]any{}
		m.Metadata["annotations"] = annotations
	}
	annotations[key] = value
}

func (m gateManifest) object() map[string]any {
	return map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "kind": kindGate, "metadata": m.Metadata, "spec": m.Spec}
}

// gateManifests reads the gates of manifests. Nothing is applied where there is a
// mistake.
func (p Program) gateManifests(ctx context.Context, paths []string, namespace string) ([]gateManifest, error) {
	found, err := p.manifests(ctx, paths, namespace)
	if err != nil {
		return nil, err
	}
	for _, o := range found.objectives {
		found.note("%s: %s is skipped: gate applies gates alone", o.place, nameOfObjective(o))
	}
	for key := range found.sources {
		found.note("%s is skipped: gate applies gates alone", key)
	}
	slices.Sort(found.notes) // those of sources come in any order
	for _, note := range found.notes {
		p.tell("%s", note)
	}
	for _, mistake := range found.report() {
		p.tell("%s", mistake)
	}
	switch {
	case found.refused():
		return nil, ended(Unusable)
	case len(found.gates) == 0:
		return nil, errors.New("no Gate is among the manifests: add one of kind: Gate")
	default:
		return found.gates, nil
	}
}

// appendTo adds a text to the end of a file.
func appendTo(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // a page for everyone who sees the pipeline
	if err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}
