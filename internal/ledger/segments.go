package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	// lookAgain is how long new values are not looked for after they were.
	lookAgain = 5 * time.Minute
	// LongestValue is the length in characters of the longest value that is a
	// segment: what is longer is no name of a group of people.
	LongestValue = 128
	// partsAtOnce bounds the segments of an objective that are read at the same
	// time beyond the last minutes.
	partsAtOnce = 4
	// rounds is how often values are opened of those that were found.
	rounds = 3
	// noise is the share of a sum that adding in another order may change.
	noise = 1e-9
)

// Segments are the books of an objective's segments. One refresh at a time may
// work on them.
type Segments struct {
	terms Terms
	group compile.Group
	parts map[string]*Book
	// looked is up to when values were looked for, zero before the first time and
	// where a segment was given up for others.
	looked time.Time
	joined joined
}

// Part is one segment: its value, and what is counted of it.
type Part struct {
	Value string
	Since func(start time.Time) Stretch
}

// NewSegments opens the books of the segments of a bound plan that is grouped.
// Values that are known to have been segments come first.
func NewSegments(p *compile.Plan) *Segments {
	return newSegments(p, p.Group.Known)
}

func newSegments(p *compile.Plan, known []string) *Segments {
	s := &Segments{terms: TermsOf(p), group: *p.Group, parts: map[string]*Book{}}
	for _, value := range known {
		s.open(p, value)
	}
	return s
}

// keeps says whether the segments are those of a plan.
func (s *Segments) keeps(p *compile.Plan) bool {
	return s.terms.equal(TermsOf(p)) && s.group.Label == p.Group.Label && s.group.Maximum == p.Group.Maximum
}

// open opens a book for a value while there is room. What cannot be shown stays
// among the others.
func (s *Segments) open(p *compile.Plan, value string) {
	if s.parts[value] != nil || len(s.parts) >= s.group.Maximum || !presentable(value) {
		return
	}
	recipe, err := p.Recipe.Segment(s.group.Label, value)
	if err != nil {
		return // what the source's matchers contradict selects nothing
	}
	terms := s.terms
	terms.Queries = recipe
	s.parts[value] = NewBook(terms)
	s.parts[value].Exclude(p.Excluded)
}

// presentable says whether a value can be shown as that of a segment.
func presentable(value string) bool {
	return value != "" && utf8.ValidString(value) && utf8.RuneCountInString(value) <= LongestValue
}

// Refresh reads what is new of each segment up to where the book of the whole was
// read, and looks for new segments where events came that belong to none.
func (s *Segments) Refresh(ctx context.Context, q Querier, p *compile.Plan, whole *Book, from time.Time) error {
	to := whole.Cursor()
	if to.IsZero() {
		return nil
	}
	for _, part := range s.parts {
		part.Exclude(p.Excluded)
	}
	if err := s.read(ctx, q, from, to); err != nil {
		return err
	}
	if full := len(s.parts) == s.group.Maximum; s.giveUp(to) && full {
		s.looked = time.Time{} // they may have kept others out
	}
	if !s.wants(whole, to) {
		return nil
	}
	return s.fill(ctx, q, p, whole, slo.Span{Start: from, End: to})
}

// fill looks for values and reads as many as there is room for.
func (s *Segments) fill(ctx context.Context, q Querier, p *compile.Plan, whole *Book, over slo.Span) error {
	from, to := over.Start, over.End
	values, err := s.look(ctx, q, p, to)
	if err != nil {
		return fmt.Errorf("look for values of label %q: %w", s.group.Label, err)
	}
	for range rounds {
		values = s.openFirst(p, values)
		if err := s.read(ctx, q, from, to); err != nil {
			return err
		}
		// An estimate may have found events where there are none to count.
		if !s.giveUp(to) || s.rest(whole, s.unseen(to)).All().Events <= 0 {
			break
		}
	}
	s.looked = to
	return nil
}

// openFirst opens books for the first of some values, and gives those that there was
// no room for.
func (s *Segments) openFirst(p *compile.Plan, values []string) []string {
	for i, value := range values {
		if len(s.parts) >= s.group.Maximum {
			return values[i:]
		}
		s.open(p, value)
	}
	return nil
}

// wants says whether there is room for new segments, and events since values were
// last looked for that belong to none.
func (s *Segments) wants(whole *Book, to time.Time) bool {
	if len(s.parts) >= s.group.Maximum || (!s.looked.IsZero() && to.Sub(s.looked) < lookAgain) {
		return false
	}
	return s.rest(whole, s.unseen(to)).All().Events > 0
}

