package evaluate

import (
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// openMinutes are the minutes of a stretch that could have data: all of them, unless
// the objective has a calendar.
func openMinutes(p *compile.Plan, s ledger.Stretch) float64 {
	if p.Hours == nil {
		return s.End.Sub(s.Start).Minutes()
	}
	return float64(p.Hours.OpenMinutes(slo.Span{Start: s.Start, End: s.End}))
}

// excludedMinutes are those of them that the stretch leaves out.
func excludedMinutes(p *compile.Plan, s ledger.Stretch) float64 {
	if p.Hours == nil || s.Excluded == 0 {
		return float64(s.Excluded)
	}
	sum := excludedWithin(p, slo.Span{Start: s.Start, End: s.End})
	for _, spared := range s.Spared {
		sum -= float64(p.Hours.OpenMinutes(spared))
	}
	return sum
}

// excludedWithin are the minutes of a span that the plan excludes, of those that are
// open.
func excludedWithin(p *compile.Plan, within slo.Span) float64 {
	sum := 0.0
	for _, out := range p.Excluded {
		part := ledger.Stretch{Start: slo.Later(out.Start, within.Start), End: slo.Earlier(out.End, within.End)}
		if part.End.After(part.Start) {
			sum += openMinutes(p, part)
		}
	}
	return sum
}
