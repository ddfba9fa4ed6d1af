package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

// chunk is the longest time that one query asks buckets of: an answer holds at
// most 11,000 points a series, and short queries share a server better.
const chunk = 7 * 24 * time.Hour

// Querier answers range queries: one value for each step from start to end,
// both included.
type Querier interface {
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, error)
}

// Refresh reads what is new up to the minute that ends at to: since the cursor
// or, in an empty book and after a pause longer than the window, since from.
// On an error the book stays as it was, so that the next refresh reads the same
// again: nothing is lost and nothing is counted twice. Where only what is newly
// excluded could not be read, it goes on with what was excluded before.
func (b *Book) Refresh(ctx context.Context, q Querier, from, to time.Time) error {
	return b.RefreshRecorded(ctx, q, nil, from, to)
}

// RefreshRecorded is Refresh for an objective that a ruler records: it takes
// what the record holds and asks only for the rest. Where the ruler is late by
// less than the record's grace, it reads up to the last minute that there is.
func (b *Book) RefreshRecorded(ctx context.Context, q Querier, record *Record, from, to time.Time) error {
	b.reading.Lock()
	defer b.reading.Unlock()
	if record != nil && record.recipe != b.terms.Queries.ID() {
		record = nil // of a plan that was replaced meanwhile
	}
	b.noteRecorded(record.newest())
	to = record.settle(to.Truncate(time.Minute))
	from = b.begin(from)
	r := &reader{terms: b.current(), q: q, record: record, reads: b.queries(record == nil)}
	if !to.After(from) {
		from, to = b.Cursor(), b.Cursor() // there may be other minutes to leave out all the same
	}
	page, err := r.read(ctx, from, to, b.kept())
	if err != nil {
		return err
	}
	left, err := b.leave(ctx, r, from, to)
	if left != nil {
		b.commit(page, from, to, *left)
	}
	return err
}

// queries gives what the book asks. It keeps them where they are asked again
// and again.
func (b *Book) queries(keep bool) func() (promql.Reads, error) {
	return sync.OnceValues(func() (promql.Reads, error) {
		if b.reads != nil {
			return *b.reads, nil
		}
		reads, err := b.edition.queries.Reads()
		if keep && err == nil {
			b.reads = &reads
		}
		return reads, err
	})
}

// begin is where reading goes on: at the cursor or, in an empty book and after
// a pause longer than the window, at the bucket's edge before from.
func (b *Book) begin(from time.Time) time.Time {
	from = b.terms.Grid.Start(b.terms.Grid.Index(from.Truncate(time.Minute).Add(time.Minute)))
	// A calendar unit that has just begun takes nothing away from the windows of
	// burn rates, which reach back into the one before.
	if cursor := b.Cursor(); !cursor.IsZero() && from.Sub(cursor) <= b.kept() {
		return cursor
	}
	return from
}

// stretches cuts the time from a minute on into whole buckets and minutes: of
// the bucket that was begun, and of the recent past.
func stretches(grid slo.Grid, from, to time.Time, recent time.Duration) (minutes []slo.Span, buckets slo.Span) {
	edge := grid.Start(grid.Index(to.Add(-recent))) // whole buckets end here
	if !edge.After(from) {
		return []slo.Span{{Start: from, End: to}}, slo.Span{}
	}
	first := grid.Start(grid.Index(from))
	if first.Before(from) {
		first = first.Add(grid.Width)
	}
	return []slo.Span{{Start: from, End: first}, {Start: edge, End: to}}, slo.Span{Start: first, End: edge}
}

func (b *Book) commit(p *page, from, to time.Time, left omission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.omit(left)
	if !to.After(from) {
		return
	}
	if b.cursor.IsZero() || from.After(b.cursor) {
		b.began = from
	}
	b.skip(p.minutesFrom)
	b.open(from, to)
	// In order: sums of floats depend on it.
	for _, at := range sortedKeys(p.buckets) {
		b.post(b.terms.Grid.Index(time.Unix(at, 0)), p.buckets[at])
	}
	for minute := p.minutesFrom.Add(time.Minute); !minute.After(to); minute = minute.Add(time.Minute) {
		b.enter(minute, p.minutes[minute.Unix()])
	}
	b.cursor = to
	if p.invalid {
		b.invalid = to
	}
	b.noteData(p)
	b.trim()
}

