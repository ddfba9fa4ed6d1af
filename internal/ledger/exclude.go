package ledger

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/internal/slo"
)

// Exclude has the book leave out whole minutes, given in order and apart, from its
// next refresh on. What it has read stays: the minutes count again when they are
// excluded no longer.
func (b *Book) Exclude(spans []slo.Span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.wished, spans) {
		b.wished, b.wanted = spans, runsOfMinutes(spans)
	}
}

// omission is what is to be left out, and the parts that count of the buckets whose
// minutes had to be read for it.
type omission struct {
	wanted []minutes
	read   map[int64]part
}

// part is what counts of a bucket, and of how many of all its minutes there is data.
type part struct {
	entry
	seen int
}

// detour is how much is read for nothing where it spares a query, and piecesAtOnce how
// many queries for minutes a book has under way.
const (
	detour       = 6 * time.Hour
	piecesAtOnce = 4
)

// piece is a run that is read with one query, for the sake of some of its buckets.
type piece struct {
	run
	buckets []int64
}

// piecesOf joins buckets that are not far apart.
func piecesOf(grid slo.Grid, buckets []int64) []piece {
	var out []piece
	for _, k := range buckets {
		start, end := grid.Start(k), grid.Start(k+1)
		if n := len(out); n > 0 && start.Sub(out[n-1].to) <= detour && end.Sub(out[n-1].from) <= stride {
			out[n-1].to, out[n-1].buckets = end, append(out[n-1].buckets, k)
			continue
		}
		out = append(out, piece{run: run{from: start, to: end}, buckets: []int64{k}})
	}
	return out
}

// leave prepares to leave out what is to be left out, once the book has read from a
// moment to another: buckets that are left out in part, and whose minutes are not in
// the ring, are read by the minute. Where that fails, the book goes on with what it
// left out before, if it can, and keeps the parts that were read.
func (b *Book) leave(ctx context.Context, r *reader, from, to time.Time) (*omission, error) {
	b.mu.Lock()
	wanted, lacking := b.wanted, b.lacking(b.wanted, from, to)
	b.mu.Unlock()
	var group errgroup.Group
	var failed atomic.Bool // what is under way is not lost, and nothing more is begun
	group.SetLimit(piecesAtOnce)
	for _, p := range piecesOf(b.terms.Grid, lacking) {
		group.Go(func() error {
			if failed.Load() {
				return nil
			}
			answer, _, err := r.minutes(ctx, p.from, p.to)
			if err != nil {
				failed.Store(true)
				return err
			}
			b.prepare(wanted, r.counted(answer, wanted, p.buckets))
			return nil
		})
	}
	err := group.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil && slices.Equal(b.ahead.wanted, wanted):
		ahead := b.ahead
		return &ahead, nil
	case err == nil:
		return &omission{wanted: wanted}, nil
	case b.cursor.IsZero() || len(b.lacking(b.settled, from, to)) > 0:
		return nil, err
	default:
		return &omission{wanted: b.settled}, err
	}
}

// prepare keeps parts for when all of them are there.
func (b *Book) prepare(wanted []minutes, read map[int64]part) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.ahead.wanted, wanted) || b.ahead.read == nil {
		b.ahead = omission{wanted: wanted, read: map[int64]part{}}
	}
	maps.Copy(b.ahead.read, read)
}

// apart gives the stretches that the book needs by the minute, beside its recent past,
// once it has read from a moment to another.
func (b *Book) apart(from, to time.Time) []slo.Span {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []slo.Span
	for _, p := range piecesOf(b.terms.Grid, b.lacking(b.wanted, from, to)) {
		out = append(out, slo.Span{Start: p.from.UTC(), End: p.to.UTC()})
	}
	return out
}

// counted adds up the minutes of buckets that are not in runs.
func (r *reader) counted(answer map[int64]entry, out []minutes, buckets []int64) map[int64]part {
	counted := make(map[int64]part, len(buckets))
	for _, k := range buckets {
		counted[k] = part{} // of no minutes there is nothing, and that is known
	}
	for _, second := range sortedKeys(answer) {
		k := r.terms.Grid.Index(time.Unix(second, 0))
		p, asked := counted[k]
		if !asked {
			continue
		}
		p.seen += answer[second].covered
		if !holds(out, second/60) {
			p.entry = p.plus(answer[second])
		}
		counted[k] = p
	}
	return counted
}

// lacks says that the source no longer has all the minutes of a bucket that were
// counted, so that it is not left out: what they had cannot be told.
func (p part) lacks(counted int) bool { return p.seen < counted }

// omit puts new exclusions into force.
func (b *Book) omit(o omission) {
	if slices.Equal(b.ahead.wanted, o.wanted) {
		b.ahead = omission{}
	}
	if len(o.wanted) == 0 && len(b.settled) == 0 {
		return
	}
	parts, spared := map[int64]entry{}, []minutes(nil)
	for _, k := range b.partly(o.wanted, b.cursor, b.cursor) {
		read, isRead := o.read[k]
		switch {
		case isRead:
			parts[k] = read.entry
			if read.lacks(b.buckets.at(int(k - b.first)).covered) {
				spared = append(spared, within(o.wanted, b.minutesOf(k))...)
			}
		case b.stands(k, o.wanted):
			parts[k] = b.parts[k]
			spared = append(spared, within(b.spared, b.minutesOf(k))...)
		case !b.terms.Grid.Start(k + 1).After(b.cursor): // it will leave the ring
			parts[k] = b.fromRing(k, o.wanted)
		}
	}
	b.settled, b.spared, b.excluded, b.parts = o.wanted, spared, except(o.wanted, spared), parts
}

