package ledger

import (
	"context"
	"slices"
	"sort"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/experience-slo/operator/internal/slo"
)

// minutes is a run of minutes, numbered as by minuteOf; the first and the last are
// in it.
type minutes struct{ first, last int64 }

// runsOfMinutes reads spans of whole minutes.
func runsOfMinutes(spans []slo.Span) []minutes {
	out := make([]minutes, 0, len(spans))
	for _, s := range spans {
		out = append(out, minutes{first: minuteOf(s.Start) + 1, last: minuteOf(s.End)})
	}
	return out
}

// within gives the parts of runs that are in another run.
func within(runs []minutes, in minutes) []minutes {
	from := sort.Search(len(runs), func(i int) bool { return runs[i].last >= in.first })
	var out []minutes
	for _, r := range runs[from:] {
		if r.first > in.last {
			break
		}
		out = append(out, minutes{first: max(r.first, in.first), last: min(r.last, in.last)})
	}
	return out
}

// count is the number of minutes in runs.
func count(runs []minutes) int {
	n := 0
	for _, r := range runs {
		n += int(r.last - r.first + 1)
	}
	return n
}

// except gives the minutes of runs that are in no other run.
func except(runs, out []minutes) []minutes {
	if len(out) == 0 {
		return runs
	}
	var left []minutes
	for _, r := range runs {
		for _, o := range within(out, r) {
			if o.first > r.first {
				left = append(left, minutes{first: r.first, last: o.first - 1})
			}
			r.first = o.last + 1
		}
		if r.first <= r.last {
			left = append(left, r)
		}
	}
	return left
}

func holds(runs []minutes, minute int64) bool {
	at := sort.Search(len(runs), func(i int) bool { return runs[i].last >= minute })
	return at < len(runs) && runs[at].first <= minute
}

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

// leave prepares to leave out what is to be left out, once the book has read from a
// moment to another: buckets that are left out in part, and whose minutes are not in
// the ring, are read by the minute.
func (b *Book) leave(ctx context.Context, r *reader, from, to time.Time) (omission, error) {
	b.mu.Lock()
	out, lacking := omission{wanted: b.wanted}, b.lacking(from, to)
	b.mu.Unlock()
	runs := runsOf(b.ends(lacking), b.terms.Grid.Width, 0)
	answers := make([]map[int64]entry, len(runs))
	group, ctx := errgroup.WithContext(ctx)
	for i, run := range runs {
		group.Go(func() (err error) {
			answers[i], _, err = r.minutes(ctx, run.from, run.to)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return omission{}, err
	}
	out.read = r.counted(answers, out.wanted, lacking)
	return out, nil
}

// apart gives the stretches that the book needs by the minute, beside its recent past,
// once it has read from a moment to another.
func (b *Book) apart(from, to time.Time) []slo.Span {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []slo.Span
	for _, run := range runsOf(b.ends(b.lacking(from, to)), b.terms.Grid.Width, 0) {
		out = append(out, slo.Span{Start: run.from.UTC(), End: run.to.UTC()})
	}
	return out
}

// counted adds up the minutes of buckets that are not in runs.
func (r *reader) counted(answers []map[int64]entry, out []minutes, buckets []int64) map[int64]part {
	counted := make(map[int64]part, len(buckets))
	for _, k := range buckets {
		counted[k] = part{} // of no minutes there is nothing, and that is known
	}
	for _, answer := range answers {
		for _, second := range sortedKeys(answer) {
			k := r.terms.Grid.Index(time.Unix(second, 0))
			p, e := counted[k], answer[second]
			p.seen += e.covered
			if !holds(out, second/60) {
				p.entry = p.plus(e)
			}
			counted[k] = p
		}
	}
	return counted
}

// ends are the seconds at which buckets end.
func (b *Book) ends(buckets []int64) []int64 {
	var out []int64
	for _, k := range buckets {
		out = append(out, b.terms.Grid.Start(k+1).Unix())
	}
	return out
}

// omit puts new exclusions into force. A bucket of which the source no longer has all
// the minutes that were counted is not left out: what they had cannot be told.
func (b *Book) omit(o omission) {
	if len(o.wanted) == 0 && len(b.settled) == 0 {
		return
	}
	parts, spared := map[int64]entry{}, []minutes(nil)
	for _, k := range b.partly(o.wanted, b.cursor, b.cursor) {
		read, isRead := o.read[k]
		switch {
		case isRead:
			parts[k] = read.entry
			if read.seen < b.buckets.at(int(k-b.first)).covered {
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

// lacking gives the buckets that are to be left out in part and whose minutes nobody
// knows once the book has read from a moment to another.
func (b *Book) lacking(from, to time.Time) []int64 {
	return slices.DeleteFunc(b.partly(b.wanted, from, to), func(k int64) bool {
		start := b.terms.Grid.Start(k)
		inRing := !start.Before(to.Add(-b.kept())) && b.holds(start)
		return inRing || b.stands(k, b.wanted)
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
	var buckets []int64
	for _, run := range out {
		// Between its ends a run covers buckets whole.
		for _, minute := range []int64{run.first, run.last} {
			k := grid.Index(time.Unix(60*minute, 0))
			if k >= oldest && k <= newest && b.isPart(k, out) {
				buckets = append(buckets, k)
			}
		}
	}
	return slices.Compact(buckets)
}

// isPart says whether some minutes of a bucket are not in runs.
func (b *Book) isPart(k int64, out []minutes) bool {
	all := b.minutesOf(k)
	return count(within(out, all)) < count([]minutes{all})
}

// minutesOf are the minutes of a bucket.
func (b *Book) minutesOf(k int64) minutes {
	return minutes{first: minuteOf(b.terms.Grid.Start(k)) + 1, last: minuteOf(b.terms.Grid.Start(k + 1))}
}

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
		case count(out) == count([]minutes{all}):
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
	var out []slo.Span
	for _, r := range within(b.spared, in) {
		out = append(out, slo.Span{Start: time.Unix(60*(r.first-1), 0).UTC(), End: time.Unix(60*r.last, 0).UTC()})
	}
	return out
}
