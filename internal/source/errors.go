package source

import "errors"

// Reason is the kind of a fault, in the form of a condition's reason.
type Reason string

// The reasons an Error may have.
const (
	// ReasonInvalidConfig: the source is described in a way that cannot work.
	ReasonInvalidConfig Reason = "InvalidConfig"
	// ReasonInvalidQuery: the server rejected the expression, or its result has
	// another shape than the one asked for.
	ReasonInvalidQuery Reason = "InvalidQuery"
	// ReasonUnauthorized: credentials are missing, wrong or not enough.
	ReasonUnauthorized Reason = "Unauthorized"
	// ReasonCertificate: one side does not accept the other's certificate.
	ReasonCertificate Reason = "Certificate"
	// ReasonUnreachable: no connection, or one that broke.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonTimeout: no complete answer in time.
	ReasonTimeout Reason = "Timeout"
	// ReasonCanceled: the caller gave up; nothing is known of the server.
	ReasonCanceled Reason = "Canceled"
	// ReasonNotPrometheus: something answers, but not the Prometheus API.
	ReasonNotPrometheus Reason = "NotPrometheus"
	// ReasonTooLarge: the answer has more bytes than the limit.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonTooManySeries: the answer has more series than the limit.
	ReasonTooManySeries Reason = "TooManySeries"
	// ReasonPartial: the answer carries a warning, so it may be incomplete.
	ReasonPartial Reason = "Partial"
	// ReasonRateLimited: the server asks for fewer queries.
	ReasonRateLimited Reason = "RateLimited"
	// ReasonServer: the server failed by its own account.
	ReasonServer Reason = "Server"
)

// Transient says whether the same query may succeed later with nothing changed
// in the cluster. A fault in the source's description or in the query is not
// transient, and neither is an answer beyond the limits: the query or the limit
// has to change.
func (r Reason) Transient() bool {
	switch r {
	case "", ReasonInvalidConfig, ReasonInvalidQuery, ReasonTooLarge, ReasonTooManySeries:
		return false
	default:
		return true
	}
}

// Error is the only kind of error this package returns.
type Error struct {
	// Reason is the kind of the fault.
	Reason Reason
	// Message names the source, the fault and the remedy. It is deterministic
	// and free of secrets, so it may stand on a status condition.
	Message string
	// Err is the cause, for errors.Is and errors.As; nil where there is none or
	// where its text could hold a secret. Its text is not deterministic.
	Err error
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf returns the reason of the first *Error in err's chain, and "" when
// there is none.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
