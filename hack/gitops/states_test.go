package gitops_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

// now is a moment like any other.
var now = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// health is what tools make of an object.
type health struct {
	// lenient and strict are Argo CD's, by the two variants; message is the same in
	// both.
	lenient, strict, message string
	// kstatus is what Flux, kubectl and others see who were taught nothing.
	kstatus string
}

// state is an object as the operator leaves it.
type state struct {
	reason string
	object runtime.Object
	want   health
}

// objective takes one through what happens to it. It is as the API server makes
// it before anything does.
func objective(events ...func(*v1alpha1.Objective)) *v1alpha1.Objective {
	o := &v1alpha1.Objective{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Objective"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "page-speed", Generation: 3},
		Status:     v1alpha1.ObjectiveStatus{ObservedGeneration: -1},
	}
	for _, happens := range events {
		happens(o)
	}
	return o
}

// judged is an evaluation with that outcome.
func judged(outcome evaluate.Outcome, reason string) func(*v1alpha1.Objective) {
	v := &evaluate.Verdict{
		Outcome: outcome, Reason: reason, Unit: slo.Percent, Target: 0.75, Attainment: 0.7, Level: 0.95,
		BudgetRemaining: -0.2, Events: 120, MinimumEvents: 100, Coverage: 1,
		Window: slo.Span{Start: now.Add(-28 * 24 * time.Hour), End: now}, At: now,
	}
	return func(o *v1alpha1.Objective) { status.Objective(o, v, nil) }
}

var (
	met    = judged(evaluate.Met, v1alpha1.ReasonTargetMet)
	missed = judged(evaluate.Missed, v1alpha1.ReasonTargetMissed)
)

// faulty is an evaluation that did not come about.
func faulty(kind status.FaultKind, reason, message string) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) {
		status.Objective(o, nil, &status.Fault{Kind: kind, Reason: reason, Message: message})
	}
}

// ruled is word of the rules.
func ruled(c metav1.Condition) func(*v1alpha1.Objective) {
	return func(o *v1alpha1.Objective) { status.Rules(o, o.Generation, c) }
}

func changed(o *v1alpha1.Objective) { o.Generation++ }

func deleted(o *v1alpha1.Objective) {
	o.Finalizers, o.DeletionTimestamp = []string{"example.com/slow"}, new(metav1.NewTime(now))
}

// objectives are the states of an Objective.
func objectives() map[string]state {
	return map[string]state{
		"NotSeen": {"the operator has not begun", objective(),
			health{"Progressing", "Progressing", "the operator has not seen this spec yet", "InProgress"}},
		"Changed": {"yesterday's verdict is not about today's spec", objective(met, changed),
			health{"Progressing", "Progressing", "the operator has not seen this spec yet", "InProgress"}},
		"Pending": {"the first evaluation is under way", objective(func(o *v1alpha1.Objective) { status.Objective(o, nil, status.Pending()) }),
			health{"Progressing", "Progressing", "EvaluationPending: the first evaluation of this spec is under way", "InProgress"}},
		"Met": {"a promise that holds", objective(met),
			health{"Healthy", "Healthy", "met: the attainment is at least the target of 75%", "Current"}},
		"Missed": {"a broken promise is a healthy object, unless a team wants otherwise", objective(missed),
			health{"Healthy", "Degraded", "violated: the attainment is below the target of 75%", "Current"}},
		"TooFewEvents": {"no verdict is no violation", objective(judged(evaluate.Unknown, v1alpha1.ReasonInsufficientData)),
			health{"Healthy", "Healthy", "no verdict: there are fewer events in the window than spec.minimumEvents, which is 100", "Current"}},
		"Inconclusive": {"nor is one that the sample does not prove", objective(judged(evaluate.Unknown, v1alpha1.ReasonInconclusive)),
			health{"Healthy", "Healthy", "no verdict: the confidence interval at 95% holds the target of 75%: more events are needed to tell", "Current"}},
		"Bridged": {"figures stand through a short outage", objective(met, faulty(status.Bridged, v1alpha1.ReasonSourceUnavailable, "no answer")),
			health{"Healthy", "Healthy", "no verdict: no answer", "Current"}},
		"Waiting": {"they do not through a long one", objective(missed, faulty(status.Waiting, v1alpha1.ReasonSourceUnavailable, "no answer")),
			health{"Progressing", "Progressing", "SourceUnavailable: no answer", "InProgress"}},
		"NoSource": {"the source can come with the next sync", objective(faulty(status.Waiting, v1alpha1.ReasonSourceNotFound, "create it")),
			health{"Progressing", "Progressing", "SourceNotFound: create it", "InProgress"}},
		"Mistake": {"a person must mend the spec", objective(met, changed, faulty(status.Mistake, v1alpha1.ReasonInvalidQuery, "a typo")),
			health{"Degraded", "Degraded", "InvalidQuery: a typo", "Failed"}},
		"Mended": {"and then it is as if nothing had been", objective(faulty(status.Mistake, v1alpha1.ReasonInvalidQuery, "a typo"), changed, met),
			health{"Healthy", "Healthy", "met: the attainment is at least the target of 75%", "Current"}},
		"Suspended": {"a wish is no fault", objective(missed, func(o *v1alpha1.Objective) { status.Objective(o, nil, status.Suspended()) }),
			health{"Suspended", "Suspended", "evaluation is suspended: set spec.suspend to false to go on", "Current"}},
		"RulesLoaded": {"rules that work are not spoken of", objective(met, ruled(status.RulesLoaded())),
			health{"Healthy", "Healthy", "met: the attainment is at least the target of 75%", "Current"}},
		"RulesMissing": {"without alerts the figures stand", objective(met, ruled(status.RulesNotLoaded(v1alpha1.ReasonRulesNotLoaded, "check ruleSelector"))),
			health{"Healthy", "Healthy", "met: the attainment is at least the target of 75%; RulesNotLoaded: check ruleSelector", "Current"}},
		"MissedUnseen": {"two things can be wrong at once", objective(missed, ruled(status.RulesNotLoaded(v1alpha1.ReasonRuleFailing, "too many series"))),
			health{"Healthy", "Degraded", "violated: the attainment is below the target of 75%; RuleFailing: too many series", "Current"}},
		"Deleted": {"a finalizer of somebody else holds it", objective(missed, deleted),
			health{"Progressing", "Progressing", "the objective is being deleted", "Terminating"}},
	}
}

