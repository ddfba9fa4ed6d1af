package v1alpha1

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainObjective is a valid objective that sets nothing it does not have to.
const plainObjective = `
apiVersion: experience.slo/v1alpha1
kind: Objective
metadata: {name: task-success, namespace: shop}
spec:
  service: checkout
  perspective: UX
  indicator:
    events: {bad: 'orders_total{outcome="failed"}', total: orders_total}
  target: 99.5%
  window: {rolling: 28d}
`

// indicators are one of each kind, for the edits of a test.
func distribution() any {
	return map[string]any{"histogram": "lcp_seconds", "threshold": "2.5"}
}

func apdex() any {
	return map[string]any{"histogram": "lcp_seconds", "satisfied": "0.5"}
}

func mean() any {
	return map[string]any{"sum": "rating_sum", "count": "rating_count", "lowest": "1", "highest": "5"}
}

func netPromoter() any {
	return map[string]any{"promoters": "p_total", "detractors": "d_total", "responses": "r_total"}
}

func reference(parameters map[string]any) any {
	return map[string]any{"kind": "ClusterIndicator", "name": "web-lcp", "parameters": parameters}
}

// instead replaces the plain objective's indicator and target.
func instead(member string, indicator any, target string, more edits) edits {
	e := edits{"spec.indicator.events": nil, "spec.indicator." + member: indicator, "spec.target": target}
	maps.Copy(e, more)
	return e
}

const (
	percentOnly = `spec: target must be a percentage such as "75%" for this indicator`
	plainOnly   = `spec: target must be a plain number in the score's own unit for this indicator, such as "0.85" for apdex, "30" for netPromoter or "4.2" for mean`
	noBudget    = `spec: target must be above 0% and below 100%: a target of 100% has no error budget`
	noLabel     = `spec.groupBy.label: label cannot be le or begin with __: name a label of the people who are served, such as device`
	noSelectors = `spec: groupBy needs an indicator of plain selectors: use events, distribution, apdex or score, or remove groupBy`
	oneMember   = `spec.indicator: set exactly one of events, distribution, apdex, score, state, queries, ref`
	goodOrBad   = `spec.indicator.events: set exactly one of good, bad`
	oneWindow   = `spec.window: set exactly one of rolling, calendar, for example rolling: 28d`
	rollingForm = `spec.window.rolling: rolling must be a whole number of hours, days or weeks from 1h to 400d (9600h, 57w), such as 28d`
)

var long = strings.Repeat("x", 4097)

