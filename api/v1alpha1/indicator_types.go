package v1alpha1

// ObjectiveIndicator says how an experience is measured. Every kind comes down to
// points earned over events: set exactly one, or name an indicator that says it.
//
// +kubebuilder:validation:XValidation:rule="[has(self.events), has(self.distribution), has(self.apdex), has(self.score), has(self.state), has(self.queries), has(self.ref)].filter(set, set).size() == 1",message="set exactly one of events, distribution, apdex, score, state, queries, ref"
type ObjectiveIndicator struct {
	// events counts good (or bad) events among all events, from counters.
	// +optional
	Events *EventsIndicator `json:"events,omitempty"`

	// distribution counts the events of a histogram that stay within a
	// threshold: "p75 at most 2.5 s" is "75% of events within 2.5 s".
	// +optional
	Distribution *DistributionIndicator `json:"distribution,omitempty"`

	// apdex gives one point to a satisfied event, half a point to a tolerating
	// one and none to a frustrated or failed one.
	// +optional
	Apdex *ApdexIndicator `json:"apdex,omitempty"`

	// score is a mean of answers (CSAT, CES, stars) or a Net Promoter Score.
	// +optional
	Score *ScoreIndicator `json:"score,omitempty"`

	// state checks a condition once a minute; a minute in which it holds is good.
	// +optional
	State *StateIndicator `json:"state,omitempty"`

	// queries takes two PromQL expressions over $interval, for what no other
	// kind can say.
	// +optional
	Queries *QueriesIndicator `json:"queries,omitempty"`

	// ref names an Indicator or a ClusterIndicator, and gives its parameters.
	// +optional
	Ref *IndicatorReference `json:"ref,omitempty"`
}

// EventsIndicator counts good or bad events among all events.
//
// +kubebuilder:validation:XValidation:rule="has(self.good) != has(self.bad)",message="set exactly one of good, bad"
type EventsIndicator struct {
	// good selects the counters of good events.
	// +optional
	Good Selector `json:"good,omitempty"`

	// bad selects the counters of bad events. A bad series that does not exist
	// beside a total that does is no bad event.
	// +optional
	Bad Selector `json:"bad,omitempty"`

	// total selects the counters of all events.
	// +required
	Total Selector `json:"total,omitempty"`
}

// HistogramFormat says how a histogram is stored.
//
// +kubebuilder:validation:Enum=Classic;Native
type HistogramFormat string

const (
	// HistogramFormatClassic is series with the suffixes _bucket and _count.
	HistogramFormatClassic HistogramFormat = "Classic"
	// HistogramFormatNative is one series of native histogram samples.
	HistogramFormatNative HistogramFormat = "Native"
)

// DistributionIndicator counts the events of a histogram within a threshold.
//
// +kubebuilder:validation:XValidation:rule="!has(self.poorAbove) || double(self.poorAbove) > double(self.threshold)",message="poorAbove must be greater than threshold: it is where the experience becomes poor"
type DistributionIndicator struct {
	// histogram selects the histogram by its base name, without _bucket.
	// +required
	Histogram Selector `json:"histogram,omitempty"`

	// format is Classic or Native.
	// +kubebuilder:default=Classic
	// +optional
	Format HistogramFormat `json:"format,omitempty"`

	// threshold is the largest good value, in the histogram's unit. It must be
	// a bucket boundary of a classic histogram unless interpolate is true.
	// +required
	Threshold Decimal `json:"threshold,omitempty"`

	// poorAbove is the value above which an event is poor; between threshold
	// and poorAbove it needs improvement. It sets status.band.
	// +optional
	PoorAbove Decimal `json:"poorAbove,omitempty"`

	// interpolate lets a threshold lie between two bucket boundaries; the count
	// is then estimated by linear interpolation and status says so.
	// +optional
	Interpolate *bool `json:"interpolate,omitempty"`
}

// ApdexIndicator is the Application Performance Index of a histogram.
//
// +kubebuilder:validation:XValidation:rule="double(self.satisfied) > 0.0",message="satisfied must be greater than 0"
// +kubebuilder:validation:XValidation:rule="!has(self.tolerated) || double(self.tolerated) > double(self.satisfied)",message="tolerated must be greater than satisfied (by the Apdex standard it is four times satisfied)"
type ApdexIndicator struct {
	// histogram selects the histogram by its base name, without _bucket.
	// +required
	Histogram Selector `json:"histogram,omitempty"`

	// format is Classic or Native.
	// +kubebuilder:default=Classic
	// +optional
	Format HistogramFormat `json:"format,omitempty"`

	// satisfied is the largest value that satisfies, in the histogram's unit.
	// +required
	Satisfied Decimal `json:"satisfied,omitempty"`

	// tolerated is the largest value that is tolerated; four times satisfied
	// when absent, as the Apdex standard has it.
	// +optional
	Tolerated Decimal `json:"tolerated,omitempty"`

	// failed are matchers of events that count as frustrated however fast they
	// were, such as {code=~"5.."}.
	// +optional
	Failed Matchers `json:"failed,omitempty"`

	// interpolate lets satisfied and tolerated lie between bucket boundaries.
	// +optional
	Interpolate *bool `json:"interpolate,omitempty"`
}

