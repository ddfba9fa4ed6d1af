package ledger

import (
	"slices"
	"time"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

// edition is what of the terms may be renewed while a book is kept by them: queries
// tell opening hours for some months ahead only, and mean the same afterwards.
type edition struct {
	queries Queries
	hours   *slo.Hours
}

func (t Terms) edition() edition { return edition{queries: t.Queries, hours: t.Hours} }

// renew has a book ask the queries of equal terms from the next refresh on.
func (b *Book) renew(t Terms) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.Hours != b.latest.hours {
		b.latest = t.edition()
	}
}

// newest are the queries of the latest edition.
func (b *Book) newest() Queries {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.latest.queries
}

// renew has the segments ask the queries of a plan with equal terms.
func (s *Segments) renew(p *compile.Plan) {
	if p.Hours == s.terms.Hours {
		return
	}
	s.terms, s.joined = TermsOf(p), joined{}
	for value, book := range s.parts {
		recipe, err := p.Recipe.Segment(s.group.Label, value)
		if err != nil {
			continue // as where it was opened
		}
		terms := s.terms
		terms.Queries = recipe
		book.renew(terms)
	}
}

// current gives the terms with the latest edition, and forgets queries of another.
// It is called by the refresh that is under way.
func (b *Book) current() Terms {
	b.mu.Lock()
	latest := b.latest
	b.mu.Unlock()
	if latest != b.edition {
		b.edition, b.reads = latest, nil
	}
	t := b.terms
	t.Queries, t.Hours = latest.queries, latest.hours
	return t
}

// shut says that no minute of a stretch is open, so that nothing need be asked.
func (r *reader) shut(from, to time.Time) bool {
	return r.terms.Hours != nil && r.terms.Hours.OpenMinutes(slo.Span{Start: from, End: to}) == 0
}

// unsteady gives the rows of the steady form that must be counted otherwise: those
// that churned, and those of which a part is closed. It takes away the rows that are
// closed as a whole: the steady form does not know hours.
func (r *reader) unsteady(t table, from, to time.Time, width time.Duration) []int64 {
	var parts []int64
	if r.terms.Hours != nil {
		for start := from; start.Before(to); start = start.Add(width) {
			end := start.Add(width)
			switch r.terms.Hours.OpenMinutes(slo.Span{Start: start, End: end}) {
			case int(width / time.Minute):
			case 0:
				delete(t, end.Unix())
			default:
				parts = append(parts, end.Unix())
			}
		}
	}
	rows := append(parts, t.churned()...)
	slices.Sort(rows)
	return slices.Compact(rows)
}
