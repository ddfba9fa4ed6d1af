package cli

import (
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/promql"
)

// sought is a selector of an objective whose series should be there.
type sought struct {
	field    string
	matchers []*labels.Matcher
	// spared says that there may be none yet: no error was ever seen, say.
	spared bool
	// format is that of the histogram, where it is one.
	format v1alpha1.HistogramFormat
}

// seek gives the selectors of an indicator whose expressions were checked before.
func seek(in v1alpha1.ObjectiveIndicator) []sought {
	var out seeker
	const field = "spec.indicator."
	if e := in.Events; e != nil {
		out.expression(field+"events.good", string(e.Good), false)
		out.expression(field+"events.bad", string(e.Bad), true)
		out.expression(field+"events.total", string(e.Total), false)
	}
	if d := in.Distribution; d != nil {
		out.histogram(field+"distribution.histogram", d.Histogram, d.Format)
	}
	if a := in.Apdex; a != nil {
		out.histogram(field+"apdex.histogram", a.Histogram, a.Format)
	}
	if in.Score != nil {
		out.score(field+"score.", in.Score)
	}
	if s := in.State; s != nil {
		out.expression(field+"state.query", string(s.Query), false)
	}
	if q := in.Queries; q != nil {
		out.expression(field+"queries.points", string(q.Points), false)
		out.expression(field+"queries.events", string(q.Events), false)
	}
	return out
}

type seeker []sought

func (s *seeker) score(field string, in *v1alpha1.ScoreIndicator) {
	if m := in.Mean; m != nil {
		s.expression(field+"mean.sum", string(m.Sum), false)
		s.expression(field+"mean.count", string(m.Count), false)
	}
	if n := in.NetPromoter; n != nil {
		s.expression(field+"netPromoter.promoters", string(n.Promoters), true)
		s.expression(field+"netPromoter.detractors", string(n.Detractors), true)
		s.expression(field+"netPromoter.responses", string(n.Responses), false)
	}
}

// histogram seeks the series of the counts: a classic histogram has its own name
// for them.
func (s *seeker) histogram(field string, selector v1alpha1.Selector, format v1alpha1.HistogramFormat) {
	from := len(*s)
	base, err := promql.ParseSelector(string(selector))
	if err != nil {
		return
	}
	if format != v1alpha1.HistogramFormatNative {
		base, format = base.WithSuffix("_bucket"), v1alpha1.HistogramFormatClassic
	}
	s.expression(field, base.String(), false)
	for i := range (*s)[from:] {
		(*s)[from+i].format = format
	}
}

// expression seeks each selector. Where an expression says what follows when
// there are no series, there may be none.
func (s *seeker) expression(field, text string, spared bool) {
	if text == "" {
		return
	}
	parsed, err := promql.Parse(strings.ReplaceAll(text, "$interval", "1m"))
	if err != nil {
		return
	}
	from := len(*s)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			*s = append(*s, sought{field: field, matchers: n.LabelMatchers})
		case *parser.BinaryExpr:
			spared = spared || n.Op == parser.LOR || n.Op == parser.LUNLESS
		case *parser.Call:
			spared = spared || strings.HasPrefix(n.Func.Name, "absent")
		}
		return nil
	})
	for i := range (*s)[from:] {
		(*s)[from+i].spared = spared
	}
}
