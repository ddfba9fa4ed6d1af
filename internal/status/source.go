package status

import (
	"github.com/experience-slo/operator/api/v1alpha1"
)

// Source writes what was found at a source on its status. A nil fault says that
// the server answers.
func Source(o object, s *v1alpha1.MetricSourceStatus, version string, fault *Fault) {
	s.ObservedGeneration = o.GetGeneration()
	switch {
	case fault == nil:
		s.Version = version
		replace(o, Ready(v1alpha1.ReasonAvailable, "the server answers queries"))
	case fault.Kind == Mistake:
		replace(o, NotReady(fault.Reason, fault.Message), Stalled(fault.Reason, fault.Message))
	default:
		replace(o, NotReady(fault.Reason, fault.Message), Reconciling(fault.Reason, fault.Message))
	}
}

// Unchecked is the state of a source before its server was first asked.
func Unchecked() *Fault {
	return &Fault{Kind: Waiting, Reason: v1alpha1.ReasonEvaluationPending, Message: "the first check of the server is under way"}
}
