package ledger

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/compile"
)

// Ledger is the books of all objectives.
type Ledger struct {
	mu    sync.Mutex
	books map[types.NamespacedName]*Book
	// segments are those of objectives that have some.
	segments map[types.NamespacedName]*Segments
}

// New makes an empty ledger.
func New() *Ledger {
	return &Ledger{books: map[types.NamespacedName]*Book{}, segments: map[types.NamespacedName]*Segments{}}
}

// Book gives the book of a bound plan: the one there is when its terms are the
// plan's, so that a new target costs no query, and otherwise an empty one. It leaves
// out what the plan does.
func (l *Ledger) Book(p *compile.Plan) *Book {
	terms := TermsOf(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	book, ok := l.books[p.Key]
	if !ok || !book.terms.equal(terms) {
		book = NewBook(terms)
		l.books[p.Key] = book
	}
	book.renew(terms)
	book.Exclude(p.Excluded)
	return book
}

// BookSince is Book for a plan whose events are counted since a moment to the
// minute, minutes being kept from so far back. Where they were not and are gone,
// the book is begun anew, to be read from the source.
func (l *Ledger) BookSince(p *compile.Plan, since time.Time, back time.Duration) *Book {
	book := l.Book(p)
	book.Keep(back)
	if book.reaches(since) {
		return book
	}
	l.mu.Lock()
	delete(l.books, p.Key)
	l.mu.Unlock()
	book = l.Book(p)
	book.Keep(back)
	return book
}

// Segments gives the segments of a bound plan that is grouped: those there are
// when they are the plan's, and otherwise new ones of the same values.
func (l *Ledger) Segments(p *compile.Plan) *Segments {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := p.Group.Known
	old, ok := l.segments[p.Key]
	switch {
	case ok && old.keeps(p):
		old.renew(p)
		return old
	case ok && old.group.Label == p.Group.Label:
		known = old.Values()
	}
	s := newSegments(p, known)
	l.segments[p.Key] = s
	return s
}

// Held gives the book of an objective, nil where there is none.
func (l *Ledger) Held(key types.NamespacedName) *Book {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books[key]
}

// DropSegments forgets the segments of an objective, whose plan has none any more.
func (l *Ledger) DropSegments(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.segments, key)
}

// Drop forgets the book of an objective, and its segments.
func (l *Ledger) Drop(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.books, key)
	delete(l.segments, key)
}

// Bytes is the memory that all books take, those of segments and the text of what is
// asked for them with it. No refresh of segments may be under way.
func (l *Ledger) Bytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := 0
	for _, b := range l.books {
		sum += b.Bytes()
	}
	for _, s := range l.segments {
		sum += s.bytes()
	}
	return sum
}
