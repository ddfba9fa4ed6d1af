package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition types of every kind. Ready is about the operator: it says whether
// the object is understood and measured. Met is about the promise.
const (
	// ConditionReady is True when the object is understood and its figures are
	// current or fresh enough.
	//
	// Reasons when True:  Evaluated, Suspended (Objective); Available (sources);
	// Passed, PassedInconclusive (Gate); Evaluated (Journey); Planned, Active, Ended,
	// Withdrawn (Exclusion); Understood (Calendar).
	// Reasons when False: those of Reconciling and Stalled.
	ConditionReady = "Ready"

	// ConditionReconciling is True while the operator waits for something that
	// can come by itself, and absent otherwise.
	//
	// Reasons: EvaluationPending, SourceNotFound, SourceUnavailable,
	// IndicatorNotFound, CalendarNotFound (Objective);
	// EvaluationPending and those of a fault that can pass: Unreachable, Timeout,
	// Unauthorized, CertificateInvalid, NotPrometheus, RateLimited, ServerError,
	// PartialResponse, SecretNotFound, ReferenceForbidden (sources); Baking (Gate);
	// EvaluationPending, ObjectivesNotFound (Journey).
	ConditionReconciling = "Reconciling"

	// ConditionStalled is True when a person must change the object, and absent
	// otherwise.
	//
	// Reasons: InvalidQuery, InvalidThreshold, InvalidTarget, InvalidTimeZone,
	// InvalidSpec, InvalidParameter, InvalidIndicator, InvalidCalendar, NeverOpen,
	// SourceNotAllowed, LimitExceeded (Objective); InvalidTimeZone, InvalidCalendar,
	// NeverOpen (Calendar); InvalidSpec (sources); ObjectivesFailed,
	// Inconclusive, InvalidSpec (Gate); InvalidSpec (Journey);
	// InvalidTimeZone, InvalidSpec (Exclusion).
	ConditionStalled = "Stalled"

	// ConditionMet says whether the promise holds: that of an Objective, or those
	// along a Journey.
	//
	// Reasons when True:    TargetMet (Objective); Holding (Journey).
	// Reasons when False:   TargetMissed, SegmentMissed (Objective); Degraded, Broken
	// (Journey).
	// Reasons when Unknown: EvaluationPending, InsufficientData, NoData, Excluded,
	// InconsistentData, Inconclusive, SourceUnavailable, SourceNotFound,
	// IndicatorNotFound, CalendarNotFound, NotOpenYet, Suspended (Objective);
	// ObjectivesUnknown (Journey); and
	// those of Stalled.
	ConditionMet = "Met"

	// ConditionRulesLoaded says whether the ruler of the metric source evaluates
	// the recording and alerting rules of an Objective, and on a source, those of
	// all its objectives. It is absent where the source has output None, and on a
	// source that does not answer. A Journey has it only while its rules cannot be
	// written.
	//
	// Reasons when True:    RulesLoaded.
	// Reasons when False:   RulesNotLoaded (both); RuleFailing (Objective);
	// RulesRejected, SinkUnavailable, SinkForbidden, SinkConflict (Objective,
	// Journey).
	// Reasons when Unknown: RulesPending (both); SourceUnavailable (Objective).
	ConditionRulesLoaded = "RulesLoaded"

	// ConditionRetentionSufficient says whether a source keeps data for as long as
	// the longest window of the objectives that use it. It is absent where the
	// server does not tell or does not answer, and where no objective uses it.
	//
	// Reasons when True:  RetentionSufficient.
	// Reasons when False: RetentionTooShort.
	ConditionRetentionSufficient = "RetentionSufficient"

	// ConditionClockInSync says whether the clocks of a source's server and of the
	// operator differ by no more than 30 seconds. It is absent where the server
	// does not answer.
	//
	// Reasons when True:  ClockInSync.
	// Reasons when False: ClockSkewed.
	ConditionClockInSync = "ClockInSync"
)