// noteData remembers when there was data last.
func (b *Book) noteData(p *page) {
	for _, entries := range []map[int64]entry{p.buckets, p.minutes} {
		for at, e := range entries {
			if end := time.Unix(at, 0).UTC(); e.covered > 0 && end.After(b.data) {
				b.data = end
			}
		}
	}
}

// page is what a refresh read: entries by the second at which they end.
type page struct {
	buckets, minutes map[int64]entry
	// minutesFrom is the end of the last minute before those in minutes.
	minutesFrom time.Time
	invalid     bool
}

// reader reads one page.
type reader struct {
	terms  Terms
	q      Querier
	record *Record
	reads  func() (promql.Reads, error)
}

// read reads whole buckets, and the minutes before and after them.
func (r *reader) read(ctx context.Context, from, to time.Time, recent time.Duration) (*page, error) {
	minutes, buckets := stretches(r.terms.Grid, from, to, recent)
	last := minutes[len(minutes)-1]
	if buckets.Start.IsZero() {
		entries, invalid, err := r.minutes(ctx, from, to)
		return &page{minutes: entries, minutesFrom: from, invalid: invalid}, err
	}
	var parts [3]struct {
		entries map[int64]entry
		invalid bool
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, part := range []func() (map[int64]entry, bool, error){
		func() (map[int64]entry, bool, error) { return r.minutes(ctx, minutes[0].Start, minutes[0].End) },
		func() (map[int64]entry, bool, error) { return r.buckets(ctx, buckets.Start, buckets.End) },
		func() (map[int64]entry, bool, error) { return r.minutes(ctx, last.Start, last.End) },
	} {
		group.Go(func() (err error) {
			parts[i].entries, parts[i].invalid, err = part()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	p := &page{buckets: parts[1].entries, minutes: parts[2].entries, minutesFrom: last.Start}
	// The rest of the unfinished bucket is too old to be kept by minutes.
	maps.Copy(p.buckets, parts[0].entries)
	p.invalid = parts[0].invalid || parts[1].invalid || parts[2].invalid
	return p, nil
}

// buckets takes whole buckets between two of their edges from the record, and
// reads those that it lacks.
func (r *reader) buckets(ctx context.Context, from, to time.Time) (map[int64]entry, bool, error) {
	if r.record == nil {
		return r.rawBuckets(ctx, from, to)
	}
	out, lack := r.record.whole(from, to, r.terms.Grid.Width)
	for _, run := range runsOf(lack.missing, r.terms.Grid.Width, 0) {
		raw, invalid, err := r.rawBuckets(ctx, run.from, run.to)
		if err != nil {
			return nil, false, err
		}
		maps.Copy(out, raw)
		lack.invalid = lack.invalid || invalid
	}
	return out, lack.invalid, nil
}

// minutes takes the minutes after from up to to from the record, and reads
// those that it lacks.
func (r *reader) minutes(ctx context.Context, from, to time.Time) (map[int64]entry, bool, error) {
	if r.record == nil {
		return r.rawMinutes(ctx, from, to)
	}
	out, lack := r.record.page(from, to)
	for _, run := range runsOf(lack.missing, time.Minute, 0) {
		raw, invalid, err := r.rawMinutes(ctx, run.from, run.to)
		if err != nil {
			return nil, false, err
		}
		maps.Copy(out, raw)
		lack.invalid = lack.invalid || invalid
	}
	if len(lack.resets) == 0 {
		return out, lack.invalid, nil
	}
	reads, err := r.reads()
	if err != nil {
		return nil, false, err
	}
	exact := table{}
	if err := r.recount(ctx, reads.ExactMinute, exact, lack.resets, time.Minute); err != nil {
		return nil, false, err
	}
	entries, _ := exact.entries(r.terms.Formula)
	maps.Copy(out, entries)
	return out, lack.invalid, nil
}

// rawBuckets reads whole buckets between two of their edges, in chunks at once.
func (r *reader) rawBuckets(ctx context.Context, from, to time.Time) (map[int64]entry, bool, error) {
	var starts []time.Time
	for at := from; at.Before(to); at = at.Add(chunk) {
		starts = append(starts, at)
	}
	answers := make([]map[int64]entry, len(starts))
	invalid := make([]bool, len(starts))
	group, ctx := errgroup.WithContext(ctx)
	for i, start := range starts {
		group.Go(func() (err error) {
			end := start.Add(chunk)
			if end.After(to) {
				end = to
			}
			answers[i], invalid[i], err = r.chunk(ctx, start, end)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, false, err
	}
	out := map[int64]entry{}
	for _, a := range answers {
		maps.Copy(out, a)
	}
	return out, slices.Contains(invalid, true), nil
}

func (r *reader) chunk(ctx context.Context, from, to time.Time) (map[int64]entry, bool, error) {
	width := r.terms.Grid.Width
	t, err := r.bucketTable(ctx, from, to, width)
	if err != nil {
		return nil, false, err
	}
	out, broken := t.entries(r.terms.Formula)
	// One NaN spoils the sum of its bucket: the minutes beside it still count.
	for _, run := range runsOf(broken, width, 0) {
		minutes, _, err := r.rawMinutes(ctx, run.from, run.to)
		if err != nil {
			return nil, false, err
		}
		r.gather(minutes, out)
	}
	return out, len(broken) > 0, nil
}

// bucketTable takes the cheapest form that is exact for each bucket: the steady
// one, where series came or went the sum of minutes, and where a counter was
// reset the one at the pace of scraping.
func (r *reader) bucketTable(ctx context.Context, from, to time.Time, width time.Duration) (table, error) {
	if r.shut(from, to) {
		return table{}, nil
	}
	reads, err := r.reads()
	if err != nil {
		return nil, err
	}
	t, err := r.table(ctx, cmp.Or(reads.SteadyBucket, reads.Bucket), from, to, width)
	if err != nil {
		return nil, err
	}
	if reads.SteadyBucket != "" {
		if err := r.recount(ctx, reads.Bucket, t, r.unsteady(t, from, to, width), width); err != nil {
			return nil, err
		}
	}
	return t, r.recount(ctx, reads.ExactBucket, t, t.resets(r.terms.Formula), width)
}

func sortedKeys(of map[int64]entry) []int64 { return slices.Sorted(maps.Keys(of)) }

// gather adds minutes to buckets.
func (r *reader) gather(minutes, buckets map[int64]entry) {
	grid := r.terms.Grid
	for _, second := range sortedKeys(minutes) {
		end := grid.Start(grid.Index(time.Unix(second, 0)) + 1).Unix()
		buckets[end] = buckets[end].plus(minutes[second])
	}
}

// rawMinutes reads the minutes after from up to to.
func (r *reader) rawMinutes(ctx context.Context, from, to time.Time) (map[int64]entry, bool, error) {
	if !to.After(from) || r.shut(from, to) {
		return nil, false, nil
	}
	reads, err := r.reads()
	if err != nil {
		return nil, false, err
	}
	t, err := r.table(ctx, reads.Minute, from, to, time.Minute)
	if err != nil {
		return nil, false, err
	}
	if err := r.recount(ctx, reads.ExactMinute, t, t.resets(r.terms.Formula), time.Minute); err != nil {
		return nil, false, err
	}
	out, broken := t.entries(r.terms.Formula)
	return out, len(broken) > 0, nil
}

// recount replaces rows by those of a more exact form.
func (r *reader) recount(ctx context.Context, expr string, t table, rows []int64, step time.Duration) error {
	// A single row between two others is asked for again: another query costs more.
	runs := runsOf(rows, step, step)
	answers := make([]table, len(runs))
	group, ctx := errgroup.WithContext(ctx)
	for i, run := range runs {
		group.Go(func() (err error) {
			answers[i], err = r.table(ctx, expr, run.from, run.to, step)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	exact := table{}
	for _, answer := range answers {
		maps.Copy(exact, answer)
	}
	// Only these: a row that was asked for in between may be a gap.
	for _, at := range rows {
		t[at] = exact[at]
	}
	return nil
}

// table asks for one value a step after from up to to.
func (r *reader) table(ctx context.Context, expr string, from, to time.Time, step time.Duration) (table, error) {
	matrix, err := r.q.Range(ctx, expr, from.Add(step), to, step)
	if err != nil {
		return nil, err
	}
	t := table{}
	for _, stream := range matrix {
		lane := string(stream.Metric[promql.LaneLabel])
		for _, sample := range stream.Values {
			t.put(sample.Timestamp.Unix(), lane, float64(sample.Value))
		}
	}
	return t, nil
}
