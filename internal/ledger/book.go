// Package ledger keeps, per objective, how many points were earned on how many
// events: buckets of an hour for the whole window, minutes for the recent past.
// It is a cache of what the metrics say: it reads what is new, and what it has
// lost it reads again.
package ledger

import (
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/slo"
)

const (
	// recent is how far back minutes are kept for long windows.
	recent = 3 * time.Hour

	// fine is the longest window that is summed by minutes alone.
	fine = 24 * time.Hour
)

// Queries makes what a book asks; queries of the same ID are the same.
type Queries interface {
	ID() string
	Reads() (promql.Reads, error)
}

// Terms are what a book is kept by. Two plans with equal terms share a book.
type Terms struct {
	Queries Queries
	Formula compile.Formula
	Grid    slo.Grid
	// Hours are when minutes count, nil where all do. They are as the queries have
	// them, of which the ID tells.
	Hours *slo.Hours
	// Longest is the longest stretch that is asked for.
	Longest time.Duration
	// Source and Server are whom the queries are put to.
	Source compile.SourceKey
	Server string
}

// TermsOf gives the terms of a bound plan.
func TermsOf(p *compile.Plan) Terms {
	return Terms{Queries: p.Recipe, Formula: p.Formula, Grid: p.Grid, Hours: p.Hours, Longest: p.Window.Longest(), Source: p.Source, Server: p.Server}
}

// equal says whether books are kept by the same terms.
func (t Terms) equal(o Terms) bool {
	same := t.Queries == o.Queries || t.Queries.ID() == o.Queries.ID()
	asked := t.Source == o.Source && t.Server == o.Server
	return same && asked && reflect.DeepEqual(t.Formula, o.Formula) && t.Grid == o.Grid && t.Longest == o.Longest
}

// Stretch is what a book holds for a stretch of time.
type Stretch struct {
	// Sums are of the minutes that count. Raw are of all minutes where some do not,
	// and empty where all do.
	Sums, Raw slo.Sums
	// Start and End bound the stretch; Start is the beginning of a bucket where
	// the stretch is too long for minutes.
	Start, End time.Time
	// Covered is the number of minutes in it that have data and count.
	Covered int
	// Excluded is the number of minutes in it that do not count.
	Excluded int
	// Spared are excluded minutes that count all the same, since they cannot be told
	// from the rest of their buckets any more.
	Spared []slo.Span
}

// All are the sums of all minutes.
func (s Stretch) All() slo.Sums {
	if s.Excluded == 0 {
		return s.Sums
	}
	return s.Raw
}

// Book is the account of one objective. Its methods can be called at once from
// several goroutines.
type Book struct {
	terms Terms

	// reading lets one refresh at a time in, without closing the book to sums.
	// It guards reads, which are kept where no ruler spares the book to ask them, and
	// the edition of the terms that they are of.
	reading sync.Mutex
	reads   *promql.Reads
	edition edition

	mu      sync.Mutex
	latest  edition
	cursor  time.Time // end of the last minute that was read; zero before the first
	first   int64     // index of the first bucket
	buckets column
	// minutes is a ring: minute n since the epoch is at n modulo its length.
	minutes column
	// began is where reading without a hole began, and known since when all minutes
	// are in the ring although it was too short for them; zero when it never was.
	began, known time.Time
	// invalid is when the last sample of NaN or infinity was read.
	invalid time.Time
	// data is the end of the last minute or bucket that has data.
	data time.Time
	// recorded is the end of the last minute that a ruler recorded.
	recorded time.Time

	// wished, or wanted by numbers, is what is to be left out, and settled what was when
	// the book was read last: excluded is left out, and spared cannot be. parts are what
	// counts of buckets that are left out in part.
	wished                            []slo.Span
	wanted, settled, excluded, spared []minutes
	parts                             map[int64]entry
	// ahead are parts that were read for the next omission.
	ahead omission
}

// NewBook opens an empty book.
func NewBook(terms Terms) *Book {
	n := int((terms.usual() + terms.Grid.Width) / time.Minute)
	b := &Book{terms: terms, latest: terms.edition()}
	b.minutes.grow(n, b.hasAux())
	return b
}

func (b *Book) hasAux() bool { return len(b.terms.Formula.Aux) > 0 }

// Cursor is the end of the last minute that was read, zero before the first.
func (b *Book) Cursor() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursor
}

// Invalid says whether samples of NaN or infinity in the longest stretch were
// left out as gaps.
func (b *Book) Invalid() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.invalid.IsZero() && b.cursor.Sub(b.invalid) < b.terms.Longest
}

