package gitops_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

type canary struct {
	Metadata metav1.ObjectMeta
	Spec     struct {
		Analysis struct {
			Webhooks []struct {
				Name, Type, URL string
				Metadata        map[string]string
			}
		}
	}
}

// TestFlagger calls the webhooks of the sample as Flagger does, which takes 200 to
// 202 for yes: one promotes, the other rolls back, and never do both say yes.
func TestFlagger(t *testing.T) {
	const file = "flagger-canary.yaml"
	c := read[canary](t, file, "Canary")[0]
	cases := map[string]struct {
		reason string
		gate   *v1alpha1.Gate
		want   map[string]int
	}{
		"NotSeen":      {"the operator has not begun", sampled(t, file), map[string]int{"confirm-promotion": 425, "rollback": 425}},
		"Baking":       {"too little was seen", sampled(t, file, baking), map[string]int{"confirm-promotion": 425, "rollback": 425}},
		"Passed":       {"the release may go on", sampled(t, file, passed), map[string]int{"confirm-promotion": 200, "rollback": 412}},
		"Failed":       {"it must not", sampled(t, file, failed), map[string]int{"confirm-promotion": 412, "rollback": 200}},
		"FailedBefore": {"the verdict is on the release before", sampled(t, file, before(failed)), map[string]int{"confirm-promotion": 425, "rollback": 425}},
		"PassedBefore": {"and so is this one", sampled(t, file, before(passed)), map[string]int{"confirm-promotion": 425, "rollback": 425}},
		"Absent":       {"there is no such gate", gate(passed), map[string]int{"confirm-promotion": 404, "rollback": 404}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := map[string]int{}
			for _, hook := range c.Spec.Analysis.Webhooks {
				payload, err := json.Marshal(map[string]any{
					"name": c.Metadata.Name, "namespace": c.Metadata.Namespace, "phase": "Progressing", "checksum": "85d557f47b", "metadata": hook.Metadata,
				})
				if err != nil {
					t.Fatal(err)
				}
				code, body := serve(t, tc.gate, "POST", path(t, hook.URL), string(payload))
				if len(bytes.TrimSpace(body)) == 0 {
					t.Errorf("%s: the answer of %s is empty", tc.reason, hook.Type)
				}
				got[hook.Type] = code
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