// source takes one of either kind through what happens to it.
func source(kind string, events ...func(metricSource)) runtime.Object {
	meta := metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind}
	about := metav1.ObjectMeta{Name: "main", Generation: 2}
	var s metricSource
	if kind == "MetricSource" {
		o := &v1alpha1.MetricSource{TypeMeta: meta, ObjectMeta: about}
		s = metricSource{o, &o.Status}
	} else {
		o := &v1alpha1.ClusterMetricSource{TypeMeta: meta, ObjectMeta: about}
		s = metricSource{o, &o.Status}
	}
	s.status.ObservedGeneration = -1
	for _, happens := range events {
		happens(s)
	}
	return s.sourceObject
}

// sourceObject is a source of either kind.
type sourceObject interface {
	runtime.Object
	metav1.Object
	GetConditions() []metav1.Condition
	SetConditions([]metav1.Condition)
}

type metricSource struct {
	sourceObject
	status *v1alpha1.MetricSourceStatus
}

// checked is a look at the server.
func checked(found status.Findings, fault *status.Fault) func(metricSource) {
	return func(s metricSource) { status.Source(s.sourceObject, s.status, found, fault) }
}

// sources are the states of a source of that kind.
func sources(kind string) map[string]state {
	available := checked(status.Findings{}, nil)
	wrong := status.Findings{
		Retention: "15d", Keeps: 15 * 24 * time.Hour, Skew: ptr.To(2 * time.Minute),
		Users: &status.Users{
			Longest: slo.Window{Rolling: 28 * 24 * time.Hour},
			Rules:   &status.SourceRules{Output: v1alpha1.RulesOutputConfigMap, Expected: 2, Loaded: 1, Missing: []string{"shop/speed"}},
		},
	}
	return map[string]state{
		"NotSeen": {"the operator has not begun", source(kind),
			health{"Progressing", "Progressing", "the operator has not seen this spec yet", "InProgress"}},
		"Changed": {"the answer was another server's", source(kind, available, func(s metricSource) { s.SetGeneration(3) }),
			health{"Progressing", "Progressing", "the operator has not seen this spec yet", "InProgress"}},
		"Unchecked": {"nobody asked it yet", source(kind, checked(status.Findings{}, status.Unchecked())),
			health{"Progressing", "Progressing", "EvaluationPending: the first check of the server is under way", "InProgress"}},
		"Available": {"the server answers", source(kind, available),
			health{"Healthy", "Healthy", "the server answers queries", "Current"}},
		"Unreachable": {"it can come back", source(kind, available, checked(status.Findings{}, &status.Fault{
			Kind: status.Waiting, Reason: v1alpha1.ReasonUnreachable, Message: "no connection",
		})),
			health{"Progressing", "Progressing", "Unreachable: no connection", "InProgress"}},
		"Mistake": {"a person must mend the spec", source(kind, checked(status.Findings{}, &status.Fault{
			Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidSpec, Message: "a bad certificate",
		})),
			health{"Degraded", "Degraded", "InvalidSpec: a bad certificate", "Failed"}},
		"Findings": {"figures can be had all the same", source(kind, checked(wrong, nil)),
			health{"Healthy", "Healthy", "the server answers queries" +
				"; RulesNotLoaded: the ruler has recorded nothing of shop/speed for some minutes: check that its Prometheus mounts their ConfigMaps and is reloaded, or set spec.rules.objectLabels for the selector of what loads them; the condition RulesLoaded of each objective says more" +
				"; RetentionTooShort: the server keeps data for 15d, which is less than the longest window of the objectives that use it, 28d: set --storage.tsdb.retention.time=28d or more, choose a shorter window, or use a source with long-term storage" +
				"; ClockSkewed: the server's clock is more than 30s ahead of the operator's: set the clocks of both machines, by NTP say", "Current"}},
		"Deleted": {"a finalizer of somebody else holds it", source(kind, available, func(s metricSource) {
			s.SetDeletionTimestamp(new(metav1.NewTime(now)))
		}),
			health{"Progressing", "Progressing", "the source is being deleted", "Terminating"}},
	}
}

// states are those of all kinds, by kind and name.
func states() map[string]state {
	all := map[string]state{}
	for kind, of := range map[string]map[string]state{
		"Objective": objectives(), "MetricSource": sources("MetricSource"), "ClusterMetricSource": sources("ClusterMetricSource"),
		"Gate": gates(), "Journey": journeys(), "Exclusion": exclusions(), "Calendar": calendars(),
	} {
		for name, s := range of {
			all[kind+name] = s
		}
	}
	return all
}

// seen is an object as a client of the API server has it.
func seen(t *testing.T, object runtime.Object) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}
