package v1alpha1_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// TestRequestOf repeats requests as an API server will give them back.
func TestRequestOf(t *testing.T) {
	full := strings.Repeat("x", v1alpha1.MaxRequest)
	cases := map[string]struct {
		reason     string
		args, want string
	}{
		"None":      {reason: "nothing is asked for"},
		"Time":      {reason: "most ask by a time", args: "2026-03-14T15:09:26Z", want: "2026-03-14T15:09:26Z"},
		"Full":      {reason: "as much as the status holds", args: full, want: full},
		"TooLong":   {reason: "the beginning of what is longer", args: full + "yz", want: full},
		"OnTheEdge": {reason: "a character that fits is whole", args: full[2:] + "é!", want: full[2:] + "é"},
		"Halved":    {reason: "one that does not is left out", args: full[1:] + "é", want: full[1:]},
		"Quarters":  {reason: "and so is a longer one", args: full[3:] + "🚀", want: full[3:]},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := v1alpha1.RequestOf(map[string]string{v1alpha1.ReconcileRequestAnnotation: tc.args})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var stored string
			if err := json.Unmarshal(text, &stored); err != nil || stored != got {
				t.Errorf("%s: stored as %q, was %q (%v)", tc.reason, stored, got, err)
			}
		})
	}
}