// objectiveMistakes are what the API server must refuse, and exactly how.
var objectiveMistakes = map[string]struct {
	edits edits
	want  []string
}{
	"NoSpec":            {edits{"spec": nil}, []string{"spec: Required value"}},
	"EmptySpec":         {edits{"spec": map[string]any{}}, []string{"spec.indicator: Required value", "spec.perspective: Required value", "spec.service: Required value", "spec.target: Required value", "spec.window: Required value"}},
	"UnknownField":      {edits{"spec.targets": "75%"}, []string{"spec.targets: unknown field"}},
	"ServiceUpperCase":  {edits{"spec.service": "Checkout"}, []string{"spec.service: use lower-case letters and digits, with dashes between them, such as mobile-app"}},
	"ServiceTooLong":    {edits{"spec.service": long[:64]}, []string{"spec.service: may not be more than 63 bytes"}},
	"PerspectiveOther":  {edits{"spec.perspective": "DX"}, []string{`spec.perspective: supported values: "UX", "CX"`}},
	"TouchpointSpace":   {edits{"spec.touchpoint": "mobile app"}, []string{"spec.touchpoint: use lower-case letters and digits, with dashes between them, such as mobile-app"}},
	"DescriptionLong":   {edits{"spec.description": long[:1025]}, []string{"spec.description: may not be more than 1024 bytes"}},
	"SourceKindOther":   {edits{"spec.sourceRef": map[string]any{"kind": "Prometheus", "name": "a"}}, []string{`spec.sourceRef.kind: supported values: "MetricSource", "ClusterMetricSource"`}},
	"SourceNameMissing": {edits{"spec.sourceRef": map[string]any{"kind": "MetricSource"}}, []string{"spec.sourceRef.name: Required value"}},
	"SourceNameForm":    {edits{"spec.sourceRef": map[string]any{"kind": "MetricSource", "name": "-a"}}, []string{"spec.sourceRef.name: should match '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'"}},
	"MinimumEventsZero": {edits{"spec.minimumEvents": int64(0)}, []string{"spec.minimumEvents: should be greater than or equal to 1"}},
	"MinimumEventsMany": {edits{"spec.minimumEvents": int64(1_000_000_001)}, []string{"spec.minimumEvents: should be less than or equal to 1000000000"}},
	"ConfidenceLow":     {edits{"spec.confidence": "49%"}, []string{"spec.confidence: confidence must be between 50% and 99.99%, such as 95%"}},
	"ConfidenceSure":    {edits{"spec.confidence": "100%"}, []string{"spec.confidence: confidence must be between 50% and 99.99%, such as 95%"}},
	"NewSeriesOther":    {edits{"spec.newSeries": "Guess"}, []string{`spec.newSeries: supported values: "OnKnownTarget", "FromZero", "Ignore"`}},
	"SuspendText":       {edits{"spec.suspend": "yes"}, []string{`spec.suspend: must be of type boolean: "string"`}},

	"SharedWithNobody": {edits{"spec.sharedWith": map[string]any{}}, []string{"spec.sharedWith: set names, selector or both; leave sharedWith out to share the objective with nobody"}},
	"SharedWithForm":   {edits{"spec.sharedWith.names": []any{"shop-*"}}, []string{"spec.sharedWith.names[0]: use lower-case letters and digits, with dashes between them, such as mobile-app"}},
	"SharedWithTwice":  {edits{"spec.sharedWith.names": []any{"shop", "shop"}}, []string{"spec.sharedWith.names[1]: Duplicate value"}},
	"SharedWithNoName": {edits{"spec.sharedWith.names": []any{}}, []string{"spec.sharedWith.names: should have at least 1 items"}},
	"GroupByNoLabel":   {edits{"spec.groupBy": map[string]any{}}, []string{"spec.groupBy.label: Required value"}},
	"GroupByLabelForm": {edits{"spec.groupBy": map[string]any{"label": "a device"}}, []string{"spec.groupBy.label: should match '^[a-zA-Z_][a-zA-Z0-9_]*$'"}},
	"GroupByBoundary":  {edits{"spec.groupBy": map[string]any{"label": "le"}}, []string{noLabel}},
	"GroupByName":      {edits{"spec.groupBy": map[string]any{"label": "__name__"}}, []string{noLabel}},
	"GroupByNone":      {edits{"spec.groupBy": map[string]any{"label": "device", "maximum": int64(0)}}, []string{"spec.groupBy.maximum: should be greater than or equal to 1"}},
	"GroupByMany":      {edits{"spec.groupBy": map[string]any{"label": "device", "maximum": int64(21)}}, []string{"spec.groupBy.maximum: should be less than or equal to 20"}},
	"GroupByOther":     {edits{"spec.groupBy": map[string]any{"label": "device", "met": "Most"}}, []string{`spec.groupBy.met: supported values: "Every", "Whole"`}},
	"GroupByQueries":   {instead("queries", map[string]any{"points": "increase(a[$interval])", "events": "increase(b[$interval])"}, "75%", edits{"spec.groupBy": map[string]any{"label": "device"}}), []string{noSelectors}},
	"GroupByState":     {instead("state", map[string]any{"query": "up", "operator": "Equal", "value": "1"}, "75%", edits{"spec.groupBy": map[string]any{"label": "device"}}), []string{noSelectors}},

	"TargetWhole":          {edits{"spec.target": "100%"}, []string{noBudget}},
	"TargetWholeDecimal":   {edits{"spec.target": "100.0%"}, []string{noBudget}},
	"TargetNothing":        {edits{"spec.target": "0%"}, []string{noBudget}},
	"TargetNegative":       {edits{"spec.target": "-5%"}, []string{noBudget}},
	"TargetAbove":          {edits{"spec.target": "150%"}, []string{noBudget}},
	"TargetPlain":          {edits{"spec.target": "30"}, []string{percentOnly}},
	"TargetRatio":          {edits{"spec.target": "0.995"}, []string{percentOnly}},
	"TargetWords":          {edits{"spec.target": "most"}, []string{`spec.target: write target as a percentage such as "75%" or, for apdex and scores, as a number such as "30" or "4.2", with at most five decimals`, percentOnly}},
	"TargetNumber":         {edits{"spec.target": int64(99)}, []string{`spec.target: must be of type string: "integer"`}},
	"TargetMissing":        {edits{"spec.target": nil}, []string{"spec.target: Required value"}},
	"TargetPercentOnMean":  {instead("score", map[string]any{"mean": mean()}, "80%", nil), []string{plainOnly}},
	"TargetPercentOnNPS":   {instead("score", map[string]any{"netPromoter": netPromoter()}, "30%", nil), []string{plainOnly}},
	"TargetPercentOnApdex": {instead("apdex", apdex(), "85%", nil), []string{plainOnly}},
	"TargetApdexOne":       {instead("apdex", apdex(), "1", nil), []string{"spec: target of an apdex must be above 0 and below 1"}},
	"TargetApdexZero":      {instead("apdex", apdex(), "0.0", nil), []string{"spec: target of an apdex must be above 0 and below 1"}},
	"TargetNPSHighest":     {instead("score", map[string]any{"netPromoter": netPromoter()}, "100", nil), []string{"spec: target of a netPromoter score must be above -100 and below 100"}},
	"TargetNPSLowest":      {instead("score", map[string]any{"netPromoter": netPromoter()}, "-100", nil), []string{"spec: target of a netPromoter score must be above -100 and below 100"}},
	"TargetMeanHighest":    {instead("score", map[string]any{"mean": mean()}, "5", nil), []string{"spec: target of a mean score must lie between lowest and highest"}},
	"TargetMeanOutside":    {instead("score", map[string]any{"mean": mean()}, "80", nil), []string{"spec: target of a mean score must lie between lowest and highest"}},

	"WindowMissing":    {edits{"spec.window": nil}, []string{"spec.window: Required value"}},
	"WindowEmpty":      {edits{"spec.window": map[string]any{}}, []string{oneWindow}},
	"WindowBoth":       {edits{"spec.window.calendar": map[string]any{"unit": "Month"}}, []string{oneWindow}},
	"WindowDays":       {edits{"spec.window.rolling": "401d"}, []string{rollingForm}},
	"WindowHours":      {edits{"spec.window.rolling": "9601h"}, []string{rollingForm}},
	"WindowWeeks":      {edits{"spec.window.rolling": "58w"}, []string{rollingForm}},
	"WindowMinutes":    {edits{"spec.window.rolling": "30m"}, []string{rollingForm}},
	"WindowZero":       {edits{"spec.window.rolling": "0d"}, []string{rollingForm}},
	"WindowCompound":   {edits{"spec.window.rolling": "1d12h"}, []string{rollingForm}},
	"CalendarUnit":     {edits{"spec.window": map[string]any{"calendar": map[string]any{"unit": "Day"}}}, []string{`spec.window.calendar.unit: supported values: "Week", "Month", "Quarter", "Year"`}},
	"CalendarNoUnit":   {edits{"spec.window": map[string]any{"calendar": map[string]any{}}}, []string{"spec.window.calendar.unit: Required value"}},
	"CalendarTimeZone": {edits{"spec.window": map[string]any{"calendar": map[string]any{"unit": "Week", "timeZone": "Asia/ Kolkata"}}}, []string{"spec.window.calendar.timeZone: timeZone must be an IANA name such as Asia/Kolkata"}},

	"IndicatorMissing": {edits{"spec.indicator": nil}, []string{"spec.indicator: Required value"}},
	"IndicatorEmpty":   {edits{"spec.indicator.events": nil}, []string{oneMember}},
	"IndicatorTwo":     {edits{"spec.indicator.distribution": distribution()}, []string{oneMember}},
	"EventsBoth":       {edits{"spec.indicator.events.good": "orders_total"}, []string{goodOrBad}},
	"EventsNeither":    {edits{"spec.indicator.events.bad": nil}, []string{goodOrBad}},
	"EventsNoTotal":    {edits{"spec.indicator.events.total": nil}, []string{"spec.indicator.events.total: Required value"}},
	"EventsEmptyTotal": {edits{"spec.indicator.events.total": ""}, []string{"spec.indicator.events.total: should be at least 1 chars long"}},
	"EventsTooLong":    {edits{"spec.indicator.events.total": long}, []string{"spec.indicator.events.total: may not be more than 4096 bytes"}},

	"PoorAboveBelow":   {instead("distribution", distribution(), "75%", edits{"spec.indicator.distribution.poorAbove": "2"}), []string{"spec.indicator.distribution: poorAbove must be greater than threshold: it is where the experience becomes poor"}},
	"PoorAboveEqual":   {instead("distribution", distribution(), "75%", edits{"spec.indicator.distribution.poorAbove": "2.50"}), []string{"spec.indicator.distribution: poorAbove must be greater than threshold: it is where the experience becomes poor"}},
	"ThresholdWords":   {instead("distribution", distribution(), "75%", edits{"spec.indicator.distribution.threshold": "2.5s"}), []string{`spec.indicator.distribution.threshold: write a plain decimal number without a unit, such as "2.5"`}},
	"ThresholdMissing": {instead("distribution", distribution(), "75%", edits{"spec.indicator.distribution.threshold": nil}), []string{"spec.indicator.distribution.threshold: Required value"}},
	"ThresholdNumber":  {instead("distribution", distribution(), "75%", edits{"spec.indicator.distribution.threshold": 2.5}), []string{`spec.indicator.distribution.threshold: must be of type string: "number"`}},
	"FormatOther":      {instead("distribution", distribution(), "75%", edits{"spec.indicator.distribution.format": "Sparse"}), []string{`spec.indicator.distribution.format: supported values: "Classic", "Native"`}},
	"SatisfiedZero":    {instead("apdex", apdex(), "0.85", edits{"spec.indicator.apdex.satisfied": "0"}), []string{"spec.indicator.apdex: satisfied must be greater than 0"}},
	"SatisfiedMinus":   {instead("apdex", apdex(), "0.85", edits{"spec.indicator.apdex.satisfied": "-1"}), []string{"spec.indicator.apdex: satisfied must be greater than 0"}},
	"ToleratedBelow":   {instead("apdex", apdex(), "0.85", edits{"spec.indicator.apdex.tolerated": "0.5"}), []string{"spec.indicator.apdex: tolerated must be greater than satisfied (by the Apdex standard it is four times satisfied)"}},
	"FailedNoBraces":   {instead("apdex", apdex(), "0.85", edits{"spec.indicator.apdex.failed": `code="500"`}), []string{`spec.indicator.apdex.failed: write matchers in braces, such as {code=~"5.."}`}},
	"FailedTooLong":    {instead("apdex", apdex(), "0.85", edits{"spec.indicator.apdex.failed": "{" + long[:1023] + "}"}), []string{"spec.indicator.apdex.failed: may not be more than 1024 bytes"}},
	"ScoreBoth":        {instead("score", map[string]any{"mean": mean(), "netPromoter": netPromoter()}, "3", nil), []string{"spec.indicator.score: set exactly one of mean, netPromoter"}},
	"ScoreNeither":     {instead("score", map[string]any{}, "3", nil), []string{"spec.indicator.score: set exactly one of mean, netPromoter"}},
	"ScalePoint":       {instead("score", map[string]any{"mean": mean()}, "4", edits{"spec.indicator.score.mean.lowest": "5"}), []string{"spec.indicator.score.mean: highest must be greater than lowest", "spec: target of a mean score must lie between lowest and highest"}},
	"ScorePages":       {instead("score", map[string]any{"netPromoter": netPromoter()}, "30", edits{"spec.alerting": map[string]any{"page": map[string]any{}}}), []string{"spec: alerting.page cannot be set for a score: surveys never page, use alerting.ticket"}},
	"StateOperator":    {instead("state", map[string]any{"query": "queue_length", "operator": "<", "value": "5"}, "99%", nil), []string{`spec.indicator.state.operator: supported values: "LessThan", "LessThanOrEqual", "GreaterThan", "GreaterThanOrEqual", "Equal", "NotEqual"`}},
	"StateNoData":      {instead("state", map[string]any{"query": "queue_length", "operator": "LessThan", "value": "5", "noData": "Skip"}, "99%", nil), []string{`spec.indicator.state.noData: supported values: "Ignore", "Bad", "Good"`}},
	"StateQueryLong":   {instead("state", map[string]any{"query": long, "operator": "LessThan", "value": "5"}, "99%", nil), []string{"spec.indicator.state.query: may not be more than 4096 bytes"}},
	"StateEmpty":       {instead("state", map[string]any{}, "99%", nil), []string{"spec.indicator.state.operator: Required value", "spec.indicator.state.query: Required value", "spec.indicator.state.value: Required value"}},
	"QueriesInterval":  {instead("queries", map[string]any{"points": "increase(a[$interval])", "events": "increase(b[5m])"}, "99%", nil), []string{"spec.indicator.queries: points and events must both use $interval as their range, for example increase(orders_total[$interval])"}},
	"RefName":          {instead("ref", map[string]any{"kind": "ClusterIndicator"}, "99%", nil), []string{"spec.indicator.ref.name: Required value"}},
	"RefKind":          {instead("ref", map[string]any{"kind": "Objective", "name": "web-lcp"}, "99%", nil), []string{`spec.indicator.ref.kind: supported values: "Indicator", "ClusterIndicator"`}},
	"RefParameterName": {instead("ref", reference(map[string]any{"App": "shop"}), "99%", nil), []string{"spec.indicator.ref.parameters: a parameter's name begins with a lower-case letter, with letters and digits behind it, 31 in all at most"}},
	"RefParameterLong": {instead("ref", reference(map[string]any{"app": long}), "99%", nil), []string{"spec.indicator.ref.parameters.app: may not be more than 256 bytes"}},
	"QueriesLong":      {instead("queries", map[string]any{"points": long, "events": "increase(b[$interval])"}, "99%", nil), []string{"spec.indicator.queries.points: may not be more than 4096 bytes"}},
}

func TestObjectiveMistakes(t *testing.T) {
	d := load(t, "objectives")
	for name, tc := range objectiveMistakes {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainObjective)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("complaints: -want, +got:\n%s", diff)
			}
		})
	}
}
