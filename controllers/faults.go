package controllers

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/source"
	"github.com/experience-slo/operator/internal/status"
)

// sourceReasons words a client's reasons as those of a source's conditions.
var sourceReasons = map[source.Reason]string{
	source.ReasonUnauthorized:  v1alpha1.ReasonUnauthorized,
	source.ReasonCertificate:   v1alpha1.ReasonCertificateInvalid,
	source.ReasonUnreachable:   v1alpha1.ReasonUnreachable,
	source.ReasonTimeout:       v1alpha1.ReasonTimeout,
	source.ReasonNotPrometheus: v1alpha1.ReasonNotPrometheus,
	source.ReasonPartial:       v1alpha1.ReasonPartialResponse,
	source.ReasonRateLimited:   v1alpha1.ReasonRateLimited,
	source.ReasonServer:        v1alpha1.ReasonServerError,
}

// sourceFault is what an error says about the source as a whole.
func sourceFault(err error) *status.Fault {
	if err == nil {
		return nil
	}
	if reason, ok := sourceReasons[source.ReasonOf(err)]; ok {
		return &status.Fault{Kind: status.Waiting, Reason: reason, Message: err.Error()}
	}
	if source.ReasonOf(err) == source.ReasonInvalidConfig {
		return &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidSpec, Message: err.Error()}
	}
	return &status.Fault{Kind: status.Waiting, Reason: v1alpha1.ReasonServerError, Message: err.Error()}
}

// grantFault is what is wrong with whom a source is for.
func grantFault(o sourceObject) *status.Fault {
	shared, ok := o.(*v1alpha1.ClusterMetricSource)
	if !ok {
		return nil
	}
	if _, err := compile.Granted(shared.Spec.AllowedNamespaces); err != nil {
		return &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidSpec, Message: err.Error()}
	}
	return nil
}

// refused ends the work on an object that has a mistake. A person must mend it, and
// that is heard of; one that can be gone at another date is looked for again. No
// error comes of it: the object's condition tells, and trying again does not help.
func refused(mistake error) ctrl.Result {
	if known, ok := errors.AsType[*compile.Error](mistake); ok && known.Dated {
		return ctrl.Result{RequeueAfter: planAgain}
	}
	return ctrl.Result{}
}

// objectiveFault is what an error in measuring says about an objective. It is
// nil when the measuring was called off.
func objectiveFault(err error) *status.Fault {
	var mistake *compile.Error
	switch reason := source.ReasonOf(err); {
	case errors.As(err, &mistake):
		return &status.Fault{Kind: status.Mistake, Reason: mistake.Reason, Message: mistake.Error()}
	case reason == source.ReasonCanceled || errors.Is(err, context.Canceled) || errors.Is(err, errUntried):
		return nil
	case reason == source.ReasonInvalidQuery:
		return &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonInvalidQuery, Message: fmt.Sprintf("spec.indicator: %v", err)}
	case reason == source.ReasonTooLarge || reason == source.ReasonTooManySeries:
		return &status.Fault{Kind: status.Mistake, Reason: v1alpha1.ReasonLimitExceeded, Message: fmt.Sprintf("spec.indicator: %v", err)}
	default:
		return &status.Fault{Kind: status.Waiting, Reason: v1alpha1.ReasonSourceUnavailable, Message: err.Error()}
	}
}