// lacking gives the buckets that are left out in part, if some minutes are, and whose
// minutes nobody knows once the book has read from a moment to another.
func (b *Book) lacking(out []minutes, from, to time.Time) []int64 {
	ahead := b.ahead.read
	if !slices.Equal(b.ahead.wanted, out) {
		ahead = nil
	}
	return slices.DeleteFunc(b.partly(out, from, to), func(k int64) bool {
		start := b.terms.Grid.Start(k)
		inRing := !start.Before(to.Add(-b.kept())) && b.holds(start)
		_, read := ahead[k]
		return inRing || read || b.stands(k, out)
	})
}

// stands says whether the part of a bucket that counts is known already.
func (b *Book) stands(k int64, wanted []minutes) bool {
	_, known := b.parts[k]
	return known && slices.Equal(within(wanted, b.minutesOf(k)), within(b.settled, b.minutesOf(k)))
}

// partly gives the buckets that the book has, or has once it has read from a moment
// to another, and that are left out in part. A book whose sums are all of minutes has
// no use for them.
func (b *Book) partly(out []minutes, from, to time.Time) []int64 {
	if b.terms.Longest <= fine || to.IsZero() {
		return nil
	}
	grid := b.terms.Grid
	oldest, newest := grid.Index(from.Add(time.Minute)), grid.Index(to)
	if b.buckets.len() > 0 {
		oldest = max(b.first, grid.Index(to.Add(-b.terms.Longest)))
	}
	return partsOf(grid, out, oldest, newest)
}

// partsOf gives the buckets from one to another of which some minutes are in runs and
// others are not.
func partsOf(grid slo.Grid, out []minutes, oldest, newest int64) []int64 {
	var buckets []int64
	for _, run := range out {
		// Between its ends a run covers buckets whole.
		for _, minute := range []int64{run.first, run.last} {
			k := grid.Index(time.Unix(60*minute, 0))
			if k >= oldest && k <= newest && !whole(out, minutesIn(grid, k)) {
				buckets = append(buckets, k)
			}
		}
	}
	return slices.Compact(buckets)
}

// whole says whether all minutes of a run are in others.
func whole(out []minutes, all minutes) bool {
	return count(within(out, all)) == count([]minutes{all})
}

// minutesIn are the minutes of a bucket.
func minutesIn(grid slo.Grid, k int64) minutes {
	return minutes{first: minuteOf(grid.Start(k)) + 1, last: minuteOf(grid.Start(k + 1))}
}

func (b *Book) minutesOf(k int64) minutes { return minutesIn(b.terms.Grid, k) }

// fromRing adds up the minutes of a bucket that are read and not in runs.
func (b *Book) fromRing(k int64, out []minutes) entry {
	all := b.minutesOf(k)
	var sum entry
	for n := all.first; n <= min(all.last, minuteOf(b.cursor)); n++ {
		if !holds(out, n) {
			sum = sum.plus(b.minutes.at(int(n % int64(b.minutes.len()))))
		}
	}
	return sum
}

// siftMinutes is sumMinutes where some of them are left out.
func (b *Book) siftMinutes(s *Stretch, first, last int64) {
	for n := first; n <= last; n++ {
		e := b.minutes.at(int(n % int64(b.minutes.len())))
		s.Raw = s.Raw.Add(e.sums)
		if !holds(b.excluded, n) {
			s.Sums, s.Covered = s.Sums.Add(e.sums), s.Covered+e.covered
		}
	}
}

// siftBuckets is sumBuckets where some minutes are left out.
func (b *Book) siftBuckets(s *Stretch, from int) {
	for i := from; i < b.buckets.len(); i++ {
		e := b.buckets.at(i)
		s.Raw = s.Raw.Add(e.sums)
		k := b.first + int64(i)
		all := b.minutesOf(k)
		switch out := within(b.excluded, all); {
		case len(out) == 0:
		case whole(out, all):
			continue
		default:
			e = b.part(k)
		}
		s.Sums, s.Covered = s.Sums.Add(e.sums), s.Covered+e.covered
	}
}

// part is what counts of a bucket that is left out in part.
func (b *Book) part(k int64) entry {
	if e, known := b.parts[k]; known {
		return e
	}
	return b.fromRing(k, b.excluded)
}

// sparedIn are the minutes of a stretch that count although they are excluded.
func (b *Book) sparedIn(in minutes) []slo.Span {
	return spansOf(within(b.spared, in))
}

// spansOf are runs as spans.
func spansOf(runs []minutes) []slo.Span {
	var out []slo.Span
	for _, r := range runs {
		out = append(out, slo.Span{Start: time.Unix(60*(r.first-1), 0).UTC(), End: time.Unix(60*r.last, 0).UTC()})
	}
	return out
}