// ScoreIndicator is what people answered when asked.
//
// +kubebuilder:validation:XValidation:rule="has(self.mean) != has(self.netPromoter)",message="set exactly one of mean, netPromoter"
type ScoreIndicator struct {
	// mean is the mean of ratings on a scale.
	// +optional
	Mean *MeanScore `json:"mean,omitempty"`

	// netPromoter is the share of promoters less the share of detractors, from
	// -100 to 100.
	// +optional
	NetPromoter *NetPromoterScore `json:"netPromoter,omitempty"`
}

// MeanScore is the mean of ratings on a scale.
//
// +kubebuilder:validation:XValidation:rule="double(self.highest) > double(self.lowest)",message="highest must be greater than lowest"
type MeanScore struct {
	// sum selects the counters that add up the ratings.
	// +required
	Sum Selector `json:"sum,omitempty"`

	// count selects the counters of ratings.
	// +required
	Count Selector `json:"count,omitempty"`

	// lowest is the lowest rating that can be given.
	// +required
	Lowest Decimal `json:"lowest,omitempty"`

	// highest is the highest rating that can be given.
	// +required
	Highest Decimal `json:"highest,omitempty"`
}

// NetPromoterScore is counted from three counters.
type NetPromoterScore struct {
	// promoters selects the counters of answers 9 and 10.
	// +required
	Promoters Selector `json:"promoters,omitempty"`

	// detractors selects the counters of answers 0 to 6.
	// +required
	Detractors Selector `json:"detractors,omitempty"`

	// responses selects the counters of all answers.
	// +required
	Responses Selector `json:"responses,omitempty"`
}

// Operator compares a value that was read with the one that is promised.
//
// +kubebuilder:validation:Enum=LessThan;LessThanOrEqual;GreaterThan;GreaterThanOrEqual;Equal;NotEqual
type Operator string

const (
	// OperatorLessThan holds for a value below the promised one.
	OperatorLessThan Operator = "LessThan"
	// OperatorLessThanOrEqual holds for a value of at most the promised one.
	OperatorLessThanOrEqual Operator = "LessThanOrEqual"
	// OperatorGreaterThan holds for a value above the promised one.
	OperatorGreaterThan Operator = "GreaterThan"
	// OperatorGreaterThanOrEqual holds for a value of at least the promised one.
	OperatorGreaterThanOrEqual Operator = "GreaterThanOrEqual"
	// OperatorEqual holds for the promised value alone.
	OperatorEqual Operator = "Equal"
	// OperatorNotEqual holds for every value but the promised one.
	OperatorNotEqual Operator = "NotEqual"
)

// NoDataPolicy says what a minute without data is.
//
// +kubebuilder:validation:Enum=Ignore;Bad;Good
type NoDataPolicy string

const (
	// NoDataIgnore leaves the minute out: it lowers coverage, nothing else.
	NoDataIgnore NoDataPolicy = "Ignore"
	// NoDataBad counts the minute as one in which the condition does not hold.
	NoDataBad NoDataPolicy = "Bad"
	// NoDataGood counts the minute as one in which the condition holds.
	NoDataGood NoDataPolicy = "Good"
)

// StateIndicator checks a condition once a minute.
type StateIndicator struct {
	// query is an expression that gives one or more values each minute; the
	// condition holds when it holds for every one of them.
	// +required
	Query PromQL `json:"query,omitempty"`

	// operator compares the values with value.
	// +required
	Operator Operator `json:"operator,omitempty"`

	// value is the promised value.
	// +required
	Value Decimal `json:"value,omitempty"`

	// noData says what a minute without data is, counted from the creation of
	// the objective.
	// +kubebuilder:default=Ignore
	// +optional
	NoData NoDataPolicy `json:"noData,omitempty"`
}

// QueriesIndicator is the escape hatch: two expressions over $interval.
//
// +kubebuilder:validation:XValidation:rule="self.points.contains('$interval') && self.events.contains('$interval')",message="points and events must both use $interval as their range, for example increase(orders_total[$interval])"
type QueriesIndicator struct {
	// points is the points earned in $interval, summed over all series.
	// +required
	Points PromQL `json:"points,omitempty"`

	// events is the events in $interval, summed over all series.
	// +required
	Events PromQL `json:"events,omitempty"`
}