// unseen is since when values were not looked for.
func (s *Segments) unseen(to time.Time) time.Time {
	longest := to.Add(-s.terms.Longest)
	if s.looked.Before(longest) {
		return longest
	}
	return s.looked
}

// look asks for the values with the most events since values were last looked
// for, the ones with the most first. Steps of a subquery lie on whole hours, so the
// last of them is asked for by itself.
func (s *Segments) look(ctx context.Context, q Querier, p *compile.Plan, to time.Time) ([]string, error) {
	counts := map[string]float64{}
	from := s.unseen(to)
	width := min(to.Sub(from), time.Hour)
	if err := s.rank(ctx, q, p, to, width, width, counts); err != nil {
		return nil, err
	}
	for end := to; end.Sub(from) > width; end = end.Add(-chunk) {
		if err := s.rank(ctx, q, p, end, min(end.Sub(from), chunk), width, counts); err != nil {
			return nil, err
		}
	}
	values := slices.Collect(maps.Keys(counts))
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return values, nil
}

// rank adds the counts of a stretch, taken in steps of a width.
func (s *Segments) rank(ctx context.Context, q Querier, p *compile.Plan, end time.Time, stretch, width time.Duration, counts map[string]float64) error {
	// More than there is room for: the best of a week need not be the best of all.
	expr, err := p.Recipe.Ranking(s.group.Label, stretch, width, 4*s.group.Maximum)
	if err != nil {
		return err
	}
	matrix, err := q.Range(ctx, expr, end, end, time.Minute)
	if err != nil {
		return err
	}
	for _, stream := range matrix {
		for _, sample := range stream.Values {
			counts[string(stream.Metric[labelName(s.group.Label)])] += float64(sample.Value)
		}
	}
	return nil
}

// giveUp forgets segments without an event in the longest stretch, and says whether
// there were any.
func (s *Segments) giveUp(to time.Time) bool {
	before := len(s.parts)
	maps.DeleteFunc(s.parts, func(_ string, book *Book) bool {
		return book.Since(to.Add(-s.terms.Longest)).All().Events <= 0
	})
	return len(s.parts) < before
}

// read brings the books up to a moment: those that lack a few minutes with one
// query.
func (s *Segments) read(ctx context.Context, q Querier, from, to time.Time) error {
	records, err := s.joined.read(ctx, q, s.parts, to)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for value, book := range s.parts {
		record := records[value]
		if record == nil {
			record = emptyRecord(book)
		}
		group.Go(func() error { return book.RefreshRecorded(ctx, q, record, from, to) })
	}
	return group.Wait()
}

// Parts gives the segments in the order of their values and, last, all other
// events together with an empty value.
func (s *Segments) Parts(whole *Book) []Part {
	var out []Part
	for _, value := range slices.Sorted(maps.Keys(s.parts)) {
		out = append(out, Part{Value: value, Since: s.parts[value].Since})
	}
	return append(out, Part{Since: func(start time.Time) Stretch { return s.rest(whole, start) }})
}

// Values gives the values that are segments.
func (s *Segments) Values() []string { return slices.Sorted(maps.Keys(s.parts)) }

func (s *Segments) bytes() int {
	sum := len(s.joined.expr)
	for _, part := range s.parts {
		sum += part.Bytes()
	}
	return sum
}

// rest is what the whole has beside the segments.
func (s *Segments) rest(whole *Book, start time.Time) Stretch {
	out := whole.Since(start)
	all, raw := out.Sums, out.Raw
	for _, value := range s.Values() {
		part := s.parts[value].Since(start)
		out.Sums, out.Raw = less(out.Sums, part.Sums), less(out.Raw, part.Raw)
	}
	out.Sums, out.Raw = quiet(out.Sums, all), quiet(out.Raw, raw)
	return out
}

func less(all, part slo.Sums) slo.Sums {
	return slo.Sums{Points: all.Points - part.Points, Events: all.Events - part.Events, Aux: all.Aux - part.Aux}
}

// quiet takes away what is left over of a sum because it was added in another
// order.
func quiet(rest, all slo.Sums) slo.Sums {
	near := func(a, b float64) bool { return math.Abs(a-b) <= noise*math.Abs(all.Events) }
	if rest.Events < 0 || near(rest.Events, 0) {
		return slo.Sums{}
	}
	if near(rest.Points, 0) {
		rest.Points = 0
	}
	if near(rest.Points, rest.Events) {
		rest.Points = rest.Events
	}
	return rest
}