// Reasons of an Objective's conditions.
const (
	ReasonEvaluated         = "Evaluated"         // figures are current
	ReasonEvaluationPending = "EvaluationPending" // the first evaluation is under way
	ReasonTargetMet         = "TargetMet"         // attainment is at least the target
	ReasonTargetMissed      = "TargetMissed"      // attainment is below the target
	ReasonSegmentMissed     = "SegmentMissed"     // a segment of spec.groupBy with enough events is below the target
	ReasonInsufficientData  = "InsufficientData"  // fewer events than minimumEvents
	ReasonNoData            = "NoData"            // no sample in the whole window
	ReasonExcluded          = "Excluded"          // exclusions leave nothing of the window
	ReasonInconsistentData  = "InconsistentData"  // points outside what the events allow
	ReasonInconclusive      = "Inconclusive"      // the confidence interval holds the target
	ReasonSuspended         = "Suspended"         // spec.suspend is true
	ReasonSourceNotFound    = "SourceNotFound"    // the source does not exist
	ReasonSourceNotAllowed  = "SourceNotAllowed"  // the source does not allow this namespace
	ReasonSourceUnavailable = "SourceUnavailable" // the source does not answer, or answers with an error
	ReasonIndicatorNotFound = "IndicatorNotFound" // the indicator that spec.indicator.ref names does not exist
	ReasonCalendarNotFound  = "CalendarNotFound"  // the calendar that spec.calendarRef names does not exist
	ReasonNotOpenYet        = "NotOpenYet"        // no minute of the window was open yet
	ReasonInvalidParameter  = "InvalidParameter"  // a parameter that is missing, unknown, or no value of its type
	ReasonInvalidIndicator  = "InvalidIndicator"  // the indicator that is named has a mistake itself
	ReasonInvalidQuery      = "InvalidQuery"      // PromQL that does not parse, is no selector, or is refused
	ReasonInvalidThreshold  = "InvalidThreshold"  // a threshold that is no bucket boundary
	ReasonInvalidTarget     = "InvalidTarget"     // a target that the indicator cannot have
	ReasonInvalidTimeZone   = "InvalidTimeZone"   // a time zone that does not exist
	ReasonInvalidSpec       = "InvalidSpec"       // any other value that cannot work
	ReasonLimitExceeded     = "LimitExceeded"     // an answer larger than spec.limits of the source
)

// Reasons of a Calendar's conditions, beside InvalidTimeZone. An Objective with such
// a calendar has them too.
const (
	ReasonUnderstood      = "Understood"      // the hours can be told
	ReasonInvalidCalendar = "InvalidCalendar" // a date or an iCalendar that makes no sense
	ReasonNeverOpen       = "NeverOpen"       // no minute is open, in the year past or the one ahead
)

// Reasons of RulesLoaded.
const (
	ReasonRulesLoaded     = "RulesLoaded"     // the ruler recorded the objective in the last minutes
	ReasonRulesPending    = "RulesPending"    // the rules wait for something, or for their first minutes
	ReasonRulesNotLoaded  = "RulesNotLoaded"  // the ruler does not know the rules, or its data is elsewhere
	ReasonRuleFailing     = "RuleFailing"     // the ruler evaluates a rule and gets an error
	ReasonRulesRejected   = "RulesRejected"   // the rules were refused, by the API server or by the Prometheus operator
	ReasonSinkUnavailable = "SinkUnavailable" // the kind PrometheusRule or the namespace of the ConfigMaps does not exist
	ReasonSinkForbidden   = "SinkForbidden"   // the operator may not write there
	ReasonSinkConflict    = "SinkConflict"    // an object of that name is somebody else's
)

// Reasons of a source's conditions, beside InvalidSpec.
const (
	ReasonAvailable          = "Available"          // the server answers queries
	ReasonSecretNotFound     = "SecretNotFound"     // a Secret, a ConfigMap or a key of one is missing
	ReasonReferenceForbidden = "ReferenceForbidden" // the operator may not read the Secret
	ReasonUnreachable        = "Unreachable"        // no connection
	ReasonTimeout            = "Timeout"            // no answer in time
	ReasonUnauthorized       = "Unauthorized"       // the server refuses the credentials
	ReasonCertificateInvalid = "CertificateInvalid" // the server's certificate cannot be trusted
	ReasonNotPrometheus      = "NotPrometheus"      // an answer that is not the Prometheus API's
	ReasonRateLimited        = "RateLimited"        // the server asks for fewer queries
	ReasonServerError        = "ServerError"        // the server failed
	ReasonPartialResponse    = "PartialResponse"    // the server left data out

	ReasonRetentionSufficient = "RetentionSufficient" // data is kept for as long as the longest window
	ReasonRetentionTooShort   = "RetentionTooShort"   // data is dropped before the longest window ends
	ReasonClockInSync         = "ClockInSync"         // both clocks show the same time
	ReasonClockSkewed         = "ClockSkewed"         // they differ by more than 30 seconds
)

