package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// Outcome is what a check means for the release, in one word of three.
type Outcome string

const (
	// Wait says that the check goes on.
	Wait Outcome = "Wait"
	// Go says that the release may go on.
	Go Outcome = "Go"
	// Stop says that it must not.
	Stop Outcome = "Stop"
)

// Gate is how a check stands: what the gate's status says, if that is about the
// release that was asked for.
type Gate struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Revision is the one that was asked for, else the one of the spec.
	Revision v1alpha1.Revision `json:"revision"`
	// Verdict is Baking, Passed, Failed or Inconclusive.
	Verdict v1alpha1.GateVerdict `json:"verdict"`
	Outcome Outcome              `json:"outcome"`
	// Reason and Message are those of the condition Ready.
	Reason     string                   `json:"reason"`
	Message    string                   `json:"message"`
	StartedAt  *metav1.Time             `json:"startedAt,omitempty"`
	FinishedAt *metav1.Time             `json:"finishedAt,omitempty"`
	Objectives []v1alpha1.GateObjective `json:"objectives,omitempty"`
	Journeys   []v1alpha1.GateJourney   `json:"journeys,omitempty"`
}

func (l Lookups) gate(r *http.Request) answer {
	revision, err := askedFor(r.URL)
	if err != nil {
		return badRequest(err)
	}
	g, err := l.Gate(r.Context(), r.PathValue("namespace"), r.PathValue("name"))
	if err != nil {
		return missing("gate", r, err)
	}
	return answer{http.StatusOK, judge(g, revision)}
}

// check answers whether a release may go on.
func (l Lookups) check(r *http.Request) answer { return l.hook(r, Go) }

// failed answers whether a release must not go on.
func (l Lookups) failed(r *http.Request) answer { return l.hook(r, Stop) }

// hook answers with 200 when a check has that outcome, with 425 while it has none,
// and with 412 when it has the other.
func (l Lookups) hook(r *http.Request, want Outcome) answer {
	revision, err := posted(r)
	if err != nil {
		return badRequest(err)
	}
	g, err := l.Gate(r.Context(), r.PathValue("namespace"), r.PathValue("name"))
	if err != nil {
		return missing("gate", r, err)
	}
	found := judge(g, revision)
	found.Objectives, found.Journeys = nil, nil // the message names them, and tools put all of this into an event
	switch found.Outcome {
	case want:
		return answer{http.StatusOK, found}
	case Wait:
		return answer{http.StatusTooEarly, found}
	default:
		return answer{http.StatusPreconditionFailed, found}
	}
}

// judge reads a gate's status. An old verdict is none: it is Baking.
func judge(g *v1alpha1.Gate, revision v1alpha1.Revision) Gate {
	found := Gate{Namespace: g.Namespace, Name: g.Name, Revision: revision, Verdict: v1alpha1.GateBaking, Outcome: Wait}
	if revision == "" {
		found.Revision = g.Spec.Revision
	}
	if why := stale(g, found.Revision); why != "" {
		found.Reason, found.Message = v1alpha1.ReasonBaking, why
		return found
	}
	found.StartedAt, found.FinishedAt = g.Status.StartedAt, g.Status.FinishedAt
	found.Objectives, found.Journeys = g.Status.Objectives, g.Status.Journeys
	found.Reason, found.Message = v1alpha1.ReasonBaking, "the operator has not judged this spec yet"
	if ready := meta.FindStatusCondition(g.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		found.Reason, found.Message = ready.Reason, ready.Message
	}
	found.Verdict, found.Outcome = verdict(&g.Status)
	return found
}

// stale says why the status of a gate is not about a revision; it is empty when it
// is.
func stale(g *v1alpha1.Gate, revision v1alpha1.Revision) string {
	asked := v1alpha1.RequestOf(g.Annotations)
	switch {
	case !g.DeletionTimestamp.IsZero():
		return "the gate is being deleted"
	case revision != g.Spec.Revision:
		return fmt.Sprintf("the gate is about revision %q: set spec.revision to %q to have that checked", g.Spec.Revision, revision)
	case g.Status.ObservedGeneration != g.Generation:
		return "the operator has not seen this spec yet"
	case g.Status.Revision != g.Spec.Revision:
		return "the check of this revision has not begun yet"
	case asked != "" && asked != g.Status.LastHandledReconcileAt:
		return "the check that was asked for has not begun yet"
	default:
		return ""
	}
}

// verdict reads conditions first, for a gate can fail for its spec alone, without
// a check.
func verdict(s *v1alpha1.GateStatus) (v1alpha1.GateVerdict, Outcome) {
	concluded := s.Verdict == v1alpha1.GateInconclusive
	switch {
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionStalled) && concluded:
		return v1alpha1.GateInconclusive, Stop
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionStalled):
		return v1alpha1.GateFailed, Stop
	case meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionReady) && (concluded || s.Verdict == v1alpha1.GatePassed):
		return s.Verdict, Go
	default:
		return v1alpha1.GateBaking, Wait
	}
}

// askedFor reads the revision of a query. What could only be a slip is refused: a
// tool that asks for nothing in particular would be told of another release.
func askedFor(u *url.URL) (v1alpha1.Revision, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", fmt.Errorf("read query: %w: write it like ?revision=1.4.2", err)
	}
	for name := range query {
		if name != "revision" {
			return "", fmt.Errorf("unknown parameter %q: the only one is revision", name)
		}
	}
	given := query["revision"]
	switch {
	case len(given) == 0:
		return "", nil
	case len(given) > 1:
		return "", errors.New("revision is given more than once: give one")
	default:
		// A "+" that nobody escaped arrives as a space, which no revision has.
		return named("revision", strings.ReplaceAll(given[0], " ", "+"))
	}
}

// named refuses a revision that is empty, which is what an unset variable gives.
func named(field, revision string) (v1alpha1.Revision, error) {
	if revision == "" {
		return "", fmt.Errorf("%s is empty: give the revision, or leave %s out for the one of the gate's spec", field, field)
	}
	return v1alpha1.Revision(revision), nil
}

// payload is what is read of a webhook's body.
type payload struct {
	Metadata map[string]string `json:"metadata"`
}

// posted reads the revision of a webhook: from the metadata of its body, which are
// as Flagger sends them, or from its query. The rest of the body is about a canary.
func posted(r *http.Request) (v1alpha1.Revision, error) {
	revision, err := askedFor(r.URL)
	if err != nil {
		return "", err
	}
	const form = `send a JSON object like {"metadata": {"revision": "1.4.2"}}, or nothing`
	var body payload
	decoder := json.NewDecoder(r.Body)
	if err := decoder.Decode(&body); errors.Is(err, io.EOF) {
		return revision, nil // no body
	} else if err != nil {
		return "", fmt.Errorf("read body: %w: %s", err, form)
	}
	if err := decoder.Decode(new(json.RawMessage)); !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read body: more follows the first JSON value: %s", form)
	}
	given, ok := body.Metadata["revision"]
	if !ok {
		return revision, nil
	}
	if revision != "" && given != string(revision) {
		return "", fmt.Errorf("the query asks for revision %q and metadata.revision is %q: give one", revision, given)
	}
	return named("metadata.revision", given)
}