// LastData is the end of the last minute that has data, zero where none has.
func (b *Book) LastData() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data
}

// LastRecorded is the end of the last minute that a ruler recorded, zero where
// none was found.
func (b *Book) LastRecorded() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recorded
}

func (b *Book) noteRecorded(newest time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if newest.After(b.recorded) {
		b.recorded = newest
	}
}

// Since sums the time from start up to the last minute that was read.
func (b *Book) Since(start time.Time) Stretch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cursor.IsZero() || !start.Before(b.cursor) {
		return Stretch{Start: b.cursor, End: b.cursor}
	}
	// What is kept for others changes no figure.
	if b.cursor.Sub(start) <= b.terms.usual() {
		return b.sumMinutes(start.Truncate(time.Minute), b.cursor)
	}
	return b.sumBuckets(start)
}

// kept is how far back minutes are sure to be there; the ring is longer by a
// bucket, since reading begins at a bucket's edge.
func (b *Book) kept() time.Duration {
	return time.Duration(b.minutes.len())*time.Minute - b.terms.Grid.Width
}

func (b *Book) sumMinutes(start, end time.Time) Stretch {
	s := Stretch{Start: start, End: end}
	first, last := minuteOf(start)+1, minuteOf(end)
	if s.Excluded = count(within(b.excluded, minutes{first, last})); s.Excluded > 0 {
		b.siftMinutes(&s, first, last)
		return s
	}
	for n := first; n <= last; n++ {
		b.minutes.addTo(&s, int(n%int64(b.minutes.len())))
	}
	return s
}

func (b *Book) sumBuckets(start time.Time) Stretch {
	from := b.terms.Grid.Index(start.Add(time.Minute))
	s := Stretch{Start: b.terms.Grid.Start(from), End: b.cursor}
	at, all := int(max(from-b.first, 0)), minutes{minuteOf(s.Start) + 1, minuteOf(s.End)}
	s.Spared = b.sparedIn(all)
	if s.Excluded = count(within(b.excluded, all)); s.Excluded > 0 {
		b.siftBuckets(&s, at)
		return s
	}
	for i := at; i < b.buckets.len(); i++ {
		b.buckets.addTo(&s, i)
	}
	return s
}

// Bytes is the memory that the book's figures take.
func (b *Book) Bytes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	sparse := (len(b.parts)+len(b.ahead.read))*int(unsafe.Sizeof(part{})+8) + (cap(b.wanted)+cap(b.excluded)+cap(b.spared))*int(unsafe.Sizeof(minutes{}))
	return int(unsafe.Sizeof(*b)) + b.buckets.bytes() + b.minutes.bytes() + sparse
}

// enter adds one minute, the next after the cursor or later.
func (b *Book) enter(minute time.Time, e entry) {
	at := int(minuteOf(minute) % int64(b.minutes.len()))
	b.minutes.set(at, e)
	b.post(b.terms.Grid.Index(minute), e)
}

// skip makes the minutes from the cursor up to a later moment gaps: what the
// ring holds in their places is from long before.
func (b *Book) skip(to time.Time) {
	if b.cursor.IsZero() {
		return
	}
	length := int64(b.minutes.len())
	for n := max(minuteOf(b.cursor), minuteOf(to)-length) + 1; n <= minuteOf(to); n++ {
		b.minutes.set(int(n%length), entry{})
	}
}

// open makes room for the buckets of a stretch, at once: one at a time would
// copy all of them for each.
func (b *Book) open(from, to time.Time) {
	if b.buckets.len() == 0 {
		b.first = b.terms.Grid.Index(from.Add(time.Minute))
	}
	last := b.terms.Grid.Index(to)
	if more := int(last-b.first) + 1 - b.buckets.len(); more > 0 {
		b.buckets.grow(more, b.hasAux())
	}
}

// post adds an entry to a bucket.
func (b *Book) post(index int64, e entry) {
	b.buckets.add(int(index-b.first), e)
}

// trim forgets the buckets that no window reaches any more.
func (b *Book) trim() {
	oldest := b.terms.Grid.Index(b.cursor.Add(-b.terms.Longest))
	if n := int(oldest - b.first); n > 0 {
		b.buckets.drop(min(n, b.buckets.len()))
		b.first += int64(n)
	}
}

// minuteOf numbers minutes by their end.
func minuteOf(end time.Time) int64 { return end.Unix() / 60 }