// Reasons of a Gate's conditions, beside Inconclusive and InvalidSpec.
const (
	ReasonBaking             = "Baking"             // too little was seen of the release yet
	ReasonPassed             = "Passed"             // all that is required holds
	ReasonPassedInconclusive = "PassedInconclusive" // the timeout came first, and spec.onInconclusive is Pass
	ReasonObjectivesFailed   = "ObjectivesFailed"   // an objective or a journey is not as required
)

// Reasons of a Gate's objectives and journeys, beside Baking, TargetMissed and Inconclusive.
const (
	ReasonRequirementsHold = "RequirementsHold" // all is as required
	ReasonBudgetSpent      = "BudgetSpent"      // less of the budget is left than budgetRemaining
	ReasonPageTierBurning  = "PageTierBurning"  // a tier that pages burns
	ReasonBelowFloor       = "BelowFloor"       // the release attains less than the floor
	ReasonTooFewEvents     = "TooFewEvents"     // fewer events since the check began than bake.minimumEvents
	ReasonNotFound         = "NotFound"         // there is no such objective
	ReasonNotMeasured      = "NotMeasured"      // the objective has no figures since the check began
	ReasonInvalidFloor     = "InvalidFloor"     // the floor is not in the objective's unit
	ReasonJourneyBroken    = "JourneyBroken"    // the journey is broken
	ReasonJourneyDegraded  = "JourneyDegraded"  // the journey is degraded, and journeys.atLeast is Holding
	ReasonInvalidJourney   = "InvalidJourney"   // the journey's objectives cannot be told
)

// Reasons of a Journey's conditions, beside Evaluated, EvaluationPending and
// InvalidSpec.
const (
	ReasonHolding             = "Holding"             // every stage keeps what it promises, or is made up for
	ReasonDegraded            = "Degraded"            // a stage is violated that is not critical, or is made up for in part
	ReasonBroken              = "Broken"              // a critical stage is violated
	ReasonObjectivesUnknown   = "ObjectivesUnknown"   // nothing is known to be violated, and not everything is known
	ReasonNotShared           = "NotShared"           // there is no such objective that is shared with the journey's namespace
	ReasonObjectivesNotShared = "ObjectivesNotShared" // an objective of another namespace does not exist or is not shared
	ReasonObjectivesNotFound  = "ObjectivesNotFound"  // an objective does not exist, or a selector chooses none
)

// Reasons of an Exclusion's conditions, beside InvalidTimeZone and InvalidSpec.
const (
	ReasonPlanned   = "Planned"   // it has not begun
	ReasonActive    = "Active"    // it has begun and is not over
	ReasonEnded     = "Ended"     // it is over, and a record
	ReasonWithdrawn = "Withdrawn" // it was taken back
)

// GetConditions returns the conditions of the status.
func (j *Journey) GetConditions() []metav1.Condition { return j.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (j *Journey) SetConditions(conditions []metav1.Condition) { j.Status.Conditions = conditions }

// GetConditions returns the conditions of the status.
func (g *Gate) GetConditions() []metav1.Condition { return g.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (g *Gate) SetConditions(conditions []metav1.Condition) { g.Status.Conditions = conditions }

// GetConditions returns the conditions of the status.
func (o *Objective) GetConditions() []metav1.Condition { return o.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (o *Objective) SetConditions(conditions []metav1.Condition) { o.Status.Conditions = conditions }

// GetConditions returns the conditions of the status.
func (s *MetricSource) GetConditions() []metav1.Condition { return s.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (s *MetricSource) SetConditions(conditions []metav1.Condition) { s.Status.Conditions = conditions }

// GetConditions returns the conditions of the status.
func (s *ClusterMetricSource) GetConditions() []metav1.Condition { return s.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (s *ClusterMetricSource) SetConditions(conditions []metav1.Condition) {
	s.Status.Conditions = conditions
}
