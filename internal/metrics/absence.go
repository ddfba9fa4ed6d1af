package metrics

import (
	"math"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/evaluate"
	"github.com/experience-slo/operator/internal/slo"
)

// absent is how old the last data may be, in seconds. It is NaN where nobody is told
// by a rule over the operator's metrics, or not now.
func absent(p *compile.Plan, v evaluate.Verdict) float64 {
	after := p.Alerts.AbsentAfter
	if p.Ruled || after == 0 || p.Quiet(v.Window.End, after) {
		return math.NaN()
	}
	return (after + uncounted(p, v)).Seconds()
}

// uncounted is how much of the time without data is no absence to an objective with a
// calendar: while it is closed nobody expects data, and after an exclusion time counts
// from its end on.
func uncounted(p *compile.Plan, v evaluate.Verdict) time.Duration {
	if p.Hours == nil || v.LastData.IsZero() || !v.LastData.Before(v.At) {
		return 0
	}
	since := v.LastData
	for _, s := range p.Excluded {
		if s.End.After(since) && s.Start.Before(v.At) {
			since = s.End
		}
	}
	open := time.Duration(p.Hours.OpenMinutes(slo.Span{Start: since, End: v.At})) * time.Minute
	return max(0, v.At.Sub(v.LastData)-open)
}
